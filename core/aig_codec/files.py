"""Files that are whole, or what they were before."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


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
