"""What kernels know of a picture that is cut into blocks (format.md, 7.3)."""

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ... import _native
from ...coders import dct
from .device import Device

#: Of transforms, and coefficients of the largest.
_SHAPES, _BLOCK = 18, 1024

#: Strength of deblocking and presence of restoration filters by tier, then their taps.
_FILTERS = 2 + 2 + 2 * 2 * 7 * 6


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


class Layout:
    """Where planes of cells, samples and pixels of the 1/8 image lie, one behind the other.

    arguments: what encoder and decoder of the DCT have in common, `Analysis.frame`. log: samples
    are at 1/2^log of the picture's size.
    """

    def __init__(self, arguments: tuple[Any, ...], adapts: bool, log: int = 0) -> None:
        width, height, colour, subsampled, luma, chroma, steps, self.matrix = arguments
        self.planes = 3 if colour else 1
        grids = [luma.shape, *[chroma.shape if colour else (0, 0)] * 2]
        #: Cells of each plane, and samples and pixels of the 1/8 image of all.
        self.cells = [h * w for h, w in grids]
        fine = [0, 2 * subsampled, 2 * subsampled]
        offsets = np.concatenate([[0], np.cumsum(self.cells)])
        eighth = np.concatenate(
            [[0], np.cumsum([n << f for n, f in zip(self.cells, fine, strict=True)])]
        )
        self.samples = 64 * int(offsets[-1])
        logs = [log, *[max(0, log - 1) if subsampled else log] * 2]
        base = [[*steps[3 * p : 3 * p + 2]] if p < self.planes else [1, 1] for p in range(3)]
        self._fields = np.array(
            [
                *(width, height, self.planes, subsampled, -(-width // dct.GROUP)),
                *(adapts, -(-width // 32), self.matrix),
                *(w for _, w in grids),
                *(h for h, _ in grids),
                *(0, self.cells[0], self.cells[0]),
                *offsets[:3],
                *(64 * offsets[:3]),
                *eighth[:3],
                *logs,
                *np.ravel(base),
            ],
            np.uint32,
        ).view(np.int32)

    def fields(self, filters: NDArray[np.int32] | None = None) -> NDArray[np.int32]:
        """The frame as the kernels know it. filters: those of a decoder, if any are known."""
        if filters is None:
            return np.concatenate([self._fields, np.zeros(_FILTERS, np.int32)])
        parts = [self._fields, filters[:, 0], filters[:, 1], filters[:, 2:].ravel()]
        return np.concatenate(parts).astype(np.int32)
