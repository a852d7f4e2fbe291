"""How much memory an answer takes at most, by what the metadata says, before any of it is taken.

Counts what goes with the number of pixels, the bytes read, and what every thread works with; the
interpreter and its modules are not in it. `limits.charge` compares it with `limits.max_memory`.
"""

from collections.abc import Collection, Iterable

from .coders import dct
from .container import Metadata
from .geometry import Regions, Window

#: Whatever the picture.
_ALWAYS = 2**23

#: The coder of drawn pictures: at most so much for a band, or so much for each pixel of a small one.
_GRAPHIC, _GRAPHIC_PIXEL = 24 * 2**20, 96

#: Rows of samples that a filter holds, and of a strip of the lossless coder, with their errors.
_FILTERED_ROWS, _STRIP_ROWS = 2 * 96, 2 * 16

#: Kinds of segments that the lossless coder may have made.
_LOSSLESS = {"core", "alpha", "drawn", "mid"}

#: `Picture` decodes cores beside the picture while they have no more pixels than this, or than this
#: part of it; and computes means of so many boxes at once.
SMALL_CORES, BESIDE, BOXES = 2**18, 6, 2**18


def of_picture(
    meta: Metadata,
    kinds: Collection[str],
    threads: int,
    *,
    scale: int = 1,
    window: Window | None = None,
    keeps: bool = False,
) -> int:
    """Bytes that a `Picture` of the segments of these kinds takes, with what `show` gives.

    keeps: as in `Picture`.
    """
    segments = [s for s in meta.segments if s.kind in kinds]
    there = {s.kind for s in segments}
    n, sample, channels = meta.width * meta.height, meta.bits // 8, meta.channels
    pixel, colours = channels * sample, 3 if channels >= 3 else 1
    s = 1 if meta.is_averaged else scale
    seen = n if window is None else meta.width * _rows_seen(meta, window)
    canvas = _scaled(seen, s) * pixel
    shown = canvas if window is None else window.size[0] * window.size[1] * pixel
    classes = n
    cores = "core" in there and meta.shape != "all"
    beside = 0
    if cores:
        most = 3 * n if keeps else max(SMALL_CORES, n // BESIDE)
        beside = min(most, _core_pixels(meta)) * (pixel + 1)
    samples = cells = 0
    if "preview" in there:
        planes = 3 if colours == 3 else 1
        cells = n * (planes + 1) // 16
        if s < 8:
            samples = _samples(meta, threads, seen // meta.width, s)
    over = 0
    if "drawn" in there or "mid" in there:
        alone = not keeps and colours == channels
        over = 0 if alone and meta.mid != "palette" else n * colours * (2 if keeps else 1)
    if s > 1 and cores:
        boxes = 4 * (channels + 1)
        large = _core_pixels(meta) > max(SMALL_CORES, n // BESIDE)
        if large and not keeps:
            over += seen * pixel + min(BOXES, _scaled(n, s)) * boxes
        else:
            over += _scaled(min(n, _core_pixels(meta)), s) * boxes
    alpha = n if "alpha" in there else 0
    mapped = 2 * n if meta.shape == "map" else 0
    together = canvas + classes + alpha + beside + samples + cells + over
    averaged = canvas + _scaled(seen, scale) * pixel if meta.is_averaged and scale > 1 else 0
    phases = (
        mapped,
        classes + beside + cells + 2 * alpha,
        together,
        averaged,
        canvas + shown if window is not None else 0,
    )
    read = 2 * sum(segment.length for segment in segments)
    return _ALWAYS + read + max(phases) + _scratch(meta, there, threads, n)


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
    cells = n * (planes + 1) // 16 + _scaled(n, 8) * meta.channels
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
    """What threads work with, and what they know of the region that the lossless coder is at."""
    planes, sample = 3 if meta.channels >= 3 else 1, meta.bits // 8
    rows = _FILTERED_ROWS if "preview" in kinds else 0
    coded = 0
    if not _LOSSLESS.isdisjoint(kinds):
        rows += _STRIP_ROWS * sample
        coded = n // 8
        coded += 0 if sample > 1 else min(threads * _GRAPHIC, n * _GRAPHIC_PIXEL)
    return threads * rows * 2 * planes * (meta.width + 64) + coded
