"""Streams of the lossless coder that our encoder does not write: the reference run as an encoder.

Every choice that a head can name is free here, right or wrong (format.md, 7.1.6), and so is every
bit of graphics (7.1.7).
"""

from dataclasses import dataclass, field
from itertools import cycle, islice

import numpy as np
from reference import BadFile, graphic_pixels, photo, trained
from reference.notation import varint
from reference.wavefront import (
    PLANE_COEFFICIENTS,
    ROWS,
    Model,
    Walk,
    active_blocks,
    bounding_box,
    middle,
)


class BitWriter:
    """6.1"""

    def __init__(self):
        self.value = self.count = 0

    def bits(self, value, count):
        assert 0 <= value < 1 << count
        self.value |= value << self.count
        self.count += count

    def rice(self, value, r):
        """7.1.6"""
        if value >> r >= 20:
            self.bits((1 << 20) - 1, 20)
            self.bits(value, 10)
        else:
            self.bits((1 << (value >> r)) - 1, (value >> r) + 1)
            self.bits(value & ((1 << r) - 1), r)

    def bytes(self, padding=0):
        room = -self.count % 8
        self.bits(padding & ((1 << room) - 1), room)
        return self.value.to_bytes(self.count // 8, "little")


def zigzag(v):
    return 2 * v if v >= 0 else -2 * v - 1


def symbol_of(value):
    """6.2: a value as symbol, raw bits and how many these are."""
    if value < 16:
        return value, 0, 0
    t = value.bit_length() - 1
    return 16 + 2 * (t - 4) + (value >> (t - 1) & 1), value & ((1 << (t - 1)) - 1), t - 1


def write_frequencies(out, frequencies):
    """6.5, item 3, of frequencies without zeros behind the last."""
    out.bits(len(frequencies) - 1, 6)
    for f in frequencies[:-1]:
        out.bits(f.bit_length(), 4)
        if f:
            out.bits(f ^ 1 << (f.bit_length() - 1), f.bit_length() - 1)


def flat_table(symbols):
    """Frequencies with which symbols below a number may all occur."""
    return [4096 // symbols + (s < 4096 % symbols) for s in range(symbols)]


@dataclass
class Head:
    """7.1.6. Whatever is not asked for is the simplest there is.

    predictors: trained number and, to differ from it, a list of coefficients per plane;
    choices: predictors of the active blocks, over and over; ranks: the same, as they are written;
    tables: for a context the number of a table, or frequencies, sent once for every list;
    starts: of every plane, counted from the low end of its range, each of start_bits.
    """

    transform: int = 1
    shift: int = 0
    bias: bool = False
    sets: bool = False
    predictors: list = field(default_factory=lambda: [(0, None)])
    choices: tuple = (0,)
    ranks: tuple = ()
    tables: dict = field(default_factory=dict)
    rice: int = 3
    padding: int = 0
    starts: tuple = ()
    start_bits: int = 9

    def coefficients(self, planes):
        found = []
        for number, own in self.predictors:
            known = iter(trained.predictors(planes)[number])
            lists = [list(islice(known, PLANE_COEFFICIENTS[c])) for c in range(planes)]
            found.append(lists if own is None else own)
        return found

    def frequencies(self, planes):
        """The table of every context."""
        known = trained.tables()
        found = []
        for context, usual in enumerate(trained.table_of(planes)):
            chosen = self.tables.get(context, usual)
            found.append(known[chosen] if isinstance(chosen, int) else chosen)
        return found

    def write(self, blocks, planes, states):
        out = BitWriter()
        out.bits(self.transform, 2)
        out.bits(self.shift, 4)
        out.bits(self.bias, 1)
        out.bits(self.sets, 1)
        out.bits(len(self.starts) > 0, 1)
        for start in self.starts:
            out.bits(start, self.start_bits)
        self._write_predictors(out, planes)
        if len(self.predictors) > 1:
            self._write_ranks(out, blocks)
        self._write_tables(out, planes)
        for x in states:
            out.bits(x.bit_length() - 17, 4)
            out.bits(x ^ 1 << (x.bit_length() - 1), x.bit_length() - 1)
        return out.bytes(self.padding)

    def _write_predictors(self, out, planes):
        out.bits(len(self.predictors) - 1, 5)
        for number, own in self.predictors:
            out.bits(number, 5)
            out.bits(own is not None, 1)
            known = iter(trained.predictors(planes)[number])
            for coefficients in own or []:
                out.bits(self.rice, 3)
                for value in coefficients:
                    out.rice(zigzag(value - next(known)), self.rice)

    def _write_ranks(self, out, blocks):
        out.bits(self.rice % 4, 2)
        recent = list(range(len(self.predictors)))
        if self.ranks:
            ranks = islice(cycle(self.ranks), len(blocks))
        else:
            ranks = []
            for choice in islice(cycle(self.choices), len(blocks)):
                ranks.append(recent.index(choice))
                recent.insert(0, recent.pop(ranks[-1]))
        for rank in ranks:
            out.rice(rank, self.rice % 4)

    def _write_tables(self, out, planes):
        own = []
        for context in range(48 * planes):
            if context % 8 == 0:
                differ = any(context + i in self.tables for i in range(8))
                out.bits(differ, 1)
            if not differ:
                continue
            chosen = self.tables.get(context)
            out.bits(chosen is not None, 1)
            if isinstance(chosen, int):
                out.bits(chosen, 7)
            elif chosen is not None:
                known = [table is chosen for table in own]
                out.bits(64 + (known.index(True) if any(known) else len(own)), 7)
                if not any(known):
                    write_frequencies(out, chosen)
                    own.append(chosen)


def pack_lanes(groups, frequencies, sets):
    """7.1.5 backwards: states and words of the values (k, context, value), by step and plane."""
    slots = {}
    for table in {tuple(table) for table in frequencies}:
        alias = photo.AliasTable(table)
        slots[table] = {alias.find(slot): slot for slot in range(4096)}
    all_states, words = [[photo.STATE] * ROWS for _ in range(sets)], []

    def make_room(states, k, limit):
        if states[k] >= limit:
            words.append(states[k] & 0xFFFF)
            states[k] >>= 16

    for group in reversed(groups):
        states = all_states[group[0][1] // 48 % sets]
        for k, _, value in reversed(group):
            _, raw, count = symbol_of(value)
            if count:
                make_room(states, k, 1 << (32 - count))
                states[k] = states[k] << count | raw
        for k, context, value in reversed(group):
            symbol = symbol_of(value)[0]
            table = frequencies[context]
            make_room(states, k, table[symbol] << 20)
            high, remainder = divmod(states[k], table[symbol])
            states[k] = high << 12 | slots[tuple(table)][symbol, remainder]
    states = [x for states in all_states for x in states]
    return states, b"".join(word.to_bytes(2, "little") for word in reversed(words))


def planes_of(pixels, transform):
    """7.1.2: planes (height, width, planes) of channels of that shape."""
    pixels = pixels.astype(np.int64)
    if pixels.shape[-1] == 1:
        return pixels
    r, g, b = np.moveaxis(pixels, -1, 0)
    if transform == 0:
        planes = g, r, b
    elif transform == 1:
        u, v = r - g, b - g
        planes = u, v - (u >> 2), g + ((u + v + 2) >> 2)
    elif transform == 2:
        planes = r - g, b - g, g
    else:
        co = r - b
        t = b + (co >> 1)
        planes = co, g - t, t + ((g - t) >> 1)
    return np.stack(planes, axis=-1)


def _encode(value_of, region, planes, head, most):
    """States and words in which every sample has the value that it is given; the active blocks, and
    the pixels."""
    place = bounding_box(region)
    box = region[place]
    blocks = active_blocks(box)
    coefficients = head.coefficients(planes)
    choices = cycle(head.choices) if len(coefficients) > 1 else cycle([0])
    ranges = photo.plane_ranges(planes, head.transform, most)
    starts = [middle(*ends) for ends in ranges]
    if head.starts:
        starts = [low + start for (low, _), start in zip(ranges, head.starts, strict=True)]
    model = Model(
        ranges,
        starts,
        head.shift,
        head.bias,
        coefficients,
        dict(zip(blocks, choices, strict=False)),
    )
    groups = []

    def ask(asked):
        values = [value_of(one) for one in asked]
        groups.append([(one.k, one.context, v) for one, v in zip(asked, values, strict=True)])
        return values

    samples = Walk(model, box).run(ask)
    pixels = np.zeros((*region.shape, planes), np.int64)
    own = photo.channels_of(samples, head.transform, most)
    pixels[place] = np.where(box[..., None], own, 0)
    sets = planes if head.sets else 1
    return *pack_lanes(groups, head.frequencies(planes), sets), blocks, pixels


def photo_of_pixels(pixels, region, head, most=255):
    """The photographic payload of pixels (height, width, 1 or 3)."""
    states, words, blocks = parts_of_pixels(pixels, region, head, most)
    return head.write(blocks, pixels.shape[2], states) + words


def parts_of_pixels(pixels, region, head, most=255):
    """States, words and the active blocks, of which a head makes a payload."""
    place = bounding_box(region)
    samples = planes_of(pixels, head.transform)[place]

    def value_of(asked):
        d = int(samples[asked.y, asked.x, asked.plane]) - asked.prediction
        return zigzag(-d if asked.flipped else d)

    states, words, blocks, found = _encode(value_of, region, pixels.shape[2], head, most)
    assert np.array_equal(found[region], pixels[region]), "the writer is wrong"
    return states, words, blocks


def photo_of_values(draw, region, planes, head, most=255):
    """The payload of values that `draw()` gives, and the pixels that they mean."""
    states, words, blocks, pixels = _encode(lambda asked: draw(), region, planes, head, most)
    return head.write(blocks, planes, states) + words, pixels


class BinaryEncoder:
    """6.7 backwards: writes the bits that `draw(p)` gives, p/65536 being the probability of a 1."""

    def __init__(self, draw):
        self.draw = draw
        self.low, self.length = 0, 4  # the lower end of the interval as one number, and its bytes
        self.range = (1 << 32) - 1

    def bit(self, p):
        bit = int(self.draw(p))
        bound = self.range * p >> 16
        if bit:
            self.range = bound
        else:
            self.low += bound
            self.range -= bound
        while self.range < 1 << 24:
            self.range <<= 8
            self.low <<= 8
            self.length += 1
        return bit

    def payload(self, above=0):
        """The bytes, or those of a number so far above the lower end."""
        return (self.low + above).to_bytes(self.length, "big")


def graphic_of_bits(draw, region, channels, matches=True):
    """The graphic payload of bits that `draw(p)` gives, and the pixels that they mean, which are
    None where they mean nothing; it ends there."""
    encoder = BinaryEncoder(draw)
    try:
        pixels = graphic_pixels(encoder, region, channels, matches)
    except BadFile:
        pixels = None
    return encoder.payload(), pixels


def segment_of(bands):
    """7.1.1: a segment of bands as they are."""
    return b"".join([varint(len(bands)), *(varint(len(band)) for band in bands), *bands])
