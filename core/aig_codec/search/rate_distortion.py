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
    quantisers = dct.steps(level, table_id), dct.steps(mid_level, table_id)
    lam = lambda_rd * _LAMBDA_SCALE * (dct.base_step(level) / 16) ** 2
    half = _IMPORTANCE * min(height, width)
    share = height * width / len(centers) / np.pi
    longest = np.sqrt(_MAX_CORE * share)
    shortest = min(max(_RING, np.sqrt(_MIN_CORE * share)), longest)
    out = []
    for k, ((cx, cy), (sx, sy)) in enumerate(zip(centers, sigmas, strict=True)):
        unit = (sx * sy) ** 0.25  # pixels per unit of distance, mean over directions
        reach = [longest * _MAX_MID / unit * np.sqrt(s) for s in (sx, sy)]
        left, top = (max(0, int(c - r) // 8 * 8) for c, r in zip((cx, cy), reach, strict=True))
        right, bottom = (int(c + r) + 1 for c, r in zip((cx, cy), reach, strict=True))
        crop = np.ascontiguousarray(pixels[top:bottom, left:right])
        costs = _native.block_costs(crop, *quantisers)
        y, x = np.mgrid[: costs.shape[0], : costs.shape[1]] * 8 + 3.5
        distances = [
            np.sqrt((x + left - px) ** 2 / qx + (y + top - py) ** 2 / qy)
            for (px, py), (qx, qy) in zip(centers, sigmas, strict=True)
        ]
        mine = np.argmin(distances, axis=0) == k
        j = _objective(distances[k][mine] * unit, costs[mine].astype(float), lam, half, longest)
        radius = np.arange(len(j)) * _RING
        inner, outer = radius[:, None], radius[None, :]
        allowed = (inner >= shortest) & (inner <= longest)
        allowed = allowed & (outer >= inner) & (outer <= inner * (_MAX_MID if with_mid else 1))
        if allowed.any():
            core, mid = np.unravel_index(int(np.where(allowed, j, np.inf).argmin()), j.shape)
            pair = float(radius[core]), float(radius[mid])
        else:  # an image so small that no ring fits
            pair = float(shortest), float(shortest)
        out.append((round_radius(pair[0] / unit), round_radius(pair[1] / unit)))
    return out


def _objective(
    rho: NDArray[np.float64], costs: NDArray[np.float64], lam: float, half: float, longest: float
) -> NDArray[np.float64]:
    """J for every pair of ring counts (core, mid), relative to an image that is all background.

    rho: distance of every block in pixels, (n,). costs: its row of `_native.block_costs`, (n, 5).
    """
    n = int(longest * _MAX_MID / _RING) + 2
    ring = np.minimum((rho / _RING).astype(int), n)
    weight = 1 / (1 + (rho / half) ** 2)

    def table(values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Entry i is the sum over rings 0..i-1."""
        return np.concatenate([[0.0], np.cumsum(np.bincount(ring, values, n + 1)[:n])])

    core = table(lam * costs[:, 0])
    background = table(lam * costs[:, 1] + weight * costs[:, 2])
    mid = table(lam * costs[:, 3] + weight * costs[:, 4])
    return (core - mid)[:, None] + (mid - background)[None, :]
