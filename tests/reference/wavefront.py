"""Strips, prediction and contexts of photographic coding (7.1.3, 7.1.4), for both directions.

The walk asks for values and does not care whether they are read or known already, so that tests can
run it as an encoder too.
"""

from dataclasses import dataclass

import numpy as np

from .notation import clip, med, unzigzag

ROWS = 16  # of a strip
LAG = 2  # steps that a row is behind the row above
EARLY = 8  # steps kept before step 0

#: Neighbours as (rows, columns).
TAPS = (
    (0, -1), (-1, 0), (-1, -1), (-1, 1), (0, -2), (-2, 0),
    (-2, 1), (-2, -1), (-1, -2), (-2, 2), (0, -3), (-3, 0),
)  # fmt: skip
OTHER_TAPS = TAPS[:4]
PLANE_COEFFICIENTS = (12, 16, 20)


@dataclass(frozen=True)
class Asked:
    """A sample to be coded: where, in which context, and what its value is the distance from."""

    k: int
    plane: int
    y: int
    x: int
    context: int
    prediction: int
    flipped: bool

    def sample(self, value):
        """The sample, not yet clipped, that a value stands for."""
        d = unzigzag(value)
        return self.prediction - d if self.flipped else self.prediction + d


@dataclass(frozen=True)
class Model:
    """What the walk needs to know of a band.

    predictors[i][plane] are coefficients, a before b; predictor_of[strip, block] is i; (low, high)
    is the range of every plane; and starts has what stands above the first strip.
    """

    ranges: list
    starts: list
    shift: int
    bias: bool
    predictors: list
    predictor_of: dict


def bounding_box(region):
    """The box of a region with pixels in it: slices of rows and columns."""
    return tuple(
        slice(int(found[0]), int(found[-1]) + 1)
        for found in (np.flatnonzero(region.any(axis=axis)) for axis in (1, 0))
    )


def middle(low, high):
    """7.1.2"""
    return (low + high + 1) >> 1


def active_rows(box):
    """7.1.3: for every strip and step of a region cut to its box, its active pixels (k, y, x)."""
    height, width = box.shape
    height, width = box.shape
    inside = box.tolist()
    for top in range(0, height, ROWS):
        steps = []
        for t in range(width + LAG * (ROWS - 1)):
            places = ((k, top + k, t - LAG * k) for k in range(min(ROWS, height - top)))
            steps.append([(k, y, x) for k, y, x in places if 0 <= x < width and inside[y][x]])
        yield steps


def active_blocks(box):
    """7.1.6, item 3: (strip, block) of the blocks that name a predictor, in order."""
    found = []
    for strip, steps in enumerate(active_rows(box)):
        blocks = {t >> 4 for t, active in enumerate(steps) if active}
        found += [(strip, block) for block in sorted(blocks)]
    return found


class PlaneRows:
    """7.1.3: the values (or the errors) of a plane around one strip.

    A list for each of the rows -4..15; its item t + EARLY is the one of step t.
    """

    def __init__(self, steps, start):
        self.rows = [[start] * (EARLY + steps) for _ in range(4)]
        self.rows += [[start] * EARLY for _ in range(ROWS)]

    def next_strip(self, first_columns):
        """Go on; the columns are those of the first active pixel in the rows of the last strip."""
        above = []
        for k in range(ROWS - 4, ROWS):
            row = self.rows[4 + k]
            if first_columns[k] is not None:
                index = first_columns[k] + LAG * k + EARLY
                row[:index] = [row[index]] * index
            above.append(row[LAG * ROWS :] + [row[-1]] * (LAG * ROWS))
        start = above[-1][-6 - LAG + EARLY]
        self.rows = above + [[start] * EARLY for _ in range(ROWS)]

    def look(self, k, t, i, j):
        """The neighbour (i, j) of position (k, t)."""
        return self.rows[4 + k + i][t + LAG * i + j + EARLY]

    def put(self, k, value):
        self.rows[4 + k].append(value)


def energy(a, shift):
    """7.1.4: E."""
    y = (a >> shift) + 1
    h = y.bit_length() - 1
    return min(23, 2 * h + (y >> (h - 1) & 1)) if h else 0


class Walk:
    """7.1.3, 7.1.4 and bias cancellation: all samples of a band in their order."""

    def __init__(self, model, box):
        self.model = model
        self.box = box
        self.planes = range(len(model.ranges))
        self.samples = np.zeros((*box.shape, len(model.ranges)), np.int64)
        self.cells = [[0] * 256 for _ in self.planes]
        steps = box.shape[1] + LAG * (ROWS - 1)
        self.values = [PlaneRows(steps, start) for start in model.starts]
        self.errors = [PlaneRows(steps, 0) for _ in self.planes]
        self.first_columns = [None] * ROWS

    def run(self, ask):
        """The samples; `ask` gives the values of a list of `Asked`, those of one step and plane."""
        for strip, steps in enumerate(active_rows(self.box)):
            if strip:
                for rows in self.values + self.errors:
                    rows.next_strip(self.first_columns)
            self.first_columns = [None] * ROWS
            for t, active in enumerate(steps):
                predictor = self.model.predictors[self.model.predictor_of.get((strip, t >> 4), 0)]
                for plane in self.planes:
                    self._step(plane, t, active, predictor[plane], ask)
                for k, _, x in active:
                    if self.first_columns[k] is None:
                        self.first_columns[k] = x
        return self.samples

    def _step(self, plane, t, active, coefficients, ask):
        predicted = [self._predict(plane, t, *place, coefficients) for place in active]
        coded = ask([asked for asked, _, _ in predicted]) if active else []
        values, errors, cells = self.values[plane], self.errors[plane], self.cells[plane]
        missing = set(range(ROWS))
        updates = []
        for (asked, cell, p), value in zip(predicted, coded, strict=True):
            sample = clip(asked.sample(value), *self.model.ranges[plane])
            self.samples[asked.y, asked.x, plane] = sample
            values.put(asked.k, sample)
            errors.put(asked.k, abs(sample - asked.prediction))
            updates.append((cell, cells[cell] + 64 * sample - p - (cells[cell] >> 7)))
            missing.remove(asked.k)
        for cell, updated in updates:
            cells[cell] = updated
        for k in missing:
            source = (-1, 1) if self.first_columns[k] is None else (0, -1)
            values.put(k, values.look(k, t, *source))
            errors.put(k, errors.look(k, t, *source))

    def _predict(self, plane, t, k, y, x, coefficients):
        """What is asked for at this position, its cell, and P before the cell's increase."""
        own = self.values[plane]
        taps = [own.look(k, t, *tap) for tap in TAPS]
        w, n, nw, ne, ww, nn = taps[:6]
        base = med(w, n, nw)
        p = 64 * base + sum(a * (tap - base) for a, tap in zip(coefficients, taps, strict=False))
        for q in range(plane):
            other = self.values[q]
            here = other.look(k, t, 0, 0)
            b = coefficients[12 + 4 * q : 16 + 4 * q]
            for weight, tap in zip(b, OTHER_TAPS, strict=True):
                p += weight * (here - other.look(k, t, *tap))

        e_w, e_n, e_nw, e_ne, e_ww, e_nn = (self.errors[plane].look(k, t, *tap) for tap in TAPS[:6])
        a = abs(w - nw) + abs(nw - n) + abs(n - ne) + abs(w - ww) + abs(n - nn)
        a += 2 * (2 * e_w + 2 * e_n + e_ne + e_nw + e_ww + e_nn)
        across = [self.errors[q].look(k, t, 0, 0) for q in range(plane)]
        a += (0, 4, 3)[plane] * sum(across)
        level = energy(a, self.model.shift)

        rounded = (p + 32) >> 6
        cell = 64 * (level // 6)
        for tap, bit in zip(taps, (32, 16, 8, 4, 2, 1), strict=False):
            cell += bit * (rounded > tap)
        low, high = self.model.ranges[plane]
        increased = p + (self.cells[plane][cell] >> 7) if self.model.bias else p
        increased = clip(increased, 64 * low, 64 * high)
        prediction = (increased + 32) >> 6
        fraction = increased - 64 * prediction
        context = 48 * plane + 2 * level + (abs(fraction) > 16)
        return Asked(k, plane, y, x, context, prediction, fraction < 0), cell, p
