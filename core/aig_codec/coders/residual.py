"""Boundary coder: residuals above tau in the band where tiers meet (format.md, 7.4).

Run lengths of residuals at or below tau, then the signed residual, both Golomb-Rice coded.
"""

import numpy as np
from numpy.typing import NDArray

from .. import _native, entropy
from .base import (
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

U8 = NDArray[np.uint8]

#: Rows and columns from another tier within which a pixel belongs to the band.
RADIUS = 2

#: The errors that are tried where nobody says which ones may stay.
_TAUS = (2, 4, 8, 16, 32, 64)


def band(class_map: U8) -> U8:
    """1 where a pixel outside the cores lies in the band, else 0: uint8 (H, W)."""
    return _native.boundary_band(class_map, RADIUS)


def encode(original: U8, decoded: U8, band_map: U8, tau: int) -> bytes:
    """Code original - decoded in the band. Both uint8 (H, W, C); decoded may lack the alpha."""
    golomb = entropy.CODERS["golomb"]
    stream = _native.boundary_encode(original, decoded, band_map, tau, golomb.number)
    return entropy.pack(stream, _native.BOUNDARY_CONTEXTS, golomb)


def decode(payload: bytes, pixels: U8, colours: int, band_map: U8) -> None:
    """Add the residuals to the first `colours` channels of `pixels`, in place."""
    stream = entropy.unpack(payload, 2 * band_map.size * colours + 2)
    _native.boundary_decode(*stream, pixels, colours, band_map)


def correct(payload: bytes, pixels: U8, colours: int, class_map: U8) -> None:
    """`decode` in the band of a class map, uint8 (H, W), without a map of the band."""
    stream = entropy.unpack(payload, 2 * class_map.size * colours + 2)
    _native.boundary_correct(*stream, pixels, colours, class_map, RADIUS)


def residuals(payload: bytes, colours: int, class_map: U8) -> NDArray[np.int16]:
    """What is to be added to every pixel, int16 (H, W, colours)."""
    band_map = band(class_map)
    found = np.zeros((*band_map.shape, colours), np.int16)
    # What they make of black, and of white, says what they are.
    for level in (0, 255):
        plane = np.full(found.shape, level, np.uint8)
        decode(payload, plane, colours, band_map)
        found += plane.astype(np.int16) - level
    return found


class ResidualCoder(Coder):
    """Corrections where tiers meet. The picture as it is decoded so far is the option "decoded",
    uint8 (H, W, C); "tau" is the largest error that stays, None for the one that pays most."""

    name, version = "boundary", 1
    carries = frozenset(("boundary",))

    def encoder(self, job: EncodeJob) -> Encoder:
        """An encoder of one segment."""
        return _ResidualEncoder(job)

    def decoder(self, view: View) -> Decoder:
        """A decoder of one segment."""
        return _ResidualDecoder(view)

    def memory(self, facts: Facts, keeps: bool) -> int:
        """Some rows of the band."""
        return 0


class _ResidualEncoder(Encoder):
    def __init__(self, job: EncodeJob) -> None:
        self._job = job

    def segments(self) -> list[CodedSegment]:
        job, decoded = self._job, self._job.options["decoded"]
        own = band(job.class_map)
        tau = job.options.get("tau")
        if tau is not None:
            best: bytes | None = encode(job.pixels, decoded, own, tau)
        else:
            best = _worthwhile(job.pixels, decoded, own, job.lam)
        return [] if best is None else [CodedSegment("boundary", ResidualCoder.name, best)]


def _worthwhile(original: U8, decoded: U8, band_map: U8, lam: float) -> bytes | None:
    """Residuals above the tau that saves most J = D + lambda R, if any does."""
    errors = np.abs(original[band_map > 0].astype(int) - decoded[band_map > 0])
    best, least = None, 0.0
    for tau in _TAUS:
        payload = encode(original, decoded, band_map, tau)
        j = lam * 8 * len(payload) - float((errors[errors > tau] ** 2).sum())
        if j < least:
            best, least = payload, j
    return best


class _ResidualDecoder(Decoder):
    def __init__(self, view: View) -> None:
        self._view, self._payload = view, b""

    def add(self, kind: str, payload: Payload) -> None:
        if not isinstance(payload, bytes):
            raise TypeError(f"the {kind} cannot be read in parts")
        self._payload = payload

    def paint(self, canvas: Canvas) -> None:
        view = self._view
        if canvas.on_host:
            correct(self._payload, canvas.pixels, view.colours, view.class_map)
        else:
            canvas.add(residuals(self._payload, view.colours, view.class_map))
