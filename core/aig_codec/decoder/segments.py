"""The segments of a file as bytes: what is read, in how few requests, and whether it is sound."""

import zlib
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from ..coders import registry
from ..coders.base import Payload
from ..coders.substreams import PartialSegment
from ..container import HEADER_SIZE, Prologue, Segment, read_prologue
from ..container.kinds import MAPS
from ..errors import AigError, CorruptError, TruncatedError
from ..io.sources import Source, Stream
from .composition import Problems

#: Size of the first read; header and metadata fit unless the table of contents is unusual. What it
#: has of the first core is not read again, so that core costs at most so much more than it is long.
FIRST_READ = 2048

#: Of what can only be read on, nothing is asked for that may never come.
_CAUTIOUS_READ = HEADER_SIZE + 4


def read_head(source: Source) -> tuple[bytes, Prologue]:
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


class SegmentReader:
    """Reads the segments of one picture. head: the bytes of the file that have been read."""

    def __init__(self, source: Source, head: bytes, prologue: Prologue) -> None:
        self._source, self._metadata = source, prologue.metadata
        self._start = prologue.data_start
        #: What has been read behind the metadata.
        self._ahead = head[prologue.data_start :]

    @contextmanager
    def reading_on(self, kinds: Collection[str]) -> Iterator[None]:
        """Have what is wanted from the first segment on, read in one go, for as long as this lasts:
        where maps must be known before the rest can be decoded, that spares requests."""
        before = self._ahead
        segments = self._metadata.segments
        if any(s.kind in kinds and s.kind in MAPS for s in segments):
            ends = [0]
            for s in segments:
                if s.kind not in kinds:
                    break
                ends.append(s.end)
            self._ahead = self._read(0, ends[-1])
        try:
            yield
        finally:
            self._ahead = before

    def payload(self, segment: Segment) -> bytes:
        """A segment's bytes, checked against its checksum."""
        return self._checked(segment, self._read(segment.offset, segment.length), None)

    def payloads(
        self, segments: Sequence[Segment], problems: Problems, *, in_parts: bool = False
    ) -> Iterator[tuple[Segment, Payload]]:
        """Segments and their bytes, those that lie side by side read in one go.

        in_parts: those that consist of parts with checksums of their own are not read, but can be.
        """
        rows = list(segments)
        while rows:
            run = [rows.pop(0)]
            if in_parts and _has_parts(run[0]):
                with problems:
                    registry.require(run[0], self._metadata.coders)
                    yield run[0], PartialSegment(partial(self._read_of, run[0]), run[0].length)
                continue
            while rows and rows[0].offset == run[-1].end and not (in_parts and _has_parts(rows[0])):
                run.append(rows.pop(0))
            start = run[0].offset
            data = self._read(start, run[-1].end - start)
            for segment in run:
                with problems:
                    registry.require(segment, self._metadata.coders)
                    own = data[segment.offset - start : segment.end - start]
                    yield segment, self._checked(segment, own, problems)

    def _read(self, offset: int, length: int) -> bytes:
        """Bytes behind the metadata; fewer where the file ends."""
        data = self._ahead[offset : offset + length]
        if len(data) < length:
            rest = length - len(data)
            data += self._source.read(self._start + offset + len(data), rest)
        return data

    def _read_of(self, segment: Segment, offset: int, length: int) -> bytes:
        return self._read(segment.offset + offset, min(length, segment.length - offset))

    def _checked(self, segment: Segment, data: bytes, problems: Problems | None) -> bytes:
        """The bytes of a segment, if they are all there and as they were written.

        Those that consist of parts with checksums of their own pass all the same if `problems` may
        hold what is wrong.
        """
        error: AigError | None = None
        if len(data) < segment.length:
            error = TruncatedError(
                f"file ends inside the {segment.name}: {len(data)} of {segment.length} bytes"
            )
            error.needed = self._start + segment.end
        elif zlib.crc32(data) != segment.crc32:
            error = CorruptError(f"checksum of the {segment.name} does not match")
        if error is not None:
            if problems is None or problems.strict or not _has_parts(segment):
                raise error
            problems.found.append(error)
        return data


def _has_parts(segment: Segment) -> bool:
    coder = registry.find(segment.coder)
    return coder is not None and coder.parts
