"""Connections to web servers, one kept for each: urllib3's, or the standard library's without it.

Both send a GET and hand back the answer, whatever it is: what to make of it is `web`'s business.
They know the same proxies, those of the environment, and the same clock. No lock is held between
two questions: a process that forks, or a second thread, makes connections of its own.
"""

import io
import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any, Protocol
from urllib.parse import SplitResult, quote, unquote, urlsplit

from .. import limits

#: Connections to a server that urllib3 keeps where several threads read one file: it makes no more
#: than are needed, and says something about every one too many.
_KEPT = 32

#: What is read of an answer that nobody wants, so that its connection can be used again.
_REMAINDER = 2**16

_clock = threading.local()


class LostError(OSError):
    """The connection broke: another one may do better."""


class Answer(Protocol):
    """What a server says, status and headers first."""

    @property
    def status(self) -> int: ...

    @property
    def reason(self) -> str: ...

    @property
    def headers(self) -> Mapping[str, str]: ...

    def read(self, size: int) -> bytes:
        """The next bytes, at most so many; none at the end."""
        ...

    def close(self, keep: bool = True) -> None:
        """Keep the connection if little is left on it and it is wanted, else close it."""
        ...


class Connections(Protocol):
    """Where answers come from."""

    def ask(self, url: SplitResult, headers: Mapping[str, str]) -> Answer:
        """Send a GET, follow nothing. Raises LostError, TimeoutError, or OSError."""
        ...

    def close(self) -> None:
        """Hang up."""
        ...


def connections() -> Connections:
    """Those of urllib3 where it is installed, else the standard library's."""
    return Pooled() if find_spec("urllib3") is not None else Plain()


# The clock


@contextmanager
def deadline() -> Iterator[None]:
    """What this thread asks within it must be done in `limits.http_deadline` seconds."""
    before = getattr(_clock, "end", None)
    _clock.end = time.monotonic() + limits.http_deadline
    try:
        yield
    finally:
        _clock.end = before


def time_left() -> float:
    """Seconds until the deadline, infinite without one."""
    end: float | None = getattr(_clock, "end", None)
    return float("inf") if end is None else end - time.monotonic()


def _patience() -> float | None:
    """Seconds to wait for the next bytes, None without end. Raises TimeoutError past the end."""
    left = min(limits.http_timeout, time_left())
    if left <= 0:
        raise TimeoutError("the deadline has passed")
    return None if left == float("inf") else left


def _timed(connection: Any) -> Any:
    """The class of connections whose every wait ends at the deadline: a server that sends a byte
    now and then, of the body or of the headers, would keep a plain timeout from ever passing."""

    def connect(self: Any) -> None:
        super(timed, self).connect()
        self.sock = _TimedSocket(self.sock)

    timed: Any = type(f"Timed{connection.__name__}", (connection,), {"connect": connect})
    return timed


class _TimedSocket:
    """A socket, but for the file that answers are read from."""

    def __init__(self, sock: Any) -> None:
        self._sock = sock

    def makefile(self, *_: Any, **__: Any) -> io.BufferedReader:
        return io.BufferedReader(_TimedFile(self._sock))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


class _TimedFile(io.RawIOBase):
    def __init__(self, sock: Any) -> None:
        self._sock = sock
        self._file = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(_patience())
        count: int | None = self._file.readinto(buffer)
        return count

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


# Proxies


def _proxy(url: SplitResult) -> SplitResult | None:
    """The proxy that the environment wants for an address, as urllib.request reads it."""
    from urllib.request import getproxies, proxy_bypass

    proxy = getproxies().get(url.scheme)
    if not proxy or proxy_bypass(url.netloc):
        return None
    return urlsplit(proxy if "://" in proxy else f"http://{proxy}")


def _authorization(proxy: SplitResult) -> dict[str, str]:
    if proxy.username is None:
        return {}
    from base64 import b64encode

    user = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": f"Basic {b64encode(user.encode()).decode()}"}


def _target(url: SplitResult) -> str:
    """Path and query, with what may not stand there written as %xx."""
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    return quote(target, safe="!$%&'()*+,/:;=?@~")


def _host(url: SplitResult) -> str:
    """The name of the server, ASCII."""
    name = url.hostname or ""
    return name if name.isascii() else name.encode("idna").decode()


def _server(url: SplitResult) -> str:
    """Scheme, name and port."""
    host = f"[{_host(url)}]" if ":" in _host(url) else _host(url)
    return f"{url.scheme}://{host}" + ("" if url.port is None else f":{url.port}")


# The standard library


class Plain:
    """Connections of http.client."""

    def __init__(self) -> None:
        self._idle: dict[tuple[int, str, str], Any] = {}

    def ask(self, url: SplitResult, headers: Mapping[str, str]) -> Answer:
        from http.client import HTTPException

        key = os.getpid(), url.scheme, url.netloc
        proxy = _proxy(url)
        target, headers = _target(url), dict(headers)
        if proxy is not None and url.scheme == "http":
            target = _server(url) + target
            headers |= _authorization(proxy)
        # Whoever takes a connection out has it alone.
        connection = self._idle.pop(key, None) or self._connection(url, proxy)
        try:
            connection.timeout = _patience()
            if connection.sock is not None:
                connection.sock.settimeout(connection.timeout)
            connection.request("GET", target, headers=headers)
            answer = connection.getresponse()
        except BaseException as error:
            connection.close()
            if isinstance(error, HTTPException) or _is_loss(error):
                raise LostError(_cause(error)) from error
            raise
        return _PlainAnswer(answer, connection, self._idle, key)

    def close(self) -> None:
        while self._idle:
            self._idle.popitem()[1].close()

    @staticmethod
    def _connection(url: SplitResult, proxy: SplitResult | None) -> Any:
        from http import client

        classes = {"http": client.HTTPConnection, "https": client.HTTPSConnection}
        at = proxy or url
        # A proxy is asked in the clear, and made a tunnel for what is not.
        connection = _timed(classes[url.scheme])(_host(at), at.port or (80 if proxy else None))
        if proxy is not None and url.scheme == "https":
            connection.set_tunnel(_host(url), url.port, _authorization(proxy))
        return connection


class _PlainAnswer:
    def __init__(self, answer: Any, connection: Any, idle: dict[Any, Any], key: Any) -> None:
        self._answer, self._connection = answer, connection
        self._idle, self._key = idle, key
        self.status: int = answer.status
        self.reason: str = answer.reason
        self.headers: Mapping[str, str] = answer.headers

    def read(self, size: int) -> bytes:
        from http.client import HTTPException

        try:
            data: bytes = self._answer.read(size)
        except (HTTPException, OSError) as error:
            if isinstance(error, HTTPException) or _is_loss(error):
                raise LostError(_cause(error)) from error
            raise
        return data

    def close(self, keep: bool = True) -> None:
        from http.client import HTTPException

        try:
            if keep and not self._answer.isclosed():
                self._answer.read(_REMAINDER)
            # One that was read to its end is closed by itself; so is one that was cut.
            whole = self._answer.isclosed() and not self._answer.length
            spent = whole and not self._answer.will_close
        except (HTTPException, OSError):
            spent = False
        self._answer.close()
        if not spent or self._idle.setdefault(self._key, self._connection) is not self._connection:
            self._connection.close()


# urllib3


class Pooled:
    """Connections of urllib3, which leaves redirects and tries to us."""

    def __init__(self) -> None:
        self._managers: dict[tuple[int, str | None], Any] = {}

    def ask(self, url: SplitResult, headers: Mapping[str, str]) -> Answer:
        import urllib3
        from urllib3 import exceptions

        manager = self._manager(_proxy(url))
        address = _server(url) + _target(url)
        patience = urllib3.Timeout(connect=_patience(), read=_patience())
        try:
            answer = manager.request(
                "GET",
                address,
                headers=headers,
                timeout=patience,
                retries=False,
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
        except exceptions.HTTPError as error:
            raise _plain(error) from error
        return _PooledAnswer(answer)

    def close(self) -> None:
        while self._managers:
            self._managers.popitem()[1].clear()

    def _manager(self, proxy: SplitResult | None) -> Any:
        import urllib3

        key = os.getpid(), proxy and proxy.geturl()
        if key not in self._managers:
            if proxy is None:
                manager: Any = urllib3.PoolManager(maxsize=_KEPT)
            else:
                own = proxy._replace(netloc=proxy.netloc.rpartition("@")[2]).geturl()
                login = _authorization(proxy)
                manager = urllib3.ProxyManager(own, proxy_headers=login, maxsize=_KEPT)
            manager.pool_classes_by_scheme = {
                scheme: type(pool.__name__, (pool,), {"ConnectionCls": _timed(pool.ConnectionCls)})
                for scheme, pool in manager.pool_classes_by_scheme.items()
            }
            self._managers[key] = manager
        return self._managers[key]


class _PooledAnswer:
    def __init__(self, answer: Any) -> None:
        self._answer = answer
        self.status: int = answer.status
        self.reason: str = answer.reason or ""
        self.headers: Mapping[str, str] = answer.headers

    def read(self, size: int) -> bytes:
        from urllib3 import exceptions

        try:
            data: bytes = self._answer.read(size)
        except exceptions.HTTPError as error:
            raise _plain(error) from error
        return data

    def close(self, keep: bool = True) -> None:
        from urllib3.exceptions import HTTPError

        try:
            spent = keep and (not self._answer.read(_REMAINDER) or not self._answer.read(1))
        except (HTTPError, OSError):
            spent = False
        if not spent:
            self._answer.close()
        self._answer.release_conn()


def _plain(error: Any) -> OSError:
    """An error of urllib3 as one of Python's."""
    from urllib3 import exceptions

    if isinstance(error, exceptions.NewConnectionError):
        return OSError(_cause(error))
    if isinstance(error, exceptions.TimeoutError):
        return TimeoutError(_cause(error))
    if isinstance(error, exceptions.ProtocolError):
        return LostError(_cause(error))
    return OSError(_cause(error))


def _is_loss(error: BaseException) -> bool:
    """Whether a connection was there and broke."""
    return isinstance(error, ConnectionError) and not isinstance(error, ConnectionRefusedError)


def _cause(error: BaseException) -> str:
    """What the innermost error says: those around it name objects."""
    while True:
        inner = error.__cause__ or next(iter(error.args[-1:]), None)
        if not isinstance(inner, BaseException):
            return str(error) or type(error).__name__
        error = inner
