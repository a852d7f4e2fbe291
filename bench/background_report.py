"""The report's section on the background."""

import statistics
from collections.abc import Callable, Sequence

from . import background, background_goals, speed
from .background import (
    AVIF,
    AVIF_444,
    AVIF_IQ,
    AVIF_PSNR,
    EFFORTS,
    JPEG,
    JXL,
    QUALITY,
    RACED_JPEG,
    TUNES,
    WEBP,
)
from .background_goals import (
    COLUMNS,
    HIGHEST,
    LARGE,
    MEASURES,
    SMALL,
    Rates,
    Results,
    bits_per_pixel,
    races,
    scale_means,
    speed_ratio,
)
from .goals import ratio
from .lossless_goals import throughput
from .markdown import by_folder, mean, percent, table
from .peers import aig_name
from .rows import PointRow, ScaleRow, SpeedRow

#: The comparisons that are shown folder by folder: tuning, measure and reference.
_COMPARED = (
    ("psnr", "psnr", AVIF_PSNR),
    ("psnr", "psnr", AVIF_444),
    ("psnr", "psnr", WEBP),
    ("psnr", "psnr", JPEG),
    ("visual", "ssimulacra2", AVIF_IQ),
    ("visual", "ssimulacra2", JXL),
)

#: What quality level 128 is to come to, at least and at most.
_PROMISES: dict[str, dict[str, tuple[float, float]]] = {
    LARGE: {"PSNR, dB": (35.0, 40.0), "SSIM": (0.92, 0.96), "bits per pixel": (0.7, 1.0)},
    SMALL: {"PSNR, dB": (32.0, 38.0), "bits per pixel": (0.8, 1.1)},
}
_FIGURES: dict[str, Callable[[ScaleRow], float]] = {
    "PSNR, dB": lambda r: r.psnr,
    "SSIM": lambda r: r.ssim,
    "bits per pixel": bits_per_pixel,
}


def headlines(results: Results) -> list[str]:
    """What came out, for the terminal."""
    return [
        f"background, {cells[0]}: {' / '.join(c.strip('*') for c in cells[1:-1] if c) or '-'}"
        for cells in (goal.cells() for goal in background_goals.goals(results))
    ]


def section(results: Results) -> str:
    """All of it; a table for every question that was asked."""
    parts = [
        "## Background",
        "Photographs with next to no focus: five pixels, which are in the bytes as all of the "
        "container is, and nothing between them and the background. BD-rates are "
        "bytes more (+) or less (-) at equal quality, means over images of equal weight; speeds "
        "are ratios per image, then the median. Bold figures miss the goal.",
        table(["", *COLUMNS, "goal"], [goal.cells() for goal in background_goals.goals(results)]),
    ]
    if results.points:
        parts += _distortion(results.points)
    if results.speed:
        parts += _speed(results.speed)
    if results.scale:
        parts += _scale(results.scale)
    if results.promise:
        parts += _promise(results.promise)
    return "\n\n".join(parts)


def _distortion(points: Sequence[PointRow]) -> list[str]:
    rates = Rates(points)
    tunings = [
        [
            tune,
            str(effort),
            *(
                percent(rates.mean(aig_name(tune, effort), reference, measure))
                for reference in (AVIF_PSNR, AVIF_IQ, JXL)
                for measure in MEASURES
            ),
        ]
        for tune in TUNES
        for effort in EFFORTS
    ]
    columns = {
        (effort, *compared): rates.of(aig_name(compared[0], effort), *reversed(compared[1:]))
        for compared in _COMPARED
        for effort in EFFORTS
    }
    folders = by_folder(rates.images)
    body = [
        [
            folder or ".",
            str(len(members)),
            *(percent(mean(of[i] for i in members if i in of)) for of in columns.values()),
        ]
        for folder, members in folders.items()
    ]
    details = [
        [image, *(percent(of.get(image)) for of in columns.values())] for image in rates.images
    ]
    heads = [f"{_short(reference)}, e{effort}" for effort, _, _, reference in columns]
    rungs = sorted({r.rung for r in points if r.rung})
    return [
        "### Rate and distortion",
        f"At {_listed([f'{rung:g}' for rung in rungs])} bits per pixel, or the nearest that a "
        "codec's scale has. MS-SSIM is that of luma, in dB; SSIMULACRA2 is a score. AVIF is tuned "
        "for what it is compared by: its own tune=psnr (4:2:0, and 4:4:4 where that is said), and "
        "tune=iq for eyes, which libavif 1.4 takes unless told otherwise. Points above "
        f"{HIGHEST['psnr']:g} dB, or {HIGHEST['ssimulacra2']:g} of SSIMULACRA2, do not count.",
        "![BD-rates](background-bd-rates.png)",
        "Both tunings, BD-rates by every measure:",
        table(
            [
                "tune",
                "effort",
                *(
                    f"{name}, {_short(r)}"
                    for r in (AVIF_PSNR, AVIF_IQ, JXL)
                    for name in MEASURES.values()
                ),
            ],
            tunings,
        ),
        f'By folder: PSNR with tune="psnr" against {AVIF_PSNR}, {AVIF_444}, {WEBP} and {JPEG}, and '
        f'SSIMULACRA2 with tune="visual" against {AVIF_IQ} and {JXL}:',
        table(["folder", "images", *heads], body),
        "The same per image:",
        table(["image", *heads], details),
        "![Rate and distortion](background-curves.png)",
    ]


def _listed(items: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(items[:-1]), items[-1]]))


def _short(codec: str) -> str:
    """A codec's name in a column's head, without its effort."""
    name, *settings = codec.split()
    return " ".join([name, *settings[1:]]) if name == "AVIF" else name


def _speed(results: Sequence[SpeedRow]) -> list[str]:
    parts = [
        "### Speed of the background",
        "In memory, one thread, on one CPU where the system allows it; median of "
        f"{results[0].runs} rounds in which all codecs take turns. AIG at effort {EFFORTS[0]} has "
        f"quality {QUALITY}; effort {EFFORTS[1]} and AVIF have its PSNR, or the nearest on their "
        f"scales. Effort {background.QUICKEST} has the PSNR of {RACED_JPEG} at quality "
        f"{background.JPEG_QUALITY}, which is not optimised. AVIF is raced as it comes, without a "
        "tune.",
        "![Speeds](background-speeds.png)",
    ]
    for title, members in races(results).items():
        parts += [f"Images of {title}, means and medians:", _totals(members)]
    codecs = list(dict.fromkeys(r.codec for r in results))
    at = {(r.image, r.codec): r for r in results}
    details = [
        [
            image,
            *(f"{at[image, codec].encode_ms:.1f}" for codec in codecs),
            *(f"{at[image, codec].decode_ms:.1f}" for codec in codecs),
        ]
        for image in dict.fromkeys(r.image for r in results)
    ]
    heads = [codec.replace("AIG psnr", "AIG") for codec in codecs]
    ways = [f"{way} {head}" for way in ("enc", "dec") for head in heads]
    return [*parts, "Per image, milliseconds:", table(["image", *ways], details)]


def _totals(results: Sequence[SpeedRow]) -> str:
    body = []
    for codec in dict.fromkeys(r.codec for r in results):
        mine = [r for r in results if r.codec == codec]
        body.append(
            [
                codec,
                f"{statistics.mean(map(bits_per_pixel, mine)):.3f}",
                f"{statistics.mean(r.psnr for r in mine):.2f}",
                *(
                    cell
                    for direction in ("encode", "decode")
                    for cell in (
                        f"{throughput(mine, direction):.3g}",
                        ratio(speed_ratio(results, codec, AVIF, direction) or 0),
                    )
                ),
            ]
        )
    return table(["codec", "bpp", "PSNR", "enc MP/s", "to AVIF", "dec MP/s", "to AVIF"], body)


def _scale(results: Sequence[ScaleRow]) -> list[str]:
    scales = [scale_means(results, c) for c in (aig_name("psnr", EFFORTS[0]), RACED_JPEG)]
    body = []
    for quality in sorted({quality for scale in scales for quality in scale}):
        cells = [str(quality)]
        for scale in scales:
            bpp, psnr, ssim = scale.get(quality, (None, None, None))
            cells += [_shown(bpp, 3), _shown(psnr, 2), _shown(ssim, 4)]
        body.append(cells)
    images = len({r.image for r in results})
    figures = ("bpp", "PSNR", "SSIM")
    return [
        "### The scale of quality",
        f"AIG at effort {EFFORTS[0]} beside {RACED_JPEG}, means of {_number(images)}; the same "
        "number need not be the same quality.",
        table(["quality", *(f"{c} {f}" for c in ("AIG", "JPEG") for f in figures)], body),
    ]


def _shown(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _promise(results: Sequence[ScaleRow]) -> list[str]:
    body = []
    for title, promised in _PROMISES.items():
        large = title == LARGE
        mine = [r for r in results if (r.megapixels >= speed.MIN_MEGAPIXELS) == large]
        for what, figure in _FIGURES.items():
            values = [figure(r) for r in mine]
            if not values:
                continue
            bounds = promised.get(what)
            kept, goal = "", ""
            if bounds:
                low, high = bounds
                kept = f"{sum(low <= v <= high for v in values)} of {len(values)}"
                goal = f"{low:g} to {high:g}"
            spread = (statistics.mean(values), min(values), max(values))
            body.append([title, what, *(f"{v:.3g}" for v in spread), goal, kept])
    return [
        f"### Quality level {background.PROMISED_LEVEL}",
        f"What it comes to at effort {EFFORTS[0]}, and what was promised:",
        table(["images", "", "mean", "least", "most", "promise", "images in it"], body),
    ]


def _number(images: int) -> str:
    return "1 image" if images == 1 else f"{images} images"
