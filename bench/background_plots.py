"""The plots of the background part: curves of the means, BD-rates per image, speeds."""

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from . import plots
from .background import AVIF_444, AVIF_IQ, AVIF_PSNR, EFFORTS, JPEG, JXL, WEBP
from .background_goals import MEASURES, Rates, Results, bits_per_pixel, quality, races
from .markdown import by_folder
from .peers import aig_name
from .rows import PointRow

_FAST, _STRONG = EFFORTS

#: The codecs of each row of panels, and how their curves are drawn: colour, line style, width.
_LINES: dict[str, dict[str, tuple[str, Any, float]]] = {
    "psnr": {
        aig_name("psnr", _FAST): (plots.AIG, "-", 2.2),
        aig_name("psnr", _STRONG): (plots.AIG, "--", 1.6),
        AVIF_PSNR: ("#3d4248", "-", 1.4),
        AVIF_444: ("#3d4248", "--", 1.4),
        AVIF_IQ: ("#7a5ea8", "-", 1.4),
        JXL: ("#3d4248", ":", 1.4),
        WEBP: ("#c99a5b", "-", 1.4),
        JPEG: ("#a3a8ad", "-", 1.4),
    },
    "ssimulacra2": {
        aig_name("visual", _FAST): (plots.LOSS, "-", 2.2),
        aig_name("visual", _STRONG): (plots.LOSS, "--", 1.6),
        aig_name("psnr", _FAST): (plots.AIG, "-", 2.2),
        AVIF_IQ: ("#7a5ea8", "-", 1.4),
        AVIF_PSNR: ("#3d4248", "-", 1.4),
        JXL: ("#3d4248", ":", 1.4),
    },
}


def draw(results: Results, out: Path) -> None:
    """All of them, into a folder."""
    if results.points:
        _curves(results.points, out / "background-curves.png")
        _bd_rates(results.points, out / "background-bd-rates.png")
    if results.speed:
        members = next(iter(races(results.speed).values()))
        plots.speeds(members, out / "background-speeds.png")


def _curves(points: Sequence[PointRow], path: Path) -> None:
    """Mean quality against mean bits per pixel, folder by folder."""
    folders = by_folder(dict.fromkeys(r.image for r in points))
    with plt.rc_context(plots.STYLE):
        figure, grid = plt.subplots(
            len(_LINES),
            len(folders),
            figsize=(max(3.4 * len(folders), 8.5), 3.2 * len(_LINES) + 0.8),
            squeeze=False,
            layout="constrained",
        )
        for panels, (measure, lines) in zip(grid, _LINES.items(), strict=True):
            for panel, (folder, images) in zip(panels, folders.items(), strict=True):
                mine = [r for r in points if r.image in images and r.rung]
                for name, (colour, style, width) in reversed(lines.items()):
                    _curve(panel, mine, name, measure, (colour, style, width))
                plots.scales(panel)
                number = "1 image" if len(images) == 1 else f"{len(images)} images"
                panel.set_title(f"{folder or '.'}, {number}")
            panels[0].set_ylabel(MEASURES[measure] + (", dB" if measure == "psnr" else ""))
        figure.supxlabel("bits per pixel (logarithmic), means over the images", fontsize=9)
        plots.key(figure, {n: line for lines in _LINES.values() for n, line in lines.items()})
        plots.save(figure, path)


def _curve(
    panel: Axes,
    points: Sequence[PointRow],
    codec: str,
    measure: str,
    line: tuple[str, Any, float],
) -> None:
    means = []
    for rung in sorted({r.rung for r in points}):
        mine = [r for r in points if (r.codec, r.rung) == (codec, rung)]
        if mine:
            bits = statistics.mean(map(bits_per_pixel, mine))
            means.append((bits, statistics.mean(quality(r, measure) for r in mine)))
    if means:
        colour, style, width = line
        panel.plot(*zip(*means, strict=True), style, color=colour, linewidth=width)


def _bd_rates(points: Sequence[PointRow], path: Path) -> None:
    rates = Rates(points)
    columns = {}
    for tune, measure, reference in (
        ("psnr", "psnr", AVIF_PSNR),
        ("visual", "ssimulacra2", AVIF_IQ),
    ):
        for effort in EFFORTS:
            title = f"{reference},\neffort {effort}, {MEASURES[measure]}"
            columns[title] = rates.of(aig_name(tune, effort), reference, measure)
    what = 'bytes of AIG at equal PSNR (tune="psnr") or SSIMULACRA2 (tune="visual")'
    plots.bar_columns(columns, what, path)
