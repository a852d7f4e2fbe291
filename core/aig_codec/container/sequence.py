"""Files of several pictures: each one whole, one behind the other (format.md, 4.1)."""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import replace
from operator import index
from typing import Any, NamedTuple

from .. import limits
from ..buffers import as_bytes
from ..errors import CorruptError, TruncatedError
from .metadata import MAX_FRAMES, Frames, Metadata, Prologue, pack_prologue, read_prologue
from .toc import RAW, Segment

#: Longest time in milliseconds that a frame may be shown.
MAX_DURATION = 2**32 - 1

#: Largest number of times that the frames are to be shown.
MAX_LOOP = 2**16 - 1

#: What belongs to the file: dpi, and kinds of segments.
OF_FILE = ("dpi", "icc", "exif", "xmp", "text")

#: The modes without colour.
_GREY = ("L", "LA")

_ROW = struct.Struct(">QI")


class FrameTable(NamedTuple):
    """Where the frames of a file lie, and how long each is shown.

    offsets: from the start of the first frame, of all frames. durations: milliseconds, 0 if not
    said. end: where the last frame ends.
    """

    offsets: tuple[int, ...]
    durations: tuple[int, ...]
    end: int


def inherits(what: str, own: Metadata, first: Metadata) -> bool:
    """Whether the first frame says something for another one.

    what: "dpi" or a kind of segment. own, first: the frames' metadata. Of what belongs to the file,
    a frame has what it says itself, or else what the first one says; but no ICC profile of colour
    if it is grey, nor the other way round, as a profile is for one of the two.
    """
    if what not in OF_FILE:
        return False
    if own.dpi is not None if what == "dpi" else own.has(what):
        return False
    return what != "icc" or (own.mode in _GREY) == (first.mode in _GREY)


def read_table(data: bytes, prologue: Prologue) -> FrameTable:
    """The frame table of a file from the bytes of its segment "frames"."""
    frames = prologue.metadata.frames
    assert frames is not None
    if len(data) != frames.count * _ROW.size:
        raise CorruptError(f"frame table of {len(data)} bytes for {frames.count} frames")
    offsets: list[int] = []
    durations: list[int] = []
    end = 0
    for length, duration in _ROW.iter_unpack(data):
        if length >= 2**40 or (length > 0) != bool(offsets):
            raise CorruptError(f"frame {len(offsets)} claims {length} bytes")
        offsets.append(end)
        durations.append(duration)
        end += length or picture_length(prologue)
    return FrameTable(tuple(offsets), tuple(durations), end)


def picture_length(prologue: Prologue) -> int:
    """Bytes of one picture, from its magic to the end of its last segment."""
    segments = prologue.metadata.segments
    return prologue.data_start + (segments[-1].end if segments else 0)


def join(pictures: Sequence[bytes], durations: Sequence[int], loop: int | None = None) -> bytes:
    """One file of several, in order, without decoding any.

    pictures: AIG files of one picture each, as bytes or other buffers. What the first one has of
    EXIF, ICC profile, XMP, dpi and text holds for those that have none (`inherits`). durations:
    milliseconds of each, 0..2^32 - 1. loop: how often to show them, 0 for ever, 1..65535, None if
    that is not said.

    Raises ValueError, TypeError for what is no whole number or no bytes, and the kinds of
    `aig_codec.errors` for what is not an AIG file.
    """
    if not 1 <= len(pictures) <= MAX_FRAMES:
        raise ValueError(f"{len(pictures)} frames; a file holds 1 to {MAX_FRAMES}")
    if len(durations) != len(pictures):
        raise ValueError(f"{len(durations)} durations for {len(pictures)} frames")
    durations = [index(duration) for duration in durations]
    loop = None if loop is None else index(loop)
    if any(not 0 <= d <= MAX_DURATION for d in durations):
        raise ValueError(f"durations must be 0..{MAX_DURATION} milliseconds")
    if loop is not None and not 0 <= loop <= MAX_LOOP:
        raise ValueError(f"loop must be 0..{MAX_LOOP}, not {loop}")
    own = [_alone(picture) for picture in pictures]
    if len(own) == 1:
        return own[0][1]
    lengths = [0, *(len(picture) for _, picture in own[1:])]
    table = b"".join(_ROW.pack(*row) for row in zip(lengths, durations, strict=True))
    if len(table) > limits.max_ancillary:
        raise ValueError(f"a frame table of {len(table)} bytes exceeds limits.max_ancillary")
    prologue, first = own[0]
    before = prologue.metadata.segments
    end = before[-1].end if before else 0
    row = Segment("frames", None, end, len(table), *RAW, zlib.crc32(table))
    metadata = replace(prologue.metadata, frames=Frames(len(own), loop), segments=(*before, row))
    rest = [picture for _, picture in own[1:]]
    return b"".join([pack_prologue(metadata), first[prologue.data_start :], table, *rest])


def _alone(buffer: Any) -> tuple[Prologue, bytes]:
    """A file of one picture, without what may lie behind it."""
    picture = as_bytes(buffer)
    if picture is None:
        raise TypeError(f"frames are bytes of AIG files, not {type(buffer).__name__}")
    prologue = read_prologue(picture)
    if prologue.metadata.frames is not None:
        raise ValueError("a file of several frames cannot become a frame of another")
    length = picture_length(prologue)
    if len(picture) < length:
        raise TruncatedError(f"a frame to join ends after {len(picture)} of {length} bytes")
    return prologue, picture[:length]
