"""The lossless coder (7.1)."""

from itertools import pairwise

import numpy as np

from .notation import ByteReader, expect
from .photo import decode_photo

STRIP = 16


def bands_of(region, count):
    """7.1.1: the slices of rows of the bands."""
    rows = np.flatnonzero(region.any(axis=1))
    first, end = (int(rows[0]), int(rows[-1]) + 1) if len(rows) else (0, 0)
    strips = -(-(end - first) // STRIP)
    expect(1 <= count <= max(1, strips), "impossible number of bands")
    edges = [min(first + STRIP * (strips * b // count), end) for b in range(count + 1)]
    return [slice(top, bottom) for top, bottom in pairwise(edges)]


def decode_band(band, region, channels):
    """7.1.1: an array (height, width, channels) that is 0 outside the region."""
    source = ByteReader(band)
    method = source.take(1)[0]
    if channels in (1, 3):
        expect(method == 0, "unknown method")
        return decode_photo(source.rest(), region, channels)
    expect(method == 3, "unknown method")
    colours = decode_photo(source.take(source.varint()), region, channels - 1)
    return np.concatenate([colours, decode_photo(source.rest(), region, 1)], axis=2)


def decode_lossless(segment, region, channels):
    """7.1: an array (height, width, channels) that is 0 outside the region."""
    source = ByteReader(segment)
    rows = bands_of(region, source.varint())
    lengths = [source.varint() for _ in rows]
    pixels = np.zeros((*region.shape, channels), np.uint8)
    for own, length in zip(rows, lengths, strict=True):
        pixels[own] = decode_band(source.take(length), region[own], channels)
    expect(source.done(), "bytes behind the last band")
    return pixels
