"""The segments outside the cores: pixels and their classes to 1/8 image, tiers, screen content,
alpha and residuals."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .. import _native, entropy, geometry
from ..coders import dct, lossless, palette, registry
from ..coders.base import (
    CodedSegment,
    Coder,
    EncodeJob,
    Encoder,
    MapCoder,
    colours_of,
)
from ..container.decisions import Decision
from ..container.kinds import BACKGROUND, MID, OF_NAME, Role
from ..decoder.canvas import HostSurface
from ..decoder.composition import Composition, Problems
from ..geometry import Regions
from ..threads import Workers
from .plan import Coded, Plan, placed
from .settings import Settings

U8 = NDArray[np.uint8]

#: Lagrange multiplier of the residuals, per squared quantiser step (2-codec: 0.07 to 0.10).
_LAMBDA_PER_STEP = 0.1

#: Tau of the residuals where the caller gives none, and the effort from which they are tried.
BOUNDARY_TAU, _BOUNDARY_EFFORT = 2.0, 7

#: What decisions are about: who codes the mid tier, whether there is any loss.
MID_TIER, LOSS = "mid tier", "loss"

#: What stands for the PSNR of pixels that are exact.
_EXACT_PSNR = 100.0

#: From how many groups of the DCT coder on a quarter of them says how bytes follow the level.
_GROUPS_TO_PROBE = 6


def coder_of(name: str) -> Coder:
    """The coder of a name that was checked."""
    coder = registry.find(name)
    assert coder is not None
    return coder


def encoded_map(kind: str, labels: U8, count: int) -> CodedSegment:
    """The segment of a map of labels 0..count."""
    coder = coder_of("labels")
    assert isinstance(coder, MapCoder)
    return CodedSegment(kind, coder.name, coder.encode_map(labels, count))


class _Mid(NamedTuple):
    """The mid tier, where the DCT coder does not code it."""

    segments: list[CodedSegment]
    palette_sizes: tuple[int, ...] = ()


class Layers:
    """A picture and its cores, and what is coded around these, by one plan or another.

    array: uint8 (H, W, C). regions: by a plan of any quality. analyse: who cuts and transforms for
    the DCT coder.
    """

    def __init__(
        self,
        array: U8,
        regions: Regions[Any],
        wanted: Settings,
        workers: Workers,
        analyse: Callable[..., dct.Analysis] = dct.Analysis,
    ) -> None:
        self._array, self._wanted, self._workers, self._analyse = array, wanted, workers, analyse
        self._core_map, self._classes = regions.core_map, regions.class_map()
        self._colour = np.ascontiguousarray(array[..., : colours_of(array.shape[2])])

    def outside(self) -> U8:
        """1 where a pixel belongs to no core, else 0: uint8 (H, W)."""
        return geometry.outside_cores(self._classes)

    def planned(self, plan: Plan) -> Plan:
        """The plan with what depends on whether there are pixels of the mid tier."""
        wanted = self._wanted.coders.get("mid", self._wanted.mid)
        if wanted == "none" or not (self._classes >= MID).any():
            return replace(plan, mid="none")
        return replace(plan, mid="dct" if wanted in ("auto", "dct") else "palette")

    def lossy(self, plan: Plan, weight: float = 1.0) -> Coded:
        """All layers by a plan. weight: what a bit counts, relative to what is usual."""
        plan, classes = self.planned(plan), self._classes.copy()
        mid = self._mid(plan, classes)
        tiles, drawn = self._screen_content(plan, classes, weight)
        decisions = (self._of_mid(plan, bool(drawn)),)
        alpha = self._alpha(plan, classes)
        found = self._base(plan, classes, weight) + tiles + drawn + mid.segments
        found += self._background(plan, classes)
        if alpha is not None:
            found += alpha.segments()
        wanted = self._wanted
        if wanted.boundary_tau is not None or (wanted.effort >= _BOUNDARY_EFFORT and classes.any()):
            found += self._residuals(plan, classes, found)
        return Coded(plan, tuple(found), decisions, mid.palette_sizes)

    def exact(self, plan: Plan) -> Coded:
        """All layers without any loss: everything outside the cores is screen content, as it is."""
        plan, classes = replace(plan, mid="none"), self._classes.copy()
        tiles = np.ones(geometry.tiles_of(plan.height, plan.width), np.uint8)
        _native.mark_drawn(tiles, False, classes)
        alpha = self._alpha(plan, classes)
        drawn = self._encoder("lossless", plan, classes, ("drawn",))
        found = [encoded_map("tiles", tiles, 1)]
        found += self._encoder("dct", plan, classes, ("preview",), entropy_coder="auto").segments()
        if alpha is not None:
            found += alpha.segments()
        return Coded(plan, tuple(found + drawn.segments()))

    def psnr(self, coded: Coded) -> float:
        """PSNR over the colours of all pixels outside the cores, in dB."""
        plan, maps = coded.plan, [s for s in coded.segments if s.kind == "tiles"]
        regions = Regions(plan, self._core_map)
        if maps:
            coder = coder_of(maps[0].coder)
            assert isinstance(coder, MapCoder)
            shape = geometry.tiles_of(plan.height, plan.width)
            regions.tiles = coder.decode_map(maps[0].payload, *shape, 1)
        classes = regions.class_map()
        shown = self._decoded(plan, classes, coded.segments)
        colours = self._colour.shape[2]
        error, samples = _native.squared_error(self._array, shown, colours, classes)
        return 10 * math.log10(255**2 * samples / error) if error else _EXACT_PSNR

    def probe(self, plan: Plan) -> Callable[[int, float], float] | None:
        """About the logarithm of the bytes of all layers, by level and weight of a bit: from a
        quarter of the groups of the DCT coder. None for small pictures."""
        side, colours = dct.GROUP, self._colour.shape[2]
        rows, columns = (n // side for n in self._array.shape[:2])
        if rows * columns < _GROUPS_TO_PROBE:
            return None
        groups = [
            self._array[y * side : (y + 1) * side, x * side : (x + 1) * side, :colours]
            for y in range(rows)
            for x in range(columns)
            if (x + 2 * y) % 4 == 0
        ]
        sample = np.ascontiguousarray(np.concatenate(groups))
        nothing = np.zeros(sample.shape[:2], np.uint8)
        outside = int(np.count_nonzero(self.outside()))
        share = math.log(max(outside, 1) / nothing.size)
        own = replace(plan, width=side, height=len(sample), mid="none")

        def measure(level: int, weight: float) -> float:
            at = own.at_level(level, self._wanted)
            encoder = self._encoder(
                "dct",
                at,
                nothing,
                ("preview", "background"),
                sample,
                entropy_coder="auto",
                analyse=dct.Analysis,
                weight=weight,
            )
            return share + math.log(sum(len(s.payload) for s in encoder.segments()))

        return measure

    def _encoder(
        self,
        coder: str,
        plan: Plan,
        classes: U8,
        kinds: tuple[str, ...],
        pixels: U8 | None = None,
        *,
        of: tuple[int, int] | None = None,
        entropy_coder: str | None = None,
        **options: Any,
    ) -> Encoder:
        """A coder's encoder for some segments; `of`: classes, if not those of the first kind."""
        step = dct.base_step(plan.quality_level) / 16
        job = EncodeJob(
            pixels=self._colour if pixels is None else pixels,
            class_map=classes,
            kinds=kinds,
            classes=of or OF_NAME[kinds[0]].classes or (BACKGROUND, BACKGROUND),
            quality_level=plan.quality_level,
            lam=_LAMBDA_PER_STEP * step**2,
            effort=self._wanted.effort,
            entropy=entropy_coder or self._wanted.entropy,
            workers=self._workers,
            facts=plan,
            options=options,
        )
        return coder_of(coder).encoder(job)

    def _base(self, plan: Plan, classes: U8, weight: float) -> list[CodedSegment]:
        """The 1/8 image, and the tiers that are coded with it."""
        wanted = self._wanted
        kinds = tuple(
            kind
            for kind in ("preview", "mid", "background")
            if wanted.coders.get(kind, "dct") == "dct"
        )
        options: dict[str, Any] = {"analyse": self._analyse, "weight": weight}
        encoder = self._encoder("dct", plan, classes, kinds, **options)
        return encoder.segments()

    def _background(self, plan: Plan, classes: U8) -> list[CodedSegment]:
        """The background, where another coder than that of the 1/8 image codes it."""
        own = self._wanted.coders.get("background", "dct")
        if own == "dct" or not (classes == BACKGROUND).any():
            return []
        return self._encoder(own, plan, classes, ("background",)).segments()

    def _screen_content(
        self, plan: Plan, classes: U8, weight: float
    ) -> tuple[list[CodedSegment], list[CodedSegment]]:
        """Where graphics beat the DCT: the tiles, and their pixels, whose class they become."""
        from . import screen_content

        if self._wanted.mid != "auto" or self._wanted.coders:
            return [], []
        loss = screen_content.loss(plan, self._colour.shape[2], weight)
        tiles = screen_content.choose(self._colour, plan, classes, loss)
        if tiles is None:
            return [], []
        _native.mark_drawn(tiles, False, classes)
        encoder = self._encoder("lossless", plan, classes, ("drawn",), loss=loss)
        return [encoded_map("tiles", tiles, 1)], encoder.segments()

    def _alpha(self, plan: Plan, classes: U8) -> Encoder | None:
        """Alpha of the pixels outside the cores; the cores carry their own."""
        if plan.channels not in (2, 4):
            return None
        outside = geometry.outside_cores(classes)
        alpha = np.ascontiguousarray(self._array[..., -1:])
        return self._encoder("lossless", plan, outside, ("alpha",), alpha, of=(1, 1))

    def _mid(self, plan: Plan, classes: U8) -> _Mid:
        """The mid tier by a palette, or by a coder from elsewhere."""
        wanted = self._wanted
        if plan.mid != "palette":
            return _Mid([])
        other = wanted.coders.get("mid", "palette")
        if other != "palette":
            return _Mid(self._encoder(other, plan, classes, ("mid",)).segments())
        from . import palette_fit

        is_mid = classes >= MID
        pixels = self._colour[is_mid]
        colours = palette_fit.fit(
            np.broadcast_to(pixels, (len(pixels), 3)), wanted.effort, wanted.palette_space
        )
        sizes = (len(colours),)
        if entropy.named(wanted.entropy).payloads:
            own = self._encoder("palette", plan, classes, ("mid",), palette=colours)
            return _Mid(own.segments(), sizes)
        # Graphics code few colours in half of what indices take, and less.
        few = self._colour.copy()
        few[is_mid] = palette.quantise(pixels, colours)
        own = self._encoder("lossless", plan, classes, ("mid",), few, loss=lossless.Loss(0, 0))
        return _Mid(own.segments(), sizes)

    def _of_mid(self, plan: Plan, drawn: bool) -> Decision:
        other = self._wanted.coders.get("mid")
        if self._wanted.mid != "auto" or other:
            return Decision(MID_TIER, other or plan.mid, "As was asked.")
        if drawn:
            why = "Graphics cost less in these, bits and error together, than transforms would."
            return Decision(MID_TIER, "dct, and tiles that are drawn", why)
        return Decision(MID_TIER, plan.mid, "Nothing looks drawn, so graphics were not worth it.")

    def _residuals(
        self, plan: Plan, classes: U8, segments: list[CodedSegment]
    ) -> list[CodedSegment]:
        """Residuals between tiers: as asked, or else those that pay for their bits, if any do."""
        decoded = self._decoded(plan, classes, segments)[..., : self._colour.shape[2]]
        asked = self._wanted.boundary_tau is not None
        options: dict[str, Any] = {
            "decoded": np.ascontiguousarray(decoded),
            "tau": int(plan.boundary_tau) if asked else None,
        }
        return self._encoder("boundary", plan, classes, ("boundary",), **options).segments()

    def _decoded(
        self,
        plan: Plan,
        classes: U8,
        segments: tuple[CodedSegment, ...] | list[CodedSegment],
    ) -> U8:
        """What a reader makes of segments, (H, W, C): the cores' pixels are not in it."""
        picture = Composition(
            Regions(plan, classes),
            self._workers,
            Problems(strict=True),
            surface=HostSurface,
            class_map=classes,
        )
        for row, own in sorted(
            zip(placed(segments), segments, strict=True), key=lambda s: OF_NAME[s[1].kind].z
        ):
            if OF_NAME[own.kind].role is not Role.MAP:
                picture.add(row, own.payload)
        found: U8 = picture.show()
        return found
