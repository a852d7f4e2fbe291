"""Foci for a picture: those that were asked for, completed by saliency and rate-distortion."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...container import Focus
from ...container.decisions import Candidate, Decision
from ...container.header import float32_from_code
from ..settings import Settings

#: How many pairs of radii are told besides the chosen one.
_TOLD = 4


@dataclass(frozen=True)
class FocusPlan:
    """foci, and how they were chosen. surfaces: for each focus whose radii were searched J over
    the pairs of rings, and the width of a ring."""

    foci: tuple[Focus, ...]
    decisions: tuple[Decision, ...] = ()
    surfaces: tuple[tuple[NDArray[np.float64], float], ...] = ()


def plan(
    pixels: NDArray[Any], wanted: Settings, levels: tuple[int, int], table_id: int, chroma: str
) -> FocusPlan:
    """The foci of a picture, uint8 (H, W, C).

    levels: quality levels of background and mid tier. chroma: how it is subsampled.
    """
    decisions: list[Decision] = []
    centers, sigmas = wanted.centers, None
    if centers is None:
        from . import saliency

        found = saliency.find(pixels)
        centers = tuple((f.x, f.y) for f in found)
        if not wanted.shaped:
            sigmas = [_as_header(f.sigma) for f in found]
        decisions.append(_of_centers(found))
    sigmas = sigmas or [wanted.sigma_of(k) for k in range(len(centers))]
    radii = wanted.radii
    surfaces: tuple[tuple[NDArray[np.float64], float], ...] = ()
    if radii is None:
        from . import rate_distortion

        choice = rate_distortion.radii(
            pixels,
            centers,
            sigmas,
            levels,
            table_id,
            chroma,
            wanted.lambda_rd,
            wanted.mid != "none",
        )
        radii = choice.radii
        surfaces = tuple(zip(choice.surfaces, choice.tables.width, strict=True))
        decisions += [_of_radii(choice, k) for k in range(len(centers))]
    foci = tuple(
        Focus(x, y, sigma, wanted.alpha_code_of(k), *radii[k])
        for k, ((x, y), sigma) in enumerate(zip(centers, sigmas, strict=True))
    )
    return FocusPlan(foci, tuple(decisions), surfaces)


def _as_header(sigma: tuple[float, float]) -> tuple[float, float]:
    """The nearest shape that the header's bytes say already: within 3 %, which nobody asked for."""
    codes = (84 + round(12 * math.log2(s)) for s in sigma)
    x, y = (float32_from_code(min(max(code, 1), 255)) for code in codes)
    return x, y


def _of_centers(found: list[Any]) -> Decision:
    places = ", ".join(f"({f.x}, {f.y})" for f in found)
    if not found[0].confidence:
        return Decision("centers", places, "Nothing stands out, so the middle has a modest focus.")
    seen = ", ".join(f"{f.confidence:.2f}" for f in found)
    return Decision("centers", places, f"What stands out most; confidence {seen} of 1.")


def _of_radii(choice: Any, k: int) -> Decision:
    surface, width = choice.surfaces[k], choice.tables.width[k]
    least = choice.rings[k]

    def named(core: int, mid: int) -> str:
        return f"core {core * width:.4g}, mid {mid * width:.4g}"

    # Its neighbours in steps of a quarter, and the smallest and the largest that are allowed.
    allowed = np.argwhere(np.isfinite(surface))
    cores = {
        least[0],
        int(allowed[:, 0].min()),
        int(allowed[:, 0].max()),
        round(least[0] * 0.75),
        round(least[0] * 1.25),
    }
    rows = []
    for core in sorted(cores):
        if core >= len(surface) or not np.isfinite(surface[core]).any():
            continue
        mid = least[1] if core == least[0] else int(surface[core].argmin())
        rows.append(Candidate(named(core, mid), float(surface[core, mid])))
    return Decision(
        f"radii of focus {k}",
        named(*least),
        "The least J = D + lambda R of all pairs, D being squared error weighted by nearness.",
        tuple(rows[: _TOLD + 1]),
    )
