"""Files that are whole, or what they were before."""

import contextlib
import hashlib
import io
import itertools
import os
import re
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

#: Names of files that are being written: the machine, the process, and a number. They do not hold
#: the target's own name, which may be as long as a name can be.
_PART = re.compile(r"\.aig-([0-9a-f]{8})-([0-9]+)-[0-9]+\.part")

#: Age in seconds from which a file that another machine began counts as forgotten.
_FORGOTTEN = 24 * 3600.0

_numbers = itertools.count()
_swept: set[Path] = set()


@contextlib.contextmanager
def replacing(target: Path) -> Iterator[BinaryIO]:
    """A file that becomes `target` when all went well, and vanishes otherwise.

    What processes that were killed have left in the folder is removed. Errors name the target.
    """
    target = Path(os.path.realpath(target))  # behind a link, the file it names
    if target.parent not in _swept:
        _swept.add(target.parent)
        sweep(target.parent)
    # In the same folder, as only there replacing is one step; "x", so that no file is shared.
    part = target.with_name(f".aig-{_machine()}-{os.getpid()}-{next(_numbers)}.part")
    try:
        with part.open("x+b") as file:
            yield file
        os.replace(part, target)
    except OSError as error:
        if error.filename is not None and str(error.filename) == str(part):
            error.filename, error.filename2 = str(target), None
        raise
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


def sweep(folder: Path) -> None:
    """Remove unfinished files that nobody writes any more."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            found = _PART.fullmatch(entry.name)
            if found is not None and _is_forgotten(entry, found[1], int(found[2])):
                with contextlib.suppress(OSError):
                    os.unlink(entry)


def _is_forgotten(entry: "os.DirEntry[str]", machine: str, process: int) -> bool:
    if machine != _machine():
        with contextlib.suppress(OSError):
            return time.time() - entry.stat().st_mtime > _FORGOTTEN
        return False
    if process == os.getpid():
        return False
    if sys.platform == "win32":
        return True  # of a file that is open, Windows refuses the removal
    try:
        os.kill(process, 0)  # sends nothing, but tells whether there is such a process
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    return False


def _machine() -> str:
    """What tells this machine from others that write into the same folder."""
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]
