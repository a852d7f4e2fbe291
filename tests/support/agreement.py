"""Kernel and reference at the same payload: both make the same of it, or both refuse it."""

import numpy as np
import reference

from aig_codec import CorruptError, _native


def both(by_kernel, by_reference):
    """What the two jobs give; None for one that refuses."""
    try:
        found = by_kernel()
    except CorruptError:
        found = None
    try:
        expected = by_reference()
    except reference.BadFile:
        expected = None
    return found, expected


def assert_same(found, expected, what):
    assert (found is None) == (expected is None), what
    if found is not None:
        np.testing.assert_array_equal(found, expected, err_msg=str(what))


def kernel_sets():
    """Choose one set of kernels after the other, and the automatic choice afterwards."""
    try:
        for name in ("plain", "avx2", "avx512"):
            try:
                _native.choose_simd(name)
            except ValueError:  # this processor has none of them
                continue
            yield name
    finally:
        _native.choose_simd("auto")
