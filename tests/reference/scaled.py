"""Smaller pictures (8.1)."""

import numpy as np

from .blocks import inverse_transform
from .container import read_container
from .dct import decode_cells, decode_eighth
from .filters import interpolate, to_colours
from .geometry import CORE, core_pixels, picture_classes
from .picture import dct_picture, decode_file, exact_pixels


def decode_scaled(data, scale):
    """The picture at 1/2, 1/4 or 1/8, (height, width, channels)."""
    container = read_container(data)
    is_whole = container.shape == "all" or container.channels in (2, 4)
    if is_whole or container.mid == "palette" or container.find("drawn") is not None:
        return box_means(decode_file(data), scale)
    classes = picture_classes(container)
    size = -(-container.width // scale), -(-container.height // scale)

    def bytes_of(kind, center=None):
        segment = container.find(kind, center)
        return None if segment is None else container.read(segment)

    picture = dct_picture(container)
    if scale == 8:
        small = decode_eighth(picture, classes, bytes_of("preview"))
    else:
        mid = bytes_of("mid") if container.mid == "dct" else None
        planes = decode_cells(picture, classes, bytes_of("preview"), mid, bytes_of("background"))
        halved = 2 if container.subsampling == "4:2:0" else 1
        scales = [scale, scale // halved, scale // halved]
        samples = [plane_of(*own, at) for own, at in zip(planes, scales, strict=False)]
        small = to_colours(samples, *size, "4:4:4")

    exact = np.zeros((container.height, container.width, container.channels), np.int64)
    for k in range(len(container.foci)):
        region = classes == CORE + k
        exact[region] = exact_pixels(bytes_of("core", k), region, container.channels)
    core = core_pixels(classes)[..., np.newaxis]
    m, n = box_sums(core.astype(np.int64), scale), box_sums(np.ones_like(core, np.int64), scale)
    blended = (box_sums(exact * core, scale) + (n - m) * small + n // 2) // n
    return np.where(m > 0, blended, small).astype(np.uint8)


def plane_of(eighth, cells, scale):
    """A padded plane at 1/1, 1/2 or 1/4."""
    samples = interpolate(eighth, 8 * len(cells.block_of) // len(eighth))
    for block, coefficients in cells.blocks:
        samples[block.samples] = inverse_transform(coefficients)
    return (box_sums(samples, scale) + scale * scale // 2) // (scale * scale)


def box_sums(image, scale):
    """Sums over boxes, of which the border may leave fewer pixels."""
    for axis in (0, 1):
        image = np.add.reduceat(image, np.arange(0, image.shape[axis], scale), axis)
    return image


def box_means(image, scale):
    """The mean of every box, rounded half up."""
    sums = box_sums(image.astype(np.int64), scale)
    n = box_sums(np.ones(image.shape[:2], np.int64), scale)[..., np.newaxis]
    return ((sums + n // 2) // n).astype(image.dtype)
