"""The streams of the DCT coder's segments (6.9), and their adaptive coding (6.8)."""

import zlib
from dataclasses import dataclass

from .entropy import (
    RANS,
    RICE,
    SNAPPY,
    BitReader,
    RansSymbols,
    RiceSymbols,
    SnappySymbols,
    SymbolReader,
    rans_tables,
    rice_parameters,
)
from .notation import BadFile, ByteReader, expect

GROUP, REGION = 256, 1024
ADAPTIVE = 3
U64 = (1 << 64) - 1
WORDS_BEHIND = 2


def parts_of(picture, size):
    """6.9: (row, column) of all groups or regions of so many pixels each way."""
    rows, columns = -(-picture.height // size), -(-picture.width // size)
    return [(row, column) for row in range(rows) for column in range(columns)]


class AdaptiveReader:
    """6.8: a stream, as bits by probabilities that adapt, and raw bits."""

    def __init__(self, raw, coded):
        self.raw = BitReader(ByteReader(raw))
        self.coded = coded
        self.position = self.behind = 0
        self.range = U64
        self.offset = self.word() << 32 | self.word()
        expect(self.offset < self.range, "an offset beyond the range")

    def word(self):
        word = self.coded[self.position : self.position + 4]
        self.behind += not word
        expect(self.behind <= WORDS_BEHIND, "the coded bytes end too early")
        self.position += 4
        return int.from_bytes(word.ljust(4, b"\0"), "big")

    def bit(self, probabilities, index):
        """A bit with one of a list's probabilities, which learns it."""
        p = probabilities[index]
        bound = (self.range >> 16) * p
        one = self.offset < bound
        if one:
            self.range = bound
            probabilities[index] = p + ((65536 - p) >> 5)
        else:
            self.offset -= bound
            self.range -= bound
            probabilities[index] = p - (p >> 5)
        if self.range < 1 << 32:
            self.range <<= 32
            self.offset = (self.offset << 32 | self.word()) & U64
        return int(one)

    def bits(self, count):
        return self.raw.bits(count)

    def unary(self, probabilities):
        value = 0
        while value < len(probabilities) and self.bit(probabilities, value):
            value += 1
        return value

    def exp_golomb(self, probabilities):
        k = self.unary(probabilities)
        return (1 << k) - 1 + self.bits(k)

    def finish(self):
        self.raw.align()
        expect(self.raw.source.done(), "raw bits are left over")
        expect(self.position >= len(self.coded), "coded bytes are left over")


class StaticReader(SymbolReader):
    """6.9: a stream of a static coder, as symbols in contexts, values and raw bits."""

    def __init__(self, raw, coded, contexts):
        self.begin(raw, coded, contexts)


def shaped(values, *shape):
    """The next values as lists of lists, the last index running fastest."""
    if not shape:
        return next(values)
    return [shaped(values, *shape[1:]) for _ in range(shape[0])]


@dataclass
class Streams:
    """6.9: a segment, taken apart: its head, and (raw bits, coded data) or what is wrong."""

    name: int
    contexts: int
    parameters: object
    tables: list
    parts: list

    def open(self, part, adaptive, static):
        """A reader of a stream: one of two classes, both made from raw bits and coded data."""
        if isinstance(self.parts[part], BadFile):
            raise self.parts[part]
        raw, coded = self.parts[part]
        if self.name == ADAPTIVE:
            return adaptive(raw, coded)
        source = ByteReader(coded)
        if self.name == SNAPPY:
            symbols = SnappySymbols(coded)
        elif self.name == RICE:
            symbols = RiceSymbols(self.tables, BitReader(source))
        else:
            symbols = RansSymbols(self.tables, source)
        return static(raw, symbols, self.contexts)

    def is_empty(self, part):
        return self.parts[part] == (b"", b"")


def check(data, source):
    expect(int.from_bytes(source.take(2), "little") == zlib.crc32(data) & 0xFFFF, "damaged")


def take_part(source, raw_length, coded_length, checksum):
    """A stream's bytes, if they are there and intact; else what is wrong with them."""
    left = len(source.data) - source.position
    data = source.take(min(raw_length + coded_length, left))
    try:
        expect(len(data) == raw_length + coded_length, "the segment ends inside a stream")
        expect(not data or zlib.crc32(data) & 0xFFFF == checksum, "a stream is damaged")
    except BadFile as error:
        return error
    return data[:raw_length], data[raw_length:]


def read_streams(segment, count, contexts, read_parameters):
    """6.9: a segment of that many streams; `read_parameters` takes its part of the head."""
    source = ByteReader(segment)
    head = ByteReader(source.take(source.varint()))
    rows = []
    for _ in range(count):
        lengths = source.varint(), source.varint()
        rows.append((*lengths, int.from_bytes(source.take(2), "little") if any(lengths) else 0))
    check(segment[: source.position], source)

    name = head.take(1)[0]
    expect(name <= ADAPTIVE, "unknown entropy coder")
    parameters = read_parameters(head)
    tables, stream = [], BitReader(head)
    if name == RICE:
        tables = rice_parameters(stream, contexts)
        stream.align()
    elif name == RANS:
        tables = rans_tables(stream, contexts)
    expect(head.done(), "bytes of the head are left over")

    parts = [take_part(source, *row) for row in rows]
    expect(source.done(), "bytes behind the last stream")
    return Streams(name, contexts, parameters, tables, parts)
