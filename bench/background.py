"""The background: rate and distortion of whole photographs, with next to no focus, and the time.

AIG's two tunings at two efforts beside AVIF, WebP, JPEG and JPEG XL, at the same rates; speeds at
the same PSNR; and what its scale of quality means. Screens and the page of text are left out.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from . import ladders, lossless, peers, speed
from .images import U8, Focus, Mask, Picture
from .ladders import Ladder, Trial
from .lossless import Job
from .metrics import Judge, psnr
from .peers import Codec
from .perception import MsSsim, Ssimulacra2
from .rows import PointRow, ScaleRow, SpeedRow

#: Bits per pixel at which codecs are compared; in a quick run there are fewer.
RATES = (0.3, 0.45, 0.67, 1.0, 1.5)
QUICK_RATES = RATES[::2]
#: Large images, whose neighbours are more alike, are as good with fewer.
LOW_RATES = (0.1, 0.2)

TUNES, EFFORTS = ("psnr", "visual"), (5, 9)
#: The effort that is held against JPEG.
QUICKEST = 1

#: AVIF as it comes, which is raced, and as it is tuned for what is measured.
AVIF, AVIF_IQ = peers.avif_name(""), peers.avif_name("iq")
AVIF_PSNR, AVIF_444 = peers.avif_name("psnr"), peers.avif_name("psnr", "4:4:4")
JXL = peers.jxl(0, 7).name
WEBP, JPEG = peers.webp(0).name, peers.jpeg_optimised(0).name
#: JPEG that is made quickly.
RACED_JPEG = peers.jpeg(0).name
#: These are judged by PSNR only.
UNSEEN = (WEBP, JPEG, AVIF_444)

#: Radius in pixels of what is in focus: a pixel and its four neighbours.
FOCUS_RADIUS = 1.0

#: The codecs that AIG is held against, by name.
PEERS = {
    AVIF_PSNR: ladders.avif("psnr"),
    AVIF_444: ladders.avif("psnr", "4:4:4"),
    AVIF_IQ: ladders.avif("iq"),
    JXL: ladders.jxl(),
    WEBP: ladders.webp(),
    JPEG: ladders.jpeg(),
}

#: AIG's quality in the race, and the quality of the JPEG that its quickest effort races.
QUALITY, JPEG_QUALITY = 75, 80

#: Qualities of the scale. The goal for 75 is to be near JPEG's 75 to 80.
SCALE = (10, 25, 50, 75, 90, 100)
JPEG_SCALE = (10, 25, 50, 75, 80, 90, 100)
#: The quality level of which something is promised.
PROMISED_LEVEL = 128

#: Whose images are for the scale, and for the race as well, small as they are.
SCALE_FOLDER = "kodak"

POINTS_CSV, SPEED_CSV = "background-points.csv", "background-speed.csv"
SCALE_CSV, PROMISE_CSV = "background-scale.csv", "background-promise.csv"


def suitable(pictures: Sequence[Picture]) -> list[Picture]:
    """The photographs."""
    folders = (*lossless.PHOTOGRAPHS, *lossless.SMALL_PHOTOGRAPHS)
    return [p for p in lossless.photographs(pictures, folders) if lossless.PAGE not in p.name]


def rates_for(picture: Picture, quick: bool) -> tuple[float, ...]:
    """The bits per pixel at which an image is compared."""
    if quick:
        return QUICK_RATES
    return (*LOW_RATES, *RATES) if picture.megapixels >= speed.MIN_MEGAPIXELS else RATES


def jobs(pictures: Sequence[Picture], runs: int, quick: bool) -> list[Job]:
    """Everything that there is to measure of these images."""
    chosen = suitable(pictures)
    planned = [Job(p.name, POINTS_CSV, partial(measure, p, rates_for(p, quick))) for p in chosen]
    large = [p for p in chosen if p.megapixels >= speed.MIN_MEGAPIXELS]
    regular = [p for p in chosen if p.folder == SCALE_FOLDER]
    small = [p for p in chosen if p.folder in lossless.SMALL_PHOTOGRAPHS]
    planned += [
        Job(f"{p.name}, race", SPEED_CSV, partial(race, p, runs)) for p in large + regular or chosen
    ]
    planned += [Job(f"{p.name}, scale", SCALE_CSV, partial(scale, p)) for p in regular or chosen]
    return planned + [
        Job(f"{p.name}, level {PROMISED_LEVEL}", PROMISE_CSV, partial(promise, p))
        for p in large + small or chosen
    ]


def small_focus(picture: Picture, radius: float = FOCUS_RADIUS) -> Focus:
    """A disk around the first center."""
    return Focus(picture.focus.centers[:1], ((1.0, 1.0),), ((radius, radius),))


def measure(
    picture: Picture, rates: Sequence[float], kept: Sequence[PointRow] = ()
) -> Iterator[PointRow]:
    """The ladders of all codecs on an image, but for what is kept of them from an earlier run.

    AIG's begin with what was found on the one before.
    """
    kept_of: dict[str, list[PointRow]] = {}
    for r in kept:
        kept_of.setdefault(r.codec, []).append(r)
    image = picture.load()
    focus = small_focus(picture)
    judge = _Judge(picture, image, focus.core(image.shape), MsSsim(image), Ssimulacra2(image))
    guesses: dict[float, int] = {}
    for tune in TUNES:
        for effort in EFFORTS:
            known = kept_of.get(peers.aig_name(tune, effort), [])
            missing = _missing(rates, known)
            yield from known
            if not missing:
                continue
            ladder = Ladder(ladders.aig(focus, effort, tune), image)
            found = ladder.climb(missing, guesses)
            guesses = {rate: trial.step for rate, trial in found.items()}
            yield from judge.rows(ladder, found, known)
    for name, knob in PEERS.items():
        known = kept_of.get(name, [])
        yield from known
        if missing := _missing(rates, known):
            ladder = Ladder(knob, image)
            yield from judge.rows(ladder, ladder.climb(missing, {}), known)


def _missing(rates: Sequence[float], known: Sequence[PointRow]) -> list[float]:
    """The rates to which no row is the nearest: of two, the higher one is named in a row."""
    highest = max((r.rung for r in known), default=0.0)
    lowest = min((r.rung for r in known if r.rung), default=0.0)
    return [rate for rate in rates if not lowest <= rate <= highest]


@dataclass(frozen=True)
class _Judge:
    """What trials on an image are worth."""

    picture: Picture
    image: U8
    core: Mask
    ms_ssim: MsSsim
    ssimulacra2: Ssimulacra2

    def rows(
        self, ladder: Ladder, found: dict[float, Trial], known: Sequence[PointRow]
    ) -> Iterator[PointRow]:
        """All trials of a ladder, from few bytes to many, but for those that are known."""
        settings = {r.setting for r in known}
        rung_of = {trial.step: rate for rate, trial in found.items()}
        for step, trial in sorted(ladder.trials.items()):
            if step not in rung_of and trial.codec.setting in settings:
                continue
            seen = step in rung_of and trial.codec.name not in UNSEEN
            yield PointRow(
                self.picture.name,
                self.picture.megapixels,
                trial.codec.name,
                trial.codec.setting,
                rung_of.get(step, 0.0),
                len(trial.data),
                trial.psnr,
                self.ms_ssim.score(trial.decoded) if seen else math.nan,
                self.ssimulacra2.score(trial.decoded) if seen else math.nan,
                np.array_equal(self.image[self.core], trial.decoded[self.core]),
            )


def race(picture: Picture, runs: int) -> list[SpeedRow]:
    """Times at AIG's PSNR, and those of its quickest effort at JPEG's."""
    with speed.one_cpu():
        image = picture.load()
        focus = small_focus(picture)
        first, *others = EFFORTS
        codecs = [peers.aig_background(focus, first, quality=QUALITY)]
        target = _psnr(codecs[0], image)
        for knob in (*(ladders.aig(focus, effort) for effort in others), ladders.avif()):
            codecs.append(Ladder(knob, image).at_psnr(target).codec)
        jpeg = peers.jpeg(JPEG_QUALITY)
        quickest = Ladder(ladders.aig(focus, QUICKEST), image)
        codecs += [quickest.at_psnr(_psnr(jpeg, image)).codec, jpeg]
        contestants = [speed.contestant(image, codec) for codec in codecs]
        judge = Judge(image, focus.core(image.shape))
        return speed.race(picture, contestants, judge, runs)


def _psnr(codec: Codec, image: U8) -> float:
    return psnr(image, codec.decode(codec.encode(image)))


def scale(picture: Picture) -> Iterator[ScaleRow]:
    """AIG and JPEG, quality by quality."""
    focus = small_focus(picture)
    codecs = [peers.aig_background(focus, EFFORTS[0], quality=quality) for quality in SCALE]
    return _scored(picture, focus, codecs + [peers.jpeg(quality) for quality in JPEG_SCALE])


def promise(picture: Picture) -> Iterator[ScaleRow]:
    """AIG at the level of which something is promised."""
    focus = small_focus(picture)
    codec = peers.aig_background(focus, EFFORTS[0], level=PROMISED_LEVEL)
    return _scored(picture, focus, [codec])


def _scored(picture: Picture, focus: Focus, codecs: Sequence[Codec]) -> Iterator[ScaleRow]:
    image = picture.load()
    judge = Judge(image, focus.core(image.shape))
    for codec in codecs:
        data = codec.encode(image)
        score = judge.score(codec.decode(data))
        yield ScaleRow(
            picture.name,
            picture.megapixels,
            codec.name,
            codec.setting,
            len(data),
            score.psnr,
            score.ssim,
        )
