"""The speed table: encode and decode in memory, one thread on one CPU, the peers in between."""

import gc
import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from . import pairs, peers
from .images import U8, Picture
from .metrics import Judge
from .peers import Codec
from .rows import LosslessRow, SpeedRow

#: Smaller images say little about speed.
MIN_MEGAPIXELS = 2.0

#: AVIF counts as matched at this distance from AIG's PSNR, in dB; if no quality is, the nearest is.
MATCH = 0.15

AIG_AUTO = "AIG, nothing given"
SMART = "smart pair"
JXL_DISTANCE = 1.5


@dataclass(frozen=True)
class Contestant:
    """A codec bound to an image."""

    name: str
    setting: str
    encode: Callable[[], list[bytes]]
    decode: Callable[[list[bytes]], U8]


def suitable(pictures: Sequence[Picture]) -> list[Picture]:
    """The images of `MIN_MEGAPIXELS` and more; if there is none, all of them."""
    return [p for p in pictures if p.megapixels >= MIN_MEGAPIXELS] or list(pictures)


@contextmanager
def one_cpu() -> Iterator[None]:
    """Keep this process on one CPU while it lasts, on systems where one can."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def measure(picture: Picture, runs: int, quick: bool) -> list[SpeedRow]:
    """Time every codec on an image: in every round all of them take their turn."""
    with one_cpu():
        image = picture.load()
        judge = Judge(image, picture.focus.core(image.shape))
        return race(picture, _contestants(picture, image, judge, quick), judge, runs)


def race(
    picture: Picture, contestants: Sequence[Contestant], judge: Judge, runs: int
) -> list[SpeedRow]:
    """Time some contestants on an image, in rounds."""
    # One turn outside the clock, which also says what comes back.
    coded = [c.encode() for c in contestants]
    decoded = [c.decode(data) for c, data in zip(contestants, coded, strict=True)]
    scores = [(judge.psnr(pixels), judge.exact(pixels)) for pixels in decoded]
    del decoded
    encode_times: list[list[float]] = [[] for _ in contestants]
    decode_times: list[list[float]] = [[] for _ in contestants]
    for _ in range(runs):
        for k, c in enumerate(contestants):
            encode_times[k].append(milliseconds(c.encode))
            decode_times[k].append(milliseconds(partial(c.decode, coded[k])))
    return [
        SpeedRow(
            picture.name,
            picture.megapixels,
            c.name,
            c.setting,
            sum(map(len, coded[k])),
            *scores[k],
            statistics.median(encode_times[k]),
            statistics.median(decode_times[k]),
            runs,
        )
        for k, c in enumerate(contestants)
    ]


def milliseconds(task: Callable[[], object]) -> float:
    """Wall time of a task, the garbage collector held back."""
    gc.collect()
    gc.disable()
    try:
        start = time.perf_counter()
        task()
        return 1000 * (time.perf_counter() - start)
    finally:
        gc.enable()


def contestant(image: U8, codec: Codec, name: str | None = None) -> Contestant:
    """A codec bound to an image, under its own name or another."""
    return Contestant(
        name or codec.name,
        codec.setting,
        lambda: [codec.encode(image)],
        lambda data: codec.decode(data[0]),
    )


def _contestants(picture: Picture, image: U8, judge: Judge, quick: bool) -> list[Contestant]:
    bind = partial(contestant, image)
    aig = peers.aig(picture.focus)
    target = judge.psnr(aig.decode(aig.encode(image)))
    avif = matched(peers.avif, image, judge, target)
    contestants = [
        bind(aig),
        bind(peers.aig(), AIG_AUTO),
        bind(avif),
        _smart_pair(picture, image, avif),
        bind(peers.webp(75)),
        bind(peers.jpeg(75)),
        bind(peers.jxl(JXL_DISTANCE, 3)),
        bind(peers.png()),
    ]
    if not quick:
        contestants.append(bind(peers.jxl(JXL_DISTANCE, 7)))
    return contestants


def _smart_pair(picture: Picture, image: U8, avif: Codec) -> Contestant:
    """The smart pair with its pictures ready: flattening and filling stay outside the clock."""
    box_codec = pairs.SMART.box_codec
    parts = pairs.prepare(image, picture.focus, masked=True)

    def encode() -> list[bytes]:
        return [*(box_codec.encode(box) for box in parts.boxes), avif.encode(parts.whole)]

    def decode(data: list[bytes]) -> U8:
        *boxes, whole = data
        return parts.paste([box_codec.decode(box) for box in boxes], avif.decode(whole))

    return Contestant(SMART, avif.setting, encode, decode)


def matched(make: Callable[[int], Codec], image: U8, judge: Judge, target: float) -> Codec:
    """The codec at the quality, by bisection, whose PSNR outside the core is nearest to target."""
    low, high = 0, 100
    found: tuple[float, int] | None = None
    while low <= high:
        quality = (low + high) // 2
        codec = make(quality)
        difference = judge.psnr(codec.decode(codec.encode(image))) - target
        if found is None or abs(difference) < found[0]:
            found = abs(difference), quality
        if abs(difference) <= MATCH:
            break
        if difference < 0:
            low = quality + 1
        else:
            high = quality - 1
    assert found is not None
    return make(found[1])


def ratios(
    rows: Sequence[SpeedRow] | Sequence[LosslessRow], codec: str, reference: str, direction: str
) -> dict[str, float]:
    """How many times as fast a codec is as the reference, per image; direction encode or decode."""
    times = {(r.image, r.codec): getattr(r, f"{direction}_ms") for r in rows}
    return {
        image: times[image, reference] / t
        for (image, name), t in times.items()
        if name == codec and (image, reference) in times
    }
