"""What a user can assemble today: lossless boxes for the focus, and a lossy image of everything.

In the naive pair the boxes and the image are as they come. In the smart pair no byte goes to a
pixel that is not shown: a box is flattened outside its ellipse, and the core is filled smoothly
in the lossy image. The tuned pair is the smart one with the settings that are strongest by PSNR.
Nothing is charged for the container or for telling where the ellipses are.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from . import peers
from .images import U8, Focus, Mask
from .peers import Codec

F32 = NDArray[np.float32]
Slices = tuple[slice, slice]

#: Rounds of diffusion at every scale of the fill.
_ROUNDS = 24


@dataclass(frozen=True)
class Pair:
    """A lossless codec for the boxes, a ladder of a lossy one for the image; masked if smart."""

    name: str
    masked: bool
    box_codec: Codec
    image_codec: Callable[[int], Codec]
    ladder: tuple[int, ...]


_AVIF_LADDER = (25, 40, 55, 70, 82)
_WEBP_LADDER = (20, 45, 70, 85, 93)

SMART = Pair("smart pair", True, peers.jxl_lossless(), peers.avif, _AVIF_LADDER)
SMART_444 = Pair(
    "smart pair 4:4:4",
    True,
    peers.jxl_lossless(),
    partial(peers.avif, subsampling="4:4:4"),
    _AVIF_LADDER,
)
NAIVE = Pair("naive pair", False, peers.jxl_lossless(), peers.avif, _AVIF_LADDER)
WEBP = Pair("WebP pair", True, peers.webp_lossless(), peers.webp, _WEBP_LADDER)

#: What is strongest by PSNR: libavif's default is for eyes, and 8 to 12 % larger by this measure.
TUNED = Pair(
    "tuned pair",
    True,
    peers.jxl_lossless(9),
    partial(peers.avif, subsampling="4:4:4", tune="psnr"),
    _AVIF_LADDER,
)
TUNED_420 = Pair(
    "tuned pair 4:2:0",
    True,
    peers.jxl_lossless(9),
    partial(peers.avif, tune="psnr"),
    _AVIF_LADDER,
)

PAIRS = (TUNED, TUNED_420, SMART, SMART_444, NAIVE, WEBP)


@dataclass(frozen=True)
class Prepared:
    """The pictures a pair stores of one image: boxes with the pixels kept of each, and the rest."""

    places: list[Slices]
    kept: list[Mask]
    boxes: list[U8]
    whole: U8

    def paste(self, boxes: list[U8], whole: U8) -> U8:
        """The image a viewer shows: the kept pixels of the boxes on top of the lossy image."""
        shown = whole.copy()
        for place, kept, box in zip(self.places, self.kept, boxes, strict=True):
            shown[place][kept] = box[kept]
        return shown


def prepare(image: U8, focus: Focus, masked: bool) -> Prepared:
    """Cut the boxes and, if masked, flatten and fill what need not be stored."""
    places: list[Slices] = []
    kept: list[Mask] = []
    boxes: list[U8] = []
    stored = np.zeros(image.shape[:2], bool)
    for ellipse in focus.ellipses(image.shape):
        place = bounding_box(ellipse)
        # Where boxes overlap, the first one has the pixels.
        keep = ellipse[place] & ~stored[place]
        stored |= ellipse
        places.append(place)
        kept.append(keep)
        boxes.append(flattened(image[place], keep) if masked else image[place].copy())
    return Prepared(places, kept, boxes, hole_filled(image, stored) if masked else image)


def bounding_box(mask: Mask) -> Slices:
    """The smallest rectangle that holds every true pixel of a mask that has some."""
    rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def flattened(box: U8, keep: Mask) -> U8:
    """The box with every pixel that is not kept replaced by the mean of those that are."""
    if not keep.any():
        return np.zeros_like(box)
    mean = np.rint(box[keep].mean(0)).astype(np.uint8)
    return np.where(keep[..., None], box, mean)


def hole_filled(image: U8, hole: Mask) -> U8:
    """The image with its hole filled by diffusion from the rim; all other pixels as they were."""
    if not hole.any() or hole.all():
        return image.copy()
    fill = _diffuse(image.astype(np.float32), hole)
    filled = image.copy()
    filled[hole] = np.rint(fill[hole]).clip(0, 255).astype(np.uint8)
    return filled


def _diffuse(values: F32, hole: Mask) -> F32:
    """A smooth fill of the hole, from coarse to fine: at every scale, rounds of averaging."""
    if not hole.any():
        return values
    height, width = hole.shape
    if min(height, width) > 8:
        start = _upscaled(_diffuse(*_halved(values, hole)), height, width)
    else:
        nearest = ndimage.distance_transform_edt(hole, return_distances=False, return_indices=True)
        start = values[tuple(nearest)]
    values = np.where(hole[..., None], start, values)
    y, x = np.nonzero(hole)
    above, below = np.maximum(y - 1, 0), np.minimum(y + 1, height - 1)
    left, right = np.maximum(x - 1, 0), np.minimum(x + 1, width - 1)
    for _ in range(_ROUNDS):
        values[y, x] = (
            values[above, x] + values[below, x] + values[y, left] + values[y, right]
        ) / 4
    return values


def _halved(values: F32, hole: Mask) -> tuple[F32, Mask]:
    """Means over 2 x 2 pixels outside the hole; a block is a hole if all of it is."""
    padding = [(0, n % 2) for n in hole.shape]
    weights = np.pad((~hole).astype(np.float32), padding)[..., None]
    sums = np.pad(values, [*padding, (0, 0)]) * weights

    def add(a: F32) -> F32:
        added: F32 = a[::2, ::2] + a[1::2, ::2] + a[::2, 1::2] + a[1::2, 1::2]
        return added

    count = add(weights)
    means = (add(sums) / np.maximum(count, 1)).astype(np.float32)
    return means, count[..., 0] == 0


def _upscaled(values: F32, height: int, width: int) -> F32:
    return values.repeat(2, 0).repeat(2, 1)[:height, :width]
