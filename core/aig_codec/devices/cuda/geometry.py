"""Weighted distances, nearest foci and classes of all pixels, on a device (format.md, 5)."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...container import Focus
from ...geometry import Window, fixed_point
from .device import Device, i32, spread


def classify(device: Device, foci: Sequence[Focus], window: Window) -> Any:
    """Class of every pixel of a window: uint8 (h, w) on the device, equal to the CPU's."""
    width, height = window.size
    classes = device.empty((height, width), np.uint8)
    device.launch(
        "classify",
        spread(width * height),
        *(device.upload(fixed_point(foci)), i32(len(foci))),
        *(i32(window.left), i32(window.top), i32(width), i32(height), classes),
    )
    return classes


def assign(device: Device, foci: Sequence[Focus], height: int, width: int) -> tuple[Any, Any]:
    """Nearest focus and its distance in 1/65536: uint8 and uint32 (H, W) on the device."""
    owner = device.empty((height, width), np.uint8)
    distances = device.empty((height, width), np.uint32)
    device.launch(
        "assign",
        spread(width * height),
        *(device.upload(fixed_point(foci)), i32(len(foci)), i32(width), i32(height)),
        *(owner, distances),
    )
    return owner, distances
