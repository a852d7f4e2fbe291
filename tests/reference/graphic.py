"""Graphics (7.1.7)."""

from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass
from itertools import product

import numpy as np

from .binary import (
    BinaryDecoder,
    BitsByHistories,
    HistoryTable,
    Meaning,
    Mixer,
    Probability,
    added,
    hash_of,
)
from .matches import MOST_TRUST, Matches, depth
from .notation import clip, expect, med, unzigzag
from .surroundings import Neighbours, Rows, is_flat, neighbourhoods
from .wavefront import bounding_box

CANDIDATES = 4
MOST_COLOURS = 1 << 14


def channels_of_pixel(pixel, channels):
    """7.1.7, pixels: the channels of a number."""
    if channels < 3:
        return list(pixel.to_bytes(channels, "big"))
    g, r, b, *alpha = pixel.to_bytes(channels, "big")
    return [(r + g - 128) % 256, g, (b + g - 128) % 256, *alpha]


@dataclass(frozen=True)
class Memory:
    """7.1.7, memories: (check, history, pixel)."""

    check: int = 0
    history: tuple = (0, 0)
    pixel: int = 0

    def of(self, h):
        """Itself where it is met, else None."""
        return self if self.check == h & 0xFFFFFF else None


class Memories:
    """7.1.7, memories: all 2^b of them."""

    def __init__(self, b):
        self.shift = 32 - b
        self.places = defaultdict(Memory)

    def read(self, hashes):
        """For every neighbourhood the memory that is met, or None."""
        return [self.places[h >> self.shift].of(h) for h in hashes]

    def learn(self, hashes, read, pixel):
        for h, memory in zip(hashes, read, strict=True):
            history = added(memory.history, memory.pixel == pixel) if memory else (0, 0)
            self.places[h >> self.shift] = Memory(h & 0xFFFFFF, history, pixel)


class Candidates:
    """7.1.7, candidates."""

    def __init__(self, coder, b):
        self.coder = coder
        self.mixer = Mixer(7, 32 * CANDIDATES)
        self.meanings = {key: Meaning() for key in product((1, 2, 3), (False, True))}
        self.pairs = HistoryTable(min(b, 16))
        self.meaning_of_pair = Meaning()
        self.by_structure = defaultdict(Probability)
        self.by_agreement = defaultdict(Probability)
        self.by_match = defaultdict(Probability)
        self.outcomes = 0

    def find(self, near, h0, memories, expected, refused):
        """The pixel if it is a candidate, else None."""
        met = [memory.pixel for memory in reversed(memories) if memory]
        met = [expected.pixel, *met] if expected else met
        known = [near.w] * refused + met + [near.w, near.n, near.slope, near.ne, near.nw]
        listed = list(dict.fromkeys(known))[:CANDIDATES]
        for rank, c in enumerate(listed):
            if rank < refused or not self._is_it(c, rank, near, h0, memories, expected):
                continue
            self._add_outcome(min(rank, 2))
            return c
        self._add_outcome(3)
        return None

    def _add_outcome(self, o):
        self.outcomes = (4 * self.outcomes + o) % 16

    def _is_it(self, c, rank, near, h0, memories, expected):
        equal, pattern = near.equal(c), near.pattern()
        agreement = 0
        for memory in memories:
            agreement = 4 * agreement + ((1 if memory.pixel == c else 2) if memory else 0)
        inputs = [self._of_memory(i, memories[i], c) for i in (1, 2, 3)]
        pair = self.pairs.look_up(hash_of(h0, c))
        inputs.append(self.meaning_of_pair.of(pair.history))
        structure = hash_of(equal + 128 * pattern + (rank << 14), self.outcomes) >> 16
        inputs.append(self.by_structure[structure])
        inputs.append(self.by_agreement[128 * agreement + equal])
        of_match, trusted = self._of_match(c, rank, expected)
        inputs.append(of_match)
        bit = self.mixer.bit(self.coder, inputs, 2 * (16 * rank + pattern % 16) + trusted)
        pair.add(bit)
        return bit

    def _of_match(self, c, rank, expected):
        if expected is None:
            return None, 0
        agrees, t, alike = expected.pixel == c, expected.match.trust, expected.alike
        assert t <= MOST_TRUST
        return self.by_match[agrees, t, alike, rank], int(agrees and alike + t > 8)

    def _of_memory(self, i, memory, c):
        return self.meanings[i, memory.pixel == c].of(memory.history) if memory else None


class OtherColours:
    """7.1.7, other colours. The colour set is a sorted list."""

    def __init__(self, coder, channels, b, matches):
        self.coder = coder
        self.channels = channels
        self.contexts = 5 if matches else 3
        self.seen = Probability()
        self.colours = []
        self.table = HistoryTable(b)
        self.seen_bits = BitsByHistories(6, 32)
        self.new_bits = BitsByHistories(self.contexts, 32)

    def find(self, near):
        if self.seen.bit(self.coder):
            return self._seen(near)
        colour = self._new(near)
        at = bisect_left(self.colours, colour)
        if self.colours[at : at + 1] != [colour] and len(self.colours) < MOST_COLOURS:
            self.colours.insert(at, colour)
        return colour

    def _seen(self, near):
        expect(self.colours, "a colour seen before the first")
        w, n, nw, ne = (near.bytes_of(pixel)[0] >> 5 for pixel in near.six[:4])
        contexts = [
            5,
            hash_of(6, near.w),
            hash_of(7, near.n),
            hash_of(8, near.w, near.ww),
            hash_of(9, near.slope),
            hash_of(10, w + 8 * n + 64 * nw + 512 * ne),
        ]
        v, low, high = 0, 0, len(self.colours)  # colours[low:high] have the bits of v
        for i in reversed(range(8 * self.channels)):
            node = (2 * v + 1) << i  # also the least colour with a 1 for this bit
            fork = bisect_left(self.colours, node, low, high)
            if low < fork < high:
                bit = self.seen_bits.bit(self.coder, self.table, contexts, node, i)
            else:
                bit = int(fork == low)
            low, high = (fork, high) if bit else (low, fork)
            v = 2 * v + bit
        return v

    def _new(self, near):
        known, differences = [], 0
        for c in range(self.channels):
            w, n, nw, ne, ww, nn = (near.bytes_of(pixel)[c] for pixel in near.six)
            if self.channels >= 3 and c in (1, 2):
                prediction = between(known[0], [near.bytes_of(pixel) for pixel in near.six], c)
            else:
                prediction = med(w, n, nw)
            a = 4 * c + sum(abs(w - n) >= step for step in (2, 8, 32))
            contexts = [
                hash_of(11, a),
                hash_of(12, c, differences, w + 256 * n),
                hash_of(13, a, differences % 256),
                hash_of(14, c, differences, (w - nw) % 256 + 256 * ((n - nw) % 256)),
                hash_of(
                    15, c, sum((d % 256) << 8 * k for k, d in enumerate((w - ww, n - nn, ne - n)))
                ),
            ][: self.contexts]
            node = 1
            for i in reversed(range(8)):
                bit = self.new_bits.bit(self.coder, self.table, contexts, node, 8 * c + i)
                node = 2 * node + bit
            z = node - 256
            differences = 256 * differences + z
            known.append((prediction + unzigzag(z)) % 256)
        return int.from_bytes(known, "big")


def between(g, six, c):
    """7.1.7, other colours: the prediction of byte c where G is g, from six neighbours' bytes."""
    lower = max((one for one in six if one[0] <= g), key=lambda one: one[0], default=None)
    upper = min((one for one in six if one[0] >= g), key=lambda one: one[0], default=None)
    if lower is None:
        return upper[c]
    if upper is None or lower[0] == upper[0]:
        return lower[c]
    (a, x), (b, y) = (lower[0], lower[c]), (upper[0], upper[c])
    return (x * (b - g) + y * (g - a) + (b - a) // 2) // (b - a)


class Graphic:
    """7.1.7: everything that the pixels of a band teach."""

    def __init__(self, coder, channels, width, height, matches):
        area = width * height
        b = clip(area.bit_length() + 1, 12, 20)
        self.coder = coder
        self.channels = channels
        self.flat = Probability()
        self.rows = Rows(width, depth(width)) if matches else Rows(width)
        self.matches = Matches(b, width) if matches else None
        self.memories = Memories(b)
        self.candidates = Candidates(coder, b)
        self.others = OtherColours(coder, channels, b, matches)

    def pixel(self, x):
        """The one at column x, of which those before it are known."""
        rows = self.rows
        rows.go_to(x)
        near = Neighbours(rows, self.channels)
        flat = is_flat(rows)
        if flat and self.flat.bit(self.coder):
            if self.matches:
                self.matches.go_on(rows)
            pixel = near.w
        else:
            pixel = self._by_neighbourhood(near, refused=flat)
        rows.put(pixel)
        return pixel

    def _by_neighbourhood(self, near, refused):
        hashes = neighbourhoods(self.rows, near)
        read = self.memories.read(hashes)
        expected = self.matches.find(self.rows, near, hashes[1]) if self.matches else None
        pixel = self.candidates.find(near, hashes[0], read, expected, refused)
        if pixel is None:
            pixel = self.others.find(near)
        self.memories.learn(hashes, read, pixel)
        if self.matches:
            self.matches.learn(self.rows, hashes[1], expected, pixel)
        return pixel

    def end_row(self):
        self.rows.end_row()
        if self.matches:
            self.matches.end_row()


def graphic_pixels(coder, region, channels, matches=True):
    """7.1.7: an array (height, width, channels) that is 0 outside the region."""
    pixels = np.zeros((*region.shape, channels), np.int64)
    if not region.any():
        return pixels
    place = bounding_box(region)
    box = region[place]
    graphic = Graphic(coder, channels, box.shape[1], box.shape[0], matches)
    for inside, out in zip(box, pixels[place], strict=True):
        for x in np.flatnonzero(inside).tolist():
            out[x] = channels_of_pixel(graphic.pixel(x), channels)
        if inside.any():
            graphic.end_row()
    return pixels


def decode_graphic(payload, region, channels, matches=True):
    """7.1.7: an array (height, width, channels) that is 0 outside the region."""
    decoder = BinaryDecoder(payload)
    pixels = graphic_pixels(decoder, region, channels, matches)
    decoder.finish()
    return pixels
