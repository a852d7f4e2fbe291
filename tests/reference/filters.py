"""From coefficients to colours: deblocking, restoration, what is between (7.3.7 to 7.3.10)."""

import numpy as np

from .blocks import inverse_transform

TAP_OFFSETS = ((1, 0), (0, 1), (1, 1), (-1, 1), (2, 0), (0, 2))


class KnownCells:
    """The cells of a plane whose high frequencies were decoded."""

    def __init__(self, shape):
        self.shape = shape
        self.blocks = []  # (block, coefficients)
        self.block_of = np.zeros(shape, np.int64)  # number of a cell's block from 1; 0 if unknown
        self.strength = np.zeros(shape, np.int64)  # B g (7.3.7)
        self.taps = np.zeros((*shape, 6), np.int64)  # all 0 where there are none

    def add(self, block, coefficients, strength, taps):
        self.blocks.append((block, coefficients))
        self.block_of[block.cells] = len(self.blocks)
        self.strength[block.cells] = strength
        if taps is not None:
            self.taps[block.cells] = taps


def by_samples(cells):
    """An array of cells as one of samples."""
    return cells.repeat(8, axis=0).repeat(8, axis=1)


def interpolate(eighth, side):
    """7.3.9: a whole plane from its 1/8 image, whose pixels are of side x side samples."""
    sums = _interpolate_rows(_interpolate_rows(eighth, side).T, side).T
    return (sums + 128) >> 8


def _interpolate_rows(eighth, side):
    """Every row of pixels as `side` rows, times 16."""
    rows = len(eighth)
    own = np.arange(side * rows) // side
    v = (2 * (np.arange(side * rows) % side) + 1 - side) * (8 // side)
    other = np.clip(own + np.sign(v), 0, rows - 1)
    weight = np.abs(v)[:, np.newaxis]
    return (16 - weight) * eighth[own] + weight * eighth[other]


def limit(strength, k):
    """7.3.7"""
    return np.minimum(32767, (strength * k + 128) >> 8)


def deblock_columns(samples, cells):
    """7.3.7: all vertical edges of a plane."""
    before, after = cells.block_of[:, :-1], cells.block_of[:, 1:]
    is_edge = (before > 0) & (after > 0) & (before != after)
    left, right = cells.strength[:, :-1], cells.strength[:, 1:]
    strength = np.where(limit(left, 19) < limit(right, 19), left, right).repeat(8, axis=0)

    p1, p0 = samples[:, 6:-8:8], samples[:, 7:-8:8]
    q0, q1 = samples[:, 8::8], samples[:, 9::8]
    d = q0 - p0
    is_edge = (
        is_edge.repeat(8, axis=0)
        & (np.abs(d) < limit(strength, 19))
        & (np.abs(p1 - p0) < limit(strength, 5))
        & (np.abs(q1 - q0) < limit(strength, 5))
    )
    most = limit(strength, 3)
    e = np.where(is_edge, np.clip((9 * d - 3 * (q1 - p1) + 8) >> 4, -most, most), 0)
    result = samples.copy()
    result[:, 7:-8:8] = np.clip(p0 + e, -2048, 2047)
    result[:, 8::8] = np.clip(q0 - e, -2048, 2047)
    return result


def transposed(cells):
    """The same cells with rows and columns exchanged, as far as deblocking asks."""
    result = KnownCells(cells.shape[::-1])
    result.block_of, result.strength = cells.block_of.T, cells.strength.T
    return result


def restore(samples, cells):
    """7.3.8: a plane, from the deblocked one."""
    height, width = samples.shape
    wide = np.pad(samples, 2, mode="edge")

    def at(dx, dy):
        return wide[2 + dy : 2 + dy + height, 2 + dx : 2 + dx + width]

    total = np.zeros_like(samples)
    for i, (dx, dy) in enumerate(TAP_OFFSETS):
        total += by_samples(cells.taps[..., i]) * (at(dx, dy) + at(-dx, -dy) - 2 * samples)
    return np.clip(samples + ((total + 32) >> 6), -2048, 2047)


def reconstruct(eighth, cells):
    """7.3.4 to 7.3.9: a padded plane."""
    samples = interpolate(eighth, 8 * len(cells.block_of) // len(eighth))
    for block, coefficients in cells.blocks:
        samples[block.samples] = inverse_transform(coefficients)
    samples = deblock_columns(samples, cells)
    samples = deblock_columns(samples.T, transposed(cells)).T
    return restore(samples, cells)


def enlarge_rows(chroma, height):
    """7.3.10: the rows that are taken of a chroma plane (without padding), 4 times as high."""
    y = np.arange(height)
    farther = np.clip(y // 2 + np.where(y % 2, 1, -1), 0, len(chroma) - 1)
    return 3 * chroma[y // 2] + chroma[farther]


def enlarge_chroma(chroma, width, height):
    """7.3.10: a chroma plane (without padding) of 4:2:0 at the image's size."""
    return (enlarge_rows(enlarge_rows(chroma, height).T, width).T + 8) >> 4


def to_colours(planes, width, height, subsampling):
    """7.3.10: an array (height, width, 1 or 3) from planes of at least the image's size."""
    luma = planes[0][:height, :width] + 2056
    if len(planes) == 1:
        return np.clip(luma >> 4, 0, 255)[..., np.newaxis].astype(np.uint8)
    chroma = planes[1:]
    if subsampling == "4:2:0":
        half = np.s_[: (height + 1) // 2, : (width + 1) // 2]
        chroma = [enlarge_chroma(plane[half], width, height) for plane in chroma]
    b, r = (plane[:height, :width] for plane in chroma)

    def m(a, k):
        return ((a * k >> 14) + 1) >> 1

    colours = [
        luma + r + m(r, 13173),
        luma - m(b, 11277) - m(r, 23401),
        luma + b + m(b, 25297),
    ]
    return np.clip(np.stack(colours, axis=-1) >> 4, 0, 255).astype(np.uint8)
