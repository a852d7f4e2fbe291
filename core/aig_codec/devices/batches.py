"""Many files at once, straight into the memory of a device.

Each is decoded by a CPU thread with a queue of its own there, so that reading, entropy decoding,
copies and kernels of different files go on side by side.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice, pairwise
from queue import SimpleQueue
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from ..decoder.file import open as open_file
from ..threads import default_threads
from . import gpu
from .cuda.canvas import make_surface
from .cuda.device import Device, i32, spread
from .cuda.frame import Constants

LAYOUTS = ("NHWC", "NCHW")
_DTYPES = ("uint8", "float32")


@dataclass(frozen=True)
class Wanted:
    """What a batch is to be; see `decode_batch`."""

    size: tuple[int, int] | None = None
    upto: str = "full"
    scale: int = 1
    dtype: str = "uint8"
    layout: str = "NHWC"
    strict: bool = True

    def __post_init__(self) -> None:
        if np.dtype(self.dtype).name not in _DTYPES:
            raise ValueError(f"dtype {self.dtype!r} is not one of {', '.join(_DTYPES)}")
        if self.layout not in LAYOUTS:
            raise ValueError(f"layout {self.layout!r} is not one of {', '.join(LAYOUTS)}")
        if self.size is not None and (len(self.size) != 2 or min(self.size) < 1):
            raise ValueError(f"size {self.size!r} is not (width, height)")

    @property
    def planar(self) -> bool:
        """Whether channels come first."""
        return self.layout == "NCHW"

    def shape(self, width: int, height: int, channels: int) -> tuple[int, int, int]:
        """Of one picture."""
        return (channels, height, width) if self.planar else (height, width, channels)


def fit(device: Device, pixels: Any, wanted: Wanted, out: Any) -> None:
    """Put a picture into its place of a batch, resized by a triangular filter that covers all of
    it, as Pillow's BILINEAR does."""
    height, width, channels = pixels.shape
    out_w, out_h = (out.shape[2], out.shape[1]) if wanted.planar else (out.shape[1], out.shape[0])
    as_bytes = np.dtype(wanted.dtype) == np.uint8
    device.launch(
        "resize",
        spread(out_w * out_h),
        *(pixels, i32(width), i32(height), i32(channels), i32(out_w), i32(out_h)),
        *(i32(wanted.planar), i32(as_bytes)),
        *((None, out) if as_bytes else (out, None)),
    )


class Decoder:
    """Decodes batches on one device.

    make_queue: makes a `Device` with a queue of work of its own. workers: how many files are in
    work at once; this bounds what they take.
    """

    def __init__(self, make_queue: Callable[[], Device], workers: int) -> None:
        self._queues: SimpleQueue[Constants] = SimpleQueue()
        self._all = [Constants(make_queue()) for _ in range(workers)]
        for queue in self._all:
            self._queues.put(queue)
        self._pool = ThreadPoolExecutor(workers)

    def start(self, sources: Sequence[Any], wanted: Wanted) -> "Coming":
        """Begin a batch."""
        place: Any = None
        if wanted.size is not None:
            # The first file says how many channels there are.
            with open_file(sources[0]) as file:
                channels = file.metadata.channels
            shape = (len(sources), *wanted.shape(*wanted.size, channels))
            place = self._all[0].device.result(shape, np.dtype(wanted.dtype))
        mark = self._all[0].device.mark()
        tasks = [
            self._pool.submit(self._one, source, wanted, mark, None if place is None else place[i])
            for i, source in enumerate(sources)
        ]
        return Coming(tasks, place)

    def _one(self, source: Any, wanted: Wanted, mark: Any, place: Any) -> "Done":
        constants = self._queues.get()
        device = constants.device
        try:
            device.wait(mark)
            with open_file(source) as file:
                if file.metadata.bits != 8:
                    raise ValueError(
                        "batches are of 8 bits per sample; decode deep files one by one"
                    )
                surface = partial(make_surface, constants)
                pixels = file.compose(
                    surface, wanted.upto, wanted.scale, threads=1, strict=wanted.strict
                )
                channels = file.metadata.channels
            if place is None:
                if not wanted.planar and np.dtype(wanted.dtype) == np.uint8:
                    return Done(device, pixels)
                height, width, _ = pixels.shape
                place = device.empty(wanted.shape(width, height, channels), np.dtype(wanted.dtype))
            expected = place.shape[0] if wanted.planar else place.shape[2]
            if channels != expected:
                raise ValueError(
                    f"a batch is of pictures with as many channels: {expected}, and {channels}"
                )
            fit(device, pixels, wanted, place)
            # Its memory may be used again only when the kernels are done with it.
            device.finish()
            return Done(device, place)
        finally:
            self._queues.put(constants)


class Done(NamedTuple):
    """A picture, and whose it is."""

    device: Device
    pixels: Any


class Coming:
    """A batch in work."""

    def __init__(self, tasks: list[Future[Done]], place: Any) -> None:
        self._tasks, self._place = tasks, place

    def result(self) -> Any:
        """The batch: one array if there is a size, else one per file; or the first error."""
        error: BaseException | None = None
        pictures = []
        for task in self._tasks:
            # All of them, so that nothing is in work any more when this raises.
            try:
                pictures.append(task.result())
            except BaseException as e:
                error = error or e
        if error is not None:
            raise error
        if self._place is not None:
            return self._place
        return [done.device.hand_over(done.pixels) for done in pictures]

    def cancel(self) -> None:
        """Give up what has not been begun, and wait for the rest."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            if not task.cancelled():
                task.exception()


# Decoders are kept, with their threads and queues.
_decoders: dict[tuple[int, int], Decoder] = {}
_lock = threading.Lock()


def _start(sources: Sequence[Any], index: int, wanted: Wanted, threads: int | None) -> Coming:
    if not sources:
        return Coming([], None)
    key = index, threads or default_threads()
    with _lock:
        if key not in _decoders:
            _decoders[key] = Decoder(lambda: gpu.CupyDevice(index), key[1])
    return _decoders[key].start(sources, wanted)


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
    """Decode many files at once to CuPy arrays.

    sources: bytes, paths or addresses. size: (width, height) that all are resized to, by a
    triangular filter that covers every pixel; the result is then one array, (N, H, W, C) or with
    layout "NCHW" (N, C, H, W), else a list of arrays. dtype: "uint8", or "float32" from 0 to 1.
    upto, scale, strict: as in `aig_codec.decode`, whose pixels they are to the bit ahead of
    resizing. threads: files in work at once, with a CPU thread each.

    devices: spreads the files over several devices, in order and in nearly equal shares; the
    result is then a list with what each share gives (a device may be named twice).

    Raises what `aig_codec.decode` does; ValueError if pictures of one batch differ in channels, or
    have 16 bits per sample.
    """
    wanted = Wanted(size, upto, scale, np.dtype(dtype).name, layout, strict)
    sources = list(sources)
    named = [gpu.device_index(d) for d in ([device] if devices is None else devices)]
    ends = [len(sources) * k // len(named) for k in range(len(named) + 1)]
    parts = [sources[a:b] for a, b in pairwise(ends)]
    coming: list[Coming] = []
    try:
        for part, index in zip(parts, named, strict=True):
            coming.append(_start(part, index, wanted, threads))
        results = [c.result() for c in coming]
    except BaseException:
        for c in coming:
            c.cancel()
        raise
    return results[0] if devices is None else results


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
    return _batches(iter(sources), batch, prefetch, gpu.device_index(device), wanted, threads)


def _batches(
    sources: Iterator[Any],
    batch: int,
    prefetch: int,
    index: int,
    wanted: Wanted,
    threads: int | None,
) -> Iterator[Any]:
    waiting: deque[Coming] = deque()
    try:
        while True:
            while len(waiting) <= prefetch and (group := list(islice(sources, batch))):
                waiting.append(_start(group, index, wanted, threads))
            if not waiting:
                return
            yield waiting.popleft().result()
    finally:
        for coming in waiting:
            coming.cancel()
