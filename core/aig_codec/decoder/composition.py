"""A picture that comes together from its segments (format.md, 8): written once, for the reader, for
the encoder that looks at what it has made, and for devices.

Decoders paint in the order of `Kind.z`, from below to the top; the cores come last, whatever
happens, so that nothing can change them.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from .. import geometry
from ..coders import registry
from ..coders.base import Coder, Decoder, Facts, Payload, Pixels, RegionCoder, View
from ..container import Segment
from ..container.kinds import CORE, OF_NAME, Kind, Role
from ..errors import AigError
from ..geometry import Regions, Window
from ..threads import Job, Workers, finish
from .memory import most_beside

#: At this scale the 1/8 image is all that is needed beside the cores.
LF_SCALE = 8


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
    class_map: geometry.U8
    pixel_class: int
    window: Window


class ComingCore(NamedTuple):
    """A core whose bands are being decoded."""

    jobs: Sequence[Job[None]]
    core: DecodedCore

    def result(self) -> DecodedCore:
        """The core, or the error of one of its bands."""
        finish(self.jobs)
        return self.core


class LargeCore(NamedTuple):
    """A core that is decoded in its place."""

    pixel_class: int
    payload: bytes
    coder: RegionCoder


class CoreArea(NamedTuple):
    """Where the core of a focus lies: the rectangle around it, and the classes of its pixels."""

    window: Window
    class_map: geometry.U8

    @classmethod
    def of(cls, regions: Regions[Any], k: int) -> "CoreArea":
        """That of focus k."""
        window = regions.core_window(k)
        return cls(window, regions.cores_in(window))

    def start(
        self, facts: Facts, k: int, payload: bytes, coder: Coder, workers: Workers
    ) -> ComingCore:
        """Begin to decode the core."""
        pixels = np.zeros((*self.class_map.shape, facts.channels), sample_type(facts))
        c = CORE + k
        jobs = _exact(coder).start_decoding(payload, pixels, self.class_map, c, c, workers)
        return ComingCore(jobs, DecodedCore(pixels, self.class_map, c, self.window))


def _exact(coder: Coder) -> RegionCoder:
    if not isinstance(coder, RegionCoder):
        raise TypeError(f"coder {coder.name} carries cores, but is no RegionCoder")
    return coder


def sample_type(facts: Facts) -> "np.dtype[Any]":
    """Type of the samples of a picture."""
    return np.dtype(np.uint8 if facts.bits == 8 else np.uint16)


class PictureView(View):
    """A view whose class map is made when it is asked for."""

    def __init__(
        self,
        regions: Regions[Any],
        workers: Workers,
        *,
        averaged: int = 1,
        class_map: geometry.U8 | None = None,
        **options: Any,
    ) -> None:
        super().__init__(regions.metadata, class_map, workers, **options)
        self.regions, self.averaged = regions, averaged

    def know(self, regions: Regions[Any]) -> None:
        """Take other regions."""
        self.regions, self._class_map = regions, None

    def forget(self) -> None:
        """Let go of the class map."""
        self._class_map = None

    @property
    def class_map(self) -> geometry.U8:
        """Class of every pixel."""
        # Without a lock: threads that are done with one picture must not wait for another's.
        if self._class_map is None:
            self._class_map = self.regions.class_map()
            if self.regions.core_map is not None:
                # It tells the cores as well: the map that it was made of may go.
                own = self.regions
                self.regions = Regions(own.metadata, self._class_map, own.tiles)
        return self._class_map


class Surface:
    """Pixels that a `Composition` paints on, and what it asks of them beyond a coder's `Canvas`.

    `decoder.canvas` has the one on the host, `devices.cuda.canvas` those on devices.
    """

    on_host = True
    in_place = True
    pixels: Any

    def __init__(self, view: PictureView) -> None:
        self.view = view

    def begin(self) -> None:
        """Get new pixels, whose content does not matter."""
        raise NotImplementedError

    def fill(self) -> None:
        """Set all colours to mid grey: nothing is known of them yet."""
        raise NotImplementedError

    def set_opaque(self) -> None:
        """Set all alpha to the largest value."""
        raise NotImplementedError

    def decoder(self, coder: Coder) -> Decoder:
        """A decoder that can paint here."""
        return coder.decoder(self.view)

    def put(self, over: geometry.U8, first: int, last: int) -> None:
        """See `Canvas`."""
        raise NotImplementedError

    def put_alpha(self, alpha: geometry.U8) -> None:
        """See `Canvas`."""
        raise NotImplementedError

    def add(self, residuals: Any) -> None:
        """See `Canvas`."""
        raise NotImplementedError

    def put_cores(self, cores: list[DecodedCore]) -> None:
        """Put cores over everything; at smaller scales, blend their means in."""
        raise NotImplementedError

    def put_large(
        self, cores: list[DecodedCore], large: list[LargeCore], problems: Problems
    ) -> None:
        """At smaller scales, do so where some cores are too large to lie beside the picture."""
        raise NotImplementedError

    def finished(self) -> Any:
        """The picture, cut to the window; the caller owns it."""
        raise NotImplementedError


class _Spoiled(Exception):
    """Something damaged has left traces in a picture, which has to be put together without it."""


class _Layer(NamedTuple):
    """A decoder, and the lowest kind that it has."""

    kind: Kind
    coder: Coder
    decoder: Decoder


class Composition:
    """What is known of a picture: segments are added in the order of the file, and at any time it
    can be looked at.

    scale: 1, 2, 4 or 8; where a coder of the file does not serve it, the picture is painted whole
    and averaged. window: what is wanted of the picture, in its pixels; nothing else is decoded as
    far as that can be helped. regions: with the map of the cores, if they need one, and, once
    anything but cores is added, the tiles. segments: those of the file, whether they are added or
    not. surface: what it is painted on. class_map: that of the regions, where it is known already.

    Small cores are decoded as they come, side by side with what follows. What may be as large as
    the picture is decoded when that is shown, in its place, so that it takes no memory of its own;
    keeps: unless it is going to be shown more than once.
    """

    def __init__(
        self,
        regions: Regions[Any],
        workers: Workers,
        problems: Problems,
        *,
        surface: Callable[[PictureView], Surface],
        segments: Sequence[Segment] = (),
        scale: int = 1,
        window: Window | None = None,
        keeps: bool = False,
        class_map: geometry.U8 | None = None,
    ) -> None:
        facts = regions.metadata
        self._facts, self._workers, self._problems = facts, workers, problems
        direct = registry.paints(facts, segments, scale)
        self._view = PictureView(
            regions,
            workers,
            scale=scale if direct else 1,
            averaged=1 if direct else scale,
            window=window,
            keeps=keeps,
            strict=problems.strict,
            class_map=class_map,
        )
        self._surface = surface(self._view)
        self._layers: list[_Layer] = []
        self._cores: list[ComingCore] = []
        self._decoded: list[DecodedCore] = []
        self._large: list[LargeCore] = []
        #: Pixels of rectangles around cores that are decoded as they come.
        self._beside = 0
        #: The one core of a picture that has nothing else.
        self._whole: LargeCore | None = None
        #: Whether residuals fit what is known.
        self._fits: bool | None = None

    def know(self, regions: Regions[Any]) -> None:
        """Take the tiles, too, before anything but cores is added."""
        self._view.know(regions)

    def wants(self, segment: Segment) -> bool:
        """Whether a segment of pixels would change what is shown."""
        kind, view = OF_NAME.get(segment.kind), self._view
        if kind is None:
            return view.scale < LF_SCALE
        if kind.role is Role.EXACT and self._facts.shape != "all":
            return view.window is None or overlap(
                view.window, view.regions.core_window(segment.center or 0)
            )
        if view.scale == LF_SCALE:
            return kind.role in (Role.LF_IMAGE, Role.EXACT)
        return view.scale == 1 or kind.role is not Role.RESIDUAL

    def add(self, segment: Segment, payload: Payload) -> None:
        """Take a segment. Raises the errors of its coder, having decoded what could be."""
        coder, kind = registry.require(segment), OF_NAME[segment.kind]
        if not isinstance(payload, bytes) and not coder.parts:
            raise TypeError(f"the {segment.name} cannot be read in parts")
        if kind.role is Role.EXACT:
            assert isinstance(payload, bytes)
            if self._facts.shape == "all":
                self._whole = LargeCore(CORE, payload, _exact(coder))
            else:
                self._add_core(segment.center or 0, payload, coder)
            return
        layer = next((one for one in self._layers if coder.joint and one.coder is coder), None)
        if layer is None:
            layer = _Layer(kind, coder, self._surface.decoder(coder))
            if coder.joint:
                # Whatever is wrong with its first segment, others may be of use.
                self._layers.append(layer)
        layer.decoder.add(kind.name, payload)
        if not coder.joint:
            self._layers.append(layer)

    def _add_core(self, k: int, payload: bytes, coder: Coder) -> None:
        regions, facts = self._view.regions, self._facts
        width, height = regions.core_window(k).size
        most = most_beside(facts.width * facts.height)
        if self._surface.in_place and self._beside + width * height > most:
            self._large.append(LargeCore(CORE + k, payload, _exact(coder)))
            return
        self._beside += width * height
        area = CoreArea.of(regions, k)
        self._cores.append(area.start(facts, k, payload, coder, self._workers))

    def show(self) -> Any:
        """The picture, (H, W, C) of its window at its scale; the caller owns it.

        What is not known is mid grey, or what a coarser tier says of it.
        """
        while True:
            try:
                self._paint()
            except _Spoiled:
                # A damaged file, of which all is wanted that can be had: once more, without it.
                continue
            if self._whole is not None:
                self._paint_whole(self._whole)
            if self._view.averaged > 1:
                # Nothing else is needed any more, and the result takes memory too.
                self._layers.clear()
                self._view.forget()
            return self._surface.finished()

    @property
    def _shown_once(self) -> bool:
        """Whether nothing is needed again: where damage is left out, it may be."""
        return self._surface.in_place and self._problems.strict

    def _paint(self) -> None:
        """The picture, coarse to fine."""
        surface, problems = self._surface, self._problems
        surface.begin()
        painted = self._paint_base()
        if not painted and not (problems.strict and self._whole is not None):
            surface.fill()
        if self._facts.channels in (2, 4):
            surface.set_opaque()
        for layer in sorted(self._layers, key=lambda layer: layer.kind.z):
            if layer.kind.role is Role.LF_IMAGE:
                continue
            if layer.kind.role is Role.RESIDUAL:
                self._paint_residual(layer)
                continue
            self._leave_out(
                partial(layer.decoder.paint, surface), partial(self._layers.remove, layer)
            )
            if layer.kind.role is Role.ALPHA and self._shown_once:
                self._layers.remove(layer)
        # The cores go on top: nothing above can change them.
        while self._cores:
            with problems:
                self._decoded.append(self._cores.pop(0).result())
        self._paint_cores()

    def _paint_base(self) -> bool:
        """What everything else is painted over; False without it."""
        base = next((one for one in self._layers if one.kind.role is Role.LF_IMAGE), None)
        if base is None:
            return False
        painted = False
        with self._problems:
            base.decoder.paint(self._surface)
            painted = True
        for error in base.decoder.damaged():
            with self._problems:
                raise error
        if self._shown_once:
            self._layers.remove(base)
        return painted

    def _paint_residual(self, layer: _Layer) -> None:
        # Residuals fit the complete reconstruction only, whatever is wrong with the cores.
        problems = self._problems
        if self._fits is None:
            self._fits = not problems.found
        found = len(problems.found)
        if self._fits:
            with problems:
                layer.decoder.paint(self._surface)
            self._fits = len(problems.found) == found

    def _leave_out(self, put: Callable[[], None], leave: Callable[[], Any]) -> None:
        """Put something into a picture; where it is damaged, and may be missing, leave it out."""
        found = len(self._problems.found)
        with self._problems:
            put()
        if len(self._problems.found) > found:
            leave()
            raise _Spoiled

    def _paint_cores(self) -> None:
        surface, large = self._surface, self._large
        if self._view.scale > 1 and large:
            surface.put_large(self._decoded, large, self._problems)
            return
        surface.put_cores(self._decoded)
        for core in list(large):
            self._leave_out(partial(self._decode_in_place, core), partial(large.remove, core))

    def _decode_in_place(self, core: LargeCore) -> None:
        view, c = self._view, core.pixel_class
        finish(
            core.coder.start_decoding(
                core.payload,
                self._surface.pixels,
                view.class_map,
                *(c, c),
                view.workers,
                view.rows,
            )
        )

    def _paint_whole(self, core: LargeCore) -> None:
        """The one core of a picture that has nothing else, of damaged ones all sound bands."""
        view, c = self._view, core.pixel_class
        top, bottom = view.rows or (0, self._facts.height)
        jobs: Sequence[Job[None]] = ()
        with self._problems:
            jobs = core.coder.start_decoding(
                core.payload,
                self._surface.pixels,
                view.class_map,
                c,
                c,
                view.workers,
                (top, bottom),
            )
        for job in reversed(jobs):
            with self._problems:
                job.result()


def overlap(a: Window, b: Window) -> bool:
    """Whether two rectangles share a pixel."""
    return a.left < b.right and b.left < a.right and a.top < b.bottom and b.top < a.bottom
