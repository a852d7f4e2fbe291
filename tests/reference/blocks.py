"""Planes, steps, blocks and transforms of the DCT coder (7.3.1 to 7.3.4)."""

from dataclasses import dataclass
from functools import cache
from math import isqrt

import numpy as np

from .geometry import SCREEN_CONTENT, core_pixels, mid_pixels
from .notation import expect

HOLE, BLOCK_BACKGROUND, BLOCK_MID, DRAWN_HOLE = range(4)
QUARTERS, WHOLE, WIDE, TALL = range(4)
SCALES = (256, 181, 128, 91, 64)
ADAPTATIONS = (
    64, 76, 91, 108, 128, 152, 181, 215, 256, 304, 362, 431, 512, 609, 724, 861, 1024,
)  # fmt: skip
COSINES = (
    90, 90, 90, 90, 89, 88, 87, 85, 83, 82, 80, 78, 75, 73, 70, 67, 64,
    61, 57, 54, 50, 46, 43, 38, 36, 31, 25, 22, 18, 13, 9, 4, 0,
)  # fmt: skip


@dataclass(frozen=True)
class Plane:
    """7.3.1: the true size of a plane, and how many image pixels one sample spans."""

    width: int
    height: int
    scale: int
    chroma: bool

    @property
    def columns(self):
        return -(-self.width // 8)

    @property
    def rows(self):
        return -(-self.height // 8)

    def window(self, size, row, column):
        """The cells of a part, of so many pixels each way (6.9): first and last row, column."""
        side = size // (8 * self.scale)
        top, left = row * side, column * side
        return top, min(top + side, self.rows), left, min(left + side, self.columns)


def planes_of(width, height, colours, subsampling):
    """7.3.1"""
    planes = [Plane(width, height, 1, False)]
    if colours == 3:
        expect(subsampling in ("4:2:0", "4:4:4"), "unknown subsampling")
        if subsampling == "4:2:0":
            planes += [Plane((width + 1) // 2, (height + 1) // 2, 2, True)] * 2
        else:
            planes += [Plane(width, height, 1, True)] * 2
    return planes


def cell_classes(plane, classes, mid):
    """7.3.2: an array (rows, columns) of HOLE, DRAWN_HOLE, BLOCK_MID or BLOCK_BACKGROUND."""
    hidden = core_pixels(classes) | (classes == SCREEN_CONTENT)
    if mid == "palette":
        hidden = hidden | mid_pixels(classes)
    size = 8 * plane.scale
    result = np.full((plane.rows, plane.columns), BLOCK_BACKGROUND)
    for row in range(plane.rows):
        for column in range(plane.columns):
            footprint = np.s_[row * size : (row + 1) * size, column * size : (column + 1) * size]
            if hidden[footprint].all():
                any_drawn = (classes[footprint] == SCREEN_CONTENT).any()
                result[row, column] = DRAWN_HOLE if any_drawn else HOLE
            elif mid == "dct" and mid_pixels(classes[footprint]).any():
                result[row, column] = BLOCK_MID
    return result


def base_step(level, matrix):
    """7.3.3"""
    if level >= 192:
        base = 16 + (288 * (255 - level) + 31) // 63
    elif level >= 128:
        base = 304 + 9 * (192 - level) // 4
    else:
        o, p = divmod(128 - level, 64)
        base = (448 << o) * (64 + p) // 64
    return (5 * base + 4) >> 3 if matrix == 1 else base


def low_base_step(level, matrix):
    """7.3.3: that of the 1/8 image."""
    return min(base_step(level, matrix), 512)


def plane_step(base, share):
    """7.3.3: B of a plane."""
    return max(1, (base * share + 8) >> 4)


def adapted_step(plane_step, adaptation):
    """7.3.3: B of the high frequencies, if steps are adapted."""
    return max(1, (plane_step * ADAPTATIONS[adaptation + 8] + 128) >> 8)


def step(plane_step, weight, size):
    """7.3.3: step(B, w) of a block with size = a + b; also of an array of weights."""
    return np.maximum(1, ((plane_step * SCALES[size] >> 4) * weight) >> 4)


@cache
def weights(a, b, matrix):
    """7.3.3: the weights of a block of 2^a x 2^b cells, [v, h]."""
    width, height = 8 << a, 8 << b
    table = np.full((height, width), 16)
    if matrix == 1:
        for v in range(height):
            for h in range(width):
                x, y = 128 * h // width, 128 * v // height
                table[v, h] += max(0, isqrt(x * x + y * y) - 16) * 5 // 16
    return table


def coefficient(levels, steps):
    """7.3.3: what levels become."""
    magnitudes = (np.abs(levels) * steps + 8) >> 4
    return np.clip(np.sign(levels) * magnitudes, -32768, 32767)


@dataclass(frozen=True)
class Block:
    """7.3.4: 2^a x 2^b cells."""

    row: int
    column: int
    a: int
    b: int

    @property
    def cells(self):
        bottom, right = self.row + (1 << self.b), self.column + (1 << self.a)
        return np.s_[self.row : bottom, self.column : right]

    def pixels(self, scale):
        """Those of the 1/8 image, of which a cell has scale x scale."""
        top, left = scale * self.row, scale * self.column
        return np.s_[top : top + (scale << self.b), left : left + (scale << self.a)]

    @property
    def samples(self):
        top, left = 8 * self.row, 8 * self.column
        return np.s_[top : top + (8 << self.b), left : left + (8 << self.a)]


def blocks_of_square(classes, row, column, size, cut):
    """7.3.4: the blocks of a square of 2^size cells each way, in order.

    `cut` is asked, with row, column and size, how to cut a square where that is open.
    """
    rows, columns = classes.shape
    if row >= rows or column >= columns:
        return
    if size == 0:
        yield Block(row, column, 0, 0)
        return
    side, half = 1 << size, 1 << (size - 1)
    square = classes[row : row + side, column : column + side]
    is_open = square.shape == (side, side) and (square == square[0, 0]).all()
    how = cut(row, column, size) if is_open else QUARTERS
    if how == WHOLE:
        yield Block(row, column, size, size)
    elif how == WIDE:
        yield Block(row, column, size, size - 1)
        yield Block(row + half, column, size, size - 1)
    elif how == TALL:
        yield Block(row, column, size - 1, size)
        yield Block(row, column + half, size - 1, size)
    else:
        for y in (row, row + half):
            for x in (column, column + half):
                yield from blocks_of_square(classes, y, x, size - 1, cut)


@cache
def transform_matrix(samples):
    """7.3.4: C of so many samples, [frequency, position]."""
    matrix = np.full((samples, samples), 64)
    for k in range(1, samples):
        for n in range(samples):
            m = k * (32 // samples) * (2 * n + 1) % 128
            m = 128 - m if m > 64 else m
            matrix[k, n] = COSINES[m] if m <= 32 else -COSINES[64 - m]
    return matrix


def inverse_transform(coefficients):
    """7.3.4: samples [y, x] of a block of coefficients [v, h]."""
    height, width = coefficients.shape
    t = transform_matrix(height).T @ coefficients
    t = np.clip((t + 64) >> 7, -32768, 32767)
    return np.clip((t @ transform_matrix(width) + 128) >> 8, -2048, 2047)


def sums_of_pixels(pixels, scale):
    """7.3.5: M of a side of so many pixels of the 1/8 image, [frequency, pixel]."""
    side = 8 // scale
    return transform_matrix(side * pixels).reshape(-1, pixels, side).sum(axis=2)


def eighth_of_block(lowest, scale):
    """7.3.5: the pixels of the 1/8 image from a block's lowest coefficients [v, h]."""
    height, width = lowest.shape
    vertical = sums_of_pixels(height, scale)[:height]
    horizontal = sums_of_pixels(width, scale)[:width]
    shift = mean_shift(scale) - 8
    t = (lowest @ horizontal + 128) >> 8
    return np.clip((vertical.T @ t + (1 << (shift - 1))) >> shift, -2048, 2047)


def mean_shift(scale):
    """7.3.5: 2^15 by the transform, and the samples of a pixel."""
    return 21 if scale == 1 else 19


def half_tilt(side, scale):
    """7.3.5: what frequency 1 is predicted as, along a side of at least 2 pixels."""
    sums = [int(v) for v in sums_of_pixels(len(side), scale)[1]]
    ratio = (1 << (15 + mean_shift(scale))) // (sum(v * v for v in sums) * 64 * 8 // scale)
    total = sum(int(pixel) * v for pixel, v in zip(side, sums, strict=True))
    return int(np.clip((total * ratio + (1 << 15)) >> 16, -32768, 32767))


@cache
def aliases(pixels, scale):
    """7.3.6: for every frequency of such a side, the lowest one that it looks like, and weight."""
    sums = sums_of_pixels(pixels, scale)[:, 0]
    result = []
    for k in range(len(sums)):
        fold = k % (2 * pixels)
        if k < pixels:
            result.append((k, 256))
        elif fold in (0, pixels):
            result.append((0, 0))
        else:
            of = min(fold, 2 * pixels - fold)
            result.append((of, int((512 * sums[k] + sums[of]) // (2 * sums[of]))))
    return result


def without_aliases(lowest, high, scale):
    """7.3.6: the lowest coefficients of a block, from those of the 1/8 image and the others."""
    height, width = lowest.shape
    down, along = aliases(height, scale), aliases(width, scale)
    sums = np.zeros_like(lowest)
    for v, h in np.argwhere(high):
        if v < height and h < width:
            continue
        weight = (along[h][1] * down[v][1] + 128) >> 8
        sums[down[v][0], along[h][0]] += weight * high[v, h]
    return np.clip(lowest - ((sums + 128) >> 8), -32768, 32767)
