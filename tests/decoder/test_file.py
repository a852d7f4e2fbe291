"""Lazy reading: what each call gives and how many bytes it takes."""

import io
from pathlib import Path

import numpy as np
import pytest
from support.pictures import mixed as photo
from support.pictures import smooth

import aig_codec
from aig_codec import geometry
from aig_codec.decoder.file import shrink
from aig_codec.decoder.segments import FIRST_READ


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    return photo(301, 403, 3)


@pytest.fixture(scope="module")
def data(picture: np.ndarray) -> bytes:
    return aig_codec.encode(
        picture,
        centers=[(100, 90), (300, 200)],
        sigmas=[(2, 1), 1],
        radii=[(30, 50), (25, 40)],
        xmp=bytes(30_000),
    )


def test_open_reads_header_and_metadata_only(data: bytes) -> None:
    with aig_codec.open(data) as file:
        assert file.size == (403, 301)
        assert file.mode == "RGB"
        assert file.centers == [(100, 90), (300, 200)]
        assert [s.name for s in file.segments] == [
            "core 0",
            "core 1",
            "tiles",
            "preview",
            "drawn",
            "mid",
            "background",
            "xmp",
        ]
        assert file.bytes_read == FIRST_READ


def test_bytes_for_adds_up(data: bytes) -> None:
    with aig_codec.open(data) as file:
        kinds = ("core", "tiles", "preview", "drawn", "mid", "background")
        parts = {kind: file.bytes_for(kind) for kind in kinds}
        assert all(parts.values())
        assert sum(parts.values()) + file.bytes_for("xmp") == file.bytes_for("full")
        assert len(data) - file.bytes_for("full") < FIRST_READ
        assert file.bytes_for("boundary") == 0
        with pytest.raises(ValueError, match="not known"):
            file.bytes_for("middle")


def test_core_reads_its_segment_alone(picture: np.ndarray, data: bytes) -> None:
    with aig_codec.open(data) as file:
        for k in (1, 0):
            before = file.bytes_read
            core = file.core(k)
            segment = next(s for s in file.segments if (s.kind, s.center) == ("core", k))
            assert file.bytes_read - before <= segment.length
            h, w = core.mask.shape
            crop = picture[core.top : core.top + h, core.left : core.left + w]
            assert np.array_equal(core.pixels[core.mask], crop[core.mask])
            assert not core.pixels[~core.mask].any()
            classes = file.regions().class_map()
            assert core.mask.sum() == (classes == 1 + k).sum() > 500
        assert len(file.cores()) == 2
        with pytest.raises(ValueError, match="no core 2"):
            file.core(2)


def test_upto_stops_where_asked(picture: np.ndarray, data: bytes) -> None:
    with aig_codec.open(data) as file:
        errors, sizes = [], []
        for upto in ("core", "preview", "mid", "full"):
            before = file.bytes_read
            decoded = file.decode(upto)
            sizes.append(file.bytes_read - before)
            errors.append(float(((decoded.astype(float) - picture) ** 2).mean()))
        assert errors == sorted(errors, reverse=True)
        assert len(set(errors)) == 4
        assert sizes == sorted(sizes)
        assert sizes[-1] <= file.bytes_for("full") - file.bytes_for("xmp")
        core = file.decode("core")
        outside = geometry.outside_cores(file.regions().class_map()) > 0
        assert (core[outside] == 128).all()
        with pytest.raises(ValueError, match="upto 'all'"):
            file.decode("all")


def test_preview_is_the_picture_at_one_eighth() -> None:
    picture = smooth(301, 403, 1).repeat(3, axis=2)  # chroma is coarser still
    data = aig_codec.encode(picture, centers=[(100, 90)], radii=[(60, 80)])
    with aig_codec.open(data) as file:
        before = file.bytes_read
        preview = file.preview()
        assert file.bytes_read - before <= file.bytes_for("preview")
    assert preview.shape == (38, 51, 3)
    error = np.abs(preview.astype(float) - shrink(picture, 8))
    assert error.mean() < 3


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_preview_of_other_modes_and_of_lossless_files(channels: int) -> None:
    pixels = photo(33, 50, channels)
    for lossless in (False, True):
        with aig_codec.open(aig_codec.encode(pixels, lossless=lossless)) as file:
            assert file.preview().shape == ((5, 7) if channels == 1 else (5, 7, channels))


@pytest.mark.parametrize("scale", [2, 4, 8])
def test_scaled_decoding_of_lossless_files_averages_boxes(
    picture: np.ndarray, data: bytes, scale: int
) -> None:
    small = aig_codec.decode(aig_codec.encode(picture, lossless=True), scale=scale)
    assert small.shape == aig_codec.decode(data, scale=scale).shape
    assert small.shape == (-(-301 // scale), -(-403 // scale), 3)
    box = picture[scale : 2 * scale, 3 * scale : 4 * scale].reshape(-1, 3).astype(int)
    assert np.array_equal(small[1, 3], (box.sum(0) + len(box) // 2) // len(box))
    with pytest.raises(ValueError, match="scale"):
        aig_codec.decode(data, scale=3)


def test_sources_of_every_kind(data: bytes, tmp_path: Path) -> None:
    expected = aig_codec.decode(data)
    path = tmp_path / "x.aig"
    path.write_bytes(data)

    class Pipe(io.RawIOBase):
        """Delivers little at a time and cannot seek."""

        def __init__(self) -> None:
            self.left = data

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: memoryview) -> int:
            size = min(1000, len(buffer))
            part, self.left = self.left[:size], self.left[size:]
            buffer[: len(part)] = part
            return len(part)

    shifted = io.BytesIO(b"in front" + data)
    shifted.seek(8)
    for source in (path, str(path), bytearray(data), memoryview(data), shifted, Pipe()):
        assert np.array_equal(aig_codec.decode(source), expected)
    with open(path, "rb") as stream:
        assert np.array_equal(aig_codec.decode(stream), expected)
        assert not stream.closed
    with pytest.raises(TypeError, match="path, a URL, bytes or a binary file"):
        aig_codec.open(42)
    with pytest.raises(FileNotFoundError):
        aig_codec.open(tmp_path / "missing.aig")


def test_metadata_beyond_the_first_read(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr("aig_codec.decoder.segments.FIRST_READ", 64)
    with aig_codec.open(data) as file:
        assert file.bytes_read == len(data) - file.bytes_for("full")
        assert np.array_equal(file.decode(), aig_codec.decode(data))


def test_verify_checks_every_segment(data: bytes) -> None:
    with aig_codec.open(data) as file:
        file.verify()
        names = [(s.name, len(data) - file.bytes_for("full") + s.offset) for s in file.segments]
    for name, offset in names:
        damaged = bytearray(data)
        damaged[offset] ^= 1
        with aig_codec.open(damaged) as file, pytest.raises(aig_codec.CorruptError, match=name):
            file.verify()
