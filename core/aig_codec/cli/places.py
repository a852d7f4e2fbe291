"""Where commands read from and write to: files, addresses, and the streams of the process."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from ..io.files import replacing
from ..io.pillow_images import LoadedImage, read_picture
from ..io.sources import open_source
from .common import CommandError, check_target, say

#: What stands for the standard input, or output.
STREAM = "-"

#: Bytes that are asked for at a time where a whole file comes from elsewhere.
_PIECE = 2**24


@dataclass(frozen=True)
class Place:
    """What a command was given to read: a file, an address, or "-", the standard input."""

    text: str
    _kept: list[bytes] = field(default_factory=list, compare=False, repr=False)

    def __str__(self) -> str:
        return "standard input" if self.is_stream else self.text

    @property
    def is_stream(self) -> bool:
        return self.text == STREAM

    @property
    def is_address(self) -> bool:
        return ("://" in self.text or "::" in self.text) and not os.path.exists(self.text)

    @property
    def path(self) -> Path | None:
        """The file, if it is one here."""
        if self.is_stream:
            return None
        if self.text.startswith("file://"):  # as file managers call files
            from urllib.request import url2pathname

            return Path(url2pathname(urlsplit(self.text).path))
        return None if self.is_address else Path(self.text)

    @property
    def name(self) -> str:
        """What the file is called, without folders; "" for the standard input."""
        if self.is_stream:
            return ""
        if self.path is None:
            parts = urlsplit(self.text.partition("::")[0])
            host = "" if parts.scheme in ("http", "https") else parts.netloc
            return Path(unquote(parts.path)).name or host or "picture"
        return self.path.name

    def source(self) -> Path | str | bytes:
        """What `aig_codec.open` takes; of addresses, no more is read than is needed."""
        if self.is_stream:
            return self._once()
        return self.text if self.path is None else self.path

    def whole(self) -> Path | bytes:
        """What Pillow can open: a path, or all bytes of the file."""
        if self.path is not None:
            return self.path
        return self._once()

    def _once(self) -> bytes:
        if not self._kept:
            self._kept.append(sys.stdin.buffer.read() if self.is_stream else _fetch(self.text))
        return self._kept[0]


def _fetch(address: str) -> bytes:
    """The whole file at an address."""
    import warnings

    source = open_source(address)
    try:
        data = bytearray()
        with warnings.catch_warnings():
            # That a server sends whole files only is all the same here.
            warnings.simplefilter("ignore", RuntimeWarning)
            more = True
            while more:
                piece = source.read(len(data), _PIECE)
                data += piece
                more = len(piece) == _PIECE
        return bytes(data)
    finally:
        source.close()


def first_picture(place: Place) -> LoadedImage:
    """The picture in a file, the first one of several, which is said then."""
    picture = read_picture(place.whole(), str(place))
    if picture.frames > 1:
        say(f"note: {place}: has {picture.frames} frames, of which this is about the first")
    return picture


def target_for(place: Place, output: str | None, suffix: str) -> Path | None:
    """The file that a command writes; None for the standard output.

    output: what was asked for, a file or a folder. Without it, a file beside the input; in the
    current folder for an address; the standard output for the standard input.
    """
    if output == STREAM or (output is None and place.is_stream):
        return None
    beside = Path(Path(place.name or "picture").with_suffix(suffix).name)
    if output is None:
        return beside if place.path is None else place.path.with_suffix(suffix)
    return Path(output) / beside if os.path.isdir(output) else Path(output)


def check_output(place: Place, target: Path | None, force: bool) -> None:
    """Refuse what must not be written, before any work is spent on it."""
    if target is not None:
        check_target(place.path, target, force)
    elif sys.stdout.isatty():
        raise CommandError("this is nothing for a terminal; name a file with -o", 2)


@contextmanager
def writing(target: Path | None) -> Iterator[BinaryIO]:
    """A file that is replaced in one step, or the standard output."""
    if target is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    else:
        with replacing(target) as file:
            yield file


def shown(target: Path | None) -> str:
    return "standard output" if target is None else str(target)


def tell(line: str, target: Path | None) -> None:
    """A result on stdout, or on stderr where stdout holds a picture."""
    print(line, file=sys.stdout if target is not None else sys.stderr)
