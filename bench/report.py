"""The Markdown report of a results folder, from its rows alone."""

import json
import math
import platform
import statistics
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from . import (
    background_goals,
    background_plots,
    background_report,
    decisions_report,
    focus_task,
    lossless_goals,
    lossless_report,
    models_report,
    plots,
    reading_report,
    rows,
    speed,
)
from .focus_task import MEASURES
from .markdown import bullets, by_folder, mean, percent, provenance, table, times
from .rows import FocusRow, SpeedRow

FOCUS_CSV, SPEED_CSV, RUN_JSON = "focus.csv", "speed.csv", "run.json"

_PACKAGES = ("pillow-aig", "pillow", "imagecodecs", "numpy", "scipy", "scikit-image", "ssimulacra2")


def describe_run(command: str) -> dict[str, Any]:
    """What a reader needs to judge the figures: when, on what, with which versions."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "command": command,
        "cpu": _cpu(),
        "system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "versions": _versions(),
    }


def note_run(out: Path, part: str, run: dict[str, Any], kept: bool = False) -> None:
    """Keep the description of a part's run beside its rows; kept: they are not all its own."""
    path = out / RUN_JSON
    notes = json.loads(path.read_text()) if path.is_file() else {}
    if kept and part in notes:
        earlier = notes[part]
        run = run | {"kept": earlier.get("kept", earlier)}
    path.write_text(json.dumps(notes | {part: run}, indent=1) + "\n")


def write(out: Path) -> list[str]:
    """Write report.md and its plots.

    Returns a complaint for every result that should be exact and is not.
    """
    focus_rows = rows.read(out / FOCUS_CSV, FocusRow)
    speed_rows = rows.read(out / SPEED_CSV, SpeedRow)
    notes = json.loads((out / RUN_JSON).read_text())
    promised: list[FocusRow | SpeedRow] = [*focus_rows]
    promised += [r for r in speed_rows if r.codec in ("AIG", speed.SMART, "PNG")]
    complaints = [
        f"{r.image}: {r.codec} {r.setting} is not exact in the focus"
        for r in promised
        if not r.exact
    ]
    lossless_rows = lossless_goals.read(out)
    background_rows = background_goals.read(out)
    complaints += lossless_rows.complaints() + background_rows.complaints()
    focus_rows = focus_task.complete(focus_rows)
    parts = ["# Benchmark of AIG"]
    if complaints:
        parts.append("**The promise is broken:**\n\n" + bullets(complaints))
    if focus_rows:
        plots.curves(focus_rows, out / "curves.png")
        plots.bd_rates(focus_rows, out / "bd-rates.png")
        parts += [_focus_section(focus_rows), provenance(notes["focus"])]
    if speed_rows:
        plots.speeds(speed_rows, out / "speeds.png")
        parts += [_speed_section(speed_rows), provenance(notes["speed"])]
    if lossless_rows.any():
        if lossless_rows.whole:
            plots.lossless(lossless_rows.whole, out / "lossless.png")
        parts += [lossless_report.section(lossless_rows), provenance(notes["lossless"])]
    if background_rows.any():
        background_plots.draw(background_rows, out)
        parts += [background_report.section(background_rows), provenance(notes["background"])]
    if reading_rows := reading_report.read(out):
        parts += [reading_report.section(reading_rows), provenance(notes["reading"])]
    if decision_rows := decisions_report.read(out):
        parts += [decisions_report.section(decision_rows), provenance(notes["decisions"])]
    if model_rows := models_report.read(out):
        models_report.draw(model_rows, out)
        parts += [models_report.section(model_rows), provenance(notes["models"])]
    (out / "report.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    return complaints


def summary(values: Iterable[float]) -> str:
    """Mean, median and worst of some BD-rates."""
    values = list(values)
    if not values:
        return "no image can be compared"
    return (
        f"mean {statistics.mean(values):+.1f} %, median {statistics.median(values):+.1f} %, "
        f"worst {max(values):+.1f} % ({len(values)} images)"
    )


def _focus_section(results: Sequence[FocusRow]) -> str:
    images = list(dict.fromkeys(r.image for r in results))
    contestants = focus_task.pairs_in(results)
    exact = sum(r.exact for r in results if r.codec == "AIG")
    total = sum(r.codec == "AIG" for r in results)
    totals = [
        [pair, MEASURES[measure], *_statistics(focus_task.bd_rates(results, pair, measure))]
        for pair in contestants
        for measure in MEASURES
    ]
    rates = {pair: focus_task.bd_rates(results, pair) for pair in contestants}
    folders = [
        [
            folder or ".",
            str(len(members)),
            *(percent(mean(rates[pair][i] for i in members if i in rates[pair])) for pair in rates),
        ]
        for folder, members in by_folder(images).items()
    ]
    png = {r.image: r.bytes for r in results if r.codec == "PNG"}
    middle = {r.image: r for r in results if (r.codec, r.setting) == ("AIG", "q70")}
    first = {r.image: r for r in reversed(results)}
    details = [
        [
            image,
            f"{first[image].megapixels:.2f}",
            f"{100 * first[image].core_share:.1f} %",
            *(percent(rates[pair].get(image)) for pair in contestants),
            f"{middle[image].bytes:,}" if image in middle else "",
            f"{100 * middle[image].bytes / png[image]:.0f} %"
            if image in middle and image in png
            else "",
        ]
        for image in images
    ]
    head = ["image", "MP", "focus", *(f"vs {pair}" for pair in contestants)]
    return "\n\n".join(
        [
            "## The focus exact, the rest good",
            "BD-rate of AIG: the bytes it needs more (+) or less (-) than a pair at equal quality "
            "outside the focus, averaged over the range both ladders cover. Every contestant keeps "
            "the same pixels bit-exact; its bytes are everything a viewer must receive.",
            bullets(
                [
                    "tuned pair: the strongest by this measure. JPEG XL lossless e9 of each focus "
                    "box, flattened outside the ellipse, and AVIF speed 6, tune=psnr, 4:4:4, of "
                    "the image with the focus filled smoothly; or 4:2:0",
                    "smart pair: the same with what comes by itself, JPEG XL e7 and AVIF's "
                    "default, 4:2:0 or 4:4:4; libavif 1.4 tunes for eyes, which costs bytes here",
                    "naive pair: the smart pair without flattening and filling",
                    "WebP pair: the smart pair with WebP, lossless and lossy, for both halves",
                    "none of the pairs pays for a container or for saying where the ellipses are",
                ]
            ),
            f"AIG's focus came back bit-exact in {exact} of {total} files.",
            "![BD-rates](bd-rates.png)",
            table(["against", "quality", "mean", "median", "worst", "fewer bytes on"], totals),
            "Mean by folder (PSNR); kinds of image differ more than images of a kind:",
            table(["folder", "images", *(f"vs {pair}" for pair in contestants)], folders),
            "Per image (PSNR), and AIG's bytes at quality 70 beside those of PNG:",
            table([*head, "AIG bytes", "of PNG"], details),
            "![Rate and distortion](curves.png)",
        ]
    )


def _statistics(rates: dict[str, float]) -> list[str]:
    values = list(rates.values())
    if not values:
        return ["", "", "", "no image can be compared"]
    return [
        percent(statistics.mean(values)),
        percent(statistics.median(values)),
        percent(max(values)),
        f"{sum(v < 0 for v in values)} of {len(values)}",
    ]


def _speed_section(results: Sequence[SpeedRow]) -> str:
    small = min(r.megapixels for r in results) < speed.MIN_MEGAPIXELS
    totals = []
    for codec in dict.fromkeys(r.codec for r in results):
        mine = [r for r in results if r.codec == codec]
        psnr = statistics.median(r.psnr for r in mine)
        totals.append(
            [
                codec,
                f"{statistics.median(8 * r.bytes / r.megapixels / 1e6 for r in mine):.2f}",
                "exact" if psnr == math.inf else f"{psnr:.1f}",
                *(
                    cell
                    for direction in ("encode", "decode")
                    for cell in (
                        f"{statistics.median(_throughput(r, direction) for r in mine):.2f}",
                        times(speed.ratios(results, codec, "AVIF s6", direction).values()),
                    )
                ),
            ]
        )
    encode, decode = (speed.ratios(results, "AIG", "AVIF s6", d) for d in ("encode", "decode"))
    at = {(r.image, r.codec): r for r in results}
    details = []
    for image in dict.fromkeys(r.image for r in results):
        aig, auto, avif = (at[image, c] for c in ("AIG", speed.AIG_AUTO, "AVIF s6"))
        details.append(
            [
                image,
                f"{aig.megapixels:.2f}",
                *(f"{r.psnr:.2f}" for r in (aig, avif)),
                *(f"{r.encode_ms:.0f}" for r in (aig, auto, avif)),
                f"{encode[image]:.2f}x",
                *(f"{r.decode_ms:.0f}" for r in (aig, avif)),
                f"{decode[image]:.2f}x",
            ]
        )
    warning = (
        ["**Some images are below 2 MP: fixed costs weigh more here than they should.**"]
        if small
        else []
    )
    return "\n\n".join(
        [
            "## Speed",
            *warning,
            "In memory, one thread, the process on one CPU where the system allows it; wall time, "
            f"median of {results[0].runs} rounds in which all codecs take turns. AVIF is at the "
            "quality that matches AIG's PSNR outside the focus, without a tune; the smart pair has "
            "that AVIF, and its flattening and filling is not on the clock. Ratios above 1 are "
            "faster than AVIF, per image, then the median. The other peers are at a usual setting, "
            "not at equal quality.",
            "![Speeds](speeds.png)",
            table(
                ["codec", "bpp", "PSNR", "enc MP/s", "to AVIF", "dec MP/s", "to AVIF"],
                totals,
            ),
            "Per image, milliseconds:",
            table(
                [
                    "image",
                    "MP",
                    "AIG dB",
                    "AVIF dB",
                    "AIG enc",
                    "no focus given",
                    "AVIF enc",
                    "ratio",
                    "AIG dec",
                    "AVIF dec",
                    "ratio",
                ],
                details,
            ),
        ]
    )


def _throughput(row: SpeedRow, direction: str) -> float:
    return 1000 * row.megapixels / float(getattr(row, f"{direction}_ms"))


def _cpu() -> str:
    """Name of the processor."""
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _versions() -> dict[str, str]:
    import imagecodecs
    from PIL import AvifImagePlugin, features

    found: dict[str, str | None] = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = None
    found["libavif"] = features.version("avif")
    for codec in ("aom", "dav1d"):
        found[codec] = AvifImagePlugin.get_codec_version(codec)
    found["libwebp"] = features.version("webp")
    found["libjpeg-turbo"] = features.version("libjpeg_turbo")
    found["zlib-ng"] = features.version("zlib_ng")
    found["libjxl"] = imagecodecs.jpegxl_version().removeprefix("libjxl ")
    return {name: number for name, number in found.items() if number}
