"""Smaller pictures (8.1)."""

import numpy as np

from .blocks import transform_matrix
from .container import read_container
from .dct import decode_cells, decode_eighth
from .filters import to_colours
from .geometry import CORE, core_pixels, picture_classes
from .lossless import decode_lossless
from .picture import dct_picture, decode_file


def decode_scaled(data, scale):
    """The picture at 1/2, 1/4 or 1/8, (height, width, channels)."""
    container = read_container(data)
    is_whole = container.shape == "all" or container.channels in (2, 4)
    if is_whole or container.mid == "palette":
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
        own = decode_lossless(bytes_of("core", k), region, container.channels)
        exact[region] = own[region]
    core = core_pixels(classes)[..., np.newaxis]
    m, n = box_sums(core.astype(np.int64), scale), box_sums(np.ones_like(core, np.int64), scale)
    blended = (box_sums(exact * core, scale) + (n - m) * small + n // 2) // n
    return np.where(m > 0, blended, small).astype(np.uint8)


def plane_of(eighth, cells, scale):
    """A padded plane at 1/1, 1/2 or 1/4."""
    samples = interpolate(interpolate(eighth, scale).T, scale).T
    samples = (samples + 128) >> 8
    for block, coefficients in cells.blocks:
        rows, columns = (slice(s.start // scale, s.stop // scale) for s in block.samples)
        samples[rows, columns] = inverse_means(coefficients, scale)
    return samples


def interpolate(eighth, scale):
    """Every row of cells as 8 / scale rows, times 16."""
    side = 8 // scale
    rows = np.arange(side * len(eighth))
    own, v = rows // side, scale * (2 * (rows % side) + 1) - 8
    other = np.clip(own + np.sign(v), 0, len(eighth) - 1)
    weight = np.abs(v)[:, np.newaxis]
    return (16 - weight) * eighth[own] + weight * eighth[other]


def inverse_means(coefficients, scale):
    """The boxes [y, x] of a block of coefficients [v, h]."""
    matrices = []
    for side in coefficients.shape:
        matrix = transform_matrix(side)
        matrices.append(matrix.reshape(side, side // scale, scale).sum(axis=2))
    vertical, horizontal = matrices
    t = np.clip((vertical.T @ coefficients + 64 * scale) // (128 * scale), -32768, 32767)
    return np.clip((t @ horizontal + 128 * scale) // (256 * scale), -2048, 2047)


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
