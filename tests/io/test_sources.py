"""Where files come from: every source gives the same bytes, asked for as seldom as can be."""

import io
from pathlib import Path

import numpy as np
import pytest
from support import pictures

import aig_codec
from aig_codec import errors
from aig_codec.decoder.segments import FIRST_READ
from aig_codec.io import sources

PICTURE = pictures.mixed(301, 403, 3)
DATA = aig_codec.encode(PICTURE, centers=[(100, 90), (300, 200)], radii=[(45, 60), (25, 40)])


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
