"""What stands in place of samples (7.1.8 to 7.1.11)."""

from collections import defaultdict

import numpy as np

from .binary import BinaryDecoder, Probability
from .notation import clip, expect, unzigzag

MOST_DIGITS = 16
MOST_COLOURS = 256
GAP_CONTEXTS = 8


class Numbers:
    """7.1.8: numbers in contexts, from any coder of 6.7."""

    def __init__(self, coder):
        self.coder = coder
        self.more = defaultdict(Probability)
        self.digits = defaultdict(Probability)

    def number(self, context):
        count = 0
        while count < MOST_DIGITS and self.more[context, count].bit(self.coder):
            count += 1
        value = 1
        for i in reversed(range(count)):
            value = 2 * value + self.digits[context, count, i].bit(self.coder)
        return value - 1


def read_colours(table, channels, most, pixels):
    """7.1.9: an array (colours, channels)."""
    decoder = BinaryDecoder(table)
    numbers = Numbers(decoder)
    count = numbers.number(0) + 1
    expect(count <= min(MOST_COLOURS, pixels), "too many colours")
    colours, last = [], [0] * channels
    for _ in range(count):
        for c in range(channels):
            code = numbers.number(1 + c)
            expect(code <= most, "a colour outside its range")
            last[c] = (last[c] + unzigzag(code)) % (most + 1)
        colours.append(list(last))
    decoder.finish()
    return np.array(colours)


def read_values(table, channels, most, pixels):
    """7.1.10: the values of every channel."""
    decoder = BinaryDecoder(table)
    numbers = Numbers(decoder)
    each = channels > 1 and numbers.number(0) > 0
    sets = []
    for _ in range(channels if each else 1):
        count = numbers.number(1) + 1
        expect(count <= (pixels if each else pixels * channels), "too many values")
        values, context = [numbers.number(2)], 0
        while len(values) < count:
            expect(values[-1] <= most, "a value outside its range")
            gap = numbers.number(3 + context) + 1
            context = min(gap.bit_length(), GAP_CONTEXTS) - 1
            values.append(values[-1] + gap)
        expect(values[-1] <= most, "a value outside its range")
        sets.append(np.array(values))
    decoder.finish()
    return sets if each else sets * channels


def looked_up(numbers, values):
    """The values of those numbers, which must be there."""
    expect(numbers.size == 0 or int(numbers.max()) < len(values), "a number outside its table")
    return values[numbers]


def colours_of_ycc(triples):
    """7.1.11: from an array (n, 3) of Cr, Y, Cb."""
    cr, y, cb = (triples[:, k].astype(np.int64) for k in range(3))
    red = y + ((91881 * (cr - 128) + 32768) >> 16)
    green = y + ((-22554 * (cb - 128) - 46802 * (cr - 128) + 32768) >> 16)
    blue = y + ((116130 * (cb - 128) + 32768) >> 16)
    return np.stack([np.vectorize(clip)(v, 0, 255) for v in (red, green, blue)], axis=1)
