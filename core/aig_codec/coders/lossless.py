"""Lossless coder: reversible colour transform, MED prediction, contexts (format.md, 7.1).

Works on any set of pixels: those whose class in `class_map` lies in [first, last].
"""

import numpy as np
from numpy.typing import NDArray

from .. import _native, entropy

U8 = NDArray[np.uint8]


def encode(pixels: U8, class_map: U8, first: int, last: int, coder: str) -> bytes:
    """Code the region's pixels. pixels: uint8 (H, W, C), C = 1..4; class_map: uint8 (H, W)."""
    stream = entropy.SymbolStream(*_native.lossless_encode(pixels, class_map, first, last))
    return entropy.pack(stream, _native.LOSSLESS_CONTEXTS, coder)


def decode(payload: bytes, pixels: U8, class_map: U8, first: int, last: int) -> None:
    """Write the region's pixels into `pixels`; the others keep what they hold.

    Raises `CorruptError` where the payload does not describe exactly this region.
    """
    source = entropy.unpack(payload, pixels.size)
    _native.lossless_decode(*source, pixels, class_map, first, last)
