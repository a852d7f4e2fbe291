"""Whether a picture, or what of it is coded with loss, might as well be exact: graphics, pixel art
and small pictures often take fewer bytes without loss than with it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..coders import lossless

#: Up to so many pixels exact coding is simply tried.
_SMALL = 1 << 16

#: Otherwise a sample says whether that is worth the time: windows of so many rows and columns, and
#: how many of them in each direction.
_ROWS, _COLUMNS, _GRID = 16, 48, 4

#: A sample that takes so many times the bytes may still be part of a picture that takes less: of a
#: photograph by chance (samples were within 15 % on 33), of graphics since much of what repeats
#: itself does so beyond a window.
_OF_PHOTOGRAPHS, _OF_GRAPHICS = 1.2, 5.0

#: Bytes of a sample that say nothing about the picture.
_FIXED = 40

_SAMPLE_EFFORT = 1


def may_pay(pixels: NDArray[Any], outside: NDArray[np.uint8], budget: int) -> bool:
    """Whether to try to code exactly, in about `budget` bytes, the pixels where `outside` is 1.

    pixels: uint8 (H, W, C). outside: uint8 (H, W).
    """
    height, width = outside.shape
    wanted = int(np.count_nonzero(outside))
    if wanted <= _SMALL:
        return True
    windows = [
        (slice(y, y + _ROWS), slice(x, x + _COLUMNS))
        for y in _starts(height, _ROWS)
        for x in _starts(width, _COLUMNS)
    ]
    # One below the other, so that what one teaches the coder serves the next.
    sample = np.concatenate([pixels[window] for window in windows])
    inside = np.concatenate([outside[window] for window in windows])
    sampled = int(np.count_nonzero(inside))
    if not sampled:
        return True
    coded = lossless.encode(sample, inside, 1, 1, _SAMPLE_EFFORT)
    optimism = _OF_GRAPHICS if lossless.is_graphic(coded) else _OF_PHOTOGRAPHS
    return max(0, len(coded) - _FIXED) * wanted <= optimism * budget * sampled


def _starts(length: int, own: int) -> list[int]:
    """Where windows begin that are spread evenly over a side."""
    return sorted({max(0, (2 * k + 1) * length // (2 * _GRID) - own // 2) for k in range(_GRID)})
