"""The preview: cuts, adaptation of steps, and the 1/8 image (7.3.5)."""

from dataclasses import dataclass

import numpy as np

from .blocks import (
    DRAWN_HOLE,
    Block,
    adapted_step,
    blocks_of_square,
    cell_classes,
    coefficient,
    eighth_of_block,
    half_tilt,
    low_base_step,
    plane_step,
    planes_of,
    step,
)
from .levels import LOW_CONTEXTS, AdaptiveLow, StaticLow, signed
from .notation import clip, expect, med, tolerate
from .streams import GROUP, REGION, parts_of, read_streams

#: The least B of the 1/8 image in drawn holes.
LEAST_DRAWN = 1536
#: Classes of what is known near a coefficient begin with these sums, the first one with 0.
LEAST_OF_CLASSES = (1, 2, 3, 4, 6, 9, 13, 19)


@dataclass(frozen=True)
class LowBlock:
    """A block and its lowest coefficients [v, h]."""

    block: Block
    lowest: np.ndarray


class Preview:
    """7.3.5: what the preview says, of the regions that are there."""

    def __init__(self, picture, classes):
        self.picture = picture
        size = picture.width, picture.height
        self.planes = planes_of(*size, picture.colours, picture.subsampling)
        self.classes = [cell_classes(plane, classes, picture.mid) for plane in self.planes]
        shapes = [own.shape for own in self.classes]
        scales = [plane.scale for plane in self.planes]
        self.eighth = [
            np.zeros((scale * rows, scale * columns), np.int64)
            for scale, (rows, columns) in zip(scales, shapes, strict=True)
        ]
        self.across = [np.zeros(shape, np.int64) for shape in shapes]  # log2 of a block's width
        self.down = [np.zeros(shape, np.int64) for shape in shapes]  # and of its height
        rows, columns = shapes[0]
        self.adaptation = np.zeros(((rows + 3) // 4, (columns + 3) // 4), np.int64)  # of luma
        self.shares = (16, 16, 16)
        self.is_adapted = False
        self.groups = {}  # (row, column) to the LowBlocks of every plane

    def read_parameters(self, head):
        share_b, share_r, adapted = head.take(3)
        expect(share_b and share_r and adapted < 2, "impossible parameters")
        self.shares = (16, share_b, share_r)
        self.is_adapted = bool(adapted)

    def decode(self, segment, problems=None):
        parts = parts_of(self.picture, REGION)
        streams = read_streams(segment, len(parts), LOW_CONTEXTS, self.read_parameters)
        for number, part in enumerate(parts):
            with tolerate(problems):
                self.groups.update(self.decode_region(streams, number, *part))
            if (part[0] * REGION // GROUP, part[1] * REGION // GROUP) not in self.groups:
                for plane, eighth in zip(self.planes, self.eighth, strict=True):
                    top, bottom, left, right = plane.window(REGION, *part)
                    s = plane.scale
                    eighth[s * top : s * bottom, s * left : s * right] = 0  # 7.3.9

    def decode_region(self, streams, number, row, column):
        """All planes of a region: the LowBlocks of its groups."""
        reader = streams.open(number, AdaptiveLow, StaticLow)
        if self.is_adapted:
            self.decode_adaptation(reader, row, column)
        inside = [
            (y, x)
            for y, x in parts_of(self.picture, GROUP)
            if (y // (REGION // GROUP), x // (REGION // GROUP)) == (row, column)
        ]
        groups = {part: [] for part in inside}
        for index, plane in enumerate(self.planes):
            window = plane.window(REGION, row, column)
            coder = LowCoder(self, reader, index, window[0], window[2])
            for part in inside:
                if index < 2:
                    blocks = [coder.decode(block) for block in coder.blocks(part)]
                else:
                    blocks = [coder.decode(low.block, low.lowest) for low in groups[part][1]]
                groups[part].append(blocks)
        reader.finish()
        return groups

    def decode_adaptation(self, reader, row, column):
        top, bottom, left, right = self.planes[0].window(REGION, row, column)
        value = 0
        for y in range(top // 4, (bottom + 3) // 4):
            for x in range(left // 4, (right + 3) // 4):
                value += signed(reader, reader.adaptation())
                expect(-8 <= value <= 8, "impossible adaptation")
                self.adaptation[y, x] = value

    def steps_of_cells(self, base):
        """7.3.3: B of the high frequencies of every cell, of every plane."""
        result = []
        for plane, classes, share in zip(self.planes, self.classes, self.shares, strict=False):
            b = plane_step(base, share)
            cells = np.full(classes.shape, b)
            if self.is_adapted:
                y, x = (np.arange(count) * plane.scale // 4 for count in classes.shape)
                table = np.array([adapted_step(b, value) for value in range(-8, 9)])
                cells = table[self.adaptation[y][:, x] + 8]
            result.append(cells)
        return result


class LowCoder:
    """7.3.5: cuts and lowest coefficients of one plane in a region, which begins at a cell."""

    def __init__(self, preview, reader, number, top, left):
        self.preview = preview
        self.reader = reader
        self.plane = preview.planes[number]
        self.p = number
        self.classes = preview.classes[number]
        self.eighth = preview.eighth[number]
        self.across = preview.across[number]
        self.down = preview.down[number]
        self.top, self.left = top, left
        base = low_base_step(preview.picture.quality_level, preview.picture.matrix)
        self.bases = [plane_step(base, share) for share in preview.shares]

    def low_step(self, plane, block, size):
        """7.3.5: S of a block."""
        b = self.bases[plane]
        if self.classes[block.row, block.column] == DRAWN_HOLE:
            b = max(b, LEAST_DRAWN)
        return int(step(b, 16, size))

    def blocks(self, group):
        """The blocks of a group, cut by what the stream says."""
        top, bottom, left, right = self.plane.window(GROUP, *group)
        for row in range(top, bottom, 4):
            for column in range(left, right, 4):
                yield from blocks_of_square(self.classes, row, column, 2, self.cut)

    def cut(self, row, column, size):
        e = 3 * int(self.across[row - 1, column]) if row > self.top else 0
        e += int(self.down[row, column - 1]) if column > self.left else 0
        return self.reader.cut(self.p, 2 - size, e)

    def prediction(self, block):
        """What the lowest coefficients are predicted to be, and the gradient."""
        scale = self.plane.scale
        rows, columns = block.pixels(scale)
        row, column = rows.start, columns.start
        predicted = np.zeros((scale << block.b, scale << block.a), np.int64)
        left = above = 0
        if block.column > self.left:
            side = self.eighth[rows, column - 1]
            left = int(side.sum()) * 4 // len(side)
            if len(side) > 1:
                predicted[1, 0] = half_tilt(side, scale)
        if block.row > self.top:
            side = self.eighth[row - 1, columns]
            above = int(side.sum()) * 4 // len(side)
            if len(side) > 1:
                predicted[0, 1] = half_tilt(side, scale)
        if block.column == self.left or block.row == self.top:
            predicted[0, 0] = clip(2 * (left + above), -32768, 32767)
            return predicted, 0
        corner = 4 * int(self.eighth[row - 1, column - 1])
        dc = (2 * med(left, above, corner) + left + above + 1) >> 1
        predicted[0, 0] = clip(dc, -32768, 32767)
        return predicted, abs(left - corner) + abs(above - corner)

    def decode(self, block, of_cb=None):
        """One block: its lowest coefficients, and its pixels of the 1/8 image.

        of_cb: the lowest coefficients of the same block of Cb, if this is one of Cr.
        """
        size = block.a + block.b
        scale = self.plane.scale
        width, height = scale << block.a, scale << block.b
        steps = self.low_step(self.p, block, size)
        predicted, gradient = self.prediction(block)
        gradient_class = min((32 * gradient // steps).bit_length(), 7)
        levels = np.zeros((height, width), np.int64)
        levels[0, 0] = signed(self.reader, self.reader.dc(self.p, size, gradient_class))

        small = [[0] * (width + 1) for _ in range(height + 1)]  # m, with a border of zeros
        most = width + height - 2
        of_cb, last_of_cb = self.levels_of_cb(block, size, of_cb, predicted.shape)
        e = gradient_class // 2 if self.p < 2 else min(3, (last_of_cb + 1) // 2)
        end = self.reader.low_end(self.p, size, e, most) if most else 0
        for total in range(end, 0, -1):
            for v in range(max(0, total - width + 1), min(total, height - 1) + 1):
                h = total - v
                near = small[v][h + 1] + small[v + 1][h] + small[v + 1][h + 1]
                r = sum(near + 2 * int(of_cb[v, h]) >= least for least in LEAST_OF_CLASSES)
                magnitude = self.reader.low(self.p, size, total, r)
                small[v][h] = min(9, magnitude)
                levels[v, h] = signed(self.reader, magnitude)

        lowest = np.clip(predicted + coefficient(levels, steps), -32768, 32767)
        self.eighth[block.pixels(scale)] = eighth_of_block(lowest, scale)
        self.across[block.cells] = block.a
        self.down[block.cells] = block.b
        return LowBlock(block, lowest)

    def levels_of_cb(self, block, size, of_cb, shape):
        """7.3.5: Q of the block's lowest coefficients, and the last h + v of those not 0."""
        if of_cb is None:
            return np.zeros(shape, np.int64), 0
        steps = self.low_step(1, block, size)
        levels = np.minimum(6, (16 * np.abs(of_cb) + steps // 2) // steps)
        return levels, max((int(h + v) for v, h in np.argwhere(of_cb)), default=0)
