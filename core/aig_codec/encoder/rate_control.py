"""Rate control: a wanted size or PSNR instead of a quality, by a loop around the pipeline."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..container.decisions import Candidate, Decision, pack
from . import rate_search
from .plan import Coded
from .rate_search import How, Trial
from .settings import Settings

U8 = NDArray[np.uint8]

#: How near a target is near enough: of log(bytes), and in dB; what is too much of the former.
_NEAR_SIZE, _NEAR_PSNR, _TOO_LARGE = 0.014, 0.05, 0.02

#: First guesses: level at 1 bit per pixel and for a doubling; at 0 dB and for each dB; and where
#: guesses end.
_LEVEL_OF_RATE, _LEVEL_OF_PSNR, _GUESSES = (200, 45), (-180, 9.5), (40, 225)

#: Decisions that nobody asked for are told where they take no more than this part of the rest.
MOST_TOLD = 1 / 50

#: How near a probe must be, in log(bytes).
_NEAR_PROBE = 0.06

#: Decisions that will be told, and what their row in the table of contents takes.
_LIKELY = Decision(
    "quality",
    "level 123: 456789 bytes",
    "The nearest of the trials to what was wanted. Nothing looks drawn, so graphics",
    tuple(Candidate(f"level {level}: {level}6789 bytes") for level in (131, 145, 123)),
)
_ROW = 10


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
    wanted: Settings,
    first: int,
    fixed: int,
    decisions: Sequence[Decision],
    encode: Callable[[int, float], Coded],
    measure: Callable[[Coded], float],
    probe: Callable[[int, float], float] | None,
) -> Coded:
    """What `encode` gives at the level that a wanted size or PSNR asks for. Raises
    UnreachableError.

    first: a guess at the level. fixed: bytes of all segments that no level changes. decisions:
    those that were made before. encode: by level and weight of a bit. measure: bytes of the file
    without the decisions, or PSNR in dB. probe: a fast guess at the logarithm of the bytes.
    """
    trials: dict[tuple[int, float], Coded] = {}
    # What does not depend on the level: the decisions that are still to be made hardly do.
    told = 0 if wanted.explain is False else len(pack([*decisions, _LIKELY])) + _ROW
    size = wanted.target_size
    if wanted.explain is None and size is not None and told > MOST_TOLD * size:
        told = 0
    fixed += told

    def value(level: int, weight: float) -> float:
        coded = trials[level, weight] = encode(level, weight)
        found = measure(coded)
        return found if size is None else math.log(found + told - fixed)

    if size is not None:
        room = size - fixed
        if room <= 0:
            raise UnreachableError(
                f"target_size {size} cannot be reached: with these foci, everything but the "
                f"lossy tiers takes about {fixed} bytes"
            )
        aim, near, how = math.log(room), _NEAR_SIZE * size / room, rate_search.SIZE
        if probe is not None:
            first, how = _probed(probe, aim, first)
    else:
        assert wanted.target_psnr is not None
        aim, near, how = wanted.target_psnr, _NEAR_PSNR, rate_search.PSNR
    found = rate_search.solve(value, aim, near, first, how)
    if size is not None:
        found = _fitting(found, room, size, fixed)
    best = found[-1]
    coded = trials[best.level, best.weight]
    decision = _of_target(found, None if size is None else fixed)
    return replace(coded, decisions=(decision, *coded.decisions))


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


def _probed(probe: Callable[[int, float], float], aim: float, first: int) -> tuple[int, How]:
    """A level whose lossy tiers take about e^aim bytes, and how bytes follow it around there."""
    how = rate_search.SIZE._replace(trials=3)
    found = rate_search.solve(probe, aim, _NEAR_PROBE, first, how)
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
