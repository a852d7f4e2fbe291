"""`python -m bench.train [FOLDER]`: train the constants that the coders begin with.

In core/native, the lossless coder's predictors go to lossless/trained_predictors.inl, its
distributions of symbols to lossless/trained_tables.inl, the lossy tiers' probabilities to
dct/trained_models.inl, the mixers' weights to mixed/trained_mixer.inl.
The tables belong to the predictors that are built in: after new predictors, build, and train the
tables. What the lossy tiers count depends a little on the probabilities that are built in: after
a change of their contexts, train and build twice. So it is with the mixers.
"""

import argparse
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from rich.progress import Progress

NATIVE = Path(__file__).resolve().parents[1] / "core" / "native"
PREDICTORS, TABLES = "lossless/trained_predictors.inl", "lossless/trained_tables.inl"
MODELS, MIXER = "dct/trained_models.inl", "mixed/trained_mixer.inl"

CLASSES = 32
BANK = 64

_NEEDED = ("numpy", "PIL", "rich")
_PARTS = ("predictors", "tables", "models", "mixer")
_COLOUR_COMMENT = (
    "Coefficients of the colour predictors, in 1/64, the favourite class first: R - G own 12; "
    "B - G own 12, R - G 4; G own 12, R - G 4, B - G 4."
)
_GREY_COMMENT = "Coefficients of the grey predictors: own 12."
_TABLES_COMMENT = "Frequencies of symbols 0 to 29, of 4096; the others have none."
_TABLE_OF_COMMENT = (
    "The table that a context starts with: 48 contexts of each of R - G, B - G, G and grey."
)
_MIXER_COMMENT = (
    "Weights of 17 inputs that the mixers start with, in 1/16384: of planes 0 to 2, of each list "
    "0 to 2, of each nodes 0 to 63."
)

#: A mixer's weights where training has met fewer decisions: experts alike, nothing else.
_FEW_DECISIONS, _EXPERTS, _FIRST_WEIGHT = 200, 8, 614

#: Counts (contexts, 64) of the symbols in an image (height, width, channels).
Statistics = Callable[["NDArray[np.uint8]"], "NDArray[np.uint32]"]


def parser() -> argparse.ArgumentParser:
    """The command line."""
    p = argparse.ArgumentParser(
        "python -m bench.train", description="Train the constants that the coders begin with."
    )
    p.add_argument("folder", type=Path, nargs="?", help="folder of images (../shared/images/train)")
    p.add_argument(
        "--only", choices=("predictors", "tables", "models", "mixer"), help="only this part"
    )
    p.add_argument("--out", type=Path, default=NATIVE, help="folder of the results (core/native)")
    return p


def main(arguments: list[str] | None = None) -> int:
    """Train. Returns 2 if something is missing for that."""
    args = parser().parse_args(arguments)
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        print(f"the training needs {', '.join(missing)}: pip install", *missing, file=sys.stderr)
        return 2
    try:
        return _train(args)
    except (FileNotFoundError, NotADirectoryError) as error:
        print(f"no images: {error.filename} is missing", file=sys.stderr)
    except (ImportError, LookupError, ValueError) as error:
        print(error, file=sys.stderr)
    return 2


def _train(args: argparse.Namespace) -> int:
    from .images import DEFAULT_FOLDER
    from .training import samples

    folder = args.folder or DEFAULT_FOLDER / "train"
    paths = samples.paths(folder)
    if not paths:
        raise LookupError(f"no image in {folder}")
    statistics = _statistics() if args.only in (None, "tables") else None
    with _progress() as bar:
        if args.only in (None, "predictors"):
            changed = _train_predictors(paths, args.out, bar)
            if changed and statistics:
                raise LookupError("the predictors are new: build them in, then --only tables")
        if statistics:
            _train_tables(paths, args.out, bar, statistics)
        if args.only in (None, "models"):
            _train_models(paths, args.out, bar)
        if args.only in (None, "mixer"):
            _train_mixer(paths, args.out, bar)
    return 0


def _statistics() -> Statistics:
    """The native function; ImportError if it is not there."""
    from aig_codec import _native

    found: Statistics | None = getattr(_native, "lossless_statistics", None)
    if found is None:
        raise ImportError(
            "aig_codec._native has no lossless_statistics, which the tables need: "
            "build it, or train --only predictors"
        )
    return found


def _progress() -> "Progress":
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, TimeElapsedColumn())


def _train_predictors(paths: list[Path], out: Path, bar: "Progress") -> bool:
    """Train both codebooks; whether the file is another than before."""
    from .training import constants

    colour = _codebook(paths, "RGB", bar)
    grey = _codebook(paths, "L", bar)
    arrays = [
        constants.array("std::int8_t", "kTrainedColour", _COLOUR_COMMENT, colour),
        constants.array("std::int8_t", "kTrainedGrey", _GREY_COMMENT, grey),
    ]
    return constants.write(out / PREDICTORS, arrays)


def _codebook(paths: list[Path], mode: str, bar: "Progress") -> "NDArray[np.int8]":
    """Train the classes for images of a mode."""
    from .training import codebook, samples

    loading = bar.add_task(f"{mode}: images", total=len(paths))
    images = []
    for path in paths:
        images.append(samples.sample(samples.load(path, mode)))
        bar.advance(loading)
    pixels = sum(image.pixels for image in images)
    task = bar.add_task(f"{mode}: 1 class", total=codebook.stages(CLASSES))
    for stage in codebook.train(images, CLASSES):
        bar.update(task, description=f"{mode}: {stage.classes} classes", advance=1)
        state = "done" if stage.done else f"{stage.classes} classes"
        bar.console.print(f"{mode}, {state}: {stage.cost:.0f} = {stage.cost / pixels:.4f} a pixel")
    return stage.ordered()


def _train_tables(paths: list[Path], out: Path, bar: "Progress", statistics: Statistics) -> None:
    """Count symbols, each image at the same weight, and train the bank."""
    import numpy as np

    from .training import constants, samples, tables

    task = bar.add_task("tables: images", total=2 * len(paths))
    counts: dict[str, Any] = {"RGB": 0.0, "L": 0.0}
    for path in paths:
        for mode in counts:
            pixels = samples.load(path, mode)
            area, channels = pixels[..., 0].size, pixels.shape[2]
            counts[mode] += tables.per_pixel(statistics(pixels), area, channels) / len(paths)
            bar.advance(task)
    bank = tables.train(np.concatenate(list(counts.values())), BANK)
    bar.console.print(
        f"tables: {len(bank.tables)} cost {bank.cost:.4f} bits a pixel, "
        f"one for each context {bank.ideal:.4f}"
    )
    arrays = [
        constants.array("std::uint16_t", "kTrainedTables", _TABLES_COMMENT, bank.tables),
        constants.array("std::uint8_t", "kTrainedTableOf", _TABLE_OF_COMMENT, bank.table_of),
    ]
    constants.write(out / TABLES, arrays)


def _train_models(paths: list[Path], out: Path, bar: "Progress") -> None:
    """Count decisions of the lossy tiers."""
    from .training import constants, models, samples

    task = bar.add_task("models: images", total=len(paths))
    high: Any = 0.0
    low: Any = 0.0
    for path in paths:
        of_high, of_low = models.counts(samples.load(path, "RGB"))
        high, low = high + of_high, low + of_low
        bar.advance(task)
    arrays = [
        constants.array("std::uint8_t", name, comment, models.trained(sums))
        for name, comment, sums in (
            ("kTrainedHigh", "Of HighModel, probabilities of a 1 in 1/256.", high),
            ("kTrainedLow", "Of LowModel.", low),
        )
    ]
    constants.write(out / MODELS, arrays)


def _train_mixer(paths: list[Path], out: Path, bar: "Progress") -> None:
    """The mean weights after every decision of all images."""
    import numpy as np

    from aig_codec import _native

    from .training import constants, samples

    task = bar.add_task("mixer: images", total=len(paths))
    sums: Any = 0.0
    for path in paths:
        sums = sums + _native.mixed_training(samples.load(path, "RGB")).reshape(-1, 18)
        bar.advance(task)
    seen, totals = sums[:, :1], sums[:, 1:]
    first = np.zeros(totals.shape[1])
    first[:_EXPERTS] = _FIRST_WEIGHT
    weights = np.where(seen >= _FEW_DECISIONS, totals / np.maximum(seen, 1), first)
    rounded = np.rint(weights).astype(np.int16)
    arrays = [constants.array("std::int16_t", "kTrainedMixer", _MIXER_COMMENT, rounded)]
    constants.write(out / MIXER, arrays)


if __name__ == "__main__":
    sys.exit(main())
