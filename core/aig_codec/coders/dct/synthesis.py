"""The decoder's side of the DCT coder (format.md, 7.3)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ... import _native
from ...entropy import SegmentCoding
from ...errors import CorruptError
from ...geometry import Window
from ...threads import Workers
from .. import substreams
from ..base import Facts
from ..substreams import PartialSegment, Substream
from .frame import GROUP, LF_GROUP, Frame

U8 = NDArray[np.uint8]

#: Pixels within which filters and the enlarging of chroma look at others, and within which these
#: depend on the LF image, with room to spare.
_FILTERS_REACH, _LF_REACH = 16, 64

#: Bytes of a tier's restoration filters: luma and chroma, 7 classes of 6 taps.
_TAPS = 84

#: More symbols no substream has: 3 planes of samples and of ends of blocks.
_GROUP_SYMBOLS, _LF_GROUP_SYMBOLS = 2**18, 2**17

#: Pixels whose samples are held at once: so many, or so many for each thread if that is more.
_AT_ONCE, _EACH = 2**21, 2**19


@dataclass
class Tier:
    """The high frequencies of one class: streams by group, until they are decoded. lost: groups
    that cannot be. told: whether that has been said."""

    block_class: int
    parts: dict[int, Substream | None]
    coding: SegmentCoding
    lost: set[int] = field(default_factory=set)
    told: bool = False


def rows_at_once(width: int, height: int, threads: int) -> int:
    """How many rows of groups, of a picture of so many pixels, have their samples in memory at once
    beside those that filters see."""
    rows, pixels = -(-height // GROUP), GROUP * width
    most = max(_AT_ONCE, _EACH * threads)
    return rows if rows * pixels <= 2 * most else max(1, most // pixels)


class Synthesis(Frame):
    """The picture as far as it has been read: first `read_preview`, then tiers in any order.

    Both raise CorruptError if they are damaged as a whole, and the former also if parts of it are,
    having decoded all others; what is damaged of tiers shows when `render` decodes them. It does
    so some rows of groups after the other, so that samples never take more memory than these.
    """

    def __init__(
        self,
        metadata: Facts,
        class_map: U8,
        workers: Workers,
        scale: int = 1,
        window: Window | None = None,
    ) -> None:
        super().__init__(metadata, class_map)
        self._workers = workers
        self._kernel: _native.LossyDecoder | None = None
        self._lost_regions: set[int] = set()
        self._tiers: list[Tier] = []
        self._scale = scale
        width, height = metadata.size
        window = window or Window(0, 0, width, height)
        near = window.grown(_FILTERS_REACH, width, height)
        self._groups = _parts(near, GROUP, metadata)
        self._regions = _parts(window.grown(_LF_REACH, width, height), LF_GROUP, metadata)
        #: Rows of groups that are shown, and those that they look at.
        self._rows = range(*window.scaled(GROUP)[1::2])
        self._rows_near = range(*near.scaled(GROUP)[1::2])
        #: Columns of pixels that are finished: with those that the ones in the window look at.
        self._columns = near.left // 16 * 16, min(width, -(-near.right // 16) * 16)

    def read_preview(self, segment: bytes | PartialSegment) -> None:
        """Decode the 1/8 image."""
        count = len(_parts(Window(0, 0, *self.metadata.size), LF_GROUP, self.metadata))
        head, parts = substreams.take(segment, count, self._regions)
        coder, (cb, cr, adapts), tables = _take_head(head, 3)
        if cb == 0 or cr == 0 or adapts > 1:
            raise CorruptError("the preview's parameters are outside their ranges")
        self._arguments = self.frame((cb, cr))
        self._adapts = bool(adapts)
        kernel = _native.LossyDecoder(*self._arguments, self._adapts)
        coding = SegmentCoding(coder, tables, _native.LOW_CONTEXTS, _LF_GROUP_SYMBOLS)
        self._kernel = kernel
        self._lost_regions = self._read(parts, coding, kernel.read_region)
        if self._lost_regions:
            raise _lost(self._lost_regions, count, "regions of 1024 x 1024 pixels")

    def read_tier(self, segment: bytes | PartialSegment, block_class: int) -> None:
        """Take the high frequencies of one class, to be decoded by `render`; where that fails,
        blocks keep the preview."""
        kernel = self._kernel
        if kernel is None:
            raise CorruptError("without a preview, this cannot be decoded")
        head, parts = substreams.take(segment, kernel.groups, self._groups)
        coder, (deblocking, fitted), tables = _take_head(head, 2)
        if fitted > 1:
            raise CorruptError("the filters' parameters are outside their ranges")
        taps = None
        if fitted:
            taps = np.frombuffer(tables[:_TAPS], np.int8).copy()
            if taps.size < _TAPS or taps.min() < -64 or taps.max() > 63:
                raise CorruptError("the filters' taps are cut or outside their range")
            taps, tables = taps.reshape(2, 7, 6), tables[_TAPS:]
        coding = SegmentCoding(coder, tables, _native.HIGH_CONTEXTS, _GROUP_SYMBOLS)
        kernel.set_filters(block_class, deblocking, taps)
        for group, part in parts.items():
            if part is not None and any(part) and kernel.region_of(group) in self._lost_regions:
                parts[group] = None
        self._tiers.append(Tier(block_class, parts, coding))

    def damaged(self) -> list[CorruptError]:
        """What of the tiers turned out to be damaged when they were decoded, once."""
        found = [tier for tier in self._tiers if tier.lost and not tier.told]
        for tier in found:
            tier.told = True
        count = self._kernel.groups if self._kernel else 0
        return [_lost(tier.lost, count, "groups of 256 x 256 pixels") for tier in found]

    def render(self, pixels: U8) -> None:
        """Write the colours of `pixels`, uint8 (H, W, C) at the scale, where they are wanted.

        Blocks whose tier was not read, or is damaged, are a smooth interpolation of the 1/8 image;
        `damaged` says which ones are.
        """
        kernel = self._kernel
        if kernel is None:
            raise CorruptError("without a preview, this cannot be decoded")
        if self._scale == 8:
            kernel.preview(pixels)
            return
        near, rows, columns = self._rows_near, self._rows, self._columns

        def smooth(some: range, i: int) -> None:
            kernel.interpolate(some[i], some[i] + 1, *columns)

        def show(some: range, i: int) -> None:
            if self._scale == 1:
                kernel.rows(some[i], some[i] + 1, pixels, *columns)
            else:
                kernel.scaled_rows(some[i], some[i] + 1, pixels)

        step = rows_at_once(self.metadata.width, GROUP * len(rows), self._workers.count)
        behind = near.start
        for first in range(rows.start, rows.stop, step):
            last = min(first + step, rows.stop)
            # Filters look at the rows beside. As many each time need one piece of memory.
            above = max(0, first - 1)
            below = min(above + step + 2, kernel.group_rows)
            kernel.hold(above, below, self._scale.bit_length() - 1)
            fresh = range(behind, min(last + 1, near.stop))
            self._decode_rows(kernel, fresh)
            self._workers.map(partial(smooth, fresh), len(fresh))
            self._workers.map(partial(show, range(first, last)), last - first)
            behind = fresh.stop
        if step >= len(rows):
            # All samples are still there.
            for tier in self._tiers:
                tier.parts = {}

    def _decode_rows(self, kernel: _native.LossyDecoder, rows: range) -> None:
        """Decode the groups of some rows of them, of all tiers that were not decoded yet."""
        columns = -(-self.metadata.width // GROUP)
        wanted = [group for group in self._groups if group // columns in rows]

        def decode(i: int) -> None:
            group = wanted[i]
            for tier in self._tiers:
                if group not in tier.parts:
                    continue
                part, coding = tier.parts[group], tier.coding
                try:
                    if part is None:
                        raise CorruptError("the stream is damaged or missing")
                    coded = coding.prepare(part.coded)
                    kernel.read_group(group, tier.block_class, coding.tables, part.raw, coded)
                except CorruptError:
                    tier.lost.add(group)

        self._workers.map(decode, len(wanted))

    def _read(
        self, parts: dict[int, Substream | None], coding: SegmentCoding, task: Callable[..., None]
    ) -> set[int]:
        """Decode all streams that are there; returns the numbers of those that are not."""
        wanted = list(parts.items())

        def decode(i: int) -> bool:
            number, part = wanted[i]
            if part is None:
                return False
            try:
                task(number, coding.tables, part.raw, coding.prepare(part.coded))
            except CorruptError:
                return False
            return True

        sound = self._workers.map(decode, len(wanted))
        return {number for (number, _), ok in zip(wanted, sound, strict=True) if not ok}


def _parts(window: Window, size: int, metadata: Facts) -> list[int]:
    """The numbers of the squares of so many pixels a side that a window touches."""
    columns = -(-metadata.width // size)
    left, top, right, bottom = window.scaled(size)
    return [row * columns + column for row in range(top, bottom) for column in range(left, right)]


def _take_head(head: bytes, parameters: int) -> tuple[int, bytes, bytes]:
    """Entropy coder, parameters, and what is behind them."""
    if len(head) < 1 + parameters:
        raise CorruptError("the head of a segment is cut")
    return head[0], head[1 : 1 + parameters], head[1 + parameters :]


def _lost(lost: set[int], count: int, what: str) -> CorruptError:
    return CorruptError(f"{len(lost)} of {count} {what} are damaged or missing")
