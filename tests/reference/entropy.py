"""Symbols: the static coders, raw bits and values (6)."""

import struct
from bisect import bisect_right
from itertools import accumulate

from .notation import ByteReader, expect, unzigzag, varint
from .snappy import pack_snappy, unpack_snappy


class BitReader:
    """6.1: bits from the least significant up."""

    def __init__(self, source):
        self.source = source
        self.pending = 0
        self.count = 0

    def bits(self, count):
        while self.count < count:
            self.pending |= self.source.take(1)[0] << self.count
            self.count += 8
        value = self.pending & ((1 << count) - 1)
        self.pending >>= count
        self.count -= count
        return value

    def align(self):
        """Leave the padding of the last byte behind."""
        expect(self.pending == 0, "the padding is not zero")
        self.count = 0


class SnappySymbols:
    """6.3"""

    def __init__(self, coded):
        self.symbols = ByteReader(unpack_snappy(coded))

    def symbol(self, context):
        return self.symbols.take(1)[0]

    def finish(self):
        expect(self.symbols.done(), "symbols are left over")


def rice_parameters(stream, contexts):
    """6.4: the parameter of every context."""
    parameters = [stream.bits(3) for _ in range(contexts)]
    expect(max(parameters) <= 5, "impossible Rice parameter")
    return parameters


class RiceSymbols:
    """6.4"""

    def __init__(self, parameters, stream):
        self.parameters = parameters
        self.stream = stream

    def symbol(self, context):
        k = self.parameters[context]
        ones = 0
        while ones < 16 and self.stream.bits(1):
            ones += 1
        if ones == 16:
            return self.stream.bits(6)
        return ones << k | self.stream.bits(k)

    def finish(self):
        self.stream.align()
        expect(self.stream.source.done(), "symbols are left over")


def read_frequencies(stream):
    """6.5, item 3: the frequencies of the symbols up to the last."""
    frequencies = []
    for _ in range(stream.bits(6)):
        width = stream.bits(4)
        frequencies.append((1 << (width - 1)) + stream.bits(width - 1) if width else 0)
    expect(sum(frequencies) < 4096, "nothing is left for the last symbol")
    return [*frequencies, 4096 - sum(frequencies)]


def rans_tables(stream, contexts):
    """6.5, items 1 to 3: for every context where the intervals of the symbols start."""
    tables = stream.bits(6) + 1
    table_of = [stream.bits((tables - 1).bit_length()) for _ in range(contexts)]
    expect(max(table_of) < tables, "a context without table")
    starts = [list(accumulate(read_frequencies(stream), initial=0)) for _ in range(tables)]
    stream.align()
    return [starts[table] for table in table_of]


class RansSymbols:
    """6.5"""

    def __init__(self, starts, source):
        self.starts = starts
        self.source = source
        self.states = list(struct.unpack("<II", source.take(8)))
        expect(min(self.states) >= 1 << 16, "impossible state")
        self.turn = 0

    def symbol(self, context):
        starts = self.starts[context]
        x = self.states[self.turn]
        slot = x & 4095
        symbol = bisect_right(starts, slot) - 1
        x = (starts[symbol + 1] - starts[symbol]) * (x >> 12) + slot - starts[symbol]
        if x < 1 << 16:
            x = x << 16 | int.from_bytes(self.source.take(2), "little")
        self.states[self.turn] = x
        self.turn = 1 - self.turn
        return symbol

    def finish(self):
        expect(self.states == [1 << 16, 1 << 16], "the states do not end where they began")
        expect(self.source.done(), "symbols are left over")


SNAPPY, RICE, RANS = range(3)


def symbols_of_payload(name, coded, contexts):
    """6: the coded symbols of a payload, behind the tables of their coder."""
    if name == SNAPPY:
        return SnappySymbols(coded)
    stream = BitReader(ByteReader(coded))
    if name == RICE:
        return RiceSymbols(rice_parameters(stream, contexts), stream)
    expect(name == RANS, "unknown entropy coder")
    return RansSymbols(rans_tables(stream, contexts), stream.source)


class SymbolReader:
    """6: a payload, as symbols in contexts, raw bits and values."""

    def __init__(self, payload, contexts):
        source = ByteReader(payload)
        name = source.take(1)[0]
        raw = source.take(source.varint())
        self.begin(raw, symbols_of_payload(name, source.rest(), contexts), contexts)

    def begin(self, raw, coded, contexts):
        self.raw = BitReader(ByteReader(raw))
        self.coded = coded
        self.contexts = contexts

    def symbol(self, context):
        assert 0 <= context < self.contexts
        symbol = self.coded.symbol(context)
        expect(symbol < 64, "impossible symbol")
        return symbol

    def bits(self, count):
        return self.raw.bits(count)

    def value(self, context):
        """6.2"""
        symbol = self.symbol(context)
        if symbol < 16:
            return symbol
        t = 4 + (symbol - 16) // 2
        second = (symbol - 16) % 2
        return 1 << t | second << (t - 1) | self.bits(t - 1)

    def signed(self, context):
        return unzigzag(self.value(context))

    def finish(self):
        self.raw.align()
        expect(self.raw.source.done(), "raw bits are left over")
        self.coded.finish()


class SymbolWriter:
    """6 backwards, with the simplest coder: a Snappy block of literals.

    Contexts play no part in it, so any sequence of symbols makes a well-formed payload.
    """

    def __init__(self):
        self.symbols = bytearray()
        self.raw = self.raw_count = 0

    def symbol(self, symbol):
        self.symbols.append(symbol)

    def bits(self, value, count):
        self.raw |= value << self.raw_count
        self.raw_count += count

    def value(self, value):
        """6.2"""
        if value < 16:
            return self.symbol(value)
        t = value.bit_length() - 1
        self.symbol(16 + 2 * (t - 4) + (value >> (t - 1) & 1))
        return self.bits(value & ((1 << (t - 1)) - 1), t - 1)

    def payload(self):
        raw = self.raw.to_bytes((self.raw_count + 7) // 8, "little")
        return b"\0" + varint(len(raw)) + raw + pack_snappy(bytes(self.symbols))


def read_symbols(payload, contexts, order):
    """The symbols of a payload in the contexts of `order`; no raw bits."""
    reader = SymbolReader(payload, contexts)
    symbols = [reader.symbol(context) for context in order]
    reader.finish()
    return symbols
