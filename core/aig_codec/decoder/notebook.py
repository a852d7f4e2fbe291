"""Cores, and what interpreters and notebooks show of them and of files."""

import io
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from .file import AigFile

#: Pixels wide and high that a notebook has room for, and how much smaller pictures can be had.
_ROOM = 1024
_SCALES = (1, 2, 4, 8)


class Core(NamedTuple):
    """One focus, exact: a rectangle of pixels and which of them belong to the core.

    pixels: uint8 or uint16 (h, w, C), or (h, w) for grey, zero outside the mask. mask: bool
    (h, w). left, top: position of the rectangle in the image.
    """

    pixels: NDArray[Any]
    mask: NDArray[np.bool_]
    left: int
    top: int

    def __repr__(self) -> str:
        height, width = self.mask.shape
        exact = int(np.count_nonzero(self.mask))
        where = f"at ({self.left}, {self.top})"
        return f"<Core {width} x {height} {self.pixels.dtype} {where}, {exact} pixels exact>"

    def _repr_png_(self) -> bytes:
        """The core on nothing."""
        return _png(_with_alpha(self.pixels, self.mask))


def words_of(file: "AigFile") -> str:
    """A file in a line, from its metadata alone."""
    width, height = file.size
    bits = f" of {file.bits} bits" if file.bits != 8 else ""
    exact = "lossless, " if file.metadata.shape == "all" else ""
    frames = f", {file.n_frames} frames" if file.n_frames > 1 else ""
    centers = ", ".join(map(str, file.centers))
    return f"<AigFile {width} x {height} {file.mode}{bits}, {exact}focus {centers}{frames}>"


def png_of(file: "AigFile") -> bytes | None:
    """A file's picture, smaller where it is a large one; of a damaged file what is there, and None
    if nothing can be read."""
    side = max(file.size)
    scale = next((s for s in _SCALES if side <= s * _ROOM), _SCALES[-1])
    problems = file.problems
    try:
        return _png(file.decode(scale=scale, strict=False))
    except OSError:  # closed, or above a limit
        return None
    finally:
        file.problems = problems


def _png(pixels: NDArray[Any]) -> bytes:
    """A PNG of uint8 or uint16 (H, W) or (H, W, 2..4), with the higher 8 of 16 bits."""
    from PIL import Image

    if pixels.itemsize > 1:
        pixels = (pixels >> 8).astype(np.uint8)
    target = io.BytesIO()
    Image.fromarray(pixels).save(target, "PNG", compress_level=1)  # quick rather than small
    return target.getvalue()


def _with_alpha(pixels: NDArray[Any], mask: NDArray[np.bool_]) -> NDArray[Any]:
    """Pixels of which only the mask is to be seen, (h, w, 2) or (h, w, 4); an alpha that was there
    holds within it."""
    channels = pixels[..., None] if pixels.ndim == 2 else pixels
    if channels.shape[2] in (1, 3):
        opaque = np.full_like(channels[..., :1], np.iinfo(pixels.dtype).max)
        channels = np.concatenate([channels, opaque], axis=2)
    return np.where(mask[..., None], channels, np.zeros_like(channels))
