"""The forward pipeline: pixels -> foci -> class map -> coders -> container.

Every stage hands its result to the next; nothing flows back.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import detections, limits, masks, settings
from .coders import dct, labels, lossless
from .coders.lossless import Pixels
from .container import Focus, Metadata, pack_text
from .container.metadata import MAX_RADIUS
from .decisions import Decision, pack, unpack
from .geometry import CORE, Regions
from .settings import Settings
from .sources import as_bytes
from .threads import Workers
from .tiers import (
    BOUNDARY_TAU,
    MID_TIER,
    Exact,
    Part,
    assemble,
    at_level,
    lossy_tiers,
    mid_level,
    subsampling,
)

if TYPE_CHECKING:
    from .search.plan import Plan

U8 = NDArray[np.uint8]

_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}


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
    Arrays on a CUDA device are fetched; up to effort 3 the device does what it can before.

    Keywords, all optional: centers, a list of 1 to 3 points (x, y), or "auto"; sigmas, per center
    a number, a pair or a diagonal 2x2 array (`Sigmas` is accepted too); alphas, the weight of the
    angle per center, 0..2.55; radii, per center (core, mid) in units of the weighted distance,
    searched when left out; centers may be a function of the image, see `aig_codec.detections`; or,
    instead of all these, mask, (H, W) of bool or whole numbers, whose pixels that are not 0 are the
    cores, an object each; or boxes, a list of (left, top, right, bottom); labels, per center what
    it shows, a name or a mapping with some of "name", "class" (a number) and "score", or None;
    quality 0..100 (75) or quality_level 0..255, or target_size, bytes of the file, or target_psnr,
    dB outside the cores; explain, whether the file tells what was chosen and why (by default if
    centers, radii or a target were left to us); lambda_rd (0.02), larger for smaller cores;
    lossless, every pixel exact; mid "auto", "palette", "dct" or "none"; palette_space "oklab" or
    "hsv", where palettes are fitted; entropy of the lossy tiers, "auto", "adaptive", "rans",
    "golomb" or "snappy"; effort 1..9 (5); tune "psnr", for the least squared error, or "visual";
    subsampling "auto", "4:2:0" or "4:4:4"; boundary_tau, above which residuals in the band between
    tiers are kept; preset "photo", "document", "dataset", "tracking", "medical" or "surveillance";
    threads; exif, icc_profile, xmp, dpi; text, strings by keyword, and comment, one of them.

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
            return assemble(metadata, [job.part() for job in jobs] + blobs)
        analyse = _analyses(pixels, wanted)
        if wanted.target_size is None and wanted.target_psnr is None:
            coded = lossy_tiers(array, regions, wanted, workers, analyse=analyse)
            exact = _map(regions) + [job.part() for job in jobs]
        else:
            exact = _map(regions) + [job.part() for job in jobs]
            from .aim import to_target

            others = exact + blobs
            coded = to_target(array, regions, wanted, workers, others, decisions, analyse)
    told = _told(wanted, [*decisions, *coded.decisions])
    return assemble(coded.metadata, [*exact, *coded.parts, *blobs, *told])


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


def _told(wanted: Settings, decisions: list[Decision]) -> list[Part]:
    """The decisions as a segment: if asked for, or if more than the mid tier was left to us."""
    told = wanted.explain
    if told is None:
        told = any(d.what != MID_TIER for d in decisions)
    return [Part("decisions", "raw", pack(decisions))] if told and decisions else []


def _on_device(pixels: ArrayLike) -> bool:
    return hasattr(pixels, "__cuda_array_interface__")


def _as_pixels(pixels: ArrayLike) -> Pixels:
    if _on_device(pixels):
        from . import gpu

        pixels = gpu.to_host(pixels)
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


def _analyses(pixels: ArrayLike, wanted: Settings) -> Callable[..., dct.Analysis]:
    """Who cuts and transforms the lossy tiers: the device that the pixels are on, if it can."""
    if _on_device(pixels) and wanted.effort <= dct.LAST_PARALLEL_EFFORT:
        from . import gpu

        return gpu.analyses(pixels)
    return dct.Analysis


def _ancillary(**blobs: Any) -> list[Part]:
    """Segments that are stored as they are, from any buffers; those that are empty or None are left
    out."""
    parts = []
    for name, value in blobs.items():
        blob = b"" if value is None else as_bytes(value)
        if blob is None:
            raise TypeError(f"{name} must be bytes, not {type(value).__name__}")
        if len(blob) > limits.max_ancillary:
            raise ValueError(f"{name} of {len(blob)} bytes exceeds limits.max_ancillary")
        if blob:
            parts.append(Part(name.removesuffix("_profile"), "raw", blob))
    return parts


def planned(pixels: ArrayLike, **keywords: Any) -> "Plan":
    """The foci that `encode` would choose, with J over the radii that it searched."""
    array = _as_pixels(pixels)
    wanted, _ = _with_cores(_parse(array, keywords))
    return _plan(array, wanted, wanted.quality_level)


def _plan(array: Pixels, wanted: Settings, level: int) -> "Plan":
    from .search.plan import plan

    levels, table_id = (level, mid_level(level)), settings.TUNES.index(wanted.tune)
    return plan(array, wanted, levels, table_id, subsampling(level, wanted))


def _with_cores(wanted: Settings) -> tuple[Settings, U8 | None]:
    """Cores of any shape as foci; and the map of them, unless foci say it all."""
    cores = wanted.cores
    if cores is None:
        return wanted, None
    with_mid = wanted.mid != "none"
    whole = cores.cores == 1 and bool(cores.labels.all())
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
        from .aim import first_level

        level = first_level(array, wanted)
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
        found = _plan(array, wanted, level)
        foci, decisions = found.foci, found.decisions
    metadata = Metadata(
        width=width,
        height=height,
        mode=_MODES[channels],
        foci=foci,
        bits=8 * array.itemsize,
        shape="all" if wanted.lossless else "ellipses",
        qp_table_id=table_id,
        boundary_tau=BOUNDARY_TAU if wanted.boundary_tau is None else wanted.boundary_tau,
        rd_lambda=wanted.lambda_rd,
        labels=wanted.labels,
    )
    return at_level(metadata, level, wanted), decisions


def _core(array: Pixels, regions: Regions, k: int, wanted: Settings, workers: Workers) -> Exact:
    window = regions.core_window(k)
    pixels = array
    if window.size != (array.shape[1], array.shape[0]):
        pixels = np.ascontiguousarray(array[window.slices])
    class_map = regions.cores_in(window)
    encoding = lossless.start_encoding(
        pixels, class_map, CORE + k, CORE + k, wanted.effort, workers
    )
    return Exact("core", encoding, k)


def _map(regions: Regions) -> list[Part]:
    """What the cores are, where that takes more than ellipses."""
    if regions.core_map is None:
        return []
    payload = labels.encode(regions.core_map, len(regions.metadata.foci))
    return [Part("map", "labels", payload)]
