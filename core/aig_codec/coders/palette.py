"""Palette coder: up to 256 colours and an index per pixel (format.md, 7.2).

Payload: number of colours - 1, the colours (one byte each in grey images, else three), indices.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .. import _native, entropy
from ..errors import CorruptError
from ..geometry import row_slices
from ..threads import Job, Workers
from .base import EncodeJob, Facts, Pixels, RegionCoder, colours_of

U8 = NDArray[np.uint8]


def encode(
    pixels: U8, class_map: U8, first: int, last: int, palette: U8, coder: str
) -> tuple[bytes, U8]:
    """Code the region's pixels by their nearest palette colours.

    pixels: uint8 (H, W, 1 or 3). palette: uint8 (K, 3), K = 1..256, sorted by luma. Returns the
    payload and the pixels as decoded (uint8, the region's alone, in row order).
    """
    region = (class_map >= first) & (class_map <= last)
    chosen = _nearest(pixels[region], palette)
    indices = np.zeros(class_map.shape, np.uint8)
    indices[region] = chosen
    entropy_coder = entropy.named(coder)
    stream = _native.palette_encode(indices, class_map, first, last, entropy_coder.number)
    table = palette[:, : pixels.shape[2]]
    payload = bytes([len(palette) - 1]) + table.tobytes()
    return payload + entropy.pack(stream, _native.PALETTE_CONTEXTS, entropy_coder), table[chosen]


def quantise(pixels: U8, palette: U8) -> U8:
    """Pixels (n, 1 or 3) as their nearest palette colours."""
    return palette[:, : pixels.shape[1]][_nearest(pixels, palette)]


def _nearest(pixels: U8, palette: U8) -> U8:
    colours = np.broadcast_to(pixels, (len(pixels), 3))
    return _native.palette_assign(np.ascontiguousarray(colours), palette)


def decode(payload: bytes, pixels: U8, colours: int, class_map: U8, first: int, last: int) -> None:
    """Write the region's first `colours` (1 or 3) channels into `pixels`."""
    if not payload or len(payload) < 1 + colours * (payload[0] + 1):
        raise CorruptError("palette ends early")
    size = payload[0] + 1
    palette = np.frombuffer(payload, np.uint8, size * colours, 1).reshape(size, colours)
    stream = entropy.unpack(payload[1 + size * colours :], 2 * class_map.size)
    # Where there is one channel, it can hold the indices meanwhile.
    alone = pixels.shape[2] == 1
    indices = pixels[..., 0] if alone else np.zeros(class_map.shape, np.uint8)
    _native.palette_decode(*stream, indices, class_map, first, last, size)
    for rows in row_slices(*class_map.shape):
        classes = class_map[rows]
        region = (classes >= first) & (classes <= last)
        pixels[rows, :, :colours][region] = palette[indices[rows][region]]


class PaletteCoder(RegionCoder):
    """The mid tier in few colours; options: "palette", uint8 (K, 3), sorted by luma."""

    name, version = "palette", 1
    carries = frozenset(("mid",))
    beside_alpha = True

    def encode_region(self, job: EncodeJob) -> bytes:
        """The payload of a region; see `encode`."""
        return encode(job.pixels, job.class_map, *job.classes, job.options["palette"], job.entropy)[
            0
        ]

    def start_decoding(
        self,
        payload: bytes,
        pixels: Pixels,
        class_map: U8,
        first: int,
        last: int,
        workers: Workers,
        rows: tuple[int, int] | None = None,
    ) -> Sequence[Job[None]]:
        """Decode all of it, here and now: it is one stream."""
        decode(payload, pixels, colours_of(pixels.shape[2]), class_map, first, last)
        return ()

    def memory(self, facts: Facts, keeps: bool) -> int:
        """Indices, where the picture has no channel that could hold them."""
        return 0 if facts.channels == 1 else facts.width * facts.height
