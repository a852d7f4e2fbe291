"""The tiers with loss, and alpha: pixels and their classes to segments.

`Part` is a segment that does not know its place in the file yet; `assemble` gives it one.
"""

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .. import _native, entropy, geometry
from ..coders import dct, labels, lossless, palette, residual
from ..container import CODERS, Metadata, Segment, pack_prologue
from ..container.compact import default_mid_level, default_subsampling
from ..container.decisions import Decision
from ..geometry import DRAWN, MID, MID_LAST, Regions
from ..threads import Workers
from .settings import Settings

U8 = NDArray[np.uint8]

#: The segment of each block class.
_TIERS = {dct.MID: "mid", dct.BACKGROUND: "background"}

#: Lagrange multiplier of the lossy tiers, per squared quantiser step (2-codec: 0.07 to 0.10).
_LAMBDA_PER_STEP = 0.1

#: Tau of the boundary tier where the caller gives none, and the effort from which it is tried.
BOUNDARY_TAU, _BOUNDARY_EFFORT = 2.0, 7

#: Those that are tried.
_BOUNDARY_TAUS = (2, 4, 8, 16, 32, 64)

#: What decisions are about: who codes the mid tier, whether there is any loss.
MID_TIER, LOSS = "mid tier", "loss"

#: Decisions that nobody asked for are told where they take no more than this part of the rest.
MOST_TOLD = 1 / 50


@dataclass(frozen=True)
class Part:
    """A coded segment that does not know its place in the file yet."""

    kind: str
    coder: str
    payload: bytes
    center: int | None = None


@dataclass(frozen=True)
class Coded:
    """Segments, the metadata with all that was decided about them, and why it is so."""

    metadata: Metadata
    parts: list[Part]
    decisions: list[Decision]


@dataclass(frozen=True)
class Exact:
    """A lossless segment on its way."""

    kind: str
    encoding: lossless.Encoding
    center: int | None = None

    def part(self) -> Part:
        return Part(self.kind, "lossless", self.encoding.result(), self.center)


def at_level(metadata: Metadata, level: int, wanted: Settings) -> Metadata:
    """The metadata with all that follows from a quality level."""
    return replace(
        metadata,
        quality_level=level,
        mid_level=default_mid_level(level),
        subsampling=subsampling(level, wanted),
    )


def subsampling(level: int, wanted: Settings) -> str:
    if wanted.subsampling != "auto":
        return wanted.subsampling
    # From quality 80 on steps are so fine that half of the chroma costs more error than bits.
    return default_subsampling(level)


def lossy_tiers(
    array: U8,
    regions: Regions,
    wanted: Settings,
    workers: Workers,
    weight: float = 1.0,
    analyse: Callable[..., dct.Analysis] = dct.Analysis,
) -> Coded:
    """Preview, alpha, drawn tiles, mid, background and boundary. weight: of a bit, relative to the
    usual one. analyse: who cuts and transforms."""
    colour = np.ascontiguousarray(array[..., : 1 if array.shape[2] < 3 else 3])
    class_map = regions.class_map()
    metadata, palette_part, palette_pixels = _choose_mid(
        colour, regions.metadata, class_map, wanted, workers
    )
    tiles, drawn = _drawn(colour, metadata, class_map, wanted, workers, weight)
    decisions = [_of_mid(metadata, bool(drawn), wanted)]
    alpha = None
    if array.shape[2] in (2, 4):
        alpha = _alpha(array, class_map, wanted, workers)
    analysis = analyse(colour, metadata, class_map, wanted.entropy, wanted.effort, workers, weight)
    tier_classes = [b for b in (dct.MID, dct.BACKGROUND) if analysis.has(b)]
    preview, tiers = analysis.encode(tier_classes)
    parts = [*tiles, Part("preview", "dct", preview)]
    if alpha is not None:
        parts.append(alpha.part())
    parts += drawn
    if palette_part is not None:
        parts.append(palette_part)
    parts += [Part(_TIERS[b], "dct", payload) for b, payload in tiers.items()]
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
    return Coded(metadata, parts, decisions)


def exact_tiers(array: U8, regions: Regions, wanted: Settings, workers: Workers) -> Coded:
    """The same without any loss: everything outside the cores is drawn, as it is."""
    metadata = replace(regions.metadata, mid="none")
    height, width, channels = array.shape
    colour = np.ascontiguousarray(array[..., : 1 if channels < 3 else 3])
    class_map = regions.class_map()
    tiles = np.ones(geometry.tiles_of(height, width), np.uint8)
    _native.mark_drawn(tiles, False, class_map)
    alpha = _alpha(array, class_map, wanted, workers) if channels in (2, 4) else None
    drawn = lossless.start_encoding(colour, class_map, DRAWN, DRAWN, wanted.effort, workers)
    analysis = dct.Analysis(colour, metadata, class_map, "auto", wanted.effort, workers)
    preview, _ = analysis.encode([])
    parts = [Part("tiles", "labels", labels.encode(tiles, 1)), Part("preview", "dct", preview)]
    if alpha is not None:
        parts.append(alpha.part())
    return Coded(metadata, [*parts, Exact("drawn", drawn).part()], [])


def _drawn(
    colour: U8,
    metadata: Metadata,
    class_map: U8,
    wanted: Settings,
    workers: Workers,
    weight: float,
) -> tuple[list[Part], list[Part]]:
    """Where graphics beat the DCT: the tiles, and their pixels, whose class they become."""
    from . import screen_content

    if wanted.mid != "auto":
        return [], []
    loss = screen_content.loss(metadata, colour.shape[2], weight)
    tiles = screen_content.choose(colour, metadata, class_map, loss)
    if tiles is None:
        return [], []
    _native.mark_drawn(tiles, False, class_map)
    encoding = lossless.start_drawing(colour, class_map, DRAWN, DRAWN, loss, workers)
    return (
        [Part("tiles", "labels", labels.encode(tiles, 1))],
        [Part("drawn", "lossless", encoding.result())],
    )


def _of_mid(metadata: Metadata, drawn: bool, wanted: Settings) -> Decision:
    if wanted.mid != "auto":
        return Decision(MID_TIER, metadata.mid, "As was asked.")
    if drawn:
        why = "Graphics cost less in these, bits and error together, than transforms would."
        return Decision(MID_TIER, "dct, and tiles that are drawn", why)
    return Decision(MID_TIER, metadata.mid, "Nothing looks drawn, so graphics were not worth it.")


def _alpha(array: U8, class_map: U8, wanted: Settings, workers: Workers) -> Exact:
    """Alpha of the pixels outside the cores; the cores carry their own."""
    outside = geometry.outside_cores(class_map)
    alpha = np.ascontiguousarray(array[..., -1:])
    encoding = lossless.start_encoding(alpha, outside, 1, 1, wanted.effort, workers)
    return Exact("alpha", encoding)


def _choose_mid(
    colour: U8, metadata: Metadata, class_map: U8, wanted: Settings, workers: Workers
) -> tuple[Metadata, Part | None, U8 | None]:
    """Who codes the mid tier; if a palette, also its segment and decoded pixels."""
    is_mid = class_map >= MID
    if wanted.mid == "none" or not is_mid.any():
        return metadata, None, None
    if wanted.mid != "palette":
        return replace(metadata, mid="dct"), None, None
    from . import palette_fit

    pixels = colour[is_mid]
    colours = palette_fit.fit(
        np.broadcast_to(pixels, (len(pixels), 3)), wanted.effort, wanted.palette_space
    )
    chosen = replace(metadata, mid="palette", palette_sizes=(len(colours),))
    if not entropy.named(wanted.entropy).payloads:
        # Graphics code few colours in half of what indices take, and less.
        decoded = palette.quantise(pixels, colours)
        few = colour.copy()
        few[is_mid] = decoded
        exact = lossless.Loss(0, 0)
        encoding = lossless.start_drawing(few, class_map, MID, MID_LAST, exact, workers)
        return chosen, Part("mid", "lossless", encoding.result()), decoded
    payload, decoded = palette.encode(colour, class_map, MID, MID_LAST, colours, wanted.entropy)
    return chosen, Part("mid", "palette", payload), decoded


def _boundary(
    colour: U8, decoded: U8, metadata: Metadata, class_map: U8, wanted: Settings
) -> Part | None:
    """Residuals between tiers: as asked, or else those above the tau that pays most for its bits,
    if any does."""
    band = residual.band(class_map)
    if wanted.boundary_tau is not None:
        payload = residual.encode(colour, decoded, band, int(metadata.boundary_tau))
        return Part("boundary", "boundary", payload)
    errors = np.abs(colour[band > 0].astype(int) - decoded[band > 0])
    lam = _LAMBDA_PER_STEP * (dct.base_step(metadata.quality_level) / 16) ** 2
    best, least = None, 0.0
    for tau in _BOUNDARY_TAUS:
        payload = residual.encode(colour, decoded, band, tau)
        j = lam * 8 * len(payload) - float((errors[errors > tau] ** 2).sum())
        if j < least:
            best, least = payload, j
    return None if best is None else Part("boundary", "boundary", best)


def table_of(parts: Sequence[Part]) -> Iterator[Segment]:
    """Where the parts lie, one behind the other."""
    offset = 0
    for p in parts:
        crc, length = zlib.crc32(p.payload), len(p.payload)
        yield Segment(p.kind, p.center, offset, length, p.coder, CODERS[p.coder], crc)
        offset += length


def assemble(metadata: Metadata, parts: Sequence[Part]) -> bytes:
    """Give every part its place, and put header and metadata in front."""
    prologue = pack_prologue(replace(metadata, segments=tuple(table_of(parts))))
    return b"".join([prologue, *(p.payload for p in parts)])
