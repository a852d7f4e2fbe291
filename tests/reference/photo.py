"""Photographic coding: planes, head and symbols (6.6, 7.1.2, 7.1.5, 7.1.6)."""

import numpy as np

from . import trained
from .entropy import BitReader, read_frequencies
from .notation import ByteReader, expect, unzigzag
from .wavefront import PLANE_COEFFICIENTS, ROWS, Model, Walk, active_blocks, bounding_box, middle

STATE = 1 << 16
CONTEXTS = 48  # of a plane
LAST_SYMBOL = 43
TRAINED_TABLES = 64


def plane_ranges(planes, transform, most):
    """7.1.2: (low, high) of every plane."""
    sample, difference = (0, most), (-most, most)
    if planes == 1 or transform == 0:
        return [sample] * planes
    return [difference, difference, sample]


def channels_of(samples, transform, most):
    """7.1.2 backwards: (height, width, channels) from the planes of the same shape."""
    if samples.shape[-1] == 1:
        return samples
    one, two, three = np.moveaxis(samples, -1, 0)
    if transform == 0:
        g, r, b = one, two, three
    elif transform == 1:
        v = two + (one >> 2)
        g = three - ((one + v + 2) >> 2)
        r, b = one + g, v + g
    elif transform == 2:
        g = three
        r, b = one + g, two + g
    else:
        t = three - (two >> 1)
        g = two + t
        b = t - (one >> 1)
        r = one + b
    return np.clip(np.stack([r, g, b], axis=-1), 0, most)


class AliasTable:
    """6.6"""

    def __init__(self, frequencies):
        self.frequencies = [*frequencies, *[0] * (64 - len(frequencies))]
        assert sum(self.frequencies) == 4096
        self.cutoff, self.alias, self.offset = [*self.frequencies], [*range(64)], [0] * 64
        under = [i for i in range(64) if self.cutoff[i] < 64]
        over = [i for i in range(64) if self.cutoff[i] > 64]
        while over:
            v, u = over[-1], under.pop()
            self.cutoff[v] -= 64 - self.cutoff[u]
            self.alias[u], self.offset[u] = v, self.cutoff[v]
            if self.cutoff[v] <= 64:
                over.pop()
            if self.cutoff[v] < 64:
                under.append(v)

    def find(self, slot):
        """The symbol of a slot, and its remainder."""
        i, r = divmod(slot, 64)
        if r < self.cutoff[i]:
            return i, r
        return self.alias[i], self.offset[i] + r - self.cutoff[i]

    def take(self, x):
        """The symbol of a state, and the state after it."""
        symbol, remainder = self.find(x & 4095)
        return symbol, self.frequencies[symbol] * (x >> 12) + remainder


class Lanes:
    """7.1.5: sixteen states, or as many for every plane, that read values in turn."""

    def __init__(self, source, table_of, sets):
        self.source = source
        self.table_of = table_of
        self.sets = sets

    def values(self, asked):
        """The values of one step and plane."""
        states = self.sets[asked[0].plane % len(self.sets)]
        symbols = []
        for one in asked:
            symbol, states[one.k] = self.table_of[one.context].take(states[one.k])
            symbols.append(symbol)
        self._refill(states)
        values = []
        for one, symbol in zip(asked, symbols, strict=True):
            value = symbol
            if symbol >= 16:
                t = 4 + (symbol - 16) // 2
                raw = states[one.k] & ((1 << (t - 1)) - 1)
                states[one.k] >>= t - 1
                value = 1 << t | (symbol & 1) << (t - 1) | raw
            values.append(value)
        self._refill(states)
        return values

    def _refill(self, states):
        for k in range(ROWS):
            if states[k] < STATE:
                word = int.from_bytes(self.source.take(2), "little")
                states[k] = states[k] << 16 | word

    def finish(self):
        expect(
            all(states == [STATE] * ROWS for states in self.sets),
            "the states do not end where they began",
        )
        expect(self.source.done(), "words are left over")


def read_starts(stream, ranges, most):
    """7.1.6, item 1: what stands above the first strip in every plane."""
    if not stream.bits(1):
        return [middle(*ends) for ends in ranges]
    starts = [low + stream.bits(most.bit_length() + 1) for low, _ in ranges]
    fits = (start <= high for start, (_, high) in zip(starts, ranges, strict=True))
    expect(all(fits), "a start outside its range")
    return starts


def rice(stream, r):
    """7.1.6"""
    ones = 0
    while ones < 20 and stream.bits(1):
        ones += 1
    return stream.bits(10) if ones == 20 else ones << r | stream.bits(r)


def read_predictor(stream, planes):
    """7.1.6, item 2: the coefficients of every plane."""
    known = iter(trained.predictors(planes)[stream.bits(5)])
    predictor = [[next(known) for _ in range(PLANE_COEFFICIENTS[c])] for c in range(planes)]
    if stream.bits(1):
        for coefficients in predictor:
            r = stream.bits(3)
            coefficients[:] = [value + unzigzag(rice(stream, r)) for value in coefficients]
            expect(min(coefficients) >= -128, "impossible coefficient")
            expect(max(coefficients) <= 127, "impossible coefficient")
    return predictor


def read_predictor_of(stream, blocks, count):
    """7.1.6, item 3: which predictor every block has."""
    if count == 1:
        return {}
    r = stream.bits(2)
    recent = list(range(count))
    predictor_of = {}
    for block in blocks:
        rank = rice(stream, r)
        expect(rank < count, "a block without predictor")
        recent.insert(0, recent.pop(rank))
        predictor_of[block] = recent[0]
    return predictor_of


def read_tables(stream, planes):
    """7.1.6, item 4: the table of every context."""
    tables = trained.tables().copy()
    chosen = []
    for context, number in enumerate(trained.table_of(planes)):
        if context % 8 == 0:
            differ = stream.bits(1)
        if differ and stream.bits(1):
            number = stream.bits(7)
            expect(number <= len(tables), "a context without table")
            if number == len(tables):
                tables.append(read_frequencies(stream))
                expect(len(tables[-1]) <= LAST_SYMBOL + 1, "impossible symbol")
        chosen.append(number)
    made = {number: AliasTable(tables[number]) for number in set(chosen)}
    return [made[number] for number in chosen]


def read_state(stream):
    """7.1.6, item 5"""
    n = 16 + stream.bits(4)
    return 1 << n | stream.bits(n)


def decode_photo(payload, region, planes, most=255):
    """7.1.2 to 7.1.6: an array (height, width, planes) that is 0 outside the region."""
    pixels = np.zeros((*region.shape, planes), np.int64)
    source = ByteReader(payload)
    if not region.any():
        expect(source.done(), "bytes for no pixel")
        return pixels
    place = bounding_box(region)
    box = region[place]

    stream = BitReader(source)
    transform = stream.bits(2)
    shift, bias = stream.bits(4), stream.bits(1) == 1
    expect(not (bias and most > 255), "bias cancellation with samples of 16 bits")
    sets = planes if stream.bits(1) else 1
    ranges = plane_ranges(planes, transform, most)
    starts = read_starts(stream, ranges, most)
    predictors = [read_predictor(stream, planes) for _ in range(stream.bits(5) + 1)]
    predictor_of = read_predictor_of(stream, active_blocks(box), len(predictors))
    table_of = read_tables(stream, planes)
    sets = [[read_state(stream) for _ in range(ROWS)] for _ in range(sets)]
    stream.align()

    lanes = Lanes(source, table_of, sets)
    model = Model(ranges, starts, shift, bias, predictors, predictor_of)
    samples = Walk(model, box).run(lanes.values)
    lanes.finish()
    pixels[place] = np.where(box[..., None], channels_of(samples, transform, most), 0)
    return pixels
