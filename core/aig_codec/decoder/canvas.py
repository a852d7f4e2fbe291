"""The pixels of a picture that is being painted, on the host (format.md, 8)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import _native, geometry
from ..coders.base import Pixels
from ..geometry import Window
from ..threads import finish
from .composition import (
    DecodedCore,
    LargeCore,
    PictureView,
    Problems,
    Surface,
    sample_type,
)
from .memory import BOXES

U8 = NDArray[np.uint8]


class HostSurface(Surface):
    """NumPy arrays. What can be is decoded straight into them, unless it is shown again."""

    def __init__(self, view: PictureView) -> None:
        super().__init__(view)
        self.in_place = not view.keeps

    @property
    def _shown(self) -> Window:
        return self.view.window or Window(0, 0, *self.view.facts.size)

    @property
    def _seen(self) -> Pixels:
        """The pixels that are in the window."""
        seen: Pixels = self.pixels[self._shown.scaled(self.view.scale).slices]
        return seen

    @property
    def _largest(self) -> int:
        return (1 << self.view.facts.bits) - 1

    def begin(self) -> None:
        """Pixels of the whole picture at its scale."""
        facts, scale = self.view.facts, self.view.scale
        width, height = (-(-n // scale) for n in facts.size)
        self.pixels = np.empty((height, width, facts.channels), sample_type(facts))

    def fill(self) -> None:
        """Mid grey where the picture is seen."""
        self._seen[...] = self._largest // 2 + 1

    def set_opaque(self) -> None:
        """The largest alpha where the picture is seen."""
        self._seen[..., -1] = self._largest

    def put(self, over: U8, first: int, last: int) -> None:
        """Colours over those of the pixels of some classes."""
        view, pixels = self.view, self.pixels
        if view.colours == view.facts.channels:
            _native.paste(over, view.class_map, first, last, 0, 0, pixels)
            return
        for rows in geometry.row_slices(*view.class_map.shape):
            classes = view.class_map[rows]
            own = (classes >= first) & (classes <= last)
            pixels[rows, :, : view.colours][own] = over[rows][own]

    def put_alpha(self, alpha: U8) -> None:
        """The alpha of all pixels."""
        self.pixels[..., -1:] = alpha

    def add(self, residuals: NDArray[np.int16]) -> None:
        """Residuals to colours, cut to 0..255."""
        colours = self.pixels[..., : self.view.colours]
        colours[...] = np.clip(colours + residuals, 0, 255)

    def put_cores(self, cores: list[DecodedCore]) -> None:
        """Cores over everything, or blended in."""
        if self.view.scale > 1:
            _blend(cores, self.pixels, self.view.facts.size, self.view.scale)
        else:
            _paste(cores, self.pixels)

    def put_large(
        self, cores: list[DecodedCore], large: list[LargeCore], problems: Problems
    ) -> None:
        """`_blend` where cores may be as large as the picture: all in one, then some rows of boxes
        after the other."""
        view, facts, scale, shown = self.view, self.view.facts, self.view.scale, self._shown
        exact = np.empty((facts.height, facts.width, facts.channels), np.uint8)
        _paste(cores, exact)
        known = [core.pixel_class for core in cores]
        for core in large:
            c = core.pixel_class
            with problems:
                jobs = core.coder.start_decoding(
                    core.payload, exact, view.class_map, c, c, view.workers, view.rows
                )
                finish(jobs)
                known.append(c)
        width = self.pixels.shape[1]
        step = max(1, BOXES // width)
        for first in range(shown.top // scale, -(-shown.bottom // scale), step):
            rows = slice(first * scale, min((first + step) * scale, facts.height))
            counts = np.zeros((-(-(rows.stop - rows.start) // scale), width), np.uint32)
            sums = np.zeros((*counts.shape, facts.channels), np.uint32)
            for c in known:
                _native.add_to_boxes(
                    exact[rows],
                    view.class_map[rows],
                    *(c, c, 0, rows.start, scale, 0, first),
                    *(sums, counts),
                )
            _native.blend_boxes(sums, counts, scale, 0, first, *facts.size, self.pixels)

    def finished(self) -> Any:
        """The picture, averaged where its coders did not serve the scale."""
        pixels, s = self.pixels, self.view.scale
        del self.pixels
        averaged = self.view.averaged
        if averaged > 1:
            pixels, s = _native.shrink(pixels, averaged), averaged
        if self.view.window is None:
            return pixels
        return pixels[self.view.window.scaled(s).slices].copy()


def _paste(cores: list[DecodedCore], pixels: Pixels) -> None:
    """Put cores into the whole picture."""
    for core in cores:
        left, top, _, _ = core.window
        c = core.pixel_class
        _native.paste(core.pixels, core.class_map, c, c, left, top, pixels)


def add_up(
    cores: list[DecodedCore], scale: int, channels: int
) -> tuple[NDArray[np.uint32], NDArray[np.uint32], int, int] | None:
    """Sums, (h, w, C), and numbers, (h, w), of exact pixels in boxes of scale x scale, and the
    first box's column and row; None without any."""
    # The angle may leave nothing of a core.
    windows = [c.window.scaled(scale) for c in cores if c.class_map.size]
    if not windows:
        return None
    left, top = (min(w[i] for w in windows) for i in (0, 1))
    right, bottom = (max(w[i] for w in windows) for i in (2, 3))
    counts = np.zeros((bottom - top, right - left), np.uint32)
    sums = np.zeros((*counts.shape, channels), np.uint32)
    for core in cores:
        c = core.pixel_class
        x, y, _, _ = core.window
        _native.add_to_boxes(
            core.pixels, core.class_map, c, c, x, y, scale, left, top, sums, counts
        )
    return sums, counts, left, top


def _blend(cores: list[DecodedCore], pixels: Pixels, size: tuple[int, int], scale: int) -> None:
    """Give boxes of pixels the mean that they have with the exact pixels of the cores in place."""
    boxes = add_up(cores, scale, pixels.shape[2])
    if boxes is not None:
        sums, counts, left, top = boxes
        _native.blend_boxes(sums, counts, scale, left, top, *size, pixels)
