"""A second AIG decoder: slow, plain Python and NumPy, written from docs/format.md alone.

It is the oracle for the kernels, so it shares nothing with them: no code, no tables, no shortcuts.
Numbers in docstrings are sections of docs/format.md.  Whatever it refuses, it refuses with
`BadFile`.
"""

import json
import struct
import zlib
from bisect import bisect_right
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor, isqrt

import numpy as np

BACKGROUND, CORE, MID = 0, 1, 5
UPTO = ("core", "preview", "mid", "full")


class BadFile(ValueError):
    """The bytes are not a valid file, segment or payload."""


def expect(condition, what):
    if not condition:
        raise BadFile(what)


# ---------------------------------------------------------------------------------------------
# Notation (the introduction of the page)


def clip(value, low, high):
    return min(max(value, low), high)


def unzigzag(code):
    return code >> 1 if code % 2 == 0 else -((code + 1) >> 1)


def med(w, n, nw):
    if nw >= max(w, n):
        return min(w, n)
    if nw <= min(w, n):
        return max(w, n)
    return w + n - nw


def reached(thresholds, value):
    """How many of the (ascending) thresholds the value reaches."""
    return bisect_right(thresholds, value)


class ByteReader:
    """Bytes from the front; asking for more than there are is an error."""

    def __init__(self, data):
        self.data = bytes(data)
        self.position = 0

    def take(self, count):
        expect(count <= len(self.data) - self.position, "the data end too early")
        self.position += count
        return self.data[self.position - count : self.position]

    def rest(self):
        return self.take(len(self.data) - self.position)

    def done(self):
        return self.position == len(self.data)

    def varint(self, most_bytes=5):
        value = 0
        for index in range(most_bytes):
            byte = self.take(1)[0]
            value |= (byte & 127) << (7 * index)
            if byte < 128:
                return value
        raise BadFile("a varint does not end")


# ---------------------------------------------------------------------------------------------
# Snappy's raw block format (the metadata and 6.3)


def unpack_snappy(block, most=1 << 28):
    """One raw Snappy block: literals and copies of what is already there."""
    source = ByteReader(block)
    length = source.varint()
    expect(length <= most, "a Snappy block claims too much")
    out = bytearray()
    while not source.done():
        tag = source.take(1)[0]
        kind, size = tag & 3, tag >> 2
        if kind == 0:
            if size >= 60:
                size = int.from_bytes(source.take(size - 59), "little")
            out += source.take(size + 1)
        else:
            if kind == 1:
                count = 4 + (size & 7)
                back = (size >> 3) << 8 | source.take(1)[0]
            else:
                count = size + 1
                back = int.from_bytes(source.take(2 if kind == 2 else 4), "little")
            expect(1 <= back <= len(out), "a Snappy copy reaches before the start")
            for _ in range(count):
                out.append(out[-back])
        expect(len(out) <= length, "a Snappy block holds more than it claims")
    expect(len(out) == length, "a Snappy block holds less than it claims")
    return bytes(out)


def varint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def pack_snappy(data):
    """A raw Snappy block of literals alone."""
    out = varint(len(data))
    for start in range(0, len(data), 60):
        piece = data[start : start + 60]
        out += bytes([(len(piece) - 1) << 2]) + piece
    return out


# ---------------------------------------------------------------------------------------------
# Container (1 to 4)

MAGIC = b"AIG2"
HEADER_BYTES = 34
MODES = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}
KINDS = ("core", "preview", "alpha", "mid", "background", "boundary", "icc", "exif", "xmp")
CODERS = {"lossless": 1, "palette": 1, "dct": 1, "boundary": 1, "raw": 1}


@dataclass(frozen=True)
class Focus:
    """One center with what surrounds it; Sigma and the radii are exact."""

    x: int
    y: int
    core: Fraction
    mid: Fraction
    sigma_x: Fraction
    sigma_y: Fraction
    alpha100: int


@dataclass(frozen=True)
class Segment:
    kind: str
    center: int | None
    offset: int
    length: int
    coder: str
    version: int
    crc: int


@dataclass(frozen=True)
class Container:
    """A file's metadata, checked against its header, and the bytes behind it."""

    width: int
    height: int
    mode: str
    quality_level: int
    shape: str
    foci: tuple[Focus, ...]
    matrix: int
    mid: str
    mid_level: int
    subsampling: str
    segments: tuple[Segment, ...]
    meta: dict
    body: bytes

    @property
    def channels(self):
        return MODES[self.mode]

    @property
    def colours(self):
        return 1 if self.channels < 3 else 3

    def find(self, kind, center=None):
        for segment in self.segments:
            if (segment.kind, segment.center) == (kind, center):
                return segment
        return None

    def read(self, segment):
        """The bytes of a segment, if they are all there and intact (4)."""
        data = self.body[segment.offset : segment.offset + segment.length]
        expect(len(data) == segment.length, f"the file ends inside segment {segment.kind}")
        expect(zlib.crc32(data) == segment.crc, f"segment {segment.kind} is damaged")
        expect(CODERS.get(segment.coder) == segment.version, f"unknown coder {segment.coder}")
        return data


def sigma_code(sigma):
    """2: the smallest b in 1..255 with 2^((b - 84) / 12) >= sigma, found without rounding."""
    for b in range(1, 256):
        if Fraction(2) ** (b - 84) >= sigma**12:
            return b
    return 255


def header_bytes(container):
    """2: the header that this metadata calls for."""
    foci = container.foci
    out = MAGIC + bytes([len(foci)])
    out += b"".join(struct.pack(">hh", focus.x, focus.y) for focus in foci)
    out += b"".join(struct.pack(">H", ceil(focus.mid)) for focus in foci)
    out += bytes([1, container.quality_level])
    for focus in foci:
        out += bytes([sigma_code(focus.sigma_x), sigma_code(focus.sigma_y)])
    out += bytes(focus.alpha100 for focus in foci)
    return out.ljust(HEADER_BYTES, b"\0")


def read_container(data):
    """1 to 4: everything before the segments, with every check that the page asks for."""
    source = ByteReader(data)
    header = source.take(HEADER_BYTES)
    expect(header[:4] == MAGIC, "not an AIG file")
    (packed_length,) = struct.unpack(">I", source.take(4))
    text = unpack_snappy(source.take(packed_length))
    body = source.rest()

    # The checksum covers the header and the text up to the comma before it (3).
    before, comma, digits = text.rpartition(b',"crc32":')
    expect(comma and digits.endswith(b"}"), "the metadata carry no checksum")
    expect(digits[:-1] == b"%d" % zlib.crc32(header + before), "the metadata are damaged")
    try:
        meta = json.loads(text.decode("utf-8"))
        container = _interpret(meta, body)
    except (KeyError, TypeError, ValueError) as error:
        raise BadFile(f"the metadata make no sense: {error}") from error
    expect(header == header_bytes(container), "header and metadata disagree")
    return container


def _interpret(meta, body):
    expect(meta["version"] == 1, "unknown container version")
    expect(meta["mode"] in MODES, "unknown mode")
    width, height = meta["width"], meta["height"]
    expect(1 <= width <= 32767 and 1 <= height <= 32767, "impossible size")
    layout = meta["mc_rsc"]
    lists = [layout[name] for name in ("centers", "radii", "sigmas", "alphas")]
    expect(1 <= layout["N"] <= 3, "impossible number of centers")
    expect(all(len(entries) == layout["N"] for entries in lists), "centers are missing")
    foci = []
    for center, radii, sigma, alpha100 in zip(*lists, strict=True):
        focus = Focus(
            center["x"],
            center["y"],
            Fraction(radii["core"]),
            Fraction(radii["mid"]),
            Fraction(sigma[0]),
            Fraction(sigma[1]),
            alpha100,
        )
        expect(0 <= focus.x < width and 0 <= focus.y < height, "a center is outside")
        expect(0 <= focus.core <= focus.mid <= 65535, "impossible radii")
        expect((focus.core * 256).denominator == (focus.mid * 256).denominator == 1, "radii")
        expect(focus.sigma_x > 0 and focus.sigma_y > 0, "impossible Sigma")
        expect(0 <= alpha100 <= 255, "impossible alpha")
        foci.append(focus)
    segments = tuple(Segment(*row) for row in meta["segments"])
    expect(len(segments) <= 64, "too many segments")
    end = 0
    for segment in segments:
        expect(segment.offset == end, "segments leave a gap")
        end += segment.length
    order = [(KINDS.index(s.kind), s.center or 0) for s in segments if s.kind in KINDS]
    expect(order == sorted(set(order)), "segments are out of order")
    return Container(
        width=width,
        height=height,
        mode=meta["mode"],
        quality_level=meta["quality_level"],
        shape=layout["shape"],
        foci=tuple(foci),
        matrix=layout["qp_table_id"],
        mid=layout["mid"],
        mid_level=layout["mid_level"],
        subsampling=meta["subsampling"],
        segments=segments,
        meta=meta,
        body=body,
    )


# ---------------------------------------------------------------------------------------------
# Geometry (5)

MOST = 2**32 - 1

ARCTANGENTS = (
    0, 1024, 2047, 3070, 4091, 5110, 6126, 7140, 8150, 9156, 10158, 11155, 12147,
    13133, 14114, 15088, 16055, 17015, 17968, 18913, 19850, 20779, 21699, 22610, 23512, 24406,
    25289, 26163, 27028, 27882, 28727, 29561, 30386, 31200, 32003, 32797, 33580, 34353, 35115,
    35867, 36608, 37340, 38060, 38771, 39472, 40162, 40842, 41512, 42172, 42823, 43464, 44095,
    44716, 45328, 45931, 46525, 47109, 47685, 48251, 48809, 49359, 49899, 50432, 50956, 51472,
)  # fmt: skip


@dataclass(frozen=True)
class FixedPoint:
    """5.1: what the integer distance of one focus needs."""

    shift: int
    inv_x: int
    inv_y: int
    core: int
    mid: int


def fixed_point(focus):
    """5.1"""
    lesser = min(focus.sigma_x, focus.sigma_y)
    shift = 96 - floor(2**64 / lesser).bit_length()
    one = Fraction(2) ** shift
    return FixedPoint(
        shift,
        max(1, floor(one / focus.sigma_x)),
        max(1, floor(one / focus.sigma_y)),
        min(int(focus.core * 65536), MOST),
        min(int(focus.mid * 65536), MOST),
    )


def angle(dx, dy):
    """5.2: |atan2(dy, dx)| in 1/65536 radian."""
    if dx == 0 and dy == 0:
        return 0
    a, b = min(abs(dx), abs(dy)), max(abs(dx), abs(dy))
    i, f = divmod((a << 16) // b, 1024)
    t = ARCTANGENTS[i]
    if f:
        t += (ARCTANGENTS[i + 1] - ARCTANGENTS[i]) * f >> 10
    if abs(dy) > abs(dx):
        t = 102944 - t
    if dx < 0:
        t = 205887 - t
    return t


def squared(fixed, dx, dy):
    """5.3: q."""
    return dx * dx * fixed.inv_x + dy * dy * fixed.inv_y


def angle_term(focus, dx, dy):
    """5.3: term."""
    return focus.alpha100 * angle(dx, dy) // 100


def weighted_distance(focus, x, y):
    """5.3: d of the pixel (x, y)."""
    fixed = fixed_point(focus)
    return _distance(focus, fixed, x - focus.x, y - focus.y)


def _distance(focus, fixed, dx, dy):
    q = squared(fixed, dx, dy)
    if fixed.shift >= 32:
        root = isqrt(q >> (fixed.shift - 32))
    else:
        wide = q << (32 - fixed.shift)
        if wide >= 2**64:
            return MOST
        root = isqrt(wide)
    return min(root + angle_term(focus, dx, dy), MOST)


def _within(focus, fixed, radius, dx, dy):
    """5.3: whether the offset lies within the radius (in 1/65536)."""
    term = angle_term(focus, dx, dy)
    if term > radius:
        return False
    left = (radius - term) ** 2
    q = squared(fixed, dx, dy)
    if fixed.shift >= 32:
        return (q >> (fixed.shift - 32)) <= left
    return q <= (left >> (32 - fixed.shift))


def class_of(foci, x, y, fixed=None):
    """5.4: the class of one pixel."""
    fixed = fixed or [fixed_point(focus) for focus in foci]
    for tier, name in ((CORE, "core"), (MID, "mid")):
        owners = []
        for k, (focus, own) in enumerate(zip(foci, fixed, strict=True)):
            dx, dy = x - focus.x, y - focus.y
            if _within(focus, own, getattr(own, name), dx, dy):
                owners.append((_distance(focus, own, dx, dy), k))
        if owners:
            return tier + min(owners)[1]
    return BACKGROUND


def class_map(foci, width, height, left=0, top=0):
    """5.4: the classes of the pixels of a window, by rows."""
    fixed = [fixed_point(focus) for focus in foci]
    classes = np.zeros((height, width), np.uint8)
    for y in range(height):
        for x in range(width):
            classes[y, x] = class_of(foci, left + x, top + y, fixed)
    return classes


def picture_classes(container):
    """5.4, with the shape that has no ellipses."""
    if container.shape == "all":
        return np.full((container.height, container.width), CORE, np.uint8)
    expect(container.shape == "ellipses", "unknown shape")
    return class_map(container.foci, container.width, container.height)


def core_pixels(classes):
    return (classes >= CORE) & (classes < MID)


# ---------------------------------------------------------------------------------------------
# Symbols (6)


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

    def __init__(self, coded, contexts):
        self.symbols = ByteReader(unpack_snappy(coded))

    def symbol(self, context):
        return self.symbols.take(1)[0]

    def finish(self):
        expect(self.symbols.done(), "symbols are left over")


class RiceSymbols:
    """6.4"""

    def __init__(self, coded, contexts):
        self.source = ByteReader(coded)
        self.stream = BitReader(self.source)
        self.parameters = [self.stream.bits(3) for _ in range(contexts)]
        expect(max(self.parameters) <= 5, "impossible Rice parameter")

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
        expect(self.source.done(), "symbols are left over")


class RansSymbols:
    """6.5"""

    def __init__(self, coded, contexts):
        self.source = ByteReader(coded)
        stream = BitReader(self.source)
        tables = stream.bits(6) + 1
        self.table_of = [stream.bits((tables - 1).bit_length()) for _ in range(contexts)]
        expect(max(self.table_of) < tables, "a context without table")
        self.tables = [self._table(stream) for _ in range(tables)]
        stream.align()
        self.states = list(struct.unpack("<II", self.source.take(8)))
        expect(min(self.states) >= 1 << 16, "impossible state")
        self.turn = 0

    @staticmethod
    def _table(stream):
        """The starts of the symbols' intervals, and 4096 behind the last."""
        starts = [0]
        for _ in range(stream.bits(6)):
            width = stream.bits(4)
            frequency = (1 << (width - 1)) + stream.bits(width - 1) if width else 0
            starts.append(starts[-1] + frequency)
        expect(starts[-1] < 4096, "nothing is left for the last symbol")
        return [*starts, 4096]

    def symbol(self, context):
        starts = self.tables[self.table_of[context]]
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


ENTROPY_CODERS = (SnappySymbols, RiceSymbols, RansSymbols)


class SymbolReader:
    """6: a payload, as symbols in contexts, raw bits and values."""

    def __init__(self, payload, contexts):
        source = ByteReader(payload)
        name = source.take(1)[0]
        expect(name < len(ENTROPY_CODERS), "unknown entropy coder")
        self.raw_source = ByteReader(source.take(source.varint()))
        self.raw = BitReader(self.raw_source)
        self.contexts = contexts
        self.coded = ENTROPY_CODERS[name](source.rest(), contexts)

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
        expect(self.raw_source.done(), "raw bits are left over")
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


# ---------------------------------------------------------------------------------------------
# Regions (7.1.1), for the lossless and the palette coder


class Neighbours:
    """7.1.1: one value per pixel of a region, seen from the pixel to be coded next.

    Columns are those of the bounding box, 0..width-1; `above` holds -1..width.
    """

    def __init__(self, width, default):
        self.width = width
        self.above = dict.fromkeys(range(-1, width + 1), default)
        self.row = {}

    def look(self, x):
        """W, N, NW, NE of the pixel at column x."""
        n = self.above[x]
        return self.row.get(x - 1, n), n, self.above[x - 1], self.above[x + 1]

    def put(self, x, value):
        self.row[x] = value

    def end_row(self):
        if not self.row:
            return
        value = self.row[min(self.row)]
        for x in range(-1, self.width + 1):
            value = self.row.get(x, value)
            self.above[x] = value
        self.row = {}


def region_rows(region):
    """The width of the bounding box and, for every row, (y, x, column in the box)."""
    columns = np.flatnonzero(region.any(axis=0))
    if not len(columns):
        return 0, []
    first = int(columns[0])
    rows = [
        [(y, int(x), int(x) - first) for x in np.flatnonzero(row)] for y, row in enumerate(region)
    ]
    return int(columns[-1]) - first + 1, rows


# ---------------------------------------------------------------------------------------------
# Lossless (7.1)

LOSSLESS_CONTEXTS = 64
ACTIVITY = (1, 2, 3, 5, 7, 10, 14, 19, 26, 35, 48, 66, 95, 140, 210)
RANGE = {"Y": (0, 255, 128), "A": (0, 255, 128), "U": (-255, 255, 0), "V": (-319, 319, 0)}
ORDER = {1: "Y", 2: "YA", 3: "UVY", 4: "UVYA"}


def lossless_pixel(samples):
    """7.1.2 backwards: the bytes of one pixel from its named samples."""
    alpha = [samples["A"]] if "A" in samples else []
    if "U" not in samples:
        return [samples["Y"], *alpha]
    u = samples["U"]
    v = samples["V"] + (u >> 2)
    g = samples["Y"] - ((u + v + 2) >> 2)
    return [clip(u + g, 0, 255), clip(g, 0, 255), clip(v + g, 0, 255), *alpha]


def decode_lossless(payload, region, channels):
    """7.1: an array (height, width, channels) that is 0 outside the region."""
    reader = SymbolReader(payload, LOSSLESS_CONTEXTS)
    pixels = np.zeros((*region.shape, channels), np.uint8)
    width, rows = region_rows(region)
    names = ORDER[channels]
    values = [Neighbours(width, RANGE[name][2]) for name in names]
    errors = [Neighbours(width, 0) for _ in names]
    for row in rows:
        for y, x, column in row:
            samples = {}
            error = cross = 0
            for c, name in enumerate(names):
                w, n, nw, ne = values[c].look(column)
                error_w, error_n, _, _ = errors[c].look(column)
                if c == 1:
                    cross = 2 * error
                elif c > 1:
                    cross = (cross >> 1) + error
                activity = abs(w - nw) + abs(n - nw) + abs(ne - n) + error_w + error_n + cross
                prediction = med(w, n, nw)
                residual = reader.signed(16 * c + reached(ACTIVITY, activity))
                low, high, _ = RANGE[name]
                samples[name] = clip(prediction + residual, low, high)
                error = abs(samples[name] - prediction)
                values[c].put(column, samples[name])
                errors[c].put(column, error)
            pixels[y, x] = lossless_pixel(samples)
        for neighbours in (*values, *errors):
            neighbours.end_row()
    reader.finish()
    return pixels


# ---------------------------------------------------------------------------------------------
# Palette (7.2)

PALETTE_CONTEXTS = 16
PALETTE_DISTANCE = (1, 2, 4, 8, 16, 32, 64)


def decode_palette(segment, region, colours):
    """7.2: an array (height, width, colours) that is 0 outside the region."""
    source = ByteReader(segment)
    count = source.take(1)[0] + 1
    palette = np.frombuffer(source.take(count * colours), np.uint8).reshape(count, colours)
    reader = SymbolReader(source.rest(), PALETTE_CONTEXTS)
    pixels = np.zeros((*region.shape, colours), np.uint8)
    width, rows = region_rows(region)
    indices = Neighbours(width, 0)
    for row in rows:
        for y, x, column in row:
            w, n, nw, ne = indices.look(column)
            choice = reader.symbol((w == n) + 2 * (n == ne) + 4 * (w == nw))
            expect(choice <= 2, "impossible palette symbol")
            if choice == 0:
                index = w
            elif choice == 1:
                index = n
            else:
                index = w + reader.signed(8 + reached(PALETTE_DISTANCE, abs(w - n)))
            expect(0 <= index < count, "an index outside the palette")
            indices.put(column, index)
            pixels[y, x] = palette[index]
        indices.end_row()
    reader.finish()
    return pixels


# ---------------------------------------------------------------------------------------------
# DCT (7.3)

DC_CONTEXTS, AC_CONTEXTS = 16, 124
BUCKETS = (1, 3, 5, 8, 13, 21, 33)
NEIGHBOUR_CONTEXT = (0, 1, 2, 3, 4, 5, 6, 6, 7, 7, 7, 7, 7)
HOLE, BLOCK_BACKGROUND, BLOCK_MID = "hole", "background", "mid"

TRANSFORM = np.array(
    [
        [64, 64, 64, 64, 64, 64, 64, 64],
        [89, 75, 50, 18, -18, -50, -75, -89],
        [83, 36, -36, -83, -83, -36, 36, 83],
        [75, -18, -89, -50, 50, 89, 18, -75],
        [64, -64, -64, 64, 64, -64, -64, 64],
        [50, -89, 18, 75, -75, -18, 89, -50],
        [36, -83, 83, -36, -36, 83, -83, 36],
        [18, -50, 75, -89, 89, -75, 50, -18],
    ],
    np.int64,
)


def zigzag_scan():
    """7.3.6: the scan of JPEG as (h, v): along diagonals, up and down in turn."""
    scan = []
    for diagonal in range(15):
        cells = [(diagonal - v, v) for v in range(8) if 0 <= diagonal - v < 8]
        scan += cells if diagonal % 2 else cells[::-1]
    return scan


SCAN = zigzag_scan()


@dataclass(frozen=True)
class Plane:
    """7.3.1: the true size of a plane, and how many image pixels one sample spans."""

    width: int
    height: int
    scale: int
    chroma: bool

    @property
    def columns(self):
        return -(-self.width // 8)

    @property
    def rows(self):
        return -(-self.height // 8)


def planes_of(width, height, colours, subsampling):
    """7.3.1"""
    planes = [Plane(width, height, 1, False)]
    if colours == 3:
        expect(subsampling in ("4:2:0", "4:4:4"), "unknown subsampling")
        if subsampling == "4:2:0":
            planes += [Plane((width + 1) // 2, (height + 1) // 2, 2, True)] * 2
        else:
            planes += [Plane(width, height, 1, True)] * 2
    return planes


def block_classes(plane, classes, mid):
    """7.3.2: a list of rows of HOLE, BLOCK_MID or BLOCK_BACKGROUND."""
    hidden = core_pixels(classes)
    if mid == "palette":
        hidden = hidden | (classes >= MID)
    size = 8 * plane.scale
    result = []
    for row in range(plane.rows):
        line = []
        for column in range(plane.columns):
            footprint = np.s_[row * size : (row + 1) * size, column * size : (column + 1) * size]
            if hidden[footprint].all():
                line.append(HOLE)
            elif mid == "dct" and (classes[footprint] >= MID).any():
                line.append(BLOCK_MID)
            else:
                line.append(BLOCK_BACKGROUND)
        result.append(line)
    return result


def base_step(level):
    """7.3.3"""
    if level >= 128:
        return 16 + (400 * (255 - level) + 63) // 127
    o, p = divmod(128 - level, 48)
    return (416 << o) * (48 + p) // 48


def dc_step(quality_level):
    """7.3.3"""
    return min(base_step(quality_level), 512)


def steps(level, matrix):
    """7.3.3: the steps of a block as an array [v, h]; its DC entry is never used."""
    base = base_step(level)
    table = np.zeros((8, 8), np.int64)
    for v in range(8):
        for h in range(8):
            weight = 16
            if matrix == 1:
                weight += max(0, isqrt(256 * (h * h + v * v)) - 16) * 5 // 16
            table[v, h] = (base * weight + 8) // 16
    return table


def inverse_transform(coefficients):
    """7.3.4: samples [y, x] of a block of coefficients [v, h], clipped to int16 here."""
    c = np.clip(np.asarray(coefficients, np.int64), -32768, 32767)
    t = np.clip((c @ TRANSFORM + 64) >> 7, -32768, 32767)
    return np.clip(((TRANSFORM.T @ t + 2048) >> 12) + 128, 0, 255)


def eighth(levels, step):
    """7.3.4: D, the 1/8 image of a plane."""
    return np.clip(((levels * step + 64) >> 7) + 128, 0, 255)


def interpolate(small):
    """7.3.4: every block of a plane from its 1/8 image."""
    rows, columns = small.shape

    def around(position, count):
        """The two samples around a position, and the weight of the second."""
        block, inside = divmod(position, 8)
        v = 2 * inside - 7
        first = block - 1 if v < 0 else block
        return clip(first, 0, count - 1), clip(first + 1, 0, count - 1), v % 16

    plane = np.zeros((8 * rows, 8 * columns), np.int64)
    for y in range(8 * rows):
        upper, lower, fy = around(y, rows)
        for x in range(8 * columns):
            before, after, fx = around(x, columns)
            top = (16 - fx) * small[upper, before] + fx * small[upper, after]
            bottom = (16 - fx) * small[lower, before] + fx * small[lower, after]
            plane[y, x] = ((16 - fy) * top + fy * bottom + 128) >> 8
    return plane


def decode_dc(payload, planes):
    """7.3.5: the DC levels, one array [row, column] per plane."""
    reader = SymbolReader(payload, DC_CONTEXTS)
    result = []
    for plane in planes:
        levels = np.zeros((plane.rows, plane.columns), np.int64)
        magnitude = np.zeros_like(levels)
        for row in range(plane.rows):
            for column in range(plane.columns):
                left = int(levels[row, column - 1]) if column else None
                up = int(levels[row - 1, column]) if row else None
                if left is None and up is None:
                    prediction = 0
                elif up is None:
                    prediction = left
                elif left is None:
                    prediction = up
                else:
                    corner = int(levels[row - 1, column - 1])
                    prediction = (med(left, up, corner) + ((left + up) >> 1)) >> 1
                near = int(magnitude[row, column - 1]) if column else 0
                near += int(magnitude[row - 1, column]) if row else 0
                residual = reader.signed(8 * plane.chroma + reached(BUCKETS, near))
                level = clip(prediction + residual, -32768, 32767)
                levels[row, column] = level
                magnitude[row, column] = abs(level - prediction)
        result.append(levels)
    reader.finish()
    return result


def band_of(position):
    """7.3.6: the band of a scan position, without the 6 of chroma."""
    return reached((3, 6, 10, 21, 36), position)


def decode_ac_block(reader, end, chroma):
    """7.3.6: the levels [v, h] of one block whose end is known."""
    levels = np.zeros((8, 8), np.int64)
    small = np.zeros((10, 10), np.int64)  # A, with a border of zeros
    for position in range(end, 0, -1):
        h, v = SCAN[position]
        b = 6 * chroma + band_of(position)
        if position == end:
            size = reader.value(112 + b) + 1
        else:
            total = small[v, h + 1] + small[v + 1, h] + small[v + 1, h + 1]
            total += (small[v, h + 2] + small[v + 2, h] + 1) >> 1
            size = reader.value(16 + 8 * b + NEIGHBOUR_CONTEXT[total])
        if size:
            size = min(size, 32767)
            small[v, h] = min(size, 3)
            levels[v, h] = -size if reader.bits(1) else size
    return levels


def decode_ac(payload, planes, kinds, wanted):
    """7.3.6: per plane a dict from (row, column) to levels, of the blocks of a class."""
    reader = SymbolReader(payload, AC_CONTEXTS)
    result = []
    for plane, kind in zip(planes, kinds, strict=True):
        ends, blocks = {}, {}
        for row in range(plane.rows):
            for column in range(plane.columns):
                if kind[row][column] != wanted:
                    continue
                near = [ends.get((row, column - 1)), ends.get((row - 1, column))]
                near = [end for end in near if end is not None]
                a = (sum(near) + 1) // 2 if len(near) == 2 else sum(near)
                end = min(reader.value(8 * plane.chroma + reached(BUCKETS, a)), 63)
                ends[row, column] = end
                blocks[row, column] = decode_ac_block(reader, end, plane.chroma)
        result.append(blocks)
    reader.finish()
    return result


def reconstruct(dc_levels, dc, ac):
    """7.3.4: a padded plane; `ac` maps (row, column) to (levels, steps) of the blocks known."""
    plane = interpolate(eighth(dc_levels, dc))
    for (row, column), (levels, table) in ac.items():
        coefficients = levels * table
        coefficients[0, 0] = dc_levels[row, column] * dc
        plane[8 * row : 8 * row + 8, 8 * column : 8 * column + 8] = inverse_transform(coefficients)
    return plane


def enlarge_chroma(chroma, width, height):
    """7.3.7: a chroma plane (without padding) of 4:2:0 at the image's size."""
    rows, columns = chroma.shape
    large = np.zeros((height, width), np.int64)
    for y in range(height):
        nearer = y // 2
        farther = clip(nearer + (1 if y % 2 else -1), 0, rows - 1)
        c = 3 * chroma[nearer] + chroma[farther]
        for x in range(width):
            i = x // 2
            other = clip(i + (1 if x % 2 else -1), 0, columns - 1)
            large[y, x] = (3 * c[i] + c[other] + 8) >> 4
    return large


def to_colours(planes, width, height, subsampling):
    """7.3.7: an array (height, width, 1 or 3) from planes of at least the image's size."""
    luma = np.asarray(planes[0])[:height, :width]
    if len(planes) == 1:
        return luma[..., np.newaxis].astype(np.uint8)
    chroma = [np.asarray(plane, np.int64) for plane in planes[1:]]
    if subsampling == "4:2:0":
        half = np.s_[: (height + 1) // 2, : (width + 1) // 2]
        chroma = [enlarge_chroma(plane[half], width, height) for plane in chroma]
    b, r = (plane[:height, :width] - 128 for plane in chroma)
    red = luma + ((91881 * r + 32768) >> 16)
    green = luma + ((-22554 * b - 46802 * r + 32768) >> 16)
    blue = luma + ((116130 * b + 32768) >> 16)
    return np.clip(np.stack([red, green, blue], axis=-1), 0, 255).astype(np.uint8)


@dataclass(frozen=True)
class DctPicture:
    """What the DCT coder knows about a picture before it reads a segment."""

    width: int
    height: int
    colours: int
    subsampling: str
    quality_level: int
    mid_level: int
    matrix: int
    mid: str


def decode_dct(picture, classes, preview, mid=None, background=None):
    """7.3: the colours of all pixels from the segments at hand."""
    planes = planes_of(picture.width, picture.height, picture.colours, picture.subsampling)
    kinds = [block_classes(plane, classes, picture.mid) for plane in planes]
    levels = decode_dc(preview, planes)
    known = [{} for _ in planes]
    for payload, wanted, level in (
        (mid, BLOCK_MID, picture.mid_level),
        (background, BLOCK_BACKGROUND, picture.quality_level),
    ):
        if payload is not None:
            table = steps(level, picture.matrix)
            for own, blocks in zip(known, decode_ac(payload, planes, kinds, wanted), strict=True):
                own.update({place: (block, table) for place, block in blocks.items()})
    dc = dc_step(picture.quality_level)
    samples = [reconstruct(own, dc, ac) for own, ac in zip(levels, known, strict=True)]
    return to_colours(samples, picture.width, picture.height, picture.subsampling)


def decode_eighth(picture, preview):
    """7.3.7: the 1/8 image in colour."""
    planes = planes_of(picture.width, picture.height, picture.colours, picture.subsampling)
    dc = dc_step(picture.quality_level)
    small = [eighth(levels, dc) for levels in decode_dc(preview, planes)]
    size = (picture.width + 7) // 8, (picture.height + 7) // 8
    return to_colours(small, *size, picture.subsampling)


# ---------------------------------------------------------------------------------------------
# Boundary (7.4)

LONG_RUN = 1 << 20


def boundary_band(classes):
    """7.4: the pixels outside all cores that have another tier within 2 rows and columns."""
    tiers = np.where(classes == BACKGROUND, 0, np.where(classes < MID, 1, 2))
    height, width = classes.shape
    band = np.zeros(classes.shape, bool)
    for y in range(height):
        for x in range(width):
            near = tiers[max(y - 2, 0) : y + 3, max(x - 2, 0) : x + 3]
            band[y, x] = tiers[y, x] != 1 and (near != tiers[y, x]).any()
    return band


def decode_residuals(payload, samples):
    """7.4: the residuals of that many samples."""
    reader = SymbolReader(payload, 2)
    residuals = []
    while True:
        run = reader.value(0)
        expect(run <= samples - len(residuals), "a run behind the last sample")
        residuals += [0] * run
        if len(residuals) == samples:
            break
        if run < LONG_RUN:
            residuals.append(unzigzag(reader.value(1) + 1))
    reader.finish()
    return residuals


def apply_boundary(payload, classes, colours):
    """7.4: the colours (height, width, 1 or 3) with the band corrected."""
    band = boundary_band(classes)
    count = int(band.sum())
    residuals = decode_residuals(payload, count * colours.shape[2])
    result = colours.astype(np.int64)
    result[band] += np.array(residuals, np.int64).reshape(count, colours.shape[2])
    return np.clip(result, 0, 255).astype(np.uint8)


# ---------------------------------------------------------------------------------------------
# A whole picture (8)


def dct_picture(container):
    return DctPicture(
        container.width,
        container.height,
        container.colours,
        container.subsampling,
        container.quality_level,
        container.mid_level,
        container.matrix,
        container.mid,
    )


def decode_file(data, upto="full"):
    """8: the picture as (height, width, channels), of the segments up to the stage asked for."""
    container = read_container(data)
    stage = UPTO.index(upto)
    classes = picture_classes(container)
    core = core_pixels(classes)
    colours, has_alpha = container.colours, container.channels in (2, 4)

    def bytes_of(kind, wanted=True):
        segment = container.find(kind)
        return container.read(segment) if wanted and segment is not None else None

    picture = np.full((container.height, container.width, container.channels), 128, np.uint8)
    if has_alpha:
        picture[..., -1] = 255

    preview = bytes_of("preview", stage >= 1)
    mid = bytes_of("mid", stage >= 2)
    alpha = bytes_of("alpha", stage >= 2)
    background = bytes_of("background", stage >= 3)
    boundary = bytes_of("boundary", stage >= 3)
    if preview is not None:
        by_dct = mid if container.mid == "dct" else None
        picture[..., :colours] = decode_dct(
            dct_picture(container), classes, preview, by_dct, background
        )
    if mid is not None and container.mid == "palette":
        region = classes >= MID
        picture[region, :colours] = decode_palette(mid, region, colours)[region]
    if boundary is not None:
        picture[..., :colours] = apply_boundary(boundary, classes, picture[..., :colours])
    if alpha is not None and has_alpha:
        picture[~core, -1] = decode_lossless(alpha, ~core, 1)[~core, 0]
    for k in range(len(container.foci)):
        segment = container.find("core", k)
        if segment is not None:
            region = classes == CORE + k
            own = decode_lossless(container.read(segment), region, container.channels)
            picture[region] = own[region]
    return picture


def decode_preview(data):
    """7.3.7: the 1/8 image of a file, (ceil(height / 8), ceil(width / 8), 1 or 3)."""
    container = read_container(data)
    preview = container.find("preview")
    expect(preview is not None, "no preview")
    return decode_eighth(dct_picture(container), container.read(preview))
