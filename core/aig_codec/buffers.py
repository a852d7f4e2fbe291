"""Bytes-like objects: whatever lends its memory by the buffer protocol."""

from typing import Any


def is_buffer(value: Any) -> bool:
    """Whether it is bytes-like: whatever lends its memory by the buffer protocol (PEP 3118), such
    as a bytearray, a memoryview, an mmap, an array.array, a NumPy array of numbers, or a
    pyarrow.Buffer."""
    try:
        with memoryview(value) as view:
            # What holds Python objects has addresses in its memory, and not what is meant; and
            # single numbers of NumPy lend theirs too.
            return view.ndim > 0 and "O" not in view.format
    except (TypeError, ValueError, BufferError):
        return False


def as_bytes(value: Any) -> bytes | None:
    """A copy of the bytes of a buffer, those of an array in C order; None for anything else."""
    if isinstance(value, bytes):
        return value
    if not is_buffer(value):
        return None
    with memoryview(value) as view:
        return view.tobytes()
