"""What an entropy coder is to the coders above: a number for the kernels and files, and a few
facts."""

from dataclasses import dataclass


@dataclass(frozen=True)
class EntropyCoder:
    """An entropy coder. The kernels have a `Writer` and a `Reader` of each (native/entropy).

    name: of the keyword `entropy`. number: in files, and for the kernels. payloads: whether a
    stream that is alone may be coded with it, as palettes and the boundary's residuals are
    (format.md, 6.2); else streams of segments only (6.9).
    """

    name: str
    number: int
    payloads: bool = True

    def compress(self, coded: bytes) -> bytes:
        """What a file holds of a kernel's coded symbols, which are not empty."""
        return coded

    def expand(self, coded: bytes, max_symbols: int) -> bytes:
        """What a kernel reads of a file's coded symbols; no more than `max_symbols` bytes are
        allocated. Raises CorruptError."""
        return coded
