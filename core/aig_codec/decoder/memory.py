"""How much memory an answer takes at most, by what the metadata says, before any of it is taken.

Counts what goes with the number of pixels, the bytes read, and what every thread works with; the
interpreter and its modules are not in it. `limits.charge` compares it with `limits.max_memory`.
"""

from collections.abc import Collection, Iterable

from ..coders import dct, registry
from ..coders.lossless import LosslessCoder
from ..container import Metadata
from ..container.kinds import Role, named
from ..geometry import Regions, Window

#: Whatever the picture.
_ALWAYS = 2**23

#: The coder of drawn pictures: at most so much for a band, and of a small one for each pixel.
_GRAPHIC, _GRAPHIC_PIXEL = 30 * 2**20, 112

#: The mixed coder: at most so much for a band, of a small one less for each pixel, and what goes
#: with its width for every plane.
_MIXED, _MIXED_MEMORY, _MIXED_PIXEL, _MIXED_COLUMN = 4 * 2**20, 2**23, 128, 560

#: Rows of samples that a filter holds, and of a strip of the lossless coder, with their errors.
_FILTERED_ROWS, _STRIP_ROWS = 2 * 96, 2 * 16

#: Kinds of segments that are painted over others, and that the lossless coder may have made.
_PIXELS, _LOSSLESS = named(Role.PIXELS), LosslessCoder.carries

#: Cores are decoded beside the picture while the rectangles around them have no more pixels than
#: this, or than this part of the picture's; and means of so many boxes are computed at once.
SMALL_CORES, BESIDE, BOXES = 2**21, 16, 2**18


def of_picture(
    meta: Metadata,
    kinds: Collection[str],
    threads: int,
    *,
    scale: int = 1,
    window: Window | None = None,
    strict: bool = True,
    keeps: bool = False,
) -> int:
    """Bytes that a `Picture` of the segments of these kinds takes, with what `show` gives.

    strict: whether damage raises an error; else what may have to be decoded again is kept. keeps:
    as in `Picture`.
    """
    segments = [s for s in meta.segments if s.kind in kinds]
    there = {s.kind for s in segments}
    n, channels = meta.width * meta.height, meta.channels
    pixel, colours = channels * meta.bits // 8, 3 if channels >= 3 else 1
    direct = registry.paints(meta, meta.segments, scale)
    s = scale if direct else 1
    seen = n if window is None else meta.width * _rows_seen(meta, window)
    canvas, classes, alpha = _scaled(seen, s) * pixel, n, n if "alpha" in there else 0
    samples = cells = 0
    if "preview" in there:
        cells = n * ((3 if colours == 3 else 1) + 1) // 16
        samples = _samples(meta, threads, seen // meta.width, s) if s < 8 else 0
    beside = exact = 0
    if "core" in there and meta.shape != "all":
        around = _core_pixels(meta)
        beside = around if keeps else min(around, most_beside(n))
        if s > 1 and (keeps or around <= most_beside(n)):
            exact = _scaled(min(n, around), s) * 4 * (channels + 1)
        elif s > 1:
            exact = seen * pixel + min(BOXES, _scaled(n, s)) * 4 * (channels + 1)
        beside *= pixel + 1
    coders = [registry.find(s.coder) for s in segments if s.kind in _PIXELS]
    over = [coder.memory(meta, keeps) for coder in coders if coder is not None]
    drawn = sum(over) if keeps else max(over, default=0)
    held = alpha + samples + cells if keeps or not strict else 0
    phases = [
        2 * n + beside if meta.shape == "map" else 0,
        classes + beside + cells + 2 * alpha,
        classes + beside + cells + alpha + samples + canvas,
        classes + beside + held + canvas + max(drawn, exact),
    ]
    if not direct:
        phases.append(canvas + _scaled(seen, scale) * pixel)
    elif window is not None:
        width, height = window.scaled(s).size
        phases.append(classes + beside + held + canvas + width * height * pixel)
    read = 2 * sum(segment.length for segment in segments)
    return _ALWAYS + read + max(phases) + _scratch(meta, there, threads, n)


def most_beside(pixels: int) -> int:
    """Of a picture of so many pixels, those that are decoded beside it for its cores, at most."""
    return max(SMALL_CORES, pixels // BESIDE)


def of_cores(meta: Metadata, windows: Iterable[Window], lengths: int) -> int:
    """Bytes that the cores in these rectangles take, of segments of so many bytes."""
    areas = [w.size[0] * w.size[1] for w in windows]
    pixel = meta.channels * meta.bits // 8
    n = meta.width * meta.height
    mapped = n if meta.shape == "map" else 0
    results = sum(areas) * (pixel + 1)
    scratch = _scratch(meta, {"core"}, 1, max(areas, default=0))
    return _ALWAYS + 2 * lengths + max(2 * mapped, mapped + sum(areas), results) + scratch


def of_map(meta: Metadata) -> int:
    """Bytes that the class of every pixel takes, or whether it is exact."""
    n = meta.width * meta.height
    return _ALWAYS + (2 * n if meta.shape == "map" else n)


def of_preview(meta: Metadata, length: int) -> int:
    """Bytes that the 1/8 image takes, of a segment of so many bytes."""
    n, planes = meta.width * meta.height, 3 if meta.channels >= 3 else 1
    cells = n * (2 * planes + 3) // 32 + _scaled(n, 8) * meta.channels
    return 2 * length + of_map(meta) + cells


def _scaled(n: int, scale: int) -> int:
    return n // (scale * scale)


def _rows_seen(meta: Metadata, window: Window) -> int:
    """Rows of pixels that are decoded for those of a window."""
    return min(meta.height, window.bottom - window.top + 4 * dct.GROUP)


def _core_pixels(meta: Metadata) -> int:
    """Pixels of the rectangles around all cores, at most."""
    if meta.shape == "map":
        return 3 * meta.width * meta.height
    sizes = [Regions(meta).core_window(k).size for k in range(meta.cores)]
    return sum(width * height for width, height in sizes)


def _samples(meta: Metadata, threads: int, height: int, scale: int) -> int:
    """Samples of the rows of groups that are held at once."""
    rows = min(-(-height // dct.GROUP), dct.rows_at_once(meta.width, height, threads) + 2)
    planes = 1.0
    if meta.channels >= 3:
        planes = 1.5 if meta.subsampling == "4:2:0" and scale == 1 else 3.0
    wide = -(-meta.width // 64) * 64 + 64
    return int(2 * planes * dct.GROUP * rows * wide) // (scale * scale)


def _scratch(meta: Metadata, kinds: Collection[str], threads: int, n: int) -> int:
    """What threads work with, and what they know of the region that the lossless coder is at: also
    what stands in place of its samples."""
    planes, sample = 3 if meta.channels >= 3 else 1, meta.bits // 8
    rows = _FILTERED_ROWS if "preview" in kinds else 0
    coded = 0
    if not _LOSSLESS.isdisjoint(kinds):
        rows += _STRIP_ROWS * sample
        drawn = 0 if sample > 1 else min(threads * _GRAPHIC, n * _GRAPHIC_PIXEL)
        mixed = 0
        coded = n // 8
        channels = _mapped_channels(meta, kinds)
        if channels:
            coded += n * _beside(channels, meta.bits)
            mixed = _MIXED + min(_MIXED_MEMORY, n * _MIXED_PIXEL)
            mixed += _MIXED_COLUMN * channels * meta.width
        coded += max(drawn, threads * mixed)
    return threads * rows * 2 * planes * (meta.width + 64) + coded


def _mapped_channels(meta: Metadata, kinds: Collection[str]) -> int:
    """Of the segments whose bands may be mixed, or hold indices, ranks, or channels by themselves,
    which lie beside: the most channels that one has, or 0 if there are none."""
    mapped = {
        s.kind
        for s in meta.segments
        if s.coder == LosslessCoder.name and s.version > LosslessCoder.plain and s.kind in kinds
    }
    return max((1 if kind == "alpha" else meta.channels for kind in mapped), default=0)


def _beside(channels: int, bits: int) -> int:
    """Bytes for each pixel that lie beside the picture where its lossless bands are not samples:
    indices or a channel; where there are 16 bits, ranks of 8, and alpha."""
    if bits == 16:
        return channels + 1 - channels % 2
    return 1 if channels > 1 else 0
