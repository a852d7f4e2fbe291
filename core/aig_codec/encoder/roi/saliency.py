"""Where to look when nobody says: several cues of saliency on a small version of the picture.

Each cue says by itself what stands out, from 0 to 1, and all count alike: none of them is right
often enough to be trusted alone, and weights would only fit the pictures they were fitted to.

- the spectral residual (Hou and Zhang, CVPR 2007);
- contrast of a centre with its surround in luma and opponent colours, at three scales (Itti, Koch
  and Niebur, PAMI 1998);
- how unlike the borders a colour is, since what is meant seldom lies there (Zhu, Liang, Wei and
  Sun, CVPR 2014), as Mahalanobis distance; and how unlike the whole picture (Achanta et al., CVPR
  2009);
- sharpness: what is in focus, and text;
- the colours of skin (Hsu, Abdel-Mottaleb and Jain, PAMI 2002), and warm colours at all.
"""

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ... import _native
from ...geometry import row_slices

U8 = NDArray[np.uint8]
F64 = NDArray[np.float64]

#: Cells along the shorter side of the map, at least; and in pictures so much longer than wide,
#: which have many of them.
_MAP_SIDE, _LONG, _LONG_MAP_SIDE = 48, 16, 24
#: Relative to that side: standard deviations of the centres, of the surrounds in centres, and of
#: what a focus sees at once.
_CENTRES, _SURROUND, _VIEW = (0.03, 0.06, 0.12), 4.0, 0.1
#: Standard deviation of the places where photographers put what they mean, in picture sizes.
_CENTRED = 0.3
#: A further focus must be at least this salient, relative to the first.
_SECOND = 0.6
#: A blob is what is more salient than this part of the way from the mean to its peak.
_BLOB = 0.5
#: Below this confidence nothing stands out.
_NOTHING = 0.1
#: The longer axis of a focus is at most this many times as long as the shorter one.
_MOST_AXES = 2.0
#: Radius of a focus where nothing stands out, relative to the shorter side.
_MODEST = 0.12

#: Up to so many cells an axis is blurred by a matrix of all pairs; longer ones by so many means.
_WHOLE, _MEANS = 512, 4
#: Axes whose matrices are kept: those of most pictures, and at most 250 KB each.
_KEPT = 176

_LUMA = np.array([0.299, 0.587, 0.114])


class Salient(NamedTuple):
    """Something that stands out.

    x, y: pixels. sigma: relative squares of the semi-axes, whose product is 1. radius: geometric
    mean of the semi-axes, in pixels. confidence: 0..1, how much it stands out.
    """

    x: int
    y: int
    sigma: tuple[float, float]
    radius: float
    confidence: float


def find(pixels: U8) -> list[Salient]:
    """One to three things that stand out of an image, uint8 (H, W, C); the best first.

    One modest focus in the middle, of confidence 0, if nothing does.
    """
    height, width = pixels.shape[:2]
    shorter, longer = sorted((height, width))
    step = max(1, shorter // (_MAP_SIDE if longer <= _LONG * shorter else _LONG_MAP_SIDE))
    cells = _native.cell_means(pixels, step).astype(float)
    if min(cells.shape[:2]) < 8 or np.ptp(cells[..., :-1]) < 1:
        return [_middle(width, height)]
    salient = _salience(cells)
    found: list[Salient] = []
    left = salient.copy()
    peak = float(salient.max())
    while len(found) < 3 and left.max() >= _SECOND * peak > 0:
        y, x = divmod(int(left.argmax()), left.shape[1])
        blob = _blob(salient, y, x)
        one = _measure(salient, blob, y, x, step, (width, height))
        if one.confidence < _NOTHING:
            break
        found.append(one)
        # Whatever belongs to it is not another one.
        rows, columns = np.ogrid[: left.shape[0], : left.shape[1]]
        sx, sy = one.sigma
        away = (columns - x) ** 2 / sx + (rows - y) ** 2 / sy
        left[blob | (away < (2 * one.radius / step) ** 2)] = 0
    return found or [_middle(width, height)]


def _middle(width: int, height: int) -> Salient:
    return Salient(width // 2, height // 2, (1.0, 1.0), _MODEST * min(width, height), 0.0)


def _salience(cells: F64) -> F64:
    """The mean of all cues, as a focus sees it: (h, w)."""
    total = np.zeros(cells.shape[:2])
    count = 0
    # One at a time: a picture of few rows has as many cells as pixels.
    for cue in _cues(cells[..., :-1], cells[..., -1]):
        total += cue
        count += 1
    total /= count
    height, width = cells.shape[:2]
    y, x = np.arange(height) / (height - 1) - 0.5, np.arange(width) / (width - 1) - 0.5
    total *= np.exp(-(x**2 + y[:, None] ** 2) / (2 * _CENTRED**2))
    return _blur(total, _VIEW * min(height, width))


def _cues(colours: F64, energy: F64) -> Iterator[F64]:
    if colours.shape[2] == 1:
        colours = np.repeat(colours, 3, axis=2)
    luma = colours @ _LUMA
    warm = colours[..., 0] - colours[..., 1]
    blue = colours[..., 2] - (colours[..., 0] + colours[..., 1]) / 2
    opponents = np.stack([0.7 * luma, warm, 0.7 * blue])
    yield _scaled(_blur(_spectral_residual(luma), 2.5))
    yield _scaled(_centre_surround(np.stack([0.5 * luma, warm, blue])))
    yield _scaled(_blur(_unlike_borders(opponents), 1))
    yield _scaled(_blur(_unlike(opponents, opponents.reshape(3, -1), 20.0), 1))
    yield _scaled(_blur(np.log1p(energy), 1.5))
    yield _blur(_skin(colours, luma), 1)
    yield _scaled(_blur(np.maximum(0, warm), 1))


def _blur(planes: F64, sigma: float) -> F64:
    """Gaussian blur of planes (.., h, w); what lies beyond the border has no weight.

    Products with matrices, or along an axis of many cells repeated means: work and memory are
    linear in the cells, whatever the shape.
    """
    height, width = planes.shape[-2:]
    if height <= _WHOLE:
        blurred = _gaussian(height, sigma) @ planes
    else:
        turned = np.ascontiguousarray(planes.swapaxes(-1, -2))
        blurred = np.ascontiguousarray(_repeated_means(turned, sigma).swapaxes(-1, -2))
    if width <= _WHOLE:
        return np.asarray(blurred @ _gaussian(width, sigma).T)
    return _repeated_means(blurred, sigma)


def _repeated_means(planes: F64, sigma: float) -> F64:
    """About a Gaussian blur along the last axis: four means over boxes whose outermost cells count
    by a fraction (Gwosdek, Grewenig, Bruhn and Weickert 2011)."""
    n, variance = planes.shape[-1], sigma * sigma / _MEANS
    m = math.floor((math.sqrt(12 * variance + 1) - 1) / 2)
    share = (2 * m + 1) * (m * (m + 1) / 3 - variance) / (2 * (variance - (m + 1) ** 2))
    rows = planes.reshape(-1, n)
    blurred = np.empty_like(rows)
    weight = _means(np.ones((1, n)), m, share)
    for some in row_slices(len(rows), 8 * n):
        blurred[some] = _means(rows[some], m, share) / weight
    return blurred.reshape(planes.shape)


def _means(rows: F64, m: int, share: float) -> F64:
    """Repeated sums over boxes of 2 m + 1 cells, and a share of the two beyond, of (k, n)."""
    n = rows.shape[1]
    # Sums of all cells before a place, from m + 1 cells before the first to m + 1 behind the last.
    sums = np.zeros((len(rows), n + 2 * m + 3))
    for _ in range(_MEANS):
        np.cumsum(rows, axis=1, out=sums[:, m + 2 : m + 2 + n])
        sums[:, m + 2 + n :] = sums[:, m + 1 + n, None]
        inner = sums[:, 2 * m + 2 : 2 * m + 2 + n] - sums[:, 1 : n + 1]
        outer = sums[:, 2 * m + 3 :] - sums[:, :n]
        rows = (1 - share) * inner + share * outer
    return rows


def _gaussian(n: int, sigma: float) -> F64:
    return _kept_gaussian(n, sigma) if n <= _KEPT else _new_gaussian(n, sigma)


@lru_cache(maxsize=20)
def _kept_gaussian(n: int, sigma: float) -> F64:
    return _new_gaussian(n, sigma)


def _new_gaussian(n: int, sigma: float) -> F64:
    places = np.arange(n)
    weights: F64 = np.exp(-0.5 * ((places[:, None] - places) / sigma) ** 2)
    weights /= weights.sum(1, keepdims=True)
    return weights


def _scaled(cue: F64) -> F64:
    """From the least common to the largest common value as 0..1."""
    low, high = np.percentile(cue, (5, 99))
    scaled: F64 = np.clip((cue - low) / max(high - low, 1e-9), 0, 1)
    return scaled


def _spectral_residual(luma: F64) -> F64:
    # The transform wraps around: without a taper, opposite borders that differ look salient.
    height, width = luma.shape
    taper = np.sqrt(np.outer(np.hanning(height + 2), np.hanning(width + 2)))[1:-1, 1:-1]
    spectrum = np.fft.fft2((luma - luma.mean()) * taper)
    amplitude = np.log(np.abs(spectrum) + 1e-3)
    padded = np.pad(amplitude, 1, "edge")
    around = np.zeros_like(amplitude)
    for i in range(3):
        for j in range(3):
            around += padded[i : i + height, j : j + width]
    residual = amplitude - around / 9
    back: F64 = np.abs(np.fft.ifft2(np.exp(residual + 1j * np.angle(spectrum)))) ** 2
    return back


def _centre_surround(planes: F64) -> F64:
    side = min(planes.shape[1:])
    contrast = np.zeros(planes.shape[1:])
    for centre in _CENTRES:
        around = _blur(planes, _SURROUND * centre * side)
        contrast += np.abs(_blur(planes, centre * side) - around).sum(0)
    return contrast


def _unlike_borders(planes: F64) -> F64:
    """How unlike the most similar borders, and less so the others, colours are: a thing that is
    cut by one border still differs from the rest."""
    wide = max(1, min(planes.shape[1:]) // 16)
    borders = (
        np.s_[:, :wide, :],
        np.s_[:, -wide:, :],
        np.s_[:, :, :wide],
        np.s_[:, :, -wide:],
    )
    distances = np.empty((4, *planes.shape[1:]))
    for distance, border in zip(distances, borders, strict=True):
        distance[...] = _unlike(planes, planes[border].reshape(3, -1), 60.0)
    distances.sort(axis=0)
    nearest: F64 = distances[0] + distances[1] / 2 + distances[2] / 4
    return np.minimum(nearest, 30)


def _unlike(planes: F64, samples: F64, noise: float) -> F64:
    """Mahalanobis distance of colours (3, h, w) to samples (3, n), whose variance is at least
    that of noise."""
    inverse = np.linalg.inv(np.cov(samples) + np.eye(3) * noise)
    away = planes - samples.mean(1)[:, None, None]
    distance: F64 = np.sqrt(np.einsum("ihw,ij,jhw->hw", away, inverse, away))
    return distance


def _skin(colours: F64, luma: F64) -> F64:
    red, green, blue = np.moveaxis(colours, 2, 0)
    cb = 128 - 0.169 * red - 0.331 * green + 0.5 * blue
    cr = 128 + 0.5 * red - 0.419 * green - 0.081 * blue
    skin: F64 = np.exp(-(((cr - 153) / 12) ** 2) - ((cb - 102) / 14) ** 2) * (luma > 40)
    return skin


def _blob(salient: F64, y: int, x: int) -> NDArray[np.bool_]:
    """What is connected with a peak and nearly as salient: bool (h, w)."""
    mean = float(salient.mean())
    level = mean + _BLOB * (float(salient[y, x]) - mean)
    numbers, _ = _native.components((salient >= level).astype(np.uint8))
    own: NDArray[np.bool_] = numbers == numbers[y, x]
    return own


def _measure(
    salient: F64, blob: NDArray[np.bool_], y: int, x: int, step: int, size: tuple[int, int]
) -> Salient:
    rows, columns = np.nonzero(blob)
    # An ellipse with semi-axis a has variance a^2 / 4 along it; a cell has some itself.
    variance_x = float(((columns - x) ** 2).mean()) + 1 / 12
    variance_y = float(((rows - y) ** 2).mean()) + 1 / 12
    axes = min(max(math.sqrt(variance_x / variance_y), 1 / _MOST_AXES), _MOST_AXES)
    outside = float(salient[~blob].mean()) if not blob.all() else float(salient.mean())
    return Salient(
        min(size[0] - 1, x * step + step // 2),
        min(size[1] - 1, y * step + step // 2),
        (axes, 1 / axes),
        2 * step * (variance_x * variance_y) ** 0.25,
        min(1.0, max(0.0, float(salient[y, x]) - outside)),
    )
