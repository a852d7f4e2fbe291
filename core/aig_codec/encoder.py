"""The forward pipeline: pixels -> foci -> class map -> coders -> container.

Every stage hands its result to the next; nothing flows back.
"""

import math
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _native, detections, geometry, limits, masks, settings
from .coders import boundary, dct, labels, lossless, palette
from .coders.lossless import Pixels
from .container import CODERS, Focus, Metadata, Segment, pack_prologue, pack_text
from .container.metadata import MAX_RADIUS
from .decisions import Candidate, Decision, pack, unpack
from .geometry import CORE, DRAWN, MID, MID_LAST, Regions
from .picture import Picture, Problems
from .settings import Settings
from .threads import Workers

if TYPE_CHECKING:
    from .search.targets import How, Trial

U8 = NDArray[np.uint8]

#: The segment of each block class.
_TIERS = {dct.MID: "mid", dct.BACKGROUND: "background"}

_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}

#: From this level on (quality 80), chroma keeps its full resolution: steps are so fine that half
#: of it costs more error than bits.
_FULL_CHROMA_LEVEL = 204

#: The mid tier's quality level lies one part in so many from the background's to 255.
_MID_PART = 8

#: Lagrange multiplier of the lossy tiers, per squared quantiser step (2-codec: 0.07 to 0.10).
_LAMBDA_PER_STEP = 0.1

#: Tau of the boundary tier where the caller gives none, and the effort from which it is tried.
_BOUNDARY_TAU, _BOUNDARY_EFFORT = 2.0, 7


#: How near a target is near enough: of log(bytes), and in dB; what is too much of the former.
_NEAR_SIZE, _NEAR_PSNR, _TOO_LARGE = 0.014, 0.05, 0.02

#: First guesses: level at 1 bit per pixel and for a doubling; at 0 dB and for each dB; and where
#: guesses end.
_LEVEL_OF_RATE, _LEVEL_OF_PSNR, _GUESSES = (200, 45), (-180, 9.5), (40, 225)

#: How near a probe must be, in log(bytes), and from how many groups on there are some.
_NEAR_PROBE, _GROUPS_TO_PROBE = 0.06, 6

#: Bytes that decisions about a target take, with their row in the table of contents.
_DECISIONS = 320

#: What stands for the PSNR of pixels that are exact.
_EXACT_PSNR = 100.0

#: What decisions call it.
_MID_TIER = "mid tier"


@dataclass(frozen=True)
class _Part:
    """A coded segment that does not know its place in the file yet."""

    kind: str
    coder: str
    payload: bytes
    center: int | None = None


def encode(
    pixels: ArrayLike,
    *,
    exif: bytes | None = None,
    icc_profile: bytes | None = None,
    xmp: bytes | None = None,
    dpi: tuple[float, float] | None = None,
    text: Mapping[str, str] | None = None,
    comment: str | None = None,
    **keywords: Any,
) -> bytes:
    """Encode an image as an AIG file.

    pixels: uint8 or uint16 array (H, W) or (H, W, C) with C = 1 grey, 2 grey and alpha, 3 RGB,
    4 RGBA. uint16 is stored lossless, which need not be said, and asking for loss is an error.

    Keywords, all optional: centers, a list of 1 to 3 points (x, y), or "auto"; sigmas, per center
    a number, a pair or a diagonal 2x2 array (`Sigmas` is accepted too); alphas, the weight of the
    angle per center, 0..2.55; radii, per center (core, mid) in units of the weighted distance,
    searched when left out; centers may be a function of the image, see `aig_codec.detections`; or,
    instead of all these, mask, (H, W) of bool or whole numbers, whose
    pixels that are not 0 are the cores, an object each; or boxes, a list of (left, top, right,
    bottom); labels, per center what it shows, a name or a mapping with some of
    "name", "class" (a number) and "score", or None; quality 0..100 (75) or quality_level 0..255, or
    target_size, bytes of the file, or target_psnr, dB outside the cores; explain, whether the file
    tells what was chosen and why (by default if centers, radii or a target were left to us);
    lambda_rd (0.02), larger for smaller cores; lossless, every pixel exact; mid "auto", "palette",
    "dct" or "none"; entropy of the lossy tiers, "auto", "adaptive", "rans", "golomb" or "snappy";
    effort 1..9 (5); tune "psnr", for the least squared error, or "visual"; subsampling "auto",
    "4:2:0" or "4:4:4"; boundary_tau, above which residuals in the band between tiers are kept;
    preset "tracking", "medical" or "surveillance"; threads; exif, icc_profile, xmp, dpi; text,
    strings by keyword, and comment, one of them.

    Returns the file. The same input gives the same bytes, whatever the number of threads. Raises
    ValueError or TypeError for what is not allowed or cannot be stored.
    """
    array = _as_pixels(pixels)
    words = settings.parse_text(text, comment)
    blobs = _ancillary(
        icc_profile=icc_profile,
        exif=exif,
        xmp=xmp,
        text=pack_text(words) if words else None,
    )
    wanted, core_map = _with_cores(_parse(array, keywords))
    metadata, decisions = _describe(array, wanted)
    metadata = replace(metadata, dpi=settings.parse_dpi(dpi))
    if core_map is not None:
        metadata = replace(metadata, shape="map")
    regions = Regions(metadata, core_map)
    with Workers(wanted.threads) as workers:
        jobs = [_core(array, regions, k, wanted, workers) for k in range(metadata.cores)]
        if metadata.shape == "all":
            return _assemble(metadata, [job.part() for job in jobs] + blobs)
        if wanted.target_size is None and wanted.target_psnr is None:
            coded = _lossy_tiers(array, regions, wanted, workers)
            exact = _map(regions) + [job.part() for job in jobs]
        else:
            exact = _map(regions) + [job.part() for job in jobs]
            coded = _to_target(array, regions, wanted, workers, exact + blobs)
    told = _told(wanted, [*decisions, *coded.decisions])
    return _assemble(coded.metadata, [*exact, *coded.parts, *blobs, *told])


def explain(pixels: ArrayLike, **keywords: Any) -> tuple[Decision, ...]:
    """What `encode` would choose for an image, and why; see there for the arguments."""
    from .container import read_prologue

    data = encode(pixels, **{**keywords, "explain": True})
    prologue = read_prologue(data)
    for s in prologue.metadata.segments:
        if s.kind == "decisions":
            start = prologue.data_start + s.offset
            return unpack(data[start : start + s.length])
    return ()


def _parse(array: Pixels, keywords: dict[str, Any]) -> Settings:
    """The settings, a function given as centers being asked first."""
    height, width = array.shape[:2]
    if callable(keywords.get("centers")):
        found = keywords["centers"](array[..., 0] if array.shape[2] == 1 else array)
        own = {name: v for name, v in keywords.items() if v is not None and name != "centers"}
        keywords = {**detections.keywords(found, width, height), **own}
    return settings.parse(width, height, keywords, 8 * array.itemsize)


def _told(wanted: Settings, decisions: list[Decision]) -> list[_Part]:
    """The decisions as a segment: if asked for, or if more than the mid tier was left to us."""
    told = wanted.explain
    if told is None:
        told = any(d.what != _MID_TIER for d in decisions)
    return [_Part("decisions", "raw", pack(decisions))] if told and decisions else []


def _as_pixels(pixels: ArrayLike) -> Pixels:
    array = np.asarray(pixels)
    if array.dtype.kind != "u" or array.itemsize > 2:
        raise TypeError(f"pixels must be uint8 or uint16, not {array.dtype}")
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or array.shape[2] not in _MODES:
        raise ValueError(f"pixels must be (H, W) or (H, W, 1..4), not {array.shape}")
    if 0 in array.shape:
        raise ValueError(f"an image of {array.shape[1]} x {array.shape[0]} pixels is empty")
    limits.check_size(array.shape[1], array.shape[0])
    return np.ascontiguousarray(array, array.dtype.newbyteorder("="))


def _ancillary(**blobs: bytes | None) -> list[_Part]:
    """Segments that are stored as they are; those that are empty or None are left out."""
    parts = []
    for name, blob in blobs.items():
        if blob is not None and not isinstance(blob, (bytes, bytearray, memoryview)):
            raise TypeError(f"{name} must be bytes, not {type(blob).__name__}")
        if blob and len(blob) > limits.max_ancillary:
            raise ValueError(f"{name} of {len(blob)} bytes exceeds limits.max_ancillary")
        if blob:
            parts.append(_Part(name.removesuffix("_profile"), "raw", bytes(blob)))
    return parts


def _with_cores(wanted: Settings) -> tuple[Settings, U8 | None]:
    """Cores of any shape as foci; and the map of them, unless foci say it all."""
    cores = wanted.cores
    if cores is None:
        return wanted, None
    with_mid = wanted.mid != "none"
    whole = cores.count == 1 and bool(cores.labels.all())
    ellipses = None if whole else masks.as_ellipses(cores, with_mid)
    foci = ellipses or masks.foci(cores, with_mid)
    wanted = replace(
        wanted,
        centers=tuple((f.x, f.y) for f in foci),
        sigmas=tuple(f.sigma for f in foci),
        alpha_codes=(0,) * len(foci),
        radii=tuple((f.r_core, f.r_mid) for f in foci),
        lossless=wanted.lossless or whole,
    )
    return wanted, None if wanted.lossless or ellipses else cores.labels


def _describe(array: Pixels, wanted: Settings) -> tuple[Metadata, tuple[Decision, ...]]:
    """Everything about the file that is known before a pixel is coded, and why it is so."""
    height, width, channels = array.shape
    table_id = settings.TUNES.index(wanted.tune)
    level = wanted.quality_level
    if wanted.target_size is not None or wanted.target_psnr is not None:
        level = _first_level(array, wanted)
    foci: tuple[Focus, ...]
    if wanted.lossless:
        # The foci only tell sniffers where to look; every pixel is core.
        centers = wanted.centers or ((width // 2, height // 2),)
        radii = wanted.radii or ((MAX_RADIUS, MAX_RADIUS),) * len(centers)
        foci = tuple(
            Focus(x, y, wanted.sigma_of(k), wanted.alpha_code_of(k), *radii[k])
            for k, (x, y) in enumerate(centers)
        )
        decisions: tuple[Decision, ...] = ()
    else:
        from .search.plan import plan

        chroma = _subsampling(level, wanted)
        found = plan(array, wanted, (level, _mid_level(level)), table_id, chroma)
        foci, decisions = found.foci, found.decisions
    metadata = Metadata(
        width=width,
        height=height,
        mode=_MODES[channels],
        foci=foci,
        bits=8 * array.itemsize,
        shape="all" if wanted.lossless else "ellipses",
        qp_table_id=table_id,
        boundary_tau=_BOUNDARY_TAU if wanted.boundary_tau is None else wanted.boundary_tau,
        rd_lambda=wanted.lambda_rd,
        labels=wanted.labels,
    )
    return _at_level(metadata, level, wanted), decisions


def _at_level(metadata: Metadata, level: int, wanted: Settings) -> Metadata:
    """The metadata with all that follows from a quality level."""
    return replace(
        metadata,
        quality_level=level,
        mid_level=_mid_level(level),
        subsampling=_subsampling(level, wanted),
    )


def _mid_level(level: int) -> int:
    return level + (255 - level) // _MID_PART


def _subsampling(level: int, wanted: Settings) -> str:
    if wanted.subsampling != "auto":
        return wanted.subsampling
    return "4:4:4" if level >= _FULL_CHROMA_LEVEL else "4:2:0"


@dataclass(frozen=True)
class _Exact:
    """A lossless segment on its way."""

    kind: str
    encoding: lossless.Encoding
    center: int | None = None

    def part(self) -> _Part:
        return _Part(self.kind, "lossless", self.encoding.result(), self.center)


def _core(array: Pixels, regions: Regions, k: int, wanted: Settings, workers: Workers) -> _Exact:
    window = regions.core_window(k)
    pixels = array
    if window.size != (array.shape[1], array.shape[0]):
        pixels = np.ascontiguousarray(array[window.slices])
    class_map = regions.cores_in(window)
    encoding = lossless.start_encoding(
        pixels, class_map, CORE + k, CORE + k, wanted.effort, workers
    )
    return _Exact("core", encoding, k)


def _map(regions: Regions) -> list[_Part]:
    """What the cores are, where that takes more than ellipses."""
    if regions.core_map is None:
        return []
    payload = labels.encode(regions.core_map, len(regions.metadata.foci))
    return [_Part("map", "labels", payload)]


@dataclass(frozen=True)
class _Coded:
    """The tiers with loss, and alpha; the metadata with the mid tier decided, and why it is so."""

    metadata: Metadata
    parts: list[_Part]
    decisions: list[Decision]


def _to_target(
    array: U8, regions: Regions, wanted: Settings, workers: Workers, others: list[_Part]
) -> _Coded:
    """The lossy tiers at the level that a wanted size or PSNR asks for; others: all other parts."""
    from .search import targets

    trials: dict[tuple[int, float], _Coded] = {}
    # What does not depend on the level; the decisions are still to be made, and have about as many.
    fixed = sum(len(p.payload) for p in others) + (_DECISIONS if wanted.explain is not False else 0)
    size = wanted.target_size

    def measure(level: int, weight: float) -> float:
        at = Regions(_at_level(regions.metadata, level, wanted), regions.core_map)
        coded = trials[level, weight] = _lossy_tiers(array, at, wanted, workers, weight)
        if size is None:
            return _psnr_outside(array, at, coded, workers)
        return math.log(len(_assemble(coded.metadata, [*coded.parts, *others])) - fixed_core)

    first = regions.metadata.quality_level
    fixed_core = fixed - (_DECISIONS if wanted.explain is not False else 0)
    if size is not None:
        room = size - fixed
        if room <= 0:
            raise ValueError(
                f"target_size {size} cannot be reached: with these foci, everything but the "
                f"lossy tiers takes about {fixed} bytes"
            )
        aim, near, how = math.log(room), _NEAR_SIZE * size / room, targets.SIZE
        first, how = _probed(array, regions, wanted, workers, aim, first)
    else:
        assert wanted.target_psnr is not None
        aim, near, how = wanted.target_psnr, _NEAR_PSNR, targets.PSNR
    found = targets.solve(measure, aim, near, first, how)
    best = found[-1]
    if size is not None and best.level == 0 and math.exp(best.value) > room + _TOO_LARGE * size:
        least = round(math.exp(best.value)) + fixed
        raise ValueError(
            f"target_size {size} cannot be reached: with these foci no file is smaller than about "
            f"{least} bytes"
        )
    coded = trials[best.level, best.weight]
    decision = _of_target(found, None if size is None else fixed)
    return replace(coded, decisions=[decision, *coded.decisions])


def _probed(
    array: U8, regions: Regions, wanted: Settings, workers: Workers, aim: float, first: int
) -> tuple[int, "How"]:
    """A level whose lossy tiers take about e^aim bytes, by a quarter of the picture's groups, and
    how bytes follow the level around it."""
    from .search import targets

    side, colours = dct.GROUP, 1 if array.shape[2] < 3 else 3
    rows, columns = (n // side for n in array.shape[:2])
    groups = [
        array[y * side : (y + 1) * side, x * side : (x + 1) * side, :colours]
        for y in range(rows)
        for x in range(columns)
        if (x + 2 * y) % 4 == 0
    ]
    if rows * columns < _GROUPS_TO_PROBE:
        return first, targets.SIZE
    sample = np.ascontiguousarray(np.concatenate(groups))
    nothing = np.zeros(sample.shape[:2], np.uint8)
    outside = int((geometry.outside_cores(regions.class_map()) > 0).sum())
    share = math.log(max(outside, 1) / nothing.size)
    meta = replace(regions.metadata, width=side, height=len(sample), mid="none")

    def measure(level: int, weight: float) -> float:
        at = _at_level(meta, level, wanted)
        analysis = dct.Analysis(sample, at, nothing, dct.ADAPTIVE, wanted.effort, workers, weight)
        preview, tiers = analysis.encode([dct.BACKGROUND])
        return share + math.log(len(preview) + sum(map(len, tiers.values())))

    how = targets.SIZE._replace(trials=3)
    found = targets.solve(measure, aim, _NEAR_PROBE, first, how)
    slope = targets.slope_of(found)
    return found[-1].level, targets.SIZE._replace(slope=slope or targets.SIZE.slope)


def _of_target(found: Sequence["Trial"], fixed: int | None) -> Decision:
    """fixed: bytes that no level changes, if it was about bytes."""

    def named(t: "Trial") -> str:
        value = f"{t.value:.2f} dB" if fixed is None else f"{round(math.exp(t.value)) + fixed} bytes"
        weight = "" if t.weight == 1 else f", a bit counting {t.weight:.2f} times"
        return f"level {t.level}{weight}: {value}"

    rows = tuple(Candidate(named(t)) for t in found)
    return Decision("quality", rows[-1].name, "The nearest of the trials to what was wanted.", rows)


def _first_level(array: U8, wanted: Settings) -> int:
    """A guess at the level that a target asks for."""
    if wanted.target_psnr is not None:
        guess = _LEVEL_OF_PSNR[0] + _LEVEL_OF_PSNR[1] * wanted.target_psnr
    else:
        assert wanted.target_size is not None
        rate = 8 * wanted.target_size / (array.shape[0] * array.shape[1])
        guess = _LEVEL_OF_RATE[0] + _LEVEL_OF_RATE[1] * math.log2(rate)
    low, high = _GUESSES
    return round(min(max(guess, low), high))


def _psnr_outside(array: U8, regions: Regions, coded: _Coded, workers: Workers) -> float:
    """PSNR over the colours of all pixels outside the cores, in dB."""
    metadata, tiles = coded.metadata, next((p for p in coded.parts if p.kind == "tiles"), None)
    shown = Regions(metadata, regions.core_map)
    if tiles is not None:
        shape = geometry.tiles_of(metadata.height, metadata.width)
        shown.tiles = labels.decode(tiles.payload, *shape, 1)
    picture = Picture(shown, workers, Problems(strict=True))
    for segment, part in zip(_table_of(coded.parts), coded.parts, strict=True):
        if part.kind != "tiles":
            picture.add(segment, part.payload)
    colours = 1 if array.shape[2] < 3 else 3
    error, samples = _native.squared_error(array, picture.show(), colours, shown.class_map())
    return 10 * math.log10(255**2 * samples / error) if error else _EXACT_PSNR


def _lossy_tiers(
    array: U8, regions: Regions, wanted: Settings, workers: Workers, weight: float = 1.0
) -> _Coded:
    """Preview, alpha, drawn tiles, mid, background and boundary. weight: of a bit, relative to the
    usual one."""
    colour = np.ascontiguousarray(array[..., : 1 if array.shape[2] < 3 else 3])
    coder = dct.ADAPTIVE if wanted.entropy == "auto" else wanted.entropy
    class_map = regions.class_map()
    metadata, palette_part, palette_pixels = _choose_mid(
        colour, regions.metadata, class_map, wanted, workers
    )
    tiles, drawn = _drawn(colour, metadata, class_map, wanted, workers, weight)
    decisions = [_of_mid(metadata, bool(drawn), wanted)]
    alpha = None
    if array.shape[2] in (2, 4):
        alpha = _alpha(array, class_map, wanted, workers)
    analysis = dct.Analysis(
        colour, metadata, class_map, coder, wanted.effort, workers, weight
    )
    tier_classes = [b for b in (dct.MID, dct.BACKGROUND) if analysis.has(b)]
    preview, tiers = analysis.encode(tier_classes)
    parts = [*tiles, _Part("preview", "dct", preview)]
    if alpha is not None:
        parts.append(alpha.part())
    parts += drawn
    if palette_part is not None:
        parts.append(palette_part)
    parts += [_Part(_TIERS[b], "dct", payload) for b, payload in tiers.items()]
    if wanted.boundary_tau is not None or (wanted.effort >= _BOUNDARY_EFFORT and class_map.any()):
        del analysis  # its planes are larger than the picture
        synthesis = dct.Synthesis(metadata, class_map, workers)
        synthesis.read_preview(preview)
        for block_class, payload in tiers.items():
            synthesis.read_tier(payload, block_class)
        decoded = np.empty_like(colour)
        synthesis.render(decoded)
        if palette_pixels is not None:
            decoded[class_map >= MID] = palette_pixels
        boundary_part = _boundary(colour, decoded, metadata, class_map, wanted)
        if boundary_part is not None:
            parts.append(boundary_part)
    return _Coded(metadata, parts, decisions)


def _drawn(
    colour: U8,
    metadata: Metadata,
    class_map: U8,
    wanted: Settings,
    workers: Workers,
    weight: float,
) -> tuple[list[_Part], list[_Part]]:
    """Where graphics beat the DCT: the tiles, and their pixels, whose class they become."""
    from .search import drawing

    if wanted.mid != "auto":
        return [], []
    loss = drawing.loss(metadata, colour.shape[2], weight)
    tiles = drawing.choose(colour, metadata, class_map, loss)
    if tiles is None:
        return [], []
    _native.mark_drawn(tiles, False, class_map)
    encoding = lossless.start_drawing(colour, class_map, DRAWN, DRAWN, loss, workers)
    return (
        [_Part("tiles", "labels", labels.encode(tiles, 1))],
        [_Part("drawn", "lossless", encoding.result())],
    )


def _of_mid(metadata: Metadata, drawn: bool, wanted: Settings) -> Decision:
    if wanted.mid != "auto":
        return Decision(_MID_TIER, metadata.mid, "As was asked.")
    if drawn:
        why = "Graphics cost less in these, bits and error together, than transforms would."
        return Decision(_MID_TIER, "dct, and tiles that are drawn", why)
    return Decision(_MID_TIER, metadata.mid, "Nothing looks drawn, so graphics were not worth it.")


def _alpha(array: U8, class_map: U8, wanted: Settings, workers: Workers) -> _Exact:
    """Alpha of the pixels outside the cores; the cores carry their own."""
    outside = geometry.outside_cores(class_map)
    alpha = np.ascontiguousarray(array[..., -1:])
    encoding = lossless.start_encoding(alpha, outside, 1, 1, wanted.effort, workers)
    return _Exact("alpha", encoding)


def _choose_mid(
    colour: U8, metadata: Metadata, class_map: U8, wanted: Settings, workers: Workers
) -> tuple[Metadata, _Part | None, U8 | None]:
    """Who codes the mid tier; if a palette, also its segment and decoded pixels."""
    is_mid = class_map >= MID
    if wanted.mid == "none" or not is_mid.any():
        return metadata, None, None
    if wanted.mid != "palette":
        return replace(metadata, mid="dct"), None, None
    from .search import palette_fit

    pixels = colour[is_mid]
    colours = palette_fit.fit(np.broadcast_to(pixels, (len(pixels), 3)), wanted.effort)
    chosen = replace(metadata, mid="palette", palette_sizes=(len(colours),))
    if wanted.entropy in ("auto", dct.ADAPTIVE):
        # Graphics code few colours in half of what indices take, and less.
        decoded = palette.quantise(pixels, colours)
        few = colour.copy()
        few[is_mid] = decoded
        exact = lossless.Loss(0, 0)
        encoding = lossless.start_drawing(few, class_map, MID, MID_LAST, exact, workers)
        return chosen, _Part("mid", "lossless", encoding.result()), decoded
    payload, decoded = palette.encode(colour, class_map, MID, MID_LAST, colours, wanted.entropy)
    return chosen, _Part("mid", "palette", payload), decoded


def _boundary(
    colour: U8, decoded: U8, metadata: Metadata, class_map: U8, wanted: Settings
) -> _Part | None:
    """Residuals between tiers: as asked, or else only if they pay for their bits."""
    band = boundary.band(class_map)
    tau = int(metadata.boundary_tau)
    payload = boundary.encode(colour, decoded, band, tau)
    if wanted.boundary_tau is None:
        residual = colour[band > 0].astype(int) - decoded[band > 0]
        gain = float((residual[np.abs(residual) > tau] ** 2).sum())
        lam = _LAMBDA_PER_STEP * (dct.base_step(metadata.quality_level) / 16) ** 2
        if gain <= lam * 8 * len(payload):
            return None
    return _Part("boundary", "boundary", payload)


def _table_of(parts: Sequence[_Part]) -> Iterator[Segment]:
    """Where the parts lie, one behind the other."""
    offset = 0
    for p in parts:
        crc, length = zlib.crc32(p.payload), len(p.payload)
        yield Segment(p.kind, p.center, offset, length, p.coder, CODERS[p.coder], crc)
        offset += length


def _assemble(metadata: Metadata, parts: Sequence[_Part]) -> bytes:
    """Give every part its place, and put header and metadata in front."""
    segments = tuple(_table_of(parts))
    allocation = {
        s.kind if s.center is None else f"{s.center}:{s.kind}": 8 * s.length for s in segments
    }
    prologue = pack_prologue(replace(metadata, segments=segments, bit_allocation=allocation))
    return b"".join([prologue, *(p.payload for p in parts)])
