"""How well the encoder decides, and the goals that this is held against."""

import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from . import decisions, rows
from .decisions import AUTO, CENTER, CORE_BITS, MID, PSNR, SIZE, SIZE_TIME, TIME
from .goals import Goal, ratio
from .markdown import table
from .rows import DecisionRow

#: The files of the part and what is in them.
FILES: dict[str, Any] = {decisions.DECISIONS_CSV: DecisionRow}


def read(out: Path) -> list[DecisionRow]:
    """The rows of a results folder."""
    return rows.read(out / decisions.DECISIONS_CSV, DecisionRow)


def goals(results: Sequence[DecisionRow]) -> list[Goal]:
    """The summary, of whatever was measured."""

    def values(task: str, what: str | None, of: Callable[[DecisionRow], float]) -> list[float]:
        return [of(r) for r in results if r.task == task and what in (None, r.what)]

    def off(r: DecisionRow) -> float:
        return 100 * abs(r.value / r.against - 1)

    def times(r: DecisionRow) -> float:
        return r.value / r.against

    def goal(
        what: str,
        found: list[float],
        over: Callable[[list[float]], float],
        limit: float | None,
        show: Callable[[float], str],
        at_least: bool = False,
    ) -> Goal:
        value = over(found) if found else None
        return Goal(what, (value,), (limit,), show, at_least=at_least, efforts=("reached",))

    mean, median = statistics.mean, statistics.median
    found = [
        goal(
            "save with nothing given, against the same save with its foci given, median",
            values(TIME, AUTO, times),
            median,
            1.5,
            ratio,
        ),
        goal(
            "best automatic center near a labelled focus",
            values(CENTER, "best", lambda r: 100 * r.value),
            mean,
            70.0,
            _share,
            at_least=True,
        ),
        goal(
            "expected bits of the cores, off by, median",
            values(CORE_BITS, None, off),
            median,
            5.0,
            _share,
        ),
        goal("the same, worst", values(CORE_BITS, None, off), max, None, _share),
        goal("target size, off by at most", values(SIZE, None, off), max, 2.0, _share),
        goal(
            "target size, time against one encode, median",
            values(SIZE_TIME, None, times),
            median,
            4.0,
            ratio,
        ),
        goal("the same, longest", values(SIZE_TIME, None, times), max, 4.0, ratio),
        goal(
            "target PSNR, off by at most",
            values(PSNR, None, lambda r: abs(r.value - r.against)),
            max,
            0.1,
            _decibels,
        ),
        goal(
            "mid tier, bytes at equal PSNR outside the core, mean",
            values(MID, "bytes", lambda r: r.value),
            mean,
            3.0,
            _share,
        ),
        goal("the same, worst", values(MID, "bytes", lambda r: r.value), max, 3.0, _share),
        goal(
            "mid tier, PSNR of the band of 16 pixels, gained",
            values(MID, "band", lambda r: r.value - r.against),
            mean,
            0.0,
            _decibels,
            at_least=True,
        ),
        goal(
            "seam at the rim of the core, grey levels",
            values(MID, "seam", lambda r: r.value),
            mean,
            None,
            "{:.2f}".format,
        ),
        goal(
            "the same without a mid tier",
            values(MID, "seam", lambda r: r.against),
            mean,
            None,
            "{:.2f}".format,
        ),
    ]
    return [g for g in found if g.values[0] is not None]


def _share(value: float) -> str:
    return f"{value:.1f} %"


def _decibels(value: float) -> str:
    return f"{value:.2f} dB"


def headlines(results: Sequence[DecisionRow]) -> list[str]:
    """A line for every goal."""
    return [f"decisions, {g.what}: {g.cells()[1].strip('*')}" for g in goals(results)]


def section(results: Sequence[DecisionRow]) -> str:
    """The report's section; empty without results."""
    if not results:
        return ""
    body = [
        [r.image, r.task, r.what, f"{r.value:,.2f}", f"{r.against:,.2f}"]
        for r in results
        if r.task in (TIME, SIZE, CORE_BITS)
    ]
    return "\n\n".join(
        [
            "## What the encoder decides",
            "One thread, in memory. Bold figures miss the goal. `centers.png` beside this file, "
            "which is not committed, shows where it looks.",
            table(["", "reached", "goal"], [g.cells() for g in goals(results)]),
            table(["image", "task", "", "came out", "against"], body),
        ]
    )
