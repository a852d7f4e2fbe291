"""The lossless coder as the registry knows it."""

from collections.abc import Sequence

from ...threads import Job, Workers
from ..base import (
    U8,
    CodedSegment,
    EncodeJob,
    Encoder,
    Facts,
    Pixels,
    RegionCoder,
    colours_of,
)
from . import codec


class LosslessCoder(RegionCoder):
    """Bands of rows, each as photograph or as graphics.

    The option "loss", a `Loss`, lets graphics lose a little; who decodes them need not know.
    """

    name, version, older = "lossless", codec.VERSION, (3, 2)
    #: The latest version whose bands have no others in them.
    plain = codec.PLAIN_VERSION
    carries = frozenset(("core", "alpha", "drawn", "mid"))
    exact = True
    depths = frozenset((8, 16))

    def encoder(self, job: EncodeJob) -> Encoder:
        """An encoder whose bands are under way when this returns."""
        return _LosslessEncoder(job)

    def encode_region(self, job: EncodeJob) -> bytes:
        """The payload of a region, here and now."""
        return _start(job).result()

    def start_decoding(
        self,
        payload: bytes,
        pixels: Pixels,
        class_map: U8,
        first: int,
        last: int,
        workers: Workers,
        rows: tuple[int, int] | None = None,
    ) -> Sequence[Job[None]]:
        """A job for each band."""
        return codec.start_decoding(payload, pixels, class_map, first, last, workers, rows)

    def memory(self, facts: Facts, keeps: bool) -> int:
        """Colours beside a picture that has an alpha as well, or is shown again."""
        colours = colours_of(facts.channels)
        beside = keeps or colours < facts.channels
        return facts.width * facts.height * colours if beside else 0


def _start(job: EncodeJob) -> codec.Encoding:
    region = (job.pixels, job.class_map, *job.classes)
    loss = job.options.get("loss")
    if loss is not None:
        return codec.start_drawing(*region, loss, job.workers)
    return codec.start_encoding(*region, job.effort, job.workers)


class _LosslessEncoder(Encoder):
    def __init__(self, job: EncodeJob) -> None:
        self._job, self._encoding = job, _start(job)

    def segments(self) -> list[CodedSegment]:
        (kind,) = self._job.kinds
        payload = self._encoding.result()
        version = codec.version_of(payload)
        return [CodedSegment(kind, LosslessCoder.name, payload, self._job.center, version)]
