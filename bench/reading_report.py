"""What reading less comes to, and the goals that it is held against."""

import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from . import reading, rows
from .goals import Goal, ratio
from .markdown import table
from .reading import (
    AIG,
    AVERAGED,
    EIGHTH,
    FOCUS,
    FULL,
    JPEG,
    JXL,
    MODEL,
    PNG,
    PREVIEW,
    REGION,
    THUMBNAIL,
    WEBP,
)
from .rows import ReadingRow

#: The files of the part and what is in them.
FILES: dict[str, Any] = {reading.READING_CSV: ReadingRow}

COLUMNS = ("reached",)


def read(out: Path) -> list[ReadingRow]:
    """The rows of a results folder."""
    return rows.read(out / reading.READING_CSV, ReadingRow)


def goals(results: Sequence[ReadingRow]) -> list[Goal]:
    """The summary, of whatever was measured."""
    of = {(r.image, r.task, r.codec): r for r in results}
    images = list(dict.fromkeys(r.image for r in results))

    def median(value: Callable[[str], float]) -> float | None:
        found = []
        for image in images:
            try:
                found.append(value(image))
            except KeyError:
                continue
        return statistics.median(found) if found else None

    def faster(task: str, codec: str) -> float | None:
        return median(lambda i: of[i, task, codec].ms / of[i, task, AIG].ms)

    def most(value: Callable[[str], float]) -> float | None:
        found = [value(i) for i in images if (i, FOCUS, AIG) in of]
        return max(found) if found else None

    def goal(
        what: str,
        value: float | None,
        limit: float,
        show: Callable[[float], str] = ratio,
        at_least: bool = True,
    ) -> Goal:
        return Goal(what, (value,), (limit,), show, at_least=at_least, efforts=COLUMNS)

    def kilobytes(value: float) -> str:
        return f"{value / 1024:.2f} KB"

    found = [
        goal(f"focus, times as fast as {JPEG}, decoded and cropped", faster(FOCUS, JPEG), 5.0),
        *(
            goal(f"focus, times as fast as {name}, decoded and cropped", faster(FOCUS, name), 20.0)
            for name in (PNG, WEBP, JXL)
        ),
        goal(
            "bytes read for the focus above those of its segments, most of all images",
            most(lambda i: of[i, FOCUS, AIG].bytes - of[i, FOCUS, AIG].of),
            2048.0,
            kilobytes,
            at_least=False,
        ),
        goal(f"thumbnail, times as fast as {JPEG}", faster(THUMBNAIL, JPEG), 1.0),
        goal(
            "preview, time against a full decode",
            median(lambda i: 100 * of[i, PREVIEW, AIG].ms / of[i, FULL, AIG].ms),
            10.0,
            _share,
            at_least=False,
        ),
        goal(
            "preview, bytes against all behind the core",
            median(lambda i: 100 * of[i, PREVIEW, AIG].bytes / of[i, PREVIEW, AIG].of),
            15.0,
            _share,
            at_least=False,
        ),
        goal(
            "1/8 of the size from the prefix, dB below averages of the full picture",
            median(lambda i: of[i, EIGHTH, AVERAGED].psnr - of[i, EIGHTH, AIG].psnr),
            1.0,
            "{:.2f} dB".format,
            at_least=False,
        ),
        goal(
            f"a detector, times as many files per second as with {JPEG}", faster(MODEL, JPEG), 3.0
        ),
        Goal(
            "a region of 256 x 256, time against a full decode",
            (median(lambda i: 100 * of[i, REGION, AIG].ms / of[i, FULL, AIG].ms),),
            (None,),
            _share,
            efforts=COLUMNS,
        ),
    ]
    return [g for g in found if g.values[0] is not None]


def _share(value: float) -> str:
    return f"{value:.1f} %"


def headlines(results: Sequence[ReadingRow]) -> list[str]:
    """A line for every goal."""
    return [f"reading, {g.what}: {g.cells()[1].strip('*')}" for g in goals(results)]


def section(results: Sequence[ReadingRow]) -> str:
    """The report's section; empty without results."""
    if not results:
        return ""
    tasks = list(dict.fromkeys((r.task, r.codec) for r in results if r.ms))
    times = {(r.image, r.task, r.codec): r.ms for r in results}
    images = list(dict.fromkeys(r.image for r in results))
    body = [
        [image, *(f"{times[image, *key]:.2f}" if (image, *key) in times else "" for key in tasks)]
        for image in images
    ]
    return "\n\n".join(
        [
            "## Reading less",
            "Files in memory, one thread; medians over images. Bold figures miss the goal.",
            table(["", *COLUMNS, "goal"], [g.cells() for g in goals(results)]),
            "Milliseconds per image:",
            table(["image", *(f"{task}, {codec}" for task, codec in tasks)], body),
        ]
    )
