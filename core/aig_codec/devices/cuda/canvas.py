"""A picture that comes together on a device (format.md, 8)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...coders import palette, residual
from ...decoder.canvas import EIGHTH, DecodedCore, Picture, Problems, add_up
from ...geometry import MID, MID_LAST, Regions, Window
from ...threads import Workers
from .device import i32, i64, paste, spread
from .frame import Constants
from .synthesis import DeviceSynthesis

U8 = NDArray[np.uint8]


def make_picture(
    constants: Constants,
    regions: Regions,
    workers: Workers,
    problems: Problems,
    *,
    scale: int = 1,
    window: Window | None = None,
) -> Picture:
    """A picture whose `show` gives an array on the device, (H, W, C).

    Its lossy tiers are decoded there if it is shown whole and comes from coefficients; otherwise
    all of it is decoded on the host.
    """
    meta = regions.metadata
    lossy = meta.shape != "all" and not (meta.is_averaged and scale > 1)
    if lossy and scale < EIGHTH and window is None:
        return DevicePicture(constants, regions, workers, problems, scale=scale)
    return UploadedPicture(constants, regions, workers, problems, scale=scale, window=window)


class UploadedPicture(Picture):
    """A picture that is decoded on the host, and handed to a device."""

    def __init__(self, constants: Constants, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._device = constants.device

    def show(self) -> Any:
        """The picture on the device."""
        pixels = self._device.upload(super().show())
        self._device.finish()
        return pixels


class DevicePicture(Picture):
    """A picture whose lossy tiers are decoded on a device. What is coded in one sequence is decoded
    by CPU threads meanwhile: cores, drawn tiles, palettes, alpha."""

    _in_place = False

    def __init__(self, constants: Constants, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._constants, self._device = constants, constants.device

    def _synthesis(self) -> DeviceSynthesis:
        return DeviceSynthesis(
            self._constants, self._metadata, self._class_map, self._workers, self._scale
        )

    def _canvas(self) -> Any:
        meta = self._metadata
        width, height = self._size
        pixels = self._device.filled((height, width, meta.channels), 128, np.uint8)
        if isinstance(self._dct, DeviceSynthesis):
            with self._problems:
                self._dct.render_on_device(pixels, meta.channels)
            self._tell(self._dct)
        if meta.mode in ("LA", "RGBA"):
            self._set_alpha(None, pixels)
        return pixels

    def _put_palette(self, payload: bytes, pixels: Any) -> None:
        over = np.zeros((*self._class_map.shape, self._colours), np.uint8)
        palette.decode(payload, over, self._colours, self._class_map, MID, MID_LAST)
        self._put(over, MID, MID_LAST, pixels)

    def _put(self, over: U8, first: int, last: int, pixels: Any) -> None:
        paste(self._device, over, self._class_map, (first, last), (0, 0), pixels)

    def _correct(self, payload: bytes, pixels: Any) -> None:
        # What residuals make of black, and of white, says what they are.
        band = residual.band(self._class_map)
        residuals = np.zeros((*band.shape, self._colours), np.int16)
        for level in (0, 255):
            plane = np.full(residuals.shape, level, np.uint8)
            residual.decode(payload, plane, self._colours, band)
            residuals += plane.astype(np.int16) - level
        y, x, c = np.nonzero(residuals)
        places = (y * band.shape[1] + x) * self._metadata.channels + c
        self._device.launch(
            "add_residuals",
            spread(y.size),
            *(self._device.upload(places.astype(np.int64)),),
            *(self._device.upload(residuals[y, x, c]), i64(y.size), pixels),
        )

    def _put_alpha(self, alpha: U8, pixels: Any) -> None:
        self._set_alpha(self._device.upload(alpha), pixels)

    def _set_alpha(self, values: Any, pixels: Any) -> None:
        """Values of the device, or opaque without."""
        height, width, channels = pixels.shape
        self._device.launch(
            "set_channel",
            spread(height * width),
            *(values, i32(255), i64(height * width)),
            *(i32(channels - 1), i32(channels), pixels),
        )

    def _put_cores(self, cores: list[DecodedCore], pixels: Any) -> None:
        if self._scale == 1:
            for core in cores:
                left, top, _, _ = core.window
                own = core.pixel_class, core.pixel_class
                paste(self._device, core.pixels, core.class_map, own, (left, top), pixels)
            return
        boxes = add_up(cores, self._scale, self._metadata.channels)
        if boxes is None:
            return
        sums, counts, left, top = boxes
        y, x = np.nonzero(counts)
        up = self._device.upload
        self._device.launch(
            "blend_boxes",
            spread(y.size * self._metadata.channels),
            up((y + top).astype(np.int64) * pixels.shape[1] + x + left),
            *(up(sums[y, x]), up(counts[y, x]), i64(y.size), i32(self._scale)),
            *(i32(n) for n in (*self._metadata.size, *pixels.shape[1:])),
            pixels,
        )

    def _completed(self, pixels: Any) -> Any:
        self._device.finish()
        return pixels
