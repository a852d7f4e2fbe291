"""The encoder's side of the DCT coder (format.md, 7.3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ... import _native, entropy
from ...threads import Workers
from .. import substreams
from ..base import Facts
from ..substreams import Substream
from .frame import BACKGROUND, GROUP, Frame

U8 = NDArray[np.uint8]

#: Strength of deblocking, in 1/16.
_DEBLOCKING = 16

#: Steps of Cb and Cr in 1/16 of luma's, by subsampling: an error of a subsampled sample shows in
#: four pixels, and Cb weighs more than Cr in the squared error of R, G and B.
_CHROMA_STEPS = {"4:2:0": (9, 10), "4:4:4": (15, 18)}

#: Octaves by which steps follow the variance of a superblock, per octave of variance.
ADAPTATION = 0.2

#: Squared error, in squared steps, that one bit is worth.
_LAMBDA = 0.09


@dataclass(frozen=True)
class Effort:
    """What an effort of 1 to 9 means here.

    largest: log2 of the largest transform in cells of 8 samples; chooses: among the sizes up to it,
    else that one alone; halves: also transforms of two to one; exact: levels by the bits that they
    will take, else by those that training expects; alone: blocks choose levels whatever those
    around do; fit: restoration filters fitted to the picture.
    """

    largest: int
    chooses: bool = True
    halves: bool = False
    exact: bool = False
    alone: bool = False
    fit: bool = False


_EFFORTS = (
    Effort(1, chooses=False, alone=True),
    Effort(1, alone=True),
    Effort(1, alone=True),
    Effort(2),
    Effort(2),
    Effort(2, halves=True),
    Effort(2, halves=True, exact=True, fit=True),
    Effort(2, halves=True, exact=True, fit=True),
    Effort(2, halves=True, exact=True, fit=True),
)

#: Up to this effort blocks do not wait for each other, so that a device can choose their levels.
LAST_PARALLEL_EFFORT = max(e for e, how in enumerate(_EFFORTS, 1) if how.alone)


class Analysis(Frame):
    """A picture cut into blocks and transformed, ready to be coded.

    pixels: uint8 (H, W, 1 or 3) without alpha; class_map: uint8 (H, W); coder: the entropy
    coder, by the keyword `entropy`. weight: what a bit counts, relative to what is usual.
    """

    def __init__(
        self,
        pixels: U8,
        metadata: Facts,
        class_map: U8,
        coder: str,
        effort: int,
        workers: Workers,
        weight: float = 1.0,
    ) -> None:
        super().__init__(metadata, class_map)
        self._coder = entropy.named(coder)
        self._workers = workers
        self._effort = _EFFORTS[effort - 1]
        self._chroma = _CHROMA_STEPS[metadata.subsampling]
        self._adapts = metadata.qp_table_id == 1
        how = self._effort
        self._kernel = _native.LossyEncoder(
            *self.frame(self._chroma),
            *(how.largest, how.chooses, how.halves, how.fit, _LAMBDA * weight),
            *(how.exact, how.alone),
        )
        self._pixels, self._class_map = pixels, class_map
        self._cut()

    def _cut(self) -> None:
        """Have the kernel know samples, blocks and coefficients of all groups."""
        self._workers.map(self._sample, self._kernel.group_rows)
        if self._adapts:
            self._kernel.adapt(ADAPTATION)
        self._workers.map(self._kernel.search, self._kernel.groups)

    def _sample(self, row: int, again: bool = False) -> None:
        self._kernel.sample(row, self._shown(row), again)

    def _shown(self, row: int) -> U8:
        """A row of groups, what no tier shows of it replaced by something smooth."""
        rows = slice(row * GROUP, (row + 1) * GROUP)
        own, classes = self._pixels[rows], self._class_map[rows]
        if classes.any():
            own = own.copy()
            footprint = 16 if self.subsampled else 8
            _native.fill_hidden(own, classes, footprint, self.mid_is_hole)
        return own

    def encode(self, block_classes: Sequence[int]) -> tuple[bytes, dict[int, bytes]]:
        """The 1/8 image, and the high frequencies of the blocks of each class.

        High frequencies come first: what their levels leave in the 1/8 image belongs into it.
        """
        kernel = self._kernel
        number = self._coder.number
        coded = {
            c: self._workers.map(partial(kernel.encode_group, tier=c, coder=number), kernel.groups)
            for c in block_classes
        }
        head = bytes([*self._chroma, self._adapts])
        regions = self._workers.map(partial(kernel.encode_region, coder=number), kernel.regions)
        preview = self._pack(head, regions, _native.LOW_CONTEXTS)
        if self._effort.fit:
            # Filters are fitted to what all tiers together look like.
            self._workers.map(kernel.rebuild, kernel.groups)
            self._workers.map(partial(self._sample, again=True), kernel.group_rows)
        tiers = {c: self._pack(self._filters(c), coded[c], _native.HIGH_CONTEXTS) for c in coded}
        return preview, tiers

    def counts(self) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
        """For training: how often each decision of the background's high frequencies, and of the
        1/8 image, is 0 and 1; two arrays (decisions, 2)."""
        return self._kernel.counts(BACKGROUND)

    def _filters(self, block_class: int) -> bytes:
        head = bytes([_DEBLOCKING, int(self._effort.fit)])
        if self._effort.fit:
            head += self._kernel.fit(block_class, _DEBLOCKING).tobytes()
        return head

    def _pack(
        self, head: bytes, written: Sequence[_native.WrittenStream], n_contexts: int
    ) -> bytes:
        """A segment of streams."""
        tables, streams = entropy.pack_streams(written, n_contexts, self._coder)
        number = bytes([self._coder.number])
        return substreams.pack(number + head + tables, [Substream(*s) for s in streams])
