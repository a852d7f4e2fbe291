"""The DCT coder (7.3)."""

from dataclasses import dataclass

from .blocks import BLOCK_BACKGROUND, BLOCK_MID
from .filters import KnownCells, reconstruct, to_colours
from .notation import tolerate
from .preview import Preview
from .tiers import Tier


@dataclass(frozen=True)
class DctPicture:
    """What the DCT coder knows about a picture before it reads a segment."""

    width: int
    height: int
    colours: int
    subsampling: str
    quality_level: int
    mid_level: int
    matrix: int
    mid: str


def decode_dct(picture, classes, preview, mid=None, background=None, problems=None):
    """7.3: the colours of all pixels from the segments at hand; 7.3.9 for what is a problem."""
    planes = decode_cells(picture, classes, preview, mid, background, problems)
    samples = [reconstruct(own, cells) for own, cells in planes]
    return to_colours(samples, picture.width, picture.height, picture.subsampling)


def decode_cells(picture, classes, preview, mid=None, background=None, problems=None):
    """7.3.5, 7.3.6: of every plane the 1/8 image and the cells that are known."""
    eighth = Preview(picture, classes)
    known = [KnownCells(own.shape) for own in eighth.classes]
    for payload, job in (
        (preview, eighth),
        (mid, Tier(eighth, BLOCK_MID, picture.mid_level, known)),
        (background, Tier(eighth, BLOCK_BACKGROUND, picture.quality_level, known)),
    ):
        with tolerate(problems):
            if payload is not None:
                job.decode(payload, problems)
    return list(zip(eighth.eighth, known, strict=True))


def decode_eighth(picture, classes, preview):
    """7.3.10: the 1/8 image in colour."""
    eighth = Preview(picture, classes)
    eighth.decode(preview)
    size = (picture.width + 7) // 8, (picture.height + 7) // 8
    return to_colours(eighth.eighth, *size, "4:4:4")
