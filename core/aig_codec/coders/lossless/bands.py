"""Bands by their methods: what the first byte of a band says, and the bytes behind it (format.md,
7.1.1).

Which method is best is `choice`'s to say.
"""

import numpy as np

from ... import _native
from ...entropy import read_varint, varint
from ...errors import CorruptError
from .region import Pixels, Region, channel_of, colours_of
from .searches import Search

#: How a band is coded: as photograph, as graphics, or alpha by itself, as one of them, behind a
#: photograph of the colours. `GREY` is added where these are equal, and one stands for all;
#: `MATCHES` where graphics use them, as all do that are written by this version.
PHOTO, GRAPHIC, GRAPHIC_ALPHA, PHOTO_ALPHA, GREY = range(5)
MATCHES = 8

#: Mixed coding of all channels, or of the colours with alpha as a band of its own behind them;
#: `GREY` is added here too.
MIXED, MIXED_BESIDE = 16, 18

#: Something else in place of the samples, coded as a band that is in this one: the places of
#: colours in a table, ranks among the values that occur, YCbCr, each channel by itself.
INDEXED, RANKS, YCC, APART = range(32, 36)

#: The first method that version 3 of the coder cannot read, and the first that has bands in it;
#: and which of these may be in which.
_NEW, _NESTING = 16, 32
_INNER = {INDEXED: (), RANKS: (), YCC: (APART,), APART: ()}


def is_new(band: bytes) -> bool:
    """Whether version 3 of the coder cannot read a band."""
    return band[:1] >= bytes([_NEW])


def graphic(pixels: Pixels, region: Region) -> bytes:
    """All channels as graphics."""
    return bytes([MATCHES + GRAPHIC]) + _native.graphic_encode(pixels, *region)


def planes(
    pixels: Pixels, count: int, region: Region, search: Search, bias: tuple[bool, ...]
) -> bytes:
    """The first one or three channels as photograph, by the better way to treat bias; without the
    byte of a method."""
    coded = (_native.photo_encode(pixels, 0, count, *region, search, b) for b in bias)
    return min(coded, key=len)


def with_alpha(method: int, colour: bytes, alpha: bytes) -> bytes:
    """Colours as photograph, and alpha. alpha: a band of its own."""
    kind = PHOTO_ALPHA if alpha[0] == PHOTO else MATCHES + GRAPHIC_ALPHA
    return b"".join([bytes([method + kind]), varint(len(colour)), colour, alpha[1:]])


def mixed(pixels: Pixels, region: Region, grey: bool, alpha: bytes | None) -> bytes:
    """All channels by mixed coding. grey: whether R, G and B are equal. alpha: a band of its own;
    None if there is no alpha, or it is mixed with the colours."""
    channels = pixels.shape[2]
    kind = MIXED if alpha is None else MIXED_BESIDE
    method = kind + (GREY if grey else 0)
    planes, joint = _planes(method, channels)
    shift = _shift(pixels, region) if pixels.dtype != np.uint8 else 0
    coded = _native.mixed_encode(pixels, planes, joint, *region, shift)
    if alpha is None:
        return bytes([method]) + coded
    return b"".join([bytes([method]), varint(len(coded)), coded, alpha])


def _planes(method: int, channels: int) -> tuple[list[int], bool]:
    """Channels in the order in which they are mixed, and whether the last of them is alpha. Raises
    CorruptError where the method does not suit so many channels."""
    beside, grey = method & 2 > 0, method & GREY > 0
    if (beside and channels % 2) or (grey and channels < 3):
        raise CorruptError(f"method {method} for {channels} channels")
    colours = [0] if grey or channels < 3 else [1, 0, 2]
    joint = channels % 2 == 0 and not beside
    return colours + [channels - 1] * joint, joint


def _shift(pixels: Pixels, region: Region) -> int:
    """How many low bits are noise, about: those of the mean difference of neighbours, but three."""
    classes = region.own[0]
    rows = pixels[region.rows].astype(np.int32)
    inside = (classes >= region.first) & (classes <= region.last)
    pairs = inside[:, 1:] & inside[:, :-1]
    if not pairs.any():
        return 0
    mean = int(np.abs(np.diff(rows, axis=1))[pairs].mean())
    return min(max(0, mean.bit_length() - 3), 8)


def mapped(method: int, table: bytes, band: bytes) -> bytes:
    """A band of indices or ranks behind its table."""
    return b"".join([bytes([method]), varint(len(table)), table, band])


def apart(channels: list[bytes]) -> bytes:
    """A band for each channel."""
    lengths = (varint(len(band)) for band in channels[:-1])
    return b"".join([bytes([APART]), *lengths, *channels])


def decode(data: bytes, pixels: Pixels, region: Region) -> None:
    """Write the region's pixels. Raises CorruptError."""
    _decode(data, pixels, region, tuple(_INNER))


def _decode(data: bytes, pixels: Pixels, region: Region, nesting: tuple[int, ...]) -> None:
    """nesting: which methods that have bands in them may be met."""
    if not data:
        raise CorruptError("band without method")
    method, channels = data[0], pixels.shape[2]
    if method < _NEW:
        _decode_plain(data, pixels, region)
        return
    if method < _NESTING:
        _decode_mixed(data, pixels, region)
        return
    if method not in nesting:
        raise CorruptError(f"method {method} where it cannot be")
    least = {INDEXED: 2, YCC: 3, APART: 2}.get(method, 1)
    if channels < least or (method == YCC and pixels.dtype != np.uint8):
        deep = " of 16 bits" if pixels.dtype != np.uint8 else ""
        raise CorruptError(f"method {method} for {channels} channels{deep}")
    inner = _INNER[method]
    if method == APART:
        _decode_apart(data, pixels, region)
    elif method == YCC:
        _decode(data[1:], pixels, region, inner)
        _native.from_ycc(pixels[region.rows], *region.own)
    else:
        length, start = read_varint(data, 1)
        table, band = data[start : start + length], data[start + length :]
        if len(table) < length:
            raise CorruptError("band ends inside its table")
        if method == INDEXED:
            indices = _beside(region, 1)
            _decode(band, indices, region.alone, inner)
            _native.from_indices(table, indices, pixels[region.rows], *region.own)
        else:
            _decode_ranks(table, band, pixels, region)


def _beside(region: Region, channels: int) -> Pixels:
    """A picture of 8 bits of the region's rows."""
    height, width = region.own[0].shape
    return np.zeros((height, width, channels), np.uint8)


def _decode_ranks(table: bytes, band: bytes, pixels: Pixels, region: Region) -> None:
    """Where samples are, or beside them if ranks are smaller."""
    channels, bits = pixels.shape[2], 8 * pixels.itemsize
    values = _native.read_values(table, channels, bits, *region.own)
    rows = pixels[region.rows]
    ranks = rows if values.bits == bits else _beside(region, channels)
    _decode(band, ranks, region.alone, _INNER[RANKS])
    _native.from_ranks(values, ranks, rows, *region.own)


def _decode_apart(data: bytes, pixels: Pixels, region: Region) -> None:
    lengths, at = [], 1
    for _ in range(pixels.shape[2] - 1):
        length, at = read_varint(data, at)
        lengths.append(length)
    if sum(lengths) > len(data) - at:
        raise CorruptError("band ends inside a channel")
    for k, length in enumerate([*lengths, len(data)]):
        part, own = channel_of(pixels, region, k)
        _decode(data[at : at + length], part, own, _INNER[APART])
        pixels[region.rows, :, k : k + 1] = part
        at += length


def _decode_mixed(data: bytes, pixels: Pixels, region: Region) -> None:
    method, channels = data[0], pixels.shape[2]
    if method not in (MIXED, MIXED_BESIDE, MIXED + GREY, MIXED_BESIDE + GREY):
        raise CorruptError(f"method {method} is not known")
    planes, joint = _planes(method, channels)
    end, start = len(data), 1
    if method & 2:
        length, start = read_varint(data, 1)
        end = start + length
        if end > len(data):
            raise CorruptError("band ends inside its colour")
    _native.mixed_decode(data[start:end], pixels, planes, joint, *region)
    if method & GREY:
        _native.make_grey(pixels, *region)
    if method & 2:
        alpha, own = channel_of(pixels, region, channels - 1)
        _decode(data[end:], alpha, own, ())
        pixels[region.rows, :, -1:] = alpha


def _decode_plain(data: bytes, pixels: Pixels, region: Region) -> None:
    """Bands as version 3 has them."""
    channels = pixels.shape[2]
    colours = colours_of(channels)
    matches, grey = data[0] & MATCHES > 0, data[0] & GREY > 0
    method = data[0] & ~(MATCHES | GREY)
    is_graphic = method in (GRAPHIC, GRAPHIC_ALPHA)
    if is_graphic and pixels.dtype != np.uint8:
        raise CorruptError(f"method {data[0]} for samples of 16 bits")
    if matches and not is_graphic:
        raise CorruptError(f"method {data[0]} for {channels} channels")
    if method == GRAPHIC and not grey:
        _native.graphic_decode(data[1:], pixels, *region, matches)
        return
    alphas = (PHOTO,) if channels == colours else (GRAPHIC_ALPHA, PHOTO_ALPHA)
    if method not in alphas or (grey and colours < 3):
        raise CorruptError(f"method {data[0]} for {channels} channels")
    end, start = len(data), 1
    if method != PHOTO:
        length, start = read_varint(data, 1)
        end = start + length
        if end > len(data):
            raise CorruptError("band ends inside its colour")
    _native.photo_decode(data[start:end], pixels, 0, 1 if grey else colours, *region)
    if grey:
        _native.make_grey(pixels, *region)
    if method == PHOTO_ALPHA:
        _native.photo_decode(data[end:], pixels, colours, 1, *region)
    elif method == GRAPHIC_ALPHA:
        alpha, rows = channel_of(pixels, region, channels - 1)
        _native.graphic_decode(data[end:], alpha, *rows, matches)
        pixels[region.rows, :, -1:] = alpha
