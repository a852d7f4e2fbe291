"""Golomb-Rice codes, one parameter per context (Rice and Plaunt 1971; format.md, 6.4)."""

import numpy as np
from numpy.typing import NDArray

from .. import _native

ID = 1
KIND = 1


def encode(symbols: NDArray[np.uint8], contexts: NDArray[np.uint8], n_contexts: int) -> bytes:
    """Code symbols 0..63 with the parameter that is cheapest for each context."""
    return _native.rice_encode(symbols, contexts, n_contexts)


def finish(coded: bytes) -> bytes:
    """Shared parameters: what the kernel made is the stream."""
    return coded


def prepare(coded: bytes, max_symbols: int) -> bytes:
    """The kernel reads the codes as they are."""
    return coded
