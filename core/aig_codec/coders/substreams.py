"""Segments that consist of many independent streams (format.md, 6.9).

A stream covers one part of the picture. Whatever befalls it, the others can be decoded: a table
says where each lies, and has a checksum of each.
"""

import zlib
from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from ..entropy import read_varint, varint
from ..errors import CorruptError


class Substream(NamedTuple):
    """Raw bits and entropy-coded data of one part of the picture."""

    raw: bytes
    coded: bytes


class PartialSegment(NamedTuple):
    """A segment of which not all is read.

    read(offset, n): up to n bytes from an offset in the segment; fewer only where the file ends.
    """

    read: Callable[[int, int], bytes]
    length: int


#: In place of a stream that is missing or damaged.
Substreams = list[Substream | None]


def _checksum(data: bytes) -> bytes:
    return (zlib.crc32(data) & 0xFFFF).to_bytes(2, "little")


def pack(head: bytes, streams: Sequence[Substream]) -> bytes:
    """A segment: what all streams have in common, the table, its checksum, the streams."""
    parts = [varint(len(head)), head]
    for raw, coded in streams:
        parts += [varint(len(raw)), varint(len(coded))]
        if raw or coded:
            parts.append(_checksum(raw + coded))
    table = b"".join(parts)
    return b"".join([table, _checksum(table), *(part for s in streams for part in s)])


class Table(NamedTuple):
    """What a segment says of its streams: their common head, and (offset, raw, coded, checksum) of
    each. end: where the last stream ends."""

    head: bytes
    rows: list[tuple[int, int, int, bytes | None]]
    end: int


def read_table(data: bytes, count: int) -> Table:
    """The table that a segment begins with; raises CorruptError if it is damaged or cut off."""
    length, at = read_varint(data, 0)
    head = data[at : at + length]
    at += length
    sizes = []
    for _ in range(count):
        raw, at = read_varint(data, at)
        coded, at = read_varint(data, at)
        checksum = data[at : at + 2] if raw or coded else None
        at += 2 if raw or coded else 0
        sizes.append((raw, coded, checksum))
    if data[at : at + 2] != _checksum(data[:at]):
        raise CorruptError("the table of streams is damaged")
    at += 2
    rows = []
    for raw, coded, checksum in sizes:
        rows.append((at, raw, coded, checksum))
        at += raw + coded
    return Table(head, rows, at)


def _stream(data: bytes, row: tuple[int, int, int, bytes | None]) -> Substream | None:
    _, raw, coded, checksum = row
    sound = checksum is None or (len(data) == raw + coded and _checksum(data) == checksum)
    return Substream(data[:raw], data[raw:]) if sound else None


def unpack(payload: bytes, count: int) -> tuple[bytes, Substreams]:
    """The head of a segment and its `count` streams, None for those that are damaged or cut off.

    Raises CorruptError if the table is damaged, or the streams do not end where the segment does.
    """
    table = read_table(payload, count)
    if table.end < len(payload):
        raise CorruptError("bytes are left over behind the streams")
    extents = (_extent(table, n) for n in range(count))
    return table.head, [
        _stream(payload[at:end], row) for (at, end), row in zip(extents, table.rows, strict=True)
    ]


#: Bytes that are fetched along, where that spares a request.
_GAP = 2048


def take(
    segment: bytes | PartialSegment, count: int, wanted: Collection[int]
) -> tuple[bytes, dict[int, Substream | None]]:
    """The head of a segment and the wanted ones of its `count` streams, reading little else.

    Substreams that lie close together are read in one go. Raises CorruptError as `unpack` does.
    """
    if isinstance(segment, bytes):
        head, streams = unpack(segment, count)
        return head, {n: streams[n] for n in wanted}
    read, length = segment
    # Mostly this holds the table: sizes of streams are varints of one to three bytes.
    size = min(length, 64 + 6 * count)
    data = read(0, size)
    try:
        table = read_table(data, count)
    except CorruptError:
        # Its head may be long: the static coders have their tables there.
        data += read(size, length - size)
        table = read_table(data, count)
    if table.end != length:
        raise CorruptError("the streams do not end where their segment does")
    found: dict[int, Substream | None] = {}
    rows = sorted(wanted, key=lambda n: table.rows[n][0])
    while rows:
        run = [rows.pop(0)]
        start, end = _extent(table, run[0])
        while rows and _extent(table, rows[0])[0] <= end + _GAP:
            run.append(rows.pop(0))
            end = max(end, _extent(table, run[-1])[1])
        piece = data[start:end] if end <= len(data) else read(start, end - start)
        for number in run:
            at, stop = _extent(table, number)
            found[number] = _stream(piece[at - start : stop - start], table.rows[number])
    return table.head, found


def _extent(table: Table, number: int) -> tuple[int, int]:
    at, raw, coded, _ = table.rows[number]
    return at, at + raw + coded
