"""Where to look when nobody says: spectral residual saliency.

Hou and Zhang, "Saliency Detection: A Spectral Residual Approach", CVPR 2007.
"""

import numpy as np
from numpy.typing import NDArray

U8 = NDArray[np.uint8]

#: Side of the map that the spectrum is taken of, in pixels.
_MAP_SIDE = 64
#: A further focus must be at least this salient, relative to the first.
_SECOND = 0.7


def centers(pixels: U8) -> list[tuple[int, int]]:
    """One to three salient points (x, y) of an image, uint8 (H, W, C); the best first."""
    height, width = pixels.shape[:2]
    step = max(1, min(height, width) // _MAP_SIDE)
    small = _shrink(pixels, step)
    if min(small.shape) < 8 or np.ptp(small) < 1:
        return [(width // 2, height // 2)]
    salient = _spectral_residual(small)
    rows, columns = np.mgrid[: salient.shape[0], : salient.shape[1]]
    centred = np.hypot(rows / salient.shape[0] - 0.5, columns / salient.shape[1] - 0.5)
    # Photographers centre what they mean; a mild prior keeps busy corners from winning.
    salient = salient * (1 - 0.8 * centred)
    radius = 0.25 * min(salient.shape)
    points: list[tuple[int, int]] = []
    first = salient.max()
    while len(points) < 3 and salient.max() >= _SECOND * first > 0:
        y, x = np.unravel_index(int(salient.argmax()), salient.shape)
        points.append(
            (min(width - 1, int(x) * step + step // 2), min(height - 1, int(y) * step + step // 2))
        )
        salient = np.where(np.hypot(rows - y, columns - x) < 2 * radius, 0, salient)
    return points or [(width // 2, height // 2)]


def _shrink(pixels: U8, step: int) -> NDArray[np.float64]:
    height, width = (n // step * step for n in pixels.shape[:2])
    colour = pixels[:height, :width, : 3 if pixels.shape[2] >= 3 else 1]
    blocks = colour.reshape(height // step, step, width // step, -1)
    mean: NDArray[np.float64] = blocks.mean((1, 3), dtype=np.float64)
    return mean


def _spectral_residual(luma: NDArray[np.float64]) -> NDArray[np.float64]:
    # The transform wraps around: without a taper, opposite borders that differ look salient.
    taper = np.sqrt(np.outer(np.hanning(luma.shape[0] + 2), np.hanning(luma.shape[1] + 2)))
    spectrum = np.fft.fft2((luma - luma.mean()) * taper[1:-1, 1:-1])
    amplitude = np.log(np.abs(spectrum) + 1e-3)
    residual = amplitude - _smooth(amplitude, np.full(3, 1 / 3))
    back = np.fft.ifft2(np.exp(residual + 1j * np.angle(spectrum)))
    reach = max(2, min(luma.shape) // 10)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / (reach / 2.0)) ** 2)
    return _smooth(np.abs(back) ** 2, kernel / kernel.sum())


def _smooth(image: NDArray[np.float64], kernel: NDArray[np.float64]) -> NDArray[np.float64]:
    """Separable convolution with the border repeated."""
    reach = len(kernel) // 2
    for axis in (0, 1):
        padded = np.pad(image, [(reach, reach) if a == axis else (0, 0) for a in (0, 1)], "edge")
        n = image.shape[axis]
        shifted = (np.take(padded, range(i, i + n), axis) * w for i, w in enumerate(kernel))
        image = np.sum(list(shifted), axis=0)
    return image
