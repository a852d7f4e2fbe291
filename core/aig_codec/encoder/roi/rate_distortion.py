"""Radii by rate-distortion: the least J = D + lambda R over tables of ring-wise costs.

D is the squared error, weighted by importance, which falls with the distance from the nearest focus
as 1 / (1 + (rho / rho_0)^2); R is bits. Without the weight a lossless core would never pay, or
always. lambda is `lambda_rd` scaled by the square of the background's quantiser step, so that the
focus keeps its size when the quality changes.

Costs per 8x8 block come from formulas (`_native.block_costs`), on some of the rows of blocks, and
are scaled to what the real coders make of a square around each center. Summed over rings around the
centers, every choice of radii is a few additions. Several centers are chosen jointly: in turn each
takes the best pair of radii given the others', from several starts, until none changes.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ... import _native
from ...coders import dct, lossless
from ...container import Focus, Metadata
from ...threads import Workers
from ..settings import round_radius

U8 = NDArray[np.uint8]
F64 = NDArray[np.float64]

#: Rings along the largest radius of a core.
_RINGS = 40
#: Largest share of the image that all cores together may take, and smallest.
_MAX_CORE, _MIN_CORE = 0.12, 0.004
#: Distance at which importance is one half, relative to the shorter side.
_IMPORTANCE = 0.1
#: Makes lambda_rd = 0.02 the balanced setting.
_LAMBDA_SCALE = 0.76
#: Widest mid tier, relative to the core's radius.
_MAX_MID = 1.5
#: Side of the square that the real coders are tried on.
_TRIAL = 208
#: One of so many rows of blocks is looked at, in pictures of so many pixels.
_SKIP, _LARGE = 4, 500_000
#: Tiers of a block, by what they promise.
_BACKGROUND, _MID, _CORE = range(3)


class Tables(NamedTuple):
    """What every sampled block costs, and where it lies.

    bits, error: (n, 3), of background, mid and core; errors are weighted by importance. ring:
    (centers, n), the number of the ring around each center. lam: what a bit is worth. width: of a
    ring, in units of each center's distance. scale: blocks that each one stands for.
    """

    bits: F64
    error: F64
    ring: NDArray[np.int64]
    lam: float
    width: tuple[float, ...]
    scale: float

    @property
    def j(self) -> F64:
        """J of every block in every tier: (n, 3)."""
        return self.error + self.lam * self.bits


@dataclass(frozen=True)
class Choice:
    """radii: (core, mid) of each center, in units of its distance. rings: the same in rings.
    surfaces: J over all pairs for each center, given the others, infinite where not allowed."""

    radii: tuple[tuple[float, float], ...]
    rings: tuple[tuple[int, int], ...]
    surfaces: tuple[F64, ...]
    tables: Tables


def radii(
    pixels: U8,
    centers: Sequence[tuple[int, int]],
    sigmas: Sequence[tuple[float, float]],
    levels: tuple[int, int],
    table_id: int,
    subsampling: str,
    lambda_rd: float,
    with_mid: bool,
) -> Choice:
    """The radii of every center.

    pixels: uint8 (H, W, C). levels: quality levels of background and mid tier.
    """
    height, width = pixels.shape[:2]
    units = [(sx * sy) ** 0.25 for sx, sy in sigmas]  # pixels per unit, mean over directions
    share = height * width / len(centers) / math.pi
    longest = math.sqrt(_MAX_CORE * share)
    ring = max(longest / _RINGS, 1.0)
    shortest = min(max(8.0, math.sqrt(_MIN_CORE * share)), longest)
    reaches = [
        [longest * _MAX_MID / unit * math.sqrt(s) for s in sigma]
        for unit, sigma in zip(units, sigmas, strict=True)
    ]
    skip = _SKIP if height * width > _LARGE else 1
    left, top, right, bottom = _window(centers, reaches, width, height, 8 * skip)
    crop = pixels[top:bottom, left:right]
    rows = (np.arange(0, crop.shape[0], 8 * skip)[:, None] + np.arange(8)).ravel()
    sample = np.ascontiguousarray(crop[np.minimum(rows, crop.shape[0] - 1)])
    quantisers = [dct.steps(level, table_id) for level in levels]
    costs = _native.block_costs(sample, *quantisers).astype(float)
    rows_of, columns_of = np.indices(costs.shape[:2])
    x, y = (8 * columns_of + left + 3.5).ravel(), (8 * skip * rows_of + top + 3.5).ravel()
    inside = (x < width) & (y < height)
    distances = np.stack(
        [
            np.sqrt((x - cx) ** 2 / sx + (y - cy) ** 2 / sy)[inside] * unit
            for (cx, cy), (sx, sy), unit in zip(centers, sigmas, units, strict=True)
        ]
    )
    half = _IMPORTANCE * min(height, width)
    weight = 1 / (1 + (distances.min(0) / half) ** 2)
    blocks = costs.reshape(-1, 5)[inside]
    scales = [_scales(pixels, c, levels, table_id, subsampling) for c in centers]
    scale = np.array(scales)[distances.argmin(0)]
    tables = Tables(
        bits=np.stack([blocks[:, 1] * scale[:, 1], blocks[:, 3] * scale[:, 1]], 1),
        error=weight[:, None] * blocks[:, [2, 4]] * scale[:, [2]],
        ring=np.minimum((distances / ring).astype(int), int(_MAX_MID * _RINGS) + 2),
        lam=lambda_rd * _LAMBDA_SCALE * (dct.base_step(levels[0]) / 16) ** 2,
        width=tuple(ring / unit for unit in units),
        scale=float(skip),
    )
    core_bits, none = blocks[:, :1] * scale[:, :1], np.zeros((len(blocks), 1))
    tables = tables._replace(
        bits=np.hstack([tables.bits, core_bits]), error=np.hstack([tables.error, none])
    )
    least = max(1, round(shortest / ring))
    return choose(tables, least, max(least, round(longest / ring)), with_mid)


def choose(tables: Tables, least: int, most: int, with_mid: bool) -> Choice:
    """The pairs of rings (core, mid) with the least J, core in least..most.

    No pair of any center alone can be changed for a smaller J. For one center it is the minimum.
    """
    n = len(tables.ring)
    starts = [[(least, least)] * n, [(most, most)] * n, [((least + most) // 2,) * 2] * n]
    if n == 1:
        starts = starts[:1]  # one round finds the minimum, wherever it begins
    best: tuple[float, list[tuple[int, int]]] | None = None
    for start in starts:
        rings = list(start)
        j = cost(tables, rings)
        while True:
            before = list(rings)
            for k in range(n):
                surface = _surface(tables, rings, k, least, most, with_mid)
                core, mid = np.unravel_index(int(surface.argmin()), surface.shape)
                other = [*rings[:k], (int(core), int(mid)), *rings[k + 1 :]]
                # The surfaces of two centers round differently: only a J that is summed in one way,
                # and falls with every step, makes this come to an end.
                if other != rings and (lower := cost(tables, other)) < j:
                    rings, j = other, lower
            if rings == before:
                break
        if best is None or j < best[0]:
            best = j, rings
    assert best is not None
    chosen = best[1]
    return Choice(
        radii=tuple(
            (round_radius(core * w), round_radius(mid * w))
            for (core, mid), w in zip(chosen, tables.width, strict=True)
        ),
        rings=tuple(chosen),
        surfaces=tuple(_surface(tables, chosen, k, least, most, with_mid) for k in range(n)),
        tables=tables,
    )


def tiers(tables: Tables, rings: Sequence[tuple[int, int]]) -> NDArray[np.int64]:
    """The tier of every block: the best that any center grants."""
    cores, mids = np.array(rings).T[..., None]
    found: NDArray[np.int64] = ((tables.ring < mids) + 1 * (tables.ring < cores)).max(0)
    return found


def cost(tables: Tables, rings: Sequence[tuple[int, int]]) -> float:
    """J of a choice, of the sampled blocks."""
    return float(np.take_along_axis(tables.j, tiers(tables, rings)[:, None], 1).sum())


def _surface(
    tables: Tables,
    rings: Sequence[tuple[int, int]],
    k: int,
    least: int,
    most: int,
    with_mid: bool,
) -> F64:
    """J over all pairs (core, mid) of center k, given the others: prefix sums over its rings."""
    others = [pair for i, pair in enumerate(rings) if i != k]
    granted = np.zeros(tables.ring.shape[1], int)
    if others:
        rest = tables._replace(ring=np.delete(tables.ring, k, 0))
        granted = tiers(rest, others)
    j, own = tables.j, tables.ring[k]
    size = int(most * _MAX_MID) + 2

    def sums(values: F64, of: NDArray[np.bool_]) -> F64:
        """Entry i is the sum over the blocks of rings 0 .. i - 1."""
        ring = np.minimum(own[of], size)
        return np.concatenate([[0.0], np.cumsum(np.bincount(ring, values[of], size + 1)[:size])])

    free, is_mid = granted == _BACKGROUND, granted == _MID
    fixed = float(j[free, _BACKGROUND].sum() + j[is_mid, _MID].sum())
    fixed += float(j[granted == _CORE, _CORE].sum())
    # What a block gains from one tier to the next, where that is open.
    by_core = sums(j[:, _CORE] - j[:, _MID], granted != _CORE)
    by_mid = sums(j[:, _MID] - j[:, _BACKGROUND], free)
    surface = fixed + by_core[:, None] + by_mid[None, :]
    core, mid = np.indices(surface.shape)
    widest = (core * (_MAX_MID if with_mid else 1)).astype(int)
    allowed = (core >= least) & (core <= most) & (mid >= core) & (mid <= widest)
    return np.where(allowed, surface, np.inf)


def _window(
    centers: Sequence[tuple[int, int]],
    reaches: Sequence[Sequence[float]],
    width: int,
    height: int,
    grid: int,
) -> tuple[int, int, int, int]:
    """What of the picture may become core or mid, on a grid."""
    pairs = list(zip(centers, reaches, strict=True))
    left = max(0, min(int(c[0] - r[0]) for c, r in pairs)) // grid * grid
    top = max(0, min(int(c[1] - r[1]) for c, r in pairs)) // grid * grid
    right = min(width, max(int(c[0] + r[0]) + 1 for c, r in pairs))
    bottom = min(height, max(int(c[1] + r[1]) + 1 for c, r in pairs))
    return left, top, right, bottom


def _scales(
    pixels: U8, center: tuple[int, int], levels: tuple[int, int], table_id: int, subsampling: str
) -> tuple[float, float, float]:
    """What real coders make of a square around a center, relative to the formulas: bits of the
    lossless coder, bits and error of the DCT."""
    height, width = pixels.shape[:2]
    side_x, side_y = min(_TRIAL, width), min(_TRIAL, height)
    left = min(max(0, center[0] - side_x // 2), width - side_x)
    top = min(max(0, center[1] - side_y // 2), height - side_y)
    colours = 1 if pixels.shape[2] < 3 else 3
    square = np.ascontiguousarray(pixels[top : top + side_y, left : left + side_x, :colours])
    formulas = _native.block_costs(square, *(dct.steps(level, table_id) for level in levels))
    expected = formulas.astype(float).sum((0, 1))[:3]
    everything = np.ones(square.shape[:2], np.uint8)
    exact = 8 * len(lossless.encode(square, everything, 1, 1))
    meta = Metadata(
        width=side_x,
        height=side_y,
        mode="L" if colours == 1 else "RGB",
        foci=(Focus(0, 0, (1.0, 1.0), 0, 0.0, 0.0),),
        quality_level=levels[0],
        qp_table_id=table_id,
        subsampling=subsampling,
    )
    background = np.zeros_like(everything)
    with Workers(1) as workers:
        analysis = dct.Analysis(square, meta, background, "auto", 4, workers)
        preview, coded = analysis.encode([dct.BACKGROUND])
        synthesis = dct.Synthesis(meta, background, workers)
        synthesis.read_preview(preview)
        synthesis.read_tier(coded[dct.BACKGROUND], dct.BACKGROUND)
        decoded = np.empty_like(square)
        synthesis.render(decoded)
    error = float(((square.astype(np.int32) - decoded) ** 2).sum())
    measured = np.array([exact, 8 * len(coded[dct.BACKGROUND]), error])
    bits, lossy, squares = measured / np.maximum(expected, 1.0)
    return float(bits), float(lossy), float(squares)
