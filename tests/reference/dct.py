"""The DCT coder (7.3)."""

from dataclasses import dataclass
from math import isqrt

import numpy as np

from .entropy import SymbolReader
from .geometry import MID, core_pixels
from .notation import clip, expect, med, reached

DC_CONTEXTS, AC_CONTEXTS = 16, 124
BUCKETS = (1, 3, 5, 8, 13, 21, 33)
NEIGHBOUR_CONTEXT = (0, 1, 2, 3, 4, 5, 6, 6, 7, 7, 7, 7, 7)
HOLE, BLOCK_BACKGROUND, BLOCK_MID = "hole", "background", "mid"

TRANSFORM = np.array(
    [
        [64, 64, 64, 64, 64, 64, 64, 64],
        [89, 75, 50, 18, -18, -50, -75, -89],
        [83, 36, -36, -83, -83, -36, 36, 83],
        [75, -18, -89, -50, 50, 89, 18, -75],
        [64, -64, -64, 64, 64, -64, -64, 64],
        [50, -89, 18, 75, -75, -18, 89, -50],
        [36, -83, 83, -36, -36, 83, -83, 36],
        [18, -50, 75, -89, 89, -75, 50, -18],
    ],
    np.int64,
)


def zigzag_scan():
    """7.3.6: the scan of JPEG as (h, v): along diagonals, up and down in turn."""
    scan = []
    for diagonal in range(15):
        cells = [(diagonal - v, v) for v in range(8) if 0 <= diagonal - v < 8]
        scan += cells if diagonal % 2 else cells[::-1]
    return scan


SCAN = zigzag_scan()


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


def block_classes(plane, classes, mid):
    """7.3.2: a list of rows of HOLE, BLOCK_MID or BLOCK_BACKGROUND."""
    hidden = core_pixels(classes)
    if mid == "palette":
        hidden = hidden | (classes >= MID)
    size = 8 * plane.scale
    result = []
    for row in range(plane.rows):
        line = []
        for column in range(plane.columns):
            footprint = np.s_[row * size : (row + 1) * size, column * size : (column + 1) * size]
            if hidden[footprint].all():
                line.append(HOLE)
            elif mid == "dct" and (classes[footprint] >= MID).any():
                line.append(BLOCK_MID)
            else:
                line.append(BLOCK_BACKGROUND)
        result.append(line)
    return result


def base_step(level):
    """7.3.3"""
    if level >= 128:
        return 16 + (400 * (255 - level) + 63) // 127
    o, p = divmod(128 - level, 48)
    return (416 << o) * (48 + p) // 48


def dc_step(quality_level):
    """7.3.3"""
    return min(base_step(quality_level), 512)


def steps(level, matrix):
    """7.3.3: the steps of a block as an array [v, h]; its DC entry is never used."""
    base = base_step(level)
    table = np.zeros((8, 8), np.int64)
    for v in range(8):
        for h in range(8):
            weight = 16
            if matrix == 1:
                weight += max(0, isqrt(256 * (h * h + v * v)) - 16) * 5 // 16
            table[v, h] = (base * weight + 8) // 16
    return table


def inverse_transform(coefficients):
    """7.3.4: samples [y, x] of a block of coefficients [v, h], clipped to int16 here."""
    c = np.clip(np.asarray(coefficients, np.int64), -32768, 32767)
    t = np.clip((c @ TRANSFORM + 64) >> 7, -32768, 32767)
    return np.clip(((TRANSFORM.T @ t + 2048) >> 12) + 128, 0, 255)


def eighth(levels, step):
    """7.3.4: D, the 1/8 image of a plane."""
    return np.clip(((levels * step + 64) >> 7) + 128, 0, 255)


def interpolate(small):
    """7.3.4: S of every sample of a plane, from its 1/8 image."""
    rows, columns = small.shape

    def around(position, count):
        """The two samples around a position, and the weight of the second."""
        block, inside = divmod(position, 8)
        v = 2 * inside - 7
        first = block - 1 if v < 0 else block
        return clip(first, 0, count - 1), clip(first + 1, 0, count - 1), v % 16

    plane = np.zeros((8 * rows, 8 * columns), np.int64)
    for y in range(8 * rows):
        upper, lower, fy = around(y, rows)
        for x in range(8 * columns):
            before, after, fx = around(x, columns)
            top = (16 - fx) * small[upper, before] + fx * small[upper, after]
            bottom = (16 - fx) * small[lower, before] + fx * small[lower, after]
            plane[y, x] = (16 - fy) * top + fy * bottom
    return plane


def decode_dc(payload, planes):
    """7.3.5: the DC levels, one array [row, column] per plane."""
    reader = SymbolReader(payload, DC_CONTEXTS)
    result = []
    for plane in planes:
        levels = np.zeros((plane.rows, plane.columns), np.int64)
        magnitude = np.zeros_like(levels)
        for row in range(plane.rows):
            for column in range(plane.columns):
                left = int(levels[row, column - 1]) if column else None
                up = int(levels[row - 1, column]) if row else None
                if left is None and up is None:
                    prediction = 0
                elif up is None:
                    prediction = left
                elif left is None:
                    prediction = up
                else:
                    corner = int(levels[row - 1, column - 1])
                    prediction = (med(left, up, corner) + ((left + up) >> 1)) >> 1
                near = int(magnitude[row, column - 1]) if column else 0
                near += int(magnitude[row - 1, column]) if row else 0
                residual = reader.signed(8 * plane.chroma + reached(BUCKETS, near))
                level = clip(prediction + residual, -32768, 32767)
                levels[row, column] = level
                magnitude[row, column] = abs(level - prediction)
        result.append(levels)
    reader.finish()
    return result


def band_of(position):
    """7.3.6: the band of a scan position, without the 6 of chroma."""
    return reached((3, 6, 10, 21, 36), position)


def decode_ac_block(reader, end, chroma):
    """7.3.6: the levels [v, h] of one block whose end is known."""
    levels = np.zeros((8, 8), np.int64)
    small = np.zeros((10, 10), np.int64)  # A, with a border of zeros
    for position in range(end, 0, -1):
        h, v = SCAN[position]
        b = 6 * chroma + band_of(position)
        if position == end:
            size = reader.value(112 + b) + 1
        else:
            total = small[v, h + 1] + small[v + 1, h] + small[v + 1, h + 1]
            total += (small[v, h + 2] + small[v + 2, h] + 1) >> 1
            size = reader.value(16 + 8 * b + NEIGHBOUR_CONTEXT[total])
        if size:
            size = min(size, 32767)
            small[v, h] = min(size, 3)
            levels[v, h] = -size if reader.bits(1) else size
    return levels


def decode_ac(payload, planes, kinds, wanted):
    """7.3.6: per plane a dict from (row, column) to levels, of the blocks of a class."""
    reader = SymbolReader(payload, AC_CONTEXTS)
    result = []
    for plane, kind in zip(planes, kinds, strict=True):
        ends, blocks = {}, {}
        for row in range(plane.rows):
            for column in range(plane.columns):
                if kind[row][column] != wanted:
                    continue
                near = [ends.get((row, column - 1)), ends.get((row - 1, column))]
                near = [end for end in near if end is not None]
                a = (sum(near) + 1) // 2 if len(near) == 2 else sum(near)
                end = min(reader.value(8 * plane.chroma + reached(BUCKETS, a)), 63)
                ends[row, column] = end
                blocks[row, column] = decode_ac_block(reader, end, plane.chroma)
        result.append(blocks)
    reader.finish()
    return result


def reconstruct(dc_levels, dc, ac):
    """7.3.4: a padded plane; `ac` maps (row, column) to (levels, steps) of the blocks known."""
    small = eighth(dc_levels, dc)
    sums = interpolate(small)
    plane = (sums + 128) >> 8
    for (row, column), (levels, table) in ac.items():
        if not levels.ravel()[1:].any():
            block = np.s_[8 * row : 8 * row + 8, 8 * column : 8 * column + 8]
            own, s = 256 * small[row, column], table[1, 0]
            plane[block] = (np.clip(sums[block], own - s, own + s) + 128) >> 8
            continue
        coefficients = levels * table
        coefficients[0, 0] = dc_levels[row, column] * dc
        plane[8 * row : 8 * row + 8, 8 * column : 8 * column + 8] = inverse_transform(coefficients)
    return plane


def enlarge_chroma(chroma, width, height):
    """7.3.7: a chroma plane (without padding) of 4:2:0 at the image's size."""
    rows, columns = chroma.shape
    large = np.zeros((height, width), np.int64)
    for y in range(height):
        nearer = y // 2
        farther = clip(nearer + (1 if y % 2 else -1), 0, rows - 1)
        c = 3 * chroma[nearer] + chroma[farther]
        for x in range(width):
            i = x // 2
            other = clip(i + (1 if x % 2 else -1), 0, columns - 1)
            large[y, x] = (3 * c[i] + c[other] + 8) >> 4
    return large


def to_colours(planes, width, height, subsampling):
    """7.3.7: an array (height, width, 1 or 3) from planes of at least the image's size."""
    luma = np.asarray(planes[0])[:height, :width]
    if len(planes) == 1:
        return luma[..., np.newaxis].astype(np.uint8)
    chroma = [np.asarray(plane, np.int64) for plane in planes[1:]]
    if subsampling == "4:2:0":
        half = np.s_[: (height + 1) // 2, : (width + 1) // 2]
        chroma = [enlarge_chroma(plane[half], width, height) for plane in chroma]
    b, r = (plane[:height, :width] - 128 for plane in chroma)
    red = luma + ((91881 * r + 32768) >> 16)
    green = luma + ((-22554 * b - 46802 * r + 32768) >> 16)
    blue = luma + ((116130 * b + 32768) >> 16)
    return np.clip(np.stack([red, green, blue], axis=-1), 0, 255).astype(np.uint8)


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


def decode_dct(picture, classes, preview, mid=None, background=None):
    """7.3: the colours of all pixels from the segments at hand."""
    planes = planes_of(picture.width, picture.height, picture.colours, picture.subsampling)
    kinds = [block_classes(plane, classes, picture.mid) for plane in planes]
    levels = decode_dc(preview, planes)
    known = [{} for _ in planes]
    for payload, wanted, level in (
        (mid, BLOCK_MID, picture.mid_level),
        (background, BLOCK_BACKGROUND, picture.quality_level),
    ):
        if payload is not None:
            table = steps(level, picture.matrix)
            for own, blocks in zip(known, decode_ac(payload, planes, kinds, wanted), strict=True):
                own.update({place: (block, table) for place, block in blocks.items()})
    dc = dc_step(picture.quality_level)
    samples = [reconstruct(own, dc, ac) for own, ac in zip(levels, known, strict=True)]
    return to_colours(samples, picture.width, picture.height, picture.subsampling)


def decode_eighth(picture, preview):
    """7.3.7: the 1/8 image in colour."""
    planes = planes_of(picture.width, picture.height, picture.colours, picture.subsampling)
    dc = dc_step(picture.quality_level)
    small = [eighth(levels, dc) for levels in decode_dc(preview, planes)]
    size = (picture.width + 7) // 8, (picture.height + 7) // 8
    return to_colours(small, *size, picture.subsampling)
