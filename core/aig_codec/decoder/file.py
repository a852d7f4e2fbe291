"""Lazy reading: header and metadata first, then only the segments that an answer needs."""

import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from operator import index
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import _native, geometry, limits
from ..coders import dct, labels
from ..coders.lossless import Pixels
from ..coders.substreams import Part
from ..container import (
    HEADER_SIZE,
    KINDS,
    FrameTable,
    Header,
    Metadata,
    Prologue,
    Segment,
    inherits,
    picture_length,
    read_prologue,
    read_table,
    read_text,
)
from ..container.decisions import Decision, unpack
from ..errors import AigError, CorruptError, LimitError, TruncatedError
from ..geometry import CORE, Regions, Window
from ..io.sources import Chunks, Slice, Source, Stream, is_stream, open_source
from ..threads import Workers, default_threads
from . import memory, notebook
from .canvas import EIGHTH, CoreArea, Picture, Problems
from .notebook import Core as Core

U8 = NDArray[np.uint8]

#: What `decode(upto=)` may ask for, with the segment kinds that each adds.
TIERS = {
    "core": ("map", "core"),
    "preview": ("tiles", "preview"),
    "mid": ("alpha", "drawn", "mid"),
    "full": ("background", "boundary"),
}
SCALES = (1, 2, 4, 8)

#: Segments that say which pixels others hold.
_MAPS = {"map", "tiles"}

#: Size of the first read; header and metadata fit unless the table of contents is unusual. What it
#: has of the first core is not read again, so that core costs at most so much more than it is long.
FIRST_READ = 2048

#: Of maps of the cores, those of so many pixels are kept, larger ones decoded when they are needed.
_KEPT_PIXELS = 2**22

#: Of what can only be read on, nothing is asked for that may never come.
_CAUTIOUS_READ = HEADER_SIZE + 4


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
            head, prologue = _read_head(self._source)
        except BaseException:
            self.close()
            raise
        self.header: Header = prologue.header
        self.metadata: Metadata = prologue.metadata
        self._data_start = prologue.data_start
        self._core_map: U8 | None = None
        self._tiles: U8 | None = None
        #: What has been read behind the metadata.
        self._ahead = head[prologue.data_start :]

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

    def regions(self) -> Regions:
        """Which tier and which focus every pixel belongs to."""
        limits.charge(memory.of_map(self.metadata), f"the regions of {_size(self.metadata)}")
        return self._regions()

    def preview(self) -> Pixels:
        """The image at 1/8 scale, (ceil(H / 8), ceil(W / 8)[, C]), reading only that segment.

        Files without a preview, which are lossless ones, are decoded and averaged.
        """
        segment = self._find("preview")
        if segment is None:
            return self.decode(scale=EIGHTH)
        segment.require_known()
        needed = memory.of_preview(self.metadata, segment.length)
        limits.charge(needed, f"the 1/8 image of {_size(self.metadata)}")
        with Workers(1) as workers:
            class_map = self._regions().class_map()
            picture = dct.Synthesis(self.metadata, class_map, workers, EIGHTH)
            picture.read_preview(self._payload(segment))
            width, height = (-(-n // EIGHTH) for n in self.size)
            pixels = np.full((height, width, self.metadata.channels), 255, np.uint8)
            picture.render(pixels)
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
        make: Callable[..., Picture] = Picture
        if device != "cpu":
            from ..devices import gpu

            make = gpu.pictures(device)
        return self._shaped(
            self.assemble(make, upto, scale, region=region, threads=threads, strict=strict)
        )

    def assemble(
        self,
        make: Callable[..., Picture],
        upto: str = "full",
        scale: int = 1,
        *,
        region: Sequence[int] | None = None,
        threads: int | None = None,
        strict: bool = True,
    ) -> Any:
        """What `show` gives of a picture that `make` makes, with all that `decode` would put in."""
        if upto not in TIERS:
            raise ValueError(f"upto {upto!r} is not known; one of {', '.join(TIERS)} is")
        if scale not in SCALES:
            raise ValueError(f"scale {scale!r} is not one of {SCALES}")
        window = None if region is None else self._window_of(region, scale)
        tiers = list(TIERS)
        kinds = {kind for tier in tiers[: tiers.index(upto) + 1] for kind in TIERS[tier]}
        if upto == "full":
            kinds |= {s.kind for s in self.segments if s.kind not in KINDS}
        problems = Problems(strict)
        on_device = make is not Picture
        self._charge(kinds, threads, scale=scale, window=window, strict=strict, keeps=on_device)
        with Workers(threads) as workers, self._reading_on(set() if window else kinds):
            regions, kinds = self._regions_for(kinds, problems)
            picture = make(regions, workers, problems, scale=scale, window=window)
            del regions  # the picture lets go of what it no longer needs
            wanted = [s for s in self.segments if s.kind in kinds and picture.wants(s)]
            for segment, payload in self._payloads(wanted, problems, in_parts=window is not None):
                with problems:
                    picture.add(segment, payload)
            pixels = picture.show()
        self.problems = problems.found
        return pixels

    def stages(self, *, threads: int | None = None) -> Iterator[tuple[str, Pixels]]:
        """The image as it becomes better: a stage and all that is known by then, stage by stage.

        The stages are "core", "preview", "mid" and "full", without those that add nothing. Each
        reads its own segments only, so that a file that is still arriving can be looked at. Raises
        what `decode` does, having given the stages before.
        """
        problems = Problems(strict=True)
        self._charge({s.kind for s in self.segments if s.kind in KINDS}, threads, keeps=True)
        with Workers(threads) as workers:
            picture = Picture(self._regions(tiles=False), workers, problems, keeps=True)
            for tier, kinds in TIERS.items():
                own = [s for s in self.segments if s.kind in kinds]
                if any(s.kind == "tiles" for s in own):
                    picture.know(self._regions())
                own = [s for s in own if s.kind not in _MAPS]
                if tier == "full":
                    own += [s for s in self.segments if s.kind not in KINDS]
                if not own:
                    continue
                for segment, payload in self._payloads(own, problems):
                    picture.add(segment, payload)
                # A file of one exact core has no more to come.
                last = "full" if self.metadata.shape == "all" or own[-1] == self._last else tier
                yield last, self._shaped(picture.show())

    def verify(self) -> None:
        """Check every segment's presence, coder and checksum, of all frames, without decoding
        pixels. Raises the first of `damage`."""
        for _, error in self.damage():
            raise error

    def damage(self) -> Iterator[tuple[int, AigError]]:
        """Everything that `verify` objects to: the number of the frame, and what is wrong."""
        for segment in self.segments:
            try:
                segment.require_known()
                self._payload(segment)
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

    def _regions(self, *, tiles: bool = True) -> Regions:
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

    @contextmanager
    def _reading_on(self, kinds: set[str]) -> Iterator[None]:
        """Have what is wanted from the first segment on, read in one go, for as long as this lasts:
        where maps must be known before the rest can be decoded, that spares requests."""
        before = self._ahead
        if kinds & {s.kind for s in self.segments} & _MAPS:
            ends = [0]
            for s in self.segments:
                if s.kind not in kinds:
                    break
                ends.append(s.end)
            self._ahead = self._read(0, ends[-1])
        try:
            yield
        finally:
            self._ahead = before

    def _labels(self, kind: str, height: int, width: int, count: int) -> U8:
        segment = self._find(kind)
        assert segment is not None  # the metadata was checked for it
        segment.require_known()
        return labels.decode(self._payload(segment), height, width, count)

    def _regions_for(self, kinds: set[str], problems: Problems) -> tuple[Regions, set[str]]:
        """The regions, and those of the kinds of segments that can be decoded with what is known
        of them."""
        only_cores = kinds <= set(TIERS["core"])
        with problems:
            return self._regions(tiles=not only_cores), kinds - _MAPS
        # Where the tiles cannot be read, the cores still can.
        with Problems(strict=False):
            return self._regions(tiles=False), {"core"}
        return Regions(self.metadata), set()

    def _cores(self, wanted: Sequence[int]) -> list[Core]:
        problems, meta = Problems(strict=True), self.metadata
        found = []
        if meta.shape == "map":
            limits.charge(memory.of_map(meta), f"the map of the cores of {_size(meta)}")
        with Workers(1) as workers:
            of_cores = [s for s in self.segments if s.kind == "core"]
            segments = [of_cores[k] for k in wanted]
            regions = self._regions(tiles=False)
            windows = [regions.core_window(k) for k in wanted]
            needed = memory.of_cores(meta, windows, sum(s.length for s in segments))
            limits.charge(needed, f"{len(windows)} of the cores of {_size(meta)}")
            areas = [CoreArea.of(regions, k) for k in wanted]
            del regions  # it may hold a map as large as the picture
            payloads = self._payloads(segments, problems)
            for k, area, (_, payload) in zip(wanted, areas, payloads, strict=True):
                assert isinstance(payload, bytes)
                core = area.start(meta, k, payload, workers).result()
                # Nobody needs the classes any more: the mask takes their place.
                own = core.class_map
                mask = np.equal(own, CORE + k, out=own.view(np.bool_))
                found.append(Core(self._shaped(core.pixels), mask, *core.window[:2]))
        return found

    @property
    def _last(self) -> Segment:
        return [s for s in self.segments if s.coder != "raw"][-1]

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
        segment.require_known()
        return self._payload(segment)

    def _payload(self, segment: Segment) -> bytes:
        """A segment's bytes, checked against its checksum."""
        return self._checked(segment, self._read(segment.offset, segment.length), None)

    def _payloads(
        self, segments: Sequence[Segment], problems: Problems, *, in_parts: bool = False
    ) -> Iterator[tuple[Segment, bytes | Part]]:
        """Segments and their bytes, those that lie side by side read in one go.

        in_parts: those of the DCT coder, which consist of parts with checksums of their own, are
        not read, but can be.
        """
        rows = list(segments)
        while rows:
            run = [rows.pop(0)]
            if in_parts and run[0].coder == "dct":
                with problems:
                    run[0].require_known()
                    yield run[0], Part(partial(self._read_of, run[0]), run[0].length)
                continue
            while (
                rows and rows[0].offset == run[-1].end and not (in_parts and rows[0].coder == "dct")
            ):
                run.append(rows.pop(0))
            start = run[0].offset
            data = self._read(start, run[-1].end - start)
            for segment in run:
                with problems:
                    segment.require_known()
                    own = data[segment.offset - start : segment.end - start]
                    yield segment, self._checked(segment, own, problems)

    def _read(self, offset: int, length: int) -> bytes:
        """Bytes behind the metadata; fewer where the file ends."""
        data = self._ahead[offset : offset + length]
        if len(data) < length:
            rest = length - len(data)
            data += self._source.read(self._data_start + offset + len(data), rest)
        return data

    def _read_of(self, segment: Segment, offset: int, length: int) -> bytes:
        return self._read(segment.offset + offset, min(length, segment.length - offset))

    def _checked(self, segment: Segment, data: bytes, problems: Problems | None) -> bytes:
        """The bytes of a segment, if they are all there and as they were written.

        Those of the DCT coder consist of parts with checksums of their own: if `problems` may
        hold what is wrong, the bytes pass all the same.
        """
        error: AigError | None = None
        if len(data) < segment.length:
            error = TruncatedError(
                f"file ends inside the {segment.name}: {len(data)} of {segment.length} bytes"
            )
            error.needed = self._data_start + segment.end
        elif zlib.crc32(data) != segment.crc32:
            error = CorruptError(f"checksum of the {segment.name} does not match")
        if error is not None:
            if problems is None or problems.strict or segment.coder != "dct":
                raise error
            problems.found.append(error)
        return data


def _size(metadata: Metadata) -> str:
    return f"a picture of {metadata.width} x {metadata.height} pixels"


def _read_head(source: Source) -> tuple[bytes, Prologue]:
    """The first bytes of a file, and what they say."""
    head = source.read(0, _CAUTIOUS_READ if isinstance(source, Stream) else FIRST_READ)
    while True:
        try:
            return head, read_prologue(head)
        except TruncatedError as error:
            rest = error.needed - len(head)
            more = source.read(len(head), rest) if rest > 0 else b""
            if not more:
                raise
            head += more


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
