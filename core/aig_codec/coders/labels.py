"""Labels coder: maps of few labels, each of them over areas (format.md, 7.5).

Blocks of 8x8 of one label are told apart from mixed ones, and in these every label is coded in the
context of its neighbours: adaptive binary coding, predictions mixed
(core/native/geometry/label_map.cpp).
"""

import numpy as np
from numpy.typing import NDArray

from .. import _native
from ..container.kinds import MAPS
from .base import MapCoder

U8 = NDArray[np.uint8]


def encode(labels: U8, count: int) -> bytes:
    """Code a map of labels 0..count, uint8 (H, W), count = 1..3."""
    return _native.label_map_encode(np.ascontiguousarray(labels), count)


def decode(payload: bytes, height: int, width: int, count: int) -> U8:
    """The map, uint8 (height, width). Raises CorruptError."""
    return _native.label_map_decode(payload, height, width, count)


class LabelsCoder(MapCoder):
    """Maps of the cores, and of the screen content."""

    name, version = "labels", 1
    carries = MAPS

    def encode_map(self, labels: U8, count: int) -> bytes:
        """See `encode`."""
        return encode(labels, count)

    def decode_map(self, payload: bytes, height: int, width: int, count: int) -> U8:
        """See `decode`."""
        return decode(payload, height, width, count)
