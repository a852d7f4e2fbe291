"""Any buffer is bytes-like; and what is written is written whole."""

import array
import io
import mmap
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import numpy as np
import pytest
from PIL import Image
from support.pillow_files import loaded, picture, saved

import aig_codec
import imageio_aig  # noqa: F401 - registers AIG with imageio
from aig_codec.buffers import as_bytes, is_buffer
from aig_codec.io.files import write_all
from aig_codec.io.sources import is_stream


def mapped(data: bytes) -> mmap.mmap:
    memory = mmap.mmap(-1, len(data))
    memory.write(data)
    return memory  # which stands at its end


def apart(data: bytes) -> np.ndarray:
    """The bytes with others between them."""
    return np.repeat(np.frombuffer(data, np.uint8), 2)[::2]


def arrow(data: bytes) -> Any:
    return pytest.importorskip("pyarrow").py_buffer(data)


KINDS: dict[str, Callable[[bytes], Any]] = {
    "bytes": bytes,
    "bytearray": bytearray,
    "memoryview": memoryview,
    "memoryview with gaps": lambda data: memoryview(apart(data)),
    "array": lambda data: array.array("B", data),
    "numpy": lambda data: np.frombuffer(data, np.uint8),
    "numpy with gaps": apart,
    "numpy of signed": lambda data: np.frombuffer(data, np.int8),
    "numpy in rows": lambda data: np.frombuffer(data, np.uint8).reshape(1, -1),
    "mmap": mapped,
    "pyarrow": arrow,
}


@pytest.mark.parametrize("kind", KINDS)
def test_files_in_memory(kind: str) -> None:
    data = aig_codec.encode(np.asarray(picture()), centers=[(20, 18)], xmp=b"<x/>")
    wanted = aig_codec.decode(data)
    buffer = KINDS[kind](data)
    np.testing.assert_array_equal(aig_codec.decode(buffer), wanted)
    with aig_codec.open(buffer) as file:
        assert file.xmp == b"<x/>"
        assert file.core(0).mask.any()
    assert [stage for stage, _ in aig_codec.progressive(buffer)][-1] == "full"
    assert aig_codec.AIGProcessor(lambda core: []).process(buffer).detections == []
    joined = aig_codec.join([buffer, data], [0, 0])
    np.testing.assert_array_equal(aig_codec.decode(joined, frame=1), wanted)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["exif", "icc_profile", "xmp"])
def test_what_goes_along(kind: str, name: str) -> None:
    block = b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0"
    options: dict[str, Any] = {name: KINDS[kind](block)}
    pixels = np.asarray(picture("RGB", 20, 12))
    wanted = aig_codec.encode(pixels, **{name: block})
    assert aig_codec.encode(pixels, **options) == wanted
    assert saved(Image.fromarray(pixels), **options) == wanted
    assert iio.imwrite("<bytes>", pixels, extension=".aig", **options) == wanted
    sequence = saved(Image.fromarray(pixels), save_all=True, append_images=[picture()], **options)
    with aig_codec.open(sequence) as file:
        assert getattr(file.frame(1), name) == block


@pytest.mark.parametrize("empty", [bytearray(), np.zeros(0, np.uint8), memoryview(b"")])
def test_nothing_in_a_buffer(empty: Any) -> None:
    image = picture("RGB", 20, 12)
    assert saved(image, xmp=empty) == saved(image)
    with pytest.raises(aig_codec.AigError):
        aig_codec.decode(empty)


@pytest.mark.parametrize(
    "other", [5, 5.0, "x", [1, 2], None, np.float64(3), np.array([None, 1]), io.BytesIO(b"x")]
)
def test_what_is_no_buffer(other: Any) -> None:
    assert not is_buffer(other)
    assert as_bytes(other) is None
    if not isinstance(other, (str, io.BytesIO)):
        with pytest.raises(TypeError, match="expected a path"):
            aig_codec.open(other)
    if other is not None:
        with pytest.raises(TypeError, match="exif must be bytes"):
            aig_codec.encode(np.zeros((4, 4), np.uint8), exif=other)


def test_arrays_are_no_streams_and_numbers_no_pieces() -> None:
    for whole in (np.zeros(3, np.uint8), array.array("B", b"x"), mapped(b"x"), b"x", "x", Path()):
        assert not is_stream(whole)
    assert is_stream(iter([b"x"]))
    with pytest.raises(TypeError, match="pieces of bytes, not int"):
        list(aig_codec.progressive([1, 2, 3]))


def test_a_bytearray_may_grow_while_it_is_open() -> None:
    data = bytearray(aig_codec.encode(np.asarray(picture("L", 20, 12))))
    with aig_codec.open(data) as file:
        data += b"more"
        assert file.decode().shape == (12, 20)


def test_joining_what_is_cut_or_no_bytes() -> None:
    data = aig_codec.encode(np.asarray(picture("L", 20, 12)))
    with pytest.raises(aig_codec.TruncatedError, match="a frame to join ends after"):
        aig_codec.join([data, data[:-1]], [0, 0])
    with pytest.raises(TypeError, match="not int"):
        aig_codec.join([data, 5], [0, 0])  # type: ignore[list-item]


# Writing


class Sparing(io.RawIOBase):
    """A raw file that takes a few bytes at a time."""

    def __init__(self, piece: int = 7, room: int = 10**9) -> None:
        self.piece, self.room, self.data = piece, room, b""

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        taken = bytes(data[: min(self.piece, self.room - len(self.data))])
        self.data += taken
        return len(taken)


class Blocked(Sparing):
    """One that is not ready after some bytes, as a pipe that does not wait."""

    def write(self, data: Any, /) -> int | None:  # type: ignore[override]
        return super().write(data) or None


def writers(image: Image.Image) -> list[Callable[[Any], Any]]:
    pixels = np.asarray(image)
    return [
        lambda target: image.save(target, "AIG", lossless=True),
        lambda target: image.save(target, "AIG", save_all=True, lossless=True),
        lambda target: iio.imwrite(target, pixels, extension=".aig", lossless=True),
    ]


@pytest.mark.parametrize("writer", range(3))
def test_everything_is_written_however_little_is_taken(writer: int) -> None:
    image = picture()
    wanted = saved(image, lossless=True)
    for piece in (1, 7, len(wanted) - 1, len(wanted)):
        target = Sparing(piece)
        writers(image)[writer](target)
        assert target.data == wanted


@pytest.mark.parametrize("writer", range(3))
@pytest.mark.parametrize("kind", [Sparing, Blocked])
def test_a_file_that_takes_no_more_is_an_error(writer: int, kind: type[Sparing]) -> None:
    image = picture()
    whole = len(saved(image, lossless=True))
    with pytest.raises(OSError, match=f"it has 20 of {whole}"):
        writers(image)[writer](kind(room=20))


def test_files_that_do_not_count_take_everything() -> None:
    class Silent:
        def __init__(self) -> None:
            self.data = b""

        def write(self, data: bytes) -> None:
            self.data += data

    target = Silent()
    write_all(target, b"all of it")
    assert target.data == b"all of it"


def test_a_raw_file(tmp_path: Path) -> None:
    image = picture()
    with open(tmp_path / "x.aig", "wb", buffering=0) as file:
        image.save(file, "AIG", lossless=True)
    assert (tmp_path / "x.aig").read_bytes() == saved(image, lossless=True)


def test_a_socket() -> None:
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (300, 400, 3), np.uint8))
    wanted = saved(image, lossless=True)
    here, there = socket.socketpair()
    here.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    here.settimeout(20)
    received = bytearray()

    def receive() -> None:
        while piece := there.recv(65536):
            received.extend(piece)

    thread = threading.Thread(target=receive)
    thread.start()
    try:
        with here.makefile("wb", buffering=0) as target:
            write_all(target, wanted)
    finally:
        here.close()
        thread.join(20)
        there.close()
    assert received == wanted
    assert np.array_equal(np.asarray(loaded(bytes(received))), np.asarray(image))


@pytest.mark.skipif(not hasattr(os, "set_blocking"), reason="needs pipes that do not wait")
def test_a_pipe_that_does_not_wait() -> None:
    reading, writing = os.pipe()
    try:
        os.set_blocking(writing, False)
        with (
            open(writing, "wb", buffering=0, closefd=False) as target,
            pytest.raises(OSError, match="takes no more bytes"),
        ):
            write_all(target, bytes(2**22))
    finally:
        os.close(reading)
        os.close(writing)
