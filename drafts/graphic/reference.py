"""Slow decoder of the graphic coder, written from format_graphic.md."""
import sys
import numpy as np

M = 0xFFFFFFFF

def hash_(a, *rest):
    for b in rest:
        h = ((a ^ (b * 0x9E3779B1 & M)) * 0x85EBCA6B) & M
        h = ((h ^ h >> 15) * 0xC2B2AE35) & M
        a = h ^ h >> 13
    return a

E = [1 << 40]
for _ in range(3071): E.append(E[-1] - (E[-1] >> 8))
def squash(x):
    x = max(-3071, min(3071, x))
    v = (1 << 56) // ((1 << 40) + E[abs(x)])
    return v if x >= 0 else 65536 - v
STRETCH = []
x = -3071
for q in range(4096):
    while squash(x) < 16 * q + 8: x += 1
    STRETCH.append(x)

class Probability:
    def __init__(self, P=1 << 21, n=0): self.P, self.n = P, n
    def value(self): return max(1, self.P >> 6)
    def learn(self, bit):
        self.P += ((((1 << 22) - 1 if bit else 0) - self.P) * (131072 // (2 * self.n + 3))) >> 16
        self.n = min(self.n + 1, 127)

def add(h, bit):
    u, d = h
    if not bit: u, d = d, u
    u = min(u + 1, 15)
    if d > 2: d = (d + 1) >> 1
    return (u, d) if bit else (d, u)

class Meaning:
    def __init__(self): self.p = {}
    def __getitem__(self, h):
        u, d = h
        return self.p.setdefault(h, Probability(64 * ((2 * u + 1) * 32768 // (u + d + 1)), 4))

class Decoder:
    def __init__(self, data):
        self.data, self.pos, self.range = data, 0, M
        self.offset = 0
        for _ in range(4): self.offset = self.offset << 8 | self.byte()
    def byte(self):
        if self.pos >= len(self.data): raise ValueError('cut')
        self.pos += 1
        return self.data[self.pos - 1]
    def bit(self, p):
        bound = self.range * p >> 16
        b = self.offset < bound
        if b: self.range = bound
        else: self.offset -= bound; self.range -= bound
        while self.range < 1 << 24:
            self.range <<= 8
            self.offset = self.offset << 8 | self.byte()
        return int(b)

class Mixer:
    def __init__(self, n): self.n, self.sets = n, {}
    def bit(self, d, inputs, number):
        w = self.sets.setdefault(number, [16384] * self.n + [0])
        s = [STRETCH[i.value() >> 4] if i else 0 for i in inputs] + [256]
        p = squash(sum(a * b for a, b in zip(w, s)) >> 16)
        bit = d.bit(p)
        for i in range(self.n + 1):
            w[i] = max(-(1 << 23), min(1 << 23, w[i] + ((s[i] * ((bit << 16) - p) + (1 << 14)) >> 15)))
        for i in inputs:
            if i: i.learn(bit)
        return bit

class Table:
    def __init__(self, t): self.t, self.slots = t, {}
    def look(self, h):
        n = h >> (32 - self.t)
        check, _ = self.slots.get(n, (0, (0, 0)))
        if check != h & 255: self.slots[n] = (h & 255, (0, 0))
        else: self.slots.setdefault(n, (0, (0, 0)))
        return n
    def history(self, n): return self.slots[n][1]
    def add(self, n, bit): self.slots[n] = (self.slots[n][0], add(self.slots[n][1], bit))

class ByHistories:
    def __init__(self, n): self.mixer, self.meanings = Mixer(n), [Meaning() for _ in range(n)]
    def bit(self, d, table, contexts, node, number):
        found, inputs = [], []
        for m, c in zip(self.meanings, contexts):
            n = table.look(hash_(c, node))
            found.append(n); inputs.append(m[table.history(n)])
        bit = self.mixer.bit(d, inputs, number)
        for n in found: table.add(n, bit)
        return bit

def med(w, n, nw):
    return min(w, n) if nw >= max(w, n) else max(w, n) if nw <= min(w, n) else w + n - nw

def decode(data, inside, C):
    H, W_ = inside.shape
    out = {}
    d = Decoder(data)
    ys, xs = np.nonzero(inside)
    if len(ys):
        Model(d, C, inside, out, ys.min(), ys.max(), xs.min(), xs.max())
    if d.offset or d.pos != len(data): raise ValueError('rest')
    return out

def Model(d, C, inside, out, top, bottom, left, right):
    width = int(right - left + 1); area = width * int(bottom - top + 1)
    b = max(12, min(20, area.bit_length() + 1))
    rows = [dict() for _ in range(5)]  # rows 1..5, columns with margin
    span = range(-6, width + 7)
    for r in rows:
        for i in span: r[i] = 0
    memories = {}
    flat, seen = Probability(), Probability()
    pairs, table = Table(min(b, 16)), Table(b)
    mixer, colours_mixer, new_mixer = Mixer(6), ByHistories(6), ByHistories(3)
    memory_meanings = {(i, a): Meaning() for i in (1, 2, 3) for a in (0, 1)}
    pair_meaning = Meaning()
    structure, agreements = {}, {}
    colours = set(); outcomes = 0
    for y in range(top, bottom + 1):
        cols = [x for x in range(width) if inside[y, left + x]]
        if not cols: continue
        row = {}
        for i in range(-6, cols[0]): row[i] = rows[0][cols[0]]
        last = None
        for x in cols:
            if last is not None:
                for i in range(last + 1, x): row[i] = row[last]
            last = x
            at = lambda k, i: row[x + i] if k == 0 else rows[k - 1][x + i]
            W, N, NW, NE, WW, NN = at(0, -1), at(1, 0), at(1, -1), at(1, 1), at(0, -2), at(2, 0)
            byte = lambda v, c: v >> 8 * (C - 1 - c) & 255
            S = 0
            for c in range(C): S = S << 8 | (byte(W, c) + byte(N, c) - byte(NW, c)) % 256
            refused = False
            around = [(0, i) for i in range(-3, 0)] + [(1, i) for i in range(-2, 5)] + [(2, i) for i in range(-1, 4)] + [(3, 0), (3, 1)]
            if all(at(*p) == W for p in around):
                bit = d.bit(flat.value()); flat.learn(bit)
                if bit:
                    row[x] = W; out[y, left + x] = W
                    continue
                refused = True
            def poly(k, first, end):
                s = 0
                for i in range(first, end + 1): s = (s * 0x2F0B4C47 + at(k, i)) & M
                return s
            Hs = [hash_(1, W, N), hash_(2, poly(0, -2, -1), poly(1, -1, 1), NN),
                  hash_(3, poly(0, -3, -1), poly(1, -2, 3), poly(2, -1, 2)),
                  hash_(4, poly(0, -6, -1), poly(1, -5, 6), poly(2, -4, 5), poly(3, -4, 4), poly(4, -3, 3), poly(5, -2, 2))]
            read = [memories.get(h >> (32 - b), (0, (0, 0), 0)) for h in Hs]
            met = [m[0] == h & 0xFFFFFF for m, h in zip(read, Hs)]
            todo = ([W] if refused else []) + [read[i][2] for i in (3, 2, 1, 0) if met[i]] + [W, N, S, NE, NW]
            cands = list(dict.fromkeys(todo))[:4]
            pattern = (W == N) + 2 * (N == NW) + 4 * (N == NE) + 8 * (W == NW) + 16 * (W == WW) + 32 * (N == NN) + 64 * (NE == at(1, 2))
            pixel = None
            for r in range(int(refused), len(cands)):
                c = cands[r]
                equal = sum(v << i for i, v in enumerate([c == W, c == N, c == NW, c == NE, c == WW, c == NN, c == S]))
                agreement = 0
                for i in range(4): agreement = 4 * agreement + (0 if not met[i] else 1 if read[i][2] == c else 2)
                inputs = [memory_meanings[i, int(read[i][2] == c)][read[i][1]] if met[i] else None for i in (1, 2, 3)]
                slot = pairs.look(hash_(Hs[0], c))
                inputs.append(pair_meaning[pairs.history(slot)])
                inputs.append(structure.setdefault(hash_(equal + 128 * pattern + (r << 14), outcomes) >> 16, Probability()))
                inputs.append(agreements.setdefault(128 * agreement + equal, Probability()))
                bit = mixer.bit(d, inputs, 16 * r + pattern % 16)
                pairs.add(slot, bit)
                if bit: pixel = c; break
            if pixel is not None: o = min(r, 2)
            else:
                o = 3
                bit = d.bit(seen.value()); seen.learn(bit)
                if bit:
                    if not colours: raise ValueError('empty')
                    q = lambda v: byte(v, 0) >> 5
                    ctx = [5, hash_(6, W), hash_(7, N), hash_(8, W, WW), hash_(9, S), hash_(10, q(W) + 8 * q(N) + 64 * q(NW) + 512 * q(NE))]
                    left_ = list(colours); v = 0
                    for i in range(8 * C - 1, -1, -1):
                        kinds = {k >> i & 1 for k in left_}
                        bit = kinds.pop() if len(kinds) == 1 else colours_mixer.bit(d, table, ctx, (2 * v + 1) << i, i)
                        left_ = [k for k in left_ if k >> i & 1 == bit]; v = 2 * v + bit
                    pixel = v
                else:
                    pixel = D = 0
                    for c in range(C):
                        w, n, nw = byte(W, c), byte(N, c), byte(NW, c)
                        p = med(w, n, nw)
                        if C >= 3 and c in (1, 2):
                            g = pixel >> 8 * (c - 1); six = [W, N, NW, NE, WW, NN]
                            lo = max([k for k in six if byte(k, 0) <= g], key=lambda k: byte(k, 0), default=None)
                            hi = min([k for k in six if byte(k, 0) >= g], key=lambda k: byte(k, 0), default=None)
                            if lo is None: p = byte(hi, c)
                            elif hi is None or byte(lo, 0) == byte(hi, 0): p = byte(lo, c)
                            else:
                                a_, b_ = byte(lo, 0), byte(hi, 0)
                                p = (byte(lo, c) * (b_ - g) + byte(hi, c) * (g - a_) + (b_ - a_) // 2) // (b_ - a_)
                        s = abs(w - n); a = 4 * c + (0 if s < 2 else 1 if s < 8 else 2 if s < 32 else 3)
                        ctx = [hash_(11, a), hash_(12, c, D, w + 256 * n), hash_(13, a, D % 256)]
                        node = 1
                        for i in range(7, -1, -1): node = 2 * node + new_mixer.bit(d, table, ctx, node, 8 * c + i)
                        z = node & 255; D = 256 * D + z
                        pixel = pixel << 8 | (p + ((z >> 1) if z % 2 == 0 else -(z + 1) // 2)) % 256
                    if len(colours) < 1 << 14: colours.add(pixel)
            outcomes = (4 * outcomes + o) % 16
            for i in range(4):
                h = add(read[i][1], read[i][2] == pixel) if met[i] else (0, 0)
                memories[Hs[i] >> (32 - b)] = (Hs[i] & 0xFFFFFF, h, pixel)
            row[x] = pixel; out[y, left + x] = pixel
        for i in range(-6, cols[0]): row[i] = row[cols[0]]
        for i in range(last + 1, width + 7): row[i] = row[last]
        rows = [row] + rows[:4]

def unpack(v, C):
    if C == 1: return (v,)
    if C == 2: return (v >> 8, v & 255)
    a = ()
    if C == 4: a = (v & 255,); v >>= 8
    g = v >> 16
    return ((v >> 8) + g - 128) % 256, g, (v + g - 128) % 256, *a

raw = open(sys.argv[1], 'rb').read(); pos = 0; n = 0
while pos < len(raw):
    w, h, C, size = np.frombuffer(raw, '<i4', 4, pos); pos += 16
    inside = np.frombuffer(raw, 'u1', w * h, pos).reshape(h, w) > 0; pos += w * h
    px = np.frombuffer(raw, 'u1', w * h * C, pos).reshape(h, w, C); pos += w * h * C
    got = decode(raw[pos:pos + size], inside, int(C)); pos += int(size)
    assert len(got) == inside.sum()
    for (y, x), v in got.items(): assert unpack(v, C) == tuple(px[y, x]), (n, y, x)
    n += 1
print(n, 'pictures decoded alike')
