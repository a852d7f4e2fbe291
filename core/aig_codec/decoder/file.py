"""Lazy reading: header and metadata first, then only the segments that an answer needs."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from operator import index
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import _native, geometry, limits
from ..coders import registry
from ..coders.base import MapCoder, Pixels
from ..container import (
    FrameTable,
    Header,
    Metadata,
    Prologue,
    Segment,
    inherits,
    picture_length,
    read_table,
    read_text,
)
from ..container.decisions import Decision, unpack
from ..container.kinds import (
    ADDED_AT,
    ANCILLARY,
    CORE,
    KINDS,
    MAPS,
    NEEDED_FOR,
    OF_NAME,
    STAGES,
    Role,
    named,
)
from ..errors import AigError, CorruptError, LimitError, MissingCoderWarning, UnsupportedError
from ..geometry import Regions, Window
from ..io.sources import Chunks, Slice, Source, is_stream, open_source
from ..threads import Workers, default_threads
from . import memory, notebook
from .canvas import HostSurface
from .composition import (
    LF_SCALE,
    Composition,
    CoreArea,
    PictureView,
    Problems,
    Surface,
)
from .notebook import Core as Core
from .segments import SegmentReader, read_head

U8 = NDArray[np.uint8]

SCALES = (1, 2, 4, 8)

#: Of maps of the cores, those of so many pixels are kept, larger ones decoded when they are needed.
_KEPT_PIXELS = 2**22

#: What makes surfaces on devices, by the beginning of their names: modules above this one, which
#: are loaded when somebody names such a device.
_DEVICES = {"cuda": "aig_codec.devices.gpu"}

_CORES = named(Role.EXACT)


class AigFile:
    """An open AIG file. Use `aig_codec.open`; works as a context manager.

    header, metadata: as stored. problems: what `strict=False` calls had to leave out.
    """

    def __init__(self, source: Any) -> None:
        self._source: Source = source if isinstance(source, Slice) else open_source(source)
        self._table: FrameTable | None = None
        #: The first frame of the file that this is another one of.
        self._first: AigFile | None = None
        self.problems: list[AigError] = []
        try:
            head, prologue = read_head(self._source)
        except BaseException:
            self.close()
            raise
        self.header: Header = prologue.header
        self.metadata: Metadata = prologue.metadata
        self._data_start = prologue.data_start
        self._core_map: U8 | None = None
        self._tiles: U8 | None = None
        self._reader = SegmentReader(self._source, head, prologue)

    def __repr__(self) -> str:
        return notebook.words_of(self)

    def _repr_png_(self) -> bytes | None:
        return notebook.png_of(self)

    # What the metadata says

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.metadata.size

    @property
    def mode(self) -> str:
        """Pillow's name of the pixel format: L, LA, RGB or RGBA."""
        return self.metadata.mode

    @property
    def bits(self) -> int:
        """Bits per sample, 8 or 16."""
        return self.metadata.bits

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the samples: uint8, or uint16 for those of 16 bits."""
        return np.dtype(np.uint8 if self.bits == 8 else np.uint16)

    @property
    def centers(self) -> list[tuple[int, int]]:
        """Focus centers (x, y)."""
        return [(f.x, f.y) for f in self.metadata.foci]

    @property
    def segments(self) -> tuple[Segment, ...]:
        """The table of contents."""
        return self.metadata.segments

    @property
    def data_start(self) -> int:
        """Offset of the first segment in the file; `Segment.offset` counts from here."""
        return self._data_start

    @property
    def bytes_read(self) -> int:
        """How many bytes have been read from the source so far."""
        return self._source.bytes_read

    @property
    def requests(self) -> int:
        """How many times the source has been asked for bytes so far."""
        return self._source.requests

    def info(self) -> dict[str, Any]:
        """What Pillow shows as ``.info["aig"]``."""
        return self.metadata.info()

    def bytes_for(self, tier: str) -> int:
        """Bytes of a tier's segments: a segment kind such as "core", or "full" for all of them."""
        if tier != "full" and tier not in KINDS:
            raise ValueError(f"tier {tier!r} is not known; {', '.join(KINDS)} and full are")
        return sum(s.length for s in self.segments if tier in (s.kind, "full"))

    # Of what belongs to the file, a frame has what it says itself, else what the first one says.

    @property
    def dpi(self) -> tuple[float, float] | None:
        """Pixels per inch, (horizontal, vertical), if the file says so."""
        return self._who_says("dpi").metadata.dpi

    @property
    def exif(self) -> bytes | None:
        """The EXIF block, if there is one."""
        return self._who_says("exif")._ancillary("exif")

    @property
    def icc_profile(self) -> bytes | None:
        """The ICC colour profile, if there is one."""
        return self._who_says("icc")._ancillary("icc")

    @property
    def xmp(self) -> bytes | None:
        """The XMP packet, if there is one."""
        return self._who_says("xmp")._ancillary("xmp")

    @property
    def text(self) -> dict[str, str]:
        """What the file says in words, by keyword; "comment" is the usual one."""
        data = self._who_says("text")._ancillary("text")
        return {} if data is None else read_text(data)

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """What the encoder chose and why, if the file tells."""
        data = self._ancillary("decisions")
        return () if data is None else unpack(data)

    # Frames

    @property
    def n_frames(self) -> int:
        """How many frames the file has; everything else here is of the first one."""
        return 1 if self.metadata.frames is None else self.metadata.frames.count

    @property
    def loop(self) -> int | None:
        """How often the frames are meant to be shown: 0 for ever, None if the file does not say."""
        return None if self.metadata.frames is None else self.metadata.frames.loop

    @property
    def durations(self) -> tuple[int, ...]:
        """How long each frame is shown in milliseconds; 0 if the file does not say."""
        return self.frame_table.durations

    def frame(self, k: int) -> "AigFile":
        """Frame k, 0..n_frames - 1, as a file of its own that reads through this one.

        Costs the frame table once and the frame's own first read. dpi, exif, icc_profile, xmp and
        text are its own, or else those of the first frame. Raises EOFError for another k.
        """
        if not 0 <= k < self.n_frames:
            raise EOFError(f"there is no frame {k}; the file has {self.n_frames}")
        file = AigFile(Slice(self._source, self.frame_table.offsets[k]))
        if k and file.metadata.frames is not None:
            raise CorruptError(f"frame {k} claims to have frames of its own")
        file._first = self
        return file

    @property
    def frame_table(self) -> FrameTable:
        """Where the frames lie, and how long each is shown."""
        if self._table is None:
            prologue = Prologue(self.header, self.metadata, self._data_start)
            data = self._ancillary("frames")
            if data is None:
                self._table = FrameTable((0,), (0,), picture_length(prologue))
            else:
                self._table = read_table(data, prologue)
        return self._table

    # Pixels

    def core(self, k: int = 0) -> Core:
        """The core of focus k, reading its segment alone."""
        if not 0 <= k < self.metadata.cores:
            raise ValueError(f"there is no core {k}; the file has {self.metadata.cores}")
        return self._cores([k])[0]

    def cores(self) -> list[Core]:
        """The cores of all foci, whose segments lie side by side and are read in one go."""
        return self._cores(range(self.metadata.cores))

    def core_mask(self) -> NDArray[np.bool_]:
        """Which pixels are exact, bool (H, W), reading no more than that takes."""
        limits.charge(memory.of_map(self.metadata), f"the mask of {_size(self.metadata)}")
        return self._regions(tiles=False).core_mask()

    def regions(self) -> Regions[Metadata]:
        """Which tier and which focus every pixel belongs to."""
        limits.charge(memory.of_map(self.metadata), f"the regions of {_size(self.metadata)}")
        return self._regions()

    def preview(self) -> Pixels:
        """The image at 1/8 scale, (ceil(H / 8), ceil(W / 8)[, C]), reading only that segment.

        Files without a preview, which are lossless ones, are decoded and averaged.
        """
        segment = self._find("preview")
        if segment is None:
            return self.decode(scale=LF_SCALE)
        coder = registry.require(segment, self.metadata.coders)
        needed = memory.of_preview(self.metadata, segment.length)
        limits.charge(needed, f"the 1/8 image of {_size(self.metadata)}")
        with Workers(1) as workers:
            surface = HostSurface(PictureView(self._regions(), workers, scale=LF_SCALE))
            decoder = surface.decoder(coder)
            decoder.add(segment.kind, self._reader.payload(segment))
            surface.begin()
            decoder.paint(surface)
            if self.metadata.channels in (2, 4):
                surface.set_opaque()
            pixels = surface.finished()
        return self._shaped(pixels)

    def decode(
        self,
        upto: str = "full",
        scale: int = 1,
        *,
        region: Sequence[int] | None = None,
        threads: int | None = None,
        strict: bool = True,
        device: str = "cpu",
    ) -> Pixels:
        """Decode the image, or as much of it as `upto`, `scale` and `region` ask for.

        upto: "core" (the rest is mid grey), "preview" (cores and a smooth enlargement of the 1/8
        image), "mid" or "full".

        scale: 1, 2, 4 or 8; smaller pictures come straight from coefficients, without filters (at
        8, from the lowest alone), close to the means over boxes of scale x scale pixels, which
        those of exact pixels are.

        region: (left, top, right, bottom) in pixels of the whole image, the latter two exclusive;
        only what it needs is read and decoded, and the result is the crop of what would come
        without it (at a smaller scale, all boxes that hold a pixel of it).

        strict=False leaves out segments that are missing, damaged or unknown and lists them in
        `problems`.

        device: "cpu", or "cuda" or "cuda:1", whose result is a CuPy array there.

        Returns an array of `dtype`, (H, W) for grey, else (H, W, C), with H and W divided by scale
        and rounded up; the caller owns it. Raises the kinds of `aig_codec.errors`, and ValueError
        for what cannot be asked for. Bytes alone decide the pixels, neither the number of threads
        nor the device.
        """
        surface: Callable[[PictureView], Surface] = HostSurface
        if device != "cpu":
            surface = import_module(_module_of(device)).surfaces(device)
        return self._shaped(
            self.compose(surface, upto, scale, region=region, threads=threads, strict=strict)
        )

    def compose(
        self,
        surface: Callable[[PictureView], Surface],
        upto: str = "full",
        scale: int = 1,
        *,
        region: Sequence[int] | None = None,
        threads: int | None = None,
        strict: bool = True,
    ) -> Any:
        """The picture as a surface gives it, with all that `decode` would paint on it."""
        if upto not in STAGES:
            raise ValueError(f"upto {upto!r} is not known; one of {', '.join(STAGES)} is")
        if scale not in SCALES:
            raise ValueError(f"scale {scale!r} is not one of {SCALES}")
        window = None if region is None else self._window_of(region, scale)
        kinds = set(NEEDED_FOR[upto])
        if upto == STAGES[-1]:
            kinds |= self._unknown_kinds
        problems = Problems(strict)
        keeps = surface is not HostSurface
        self._charge(kinds, threads, scale=scale, window=window, strict=strict, keeps=keeps)
        with Workers(threads) as workers, self._reader.reading_on(set() if window else kinds):
            regions, kinds = self._regions_for(kinds, problems)
            picture = Composition(
                regions,
                workers,
                problems,
                surface=surface,
                segments=self.segments,
                scale=scale,
                window=window,
            )
            del regions  # the picture lets go of what it no longer needs
            wanted = [s for s in self.segments if s.kind in kinds and picture.wants(s)]
            wanted = self._without_optional(wanted, problems)
            for segment, payload in self._reader.payloads(
                wanted, problems, in_parts=window is not None
            ):
                with problems:
                    picture.add(segment, payload)
            pixels = picture.show()
        self.problems = problems.found
        return pixels

    @property
    def _unknown_kinds(self) -> set[str]:
        return {s.kind for s in self.segments if s.kind not in KINDS}

    def _without_optional(self, wanted: list[Segment], problems: Problems) -> list[Segment]:
        """The segments without those whose coder is missing here, if the file says that cores and
        preview are good enough; the caller is warned."""
        declared = {c.name: c for c in self.metadata.coders}
        if not declared:
            return wanted
        rest = []
        for segment in wanted:
            own = declared.get(segment.coder)
            if own is None or not registry.is_missing(segment):
                rest.append(segment)
                continue
            missing = UnsupportedError(
                f"coder {own.name} version {segment.version} is needed for the {segment.name}: "
                f"{own.get}"
            )
            exact = OF_NAME[segment.kind].role is Role.EXACT
            if problems.strict and (exact or not own.optional):
                raise missing
            warnings.warn(f"{missing}; without it, this is a preview", MissingCoderWarning, 4)
            problems.found.append(missing)
        return rest

    def stages(self, *, threads: int | None = None) -> Iterator[tuple[str, Pixels]]:
        """The image as it becomes better: a stage and all that is known by then, stage by stage.

        The stages are "core", "preview", "mid" and "full", without those that add nothing. Each
        reads its own segments only, so that a file that is still arriving can be looked at. Raises
        what `decode` does, having given the stages before.
        """
        problems = Problems(strict=True)
        self._charge({s.kind for s in self.segments if s.kind in KINDS}, threads, keeps=True)
        with Workers(threads) as workers:
            picture = Composition(
                self._regions(tiles=False),
                workers,
                problems,
                surface=HostSurface,
                segments=self.segments,
                keeps=True,
            )
            for stage, kinds in ADDED_AT.items():
                own = [s for s in self.segments if s.kind in kinds]
                if stage != STAGES[0] and any(s.kind in MAPS for s in own):
                    picture.know(self._regions())
                own = [s for s in own if s.kind not in MAPS]
                if stage == STAGES[-1]:
                    own += [s for s in self.segments if s.kind not in KINDS]
                if not own:
                    continue
                for segment, payload in self._reader.payloads(
                    self._without_optional(own, problems), problems
                ):
                    picture.add(segment, payload)
                # A file of one exact core has no more to come.
                complete = self.metadata.shape == "all" or own[-1] == self._last
                yield (STAGES[-1] if complete else stage), self._shaped(picture.show())

    def verify(self) -> None:
        """Check every segment's presence, coder and checksum, of all frames, without decoding
        pixels. Raises the first of `damage`."""
        for _, error in self.damage():
            raise error

    def damage(self) -> Iterator[tuple[int, AigError]]:
        """Everything that `verify` objects to: the number of the frame, and what is wrong."""
        for segment in self.segments:
            try:
                registry.require(segment, self.metadata.coders)
                self._reader.payload(segment)
            except AigError as error:
                yield 0, error
        for k in range(1, self.n_frames):
            try:
                frame = self.frame(k)
            except AigError as error:
                yield k, error
                if self._table is None:  # nor would any other frame be found
                    return
            else:
                yield from ((k, error) for _, error in frame.damage())

    def close(self) -> None:
        """Close the file if `open` opened it."""
        self._source.close()

    def __enter__(self) -> "AigFile":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    # How it is done

    def _charge(self, kinds: set[str], threads: int | None, **how: Any) -> None:
        """Raise `LimitError` unless a picture may be decoded."""
        if limits.max_memory is None:
            return
        needed = memory.of_picture(self.metadata, kinds, threads or default_threads(), **how)
        limits.charge(needed, f"decoding {_size(self.metadata)}")

    def _regions(self, *, tiles: bool = True) -> Regions[Metadata]:
        """The regions, with what the file says of them beyond the metadata."""
        meta = self.metadata
        core_map = self._core_map
        if meta.shape == "map" and core_map is None:
            core_map = self._labels("map", meta.height, meta.width, len(meta.foci))
            if core_map.size <= _KEPT_PIXELS:
                self._core_map = core_map
        if tiles and meta.has("tiles") and self._tiles is None:
            self._tiles = self._labels("tiles", *geometry.tiles_of(meta.height, meta.width), 1)
        return Regions(meta, core_map, self._tiles if tiles else None)

    def _labels(self, kind: str, height: int, width: int, count: int) -> U8:
        segment = self._find(kind)
        assert segment is not None  # the metadata was checked for it
        coder = registry.require(segment, self.metadata.coders)
        assert isinstance(coder, MapCoder)  # no others carry maps
        return coder.decode_map(self._reader.payload(segment), height, width, count)

    def _regions_for(
        self, kinds: set[str], problems: Problems
    ) -> tuple[Regions[Metadata], set[str]]:
        """The regions, and those of the kinds of segments that can be decoded with what is known
        of them."""
        only_cores = kinds <= NEEDED_FOR[STAGES[0]]
        with problems:
            return self._regions(tiles=not only_cores), kinds - MAPS
        # Where the tiles cannot be read, the cores still can.
        with Problems(strict=False):
            return self._regions(tiles=False), set(_CORES)
        return Regions(self.metadata), set()

    def _cores(self, wanted: Sequence[int]) -> list[Core]:
        problems, meta = Problems(strict=True), self.metadata
        found = []
        if meta.shape == "map":
            limits.charge(memory.of_map(meta), f"the map of the cores of {_size(meta)}")
        with Workers(1) as workers:
            of_cores = [s for s in self.segments if s.kind in _CORES]
            segments = [of_cores[k] for k in wanted]
            regions = self._regions(tiles=False)
            windows = [regions.core_window(k) for k in wanted]
            needed = memory.of_cores(meta, windows, sum(s.length for s in segments))
            limits.charge(needed, f"{len(windows)} of the cores of {_size(meta)}")
            areas = [CoreArea.of(regions, k) for k in wanted]
            del regions  # it may hold a map as large as the picture
            payloads = self._reader.payloads(segments, problems)
            for k, area, (segment, payload) in zip(wanted, areas, payloads, strict=True):
                assert isinstance(payload, bytes)
                coder = registry.require(segment, meta.coders)
                core = area.start(meta, k, payload, coder, workers).result()
                # Nobody needs the classes any more: the mask takes their place.
                own = core.class_map
                mask = np.equal(own, CORE + k, out=own.view(np.bool_))
                found.append(Core(self._shaped(core.pixels), mask, *core.window[:2]))
        return found

    @property
    def _last(self) -> Segment:
        return [s for s in self.segments if s.kind not in ANCILLARY][-1]

    def _shaped(self, pixels: Pixels) -> Pixels:
        return pixels[..., 0] if self.mode == "L" else pixels

    def _window_of(self, region: Sequence[int], scale: int) -> Window:
        """The boxes that a region touches, in pixels."""
        width, height = self.size
        try:
            left, top, right, bottom = (index(n) for n in region)
        except (TypeError, ValueError) as error:
            raise ValueError(f"region {region!r} is not (left, top, right, bottom)") from error
        if not (0 <= left < right <= width and 0 <= top < bottom <= height):
            raise ValueError(f"region {region!r} is empty or not inside {width} x {height} pixels")
        boxes = Window(left, top, right, bottom).scaled(scale)
        return Window(*(n * scale for n in boxes)).grown(0, width, height)

    def _find(self, kind: str, center: int | None = None) -> Segment | None:
        return next((s for s in self.segments if (s.kind, s.center) == (kind, center)), None)

    def _who_says(self, what: str) -> "AigFile":
        """The frame that says something for this one: itself or the first."""
        first = self._first
        if first is not None and inherits(what, self.metadata, first.metadata):
            return first
        return self

    def _ancillary(self, kind: str) -> bytes | None:
        segment = self._find(kind)
        if segment is None:
            return None
        if segment.length > limits.max_ancillary:
            raise LimitError(f"{kind} of {segment.length} bytes exceeds limits.max_ancillary")
        segment.require_stored()
        return self._reader.payload(segment)


def _size(metadata: Metadata) -> str:
    return f"a picture of {metadata.width} x {metadata.height} pixels"


def _module_of(device: str) -> str:
    """Who makes surfaces on a device; for names that are not known too, which it refuses."""
    return _DEVICES.get(str(device).partition(":")[0], _DEVICES["cuda"])


def shrink(image: Pixels, scale: int) -> Pixels:
    """Mean over boxes of scale x scale pixels, rounded half up; the last boxes may be cut.

    image: uint8 or uint16 (H, W[, C]). Returns (ceil(H / scale), ceil(W / scale)[, C]) of its type.
    """
    return _native.shrink(np.ascontiguousarray(image), scale)


def open(source: Any) -> AigFile:
    """Open an AIG file, reading header and metadata only.

    source: path, bytes or any other buffer, binary file object (read from where it stands; one that
    cannot seek is read no further than needed), or a URL: http and https, or whatever fsspec knows.
    The first read is of 2048 bytes; one more has the focus. Raises `NotAigError`, `TruncatedError`,
    `CorruptError`, `UnsupportedError` or `LimitError`.
    """
    return AigFile(source)


def decode(
    data: Any,
    *,
    upto: str = "full",
    scale: int = 1,
    region: Sequence[int] | None = None,
    frame: int = 0,
    threads: int | None = None,
    strict: bool = True,
    device: str = "cpu",
) -> Pixels:
    """Decode an AIG file to (H, W) or (H, W, C); see `AigFile.decode`, and `AigFile.frame` for
    `frame`."""
    with open(data) as file:
        own = file.frame(frame) if frame else file
        return own.decode(upto, scale, region=region, threads=threads, strict=strict, device=device)


def progressive(stream: Any, *, threads: int | None = None) -> Iterator[tuple[str, Pixels]]:
    """Look at a file while it arrives: (stage, image), better with every stage.

    stream: whatever `open` takes, or an iterable of bytes. Stages and errors are those of
    `AigFile.stages`; an image is there as soon as its bytes are.
    """
    if not hasattr(stream, "read") and is_stream(stream):
        stream = Chunks(stream)
    with open(stream) as file:
        yield from file.stages(threads=threads)
