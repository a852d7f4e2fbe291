"""The lossless coder: cores, alpha, screen content (format.md, 7.1).

`codec` has its two directions, `bands` the methods of its bands, `choice` which of them are tried,
`coder` what the registry knows of it.
"""

from .codec import (
    STRIP,
    Encoding,
    Loss,
    costs,
    decode,
    drawing_costs,
    encode,
    is_graphic,
    start_decoding,
    start_drawing,
    start_encoding,
    version_of,
)
from .coder import LosslessCoder
from .region import Pixels

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
    "version_of",
]
