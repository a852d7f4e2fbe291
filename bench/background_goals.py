"""What the rows of the background part come to, and the goals they are held against."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from . import background, rows, speed
from .background import (
    AVIF,
    AVIF_444,
    AVIF_IQ,
    AVIF_PSNR,
    EFFORTS,
    JPEG,
    JXL,
    QUALITY,
    QUICKEST,
    RACED_JPEG,
    WEBP,
)
from .goals import Goal, ratio
from .markdown import mean, percent
from .metrics import MIN_OVERLAP, bd_rate, ssim_db
from .peers import aig_name
from .rows import PointRow, ScaleRow, SpeedRow

#: The files of the part and what is in them.
FILES: dict[str, Any] = {
    background.POINTS_CSV: PointRow,
    background.SPEED_CSV: SpeedRow,
    background.SCALE_CSV: ScaleRow,
    background.PROMISE_CSV: ScaleRow,
}

#: Points at rates outside these are not compared, in bits per pixel.
_RATES = (0.08, 1.6)

#: Nor those that are better than this. Nobody sees more, and chroma of half the size cannot give
#: more, so that a mean over such qualities would say how the peers' colours are rounded.
HIGHEST = {"psnr": 45.0, "ms_ssim": math.inf, "ssimulacra2": 90.0}

#: How alike images are, and how much of the scale two ladders must share: dB, or points of a score.
MEASURES = {"psnr": "PSNR", "ms_ssim": "MS-SSIM", "ssimulacra2": "SSIMULACRA2"}
_MIN_OVERLAPS = {"psnr": MIN_OVERLAP, "ms_ssim": MIN_OVERLAP, "ssimulacra2": 3.0}

#: What images are called by their size.
LARGE, SMALL = f"{speed.MIN_MEGAPIXELS:g} MP and more", f"less than {speed.MIN_MEGAPIXELS:g} MP"

#: The columns of the summary.
COLUMNS = tuple(f"effort {effort}" for effort in (QUICKEST, *EFFORTS))

#: The quality of JPEG that AIG's is to be like, and how far from it.
_LIKE_JPEG, _MARGIN = 77.5, 2.5


@dataclass(frozen=True)
class Results:
    """All rows of the part."""

    points: list[PointRow]
    speed: list[SpeedRow]
    scale: list[ScaleRow]
    promise: list[ScaleRow]

    def any(self) -> bool:
        """Whether there are some."""
        return any(vars(self).values())

    def complaints(self) -> list[str]:
        """One for every file of AIG whose focus did not come back as it was."""
        checked: list[PointRow | SpeedRow] = [*self.points, *self.speed]
        return [
            f"{r.image}: {r.codec} {r.setting} is not exact in the focus"
            for r in checked
            if r.codec.startswith("AIG") and not r.exact
        ]


def read(out: Path) -> Results:
    """The rows of a results folder."""
    return Results(
        rows.read(out / background.POINTS_CSV, PointRow),
        rows.read(out / background.SPEED_CSV, SpeedRow),
        rows.read(out / background.SCALE_CSV, ScaleRow),
        rows.read(out / background.PROMISE_CSV, ScaleRow),
    )


def bits_per_pixel(row: PointRow | SpeedRow | ScaleRow) -> float:
    """Of a whole image."""
    return 8 * row.bytes / row.megapixels / 1e6


def quality(row: PointRow, measure: str) -> float:
    """A point's place on the scale of a measure: dB, or the score."""
    value: float = getattr(row, measure)
    return ssim_db(value) if measure == "ms_ssim" else value


class Rates:
    """BD-rates between the ladders of some points."""

    def __init__(self, points: Sequence[PointRow]) -> None:
        self.images = list(dict.fromkeys(r.image for r in points))
        self._rungs: dict[tuple[str, str], list[PointRow]] = {}
        for r in points:
            if r.rung and _RATES[0] <= bits_per_pixel(r) <= _RATES[1]:
                self._rungs.setdefault((r.image, r.codec), []).append(r)

    def of(self, codec: str, reference: str, measure: str = "psnr") -> dict[str, float]:
        """Percent of bytes above the reference, per image where the two can be compared."""
        found = {}
        for image in self.images:
            ours, theirs = (
                [
                    (r.bytes, quality(r, measure))
                    for r in self._rungs.get((image, name), [])
                    if not quality(r, measure) > HIGHEST[measure]
                ]
                for name in (codec, reference)
            )
            rate = bd_rate(theirs, ours, min_overlap=_MIN_OVERLAPS[measure])
            if rate is not None:
                found[image] = rate
        return found

    def mean(self, codec: str, reference: str, measure: str = "psnr") -> float | None:
        """The mean over the images."""
        return mean(self.of(codec, reference, measure).values())


def goals(results: Results) -> list[Goal]:
    """The summary, of whatever was measured."""
    found = []
    if results.points:
        found += _sizes(Rates(results.points))
    if results.speed:
        for title, members in races(results.speed).items():
            found += _speeds(title, members)
    if results.scale:
        like = (None, like_jpeg(results.scale), None)
        what = f"JPEG's quality at the PSNR of AIG's {QUALITY}"
        limits = (None, _LIKE_JPEG, None)
        found.append(Goal(what, like, limits, "{:.1f}".format, efforts=COLUMNS, within=_MARGIN))
    return found


def _sizes(rates: Rates) -> list[Goal]:
    found = []
    for tune, measure, reference, limits in (
        ("psnr", "psnr", AVIF_PSNR, (8.0, 0.0)),
        ("psnr", "psnr", AVIF_444, (None, None)),
        ("psnr", "psnr", WEBP, (-15.0, -20.0)),
        ("psnr", "psnr", JPEG, (-40.0, -45.0)),
        ("visual", "ssimulacra2", AVIF_IQ, (None, None)),
        ("visual", "ssimulacra2", JXL, (0.0, -5.0)),
    ):
        values = (rates.mean(aig_name(tune, effort), reference, measure) for effort in EFFORTS)
        what = f'BD-rate of {MEASURES[measure]} against {reference} (tune="{tune}")'
        found.append(Goal(what, (None, *values), (None, *limits), percent, efforts=COLUMNS))
    return found


def races(results: Sequence[SpeedRow]) -> dict[str, list[SpeedRow]]:
    """Large images apart from small ones, each under a title."""
    groups: dict[str, list[SpeedRow]] = {}
    for r in results:
        title = LARGE if r.megapixels >= speed.MIN_MEGAPIXELS else SMALL
        groups.setdefault(title, []).append(r)
    return {title: groups[title] for title in (LARGE, SMALL) if title in groups}


def _speeds(title: str, results: Sequence[SpeedRow]) -> list[Goal]:
    found = []
    for direction, limits in (("encode", (30.0, 5.0)), ("decode", (2.0, 2.0))):
        values = (speed_ratio(results, aig_name("psnr", e), AVIF, direction) for e in EFFORTS)
        found.append(
            Goal(
                f"{direction} speed, times that of {AVIF}, {title}",
                (None, *values),
                (None, *limits),
                ratio,
                at_least=True,
                efforts=COLUMNS,
            )
        )
    quickest = aig_name("psnr", QUICKEST)
    gain = speed_ratio(results, quickest, RACED_JPEG, "encode")
    what = f"encode speed, times that of {RACED_JPEG}, {title}"
    least = (0.5, None, None)
    found.append(Goal(what, (gain, None, None), least, ratio, at_least=True, efforts=COLUMNS))
    change = bytes_change(results, quickest, RACED_JPEG)
    what = f"bytes against {RACED_JPEG} at equal PSNR, {title}"
    most = (0.0, None, None)
    found.append(Goal(what, (change, None, None), most, percent, efforts=COLUMNS))
    return found


def speed_ratio(
    results: Sequence[SpeedRow], codec: str, reference: str, direction: str
) -> float | None:
    """How many times as fast as the reference, median over the images."""
    ratios = speed.ratios(results, codec, reference, direction).values()
    return statistics.median(ratios) if ratios else None


def bytes_change(results: Sequence[SpeedRow], codec: str, reference: str) -> float | None:
    """Percent of bytes above the reference, mean over the images."""
    size = {(r.image, r.codec): r.bytes for r in results}
    return mean(
        100 * (b / size[image, reference] - 1)
        for (image, name), b in size.items()
        if name == codec and (image, reference) in size
    )


def scale_means(results: Sequence[ScaleRow], codec: str) -> dict[int, tuple[float, float, float]]:
    """Bits per pixel, PSNR and SSIM of a codec at each quality, means over the images."""
    found = {}
    for setting in dict.fromkeys(r.setting for r in results if r.codec == codec):
        mine = [r for r in results if (r.codec, r.setting) == (codec, setting)]
        found[int(setting.removeprefix("q"))] = (
            statistics.mean(map(bits_per_pixel, mine)),
            statistics.mean(r.psnr for r in mine),
            statistics.mean(r.ssim for r in mine),
        )
    return found


def like_jpeg(results: Sequence[ScaleRow]) -> float | None:
    """The quality at which JPEG has the mean PSNR of AIG's quality in question."""
    aig = scale_means(results, aig_name("psnr", EFFORTS[0])).get(QUALITY)
    jpeg = scale_means(results, RACED_JPEG)
    if aig is None or not jpeg:
        return None
    return float(np.interp(aig[1], [psnr for _, psnr, _ in jpeg.values()], list(jpeg)))
