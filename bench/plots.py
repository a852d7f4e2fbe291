"""The report's plots: curves and BD-rates per image, speeds and sizes per codec."""

import math
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator

from . import focus_task, speed
from .focus_task import curve, pairs_in
from .lossless_goals import bits_per_pixel, throughput
from .rows import FocusRow, LosslessRow, SpeedRow

mpl.use("Agg")

AIG, LOSS, INK, FAINT = "#0b7a75", "#b4532a", "#333333", "#8a8f94"

#: How each contestant's curve is drawn: colour, line style, width.
_LINES: dict[str, tuple[str, Any, float]] = {
    "AIG": (AIG, "-", 2.2),
    "tuned pair": ("#7a5ea8", "-", 1.4),
    "tuned pair 4:2:0": ("#7a5ea8", ":", 1.4),
    "smart pair": ("#3d4248", "-", 1.4),
    "smart pair 4:4:4": ("#3d4248", ":", 1.4),
    "naive pair": ("#a3a8ad", "-", 1.4),
    "WebP pair": ("#c99a5b", "-", 1.4),
}

#: Ticks for bits per pixel, about a factor of the square root of two apart.
_BITS = (0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 1, 1.4, 2, 2.8, 4, 5.6, 8, 11, 16)

#: Ticks for megapixels per second.
_SPEEDS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500)

#: One image that goes badly wrong must not flatten the bars of all others, in percent.
_LONGEST_BAR = 60.0

#: Names in one line above the panels, at most.
_NAMES = 5

STYLE: Any = {
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": "#b8bcc0",
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "xtick.color": "#5f6469",
    "ytick.color": "#5f6469",
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "savefig.dpi": 130,
    "savefig.facecolor": "white",
}


def curves(rows: Sequence[FocusRow], path: Path) -> None:
    """Bits per pixel against PSNR, one panel for every image."""
    images = list(dict.fromkeys(r.image for r in rows))
    pixels = {r.image: r.megapixels * 1e6 for r in rows}
    names = ["AIG", *pairs_in(rows)]
    rates = focus_task.bd_rates(rows, names[1]) if len(names) > 1 else {}
    columns = min(5, len(images))
    lines = math.ceil(len(images) / columns)
    with plt.rc_context(STYLE):
        figure, grid = plt.subplots(
            lines,
            columns,
            figsize=(max(3.0 * columns, 6.5), 2.5 * lines + 0.9),
            squeeze=False,
            layout="constrained",
        )
        panels = grid.ravel()
        for panel, image in zip(panels, images, strict=False):
            for name in reversed(names):
                points = [p for p in curve(rows, image, name, "psnr") if math.isfinite(p[1])]
                if points:
                    sizes, qualities = zip(*sorted(points), strict=True)
                    colour, style, width = _LINES[name]
                    panel.plot(
                        [8 * size / pixels[image] for size in sizes],
                        qualities,
                        style,
                        color=colour,
                        linewidth=width,
                        marker="o" if name == "AIG" else None,
                        markersize=3.5,
                    )
            panel.set_title(_short(image))
            if image in rates:
                panel.text(
                    0.97,
                    0.05,
                    f"{rates[image]:+.1f} %",
                    transform=panel.transAxes,
                    ha="right",
                    color=AIG if rates[image] <= 0 else LOSS,
                )
            scales(panel)
        for panel in panels[len(images) :]:
            panel.set_axis_off()
        figure.supxlabel(
            "bits per pixel, focus included (logarithmic)"
            + f"; in the corner, AIG's bytes against the {names[1]}'s" * (len(names) > 1),
            fontsize=9,
        )
        figure.supylabel("PSNR outside the focus, dB", fontsize=9)
        key(figure, {name: _LINES[name] for name in names})
        save(figure, path)


def scales(panel: Axes) -> None:
    """Bits per pixel to the right, logarithmic, and a quality upward."""
    panel.set_xscale("log")
    panel.xaxis.set_major_locator(FixedLocator(_BITS))
    panel.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    panel.xaxis.set_minor_locator(NullLocator())
    panel.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    panel.grid(color="#e9ebed", linewidth=0.7)
    panel.set_axisbelow(True)


def bd_rates(rows: Sequence[FocusRow], path: Path) -> None:
    """One column of bars for each pair."""
    rates = {f"the {pair}": focus_task.bd_rates(rows, pair) for pair in pairs_in(rows)}
    bar_columns(rates, "bytes of AIG at equal PSNR outside the focus", path)


def bar_columns(rates: Mapping[str, dict[str, float]], what: str, path: Path) -> None:
    """A column of bars, in percent, for whatever AIG is held against; the first one's order."""
    rates = {name: values for name, values in rates.items() if values}
    if not rates:
        return
    first = next(iter(rates.values()))
    # One scale for all, with room for the figures at the ends of the bars.
    values = [0.0, *(_cut(v) for column in rates.values() for v in column.values())]
    low, high = min(values), max(values)
    margin = 0.22 * (high - low)
    images = sorted({i for values in rates.values() for i in values}, key=lambda i: first.get(i, 0))
    with plt.rc_context(STYLE):
        figure, panels = plt.subplots(
            1,
            len(rates),
            figsize=(2.6 * len(rates) + 1.6, 0.21 * len(images) + 1.7),
            sharex=True,
            sharey=True,
            squeeze=False,
            layout="constrained",
        )
        for panel, (name, column) in zip(panels[0], rates.items(), strict=True):
            _bars(panel, images, column)
            mean = statistics.mean(column.values())
            panel.set_title(f"against {name}\nmean {mean:+.1f} %", fontweight="bold")
        panels[0, 0].set_xlim(low - margin * (low < 0), high + margin * (high > 0))
        panels[0, 0].set_yticks(range(len(images)), [_short(image) for image in images])
        panels[0, 0].set_ylim(len(images) - 0.4, -0.6)
        figure.supxlabel(
            f"{what}: percent less (left) or more (right); bars are cut at {_LONGEST_BAR:g}",
            fontsize=9,
        )
        save(figure, path)


def _cut(value: float) -> float:
    return max(-_LONGEST_BAR, min(_LONGEST_BAR, value))


def _bars(panel: Axes, images: Sequence[str], values: dict[str, float]) -> None:
    for place, image in enumerate(images):
        if image not in values:
            continue
        value = values[image]
        panel.barh(place, _cut(value), height=0.72, color=AIG if value <= 0 else LOSS)
        panel.annotate(
            f"{value:+.1f}",
            (_cut(value), place),
            xytext=(3 if value > 0 else -3, 0),
            textcoords="offset points",
            ha="left" if value > 0 else "right",
            va="center",
            fontsize=7.5,
        )
    panel.axvline(0, color=INK, linewidth=0.8)
    _bare(panel)


def _bare(panel: Axes) -> None:
    """Bars that carry their values need no axis."""
    panel.tick_params(axis="y", length=0)
    panel.spines[["left", "bottom"]].set_visible(False)
    panel.set_xticks([])


def speeds(rows: Sequence[SpeedRow], path: Path) -> None:
    """How many times as fast as AVIF every codec is, encoding and decoding: medians."""
    names = list(dict.fromkeys(r.codec for r in rows))
    with plt.rc_context(STYLE):
        figure, panels = plt.subplots(
            1, 2, figsize=(9.2, 0.34 * len(names) + 1.3), sharey=True, layout="constrained"
        )
        for panel, direction in zip(panels, ("encode", "decode"), strict=True):
            for place, name in enumerate(names):
                ratio = statistics.median(speed.ratios(rows, name, "AVIF s6", direction).values())
                throughput = statistics.median(
                    1000 * r.megapixels / getattr(r, f"{direction}_ms")
                    for r in rows
                    if r.codec == name
                )
                colour = AIG if name.startswith("AIG") else FAINT
                panel.barh(place, math.log2(ratio), height=0.7, color=colour)
                panel.annotate(
                    f"{_ratio(ratio)}   {throughput:.3g} MP/s",
                    (max(math.log2(ratio), 0), place),
                    xytext=(5, 0),
                    textcoords="offset points",
                    va="center",
                    fontsize=8,
                )
            low, high = panel.get_xlim()
            panel.set_xlim(low, high + 0.55 * (high - low))
            panel.axvline(0, color=INK, linewidth=0.8)
            _bare(panel)
            panel.set_title(direction, fontweight="bold")
        panels[0].set_yticks(range(len(names)), names)
        panels[0].invert_yaxis()
        figure.supxlabel(
            "speed on one core: multiple of AVIF's (bars, logarithmic) and median throughput",
            fontsize=9,
        )
        save(figure, path)


def lossless(rows: Sequence[LosslessRow], path: Path) -> None:
    """Mean bits per pixel against median speed, encoding and decoding: up and left is better."""
    images = len({r.image for r in rows})
    with plt.rc_context(STYLE):
        figure, panels = plt.subplots(
            1, 2, figsize=(9.2, 4.0), sharex=True, sharey=True, layout="constrained"
        )
        for panel, direction in zip(panels, ("encode", "decode"), strict=True):
            panel.set_yscale("log")
            panel.set_title(direction, fontweight="bold")
            panel.grid(color="#e9ebed", linewidth=0.7)
            panel.set_axisbelow(True)
            points = {}
            for name in dict.fromkeys(r.codec for r in rows):
                mine = [r for r in rows if r.codec == name]
                bits = statistics.mean(map(bits_per_pixel, mine))
                points[name] = bits, throughput(mine, direction)
            _dots(panel, points)
        panels[0].yaxis.set_major_locator(FixedLocator(_SPEEDS))
        panels[0].yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        panels[0].yaxis.set_minor_locator(NullLocator())
        # Room for the names.
        low, high = panels[0].get_xlim()
        panels[0].set_xlim(low - 0.08 * (high - low), high + 0.08 * (high - low))
        low, high = panels[0].get_ylim()
        panels[0].set_ylim(low / 1.8, high * 1.8)
        panels[0].set_ylabel("MP/s on one core (logarithmic)")
        number = "1 image" if images == 1 else f"mean of {images} images"
        figure.supxlabel(
            f"bits per pixel, every pixel exact, {number}: up and left is better", fontsize=9
        )
        save(figure, path)


def _dots(panel: Axes, points: dict[str, tuple[float, float]]) -> None:
    """Points (bits per pixel, MP/s) with what they are, in places where names do not collide."""
    bits = [b for b, _ in points.values()]
    width = max(bits) - min(bits) or 1.0
    for name, (x, y) in points.items():
        # The upper one of neighbours has its name above, the lower one below; 4 to 100 MP/s is
        # about as far as from the left to the right.
        _, nearest = min(
            (math.hypot((x - u) / width, math.log(y / v) / math.log(25)), v)
            for other, (u, v) in points.items()
            if other != name
        )
        above = y >= nearest
        colour = AIG if name.startswith("AIG") else "#5f6469"
        panel.plot(x, y, "o", color=colour, markersize=8)
        panel.annotate(
            f"{name.replace(' lossless', '')}\n{y:.3g} MP/s",
            (x, y),
            xytext=(0, 7 if above else -7),
            textcoords="offset points",
            ha="center",
            va="bottom" if above else "top",
            color=colour,
            fontsize=8.5,
            fontweight="bold" if colour == AIG else None,
        )


def _ratio(value: float) -> str:
    return f"{value:.0f}x" if value >= 10 else f"{value:.2g}x"


def _short(image: str) -> str:
    """An image's name without its ending."""
    return image.rpartition(".")[0] or image


def key(figure: Figure, lines: Mapping[str, tuple[str, Any, float]]) -> None:
    """Names above the panels, some in a line, with the colour, style and width of their curves."""
    handles = [
        Line2D([], [], color=colour, linestyle=style, linewidth=width, label=name)
        for name, (colour, style, width) in lines.items()
    ]
    figure.legend(
        handles=handles,
        loc="outside upper left",
        ncols=math.ceil(len(lines) / math.ceil(len(lines) / _NAMES)),
        frameon=False,
        labelcolor="linecolor",
        fontsize=10,
        handlelength=1.8,
    )


def save(figure: Figure, path: Path) -> None:
    """Write a figure and be done with it."""
    figure.savefig(path)
    plt.close(figure)
