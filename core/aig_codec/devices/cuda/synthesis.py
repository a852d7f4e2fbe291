"""The DCT coder's decoder on a device (format.md, 7.3).

The 1/8 image, whose blocks depend on each other one by one, is decoded by CPU threads. So are high
frequencies of the adaptive profile, which arrive as coefficients; those of the static rANS profile
arrive as they are in the file. All that follows happens on the device.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ... import _native
from ...coders import dct
from ...coders.base import Facts
from ...coders.substreams import PartialSegment, Substream
from ...entropy import CODERS, SegmentCoding
from ...errors import CorruptError
from ...threads import Workers
from .device import THREADS, i32, require_memory, spread
from .frame import Constants, Layout

U8 = NDArray[np.uint8]

#: Slots of a table of rANS.
_SLOTS = 4096

#: Of a cell whose high frequencies are not there.
_NOT_CODED = 255


class DeviceSynthesis(dct.Synthesis):
    """`dct.Synthesis` whose samples are on a device. scale: 1, 2 or 4."""

    def __init__(
        self,
        constants: Constants,
        metadata: Facts,
        class_map: U8,
        workers: Workers,
        scale: int = 1,
    ) -> None:
        super().__init__(metadata, class_map, workers, scale)
        self._constants, self._device = constants, constants.device
        self._frame: Any = None
        #: Coefficients by place, and how busy cells are as far as the device decodes them.
        self._coefficients: Any = None
        self._busy: Any = None
        self._from_host = False

    def _start(self) -> None:
        """Hand over what the 1/8 image says of the frame."""
        if self._frame is not None:
            return
        kernel = self._kernel
        assert kernel is not None  # tiers come after the preview
        log = self._scale.bit_length() - 1
        self._layout = Layout(self._arguments, self._adapts, log)
        cells = [kernel.cells(p) for p in range(self._layout.planes)]
        width, height = self.metadata.size
        # Coefficients, samples, filtered samples, pixels.
        need = self._layout.samples * 3 * 2 + width * height * self.metadata.channels
        require_memory(self._device, need, (width, height))
        up = self._device.upload
        self._shapes = up(np.concatenate([c[0].ravel() for c in cells[:2]]))
        self._low = up(np.concatenate([c[1] for c in cells]))
        self._adaptations = up(kernel.adaptations) if self._adapts else None
        self._coefficients = self._device.filled((self._layout.samples,), 0, np.int16)
        self._busy = self._device.filled((sum(self._layout.cells),), _NOT_CODED, np.uint8)
        self._frame = self._described()

    def _described(self) -> Any:
        """The frame as the kernels know it, with the filters that are known by now."""
        assert self._kernel is not None
        return self._device.upload(self._layout.fields(self._kernel.filters))

    def read_tier(self, segment: bytes | PartialSegment, block_class: int) -> None:
        """Decode the high frequencies of one class; where that fails, blocks keep the preview."""
        super().read_tier(segment, block_class)
        self._start()
        kernel, tier = self._kernel, self._tiers[-1]
        assert kernel is not None  # tiers come after the preview
        parts, tier.parts = tier.parts, {}
        if tier.coding.coder is CODERS["rans"]:
            tier.lost = self._on_device(kernel, parts, tier.coding.tables, block_class)
        else:
            tier.lost = self._on_host(kernel, parts, tier.coding, block_class)

    def _on_device(
        self,
        kernel: _native.LossyDecoder,
        parts: dict[int, Substream | None],
        tables: _native.SharedTables,
        block_class: int,
    ) -> set[int]:
        """Decode streams of the static rANS profile where they are needed."""
        lost = {g for g, part in parts.items() if part is None}
        there = {g: part for g, part in parts.items() if part is not None}
        for g in [g for g in there if not kernel.has_tier(g, block_class)]:
            if any(there.pop(g)):
                lost.add(g)
        if not there:
            return lost
        sizes = [len(data) for part in there.values() for data in part]
        starts = np.concatenate([[0], np.cumsum(sizes)])[:-1]
        streams = np.stack([starts, sizes], 1).astype(np.int64).reshape(-1, 4)
        data = b"".join(data for part in there.values() for data in part)
        device, constants = self._device, self._constants.tables
        damaged = device.filled((len(there),), 0, np.uint8)
        own_intervals, own_table_of = tables.lookup()
        intervals, table_of = device.upload(own_intervals), device.upload(own_table_of)
        slots = device.empty((len(own_intervals), _SLOTS), np.uint8)
        device.launch(
            "fill_slots",
            *(len(own_intervals), intervals, i32(len(own_intervals)), slots),
            threads=64,
        )
        device.launch(
            "decode_groups",
            len(there),
            *(self._frame, i32(block_class), device.upload(np.array(list(there), np.int32))),
            *(i32(len(there)), device.upload(streams)),
            device.upload(np.frombuffer(data or b"\0", np.uint8)),
            *(slots, intervals, table_of, self._shapes, self._adaptations),
            *(constants.scan_first, constants.scan_coefficient),
            *(constants.scan_place, constants.scan_band),
            constants.weights[self._layout.matrix],
            *(self._coefficients, self._busy, damaged),
            threads=32,
        )
        wrong = device.download(damaged)
        return lost | {g for g, bad in zip(there, wrong, strict=True) if bad}

    def _on_host(
        self,
        kernel: _native.LossyDecoder,
        parts: dict[int, Substream | None],
        coding: SegmentCoding,
        block_class: int,
    ) -> set[int]:
        """Decode streams by CPU threads, and hand the coefficients over."""
        found: dict[int, tuple[NDArray[np.uint16], NDArray[np.int16], tuple[int, int, int]]] = {}

        def read(group: int, *stream: Any) -> None:
            found[group] = kernel.read_coefficients(group, block_class, *stream)

        lost = self._read(parts, coding, read)
        self._from_host = True
        groups = [g for g, (positions, _, _) in sorted(found.items()) if positions.size]
        if not groups:
            return lost
        counts = np.array([found[g][2] for g in groups], np.int64)
        starts = np.concatenate([[0], np.cumsum(counts[:, 2])])[:-1]
        first = np.hstack([starts[:, None], starts[:, None] + counts])
        device = self._device
        device.launch(
            "place_coefficients",
            len(groups),
            *(self._frame, device.upload(np.array(groups, np.int32)), i32(len(groups))),
            device.upload(np.ascontiguousarray(first)),
            device.upload(np.concatenate([found[g][0] for g in groups])),
            device.upload(np.concatenate([found[g][1] for g in groups])),
            self._coefficients,
        )
        return lost

    def _know_busy(self) -> None:
        """Join how busy the cells are that either side has decoded."""
        if not self._from_host:
            return
        assert self._kernel is not None
        planes = range(3 if self.colour else 1)
        host = np.concatenate([self._kernel.cells(p)[2] for p in planes])
        # A cell is of one tier, which one side has decoded.
        self._busy = self._device.upload(np.minimum(host, self._device.download(self._busy)))

    def render_on_device(self, pixels: Any, channels: int) -> None:
        """Write the colours of `pixels`, a device's uint8 (H, W, C) at the scale."""
        if self._kernel is None:
            raise CorruptError("without a preview, this cannot be decoded")
        self._start()
        self._know_busy()
        device, constants, counts = self._device, self._constants.tables, self._layout.cells
        frame = self._described()
        samples = device.empty((self._layout.samples,), np.int16)
        planes = range(self._layout.planes)
        cells, tier_filters = (self._shapes, self._busy), self._kernel.filters
        basis = constants.basis
        eighth = device.filled(self._low.shape, 0, np.int16)
        for p in planes:
            device.launch(
                "eighths",
                counts[p],
                *(frame, i32(p), self._shapes, self._low, basis, eighth),
                threads=64,
            )
            device.launch(
                "inverse_transforms",
                counts[p],
                *(frame, i32(p), *cells, self._coefficients, self._low),
                *(constants.alias_of, constants.alias_weights, basis, samples),
            )
            device.launch(
                "interpolate",
                counts[p],
                *(frame, i32(p), self._busy, eighth, samples),
                threads=64,
            )
        if self._scale == 1 and tier_filters[:, 0].any():
            for p in planes:
                for upper in (0, 1):
                    device.launch(
                        "smooth_edges",
                        spread(8 * counts[p]),
                        *(frame, i32(p), i32(upper), *cells, self._adaptations, samples),
                    )
        if self._scale == 1 and tier_filters[:, 1].any():
            restored = device.empty((self._layout.samples,), np.int16)
            for p in planes:
                work = spread(64 * counts[p], THREADS)
                device.launch("restore", work, frame, i32(p), *cells, samples, restored)
            samples = restored
        width, height = (-(-n // self._scale) for n in self.metadata.size)
        device.launch(
            "colour",
            spread(width * height),
            *(frame, samples, i32(width), i32(height), i32(channels), pixels),
        )
