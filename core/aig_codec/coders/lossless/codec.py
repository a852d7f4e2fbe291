"""Lossless coder: bands of rows, each coded as photograph or as graphics (format.md, 7.1).

Works on any set of pixels: those whose class in `class_map` lies in [first, last]. Bands do not
know of each other, so they are coded and decoded side by side.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ... import _native
from ...entropy import read_varint, varint
from ...errors import CorruptError
from ...threads import Job, Workers, finish

U8 = NDArray[np.uint8]
Pixels = NDArray[Any]  # uint8 or uint16

#: Rows come in strips of this height, and a band is a number of strips.
STRIP = 16

#: A band is to hold about this many pixels. What repeats itself, graphics, does so over long
#: distances, and every band starts anew.
_BAND_PIXELS, _GRAPHIC_BAND_PIXELS = 400_000, 3_000_000

#: Up to this many pixels a region is small, or tiny.
_SMALL, _TINY = 150_000, 50_000

#: How a band is coded: as photograph, as graphics, or alpha by itself, as one of them, behind a
#: photograph of the colours. `_GREY` is added where these are equal, and one stands for all;
#: `_MATCHES` where graphics use them, as all do that are written by this version.
_PHOTO, _GRAPHIC, _GRAPHIC_ALPHA, _PHOTO_ALPHA, _GREY = range(5)
_MATCHES = 8

#: By `_native.repetition`: from the first on, a band is tried as graphics too, from the second on,
#: not as photograph. In small rectangles, where little time is lost, another first one holds.
_SOME_REPETITION, _MUCH_REPETITION = 0.92, 0.98
_SMALL_REPETITION, _SMALL_RECTANGLE = 0.8, 1 << 16

#: By `_native.recurrence`: where so many places are like an earlier one, at any distance, or
#: colours are so few, all bands are tried as graphics too. Photographs stay below 0.07 and above
#: 0.27; but grey ones have few colours as well.
_RECURRING, _FEW_COLOURS, _FEW_LEVELS = 0.1, 0.15, 64

#: So many places at least tell something.
_LEAST_PLACES = 16

#: A photograph that takes less than so many bits per sample is none: it is tried as graphics too.
_FEW_BITS = 0.3

#: So few pixels are tried as both: there is little to go by, and little time to lose.
_FEW_PIXELS = 4096


class _Search(NamedTuple):
    """How hard the encoder for photographs looks for predictors; see lossless/predictors.hpp in
    core/native."""

    candidates: int
    first_stride: int
    predictors: int
    rounds: int
    block_stride: int
    stride: int
    fit_stride: int
    finalists: int
    last_stride: int
    margin: int = 0


class _HowHard(NamedTuple):
    """What the encoder for photographs does: the search, and the ways to treat bias, of which the
    better one counts: True is to cancel it."""

    search: _Search
    bias: tuple[bool, ...] = (False,)


#: By effort, the search for tiny, small and larger regions. Small ones cost little time whatever is
#: done to them.
_FAST = _Search(6, 8, 4, 0, 8, 8, 8, 1, 8)
_QUICK = (
    _Search(32, 4, 8, 2, 1, 4, 4, 4, 1),
    _Search(6, 8, 4, 1, 1, 8, 8, 2, 4),
    _Search(6, 8, 4, 1, 16, 8, 8, 2, 8),
)
_THOROUGH = (
    _Search(32, 4, 6, 3, 1, 2, 1, 4, 1),
    _Search(32, 4, 8, 3, 1, 4, 2, 4, 1),
    _Search(32, 4, 8, 2, 1, 4, 4, 4, 1),
)
_SEARCHES = {
    1: (_FAST, _FAST, _FAST),
    2: (_FAST, _FAST, _FAST),
    3: _QUICK,
    4: _QUICK,
    5: (
        _Search(32, 4, 5, 2, 1, 2, 1, 4, 1, margin=12),
        _Search(6, 8, 4, 2, 2, 4, 4, 4, 1, margin=8),
        _Search(6, 8, 4, 2, 8, 4, 4, 4, 2, margin=8),
    ),
    6: _THOROUGH,
    7: _THOROUGH,
    8: (
        _Search(32, 2, 12, 4, 1, 1, 1, 4, 1),
        _Search(32, 2, 16, 3, 1, 2, 1, 4, 1),
        _Search(32, 8, 16, 3, 2, 4, 4, 4, 1),
    ),
    9: (
        _Search(32, 1, 32, 6, 1, 1, 1, 8, 1),
        _Search(32, 1, 32, 6, 1, 1, 1, 8, 1),
        _Search(32, 2, 32, 6, 1, 2, 2, 8, 1),
    ),
}


def _how_hard(effort: int, pixels: int) -> _HowHard:
    """What to do for so many pixels."""
    size = 0 if pixels <= _TINY else 1 if pixels <= _SMALL else 2
    if effort < 7:
        return _HowHard(_SEARCHES[effort][size])
    return _HowHard(_SEARCHES[effort][size], (True,) if size == 2 else (True, False))


class _Region(NamedTuple):
    """The pixels of some classes in rows [top, bottom); as the native functions take it."""

    class_map: U8
    first: int
    last: int
    top: int
    bottom: int


def _strips(region: _Region) -> int:
    return -(-(region.bottom - region.top) // STRIP)


def _bands(region: _Region, count: int) -> Iterator[_Region]:
    strips = _strips(region)
    edges = [region.top + STRIP * (strips * i // count) for i in range(count)]
    for top, bottom in zip(edges, [*edges[1:], region.bottom], strict=True):
        yield region._replace(top=top, bottom=bottom)


def _extent(class_map: U8, first: int, last: int) -> tuple[int, _Region]:
    pixels, top, bottom = _native.region_extent(class_map, first, last)
    return pixels, _Region(class_map, first, last, top, bottom)


class Encoding:
    """A region on its way into a payload; `result()` waits for it, and helps."""

    def __init__(self, bands: list[Job[bytes]]) -> None:
        self._bands = bands

    def result(self) -> bytes:
        """The payload: number of bands, their lengths, the bands."""
        bands = finish(self._bands)
        return b"".join([varint(len(bands)), *(varint(len(band)) for band in bands), *bands])


def start_encoding(
    pixels: Pixels, class_map: U8, first: int, last: int, effort: int, workers: Workers
) -> Encoding:
    """Begin to code the region's pixels.

    pixels: uint8 or uint16 (H, W, C), C = 1..4; class_map: uint8 (H, W); effort: 1..9.
    """
    n, region = _extent(class_map, first, last)
    # The encoder's memory goes with a band's rectangle, however few of its pixels are coded.
    load = max(n, (region.bottom - region.top) * class_map.shape[1] // 4)
    # Of the whole region: a dark or empty band of a photograph recurs, and is one all the same.
    recurs = _recurs(pixels, region)
    graphic = recurs or _repetition(pixels, region) >= _MUCH_REPETITION
    aim = _GRAPHIC_BAND_PIXELS if graphic else _BAND_PIXELS
    count = 1 if load <= aim * 3 // 2 else 2 * round(load / (2 * aim))
    count = min(count, _strips(region)) or 1
    how = _how_hard(effort, n // count)
    bands = _bands(region, count)
    return Encoding([workers.submit(_encode_band, pixels, band, how, recurs) for band in bands])


class Loss(NamedTuple):
    """What graphics may lose: up to so much squared error, over all channels, for every bit that
    it saves, and nowhere more than `most` in a channel."""

    per_bit: int
    most: int


def start_drawing(
    pixels: U8, class_map: U8, first: int, last: int, loss: Loss, workers: Workers
) -> Encoding:
    """Begin to code the region's pixels, uint8 (H, W, 1 or 3), as graphics, nearly exactly.

    Who decodes it need not know: it is a payload like any other.
    """
    n, region = _extent(class_map, first, last)
    count = min(max(1, round(n / _GRAPHIC_BAND_PIXELS)), max(1, _strips(region)))

    def encode(band: _Region) -> bytes:
        return bytes([_MATCHES + _GRAPHIC]) + _native.graphic_encode_near(pixels, *band, *loss)[0]

    return Encoding([workers.submit(encode, band) for band in _bands(region, count)])


def drawing_costs(
    pixels: U8, class_map: U8, first: int, last: int, loss: Loss
) -> NDArray[np.float32]:
    """Bits and squared error of every tile of TILE x TILE pixels, if all of the region is drawn.

    pixels: uint8 (H, W, 1 or 3). Returns float32 (ceil(H / TILE), ceil(W / TILE), 2).
    """
    return _native.graphic_encode_near(pixels, class_map, first, last, 0, len(pixels), *loss)[1]


def _encode_band(pixels: Pixels, region: _Region, how: _HowHard, recurs: bool) -> bytes:
    """One band by the coder that makes the least of it."""

    def graphic() -> bytes:
        return bytes([_MATCHES + _GRAPHIC]) + _native.graphic_encode(pixels, *region)

    def photo() -> bytes:
        return _encode_photo(pixels, region, how)

    return _least(pixels, region, recurs, graphic, photo)


def _least(
    pixels: Pixels,
    region: _Region,
    recurs: bool,
    graphic: Callable[[], bytes],
    photo: Callable[[], bytes],
) -> bytes:
    """The shorter result; only one of the two is called where it is plain which one that is.

    Both results begin with the byte of their method.
    """
    if pixels.dtype != np.uint8:
        return photo()
    rows = region.class_map[region.top : region.bottom]
    few = rows.size <= _FEW_PIXELS
    repetition = _repetition(pixels, region)
    if repetition >= _MUCH_REPETITION and not few:
        return graphic()
    as_photo = photo()
    bits = 8 * len(as_photo) / pixels.shape[2]
    if bits < _FEW_BITS * rows.size:
        # Not all of the rectangle need be the region's.
        pixels_in_it, _, _ = _native.region_extent(rows, region.first, region.last)
        few = few or bits < _FEW_BITS * pixels_in_it
    least = _SMALL_REPETITION if rows.size <= _SMALL_RECTANGLE else _SOME_REPETITION
    if few or repetition >= least or recurs:
        return min(graphic(), as_photo, key=len)
    return as_photo


def _repetition(pixels: Pixels, region: _Region) -> float:
    return _native.repetition(pixels, *region) if pixels.dtype == np.uint8 else 0.0


def _recurs(pixels: Pixels, region: _Region) -> bool:
    """Whether what is far apart looks alike, so that graphics may find it."""
    if pixels.dtype != np.uint8:
        return False
    places, right, looked_at, colours, grey = _native.recurrence(pixels, *region)
    if places >= _LEAST_PLACES and right >= _RECURRING * places:
        return True
    if grey or pixels.shape[2] < 3:
        return colours <= _FEW_LEVELS
    return colours <= _FEW_COLOURS * looked_at


def _encode_photo(pixels: Pixels, region: _Region, how: _HowHard) -> bytes:
    channels = pixels.shape[2]
    colours = 1 if channels < 3 else 3
    is_grey = colours == 3 and _native.is_grey(pixels, *region)
    colour = _encode_planes(pixels, 1 if is_grey else colours, region, how)
    method = _GREY if is_grey else 0
    if colours == channels:
        return bytes([method + _PHOTO]) + colour
    alpha, rows = _alpha(pixels, region)

    def graphic() -> bytes:
        return bytes([_MATCHES + method + _GRAPHIC_ALPHA]) + _native.graphic_encode(alpha, *rows)

    def photo() -> bytes:
        return bytes([method + _PHOTO_ALPHA]) + _encode_planes(alpha, 1, rows, how)

    best = _least(alpha, rows, _recurs(alpha, rows), graphic, photo)
    return b"".join([best[:1], varint(len(colour)), colour, best[1:]])


def _encode_planes(pixels: Pixels, planes: int, region: _Region, how: _HowHard) -> bytes:
    """The first one or three channels."""
    coded = (
        _native.photo_encode(pixels, 0, planes, *region, how.search, bias) for bias in how.bias
    )
    return min(coded, key=len)


def _alpha(pixels: Pixels, region: _Region) -> tuple[Pixels, _Region]:
    """The alpha of the region's rows as a picture, and the region in it."""
    rows = slice(region.top, region.bottom)
    alpha = np.ascontiguousarray(pixels[rows, :, -1:])
    return alpha, region._replace(class_map=region.class_map[rows], top=0, bottom=len(alpha))


def costs(pixels: U8, class_map: U8, first: int, last: int, effort: int) -> NDArray[np.float32]:
    """About how many bits each pixel of a region takes where it is coded as one photograph.

    pixels: uint8 (H, W, C), C = 1 or 3; the rest as in `start_encoding`. Returns float32 (H, W), 0
    outside the region. The few bytes that belong to no pixel are not in it.
    """
    n, region = _extent(class_map, first, last)
    how = _how_hard(effort, n)
    return _native.photo_costs(pixels, 0, pixels.shape[2], *region, how.search, how.bias[0])


def start_decoding(
    payload: bytes,
    pixels: Pixels,
    class_map: U8,
    first: int,
    last: int,
    workers: Workers,
    rows: tuple[int, int] | None = None,
) -> list[Job[None]]:
    """Begin to write the region's pixels into `pixels`; the others keep what they hold.

    rows: if not all are wanted, the first and the one behind the last; more may be written.

    The jobs, or this call, raise `CorruptError` where the payload does not describe exactly this
    region.
    """
    _, region = _extent(class_map, first, last)
    count, at = read_varint(payload, 0)
    if not 1 <= count <= max(1, _strips(region)):
        raise CorruptError(f"{count} bands for {region.bottom - region.top} rows")
    lengths = []
    for _ in range(count):
        length, at = read_varint(payload, at)
        lengths.append(length)
    if sum(lengths) != len(payload) - at:
        raise CorruptError(f"bands of {sum(lengths)} bytes in {len(payload) - at}")
    jobs = []
    for length, band in zip(lengths, _bands(region, count), strict=True):
        if rows is None or (band.top < rows[1] and rows[0] < band.bottom):
            jobs.append(partial(_decode_part, payload, at, length, pixels, band))
        at += length
    return [workers.submit(job) for job in jobs]


def _decode_part(payload: bytes, at: int, length: int, pixels: Pixels, region: _Region) -> None:
    """A band by where its bytes lie, which are not copied before it is its turn."""
    _decode_band(payload[at : at + length], pixels, region)


def _decode_band(data: bytes, pixels: Pixels, region: _Region) -> None:
    if not data:
        raise CorruptError("band without method")
    channels = pixels.shape[2]
    colours = 1 if channels < 3 else 3
    matches, grey = data[0] & _MATCHES > 0, data[0] & _GREY > 0
    method = data[0] & ~(_MATCHES | _GREY)
    planes = 1 if grey else colours
    graphic = method in (_GRAPHIC, _GRAPHIC_ALPHA)
    if graphic and pixels.dtype != np.uint8:
        raise CorruptError(f"method {data[0]} for samples of 16 bits")
    if matches and not graphic:
        raise CorruptError(f"method {data[0]} for {channels} channels")
    if method == _GRAPHIC and not grey:
        _native.graphic_decode(data[1:], pixels, *region, matches)
        return
    alphas = (_PHOTO,) if channels == colours else (_GRAPHIC_ALPHA, _PHOTO_ALPHA)
    if method not in alphas or (grey and colours < 3):
        raise CorruptError(f"method {data[0]} for {channels} channels")
    end, start = len(data), 1
    if method != _PHOTO:
        length, start = read_varint(data, 1)
        end = start + length
        if end > len(data):
            raise CorruptError("band ends inside its colour")
    _native.photo_decode(data[start:end], pixels, 0, planes, *region)
    if grey:
        _native.make_grey(pixels, *region)
    if method == _PHOTO_ALPHA:
        _native.photo_decode(data[end:], pixels, colours, 1, *region)
    elif method == _GRAPHIC_ALPHA:
        alpha, rows = _alpha(pixels, region)
        _native.graphic_decode(data[end:], alpha, *rows, matches)
        pixels[region.top : region.bottom, :, -1:] = alpha


def encode(pixels: Pixels, class_map: U8, first: int, last: int, effort: int = 5) -> bytes:
    """Code the region's pixels, here and now; see `start_encoding`."""
    with Workers(1) as workers:
        return start_encoding(pixels, class_map, first, last, effort, workers).result()


def is_graphic(payload: bytes) -> bool:
    """Whether the first band of what `encode` gave is coded as graphics."""
    count, at = read_varint(payload, 0)
    for _ in range(count):
        _, at = read_varint(payload, at)
    return payload[at] & ~_MATCHES == _GRAPHIC


def decode(payload: bytes, pixels: Pixels, class_map: U8, first: int, last: int) -> None:
    """Write the region's pixels into `pixels`, here and now; see `start_decoding`."""
    with Workers(1) as workers:
        finish(start_decoding(payload, pixels, class_map, first, last, workers))
