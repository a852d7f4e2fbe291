"""Segments that consist of many independent streams (format.md, 6.9).

A stream covers one part of the picture. Whatever befalls it, the others can be decoded: a table
says where each lies, and has a checksum of each.
"""

import zlib
from collections.abc import Sequence
from typing import NamedTuple

from ..entropy import read_varint, varint
from ..errors import CorruptError


class Stream(NamedTuple):
    """Raw bits and entropy-coded data of one part of the picture."""

    raw: bytes
    coded: bytes


#: In place of a stream that is missing or damaged.
Streams = list[Stream | None]


def _checksum(data: bytes) -> bytes:
    return (zlib.crc32(data) & 0xFFFF).to_bytes(2, "little")


def pack(head: bytes, streams: Sequence[Stream]) -> bytes:
    """A segment: what all streams have in common, the table, its checksum, the streams."""
    parts = [varint(len(head)), head]
    for raw, coded in streams:
        parts += [varint(len(raw)), varint(len(coded))]
        if raw or coded:
            parts.append(_checksum(raw + coded))
    table = b"".join(parts)
    return b"".join([table, _checksum(table), *(part for s in streams for part in s)])


def unpack(payload: bytes, count: int) -> tuple[bytes, Streams]:
    """The head of a segment and its `count` streams, None for those that are damaged or cut off.

    Raises CorruptError if the table is damaged, or the streams do not end where the segment does.
    """
    length, at = read_varint(payload, 0)
    head = payload[at : at + length]
    at += length
    rows = []
    for _ in range(count):
        raw, at = read_varint(payload, at)
        coded, at = read_varint(payload, at)
        checksum = payload[at : at + 2] if raw or coded else None
        at += 2 if raw or coded else 0
        rows.append((raw, coded, checksum))
    if payload[at : at + 2] != _checksum(payload[:at]):
        raise CorruptError("the table of streams is damaged")
    at += 2
    streams: Streams = []
    for raw, coded, checksum in rows:
        data = payload[at : at + raw + coded]
        at += raw + coded
        sound = checksum is None or (len(data) == raw + coded and _checksum(data) == checksum)
        streams.append(Stream(data[:raw], data[raw:]) if sound else None)
    if at < len(payload):
        raise CorruptError("bytes are left over behind the streams")
    return head, streams
