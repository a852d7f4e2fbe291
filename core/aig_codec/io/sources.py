"""Where the bytes of a file come from, and how many of them were read."""

import os
import warnings
from collections.abc import Iterable
from importlib.util import find_spec
from typing import Any, Protocol

from ..buffers import as_bytes, is_buffer
from . import web

#: Pieces in which files are read: what a file claims must not decide how much is allocated.
_PIECE = 2**20


class Source(Protocol):
    """Random access to the bytes of a file."""

    @property
    def bytes_read(self) -> int:
        """How many bytes came from where they are kept."""
        ...

    @property
    def requests(self) -> int:
        """How many times it was asked."""
        ...

    def read(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes from `offset`; fewer only at the end of the file."""
        ...

    def close(self) -> None:
        """Give back what opening took."""
        ...


def open_source(source: Any) -> Source:
    """The source for a path, a URL, bytes or a binary file object, which is read from where it is.

    Bytes are any buffer (see `is_buffer`). URLs of http and https need nothing else; all others,
    and those that fsspec chains with "::", need fsspec. Raises TypeError for anything else, and
    OSError for what can't be opened.
    """
    if is_buffer(source):
        return _Memory(source)
    if isinstance(source, str) and ("://" in source or "::" in source):
        scheme = source.partition("://")[0]
        return _Http(source) if scheme in ("http", "https") else _Remote(source)
    if isinstance(source, (str, os.PathLike)):
        return _File(open(source, "rb"), owned=True)
    if hasattr(source, "read"):
        seekable = getattr(source, "seekable", None)
        if seekable is not None and seekable():
            return _File(source, owned=False)
        return Stream(source)
    raise TypeError(
        f"expected a path, a URL, bytes or a binary file object, not {type(source).__name__}"
    )


class _Counting:
    def __init__(self) -> None:
        self.bytes_read = 0
        self.requests = 0

    def _count(self, data: bytes) -> bytes:
        self.bytes_read += len(data)
        self.requests += 1
        return data

    def close(self) -> None:
        pass


class _Memory(_Counting):
    def __init__(self, buffer: Any) -> None:
        super().__init__()
        with memoryview(buffer) as view:
            # Only what lies in one piece can be cut without a copy.
            self._data: Any = buffer if view.c_contiguous else view.tobytes()

    def read(self, offset: int, length: int) -> bytes:
        # No view outlives this: an array of bytes that has one cannot grow.
        with memoryview(self._data) as view:
            if not view.nbytes:
                return self._count(b"")
            with view.cast("B") as own:
                return self._count(bytes(own[offset : offset + length]))


class _File(_Counting):
    """A file that can be sought in; its beginning is where it stands."""

    def __init__(self, file: Any, owned: bool) -> None:
        super().__init__()
        self._file, self._owned = file, owned
        self._start = file.tell()

    def read(self, offset: int, length: int) -> bytes:
        try:
            self._file.seek(self._start + offset)
            return self._count(b"".join(_pieces(self._file, length)))
        except ValueError as error:  # what Python says of closed files
            raise OSError(f"cannot read the file: {error}") from error

    def close(self) -> None:
        if self._owned:
            self._file.close()


class Stream(_Counting):
    """What can only be read on: a socket, a pipe. What has come is kept."""

    def __init__(self, stream: Any) -> None:
        super().__init__()
        self._stream = stream
        self._data = bytearray()

    def read(self, offset: int, length: int) -> bytes:
        missing = offset + length - len(self._data)
        if missing > 0:
            for piece in _pieces(self._stream, missing):
                self._data += self._count(piece)
        return bytes(self._data[offset : offset + length])


class Slice:
    """A source from some offset on; whose it is closes it."""

    def __init__(self, source: Source, start: int) -> None:
        self._source, self._start = source, start

    @property
    def bytes_read(self) -> int:
        return self._source.bytes_read

    @property
    def requests(self) -> int:
        return self._source.requests

    def read(self, offset: int, length: int) -> bytes:
        return self._source.read(self._start + offset, length)

    def close(self) -> None:
        pass


class Chunks:
    """An iterable of bytes as a file."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._rest = b""

    def read(self, size: int) -> bytes:
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return b""
            found = as_bytes(chunk)
            if found is None:
                raise TypeError(f"expected pieces of bytes, not {type(chunk).__name__}")
            self._rest = found
        piece, self._rest = self._rest[:size], self._rest[size:]
        return piece


class _Http(_Counting):
    """A file on a web server, fetched by ranges.

    A server without ranges begins to send the whole: that is read on as far as is needed.
    """

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self._client = web.Client(url)
        self._body: web.Body | None = None
        self._whole: Stream | None = None

    def read(self, offset: int, length: int) -> bytes:
        with web.deadline():
            if self._whole is None:
                try:
                    found = self._client.read(offset, length)
                finally:
                    self.requests = self._client.requests
                if isinstance(found, bytes):
                    self.bytes_read += len(found)
                    return found
                self._body, self._whole = found, Stream(found)
                warnings.warn(
                    f"{self._url}: the server sends whole files only", RuntimeWarning, stacklevel=5
                )
            before = self._whole.bytes_read
            data = self._whole.read(offset, length)
            self.bytes_read += self._whole.bytes_read - before
            return data

    def close(self) -> None:
        if self._body is not None:
            self._body.close()
        self._client.close()


class _Remote(_Counting):
    """A file wherever fsspec gets one from."""

    def __init__(self, url: str) -> None:
        super().__init__()
        if find_spec("fsspec") is None:
            raise OSError(f"{url}: such addresses need fsspec (pip install 'pillow-aig[remote]')")
        from fsspec.core import url_to_fs

        self._system, self._path = url_to_fs(url)

    def read(self, offset: int, length: int) -> bytes:
        # One request for the range and nothing around it, which is what an open file would fetch.
        data = self._system.cat_file(self._path, start=offset, end=offset + length)
        return self._count(bytes(data[:length]))


def _pieces(file: Any, length: int) -> Iterable[bytes]:
    """What a file has, up to `length` bytes."""
    while length > 0:
        piece = file.read(min(length, _PIECE))
        if piece is None:
            raise OSError("the file has no bytes yet: it does not wait for them")
        if not piece:
            return
        length -= len(piece)
        yield bytes(piece)


def is_stream(source: Any) -> bool:
    """Whether it is an iterable of bytes, and nothing else that can be opened."""
    if isinstance(source, (str, os.PathLike)) or is_buffer(source):
        return False
    return isinstance(source, Iterable)
