"""Snappy over one byte per symbol: the original specification's coding, kept as its baseline."""

import snappy

from ..container.metadata import snappy_length
from ..errors import CorruptError
from .base import EntropyCoder


class Snappy(EntropyCoder):
    """The kernels write and read a byte per symbol; Snappy compresses these here."""

    def compress(self, coded: bytes) -> bytes:
        """Compress symbols, one byte each."""
        data: bytes = snappy.compress(coded)
        return data

    def expand(self, coded: bytes, max_symbols: int) -> bytes:
        """Expand to one byte per symbol, having checked how many the block claims."""
        claim = snappy_length(coded)
        if claim > max_symbols:
            raise CorruptError(
                f"Snappy block claims {claim} symbols where at most {max_symbols} fit"
            )
        try:
            data: bytes = snappy.decompress(coded)
        except snappy.UncompressError as error:
            raise CorruptError(f"damaged Snappy block: {error}") from error
        return data
