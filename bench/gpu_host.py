"""What a device leaves to the CPU, and what travels to it: this needs no device."""

import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

import aig_codec
from aig_codec import geometry
from aig_codec.devices.cuda.canvas import make_surface
from aig_codec.devices.cuda.frame import Constants

from .images import U8

#: Rounds against the clock.
RUNS = 7


def median(task: Callable[[], Any]) -> float:
    """Seconds that something takes, once it is warm."""
    task()
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        task()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


class Idle:
    """A device that takes no time: it counts what it is given, and does nothing with it."""

    def __init__(self) -> None:
        self.uploaded = 0

    def upload(self, array: np.ndarray) -> np.ndarray:
        """A copy, as into pinned memory."""
        self.uploaded += array.nbytes
        return array.copy()

    def download(self, array: np.ndarray) -> np.ndarray:
        """What is there."""
        return array

    def empty(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        """Memory that nobody touches."""
        return np.empty(shape, dtype)

    def filled(self, shape: tuple[int, ...], value: int, dtype: Any) -> np.ndarray:
        """Zeros, which cost nothing: no damage, whatever else they stand for."""
        return np.zeros(shape, dtype)

    def launch(self, kernel: str, blocks: int, *arguments: Any, threads: int = 128) -> None:
        """Nothing."""

    def finish(self) -> None:
        """Nothing."""

    def free_memory(self) -> None:
        """Enough."""


def rows(loaded: Sequence[U8]) -> list[list[str]]:
    """Rows of the report, of pictures saved with nothing given."""
    shares, given, allowed = [], 0, 0
    entropies = ("rans", "adaptive")
    sizes = dict.fromkeys(entropies, 0)
    for image in loaded:
        static, adaptive = (aig_codec.encode(image, entropy=e) for e in entropies)
        for entropy, data in zip(entropies, (static, adaptive), strict=True):
            sizes[entropy] += len(data)
        device = Idle()
        constants = Constants(device)

        def host(data: bytes = static, constants: Constants = constants) -> None:
            with aig_codec.open(data) as file:
                file.compose(partial(make_surface, constants), threads=1)

        whole = median(partial(aig_codec.decode, adaptive, threads=1))
        shares.append(median(host) / whole)
        device.uploaded = 0
        host()
        given += device.uploaded
        with aig_codec.open(static) as file:
            classes = file.regions().class_map()
        exact = (geometry.outside_cores(classes) == 0) | (classes == geometry.SCREEN_CONTENT)
        allowed += len(static) + 3 * int(exact.sum())
    low, high = min(shares), max(shares)
    return [
        [
            f"of {len(loaded)} files: CPU time for static rANS beside a device that takes none, "
            "of decoding adaptive on one thread",
            f"{statistics.median(shares):.2f} ({low:.2f} to {high:.2f})",
            "0.2",
        ],
        [
            "bytes to the device, of file and exact pixels",
            f"{100 * given / allowed:.0f} %",
            "100 %",
        ],
        [
            "bytes of files, static rANS against adaptive",
            f"{100 * (sizes['rans'] / sizes['adaptive'] - 1):+.1f} %",
            "",
        ],
    ]
