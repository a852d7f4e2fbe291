"""`python -m bench`: the focus task, the speed table, the tiers' parts and reading; report."""

import argparse
import os
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress

    from .images import Picture
    from .lossless import Job

RESULTS = Path(__file__).resolve().parent / "results"

_NEEDED = ("aig_codec", "imagecodecs", "matplotlib", "rich", "scipy", "skimage")
_INSTALL = "pip install 'pillow-aig[bench]'"

PARTS = ("focus", "speed", "lossless", "background", "reading", "decisions", "models")
#: Not a part of all, and no measurement: a picture for the documentation.
SHEET = "sheet"
#: Nor this: it needs a device.
GPU = "gpu"
#: Nor this: it puts what was measured into the README and docs/benchmarks.md.
TABLE = "readme"
QUICK_IMAGES = 3

#: Whose rows may be kept from an earlier run: the peers' do not depend on our code.
KEEP = ("peers", "all")


def parser() -> argparse.ArgumentParser:
    """The command line."""
    p = argparse.ArgumentParser(
        "python -m bench", description="AIG beside its peers: bytes, quality and speed."
    )
    p.add_argument(
        "what",
        nargs="?",
        choices=(GPU, TABLE),
        help="gpu: only what a CUDA device makes of it; readme: only the tables of the documents",
    )
    p.add_argument("--images", type=Path, metavar="FOLDER", help="folder of the images")
    p.add_argument("--focus", type=Path, metavar="JSON", help="their foci (FOLDER/focus.json)")
    p.add_argument("--out", type=Path, help="results folder (bench/results; sheet: docs)")
    p.add_argument("--only", default="", metavar="TEXT", help="images with TEXT in their name")
    p.add_argument("--limit", type=int, metavar="N", help="the first N of them")
    p.add_argument(
        "--runs",
        type=int,
        metavar="N",
        help="rounds against the clock (5; lossless, background: 3)",
    )
    p.add_argument("--part", choices=("all", *PARTS, SHEET), default="all")
    p.add_argument("--quick", action="store_true", help="few images, short ladders, 3 rounds")
    p.add_argument(
        "--keep",
        choices=KEEP,
        help="of the focus and background parts, measure no times and keep what is in the results "
        "folder: the rows of AIG's peers, or all but what is missing",
    )
    p.add_argument("--report", action="store_true", help="only write the report anew")
    return p


def main(arguments: list[str] | None = None) -> int:
    """Run the bench. Returns 1 if pixels that must be exact were not, 130 if stopped."""
    arguments = sys.argv[1:] if arguments is None else arguments
    args = parser().parse_args(arguments)
    # Matrices here are small: a second thread of BLAS would spend its time waiting, on our CPU.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    problem = _missing()
    if problem:
        print(problem, file=sys.stderr)
        return 2

    from . import images, report

    if args.part == SHEET:
        return _sheet(args.out or RESULTS.parents[1] / "docs")
    args.out = args.out or RESULTS
    if args.what == TABLE:
        from . import readme

        readme.update(args.out)
        return 0
    if args.report:
        if not (args.out / report.RUN_JSON).is_file():
            print(f"no results in {args.out}", file=sys.stderr)
            return 2
        return _finish(args.out)
    try:
        pictures = images.find(args.images, args.focus)
    except FileNotFoundError as error:
        print(f"{error.filename} is missing", file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        hint = "give --images, or pip install 'pillow-aig[bench,search]' for the sample images"
        print(f"no images: {error.name} is missing; {hint}", file=sys.stderr)
        return 2
    limit = args.limit or (QUICK_IMAGES if args.quick else None)
    pictures = [p for p in pictures if args.only in p.name][:limit]
    if not pictures:
        print(f"no image has {args.only!r} in its name", file=sys.stderr)
        return 2
    args.out.mkdir(parents=True, exist_ok=True)
    if args.what == GPU:
        from . import gpu

        return gpu.main(pictures, args.out)
    command = shlex.join(["python", "-m", "bench", *arguments])
    try:
        _measure(args, pictures, command)
    except KeyboardInterrupt:
        print("stopped; the report covers what was measured", file=sys.stderr)
        return _finish(args.out) or 130
    return _finish(args.out)


def _missing() -> str | None:
    """What is not installed, and how to install it, in one line."""
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        return f"the bench needs {', '.join(missing)}: {_INSTALL}"
    import imagecodecs
    from PIL import features

    if not features.check("avif"):
        return f"this Pillow has no AVIF, which Pillow from 11.3 on has: {_INSTALL}"
    if not imagecodecs.JPEGXL.available:
        return f"this imagecodecs has no JPEG XL: {_INSTALL}"
    return None


def _measure(args: argparse.Namespace, pictures: list["Picture"], command: str) -> None:
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    # Nothing may tick while the clock runs, so the bar moves only between measurements.
    with Progress(*columns, auto_refresh=False) as bar:
        for name, run in zip(
            PARTS,
            (_focus, _speed, _lossless, _background, _reading, _decisions, _models),
            strict=True,
        ):
            if args.part in ("all", name):
                run(args, pictures, command, bar)


def _focus(
    args: argparse.Namespace, pictures: list["Picture"], command: str, bar: "Progress"
) -> None:
    from . import focus_task, report, rows

    report.note_run(args.out, "focus", report.describe_run(command), bool(args.keep))
    task = bar.add_task("focus", total=len(pictures) * focus_task.steps(args.quick))
    with rows.Growing(args.out / report.FOCUS_CSV, rows.FocusRow, _kept(args.keep)) as log:
        for picture in pictures:
            bar.update(task, description=f"focus: {picture.name}", refresh=True)
            for row in focus_task.measure(picture, args.quick, log.kept(picture.name)):
                log.append(row)
                bar.update(task, advance=1, refresh=True)


def _kept(keep: str | None) -> Callable[[str], bool] | None:
    """Which codecs' rows are kept; None if nothing is."""
    if keep is None:
        return None
    return lambda codec: keep == "all" or not codec.startswith("AIG")


def _speed(
    args: argparse.Namespace, pictures: list["Picture"], command: str, bar: "Progress"
) -> None:
    from . import report, rows, speed

    report.note_run(args.out, "speed", report.describe_run(command))
    chosen = speed.suitable(pictures)
    task = bar.add_task("speed", total=len(chosen))
    with rows.Log(args.out / report.SPEED_CSV, rows.SpeedRow) as log:
        for picture in chosen:
            bar.update(task, description=f"speed: {picture.name}", refresh=True)
            for row in speed.measure(picture, args.runs or (3 if args.quick else 5), args.quick):
                log.append(row)
            bar.update(task, advance=1, refresh=True)


def _lossless(
    args: argparse.Namespace, pictures: list["Picture"], command: str, bar: "Progress"
) -> None:
    from . import lossless, lossless_goals, report

    report.note_run(args.out, "lossless", report.describe_run(command))
    jobs = lossless.jobs(pictures, args.runs or 3)
    _run("lossless", jobs, lossless_goals.FILES, args.out, bar)


def _background(
    args: argparse.Namespace, pictures: list["Picture"], command: str, bar: "Progress"
) -> None:
    from . import background, background_goals, report

    report.note_run(args.out, "background", report.describe_run(command), bool(args.keep))
    if args.keep:
        _points(args, pictures, bar)
        return
    jobs = background.jobs(pictures, args.runs or 3, args.quick)
    _run("background", jobs, background_goals.FILES, args.out, bar)


def _points(args: argparse.Namespace, pictures: list["Picture"], bar: "Progress") -> None:
    """The ladders of the background part, and nothing that needs a quiet machine."""
    from . import background, rows

    chosen = background.suitable(pictures)
    task = bar.add_task("background", total=len(chosen))
    with rows.Growing(args.out / background.POINTS_CSV, rows.PointRow, _kept(args.keep)) as log:
        for picture in chosen:
            bar.update(task, description=f"background: {picture.name}", refresh=True)
            rates = background.rates_for(picture, args.quick)
            for row in background.measure(picture, rates, log.kept(picture.name)):
                log.append(row)
            bar.update(task, advance=1, refresh=True)


def _reading(
    args: argparse.Namespace, pictures: list["Picture"], command: str, bar: "Progress"
) -> None:
    from . import reading, reading_report, report

    report.note_run(args.out, "reading", report.describe_run(command))
    jobs = reading.jobs(pictures, args.runs or 5, args.quick)
    _run("reading", jobs, reading_report.FILES, args.out, bar)


def _decisions(
    args: argparse.Namespace, pictures: list["Picture"], command: str, bar: "Progress"
) -> None:
    from . import centers, decisions, decisions_report, report

    report.note_run(args.out, "decisions", report.describe_run(command))
    jobs = decisions.jobs(pictures, args.runs or 5)
    _run("decisions", jobs, decisions_report.FILES, args.out, bar)
    centers.draw(pictures, args.out)


def _models(
    args: argparse.Namespace, pictures: list["Picture"], command: str, bar: "Progress"
) -> None:
    from . import models, models_report, report

    report.note_run(args.out, "models", report.describe_run(command))
    _run("models", models.jobs(pictures, args.quick), models_report.FILES, args.out, bar)


def _run(
    part: str, jobs: Sequence["Job"], files: Mapping[str, type], out: Path, bar: "Progress"
) -> None:
    """Do the jobs of a part, whose files have rows of one type each."""
    from . import rows

    task = bar.add_task(part, total=len(jobs))
    with ExitStack() as stack:
        # All at once, so that no row of an earlier run is left beside those of this one.
        logs = {
            name: stack.enter_context(rows.Log(out / name, kind)) for name, kind in files.items()
        }
        for job in jobs:
            bar.update(task, description=f"{part}: {job.title}", refresh=True)
            for row in job.run():
                logs[job.file].append(row)
            bar.update(task, advance=1, refresh=True)


def _sheet(folder: Path) -> int:
    """Draw the contact sheet. Returns 2 if its photographs are not there."""
    from . import sheet

    if find_spec("sklearn") is None:
        print("the sheet needs scikit-learn: pip install 'pillow-aig[search]'", file=sys.stderr)
        return 2
    print(sheet.draw(folder))
    return 0


def _finish(out: Path) -> int:
    """Write the report, say what came out, and fail loudly if exact pixels were not."""
    from . import (
        background_goals,
        background_report,
        decisions_report,
        focus_task,
        lossless_goals,
        lossless_report,
        markdown,
        models_report,
        reading_report,
        report,
        rows,
        speed,
    )

    complaints = report.write(out)
    focus_rows = focus_task.complete(rows.read(out / report.FOCUS_CSV, rows.FocusRow))
    for pair in focus_task.pairs_in(focus_rows):
        rates = focus_task.bd_rates(focus_rows, pair)
        print(f"bytes against the {pair}: {report.summary(rates.values())}")
    speed_rows = rows.read(out / report.SPEED_CSV, rows.SpeedRow)
    for direction in ("encode", "decode"):
        values = speed.ratios(speed_rows, "AIG", "AVIF s6", direction).values()
        if values:
            print(f"{direction} against AVIF s6: {markdown.times(values)} as fast (median)")
    for line in (
        *lossless_report.headlines(lossless_goals.read(out)),
        *background_report.headlines(background_goals.read(out)),
        *reading_report.headlines(reading_report.read(out)),
        *decisions_report.headlines(decisions_report.read(out)),
        *models_report.headlines(models_report.read(out)),
    ):
        print(line)
    print(f"report: {out / 'report.md'}")
    for complaint in complaints:
        print(f"NOT EXACT: {complaint}", file=sys.stderr)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
