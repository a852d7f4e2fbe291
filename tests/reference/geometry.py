"""Which class every pixel is of (5)."""

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import floor, isqrt

import numpy as np

from .labels import decode_labels
from .notation import expect

BACKGROUND, CORE, MID, SCREEN_CONTENT = 0, 1, 5, 8
TILE = 16
MOST = 2**32 - 1

ARCTANGENTS = (
    0, 1024, 2047, 3070, 4091, 5110, 6126, 7140, 8150, 9156, 10158, 11155, 12147,
    13133, 14114, 15088, 16055, 17015, 17968, 18913, 19850, 20779, 21699, 22610, 23512, 24406,
    25289, 26163, 27028, 27882, 28727, 29561, 30386, 31200, 32003, 32797, 33580, 34353, 35115,
    35867, 36608, 37340, 38060, 38771, 39472, 40162, 40842, 41512, 42172, 42823, 43464, 44095,
    44716, 45328, 45931, 46525, 47109, 47685, 48251, 48809, 49359, 49899, 50432, 50956, 51472,
)  # fmt: skip


@dataclass(frozen=True)
class FixedPoint:
    """5.1: what the integer distance of one focus needs."""

    shift: int
    inv_x: int
    inv_y: int
    core: int
    mid: int


def fixed_point(focus):
    """5.1"""
    lesser = min(focus.sigma_x, focus.sigma_y)
    shift = 96 - floor(2**64 / lesser).bit_length()
    one = Fraction(2) ** shift
    return FixedPoint(
        shift,
        max(1, floor(one / focus.sigma_x)),
        max(1, floor(one / focus.sigma_y)),
        min(int(focus.core * 65536), MOST),
        min(int(focus.mid * 65536), MOST),
    )


def angle(dx, dy):
    """5.2: |atan2(dy, dx)| in 1/65536 radian."""
    if dx == 0 and dy == 0:
        return 0
    a, b = min(abs(dx), abs(dy)), max(abs(dx), abs(dy))
    i, f = divmod((a << 16) // b, 1024)
    t = ARCTANGENTS[i]
    if f:
        t += (ARCTANGENTS[i + 1] - ARCTANGENTS[i]) * f >> 10
    if abs(dy) > abs(dx):
        t = 102944 - t
    if dx < 0:
        t = 205887 - t
    return t


def squared(fixed, dx, dy):
    """5.3: q."""
    return dx * dx * fixed.inv_x + dy * dy * fixed.inv_y


def angle_term(focus, dx, dy):
    """5.3: term."""
    return focus.alpha100 * angle(dx, dy) // 100


def weighted_distance(focus, x, y):
    """5.3: d of the pixel (x, y)."""
    fixed = fixed_point(focus)
    return _distance(focus, fixed, x - focus.x, y - focus.y)


def _distance(focus, fixed, dx, dy):
    q = squared(fixed, dx, dy)
    if fixed.shift >= 32:
        root = isqrt(q >> (fixed.shift - 32))
    else:
        wide = q << (32 - fixed.shift)
        if wide >= 2**64:
            return MOST
        root = isqrt(wide)
    return min(root + angle_term(focus, dx, dy), MOST)


def _within(focus, fixed, radius, dx, dy):
    """5.3: whether the offset lies within the radius (in 1/65536)."""
    term = angle_term(focus, dx, dy)
    if term > radius:
        return False
    left = (radius - term) ** 2
    q = squared(fixed, dx, dy)
    if fixed.shift >= 32:
        return (q >> (fixed.shift - 32)) <= left
    return q <= (left >> (32 - fixed.shift))


def class_of(foci, x, y, fixed=None):
    """5.4: the class of one pixel."""
    fixed = fixed or [fixed_point(focus) for focus in foci]
    for tier, name in ((CORE, "core"), (MID, "mid")):
        owners = []
        for k, (focus, own) in enumerate(zip(foci, fixed, strict=True)):
            dx, dy = x - focus.x, y - focus.y
            if _within(focus, own, getattr(own, name), dx, dy):
                owners.append((_distance(focus, own, dx, dy), k))
        if owners:
            return tier + min(owners)[1]
    return BACKGROUND


def class_map(foci, width, height, left=0, top=0):
    """5.4: the classes of the pixels of a window, by rows."""
    return _class_map(tuple(foci), width, height, left, top).copy()


@lru_cache(maxsize=8)  # a test reads every stage of a file, and all have these classes
def _class_map(foci, width, height, left, top):
    fixed = [fixed_point(focus) for focus in foci]
    classes = np.zeros((height, width), np.uint8)
    for y in range(height):
        for x in range(width):
            classes[y, x] = class_of(foci, left + x, top + y, fixed)
    return classes


def classes_of_labels(labels, margins):
    """5.4, shape "map": the classes from the label of every pixel and m of every focus."""
    classes = labels.copy()
    nearest = np.full(labels.shape, np.iinfo(np.int64).max)
    y, x = np.indices(labels.shape)
    for k, margin in enumerate(margins):
        rows, columns = np.nonzero(labels == 1 + k)
        if margin < 1 or not len(rows):
            continue
        away = np.full(labels.shape, np.iinfo(np.int64).max)
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
            away = np.minimum(away, (y - row) ** 2 + (x - column) ** 2)
        within = (labels == 0) & (65536 * away <= int(256 * margin) ** 2) & (away < nearest)
        classes[within] = MID + k
        nearest[within] = away[within]
    return classes


def picture_classes(container, with_tiles=True):
    """5.4, of every shape, and with the tiles if there are any."""
    size = container.height, container.width
    if container.shape == "all":
        return np.full(size, CORE, np.uint8)
    if container.shape == "map":
        labels = decode_labels(container.read(container.find("map")), *size, len(container.foci))
        classes = classes_of_labels(labels, [focus.mid - focus.core for focus in container.foci])
    else:
        expect(container.shape == "ellipses", "unknown shape")
        classes = class_map(container.foci, container.width, container.height)
    tiles = container.find("tiles")
    if tiles is not None and with_tiles:
        rows, columns = (-(-n // TILE) for n in size)
        drawn = decode_labels(container.read(tiles), rows, columns, 1)
        drawn = drawn.repeat(TILE, 0).repeat(TILE, 1)[: size[0], : size[1]] > 0
        drawn &= ~core_pixels(classes)
        if container.mid == "palette":
            drawn &= ~mid_pixels(classes)
        classes[drawn] = SCREEN_CONTENT
    return classes


def core_pixels(classes):
    return (classes >= CORE) & (classes < MID)


def mid_pixels(classes):
    return (classes >= MID) & (classes < SCREEN_CONTENT)
