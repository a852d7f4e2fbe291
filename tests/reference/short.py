"""Metadata of container version 2, spelt out as those of version 1 (3.1, and 4 for the table)."""

import struct
from fractions import Fraction

from .notation import ByteReader, expect

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"
CODERS = (
    *(("labels", 1), ("lossless", 2), ("palette", 1), ("dct", 3), ("boundary", 1), ("raw", 1)),
    ("lossless", 3),
    ("lossless", 4),
)
MODES = ("L", "LA", "RGB", "RGBA")


def from_base_85(text):
    """Groups of five digits are four bytes, big-endian; of the last, n + 1 digits are n bytes."""
    out = b""
    for start in range(0, len(text), 5):
        group = text[start : start + 5]
        value = 0
        for digit in group.ljust(5, ALPHABET[-1]):
            expect(digit in ALPHABET, "no digit of base 85")
            value = value * 85 + ALPHABET.index(digit)
        expect(value < 2**32, "a group of base 85 is too large")
        out += value.to_bytes(4, "big")[: len(group) - 1]
    return out


def float32_of_code(code):
    """The largest float32 that is not above 2^((code - 84) / 12), found without rounding."""
    expect(code > 0, "no Sigma")
    low = 0
    high = 0x7F7FFFFF
    while low < high:  # positive floats are ordered as their bits are
        middle = (low + high + 1) // 2
        (value,) = struct.unpack("<f", struct.pack("<I", middle))
        if Fraction(value) ** 12 <= Fraction(2) ** (code - 84):
            low = middle
        else:
            high = middle - 1
    return struct.unpack("<f", struct.pack("<I", low))[0]


def table(text, kinds):
    source = ByteReader(from_base_85(text))
    rows, offset, cores = [], 0, 0
    while not source.done():
        code = source.take(1)[0]
        length = source.varint(6)
        (crc,) = struct.unpack("<I", source.take(4))
        number, coder = code & 15, code >> 4
        kind = kinds[number] if number < len(kinds) else f"kind {number}"
        center = cores if kind == "core" else None
        cores += kind == "core"
        named = CODERS[coder] if coder < len(CODERS) else (f"coder {coder}", 0)
        rows.append([kind, center, offset, length, *named, crc])
        offset += length
    return rows


def spelt_out(short, header, kinds):
    n = header[4]
    expect(1 <= n <= 3, "impossible number of centers")
    fields = struct.unpack_from(f">{2 * n}h{n}HBB{2 * n}B{n}B", header, 5)
    level, codes, alphas = fields[3 * n + 1], fields[3 * n + 2 : 5 * n + 2], fields[5 * n + 2 :]
    own = short.get("mc_rsc", {})
    segments = short["segments"] if "segments" in short else table(short["toc"], kinds)
    coders = [row[4] for row in segments if row[0] == "mid"]
    if coders:
        mid = "dct" if coders[0] == "dct" else "palette"
    else:
        mid = "none"
    expect(isinstance(own, dict), "mc_rsc is an object")
    expect(len(short["size"]) in (2, 3), "impossible size")
    kinds_there = [row[0] for row in segments]
    if "map" in kinds_there:
        shape = "map"
    elif "preview" in kinds_there:
        shape = "ellipses"
    else:
        shape = "all"
    width, height, channels = [*short["size"], 3][:3]
    expect(type(channels) is int and 1 <= channels <= 4, "impossible number of channels")
    radii = own.get("radii", [65535 * 256] * 2 * n)
    if "sigmas" in own:
        sigmas = [struct.unpack("<f", struct.pack("<f", value))[0] for value in own["sigmas"]]
    else:
        sigmas = [float32_of_code(code) for code in codes]
    expect(len(radii) == len(sigmas) == 2 * n, "radii or Sigma are missing")
    expect(all(type(r) is int and 0 <= r <= 65535 * 256 for r in radii), "impossible radii")
    full = {
        "version": 2,
        "width": width,
        "height": height,
        "mode": MODES[channels - 1],
        "bits": short.get("bits", 8),
        "quality_level": level,
        "subsampling": short.get("subsampling", "4:4:4" if level >= 204 else "4:2:0"),
        "segments": segments,
        "mc_rsc": {
            "N": n,
            "shape": own.get("shape", shape),
            "centers": [{"x": fields[2 * k], "y": fields[2 * k + 1]} for k in range(n)],
            "radii": [
                {"core": radii[2 * k] / 256, "mid": radii[2 * k + 1] / 256} for k in range(n)
            ],
            "sigmas": [sigmas[2 * k : 2 * k + 2] for k in range(n)],
            "alphas": list(alphas),
            "qp_table_id": own.get("qp_table_id", 0),
            "mid": own.get("mid", mid),
            "mid_level": own.get("mid_level", level + (255 - level) // 8),
            "palette_sizes": own.get("palette_sizes", []),
            "boundary_tau": own.get("boundary_tau", 2),
            "rd_lambda": own.get("rd_lambda", 0.02),
        },
    }
    return full | {name: short[name] for name in ("dpi", "labels", "frames") if name in short}
