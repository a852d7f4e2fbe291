"""What a detector of keypoints sees of a coded image, at equal size.

Keypoints are those of ORB (Rublee, Rabaud, Konolige and Bradski 2011), by scikit-image. One of the
original's counts as found again if the coded image has one within two pixels of it.
"""

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

import aig_codec

from . import ladders, lossless, metrics
from .images import U8, Focus, Mask, Picture
from .ladders import Knob, Ladder
from .lossless import Job
from .peers import Codec
from .rows import ModelRow

MODELS_CSV = "models.csv"

#: Bits per pixel of the files.
RATES = (0.3, 0.6, 1.0)
AIG, VISUAL = "AIG", 'AIG, tune="visual"'
#: The same with a focus of one pixel shows what the background alone gives for its bytes.
BARE = ", no focus"
_PIXEL = Focus(((0, 0),), ((1.0, 1.0),), ((0.5, 0.5),))
#: How many keypoints of the original there are to find, and how near.
_KEYPOINTS, _NEAR = 400, 2.0
_FOLDERS = ("kodak", "gb82")


def jobs(pictures: Sequence[Picture], quick: bool) -> list[Job]:
    """Everything that there is to measure of these images."""
    chosen = lossless.photographs(pictures, _FOLDERS) or list(pictures)
    rates = RATES[1:2] if quick else RATES
    return [Job(p.name, MODELS_CSV, partial(measure, p, rates)) for p in chosen]


def measure(picture: Picture, rates: Sequence[float]) -> Iterator[ModelRow]:
    """Every codec at every rate."""
    image = picture.load()
    core = picture.focus.core(image.shape)
    wanted = keypoints(image)
    knobs = {
        AIG: _aig(picture.focus, "psnr"),
        VISUAL: _aig(picture.focus, "visual"),
        AIG + BARE: _aig(_PIXEL, "psnr"),
        VISUAL + BARE: _aig(_PIXEL, "visual"),
        "AVIF s6": ladders.avif(),
        "WebP m4": ladders.webp(),
        "JPEG": ladders.jpeg(),
    }
    for name, knob in knobs.items():
        ladder = Ladder(knob, image)
        for rate in rates:
            trial = ladder.at_rate(rate)
            inside, outside = found_again(wanted, keypoints(trial.decoded), core)
            yield ModelRow(picture.name, rate, name, len(trial.data), inside, outside)


def _aig(focus: Focus, tune: str) -> Knob:
    """AIG with its focus, core exact: the bytes of that count."""

    def make(level: int) -> Codec:
        encode = partial(
            aig_codec.encode,
            centers=focus.centers,
            sigmas=focus.sigmas,
            radii=focus.radii,
            quality_level=level,
            tune=tune,
            threads=1,
        )
        return Codec("AIG", f"level {level}", encode, partial(aig_codec.decode, threads=1))

    return Knob(make, 0, 255, 150, 0.012)


def keypoints(image: U8) -> np.ndarray:
    """Rows and columns of the strongest keypoints: (n, 2)."""
    from skimage.feature import ORB

    detector = ORB(n_keypoints=_KEYPOINTS)
    try:
        detector.detect(image @ metrics.LUMA / 255)
    except RuntimeError:  # how it says that there are none
        return np.empty((0, 2))
    return np.asarray(detector.keypoints)


def found_again(wanted: np.ndarray, found: np.ndarray, core: Mask) -> tuple[float, float]:
    """The share of keypoints that are found again, in the core and outside; NaN where there are
    none."""
    again = np.zeros(len(wanted), bool)
    if len(found) and len(wanted):
        from scipy.spatial import cKDTree

        again = cKDTree(found).query(wanted)[0] <= _NEAR
    y, x = np.rint(wanted).astype(int).T if len(wanted) else np.zeros((2, 0), int)
    inside = core[y, x]
    return _mean(again[inside]), _mean(again[~inside])


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else float("nan")
