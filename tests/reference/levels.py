"""What the streams of the DCT coder say (7.3.5, 7.3.6), in adaptive and in static coding.

There is one reader for each kind of stream and way of coding; those of a kind have the same
methods.  p is 0 for luma and 1 for chroma (in the preview, 2 for Cr), z the size class of a block.
"""

from . import trained
from .blocks import QUARTERS, TALL, WHOLE, WIDE
from .notation import expect
from .streams import AdaptiveReader, StaticReader, shaped

MOST_LOW, MOST_HIGH = 32766, 32767
LOW_CONTEXTS, HIGH_CONTEXTS = 95, 244


class LowModel:
    """7.3.6, models: the probabilities of one plane in a stream of the preview."""

    def __init__(self, values):
        self.kept = shaped(values, 2, 9)
        self.halved = shaped(values, 2)
        self.tall = shaped(values, 2, 9)
        self.dc = shaped(values, 5, 8, 14)
        self.low_end = shaped(values, 5, 4, 14)
        self.low = shaped(values, 5, 7, 9, 3)
        self.tail = shaped(values, 9, 14)


class HighModel:
    """7.3.6, models: the probabilities of luma or chroma, and a size class, in a tier."""

    def __init__(self, values):
        self.significant = shaped(values, 7, 8, 3)
        self.above_one = shaped(values, 7, 8)
        self.above_two = shaped(values, 7, 8)
        self.tail = shaped(values, 8, 14)
        self.end_class = shaped(values, 7, 10)
        self.end_high = shaped(values, 11)
        self.end_second = shaped(values, 11, 2)


class AdaptiveLow(AdaptiveReader):
    """7.3.5 in adaptive coding."""

    def __init__(self, raw, coded):
        super().__init__(raw, coded)
        values = iter(trained.model("kTrainedLow"))
        self.models = [LowModel(values) for _ in range(3)]
        self.of_adaptation = shaped(values, 14)

    def adaptation(self):
        return self.exp_golomb(self.of_adaptation)

    def cut(self, p, q, e):
        model = self.models[p]
        if not self.bit(model.kept[q], e):
            return QUARTERS
        if not self.bit(model.halved, q):
            return WHOLE
        return TALL if self.bit(model.tall[q], e) else WIDE

    def dc(self, p, size, gradient_class):
        return self.exp_golomb(self.models[p].dc[size][gradient_class])

    def low_end(self, p, size, e, most):
        model = self.models[p].low_end[size][e]
        end = 0
        while end < most and self.bit(model, end):
            end += 1
        return end

    def low(self, p, size, total, r):
        model = self.models[p]
        value = 0
        while value < 3 and self.bit(model.low[size][min(total, 6)][r], value):
            value += 1
        return value if value < 3 else 3 + self.exp_golomb(model.tail[r])


class StaticLow(StaticReader):
    """7.3.5 in static coding."""

    def adaptation(self):
        return min(self.value(92), MOST_LOW)

    def cut(self, p, q, e):
        how = self.symbol(88 + 2 * p + q)
        expect(how <= TALL, "a square is cut in an unknown way")
        return how

    def dc(self, p, size, gradient_class):
        return min(self.value(8 * min(p, 1) + gradient_class), MOST_LOW)

    def low_end(self, p, size, e, most):
        end = self.symbol(93 + min(p, 1))
        expect(end <= most, "an end beyond the lowest coefficients")
        return end

    def low(self, p, size, total, r):
        context = 16 + 6 * (6 * min(p, 1) + min(total, 6) - 1) + min(r, 5)
        return min(self.value(context), MOST_LOW)


class AdaptiveHigh(AdaptiveReader):
    """7.3.6 in adaptive coding."""

    def __init__(self, raw, coded):
        super().__init__(raw, coded)
        values = iter(trained.model("kTrainedHigh"))
        self.models = [[HighModel(values) for _ in range(3)] for _ in range(2)]

    def end(self, p, z, e):
        model = self.models[p][z]
        n = self.unary(model.end_class[e])
        if n < 2:
            return n
        second = self.bit(model.end_high, n)
        if n == 2:
            return 2 + second
        third = self.bit(model.end_second[n], second)
        return (4 + 2 * second + third) << (n - 3) | self.bits(n - 3)

    def level(self, p, z, band, c, f, g, is_last):
        """The magnitude of a level."""
        model = self.models[p][z]
        if not is_last and not self.bit(model.significant[band][c], f):
            return 0
        if not self.bit(model.above_one[band], c):
            return 1
        if not self.bit(model.above_two[band], c):
            return 2
        return min(3 + self.exp_golomb(model.tail[min(7, (g + 1) // 4)]), MOST_HIGH)


class StaticHigh(StaticReader):
    """7.3.6 in static coding."""

    def end(self, p, z, e):
        return self.value(216 + 7 * (3 if p else z) + e)

    def level(self, p, z, band, c, f, g, is_last):
        context = 54 * (3 if p else z)
        if is_last:
            return min(self.value(context + 48 + min(band, 5)) + 1, MOST_HIGH)
        return min(self.value(context + 8 * min(band, 5) + c), MOST_HIGH)


def signed(reader, magnitude):
    """A magnitude with the sign that follows unless it is 0."""
    return -magnitude if magnitude and reader.bits(1) else magnitude
