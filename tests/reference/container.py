"""The container: header, metadata, segments (1 to 4)."""

import json
import struct
import zlib
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from .notation import BadFile, ByteReader, expect, tolerate
from .short import from_base_85, spelt_out
from .snappy import unpack_snappy

MAGIC = b"AIG2"
HEADER_BYTES = 34
MODES = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}
KINDS = (
    *("map", "core", "tiles", "preview", "alpha", "drawn", "mid", "background", "boundary"),
    *("icc", "exif", "xmp", "text", "decisions", "frames"),
)
CODERS = {
    "labels": {1},
    "lossless": {2, 3, 4},
    "palette": {1},
    "dct": {3},
    "boundary": {1},
    "raw": {1},
}


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
    bits: int
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

    def read(self, segment, problems=None):
        """The bytes of a segment, if they are all there and intact (4).

        If there may be problems, those of the DCT coder come all the same: its streams know for
        themselves (6.9).
        """
        expect(segment.version in CODERS.get(segment.coder, ()), f"unknown coder {segment.coder}")
        data = self.body[segment.offset : segment.offset + segment.length]
        with tolerate(problems if segment.coder == "dct" else None):
            expect(len(data) == segment.length, f"the file ends inside segment {segment.kind}")
            expect(zlib.crc32(data) == segment.crc, f"segment {segment.kind} is damaged")
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
    before, comma, end = text.rpartition(b',"crc32":')
    expect(comma and end.endswith(b"}"), "the metadata carry no checksum")
    crc = zlib.crc32(header + before)
    try:
        if end.startswith(b'"'):
            stored = int.from_bytes(from_base_85(end[1:-2].decode("ascii")))
        else:
            stored = int(end[:-1])
        expect(stored == crc, "the metadata are damaged")
        meta = json.loads(text.decode("utf-8"))
        if meta["version"] == 2:
            meta = spelt_out(meta, header, KINDS)
        container = _interpret(meta, body)
    except BadFile:
        raise
    except (KeyError, TypeError, ValueError, IndexError, OverflowError, struct.error) as error:
        raise BadFile(f"the metadata make no sense: {error}") from error
    expect(header == header_bytes(container), "header and metadata disagree")
    return container


def frames_of(data):
    """4.1: the bytes of every frame from its beginning on, and how long each is shown."""
    first = read_container(data)
    if "frames" not in first.meta:
        return [(data, 0)]
    table = first.read(first.find("frames"))
    count = first.meta["frames"]["count"]
    expect(2 <= count <= 2**20 and len(table) == 12 * count, "impossible frame table")
    last = first.segments[-1]
    end = len(data) - len(first.body) + last.offset + last.length
    frames = [(data, int.from_bytes(table[8:12]))]
    for k in range(1, count):
        row = table[12 * k : 12 * k + 12]
        length = int.from_bytes(row[:8])
        expect(0 < length < 2**40, "impossible length of a frame")
        frame = data[end : end + length]
        expect("frames" not in read_container(frame).meta, "frames in a frame")
        frames.append((frame, int.from_bytes(row[8:])))
        end += length
    return frames


def _interpret(meta, body):
    expect(meta["version"] in (1, 2), "unknown container version")
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
    expect(layout["mid"] in ("none", "dct", "palette"), "unknown mid tier")
    levels = (meta["quality_level"], layout["mid_level"])
    expect(all(type(n) is int and 0 <= n <= 255 for n in levels), "impossible level")
    bits = meta.get("bits", 8)
    expect(type(bits) is int and bits in (8, 16), "unknown number of bits")
    expect(bits == 8 or layout["shape"] == "all", "16 bits with loss")
    segments = tuple(Segment(*row) for row in meta["segments"])
    expect(len(segments) <= 64, "too many segments")
    end = 0
    for segment in segments:
        expect(segment.offset == end, "segments leave a gap")
        end += segment.length
    order = [(KINDS.index(s.kind), s.center or 0) for s in segments if s.kind in KINDS]
    expect(order == sorted(set(order)), "segments are out of order")
    kinds = {s.kind for s in segments}
    cores = [s for s in segments if s.kind == "core"]
    expect(len(cores) == (1 if layout["shape"] == "all" else layout["N"]), "a core is missing")
    expect(("preview" in kinds) == (layout["shape"] != "all"), "the preview is missing")
    expect(("map" in kinds) == (layout["shape"] == "map"), "a map where none belongs, or none")
    expect(("tiles" in kinds) == ("drawn" in kinds), "tiles without what is drawn, or without them")
    return Container(
        width=width,
        height=height,
        mode=meta["mode"],
        bits=bits,
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
