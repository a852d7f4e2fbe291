"""Cores of any shape: from `mask=` or `boxes=` to the label of every pixel, and what headers say.

A label is 0 outside the cores and 1 + k in core k. Objects are what a mask's values or, in a mask
of one value, its connected components tell apart. Up to three have a core each, so that each can be
fetched alone; of more, the largest three have one, and the others join the nearest of these.
"""

import math
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .. import _native, geometry
from ..checking import rows, shown
from ..container import Focus, Metadata
from ..container.header import MAX_CENTERS, MAX_SIGMA, MIN_SIGMA
from ..container.metadata import MAX_RADIUS, RADIUS_STEP

U8 = NDArray[np.uint8]

#: More values than this are shades and no objects.
_MOST_VALUES = 32

#: How far from black and white their shades may be.
_NEARLY = 16

#: Width of the mid tier around a core: relative to the radius of a circle as large, and at most.
_MARGIN, _MOST_MARGIN = 0.25, 64.0

#: Largest ratio of a focus's Sigma to 1: both it and its inverse have a header byte.
_MOST_RATIO = min(MAX_SIGMA, 1 / MIN_SIGMA)

#: Rounds of the search for the ellipse that a mask may be, which leave a part in 10^-10.
_HALVINGS = 60


class EmptyMaskWarning(UserWarning, ValueError):
    """A mask asks for no exact pixel. Where warnings are errors, it is a value that is wrong."""


class CoreMap(NamedTuple):
    """labels: uint8 (H, W), 0..cores. cores: how many there are, 1..3; one may be empty."""

    labels: U8
    cores: int


def from_mask(mask: Any, width: int, height: int) -> CoreMap:
    """The cores that a mask asks for: its pixels that are not 0, all of them and no others.

    mask: (height, width) of bool or whole numbers, or a Pillow image of mode 1, L or I.
    Raises ValueError.
    """
    array = np.asarray(mask)
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    if array.dtype.kind not in "bui":
        write = ""
        if array.dtype.kind == "f":
            write = ": write mask=mask > 0.5, or what else the core is"
        elif isinstance(mask, str):
            write = f": write mask=Image.open({mask!r})"
        what = array.dtype if array.ndim else shown(mask)
        raise ValueError(f"mask must be of bool or whole numbers, not {what}{write}")
    if array.shape != (height, width):
        write = ""
        if array.ndim == 3 and array.shape[:2] == (height, width):
            write = ": write mask=mask.any(2), or one of its channels"
        elif array.shape == (width, height):
            write = ": write mask=mask.T"
        raise ValueError(
            f"mask of shape {array.shape} for an image of {width} x {height} pixels: "
            f"({height}, {width}) is needed{write}"
        )
    if array.dtype.kind == "i" and array.min() < 0:
        raise ValueError("mask has negative values")
    inside = array != 0
    if not inside.any():
        warnings.warn("mask is 0 everywhere: no pixel is exact", EmptyMaskWarning, stacklevel=2)
        return CoreMap(inside.astype(np.uint8), 1)
    counts = np.bincount(_small(array).ravel()) if array.dtype.kind != "b" else np.zeros(1, int)
    objects = [int(value) for value in np.flatnonzero(counts) if value > 0]
    if 1 < len(objects) <= _MOST_VALUES:
        _refuse_shades(objects, counts)
        numbers = np.where(inside, np.searchsorted(objects, array) + 1, 0)
        return _limited(numbers, len(objects))
    return _limited(*_native.components(inside.astype(np.uint8)))


def _refuse_shades(values: list[int], counts: NDArray[Any]) -> None:
    """Refuse what JPEG or resizing made of black and white: shades would be objects of their own,
    and what is not quite black be exact. Raises ValueError.

    Most of such a mask is nearly white, in more than one shade of that or beside nearly black. Of
    classes 1, 2, ... with 255 around them most is something else; 128 beside 255 has no such shade.
    """
    dark = [v for v in values if v <= _NEARLY]
    bright = [v for v in values if 255 - _NEARLY <= v <= 255]
    shades = len(bright) > 1 or (bright and dark)
    if shades and values[-1] <= 255 and 2 * counts[bright].sum() > counts[1:].sum():
        named = values if len(values) <= 5 else [*values[:2], "...", *values[-2:]]
        raise ValueError(
            f"mask has the values {', '.join(map(str, named))}, as black and white have after JPEG "
            "or resizing, and values tell objects apart: write mask=np.asarray(mask) >= 128, or "
            "> 0 for all that is not black"
        )


def _small(array: NDArray[Any]) -> NDArray[Any]:
    """Values that can be counted; those of large ones do not matter, as there are too many."""
    return np.minimum(array.astype(np.int64), 65536)


def from_boxes(boxes: Any, width: int, height: int) -> CoreMap:
    """The cores that boxes (left, top, right, bottom) ask for, the latter two exclusive.

    Edges between pixels are moved outward, and boxes cut at the border. Where boxes overlap, the
    first one has the pixels. Raises ValueError.
    """
    numbers = np.zeros((height, width), np.int32)
    found = rows("boxes", boxes, "(left, top, right, bottom)")
    if not found:
        raise ValueError("boxes must be a list of (left, top, right, bottom), not an empty one")
    for k in range(len(found) - 1, -1, -1):
        box = found[k]
        left, top = (max(0, math.floor(v)) for v in box[:2])
        right, bottom = min(width, math.ceil(box[2])), min(height, math.ceil(box[3]))
        if left >= right or top >= bottom:
            given = ", ".join(f"{v:g}" for v in box)
            sized = box[0] >= box[2] or box[1] >= box[3]
            raise ValueError(
                f"box ({given}) holds no pixel of the {width} x {height} "
                "image" + (": boxes are (left, top, right, bottom), not sizes" if sized else "")
            )
        numbers[top:bottom, left:right] = k + 1
    return _limited(numbers, len(found))


def _limited(numbers: NDArray[Any], count: int) -> CoreMap:
    """Objects numbered from 1 on become at most three cores, numbered in the same order."""
    if count <= MAX_CENTERS:
        return CoreMap(numbers.astype(np.uint8), count)
    sizes = np.bincount(numbers.ravel(), minlength=count + 1)[1:]
    largest = np.sort(np.argsort(-sizes, kind="stable")[:MAX_CENTERS])
    height, width = numbers.shape
    x = np.bincount(numbers.ravel(), np.tile(np.arange(width), height), count + 1)[1:]
    y = np.bincount(numbers.ravel(), np.repeat(np.arange(height), width), count + 1)[1:]
    # An object may be hidden behind the others.
    places = np.stack([x, y], 1) / np.maximum(sizes, 1)[:, None]
    distances = ((places[:, None] - places[None, largest]) ** 2).sum(2)
    core = distances.argmin(1)
    core[largest] = np.arange(MAX_CENTERS)
    return CoreMap(np.concatenate([[0], core + 1]).astype(np.uint8)[numbers], MAX_CENTERS)


def foci(cores: CoreMap, with_mid: bool) -> tuple[Focus, ...]:
    """What the header says of the cores: ellipses of their place, size and proportions.

    r_mid is r_core, the radius of a circle as large, and the width of the mid tier.
    """
    found = []
    height, width = cores.labels.shape
    for k in range(cores.cores):
        own = cores.labels == 1 + k
        x, spread_x = _moments(own.sum(0), width)
        y, spread_y = _moments(own.sum(1), height)
        radius = _rounded(math.sqrt(int(own.sum()) / math.pi))
        margin = _rounded(min(_MARGIN * radius, _MOST_MARGIN)) if with_mid else 0.0
        ratio = min(max(math.sqrt(spread_x / spread_y), 1 / _MOST_RATIO), _MOST_RATIO)
        sigma = float(np.float32(ratio)), float(np.float32(1 / ratio))
        found.append(Focus(x, y, sigma, 0, radius, min(radius + margin, MAX_RADIUS)))
    return tuple(found)


def _moments(counts: NDArray[Any], size: int) -> tuple[int, float]:
    """Mean, as a pixel, and variance of places that occur so often; the middle if none does."""
    total = int(counts.sum())
    if not total:
        return size // 2, 1.0
    places = np.arange(size)
    mean = float((counts * places).sum()) / total
    # A pixel has some width itself.
    variance = float((counts * (places - mean) ** 2).sum()) / total + 1 / 12
    return min(size - 1, math.floor(mean + 0.5)), variance


def _rounded(radius: float) -> float:
    return math.floor(radius / RADIUS_STEP + 0.5) * RADIUS_STEP


def as_ellipses(cores: CoreMap, with_mid: bool) -> tuple[Focus, ...] | None:
    """Foci whose ellipses are exactly these cores, if there are any: they need no map."""
    found = []
    for k, about in enumerate(foci(cores, with_mid)):
        ellipse = _ellipse(cores.labels == 1 + k, about)
        if ellipse is None:
            return None
        found.append(ellipse)
    height, width = cores.labels.shape
    metadata = Metadata(width=width, height=height, mode="L", foci=tuple(found))
    drawn = geometry.Regions(metadata).class_map()
    drawn[drawn >= geometry.MID] = 0
    return tuple(found) if np.array_equal(drawn, cores.labels) else None


def _ellipse(own: NDArray[np.bool_], about: Focus) -> Focus | None:
    """The focus whose core is exactly this set, if there is one at the center."""
    rows = np.flatnonzero(own.any(1))
    if not rows.size:
        return None
    # What is inside of each row, and the first pixel that is not; above and below nothing is.
    inside = np.abs(rows - about.y), np.array([int(np.ptp(np.flatnonzero(own[y]))) for y in rows])
    dy, dx = inside[0].astype(float), inside[1] // 2.0
    more = dy.max() + 1
    out_y, out_x = np.append(dy, more), np.append(dx + 1, 0.0)

    def overlap(u: float) -> float:
        """Of dx^2 + u dy^2, the largest inside less the least outside: convex in u."""
        return float((dx**2 + u * dy**2).max() - (out_x**2 + u * out_y**2).min())

    low, high = (dx.max() / more) ** 2, (dx.max() + 1) ** 2 / max(more - 1, 0.5) ** 2
    for _ in range(_HALVINGS):
        u, v = (2 * low + high) / 3, (low + 2 * high) / 3
        low, high = (low, v) if overlap(u) < overlap(v) else (u, high)
    # Circles come first: all that is left open is better round.
    for u in (1.0, (low + high) / 2):
        ratio = float(np.float32(1 / u)) if u else math.inf
        if overlap(u) >= 0 or not MIN_SIGMA <= ratio <= MAX_SIGMA:
            continue
        radius = math.sqrt(float((dx**2 + dy**2 / ratio).max()))
        radius = min(math.ceil(radius / RADIUS_STEP) * RADIUS_STEP, MAX_RADIUS)
        margin = about.r_mid - about.r_core
        focus = Focus(about.x, about.y, (1.0, ratio), 0, radius, min(radius + margin, MAX_RADIUS))
        metadata = Metadata(width=own.shape[1], height=own.shape[0], mode="L", foci=(focus,))
        if np.array_equal(geometry.Regions(metadata).class_map() == geometry.CORE, own):
            return focus
    return None


def require_alone(given: dict[str, Any], names: Sequence[str]) -> None:
    """Refuse keywords that say where cores are in another way. Raises ValueError."""
    extra = [name for name in names if given.get(name) is not None]
    if extra:
        raise ValueError(f"mask and boxes say what the cores are: leave out {', '.join(extra)}")
