"""The pixels around the one being coded, for graphics (7.1.7)."""

from .binary import U32, hash_of

ROWS = 6  # the one being coded and five before it
MARGIN = 6  # columns that are seen beyond the bounding box

#: (k, i) of the places that are equal in a flat place.
FLAT = [(k, i) for k, a, b in ((0, -3, -1), (1, -2, 4), (2, -1, 3), (3, 0, 1))
        for i in range(a, b + 1)]  # fmt: skip


class Rows:
    """7.1.7, rows: pixels around the current column of the row being coded.

    Every row is a dictionary of its columns, -MARGIN..width + MARGIN - 1 once it is complete.
    So many rows are kept.
    """

    def __init__(self, width, count=ROWS):
        self.width, self.count = width, count
        above = [dict.fromkeys(range(-MARGIN, width + MARGIN), 0) for _ in range(1, ROWS)]
        self.rows = [{}, *above]
        self.x = self.first = None

    def look(self, k, i):
        """(k, i)"""
        return self.rows[k][self.x + i]

    def go_to(self, x):
        """Make the next region pixel of row 0 the current one."""
        row = self.rows[0]
        if row:
            self._fill(range(self.x + 1, x), row[self.x])
        else:
            self.first = x
            self._fill(range(-MARGIN, x), self.rows[1][x])
        self.x = x

    def put(self, pixel):
        self.rows[0][self.x] = pixel

    def end_row(self):
        self._fill(range(-MARGIN, self.first), self.rows[0][self.first])
        self._fill(range(self.x + 1, self.width + MARGIN), self.rows[0][self.x])
        self.rows = [{}, *self.rows[: self.count - 1]]

    def _fill(self, columns, pixel):
        self.rows[0].update(dict.fromkeys(columns, pixel))


class Neighbours:
    """7.1.7, rows: the pixels that have names, and what is asked of them."""

    def __init__(self, rows, channels):
        self.channels = channels
        places = (0, -1), (1, 0), (1, -1), (1, 1), (0, -2), (2, 0)
        self.six = [rows.look(*place) for place in places]
        self.w, self.n, self.nw, self.ne, self.ww, self.nn = self.six
        bytes_of = (self.bytes_of(pixel) for pixel in (self.w, self.n, self.nw))
        slope = [(w + n - nw) % 256 for w, n, nw in zip(*bytes_of, strict=True)]
        self.slope = int.from_bytes(slope, "big")
        self.ne_equals_next = self.ne == rows.look(1, 2)

    def bytes_of(self, pixel):
        return pixel.to_bytes(self.channels, "big")

    def equal(self, c):
        """7.1.7, candidates: which of them are this colour."""
        return sum((c == one) << i for i, one in enumerate([*self.six, self.slope]))

    def pattern(self):
        """7.1.7, candidates: which of them are the same."""
        w, n, nw, ne, ww, nn = self.six
        pairs = [w == n, n == nw, n == ne, w == nw, w == ww, n == nn, self.ne_equals_next]
        return sum(same << i for i, same in enumerate(pairs))


def is_flat(rows):
    """7.1.7, flat places."""
    return all(rows.look(*place) == rows.look(0, -1) for place in FLAT)


def poly(rows, k, first, last):
    """7.1.7, memories."""
    s = 0
    for i in range(first, last + 1):
        s = (s * 0x2F0B4C47 + rows.look(k, i)) & U32
    return s


def neighbourhoods(rows, near):
    """7.1.7, memories: H0..H3."""
    three = poly(rows, 0, -3, -1), poly(rows, 1, -2, 3), poly(rows, 2, -1, 2)
    four = poly(rows, 0, -6, -1), poly(rows, 1, -5, 6), poly(rows, 2, -4, 5)
    four += poly(rows, 3, -4, 4), poly(rows, 4, -3, 3), poly(rows, 5, -2, 2)
    return [
        hash_of(1, near.w, near.n),
        hash_of(2, poly(rows, 0, -2, -1), poly(rows, 1, -1, 1), near.nn),
        hash_of(3, *three),
        hash_of(4, *four),
    ]
