"""What an encoder has settled before a pixel is coded. The file's metadata follow from it, and from
what was written, at the very end."""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ..coders import registry
from ..coders.base import CodedSegment
from ..container import Focus, Label, Metadata, Segment, pack_prologue
from ..container.compact import default_mid_level, default_subsampling
from ..container.decisions import Decision
from ..container.kinds import KINDS
from .settings import Settings


@dataclass(frozen=True)
class Plan:
    """foci: with their radii. shape: what the cores are, as in the metadata. quality_level,
    mid_level: of the background and the mid tier. mid: who codes the latter: "dct", "palette" for
    everybody else, "none". decisions: with reasons, in the order in which they were made.

    A plan has the facts of a picture that coders need (`coders.base.Facts`).
    """

    width: int
    height: int
    mode: str
    bits: int
    foci: tuple[Focus, ...]
    shape: str
    quality_level: int
    mid_level: int
    subsampling: str
    qp_table_id: int
    mid: str = "none"
    boundary_tau: float = 2.0
    rd_lambda: float = 0.02
    dpi: tuple[float, float] | None = None
    labels: tuple[Label | None, ...] = ()
    decisions: tuple[Decision, ...] = ()

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.width, self.height

    @property
    def channels(self) -> int:
        """Samples per pixel, alpha included."""
        return len(self.mode)

    @property
    def cores(self) -> int:
        """Number of core segments: one for each focus, or one for all."""
        return 1 if self.shape == "all" else len(self.foci)

    def at_level(self, level: int, wanted: Settings) -> "Plan":
        """The plan with all that follows from another quality level."""
        return replace(
            self,
            quality_level=level,
            mid_level=default_mid_level(level),
            subsampling=subsampling(level, wanted),
        )

    def metadata(
        self, segments: Sequence[Segment], palette_sizes: tuple[int, ...] = ()
    ) -> Metadata:
        """The metadata of a file with these segments; coders from elsewhere are declared."""
        named = {s.coder for s in segments if not registry.is_built_in(s.coder)}
        found = [registry.find(name) for name in sorted(named)]
        return Metadata(
            width=self.width,
            height=self.height,
            mode=self.mode,
            foci=self.foci,
            bits=self.bits,
            shape=self.shape,
            quality_level=self.quality_level,
            qp_table_id=self.qp_table_id,
            subsampling=self.subsampling,
            mid=self.mid,
            mid_level=self.mid_level,
            palette_sizes=palette_sizes,
            boundary_tau=self.boundary_tau,
            rd_lambda=self.rd_lambda,
            dpi=self.dpi,
            labels=self.labels,
            coders=tuple(coder.declared for coder in found if coder is not None),
            segments=tuple(segments),
        )


@dataclass(frozen=True)
class Coded:
    """Segments by a plan, and what was decided on the way. palette_sizes: of the mid tier, if it is
    a palette's: files of this version keep it in their metadata."""

    plan: Plan
    segments: tuple[CodedSegment, ...]
    decisions: tuple[Decision, ...] = ()
    palette_sizes: tuple[int, ...] = ()

    def file(self, *more: CodedSegment) -> bytes:
        """The file of these segments and some more; it is parsed before it is returned."""
        own = sorted([*self.segments, *more], key=lambda s: KINDS.index(s.kind))
        metadata = self.plan.metadata(tuple(placed(own)), self.palette_sizes)
        return b"".join([pack_prologue(metadata), *(s.payload for s in own)])


def subsampling(level: int, wanted: Settings) -> str:
    """How chroma is subsampled at a quality level."""
    if wanted.subsampling != "auto":
        return wanted.subsampling
    # From quality 80 on steps are so fine that half of the chroma costs more error than bits.
    return default_subsampling(level)


def placed(segments: Sequence[CodedSegment]) -> Iterator[Segment]:
    """Where segments lie, one behind the other."""
    offset = 0
    for s in segments:
        coder = registry.find(s.coder)
        assert coder is not None  # it has just coded
        crc, length = zlib.crc32(s.payload), len(s.payload)
        version = coder.version if s.version is None else s.version
        yield Segment(s.kind, s.center, offset, length, s.coder, version, crc)
        offset += length
