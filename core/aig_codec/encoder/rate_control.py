"""A wanted size or a wanted PSNR instead of a quality: the lossy tiers, tried at several levels."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from .. import _native, geometry
from ..coders import dct, labels
from ..container import KINDS
from ..container.decisions import Candidate, Decision, pack
from ..decoder.canvas import Picture, Problems
from ..geometry import Regions
from ..threads import Workers
from . import rate_search
from .layers import MOST_TOLD, Coded, Part, assemble, at_level, lossy_tiers, table_of
from .rate_search import How, Trial
from .settings import Settings

U8 = NDArray[np.uint8]

#: How near a target is near enough: of log(bytes), and in dB; what is too much of the former.
_NEAR_SIZE, _NEAR_PSNR, _TOO_LARGE = 0.014, 0.05, 0.02

#: First guesses: level at 1 bit per pixel and for a doubling; at 0 dB and for each dB; and where
#: guesses end.
_LEVEL_OF_RATE, _LEVEL_OF_PSNR, _GUESSES = (200, 45), (-180, 9.5), (40, 225)

#: How near a probe must be, in log(bytes), and from how many groups on there are some.
_NEAR_PROBE, _GROUPS_TO_PROBE = 0.06, 6

#: Decisions that will be told, and what their row in the table of contents takes.
_LIKELY = Decision(
    "quality",
    "level 123: 456789 bytes",
    "The nearest of the trials to what was wanted. Nothing looks drawn, so graphics",
    tuple(Candidate(f"level {level}: {level}6789 bytes") for level in (131, 145, 123)),
)
_ROW = 10

#: What stands for the PSNR of pixels that are exact.
_EXACT_PSNR = 100.0


class UnreachableError(ValueError):
    """No quality level gives a file as small as was asked for."""


def first_level(array: U8, wanted: Settings) -> int:
    """A guess at the level that a target asks for."""
    if wanted.target_psnr is not None:
        guess = _LEVEL_OF_PSNR[0] + _LEVEL_OF_PSNR[1] * wanted.target_psnr
    else:
        assert wanted.target_size is not None
        rate = 8 * wanted.target_size / (array.shape[0] * array.shape[1])
        guess = _LEVEL_OF_RATE[0] + _LEVEL_OF_RATE[1] * math.log2(rate)
    low, high = _GUESSES
    return round(min(max(guess, low), high))


def to_target(
    array: U8,
    regions: Regions,
    wanted: Settings,
    workers: Workers,
    others: list[Part],
    decisions: Sequence[Decision],
    analyse: Callable[..., dct.Analysis] = dct.Analysis,
) -> Coded:
    """The lossy tiers at the level that a wanted size or PSNR asks for. Raises UnreachableError.

    others: all other parts. decisions: those that were made before. analyse: who cuts and
    transforms.
    """
    trials: dict[tuple[int, float], Coded] = {}
    # What does not depend on the level: the decisions that are still to be made hardly do.
    told = 0 if wanted.explain is False else len(pack([*decisions, _LIKELY])) + _ROW
    size = wanted.target_size
    if wanted.explain is None and size is not None and told > MOST_TOLD * size:
        told = 0
    fixed = sum(len(p.payload) for p in others) + told

    def measure(level: int, weight: float) -> float:
        at = Regions(at_level(regions.metadata, level, wanted), regions.core_map)
        coded = trials[level, weight] = lossy_tiers(array, at, wanted, workers, weight, analyse)
        if size is None:
            return _psnr_outside(array, at, coded, workers)
        parts = sorted([*others, *coded.parts], key=lambda p: KINDS.index(p.kind))
        return math.log(len(assemble(coded.metadata, parts)) + told - fixed)

    first = regions.metadata.quality_level
    if size is not None:
        room = size - fixed
        if room <= 0:
            raise UnreachableError(
                f"target_size {size} cannot be reached: with these foci, everything but the "
                f"lossy tiers takes about {fixed} bytes"
            )
        aim, near, how = math.log(room), _NEAR_SIZE * size / room, rate_search.SIZE
        first, how = _probed(array, regions, wanted, workers, aim, first)
    else:
        assert wanted.target_psnr is not None
        aim, near, how = wanted.target_psnr, _NEAR_PSNR, rate_search.PSNR
    found = rate_search.solve(measure, aim, near, first, how)
    if size is not None:
        found = _fitting(found, room, size, fixed)
    best = found[-1]
    coded = trials[best.level, best.weight]
    decision = _of_target(found, None if size is None else fixed)
    return replace(coded, decisions=[decision, *coded.decisions])


def _fitting(found: Sequence[Trial], room: int, size: int, fixed: int) -> list[Trial]:
    """The trials, last the one that counts: the largest that is not too large. Bytes do not always
    follow the level: what is drawn at one may not be at another."""
    fit = [t for t in found if math.exp(t.value) <= room + _TOO_LARGE * size]
    if not fit:
        least = round(math.exp(min(t.value for t in found))) + fixed
        raise UnreachableError(
            f"target_size {size} cannot be reached: with these foci no file is smaller than about "
            f"{least} bytes"
        )
    best = found[-1] if found[-1] in fit else max(fit, key=lambda t: t.value)
    return [*(t for t in found if t is not best), best]


def _probed(
    array: U8, regions: Regions, wanted: Settings, workers: Workers, aim: float, first: int
) -> tuple[int, How]:
    """A level whose lossy tiers take about e^aim bytes, by a quarter of the picture's groups, and
    how bytes follow the level around it."""
    side, colours = dct.GROUP, 1 if array.shape[2] < 3 else 3
    rows, columns = (n // side for n in array.shape[:2])
    groups = [
        array[y * side : (y + 1) * side, x * side : (x + 1) * side, :colours]
        for y in range(rows)
        for x in range(columns)
        if (x + 2 * y) % 4 == 0
    ]
    if rows * columns < _GROUPS_TO_PROBE:
        return first, rate_search.SIZE
    sample = np.ascontiguousarray(np.concatenate(groups))
    nothing = np.zeros(sample.shape[:2], np.uint8)
    outside = int((geometry.outside_cores(regions.class_map()) > 0).sum())
    share = math.log(max(outside, 1) / nothing.size)
    meta = replace(regions.metadata, width=side, height=len(sample), mid="none")

    def measure(level: int, weight: float) -> float:
        at = at_level(meta, level, wanted)
        analysis = dct.Analysis(sample, at, nothing, "auto", wanted.effort, workers, weight)
        preview, tiers = analysis.encode([dct.BACKGROUND])
        return share + math.log(len(preview) + sum(map(len, tiers.values())))

    how = rate_search.SIZE._replace(trials=3)
    found = rate_search.solve(measure, aim, _NEAR_PROBE, first, how)
    slope = rate_search.slope_of(found)
    return found[-1].level, rate_search.SIZE._replace(slope=slope or rate_search.SIZE.slope)


def _of_target(found: Sequence[Trial], fixed: int | None) -> Decision:
    """fixed: bytes that no level changes, if it was about bytes."""

    def named(t: Trial) -> str:
        value = (
            f"{t.value:.2f} dB" if fixed is None else f"{round(math.exp(t.value)) + fixed} bytes"
        )
        weight = "" if t.weight == 1 else f", a bit counting {t.weight:.2f} times"
        return f"level {t.level}{weight}: {value}"

    rows = tuple(Candidate(named(t)) for t in found)
    return Decision("quality", rows[-1].name, "The nearest of the trials to what was wanted.", rows)


def _psnr_outside(array: U8, regions: Regions, coded: Coded, workers: Workers) -> float:
    """PSNR over the colours of all pixels outside the cores, in dB."""
    metadata, tiles = coded.metadata, next((p for p in coded.parts if p.kind == "tiles"), None)
    shown = Regions(metadata, regions.core_map)
    if tiles is not None:
        shape = geometry.tiles_of(metadata.height, metadata.width)
        shown.tiles = labels.decode(tiles.payload, *shape, 1)
    picture = Picture(shown, workers, Problems(strict=True))
    for segment, part in zip(table_of(coded.parts), coded.parts, strict=True):
        if part.kind != "tiles":
            picture.add(segment, part.payload)
    colours = 1 if array.shape[2] < 3 else 3
    error, samples = _native.squared_error(array, picture.show(), colours, shown.class_map())
    return 10 * math.log10(255**2 * samples / error) if error else _EXACT_PSNR
