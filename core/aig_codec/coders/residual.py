"""Boundary coder: residuals above tau in the band where tiers meet (format.md, 7.4).

Run lengths of residuals at or below tau, then the signed residual, both Golomb-Rice coded.
"""

import numpy as np
from numpy.typing import NDArray

from .. import _native, entropy

U8 = NDArray[np.uint8]

#: Rows and columns from another tier within which a pixel belongs to the band.
RADIUS = 2


def band(class_map: U8) -> U8:
    """1 where a pixel outside the cores lies in the band, else 0: uint8 (H, W)."""
    return _native.boundary_band(class_map, RADIUS)


def encode(original: U8, decoded: U8, band_map: U8, tau: int) -> bytes:
    """Code original - decoded in the band. Both uint8 (H, W, C); decoded may lack the alpha."""
    golomb = entropy.CODERS["golomb"]
    stream = _native.boundary_encode(original, decoded, band_map, tau, golomb.number)
    return entropy.pack(stream, _native.BOUNDARY_CONTEXTS, golomb)


def decode(payload: bytes, pixels: U8, colours: int, band_map: U8) -> None:
    """Add the residuals to the first `colours` channels of `pixels`, in place."""
    stream = entropy.unpack(payload, 2 * band_map.size * colours + 2)
    _native.boundary_decode(*stream, pixels, colours, band_map)


def correct(payload: bytes, pixels: U8, colours: int, class_map: U8) -> None:
    """`decode` in the band of a class map, uint8 (H, W), without a map of the band."""
    stream = entropy.unpack(payload, 2 * class_map.size * colours + 2)
    _native.boundary_correct(*stream, pixels, colours, class_map, RADIUS)
