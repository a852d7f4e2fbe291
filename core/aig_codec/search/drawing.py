"""Which tiles of a picture are drawn: text, interfaces, flat graphics, maps.

Graphics find what repeats itself and code it nearly for nothing; a DCT blurs it at many times the
bits. A tile outside the cores is drawn if that makes the least J = D + lambda R, both measured: D
and R of graphics by coding all tiles that look drawn at once, those of the DCT by its estimates.
"""

import numpy as np
from numpy.typing import NDArray

from .. import _native, geometry
from ..coders import dct
from ..coders.lossless import Loss, drawing_costs
from ..container import Metadata
from ..geometry import DRAWN, MID, TILE
from ..threads import Workers

U8 = NDArray[np.uint8]
F64 = NDArray[np.float64]

#: Squared error in squared steps that a bit is worth, as for the DCT.
_LAMBDA = 0.09
#: Graphics err by so many steps at most, and so many grey levels more.
_MOST_STEPS, _MOST_LEVELS = 2, 8

#: A tile may be drawn if this share of its pixels is what their left or upper neighbour is.
_REPEATED = 0.4
#: In bytes: what a picture with drawn tiles takes more than one without.
_OVERHEAD = 120
#: Bits that telling a tile apart from a neighbour takes, and rounds of settling them.
_APART, _ROUNDS = 1.5, 4


def loss(metadata: Metadata, channels: int) -> Loss:
    """What graphics may lose at a picture's quality: as much for a bit as the DCT."""
    step = dct.base_step(metadata.quality_level, metadata.qp_table_id) / 16
    most = min(255, round(_MOST_STEPS * step + _MOST_LEVELS))
    return Loss(min(round(channels * _LAMBDA * step**2), 2**20 - 1), most)


def choose(
    colour: U8, metadata: Metadata, class_map: U8, loss: Loss, workers: Workers
) -> U8 | None:
    """The tiles that are to be drawn, 1 for each, uint8 (ceil(H / TILE), ceil(W / TILE)), or None.

    colour: uint8 (H, W, 1 or 3). class_map: uint8 (H, W), of cores, mid tier and background.
    """
    repeated = _native.repeated_by_tile(colour, class_map)
    may = (repeated >= round(255 * _REPEATED)).astype(np.uint8)
    if not may.any():
        return None
    trial = class_map.copy()
    _native.mark_drawn(may, False, trial)
    costs = drawing_costs(colour, trial, DRAWN, DRAWN, loss).astype(float)
    lam = float(max(loss.per_bit, 1))
    gain = _dct_j(colour, metadata, class_map, lam) - (costs[..., 1] + lam * costs[..., 0])
    tiles = _settled(gain, may > 0, lam * _APART)
    if float(gain[tiles].sum()) <= lam * 8 * _OVERHEAD:
        return None
    return tiles.astype(np.uint8)


def _dct_j(colour: U8, metadata: Metadata, class_map: U8, lam: float) -> F64:
    """J of the pixels of every tile that are outside the cores, if the DCT codes them."""
    table = metadata.qp_table_id
    costs = _native.block_costs(
        colour, dct.steps(metadata.quality_level, table), dct.steps(metadata.mid_level, table)
    ).astype(float)
    outside = geometry.block_share(geometry.outside_cores(class_map) > 0)
    is_mid = geometry.block_share(class_map >= MID) > 0
    background, mid = (costs[..., e] + lam * costs[..., b] for b, e in ((1, 2), (3, 4)))
    return _by_tile(np.where(is_mid, mid, background) * outside)


def _by_tile(blocks: F64) -> F64:
    """Sums over the blocks of 8x8 pixels of every tile."""
    n = TILE // 8
    padded = np.pad(blocks, [(0, -size % n) for size in blocks.shape])
    height, width = (size // n for size in padded.shape)
    sums: F64 = padded.reshape(height, n, width, n).sum((1, 3))
    return sums


def _settled(gain: F64, may: NDArray[np.bool_], apart: float) -> NDArray[np.bool_]:
    """The tiles that gain, counting what it takes to tell them apart from their neighbours.

    Iterated conditional modes (Besag 1986), all tiles at once.
    """
    tiles = may & (gain > 0)
    for _ in range(_ROUNDS):
        padded = np.pad(tiles, 1, mode="edge")
        drawn = sum(
            part.astype(int)
            for part in (padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:])
        )
        tiles = may & (gain + apart * (2 * drawn - 4) > 0)
    return tiles
