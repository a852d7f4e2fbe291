"""The forward pipeline: pixels -> foci -> class map -> coders -> container.

Every stage hands its result to the next; nothing flows back.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .. import limits
from ..buffers import as_bytes
from ..coders import dct, registry
from ..coders.base import CodedSegment, EncodeJob, Encoder, Pixels, RegionCoder
from ..container import Focus, pack_text
from ..container.compact import default_mid_level
from ..container.decisions import Candidate, Decision, pack, unpack
from ..container.kinds import CORE
from ..container.metadata import MAX_RADIUS
from ..container.toc import RAW
from ..geometry import Regions
from ..threads import Workers, finish
from . import detections, masks, settings
from .layers import BOUNDARY_TAU, LOSS, MID_TIER, Layers, coder_of, encoded_map
from .options import Array, Buffer, CodingOptions, EncodeOptions, Number, documented
from .plan import Coded, Plan, subsampling
from .rate_control import MOST_TOLD, UnreachableError, first_level, to_target
from .settings import Settings

if TYPE_CHECKING:
    from .roi.plan import FocusPlan

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
    plan = replace(_planned(array, wanted), dpi=settings.parse_dpi(dpi))
    if core_map is not None:
        plan = replace(plan, shape="map")
    regions = Regions(plan, core_map)
    with Workers(wanted.threads) as workers:
        encoders = [_core(array, plan, regions, k, wanted, workers) for k in range(plan.cores)]
        if plan.shape == "all":
            return Coded(plan, _finished(encoders)).file(*blobs)
        layers = Layers(array, regions, wanted, workers, _analyses(pixels, wanted))
        if wanted.target_size is None and wanted.target_psnr is None:
            coded = layers.lossy(plan)
            exact = _maps(regions) + _finished(encoders)
        else:
            exact = _maps(regions) + _finished(encoders)
            try:
                coded = _to_target(layers, plan, wanted, [*exact, *blobs])
            except UnreachableError:
                # Without loss it may be smaller still.
                found = None
                if wanted.may_be_exact:
                    found = _exact(array, plan, layers, exact, wanted, workers, blobs)
                if found is None:
                    raise
                return _file(found, wanted, blobs)
        whole = replace(
            coded,
            segments=(*exact, *coded.segments),
            decisions=(*plan.decisions, *coded.decisions),
        )
        if wanted.may_be_exact:
            size = len(_file(whole, wanted, ()))
            found = _exact(array, plan, layers, exact, wanted, workers, blobs, size)
            whole = whole if found is None else found
    return _file(whole, wanted, blobs)


def _to_target(
    layers: Layers, plan: Plan, wanted: Settings, others: Sequence[CodedSegment]
) -> Coded:
    """The layers at the level that a wanted size or PSNR asks for."""

    def encode(level: int, weight: float) -> Coded:
        return layers.lossy(plan.at_level(level, wanted), weight)

    def measure(coded: Coded) -> float:
        return layers.psnr(coded) if wanted.target_size is None else len(coded.file(*others))

    fixed = sum(len(s.payload) for s in others)
    probe = layers.probe(plan) if wanted.target_size is not None else None
    return to_target(wanted, plan.quality_level, fixed, plan.decisions, encode, measure, probe)


def _exact(
    array: U8,
    plan: Plan,
    layers: Layers,
    cores: tuple[CodedSegment, ...],
    wanted: Settings,
    workers: Workers,
    blobs: Sequence[CodedSegment],
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
        room = wanted.target_size - sum(len(s.payload) for s in blobs)
    assert room is not None
    placed = wanted.centers is not None
    outside = layers.outside()
    if not placed:
        outside[:] = 1
    before = sum(len(s.payload) for s in cores) if placed else 0
    if not exactness.may_pay(array, outside, max(size or 0, room) - before):
        return None
    if placed:
        found = layers.exact(plan)
        found = replace(found, segments=(*cores, *found.segments))
    else:
        found = _all_core(array, plan, wanted, workers)
    rows = [Candidate("none", bits=8.0 * len(_file(found, wanted, ())))]
    if size is not None:
        rows.append(Candidate("some", bits=8.0 * size))
    why = "Without loss the file takes no more bytes than it may, or than with some."
    found = replace(found, decisions=(Decision(LOSS, "none", why, tuple(rows)),))
    return found if len(_file(found, wanted, ())) <= room else None


def _all_core(array: U8, plan: Plan, wanted: Settings, workers: Workers) -> Coded:
    """What lossless=True gives, with foci that were found."""
    exact = replace(
        wanted,
        lossless=True,
        centers=tuple((f.x, f.y) for f in plan.foci),
        sigmas=tuple(f.sigma for f in plan.foci),
        radii=None,
        target_size=None,
        target_psnr=None,
    )
    own = replace(_planned(array, exact), dpi=plan.dpi)
    return Coded(own, _finished([_core(array, own, Regions(own), 0, wanted, workers)]))


def _file(whole: Coded, wanted: Settings, blobs: Sequence[CodedSegment]) -> bytes:
    return whole.file(*blobs, *_told(whole, wanted))


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


def _told(whole: Coded, wanted: Settings) -> list[CodedSegment]:
    """The decisions as a segment: if asked for, or if there is more to tell than who codes the mid
    tier, and it takes a small part of the file."""
    decisions = whole.decisions
    if not decisions or wanted.explain is False:
        return []
    payload = pack(decisions)
    if wanted.explain is None:
        most = MOST_TOLD * sum(len(s.payload) for s in whole.segments)
        if len(payload) > most or all(d.what == MID_TIER for d in decisions):
            return []
    return [CodedSegment("decisions", RAW[0], payload)]


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


def _ancillary(**blobs: Any) -> list[CodedSegment]:
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
            parts.append(CodedSegment(name.removesuffix("_profile"), RAW[0], blob))
    return parts


def planned(pixels: ArrayLike, **keywords: Unpack[CodingOptions]) -> "FocusPlan":
    """The foci that `encode` would choose, with J over the radii that it searched."""
    array = _as_pixels(pixels)
    wanted, _ = _with_cores(_parse(array, keywords))
    return _foci(array, wanted, wanted.quality_level)


def _foci(array: Pixels, wanted: Settings, level: int) -> "FocusPlan":
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


def _planned(array: Pixels, wanted: Settings) -> Plan:
    """Everything that is settled before a pixel is coded, and why it is so."""
    height, width, channels = array.shape
    level = wanted.quality_level
    if wanted.target_size is not None or wanted.target_psnr is not None:
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
        found = _foci(array, wanted, level)
        foci, decisions = found.foci, found.decisions
    return Plan(
        width=width,
        height=height,
        mode=_MODES[channels],
        bits=8 * array.itemsize,
        foci=foci,
        shape="all" if wanted.lossless else "ellipses",
        quality_level=level,
        mid_level=default_mid_level(level),
        subsampling=subsampling(level, wanted),
        qp_table_id=settings.TUNES.index(wanted.tune),
        boundary_tau=BOUNDARY_TAU if wanted.boundary_tau is None else wanted.boundary_tau,
        rd_lambda=wanted.lambda_rd,
        labels=wanted.labels,
        decisions=decisions,
    )


class _Core(Encoder):
    """The core of a focus on its way. What a coder from elsewhere makes of it is decoded and
    compared before it goes into a file."""

    def __init__(self, encoder: Encoder, job: EncodeJob, coder: RegionCoder) -> None:
        self._encoder, self._job, self._coder = encoder, job, coder

    def segments(self) -> list[CodedSegment]:
        found = self._encoder.segments()
        if not registry.is_built_in(self._coder.name):
            for segment in found:
                self._check(segment.payload)
        return found

    def _check(self, payload: bytes) -> None:
        job, (first, last) = self._job, self._job.classes
        decoded = np.zeros_like(job.pixels)
        finish(
            self._coder.start_decoding(payload, decoded, job.class_map, first, last, job.workers)
        )
        own = (job.class_map >= first) & (job.class_map <= last)
        if not np.array_equal(decoded[own], job.pixels[own]):
            raise ValueError(
                f"coder {self._coder.name} does not give back the pixels of core {job.center}: "
                "it cannot code cores"
            )


def _core(
    array: Pixels, plan: Plan, regions: Regions[Plan], k: int, wanted: Settings, workers: Workers
) -> Encoder:
    window = regions.core_window(k)
    pixels = array
    if window.size != (array.shape[1], array.shape[0]):
        pixels = np.ascontiguousarray(array[window.slices])
    job = EncodeJob(
        pixels=pixels,
        class_map=regions.cores_in(window),
        kinds=("core",),
        classes=(CORE + k, CORE + k),
        quality_level=plan.quality_level,
        lam=0.0,
        effort=wanted.effort,
        entropy=wanted.entropy,
        workers=workers,
        facts=plan,
        center=k,
    )
    coder = coder_of(wanted.coders.get("core", "lossless"))
    assert isinstance(coder, RegionCoder)  # it was checked to be exact
    return _Core(coder.encoder(job), job, coder)


def _finished(encoders: Sequence[Encoder]) -> tuple[CodedSegment, ...]:
    return tuple(segment for encoder in encoders for segment in encoder.segments())


def _maps(regions: Regions[Plan]) -> tuple[CodedSegment, ...]:
    """What the cores are, where that takes more than ellipses."""
    if regions.core_map is None:
        return ()
    return (encoded_map("map", regions.core_map, len(regions.metadata.foci)),)
