"""What is asked of a device, and the source of its kernels."""

from functools import cache
from importlib import resources
from typing import Any, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ... import _native
from ...errors import DeviceError

#: In this order they make up one source.
SOURCES = (
    *("common.cu", "geometry.cu", "levels.cu", "blocks.cu", "filters.cu", "pixels.cu"),
    "forward.cu",
)

#: How they are compiled: a product and a sum round twice, as on the CPU.
OPTIONS = ("-std=c++17", "-fmad=false")

#: Threads of a block.
THREADS = 128


class Device(Protocol):
    """A device with memory of its own. Arrays on it are of its own kind."""

    def upload(self, array: NDArray[Any]) -> Any:
        """A copy of an array on the device."""
        ...

    def download(self, array: Any) -> NDArray[Any]:
        """A copy of a device's array on the host, after all that was launched before."""
        ...

    def empty(self, shape: tuple[int, ...], dtype: DTypeLike) -> Any:
        """An array on the device with any content."""
        ...

    def filled(self, shape: tuple[int, ...], value: int, dtype: DTypeLike) -> Any:
        """An array on the device with one value everywhere."""
        ...

    def launch(self, kernel: str, blocks: int, *arguments: Any, threads: int = THREADS) -> None:
        """Run a kernel after those before it.

        blocks: how many there is work for. arguments: the kernel's, arrays of the device, None for
        null pointers, and NumPy scalars of the right width.
        """
        ...

    def copy(self, array: Any) -> Any:
        """A copy of a device's array on the device."""
        ...

    def finish(self) -> None:
        """Wait for all that was launched."""
        ...

    def mark(self) -> Any:
        """What the caller's own queue has been given so far, on this device."""
        ...

    def wait(self, mark: Any) -> None:
        """Have all that is launched from now on come after a mark."""
        ...

    def result(self, shape: tuple[int, ...], dtype: DTypeLike) -> Any:
        """An array with any content, of the caller's queue rather than this one: who lets go of it
        while work of that queue needs it must not find it written to."""
        ...

    def hand_over(self, array: Any) -> Any:
        """A copy of a finished array, of the caller's queue."""
        ...

    def free_memory(self) -> int | None:
        """How many bytes there is room for; None where that cannot be said."""
        ...


@cache
def source() -> str:
    """The CUDA C++ source of all kernels."""
    here = resources.files(__package__)
    return "\n".join((here / name).read_text() for name in SOURCES)


def require_memory(device: Device, need: int, size: tuple[int, int]) -> None:
    """Raises DeviceError where a picture of width and height needs more bytes than are free."""
    free = device.free_memory()
    if free is not None and need > free:
        raise DeviceError(
            f"an image of {size[0]} x {size[1]} pixels takes {need >> 20} MiB on the device, "
            f"which has {free >> 20} MiB left: use the CPU, or decode at scale 8"
        )


def spread(items: int, threads: int = THREADS) -> int:
    """Blocks of threads for so many items, a thread each."""
    return max(1, -(-items // threads))


def i32(value: int) -> np.int32:
    """An argument of a kernel that is 32 bits wide."""
    return np.int32(value)


def i64(value: int) -> np.int64:
    """An argument of a kernel that is 64 bits wide."""
    return np.int64(value)


def paste(
    device: Device,
    source: NDArray[np.uint8],
    classes: NDArray[np.uint8],
    wanted: tuple[int, int],
    corner: tuple[int, int],
    pixels: Any,
) -> None:
    """Put pixels (H, W, C) of some classes (H, W) over those of the device, whose channels may be
    more: they alone travel. corner: where the first one lies, column and row."""
    runs, samples = _native.gather(source, classes, *wanted)
    if not len(runs):
        return
    left, top = corner
    runs += np.array([top, left, 0, 0])
    _, width, channels = pixels.shape
    device.launch(
        "paste_runs",
        len(runs),
        *(device.upload(runs), i64(len(runs)), device.upload(samples)),
        *(i32(source.shape[2]), i32(width), i32(channels), pixels),
        threads=32,
    )
