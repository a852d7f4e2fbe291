"""Lazy reading: header and metadata first, then only the segments that an answer needs."""

import io
import os
import zlib
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import _native, geometry, limits
from .coders import boundary, dct, lossless, palette
from .coders.lossless import Pixels
from .container import KINDS, Header, Metadata, Segment, read_prologue
from .errors import AigError, CorruptError, LimitError, TruncatedError
from .geometry import CORE, MID, MID_LAST, Window
from .threads import Job, Workers, finish

U8 = NDArray[np.uint8]

#: What `decode(upto=)` may ask for, with the segment kinds that each adds.
TIERS = {
    "core": ("core",),
    "preview": ("preview",),
    "mid": ("alpha", "mid"),
    "full": ("background", "boundary"),
}
SCALES = (1, 2, 4, 8)

#: Size of the first read; header and metadata fit unless the table of contents is unusual.
FIRST_READ = 4096


class Core(NamedTuple):
    """One focus, exact: a rectangle of pixels and which of them belong to the core.

    pixels: uint8 or uint16 (h, w, C), or (h, w) for grey, zero outside the mask. mask: bool
    (h, w). left, top: position of the rectangle in the image.
    """

    pixels: Pixels
    mask: NDArray[np.bool_]
    left: int
    top: int


class _Source:
    """Random access to bytes, a path or a binary file object, counting what is read."""

    def __init__(self, source: Any) -> None:
        self.bytes_read = 0
        self._owned = False
        self._file: BinaryIO
        self._start = 0
        if isinstance(source, (bytes, bytearray, memoryview)):
            self._file = io.BytesIO(source)
        elif isinstance(source, (str, os.PathLike)):
            self._file = io.open(source, "rb")  # noqa: SIM115, UP020  open() here is ours
            self._owned = True
        elif hasattr(source, "read"):
            seekable = getattr(source, "seekable", None)
            if seekable is not None and seekable():
                self._file = source
                self._start = source.tell()
            else:
                # Without seeking, all that comes is all there is.
                self._file = io.BytesIO(source.read())
        else:
            raise TypeError(
                f"expected a path, bytes or a binary file object, not {type(source).__name__}"
            )

    def read(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes from `offset`; fewer only at the end of the file."""
        self._file.seek(self._start + offset)
        parts = []
        while length > 0:
            # In pieces: a file's claim must not decide how much is allocated.
            part = self._file.read(min(length, 2**20))
            if not part:
                break
            parts.append(part)
            length -= len(part)
        data = b"".join(parts)
        self.bytes_read += len(data)
        return data

    def close(self) -> None:
        if self._owned:
            self._file.close()


class AigFile:
    """An open AIG file. Use `aig_codec.open`; works as a context manager.

    header, metadata: as stored. problems: what `strict=False` calls had to leave out.
    """

    def __init__(self, source: Any) -> None:
        self._source = _Source(source)
        self.problems: list[AigError] = []
        try:
            head = self._source.read(0, FIRST_READ)
            try:
                prologue = read_prologue(head)
            except TruncatedError as error:
                if error.needed <= len(head) or len(head) < FIRST_READ:
                    raise
                head += self._source.read(len(head), error.needed - len(head))
                prologue = read_prologue(head)
        except BaseException:
            self.close()
            raise
        self.header: Header = prologue.header
        self.metadata: Metadata = prologue.metadata
        self._data_start = prologue.data_start
        #: The part of the first read that lies behind the metadata.
        self._ahead = head[prologue.data_start :]

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

    def info(self) -> dict[str, Any]:
        """What Pillow shows as ``.info["aig"]``."""
        return self.metadata.info()

    def bytes_for(self, tier: str) -> int:
        """Bytes of a tier's segments: a segment kind such as "core", or "full" for all of them."""
        if tier != "full" and tier not in KINDS:
            raise ValueError(f"tier {tier!r} is not known; {', '.join(KINDS)} and full are")
        return sum(s.length for s in self.segments if tier in (s.kind, "full"))

    @property
    def exif(self) -> bytes | None:
        """The EXIF block, if there is one."""
        return self._ancillary("exif")

    @property
    def icc_profile(self) -> bytes | None:
        """The ICC colour profile, if there is one."""
        return self._ancillary("icc")

    @property
    def xmp(self) -> bytes | None:
        """The XMP packet, if there is one."""
        return self._ancillary("xmp")

    # Pixels

    def core(self, k: int = 0) -> Core:
        """The core of focus k, reading its segment alone."""
        if not 0 <= k < self.metadata.cores:
            raise ValueError(f"there is no core {k}; the file has {self.metadata.cores}")
        segment = self.segments[k]  # cores come first, in order
        segment.require_known()
        with Workers(1) as workers:
            core = self._start_core(self._payload(segment), k, workers).result()
        pixels = core.pixels[..., 0] if self.mode == "L" else core.pixels
        return Core(pixels, core.class_map == CORE + k, core.window.left, core.window.top)

    def cores(self) -> list[Core]:
        """The cores of all foci."""
        return [self.core(k) for k in range(self.metadata.cores)]

    def preview(self) -> Pixels:
        """The image at 1/8 scale, (ceil(H / 8), ceil(W / 8)[, C]), reading only that segment.

        Files without a preview, which are lossless ones, are decoded and averaged.
        """
        segment = self._find("preview")
        if segment is None:
            return shrink(self.decode(), 8)
        segment.require_known()
        with Workers(1) as workers:
            picture = dct.Synthesis(self.metadata, geometry.class_map(self.metadata), workers)
            picture.read_preview(self._payload(segment))
        width, height = (-(-n // 8) for n in self.size)
        pixels = np.full((height, width, self.metadata.channels), 255, np.uint8)
        picture.preview(pixels)
        return pixels[..., 0] if self.mode == "L" else pixels

    def decode(
        self,
        upto: str = "full",
        scale: int = 1,
        *,
        threads: int | None = None,
        strict: bool = True,
    ) -> Pixels:
        """Decode the image, or as much of it as `upto` asks for.

        upto: "core" (the rest is mid grey), "preview" (cores and a smooth enlargement of the 1/8
        image), "mid" or "full". scale: 1, 2, 4 or 8, averaging boxes of the result. strict=False
        leaves out segments that are missing, damaged or unknown and lists them in `problems`.

        Returns an array of `dtype`, (H, W) for grey, else (H, W, C); the caller owns it. Raises
        the kinds of `aig_codec.errors`. Bytes alone decide the pixels, not the number of threads.
        """
        if upto not in TIERS:
            raise ValueError(f"upto {upto!r} is not known; one of {', '.join(TIERS)} is")
        if scale not in SCALES:
            raise ValueError(f"scale {scale!r} is not one of {SCALES}")
        tiers = list(TIERS)
        kinds = {kind for tier in tiers[: tiers.index(upto) + 1] for kind in TIERS[tier]}
        if upto == "full":
            kinds |= {s.kind for s in self.segments if s.kind not in KINDS}
        pixels = self._decode(kinds, threads, strict)
        image = pixels[..., 0] if self.mode == "L" else pixels
        return image if scale == 1 else shrink(image, scale)

    def verify(self) -> None:
        """Check every segment's presence, coder and checksum without decoding pixels."""
        for segment in self.segments:
            segment.require_known()
            self._payload(segment)

    def close(self) -> None:
        """Close the file if `open` opened it."""
        self._source.close()

    def __enter__(self) -> "AigFile":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    # How it is done

    def _decode(self, kinds: set[str], threads: int | None, strict: bool) -> Pixels:
        """The passes of the decoder, coarse to fine, each over the result of the one before."""
        meta = self.metadata
        problems = _Problems(strict)
        class_map = geometry.class_map(meta)
        pixels = np.empty((meta.height, meta.width, meta.channels), self.dtype)
        colours = 3 if meta.channels >= 3 else 1

        with Workers(threads) as workers:
            cores = []
            payloads: dict[str, bytes] = {}
            for segment in self.segments:
                if segment.kind not in kinds:
                    continue
                with problems:
                    segment.require_known()
                    payload = self._payload(segment, problems)
                    if segment.center is None:
                        payloads[segment.kind] = payload
                    elif meta.shape != "all":
                        cores.append(self._start_core(payload, segment.center, workers))
                    else:
                        payloads["all"] = payload
            drawn = False
            if "preview" in payloads:
                with problems:
                    self._render(pixels, class_map, payloads, problems, workers)
                    drawn = True
            if not drawn and not (strict and "all" in payloads):
                # Nothing is known of these pixels yet.
                pixels[...] = meta.max_sample // 2 + 1
            if self.mode in ("LA", "RGBA"):
                pixels[..., -1] = meta.max_sample
            if meta.mid == "palette" and "mid" in payloads:
                with problems:
                    palette.decode(payloads["mid"], pixels, colours, class_map, MID, MID_LAST)
            if "boundary" in payloads and not problems.found:
                # Residuals fit the complete reconstruction only.
                with problems:
                    band = boundary.band(class_map)
                    boundary.decode(payloads["boundary"], pixels, colours, band)
            if "alpha" in payloads:
                with problems:
                    alpha = np.full((meta.height, meta.width, 1), 255, np.uint8)
                    outside = geometry.outside_cores(class_map)
                    finish(
                        lossless.start_decoding(payloads["alpha"], alpha, outside, 1, 1, workers)
                    )
                    pixels[..., -1:] = alpha
            # The cores go on top: nothing above can change them.
            for core in cores:
                with problems:
                    core.result().paste(pixels)
            jobs: list[Job[None]] = []
            if "all" in payloads:
                with problems:
                    jobs = lossless.start_decoding(
                        payloads["all"], pixels, class_map, CORE, CORE, workers
                    )
                for job in reversed(jobs):
                    with problems:
                        job.result()
        self.problems = problems.found
        return pixels

    def _render(
        self,
        pixels: U8,
        class_map: U8,
        payloads: dict[str, bytes],
        problems: "_Problems",
        workers: Workers,
    ) -> None:
        """Preview, mid and background as far as they are there, by the DCT coder."""
        picture = dct.Synthesis(self.metadata, class_map, workers)
        with problems:
            picture.read_preview(payloads["preview"])
        if self.metadata.mid == "dct" and "mid" in payloads:
            with problems:
                picture.read_tier(payloads["mid"], dct.MID)
        if "background" in payloads:
            with problems:
                picture.read_tier(payloads["background"], dct.BACKGROUND)
        picture.render(pixels)

    def _start_core(self, payload: bytes, k: int, workers: Workers) -> "_ComingCore":
        window = geometry.core_window(self.metadata, k)
        class_map = geometry.class_map(self.metadata, window)
        pixels = np.zeros((*class_map.shape, self.metadata.channels), self.dtype)
        c = CORE + k
        bands = lossless.start_decoding(payload, pixels, class_map, c, c, workers)
        return _ComingCore(bands, _DecodedCore(pixels, class_map, c, window))

    def _find(self, kind: str, center: int | None = None) -> Segment | None:
        return next((s for s in self.segments if (s.kind, s.center) == (kind, center)), None)

    def _ancillary(self, kind: str) -> bytes | None:
        segment = self._find(kind)
        if segment is None:
            return None
        if segment.length > limits.max_ancillary:
            raise LimitError(f"{kind} of {segment.length} bytes exceeds limits.max_ancillary")
        segment.require_known()
        return self._payload(segment)

    def _payload(self, segment: Segment, problems: "_Problems | None" = None) -> bytes:
        """A segment's bytes, checked against its checksum.

        Those of the DCT coder consist of parts with checksums of their own: if `problems` may
        hold what is wrong, the bytes come all the same.
        """
        if segment.end <= len(self._ahead):
            data = self._ahead[segment.offset : segment.end]
        else:
            data = self._source.read(self._data_start + segment.offset, segment.length)
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


class _DecodedCore(NamedTuple):
    """A core's pixels (h, w, C), where they lie, and which of them count."""

    pixels: Pixels
    class_map: U8
    pixel_class: int
    window: Window

    def paste(self, image: U8) -> None:
        """Put the core's pixels, and no others, into the image."""
        c = self.pixel_class
        left, top, _, _ = self.window
        _native.paste(self.pixels, self.class_map, c, c, left, top, image)


class _ComingCore(NamedTuple):
    """A core whose bands are being decoded."""

    bands: list[Job[None]]
    core: _DecodedCore

    def result(self) -> _DecodedCore:
        finish(self.bands)
        return self.core


class _Problems:
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
        self.found.append(error)
        return True


def shrink(image: Pixels, scale: int) -> Pixels:
    """Mean over boxes of scale x scale pixels, rounded half up; the last boxes may be cut.

    image: uint8 or uint16 (H, W[, C]). Returns (ceil(H / scale), ceil(W / scale)[, C]) of its type.
    """
    sums = image.astype(np.uint32)
    counts = np.ones(image.shape[:2], np.uint32)
    for axis in (0, 1):
        starts = np.arange(0, image.shape[axis], scale)
        sums = np.add.reduceat(sums, starts, axis)
        counts = np.add.reduceat(counts, starts, axis)
    counts = counts.reshape(counts.shape + (1,) * (image.ndim - 2))
    return ((sums + counts // 2) // counts).astype(image.dtype)


def open(source: Any) -> AigFile:
    """Open an AIG file, reading header and metadata only.

    source: path, bytes-like object or binary file object (read from where it stands). Raises
    `NotAigError`, `TruncatedError`, `CorruptError`, `UnsupportedError` or `LimitError`.
    """
    return AigFile(source)


def decode(
    data: Any,
    *,
    upto: str = "full",
    scale: int = 1,
    threads: int | None = None,
    strict: bool = True,
) -> Pixels:
    """Decode an AIG file to (H, W) or (H, W, C); see `AigFile.decode`."""
    with open(data) as file:
        return file.decode(upto, scale, threads=threads, strict=strict)
