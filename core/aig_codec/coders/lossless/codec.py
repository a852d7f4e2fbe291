"""Lossless coder: bands of rows, each coded by the method that suits it (format.md, 7.1).

Works on any set of pixels: those whose class in `class_map` lies in [first, last]. Bands do not
know of each other, so they are coded and decoded side by side. `bands` has their methods, `choice`
says which one it is.
"""

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ... import _native
from ...entropy import read_varint, varint
from ...errors import CorruptError
from ...threads import Job, Workers, finish
from . import bands, choice
from .region import U8, Pixels, Region

#: Rows come in strips of this height, and a band is a number of strips.
STRIP = 16

#: A band is to hold about this many pixels. What repeats itself, graphics, does so over long
#: distances, and every band starts anew.
_BAND_PIXELS, _GRAPHIC_BAND_PIXELS = 400_000, 3_000_000

#: Versions of the coder: what all read, and the one that knows mixed coding and bands in bands.
PLAIN_VERSION, VERSION = 3, 4


def _strips(region: Region) -> int:
    return -(-(region.bottom - region.top) // STRIP)


def _bands(region: Region, count: int) -> Iterator[Region]:
    strips = _strips(region)
    edges = [region.top + STRIP * (strips * i // count) for i in range(count)]
    for top, bottom in zip(edges, [*edges[1:], region.bottom], strict=True):
        yield region._replace(top=top, bottom=bottom)


def _extent(class_map: U8, first: int, last: int) -> tuple[int, Region]:
    pixels, top, bottom = _native.region_extent(class_map, first, last)
    return pixels, Region(class_map, first, last, top, bottom)


class Encoding:
    """A region on its way into a payload; `result()` waits for it, and helps."""

    def __init__(self, coded: list[Job[bytes]]) -> None:
        self._coded = coded

    def result(self) -> bytes:
        """The payload: number of bands, their lengths, the bands."""
        coded = finish(self._coded)
        return b"".join([varint(len(coded)), *(varint(len(band)) for band in coded), *coded])


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
    recurs = choice.recurs(pixels, region)
    graphic = recurs or choice.repetition(pixels, region) >= choice.MUCH_REPETITION
    aim = _GRAPHIC_BAND_PIXELS if graphic else _BAND_PIXELS
    count = 1 if load <= aim * 3 // 2 else 2 * round(load / (2 * aim))
    count = min(count, _strips(region)) or 1
    how = choice.how_hard(effort, n // count, n)
    parts = _bands(region, count)
    return Encoding([workers.submit(choice.encode, pixels, band, how, recurs) for band in parts])


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

    def encode(band: Region) -> bytes:
        method = bytes([bands.MATCHES + bands.GRAPHIC])
        return method + _native.graphic_encode_near(pixels, *band, *loss)[0]

    return Encoding([workers.submit(encode, band) for band in _bands(region, count)])


def drawing_costs(
    pixels: U8, class_map: U8, first: int, last: int, loss: Loss
) -> NDArray[np.float32]:
    """Bits and squared error of every tile of TILE x TILE pixels, if all of the region is drawn.

    pixels: uint8 (H, W, 1 or 3). Returns float32 (ceil(H / TILE), ceil(W / TILE), 2).
    """
    return _native.graphic_encode_near(pixels, class_map, first, last, 0, len(pixels), *loss)[1]


def costs(pixels: U8, class_map: U8, first: int, last: int, effort: int) -> NDArray[np.float32]:
    """About how many bits each pixel of a region takes where it is coded as one photograph.

    pixels: uint8 (H, W, C), C = 1 or 3; the rest as in `start_encoding`. Returns float32 (H, W), 0
    outside the region. The few bytes that belong to no pixel are not in it.
    """
    n, region = _extent(class_map, first, last)
    how = choice.how_hard(effort, n)
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
    lengths, at = _lengths(payload, max(1, _strips(region)))
    jobs = []
    for length, band in zip(lengths, _bands(region, len(lengths)), strict=True):
        if rows is None or (band.top < rows[1] and rows[0] < band.bottom):
            jobs.append(partial(_decode_part, payload, at, length, pixels, band))
        at += length
    return [workers.submit(job) for job in jobs]


def _lengths(payload: bytes, most: int) -> tuple[list[int], int]:
    """The lengths of the bands, of which there are at most so many, and where the first begins."""
    count, at = read_varint(payload, 0)
    if not 1 <= count <= most:
        raise CorruptError(f"{count} bands for {most} strips of rows")
    lengths = []
    for _ in range(count):
        length, at = read_varint(payload, at)
        lengths.append(length)
    if sum(lengths) != len(payload) - at:
        raise CorruptError(f"bands of {sum(lengths)} bytes in {len(payload) - at}")
    return lengths, at


def version_of(payload: bytes) -> int:
    """The least version of the coder, of those that are written, that knows all methods in what
    `encode` gave."""
    lengths, at = _lengths(payload, len(payload))
    for length in lengths:
        if bands.is_new(payload[at : at + 1]):
            return VERSION
        at += length
    return PLAIN_VERSION


def _decode_part(payload: bytes, at: int, length: int, pixels: Pixels, region: Region) -> None:
    """A band by where its bytes lie, which are not copied before it is its turn."""
    bands.decode(payload[at : at + length], pixels, region)


def encode(pixels: Pixels, class_map: U8, first: int, last: int, effort: int = 5) -> bytes:
    """Code the region's pixels, here and now; see `start_encoding`."""
    with Workers(1) as workers:
        return start_encoding(pixels, class_map, first, last, effort, workers).result()


def is_graphic(payload: bytes) -> bool:
    """Whether the first band of what `encode` gave is coded as graphics."""
    _, at = _lengths(payload, len(payload))
    return payload[at] & ~bands.MATCHES == bands.GRAPHIC


def decode(payload: bytes, pixels: Pixels, class_map: U8, first: int, last: int) -> None:
    """Write the region's pixels into `pixels`, here and now; see `start_decoding`."""
    with Workers(1) as workers:
        finish(start_decoding(payload, pixels, class_map, first, last, workers))
