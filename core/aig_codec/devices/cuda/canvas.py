"""A picture that comes together on a device (format.md, 8)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...coders.base import Canvas, Coder, Decoder
from ...coders.dct import DctCoder, DctDecoder
from ...decoder.canvas import HostSurface, add_up
from ...decoder.composition import LF_SCALE, DecodedCore, PictureView, Surface
from .device import i32, i64, paste, spread
from .frame import Constants
from .synthesis import DeviceSynthesis

U8 = NDArray[np.uint8]


def make_surface(constants: Constants, view: PictureView) -> Surface:
    """Where a `Composition` paints whose `show` gives an array on the device, (H, W, C).

    The lossy tiers are decoded there if the picture is shown whole and comes from coefficients;
    otherwise all of it is decoded on the host.
    """
    lossy = view.regions.metadata.shape != "all" and view.averaged == 1
    if lossy and view.scale < LF_SCALE and view.window is None:
        return DeviceSurface(constants, view)
    return UploadedSurface(constants, view)


class UploadedSurface(HostSurface):
    """A picture that is painted on the host, and handed to a device."""

    def __init__(self, constants: Constants, view: PictureView) -> None:
        super().__init__(view)
        self._device = constants.device

    def finished(self) -> Any:
        """The picture on the device."""
        pixels = self._device.upload(super().finished())
        self._device.finish()
        return pixels


class DeviceDecoder(DctDecoder):
    """A DCT decoder whose samples are on a device."""

    def __init__(self, constants: Constants, view: PictureView) -> None:
        super().__init__(view)
        self._constants = constants

    def start(self) -> DeviceSynthesis:
        """The same streams, read for the device."""
        view = self.view
        return DeviceSynthesis(
            self._constants, view.facts, view.class_map, view.workers, view.scale
        )

    def paint(self, canvas: Canvas) -> None:
        """Paint everything, there."""
        if isinstance(self.synthesis, DeviceSynthesis):
            self.synthesis.render_on_device(canvas.pixels, self.view.facts.channels)


class DeviceSurface(Surface):
    """A picture whose lossy tiers are decoded on a device. What is coded in one sequence is decoded
    by CPU threads meanwhile: cores, screen content, palettes, alpha."""

    on_host = in_place = False

    def __init__(self, constants: Constants, view: PictureView) -> None:
        super().__init__(view)
        self._constants, self._device = constants, constants.device

    def decoder(self, coder: Coder) -> Decoder:
        """The device's own decoder of the DCT, everybody else's on the host."""
        if isinstance(coder, DctCoder):
            return DeviceDecoder(self._constants, self.view)
        return super().decoder(coder)

    def begin(self) -> None:
        """Mid grey."""
        facts, scale = self.view.facts, self.view.scale
        width, height = (-(-n // scale) for n in facts.size)
        self.pixels = self._device.filled((height, width, facts.channels), 128, np.uint8)

    def fill(self) -> None:
        """They are grey already."""

    def set_opaque(self) -> None:
        """The largest alpha."""
        self._set_alpha(None)

    def put(self, over: U8, first: int, last: int) -> None:
        """Colours over those of the pixels of some classes."""
        paste(self._device, over, self.view.class_map, (first, last), (0, 0), self.pixels)

    def put_alpha(self, alpha: U8) -> None:
        """The alpha of all pixels."""
        self._set_alpha(self._device.upload(alpha))

    def _set_alpha(self, values: Any) -> None:
        """Values of the device, or opaque without."""
        height, width, channels = self.pixels.shape
        self._device.launch(
            "set_channel",
            spread(height * width),
            *(values, i32(255), i64(height * width)),
            *(i32(channels - 1), i32(channels), self.pixels),
        )

    def add(self, residuals: NDArray[np.int16]) -> None:
        """Residuals to colours, those that are not 0."""
        y, x, c = np.nonzero(residuals)
        places = (y * residuals.shape[1] + x) * self.view.facts.channels + c
        self._device.launch(
            "add_residuals",
            spread(y.size),
            *(self._device.upload(places.astype(np.int64)),),
            *(self._device.upload(residuals[y, x, c]), i64(y.size), self.pixels),
        )

    def put_cores(self, cores: list[DecodedCore]) -> None:
        """Cores over everything, or blended in."""
        view, pixels = self.view, self.pixels
        if view.scale == 1:
            for core in cores:
                left, top, _, _ = core.window
                own = core.pixel_class, core.pixel_class
                paste(self._device, core.pixels, core.class_map, own, (left, top), pixels)
            return
        boxes = add_up(cores, view.scale, view.facts.channels)
        if boxes is None:
            return
        sums, counts, left, top = boxes
        y, x = np.nonzero(counts)
        up = self._device.upload
        self._device.launch(
            "blend_boxes",
            spread(y.size * view.facts.channels),
            up((y + top).astype(np.int64) * pixels.shape[1] + x + left),
            *(up(sums[y, x]), up(counts[y, x]), i64(y.size), i32(view.scale)),
            *(i32(n) for n in (*view.facts.size, *pixels.shape[1:])),
            pixels,
        )

    def finished(self) -> Any:
        """The picture, when the device has done with it."""
        self._device.finish()
        return self.pixels
