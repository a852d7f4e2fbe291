"""From foci, or a map of the cores, to the tier of every pixel, in integers (format.md, 5).

A pixel's class is 0 in the background, ``CORE + k`` in the core of focus k, ``MID + k`` in its mid
tier and ``SCREEN_CONTENT`` where it is coded as such. The best tier that any focus grants wins;
among foci that grant it, the nearest owns it.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from . import _native
from .container import Focus
from .container.kinds import BACKGROUND as BACKGROUND
from .container.kinds import CORE as CORE
from .container.kinds import MID as MID
from .container.kinds import MID_LAST as MID_LAST
from .container.kinds import SCREEN_CONTENT as SCREEN_CONTENT

U8 = NDArray[np.uint8]


#: Pixels that are worked on at once where that takes memory for each.
_SOME_PIXELS = 2**20

#: Side in pixels of the squares of which some are coded as graphics.
TILE = _native.TILE


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

    @property
    def size(self) -> tuple[int, int]:
        """(width, height)."""
        return self.right - self.left, self.bottom - self.top

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


class Partitioned(Protocol):
    """What tells the tiers of a picture: an encoder's plan, or a file's metadata."""

    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def foci(self) -> tuple[Focus, ...]: ...
    @property
    def shape(self) -> str: ...
    @property
    def mid(self) -> str: ...


P = TypeVar("P", bound=Partitioned)


class Regions(Generic[P]):
    """Which tier and which focus every pixel of a picture belongs to.

    core_map: in pictures of shape "map" the label of every pixel, 0 or 1 + its core, uint8 (H, W);
    the cores are known without it otherwise. tiles: 1 for squares of TILE pixels that are drawn,
    uint8 (ceil(H / TILE), ceil(W / TILE)), if there are any.
    """

    def __init__(self, metadata: P, core_map: U8 | None = None, tiles: U8 | None = None) -> None:
        self.metadata, self.core_map, self.tiles = metadata, core_map, tiles

    def class_map(self) -> U8:
        """Class of every pixel: uint8 (H, W); the caller owns it."""
        meta = self.metadata
        if self.core_map is not None:
            reach2 = [int((f.r_mid - f.r_core) * 256) ** 2 for f in meta.foci]
            classes = _native.classify_labels(self.core_map, reach2)
        else:
            classes = self.cores_in(Window(0, 0, meta.width, meta.height))
        if self.tiles is not None:
            _native.mark_drawn(self.tiles, meta.mid == "palette", classes)
        return classes

    def cores_in(self, window: Window) -> U8:
        """Class of every pixel of a window, uint8 (h, w), right as to which ones are core; the
        caller owns it."""
        left, top, right, bottom = window
        if self.core_map is not None:
            return self.core_map[window.slices].copy()
        if self.metadata.shape == "all":
            return np.full((bottom - top, right - left), CORE, np.uint8)
        foci = fixed_point(self.metadata.foci)
        return _native.classify(left, top, bottom - top, right - left, foci)

    def core_window(self, k: int) -> Window:
        """The rectangle around the core of focus k (some of it may belong to other foci)."""
        meta = self.metadata
        if meta.shape == "all":
            return Window(0, 0, meta.width, meta.height)
        f = meta.foci[k]
        if self.core_map is not None:
            in_row = np.zeros(meta.height, np.bool_)
            in_column = np.zeros(meta.width, np.bool_)
            for some in row_slices(meta.height, meta.width):
                own = self.core_map[some] == CORE + k
                in_row[some] = own.any(1)
                in_column |= own.any(0)
            rows, columns = np.flatnonzero(in_row), np.flatnonzero(in_column)
            if not rows.size:
                return Window(f.x, f.y, f.x, f.y)
            return Window(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
        dx, dy = _FixedPoint.of(f).reach()
        return Window(
            max(0, f.x - dx),
            max(0, f.y - dy),
            min(meta.width, f.x + dx + 1),
            min(meta.height, f.y + dy + 1),
        )

    def core_mask(self) -> NDArray[np.bool_]:
        """Which pixels are exact: bool (H, W)."""
        classes = self.cores_in(Window(0, 0, self.metadata.width, self.metadata.height))
        outside = _outside(classes)
        return np.logical_not(outside, out=outside)


def assign(foci: Sequence[Focus], height: int, width: int) -> tuple[U8, NDArray[np.uint32]]:
    """Voronoi assignment: the nearest focus of every pixel and its weighted distance.

    Returns uint8 (H, W) and uint32 (H, W), the distance in 1/65536; ties go to the lower index.
    """
    return _native.assign(height, width, fixed_point(foci))


def outside_cores(class_map: U8) -> U8:
    """1 where a pixel belongs to no core, else 0: uint8 of the same shape."""
    return _outside(class_map.copy()).view(np.uint8)


def _outside(classes: U8) -> NDArray[np.bool_]:
    """Whether pixels belong to no core: bool in the memory of their classes, which are lost."""
    # Below CORE it wraps around.
    classes -= CORE
    return np.greater_equal(classes, MID - CORE, out=classes.view(np.bool_))


def row_slices(height: int, width: int) -> Iterator[slice]:
    """The rows of a picture, some after the other, so that what is computed of them is small."""
    step = max(1, _SOME_PIXELS // width)
    for top in range(0, height, step):
        yield slice(top, min(top + step, height))


def tiles_of(height: int, width: int) -> tuple[int, int]:
    """How many rows and columns of tiles a picture has."""
    return -(-height // TILE), -(-width // TILE)


def block_share(mask: NDArray[np.bool_], side: int = 8) -> NDArray[np.float64]:
    """Share of each block's pixels that a boolean mask (H, W) covers, zeros beyond the border."""
    padding = [(0, -n % side) for n in mask.shape]
    padded = np.pad(mask, padding)
    h, w = (n // side for n in padded.shape)
    share: NDArray[np.float64] = padded.reshape(h, side, w, side).mean((1, 3))
    return share
