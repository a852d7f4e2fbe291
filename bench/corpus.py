"""Sizes of whole folders of anything: `python -m bench.corpus FOLDER`.

Every picture that Pillow opens is saved as AIG with nothing given and without loss, as PNG and as
WebP without loss (both as small as Pillow makes them), and AIG's pixels are compared where they
must be equal. Prints a table of what AIG takes beside the others, and the worst of each; a CSV with
all rows goes to --out.
"""

import argparse
import csv
import io
import sys
import warnings
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np
from PIL import Image

import pillow_aig  # noqa: F401

#: What the default may take more than without loss.
_MOST_MORE = 1.02
#: What AIG without loss may take beside WebP without loss.
_MOST_OF_WEBP = 1.3
_WORST = 12


class Row(NamedTuple):
    """Bytes of one picture. error: of the default, the largest difference of a sample."""

    name: str
    mode: str
    width: int
    height: int
    default: int
    lossless: int
    png: int
    webp: int
    error: int
    exact: bool


def main(arguments: list[str] | None = None) -> int:
    """Returns 1 if a picture without loss has lost something."""
    parser = argparse.ArgumentParser("python -m bench.corpus", description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, help="CSV file for all rows")
    parser.add_argument("--most-pixels", type=int, default=2**22, help="of a picture")
    parser.add_argument("--jobs", type=int, default=1)
    args = parser.parse_args(arguments)
    files = sorted(path for f in args.folders for path in f.rglob("*") if path.is_file())
    with ProcessPoolExecutor(args.jobs) as pool:
        found = pool.map(_measured, files, [args.most_pixels] * len(files), chunksize=4)
        rows = [row for row in found if row is not None]
    if args.out:
        with args.out.open("w", newline="") as out:
            writer = csv.writer(out, lineterminator="\n")
            writer.writerow(Row._fields)
            writer.writerows(rows)
    print("\n".join(_report(rows)))
    return 0 if all(row.exact for row in rows) else 1


def _measured(path: Path, most: int) -> Row | None:
    """None for what is no picture, or a large one."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path) as image:
                if image.width * image.height > most:
                    return None
                image.load()
                image = image.copy()
                # Pixels are what is compared.
                image.info = {k: v for k, v in image.info.items() if k == "transparency"}
        # As AIG stores them, so that all have the same samples.
        lossless = _saved(image, "AIG", lossless=True)
        stored = Image.open(io.BytesIO(lossless))
        stored.load()
    except Exception as error:
        print(f"{path.name}: {error}", file=sys.stderr)
        return None
    if stored.mode == "I;16":
        return None
    default = _saved(image, "AIG")
    pixels = np.asarray(stored).astype(int)
    shown = np.asarray(Image.open(io.BytesIO(default))).astype(int)
    plain = Image.fromarray(np.asarray(stored))
    png = _saved(plain, "PNG", optimize=True)
    if image.mode in ("1", "P"):
        png = min(png, _saved(image, "PNG", optimize=True), key=len)
    webp = _saved(plain, "WEBP", lossless=True, quality=100, method=6, exact=True)
    return Row(
        "/".join(path.parts[-2:]),
        image.mode,
        *image.size,
        len(default),
        len(lossless),
        len(png),
        len(webp),
        int(abs(shown - pixels).max()),
        bool((_opened(lossless) == pixels).all()),
    )


def _saved(image: Image.Image, form: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def _opened(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data))).astype(int)


def _report(rows: list[Row]) -> Iterator[str]:
    yield f"{len(rows)} pictures, {sum(r.width * r.height for r in rows) / 1e6:.1f} megapixels"
    yield "| | bytes in all | median of ratios | worst | above the bound |"
    yield "|---|--:|--:|--:|--:|"
    pairs = (
        ("default to AIG without loss", "default", "lossless", _MOST_MORE),
        ("AIG without loss to WebP without loss", "lossless", "webp", _MOST_OF_WEBP),
        ("AIG without loss to PNG", "lossless", "png", _MOST_OF_WEBP),
    )
    for title, own, other, bound in pairs:
        ratios = [getattr(r, own) / getattr(r, other) for r in rows]
        total = sum(getattr(r, own) for r in rows) / sum(getattr(r, other) for r in rows)
        above = sum(ratio > bound for ratio in ratios)
        yield f"| {title} | {total:.3f} | {median(ratios):.3f} | {max(ratios):.2f} | {above} |"
    for title, own, other, bound in pairs:
        worst = sorted(rows, key=lambda r: -getattr(r, own) / getattr(r, other))
        for r in worst[:_WORST]:
            if getattr(r, own) > bound * getattr(r, other):
                yield (
                    f"{title}: {r.name} {r.mode} {r.width}x{r.height}: "
                    f"{getattr(r, own)} to {getattr(r, other)}"
                )


if __name__ == "__main__":
    sys.exit(main())
