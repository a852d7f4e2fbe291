"""Metadata: Snappy-compressed JSON behind its uint32 length (format.md, 3).

It holds everything that decoding needs besides the segments themselves.
"""

import base64
import json
import math
import re
import struct
import zlib
from dataclasses import dataclass
from typing import Any, NamedTuple

import snappy

from .. import limits
from ..errors import AigError, CorruptError, LimitError, TruncatedError, UnsupportedError
from . import compact
from .header import HEADER_SIZE, MAX_CENTERS, MAX_SIGMA, MIN_SIGMA, Header, sigma_to_code
from .kinds import OF_LOSSY, OF_NAME
from .toc import Segment, parse_toc

#: Version of the container that this code writes and the newest that it reads.
CONTAINER_VERSION = compact.VERSION

MODES = compact.MODES
#: Bits per sample; 16 in lossless files alone.
BITS = (8, 16)
#: What the cores are: ellipses, what the segment "map" says, or everything.
SHAPES = ("ellipses", "map", "all")
MIDS = ("none", "dct", "palette")
SUBSAMPLINGS = ("4:2:0", "4:4:4")
#: Known quantisation matrices: 0 flat (tune="psnr"), 1 radial frequency (tune="visual").
QP_TABLES = (0, 1)

#: Radii are stored as multiples of this, so that their integer form is exact.
RADIUS_STEP = 1 / 256
MAX_RADIUS = 65535.0

#: Most frames of a file; most letters of a label's name, and the largest of its scores.
MAX_FRAMES = 2**20
MAX_NAME = 1000
MAX_SCORE = 1e9

#: Most coders that a file declares; most letters of their names and lines.
MAX_CODERS, MAX_CODER_NAME, MAX_CODER_LINE = 16, 40, 200

#: The coder whose pictures of a smaller scale need no whole one.
_IN_FREQUENCIES = "dct"

#: The checksum at the end: in base 85, or, in version 1, in decimal.
_CRC_TAIL = re.compile(rb',"crc32":(?:"([^"\\]{5})"|(\d{1,10}))\}\Z')


class Focus(NamedTuple):
    """One focus: where it is, its shape, and how far its tiers reach.

    x, y: pixels. sigma: diagonal of Sigma as float32 values. alpha_code: alpha x 100, 0..255.
    r_core, r_mid: weighted distances, multiples of 1/256.
    """

    x: int
    y: int
    sigma: tuple[float, float]
    alpha_code: int
    r_core: float
    r_mid: float

    @property
    def alpha(self) -> float:
        """Weight of the angle in the distance, per radian."""
        return self.alpha_code / 100


class Label(NamedTuple):
    """What is in a focus, as far as that is known.

    name: text. class_id: the number of its class, 0..2^31 - 1. score: how sure it is, a finite
    number.
    """

    name: str | None = None
    class_id: int | None = None
    score: float | None = None

    def to_json(self) -> dict[str, Any]:
        """What is known, by the names "name", "class" and "score"."""
        pairs = zip(("name", "class", "score"), self, strict=True)
        return {key: value for key, value in pairs if value is not None}


class DeclaredCoder(NamedTuple):
    """A coder that is not of this format, as files that need it declare it.

    get: a line for people, such as "pip install aig-foo". optional: whether cores and preview are
    good enough without it.
    """

    name: str
    version: int
    get: str
    optional: bool = False


@dataclass(frozen=True)
class Frames:
    """Of a file with several frames: how many, and how often to show them (0 for ever)."""

    count: int
    loop: int | None


@dataclass(frozen=True)
class Metadata:
    """Everything a file says about itself. Field by field in format.md, section 3."""

    width: int
    height: int
    mode: str
    foci: tuple[Focus, ...]
    bits: int = 8
    shape: str = "ellipses"
    quality_level: int = 191
    qp_table_id: int = 0
    subsampling: str = "4:2:0"
    mid: str = "none"
    mid_level: int = 191
    palette_sizes: tuple[int, ...] = ()
    boundary_tau: float = 2.0
    rd_lambda: float = 0.02
    dpi: tuple[float, float] | None = None
    labels: tuple[Label | None, ...] = ()
    frames: Frames | None = None
    coders: tuple[DeclaredCoder, ...] = ()
    segments: tuple[Segment, ...] = ()

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.width, self.height

    @property
    def cores(self) -> int:
        """Number of core segments: one for each focus, or one for all."""
        return 1 if self.shape == "all" else len(self.foci)

    @property
    def channels(self) -> int:
        """Samples per pixel, alpha included."""
        return len(self.mode)

    @property
    def bit_allocation(self) -> dict[str, int]:
        """Bits of every segment, those of cores by "0:core", "1:core".."""
        return {
            s.kind if s.center is None else f"{s.center}:{s.kind}": 8 * s.length
            for s in self.segments
        }

    @property
    def is_averaged(self) -> bool:
        """Whether smaller pictures are means of the whole one (format.md, 8.1): unless all that
        lies outside the cores is coded in frequencies."""
        if self.shape == "all" or self.mid == "palette":
            return True
        return any(
            s.kind in OF_NAME and OF_NAME[s.kind].is_scaled and s.coder != _IN_FREQUENCIES
            for s in self.segments
        )

    def has(self, kind: str) -> bool:
        """Whether there is a segment of a kind."""
        return any(s.kind == kind for s in self.segments)

    @property
    def max_sample(self) -> int:
        """Largest value of a sample, which is white or opaque."""
        return (1 << self.bits) - 1

    def info(self) -> dict[str, Any]:
        """What a reader may want to know about the foci, in plain Python types."""
        labels = self.labels or (None,) * len(self.foci)
        return {
            "centers": [(f.x, f.y) for f in self.foci],
            "radii": [(f.r_core, f.r_mid) for f in self.foci],
            "sigmas": [f.sigma for f in self.foci],
            "alphas": [f.alpha for f in self.foci],
            "labels": [None if label is None else label.to_json() for label in labels],
            "bits": self.bits,
            "quality_level": self.quality_level,
            "lossless": self.shape == "all",
            "shape": self.shape,
            "mid": self.mid,
            "lambda_rd": self.rd_lambda,
            "bit_allocation": self.bit_allocation,
        }

    def header(self) -> Header:
        """The header that belongs to this metadata."""
        return Header(
            centers=tuple((f.x, f.y) for f in self.foci),
            max_radii=tuple(math.ceil(f.r_mid) for f in self.foci),
            quality_level=self.quality_level,
            sigma_codes=tuple(
                (sigma_to_code(f.sigma[0]), sigma_to_code(f.sigma[1])) for f in self.foci
            ),
            alpha_codes=tuple(f.alpha_code for f in self.foci),
        )

    def to_json(self) -> dict[str, Any]:
        """Every member spelt out, as in files of version 1, without the closing checksum."""
        data: dict[str, Any] = {
            "version": 1,
            "width": self.width,
            "height": self.height,
            "mode": self.mode,
            "quality_level": self.quality_level,
            "mc_rsc": {
                "N": len(self.foci),
                "shape": self.shape,
                "centers": [{"x": f.x, "y": f.y} for f in self.foci],
                "radii": [{"core": f.r_core, "mid": f.r_mid} for f in self.foci],
                "sigmas": [list(f.sigma) for f in self.foci],
                "alphas": [f.alpha_code for f in self.foci],
                "qp_table_id": self.qp_table_id,
                "mid": self.mid,
                "mid_level": self.mid_level,
                "palette_sizes": list(self.palette_sizes),
                "boundary_tau": self.boundary_tau,
                "rd_lambda": self.rd_lambda,
                "bit_allocation": self.bit_allocation,
            },
            "subsampling": self.subsampling,
        }
        if self.bits != 8:
            data["bits"] = self.bits
        if self.dpi is not None:
            data["dpi"] = list(self.dpi)
        if self.labels:
            data["labels"] = [None if one is None else one.to_json() for one in self.labels]
        if self.frames is not None:
            data["frames"] = {"count": self.frames.count}
            if self.frames.loop is not None:
                data["frames"]["loop"] = self.frames.loop
        if self.coders:
            data["coders"] = {c.name: _declared_json(c) for c in self.coders}
        data["segments"] = [list(s) for s in self.segments]
        return data

    @classmethod
    def from_json(cls, data: Any, header: Header) -> "Metadata":
        """Check every field and build the metadata; `CorruptError` names the first wrong one.

        header: that of the file, which says part of it.
        """
        get = _Fields(data, "metadata")
        version = get.integer("version", 1, 2**31)
        if version > CONTAINER_VERSION:
            raise UnsupportedError(
                f"container version {version} is needed; this is version {CONTAINER_VERSION}"
            )
        if version == compact.VERSION:
            get = _Fields(compact.completed(data, header), "metadata")
        width = get.integer("width", 1, 2**31)
        height = get.integer("height", 1, 2**31)
        limits.check_size(width, height)
        rsc = _Fields(get("mc_rsc"), "mc_rsc")
        n = rsc.integer("N", 1, MAX_CENTERS)
        foci = []
        for k in range(n):
            center = _Fields(rsc.item("centers", k, n), f"center {k}")
            radii = _Fields(rsc.item("radii", k, n), f"radii of center {k}")
            sigma = rsc.item("sigmas", k, n)
            if not isinstance(sigma, list) or len(sigma) != 2:
                raise CorruptError(f"sigma of center {k} is not a pair")
            alphas = rsc.item("alphas", k, n)
            if type(alphas) is not int or not 0 <= alphas <= 255:
                raise CorruptError(f"alpha of center {k} is {alphas!r}, not 0..255")
            r_core = radii.number("core", 0, MAX_RADIUS)
            r_mid = radii.number("mid", 0, MAX_RADIUS)
            if r_mid < r_core or r_core % RADIUS_STEP or r_mid % RADIUS_STEP:
                raise CorruptError(f"radii of center {k} are {r_core} and {r_mid}")
            foci.append(
                Focus(
                    center.integer("x", 0, width - 1),
                    center.integer("y", 0, height - 1),
                    (_sigma(sigma[0], k), _sigma(sigma[1], k)),
                    alphas,
                    r_core,
                    r_mid,
                )
            )
        sizes = rsc("palette_sizes")
        if not isinstance(sizes, list) or any(
            type(s) is not int or not 1 <= s <= 256 for s in sizes
        ):
            raise CorruptError(f"palette sizes {sizes!r} are not of 1 to 256")
        if not isinstance(rsc("bit_allocation"), dict):
            raise CorruptError("bit allocation is not an object")
        dpi = None
        if "dpi" in get.data:
            pair = get("dpi")
            if not isinstance(pair, list) or len(pair) != 2:
                raise CorruptError("dpi is not a pair")
            dpi = (_number(pair[0], 0, 1e6, "dpi"), _number(pair[1], 0, 1e6, "dpi"))
        mode = get.choice("mode", MODES)
        bits = get.choice("bits", BITS) if "bits" in get.data else 8
        shape = rsc.choice("shape", SHAPES)
        if bits != 8 and shape != "all":
            raise CorruptError(f"samples of {bits} bits in a picture that is not lossless")
        mid = rsc.choice("mid", MIDS)
        required = {"preview"} if shape != "all" else set()
        if mode in ("LA", "RGBA") and shape != "all":
            required.add("alpha")
        frames = _frames(get("frames")) if "frames" in get.data else None
        if frames is not None:
            required.add("frames")
        if shape == "map":
            required.add("map")
        # Where they are not required, these would say something that is not so.
        forbidden = {"alpha", "frames", "map"} | (OF_LOSSY if shape == "all" else frozenset())
        segments = parse_toc(
            get("segments"),
            1 if shape == "all" else n,
            required=required,
            forbidden=forbidden - required,
        )
        if any(s.kind == "tiles" for s in segments) != any(s.kind == "drawn" for s in segments):
            raise CorruptError("tiles without drawn pixels, or drawn pixels without tiles")
        for s in segments:
            # Of a palette's pixels there are two codings.
            own = "palette" if s.coder == "lossless" else s.coder
            if s.kind == "mid" and own in MIDS and own != mid:
                raise CorruptError(f"mid tier is coded by {s.coder}, not by {mid}")
        return cls(
            width=width,
            height=height,
            mode=mode,
            foci=tuple(foci),
            bits=bits,
            shape=shape,
            quality_level=get.integer("quality_level", 0, 255),
            qp_table_id=rsc.choice("qp_table_id", QP_TABLES),
            subsampling=get.choice("subsampling", SUBSAMPLINGS),
            mid=mid,
            mid_level=rsc.integer("mid_level", 0, 255),
            palette_sizes=tuple(sizes),
            boundary_tau=rsc.number("boundary_tau", 0, 255),
            rd_lambda=rsc.number("rd_lambda", 0, 1e9),
            dpi=dpi,
            labels=_labels(get("labels"), n) if "labels" in get.data else (),
            frames=frames,
            coders=_coders(get("coders")) if "coders" in get.data else (),
            segments=segments,
        )


def _frames(value: Any) -> Frames:
    get = _Fields(value, "frames")
    loop = get.integer("loop", 0, 65535) if "loop" in get.data else None
    return Frames(get.integer("count", 2, MAX_FRAMES), loop)


def _declared_json(coder: DeclaredCoder) -> dict[str, Any]:
    data: dict[str, Any] = {"version": coder.version, "get": coder.get}
    return data | ({"optional": True} if coder.optional else {})


def _coders(values: Any) -> tuple[DeclaredCoder, ...]:
    if not isinstance(values, dict) or len(values) > MAX_CODERS:
        raise CorruptError(f"coders are not an object of at most {MAX_CODERS}")
    found = []
    for name, value in values.items():
        get = _Fields(value, f"coder {name[:MAX_CODER_NAME]!r}")
        line, optional = get("get"), get.data.get("optional", False)
        if not name or len(name) > MAX_CODER_NAME:
            raise CorruptError(f"{get.name} has a name of {len(name)} letters")
        if not isinstance(line, str) or len(line) > MAX_CODER_LINE or not line.isprintable():
            raise CorruptError(f"{get.name} is not declared in a line of text")
        if not isinstance(optional, bool):
            raise CorruptError(f"{get.name}: optional is {optional!r}, not true or false")
        found.append(DeclaredCoder(name, get.integer("version", 0, 2**16 - 1), line, optional))
    return tuple(found)


def _labels(values: Any, n: int) -> tuple[Label | None, ...]:
    if not isinstance(values, list) or len(values) != n:
        raise CorruptError(f"labels are not a list of {n}")
    return tuple(None if value is None else _label(value, k) for k, value in enumerate(values))


def _label(value: Any, k: int) -> Label:
    get = _Fields(value, f"label of center {k}")
    name = get.data.get("name")
    if name is not None and (not isinstance(name, str) or len(name) > MAX_NAME):
        raise CorruptError(f"name of center {k} is not a text of at most {MAX_NAME} letters")
    class_id = get.integer("class", 0, 2**31 - 1) if "class" in get.data else None
    score = get.number("score", -MAX_SCORE, MAX_SCORE) if "score" in get.data else None
    return Label(name, class_id, score)


def _number(value: Any, low: float, high: float, name: str) -> float:
    # The comparison is false for NaN, so NaN is refused with the rest.
    if type(value) not in (int, float) or not low <= value <= high:
        raise CorruptError(f"{name} is {value!r}, not a number from {low} to {high}")
    return float(value)


def _sigma(value: Any, k: int) -> float:
    number = _number(value, MIN_SIGMA * 0.999, MAX_SIGMA * 1.001, f"sigma of center {k}")
    if struct.unpack("<f", struct.pack("<f", number))[0] != number:
        raise CorruptError(f"sigma of center {k} is {number!r}, not a float32 value")
    return number


class _Fields:
    """Typed access to a JSON object from a stranger."""

    def __init__(self, data: Any, name: str) -> None:
        if not isinstance(data, dict):
            raise CorruptError(f"{name} is not a JSON object")
        self.data, self.name = data, name

    def __call__(self, key: str) -> Any:
        if key not in self.data:
            raise CorruptError(f"{self.name} lacks {key!r}")
        return self.data[key]

    def integer(self, key: str, low: int, high: int) -> int:
        value = self(key)
        if type(value) is not int or not low <= value <= high:
            raise CorruptError(f"{self.name}: {key} is {value!r}, not {low}..{high}")
        return value

    def number(self, key: str, low: float, high: float) -> float:
        return _number(self(key), low, high, f"{self.name}: {key}")

    def choice(self, key: str, known: tuple[Any, ...]) -> Any:
        value = self(key)
        for choice in known:
            if type(value) is type(choice) and value == choice:
                return choice
        raise UnsupportedError(f"{self.name}: {key} {value!r} is not known (one of {known} is)")

    def item(self, key: str, k: int, n: int) -> Any:
        values = self(key)
        if not isinstance(values, list) or len(values) != n:
            raise CorruptError(f"{self.name}: {key} is not a list of {n}")
        return values[k]


class Prologue(NamedTuple):
    """Header and metadata as read; `data_start` is the file offset of the first segment."""

    header: Header
    metadata: Metadata
    data_start: int


def pack_prologue(metadata: Metadata) -> bytes:
    """Header, metadata length and metadata: everything before the first segment.

    What is packed is read again before it is returned, so that no file leaves here that no reader
    takes. Raises ValueError where that is so.
    """
    prologue = packed(metadata)
    try:
        read = read_prologue(prologue).metadata
    except AigError as error:
        raise ValueError(f"such a file could not be read: {error}") from error
    if read != metadata:
        raise ValueError("such a file would be read as another one")
    return prologue


def packed(metadata: Metadata) -> bytes:
    """What `pack_prologue` returns, whether it can be read or not."""
    own = metadata.header()
    header = own.pack()
    short = compact.shortened(metadata.to_json(), own)
    text = json.dumps(short, separators=(",", ":"), allow_nan=False).encode()
    crc = zlib.crc32(text[:-1], zlib.crc32(header))
    text = text[:-1] + b',"crc32":"%b"}' % base64.b85encode(struct.pack(">I", crc))
    block: bytes = snappy.compress(text)
    if max(len(text), len(block)) > limits.max_metadata:
        raise ValueError(f"metadata of {len(text)} bytes exceeds limits.max_metadata")
    return header + struct.pack(">I", len(block)) + block


def pack_text(text: dict[str, str]) -> bytes:
    """The segment "text"."""
    return json.dumps(text, ensure_ascii=False, separators=(",", ":")).encode()


def read_text(data: bytes) -> dict[str, str]:
    """What the segment "text" says, by keyword. Raises `CorruptError`."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise CorruptError(f"text is not JSON: {error}") from error
    if not isinstance(found, dict) or not all(isinstance(v, str) for v in found.values()):
        raise CorruptError("text is not an object of texts")
    return found


def snappy_length(data: bytes) -> int:
    """Decompressed size that a Snappy block claims (its leading varint); the claim is unchecked."""
    value = 0
    for i, byte in enumerate(data[:5]):
        value |= (byte & 0x7F) << (7 * i)
        if byte < 0x80:
            return value
    raise CorruptError("Snappy block without a length")


def read_prologue(data: bytes) -> Prologue:
    """Read header and metadata from the first bytes of a file.

    Raises `TruncatedError` (its attribute ``needed`` says how many bytes would do) as long as
    `data` is too short, and the other `AigError` kinds for anything that can't be right.
    """
    header = Header.unpack(data)
    if len(data) < HEADER_SIZE + 4:
        raise _truncated(HEADER_SIZE + 4)
    (length,) = struct.unpack_from(">I", data, HEADER_SIZE)
    if length > limits.max_metadata:
        raise LimitError(f"metadata of {length} bytes exceeds limits.max_metadata")
    start = HEADER_SIZE + 4 + length
    if len(data) < start:
        raise _truncated(start)
    block = bytes(data[HEADER_SIZE + 4 : start])
    claim = snappy_length(block)
    if claim > limits.max_metadata:
        raise LimitError(f"metadata claims {claim} bytes, above limits.max_metadata")
    try:
        text: bytes = snappy.decompress(block)
    except snappy.UncompressError as error:
        raise CorruptError(f"metadata is not a Snappy block: {error}") from error
    tail = _CRC_TAIL.search(text)
    if tail is None:
        raise CorruptError("metadata does not end with its checksum")
    if zlib.crc32(text[: tail.start()], zlib.crc32(data[:HEADER_SIZE])) != _crc(tail):
        raise CorruptError("checksum of header and metadata does not match")
    try:
        parsed = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise CorruptError(f"metadata is not JSON: {error}") from error
    metadata = Metadata.from_json(parsed, header)
    if metadata.header() != header:
        raise CorruptError("header and metadata disagree")
    return Prologue(header, metadata, start)


def _crc(tail: re.Match[bytes]) -> int:
    """The checksum that the metadata end with; -1, which no CRC is, for what is no number."""
    if tail[1] is None:
        return int(tail[2])
    try:
        return int.from_bytes(base64.b85decode(tail[1]))
    except ValueError:
        return -1


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a JSON number")


def _truncated(needed: int) -> TruncatedError:
    error = TruncatedError(f"file ends inside the metadata; {needed} bytes are needed")
    error.needed = needed
    return error
