"""`aig convert`."""

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from .common import CommandError, Commands, say
from .encode import add_coding, keywords_of

if TYPE_CHECKING:
    from ..apps.convert import Task

HELP = """\
Turns a tree of pictures into AIG, into the same places under OUT, with a process for every
processor. What is there already, whole, and not older than its source is left as it is, so that a
run that was broken off goes on where it stopped; --force does all again. What went wrong is listed
at the end, and the exit code is 1 then.

All frames and all metadata go along. What the other format has no place for is listed as notes, and
counted at the end. Files that differ in their extension alone keep it: a.png and a.jpg become
a.png.aig and a.jpg.aig.

--to png (or any other format of Pillow) goes the other way; lossy formats have quality 95 then, and
the foci of AIG no place there.

examples:
  aig convert photos/ photos-aig/
  aig convert scans/ archive/ --lossless --jobs 8
  aig convert archive/ back/ --to png
  aig convert photos/ photos-aig/ --scheduler tcp://10.0.0.7:8786     on a Dask cluster
"""


def add(commands: Commands) -> None:
    """Add `aig convert`."""
    sub = commands.add("convert", _convert, "convert whole trees of pictures", HELP)
    sub.add_argument("source", metavar="TREE", help="a folder of pictures")
    sub.add_argument("target", metavar="OUT", help="where they go")
    sub.add_argument("--force", action="store_true", help="replace files that are up to date")
    sub.add_argument("--jobs", type=int, metavar="N", help="processes (default: every processor)")
    sub.add_argument("--scheduler", metavar="ADDRESS", help="of a Dask cluster that does it")
    sub.add_argument("--to", metavar="EXT", default="aig", help="extension of the target (aig)")
    add_coding(sub)


def _convert(args: argparse.Namespace) -> int:
    from ..apps.convert import Outcome, convert, find, is_done

    keywords = keywords_of(args)
    suffix = "." + args.to.lower().lstrip(".")
    if suffix != ".aig":
        _check_other(suffix, bool(keywords))
    if args.jobs is not None and args.jobs < 1:
        raise CommandError("--jobs must be at least 1", 2)
    for place in (args.source, args.target):
        if "://" in str(place) or str(place) == "-":
            raise CommandError(f"{place}: convert is for folders; encode and decode take it", 2)
    args.source, args.target = Path(args.source), Path(args.target)
    if args.target.exists() and not args.target.is_dir():
        raise CommandError(f"{args.target}: is not a folder", 2)
    if args.scheduler is not None:
        # Workers elsewhere may stand in other folders.
        args.source, args.target = args.source.absolute(), args.target.absolute()
    tasks = list(find(args.source, args.target, keywords, suffix=suffix))
    todo = tasks if args.force else [task for task in tasks if not is_done(task)]
    if not tasks:
        raise CommandError(f"{args.source}: no pictures in there")
    refused = [] if args.force else _not_ours(todo, args.source)
    todo = [task for task in todo if task not in refused]
    with _progress(len(todo)) as advance:

        def done(outcome: Outcome) -> None:
            advance()

        outcomes = convert(todo, jobs=args.jobs, scheduler=args.scheduler, done=done)
    failed = [outcome for outcome in outcomes if outcome.error is not None]
    fine = [outcome for outcome in outcomes if outcome.error is None]
    noted = [outcome for outcome in fine if outcome.notes]
    for outcome in noted:
        for note in outcome.notes:
            say(f"note: {outcome.task.source}: {note}")
    for task in refused:
        say(f"error: {task.source}: {task.target} is a picture of the tree; --force replaces it")
    for outcome in failed:
        say(f"error: {outcome.error}")
    before, after = (sum(getattr(o, name) for o in fine) for name in ("bytes_in", "bytes_out"))
    line = f"{len(fine)} converted"
    if fine:
        line += f", {before:,} bytes to {after:,} ({100 * after / max(1, before):.1f} %)"
    if noted:
        line += f"; {len(noted)} not as they were (see the notes)"
    if len(tasks) > len(todo) + len(refused):
        line += f"; {len(tasks) - len(todo) - len(refused)} were up to date"
    bad = len(failed) + len(refused)
    print(line + (f"; {bad} failed" if bad else ""))
    return 1 if bad else 0


def _not_ours(tasks: "list[Task]", source: Path) -> "list[Task]":
    """Tasks that would replace a picture of the tree which is none of AIG: perhaps an original."""
    root = source.resolve()
    found = []
    for task in tasks:
        target = Path(task.target)
        other = target.suffix.lower() != ".aig"
        if other and target.exists() and target.resolve().is_relative_to(root):
            found.append(task)
    return found


def _check_other(suffix: str, has_keywords: bool) -> None:
    from PIL import Image

    if Image.registered_extensions().get(suffix) not in Image.SAVE:
        raise CommandError(f"Pillow writes no format with the extension {suffix!r}", 2)
    if has_keywords:
        raise CommandError("options of coding are for AIG files, not for other formats", 2)


@contextmanager
def _progress(total: int) -> Iterator[Callable[[], None]]:
    """A bar on a terminal, where its package is installed; else nothing until all is done."""
    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield lambda: None
        return
    try:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn
    except ImportError:
        yield lambda: None
        return
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=total)
        yield lambda: bar.advance(task)
