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

    def scaled(self, scale: int) -> "Window":
        """The boxes of scale x scale pixels that hold pixels of it."""
        return Window(
            self.left // scale, self.top // scale, -(-self.right // scale), -(-self.bottom // scale)
        )

    def grown(self, margin: int, width: int, height: int) -> "Window":
        """With a margin on all sides, as far as a picture of width x height has it."""
        return Window(
            max(0, self.left - margin),
            max(0, self.top - margin),
            min(width, self.right + margin),
            min(height, self.bottom + margin),
        )


class _FixedPoint(NamedTuple):
    """A focus as the kernels want it (format.md, 5.1)."""

    x: int
    y: int
    inv_x: int
    inv_y: int
    shift: int
    alpha: int
    r_core: int
    r_mid: int

    @classmethod
    def of(cls, f: Focus) -> "_FixedPoint":
        """``inv = floor(2**shift / Sigma)`` from the exact value; radii in 1/65536.

        The shift brings the larger of the two inverses into [2**31, 2**32).
        """
        p, q = min(f.sigma).as_integer_ratio()
        shift = 96 - ((q << 64) // p).bit_length()
        # A ratio of Sigmas beyond 2**31 would give zero, and an unbounded longer axis.
        inverse = [max(1, (q << shift) // p) for p, q in (s.as_integer_ratio() for s in f.sigma)]
        radii = [min(int(r * 65536), 2**32 - 1) for r in (f.r_core, f.r_mid)]
        return cls(f.x, f.y, inverse[0], inverse[1], shift, f.alpha_code, radii[0], radii[1])

    def reach(self) -> tuple[int, int]:
        """Largest |dx| and |dy| of a core pixel, the angle left out (it only shrinks the core)."""
        if self.shift >= 32:
            bound = ((self.r_core**2 + 1) << (self.shift - 32)) - 1
        else:
            bound = self.r_core**2 >> (32 - self.shift)
        return math.isqrt(bound // self.inv_x), math.isqrt(bound // self.inv_y)


def fixed_point(foci: Sequence[Focus]) -> NDArray[np.int64]:
    """The rows that `_native.classify` and `_native.assign` take: int64 (N, 8)."""
    return np.array([_FixedPoint.of(f) for f in foci], np.int64)


def class_map(metadata: Metadata, window: Window | None = None) -> U8:
    """Class of every pixel of the image, or of a window of it: uint8 (H, W)."""
    left, top, right, bottom = window or Window(0, 0, metadata.width, metadata.height)
    if metadata.shape == "all":
        return np.full((bottom - top, right - left), CORE, np.uint8)
    return _native.classify(left, top, bottom - top, right - left, fixed_point(metadata.foci))


def core_window(metadata: Metadata, k: int) -> Window:
    """The rectangle around the core of focus k (some of it may belong to other foci)."""
    if metadata.shape == "all":
        return Window(0, 0, metadata.width, metadata.height)
    f = metadata.foci[k]
    dx, dy = _FixedPoint.of(f).reach()
    return Window(
        max(0, f.x - dx),
        max(0, f.y - dy),
        min(metadata.width, f.x + dx + 1),
        min(metadata.height, f.y + dy + 1),
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
