"""Files on web servers: what is asked, what an answer may be, and how servers misbehave.

Everything runs with urllib3 and without it, against a server on this machine.
"""

import os
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from support import pictures

import aig_codec
from aig_codec import limits
from aig_codec.decoder.segments import FIRST_READ
from aig_codec.io import connections, sources, web

PICTURE = pictures.mixed(301, 403, 3)
DATA = aig_codec.encode(PICTURE, centers=[(100, 90), (300, 200)], radii=[(45, 60), (25, 40)])
SIZE = len(DATA)


class Handler(BaseHTTPRequestHandler):
    """A web server of one file, whose manners its address names: /manner or /manner/number.

    A number is how many questions are answered badly, before those that are answered well.
    """

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1

    def do_CONNECT(self) -> None:
        """What a proxy does, but for the way to the other server: that is here."""
        self.server.asked.append((self.path, self.headers["Proxy-Authorization"]))
        self.send_response(200)
        self.end_headers()
        self.connection = self.server.tunnel.wrap_socket(self.connection, server_side=True)
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb", buffering=0)
        self.server.wrapped.append(self.connection)
        self.close_connection = False

    def do_GET(self) -> None:
        asked = self.headers.get("Range", "")
        self.server.asked.append((self.path, asked))
        manner, _, number = self.path.strip("/").partition("/")
        first, last = (int(n) for n in asked.removeprefix("bytes=").split("-"))
        if not number.isdigit() or len(self.server.asked) <= int(number):
            answer = getattr(self, f"answer_{manner.partition('?')[0]}", None)
            if answer is not None:
                answer(first, last)
                return
        self.answer_well(first, last)

    def answer_well(self, first: int, last: int, **headers: str) -> None:
        if first >= SIZE:
            self.respond(416, b"", Content_Range=f"bytes */{SIZE}")
            return
        data = DATA[first : last + 1]
        said = f"bytes {first}-{first + len(data) - 1}/{SIZE}"
        self.respond(206, data, **({"Content_Range": said} | headers))

    def respond(self, status: int, data: bytes, length: int | None = None, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if value:
                self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(data) if length is None else length))
        self.end_headers()
        self.wfile.write(data)

    def hang_up(self) -> None:
        self.close_connection = True
        self.wfile.flush()
        # So that the other side is told at once.
        self.connection.shutdown(socket.SHUT_RDWR)

    # Manners

    def answer_whole(self, first: int, last: int) -> None:
        self.respond(200, DATA)

    def answer_whole_cut(self, first: int, last: int) -> None:
        self.respond(200, DATA[: SIZE // 2], SIZE)
        self.hang_up()

    def answer_chunks(self, first: int, last: int) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for at in range(0, SIZE, 1000):
            piece = DATA[at : at + 1000]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    def answer_old(self, first: int, last: int) -> None:
        self.protocol_version = "HTTP/1.0"
        self.answer_well(first, last)
        self.close_connection = True

    def answer_missing(self, first: int, last: int) -> None:
        self.respond(404, b"no such file")

    def answer_forbidden(self, first: int, last: int) -> None:
        self.respond(403, b"")

    def answer_teapot(self, first: int, last: int) -> None:
        self.send_response(418, "short \x1b[31mand stout")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def answer_other(self, first: int, last: int) -> None:
        self.answer_well(first + 1, last + 1)

    def answer_earlier(self, first: int, last: int) -> None:
        self.respond(206, DATA, Content_Range=f"bytes 0-{SIZE - 1}/{SIZE}")

    def answer_unsaid(self, first: int, last: int) -> None:
        self.answer_well(first, last, Content_Range="")

    def answer_senseless(self, first: int, last: int) -> None:
        self.answer_well(first, last, Content_Range=f"bytes {first}-{last}/{first}")

    def answer_babble(self, first: int, last: int) -> None:
        self.answer_well(first, last, Content_Range="bytes " + "9" * 5000 + "-0/1")

    def answer_unknown(self, first: int, last: int) -> None:
        end = min(last, SIZE - 1)
        self.answer_well(first, last, Content_Range=f"bytes {first}-{end}/*")

    def answer_shorter(self, first: int, last: int) -> None:
        self.answer_well(first, min(last, first + 999))

    def answer_longer(self, first: int, last: int) -> None:
        self.answer_well(first, last + 500)

    def answer_changing(self, first: int, last: int) -> None:
        end = min(last, SIZE - 1)
        said = f"bytes {first}-{end}/{SIZE + len(self.server.asked)}"
        self.answer_well(first, last, Content_Range=said)

    def answer_refusing(self, first: int, last: int) -> None:
        if first == 0:
            self.answer_well(first, last)
        else:
            self.respond(416, b"", Content_Range=f"bytes */{SIZE}")

    def answer_packed(self, first: int, last: int) -> None:
        self.answer_well(first, last, Content_Encoding="gzip")

    def answer_cut(self, first: int, last: int) -> None:
        end = min(last, SIZE - 1)
        half = DATA[first : (first + end) // 2]
        self.respond(206, half, end + 1 - first, Content_Range=f"bytes {first}-{end}/{SIZE}")
        self.hang_up()

    def answer_reset(self, first: int, last: int) -> None:
        self.hang_up()

    def answer_idle(self, first: int, last: int) -> None:
        """Hangs up after the answer, and does not say so."""
        self.answer_well(first, last)
        self.hang_up()

    def answer_busy(self, first: int, last: int) -> None:
        self.respond(503, b"come back later")

    def answer_many(self, first: int, last: int) -> None:
        self.respond(429, b"", Retry_After="0")

    def answer_gateway(self, first: int, last: int) -> None:
        self.respond(502 if len(self.server.asked) % 2 else 504, b"")

    def answer_later(self, first: int, last: int) -> None:
        self.respond(503, b"", Retry_After="3600")

    def answer_dated(self, first: int, last: int) -> None:
        self.respond(503, b"", Retry_After="Wed, 21 Oct 2015 07:28:00 GMT")

    def answer_silent(self, first: int, last: int) -> None:
        self.server.stop.wait(20)
        self.hang_up()

    def answer_drip(self, first: int, last: int) -> None:
        """A byte now and then, so that no wait for one is long."""
        self.respond(206, b"", last + 1 - first, Content_Range=f"bytes {first}-{last}/{SIZE}")
        self._drip()

    def answer_drip_whole(self, first: int, last: int) -> None:
        self.respond(200, b"", SIZE)
        self._drip()

    def answer_drip_headers(self, first: int, last: int) -> None:
        self.wfile.write(b"HTTP/1.1 206 Partial Content\r\nX-Long: ")
        self._drip()

    def _drip(self) -> None:
        while not self.server.stop.wait(0.02):
            try:
                self.wfile.write(b"x")
                self.wfile.flush()
            except OSError:
                break
        self.close_connection = True

    def answer_moved(self, first: int, last: int) -> None:
        self.respond(302, b"over there", Location="/x.aig?from=moved")

    def answer_circle(self, first: int, last: int) -> None:
        self.respond(307, b"", Location="/circle")

    def answer_nowhere(self, first: int, last: int) -> None:
        self.respond(301, b"")

    def answer_outside(self, first: int, last: int) -> None:
        self.respond(301, b"", Location="file:///etc/hostname")

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    """Counts connections and what is asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, str]] = []
        self.connections = 0
        self.stop = threading.Event()
        self.context: ssl.SSLContext | None = None
        self.tunnel: ssl.SSLContext | None = None
        self.wrapped: list[ssl.SSLSocket] = []

    def finish_request(self, request: socket.socket, client_address: object) -> None:
        if self.context is not None:
            request = self.context.wrap_socket(request, server_side=True)
            self.wrapped.append(request)
        super().finish_request(request, client_address)

    def handle_error(self, *_: object) -> None:
        """A client that hung up is none of its business."""


@pytest.fixture(params=["urllib3", "standard library"], autouse=True)
def client(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "urllib3":
        pytest.importorskip("urllib3")
    else:
        monkeypatch.setattr(connections, "find_spec", lambda name: None)
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(web, "BACKOFF", 0.001)
    kind = connections.Pooled if request.param == "urllib3" else connections.Plain
    assert isinstance(connections.connections(), kind)
    return request.param


@pytest.fixture
def server() -> Iterator[Server]:
    served = Server()
    thread = threading.Thread(target=served.serve_forever, args=(0.02,))
    thread.start()
    yield served
    served.stop.set()
    served.shutdown()
    thread.join()
    for wrapped in served.wrapped:
        wrapped.close()
    served.server_close()


def _address(server: Server, path: str) -> str:
    return f"http://127.0.0.1:{server.server_port}/{path}"


def _read(server: Server, path: str, offset: int = 0, length: int = SIZE) -> bytes:
    """A range, through the source that the codec reads from."""
    source = sources.open_source(_address(server, path))
    try:
        return source.read(offset, length)
    finally:
        source.close()


def _says(server: Server, path: str, first: int, last: int, rest: str) -> str:
    return f"^{_address(server, path)}, bytes {first}-{last}: {rest}"


# What is asked


def test_a_server_sends_what_is_asked_for(server: Server) -> None:
    with aig_codec.open(_address(server, "x.aig")) as opened:
        opened.core(0)
        end = opened.data_start + opened.segments[0].end
        assert opened.bytes_read == end
        assert opened.requests == 2
        asked = [r for _, r in server.asked]
        assert asked == [f"bytes=0-{FIRST_READ - 1}", f"bytes={FIRST_READ}-{end - 1}"]
        np.testing.assert_array_equal(opened.decode(), aig_codec.decode(DATA))
    assert server.connections == 1
    np.testing.assert_array_equal(
        aig_codec.decode(_address(server, "x.aig"), scale=8), aig_codec.decode(DATA, scale=8)
    )


def test_one_connection_is_kept_through_refusals_and_redirects(server: Server) -> None:
    source = sources.open_source(_address(server, "moved"))
    for offset in range(0, 50, 10):
        assert source.read(offset, 10) == DATA[offset : offset + 10]
    assert source.read(SIZE, 10) == b""
    source.close()
    assert [path for path, _ in server.asked] == ["/moved", "/x.aig?from=moved"] * 6
    assert server.connections == 1
    assert source.requests == 12


@pytest.mark.parametrize(("offset", "length"), [(0, SIZE + 9), (SIZE - 5, 99), (SIZE, 9), (3, 0)])
def test_what_lies_behind_the_end_is_empty(server: Server, offset: int, length: int) -> None:
    assert _read(server, "x.aig", offset, length) == DATA[offset : offset + length]


@pytest.mark.parametrize("manner", ["unknown", "shorter", "longer", "old", "idle"])
def test_servers_that_are_odd_and_right(server: Server, manner: str) -> None:
    source = sources.open_source(_address(server, manner))
    assert source.read(0, 2500) == DATA[:2500]
    assert source.read(2500, 700) == DATA[2500:3200]
    assert source.read(SIZE - 500, 700) == DATA[-500:]
    source.close()
    with aig_codec.open(_address(server, manner)) as opened:
        np.testing.assert_array_equal(opened.decode(), aig_codec.decode(DATA))


def test_addresses_are_quoted(server: Server) -> None:
    assert _read(server, "a b\u00e9%20?x=[1]|2#part", 0, 9) == DATA[:9]
    assert server.asked[0][0] == "/a%20b%C3%A9%20?x=%5B1%5D%7C2"


@pytest.fixture
def certified(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The server's address for TLS, with a certificate that is believed in this test."""
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("there is no openssl to make a certificate with")
    key, certificate = str(tmp_path / "key.pem"), str(tmp_path / "certificate.pem")
    command = f"{program} req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
    command += f" -subj /CN=localhost -addext subjectAltName=DNS:localhost -out {certificate}"
    subprocess.run([*command.split(), "-keyout", key], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.context = context
    monkeypatch.setenv("SSL_CERT_FILE", certificate)
    return f"https://localhost:{server.server_port}"


def test_https(server: Server, certified: str) -> None:
    with aig_codec.open(f"{certified}/x.aig") as opened:
        np.testing.assert_array_equal(opened.decode(), aig_codec.decode(DATA))
        assert opened.requests == 2
    assert server.connections == 1


def test_a_certificate_that_nobody_knows(certified: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(OSError, match=rf"^{certified}/x.aig, bytes 0-2047: .*certificate"):
        aig_codec.open(f"{certified}/x.aig")


def test_https_through_a_proxy(
    server: Server, certified: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.context, context = None, server.context
    server.tunnel = context
    monkeypatch.setenv("https_proxy", f"http://me:word@127.0.0.1:{server.server_port}")
    monkeypatch.delenv("no_proxy", raising=False)
    source = sources.open_source("https://localhost:4/x.aig")
    assert source.read(7, 9) == DATA[7:16]
    assert source.read(0, 9) == DATA[:9]
    source.close()
    assert server.asked[0] == ("localhost:4", "Basic bWU6d29yZA==")
    assert [path for path, _ in server.asked[1:]] == ["/x.aig"] * 2
    assert server.connections == 1


def test_a_proxy_of_the_environment_is_asked(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://me:word@127.0.0.1:{server.server_port}")
    monkeypatch.delenv("no_proxy", raising=False)
    source = sources.open_source("http://pictures.invalid/x.aig")
    assert source.read(7, 9) == DATA[7:16]
    assert source.read(0, 9) == DATA[:9]
    source.close()
    assert server.asked[0][0] == "http://pictures.invalid/x.aig"
    assert server.connections == 1


def test_threads_read_side_by_side(server: Server) -> None:
    source = sources.open_source(_address(server, "x.aig"))
    wrong = []

    def read(start: int) -> None:
        for offset in range(start, start + 400, 40):
            if source.read(offset, 40) != DATA[offset : offset + 40]:
                wrong.append(offset)

    threads = [threading.Thread(target=read, args=(400 * k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    source.close()
    assert not wrong
    assert server.connections <= 40


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_process_has_a_connection_of_its_own(server: Server) -> None:
    source = sources.open_source(_address(server, "x.aig"))
    assert source.read(0, 10) == DATA[:10]
    child = os.fork()
    if child == 0:
        os._exit(0 if source.read(10, 10) == DATA[10:20] else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert source.read(20, 10) == DATA[20:30]
    source.close()
    assert server.connections == 2


# Servers without ranges


@pytest.mark.parametrize("manner", ["whole", "chunks"])
def test_a_server_without_ranges_is_read_on_as_far_as_needed(server: Server, manner: str) -> None:
    with pytest.warns(RuntimeWarning, match="whole files only") as caught:
        opened = aig_codec.open(_address(server, manner))
    assert caught[0].filename == __file__
    with opened:
        opened.core(0)
        assert opened.bytes_read == opened.data_start + opened.segments[0].end
        np.testing.assert_array_equal(opened.decode(), aig_codec.decode(DATA))
        assert opened.bytes_read == SIZE
    assert len(server.asked) == 1


@pytest.mark.filterwarnings("ignore:.*whole files only")
def test_a_whole_file_that_is_cut_says_where(server: Server) -> None:
    said = f"^{_address(server, 'whole_cut')}.*broke.* {SIZE // 2} "
    with pytest.raises(OSError, match=said):
        _read(server, "whole_cut")


# Answers that are wrong


@pytest.mark.parametrize(
    ("manner", "message"),
    [
        ("other", "206 Partial Content with bytes 101-201, which were not asked for"),
        ("earlier", f"206 Partial Content with bytes 0-{SIZE - 1}, which were not"),
        ("unsaid", "206 Partial Content without Content-Range"),
        ("senseless", "206 Partial Content with a Content-Range .* 'bytes 100-200/100'"),
        ("babble", "206 Partial Content with a Content-Range that makes no sense: 'bytes 9"),
        ("packed", "206 Partial Content with Content-Encoding 'gzip'"),
        ("refusing", f"416 .*, though the file has {SIZE} bytes"),
        ("teapot", r"418 short \[31mand stout$"),
        ("nowhere", "301 Moved Permanently without Location"),
    ],
)
def test_wrong_answers_are_told(server: Server, manner: str, message: str) -> None:
    said = _says(server, manner, 100, 200, f"the server answered {message}")
    with pytest.raises(OSError, match=said):
        _read(server, manner, 100, 101)
    assert len(server.asked) == 1


def test_a_file_that_changes_is_told(server: Server) -> None:
    source = sources.open_source(_address(server, "changing"))
    source.read(0, 10)
    with pytest.raises(OSError, match=f"has {SIZE + 2} bytes now and had {SIZE + 1}"):
        source.read(10, 10)
    source.close()


def test_what_is_not_there_and_what_is_not_allowed(server: Server) -> None:
    with pytest.raises(FileNotFoundError, match=r"bytes 0-2047: .* 404 Not Found"):
        aig_codec.open(_address(server, "missing"))
    with pytest.raises(PermissionError, match="403 Forbidden"):
        aig_codec.open(_address(server, "forbidden"))
    assert server.connections == 2


def test_redirects_end(server: Server) -> None:
    with pytest.raises(OSError, match="redirected more than 10 times"):
        _read(server, "circle")
    assert len(server.asked) == 11
    with pytest.raises(OSError, match="file:///etc/hostname' is no address of a web server"):
        _read(server, "outside")


@pytest.mark.parametrize("address", ["http://", "http://[::1", "https://x:port/", "http://x:0/"])
def test_addresses_of_nothing(address: str) -> None:
    with pytest.raises(OSError, match="no address of a web server"):
        aig_codec.open(address)


def test_passwords_are_refused_and_not_repeated() -> None:
    with pytest.raises(OSError, match="not supported") as caught:
        aig_codec.open("http://me:word@127.0.0.1/x.aig")
    assert "word@" not in str(caught.value)


def test_no_server() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}/x.aig"
        with pytest.raises(OSError, match=f"^{address}, bytes 0-2047: .*refused"):
            aig_codec.open(address)


# Tries


@pytest.mark.parametrize("manner", ["busy", "many", "gateway", "dated", "reset", "cut"])
def test_what_may_pass_is_tried_again(server: Server, manner: str) -> None:
    assert _read(server, f"{manner}/{web.TRIES - 1}") == DATA
    assert len(server.asked) == web.TRIES


def test_what_has_come_is_not_asked_for_again(server: Server) -> None:
    assert _read(server, "cut/1", 0, 1000) == DATA[:1000]
    assert [asked for _, asked in server.asked] == ["bytes=0-999", "bytes=499-999"]


@pytest.mark.parametrize(
    ("manner", "message"),
    [
        ("busy", r"503 Service Unavailable \(4 tries\)$"),
        ("many", r"429 Too Many Requests \(4 tries\)$"),
        ("reset", r"the connection broke: .* \(4 tries\)$"),
    ],
)
def test_tries_end(server: Server, manner: str, message: str) -> None:
    with pytest.raises(OSError, match=f"^{_address(server, manner)}, bytes 5-9: .*{message}"):
        _read(server, manner, 5, 5)
    assert len(server.asked) == web.TRIES


def test_waits_grow_and_are_the_servers(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(web.time, "sleep", waits.append)
    monkeypatch.setattr(web, "BACKOFF", 1.0)
    with pytest.raises(OSError, match="503"):
        _read(server, "busy")
    assert [round(wait / 2**k) for k, wait in enumerate(waits)] == [1, 1, 1]
    waits.clear()
    with pytest.raises(OSError, match="429"):
        _read(server, "many")
    assert waits == [0.0] * 3
    waits.clear()
    with pytest.raises(OSError, match=r"503 .*, to be asked again in 3600 s"):
        _read(server, "later")
    assert not waits


def test_a_wait_beyond_the_deadline_is_not_begun(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "BACKOFF", 20.0)
    monkeypatch.setattr(limits, "http_deadline", 10.0)
    with pytest.raises(TimeoutError, match=r"503 .*http_deadline = 10 s are over"):
        _read(server, "busy")
    assert len(server.asked) == 1


# Time


def test_a_server_that_does_not_answer(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "http_timeout", 0.1)
    said = _says(server, "silent", 0, 2047, "timed out after 0.1 s without a byte .*http_timeout")
    with pytest.raises(TimeoutError, match=said):
        aig_codec.open(_address(server, "silent"))
    assert len(server.asked) == 1


@pytest.mark.parametrize("manner", ["drip", "drip_headers", "drip_whole"])
@pytest.mark.filterwarnings("ignore:.*whole files only")
def test_a_deadline_ends_what_no_timeout_does(
    server: Server, monkeypatch: pytest.MonkeyPatch, manner: str
) -> None:
    monkeypatch.setattr(limits, "http_deadline", 0.3)
    with pytest.raises(TimeoutError, match=r"timed out after 0.3 s .*http_deadline"):
        _read(server, manner)


def test_each_read_has_its_own_deadline(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    source = sources.open_source(_address(server, "x.aig"))
    assert source.read(0, 9) == DATA[:9]
    monkeypatch.setattr(limits, "http_deadline", -1.0)
    with pytest.raises(TimeoutError, match="http_deadline"):
        source.read(9, 9)
    monkeypatch.setattr(limits, "http_deadline", float("inf"))
    monkeypatch.setattr(limits, "http_timeout", float("inf"))
    assert source.read(9, 9) == DATA[9:18]
    source.close()


def test_the_clock_is_that_of_a_thread() -> None:
    assert web.connections.time_left() == float("inf")
    with web.deadline():
        assert 0 < web.connections.time_left() <= limits.http_deadline
        found: list[float] = []
        thread = threading.Thread(target=lambda: found.append(web.connections.time_left()))
        thread.start()
        thread.join()
        assert found == [float("inf")]
    assert web.connections.time_left() == float("inf")
