"""The lossless coder (7.1)."""

import numpy as np

from .entropy import SymbolReader
from .notation import clip, med, reached
from .regions import Neighbours, region_rows

LOSSLESS_CONTEXTS = 64
ACTIVITY = (1, 2, 3, 5, 7, 10, 14, 19, 26, 35, 48, 66, 95, 140, 210)
RANGE = {"Y": (0, 255, 128), "A": (0, 255, 128), "U": (-255, 255, 0), "V": (-319, 319, 0)}
ORDER = {1: "Y", 2: "YA", 3: "UVY", 4: "UVYA"}


def lossless_pixel(samples):
    """7.1.2 backwards: the bytes of one pixel from its named samples."""
    alpha = [samples["A"]] if "A" in samples else []
    if "U" not in samples:
        return [samples["Y"], *alpha]
    u = samples["U"]
    v = samples["V"] + (u >> 2)
    g = samples["Y"] - ((u + v + 2) >> 2)
    return [clip(u + g, 0, 255), clip(g, 0, 255), clip(v + g, 0, 255), *alpha]


def decode_lossless(payload, region, channels):
    """7.1: an array (height, width, channels) that is 0 outside the region."""
    reader = SymbolReader(payload, LOSSLESS_CONTEXTS)
    pixels = np.zeros((*region.shape, channels), np.uint8)
    width, rows = region_rows(region)
    names = ORDER[channels]
    values = [Neighbours(width, RANGE[name][2]) for name in names]
    errors = [Neighbours(width, 0) for _ in names]
    for row in rows:
        for y, x, column in row:
            samples = {}
            error = cross = 0
            for c, name in enumerate(names):
                w, n, nw, ne = values[c].look(column)
                error_w, error_n, _, _ = errors[c].look(column)
                if c == 1:
                    cross = 2 * error
                elif c > 1:
                    cross = (cross >> 1) + error
                activity = abs(w - nw) + abs(n - nw) + abs(ne - n) + error_w + error_n + cross
                prediction = med(w, n, nw)
                residual = reader.signed(16 * c + reached(ACTIVITY, activity))
                low, high, _ = RANGE[name]
                samples[name] = clip(prediction + residual, low, high)
                error = abs(samples[name] - prediction)
                values[c].put(column, samples[name])
                errors[c].put(column, error)
            pixels[y, x] = lossless_pixel(samples)
        for neighbours in (*values, *errors):
            neighbours.end_row()
    reader.finish()
    return pixels
