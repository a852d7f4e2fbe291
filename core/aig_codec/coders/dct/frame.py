"""What both sides of the DCT coder know before any bit: steps, planes, classes of blocks
(format.md, 7.3)."""

from math import isqrt

import numpy as np
from numpy.typing import NDArray

from ... import _native
from ..base import Facts

U8 = NDArray[np.uint8]

#: Block classes, which double as names of the tiers.
BACKGROUND, MID = 0, 1

#: Sides in pixels of what one substream of high frequencies covers, and one of the LF image.
GROUP, LF_GROUP = 256, 1024

#: Largest step of the LF image in 1/16: it stays useful at any quality.
MAX_LOW_STEP = 512


def base_step(level: int, table_id: int = 0) -> int:
    """Quantiser step in 1/16 of a quality level 0..255: 1 at 255, 19 at 192, 28 at 128, 112 at 0.

    Linear in between; below 128 it doubles every 64 levels. Table 1 begins at 5/8 of that, so that
    both take about as many bits at a level.
    """
    if level >= 192:
        base = 16 + (288 * (255 - level) + 31) // 63
    elif level >= 128:
        base = 304 + 9 * (192 - level) // 4
    else:
        octave, part = divmod(128 - level, 64)
        base = (448 << octave) * (64 + part) // 64
    return (5 * base + 4) >> 3 if table_id == 1 else base


def steps(level: int, table_id: int) -> NDArray[np.int32]:
    """Steps of the 64 coefficients of 8x8 samples in 1/16, for estimates of cost.

    Table 0 is flat. Table 1 grows with radial frequency r as 1 + 5/16 (r - 1).
    """
    base = base_step(level, table_id)
    out = np.empty(64, np.int32)
    for h in range(8):
        for v in range(8):
            weight = 16
            if table_id == 1:
                weight += max(0, isqrt(256 * (h * h + v * v)) - 16) * 5 // 16
            out[8 * h + v] = (base * weight + 8) // 16
    out[0] = min(base, MAX_LOW_STEP)
    return out


class Frame:
    """What encoder and decoder both know before any bit."""

    def __init__(self, metadata: Facts, class_map: U8) -> None:
        self.metadata = metadata
        self.colour = metadata.channels >= 3
        self.subsampled = self.colour and metadata.subsampling == "4:2:0"
        self.mid_is_hole = metadata.mid == "palette"
        footprints = [8, 16 if self.subsampled else 8]
        self.classes = [
            _native.classify_blocks(class_map, size, self.mid_is_hole, metadata.mid == "dct")
            for size in footprints
        ]

    def has(self, block_class: int) -> bool:
        """Whether any block of any plane is of this class."""
        return any(bool((c == block_class).any()) for c in self.classes)

    def frame(self, chroma: tuple[int, int]) -> tuple[int, int, bool, bool, U8, U8, list[int], int]:
        """The arguments that the kernels' encoder and decoder have in common."""
        meta = self.metadata
        levels = (meta.quality_level, meta.mid_level)
        luma = [base_step(level, meta.qp_table_id) for level in levels]
        planes = []
        for share in (16, *chroma) if self.colour else (16,):
            own = [max(1, (step * share + 8) >> 4) for step in luma]
            planes += [*own, max(1, (min(luma[0], MAX_LOW_STEP) * share + 8) >> 4)]
        return (
            *(meta.width, meta.height, self.colour, self.subsampled),
            *(self.classes[0], self.classes[1], planes, meta.qp_table_id),
        )
