"""Entropy coders behind one interface: symbols in contexts, and raw bits, to bytes and back.

`CODERS` is the table of all. A kernel that encodes is given a coder's number and returns a
`_native.WrittenStream`: `pack` makes a payload of one, `pack_streams` codes all streams of a
segment. `unpack` prepares a payload for the kernel that reads it, `SegmentCoding` the streams of a
segment (format.md, 6).
"""

from collections.abc import Sequence
from typing import NamedTuple

from .. import _native
from ..errors import CorruptError, UnsupportedError
from .base import EntropyCoder
from .snappy import Snappy

#: All entropy coders, by the name of the keyword `entropy`.
CODERS: dict[str, EntropyCoder] = {
    coder.name: coder
    for coder in (
        Snappy("snappy", 0),
        EntropyCoder("golomb", 1),
        EntropyCoder("rans", 2),
        EntropyCoder("adaptive", 3, payloads=False),
    )
}
_BY_NUMBER = {coder.number: coder for coder in CODERS.values()}

#: What "auto" stands for.
DEFAULT = "adaptive"


class Payload(NamedTuple):
    """What a kernel needs to read a payload: its coder's number, coded symbols, raw bits."""

    coder: int
    coded: bytes
    raw: bytes


def named(keyword: str) -> EntropyCoder:
    """The coder of the keyword `entropy`, "auto" among its values."""
    return CODERS[DEFAULT if keyword == "auto" else keyword]


def numbered(number: int) -> EntropyCoder:
    """The coder of this number in files. Raises UnsupportedError."""
    coder = _BY_NUMBER.get(number)
    if coder is None:
        raise UnsupportedError(f"entropy coder {number} is needed")
    return coder


def varint(value: int) -> bytes:
    """Little-endian base 128 (format.md, notation)."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def read_varint(data: bytes, start: int) -> tuple[int, int]:
    """A varint of at most 5 bytes, and where it ends."""
    value = 0
    for i, byte in enumerate(data[start : start + 5]):
        value |= (byte & 0x7F) << (7 * i)
        if byte < 0x80:
            return value, start + i + 1
    raise CorruptError("payload ends inside a length")


def pack(stream: _native.WrittenStream, n_contexts: int, coder: EntropyCoder) -> bytes:
    """A payload: the coder's number, length of the raw bits, the raw bits, the coded symbols."""
    coded = coder.compress(_native.pack_payload(coder.number, stream, n_contexts))
    return bytes([coder.number]) + varint(len(stream.raw)) + stream.raw + coded


def unpack(payload: bytes, max_symbols: int) -> Payload:
    """Take a payload apart. No more than `max_symbols` bytes are allocated for its symbols."""
    if not payload:
        raise CorruptError("empty payload")
    coder = numbered(payload[0])
    if not coder.payloads:
        raise UnsupportedError(f"entropy coder {coder.number} is needed in a payload")
    length, start = read_varint(payload, 1)
    if length > len(payload) - start:
        raise CorruptError("payload ends inside its raw bits")
    coded = coder.expand(payload[start + length :], max_symbols)
    return Payload(coder.number, coded, payload[start : start + length])


def pack_streams(
    streams: Sequence[_native.WrittenStream], n_contexts: int, coder: EntropyCoder
) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """The tables that the streams of a segment have in common, and (raw bits, coded symbols) of
    each."""
    tables, coded = _native.pack_streams(coder.number, streams, n_contexts)
    return tables, [(raw, coder.compress(own) if own else own) for raw, own in coded]


class SegmentCoding:
    """How the streams of a segment are coded.

    coder: who coded them. tables: what they have in common. Raises UnsupportedError for a coder
    that there is not, CorruptError for damaged tables.
    """

    def __init__(self, number: int, tables: bytes, n_contexts: int, max_symbols: int) -> None:
        self.coder = numbered(number)
        self.tables = _native.SharedTables(number, tables, n_contexts)
        self._max_symbols = max_symbols

    def prepare(self, coded: bytes) -> bytes:
        """What a kernel reads of a stream's coded symbols. Raises CorruptError."""
        if not coded:
            return coded
        prepared = self.coder.expand(coded, self._max_symbols)
        if not prepared:
            raise CorruptError("a stream has coded data, but no symbols")
        return prepared
