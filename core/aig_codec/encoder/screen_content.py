"""Which tiles of a picture are drawn: text, interfaces, flat graphics, maps.

Graphics find what repeats itself and code it nearly for nothing; a DCT blurs it at many times the
bits. A tile outside the cores is drawn if that makes the least J = D + lambda R, both measured: D
and R of graphics by coding all tiles that look drawn at once, those of the DCT by its estimates.
"""

import numpy as np
from numpy.typing import NDArray

from .. import _native
from ..coders import dct
from ..coders.base import Facts
from ..coders.lossless import Loss, drawing_costs
from ..container.kinds import SCREEN_CONTENT

U8 = NDArray[np.uint8]
F64 = NDArray[np.float64]

#: Squared error in squared steps that a bit is worth, as for the DCT.
_LAMBDA = 0.09
#: Graphics err by so many steps at most, and so many grey levels more.
_MOST_STEPS, _MOST_LEVELS = 2, 8

#: A tile may be drawn if this share of its pixels is what their left or upper neighbour is.
_REPEATED = 0.4
#: One of so many tiles is looked at first.
_SAMPLED = 8
#: A sign of drawing is a tile of so many repeated pixels in which transforms need so many bits;
#: pictures where all signs together need less than so many bytes are not looked at further.
_SIGN_REPEATED, _SIGN_BITS, _SIGNS_BYTES = 0.5, 60, 500
#: Of what transforms of 8x8 cost, those of all sizes cost about this share.
_TRANSFORMS = 0.8
#: Signs are looked for by the steps of this quality level or of a higher one.
_SIGN_LEVEL = 191
#: In bytes: what a picture with drawn tiles takes more than one without, and an area of them.
_OVERHEAD, _OF_AREA = 100, 12
#: Bits that the 1/8 image of a tile takes more where transforms need it to be fine.
_LF_BITS = 16.0
#: Bits that an empty tile takes at most.
_EMPTY = 2.0
#: Bits that telling a tile apart from a neighbour takes, and rounds of settling them.
_APART, _ROUNDS = 1.5, 4


def loss(facts: Facts, channels: int, weight: float = 1.0) -> Loss:
    """What graphics may lose at a picture's quality: as much for a bit as the DCT. weight: of a
    bit, relative to the usual one."""
    step = dct.base_step(facts.quality_level, facts.qp_table_id) / 16
    most = min(255, round(_MOST_STEPS * step + _MOST_LEVELS))
    return Loss(min(round(weight * channels * _LAMBDA * step**2), 2**20 - 1), most)


def choose(colour: U8, facts: Facts, class_map: U8, loss: Loss) -> U8 | None:
    """The tiles that are to be drawn, 1 for each, uint8 (ceil(H / TILE), ceil(W / TILE)), or None.

    colour: uint8 (H, W, 1 or 3). class_map: uint8 (H, W), of cores, mid tier and background.
    """
    repeated = _native.repeated_by_tile(colour, class_map) / 255
    may = repeated >= _REPEATED
    lam = float(max(loss.per_bit, 1))
    level, table = facts.quality_level, facts.qp_table_id

    def transformed(tiles: NDArray[np.bool_], level: int) -> NDArray[np.float32]:
        steps = dct.steps(level, table)
        return _native.transform_costs_by_tile(colour, tiles.astype(np.uint8), steps)

    def drawn_j(tiles: NDArray[np.bool_]) -> F64:
        trial = class_map.copy()
        _native.mark_drawn(tiles.astype(np.uint8), False, trial)
        return _j(drawing_costs(colour, trial, SCREEN_CONTENT, SCREEN_CONTENT, loss), lam)

    # Nearly all photographs are told apart by some of their tiles, the others by few more.
    rows, columns = np.indices(may.shape)
    likely = repeated >= _SIGN_REPEATED
    # At any quality by the same steps, so that tiles are not drawn at some of them only.
    sign_level = max(level, _SIGN_LEVEL)
    sample = transformed(likely & ((columns + 3 * rows) % _SAMPLED == 0), sign_level)[..., 0]
    if _SAMPLED * sample[sample > _SIGN_BITS].sum() < 8 * _SIGNS_BYTES:
        return None
    costs = transformed(may, level)
    signs = likely & (transformed(likely, sign_level)[..., 0] > _SIGN_BITS)
    lossy = _TRANSFORMS * _j(costs, lam)
    if float((lossy - drawn_j(signs))[signs].sum()) <= lam * 8 * _OVERHEAD:
        return None
    drawn = drawn_j(may)
    gain = lossy + lam * _LF_BITS - drawn
    # Empty tiles cost nothing either way: they go with those around them.
    empty = may & (drawn <= lam * _EMPTY)
    tiles = _settled(gain, may, lam * _APART) | empty
    chosen = _worth_it(tiles, np.where(empty, 0, gain), lam * 8 * _OF_AREA)
    return chosen if float(gain[chosen > 0].sum()) > lam * 8 * _OVERHEAD else None


def _j(costs: NDArray[np.float32], lam: float) -> F64:
    j: F64 = costs[..., 1].astype(float) + lam * costs[..., 0]
    return j


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


def _worth_it(tiles: NDArray[np.bool_], gain: F64, least: float) -> U8:
    """Those connected areas of tiles that gain more than so much."""
    numbers, count = _native.components(tiles.astype(np.uint8))
    gains = np.bincount(numbers.ravel(), gain.ravel(), count + 1)
    keep = gains > least
    keep[0] = False
    chosen: U8 = keep[numbers].astype(np.uint8)
    return chosen
