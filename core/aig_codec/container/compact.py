"""The metadata as they stand in files of container version 2: short (format.md, 3).

`shortened` leaves out what the header or the table of contents says already and what has its
default, and packs lists of numbers; `completed` is its inverse. Both know nothing of `Metadata`:
they turn one JSON object into another, and what comes out of `completed` is checked like the
metadata of a file of version 1, in which every member is spelt out.
"""

import base64
import struct
from typing import Any

from ..errors import CorruptError
from .header import Header, float32_from_code
from .kinds import KINDS
from .toc import PACKED_CODERS

VERSION = 2

#: Pillow's names of the pixel formats, by the number of their channels.
MODES = ("L", "LA", "RGB", "RGBA")

#: Radii are integers in this fraction of their unit.
_PER_UNIT = 256

#: Radii where nothing is said: those of pictures that are one core. They are the largest.
_RADIUS = 65535

#: From this quality level on chroma has its full resolution where nothing is said.
_FULL_CHROMA_LEVEL = 204

_CRC = struct.Struct("<I")

#: Members of the object "mc_rsc" with a default, which is a constant.
_DEFAULTS: dict[str, Any] = {
    "qp_table_id": 0,
    "palette_sizes": [],
    "boundary_tau": 2,
    "rd_lambda": 0.02,
}

#: Members that are stored as they are, where they are there at all.
_PLAIN = ("dpi", "labels", "frames", "coders")


def default_mid_level(level: int) -> int:
    """Quality level of the mid tier that goes with one of the background: an eighth of the way to
    255."""
    return level + (255 - level) // 8


def default_subsampling(level: int) -> str:
    """How chroma is subsampled at a quality level."""
    return "4:4:4" if level >= _FULL_CHROMA_LEVEL else "4:2:0"


def shortened(full: dict[str, Any], header: Header) -> dict[str, Any]:
    """The JSON object that stands for `full`, the one of version 1, behind this header."""
    own, segments = full["mc_rsc"], full["segments"]
    level = header.quality_level
    size = [full["width"], full["height"]]
    if full["mode"] != "RGB":
        size.append(len(full["mode"]))
    short: dict[str, Any] = {"version": VERSION, "size": size}
    _unless(short, "bits", full.get("bits", 8), 8)
    _unless(short, "subsampling", full["subsampling"], default_subsampling(level))

    foci: dict[str, Any] = {}
    for name, default in _DEFAULTS.items():
        _unless(foci, name, own[name], default)
    radii = [r * _PER_UNIT for pair in own["radii"] for r in (pair["core"], pair["mid"])]
    if any(r != _RADIUS * _PER_UNIT for r in radii):
        foci["radii"] = [int(r) for r in radii]
    if own["sigmas"] != [[float32_from_code(c) for c in pair] for pair in header.sigma_codes]:
        foci["sigmas"] = [_shortest(s) for pair in own["sigmas"] for s in pair]
    _unless(foci, "shape", own["shape"], _default_shape(segments))
    _unless(foci, "mid", own["mid"], _default_mid(segments))
    _unless(foci, "mid_level", own["mid_level"], default_mid_level(level))
    if foci:
        short["mc_rsc"] = foci
    short |= {name: full[name] for name in _PLAIN if name in full}

    packed = _packed_table(segments)
    if packed is None:
        short["segments"] = segments
    else:
        short["toc"] = packed
    return short


def completed(short: dict[str, Any], header: Header) -> dict[str, Any]:
    """The JSON object of version 1 that `short` and the header stand for.

    Raises CorruptError where that cannot be told; whatever else is wrong with the members shows
    when they are checked.
    """
    n, level = len(header.centers), header.quality_level
    own = short.get("mc_rsc", {})
    if not isinstance(own, dict):
        raise CorruptError("mc_rsc is not a JSON object")
    segments = short["segments"] if "segments" in short else _table(short.get("toc"))
    width, height, mode = _size(short.get("size"))
    radii = _list("radii", own.get("radii", [_RADIUS * _PER_UNIT] * 2 * n), 2 * n)
    if any(type(r) is not int or not 0 <= r <= _RADIUS * _PER_UNIT for r in radii):
        raise CorruptError(f"radii {radii!r} are not whole numbers of 1/256 up to {_RADIUS}")
    sigmas = own.get("sigmas")
    if sigmas is None:
        if any(code == 0 for pair in header.sigma_codes for code in pair):
            raise CorruptError("neither header nor metadata have a Sigma")
        sigmas = [float32_from_code(code) for pair in header.sigma_codes for code in pair]
    else:
        sigmas = [_float32(s) for s in _list("sigmas", sigmas, 2 * n)]
    full: dict[str, Any] = {
        "version": VERSION,
        "width": width,
        "height": height,
        "mode": mode,
        "bits": short.get("bits", 8),
        "quality_level": level,
        "mc_rsc": {
            "N": n,
            "centers": [{"x": x, "y": y} for x, y in header.centers],
            "radii": [
                {"core": core / _PER_UNIT, "mid": mid / _PER_UNIT}
                for core, mid in zip(radii[::2], radii[1::2], strict=True)
            ],
            "sigmas": [list(pair) for pair in zip(sigmas[::2], sigmas[1::2], strict=True)],
            "alphas": list(header.alpha_codes),
            **{name: own.get(name, default) for name, default in _DEFAULTS.items()},
            "shape": own.get("shape", _default_shape(segments)),
            "mid": own.get("mid", _default_mid(segments)),
            "mid_level": own.get("mid_level", default_mid_level(level)),
            "bit_allocation": {},
        },
        "subsampling": short.get("subsampling", default_subsampling(level)),
        "segments": segments,
    }
    return full | {name: short[name] for name in _PLAIN if name in short}


def _unless(into: dict[str, Any], name: str, value: Any, default: Any) -> None:
    if value != default:
        into[name] = value


def _size(value: Any) -> tuple[Any, Any, str]:
    """Width, height and mode."""
    if not isinstance(value, list) or len(value) not in (2, 3):
        raise CorruptError(f"size {value!r} is not width, height and number of channels")
    width, height, channels = (*value, 3)[:3]
    if type(channels) is not int or not 1 <= channels <= len(MODES):
        raise CorruptError(f"pictures of {channels!r} channels are not known")
    return width, height, MODES[channels - 1]


def _list(name: str, value: Any, n: int) -> list[Any]:
    if not isinstance(value, list) or len(value) != n:
        raise CorruptError(f"{name} is not a list of {n}")
    return value


def _coders(segments: Any) -> dict[Any, Any]:
    """The coder of every kind of segment in a table of contents, be it ever so wrong."""
    rows = [row for row in segments if isinstance(row, list)] if isinstance(segments, list) else []
    return {row[0]: row[4] for row in rows if len(row) > 4 and isinstance(row[0], str)}


def _default_shape(segments: Any) -> str:
    kinds = _coders(segments)
    if "map" in kinds:
        return "map"
    return "ellipses" if "preview" in kinds else "all"


def _default_mid(segments: Any) -> str:
    coder = _coders(segments).get("mid")
    if coder is None:
        return "none"
    return "dct" if coder == "dct" else "palette"


def _shortest(value: float) -> float:
    """The number of fewest decimal digits whose nearest float32 is `value`, which is one."""
    for digits in range(1, 10):
        short = float(f"{value:.{digits}g}")
        if _float32(short) == value:
            return short
    return value


def _float32(value: Any) -> Any:
    """The float32 nearest to a number; other things are as wrong afterwards as before."""
    if type(value) not in (int, float) or not -1e30 < value < 1e30:
        return value
    return struct.unpack("<f", struct.pack("<f", value))[0]


def _packed_table(segments: list[list[Any]]) -> str | None:
    """The table of contents as a string, or None if it has a row that is not for packing."""
    data = bytearray()
    for kind, _, _, length, coder, version, crc in segments:
        if kind not in KINDS or (coder, version) not in PACKED_CODERS:
            return None
        data.append(KINDS.index(kind) | PACKED_CODERS.index((coder, version)) << 4)
        while length >= 0x80:
            data.append(length & 0x7F | 0x80)
            length >>= 7
        data.append(length)
        data += _CRC.pack(crc)
    return base64.b85encode(data).decode()


def _table(packed: Any) -> list[list[Any]]:
    """The rows of a packed table of contents."""
    if not isinstance(packed, str):
        raise CorruptError("metadata have no table of contents")
    try:
        data = base64.b85decode(packed)
    except ValueError as error:
        raise CorruptError(f"table of contents is not in base 85: {error}") from error
    rows: list[list[Any]] = []
    at = offset = cores = 0
    while at < len(data):
        code, at = data[at], at + 1
        length = shift = 0
        while True:
            if at == len(data) or shift > 35:
                raise CorruptError("table of contents ends inside a length, or it is too long")
            length |= (data[at] & 0x7F) << shift
            shift, at = shift + 7, at + 1
            if data[at - 1] < 0x80:
                break
        if at + _CRC.size > len(data):
            raise CorruptError("table of contents ends inside a checksum")
        (crc,) = _CRC.unpack_from(data, at)
        at += _CRC.size
        kind, center = _kind(code & 15), None
        if kind == "core":
            center, cores = cores, cores + 1
        rows.append([kind, center, offset, length, *_coder(code >> 4), crc])
        offset += length
    return rows


def _kind(number: int) -> str:
    return KINDS[number] if number < len(KINDS) else f"number {number}"


def _coder(number: int) -> tuple[str, int]:
    """A coder and its version; what is not known is named when its segment is asked for."""
    return PACKED_CODERS[number] if number < len(PACKED_CODERS) else (f"number {number}", 0)
