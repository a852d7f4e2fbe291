"""Files on web servers, fetched by ranges (RFC 9110, 14).

An answer is believed no further than it says: `Content-Range` must be what was asked for, or a
beginning of it, and the length of the file must not change. Where the connection breaks, what has
come is kept and the rest asked for. Servers that are busy are asked again, some times and after
some time. Everything that goes wrong is an OSError that says what was asked and what came.
"""

import re
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import SplitResult, urljoin, urlsplit

from .. import limits
from . import connections
from .connections import Answer, LostError, deadline

__all__ = ["Body", "Client", "deadline"]

#: How often a range is asked for where a server is busy or its connection breaks.
TRIES = 4

#: Seconds before the second repetition, twice as many before each further one.
BACKOFF = 0.25

#: Seconds that a server may ask for (Retry-After); who asks for more is not waited for.
LONGEST_WAIT = 30.0

#: Redirects that are followed.
REDIRECTS = 10

#: What may be otherwise soon: too many requests, a bad or silent server behind, one that is busy.
_BUSY = (429, 502, 503, 504)
_MOVED = (301, 302, 303, 307, 308)

#: Pieces in which answers are read.
_PIECE = 2**20

_CONTENT_RANGE = re.compile(r"bytes +(\d{1,18})-(\d{1,18})/(\d{1,18}|\*)", re.IGNORECASE)
_UNSATISFIED = re.compile(r"bytes +\*/(\d{1,18})", re.IGNORECASE)


class _BusyError(OSError):
    """Asking again may help; wait: seconds that the server asked for, None if it said nothing."""

    wait: float | None = None


class _Span(NamedTuple):
    """Bytes from first to last, and of how many, None if the server does not say."""

    first: int
    last: int
    total: int | None


class Body:
    """A whole file as it arrives."""

    def __init__(self, answer: Answer, what: str) -> None:
        self._answer, self._what = answer, what
        self._length = _length(answer.headers)
        self._come = 0

    def read(self, size: int) -> bytes:
        """The next bytes, at most so many; none at the end of the file."""
        try:
            data = self._answer.read(size)
        except OSError as error:
            raise _told(error, f"{self._what}, after {self._come} bytes") from error
        self._come += len(data)
        if size and not data and self._length is not None and self._come < self._length:
            raise OSError(
                f"{self._what}: the connection broke after {self._come} of {self._length} bytes"
            )
        return data

    def close(self) -> None:
        """Hang up."""
        self._answer.close(keep=False)


class Client:
    """A file on a server. requests: how many were sent, redirects and repetitions included."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._total: int | None = None
        self._connections = connections.connections()
        self.requests = 0

    def read(self, offset: int, length: int) -> bytes | Body:
        """Up to `length` bytes from `offset`, fewer only at the end of the file; or the file from
        its beginning, from a server without ranges. Raises OSError."""
        data = bytearray()
        failures = 0
        while len(data) < length:
            try:
                body = self._some(data, offset, length)
            except (LostError, _BusyError) as error:
                failures += 1
                self._wait(error, failures)
                continue
            if body is not None:
                return body
            if self._total is not None and offset + len(data) >= self._total:
                break
        return bytes(data)

    def close(self) -> None:
        """Hang up."""
        self._connections.close()

    def _some(self, data: bytearray, offset: int, length: int) -> Body | None:
        """Ask for what is missing, and add what comes of it."""
        first, last = offset + len(data), offset + length - 1
        answer, url = self._ask({"Range": f"bytes={first}-{last}"})
        what = f"{url}, bytes {first}-{last}"
        said = f"{what}: the server answered {_status(answer)}"
        keep = False
        try:
            if answer.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                self._end(answer, first, said)
            elif answer.status == HTTPStatus.PARTIAL_CONTENT:
                self._part(answer, data, first, last, said, what)
            elif answer.status == HTTPStatus.OK:
                _check_encoding(answer, said)
                keep = True
                return Body(answer, url)
            else:
                raise _refusal(answer, said)
        finally:
            if not keep:
                answer.close()
        return None

    def _ask(self, headers: dict[str, str]) -> tuple[Answer, str]:
        """The answer to a GET that is no redirect, and whose it is."""
        headers = headers | {"Accept-Encoding": "identity", "User-Agent": "aig_codec"}
        address = self._url
        for _ in range(REDIRECTS + 1):
            what = f"{address}, {headers['Range'].replace('=', ' ')}"
            url = _checked(address)
            self.requests += 1
            try:
                answer = self._connections.ask(url, headers)
            except OSError as error:
                raise _told(error, what) from error
            if answer.status not in _MOVED:
                return answer, address
            place = answer.headers.get("Location")
            answer.close()
            if not place:
                raise OSError(f"{what}: the server answered {_status(answer)} without Location")
            address = urljoin(address, place)
        raise OSError(f"{self._url}: redirected more than {REDIRECTS} times, last to {address}")

    def _part(
        self, answer: Answer, data: bytearray, first: int, last: int, said: str, what: str
    ) -> None:
        """Add what a partial answer has of a range."""
        _check_encoding(answer, said)
        span = _span(answer, said)
        if span.first != first:
            raise OSError(f"{said} with bytes {span.first}-{span.last}, which were not asked for")
        self._note_total(span.total, said)
        wanted = min(span.last, last) + 1 - first
        try:
            while wanted > 0 and (piece := answer.read(min(wanted, _PIECE))):
                data += piece
                wanted -= len(piece)
        except OSError as error:
            raise _told(error, what) from error
        if wanted > 0:
            raise LostError(f"{what}: the connection broke {wanted} bytes before the end")

    def _end(self, answer: Answer, first: int, said: str) -> None:
        """Note where the file ends of which a range was refused."""
        found = _UNSATISFIED.fullmatch(answer.headers.get("Content-Range", "").strip())
        self._note_total(int(found[1]) if found else None, said)
        if self._total is None:
            self._total = first
        if self._total > first:
            raise OSError(f"{said}, though the file has {self._total} bytes")

    def _note_total(self, total: int | None, said: str) -> None:
        if total is None:
            return
        if self._total not in (None, total):
            raise OSError(
                f"{said}: the file has {total} bytes now and had {self._total}: open it again"
            )
        self._total = total

    def _wait(self, error: OSError, failures: int) -> None:
        """Wait before asking again, or raise what there is to say."""
        from random import uniform

        if failures >= TRIES:
            raise OSError(f"{error} ({TRIES} tries)") from error
        asked = error.wait if isinstance(error, _BusyError) else None
        if asked is not None:
            wait = asked
        elif failures == 1 and isinstance(error, LostError):
            wait = 0.0  # a kept connection may break while nobody uses it
        else:
            wait = BACKOFF * 2 ** (failures - 1) * uniform(0.75, 1.25)
        if wait > LONGEST_WAIT:
            raise OSError(f"{error}, to be asked again in {wait:.0f} s") from error
        if wait >= connections.time_left():
            limit = f"aig_codec.limits.http_deadline = {limits.http_deadline:g} s"
            raise TimeoutError(f"{error}, and {limit} are over") from error
        time.sleep(wait)


def _checked(address: str) -> SplitResult:
    """An address in its parts. Raises OSError for what is no address of a web server."""
    try:
        url = urlsplit(address)
        valid = url.scheme in ("http", "https") and url.hostname and url.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise OSError(f"{address!r} is no address of a web server")
    if url.username is not None:
        server = url.netloc.rpartition("@")[2]
        raise OSError(f"{server}: names and passwords in addresses are not supported")
    return url


def _told(error: OSError, what: str) -> OSError:
    """An error of a connection with what was asked."""
    if isinstance(error, TimeoutError):
        if connections.time_left() <= 0:
            after = f"{limits.http_deadline:g} s (aig_codec.limits.http_deadline)"
        else:
            after = f"{limits.http_timeout:g} s without a byte (aig_codec.limits.http_timeout)"
        return TimeoutError(f"{what}: timed out after {after}")
    if isinstance(error, LostError):
        return LostError(f"{what}: the connection broke: {error}")
    return OSError(f"{what}: {error}")


def _status(answer: Answer) -> str:
    """Status and reason, as far as a terminal should see it."""
    reason = "".join(c for c in answer.reason[:80] if c.isprintable()).strip()
    if not reason and answer.status in set(HTTPStatus):
        reason = HTTPStatus(answer.status).phrase
    return f"{answer.status} {reason}".strip()


def _refusal(answer: Answer, said: str) -> OSError:
    """What a status that brings no bytes comes to."""
    if answer.status in _BUSY:
        busy = _BusyError(said)
        busy.wait = _retry_after(answer.headers.get("Retry-After", ""))
        return busy
    if answer.status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
        return FileNotFoundError(said)
    if answer.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return PermissionError(said)
    return OSError(said)


def _retry_after(text: str) -> float | None:
    """Seconds of a Retry-After, which may be a date; None if it is neither."""
    from email.utils import parsedate_to_datetime

    if re.fullmatch(r"\d{1,9}", text.strip()):
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None


def _span(answer: Answer, said: str) -> _Span:
    """What a partial answer says that it has."""
    text = answer.headers.get("Content-Range", "").strip()
    if not text:
        raise OSError(f"{said} without Content-Range")
    found = _CONTENT_RANGE.fullmatch(text)
    if found:
        first, last = int(found[1]), int(found[2])
        total = None if found[3] == "*" else int(found[3])
        if first <= last and (total is None or last < total):
            return _Span(first, last, total)
    raise OSError(f"{said} with a Content-Range that makes no sense: {text[:80]!r}")


def _check_encoding(answer: Answer, said: str) -> None:
    encoding = answer.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        raise OSError(f"{said} with Content-Encoding {encoding[:40]!r}, which was not asked for")


def _length(headers: Mapping[str, str]) -> int | None:
    text = headers.get("Content-Length", "").strip()
    return int(text) if re.fullmatch(r"\d{1,18}", text) else None
