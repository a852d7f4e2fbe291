"""Where the probabilities of the lossy tiers start: how often their decisions turn out as 1."""

from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aig_codec.coders import dct
from aig_codec.container import Focus, Metadata
from aig_codec.encoder.settings import level_from_quality
from aig_codec.threads import Workers

#: What pictures are coded with; every combination has the same weight.
_QUALITIES = (30, 60, 80, 92)
_TABLES = (0, 1)
_SUBSAMPLINGS = ("4:2:0", "4:4:4")
_EFFORT = 8

#: Combinations per picture.
RUNS = len(_QUALITIES) * len(_TABLES) * len(_SUBSAMPLINGS)

#: Counts that either outcome begins with.
_PRIOR = 0.4

Counts = tuple[NDArray[np.float64], NDArray[np.float64]]


def counts(pixels: NDArray[np.uint8]) -> Counts:
    """How often each decision of the high frequencies, and of the 1/8 image, was 0 and 1.

    pixels: uint8 (H, W, 3). Two arrays (decisions, 2), in the order of the models' members.
    """
    height, width = pixels.shape[:2]
    class_map = np.zeros((height, width), np.uint8)
    high: Any = 0.0
    low: Any = 0.0
    with Workers(1) as workers:
        for quality, table, subsampling in product(_QUALITIES, _TABLES, _SUBSAMPLINGS):
            level = level_from_quality(quality)
            metadata = Metadata(
                width=width,
                height=height,
                mode="RGB",
                foci=(Focus(0, 0, (1.0, 1.0), 0, 0.0, 0.0),),
                quality_level=level,
                mid_level=level,
                qp_table_id=table,
                subsampling=subsampling,
            )
            analysis = dct.Analysis(pixels, metadata, class_map, "auto", _EFFORT, workers)
            of_high, of_low = analysis.counts()
            high, low = high + of_high, low + of_low
    return high, low


def trained(sums: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Probabilities of a 1 in 1/256, from counts (decisions, 2) of many pictures."""
    share = (sums[:, 1] + _PRIOR) / (sums.sum(1) + 2 * _PRIOR)
    return np.clip(256 * share, 1, 254).astype(np.uint8)
