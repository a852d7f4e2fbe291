"""Exact pixels: the bytes of whole images, ellipses, small ellipses and screens, and the time.

AIG's two efforts take turns with JPEG XL and WebP. Which images a question is about goes by their
folder; where there are none of these folders, by nothing: all images are photographs.
"""

import math
import os
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import numpy as np

import aig_codec
from aig_codec import _native
from aig_codec.coders import lossless as coder

from . import pairs, peers, speed
from .images import U8, Focus, Mask, Picture
from .peers import Codec
from .rows import EllipseRow, LosslessRow, OverheadRow, ThreadsRow

#: AIG's efforts in question, by the names of their codecs.
EFFORTS = {peers.aig_lossless(effort).name: effort for effort in (5, 9)}
FAST, STRONG = EFFORTS
E3, E9 = (peers.jxl_lossless(effort).name for effort in (3, 9))
WEBP = peers.webp_lossless().name

#: WebP's efforts of which screen content gets the better.
_WEBP_EFFORTS = ((4, 75), (6, 100))

#: Folders of the test images. The page of text is in one of the first, but is no photograph.
PHOTOGRAPHS, SMALL_PHOTOGRAPHS, SCREEN = ("kodak", "clic"), ("gb82",), "screen"
PAGE = "4cd6910a"

#: Pixels of the small ellipse and the large one around it, or the largest that fits.
SMALL_ELLIPSE, LARGE_ELLIPSE = 8_000, 64_000
#: The large one is to be this much larger, or there is nothing to learn.
_MIN_GROWTH = 1.5

#: Rounds for the comparison of threads, which is cheap.
_THREAD_RUNS = 9

WHOLE_CSV, ELLIPSES_CSV = "lossless.csv", "lossless-ellipses.csv"
OVERHEAD_CSV, SCREEN_CSV = "lossless-overhead.csv", "lossless-screen.csv"
THREADS_CSV = "lossless-threads.csv"


@dataclass(frozen=True)
class Job:
    """A step of the run: its rows go to a file."""

    title: str
    file: str
    run: Callable[[], Iterable[object]]


def jobs(pictures: Sequence[Picture], runs: int) -> list[Job]:
    """Everything that there is to measure of these images."""
    chosen = photographs(pictures, (*PHOTOGRAPHS, *SMALL_PHOTOGRAPHS))
    planned = [Job(p.name, WHOLE_CSV, partial(measure, p, runs)) for p in chosen]
    planned += [Job(f"{p.name}, foci", ELLIPSES_CSV, partial(ellipses, p)) for p in chosen]
    planned += [
        Job(f"{p.name}, small ellipse", OVERHEAD_CSV, partial(overhead, p))
        for p in photographs(pictures, PHOTOGRAPHS)
        if PAGE not in p.name
    ]
    planned += [
        Job(p.name, SCREEN_CSV, partial(screen, p))
        for p in pictures
        if p.folder == SCREEN or PAGE in p.name
    ]
    large = [p for p in chosen if p.megapixels >= speed.MIN_MEGAPIXELS and PAGE not in p.name]
    if large and cpus() > 1:
        planned.append(Job("threads", THREADS_CSV, partial(threads, large[0], _THREAD_RUNS)))
    return planned


def photographs(pictures: Sequence[Picture], folders: Sequence[str]) -> list[Picture]:
    """The images in these folders; if there are none, all but screens."""
    found = [p for p in pictures if p.folder in folders]
    return found or [p for p in pictures if p.folder != SCREEN]


def cpus() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Contestant(NamedTuple):
    """A codec with its times; one that is slow encodes once, in the turn that is for warming up."""

    codec: Codec
    slow: bool
    encode_ms: list[float]
    decode_ms: list[float]


def measure(picture: Picture, runs: int) -> list[LosslessRow]:
    """Bytes and times of every codec on a whole image: in every round all of them take a turn."""
    contestants = [
        _Contestant(codec, codec.name == E9, [], [])
        for codec in (
            *map(peers.aig_lossless, EFFORTS.values()),
            peers.jxl_lossless(3),
            peers.jxl_lossless(9),
            peers.webp_lossless(),
        )
    ]
    with speed.one_cpu():
        image = picture.load()
        coded: list[bytes] = []
        exact = []
        for c in contestants:
            first = speed.milliseconds(partial(_append, coded, c.codec.encode, image))
            if c.slow:
                c.encode_ms.append(first)
            exact.append(np.array_equal(c.codec.decode(coded[-1]), image))
        for _ in range(runs):
            for c, data in zip(contestants, coded, strict=True):
                if not c.slow:
                    c.encode_ms.append(speed.milliseconds(partial(c.codec.encode, image)))
                c.decode_ms.append(speed.milliseconds(partial(c.codec.decode, data)))
    return [
        replace(
            _whole(picture, c.codec, data, came_back),
            encode_ms=statistics.median(c.encode_ms),
            decode_ms=statistics.median(c.decode_ms),
            encode_runs=len(c.encode_ms),
            decode_runs=len(c.decode_ms),
        )
        for c, data, came_back in zip(contestants, coded, exact, strict=True)
    ]


def _append(results: list[bytes], encode: Callable[[U8], bytes], image: U8) -> None:
    results.append(encode(image))


def _whole(picture: Picture, codec: Codec, data: bytes, exact: bool) -> LosslessRow:
    return LosslessRow(
        picture.name, picture.megapixels, codec.name, codec.setting, len(data), exact
    )


def ellipses(picture: Picture) -> list[EllipseRow]:
    """Bytes of the foci alone: AIG's segments for them, and JPEG XL's flattened boxes."""
    image = picture.load()
    core = picture.focus.core(image.shape)
    pixels = int(core.sum())
    found = []
    for name, effort in EFFORTS.items():
        data = peers.aig(picture.focus, effort=effort).encode(image)
        with aig_codec.open(data) as file:
            size = file.bytes_for("core")
            decoded = file.decode("core", threads=1)
        exact = np.array_equal(decoded[core], image[core])
        found.append(EllipseRow(picture.name, name, "", pixels, size, exact))
    parts = pairs.prepare(image, picture.focus, masked=True)
    codec = peers.jxl_lossless(9)
    boxes = [codec.encode(box) for box in parts.boxes]
    shown = parts.paste([codec.decode(data) for data in boxes], np.zeros_like(image))
    exact = np.array_equal(shown[core], image[core])
    size = sum(map(len, boxes))
    found.append(EllipseRow(picture.name, codec.name, "flattened boxes", pixels, size, exact))
    return found


def overhead(picture: Picture) -> list[OverheadRow]:
    """What a small ellipse costs on its own, and what its pixels cost as part of a large one.

    Nothing where no ellipse around the focus is large enough.
    """
    image = picture.load()
    small, large = (
        ellipse(picture.focus, image.shape, area) for area in (SMALL_ELLIPSE, LARGE_ELLIPSE)
    )
    if large.sum() < _MIN_GROWTH * small.sum():
        return []
    place = pairs.bounding_box(large)
    pixels, classes = np.ascontiguousarray(image[place]), large[place].astype(np.uint8, order="C")
    found = []
    for name, effort in EFFORTS.items():
        (one, one_exact), (both, both_exact) = (_code(image, m, effort) for m in (small, large))
        if name == STRONG:
            bits = _native.mixed_costs(pixels, [1, 0, 2], False, classes, 1, 1)
        else:
            bits = coder.costs(pixels, classes, 1, 1, effort)
        areas = int(small.sum()), int(large.sum())
        shares = float(bits[small[place]].sum()), float(bits.sum())
        exact = one_exact and both_exact
        found.append(OverheadRow(picture.name, name, *areas, one, both, *shares, exact))
    return found


def ellipse(focus: Focus, shape: Sequence[int], area: float) -> Mask:
    """An ellipse of this many pixels around the first center, or of as many as the image holds."""
    (x, y), (sx, sy) = focus.centers[0], focus.sigmas[0]
    reach_x, reach_y = min(x, shape[1] - 1 - x), min(y, shape[0] - 1 - y)
    radius = min(
        math.sqrt(area / (math.pi * math.sqrt(sx * sy))),
        reach_x / math.sqrt(sx),
        reach_y / math.sqrt(sy),
    )
    return Focus(((x, y),), ((sx, sy),), ((radius, radius),)).core(shape)


def _code(image: U8, mask: Mask, effort: int) -> tuple[int, bool]:
    """Bytes of the pixels in a mask as one stream, and whether they come back."""
    place = pairs.bounding_box(mask)
    pixels = np.ascontiguousarray(image[place])
    class_map = mask[place].astype(np.uint8, order="C")
    data = coder.encode(pixels, class_map, 1, 1, effort)
    decoded = np.zeros_like(pixels)
    coder.decode(data, decoded, class_map, 1, 1)
    return len(data), np.array_equal(decoded, pixels * class_map[..., None])


def screen(picture: Picture) -> list[LosslessRow]:
    """Bytes of screen content, WebP at two efforts."""
    image = picture.load()
    found = []
    for codec in (
        *map(peers.aig_lossless, EFFORTS.values()),
        *(peers.webp_lossless(*effort) for effort in _WEBP_EFFORTS),
        peers.jxl_lossless(9),
    ):
        data = codec.encode(image)
        found.append(_whole(picture, codec, data, np.array_equal(codec.decode(data), image)))
    return found


def threads(picture: Picture, runs: int) -> list[ThreadsRow]:
    """Times to decode in one thread and in two, taking turns, on whatever CPUs there are."""
    image = picture.load()
    tasks = {}
    for name, effort in EFFORTS.items():
        data = peers.aig_lossless(effort).encode(image)
        for count in (1, 2):
            tasks[name, count] = partial(aig_codec.decode, data, threads=count)
    taken: dict[tuple[str, int], list[float]] = {key: [] for key in tasks}
    for task in tasks.values():
        task()
    for _ in range(runs):
        for key, task in tasks.items():
            taken[key].append(speed.milliseconds(task))
    return [
        ThreadsRow(picture.name, picture.megapixels, *key, statistics.median(values), runs)
        for key, values in taken.items()
    ]
