"""Snappy's raw block format (the metadata and 6.3)."""

from .notation import ByteReader, expect, varint


def unpack_snappy(block, most=1 << 28):
    """One raw Snappy block: literals and copies of what is already there."""
    source = ByteReader(block)
    length = source.varint()
    expect(length <= most, "a Snappy block claims too much")
    out = bytearray()
    while not source.done():
        tag = source.take(1)[0]
        kind, size = tag & 3, tag >> 2
        if kind == 0:
            if size >= 60:
                size = int.from_bytes(source.take(size - 59), "little")
            out += source.take(size + 1)
        else:
            if kind == 1:
                count = 4 + (size & 7)
                back = (size >> 3) << 8 | source.take(1)[0]
            else:
                count = size + 1
                back = int.from_bytes(source.take(2 if kind == 2 else 4), "little")
            expect(1 <= back <= len(out), "a Snappy copy reaches before the start")
            for _ in range(count):
                out.append(out[-back])
        expect(len(out) <= length, "a Snappy block holds more than it claims")
    expect(len(out) == length, "a Snappy block holds less than it claims")
    return bytes(out)


def pack_snappy(data):
    """A raw Snappy block of literals alone."""
    out = varint(len(data))
    for start in range(0, len(data), 60):
        piece = data[start : start + 60]
        out += bytes([(len(piece) - 1) << 2]) + piece
    return out
