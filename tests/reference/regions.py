"""Regions of any shape, for the palette coder (7.2)."""

import numpy as np


class Neighbours:
    """7.2: one value per pixel of a region, seen from the pixel to be coded next.

    Columns are those of the bounding box, 0..width-1; `above` holds -1..width.
    """

    def __init__(self, width, default):
        self.width = width
        self.above = dict.fromkeys(range(-1, width + 1), default)
        self.row = {}

    def look(self, x):
        """W, N, NW, NE of the pixel at column x."""
        n = self.above[x]
        return self.row.get(x - 1, n), n, self.above[x - 1], self.above[x + 1]

    def put(self, x, value):
        self.row[x] = value

    def end_row(self):
        if not self.row:
            return
        value = self.row[min(self.row)]
        for x in range(-1, self.width + 1):
            value = self.row.get(x, value)
            self.above[x] = value
        self.row = {}


def region_rows(region):
    """The width of the bounding box and, for every row, (y, x, column in the box)."""
    columns = np.flatnonzero(region.any(axis=0))
    if not len(columns):
        return 0, []
    first = int(columns[0])
    rows = [
        [(y, int(x), int(x) - first) for x in np.flatnonzero(row)] for y, row in enumerate(region)
    ]
    return int(columns[-1]) - first + 1, rows
