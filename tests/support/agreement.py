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


SETS = ("plain", "vector", "avx2", "avx512")


def kernel_sets(names=("plain", "avx2", "avx512")):
    """Choose one set of kernels after the other, and the automatic choice afterwards."""
    try:
        for name in names:
            try:
                _native.choose_simd(name)
            except ValueError:  # this processor has none of them
                assert name in ("avx2", "avx512")
                continue
            assert _native.simd() == name
            yield name
    finally:
        _native.choose_simd("auto")


def by_kernel_set(job):
    """What a job gives with every set of kernels that there is."""
    results = {name: job() for name in kernel_sets(SETS)}
    assert len(results) >= 2
    return results
