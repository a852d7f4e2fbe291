"""Matches of graphics: where the surroundings of a pixel were met before (7.1.7)."""

from dataclasses import dataclass

MOST_TRUST = 15
MOST_BITS = 18


@dataclass(frozen=True)
class Match:
    """7.1.7, matches: (u, v, t)"""

    up: int
    right: int
    trust: int


@dataclass(frozen=True)
class Expected:
    """What the match that was chosen says of the current pixel."""

    match: Match
    alike: int
    pixel: int


def depth(width):
    """7.1.7, matches: D, the number of rows in which they lie, the one being coded included."""
    return max(16, (1 << 20) // width)


class Matches:
    def __init__(self, b, width):
        self.width, self.depth = width, depth(width)
        self.shift = 32 - min(b, MOST_BITS)
        self.places = {}
        self.row = 0
        self.here, self.above = {}, {}

    def find(self, rows, near, h1):
        """The best one of up to four, or None."""
        x = rows.x
        known = self.here.get(x - 1), self.above.get(x), self.above.get(x + 1)
        looked_at = [self._look(rows, near, match) for match in known if match]
        row, column = self.places.get(h1 >> self.shift, (None, None))
        if row is not None:
            begun = self._look(rows, near, Match(self.row - row, column - x, 1))
            looked_at += [begun] if begun and begun.alike == 6 else []
        found = [one for one in looked_at if one]
        return max(found, key=lambda one: 16 * one.alike + one.match.trust, default=None)

    def _look(self, rows, near, match):
        if not 0 <= rows.x + match.right < self.width or match.up > self.depth - 3:
            return None
        six = [(0, -1), (1, 0), (1, -1), (1, 1), (0, -2), (2, 0)]
        there = [rows.look(match.up + k, match.right + i) for k, i in six]
        alike = sum(a == b for a, b in zip(there, near.six, strict=True))
        return Expected(match, alike, rows.look(match.up, match.right))

    def learn(self, rows, h1, expected, pixel):
        if expected:
            up, right, t = expected.match.up, expected.match.right, expected.match.trust
            t = min(t + 1, MOST_TRUST) if expected.pixel == pixel else t // 2
            self._set(rows.x, Match(up, right, t))
        self.places[h1 >> self.shift] = (self.row, rows.x)

    def go_on(self, rows):
        self._set(rows.x, self.here.get(rows.x - 1))

    def _set(self, x, match):
        if match and match.trust:
            self.here[x] = match

    def end_row(self):
        self.here, self.above = {}, self.here
        self.row += 1
