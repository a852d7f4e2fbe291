"""The DCT coder: the 1/8 image, the mid tier and the background (format.md, 7.3).

`codec` has its two sides, `coder` what the registry knows of it.
"""

from .codec import (
    ADAPTATION,
    BACKGROUND,
    GROUP,
    LAST_PARALLEL_EFFORT,
    MID,
    REGION,
    Analysis,
    Effort,
    Synthesis,
    base_step,
    rows_at_once,
    steps,
)
from .coder import DctCoder, DctDecoder

__all__ = [
    "ADAPTATION",
    "BACKGROUND",
    "GROUP",
    "LAST_PARALLEL_EFFORT",
    "MID",
    "REGION",
    "Analysis",
    "DctCoder",
    "DctDecoder",
    "Effort",
    "Synthesis",
    "base_step",
    "rows_at_once",
    "steps",
]
