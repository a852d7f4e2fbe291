"""The pixels that a band is of, as native functions take them."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

U8 = NDArray[np.uint8]
Pixels = NDArray[Any]  # uint8 or uint16


class Region(NamedTuple):
    """The pixels of some classes in rows [top, bottom)."""

    class_map: U8
    first: int
    last: int
    top: int
    bottom: int

    @property
    def rows(self) -> slice:
        """Its rows in the picture."""
        return slice(self.top, self.bottom)

    @property
    def own(self) -> tuple[U8, int, int]:
        """The classes of its rows alone, and which of them count."""
        return self.class_map[self.rows], self.first, self.last

    @property
    def alone(self) -> "Region":
        """The same pixels in a picture of these rows alone."""
        return Region(*self.own, 0, self.bottom - self.top)


def channel_of(pixels: Pixels, region: Region, channel: int) -> tuple[Pixels, Region]:
    """A channel of the region's rows as a picture, and the region in it."""
    part = np.ascontiguousarray(pixels[region.rows, :, channel : channel + 1])
    return part, region.alone


def colours_of(channels: int) -> int:
    """How many of so many channels are colours: alpha is none."""
    return 1 if channels < 3 else 3
