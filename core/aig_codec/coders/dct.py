"""DCT coder: YCbCr, integer 8x8 transform, one quantiser for the background and a finer one for
the mid tier, the DC of all blocks as the 1/8 image (format.md, 7.3).

`Analysis` is the encoder's side and `Synthesis` the decoder's. Both work on whole pictures and
speak of tiers, not of blocks, so that larger transforms or groups need not change their callers.
"""

from math import isqrt

import numpy as np
from numpy.typing import NDArray

from .. import _native, entropy
from ..container import Metadata

U8 = NDArray[np.uint8]
I16 = NDArray[np.int16]

#: Block classes, which double as names of the AC segments' tiers.
BACKGROUND, MID = 0, 1

#: Largest DC step in 1/16: the 1/8 image stays useful at any quality.
MAX_DC_STEP = 512

#: Rounding offset of AC levels; below 1/2 it is a dead zone. The encoder's choice alone.
DEAD_ZONE = 0.38


def base_step(level: int) -> int:
    """Quantiser step in 1/16 of a quality level 0..255: 1 at 255, 26 at 128, 173 at 0.

    Linear above 128; below it doubles every 48 levels, linear in between.
    """
    if level >= 128:
        return 16 + (400 * (255 - level) + 63) // 127
    octave, part = divmod(128 - level, 48)
    return (416 << octave) * (48 + part) // 48


def steps(level: int, table_id: int) -> NDArray[np.int32]:
    """Steps of the 64 coefficients in 1/16, index 8 * horizontal + vertical frequency.

    Table 0 is flat. Table 1 grows with radial frequency r as 1 + 5/16 (r - 1). Entry 0 is the DC
    step, which never exceeds `MAX_DC_STEP`.
    """
    base = base_step(level)
    out = np.empty(64, np.int32)
    for h in range(8):
        for v in range(8):
            weight = 16
            if table_id == 1:
                weight += max(0, isqrt(256 * (h * h + v * v)) - 16) * 5 // 16
            out[8 * h + v] = (base * weight + 8) // 16
    out[0] = min(base, MAX_DC_STEP)
    return out


class _Blocks:
    """What encoder and decoder both know before any bit: planes, block classes, quantisers."""

    def __init__(self, metadata: Metadata, class_map: U8) -> None:
        self.colours = 3 if metadata.channels >= 3 else 1
        self.subsampled = self.colours == 3 and metadata.subsampling == "4:2:0"
        self.mid_is_hole = metadata.mid == "palette"
        self.background_steps = steps(metadata.quality_level, metadata.qp_table_id)
        self.mid_steps = steps(metadata.mid_level, metadata.qp_table_id)
        footprints = [8] + [16 if self.subsampled else 8] * (self.colours - 1)
        maps = {
            size: _native.classify_blocks(class_map, size, self.mid_is_hole, metadata.mid == "dct")
            for size in set(footprints)
        }
        self.blocks: list[U8] = [maps[size] for size in footprints]
        self.levels: list[I16] = []
        #: Bit per block class: whether its AC levels are there.
        self.present = 0

    def has(self, block_class: int) -> bool:
        """Whether any block of any plane is of this class."""
        return any(bool((b == block_class).any()) for b in self.blocks)

    def render(self, pixels: U8) -> None:
        """Write the colour channels of every pixel of `pixels`, uint8 (H, W, C).

        Blocks whose tier was not read are a smooth interpolation of the 1/8 image.
        """
        planes = [
            _native.inverse_plane(lv, b, self.background_steps, self.mid_steps, self.present)
            for lv, b in zip(self.levels, self.blocks, strict=True)
        ]
        _native.from_planes(planes, self.subsampled, pixels)


class Analysis(_Blocks):
    """Transformed and quantised picture.

    pixels: uint8 (H, W, 1 or 3) without alpha; class_map: uint8 (H, W).
    """

    def __init__(self, pixels: U8, metadata: Metadata, class_map: U8) -> None:
        super().__init__(metadata, class_map)
        filled = pixels.copy()
        footprint = 16 if self.subsampled else 8
        _native.fill_rim(filled, class_map, footprint, self.mid_is_hole)
        planes = _native.to_planes(filled, self.subsampled)
        self.levels = [
            _native.forward_plane(p, b, self.background_steps, self.mid_steps, DEAD_ZONE)
            for p, b in zip(planes, self.blocks, strict=True)
        ]
        self.present = 1 << BACKGROUND | 1 << MID

    def encode_preview(self, coder: str) -> bytes:
        """The DC of every block: the 1/8 image."""
        stream = entropy.SymbolStream(*_native.dc_encode(self.levels, self.blocks))
        return entropy.pack(stream, _native.DC_CONTEXTS, coder)

    def encode_tier(self, block_class: int, coder: str) -> bytes:
        """The AC of the blocks of one class, `BACKGROUND` or `MID`."""
        stream = entropy.SymbolStream(*_native.ac_encode(self.levels, self.blocks, block_class))
        return entropy.pack(stream, _native.AC_CONTEXTS, coder)


class Synthesis(_Blocks):
    """The picture as far as it has been read: first `read_preview`, then tiers in any order."""

    def __init__(self, metadata: Metadata, class_map: U8) -> None:
        super().__init__(metadata, class_map)
        self.levels = [np.zeros((*b.shape, 64), np.int16) for b in self.blocks]

    def read_preview(self, payload: bytes) -> None:
        """Decode the DC of every block."""
        source = entropy.unpack(payload, sum(b.size for b in self.blocks))
        _native.dc_decode(*source, self.levels, self.blocks)

    def read_tier(self, payload: bytes, block_class: int) -> None:
        """Decode the AC of the blocks of one class; if that fails, they keep the preview."""
        source = entropy.unpack(payload, sum(64 * b.size for b in self.blocks))
        _native.ac_decode(*source, self.levels, self.blocks, block_class)
        self.present |= 1 << block_class

    def preview(self, pixels: U8) -> None:
        """Write the colours of the 1/8 image into `pixels`, uint8 (ceil(H/8), ceil(W/8), C)."""
        dc_step = int(self.background_steps[0])
        planes = [_native.preview_plane(lv, dc_step) for lv in self.levels]
        _native.from_planes(planes, self.subsampled, pixels)
