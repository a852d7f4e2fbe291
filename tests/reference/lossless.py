"""The lossless coder (7.1)."""

from itertools import pairwise

import numpy as np

from .graphic import decode_graphic
from .mapped import colours_of_ycc, looked_up, read_colours, read_values
from .mixed import decode_mixed
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

#: Mixed coding of all channels, or with alpha as a band of its own; `GREY` as above.
MIXED, MIXED_BESIDE = 16, 18
MIXINGS = {
    1: {MIXED},
    2: {MIXED, MIXED_BESIDE},
    3: {MIXED, GREY + MIXED},
    4: {MIXED, MIXED_BESIDE, GREY + MIXED, GREY + MIXED_BESIDE},
}

#: Methods with bands in them (7.1.1), and those that these bands may have beside the ones above.
INDEXED, RANKS, YCC, APART = range(32, 36)
NESTED = {INDEXED: (), RANKS: (), YCC: (APART,), APART: ()}


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


def decode_band(band, region, channels, most=BYTE, nested=tuple(NESTED)):
    """7.1.1: an array (height, width, channels) that is 0 outside the region."""
    source = ByteReader(band)
    method = source.take(1)[0]
    if method in nested:
        return decode_nesting(method, source, region, channels, most)
    if method in MIXINGS[channels]:
        return decode_mixing(method, source, region, channels, most)
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


def decode_mixing(method, source, region, channels, most):
    """7.1.12: a band by mixed coding."""
    beside, grey = method % GREY == MIXED_BESIDE % GREY, bool(method & GREY)
    alpha = channels % 2 == 0
    order = [0] if grey or channels < 3 else [1, 0, 2]
    coded = source.take(source.varint()) if beside else source.rest()
    joint = alpha and not beside
    planes = decode_mixed(coded, region, len(order) + joint, joint, most)
    pixels = np.zeros((*region.shape, channels), np.int64)
    for c, channel in enumerate(order):
        pixels[..., channel] = planes[..., c]
    if grey:
        pixels[..., 1] = pixels[..., 2] = pixels[..., 0]
    if beside:
        pixels[..., -1:] = decode_band(source.rest(), region, 1, most, ())
    elif alpha:
        pixels[..., -1] = planes[..., -1]
    return pixels


def decode_nesting(method, source, region, channels, most):
    """7.1.8 to 7.1.11: a band with bands in it."""
    nested = NESTED[method]
    pixels = np.zeros((*region.shape, channels), np.int64)
    if method == APART:
        expect(channels > 1, "a channel apart from none")
        lengths = [source.varint() for _ in range(channels - 1)]
        parts = [*(source.take(n) for n in lengths), source.rest()]
        for c, part in enumerate(parts):
            pixels[..., c : c + 1] = decode_band(part, region, 1, most, nested)
    elif method == YCC:
        expect(channels > 2 and most == BYTE, "YCbCr of other samples")
        pixels[:] = decode_band(source.rest(), region, channels, most, nested)
        pixels[region, :3] = colours_of_ycc(pixels[region, :3])
    elif method == INDEXED:
        expect(channels > 1, "indices for one channel")
        colours = read_colours(source.take(source.varint()), channels, most, int(region.sum()))
        indices = decode_band(source.rest(), region, 1, BYTE, nested)
        pixels[region] = looked_up(indices[region, 0], colours)
    else:
        sets = read_values(source.take(source.varint()), channels, most, int(region.sum()))
        small = all(len(values) <= BYTE + 1 for values in sets)
        ranks = decode_band(source.rest(), region, channels, BYTE if small else most, nested)
        for c, values in enumerate(sets):
            pixels[region, c] = looked_up(ranks[region, c], values)
    return pixels


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
