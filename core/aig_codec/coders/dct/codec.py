"""DCT coder: YCbCr in 1/16 of a grey level, integer transforms of 8 to 32 samples, one quantiser
for the background and a finer one for the mid tier, the lowest coefficients of all blocks as the
1/8 image, deblocking and restoration (format.md, 7.3).

`Analysis` is the encoder's side and `Synthesis` the decoder's. Both work on whole pictures and
speak of tiers; the kernels behind them work on groups of 256 x 256 pixels, which are independent
of each other: threads, and damage that stays where it is.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import isqrt

import numpy as np
from numpy.typing import NDArray

from ... import _native, entropy
from ...entropy import SegmentCoding
from ...errors import CorruptError
from ...geometry import Window
from ...threads import Workers
from .. import substreams
from ..base import Facts
from ..substreams import Part, Stream

U8 = NDArray[np.uint8]

#: Block classes, which double as names of the tiers.
BACKGROUND, MID = 0, 1

#: Sides in pixels of what one stream of high frequencies covers, and one of the 1/8 image.
GROUP, REGION = 256, 1024

#: Pixels within which filters and the enlarging of chroma look at others, and within which these
#: depend on the 1/8 image, with room to spare.
_FILTERS_REACH, _EIGHTH_REACH = 16, 64

#: Largest step of the 1/8 image in 1/16: it stays useful at any quality.
MAX_LOW_STEP = 512

#: Strength of deblocking, in 1/16.
_DEBLOCKING = 16

#: Steps of Cb and Cr in 1/16 of luma's, by subsampling: an error of a subsampled sample shows in
#: four pixels, and Cb weighs more than Cr in the squared error of R, G and B.
_CHROMA_STEPS = {"4:2:0": (9, 10), "4:4:4": (15, 18)}

#: Octaves by which steps follow the variance of a superblock, per octave of variance.
ADAPTATION = 0.2


@dataclass(frozen=True)
class Effort:
    """What an effort of 1 to 9 means here.

    largest: log2 of the largest transform in cells of 8 samples; chooses: among the sizes up to it,
    else that one alone; halves: also transforms of two to one; exact: levels by the bits that they
    will take, else by those that training expects; alone: blocks choose levels whatever those
    around do; fit: restoration filters fitted to the picture.
    """

    largest: int
    chooses: bool = True
    halves: bool = False
    exact: bool = False
    alone: bool = False
    fit: bool = False


_EFFORTS = (
    Effort(1, chooses=False, alone=True),
    Effort(1, alone=True),
    Effort(1, alone=True),
    Effort(2),
    Effort(2),
    Effort(2, halves=True),
    Effort(2, halves=True, exact=True, fit=True),
    Effort(2, halves=True, exact=True, fit=True),
    Effort(2, halves=True, exact=True, fit=True),
)

#: Up to this effort blocks do not wait for each other, so that a device can choose their levels.
LAST_PARALLEL_EFFORT = max(e for e, how in enumerate(_EFFORTS, 1) if how.alone)

#: Bytes of a tier's restoration filters: luma and chroma, 7 classes of 6 taps.
_TAPS = 84

#: More symbols no stream has: 3 planes of samples and of ends of blocks.
_GROUP_SYMBOLS, _REGION_SYMBOLS = 2**18, 2**17

#: Pixels whose samples are held at once: so many, or so many for each thread if that is more.
_AT_ONCE, _EACH = 2**21, 2**19

#: Squared error, in squared steps, that one bit is worth.
_LAMBDA = 0.09


def base_step(level: int, table_id: int = 0) -> int:
    """Quantiser step in 1/16 of a quality level 0..255: 1 at 255, 19 at 192, 28 at 128, 112 at 0.

    Linear in between; below 128 it doubles every 64 levels. Table 1 begins at 5/8 of that, so that
    both take about as many bits at a level.
    """
    if level >= 192:
        base = 16 + (288 * (255 - level) + 31) // 63
    elif level >= 128:
        base = 304 + 9 * (192 - level) // 4
    else:
        octave, part = divmod(128 - level, 64)
        base = (448 << octave) * (64 + part) // 64
    return (5 * base + 4) >> 3 if table_id == 1 else base


def steps(level: int, table_id: int) -> NDArray[np.int32]:
    """Steps of the 64 coefficients of 8x8 samples in 1/16, for estimates of cost.

    Table 0 is flat. Table 1 grows with radial frequency r as 1 + 5/16 (r - 1).
    """
    base = base_step(level, table_id)
    out = np.empty(64, np.int32)
    for h in range(8):
        for v in range(8):
            weight = 16
            if table_id == 1:
                weight += max(0, isqrt(256 * (h * h + v * v)) - 16) * 5 // 16
            out[8 * h + v] = (base * weight + 8) // 16
    out[0] = min(base, MAX_LOW_STEP)
    return out


class _Layout:
    """What encoder and decoder both know before any bit."""

    def __init__(self, metadata: Facts, class_map: U8) -> None:
        self.metadata = metadata
        self.colour = metadata.channels >= 3
        self.subsampled = self.colour and metadata.subsampling == "4:2:0"
        self.mid_is_hole = metadata.mid == "palette"
        footprints = [8, 16 if self.subsampled else 8]
        self.classes = [
            _native.classify_blocks(class_map, size, self.mid_is_hole, metadata.mid == "dct")
            for size in footprints
        ]

    def has(self, block_class: int) -> bool:
        """Whether any block of any plane is of this class."""
        return any(bool((c == block_class).any()) for c in self.classes)

    def frame(self, chroma: tuple[int, int]) -> tuple[int, int, bool, bool, U8, U8, list[int], int]:
        """The arguments that the kernels' encoder and decoder have in common."""
        meta = self.metadata
        levels = (meta.quality_level, meta.mid_level)
        luma = [base_step(level, meta.qp_table_id) for level in levels]
        planes = []
        for share in (16, *chroma) if self.colour else (16,):
            own = [max(1, (step * share + 8) >> 4) for step in luma]
            planes += [*own, max(1, (min(luma[0], MAX_LOW_STEP) * share + 8) >> 4)]
        return (
            *(meta.width, meta.height, self.colour, self.subsampled),
            *(self.classes[0], self.classes[1], planes, meta.qp_table_id),
        )


class Analysis(_Layout):
    """A picture cut into blocks and transformed, ready to be coded.

    pixels: uint8 (H, W, 1 or 3) without alpha; class_map: uint8 (H, W); coder: the entropy
    coder, by the keyword `entropy`. weight: what a bit counts, relative to what is usual.
    """

    def __init__(
        self,
        pixels: U8,
        metadata: Facts,
        class_map: U8,
        coder: str,
        effort: int,
        workers: Workers,
        weight: float = 1.0,
    ) -> None:
        super().__init__(metadata, class_map)
        self._coder = entropy.named(coder)
        self._workers = workers
        self._effort = _EFFORTS[effort - 1]
        self._chroma = _CHROMA_STEPS[metadata.subsampling]
        self._adapts = metadata.qp_table_id == 1
        how = self._effort
        self._kernel = _native.LossyEncoder(
            *self.frame(self._chroma),
            *(how.largest, how.chooses, how.halves, how.fit, _LAMBDA * weight),
            *(how.exact, how.alone),
        )
        self._pixels, self._class_map = pixels, class_map
        self._cut()

    def _cut(self) -> None:
        """Have the kernel know samples, blocks and coefficients of all groups."""
        self._workers.map(self._sample, self._kernel.group_rows)
        if self._adapts:
            self._kernel.adapt(ADAPTATION)
        self._workers.map(self._kernel.search, self._kernel.groups)

    def _sample(self, row: int, again: bool = False) -> None:
        self._kernel.sample(row, self._shown(row), again)

    def _shown(self, row: int) -> U8:
        """A row of groups, what no tier shows of it replaced by something smooth."""
        rows = slice(row * GROUP, (row + 1) * GROUP)
        own, classes = self._pixels[rows], self._class_map[rows]
        if classes.any():
            own = own.copy()
            footprint = 16 if self.subsampled else 8
            _native.fill_hidden(own, classes, footprint, self.mid_is_hole)
        return own

    def encode(self, block_classes: Sequence[int]) -> tuple[bytes, dict[int, bytes]]:
        """The 1/8 image, and the high frequencies of the blocks of each class.

        High frequencies come first: what their levels leave in the 1/8 image belongs into it.
        """
        kernel = self._kernel
        number = self._coder.number
        coded = {
            c: self._workers.map(partial(kernel.encode_group, tier=c, coder=number), kernel.groups)
            for c in block_classes
        }
        head = bytes([*self._chroma, self._adapts])
        regions = self._workers.map(partial(kernel.encode_region, coder=number), kernel.regions)
        preview = self._pack(head, regions, _native.LOW_CONTEXTS)
        if self._effort.fit:
            # Filters are fitted to what all tiers together look like.
            self._workers.map(kernel.rebuild, kernel.groups)
            self._workers.map(partial(self._sample, again=True), kernel.group_rows)
        tiers = {c: self._pack(self._filters(c), coded[c], _native.HIGH_CONTEXTS) for c in coded}
        return preview, tiers

    def counts(self) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
        """For training: how often each decision of the background's high frequencies, and of the
        1/8 image, is 0 and 1; two arrays (decisions, 2)."""
        return self._kernel.counts(BACKGROUND)

    def _filters(self, block_class: int) -> bytes:
        head = bytes([_DEBLOCKING, int(self._effort.fit)])
        if self._effort.fit:
            head += self._kernel.fit(block_class, _DEBLOCKING).tobytes()
        return head

    def _pack(
        self, head: bytes, written: Sequence[_native.WrittenStream], n_contexts: int
    ) -> bytes:
        """A segment of streams."""
        tables, streams = entropy.pack_streams(written, n_contexts, self._coder)
        number = bytes([self._coder.number])
        return substreams.pack(number + head + tables, [Stream(*s) for s in streams])


@dataclass
class Tier:
    """The high frequencies of one class: streams by group, until they are decoded. lost: groups
    that cannot be. told: whether that has been said."""

    block_class: int
    parts: dict[int, Stream | None]
    coding: SegmentCoding
    lost: set[int] = field(default_factory=set)
    told: bool = False


def rows_at_once(width: int, height: int, threads: int) -> int:
    """How many rows of groups, of a picture of so many pixels, have their samples in memory at once
    beside those that filters see."""
    rows, pixels = -(-height // GROUP), GROUP * width
    most = max(_AT_ONCE, _EACH * threads)
    return rows if rows * pixels <= 2 * most else max(1, most // pixels)


class Synthesis(_Layout):
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
        self._regions = _parts(window.grown(_EIGHTH_REACH, width, height), REGION, metadata)
        #: Rows of groups that are shown, and those that they look at.
        self._rows = range(*window.scaled(GROUP)[1::2])
        self._rows_near = range(*near.scaled(GROUP)[1::2])
        #: Columns of pixels that are finished: with those that the ones in the window look at.
        self._columns = near.left // 16 * 16, min(width, -(-near.right // 16) * 16)

    def read_preview(self, segment: bytes | Part) -> None:
        """Decode the 1/8 image."""
        count = len(_parts(Window(0, 0, *self.metadata.size), REGION, self.metadata))
        head, parts = substreams.take(segment, count, self._regions)
        coder, (cb, cr, adapts), tables = _take_head(head, 3)
        if cb == 0 or cr == 0 or adapts > 1:
            raise CorruptError("the preview's parameters are outside their ranges")
        self._arguments = self.frame((cb, cr))
        self._adapts = bool(adapts)
        kernel = _native.LossyDecoder(*self._arguments, self._adapts)
        coding = SegmentCoding(coder, tables, _native.LOW_CONTEXTS, _REGION_SYMBOLS)
        self._kernel = kernel
        self._lost_regions = self._read(parts, coding, kernel.read_region)
        if self._lost_regions:
            raise _lost(self._lost_regions, count, "regions of 1024 x 1024 pixels")

    def read_tier(self, segment: bytes | Part, block_class: int) -> None:
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
        self, parts: dict[int, Stream | None], coding: SegmentCoding, task: Callable[..., None]
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
