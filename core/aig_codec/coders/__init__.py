"""Coders: a region of pixels to segments and back. One line for each; what a coder is, says `base`.

Coders of other packages need no line: they are found by the entry-point group `aig.coders`.
"""

from .dct import DctCoder
from .labels import LabelsCoder
from .lossless import LosslessCoder
from .palette import PaletteCoder
from .raw import RawCoder
from .registry import register
from .residual import ResidualCoder

register(
    LosslessCoder(),
    DctCoder(),
    PaletteCoder(),
    ResidualCoder(),
    LabelsCoder(),
    RawCoder(),
)
