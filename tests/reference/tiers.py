"""Mid and background: the high frequencies (7.3.6)."""

from functools import cache

import numpy as np

from .blocks import base_step, coefficient, step, weights, without_aliases
from .levels import HIGH_CONTEXTS, AdaptiveHigh, StaticHigh, signed
from .notation import clip, expect, tolerate
from .streams import GROUP, parts_of, read_streams

NEIGHBOUR_CONTEXT = (0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 6, 6, 6, 6)


@cache
def scan_of(a, b, scale):
    """7.3.6: the high frequencies of a block of 2^a x 2^b cells, in order, as (h, v, band).

    A cell has scale x scale pixels of the 1/8 image.
    """
    width, height = 8 << a, 8 << b

    def key(place):
        h, v = place
        total = h * height + v * width
        return total, v if total // max(width, height) % 2 else h

    low_width, low_height = scale << a, scale << b
    places = [(h, v) for v in range(height) for h in range(width)]
    places = [(h, v) for h, v in places if h >= low_width or v >= low_height]
    return [(h, v, band_of((h >> a) + (v >> b))) for h, v in sorted(places, key=key)]


def band_of(s):
    """7.3.6"""
    return s if s < 4 else 4 if s < 6 else 5 if s < 9 else 6


def busy_of(levels, size):
    """7.3.6: how busy a block with these levels is."""
    count = int(np.count_nonzero(levels))
    if count == 0:
        return 0
    n = 256 * count // (64 << size) + 1
    return clip((n * n).bit_length() - 1, 1, 12)


class HighCoder:
    """7.3.6: the high frequencies of one plane in a group."""

    def __init__(self, reader, plane, window):
        self.reader = reader
        self.p = int(plane.chroma)
        self.scale = plane.scale
        self.top, self.bottom, self.left, self.right = window
        self.busy = np.zeros((plane.rows, plane.columns), np.int64)

    def around(self, block):
        rows, columns = block.cells
        left = above = 0
        if block.column > self.left:
            left = int(self.busy[rows, block.column - 1].sum()) >> block.b
        if block.row > self.top:
            above = int(self.busy[block.row - 1, columns].sum()) >> block.a
        if block.column > self.left and block.row > self.top:
            return (left + above + 1) // 2
        return left + above

    def decode(self, block):
        """The levels [v, h] of one block."""
        size = block.a + block.b
        z = (size + 1) // 2
        around = self.around(block)
        f = around // 4 if around < 12 else 2
        scan = scan_of(block.a, block.b, self.scale)
        end = self.reader.end(self.p, z, (around + 1) // 2)
        expect(end <= len(scan), "an end beyond the scan")

        width, height = 8 << block.a, 8 << block.b
        levels = np.zeros((height, width), np.int64)
        small = [[0] * (width + 2) for _ in range(height + 2)]  # m, with a border of zeros
        for position in range(end - 1, -1, -1):
            h, v, band = scan[position]
            own, below = small[v], small[v + 1]
            g = 2 * (own[h + 1] + below[h] + below[h + 1]) + own[h + 2] + small[v + 2][h]
            c = NEIGHBOUR_CONTEXT[g] if g <= 16 else 7
            is_last = position == end - 1
            magnitude = self.reader.level(self.p, z, band, c, f, g, is_last)
            if magnitude:
                own[h] = min(3, magnitude)
                levels[v, h] = signed(self.reader, magnitude)
        self.busy[block.cells] = busy_of(levels, size)
        return levels


class TierParameters:
    """7.3.6: strength of deblocking and taps [class of plane, class of cell, tap], or None."""

    def __init__(self, head):
        self.strength, has_taps = head.take(2)
        expect(has_taps < 2, "impossible parameters")
        self.taps = None
        if has_taps:
            taps = np.frombuffer(head.take(84), np.int8).reshape(2, 7, 6).astype(np.int64)
            expect(taps.min() >= -64 and taps.max() <= 63, "impossible taps")
            self.taps = taps


class Tier:
    """7.3.6: what a tier's segment says, added to the cells known of every plane."""

    def __init__(self, preview, kind, level, known):
        self.preview = preview
        self.kind = kind
        self.level = level
        self.known = known

    def decode(self, segment, problems=None):
        picture = self.preview.picture
        parts = parts_of(picture, GROUP)
        streams = read_streams(segment, len(parts), HIGH_CONTEXTS, TierParameters)
        self.cell_steps = self.preview.steps_of_cells(base_step(self.level, picture.matrix))
        for number, part in enumerate(parts):
            with tolerate(problems):
                self.decode_group(streams, number, part)

    def decode_group(self, streams, number, part):
        planes = []
        for plane, lows in enumerate(self.preview.groups.get(part, [])):
            classes = self.preview.classes[plane]
            planes.append(
                [low for low in lows if classes[low.block.row, low.block.column] == self.kind]
            )
        if not any(planes):
            expect(part not in self.preview.groups or streams.is_empty(number), "left over")
            return
        reader = streams.open(number, AdaptiveHigh, StaticHigh)
        found = []
        for plane, lows in enumerate(planes):
            own = self.preview.planes[plane]
            coder = HighCoder(reader, own, own.window(GROUP, *part))
            found.append([coder.decode(low.block) for low in lows])
        reader.finish()
        for plane, lows in enumerate(planes):
            for low, levels in zip(lows, found[plane], strict=True):
                self.add(plane, streams.parameters, low, levels)

    def add(self, plane, parameters, low, levels):
        block, size = low.block, low.block.a + low.block.b
        cells = self.cell_steps[plane]
        b = int(cells[block.row, block.column])
        steps = step(b, weights(block.a, block.b, self.preview.picture.matrix), size)
        coefficients = coefficient(levels, steps)
        scale = self.preview.planes[plane].scale
        lowest = without_aliases(low.lowest, coefficients, scale)
        coefficients[: scale << block.b, : scale << block.a] = lowest
        taps = None
        if parameters.taps is not None:
            taps = parameters.taps[min(plane, 1)][(busy_of(levels, size) + 1) // 2]
        self.known[plane].add(block, coefficients, cells[block.cells] * parameters.strength, taps)
