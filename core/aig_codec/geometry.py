"""From centers, Sigma, alpha and radii to the tier of every pixel, in integers (format.md, 5).

A pixel's class is 0 in the background, ``CORE + k`` in the core of focus k and ``MID + k`` in its
mid tier. The best tier that any focus grants wins; among foci that grant it, the nearest owns it.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import _native
from .container import Focus, Metadata

U8 = NDArray[np.uint8]

BACKGROUND = 0
CORE = 1
MID = 5
MID_LAST = 7


class Window(NamedTuple):
    """A rectangle of pixels, right and bottom exclusive."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """For indexing an array of rows and columns."""
        return slice(self.top, self.bottom), slice(self.left, self.right)


def fixed_point(foci: Sequence[Focus]) -> NDArray[np.int64]:
    """Rows of (x, y, inv_x, inv_y, shift, alpha, r_core, r_mid) for the kernels.

    ``inv = floor(2**shift / Sigma)`` from the exact float32 value, with the shift that brings the
    larger of the two inverses into [2**31, 2**32); radii in 1/65536.
    """
    rows = []
    for f in foci:
        ratios = [s.as_integer_ratio() for s in f.sigma]
        p, q = min(f.sigma).as_integer_ratio()
        shift = 96 - ((q << 64) // p).bit_length()
        inverse = [((q << shift) // p) for p, q in ratios]
        radii = [min(int(r * 65536), 2**32 - 1) for r in (f.r_core, f.r_mid)]
        # The rarer axis of an extreme Sigma ratio may round to zero, which would make it unbounded.
        rows.append([f.x, f.y, *(max(1, v) for v in inverse), shift, f.alpha_code, *radii])
    return np.array(rows, np.int64)


def class_map(metadata: Metadata, window: Window | None = None) -> U8:
    """Class of every pixel of the image, or of a window of it: uint8 (H, W)."""
    left, top, right, bottom = window or Window(0, 0, metadata.width, metadata.height)
    if metadata.shape == "all":
        return np.full((bottom - top, right - left), CORE, np.uint8)
    return _native.classify(left, top, bottom - top, right - left, fixed_point(metadata.foci))


def core_window(metadata: Metadata, k: int) -> Window:
    """A rectangle that holds the whole core of focus k (it may be a little larger)."""
    if metadata.shape == "all":
        return Window(0, 0, metadata.width, metadata.height)
    f = metadata.foci[k]
    reach_x, reach_y = (math.ceil(f.r_core * math.sqrt(s)) + 1 for s in f.sigma)
    return Window(
        max(0, f.x - reach_x),
        max(0, f.y - reach_y),
        min(metadata.width, f.x + reach_x + 1),
        min(metadata.height, f.y + reach_y + 1),
    )


def assign(foci: Sequence[Focus], height: int, width: int) -> tuple[U8, NDArray[np.uint32]]:
    """Voronoi assignment: the nearest focus of every pixel and its weighted distance.

    Returns uint8 (H, W) and uint32 (H, W), the distance in 1/65536; ties go to the lower index.
    """
    return _native.assign(height, width, fixed_point(foci))


def outside_cores(class_map: U8) -> U8:
    """1 where a pixel belongs to no core, else 0: uint8 of the same shape."""
    return ((class_map < CORE) | (class_map >= MID)).astype(np.uint8)


def block_share(mask: NDArray[np.bool_], side: int = 8) -> NDArray[np.float64]:
    """Share of each block's pixels that a boolean mask (H, W) covers, zeros beyond the border."""
    padding = [(0, -n % side) for n in mask.shape]
    padded = np.pad(mask, padding)
    h, w = (n // side for n in padded.shape)
    share: NDArray[np.float64] = padded.reshape(h, side, w, side).mean((1, 3))
    return share
