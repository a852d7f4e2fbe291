"""Where files come from: every source gives the same bytes, asked for as seldom as can be."""

import io
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pictures
import pytest

import aig_codec
from aig_codec import errors, sources
from aig_codec.reader import FIRST_READ

PICTURE = pictures.mixed(301, 403, 3)
DATA = aig_codec.encode(PICTURE, centers=[(100, 90), (300, 200)], radii=[(30, 50), (25, 40)])


class Counting(io.BytesIO):
    """A file that remembers what was read of it."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.reads: list[tuple[int, int]] = []

    def read(self, size: int | None = -1) -> bytes:
        at = self.tell()
        data = super().read(size)
        self.reads.append((at, len(data)))
        return data


class Handler(BaseHTTPRequestHandler):
    """A web server of one file, whose manners its address names."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        asked = self.headers.get("Range", "")
        self.server.asked.append((self.path, asked))
        if self.path == "/missing":
            self.send_error(404)
            return
        data, status = DATA, 200
        if asked and self.path != "/whole":
            first, last = (int(n) for n in asked.removeprefix("bytes=").split("-"))
            if first >= len(DATA):
                self.send_error(416)
                return
            data, status = DATA[first : last + 1], 206
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        if status == 206:
            self.send_header("Content-Range", f"bytes {first}-{first + len(data) - 1}/{len(DATA)}")
        self.end_headers()
        if self.path == "/cut" and len(self.server.asked) > 1:
            self.wfile.write(data[: len(data) // 2])
            self.close_connection = True
            return
        if self.path == "/slow":
            time.sleep(0.6)
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    served = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.asked = []
    thread = threading.Thread(target=served.serve_forever, args=(0.02,))
    thread.start()
    yield served
    served.shutdown()
    thread.join()
    served.server_close()


def _address(server: ThreadingHTTPServer, path: str) -> str:
    return f"http://127.0.0.1:{server.server_port}/{path}"


# How much is read


def test_the_focus_takes_two_reads() -> None:
    file = Counting(DATA)
    with aig_codec.open(file) as opened:
        assert file.reads == [(0, FIRST_READ)]
        core = opened.core(0)
        segment = opened.segments[0]
        end = opened.data_start + segment.end
        assert opened.requests == 2
        assert [at for at, _ in file.reads if _] == [0, FIRST_READ]
        assert opened.bytes_read == sum(n for _, n in file.reads) == max(end, FIRST_READ)
        assert opened.bytes_read <= segment.length + 2048
    assert not file.closed
    h, w = core.mask.shape
    crop = PICTURE[core.top : core.top + h, core.left : core.left + w]
    assert np.array_equal(core.pixels[core.mask], crop[core.mask])


def test_all_cores_take_two_reads() -> None:
    file = Counting(DATA)
    with aig_codec.open(file) as opened:
        assert len(opened.cores()) == 2
        assert opened.requests == 2
        assert opened.bytes_read == opened.data_start + opened.segments[1].end


def test_a_whole_picture_takes_two_reads() -> None:
    file = Counting(DATA)
    with aig_codec.open(file) as opened:
        opened.decode()
        assert opened.requests == 2
        assert opened.bytes_read == len(DATA)


def test_the_second_core_leaves_the_first_one_out() -> None:
    with aig_codec.open(DATA) as opened:
        opened.core(1)
        assert opened.bytes_read == FIRST_READ + opened.segments[1].length


# Sources


def test_pipes_are_read_no_further_than_needed() -> None:
    class Pipe:
        taken = 0

        def read(self, size: int) -> bytes:
            piece = DATA[self.taken : self.taken + min(size, 100)]
            self.taken += len(piece)
            return piece

    pipe = Pipe()
    with aig_codec.open(pipe) as opened:
        assert pipe.taken == opened.data_start == opened.bytes_read
        core = opened.core(0)
        assert pipe.taken == opened.data_start + opened.segments[0].end
        np.testing.assert_array_equal(opened.decode(), aig_codec.decode(DATA))
        again = opened.core(0)
    np.testing.assert_array_equal(core.pixels, again.pixels)


def test_files_that_have_nothing_yet_are_an_error() -> None:
    class Later:
        def read(self, size: int) -> None:
            return None

    with pytest.raises(OSError, match="no bytes yet"):
        aig_codec.open(Later())


def test_files_closed_midway_are_an_error() -> None:
    file = io.BytesIO(DATA)
    opened = aig_codec.open(file)
    file.close()
    with pytest.raises(OSError, match="closed"):
        opened.decode()
    assert not isinstance(opened, errors.AigError)


def test_own_files_are_closed(tmp_path: Path) -> None:
    path = tmp_path / "x.aig"
    path.write_bytes(DATA)
    with aig_codec.open(path) as opened:
        opened.core()
    with pytest.raises(OSError, match="closed"):
        opened.decode()
    path.write_bytes(b"no such thing")
    with pytest.raises(errors.NotAigError):
        aig_codec.open(path)
    path.unlink()


# The web


def test_a_server_sends_what_is_asked_for(server: ThreadingHTTPServer) -> None:
    with aig_codec.open(_address(server, "x.aig")) as opened:
        opened.core(0)
        end = opened.data_start + opened.segments[0].end
        assert opened.bytes_read == end
        asked = [r for _, r in server.asked]
        assert asked == [f"bytes=0-{FIRST_READ - 1}", f"bytes={FIRST_READ}-{end - 1}"]
        np.testing.assert_array_equal(opened.decode(), aig_codec.decode(DATA))
    np.testing.assert_array_equal(
        aig_codec.decode(_address(server, "x.aig"), scale=8), aig_codec.decode(DATA, scale=8)
    )


def test_a_server_without_ranges_is_read_on_as_far_as_needed(server: ThreadingHTTPServer) -> None:
    with pytest.warns(RuntimeWarning, match="whole files only"):
        opened = aig_codec.open(_address(server, "whole"))
    with opened:
        opened.core(0)
        assert opened.bytes_read == opened.data_start + opened.segments[0].end
        np.testing.assert_array_equal(opened.decode(), aig_codec.decode(DATA))
        assert opened.bytes_read == len(DATA)
    assert len(server.asked) == 1


def test_a_server_that_has_no_such_file(server: ThreadingHTTPServer) -> None:
    with pytest.raises(OSError, match="404"):
        aig_codec.open(_address(server, "missing"))


def test_a_server_that_hangs_up(server: ThreadingHTTPServer) -> None:
    with aig_codec.open(_address(server, "cut")) as opened, pytest.raises(OSError):
        opened.decode()


def test_a_server_that_does_not_answer(
    server: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "TIMEOUT", 0.1)
    with pytest.raises(OSError, match="timed out"):
        aig_codec.open(_address(server, "slow"))


def test_no_server() -> None:
    with pytest.raises(OSError):
        aig_codec.open("http://127.0.0.1:9/x.aig")


# Elsewhere


def test_other_addresses_need_fsspec(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "find_spec", lambda name: None)
    with pytest.raises(OSError, match="fsspec"):
        aig_codec.open("memory://x.aig")


def test_other_addresses(tmp_path: Path) -> None:
    fsspec = pytest.importorskip("fsspec")
    with fsspec.open("memory://pictures/x.aig", "wb") as file:
        file.write(DATA)
    with aig_codec.open("memory://pictures/x.aig") as opened:
        opened.core(0)
        assert opened.bytes_read == opened.data_start + opened.segments[0].end
        np.testing.assert_array_equal(opened.decode(), aig_codec.decode(DATA))
    with fsspec.open("memory://pictures/x.aig", "rb") as file:
        np.testing.assert_array_equal(aig_codec.decode(file), aig_codec.decode(DATA))
    with pytest.raises(FileNotFoundError):
        aig_codec.open("memory://pictures/y.aig")
