"""Images as the predictors see them: for every pixel the terms of its linear prediction.

A pixel p is predicted as base + sum a_k (t_k - base) + sum b_j (X - X_j): base is the median of
W, N and W + N - NW, t_k are its neighbours, X the samples of a channel that is already coded.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.images import U8

F32 = NDArray[np.float32]
I32 = NDArray[np.int32]
#: Integers, or the errors of predictions.
Plane = TypeVar("Plane", NDArray[np.int32], NDArray[np.float32])

#: Neighbours (dy, dx) in the pixel's own channel, and in each channel that is already coded.
OWN = (
    *((0, -1), (-1, 0), (-1, -1), (-1, 1), (0, -2), (-2, 0)),
    *((-2, 1), (-2, -1), (-1, -2), (-2, 2), (0, -3), (-3, 0)),
)
CROSS = ((0, -1), (-1, 0), (-1, -1), (-1, 1))

#: Predictors are chosen for blocks of this many pixels a side; one in STEP of their rows is used.
BLOCK = 16
STEP = 2

#: What stands for pixels above the image: differences are 0, G is in the middle.
MIDDLE = 128
_MARGIN = 3


@dataclass(frozen=True)
class Sampled:
    """The whole blocks of an image, in rows from the top.

    terms holds an array (blocks, terms + 1, pixels) for every channel, in order of coding: the
    terms of each sampled pixel, and last the value p - base that they are to add up to.
    """

    grid: tuple[int, int]
    terms: list[F32]

    @property
    def pixels(self) -> int:
        """Pixels of the blocks, sampled or not."""
        return self.grid[0] * self.grid[1] * BLOCK * BLOCK


def paths(folder: Path) -> list[Path]:
    """The images of a folder, by name."""
    kinds = Image.registered_extensions()
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in kinds)


def load(path: Path, mode: str) -> U8:
    """Pixels (height, width, channels) of an image in mode RGB, or L by way of RGB."""
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB").convert(mode))
    return np.ascontiguousarray(pixels.reshape(*pixels.shape[:2], -1))


def sample(pixels: U8) -> Sampled:
    """The blocks of an image (height, width, 3 or 1); what is left of a block is cut off."""
    height, width = (n // BLOCK * BLOCK for n in pixels.shape[:2])
    whole = pixels[:height, :width].astype(np.int32)
    planes = _colour_planes(whole) if whole.shape[2] == 3 else [whole[..., 0]]
    wide = [padded(plane, 0 if c < len(planes) - 1 else MIDDLE) for c, plane in enumerate(planes)]
    terms = [_blocks(_terms(wide[c], wide[:c])) for c in range(len(planes))]
    return Sampled((height // BLOCK, width // BLOCK), terms)


def _colour_planes(pixels: I32) -> list[I32]:
    """R - G, B - G and G, in order of coding, of pixels (height, width, RGB)."""
    r, g, b = np.moveaxis(pixels, 2, 0)
    return [r - g, b - g, g]


def padded(plane: Plane, above: int) -> Plane:
    """The plane with a margin at the top and both sides.

    Right of a row stands its last pixel; left of it, the first pixel of the row above. What a
    coder has there may be worse; but then no predictor should learn from it.
    """
    height, width = plane.shape
    wide = np.full((height + _MARGIN, width + 2 * _MARGIN), above, plane.dtype)
    wide[_MARGIN:, _MARGIN:-_MARGIN] = plane
    wide[_MARGIN:, -_MARGIN:] = plane[:, -1:]
    wide[_MARGIN + 1 :, :_MARGIN] = plane[:-1, :1]
    return wide


def shifted(wide: Plane, dy: int, dx: int) -> Plane:
    """For every pixel of a padded plane (height, width) the one at (dy, dx) from it."""
    height, width = wide.shape[0] - _MARGIN, wide.shape[1] - 2 * _MARGIN
    return wide[_MARGIN + dy :, _MARGIN + dx :][:height, :width]


def _terms(own: I32, coded: list[I32]) -> list[I32]:
    """Planes (height, width) of every term of the prediction and, last, of its aim."""
    west, north, corner = (shifted(own, *offset) for offset in OWN[:3])
    low, high = np.minimum(west, north), np.maximum(west, north)
    base = np.clip(west + north - corner, low, high)
    terms = [shifted(own, *offset) - base for offset in OWN]
    for other in coded:
        terms += [shifted(other, 0, 0) - shifted(other, *offset) for offset in CROSS]
    return [*terms, shifted(own, 0, 0) - base]


def _blocks(planes: list[I32]) -> F32:
    """The planes as (blocks, planes, pixels): of even blocks the even rows, of odd ones the odd."""
    rows, columns = (n // BLOCK for n in planes[0].shape)
    blocks = np.empty((rows * columns, len(planes), BLOCK // STEP, BLOCK), np.float32)
    for k, plane in enumerate(planes):
        cut = plane.reshape(rows, BLOCK // STEP, STEP, columns, BLOCK)
        cut = cut.transpose(0, 3, 2, 1, 4).reshape(-1, STEP, BLOCK // STEP, BLOCK)
        for phase in range(STEP):
            blocks[phase::STEP, k] = cut[phase::STEP, phase]
    return blocks.reshape(*blocks.shape[:2], -1)
