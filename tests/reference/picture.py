"""A whole picture from the segments of its file (8)."""

from functools import lru_cache

import numpy as np

from .boundary import apply_boundary
from .container import read_container
from .dct import DctPicture, decode_dct, decode_eighth
from .geometry import CORE, SCREEN_CONTENT, core_pixels, mid_pixels, picture_classes
from .lossless import decode_lossless
from .notation import expect, tolerate
from .palette import decode_palette

UPTO = ("core", "preview", "mid", "full")


def dct_picture(container):
    return DctPicture(
        container.width,
        container.height,
        container.colours,
        container.subsampling,
        container.quality_level,
        container.mid_level,
        container.matrix,
        container.mid,
    )


@lru_cache(maxsize=16)  # a test reads every stage of a file, and all have these segments
def _lossless(segment, shape, region, channels, most):
    return decode_lossless(segment, np.frombuffer(region, bool).reshape(shape), channels, most)


def exact_pixels(segment, region, channels, most=255):
    """7.1: those of a region."""
    return _lossless(bytes(segment), region.shape, region.tobytes(), channels, most)[region]


def decode_file(data, upto="full", problems=None):
    """8: the picture as (height, width, channels), of the segments up to the stage asked for.

    If there is a list of problems, what is damaged goes there and is left out.
    """
    container = read_container(data)
    stage = UPTO.index(upto)
    classes = picture_classes(container, with_tiles=stage >= 1)
    core = core_pixels(classes)
    colours, has_alpha = container.colours, container.channels in (2, 4)

    def bytes_of(kind, wanted=True, center=None):
        segment = container.find(kind, center)
        if wanted and segment is not None:
            with tolerate(problems):
                return container.read(segment, problems)
        return None

    samples = np.uint8 if container.bits == 8 else np.uint16
    picture = np.full((container.height, container.width, container.channels), 128, samples)
    if has_alpha:
        picture[..., -1] = 255

    cores = [bytes_of("core", center=k) for k in range(len(container.foci))]
    preview = bytes_of("preview", stage >= 1)
    alpha = bytes_of("alpha", stage >= 2)
    drawn = bytes_of("drawn", stage >= 2)
    mid = bytes_of("mid", stage >= 2)
    background = bytes_of("background", stage >= 3)
    boundary = bytes_of("boundary", stage >= 3)
    if preview is not None:
        by_dct = mid if container.mid == "dct" else None
        picture[..., :colours] = decode_dct(
            dct_picture(container), classes, preview, by_dct, background, problems
        )
    if mid is not None and container.mid == "palette":
        with tolerate(problems):
            region = mid_pixels(classes)
            coder = container.find("mid").coder
            if coder == "palette":
                picture[region, :colours] = decode_palette(mid, region, colours)[region]
            else:
                picture[region, :colours] = exact_pixels(mid, region, colours)
    if drawn is not None:
        with tolerate(problems):
            region = classes == SCREEN_CONTENT
            picture[region, :colours] = exact_pixels(drawn, region, colours)
    if boundary is not None and not problems:
        with tolerate(problems):
            picture[..., :colours] = apply_boundary(boundary, classes, picture[..., :colours])
    if alpha is not None and has_alpha:
        with tolerate(problems):
            picture[~core, -1] = exact_pixels(alpha, ~core, 1)[:, 0]
    for k, segment in enumerate(cores):
        if segment is not None:
            with tolerate(problems):
                region = classes == CORE + k
                most = (1 << container.bits) - 1
                picture[region] = exact_pixels(segment, region, container.channels, most)
    return picture


def decode_preview(data):
    """7.3.10: the 1/8 image of a file, (ceil(height / 8), ceil(width / 8), 1 or 3)."""
    container = read_container(data)
    preview = container.find("preview")
    expect(preview is not None, "no preview")
    return decode_eighth(
        dct_picture(container), picture_classes(container), container.read(preview)
    )
