"""J = D + lambda R over the radii of every focus, as a picture; needs matplotlib."""

from typing import IO

import numpy as np

from ..encoder.roi.plan import FocusPlan


def draw(plan: FocusPlan, file: IO[bytes]) -> None:
    """Draw a panel for each focus whose radii were searched, as PNG. Raises ValueError if none
    was."""
    if not plan.surfaces:
        raise ValueError("no radii were searched")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.2 * len(plan.surfaces), 4.6), layout="constrained")
    panels = figure.subplots(1, len(plan.surfaces), squeeze=False)[0]
    figure.suptitle(
        "J = D + \N{GREEK SMALL LETTER LAMDA} R over the radii; the cross has the least"
    )
    for k, (panel, (surface, width), focus) in enumerate(
        zip(panels, plan.surfaces, plan.foci, strict=True)
    ):
        finite = np.where(np.isfinite(surface), surface, np.nan)
        least = np.nanmin(finite)
        core, mid = np.unravel_index(int(np.nanargmin(finite)), finite.shape)
        percent = 100 * (finite - least) / abs(least)
        extent = (0, width * finite.shape[1], 0, width * finite.shape[0])
        shown = panel.imshow(
            percent,
            origin="lower",
            extent=extent,
            aspect="auto",
            cmap="viridis",
            vmax=float(np.nanpercentile(percent, 90)),
        )
        panel.plot(
            (mid + 0.5) * width, (core + 0.5) * width, "x", color="white", markersize=11, mew=3
        )
        panel.plot((mid + 0.5) * width, (core + 0.5) * width, "x", color="black", markersize=9)
        panel.set_title(f"focus {k} at ({focus.x}, {focus.y})")
        panel.set_xlabel("mid radius")
        panel.set_ylabel("core radius")
        figure.colorbar(shown, ax=panel, label="% above the least J")
    figure.savefig(file, format="png", dpi=110)
