"""What an adaptive coder of a predictor's errors needs, in bits, without writing them.

Contexts and bias cancellation are those of mixed coding (docs/format.md, 7.1.12), in floats. The
decoder knows every number here that decides how a sample is coded: contexts, guesses and
frequencies depend on earlier samples only.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .samples import F32, I32, padded, shifted

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

#: Classes of energy; contexts of a plane: these, by how near the prediction is to a whole number.
CLASSES = 24
CONTEXTS = 2 * CLASSES
SYMBOLS = 256

#: Errors are in 1/8 and up to a limit; bias shrinks by so many imagined errors of 0.
_ERROR_UNIT, _MOST_ERROR, _SHRINK = 8, 2047, 12
#: How many symbols what was counted in training stands for, in each context: the best of 20 to
#: 1000, but for the median, where half of the pictures to train on stood for those held back.
STRENGTH = 100.0

#: Neighbours (dy, dx) and their weights in the energy.
_AROUND = (
    *(((0, -1), 4), ((-1, 0), 4), ((-1, -1), 2), ((-1, 1), 2)),
    *(((0, -2), 2), ((-2, 0), 2)),
)


def counts(planes: Sequence[I32], predictions: Sequence[F32]) -> I64:
    """How often each symbol is in each context: (planes, CONTEXTS, SYMBOLS).

    planes: samples (height, width) in order of coding, up to 255. predictions: of the same shape.
    """
    errors: list[F32] = []
    found = []
    for samples, prediction in zip(planes, predictions, strict=True):
        prediction = np.clip(prediction, 0, SYMBOLS - 1)
        energy = _energy(samples, errors)
        errors.append(_sizes(samples, prediction))
        energy = energy + _spread(errors[-1])
        contexts, symbols = _symbols(samples, prediction, _class_of(energy))
        both = contexts * SYMBOLS + symbols
        found.append(np.bincount(both.ravel(), minlength=CONTEXTS * SYMBOLS))
    return np.reshape(found, (-1, CONTEXTS, SYMBOLS))


def first_frequencies(trained: I64) -> F64:
    """Frequencies (planes, CONTEXTS, SYMBOLS) to start with, of counts in training."""
    known = trained + trained.sum(1, keepdims=True) * 0.01 + 0.01
    return STRENGTH * known / known.sum(2, keepdims=True) + 1 / SYMBOLS


def bits(first: F64, counted: I64) -> float:
    """Sum of -log2 of the probabilities of all symbols, coded one by one.

    The probability of a symbol is its share of first plus what was counted in its context so far,
    so that their order does not matter: the sum is that of a Dirichlet-multinomial distribution.
    """
    from scipy.special import gammaln

    def logs(frequencies: F64, more: I64) -> float:
        return float((gammaln(frequencies + more) - gammaln(frequencies)).sum())

    nats = logs(first.sum(2), counted.sum(2)) - logs(first, counted)
    return nats / float(np.log(2))


def _sizes(samples: I32, prediction: F32) -> F32:
    return np.minimum(_MOST_ERROR, _ERROR_UNIT * np.abs(samples - prediction)).astype(np.float32)


def _energy(samples: I32, earlier: Sequence[F32]) -> F32:
    """The part of the samples around, and of the errors of the planes before."""
    wide = padded(samples, 128)
    west, corner, north, east, far_west, far_north = (
        shifted(wide, *offset) for offset in ((0, -1), (-1, -1), (-1, 0), (-1, 1), (0, -2), (-2, 0))
    )
    pairs = ((west, corner), (corner, north), (north, east), (west, far_west), (north, far_north))
    energy = 4 * sum(np.abs(a - b) for a, b in pairs)
    weight = {0: 0, 1: 4, 2: 3}[len(earlier)]
    return (energy + weight * sum(earlier)).astype(np.float32)


def _spread(errors: F32) -> F32:
    """The part of the errors around."""
    wide = padded(errors, 0)
    return np.sum([weight * shifted(wide, *offset) for offset, weight in _AROUND], 0)


def _class_of(energy: F32) -> I64:
    """Two classes for each doubling."""
    value = (energy.astype(np.int64) >> 3) + 1
    exponent = np.frexp(value.astype(np.float64))[1] - 1
    halves = 2 * exponent + ((value >> np.maximum(exponent - 1, 0)) & 1)
    return np.minimum(CLASSES - 1, np.where(value < 2, 0, halves))


def _symbols(samples: I32, prediction: F32, energy: I64) -> tuple[I64, I64]:
    """Contexts and symbols (height, width): errors modulo 256, positive towards where a fraction
    of the prediction points."""
    wide = padded(samples, 128)
    texture = np.zeros(samples.shape, np.int64)
    for k, offset in enumerate(((0, -1), (-1, 0), (-1, -1), (-1, 1), (0, -2), (-2, 0))):
        texture |= (shifted(wide, *offset) > prediction).astype(np.int64) << k
    bias = _bias(texture * CLASSES + energy, samples - prediction)
    final = np.clip(prediction + bias, 0, SYMBOLS - 1)
    guess = np.rint(final)
    part = final - guess
    errors = (samples - guess).astype(np.int64)
    symbols = np.where(part < 0, -errors, errors) % SYMBOLS
    return energy + CLASSES * (np.abs(part) >= 0.25), symbols


def _bias(cells: I64, errors: F32) -> F64:
    """For every pixel the mean of the errors before it in its cell, shrunk."""
    flat, values = cells.ravel(), errors.ravel().astype(np.float64)
    order = np.argsort(flat, kind="stable")
    sorted_cells, sorted_values = flat[order], values[order]
    before = np.concatenate([[0.0], np.cumsum(sorted_values)[:-1]])
    start = np.searchsorted(sorted_cells, sorted_cells)
    seen = np.arange(len(flat)) - start
    bias = np.empty(len(flat))
    bias[order] = (before - before[start]) / (seen + _SHRINK)
    return bias.reshape(cells.shape)
