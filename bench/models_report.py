"""What detectors see of coded images, in a table and a plot."""

import math
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import models, rows
from .markdown import table
from .rows import ModelRow

#: The files of the part and what is in them.
FILES: dict[str, Any] = {models.MODELS_CSV: ModelRow}

PLOT = "models.png"


def read(out: Path) -> list[ModelRow]:
    """The rows of a results folder."""
    return rows.read(out / models.MODELS_CSV, ModelRow)


def shares(results: Sequence[ModelRow], where: str) -> dict[tuple[str, float], float]:
    """Mean over the images of the share of keypoints found again, by codec and rate."""
    keys = dict.fromkeys((r.codec, r.rate) for r in results)
    found = {}
    for codec, rate in keys:
        own = [getattr(r, where) for r in results if (r.codec, r.rate) == (codec, rate)]
        own = [value for value in own if not math.isnan(value)]
        if own:
            found[codec, rate] = statistics.mean(own)
    return found


def headlines(results: Sequence[ModelRow]) -> list[str]:
    """A line for every codec, at the middle rate."""
    outside, inside = shares(results, "outside"), shares(results, "inside")
    rates = sorted({rate for _, rate in outside})
    if not rates:
        return []
    middle = rates[len(rates) // 2]
    return [
        f"models, {codec} at {rate:g} bits per pixel: {100 * share:.0f} % of keypoints outside the "
        f"focus, {100 * inside.get((codec, rate), math.nan):.0f} % in it"
        for (codec, rate), share in outside.items()
        if rate == middle
    ]


def section(results: Sequence[ModelRow]) -> str:
    """The report's section; empty without results."""
    if not results:
        return ""
    inside, outside = shares(results, "inside"), shares(results, "outside")
    rates = sorted({r.rate for r in results})
    codecs = list(dict.fromkeys(r.codec for r in results))

    def cells(found: dict[tuple[str, float], float]) -> list[list[str]]:
        return [
            [codec, *(f"{100 * found.get((codec, rate), math.nan):.1f} %" for rate in rates)]
            for codec in codecs
        ]

    head = ["", *(f"{rate:g} bit/pixel" for rate in rates)]
    return "\n\n".join(
        [
            "## What models see",
            "Share of the original's ORB keypoints that the coded picture has within 2 pixels, at "
            "equal size (within 6 %). AIG's files hold an exact focus, whose bytes the background "
            "lacks; those of no focus hold one exact pixel.",
            "Outside the focus:",
            table(head, cells(outside)),
            "In the focus:",
            table(head, cells(inside)),
            f"![keypoints]({PLOT})",
        ]
    )


def draw(results: Sequence[ModelRow], out: Path) -> None:
    """Plot the shares over the rate."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 3.8), layout="constrained")
    for panel, where in zip(figure.subplots(1, 2), ("outside", "inside"), strict=True):
        found = shares(results, where)
        for codec in dict.fromkeys(codec for codec, _ in found):
            points = sorted((rate, share) for (own, rate), share in found.items() if own == codec)
            panel.plot(
                [rate for rate, _ in points],
                [100 * share for _, share in points],
                "o-",
                label=codec,
            )
        panel.set_title(f"keypoints {where} the focus")
        panel.set_xlabel("bits per pixel")
        panel.set_ylabel("% found again")
        panel.grid(alpha=0.3)
    # Beside the panels: lines fill both of them.
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside right", fontsize=8)
    figure.savefig(out / PLOT, dpi=110)
