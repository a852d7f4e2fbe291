"""`aig demo`: store a photograph as AIG in three ways, check what must hold, show what it costs."""

import contextlib
import importlib.util
import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, features

from .. import __version__, encode, open
from ..decoder.file import AigFile
from . import figures

U8 = NDArray[np.uint8]


class Plan(NamedTuple):
    """What a picture is about: the centers to name, and a shape with radii for the first."""

    centers: tuple[tuple[int, int], ...]
    sigma: tuple[float, float]
    radii: tuple[float, float]


#: Photographs of scikit-learn. Chosen by eye: the pavilion and the island in the lake behind it;
#: the dahlia's heart and the bloom below it.
SAMPLES = {
    "china": Plan(((207, 162), (462, 234)), (1.0, 1.5), (110.0, 150.0)),
    "flower": Plan(((306, 218), (376, 408)), (1.0, 1.0), (100.0, 145.0)),
}


class Result(NamedTuple):
    """One variant: its file, what was decoded from it, where its cores are, what failed."""

    name: str
    path: Path
    size: int
    decoded: U8
    core: NDArray[np.bool_]
    failures: list[str]
    aig: AigFile


def sample(name: str) -> U8:
    """A photograph of scikit-learn's, uint8 (427, 640, 3). ImportError without scikit-learn."""
    from sklearn.datasets import load_sample_image

    pixels: U8 = load_sample_image(f"{name}.jpg")
    return pixels


def plan_for(picture: U8) -> Plan:
    """A plan for a picture of which nothing is known: its middle."""
    height, width = picture.shape[:2]
    core = max(1.0, min(width, height) / 5)
    return Plan(((width // 2, height // 2),), (1.0, 1.0), (core, 1.5 * core))


def run(picture: U8, name: str, plan: Plan, folder: Path) -> bool:
    """Run the demo on a picture, uint8 (H, W[, C]); alpha is left out. Returns whether all passed.

    Writes three AIG files and comparison.png to the folder and prints the findings.
    """
    if picture.ndim == 3 and picture.shape[2] in (2, 4):
        picture = picture[..., :-1]
    if picture.ndim == 3 and picture.shape[2] == 1:
        picture = picture[..., 0]
    picture = np.ascontiguousarray(picture)
    folder.mkdir(parents=True, exist_ok=True)
    height, width = picture.shape[:2]
    n = len(plan.centers)
    variants: dict[str, dict[str, Any]] = {
        "centers": {"centers": plan.centers},
        "radii": {"centers": plan.centers[:1], "sigmas": [plan.sigma], "radii": [plan.radii]},
        "auto": {},
    }
    titles = {
        "centers": f"{n} named center{'s'[: n > 1]}, radii searched by the encoder",
        "radii": "1 named center, radii given by hand",
        "auto": "Nothing named: centers and radii found by the encoder",
    }
    codecs = _codecs()
    results: list[Result] = []
    rivals: dict[str, tuple[int, U8]] = {}
    with _progress(len(variants) + len(codecs) + 1) as advance:
        for variant, keywords in variants.items():
            advance(f"AIG, {variant}")
            path = folder / f"{name}-{variant}.aig"
            results.append(_store(variant, path, picture, keywords))
        for label, (format_name, options) in codecs.items():
            advance(label)
            # Some formats refuse large pictures, which is no fault of ours.
            with contextlib.suppress(OSError):
                rivals[label] = _through_pillow(picture, format_name, options)
        advance("comparison.png")
        png = rivals["PNG"][0]
        rows = [
            figures.Row(
                titles[r.name],
                _sizes(r.path.name, r.size, picture, png) + f", {_core_share(r)}",
                r.decoded,
                r.aig.regions(),
                not r.failures,
            )
            for r in results
        ]
        sheet = figures.comparison(
            f"AIG {__version__}  ·  {name}, {width} x {height}",
            picture,
            rows,
            "The error is the largest of a pixel's channels. Black is exact.",
        )
        sheet.save(folder / "comparison.png")

    print(f"{name}, {width} x {height}, named centers {', '.join(map(str, plan.centers))}\n")
    for result in results:
        print("\n".join(_findings(result)))
    print()
    print("\n".join(_size_table(picture, results, rivals)))
    print(f"\nSee {folder / 'comparison.png'}")
    passed = not any(r.failures for r in results)
    print("PASS" if passed else "FAIL")
    return passed


def _store(variant: str, path: Path, picture: U8, keywords: dict[str, Any]) -> Result:
    """Write a file, read it back in every way there is, and collect what is not as it must be."""
    data = encode(picture, **keywords)
    path.write_bytes(data)
    failures = []
    aig = open(data)
    decoded = aig.decode()
    core = np.zeros(picture.shape[:2], bool)
    for k, found in enumerate(aig.cores()):
        height, width = found.mask.shape
        window = np.s_[found.top : found.top + height, found.left : found.left + width]
        core[window] |= found.mask
        if not np.array_equal(found.pixels[found.mask], picture[window][found.mask]):
            failures.append(f"core {k} differs from the original")
    if not np.array_equal(decoded[core], picture[core]):
        failures.append("the decoded picture differs from the original inside the core")
    with open(data[: _first_bytes(data, aig)]) as start:
        for k, (early, late) in enumerate(zip(start.cores(), aig.cores(), strict=True)):
            if not np.array_equal(early.pixels, late.pixels):
                failures.append(f"core {k} cannot be read from the first bytes alone")
    for reader, read in _readers():
        try:
            seen = read(path)
        except Exception as error:  # a broken reader is a finding, not the end of the demo
            failures.append(f"{reader} cannot open it: {error}")
            continue
        if not np.array_equal(seen, decoded):
            failures.append(f"{reader} gives other pixels than aig_codec")
    return Result(variant, path, len(data), decoded, core, failures, aig)


def _first_bytes(data: bytes, aig: AigFile) -> int:
    """How many bytes from the start hold every core."""
    behind_head = sum(s.length for s in aig.segments)
    return len(data) - behind_head + aig.bytes_for("core")


def _readers() -> Iterator[tuple[str, Callable[[Path], U8]]]:
    """Who can open the files here, once the plugins have registered themselves."""
    import pillow_aig  # noqa: F401

    yield "Pillow", lambda path: np.asarray(Image.open(path))
    if importlib.util.find_spec("imageio") is not None:
        import imageio.v3 as iio

        import imageio_aig  # noqa: F401

        yield "imageio", lambda path: np.asarray(iio.imread(path))


def _codecs() -> dict[str, tuple[str, dict[str, Any]]]:
    """What to compare with, as far as this Pillow has it: label -> format and options."""
    codecs: dict[str, tuple[str, dict[str, Any]]] = {
        "PNG": ("PNG", {"optimize": True}),
        "JPEG q75": ("JPEG", {"quality": 75}),
        "JPEG q90": ("JPEG", {"quality": 90}),
    }
    if features.check("webp"):
        codecs["WebP q75"] = ("WEBP", {"quality": 75})
    # Older versions of Pillow don't know the name and warn about it.
    if "avif" in features.modules and features.check("avif"):
        codecs["AVIF q75"] = ("AVIF", {"quality": 75})
    return codecs


def _through_pillow(picture: U8, format_name: str, options: dict[str, Any]) -> tuple[int, U8]:
    """Size in another format, and the picture that comes back."""
    image = Image.fromarray(picture)
    buffer = io.BytesIO()
    image.save(buffer, format_name, **options)
    with Image.open(buffer) as back:
        return len(buffer.getvalue()), np.asarray(back.convert(image.mode))


def psnr(original: U8, decoded: U8, where: NDArray[np.bool_]) -> float:
    """Peak signal-to-noise ratio in dB of the pixels of a mask: inf if exact, nan if there are
    none."""
    if not where.any():
        return float("nan")
    difference = original[where].astype(np.float64) - decoded[where]
    error = float(np.mean(difference**2))
    return float(10 * np.log10(255**2 / error)) if error else float("inf")


def _findings(result: Result) -> list[str]:
    checked = ["core bit-exact", "readable from the first bytes", *(r for r, _ in _readers())]
    lines = [f"{result.path.name}: {'FAIL' if result.failures else 'PASS'}"]
    lines += [f"  FAIL: {failure}" for failure in result.failures]
    if not result.failures:
        lines[0] += f"  ({', '.join(checked)})"
    return lines


def _core_share(result: Result) -> str:
    share = 100 * result.core.mean()
    first = _first_bytes(result.path.read_bytes(), result.aig)
    return f"core: {share:.1f}% of the pixels, complete after {first:,} bytes"


def _sizes(name: str, size: int, picture: U8, png: int) -> str:
    bits = 8 * size / (picture.shape[0] * picture.shape[1])
    return f"{name}: {size:,} bytes, {bits:.2f} bits per pixel, {100 * size / png:.0f}% of PNG"


def _size_table(picture: U8, results: list[Result], rivals: dict[str, tuple[int, U8]]) -> list[str]:
    """Sizes and errors. Other formats have no core; theirs are measured in the first variant's."""
    png = rivals["PNG"][0]
    rows = [
        *((f"AIG, {r.name}", r.size, r.decoded, r.core) for r in results),
        *((label, size, back, results[0].core) for label, (size, back) in rivals.items()),
    ]
    lines = [
        f"{'':<14}{'bytes':>12}{'of PNG':>8}{'bits/pixel':>12}{'PSNR in core':>15}{'outside':>12}"
    ]
    for label, size, decoded, core in rows:
        bits = 8 * size / core.size
        inside, outside = (_decibels(psnr(picture, decoded, m)) for m in (core, ~core))
        lines.append(
            f"{label:<14}{size:>12,}{100 * size / png:>7.0f}%{bits:>12.3f}{inside:>15}{outside:>12}"
        )
    lines.append(f"(for formats without a core: measured in the core of {results[0].path.name})")
    return lines


def _decibels(value: float) -> str:
    if np.isnan(value):
        return "-"
    return "exact" if np.isinf(value) else f"{value:.2f} dB"


@contextlib.contextmanager
def _progress(total: int) -> Iterator[Callable[[str], None]]:
    """A function to call before each step; it shows a bar where rich and a terminal are there."""
    if not sys.stderr.isatty() or importlib.util.find_spec("rich") is None:
        yield lambda label: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=total)
        started = False

        def advance(label: str) -> None:
            nonlocal started
            bar.update(task, description=label, advance=int(started))
            started = True

        yield advance
