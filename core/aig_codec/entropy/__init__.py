"""Entropy coders behind one interface: symbols in contexts, and raw bits, to bytes and back.

A coder's kernel produces a `SymbolStream`; `pack` makes a segment's payload of it with the entropy
coder that was named, and `unpack` prepares a payload for the kernel that reads it (format.md, 6).
"""

from types import ModuleType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import CorruptError, UnsupportedError
from . import golomb, rans, snappy

#: By public name; "auto" is for the coders to resolve.
CODERS: dict[str, ModuleType] = {"snappy": snappy, "golomb": golomb, "rans": rans}
_BY_ID = {coder.ID: coder for coder in CODERS.values()}

_MAX_CLAIM = 2**34


class SymbolStream(NamedTuple):
    """What a coder has to say: uint8 symbols below 64 with a context each, and raw bits."""

    symbols: NDArray[np.uint8]
    contexts: NDArray[np.uint8]
    bits: bytes


class Source(NamedTuple):
    """What a kernel needs to read symbols: its source kind, coded symbols, raw bits."""

    kind: int
    coded: bytes
    raw: bytes


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


def pack(stream: SymbolStream, n_contexts: int, entropy: str) -> bytes:
    """A payload: entropy coder id, length of the raw bits, the raw bits, the coded symbols."""
    coder = CODERS[entropy]
    coded: bytes = coder.encode(stream.symbols, stream.contexts, n_contexts)
    return bytes([coder.ID]) + varint(len(stream.bits)) + stream.bits + coded


def by_id(number: int) -> ModuleType:
    """The coder of this number in files. Raises UnsupportedError."""
    coder = _BY_ID.get(number)
    if coder is None:
        raise UnsupportedError(f"entropy coder {number} is needed")
    return coder


def unpack(payload: bytes, max_symbols: int) -> Source:
    """Take a payload apart. No more than `max_symbols` bytes are allocated for its symbols."""
    if not payload:
        raise CorruptError("empty payload")
    coder = by_id(payload[0])
    length, start = read_varint(payload, 1)
    if length > len(payload) - start:
        raise CorruptError("payload ends inside its raw bits")
    coded = coder.prepare(payload[start + length :], max_symbols)
    return Source(coder.KIND, coded, payload[start : start + length])
