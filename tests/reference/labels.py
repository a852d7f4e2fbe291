"""The labels coder (7.5)."""

from collections import defaultdict

import numpy as np

from .binary import BinaryDecoder, Mixer, Probability

BLOCK = 8
MIXED = 4
FAR = 8
GUESSES = (512, 4096, 16384, 32768, 49152, 61440, 65024)


class Labels:
    """7.5: labels 0..n of a picture; those outside are 0."""

    def __init__(self, coder, height, width, n):
        self.coder = coder
        self.height, self.width, self.n = height, width, n
        self.values = np.zeros((height, width), np.uint8)
        self.rows, self.columns = -(-height // BLOCK), -(-width // BLOCK)
        self.states = {}
        self.west, self.north, self.other = (defaultdict(Probability) for _ in range(3))
        self.block_mixer = Mixer(3, 4)
        self.column, self.row, self.ten, self.sixteen = ({} for _ in range(4))
        self.edge, self.long, self.same, self.core = (defaultdict(Probability) for _ in range(4))
        self.mixer = Mixer(6, 16)

    def decode(self):
        for by in range(self.rows):
            for bx in range(self.columns):
                self.block(by, bx)
        for y in range(self.height):
            for x in range(self.width):
                if self.states[y // BLOCK, x // BLOCK] == MIXED:
                    self.values[y, x] = self.label(y, x)
        return self.values

    def block(self, by, bx):
        state = self.state(by, bx)
        self.states[by, bx] = state
        if state != MIXED:
            top, left = by * BLOCK, bx * BLOCK
            self.values[top : top + BLOCK, left : left + BLOCK] = state

    def state(self, by, bx):
        def at(rows, columns):
            return self.states.get((by + rows, bx + columns), 0)

        w, n = at(0, -1), at(-1, 0)
        near = w, n, at(-1, -1), at(-1, 1)
        far = (*near, at(0, -2), at(-2, 0), at(-1, 2))
        inputs = [self.west[w, n], self.west[near], self.west[far]]
        if self.block_mixer.bit(self.coder, inputs, 2 * (w == MIXED) + (n == MIXED)):
            return w
        if n != w and self.north[near].bit(self.coder):
            return n
        left = [s for s in (MIXED, *range(self.n + 1)) if s not in (w, n)]
        for state in left[:-1]:
            if self.other[state].bit(self.coder):
                return state
        return left[-1]

    def at(self, y, x):
        inside = 0 <= y < self.height and 0 <= x < self.width
        return int(self.values[y, x]) if inside else 0

    def label(self, y, x):
        def c(i, j):
            return int(self.at(y - j, x + i) != 0)

        f = c(-1, 0) + 2 * c(0, 1) + 4 * c(-1, 1) + 8 * c(1, 1)
        t = f + 16 * c(-2, 0) + 32 * c(-2, 1) + 64 * c(2, 1)
        t += 128 * c(-1, 2) + 256 * c(0, 2) + 512 * c(1, 2)
        big = t + 1024 * c(-3, 0) + 2048 * c(-3, 1) + 4096 * c(3, 1)
        big += 8192 * c(-2, 2) + 16384 * c(2, 2) + 32768 * c(0, 3)
        by, bx = y // BLOCK, x // BLOCK
        ahead = 3 * self.beyond(by + 1, bx) + self.beyond(by, bx + 1)
        e1, e2, e3 = edges(c)
        guess = GUESSES[2 * c(-1, 0) + 2 * c(0, 1) + c(-1, 1) + c(1, 1)]

        def guessed(table, key):
            if key not in table:
                table[key] = Probability(64 * guess, 1)
            return table[key]

        inputs = [
            guessed(self.column, (f, ahead, x % 8)),
            guessed(self.row, (f, ahead, y % 8)),
            guessed(self.ten, t),
            guessed(self.sixteen, big),
            self.edge[e1, e2, c(-1, 0)],
            self.long[e1, e2, e3, c(-1, 0)],
        ]
        if not self.mixer.bit(self.coder, inputs, f):
            return 0
        return self.core_label(y, x) if self.n > 1 else 1

    def beyond(self, by, bx):
        """1 where no label of the block is a core, 2 where all are of one, else 0."""
        state = self.states.get((by, bx), MIXED)
        return {0: 1, MIXED: 0}.get(state, 2)

    def core_label(self, y, x):
        around = [
            self.at(y - j, x + i) for i, j in ((-1, 0), (0, 1), (-1, 1), (1, 1), (-2, 0), (0, 2))
        ]
        like = next((label for label in around[:4] if label), 0)
        if like:
            key = tuple(0 if label == 0 else 1 if label == like else 2 for label in around)
            if self.same[key].bit(self.coder):
                return like
        left = [label for label in range(1, self.n + 1) if label != like]
        for label in left[:-1]:
            if self.core[label].bit(self.coder):
                return label
        return left[-1]


def edges(c):
    """7.5: E1, E2 and E3, None where there is none."""
    found, place = [], 0
    for row in (1, 2, 3):
        steps = [0] + [s * d for d in range(1, FAR + 1) for s in (1, -1)]
        step = next((s for s in steps if c(place + s - 1, row) != c(place + s, row)), None)
        if step is None:
            break
        found.append(step)
        place += step
    return found + [None] * (3 - len(found))


def decode_labels(payload, height, width, n):
    """7.5: the map, (height, width)."""
    decoder = BinaryDecoder(payload)
    labels = Labels(decoder, height, width, n).decode()
    decoder.finish()
    return labels
