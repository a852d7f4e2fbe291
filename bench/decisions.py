"""What the encoder decides by itself: how well, and how long it takes.

Bytes are in memory and one thread works; every round all contestants take their turn.
"""

import math
import statistics
from collections.abc import Iterator, Sequence
from functools import partial

import aig_codec
from aig_codec.apps.compare import seam
from aig_codec.encoder.roi import rate_distortion, saliency

from . import focus_task, speed
from .images import U8, Focus, Picture
from .lossless import Job, photographs
from .metrics import Judge, bd_rate
from .rows import DecisionRow

DECISIONS_CSV = "decisions.csv"

#: The tasks, by name.
TIME, CORE_BITS, SIZE, SIZE_TIME, PSNR, MID, CENTER = (
    "time",
    "core bits",
    "target size",
    "target size, time",
    "target PSNR",
    "mid tier",
    "center",
)
AUTO, GIVEN = "nothing given", "foci given"

#: Folders of photographs, and the one of large ones.
FOLDERS, LARGE = ("kodak", "clic", "gb82"), "clic"

#: A center is near a focus if it lies within so many times its radius.
NEAR = 1.5

_QUALITIES, _PSNRS = (40, 75, 90), (34.0, 40.0)


def jobs(pictures: Sequence[Picture], runs: int) -> list[Job]:
    """Everything that there is to measure of these images."""
    chosen = photographs(pictures, FOLDERS) or list(pictures)
    large = [p for p in chosen if p.folder == LARGE] or chosen
    planned = [Job(f"{p.name}, time", DECISIONS_CSV, partial(time, p, runs)) for p in large]
    return planned + [Job(p.name, DECISIONS_CSV, partial(measure, p)) for p in chosen]


def time(picture: Picture, runs: int) -> Iterator[DecisionRow]:
    """A save with nothing given, and one with the same foci given; target sizes."""
    image = picture.load()
    row = partial(DecisionRow, picture.name, picture.megapixels)
    with speed.one_cpu():
        with aig_codec.open(aig_codec.encode(image, threads=1)) as file:
            foci = file.metadata.foci
        given = {
            "centers": [(f.x, f.y) for f in foci],
            "sigmas": [f.sigma for f in foci],
            "radii": [(f.r_core, f.r_mid) for f in foci],
        }
        turns = {AUTO: {}, GIVEN: given}
        times: dict[str, list[float]] = {name: [] for name in turns}
        for _ in range(runs):
            for name, keywords in turns.items():
                call = partial(aig_codec.encode, image, threads=1, **keywords)
                times[name].append(speed.milliseconds(call))
        medians = {name: statistics.median(own) for name, own in times.items()}
        yield row(TIME, AUTO, medians[AUTO], medians[GIVEN])
        for quality in _QUALITIES:
            plain = partial(aig_codec.encode, image, threads=1, quality=quality, **given)
            size = round(len(plain()) * 1.013)
            aimed = partial(aig_codec.encode, image, threads=1, target_size=size, **given)
            yield row(SIZE, f"as at quality {quality}", len(aimed()), size)
            pairs = [(speed.milliseconds(aimed), speed.milliseconds(plain)) for _ in range(3)]
            took, once = (statistics.median(own) for own in zip(*pairs, strict=True))
            yield row(SIZE_TIME, f"as at quality {quality}", took, once)


def measure(picture: Picture) -> Iterator[DecisionRow]:
    """Where it looks, what it expects, and what the mid tier brings."""
    image, focus = picture.load(), picture.focus
    row = partial(DecisionRow, picture.name, picture.megapixels)
    found = saliency.find(image)
    yield row(CENTER, "best", float(is_near(focus, found[0].x, found[0].y)), 1.0)
    yield row(CENTER, "any", float(any(is_near(focus, f.x, f.y) for f in found)), 1.0)
    yield row(CORE_BITS, "searched radii", *_core_bits(image, focus))
    judge = Judge(image, focus.core(image.shape))
    for target in _PSNRS:
        data = _encode(image, focus, target_psnr=target)
        with aig_codec.open(data) as file:
            level = file.metadata.quality_level
        if 0 < level < 255:  # else it cannot be reached
            yield row(PSNR, f"{target:g} dB", judge.psnr(aig_codec.decode(data)), target)
    yield from (row(MID, *values) for values in _mid(image, focus, judge))


def is_near(focus: Focus, x: float, y: float) -> bool:
    """Whether a point lies in an ellipse of a focus, enlarged."""
    return any(
        (x - cx) ** 2 / sx + (y - cy) ** 2 / sy <= (NEAR * core) ** 2
        for (cx, cy), (sx, sy), (core, _) in zip(
            focus.centers, focus.sigmas, focus.radii, strict=True
        )
    )


def _encode(image: U8, focus: Focus, **keywords: object) -> bytes:
    return aig_codec.encode(
        image,
        centers=focus.centers,
        sigmas=focus.sigmas,
        radii=focus.radii,
        threads=1,
        **keywords,
    )


def _core_bits(image: U8, focus: Focus) -> tuple[float, float]:
    """Of the cores that the search chooses: what it expects, and what they take."""
    levels = 191, 199
    choice = rate_distortion.radii(
        image, focus.centers, focus.sigmas, levels, 0, "4:2:0", 0.02, True
    )
    own = rate_distortion.tiers(choice.tables, choice.rings) == 2
    expected = float(choice.tables.bits[own, 2].sum()) * choice.tables.scale
    data = aig_codec.encode(
        image, centers=focus.centers, sigmas=focus.sigmas, radii=choice.radii, threads=1
    )
    with aig_codec.open(data) as file:
        return expected, 8.0 * file.bytes_for("core")


def _mid(image: U8, focus: Focus, judge: Judge) -> Iterator[tuple[str, float, float]]:
    """What a mid tier costs in bytes at equal PSNR outside, in percent; PSNR of the band with it
    and without; the seam with it and without."""
    core = focus.core(image.shape)
    ladders: dict[str, list[tuple[int, float]]] = {}
    bands: dict[str, list[float]] = {}
    seams: dict[str, list[float]] = {}
    for mid in ("dct", "none"):
        ladders[mid], bands[mid], seams[mid] = [], [], []
        for quality in focus_task.AIG_LADDER:
            data = _encode(image, focus, quality=quality, mid=mid)
            decoded = aig_codec.decode(data)
            score = judge.score(decoded)
            ladders[mid].append((len(data), score.psnr))
            bands[mid].append(score.rim_psnr)
            edge = seam(image, decoded, core)
            seams[mid].append(math.nan if edge is None else edge.excess)
    cost = bd_rate(ladders["none"], ladders["dct"])
    if cost is not None:
        yield "bytes", cost, 0.0
    yield "band", statistics.mean(bands["dct"]), statistics.mean(bands["none"])
    yield "seam", statistics.mean(seams["dct"]), statistics.mean(seams["none"])
