"""The lossless coder: cores, alpha, screen content (format.md, 7.1).

`codec` has its two directions, `coder` what the registry knows of it.
"""

from .codec import (
    STRIP,
    Encoding,
    Loss,
    Pixels,
    costs,
    decode,
    drawing_costs,
    encode,
    is_graphic,
    start_decoding,
    start_drawing,
    start_encoding,
)
from .coder import LosslessCoder

__all__ = [
    "STRIP",
    "Encoding",
    "Loss",
    "LosslessCoder",
    "Pixels",
    "costs",
    "decode",
    "drawing_costs",
    "encode",
    "is_graphic",
    "start_decoding",
    "start_drawing",
    "start_encoding",
]
