"""The forward pipeline: pixels -> foci -> class map -> coders -> container.

Every stage hands its result to the next; nothing flows back.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .. import geometry, limits
from ..buffers import as_bytes
from ..coders import dct, labels, lossless
from ..coders.lossless import Pixels
from ..container import Focus, Metadata, pack_text
from ..container.compact import default_mid_level
from ..container.decisions import Candidate, Decision, pack, unpack
from ..container.metadata import MAX_RADIUS
from ..geometry import CORE, Regions
from ..threads import Workers
from . import detections, masks, settings
from .layers import (
    BOUNDARY_TAU,
    LOSS,
    MID_TIER,
    MOST_TOLD,
    Coded,
    Exact,
    Part,
    assemble,
    at_level,
    exact_tiers,
    lossy_tiers,
    subsampling,
)
from .options import Array, Buffer, CodingOptions, EncodeOptions, Number, documented
from .settings import Settings

if TYPE_CHECKING:
    from .roi.plan import Plan

U8 = NDArray[np.uint8]

_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}


@documented
def encode(
    pixels: ArrayLike,
    *,
    exif: Buffer | None = None,
    icc_profile: Buffer | None = None,
    xmp: Buffer | None = None,
    dpi: Sequence[Number] | Array | None = None,
    text: Mapping[str, str] | None = None,
    comment: str | None = None,
    **keywords: Unpack[CodingOptions],
) -> bytes:
    """Encode an image as an AIG file.

    pixels: uint8 or uint16 array (H, W) or (H, W, C) with C = 1 grey, 2 grey and alpha, 3 RGB,
    4 RGBA. uint16 is stored lossless, which need not be said, and asking for loss is an error.
    Arrays on a CUDA device are fetched; up to effort 3 the device does what it can before.

    keywords: all optional, and None is as good as left out; `encoder.options` has their types.
    centers, radii, sigmas and alphas say where pixels are exact, or instead of them mask or boxes.

    Returns the file. The same input gives the same bytes, whatever the number of threads. Raises
    TypeError for a keyword that there is not, and for pixels, EXIF and the like of a type that is
    of no use; ValueError for every other value that is not allowed or cannot be stored.
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
            from .rate_control import UnreachableError, to_target

            exact = _map(regions) + [job.part() for job in jobs]
            others = exact + blobs
            try:
                coded = to_target(array, regions, wanted, workers, others, decisions, analyse)
            except UnreachableError:
                # Without loss it may be smaller still.
                found = None
                if wanted.may_be_exact:
                    found = _exact(array, regions, exact, wanted, workers, blobs)
                if found is None:
                    raise
                return _file(found, wanted, blobs)
        whole = Coded(coded.metadata, [*exact, *coded.parts], [*decisions, *coded.decisions])
        if wanted.may_be_exact:
            size = len(_file(whole, wanted, []))
            found = _exact(array, regions, exact, wanted, workers, blobs, size)
            whole = whole if found is None else found
    return _file(whole, wanted, blobs)


def _exact(
    array: U8,
    regions: Regions,
    cores: list[Part],
    wanted: Settings,
    workers: Workers,
    blobs: list[Part],
    size: int | None = None,
) -> Coded | None:
    """The picture without loss, if that takes no more bytes than `size`, what it takes with some,
    or fits into as many as were asked for; else None.

    Foci that were asked for stay what comes first, and everything else is exact behind them; those
    that were found give way, and every pixel is core.
    """
    from . import exactness

    room = size
    if wanted.target_size is not None:
        room = wanted.target_size - sum(len(p.payload) for p in blobs)
    assert room is not None
    placed = wanted.centers is not None
    outside = geometry.outside_cores(regions.class_map())
    if not placed:
        outside[:] = 1
    before = sum(len(p.payload) for p in cores) if placed else 0
    if not exactness.may_pay(array, outside, max(size or 0, room) - before):
        return None
    if placed:
        found = exact_tiers(array, regions, wanted, workers)
        found = replace(found, parts=[*cores, *found.parts])
    else:
        found = _all_core(array, regions.metadata, wanted, workers)
    rows = [Candidate("none", bits=8.0 * len(_file(found, wanted, [])))]
    if size is not None:
        rows.append(Candidate("some", bits=8.0 * size))
    why = "Without loss the file takes no more bytes than it may, or than with some."
    found = replace(found, decisions=[Decision(LOSS, "none", why, tuple(rows))])
    return found if len(_file(found, wanted, [])) <= room else None


def _all_core(array: U8, metadata: Metadata, wanted: Settings, workers: Workers) -> Coded:
    """What lossless=True gives, with foci that were found."""
    exact = replace(
        wanted,
        lossless=True,
        centers=tuple((f.x, f.y) for f in metadata.foci),
        sigmas=tuple(f.sigma for f in metadata.foci),
        radii=None,
        target_size=None,
        target_psnr=None,
    )
    about, _ = _describe(array, exact)
    about = replace(about, dpi=metadata.dpi)
    return Coded(about, [_core(array, Regions(about), 0, wanted, workers).part()], [])


def _file(whole: Coded, wanted: Settings, blobs: list[Part]) -> bytes:
    return assemble(whole.metadata, [*whole.parts, *blobs, *_told(whole, wanted)])


@documented
def explain(pixels: ArrayLike, **keywords: Unpack[EncodeOptions]) -> tuple[Decision, ...]:
    """What `encode` would choose for an image, and why; see there for the arguments."""
    from ..container import read_prologue

    told: EncodeOptions = {**keywords, "explain": True}
    data = encode(pixels, **told)
    prologue = read_prologue(data)
    for s in prologue.metadata.segments:
        if s.kind == "decisions":
            start = prologue.data_start + s.offset
            return unpack(data[start : start + s.length])
    return ()


def _parse(array: Pixels, keywords: CodingOptions) -> Settings:
    """The settings, a function given as centers being asked first."""
    height, width = array.shape[:2]
    given: dict[str, Any] = {**keywords}
    centers = given.get("centers")
    if callable(centers):
        found = centers(array[..., 0] if array.shape[2] == 1 else array)
        own = {name: v for name, v in given.items() if v is not None and name != "centers"}
        given = {**detections.keywords(found, width, height), **own}
    return settings.parse(width, height, given, 8 * array.itemsize)


def _told(whole: Coded, wanted: Settings) -> list[Part]:
    """The decisions as a segment: if asked for, or if there is more to tell than who codes the mid
    tier, and it takes a small part of the file."""
    decisions = whole.decisions
    if not decisions or wanted.explain is False:
        return []
    payload = pack(decisions)
    if wanted.explain is None:
        most = MOST_TOLD * sum(len(p.payload) for p in whole.parts)
        if len(payload) > most or all(d.what == MID_TIER for d in decisions):
            return []
    return [Part("decisions", "raw", payload)]


def _on_device(pixels: ArrayLike) -> bool:
    return hasattr(pixels, "__cuda_array_interface__")


def _as_pixels(pixels: ArrayLike) -> Pixels:
    if _on_device(pixels):
        from ..devices import gpu

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
        from ..devices import gpu

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


def planned(pixels: ArrayLike, **keywords: Unpack[CodingOptions]) -> "Plan":
    """The foci that `encode` would choose, with J over the radii that it searched."""
    array = _as_pixels(pixels)
    wanted, _ = _with_cores(_parse(array, keywords))
    return _plan(array, wanted, wanted.quality_level)


def _plan(array: Pixels, wanted: Settings, level: int) -> "Plan":
    from .roi.plan import plan

    levels, table_id = (level, default_mid_level(level)), settings.TUNES.index(wanted.tune)
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
        from .rate_control import first_level

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
