"""The DCT coder's decoder on a device (format.md, 7.3).

The 1/8 image, whose blocks depend on each other one by one, is decoded by CPU threads. So are high
frequencies of the adaptive profile, which arrive as coefficients; those of the static rANS profile
arrive as they are in the file. All that follows happens on the device.
"""

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .. import _native
from ..coders import dct
from ..coders.streams import Stream
from ..container import Metadata
from ..entropy import rans
from ..errors import CorruptError, DeviceError
from ..threads import Workers
from .device import THREADS, Device, i32, spread

U8 = NDArray[np.uint8]

_SHAPES, _BLOCK, _SLOTS = 18, 1024, 4096

#: Of a cell whose high frequencies are not there.
_NOT_CODED = 255


class _Tables(NamedTuple):
    """What all frames have in common; arrays of the device, or of the host."""

    scan_first: Any
    scan_coefficient: Any
    scan_place: Any
    scan_band: Any
    alias_of: Any
    alias_weights: Any
    weights: Any
    basis: Any


@cache
def _host_tables() -> _Tables:
    scans = [_native.scan(shape) for shape in range(_SHAPES)]
    entries = np.concatenate(scans)
    alias_of = np.zeros((_SHAPES, _BLOCK), np.uint8)
    alias_weights = np.zeros((_SHAPES, _BLOCK), np.int16)
    for shape, scan in enumerate(scans):
        alias_of[shape, scan[:, 0]] = scan[:, 3]
        alias_weights[shape, scan[:, 0]] = scan[:, 4]
    return _Tables(
        scan_first=np.cumsum([0, *map(len, scans)]).astype(np.int32),
        scan_coefficient=entries[:, 0].astype(np.uint16),
        scan_place=entries[:, 1].astype(np.uint16),
        scan_band=entries[:, 2].astype(np.uint8),
        alias_of=alias_of,
        alias_weights=alias_weights,
        weights=np.stack([_native.coefficient_weights(m) for m in (0, 1)]),
        basis=_native.transform_basis(),
    )


class Constants:
    """A device with the tables on it, for all frames that it decodes."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self.tables = _Tables(*map(device.upload, _host_tables()))


class DeviceSynthesis(dct.Synthesis):
    """`dct.Synthesis` whose samples are on a device. scale: 1, 2 or 4."""

    def __init__(
        self,
        constants: Constants,
        metadata: Metadata,
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
        width, height, colour, subsampled, _, _, steps, matrix = self._arguments
        planes = 3 if colour else 1
        cells = [kernel.cells(p) for p in range(planes)]
        grids = [c[0].shape for c in cells] + [(0, 0)] * (3 - planes)
        counts = [h * w for h, w in grids]
        fine = [0, 2 * subsampled, 2 * subsampled]
        offsets = np.concatenate([[0], np.cumsum(counts)])
        eighth = np.concatenate(
            [[0], np.cumsum([n << f for n, f in zip(counts, fine, strict=True)])]
        )
        log = self._scale.bit_length() - 1
        logs = [log, *[max(0, log - 1) if subsampled else log] * 2]
        base = [[steps[3 * p], steps[3 * p + 1]] if p < planes else [1, 1] for p in range(3)]
        self._layout = np.array(
            [
                *(width, height, planes, subsampled, -(-width // dct.GROUP)),
                *(self._adapts, -(-width // 32), matrix),
                *(w for _, w in grids),
                *(h for h, _ in grids),
                *(0, counts[0], counts[0]),
                *offsets[:3],
                *(64 * offsets[:3]),
                *eighth[:3],
                *logs,
                *np.ravel(base),
            ],
            np.uint32,
        ).view(np.int32)
        self._counts = counts
        self._samples = 64 * int(offsets[-1])
        self._require_memory(width * height * self.metadata.channels)
        up = self._device.upload
        self._shapes = up(np.concatenate([c[0].ravel() for c in cells[:2]]))
        self._low = up(np.concatenate([c[1] for c in cells]))
        self._adaptations = up(kernel.adaptations) if self._adapts else None
        self._coefficients = self._device.filled((self._samples,), 0, np.int16)
        self._busy = self._device.filled((int(offsets[-1]),), _NOT_CODED, np.uint8)
        self._frame = self._described()

    def _require_memory(self, pixels: int) -> None:
        # Coefficients, samples, filtered samples.
        need, free = self._samples * 3 * 2 + pixels, self._device.free_memory()
        if free is not None and need > free:
            width, height = self.metadata.size
            raise DeviceError(
                f"an image of {width} x {height} pixels takes {need >> 20} MiB on the device, "
                f"which has {free >> 20} MiB left: decode it on the CPU, or at scale 8"
            )

    def _described(self) -> Any:
        """The frame as the kernels know it, with the filters that are known by now."""
        assert self._kernel is not None
        filters = self._kernel.filters
        parts = [self._layout, filters[:, 0], filters[:, 1], filters[:, 2:].ravel()]
        return self._device.upload(np.concatenate(parts).astype(np.int32))

    def _read_groups(
        self,
        kernel: _native.LossyDecoder,
        parts: dict[int, Stream | None],
        coding: dct.Coding,
        block_class: int,
    ) -> set[int]:
        self._start()
        if coding.coder == rans.ID and coding.tables is not None:
            return self._on_device(kernel, parts, coding.tables, block_class)
        return self._on_host(kernel, parts, coding, block_class)

    def _on_device(
        self,
        kernel: _native.LossyDecoder,
        parts: dict[int, Stream | None],
        tables: _native.StaticTables,
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
            constants.weights[self._arguments[-1]],
            *(self._coefficients, self._busy, damaged),
            threads=32,
        )
        wrong = device.download(damaged)
        return lost | {g for g, bad in zip(there, wrong, strict=True) if bad}

    def _on_host(
        self,
        kernel: _native.LossyDecoder,
        parts: dict[int, Stream | None],
        coding: dct.Coding,
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
        device, constants, counts = self._device, self._constants.tables, self._counts
        frame = self._described()
        samples = device.empty((self._samples,), np.int16)
        planes = range(3 if self.colour else 1)
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
            restored = device.empty((self._samples,), np.int16)
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
