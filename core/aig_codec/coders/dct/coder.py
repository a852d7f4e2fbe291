"""The DCT coder as the registry knows it."""

from ...errors import AigError
from ..base import (
    SCALES,
    Canvas,
    CodedSegment,
    Coder,
    Decoder,
    EncodeJob,
    Encoder,
    Facts,
    Payload,
    View,
)
from .analysis import Analysis
from .frame import BACKGROUND, MID
from .synthesis import Synthesis

#: The block class of each segment of high frequencies.
_BLOCK_CLASSES = {"mid": MID, "background": BACKGROUND}


class DctCoder(Coder):
    """Integer transforms with one quantiser per tier; the lowest coefficients are the 1/8 image."""

    name, version = "dct", 3
    carries = frozenset(("preview", *_BLOCK_CLASSES))
    parts = joint = True
    scales = frozenset(SCALES)
    devices = frozenset(("cpu", "cuda"))

    def encoder(self, job: EncodeJob) -> Encoder:
        """Cut and transform a picture; `options`: "analyse", by whom, and "weight" of a bit."""
        return _DctEncoder(job)

    def decoder(self, view: View) -> "DctDecoder":
        """A decoder of the 1/8 image, then of tiers in any order."""
        return DctDecoder(view)

    def memory(self, facts: Facts, keeps: bool) -> int:
        """Nothing that is not counted with the picture."""
        return 0


class _DctEncoder(Encoder):
    def __init__(self, job: EncodeJob) -> None:
        analyse = job.options.get("analyse", Analysis)
        weight = job.options.get("weight", 1.0)
        self._analysis = analyse(
            job.pixels, job.facts, job.class_map, job.entropy, job.effort, job.workers, weight
        )
        self._kinds = job.kinds

    def segments(self) -> list[CodedSegment]:
        """The preview, and those of the tiers that have a block."""
        analysis = self._analysis
        wanted = [c for kind, c in _BLOCK_CLASSES.items() if kind in self._kinds]
        preview, tiers = analysis.encode([c for c in wanted if analysis.has(c)])
        own = [CodedSegment("preview", DctCoder.name, preview)]
        for kind, block_class in _BLOCK_CLASSES.items():
            if block_class in tiers:
                own.append(CodedSegment(kind, DctCoder.name, tiers[block_class]))
        return own


class DctDecoder(Decoder):
    """All segments of a picture together; devices have decoders of their own made of this one."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.synthesis: Synthesis | None = None

    def start(self) -> Synthesis:
        """Whoever reads the streams."""
        view = self.view
        return Synthesis(view.facts, view.class_map, view.workers, view.scale, view.window)

    def add(self, kind: str, payload: Payload) -> None:
        """Take the 1/8 image first; without it tiers are of no use."""
        if kind == "preview":
            self.synthesis = self.start()
            self.synthesis.read_preview(payload)
        elif self.synthesis is not None:
            self.synthesis.read_tier(payload, _BLOCK_CLASSES[kind])

    def paint(self, canvas: Canvas) -> None:
        """Paint everything; nothing without a 1/8 image."""
        if self.synthesis is not None:
            self.synthesis.render(canvas.pixels)

    def damaged(self) -> list[AigError]:
        """Groups that could not be decoded."""
        return [] if self.synthesis is None else list(self.synthesis.damaged())
