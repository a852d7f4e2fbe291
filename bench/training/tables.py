"""The bank of distributions of the lossless coder's symbols, and the default of every context."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

#: Contexts of a channel: 2 * energy + whether the prediction lies far from an integer.
CONTEXTS = 48
#: Symbols that occur, and how many the native function counts.
SYMBOLS, _COUNTED = 30, 64
#: What the frequencies of a distribution sum to.
TOTAL = 4096


@dataclass(frozen=True)
class Bank:
    """Frequencies (tables, symbols) by entropy, least first, and the table of every context.

    cost is in bits per pixel with these tables, ideal with a distribution of each context's own.
    """

    tables: I64
    table_of: I64
    cost: float
    ideal: float


def per_pixel(statistics: NDArray[np.uint32], pixels: int, channels: int) -> F64:
    """An image's counts (contexts, symbols) as numbers per pixel; ValueError if they cannot be."""
    if statistics.shape != (channels * CONTEXTS, _COUNTED):
        raise ValueError(f"statistics of {channels} channels have the shape {statistics.shape}")
    if statistics[:, SYMBOLS:].any():
        raise ValueError(f"there are symbols beyond {SYMBOLS - 1}")
    return statistics[:, :SYMBOLS].astype(np.float64) / pixels


def train(counts: F64, size: int) -> Bank:
    """Size distributions for the contexts' counts (contexts, symbols).

    Greedy merging, then k-means with the bits of the rounded distributions.
    """
    seen = np.flatnonzero(counts.any(1))
    labels = _merged(counts[seen], size)
    tables = _fitted(counts[seen], labels)
    while True:
        fits = (counts[seen] @ _bits(tables).T).argmin(1)
        if (fits == labels).all():
            break
        # A table that nobody chose any more is gone.
        labels = np.unique(fits, return_inverse=True)[1]
        tables = _fitted(counts[seen], labels)
    order = np.argsort((tables * _bits(tables)).sum(1), kind="stable")
    place = np.argsort(order)
    nearest = np.searchsorted(seen, [_nearest(context, seen) for context in range(len(counts))])
    cost = float((counts[seen] * _bits(tables)[labels]).sum())
    # Where that many are not needed, the last one fills the bank.
    bank = np.pad(tables[order], ((0, size - len(tables)), (0, 0)), mode="edge")
    return Bank(bank, place[labels][nearest], cost, float(_entropy(counts).sum()))


def _bits(tables: I64) -> F64:
    """Code lengths of symbols under frequencies."""
    lengths: F64 = -np.log2(tables / TOTAL)
    return lengths


def _entropy(counts: F64) -> F64:
    """Bits (...) of symbols counted (..., symbols) under their own distribution."""
    total = counts.sum(-1)
    own = (counts * np.log2(counts, out=np.zeros_like(counts), where=counts > 0)).sum(-1)
    bits: F64 = total * np.log2(total, out=np.zeros_like(total), where=total > 0) - own
    return bits


def _merged(counts: F64, size: int) -> I64:
    """Labels of at most size groups: the two whose union costs the least more become one."""
    groups = counts.copy()
    labels = np.arange(len(groups))
    rise = np.full((len(groups), len(groups)), np.inf)
    for i in range(len(groups)):
        rise[i, :i] = _rise(groups[:i], groups[i])
    for _ in range(len(groups) - size):
        i, j = map(int, np.unravel_index(rise.argmin(), rise.shape))
        groups[j] += groups[i]
        labels[labels == i] = j
        rise[i, :] = rise[:, i] = np.inf
        again = _rise(groups, groups[j])
        rise[j, :j] = np.where(np.isfinite(rise[j, :j]), again[:j], np.inf)
        rise[j + 1 :, j] = np.where(np.isfinite(rise[j + 1 :, j]), again[j + 1 :], np.inf)
    names: I64 = np.unique(labels, return_inverse=True)[1]
    return names


def _rise(groups: F64, other: F64) -> F64:
    """Bits that a union with the other costs more than the two apart, for every group."""
    rise: F64 = _entropy(groups + other) - _entropy(groups) - _entropy(other)
    return rise


def _fitted(counts: F64, labels: I64) -> I64:
    """The distribution (labels, symbols) of every label's counts, as frequencies."""
    sums = [counts[labels == label].sum(0) for label in range(labels.max() + 1)]
    return np.array([frequencies(one) for one in sums])


def frequencies(counts: F64) -> I64:
    """Integers of at least 1 that sum to TOTAL and spend the fewest bits on counts (symbols)."""
    rounded = np.rint(counts * (TOTAL / counts.sum())).astype(np.int64)
    found = np.maximum(rounded, 1)
    while (excess := int(found.sum()) - TOTAL) != 0:
        step = -1 if excess > 0 else 1
        loss = np.where(
            found + step > 0, counts * np.log2(found / np.maximum(found + step, 1)), np.inf
        )
        found[loss.argmin()] += step
    integers: I64 = found
    return integers


def _nearest(context: int, seen: I64) -> int:
    """The context that stands for this one: of its channel and bit, the nearest in energy."""
    channel = seen[seen // CONTEXTS == context // CONTEXTS]
    if not channel.size:
        raise ValueError(f"nothing is known of channel {context // CONTEXTS}")
    other_bit = (channel - context) % 2 != 0
    distance = abs(channel // 2 - context // 2) + CONTEXTS * other_bit
    return int(channel[distance.argmin()])
