"""Static rANS over clustered contexts (Duda 2013, arXiv:1311.2540; format.md, 6.5)."""

import numpy as np
from numpy.typing import NDArray

from .. import _native

ID = 2
KIND = 2


def encode(symbols: NDArray[np.uint8], contexts: NDArray[np.uint8], n_contexts: int) -> bytes:
    """Code symbols 0..63 with frequency tables that contexts of similar statistics share."""
    return _native.rans_encode(symbols, contexts, n_contexts)


def finish(coded: bytes) -> bytes:
    """Shared tables: what the kernel made is the stream."""
    return coded


def prepare(coded: bytes, max_symbols: int) -> bytes:
    """The kernel reads the stream as it is."""
    return coded
