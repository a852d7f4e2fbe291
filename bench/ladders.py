"""The search for the setting of a codec that gives a wanted rate, or a wanted PSNR."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from . import peers
from .images import U8, Focus
from .metrics import psnr
from .peers import Codec

#: What is near enough to a target: this part of a rate, and this many dB.
_NEAR_RATE, _NEAR_PSNR = 0.06, 0.1

#: Trials for one target at most.
_TRIES = 8

#: A guess of what the logarithm of the rate brings, in dB for each 1.
_DB_PER_LOG = 5.0

#: JPEG XL's distances go from here on by this factor.
_FARTHEST, _NEARER = 15.0, 0.98


@dataclass(frozen=True)
class Knob:
    """A codec whose quality goes by whole steps from low to high, which takes the most bytes.

    start gives about 0.67 bits per pixel, and slope is what a step adds to the logarithm of the
    rate: guesses that only cost trials if they are wrong.
    """

    make: Callable[[int], Codec]
    low: int
    high: int
    start: int
    slope: float


def aig(focus: Focus, effort: int, tune: str = "psnr") -> Knob:
    """AIG with a focus and nothing between it and the background."""

    def make(step: int) -> Codec:
        return peers.aig_background(focus, effort, tune, level=step)

    return Knob(make, 0, 255, 110, 0.016)


def avif(tune: str = "", subsampling: str = "4:2:0") -> Knob:
    """AVIF, speed 6."""
    make = partial(peers.avif, subsampling=subsampling, tune=tune)
    # 100 is lossless, which cannot be tuned.
    return Knob(make, 0, 99 if tune else 100, 50 if tune == "psnr" else 58, 0.045)


def webp() -> Knob:
    """WebP, method 4."""
    return Knob(peers.webp, 0, 100, 65, 0.025)


def jpeg() -> Knob:
    """JPEG 4:2:0, optimised and progressive."""
    return Knob(peers.jpeg_optimised, 1, 100, 50, 0.02)


def jxl() -> Knob:
    """JPEG XL, effort 7, from distance 15 to 0.05."""

    def make(step: int) -> Codec:
        return peers.jxl(round(_FARTHEST * _NEARER**step, 3), 7)

    return Knob(make, 0, 282, 105, 0.015)


@dataclass(frozen=True)
class Trial:
    """What a codec makes of an image at a step of its knob; rate in bits per pixel, PSNR in dB."""

    step: int
    codec: Codec
    data: bytes
    decoded: U8
    rate: float
    psnr: float


class Ladder:
    """The trials of a codec on an image, each of them made once."""

    def __init__(self, knob: Knob, image: U8) -> None:
        self._knob, self._image = knob, image
        self.trials: dict[int, Trial] = {}

    def at_rate(self, target: float, near: float = _NEAR_RATE, guess: int | None = None) -> Trial:
        """The trial whose rate is nearest to the target; guess is a step to begin with."""
        return self._seek(
            lambda trial: math.log(trial.rate),
            math.log(target),
            near,
            self._knob.slope,
            guess,
        )

    def at_psnr(self, target: float) -> Trial:
        """The trial whose PSNR is nearest to the target."""
        slope = _DB_PER_LOG * self._knob.slope
        return self._seek(lambda trial: trial.psnr, target, _NEAR_PSNR, slope)

    def climb(self, rates: Sequence[float], guesses: Mapping[float, int]) -> dict[float, Trial]:
        """The trials nearest to some rates, the middle one sought first, then the outer ones."""
        middle = len(rates) // 2
        order = [rates[middle], *{rates[0]: 0, rates[-1]: 0}, *rates]
        found = {rate: self.at_rate(rate, guess=guesses.get(rate)) for rate in dict.fromkeys(order)}
        return {rate: found[rate] for rate in rates}

    def _try(self, step: int) -> None:
        codec = self._knob.make(step)
        data = codec.encode(self._image)
        decoded = codec.decode(data)
        rate = 8 * len(data) / self._image[..., 0].size
        self.trials[step] = Trial(step, codec, data, decoded, rate, psnr(self._image, decoded))

    def _seek(
        self,
        value: Callable[[Trial], float],
        target: float,
        near: float,
        slope: float,
        guess: int | None = None,
    ) -> Trial:
        """Follow secants until a trial is near, or until there is no step left in between."""

        def distance(trial: Trial) -> float:
            return abs(value(trial) - target)

        for _ in range(_TRIES):
            if any(distance(trial) <= near for trial in self.trials.values()):
                break
            points = {step: value(trial) for step, trial in self.trials.items()}
            step = self._next(points, target, slope) if guess is None else guess
            guess = None
            if step is None:
                break
            if step not in self.trials:
                self._try(step)
        return min(self.trials.values(), key=distance)

    def _next(self, points: Mapping[int, float], target: float, slope: float) -> int | None:
        """The step to try after these points (step, value); None if there is no use in any."""
        if not points:
            return self._knob.start
        below = max((step for step, value in points.items() if value <= target), default=None)
        above = min((step for step, value in points.items() if value > target), default=None)
        if below is not None and above is not None:
            if above - below < 2:
                return None
            part = 0.5  # where the PSNR is infinite
            if math.isfinite(points[above]):
                part = (target - points[below]) / (points[above] - points[below])
            return min(max(below + round(part * (above - below)), below + 1), above - 1)
        first, last = min(points), max(points)
        if last > first:
            # The steeper, the nearer: too far is worse than not far enough.
            slope = max(slope, (points[last] - points[first]) / (last - first))
        if below is None:
            step = first + math.floor((target - points[first]) / slope)
        else:
            step = last + math.ceil((target - points[last]) / slope)
        step = min(max(step, self._knob.low), self._knob.high)
        return None if step in points else step
