"""Lossless coder: bands of rows, by predictors fitted to each (format.md, 7.1).

Works on any set of pixels: those whose class in `class_map` lies in [first, last]. Bands do not
know of each other, so they are coded and decoded side by side.
"""

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .. import _native
from ..entropy import read_varint, varint
from ..errors import CorruptError
from ..threads import Job, Workers, finish

U8 = NDArray[np.uint8]

#: Rows come in strips of this height, and a band is a number of strips.
STRIP = 16

#: A band is to hold about this many pixels, and only pictures of more than the second have several.
_BAND_PIXELS, _ONE_BAND = 400_000, 600_000

#: Up to this many pixels a region is small, or tiny.
_SMALL, _TINY = 150_000, 50_000

#: How a band is coded: all channels together, or the colours and then alpha.
_TOGETHER, _WITH_ALPHA = 0, 3


class _Search(NamedTuple):
    """How hard the encoder for photographs looks for predictors; see core/native/predictors.hpp."""

    candidates: int
    predictors: int
    rounds: int
    block_stride: int
    stride: int
    finalists: int
    last_stride: int


def _search(effort: int, pixels: int) -> tuple[_Search, bool]:
    """What to do for predictors, and whether to cancel bias.

    Small regions cost little time whatever is done to them, so they get more of it.
    """
    small, tiny = pixels <= _SMALL, pixels <= _TINY
    if effort == 9:
        return _Search(32, 32, 6, 1, 1 if small else 2, 8, 1), True
    if effort == 8:
        return _Search(32, 16, 3, 1 if small else 2, 2 if small else 8, 4, 1), True
    if effort >= 6 or (effort >= 3 and tiny):
        return _Search(32, 8, 2, 1, 4, 4, 1), effort == 7
    if effort >= 3:
        return _Search(6, 4, 1, 1 if small else 8, 8, 2, 4), False
    return _Search(6, 4, 0, 8, 8, 1, 8), False


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
    pixels: U8, class_map: U8, first: int, last: int, effort: int, workers: Workers
) -> Encoding:
    """Begin to code the region's pixels.

    pixels: uint8 (H, W, C), C = 1..4; class_map: uint8 (H, W); effort: 1..9.
    """
    n, region = _extent(class_map, first, last)
    # The encoder's memory goes with a band's rectangle, however few of its pixels are coded.
    load = max(n, (region.bottom - region.top) * class_map.shape[1] // 4)
    count = 1 if load <= _ONE_BAND else 2 * round(load / (2 * _BAND_PIXELS))
    count = min(count, _strips(region)) or 1
    search = _search(effort, n // count)
    bands = _bands(region, count)
    return Encoding([workers.submit(_encode_band, pixels, band, search) for band in bands])


def _encode_band(pixels: U8, region: _Region, search: tuple[_Search, bool]) -> bytes:
    channels = pixels.shape[2]
    colours = 1 if channels < 3 else 3
    colour = _native.photo_encode(pixels, 0, colours, *region, *search)
    if colours == channels:
        return bytes([_TOGETHER]) + colour
    alpha = _native.photo_encode(pixels, colours, 1, *region, *search)
    return bytes([_WITH_ALPHA]) + varint(len(colour)) + colour + alpha


def start_decoding(
    payload: bytes, pixels: U8, class_map: U8, first: int, last: int, workers: Workers
) -> list[Job[None]]:
    """Begin to write the region's pixels into `pixels`; the others keep what they hold.

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
        jobs.append(partial(_decode_band, payload[at : at + length], pixels, band))
        at += length
    return [workers.submit(job) for job in jobs]


def _decode_band(data: bytes, pixels: U8, region: _Region) -> None:
    method = data[0] if data else None
    channels = pixels.shape[2]
    colours = 1 if channels < 3 else 3
    if method == _TOGETHER and colours == channels:
        _native.photo_decode(data[1:], pixels, 0, colours, *region)
    elif method == _WITH_ALPHA and colours != channels:
        length, start = read_varint(data, 1)
        if length > len(data) - start:
            raise CorruptError("band ends inside its colour")
        _native.photo_decode(data[start : start + length], pixels, 0, colours, *region)
        _native.photo_decode(data[start + length :], pixels, colours, 1, *region)
    else:
        raise CorruptError(f"method {method} for {channels} channels")


def encode(pixels: U8, class_map: U8, first: int, last: int, effort: int = 5) -> bytes:
    """Code the region's pixels, here and now; see `start_encoding`."""
    with Workers(1) as workers:
        return start_encoding(pixels, class_map, first, last, effort, workers).result()


def decode(payload: bytes, pixels: U8, class_map: U8, first: int, last: int) -> None:
    """Write the region's pixels into `pixels`, here and now; see `start_decoding`."""
    with Workers(1) as workers:
        finish(start_decoding(payload, pixels, class_map, first, last, workers))
