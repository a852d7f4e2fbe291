"""Distortions outside the focus, and the BD-rate between two ladders."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .images import U8, Mask

#: Width of the band around the focus that is also judged on its own, in pixels.
RIM = 16

#: Two ladders must share this much of the distortion scale to be compared, in dB.
MIN_OVERLAP = 1.0

#: Shares of red, green and blue in luma.
LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def psnr(a: U8, b: U8, mask: Mask | None = None) -> float:
    """Peak signal-to-noise ratio in dB over the pixels in mask; infinite where they are equal."""
    difference = a.astype(np.int32) - b
    squares = difference * difference
    error = float(np.mean(squares if mask is None else squares[mask]))
    return math.inf if error == 0 else 10 * math.log10(255**2 / error)


def ssim_db(ssim: float) -> float:
    """SSIM on a scale on which equal steps matter equally: 0.9 is 10 dB, 0.99 is 20 dB."""
    return math.inf if ssim >= 1 else -10 * math.log10(1 - ssim)


@dataclass(frozen=True)
class Score:
    """What the judge sees of a decoded image."""

    psnr: float
    ssim: float
    rim_psnr: float
    exact: bool


class Judge:
    """Compares decoded images with the original, outside its core and inside.

    PSNR is over all pixels outside the core, rim_psnr over the band next to it; SSIM is that of
    luma, averaged outside the core; exact says whether every core pixel came back.
    """

    def __init__(self, image: U8, core: Mask) -> None:
        from scipy.ndimage import distance_transform_edt

        self._image, self._core, self._outside = image, core, ~core
        self._rim = self._outside & (distance_transform_edt(self._outside) <= RIM)
        self._luma = image @ LUMA

    def psnr(self, decoded: U8) -> float:
        """PSNR outside the core."""
        return psnr(self._image, decoded, self._outside)

    def score(self, decoded: U8) -> Score:
        """Everything at once."""
        from skimage.metrics import structural_similarity

        luma = decoded @ LUMA
        similarity: Any = structural_similarity
        ssim = similarity(self._luma, luma, data_range=255, full=True)[1]
        return Score(
            self.psnr(decoded),
            float(ssim[self._outside].mean()),
            psnr(self._image, decoded, self._rim),
            self.exact(decoded),
        )

    def exact(self, decoded: U8) -> bool:
        """Whether every pixel of the core came back."""
        return np.array_equal(self._image[self._core], decoded[self._core])


Curve = Iterable[tuple[float, float]]


def bd_rate(reference: Curve, test: Curve, *, min_overlap: float = MIN_OVERLAP) -> float | None:
    """Mean change of bytes at equal quality from reference to test, in percent.

    Curves are points (bytes, dB). The logarithm of the bytes is interpolated piecewise-cubically
    over dB and averaged over the range both curves cover. None if that is below min_overlap.
    """
    from scipy.interpolate import PchipInterpolator

    curves = []
    for points in (reference, test):
        cheapest: dict[float, float] = {}
        for size, quality in points:
            if math.isfinite(quality):
                cheapest[quality] = min(size, cheapest.get(quality, math.inf))
        qualities = sorted(cheapest)
        if len(qualities) < 2:
            return None
        curves.append((np.array(qualities), np.log([cheapest[q] for q in qualities])))
    low = max(qualities[0] for qualities, _ in curves)
    high = min(qualities[-1] for qualities, _ in curves)
    if high - low < min_overlap:
        return None
    areas = [PchipInterpolator(*curve).integrate(low, high) for curve in curves]
    return 100 * math.expm1(float(areas[1] - areas[0]) / (high - low))
