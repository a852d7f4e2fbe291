"""The boundary coder (7.4)."""

import numpy as np

from .entropy import SymbolReader
from .geometry import BACKGROUND, MID, SCREEN_CONTENT
from .notation import expect, unzigzag

LONG_RUN = 1 << 20


def boundary_band(classes):
    """7.4: the pixels of mid and background with another tier within 2 rows and columns."""
    tiers = np.where(classes == BACKGROUND, 0, np.where(classes < MID, 1, 2))
    tiers[classes == SCREEN_CONTENT] = 3
    height, width = classes.shape
    band = np.zeros(classes.shape, bool)
    for y in range(height):
        for x in range(width):
            near = tiers[max(y - 2, 0) : y + 3, max(x - 2, 0) : x + 3]
            band[y, x] = tiers[y, x] in (0, 2) and (near != tiers[y, x]).any()
    return band


def decode_residuals(payload, samples):
    """7.4: the residuals of that many samples."""
    reader = SymbolReader(payload, 2)
    residuals = []
    while True:
        run = reader.value(0)
        expect(run <= samples - len(residuals), "a run behind the last sample")
        residuals += [0] * run
        if len(residuals) == samples:
            break
        if run < LONG_RUN:
            residuals.append(unzigzag(reader.value(1) + 1))
    reader.finish()
    return residuals


def apply_boundary(payload, classes, colours):
    """7.4: the colours (height, width, 1 or 3) with the band corrected."""
    band = boundary_band(classes)
    count = int(band.sum())
    residuals = decode_residuals(payload, count * colours.shape[2])
    result = colours.astype(np.int64)
    result[band] += np.array(residuals, np.int64).reshape(count, colours.shape[2])
    return np.clip(result, 0, 255).astype(np.uint8)
