"""Which method codes a band, by the pixels and by what the methods make of them.

What is cheap to know is looked at first: how many colours there are, whether they repeat, whether
samples leave many values out, whether the colours are those of a JPEG file. All of these give up
early on photographs.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ... import _native
from . import bands
from .region import Pixels, Region, channel_of, colours_of
from .searches import SMALL, TINY, Search, search_for

#: By `_native.repetition`: from the first on, a band is tried as graphics too, from the second on,
#: not as photograph. In small rectangles, where little time is lost, another first one holds.
_SOME_REPETITION, MUCH_REPETITION = 0.92, 0.98
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

#: Mixed coding takes two microseconds for each pixel: how many may be coded so, by effort.
_MIXED_PIXELS = {7: 300_000, 8: 1 << 40, 9: 1 << 40}

#: What is this much larger than mixed coding after a quick search is so after a long one.
_MUCH_LARGER = 1.03

#: Where alpha takes less than this part of the colours, there is nothing to be had from them.
_LITTLE_ALPHA = 16

#: Where a colour has fewer pixels than this, a table of the colours may cost more than it saves.
_PIXELS_PER_COLOUR = 16


class HowHard(NamedTuple):
    """What the encoder for photographs does: the search, and the ways to treat bias, of which the
    better one counts: True is to cancel it. joint: whether YCbCr is tried with the channels
    predicted from each other too. mixed: whether mixed coding is tried, after what is `quick`."""

    search: Search
    bias: tuple[bool, ...] = (False,)
    joint: bool = False
    mixed: bool = False

    @property
    def quick(self) -> "HowHard":
        """Just enough to tell whether it is a photograph."""
        return HowHard(search_for(3, SMALL + 1), joint=self.joint)

    @property
    def plain(self) -> "HowHard":
        """The same without mixed coding."""
        return self._replace(mixed=False)


def how_hard(effort: int, pixels: int, region: int | None = None) -> HowHard:
    """What to do for so many pixels of a band, or of a region in all. Small ones cost little time
    whatever is done to them."""
    how = _as_photo(effort, pixels)
    count = pixels if region is None else region
    return how._replace(mixed=0 < count <= _MIXED_PIXELS.get(effort, 0))


def _as_photo(effort: int, pixels: int) -> HowHard:
    large = pixels > SMALL
    bias = (False,) if effort < 7 else (True,) if large else (True, False)
    joint = effort >= 6 or (effort >= 3 and pixels <= TINY)
    return HowHard(search_for(effort, pixels), bias, joint)


def encode(pixels: Pixels, region: Region, how: HowHard, recurring: bool) -> bytes:
    """One band by the method that makes the least of it. recurring: what `recurs` says of the
    whole region."""
    if pixels.dtype != np.uint8:
        return _encode_deep(pixels, region, how)
    found = _few_colours(pixels, region)
    if found is None:
        return _least(
            pixels,
            region,
            recurring,
            lambda: bands.graphic(pixels, region),
            lambda: _natural(pixels, region, how, recurring),
        )
    table, indices, count = found

    def photo() -> bytes:
        indexed = _photo(indices, region.alone, how)
        best = bands.mapped(bands.INDEXED, table, indexed)
        if _count(region) < _PIXELS_PER_COLOUR * count:
            best = min(best, _photo(pixels, region, how), key=len)
        return best

    return _least(pixels, region, True, lambda: bands.graphic(pixels, region), photo)


def _encode_deep(pixels: Pixels, region: Region, how: HowHard) -> bytes:
    """Of 16 bits: what can be had in 8, else as photograph."""
    tried = []
    colours = _few_colours(pixels, region)
    if colours is not None:
        table, indices, _ = colours
        band = _plain(indices, region.alone, how, True)
        tried.append(bands.mapped(bands.INDEXED, table, band))
    values = _native.sparse_values(pixels[region.rows], *region.own)
    if values is not None:
        table, ranks = values
        if ranks.dtype == np.uint8:
            alone = region.alone
            band = _plain(ranks, alone, how, recurs(ranks, alone))
        else:
            band = _photo(ranks, region.alone, how)
        tried.append(bands.mapped(bands.RANKS, table, band))
    if values is None or _count(region) <= _FEW_PIXELS:
        tried.append(_photo(pixels, region, how))
    return min(tried, key=len)


def _plain(pixels: Pixels, region: Region, how: HowHard, recurring: bool) -> bytes:
    """Of 8 bits, as photograph or as graphics."""
    return _least(
        pixels,
        region,
        recurring,
        lambda: bands.graphic(pixels, region),
        lambda: _photo(pixels, region, how),
    )


def _natural(pixels: Pixels, region: Region, how: HowHard, recurring: bool) -> bytes:
    """Of 8 bits, as photograph, which may have been decoded from JPEG, or have gaps."""
    rows = pixels[region.rows]
    ycc = _native.to_ycc(rows, *region.own) if pixels.shape[2] >= 3 else None
    if ycc is not None:
        as_ycc = bytes([bands.YCC]) + _ycc(ycc, region.alone, how, recurring)
        if _count(region) > _FEW_PIXELS:
            return as_ycc
        return min(as_ycc, _photo(pixels, region, how), key=len)
    best = _photo(pixels, region, how)
    values = _native.sparse_values(rows, *region.own)
    if values is not None:
        table, ranks = values
        band = _photo(ranks, region.alone, how)
        best = min(best, bands.mapped(bands.RANKS, table, band), key=len)
    return best


def _ycc(ycc: Pixels, region: Region, how: HowHard, recurring: bool) -> bytes:
    """Each channel by itself, since none says much of another one; or all together."""
    channels = []
    for k in range(ycc.shape[2]):
        part, own = channel_of(ycc, region, k)
        # Chroma has few levels in photographs too, so that it cannot tell what it is.
        if k < 3 and not recurring:
            channels.append(_photo(part, own, how.plain))
        else:
            channels.append(_plain(part, own, how.plain, recurring or recurs(part, own)))
    best = bands.apart(channels)
    return min(best, _photo(ycc, region, how), key=len) if how.joint else best


def _photo(pixels: Pixels, region: Region, how: HowHard) -> bytes:
    """As photograph, alpha as what it is."""
    if how.mixed:
        mixed = _mixed(pixels, region, how)
        photo = _photo(pixels, region, how.quick)
        if len(photo) < _MUCH_LARGER * len(mixed):
            photo = min(photo, _photo(pixels, region, how.plain), key=len)
        return min(mixed, photo, key=len)
    channels = pixels.shape[2]
    colours = colours_of(channels)
    is_grey = colours == 3 and _native.is_grey(pixels, *region)
    colour = bands.planes(pixels, 1 if is_grey else colours, region, how.search, how.bias)
    method = bands.GREY if is_grey else 0
    if colours == channels:
        return bytes([method + bands.PHOTO]) + colour
    alpha, rows = channel_of(pixels, region, channels - 1)
    if pixels.dtype != np.uint8:
        return bands.with_alpha(method, colour, _photo(alpha, rows, how))
    return bands.with_alpha(method, colour, _plain(alpha, rows, how, recurs(alpha, rows)))


def _mixed(pixels: Pixels, region: Region, how: HowHard) -> bytes:
    """By mixed coding, alpha with the colours or as what it is."""
    channels = pixels.shape[2]
    is_grey = channels >= 3 and _native.is_grey(pixels, *region)
    if channels % 2:
        return bands.mixed(pixels, region, is_grey, None)
    alpha, rows = channel_of(pixels, region, channels - 1)
    if pixels.dtype == np.uint8:
        apart = _plain(alpha, rows, how, recurs(alpha, rows))
    else:
        apart = _photo(alpha, rows, how)
    best = bands.mixed(pixels, region, is_grey, apart)
    if len(apart) * _LITTLE_ALPHA > len(best):
        best = min(best, bands.mixed(pixels, region, is_grey, None), key=len)
    return best


def _least(
    pixels: Pixels,
    region: Region,
    recurring: bool,
    graphic: Callable[[], bytes],
    photo: Callable[[], bytes],
) -> bytes:
    """The shorter result; only one of the two is called where it is plain which one that is."""
    rows = region.own[0]
    few = rows.size <= _FEW_PIXELS
    repeats = repetition(pixels, region)
    if repeats >= MUCH_REPETITION and not few:
        return graphic()
    as_photo = photo()
    bits = 8 * len(as_photo) / pixels.shape[2]
    if bits < _FEW_BITS * rows.size:
        # Not all of the rectangle need be the region's.
        few = few or bits < _FEW_BITS * _count(region)
    least = _SMALL_REPETITION if rows.size <= _SMALL_RECTANGLE else _SOME_REPETITION
    if few or repeats >= least or recurring:
        return min(graphic(), as_photo, key=len)
    return as_photo


def _count(region: Region) -> int:
    """The region's pixels."""
    return _native.region_extent(*region.own)[0]


def _few_colours(pixels: Pixels, region: Region) -> tuple[bytes, Pixels, int] | None:
    """Table, indices and number of at most 256 colours; greys have few always, and are none."""
    if pixels.shape[2] < 3 or _native.is_grey(pixels, *region):
        return None
    return _native.few_colours(pixels[region.rows], *region.own)


def repetition(pixels: Pixels, region: Region) -> float:
    """Share of the pixels near a simple prediction that meet it exactly."""
    return _native.repetition(pixels, *region) if pixels.dtype == np.uint8 else 0.0


def recurs(pixels: Pixels, region: Region) -> bool:
    """Whether what is far apart looks alike, so that graphics may find it."""
    if pixels.dtype != np.uint8:
        return False
    places, right, looked_at, colours, grey = _native.recurrence(pixels, *region)
    if places >= _LEAST_PLACES and right >= _RECURRING * places:
        return True
    if grey or pixels.shape[2] < 3:
        return colours <= _FEW_LEVELS
    return colours <= _FEW_COLOURS * looked_at
