"""Taking AIG files apart and sealing them again, for tests that damage them."""

import zlib
from dataclasses import replace

from aig_codec.container import Segment, read_prologue
from aig_codec.container.metadata import packed


def payloads(data: bytes) -> dict[tuple[str, int | None], bytes]:
    """The bytes of every segment."""
    prologue = read_prologue(data)
    body = data[prologue.data_start :]
    return {(s.kind, s.center): body[s.offset : s.end] for s in prologue.metadata.segments}


def reseal(data: bytes, changed: dict[tuple[str, int | None], bytes], **fields: object) -> bytes:
    """The file with some payloads and metadata fields replaced, and every checksum right."""
    metadata = read_prologue(data).metadata
    parts = payloads(data) | changed
    rows, offset = [], 0
    for s in metadata.segments:
        payload = parts[s.kind, s.center]
        crc = zlib.crc32(payload)
        rows.append(Segment(s.kind, s.center, offset, len(payload), s.coder, s.version, crc))
        offset += len(payload)
    head = packed(replace(metadata, segments=tuple(rows), **fields))
    return head + b"".join(parts[s.kind, s.center] for s in metadata.segments)
