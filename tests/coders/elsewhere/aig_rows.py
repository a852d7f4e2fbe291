"""A coder as another package would bring it: rows of run-length coded means.

Every row of the region is cut into runs of pixels that differ by little, each coded as its length
and its mean. `ExactRows` has runs of equal pixels, and may code cores.
"""

from collections.abc import Sequence

import numpy as np

from aig_codec.coders.base import U8, EncodeJob, Pixels, RegionCoder
from aig_codec.entropy import read_varint, varint
from aig_codec.errors import CorruptError
from aig_codec.threads import Job, Workers


class Rows(RegionCoder):
    """Runs of pixels within a range that follows from the quality."""

    name, version = "rows", 1
    carries = frozenset(("mid", "background"))
    get = "pip install aig-rows"
    optional = True

    def range_of(self, job: EncodeJob) -> int:
        """How far the samples of a run may be apart."""
        return 4 + (255 - job.quality_level) // 8

    def encode_region(self, job: EncodeJob) -> bytes:
        """Pairs of a run's length and mean, row by row."""
        first, last = job.classes
        region, most, out = (
            (job.class_map >= first) & (job.class_map <= last),
            self.range_of(job),
            [],
        )
        for row, own in zip(job.pixels, region, strict=True):
            pixels = row[own].astype(int)
            start = 0
            while start < len(pixels):
                low = high = pixels[start]
                end = start + 1
                while end < len(pixels):
                    low = np.minimum(low, pixels[end])
                    high = np.maximum(high, pixels[end])
                    if (high - low > most).any():
                        break
                    end += 1
                mean = (2 * pixels[start:end].sum(0) + end - start) // (2 * (end - start))
                out.append(varint(end - start) + mean.astype(np.uint8).tobytes())
                start = end
        return b"".join(out)

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
        """One job: where a row lies is known when those above it have been read."""
        return [workers.submit(_decode, payload, pixels, class_map, first, last)]


def _decode(payload: bytes, pixels: Pixels, class_map: U8, first: int, last: int) -> None:
    at, channels = 0, pixels.shape[2]
    for row, classes in zip(pixels, class_map, strict=True):
        places = np.flatnonzero((classes >= first) & (classes <= last))
        done = 0
        while done < len(places):
            length, at = read_varint(payload, at)
            if not 1 <= length <= len(places) - done or at + channels > len(payload):
                raise CorruptError(f"a run of {length} pixels where {len(places) - done} are left")
            row[places[done : done + length]] = np.frombuffer(payload, np.uint8, channels, at)
            done, at = done + length, at + channels
    if at < len(payload):
        raise CorruptError(f"{len(payload) - at} bytes are left over")


class ExactRows(Rows):
    """Runs of equal pixels."""

    name = "exact-rows"
    carries = frozenset(("core", "mid", "background"))
    exact = True
    optional = False

    def range_of(self, job: EncodeJob) -> int:
        """Not at all."""
        return 0


class Liar(Rows):
    """Says that it is exact, and is not."""

    name = "liar"
    carries = frozenset(("core",))
    exact = True
