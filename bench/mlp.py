"""`python -m bench.mlp [FOLDER]`: neural DPCM, trained offline, beside our lossless coders.

A multilayer perceptron is trained on a folder of photographs. On the middle of other photographs,
it is compared with linear predictors in the same adaptive coder of errors, whose ideal code length
is counted, and with the bytes of our photo coder and of mixed coding.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from rich.progress import Progress

    from .images import U8
    from .training.perceptron import Features, Predictor

RESULTS = Path(__file__).resolve().parent / "results"
REPORT = "mlp.md"
#: Folders of photographs, in that of all images, none of which is trained on.
HELD_BACK = ("kodak", "clic", "gb82")

_NEEDED = ("aig_codec", "numpy", "PIL", "rich", "scipy", "sklearn")
_SEED = 20
#: Of each picture to train on, the middle is where symbols are counted.
_COUNTED = 256

MEDIAN, LINEAR, PERCEPTRON = "median (MED)", "linear, trained offline", "MLP, trained offline"
FITTED = "linear, fitted to each crop"
PHOTO = {effort: f"photo coder, effort {effort}" for effort in (6, 8)}
MIXED = "mixed coding"
_IDEAL = (MEDIAN, LINEAR, FITTED, PERCEPTRON)


@dataclass(frozen=True)
class Row:
    """Bits per pixel of a crop by each way to code it."""

    folder: str
    bpp: dict[str, float]


def parser() -> argparse.ArgumentParser:
    """The command line."""
    p = argparse.ArgumentParser(
        "python -m bench.mlp", description="A perceptron trained offline, as lossless predictor."
    )
    p.add_argument(
        "folder", type=Path, nargs="?", help="images to train on (../shared/images/train)"
    )
    p.add_argument(
        "--images",
        type=Path,
        metavar="FOLDER",
        help=f"images to report on, in its folders {', '.join(HELD_BACK)} (../shared/images)",
    )
    p.add_argument(
        "--pixels", type=int, default=400_000, metavar="N", help="pixels to train on (400000)"
    )
    p.add_argument("--epochs", type=int, default=40, metavar="N", help="at most so many (40)")
    p.add_argument("--side", type=int, default=256, metavar="N", help="width of the crops (256)")
    p.add_argument("--out", type=Path, default=RESULTS, help="results folder (bench/results)")
    return p


def main(arguments: list[str] | None = None) -> int:
    """Train, compare, and write the report. Returns 2 if something is missing for that."""
    args = parser().parse_args(arguments)
    # Matrices here are small: a second thread of BLAS would spend its time waiting.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        print(
            f"the comparison needs {', '.join(missing)}: pip install 'pillow-aig[bench,search]'",
            file=sys.stderr,
        )
        return 2
    try:
        return _compare(args)
    except (FileNotFoundError, NotADirectoryError) as error:
        print(f"no images: {error.filename} is missing", file=sys.stderr)
    except (LookupError, ValueError) as error:
        print(error, file=sys.stderr)
    return 2


def _compare(args: argparse.Namespace) -> int:
    from rich.console import Console
    from rich.markdown import Markdown

    from .images import DEFAULT_FOLDER
    from .training import samples

    for name in ("pixels", "epochs", "side"):
        if getattr(args, name) < 1:
            raise ValueError(f"--{name} is {getattr(args, name)}, give 1 or more")
    training = args.folder or DEFAULT_FOLDER / "train"
    images = args.images or DEFAULT_FOLDER
    known = samples.paths(training)
    if not known:
        raise LookupError(f"no image in {training}")
    folders = [images / name for name in HELD_BACK if (images / name).is_dir()]
    held_back = [path for folder in folders for path in samples.paths(folder)]
    if not held_back:
        raise LookupError(f"no image in {', '.join(HELD_BACK)} of {images}: give --images FOLDER")
    args.out.mkdir(parents=True, exist_ok=True)
    with _progress() as bar:
        predictors, used = _train(known, args, bar)
        first = _first(known, predictors, bar)
        task = bar.add_task("crops", total=len(held_back))
        rows = []
        for path in held_back:
            pixels = _middle(samples.load(path, "RGB"), args.side)
            rows.append(Row(path.parent.name, _bpp(pixels, predictors, first)))
            bar.advance(task)
    text = report(rows, args.side, len(known), used)
    (args.out / REPORT).write_text(text)
    Console().print(Markdown(text.rpartition("<sub>")[0]))
    print(f"report: {args.out / REPORT}")
    return 0


def _progress() -> "Progress":
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, TimeElapsedColumn())


def _train(
    paths: Sequence[Path], args: argparse.Namespace, bar: "Progress"
) -> tuple[dict[str, list["Predictor"]], int]:
    """Predictors of each plane by name, and how many pixels they were trained on."""
    import numpy as np

    from .training import perceptron, samples

    rng = np.random.default_rng(_SEED)
    share = -(-args.pixels // len(paths))
    parts: list[list[Features]] = []
    task = bar.add_task("images to train on", total=len(paths))
    for path in paths:
        pixels = samples.load(path, "RGB")
        count = pixels.shape[0] * pixels.shape[1]
        which = rng.choice(count, min(share, count), replace=False)
        parts.append(perceptron.features(pixels, which))
        bar.advance(task)
    predictors: dict[str, list[Predictor]] = {LINEAR: [], PERCEPTRON: []}
    task = bar.add_task("planes trained", total=len(parts[0]))
    used = 0
    for of_plane in zip(*parts, strict=True):
        seen = perceptron.joined(of_plane)
        used = len(seen.samples)
        predictors[LINEAR].append(perceptron.linear(seen))
        predictors[PERCEPTRON].append(perceptron.perceptron(seen, _SEED, args.epochs))
        bar.advance(task)
    return predictors, used


def _first(
    paths: Sequence[Path], predictors: dict[str, list["Predictor"]], bar: "Progress"
) -> dict[str, "NDArray[np.float64]"]:
    """Frequencies that each adaptive coder starts with: those of the pictures trained on."""
    from .training import residuals, samples

    totals: dict[str, Any] = dict.fromkeys(_IDEAL, 0)
    task = bar.add_task("symbols counted", total=len(paths))
    for path in paths:
        pixels = _middle(samples.load(path, "RGB"), _COUNTED)
        for name, (counted, _) in _counts(pixels, predictors).items():
            totals[name] = totals[name] + counted
        bar.advance(task)
    return {name: residuals.first_frequencies(total) for name, total in totals.items()}


def _counts(
    pixels: "U8", predictors: dict[str, list["Predictor"]]
) -> dict[str, tuple["NDArray[np.int64]", int]]:
    """Of each predictor the symbols' counts, and the bits that a decoder is told it with."""
    from .training import perceptron, residuals

    planes = perceptron.planes(pixels)
    seen = perceptron.features(pixels)
    pairs = [perceptron.linear_of_picture(part) for part in seen]
    told = dict.fromkeys(_IDEAL, 0) | {FITTED: sum(bits for _, bits in pairs)}
    every = predictors | {FITTED: [predictor for predictor, _ in pairs]}
    found = {MEDIAN: [perceptron.median(plane) for plane in planes]}
    for name, of_planes in every.items():
        found[name] = [
            (part.base + part.scale * predict(part)).reshape(planes[0].shape)
            for part, predict in zip(seen, of_planes, strict=True)
        ]
    return {name: (residuals.counts(planes, found[name]), told[name]) for name in _IDEAL}


def _bpp(
    pixels: "U8",
    predictors: dict[str, list["Predictor"]],
    first: dict[str, "NDArray[np.float64]"],
) -> dict[str, float]:
    """Bits per pixel by each way."""
    import numpy as np

    from aig_codec.coders.lossless import bands, choice
    from aig_codec.coders.lossless.region import Region

    from .training import residuals

    height, width = pixels.shape[:2]
    found = {
        name: residuals.bits(first[name], counted) + told
        for name, (counted, told) in _counts(pixels, predictors).items()
    }
    whole = Region(np.ones((height, width), np.uint8), 1, 1, 0, height)
    for effort, name in PHOTO.items():
        how = choice.how_hard(effort, height * width)
        found[name] = 8.0 * len(bands.planes(pixels, 3, whole, how.search, how.bias))
    found[MIXED] = 8.0 * len(bands.mixed(pixels, whole, False, None))
    return {name: total / (height * width) for name, total in found.items()}


def _middle(pixels: "U8", side: int) -> "U8":
    """The square of this side in the middle, or what there is of it."""
    import numpy as np

    height, width = pixels.shape[:2]
    top, left = max(0, height - side) // 2, max(0, width - side) // 2
    return np.ascontiguousarray(pixels[top : top + side, left : left + side])


def report(rows: Sequence[Row], side: int, trained_on: int, pixels: int) -> str:
    """The Markdown of the results: bits per pixel of each folder, and what the perceptron's are
    against each of the others."""
    from .markdown import percent, provenance, table
    from .report import describe_run

    folders = list(dict.fromkeys(row.folder for row in rows))

    def mean(name: str, folder: str | None = None) -> float:
        chosen = [row.bpp[name] for row in rows if folder in (None, row.folder)]
        return sum(chosen) / len(chosen)

    body = []
    for name in (*_IDEAL, *PHOTO.values(), MIXED):
        change = percent(100 * (mean(PERCEPTRON) / mean(name) - 1)) if name != PERCEPTRON else ""
        figures = [f"{mean(name, folder):.3f}" for folder in folders]
        kind = "ideal" if name in _IDEAL else "bytes"
        body.append([name, kind, *figures, f"{mean(name):.3f}", change])
    counts = (f"{folder} ({sum(row.folder == folder for row in rows)})" for folder in folders)
    head = ["", "length", *counts, f"all ({len(rows)})", "MLP against it"]
    lines = [
        "# Neural DPCM trained offline",
        f"Bits per pixel of crops of {side} x {side} pixels from the middle of photographs that "
        "nothing was trained on.",
        table(head, body),
        "*Ideal* lengths are those of a predictor's errors in one adaptive coder: 24 classes of "
        "energy around, bias cancellation, frequencies that start from those of the pictures "
        f"trained on. The perceptron has layers of 32 and 16, trained on {pixels} pixels of "
        f"{trained_on} pictures for each plane; *linear, fitted* includes the coefficients. "
        "*Bytes* are those of our coders.",
        provenance(describe_run("python -m bench.mlp")),
    ]
    return "\n\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
