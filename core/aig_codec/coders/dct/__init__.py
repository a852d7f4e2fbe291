"""The DCT coder: YCbCr in 1/16 of a grey level, integer transforms of 8 to 32 samples, one
quantiser for the background and a finer one for the mid tier, the lowest coefficients of all blocks
as the LF image (which is the picture at 1/8), deblocking and restoration (format.md, 7.3).

`Analysis` is the encoder's side and `Synthesis` the decoder's. Both work on whole pictures and
speak of tiers; the kernels behind them work on groups of 256 x 256 pixels, which are independent
of each other: threads, and damage that stays where it is. `coder` is what the registry knows.
"""

from .analysis import ADAPTATION, LAST_PARALLEL_EFFORT, Analysis, Effort
from .coder import DctCoder, DctDecoder
from .frame import BACKGROUND, GROUP, LF_GROUP, MID, Frame, base_step, steps
from .synthesis import Synthesis, rows_at_once

__all__ = [
    "ADAPTATION",
    "BACKGROUND",
    "GROUP",
    "LAST_PARALLEL_EFFORT",
    "LF_GROUP",
    "MID",
    "Analysis",
    "DctCoder",
    "DctDecoder",
    "Effort",
    "Frame",
    "Synthesis",
    "base_step",
    "rows_at_once",
    "steps",
]
