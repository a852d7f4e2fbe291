"""Radii by rate-distortion: the least J = D + lambda R over tables of ring-wise costs.

D is the squared error, weighted by importance, which falls with the distance from the focus as
1 / (1 + (rho / rho_0)^2); R is bits. Without the weight a lossless core would never pay, or
always. lambda is `lambda_rd` scaled by the square of the background's quantiser step, so that the
focus keeps its size when the quality changes. Costs come from `_native.block_costs`, per 8x8
block, summed over rings around each center; prefix sums make every pair of radii one addition.
"""

import numpy as np
from numpy.typing import NDArray

from .. import _native
from ..coders import dct
from ..settings import round_radius

U8 = NDArray[np.uint8]

#: Width of a ring in pixels along the geometric mean of the ellipse's axes.
_RING = 8.0
#: Largest share of the image that all cores together may take, and smallest.
_MAX_CORE, _MIN_CORE = 0.12, 0.004
#: Distance at which importance is one half, relative to the shorter side.
_IMPORTANCE = 0.1
#: Makes lambda_rd = 0.02 the balanced setting.
_LAMBDA_SCALE = 0.54
#: Widest mid tier, relative to the core's radius.
_MAX_MID = 1.5


def radii(
    pixels: U8,
    centers: tuple[tuple[int, int], ...],
    sigmas: list[tuple[float, float]],
    level: int,
    mid_level: int,
    table_id: int,
    lambda_rd: float,
    with_mid: bool,
) -> list[tuple[float, float]]:
    """(r_core, r_mid) for every center, in units of the weighted distance.

    pixels: uint8 (H, W, C). Each center is optimised over the blocks that are nearest to it.
    """
    height, width = pixels.shape[:2]
    costs = _native.block_costs(
        pixels, dct.steps(level, table_id), dct.steps(mid_level, table_id)
    ).astype(np.float64)
    y, x = np.mgrid[: costs.shape[0], : costs.shape[1]] * 8 + 3.5
    distances = [
        np.sqrt((x - cx) ** 2 / sx + (y - cy) ** 2 / sy)
        for (cx, cy), (sx, sy) in zip(centers, sigmas, strict=True)
    ]
    owner = np.argmin(distances, axis=0)
    lam = lambda_rd * _LAMBDA_SCALE * (dct.base_step(level) / 16) ** 2
    half = _IMPORTANCE * min(height, width)
    out = []
    for k, (sx, sy) in enumerate(sigmas):
        unit = (sx * sy) ** 0.25  # pixels per unit of distance, mean over directions
        rho = distances[k] * unit
        weight = 1 / (1 + (rho / half) ** 2)
        mine = owner == k
        ring = (rho[mine] / _RING).astype(int)
        share = height * width / len(sigmas) / np.pi
        longest = np.sqrt(_MAX_CORE * share)
        shortest = min(max(8.0, np.sqrt(_MIN_CORE * share)), longest)
        n = int(longest * _MAX_MID / _RING) + 2

        def table(
            values: NDArray[np.float64], mine: NDArray[np.bool_] = mine, ring: NDArray[np.int_] = ring, n: int = n
        ) -> NDArray[np.float64]:
            """Sums over all rings below each radius: entry i covers rings 0..i-1."""
            sums = np.bincount(np.minimum(ring, n), values[mine], n + 1)[:n]
            return np.concatenate([[0.0], np.cumsum(sums)])

        core = table(lam * costs[..., 0])
        background = table(weight * costs[..., 2] + lam * costs[..., 1])
        mid = table(weight * costs[..., 4] + lam * costs[..., 3])
        # J relative to an image that is all background, for every pair of ring counts.
        j = (core - mid)[:, None] + (mid - background)[None, :]
        radius = np.arange(n + 1) * _RING
        inner, outer = radius[:, None], radius[None, :]
        ratio = _MAX_MID if with_mid else 1.0
        allowed = (inner >= shortest) & (inner <= longest)
        allowed = allowed & (outer >= inner) & (outer <= inner * ratio)
        if allowed.any():
            c, m = np.unravel_index(int(np.where(allowed, j, np.inf).argmin()), j.shape)
            r_core, r_mid = float(radius[c]), float(radius[m])
        else:  # an image so small that no ring fits
            r_core = r_mid = float(shortest)
        out.append((round_radius(r_core / unit), round_radius(r_mid / unit)))
    return out
