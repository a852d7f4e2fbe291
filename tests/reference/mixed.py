"""Mixed coding (7.1.12), one sample at a time, with exact integers of any size."""

from collections import defaultdict
from functools import cache
from math import isqrt

import numpy as np

from . import trained
from .binary import BinaryDecoder, squash, stretch
from .notation import ByteReader, clip, expect

U32 = (1 << 32) - 1
MIX = 0x85EBCA6B
GOLDEN = 0x9E3779B1
MOST = (1 << 28) - 1  # of the scaled sums of a fit
LOGIT = 2047
SOFT = [177, 121, 80, 51, 32, 20, 12, 8, 5, 3, 2, 1, 1, 0, 0, 0, 0]
NODES = 64
OWN = [
    *[(-1, 0), (0, -1), (-1, -1), (1, -1), (-2, 0), (0, -2), (1, -2), (-1, -2)],
    *[(-2, -1), (2, -1), (-3, 0), (0, -3), (2, -2), (-2, -2)],
]
W, N, NW, NE, WW, NN = OWN[:6]


def quotient(a, b):
    """Rounded towards zero."""
    return a // b if a >= 0 else -(-a // b)


def int16(v):
    return clip(v, -32768, 32767)


def half(v):
    if v < 2:
        return 0
    t = v.bit_length() - 1
    return 2 * t + (v >> (t - 1) & 1)


def eighth(v):
    return min(7, half(v + 1))


def rate(m):
    return max(1024, 327675 // (5 * m + 8))


def high(a, b):
    return a * b >> 32


def median(a, b, c):
    return sorted((a, b, c))[1]


def soft(x):
    a = min(abs(x), LOGIT)
    i, k = a >> 7, a & 127
    return max(x, 0) + SOFT[i] - ((SOFT[i] - SOFT[i + 1]) * k >> 7)


@cache
def _decays():
    e = [1 << 40]
    for _ in range(3071):
        e.append(e[-1] - (e[-1] >> 8))
    return e


@cache
def step(i):
    if i >= 2048:
        return i
    e = _decays()
    left, gone = e[i], e[0] - e[i]

    def reached(x):
        if x >= 0:
            return (e[x] >> 12) * (gone >> 12) >> 16 <= left
        return gone <= (e[-x] >> 12) * (left >> 12) >> 16

    low, above = -LOGIT, 3071
    while low < above:
        middle = (low + above) // 2
        if reached(middle):
            above = middle
        else:
            low = middle + 1
    return low


@cache
def inverse_root(i):
    return isqrt((1 << 60) // i)


def join(k, *numbers):
    h = k * GOLDEN & U32
    for v in numbers:
        h = (h ^ (v & U32)) * MIX & U32
        h ^= h >> 15
    return h


class Counter:
    def __init__(self):
        self.p, self.m, self.check = 32768, 0, 0

    def learn(self, bit):
        self.p += ((65535 if bit else 0) - self.p) * rate(self.m) >> 16
        self.m = min(self.m + 1, 60)


class Memory:
    def __init__(self, samples):
        self.k = clip(samples.bit_length() - 2, 8, 17)
        self.slots = {}

    def at(self, x, t):
        line = ((x + t // 16 * GOLDEN) * MIX & U32) >> (32 - self.k)
        key, check = (line, t % 16), x & 255
        slot = self.slots.setdefault(key, Counter())
        if slot.check != check:
            # In place: two memories that meet in a slot both teach what is in it in the end.
            slot.p, slot.m, slot.check = 32768, 0, check
        return slot


class Fit:
    """Local least squares: sums of products as upper triangles, by (j, i)."""

    def __init__(self, features):
        self.n = features
        self.pairs = [(j, i) for i in range(features + 1) for j in range(i + 1)]
        zero = dict.fromkeys(self.pairs, 0)
        self.above = defaultdict(lambda: dict(zero))
        self.zero = zero
        self.weights, self.residual = [0] * features, 0
        self.start_row()

    def start_row(self):
        self.left, self.own, self.pixels = dict(self.zero), {}, []

    def add(self, f, q):
        self.pixels.append((f, [min(32767, (v * q + 4) >> 3) for v in f]))

    def close(self, block):
        if not self.pixels:
            return
        own = {(j, i): sum(g[j] * f[i] for f, g in self.pixels) for j, i in self.pairs}
        self.pixels, self.own[block] = [], own
        above = self.above[block]
        for key, c in own.items():
            t = above[key] + c + self.left[key]
            above[key] = t - (t >> 2)
            self.left[key] = (self.left[key] >> 2) + c

    def end_row(self):
        right = dict(self.zero)
        for block in sorted(self.own, reverse=True):
            for key, c in self.own[block].items():
                self.above[block][key] += right[key] - (right[key] >> 2)
                right[key] = (right[key] >> 2) + c

    def solve(self, block):
        n = self.n
        g = {key: self.above[block][key] + self.left[key] for key in self.pairs}
        total = g[n - 1, n - 1]
        for i in range(n):
            g[i, i] += (g[i, i] >> 11) + 64
        a = [(28 - min(28, g[i, i].bit_length())) >> 1 for i in range(n + 1)]
        for j, i in self.pairs:
            m = a[i] + a[j]
            if j == i < n:
                g[i, i] = min(g[i, i] << m, MOST)
            else:
                g[j, i] = clip(g[j, i], -(MOST >> m), MOST >> m) << m
        pivots = self._eliminate(g)
        x = [0] * n
        for k in reversed(range(n)):
            if k in pivots:
                root, e = pivots[k]
                known = sum(high(g[k, i], x[i]) for i in range(k + 1, n))
                x[k] = clip(((g[k, n] >> 10) - known) * root >> (27 - e), -MOST, MOST)
        self.weights = [clip((4 * x[k]) >> (12 - a[k] + a[n]), -32767, 32767) for k in range(n)]
        left = max(0, g[n, n]) >> 2 * a[n]
        self.residual = isqrt(min(1 << 22, 256 * left // ((total >> 2) + 1)))

    def _eliminate(self, g):
        n, pivots = self.n, {}
        for k in range(n):
            p = g[k, k]
            if p < 1 << 13:
                for i in range(k, n + 1):
                    g[k, i] = 0
                continue
            e = (28 - p.bit_length()) >> 1
            m = p << 2 * e
            i = m >> 20
            drop = (inverse_root(i) - inverse_root(i + 1)) * (m % (1 << 20)) >> 20
            root = min(16 * (inverse_root(i) - drop), (1 << 31) - 1)
            pivots[k] = root, e
            for i in range(k, n + 1):
                g[k, i] = high(clip(g[k, i], -(MOST >> e), MOST >> e) << (e + 3), root)
            for j in range(k + 1, n + 1):
                u = 4 * clip(g[k, j], -(1 << 29) + 1, (1 << 29) - 1)
                for i in range(j, n + 1):
                    g[j, i] = clip(g[j, i] - high(u, g[k, i]), -MOST, MOST)
        return pivots


class Place:
    """What is known of one pixel of one plane."""

    def __init__(self, sample, d=0, errors=(0,) * 8):
        self.sample, self.d, self.errors = sample, d, errors


class Plane:
    def __init__(self, role, start, features):
        self.role = role
        self.fit = Fit(features)
        self.lms = [0] * features
        self.counters = defaultdict(Counter)
        self.sets, self.decisions = {}, 0
        self.cells = {}
        self.start = Place(start)
        self.rows = {}


class Mixed:
    def __init__(self, coder, starts, alpha, most, shift, width, pixels):
        self.coder, self.most, self.s, self.width = coder, most, shift, width
        self.bits = most.bit_length()
        count = len(starts)
        self.colours = count - alpha
        self.planes = []
        for c, start in enumerate(starts):
            features = 14 + 4 * c + 2 * max(0, self.colours - c - 1) + 1
            self.planes.append(Plane(c if c < self.colours else 0, start, features))
        self.memory = Memory(pixels * count)
        self.y = 0

    def place(self, c, x, dx, dy):
        plane = self.planes[c]
        x, y = x + dx, self.y + dy
        if x < 0:
            x, y = 0, y - 1
        if y < 0:
            return plane.start
        return plane.rows[y][min(x, self.width - 1)]

    def sample(self, c, x, where=(0, 0)):
        return self.place(c, x, *where).sample

    def row(self, inside):
        """Decode a row; returns lists of samples by column, None where no pixel is."""
        found = [[None] * self.width for _ in self.planes]
        for plane in self.planes:
            plane.rows[self.y] = [None] * self.width
            plane.fit.start_row()
        solved = started = False
        for x in range(self.width):
            if x % 8 == 0:
                self.close(x // 8 - 1)
                solved = False
            if inside[x]:
                if not solved:
                    for plane in self.planes:
                        plane.fit.solve(x // 8)
                solved = started = True
            for c, plane in enumerate(self.planes):
                if inside[x]:
                    found[c][x] = self.code(c, x)
                else:
                    plane.rows[self.y][x] = self.place(c, x, *(W if started else N))
        self.close((self.width - 1) // 8)
        for plane in self.planes:
            plane.fit.end_row()
        self.y += 1
        return found

    def close(self, block):
        for plane in self.planes:
            plane.fit.close(block)

    def code(self, c, x):
        plane, s, most = self.planes[c], self.s, self.most
        w, n, nw, ne, ww, nn = (self.sample(c, x, where) for where in OWN[:6])
        base = (3 * w + 3 * n + ne + nw + 4) >> 3
        here = [self.place(d, x, 0, 0) for d in range(c)]

        # Energy
        around = [self.place(c, x, *where) for where in OWN[:6]]

        def summed(values):
            return 2 * (values[0] + values[1]) + sum(values[2:])

        act = abs(w - nw) + abs(nw - n) + abs(n - ne) + abs(w - ww) + abs(n - nn)
        energy = 2 * summed([p.d for p in around]) + 4 * (act >> s)
        if plane.role == 1:
            energy += 4 * here[0].d
        if plane.role == 2:
            energy += 3 * (here[0].d + here[1].d)
        e = min(23, half((energy >> 3) + 1))

        # Features
        def feature(a):
            return clip(a >> s, -2047, 2047)

        f = [feature(self.sample(c, x, where) - base) for where in OWN]
        for d in range(c):
            f += [feature(here[d].sample - self.sample(d, x, at)) for at in (W, N, NW, NE)]
        for d in range(c + 1, self.colours):
            f += [feature(self.sample(d, x, at) - self.sample(d, x, NW)) for at in (W, N)]
        f.append(2)

        # Predictions
        p = self.predictions(c, x, plane, base, f)
        sums = [summed([place.errors[k] for place in around]) for k in range(8)]
        trust = [
            max(1, 375000000000 // (5 * min(1024, total >> 2) + 6) ** 3) << (k == 0)
            for k, total in enumerate(sums)
        ]
        others = [k for k in range(8) if k != 2]
        p[2] = quotient(sum(trust[k] * p[k] for k in others), sum(trust[k] for k in others))
        order = sum((64 * v > p[2]) << i for i, v in enumerate((w, n, nw, ne, ww, nn)))
        bias, m = plane.cells.get((order, e), (0, 0))
        final = clip(p[2] + ((bias >> 6) * (256 * m // (m + 12)) >> 8), 0, 64 * most)
        guess = (final + 32) >> 6
        part = final - 64 * guess

        # What decisions are made of
        self.means = [p[0], p[1], p[2], final] * 2
        self.inverse = []
        for j in range(4):
            spread = (sums[min(j, 2)] * 10 >> 6) + (energy * 37 >> 9)
            scale = max(5, (spread + (plane.fit.residual * 20 >> 4) + 8) >> 1)
            self.inverse.append(min((1 << 20) // scale, 1 << 17))
        self.inverse += [v * 9 >> 4 for v in self.inverse]
        q0 = eighth(here[0].d >> 2) if c > 0 else 0
        q1 = eighth(here[1].d >> 2) if c > 1 else 0
        if c > 0:
            by_errors = 4 * q0 + min(3, q1)
        else:
            by_errors = 4 * eighth(around[0].d >> 2) + min(3, eighth(around[1].d >> 2) // 2)
        self.context = (
            plane,
            (8 * order + e // 3, 4 * (guess >> (self.bits - 8)) + ((part + 32) >> 4)),
            self.memories(c, x, base, e),
            (e, by_errors),
        )
        v = self.decided(guess, part, energy)

        # Learning
        errors = tuple(min(4095, abs(64 * v - p[k]) >> (2 + s)) for k in range(8))
        d = min(2047, abs(64 * v - final) >> (3 + s))
        plane.rows[self.y][x] = Place(v, d, errors)
        bias += (64 * (64 * v - p[2]) - bias) * rate(m + 3) >> 16
        plane.cells[order, e] = bias, min(m + 1, 60)
        a = clip((64 * v - p[1]) >> s, -4096, 4096)
        g = clip(quotient(167744 * a, sum(i * i for i in f) + 220), -(1 << 20), 1 << 20)
        plane.lms = [
            clip(weight + (g * i >> 12), -(1 << 19) + 16, (1 << 19) - 1)
            for weight, i in zip(plane.lms, f, strict=True)
        ]
        f.append(feature(v - base))
        largest, mean = max(1, *(abs(i) for i in f)), 16 + (sums[0] >> 3)
        q = min((1 << 20) // mean**2, (1 << 24) // largest**2, (1 << 18) // largest)
        plane.fit.add(f, max(1, q))
        return v

    def predictions(self, c, x, plane, base, f):
        w, n, nw, ne, ww, nn = (self.sample(c, x, where) for where in OWN[:6])

        def fit(weights):
            total = sum(a * b for a, b in zip(f, weights, strict=True))
            return clip(64 * base + ((total >> 6) << self.s), -64, 64 * (self.most + 1))

        p = [fit(plane.fit.weights), fit([v >> 4 for v in plane.lms]), None]
        p.append(64 * median(w, n, w + n - nw))
        if plane.role == 0:
            p.append(64 * n + 32 * (ne - n) + 32 * (w - nw))
            p.append(64 * w + 16 * (ne - nw) + 16 * (n - nw))
            return [*p, 64 * (2 * n - nn), 64 * (2 * w - ww)]

        def apart(d):
            return [v - self.sample(d, x, at) for v, at in ((w, W), (n, N), (nw, NW))]

        z = self.sample(0, x)
        dw, dn, dnw = apart(0)
        p.append(64 * (z + median(dw, dn, dw + dn - dnw)))
        p.append(64 * z + 32 * (dw + dn))
        if plane.role == 1:
            return [*p, 64 * (w + z - self.sample(0, x, W)), 64 * (n + z - self.sample(0, x, N))]
        t = self.sample(1, x)
        ew, en, enw = apart(1)
        p.append(64 * (t + median(ew, en, ew + en - enw)))
        return [*p, 32 * (t + z) + 16 * (ew + en) + 16 * (dw + dn)]

    def memories(self, c, x, base, e):
        w, n = self.sample(c, x, W), self.sample(c, x, N)
        y = [n, w]
        left = [self.sample(c, x, NN), self.sample(c, x, WW)]
        up = [self.sample(c, x, NE), self.sample(c, x, NW)]
        for d in range(min(c, 2)):
            z = y[d] = self.sample(d, x)
            left[d], up[d] = z - self.sample(d, x, W), z - self.sample(d, x, N)
        near = base
        if self.planes[c].role > 0:
            z = self.sample(0, x)
            toward = w - self.sample(0, x, W) + n - self.sample(0, x, N)
            near = max(0, z + (toward >> 1))
        self.near = near
        contexts = [(*up, n), (*left, w), (y[0], 0, 0), (*y, e // 4), (*y, 0), (y[0], near // 4, 0)]
        return [join(8 * c + 1 + i, *numbers) for i, numbers in enumerate(contexts)]

    def z(self, t):
        return [
            clip((64 * t - 32 - mean) >> self.s, -8191, 8191) * v >> 12
            for mean, v in zip(self.means, self.inverse, strict=True)
        ]

    def u(self, h):
        width = min(64 * h >> self.s, 8191)
        return [step(min(width * v >> 12, 4096)) for v in self.inverse]

    def decided(self, guess, part, energy):
        t = min(guess + (part >= 0), self.most)
        size = sum(energy // 22 > limit for limit in (24, 48, 96, 192))
        z = self.z(t)
        above = self.decide(int(part < 0), t, [-v for v in z])
        h = 1 << (size + self.s)
        low, top = (t, self.most + 1) if above else (0, t)
        k, u = 0, self.u(h)
        while top - low > h:
            b = low + h if above else top - h
            if above:
                o = [soft(-v) - w for v, w in zip(z, u, strict=True)]
            else:
                o = [w - soft(v) for v, w in zip(z, u, strict=True)]
            bit = self.decide(2 + 10 * above + 20 * (size > 1) + min(k, 9), b, o)
            if bit:
                low = b
            else:
                top = b
            if bit != above:
                break
            z = self.z(b)
            k += 1
            if k >= 7:
                h *= 2
                u = self.u(h)
        i = 0
        while top - low > 1:
            b = (low + top) >> 1
            ends = zip(self.z(low), self.z(b), self.z(top), strict=True)
            o = [last - mid + soft(first) - soft(last) for first, mid, last in ends]
            bit = self.decide(42 + min(i, 4) + 5 * above + 10 * (k > 0), b, o)
            if bit:
                low = b
            else:
                top = b
            i += 1
        return low

    def decide(self, node, t, o):
        plane, numbers, contexts, (energy, errors) = self.context
        inputs = [clip(v, -LOGIT, LOGIT) for v in o]
        counters = [plane.counters[i, k, node] for i, k in enumerate(numbers)]
        inputs += [stretch(counter.p) for counter in counters]
        for x in contexts:
            counters.append(self.memory.at(x, t))
            inputs.append(stretch(counters[-1].p))
        inputs.append(80)
        sure = [sum(k.m >= least for least in (1, 2, 4, 9, 20)) for k in counters[2:4]]
        sets = [
            self.weights(plane, number, node, i)
            for number, i in enumerate((energy, errors, 6 * sure[0] + sure[1]))
        ]
        weights = [int16(int16(a + b) + c) for a, b, c in zip(*sets, strict=True)]
        total = sum(a * b for a, b in zip(inputs, weights, strict=True)) >> 14
        p = squash(clip(total, -LOGIT, LOGIT))
        bit = self.coder.bit(p)
        done = plane.decisions
        g = 6 if done < 20000 else 4 if done < 100000 else 3 if done < 300000 else 2
        plane.decisions += 1
        by = ((bit << 16) - p) * g >> 6
        for weights in sets:
            for i, v in enumerate(inputs):
                weights[i] = int16(weights[i] + ((v * by + (1 << 14)) >> 15))
        for counter in counters:
            counter.learn(bit)
        return bit

    @staticmethod
    def weights(plane, number, node, i):
        key = number, node, i
        if key not in plane.sets:
            start = trained.mixer()[(plane.role * 3 + number) * NODES + node]
            plane.sets[key] = list(start)
        return plane.sets[key]


def decode_mixed(payload, region, planes, alpha, most):
    """The planes, in their order: (height, width, planes), 0 outside the region.

    alpha: whether the last one is.
    """
    out = np.zeros((*region.shape, planes), np.uint16 if most > 255 else np.uint8)
    rows, columns = np.flatnonzero(region.any(axis=1)), np.flatnonzero(region.any(axis=0))
    if not len(rows):
        expect(not payload, "bytes for an empty region")
        return out
    source = ByteReader(payload)
    deep = most > 255
    shift = source.take(1)[0] if deep else 0
    expect(shift <= 8, "shift outside its range")
    starts = [int.from_bytes(source.take(1 + deep), "little") for _ in range(planes)]
    coder = BinaryDecoder(source.rest())
    left, width = columns[0], int(columns[-1] - columns[0]) + 1
    mixed = Mixed(coder, starts, alpha, most, shift, width, int(region.sum()))
    for y in rows:
        for c, row in enumerate(mixed.row(region[y, left : left + width])):
            for x, v in enumerate(row):
                if v is not None:
                    out[y, left + x, c] = v
    coder.finish()
    return out
