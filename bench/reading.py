"""Reading less: what the focus, a thumbnail or a preview costs, beside reading everything.

Bytes are in memory and one thread works; every round all contestants take their turn.
"""

import io
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from PIL import Image

import aig_codec
import pillow_aig
from aig_codec.decoder.file import shrink

from . import lossless, peers, speed
from .images import U8, Picture
from .lossless import Job
from .metrics import psnr
from .pairs import bounding_box
from .rows import ReadingRow

# Thumbnails are made by Pillow.
pillow_aig.register_aig_opener()

READING_CSV = "reading.csv"

#: The tasks, by name.
FOCUS, THUMBNAIL, PREVIEW, EIGHTH, FULL, REGION, MODEL = (
    "focus",
    "thumbnail",
    "preview",
    "1/8",
    "full",
    "region",
    "model",
)

AIG, AVERAGED = "AIG", "AIG, averaged"
QUALITY, JPEG_QUALITY = 75, 90
JPEG = f"JPEG q{JPEG_QUALITY}"
PNG, WEBP, JXL = "PNG", "WebP lossless", "JXL lossless"

#: The box of a thumbnail, and the side of a region, in pixels.
THUMBNAIL_SIZE, REGION_SIDE = (256, 256), 256

#: The folder that the goals are about.
FOLDER = "clic"

#: What the cascade of faces looks for: sides of faces in pixels, and by what they grow.
_FACES = {"scale_factor": 1.3, "step_ratio": 1.5, "min_size": (48, 48), "max_size": (192, 192)}


@dataclass(frozen=True)
class _Turn:
    """Something to be timed; it says how many bytes it needed. of: bytes to hold them against."""

    task: str
    codec: str
    run: Callable[[], int]
    of: int = 0


def jobs(pictures: Sequence[Picture], runs: int, quick: bool) -> list[Job]:
    """Everything that there is to measure of these images."""
    folder = [p for p in pictures if p.folder == FOLDER and lossless.PAGE not in p.name]
    chosen = folder or list(pictures)
    planned = [Job(p.name, READING_CSV, partial(measure, p, runs)) for p in chosen]
    rounds = 1 if quick else 2
    return planned + [
        Job(f"{p.name}, model", READING_CSV, partial(infer, p, rounds)) for p in chosen
    ]


def measure(picture: Picture, runs: int) -> Iterator[ReadingRow]:
    """All tasks on an image."""
    with speed.one_cpu():
        image = picture.load()
        data = _encode(picture, image)
        yield from _race(picture, _turns(picture, image, data), runs)
        row = partial(ReadingRow, picture.name, picture.megapixels, EIGHTH)
        ideal = shrink(image, 8)
        prefix = aig_codec.decode(data, upto="preview", scale=8)
        averaged = shrink(aig_codec.decode(data), 8)
        yield row(AIG, 0.0, 0, 0, psnr(ideal, prefix))
        yield row(AVERAGED, 0.0, 0, 0, psnr(ideal, averaged))


def infer(picture: Picture, runs: int) -> Iterator[ReadingRow]:
    """A detector on the cores, and on the whole picture from JPEG."""
    with speed.one_cpu():
        image = picture.load()
        data = _encode(picture, image)
        jpeg = _jpeg(image)
        detect = _cascade()
        model = aig_codec.AIGProcessor(lambda core: detect(core.pixels), threads=1)

        def whole() -> int:
            detect(np.asarray(Image.open(io.BytesIO(jpeg))))
            return len(jpeg)

        turns = [
            _Turn(MODEL, AIG, lambda: model.process(data).bytes_read),
            _Turn(MODEL, JPEG, whole),
        ]
        yield from _race(picture, turns, runs)


def _encode(picture: Picture, image: U8) -> bytes:
    focus = picture.focus
    return aig_codec.encode(
        image,
        centers=focus.centers,
        sigmas=focus.sigmas,
        radii=focus.radii,
        quality=QUALITY,
        threads=1,
    )


def _jpeg(image: U8) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=JPEG_QUALITY)
    return file.getvalue()


def _cascade() -> Callable[[U8], list[tuple[int, int, int, int]]]:
    """scikit-image's detector of faces, which comes with it."""
    from skimage import data
    from skimage.feature import Cascade

    cascade = Cascade(data.lbp_frontal_face_cascade_filename())

    def detect(pixels: U8) -> list[tuple[int, int, int, int]]:
        if min(pixels.shape[:2]) < _FACES["min_size"][0]:
            return []
        most = min(*_FACES["max_size"], *pixels.shape[:2])
        found = cascade.detect_multi_scale(pixels, **{**_FACES, "max_size": (most, most)})
        return [(f["c"], f["r"], f["c"] + f["width"], f["r"] + f["height"]) for f in found]

    return detect


def _turns(picture: Picture, image: U8, data: bytes) -> list[_Turn]:
    box = bounding_box(picture.focus.core(image.shape))
    peer_codecs = [peers.png(), peers.webp_lossless(), peers.jxl_lossless()]
    coded = [
        (name, codec, codec.encode(image))
        for name, codec in zip((PNG, WEBP, JXL), peer_codecs, strict=True)
    ]
    jpeg = _jpeg(image)
    region = _middle(image)
    with aig_codec.open(data) as file:
        cores = file.bytes_for("core")
        behind = file.bytes_for("full") - cores

    def focus() -> int:
        with aig_codec.open(data) as file:
            file.cores()
            return file.bytes_read

    def cropped(decode: Callable[[bytes], U8], own: bytes) -> int:
        decode(own)[box].copy()
        return len(own)

    def thumbnail(own: bytes) -> int:
        with Image.open(io.BytesIO(own)) as shown:
            shown.thumbnail(THUMBNAIL_SIZE)
        return len(own)

    def preview() -> int:
        with aig_codec.open(data) as file:
            file.preview()
            return file.bytes_for("preview")

    def decode(**what: Any) -> int:
        with aig_codec.open(data) as file:
            file.decode(threads=1, **what)
            return file.bytes_read

    def jpeg_decode(own: bytes) -> U8:
        return np.asarray(Image.open(io.BytesIO(own)))

    return [
        _Turn(FOCUS, AIG, focus, cores),
        _Turn(FOCUS, JPEG, partial(cropped, jpeg_decode, jpeg)),
        *(_Turn(FOCUS, name, partial(cropped, codec.decode, own)) for name, codec, own in coded),
        _Turn(THUMBNAIL, AIG, partial(thumbnail, data)),
        _Turn(THUMBNAIL, JPEG, partial(thumbnail, jpeg)),
        _Turn(PREVIEW, AIG, preview, behind),
        _Turn(REGION, AIG, partial(decode, region=region)),
        _Turn(FULL, AIG, decode),
    ]


def _middle(image: U8) -> tuple[int, int, int, int]:
    """A square in the middle of an image, or all of it."""
    height, width = image.shape[:2]
    left, top = (max(0, (n - REGION_SIDE) // 2) for n in (width, height))
    return left, top, min(width, left + REGION_SIDE), min(height, top + REGION_SIDE)


def _race(picture: Picture, turns: Sequence[_Turn], runs: int) -> Iterator[ReadingRow]:
    """Median times, in rounds after one outside the clock."""
    needed = [turn.run() for turn in turns]
    times: list[list[float]] = [[] for _ in turns]
    for _ in range(runs):
        for k, turn in enumerate(turns):
            times[k].append(speed.milliseconds(turn.run))
    for turn, own, n in zip(turns, times, needed, strict=True):
        yield ReadingRow(
            picture.name,
            picture.megapixels,
            turn.task,
            turn.codec,
            statistics.median(own),
            n,
            turn.of,
            0.0,
        )
