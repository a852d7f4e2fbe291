"""How alike two images look: MS-SSIM of luma, and SSIMULACRA2, which knows colours as well.

Both hold many decoded images against one original, of which everything is computed but once.
"""

import math
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .images import U8
from .metrics import LUMA

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

#: The Gaussian window of both, in pixels, cut off at a radius.
_SIGMA, _RADIUS = 1.5, 5

#: Rows or columns that a product with a matrix blurs at once.
_BLOCK = 32

#: Exponents of MS-SSIM's scales (Wang, Simoncelli, Bovik 2003), and SSIM's constants of 8 bits.
_EXPONENTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def _band() -> F32:
    """A matrix (block, block + 2 radius) with the window in every row, each a pixel further on."""
    taps = np.exp(-0.5 * (np.arange(-_RADIUS, _RADIUS + 1) / _SIGMA) ** 2)
    matrix = np.zeros((_BLOCK, _BLOCK + 2 * _RADIUS), np.float32)
    for k, row in enumerate(matrix):
        row[k : k + taps.size] = taps / taps.sum()
    return matrix


_BAND = _band()


def _windowed(values: F32) -> F32:
    """Means over the window where all of it lies in the image: two radii less on both sides.

    As products of matrices these take half the time of SciPy's filter.
    """
    height, width = (side - 2 * _RADIUS for side in values.shape)
    rows = np.empty((height, values.shape[1]), np.float32)
    for k in range(0, height, _BLOCK):
        band = _BAND[: height - k, : height - k + 2 * _RADIUS]
        np.matmul(band, values[k : k + band.shape[1]], out=rows[k : k + _BLOCK])
    means = np.empty((height, width), np.float32)
    for k in range(0, width, _BLOCK):
        band = _BAND[: width - k, : width - k + 2 * _RADIUS]
        means[:, k : k + _BLOCK] = rows[:, k : k + band.shape[1]] @ band.T
    return means


class _Plane(NamedTuple):
    """A plane of the original at a scale: itself, its means, and the variances around them."""

    values: F32
    mean: F32
    variance: F32


class MsSsim:
    """MS-SSIM of luma. Images below 176 pixels have fewer scales."""

    def __init__(self, image: U8) -> None:
        planes = [image @ LUMA]
        while len(planes) < len(_EXPONENTS) and min(planes[-1].shape) >= 2 * (2 * _RADIUS + 1):
            planes.append(_halved(planes[-1]))
        self._planes = [_Plane(p, *_moments(p)) for p in planes]

    def score(self, decoded: U8) -> float:
        """Up to 1, which is for equal images."""
        exponents = _EXPONENTS[: len(self._planes)]
        values, product = decoded @ LUMA, 1.0
        for k, (plane, exponent) in enumerate(zip(self._planes, exponents, strict=True)):
            values = _halved(values) if k else values
            mean, variance = _moments(values)
            covariance = _windowed(values * plane.values) - mean * plane.mean
            likeness = (2 * covariance + _C2) / (variance + plane.variance + _C2)
            if k == len(exponents) - 1:
                squares = mean * mean + plane.mean * plane.mean
                likeness *= (2 * mean * plane.mean + _C1) / (squares + _C1)
            product *= max(float(likeness.mean()), 0.0) ** (exponent / sum(exponents))
        return product


def _moments(values: F32) -> tuple[F32, F32]:
    mean = _windowed(values)
    return mean, _windowed(values * values) - mean * mean


def _halved(values: F32) -> F32:
    """Means over 2 x 2 pixels; at odd borders over those there are."""
    odd = [(0, side % 2) for side in values.shape]
    if any(map(any, odd)):
        values = np.pad(values, odd, "edge")
    rows = values[::2] + values[1::2]
    halved: F32 = (rows[:, ::2] + rows[:, 1::2]) * np.float32(0.25)
    return halved


#: SSIMULACRA2's scales, the least side of one, and its constant.
_SCALES, _LEAST = 6, 8
_C = np.float32(0.0009)


class Ssimulacra2:
    """SSIMULACRA2 of the package of that name, at several times its speed; NaN without it."""

    def __init__(self, image: U8) -> None:
        self._planes = []
        if find_spec("ssimulacra2"):
            self._planes = [
                [_Plane(p, mean := _soft(p), _soft(p * p) - mean * mean) for p in planes]
                for planes in _xyb_scales(image)
            ]

    def score(self, decoded: U8) -> float:
        """100 is for equal images, 90 for those nobody can tell apart, 30 for bad ones."""
        if not self._planes:
            return math.nan
        package = _package()
        total = package.Msssim()
        for originals, planes in zip(self._planes, _xyb_scales(decoded), strict=True):
            pairs = [_compared(plane, p) for plane, p in zip(originals, planes, strict=True)]
            scale = package.MsssimScale()
            scale.avg_ssim, scale.avg_edgediff = map(np.concatenate, zip(*pairs, strict=True))
            total.scales.append(scale)
        return float(total.score())


def _package() -> Any:
    """The module of the package, which is not typed; its weights and constants are used."""
    return import_module("ssimulacra2.ssimulacra2")


def _xyb_scales(image: U8) -> Iterator[list[F32]]:
    """The three planes of the colour space, scale by scale."""
    package = _package()
    curve = package.srgb_to_linear(np.arange(256)).astype(np.float32)
    planes = [np.ascontiguousarray(curve[image[..., k]]) for k in range(3)]
    matrix = package.kOpsinAbsorbanceMatrix.reshape(3, 3).tolist()
    bias = float(package.kB0)
    for scale in range(_SCALES):
        planes = [_halved(p) for p in planes] if scale else planes
        if min(planes[0].shape) < _LEAST:
            return
        red, green, blue = planes
        long, middle, short = (
            np.cbrt(r * red + g * green + b * blue + bias) - math.cbrt(bias) for r, g, b in matrix
        )
        luma = 0.5 * (long + middle)
        yield [7 * (long - middle) + 0.42, luma + 0.01, short - luma + 0.55]


def _soft(values: F32) -> F32:
    """Means over the window, black to the left and right of the image, as the package has it."""
    rim = _RADIUS, _RADIUS
    return _windowed(np.pad(np.pad(values, (rim, (0, 0)), "symmetric"), ((0, 0), rim)))


def _compared(plane: _Plane, values: F32) -> tuple[F64, F64]:
    """Means, and means of the fourth power, of structure lost, edges made up and edges lost."""
    mean = _soft(values)
    variance = _soft(values * values) - mean * mean
    covariance = _soft(values * plane.values) - mean * plane.mean
    shift = mean - plane.mean
    likeness = (2 * covariance + _C) / (variance + plane.variance + _C)
    structure = np.maximum(1 - (1 - shift * shift) * likeness, 0)
    edges = (1 + np.abs(values - mean)) / (1 + np.abs(plane.values - plane.mean)) - 1
    return _norms(structure), np.concatenate(
        [_norms(np.maximum(edges, 0)), _norms(np.maximum(-edges, 0))]
    )


def _norms(values: F32) -> F64:
    squares = (values * values).ravel()
    fourth = float(np.dot(squares, squares)) / squares.size
    return np.array([values.mean(), fourth**0.25])
