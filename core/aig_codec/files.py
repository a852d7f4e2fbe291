"""Files that are whole, or what they were before."""

import contextlib
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO


@contextlib.contextmanager
def replacing(target: Path) -> Iterator[BinaryIO]:
    """A file that becomes `target` when all went well, and vanishes otherwise."""
    target = Path(os.path.realpath(target))  # behind a link, the file it names
    # In the same folder, as only there replacing is one step; "x", so that no file is shared.
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with part.open("x+b") as file:
            yield file
        os.replace(part, target)
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


def write_all(file: Any, data: bytes) -> None:
    """Write all of `data` to a file object, however little of it each `write` takes, as those of
    raw files and sockets may. Raises OSError if it does not take everything."""
    rest = data
    while rest:
        count = file.write(rest)
        if not isinstance(count, int) and not isinstance(file, io.RawIOBase):
            return  # Many that are only like files do not count, and take everything.
        if not count or count < 0:
            done = len(data) - len(rest)
            raise OSError(f"the file takes no more bytes: it has {done} of {len(data)}")
        rest = rest[count:]
