"""What Pillow opens: `AigImageFile`, and the decoder that fills its pixels.

Everything of `aig_codec` is imported inside functions, so that registering stays cheap; opening a
file needs its container only, and loading the pixels needs NumPy and the native code.
"""

import zlib
from os import SEEK_END
from typing import IO, TYPE_CHECKING, Any, NamedTuple, cast

from PIL import Image, ImageFile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from aig_codec.container import FrameTable, Metadata, Prologue, Segment

MAGIC = b"AIG2"

#: Size of the first read; header and metadata fit unless the table of contents is unusual.
_FIRST_READ = 2048

#: The scales of `draft`.
_SCALES = (8, 4, 2)

#: Where `Image.info` keeps the segments that are not pixels.
_INFO_KEYS = {
    "icc": "icc_profile",
    "exif": "exif",
    "xmp": "xmp",
    "text": "text",
    "decisions": "decisions",
}

#: What `info` holds of the current frame, and of no other.
_OF_FRAME = ("aig", "dpi", "comment", *_INFO_KEYS.values())


def accept(prefix: bytes) -> bool:
    """Whether a file that starts with `prefix` is AIG."""
    return prefix.startswith(MAGIC)


class _Plan(NamedTuple):
    """What the decoder has to know about the file.

    length: of all that is needed, header to last segment. ends: where each segment does, and its
    name. steps: (bytes needed, tier) in file order. late: the keys that `info` still lacks because
    their segments were not there on opening. scale: 1, or what `draft` settled on.
    """

    length: int
    ends: tuple[tuple[int, str], ...]
    steps: tuple[tuple[int, str], ...]
    late: tuple[str, ...]
    info: dict[str | tuple[int, int], Any]
    scale: int = 1


class AigImageFile(ImageFile.ImageFile):
    """An AIG file in Pillow.

    Grey of 16 bits per sample has mode I;16. With colour or alpha Pillow has no such mode: LA, RGB
    and RGBA are opened with the higher 8 bits, as in its PNG; `aig_codec.decode` gives all 16.

    `info` holds "aig" (centers, radii, labels, sigmas, alphas, quality_level and more, see
    `aig_codec.AigFile.info`) and, where the file has them, "dpi", "exif", "icc_profile", "xmp",
    "text", a dict, and "comment", one entry of it; in files of several frames also "duration" in
    milliseconds and "loop". All but "loop" is the current frame's; where that says nothing of its
    own, dpi, EXIF, profile, XMP and text are those of the first one. Opening reads the header, the
    metadata and those that are not part of it; the pixels wait for `load`, which raises OSError for
    a file that is cut or damaged. With `ImageFile.LOAD_TRUNCATED_IMAGES` it keeps whatever is
    intact instead: the foci first.
    """

    format = "AIG"
    format_description = "AIG focus-first image"

    # What an image has that comes from elsewhere than a file, such as a pickle.
    n_frames = 1
    is_animated = False
    _frame = 0
    _table: "FrameTable | None" = None

    def _open(self) -> None:
        assert self.fp is not None
        self._base = self.fp.tell()
        prologue = self._open_picture(0)
        self._first = prologue.metadata
        self._first_info = {key: self.info[key] for key in _OF_FRAME if key in self.info}
        frames = prologue.metadata.frames
        self.n_frames = 1 if frames is None else frames.count
        self.is_animated = self.n_frames > 1
        if frames is not None:
            if frames.loop is not None:
                self.info["loop"] = frames.loop
            # Later frames need the file after the first one has been loaded, when Pillow forgets
            # it; what is called _fp is closed with the image.
            self._close_exclusive_fp_after_loading = False
            self._fp = self.fp
            self._read_table(prologue)

    def _open_picture(self, offset: int) -> "Prologue":
        """Get ready to load the picture that starts there; nothing changes if that fails."""
        assert self.fp is not None
        start = self._base + offset
        self.fp.seek(start)
        prologue = _read_prologue(self.fp)
        metadata = prologue.metadata
        _check_size(metadata.size)
        if offset and metadata.frames is not None:
            from aig_codec.errors import CorruptError

            raise CorruptError("a frame claims to have frames of its own")
        info: dict[str, Any] = {"aig": metadata.info()}
        if metadata.dpi is not None:
            info["dpi"] = metadata.dpi
        late = _read_ancillary(self.fp, start + prologue.data_start, metadata, info)
        if offset:
            self._inherit(metadata, info)

        self._start, self._metadata = start, metadata
        self._size = metadata.size
        self._mode = "I;16" if (metadata.mode, metadata.bits) == ("L", 16) else metadata.mode
        for key in _OF_FRAME:
            self.info.pop(key, None)
        self.info.update(info)
        # What getexif() has made of the EXIF of another frame.
        self._exif = None
        end = metadata.segments[-1].end if metadata.segments else 0
        small = end
        if not metadata.is_averaged and not late:
            from aig_codec.container.kinds import SMALLEST

            small = max(s.end for s in metadata.segments if s.kind in SMALLEST)
        self._small_length = prologue.data_start + small
        self._plan = _Plan(
            length=prologue.data_start + end,
            ends=tuple((prologue.data_start + s.end, s.name) for s in metadata.segments),
            steps=_steps(metadata, prologue.data_start),
            late=late,
            info=self.info,
        )
        self._set_tile()
        return prologue

    def _inherit(self, metadata: "Metadata", info: dict[str, Any]) -> None:
        """Add what the first frame says for the whole file."""
        from aig_codec.container import inherits

        for kind, key in {"dpi": "dpi", **_INFO_KEYS}.items():
            if inherits(kind, metadata, self._first):
                # Of text, "comment" is one.
                for name in (key, "comment") if key == "text" else (key,):
                    if name in self._first_info:
                        info[name] = self._first_info[name]

    def _read_table(self, prologue: "Prologue") -> None:
        """Where the frames lie; a file that is cut before it says so has its first one."""
        from aig_codec.container import read_table
        from aig_codec.errors import AigError

        assert self.fp is not None
        segment = next(s for s in prologue.metadata.segments if s.kind == "frames")
        self.fp.seek(self._base + prologue.data_start + segment.offset)
        data = self.fp.read(_allowed_length(segment))
        if len(data) < segment.length:
            return
        try:
            _check(segment, data)
            self._table = read_table(data, prologue)
        except AigError:
            if not ImageFile.LOAD_TRUNCATED_IMAGES:
                raise
        else:
            self.info["duration"] = self._table.durations[0]

    def seek(self, frame: int) -> None:
        """Go to a frame, 0..n_frames - 1; nothing but its metadata is read.

        Raises EOFError beyond the last one, and OSError if the file ends before the frame.
        """
        if not self._seek_check(frame):
            return
        from aig_codec.container import HEADER_SIZE
        from aig_codec.errors import CorruptError, TruncatedError

        if self._table is None:
            raise TruncatedError("file ends before its frame table")
        self.fp = cast("IO[bytes]", self._fp)
        offset = self._table.offsets[frame]
        try:
            self._open_picture(offset)
        except SyntaxError as error:
            if self.fp.seek(0, SEEK_END) < self._base + offset + HEADER_SIZE:
                raise TruncatedError(f"file ends before frame {frame}") from error
            raise CorruptError(f"frame {frame} cannot be read: {error}") from error
        self.info["duration"] = self._table.durations[frame]
        self._frame = frame
        # What was loaded belongs to another frame, which may be of another size or mode.
        self._im = None

    def tell(self) -> int:
        """The number of the current frame."""
        return self._frame

    def _set_tile(self) -> None:
        # Pillow before version 11 has plain tuples.
        tile = getattr(ImageFile, "_Tile", lambda *fields: fields)
        self.tile = [tile(AigDecoder.name, (0, 0, *self.size), self._start, (self._plan,))]

    def draft(
        self, mode: str | None, size: tuple[int, int] | None
    ) -> tuple[str, tuple[int, int, float, float]] | None:
        """Load the image at 1/2, 1/4 or 1/8 of its size, the smallest that is at least `size`.

        `Image.thumbnail` calls this. The mode stays. Returns it with the box of the image in pixels
        of the smaller one, or None if the image has been loaded or drafted before.
        """
        if not self.tile or self._plan.scale > 1:
            return None
        scale = 1
        for s in _SCALES if size is not None else ():
            if all(own // s >= asked for own, asked in zip(self.size, size or (), strict=True)):
                scale = s
                break
        width, height = self.size
        if scale > 1:
            length = self._small_length if scale == _SCALES[0] else self._plan.length
            self._plan = self._plan._replace(scale=scale, length=length, steps=())
            self._size = -(-width // scale), -(-height // scale)
            self._set_tile()
        return self.mode, (0, 0, width / scale, height / scale)

    def load(self) -> Any:
        """Decode the pixels, if that has not happened yet; see `PIL.Image.Image.load`."""
        if self.tile:
            self._charge()
            # Nobody can look before load() is through, so pictures in between would be wasted.
            self.decoderconfig = (_WHOLE,)
        try:
            return super().load()
        except OSError as error:
            if not str(error).startswith(_TRUNCATED):
                raise
            raise self._truncated() from error

    def _truncated(self) -> OSError:
        """What Pillow says of files that are cut, and where this one is."""
        from aig_codec.errors import TruncatedError

        assert self.fp is not None
        length = self.fp.seek(0, SEEK_END) - self._start
        inside = next((name for end, name in self._plan.ends if end > length), "file")
        needed = self._plan.length
        error = TruncatedError(
            f"{_TRUNCATED}: it ends inside the {inside}, after {length} of {needed} bytes"
        )
        error.needed = needed
        return error

    def _charge(self) -> None:
        """Raise `LimitError` unless decoding may take its memory, beside Pillow's own image."""
        from aig_codec import default_threads, limits

        if limits.max_memory is None:
            return
        from aig_codec.decoder import memory

        metadata, strict = self._metadata, not ImageFile.LOAD_TRUNCATED_IMAGES
        kinds = {s.kind for s in metadata.segments}
        needed = memory.of_picture(
            metadata, kinds, default_threads(), scale=self._plan.scale, strict=strict
        )
        # Pillow has 4 bytes for a pixel of any mode of several channels.
        width, height = self.size
        needed += width * height * {"L": 1, "I;16": 2}.get(self.mode, 4)
        limits.charge(needed, f"loading a picture of {width} x {height} pixels")

    def verify(self) -> None:
        """Check every segment's presence, coder and checksum, of all frames, without decoding
        pixels.

        Raises OSError for a damaged file. Like every Pillow image, this one has to be opened
        again afterwards; RuntimeError says that it has been loaded or verified before.
        """
        if self.fp is None:
            raise RuntimeError("verify must be called directly after open")
        import aig_codec

        try:
            self.fp.seek(self._base)
            with aig_codec.open(self.fp) as file:
                file.verify()
        finally:
            super().verify()


def _read_ancillary(
    fp: IO[bytes], data_start: int, metadata: "Metadata", info: dict[str, Any]
) -> tuple[str, ...]:
    """Put EXIF, ICC profile and XMP into `info`; return the keys of those not there yet."""
    from aig_codec.errors import AigError

    late = []
    for segment in metadata.segments:
        key = _INFO_KEYS.get(segment.kind)
        if key is None:
            continue
        fp.seek(data_start + segment.offset)
        data = fp.read(_allowed_length(segment))
        if len(data) < segment.length:
            # Cut, or still arriving: a matter for load(), the size can be looked at anyway.
            late.append(key)
            continue
        try:
            _check(segment, data)
        except AigError:
            if not ImageFile.LOAD_TRUNCATED_IMAGES:
                raise
        else:
            _put(info, key, data)
    return tuple(late)


#: How Pillow's message about files that are cut begins.
_TRUNCATED = "image file is truncated"

#: In `decoderconfig`: the file is read in one go, without anyone looking in between.
_WHOLE = "whole"


class AigDecoder(ImageFile.PyDecoder):
    """Collects the bytes of a file as Pillow feeds them and sets the pixels.

    `ImageFile.load` gets one decoding, when all bytes are there. `ImageFile.Parser`, whose
    unfinished image can be looked at, also gets the picture so far whenever the cores, the preview
    or the mid tier have arrived: at most three times, so the work stays linear in the bytes.
    """

    name = "aig"
    _pulls_fd = False

    def init(self, args: tuple[Any, ...]) -> None:
        """args: the `_Plan`, and `_WHOLE` if `ImageFile.load` is reading."""
        super().init(args)
        self._plan: _Plan = args[0]
        self._whole = _WHOLE in args[1:]
        self._data = bytearray()
        self._shown = 0
        self._done = False

    def decode(self, buffer: Any) -> tuple[int, int]:
        """Take the next bytes; (-1, 0) when the image is complete.

        Raises the errors of `aig_codec.errors`, which are OSError, for a damaged file: unlike an
        error code they say what is wrong, and keep Pillow from taking the image for a loaded one.
        """
        self._data += buffer
        if len(self._data) >= self._plan.length:
            self._finish()
            return -1, 0
        if not self._whole:
            self._show_progress()
        return len(buffer), 0

    def cleanup(self) -> None:
        """Called when `ImageFile.load` ends: keep what a truncated file has, where that is wanted.

        Pillow stops feeding without a word when the file ends, so this is the last occasion.
        """
        cut = not self._done and len(self._data) < self._plan.length
        if self._whole and cut and ImageFile.LOAD_TRUNCATED_IMAGES:
            self._set(upto="full", strict=False)

    def _finish(self) -> None:
        import aig_codec

        strict = not ImageFile.LOAD_TRUNCATED_IMAGES
        self._set(upto="full", strict=strict)
        if self._plan.late:
            with aig_codec.open(self._data) as file:
                for key in self._plan.late:
                    try:
                        _put(self._plan.info, key, getattr(file, key))
                    except aig_codec.AigError:
                        if strict:
                            raise
        self._done = True
        self._data.clear()

    def _show_progress(self) -> None:
        arrived = [step for step in self._plan.steps if self._shown < step[0] <= len(self._data)]
        if arrived:
            self._shown, tier = arrived[-1]
            # Damage is reported by the decoding that counts, the last one.
            self._set(upto=tier, strict=False)

    def _set(self, upto: str, strict: bool) -> None:
        import aig_codec

        pixels = aig_codec.decode(self._data, upto=upto, scale=self._plan.scale, strict=strict)
        self.set_as_raw(_raw(pixels))


def _raw(pixels: "NDArray[Any]") -> Any:
    """The samples as the modes of `AigImageFile` hold them, as a buffer: no copy of them."""
    if pixels.itemsize > 1 and pixels.ndim == 2:
        # I;16 has little-endian samples on any machine.
        pixels = pixels.astype("<u2", copy=False)
    elif pixels.itemsize > 1:
        pixels >>= 8
        pixels = pixels.astype("u1")
    return pixels.data.cast("B")


def _read_prologue(fp: IO[bytes]) -> "Prologue":
    """Header and metadata. SyntaxError, which lets Pillow try other formats, if it is not AIG."""
    from aig_codec.container import HEADER_SIZE, read_prologue
    from aig_codec.errors import NotAigError, TruncatedError

    head = fp.read(_FIRST_READ)
    if not accept(head) or len(head) < HEADER_SIZE:
        raise SyntaxError("not an AIG file")
    try:
        return read_prologue(head)
    except TruncatedError as error:
        if len(head) < _FIRST_READ:
            raise
        # limits.max_metadata was checked before this length was named.
        head += fp.read(error.needed - len(head))
        return read_prologue(head)
    except NotAigError as error:
        raise SyntaxError(str(error)) from error


def _check_size(size: tuple[int, int]) -> None:
    """Raise `Image.DecompressionBombError` before anything of that size is allocated.

    Image.open checks too, and gives the warning of half this size, but only after `_open`; and
    its own function for this has the parameter to leave that warning out only lately.
    """
    pixels = size[0] * size[1]
    if Image.MAX_IMAGE_PIXELS is not None and pixels > 2 * Image.MAX_IMAGE_PIXELS:
        raise Image.DecompressionBombError(
            f"image of {size[0]} x {size[1]} = {pixels} pixels exceeds the limit of "
            f"{2 * Image.MAX_IMAGE_PIXELS}: could be a decompression bomb"
        )


def _steps(metadata: "Metadata", data_start: int) -> tuple[tuple[int, str], ...]:
    """How many bytes of the file each intermediate picture needs."""
    from aig_codec.container.kinds import ADDED_AT, STAGES

    steps = []
    for tier in STAGES[:-1]:
        kinds = ADDED_AT[tier]
        ends = [s.end for s in metadata.segments if s.kind in kinds]
        if ends:
            steps.append((data_start + max(ends), tier))
    return tuple(steps)


def _put(info: dict[Any, Any], key: str, value: Any) -> None:
    """Let `info` have the content of a segment; of text, also the comment by itself. Decisions are
    about the foci, and stand with them."""
    if key == "decisions":
        from aig_codec.container.decisions import unpack

        told = unpack(value) if isinstance(value, bytes) else value
        info["aig"]["decisions"] = [decision.to_json() for decision in told]
        return
    if key == "text":
        from aig_codec.container import read_text

        value = read_text(value) if isinstance(value, bytes) else value
        if "comment" in value:
            info["comment"] = value["comment"]
    info[key] = value


def _allowed_length(segment: "Segment") -> int:
    from aig_codec import LimitError, limits

    if segment.length > limits.max_ancillary:
        raise LimitError(f"{segment.kind} of {segment.length} bytes exceeds limits.max_ancillary")
    return segment.length


def _check(segment: "Segment", data: bytes) -> None:
    """Refuse a segment that is not stored as it is, or not as it was."""
    from aig_codec import CorruptError

    segment.require_stored()
    if zlib.crc32(data) != segment.crc32:
        raise CorruptError(f"checksum of the {segment.name} does not match")
