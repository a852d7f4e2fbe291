"""The quality level that gives a wanted size or a wanted PSNR: secants and bisection on trials.

Both grow with the level, nearly linearly over the logarithm of the quantiser step. Levels are
discrete; what lies between two of them is reached by the weight of a bit, which an encoder is free
to choose.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

from ..coders import dct

#: Weights that still do what they should.
_LIGHTEST, _HEAVIEST = 0.5, 2.0


class How(NamedTuple):
    """How a value follows the level.

    slope: guess of what an octave of the step changes; weight: what a weight e times as large does;
    trials: how many there may be at most.
    """

    slope: float
    weight: float
    trials: int


#: Of log(bytes) of the lossy tiers, and of PSNR in dB.
SIZE, PSNR = How(-0.85, -0.24, 5), How(-4.6, -0.90, 7)
#: The finer the steps, the more they change: of the guess, towards finer and coarser ones.
_FINER, _COARSER = 1.15, 0.8


class Trial(NamedTuple):
    """What came out at a level, and with a weight of a bit relative to the usual one."""

    level: int
    weight: float
    value: float


def solve(
    measure: Callable[[int, float], float], target: float, tolerance: float, first: int, how: How
) -> list[Trial]:
    """Trials until one is near the target, the best one last.

    measure(level, weight): a value that grows with the level.
    """
    trials: list[Trial] = []

    def near(trial: Trial) -> float:
        return abs(trial.value - target)

    def attempt(level: int, weight: float = 1.0) -> bool:
        trials.append(Trial(level, weight, measure(level, weight)))
        return near(trials[-1]) <= tolerance

    done = attempt(min(max(first, 0), 255))
    while not done and len(trials) < how.trials:
        level = _next(trials, target, how.slope)
        best = min(trials, key=near)
        weight = math.exp((target - best.value) / how.weight)
        last = len(trials) == how.trials - 1
        if level is None or (last and _LIGHTEST <= weight <= _HEAVIEST):
            # Levels are too coarse, or the time is up: the weight does the rest, as far as it can.
            attempt(best.level, min(max(weight, _LIGHTEST), _HEAVIEST))
            break
        done = attempt(level)
    chosen = min(trials, key=near)
    trials.remove(chosen)
    return [*trials, chosen]


def slope_of(trials: list[Trial]) -> float | None:
    """What an octave of the step changed between the two trials that are nearest to the last."""
    usual = [t for t in trials if t.weight == 1]
    if len(usual) < 2:
        return None
    last = usual[-1]
    other = min(usual[:-1], key=lambda t: abs(t.level - last.level))
    rise = _octave(other.level) - _octave(last.level)
    slope = (other.value - last.value) / rise if rise else 0.0
    return slope if slope < 0 else None


def _octave(level: int) -> float:
    return math.log2(dct.base_step(level))


def _next(trials: list[Trial], target: float, slope: float) -> int | None:
    """The level to try next; None if there is none between those that are known."""
    below = max((t for t in trials if t.value <= target), key=lambda t: t.level, default=None)
    above = min((t for t in trials if t.value > target), key=lambda t: t.level, default=None)
    if below is not None and above is not None:
        if above.level - below.level < 2:
            return None
        part = (target - below.value) / (above.value - below.value)
        wanted = _octave(below.level) + part * (_octave(above.level) - _octave(below.level))
        return min(max(_level(wanted), below.level + 1), above.level - 1)
    known = below or above
    assert known is not None
    slope *= _FINER if below is not None else _COARSER
    if len(trials) > 1:
        first, last = sorted(trials, key=lambda t: t.level)[:: len(trials) - 1]
        rise = _octave(last.level) - _octave(first.level)
        if rise and (last.value - first.value) / rise < 0:
            slope = (last.value - first.value) / rise
    level = _level(_octave(known.level) + (target - known.value) / slope)
    if below is not None:
        level = max(level, min(255, known.level + 1))
    else:
        level = min(level, max(0, known.level - 1))
    return None if any(t.level == level for t in trials) else level


def _level(octave: float) -> int:
    """The level whose step is nearest, on a logarithmic scale."""
    return min(range(256), key=lambda level: abs(_octave(level) - octave))
