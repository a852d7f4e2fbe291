"""Binary coding (6.7): bits by probabilities that learn, and by mixtures of them.

A *coder* is whatever has `bit(p)`: the decoder here, or one that writes what it gives, so that
tests can run the same models as an encoder.
"""

from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass

from .notation import ByteReader, clip, expect

U32 = (1 << 32) - 1
LEAST_RANGE = 1 << 24
ONE = 1 << 22
PATIENCE = 127
MOST_COUNTED = 15
LIMIT = 3071  # of the argument of squash
FIRST_WEIGHT = 1 << 14
WEIGHT_LIMIT = 1 << 23
BIAS = 256


class BinaryDecoder:
    """6.7, arithmetic decoder."""

    def __init__(self, payload):
        self.source = ByteReader(payload)
        self.range = (1 << 32) - 1
        self.offset = int.from_bytes(self.source.take(4), "big")
        expect(self.offset < self.range, "an offset beyond the range")

    def bit(self, p):
        assert 1 <= p <= 65535
        bound = self.range * p >> 16
        one = self.offset < bound
        if one:
            self.range = bound
        else:
            self.offset -= bound
            self.range -= bound
        while self.range < LEAST_RANGE:
            self.range <<= 8
            self.offset = self.offset << 8 | self.source.take(1)[0]
        return int(one)

    def finish(self):
        expect(self.offset == 0, "the offset does not end at 0")
        expect(self.source.done(), "bytes are left over")


@dataclass
class Probability:
    """6.7, probability: (P, n)."""

    p: int = ONE // 2
    n: int = 0

    def value(self):
        return max(1, self.p >> 6)

    def learn(self, bit):
        aim = ONE - 1 if bit else 0
        self.p += (aim - self.p) * (131072 // (2 * self.n + 3)) >> 16
        self.n = min(self.n + 1, PATIENCE)

    def bit(self, coder):
        """A bit that is decoded with this probability, which learns it."""
        bit = coder.bit(self.value())
        self.learn(bit)
        return bit


def added(history, bit):
    """6.7, history: what it is after the bit."""
    more, less = history if bit else history[::-1]
    more = min(more + 1, MOST_COUNTED)
    if less > 2:
        less = (less + 1) >> 1
    return (more, less) if bit else (less, more)


class Meaning:
    """6.7, history: a probability for every state."""

    def __init__(self):
        self.of_state = []
        for state in range(256):
            u, d = divmod(state, 16)
            first = 64 * ((2 * u + 1) * 32768 // (u + d + 1))
            self.of_state.append(Probability(first, 4))

    def of(self, history):
        u, d = history
        return self.of_state[16 * u + d]


def hash_of(a, b, *more):
    """6.7, hash."""
    h = (a ^ (b * 0x9E3779B1 & U32)) * 0x85EBCA6B & U32
    h = (h ^ h >> 15) * 0xC2B2AE35 & U32
    h ^= h >> 13
    return hash_of(h, *more) if more else h


@dataclass
class Slot:
    """6.7, history table: one of its slots."""

    check: int = 0
    history: tuple = (0, 0)

    def add(self, bit):
        self.history = added(self.history, bit)


class HistoryTable:
    """6.7, history table of 2^t slots."""

    def __init__(self, t):
        self.shift = 32 - t
        self.slots = defaultdict(Slot)

    def look_up(self, h):
        slot = self.slots[h >> self.shift]
        if slot.check != h & 255:
            slot.check, slot.history = h & 255, (0, 0)
        return slot


def _squashed():
    """6.7, logistic tables: squash of 0..3071."""
    found, e = [], 1 << 40
    for _ in range(LIMIT + 1):
        found.append((1 << 56) // ((1 << 40) + e))
        e -= e >> 8
    return found


UPPER = _squashed()
SQUASHED = [65536 - p for p in reversed(UPPER[1:])] + UPPER


def squash(x):
    return SQUASHED[clip(x, -LIMIT, LIMIT) + LIMIT]


STRETCHED = [bisect_left(SQUASHED, 16 * high + 8) - LIMIT for high in range(4096)]


def stretch(p):
    return STRETCHED[p >> 4]


class Mixer:
    """6.7, mixer of so many inputs."""

    def __init__(self, inputs, sets):
        self.sets = [[FIRST_WEIGHT] * inputs + [0] for _ in range(sets)]

    def bit(self, coder, inputs, number):
        """A bit by the weights of that number; an input that is absent is None."""
        weights = self.sets[number]
        s = [stretch(one.value()) if one else 0 for one in inputs] + [BIAS]
        p = squash(sum(w * x for w, x in zip(weights, s, strict=True)) >> 16)
        bit = coder.bit(p)
        for i, x in enumerate(s):
            learned = weights[i] + ((x * ((bit << 16) - p) + (1 << 14)) >> 15)
            weights[i] = clip(learned, -WEIGHT_LIMIT, WEIGHT_LIMIT)
        for one in inputs:
            if one:
                one.learn(bit)
        return bit


class BitsByHistories:
    """6.7, bit by histories: the mixer and the meanings."""

    def __init__(self, inputs, sets):
        self.mixer = Mixer(inputs, sets)
        self.meanings = [Meaning() for _ in range(inputs)]

    def bit(self, coder, table, contexts, node, number):
        slots, inputs = [], []
        for meaning, context in zip(self.meanings, contexts, strict=True):
            slots.append(table.look_up(hash_of(context, node)))
            inputs.append(meaning.of(slots[-1].history))
        bit = self.mixer.bit(coder, inputs, number)
        for slot in slots:
            slot.add(bit)
        return bit
