"""Many files at once: each decoded by a CPU thread with a queue of its own on a device, so that
reading, entropy decoding, copies and kernels of different files go on side by side."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice, pairwise
from queue import SimpleQueue
from typing import Any, NamedTuple

import numpy as np

from .cuda.device import Device, i32, spread
from .cuda.picture import DevicePicture
from .cuda.synthesis import Constants
from .errors import DeviceError
from .reader import AigFile
from .reader import open as open_file

LAYOUTS = ("NHWC", "NCHW")
_DTYPES = ("uint8", "float32")

#: Bytes of a device that a pixel takes while it is decoded: coefficients, samples and filtered
#: samples of up to three planes, and the pixel itself.
_BYTES_A_PIXEL = 3 * (2 + 2 + 2) + 4


@dataclass(frozen=True)
class Wanted:
    """What a batch is to be.

    size: (width, height) of all pictures, or None for each its own; upto, scale: as in `decode`.
    dtype: "uint8", or "float32" from 0 to 1; layout: of the array, channels last or first.
    """

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


def decode_file(constants: Constants, file: AigFile, wanted: Wanted, threads: int | None) -> Any:
    """A file's picture on a device, (H, W, C) of uint8. Raises what `AigFile.decode` does, and
    DeviceError where it would not fit."""
    width, height = file.size
    need, free = width * height * _BYTES_A_PIXEL, constants.device.free_memory()
    if free is not None and need > free:
        raise DeviceError(
            f"an image of {width} x {height} pixels takes {need >> 20} MiB on the device, which has"
            f" {free >> 20} MiB left: decode it on the CPU, or at a smaller scale"
        )
    make = partial(DevicePicture, constants)
    return file.assemble(make, wanted.upto, wanted.scale, threads=threads, strict=wanted.strict)


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
        """Begin a batch of bytes, paths or open files."""
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
                pixels = decode_file(constants, file, wanted, 1)
                channels = file.metadata.channels
            if place is None:
                if not wanted.planar and np.dtype(wanted.dtype) == np.uint8:
                    device.finish()
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

    def close(self) -> None:
        """Let the threads go, having finished what is in work."""
        self._pool.shutdown(cancel_futures=True)


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


def shares(count: int, among: int) -> list[slice]:
    """Nearly equal parts of so many things, in order."""
    ends = [count * k // among for k in range(among + 1)]
    return [slice(a, b) for a, b in pairwise(ends)]


def batches(
    start: Callable[[Sequence[Any]], Coming], sources: Iterable[Any], batch: int, prefetch: int
) -> Iterator[Any]:
    """Batches one after the other, of which `prefetch` more are in work meanwhile."""
    waiting: deque[Coming] = deque()
    groups = iter(sources)
    try:
        while True:
            while len(waiting) <= prefetch and (group := list(islice(groups, batch))):
                waiting.append(start(group))
            if not waiting:
                return
            yield waiting.popleft().result()
    finally:
        for coming in waiting:
            coming.cancel()
