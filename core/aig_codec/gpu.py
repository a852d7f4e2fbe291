"""AIG files straight into the memory of a CUDA device, by way of CuPy.

The only module that imports CuPy, and only when it is used: `pip install 'pillow-aig[cuda12]'` or
`[cuda13]`. Arrays are CuPy's; PyTorch (`torch.from_dlpack`) and JAX (`jax.dlpack.from_dlpack`) take
them without a copy. Pixels are those of `aig_codec.decode`, to the bit.
"""

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache, lru_cache
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from . import batches as batching
from .batches import Coming, Decoder, Wanted
from .container import Focus
from .cuda import geometry as device_geometry
from .cuda.device import THREADS, source
from .cuda.synthesis import Constants
from .errors import DeviceError
from .geometry import Window
from .reader import AigFile
from .reader import open as open_file
from .threads import default_threads

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
    found = _cupy().cuda.runtime.getDeviceProperties(_index(device))["name"]
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


def _index(device: str | int) -> int:
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
        module = cupy.RawModule(code=source(), options=("-std=c++17",))
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
            found: NDArray[Any] = cupy.asnumpy(array, stream=self.stream)
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


@contextmanager
def _memory(cupy: Any) -> Iterator[None]:
    try:
        yield
    except cupy.cuda.memory.OutOfMemoryError as error:
        raise DeviceError(f"the device's memory is full: {error}") from error


# Queues on the devices are kept: to make one takes longer than to decode a small file.
_local = threading.local()
_decoders: dict[tuple[int, int], Decoder] = {}
_decoders_lock = threading.Lock()


def _constants(index: int) -> Constants:
    """This thread's queue on a device."""
    own = _local.__dict__.setdefault("queues", {})
    if index not in own:
        own[index] = Constants(CupyDevice(index))
    found: Constants = own[index]
    return found


def _decoder(index: int, workers: int) -> Decoder:
    with _decoders_lock:
        key = index, workers
        if key not in _decoders:
            _decoders[key] = Decoder(lambda: CupyDevice(index), workers)
        return _decoders[key]


def decode(
    data: Any,
    *,
    device: str | int = "cuda",
    upto: str = "full",
    scale: int = 1,
    threads: int | None = None,
    strict: bool = True,
) -> Any:
    """Decode an AIG file to a CuPy array, (H, W) or (H, W, C), equal to `aig_codec.decode`'s.

    device: "cuda", "cuda:1" or a number. Static rANS files (`entropy="rans"`) are entropy-decoded
    there; of others, CPU threads do that part. Raises DeviceError where there is no such device or
    not enough of its memory, and what `aig_codec.decode` raises.
    """
    wanted = Wanted(upto=upto, scale=scale, strict=strict)
    constants = _constants(_index(device))
    # What the caller has let go of may still be read by what the caller has launched.
    constants.device.wait(constants.device.mark())
    with open_file(data) as file:
        pixels = batching.decode_file(constants, file, wanted, threads)
        constants.device.finish()
        return _shaped(file, pixels)


def to_host(array: Any) -> NDArray[Any]:
    """A copy of any library's CUDA array on the host; `aig_codec.encode` takes them so."""
    cupy = _cupy()
    found: NDArray[Any] = cupy.asnumpy(cupy.asarray(array))
    return found


def _shaped(file: AigFile, pixels: Any) -> Any:
    return pixels[..., 0] if file.mode == "L" else pixels


def decode_batch(
    sources: Sequence[Any],
    *,
    device: str | int = "cuda",
    devices: Sequence[str | int] | None = None,
    size: tuple[int, int] | None = None,
    upto: str = "full",
    scale: int = 1,
    dtype: DTypeLike = "uint8",
    layout: str = "NHWC",
    threads: int | None = None,
    strict: bool = True,
) -> Any:
    """Decode many files at once.

    sources: bytes, paths or what else `aig_codec.open` takes. size: (width, height) that all are
    resized to; the result is then one CuPy array, (N, H, W, C) or with layout "NCHW" (N, C, H, W),
    else a list of arrays. dtype: "uint8", or "float32" from 0 to 1. threads: files in work at
    once; as many CPU threads decode what the device does not.

    devices: spreads the files over several devices, in order and in nearly equal shares; the
    result is then a list with what each share gives, in order (a device may be named twice).

    Raises what `decode` does; ValueError if pictures of one batch differ in channels.
    """
    wanted = Wanted(size, upto, scale, np.dtype(dtype).name, layout, strict)
    sources = list(sources)
    named = [device] if devices is None else list(devices)
    coming = [
        _start(sources[part], name, wanted, threads)
        for name, part in zip(named, batching.shares(len(sources), len(named)), strict=True)
    ]
    results = [c.result() for c in coming]
    return results[0] if devices is None else results


def _start(
    sources: Sequence[Any], device: str | int, wanted: Wanted, threads: int | None
) -> Coming:
    index = _index(device)
    if not sources:
        return Coming([], None)
    return _decoder(index, threads or default_threads()).start(sources, wanted)


def loader(
    sources: Iterable[Any],
    *,
    batch: int,
    device: str | int = "cuda",
    size: tuple[int, int] | None = None,
    upto: str = "full",
    scale: int = 1,
    dtype: DTypeLike = "uint8",
    layout: str = "NHWC",
    threads: int | None = None,
    prefetch: int = 1,
) -> Iterator[Any]:
    """Batches of `decode_batch`, one after the other, while the next `prefetch` are in work.

    The memory that this takes is bounded by the size of a batch, whatever the number of files: at
    most `prefetch` + 1 batches are on the device, and `threads` pictures in work. The last batch
    may be smaller.
    """
    if batch < 1 or prefetch < 0:
        raise ValueError("batch must be 1 or more, and prefetch not negative")
    wanted = Wanted(size, upto, scale, np.dtype(dtype).name, layout)
    return batching.batches(
        lambda group: _start(group, device, wanted, threads), sources, batch, prefetch
    )


def class_map(foci: Sequence[Focus], height: int, width: int, device: str | int = "cuda") -> Any:
    """Class of every pixel (`aig_codec.geometry`) as a CuPy array: uint8 (H, W)."""
    constants = _constants(_index(device))
    constants.device.wait(constants.device.mark())
    window = Window(0, 0, width, height)
    classes = device_geometry.classify(constants.device, foci, window)
    constants.device.finish()
    return classes


def assign(
    foci: Sequence[Focus], height: int, width: int, device: str | int = "cuda"
) -> tuple[Any, Any]:
    """`aig_codec.geometry.assign` on a device: CuPy arrays uint8 and uint32 (H, W)."""
    constants = _constants(_index(device))
    constants.device.wait(constants.device.mark())
    found = device_geometry.assign(constants.device, foci, height, width)
    constants.device.finish()
    return found
