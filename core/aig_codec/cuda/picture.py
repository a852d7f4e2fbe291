"""A picture that comes together on a device (format.md, 8)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..coders import boundary, dct, palette
from ..geometry import MID, MID_LAST, Regions
from ..picture import EIGHTH, DecodedCore, Picture, Problems, add_up
from ..threads import Workers
from .device import Device, i32, i64, spread
from .synthesis import Constants, DeviceSynthesis

U8 = NDArray[np.uint8]


class DevicePicture(Picture):
    """`Picture` whose lossy tiers are decoded on a device, and whose `show` gives an array there.

    What is entropy-coded in one sequence is decoded by CPU threads meanwhile: cores, drawn tiles,
    palettes, alpha. Pictures with nothing else are decoded on the host altogether.
    """

    def __init__(
        self,
        constants: Constants,
        regions: Regions,
        workers: Workers,
        problems: Problems,
        *,
        scale: int = 1,
    ) -> None:
        super().__init__(regions, workers, problems, scale=scale)
        self._constants = constants

    def _synthesis(self) -> dct.Synthesis:
        if self._averaged > 1 or self._scale == EIGHTH:
            return super()._synthesis()
        return DeviceSynthesis(
            self._constants, self._metadata, self._class_map, self._workers, self._scale
        )

    def show(self) -> Any:
        """The picture on the device: (H, W, C) at its scale."""
        device = self._constants.device
        synthesis = self._dct
        if not isinstance(synthesis, DeviceSynthesis) or not synthesis.known:
            return device.upload(super().show())
        meta = self._metadata
        width, height = (-(-n // self._scale) for n in meta.size)
        pixels = device.empty((height, width, meta.channels), np.uint8)
        synthesis.render_on_device(pixels, meta.channels)
        if meta.mode in ("LA", "RGBA"):
            self._set_alpha(device, None, pixels)
        if "mid" in self._payloads:
            over = np.zeros((height, width, self._colours), np.uint8)
            with self._problems:
                payload = self._payloads["mid"]
                palette.decode(payload, over, self._colours, self._class_map, MID, MID_LAST)
                self._over.insert(0, (over, MID, MID_LAST))
        for over, first, last in self._over:
            own = (self._class_map >= first) & (self._class_map <= last)
            _paste(device, over, own, 0, 0, pixels)
        if "boundary" in self._payloads and not self._problems.found:
            with self._problems:
                self._correct(device, pixels)
        if self._alpha is not None:
            self._set_alpha(device, self._alpha, pixels)
        self._cores_on_device(device, pixels)
        return pixels

    def _set_alpha(self, device: Device, values: U8 | None, pixels: Any) -> None:
        height, width, channels = pixels.shape
        device.launch(
            "set_channel",
            spread(height * width),
            *(None if values is None else device.upload(values), i32(255), i64(height * width)),
            *(i32(channels - 1), i32(channels), pixels),
        )

    def _correct(self, device: Device, pixels: Any) -> None:
        """Add the residuals of the boundary tier, which are known by what they make of black, and
        of white."""
        band = boundary.band(self._class_map)
        changed = []
        for level in (0, 255):
            plane = np.full((*band.shape, self._colours), level, np.uint8)
            boundary.decode(self._payloads["boundary"], plane, self._colours, band)
            changed.append(plane.astype(np.int16) - level)
        residuals = changed[0] + changed[1]
        y, x, c = np.nonzero(residuals)
        if not y.size:
            return
        places = (y * band.shape[1] + x) * self._metadata.channels + c
        device.launch(
            "add_residuals",
            spread(y.size),
            *(device.upload(places.astype(np.int64)), device.upload(residuals[y, x, c])),
            *(i64(y.size), pixels),
        )

    def _cores_on_device(self, device: Device, pixels: Any) -> None:
        cores: list[DecodedCore] = []
        for coming in self._cores:
            with self._problems:
                cores.append(coming.result())
        if self._scale == 1:
            for core in cores:
                left, top, _, _ = core.window
                own = core.class_map == core.pixel_class
                _paste(device, core.pixels.astype(np.uint8, copy=False), own, left, top, pixels)
            return
        boxes = add_up(cores, self._scale, self._metadata.channels)
        if boxes is None:
            return
        sums, counts, left, top = boxes
        y, x = np.nonzero(counts)
        width, height = self._metadata.size
        device.launch(
            "blend_boxes",
            spread(y.size * self._metadata.channels),
            device.upload((y + top).astype(np.int64) * pixels.shape[1] + x + left),
            *(device.upload(sums[y, x]), device.upload(counts[y, x]), i64(y.size)),
            *(i32(self._scale), i32(width), i32(height), i32(pixels.shape[1])),
            *(i32(self._metadata.channels), pixels),
        )


def _paste(
    device: Device, source: U8, own: NDArray[np.bool_], left: int, top: int, pixels: Any
) -> None:
    """Put the pixels of a mask over those of the device: they alone travel."""
    edges = np.diff(np.pad(own, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    y, first = np.nonzero(edges == 1)
    if not y.size:
        return
    _, end = np.nonzero(edges == -1)
    lengths = end - first
    starts = np.concatenate([[0], np.cumsum(lengths)])[:-1]
    runs = np.stack([y + top, first + left, lengths, starts], 1).astype(np.int64)
    _, width, channels = pixels.shape
    device.launch(
        "paste_runs",
        len(runs),
        *(device.upload(runs), i64(len(runs)), device.upload(source[own])),
        *(i32(source.shape[2]), i32(width), i32(channels), pixels),
        threads=32,
    )
