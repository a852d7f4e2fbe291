"""A picture that comes together from its segments, coarse to fine (format.md, 8)."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .. import _native, geometry
from ..coders import dct, lossless, palette, residual
from ..coders.lossless import Pixels
from ..coders.substreams import Part
from ..container import Metadata, Segment
from ..errors import AigError
from ..geometry import CORE, DRAWN, MID, MID_LAST, Regions, Window
from ..threads import Job, Workers, finish
from .memory import BOXES, most_beside

U8 = NDArray[np.uint8]

#: At this scale the 1/8 image is all that is needed beside the cores.
EIGHTH = 8


class Problems:
    """Context that collects errors of the file where the caller is lenient, and passes them on
    where it is strict."""

    def __init__(self, strict: bool) -> None:
        self.strict = strict
        self.found: list[AigError] = []

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: BaseException | None, _: Any) -> bool:
        if self.strict or not isinstance(error, AigError):
            return False
        # Its traceback would keep all that was being decoded.
        self.found.append(error.with_traceback(None))
        return True


class DecodedCore(NamedTuple):
    """A core's pixels (h, w, C), where they lie, and which of them count."""

    pixels: Pixels
    class_map: U8
    pixel_class: int
    window: Window


class ComingCore(NamedTuple):
    """A core whose bands are being decoded."""

    bands: list[Job[None]]
    core: DecodedCore

    def result(self) -> DecodedCore:
        """The core, or the error of one of its bands."""
        finish(self.bands)
        return self.core


class LargeCore(NamedTuple):
    """A core that is decoded in its place."""

    pixel_class: int
    payload: bytes


class CoreArea(NamedTuple):
    """Where the core of a focus lies: the rectangle around it, and the classes of its pixels."""

    window: Window
    class_map: U8

    @classmethod
    def of(cls, regions: Regions, k: int) -> "CoreArea":
        """That of focus k."""
        window = regions.core_window(k)
        return cls(window, regions.cores_in(window))

    def start(self, metadata: Metadata, k: int, payload: bytes, workers: Workers) -> ComingCore:
        """Begin to decode the core."""
        pixels = np.zeros((*self.class_map.shape, metadata.channels), _dtype(metadata))
        c = CORE + k
        bands = lossless.start_decoding(payload, pixels, self.class_map, c, c, workers)
        return ComingCore(bands, DecodedCore(pixels, self.class_map, c, self.window))


class _Spoiled(Exception):
    """Something damaged has left traces in a picture, which has to be put together without it."""


class Picture:
    """What is known of a picture: segments are added in the order of the file, and at any time it
    can be looked at.

    scale: 1, 2, 4 or 8; smaller pictures come from the low frequencies alone, with the mean over
    the exact pixels of the cores. Files with alpha, a palette or nothing but a core have no low
    frequencies of it: they are decoded whole, and averaged. window: what is wanted of the picture,
    in its pixels; nothing else is decoded as far as that can be helped. regions: with the map of
    the cores, if they need one, and, once anything but cores is added, the tiles.

    Small cores are decoded as they come, side by side with what follows. What may be as large as
    the picture is decoded when that is shown, in its place, so that it takes no memory of its own;
    keeps: unless it is going to be shown more than once.
    """

    #: Whether anything can be decoded in its place.
    _in_place = True

    def __init__(
        self,
        regions: Regions,
        workers: Workers,
        problems: Problems,
        *,
        scale: int = 1,
        window: Window | None = None,
        keeps: bool = False,
    ) -> None:
        metadata = regions.metadata
        self._metadata, self._regions = metadata, regions
        self._workers, self._problems = workers, problems
        self._window = window
        self._in_place = self._in_place and not keeps
        self._scale, self._averaged = (1, scale) if metadata.is_averaged else (scale, 1)
        self._dct: dct.Synthesis | None = None
        self._cores: list[ComingCore] = []
        self._decoded: list[DecodedCore] = []
        self._large: list[LargeCore] = []
        #: Pixels of rectangles around cores that are decoded as they come.
        self._beside = 0
        self._payloads: dict[str, bytes] = {}
        self._alpha: U8 | None = None
        #: What goes over the colours of the DCT, and the classes that it is of; and, where pixels
        #: are kept, what has been decoded of it.
        self._over: list[tuple[bytes, int, int]] = []
        self._kept: dict[int, U8] = {}
        self._classes: U8 | None = None
        #: Whether the residuals of the boundary tier fit what is known.
        self._fits: bool | None = None

    def know(self, regions: Regions) -> None:
        """Take the tiles, too, before anything but cores is added."""
        self._regions, self._classes = regions, None

    @property
    def _class_map(self) -> U8:
        # Without a lock: threads that are done with one picture must not wait for another's.
        if self._classes is None:
            self._classes = self._regions.class_map()
            if self._regions.core_map is not None:
                # It tells the cores as well: the map that it was made of may go.
                self._regions = Regions(self._metadata, self._classes, self._regions.tiles)
        return self._classes

    def wants(self, segment: Segment) -> bool:
        """Whether a segment of pixels would change what is shown."""
        if segment.kind == "core" and self._metadata.shape != "all":
            return self._window is None or overlap(
                self._window, self._regions.core_window(segment.center or 0)
            )
        if self._scale == EIGHTH:
            return segment.kind in ("preview", "core")
        return self._scale == 1 or segment.kind != "boundary"

    def add(self, segment: Segment, payload: bytes | Part) -> None:
        """Take a segment. Raises the errors of its coder, having decoded what could be."""
        meta, kind = self._metadata, segment.kind
        if kind == "preview":
            self._dct = self._synthesis()
            self._dct.read_preview(payload)
        elif segment.coder == "dct":
            if self._dct is not None:
                tier = dct.MID if kind == "mid" else dct.BACKGROUND
                self._dct.read_tier(payload, tier)
        elif not isinstance(payload, bytes):
            raise TypeError(f"the {segment.name} cannot be read in parts")
        elif kind == "alpha":
            alpha = np.full((meta.height, meta.width, 1), 255, np.uint8)
            outside = geometry.outside_cores(self._class_map)
            finish(lossless.start_decoding(payload, alpha, outside, 1, 1, self._workers))
            self._alpha = alpha
        elif kind == "drawn":
            self._over.append((payload, DRAWN, DRAWN))
        elif kind == "mid" and segment.coder == "lossless":
            self._over.append((payload, MID, MID_LAST))
        elif segment.center is not None and meta.shape != "all":
            self._add_core(segment.center, payload)
        else:
            self._payloads[kind] = payload

    def _add_core(self, k: int, payload: bytes) -> None:
        meta = self._metadata
        width, height = self._regions.core_window(k).size
        most = most_beside(meta.width * meta.height)
        if self._in_place and self._beside + width * height > most:
            self._large.append(LargeCore(CORE + k, payload))
            return
        self._beside += width * height
        area = CoreArea.of(self._regions, k)
        self._cores.append(area.start(meta, k, payload, self._workers))

    def _synthesis(self) -> dct.Synthesis:
        return dct.Synthesis(
            self._metadata, self._class_map, self._workers, self._scale, self._window
        )

    def _decode(self, payload: bytes, pixels: Pixels, first: int, last: int) -> None:
        """Decode the pixels of some classes to their places, in the rows that are seen."""
        rows = None if self._window is None else (self._window.top, self._window.bottom)
        finish(
            lossless.start_decoding(
                payload, pixels, self._class_map, first, last, self._workers, rows
            )
        )

    @property
    def _colours(self) -> int:
        return 3 if self._metadata.channels >= 3 else 1

    def show(self) -> Any:
        """The picture, (H, W, C) of its window at its scale; the caller owns it.

        What is not known is mid grey, or what a coarser tier says of it.
        """
        while True:
            try:
                return self._completed(self._put_together())
            except _Spoiled:
                # A damaged file, of which all is wanted that can be had: once more, without it.
                continue

    def _put_together(self) -> Any:
        """The picture, coarse to fine."""
        problems, pixels = self._problems, self._canvas()
        if self._alpha is not None:
            self._put_alpha(self._alpha, pixels)
            if self._shown_once:
                self._alpha = None
        if "mid" in self._payloads:
            self._leave_out(
                partial(self._put_palette, self._payloads["mid"], pixels),
                partial(self._payloads.pop, "mid"),
            )
        for over in list(self._over):
            self._leave_out(
                partial(self._put_over, *over, pixels), partial(self._over.remove, over)
            )
        if "boundary" in self._payloads:
            # Residuals fit the complete reconstruction only, whatever is wrong with the cores.
            if self._fits is None:
                self._fits = not problems.found
            found = len(problems.found)
            if self._fits:
                with problems:
                    self._correct(self._payloads["boundary"], pixels)
                self._fits = len(problems.found) == found
        # The cores go on top: nothing above can change them.
        while self._cores:
            with problems:
                self._decoded.append(self._cores.pop(0).result())
        self._put_cores(self._decoded, pixels)
        return pixels

    def _leave_out(self, put: Callable[[], None], leave: Callable[[], Any]) -> None:
        """Put something into a picture; where it is damaged, and may be missing, leave it out."""
        found = len(self._problems.found)
        with self._problems:
            put()
        if len(self._problems.found) > found:
            leave()
            raise _Spoiled

    # What a picture is made of; `cuda.picture` does the same elsewhere.

    @property
    def _size(self) -> tuple[int, int]:
        """Width and height at the scale."""
        width, height = (-(-n // self._scale) for n in self._metadata.size)
        return width, height

    @property
    def _shown_once(self) -> bool:
        """Whether nothing is needed again: where damage is left out, it may be."""
        return self._in_place and self._problems.strict

    @property
    def _shown(self) -> Window:
        return self._window or Window(0, 0, *self._metadata.size)

    def _canvas(self) -> Any:
        """The picture with what transforms say of it."""
        meta, problems = self._metadata, self._problems
        width, height = self._size
        pixels = np.empty((height, width, meta.channels), _dtype(meta))
        seen = pixels[self._shown.scaled(self._scale).slices]
        rendered = False
        if self._dct is not None:
            with problems:
                self._dct.render(pixels)
                rendered = True
            self._tell(self._dct)
            if self._shown_once:
                self._dct = None
        if not rendered and not (problems.strict and "core" in self._payloads):
            # Nothing is known of these pixels yet.
            seen[...] = meta.max_sample // 2 + 1
        if meta.mode in ("LA", "RGBA"):
            seen[..., -1] = meta.max_sample
        return pixels

    def _tell(self, synthesis: dct.Synthesis) -> None:
        """Raise, or collect, what was damaged of the lossy tiers."""
        for error in synthesis.damaged():
            with self._problems:
                raise error

    def _put_palette(self, payload: bytes, pixels: Any) -> None:
        palette.decode(payload, pixels, self._colours, self._class_map, MID, MID_LAST)

    def _put_over(self, payload: bytes, first: int, last: int, pixels: Any) -> None:
        """Put what is coded as graphics over the pixels of some classes."""
        meta = self._metadata
        if self._in_place and self._colours == meta.channels:
            self._decode(payload, pixels, first, last)
            return
        over = self._kept.get(first)
        if over is None:
            over = np.zeros((meta.height, meta.width, self._colours), np.uint8)
            self._decode(payload, over, first, last)
            if not self._in_place:
                self._kept[first] = over
        self._put(over, first, last, pixels)

    def _put(self, over: U8, first: int, last: int, pixels: Any) -> None:
        """Colours over those of the pixels of some classes."""
        if self._colours == self._metadata.channels:
            _native.paste(over, self._class_map, first, last, 0, 0, pixels)
            return
        for rows in geometry.row_slices(*self._class_map.shape):
            classes = self._class_map[rows]
            own = (classes >= first) & (classes <= last)
            pixels[rows, :, : self._colours][own] = over[rows][own]

    def _correct(self, payload: bytes, pixels: Any) -> None:
        """Add the residuals of the boundary tier."""
        residual.correct(payload, pixels, self._colours, self._class_map)

    def _put_alpha(self, alpha: U8, pixels: Any) -> None:
        pixels[..., -1:] = alpha

    def _put_cores(self, cores: list[DecodedCore], pixels: Any) -> None:
        if self._scale > 1 and self._large:
            self._blend_large(cores, pixels)
        elif self._scale > 1:
            _blend(cores, pixels, self._metadata, self._scale)
        else:
            _paste(cores, pixels)
            for core in list(self._large):
                c = core.pixel_class
                self._leave_out(
                    partial(self._decode, core.payload, pixels, c, c),
                    partial(self._large.remove, core),
                )

    def _blend_large(self, cores: list[DecodedCore], pixels: Any) -> None:
        """`_blend` where cores may be as large as the picture: all in one, then some rows of boxes
        after the other."""
        meta, scale, shown = self._metadata, self._scale, self._shown
        exact = np.empty((meta.height, meta.width, meta.channels), np.uint8)
        _paste(cores, exact)
        known = [core.pixel_class for core in cores]
        for core in self._large:
            c = core.pixel_class
            with self._problems:
                self._decode(core.payload, exact, c, c)
                known.append(c)
        step = max(1, BOXES // self._size[0])
        for first in range(shown.top // scale, -(-shown.bottom // scale), step):
            rows = slice(first * scale, min((first + step) * scale, meta.height))
            counts = np.zeros((-(-(rows.stop - rows.start) // scale), self._size[0]), np.uint32)
            sums = np.zeros((*counts.shape, meta.channels), np.uint32)
            for c in known:
                _native.add_to_boxes(
                    exact[rows],
                    self._class_map[rows],
                    *(c, c, 0, rows.start, scale, 0, first),
                    *(sums, counts),
                )
            _native.blend_boxes(sums, counts, scale, 0, first, *meta.size, pixels)

    def _completed(self, pixels: Any) -> Any:
        """What is left to do for all pixels: those of a file with nothing but a core, means, the
        crop."""
        window, s = self._shown, self._scale
        if "core" in self._payloads:
            self._decode_whole(self._payloads["core"], pixels, window)
        if self._averaged > 1:
            # Nothing else is needed any more, and the result takes memory too.
            self._dct = self._alpha = self._classes = None
            pixels = _native.shrink(pixels, self._averaged)
            s = self._averaged
        if self._window is None:
            return pixels
        return pixels[window.scaled(s).slices].copy()

    def _decode_whole(self, payload: bytes, pixels: Pixels, window: Window) -> None:
        jobs: list[Job[None]] = []
        with self._problems:
            jobs = lossless.start_decoding(
                payload,
                pixels,
                self._class_map,
                CORE,
                CORE,
                self._workers,
                rows=(window.top, window.bottom),
            )
        for job in reversed(jobs):
            with self._problems:
                job.result()


def _paste(cores: list[DecodedCore], pixels: U8) -> None:
    """Put cores into the whole picture."""
    for core in cores:
        left, top, _, _ = core.window
        c = core.pixel_class
        _native.paste(core.pixels, core.class_map, c, c, left, top, pixels)


def overlap(a: Window, b: Window) -> bool:
    """Whether two rectangles share a pixel."""
    return a.left < b.right and b.left < a.right and a.top < b.bottom and b.top < a.bottom


def _dtype(metadata: Metadata) -> "np.dtype[Any]":
    return np.dtype(np.uint8 if metadata.bits == 8 else np.uint16)


def add_up(
    cores: list[DecodedCore], scale: int, channels: int
) -> tuple[NDArray[np.uint32], NDArray[np.uint32], int, int] | None:
    """Sums, (h, w, C), and numbers, (h, w), of exact pixels in boxes of scale x scale, and the
    first box's column and row; None without any."""
    # The angle may leave nothing of a core.
    windows = [c.window.scaled(scale) for c in cores if c.class_map.size]
    if not windows:
        return None
    left, top = (min(w[i] for w in windows) for i in (0, 1))
    right, bottom = (max(w[i] for w in windows) for i in (2, 3))
    counts = np.zeros((bottom - top, right - left), np.uint32)
    sums = np.zeros((*counts.shape, channels), np.uint32)
    for core in cores:
        c = core.pixel_class
        x, y, _, _ = core.window
        _native.add_to_boxes(
            core.pixels, core.class_map, c, c, x, y, scale, left, top, sums, counts
        )
    return sums, counts, left, top


def _blend(cores: list[DecodedCore], pixels: U8, metadata: Metadata, scale: int) -> None:
    """Give boxes of pixels the mean that they have with the exact pixels of the cores in place."""
    boxes = add_up(cores, scale, pixels.shape[2])
    if boxes is not None:
        sums, counts, left, top = boxes
        _native.blend_boxes(sums, counts, scale, left, top, *metadata.size, pixels)
