"""Snappy over one byte per symbol: the original specification's coding, kept as its baseline."""

import numpy as np
import snappy
from numpy.typing import NDArray

from ..container.metadata import snappy_length
from ..errors import CorruptError

ID = 0
KIND = 0


def encode(symbols: NDArray[np.uint8], contexts: NDArray[np.uint8], n_contexts: int) -> bytes:
    """Compress the symbols as they come; contexts play no part."""
    data: bytes = snappy.compress(symbols.tobytes())
    return data


def finish(coded: bytes) -> bytes:
    """Compress symbols, one byte each."""
    data: bytes = snappy.compress(coded)
    return data


def prepare(coded: bytes, max_symbols: int) -> bytes:
    """Unpack to one byte per symbol, having checked how many the block claims."""
    claim = snappy_length(coded)
    if claim > max_symbols:
        raise CorruptError(f"Snappy block claims {claim} symbols where at most {max_symbols} fit")
    try:
        data: bytes = snappy.decompress(coded)
    except snappy.UncompressError as error:
        raise CorruptError(f"damaged Snappy block: {error}") from error
    return data
