"""The lossless coder (7.1)."""

from itertools import pairwise

import numpy as np

from .graphic import decode_graphic
from .notation import ByteReader, expect
from .photo import decode_photo

STRIP = 16
BYTE = 255

#: Methods of a band; `GREY` is added where one channel stands for three, `MATCHES` where graphics
#: use them. By number of channels.
PHOTO, GRAPHIC, GRAPHIC_ALPHA, PHOTO_ALPHA, GREY = range(5)
MATCHES = 8
METHODS = {
    1: {PHOTO, GRAPHIC},
    2: {GRAPHIC, GRAPHIC_ALPHA, PHOTO_ALPHA},
    3: {PHOTO, GRAPHIC, GREY + PHOTO},
    4: {GRAPHIC, GRAPHIC_ALPHA, PHOTO_ALPHA, GREY + GRAPHIC_ALPHA, GREY + PHOTO_ALPHA},
}
for _methods in METHODS.values():
    _methods |= {
        MATCHES + method for method in _methods if method % GREY in (GRAPHIC, GRAPHIC_ALPHA)
    }


def bands_of(region, count):
    """7.1.1: the slices of rows of the bands."""
    rows = np.flatnonzero(region.any(axis=1))
    first, end = (int(rows[0]), int(rows[-1]) + 1) if len(rows) else (0, 0)
    strips = -(-(end - first) // STRIP)
    expect(1 <= count <= max(1, strips), "impossible number of bands")
    edges = [min(first + STRIP * (strips * b // count), end) for b in range(count + 1)]
    return [slice(top, bottom) for top, bottom in pairwise(edges)]


def decode_colours(payload, region, channels, grey, most):
    """7.1.1: the photograph of 1 or 3 channels, which all are one if it is grey."""
    planes = decode_photo(payload, region, 1 if grey else channels, most)
    return np.repeat(planes, channels, axis=2) if grey else planes


def decode_band(band, region, channels, most=BYTE):
    """7.1.1: an array (height, width, channels) that is 0 outside the region."""
    source = ByteReader(band)
    method = source.take(1)[0]
    expect(method in METHODS[channels], "unknown method")
    matches, grey, how = bool(method & MATCHES), bool(method & GREY), method % GREY
    expect(most == BYTE or how in (PHOTO, PHOTO_ALPHA), "graphics of 16 bits")
    if how == GRAPHIC:
        return decode_graphic(source.rest(), region, channels, matches)
    if how == PHOTO:
        return decode_colours(source.rest(), region, channels, grey, most)
    colour = source.take(source.varint())
    colours = decode_colours(colour, region, channels - 1, grey, most)
    if how == GRAPHIC_ALPHA:
        alpha = decode_graphic(source.rest(), region, 1, matches)
    else:
        alpha = decode_photo(source.rest(), region, 1, most)
    return np.concatenate([colours, alpha], axis=2)


def decode_lossless(segment, region, channels, most=BYTE):
    """7.1: an array (height, width, channels) that is 0 outside the region; samples are 0..most."""
    source = ByteReader(segment)
    rows = bands_of(region, source.varint())
    lengths = [source.varint() for _ in rows]
    pixels = np.zeros((*region.shape, channels), np.int64)
    for own, length in zip(rows, lengths, strict=True):
        pixels[own] = decode_band(source.take(length), region[own], channels, most)
    expect(source.done(), "bytes behind the last band")
    return pixels
