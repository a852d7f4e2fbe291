"""Classes of predictors by k-means: blocks choose their class, classes are fitted to their blocks.

A class is one set of coefficients for all channels. The classes start as one and are split in two
until there are enough.
"""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from .samples import BLOCK, F32, STEP, Sampled

F64 = NDArray[np.float64]
I8 = NDArray[np.int8]
Labels = NDArray[np.int64]

#: Coefficients (classes, terms) of every channel.
Book = list[F64]

#: The unit of a coefficient is 1 / UNIT; coefficients are signed bytes.
UNIT = 64

#: Rounds for each number of classes, and for the last one.
_ROUNDS, _LAST_ROUNDS = 10, 30
#: Two halves of a class: one leans to the north, the other, a little shrunk, to the west.
_LEAN, _SHRINK = 0.1, 0.9
#: Bits for a class that is not that of the block before.
_SWITCH = 2.0
#: An error e is taken to cost log2(|e| + _COST_OFFSET) bits.
_COST_OFFSET = 1.5
_WEIGHT_OFFSET = 0.7
_RIDGE = 1e-3
#: Blocks that are evaluated at once, such that they stay in the cache.
_CHUNK = 64


@dataclass(frozen=True)
class Stage:
    """A book, the bits that it costs, and how many blocks chose each of its classes."""

    book: Book
    cost: float
    chosen: Labels
    done: bool = False

    @property
    def classes(self) -> int:
        """How many classes the book has."""
        return len(self.chosen)

    def ordered(self) -> I8:
        """All coefficients (classes, terms of all channels) in UNITs, the favourite first."""
        order = np.argsort(-self.chosen, kind="stable")
        return np.rint(np.concatenate(self.book, 1)[order] * UNIT).astype(np.int8)


@dataclass(frozen=True)
class _Vote:
    """One image's part: cost in bits, blocks per class, and its normal equations.

    normal holds for every channel the sums (classes, terms + 1, terms + 1) of weighted products.
    """

    cost: float
    chosen: Labels
    normal: list[F64]


def stages(classes: int) -> int:
    """How many stages train() yields up to so many classes, a power of two."""
    return _ROUNDS * (classes.bit_length() - 1) + _LAST_ROUNDS + 1


def train(images: Sequence[Sampled], classes: int) -> Iterator[Stage]:
    """The book before every round of k-means and, last and done, the one that came out."""
    book: Book = [np.zeros((1, terms.shape[1] - 1)) for terms in images[0].terms]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        while True:
            count = len(book[0])
            for _ in range(_LAST_ROUNDS if count == classes else _ROUNDS):
                votes = list(pool.map(partial(_vote, book), images))
                yield _stage(book, votes)
                book = _refit(book, votes)
            if count == classes:
                break
            book = _split(book)
        yield _stage(book, list(pool.map(partial(_vote, book), images)), done=True)


def _stage(book: Book, votes: Sequence[_Vote], done: bool = False) -> Stage:
    chosen: Labels = np.sum([vote.chosen for vote in votes], 0)
    return Stage(book, sum(vote.cost for vote in votes), chosen, done)


def _split(book: Book) -> Book:
    halves = []
    for channel in book:
        lean = np.zeros(channel.shape[1])
        lean[:2] = _LEAN, -_LEAN
        halves.append(np.concatenate([channel - lean, channel * _SHRINK + lean]))
    return halves


def _vote(book: Book, image: Sampled) -> _Vote:
    """Let the blocks of an image choose their classes, and weigh what they want of these."""
    signed = [_with_aim(channel) for channel in book]
    costs = sum(_costs(*pair) for pair in zip(signed, image.terms, strict=True))
    labels, cost = _choose(np.reshape(costs, (*image.grid, -1)))
    normal = [_normal(*pair, labels) for pair in zip(signed, image.terms, strict=True)]
    return _Vote(cost, np.bincount(labels, minlength=len(book[0])), normal)


def _with_aim(channel: F64) -> F32:
    """Coefficients (classes, terms + 1) whose product with the terms and the aim is the error."""
    return np.pad(channel, ((0, 0), (0, 1)), constant_values=-1).astype(np.float32)


def _costs(signed: F32, terms: F32) -> F32:
    """Bits (blocks, classes) of every block in every class."""
    costs = np.empty((len(terms), len(signed)), np.float32)
    for first in range(0, len(terms), _CHUNK):
        errors = np.matmul(signed, terms[first : first + _CHUNK])
        np.abs(errors, out=errors)
        errors += _COST_OFFSET
        # One logarithm for a column of a block; the product of so few errors is within float32.
        products = errors.reshape(*errors.shape[:2], -1, BLOCK).prod(2)
        costs[first : first + _CHUNK] = np.log2(products).sum(2) * STEP
    return costs


def _choose(costs: F32) -> tuple[Labels, float]:
    """The class of every block and the sum of costs (rows, columns, classes), from the left."""
    rows, columns, classes = costs.shape
    labels = np.full((rows, columns + 1), -1)
    total = 0.0
    for x in range(columns):
        change = np.arange(classes) != labels[:, x, None]
        paid = costs[:, x] + _SWITCH * change
        labels[:, x + 1] = paid.argmin(1)
        total += float(paid.min(1).sum())
    return labels[:, 1:].ravel(), total


def _normal(signed: F32, terms: F32, labels: Labels) -> F64:
    """Weighted sums (classes, terms + 1, terms + 1) of products of terms over their blocks.

    The weights make least squares minimise sums of |e| relative to the blocks' mean errors.
    """
    errors = np.abs(np.matmul(signed[labels][:, None], terms))
    mean = errors.mean(2, keepdims=True)
    weights = 1 / ((errors + mean + _WEIGHT_OFFSET) * (mean + _WEIGHT_OFFSET))
    products = np.matmul(terms * weights, terms.transpose(0, 2, 1)).astype(np.float64)
    members = (np.arange(len(signed))[:, None] == labels).astype(np.float64)
    sums: F64 = members @ products.reshape(len(terms), -1)
    return sums.reshape(-1, *products.shape[1:])


def _refit(book: Book, votes: Sequence[_Vote]) -> Book:
    """Solve the normal equations of every class that some block chose, and round to the unit."""
    chosen = np.sum([vote.chosen for vote in votes], 0) > 0
    fitted = []
    for c, channel in enumerate(book):
        normal: F64 = np.sum([vote.normal[c] for vote in votes], 0)
        matrix = normal[:, :-1, :-1] + _RIDGE * np.eye(channel.shape[1])
        solved = np.linalg.solve(matrix, normal[:, :-1, -1:])[..., 0]
        units = np.rint(solved * UNIT).clip(-128, 127)
        fitted.append(np.where(chosen[:, None], units / UNIT, channel))
    return fitted
