"""CUDA devices, by way of CuPy: the only module that imports it, and only when it is used.

`pip install 'pillow-aig[cuda12]'` or `[cuda13]` brings it. Arrays are CuPy's; PyTorch
(`torch.from_dlpack`) and JAX (`jax.dlpack.from_dlpack`) take them without a copy.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache, lru_cache, partial
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ..container import Focus
from ..decoder.composition import PictureView, Surface
from ..errors import DeviceError
from ..geometry import Window
from .cuda import geometry
from .cuda.analysis import DeviceAnalysis
from .cuda.canvas import make_surface
from .cuda.device import OPTIONS, THREADS, source
from .cuda.frame import Constants

#: Kernels count in 32 bits where a grid is concerned; they walk over what is beyond it.
_MOST_BLOCKS = 2**16

_EXTRAS = "pip install 'pillow-aig[cuda12]' or 'pillow-aig[cuda13]', whichever your driver speaks"


def devices() -> int:
    """How many CUDA devices there are; 0 also where CuPy is missing."""
    try:
        return int(_cupy().cuda.runtime.getDeviceCount())
    except DeviceError:
        return 0


def name(device: str | int = "cuda") -> str:
    """What a device calls itself, for reports."""
    found = _cupy().cuda.runtime.getDeviceProperties(device_index(device))["name"]
    return found.decode() if isinstance(found, bytes) else str(found)


@cache
def _cupy() -> Any:
    try:
        cupy = import_module("cupy")
    except ImportError as error:
        raise DeviceError(f"decoding on a GPU needs CuPy ({_EXTRAS}): {error}") from error
    try:
        count = cupy.cuda.runtime.getDeviceCount()
    except Exception as error:
        raise DeviceError(f"CuPy is there, but finds no CUDA device: {error}") from error
    if count == 0:
        raise DeviceError("CuPy is there, but finds no CUDA device")
    return cupy


def device_index(device: str | int) -> int:
    """The number of a device: 1 of 1 or "cuda:1"."""
    name = str(device)
    number = name.removeprefix("cuda").removeprefix(":") or "0"
    if not number.isdecimal() or not (name.isdecimal() or name.startswith("cuda")):
        raise ValueError(f"device {device!r} is not 'cpu', 'cuda' or 'cuda:<number>'")
    there = int(_cupy().cuda.runtime.getDeviceCount())
    if int(number) >= there:
        raise DeviceError(f"there is no device {number}; CuPy finds {there}")
    return int(number)


@lru_cache(maxsize=16)
def _module(index: int) -> Any:
    """The kernels, compiled for a device; CuPy keeps them on disk."""
    cupy = _cupy()
    with cupy.cuda.Device(index):
        module = cupy.RawModule(code=source(), options=OPTIONS)
        module.compile()
    return module


class CupyDevice:
    """A CUDA device with a stream of its own: a `Device` of the kernels."""

    def __init__(self, index: int = 0) -> None:
        self._cupy = _cupy()
        self._index = index
        self._module = _module(index)
        self._functions: dict[str, Any] = {}
        with self._cupy.cuda.Device(index):
            self.stream = self._cupy.cuda.Stream(non_blocking=True)

    @contextmanager
    def _current(self) -> Iterator[Any]:
        with ExitStack() as stack:
            stack.enter_context(self._cupy.cuda.Device(self._index))
            stack.enter_context(self.stream)
            yield self._cupy

    def upload(self, array: NDArray[Any]) -> Any:
        """A copy on the device, by way of pinned memory, which CuPy takes from its pool."""
        with self._current() as cupy, _memory(cupy):
            return cupy.asarray(np.ascontiguousarray(array))

    def download(self, array: Any) -> NDArray[Any]:
        """A copy on the host, when all before is done."""
        with self._current() as cupy:
            found = _fetched(cupy, array, self.stream)
            self.stream.synchronize()
            return found

    def empty(self, shape: tuple[int, ...], dtype: DTypeLike) -> Any:
        """An array with any content."""
        with self._current() as cupy, _memory(cupy):
            return cupy.empty(shape, dtype)

    def filled(self, shape: tuple[int, ...], value: int, dtype: DTypeLike) -> Any:
        """An array with one value everywhere."""
        with self._current() as cupy, _memory(cupy):
            return cupy.full(shape, value, dtype)

    def launch(self, kernel: str, blocks: int, *arguments: Any, threads: int = THREADS) -> None:
        """Run a kernel on the stream."""
        if blocks == 0:
            return
        function = self._functions.get(kernel)
        if function is None:
            function = self._functions[kernel] = self._module.get_function(kernel)
        given = tuple(np.uint64(0) if a is None else a for a in arguments)
        with self._current():
            function((min(blocks, _MOST_BLOCKS),), (threads,), given)

    def copy(self, array: Any) -> Any:
        """A copy on the device."""
        with self._current(), _memory(self._cupy):
            return array.copy()

    def finish(self) -> None:
        """Wait for the stream."""
        self.stream.synchronize()

    def mark(self) -> Any:
        """An event at the end of the caller's current stream."""
        with self._cupy.cuda.Device(self._index):
            event = self._cupy.cuda.Event(disable_timing=True)
            event.record(self._cupy.cuda.get_current_stream())
            return event

    def wait(self, mark: Any) -> None:
        """Have the stream wait for an event."""
        self.stream.wait_event(mark)

    def result(self, shape: tuple[int, ...], dtype: DTypeLike) -> Any:
        """An array whose memory belongs to the caller's current stream.

        CuPy gives memory that was let go of to the next array of the same stream, at once.
        """
        with self._cupy.cuda.Device(self._index), _memory(self._cupy):
            return self._cupy.empty(shape, dtype)

    def hand_over(self, array: Any) -> Any:
        """A copy by the caller's current stream; the original's memory is used again after it."""
        with self._cupy.cuda.Device(self._index), _memory(self._cupy):
            copy = array.copy()
        self.wait(self.mark())
        return copy

    def free_memory(self) -> int:
        """Bytes that are free on the device, or that CuPy's pool holds for others."""
        with self._current() as cupy:
            free, _ = cupy.cuda.runtime.memGetInfo()
            return int(free) + int(cupy.get_default_memory_pool().free_bytes())


def _fetched(cupy: Any, array: Any, stream: Any) -> NDArray[Any]:
    """A copy in pinned memory, from CuPy's pool, which devices write to several times as fast."""
    if array.nbytes == 0:
        return np.empty(array.shape, array.dtype)
    pinned = cupy.cuda.alloc_pinned_memory(array.nbytes)
    own = np.frombuffer(pinned, array.dtype, array.size).reshape(array.shape)
    cupy.asnumpy(array, stream=stream, out=own)
    return own


@contextmanager
def _memory(cupy: Any) -> Iterator[None]:
    try:
        yield
    except cupy.cuda.memory.OutOfMemoryError as error:
        raise DeviceError(f"the device's memory is full: {error}") from error


# Queues on a device are kept, one for each thread: to make one takes longer than to decode a small
# file.
_local = threading.local()


def queue(device: str | int) -> Constants:
    """This thread's queue on a device; what it does comes after all that the caller's current
    stream has been given: who lets go of an array may still have work in there that reads it."""
    index = device_index(device)
    own = _local.__dict__.setdefault("queues", {})
    if index not in own:
        own[index] = Constants(CupyDevice(index))
    found: Constants = own[index]
    found.device.wait(found.device.mark())
    return found


def surfaces(device: str | int) -> Callable[[PictureView], Surface]:
    """What makes surfaces on a device, for `AigFile.compose`."""
    return partial(make_surface, queue(device))


def analyses(pixels: Any) -> Callable[..., DeviceAnalysis]:
    """What analyses a picture where it is: any library's CUDA array, uint8 (H, W) or (H, W, C)."""
    cupy = _cupy()
    array = cupy.asarray(pixels)
    with array.device:
        own = cupy.ascontiguousarray(array if array.ndim == 3 else array[..., None])
    return partial(DeviceAnalysis, queue(int(array.device.id)), own)


def to_host(array: Any) -> NDArray[Any]:
    """A copy of any library's CUDA array on the host; `aig_codec.encode` takes them so."""
    cupy = _cupy()
    there = cupy.asarray(array)
    with there.device:
        stream = cupy.cuda.get_current_stream()
        found = _fetched(cupy, there, stream)
        stream.synchronize()
        return found


def class_map(foci: Sequence[Focus], height: int, width: int, device: str | int = "cuda") -> Any:
    """Class of every pixel (`aig_codec.geometry`) as a CuPy array: uint8 (H, W)."""
    own = queue(device).device
    classes = geometry.classify(own, foci, Window(0, 0, width, height))
    own.finish()
    return classes


def assign(
    foci: Sequence[Focus], height: int, width: int, device: str | int = "cuda"
) -> tuple[Any, Any]:
    """`aig_codec.geometry.assign` on a device: CuPy arrays uint8 and uint32 (H, W)."""
    own = queue(device).device
    found = geometry.assign(own, foci, height, width)
    own.finish()
    return found
