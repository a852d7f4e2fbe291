"""The forward pipeline: pixels -> foci -> class map -> coders -> container.

Every stage hands its result to the next; nothing flows back.
"""

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _native, geometry, limits, masks, settings
from .coders import boundary, dct, labels, lossless, palette
from .coders.lossless import Pixels
from .container import CODERS, Focus, Metadata, Segment, pack_prologue, pack_text
from .container.metadata import MAX_RADIUS
from .geometry import CORE, DRAWN, MID, MID_LAST, Regions
from .settings import Settings
from .threads import Workers

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
    searched when left out; or, instead of all these, mask, (H, W) of bool or whole numbers, whose
    pixels that are not 0 are the cores, an object each; or boxes, a list of (left, top, right,
    bottom); labels, per center what it shows, a name or a mapping with some of
    "name", "class" (a number) and "score", or None; quality 0..100 (75) or quality_level 0..255;
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
    wanted = settings.parse(array.shape[1], array.shape[0], keywords, 8 * array.itemsize)
    wanted, core_map = _with_cores(wanted)
    metadata = replace(_describe(array, wanted), dpi=settings.parse_dpi(dpi))
    if core_map is not None:
        metadata = replace(metadata, shape="map")
    regions = Regions(metadata, core_map)
    with Workers(wanted.threads) as workers:
        cores = [_core(array, regions, k, wanted, workers) for k in range(metadata.cores)]
        parts: list[_Part] = []
        if metadata.shape != "all":
            metadata, parts = _lossy_tiers(array, regions, wanted, workers)
        parts = _map(regions) + [job.part() for job in cores] + parts + blobs
    return _assemble(metadata, parts)


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


def _describe(array: Pixels, wanted: Settings) -> Metadata:
    """Everything about the file that is known before a pixel is coded."""
    height, width, channels = array.shape
    level = wanted.quality_level
    mid_level = level + (255 - level) // _MID_PART
    table_id = settings.TUNES.index(wanted.tune)
    centers, radii = wanted.centers, wanted.radii
    if wanted.lossless:
        # The foci only tell sniffers where to look; every pixel is core.
        centers = centers or ((width // 2, height // 2),)
        radii = radii or ((MAX_RADIUS, MAX_RADIUS),) * len(centers)
    if centers is None:
        from .search import saliency

        centers = tuple(saliency.centers(array))
    if radii is None:
        from .search import rate_distortion

        radii = tuple(
            rate_distortion.radii(
                array,
                centers,
                [wanted.sigma_of(k) for k in range(len(centers))],
                level,
                mid_level,
                table_id,
                wanted.lambda_rd,
                wanted.mid != "none",
            )
        )
    subsampling = wanted.subsampling
    if subsampling == "auto":
        subsampling = "4:4:4" if level >= _FULL_CHROMA_LEVEL else "4:2:0"
    tau = _BOUNDARY_TAU if wanted.boundary_tau is None else wanted.boundary_tau
    return Metadata(
        width=width,
        height=height,
        mode=_MODES[channels],
        foci=tuple(
            Focus(x, y, wanted.sigma_of(k), wanted.alpha_code_of(k), *radii[k])
            for k, (x, y) in enumerate(centers)
        ),
        bits=8 * array.itemsize,
        shape="all" if wanted.lossless else "ellipses",
        quality_level=level,
        qp_table_id=table_id,
        subsampling=subsampling,
        mid_level=mid_level,
        boundary_tau=tau,
        rd_lambda=wanted.lambda_rd,
        labels=wanted.labels,
    )


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


def _lossy_tiers(
    array: U8, regions: Regions, wanted: Settings, workers: Workers
) -> tuple[Metadata, list[_Part]]:
    """Preview, alpha, drawn tiles, mid, background and boundary; and the metadata with the mid
    tier decided."""
    colour = np.ascontiguousarray(array[..., : 1 if array.shape[2] < 3 else 3])
    coder = dct.ADAPTIVE if wanted.entropy == "auto" else wanted.entropy
    class_map = regions.class_map()
    metadata, palette_part, palette_pixels = _choose_mid(
        colour, regions.metadata, class_map, wanted, workers
    )
    tiles, drawn = _drawn(colour, metadata, class_map, wanted, workers)
    alpha = None
    if array.shape[2] in (2, 4):
        alpha = _alpha(array, class_map, wanted, workers)
    analysis = dct.Analysis(colour, metadata, class_map, coder, wanted.effort, workers)
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
    return metadata, parts


def _drawn(
    colour: U8, metadata: Metadata, class_map: U8, wanted: Settings, workers: Workers
) -> tuple[list[_Part], list[_Part]]:
    """Where graphics beat the DCT: the tiles, and their pixels, whose class they become."""
    from .search import drawing

    if wanted.mid != "auto":
        return [], []
    loss = drawing.loss(metadata, colour.shape[2])
    tiles = drawing.choose(colour, metadata, class_map, loss)
    if tiles is None:
        return [], []
    _native.mark_drawn(tiles, False, class_map)
    encoding = lossless.start_drawing(colour, class_map, DRAWN, DRAWN, loss, workers)
    return (
        [_Part("tiles", "labels", labels.encode(tiles, 1))],
        [_Part("drawn", "lossless", encoding.result())],
    )


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


def _assemble(metadata: Metadata, parts: list[_Part]) -> bytes:
    """Give every part its place, and put header and metadata in front."""

    def rows() -> Iterator[Segment]:
        offset = 0
        for p in parts:
            crc = zlib.crc32(p.payload)
            length = len(p.payload)
            yield Segment(p.kind, p.center, offset, length, p.coder, CODERS[p.coder], crc)
            offset += length

    segments = tuple(rows())
    allocation = {
        s.kind if s.center is None else f"{s.center}:{s.kind}": 8 * s.length for s in segments
    }
    prologue = pack_prologue(replace(metadata, segments=segments, bit_allocation=allocation))
    return b"".join([prologue, *(p.payload for p in parts)])
