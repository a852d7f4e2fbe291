"""Pillow opens AIG as it does its own formats: lazily, and whole or in pieces."""

import copy
import io
import pickle
import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFile, UnidentifiedImageError
from support.pillow_files import FOCI, ends, has_core, loaded, parsed, picture, same, saved

import aig_codec
import pillow_aig
from aig_codec.container import pack_prologue, read_prologue


class Counting(io.BytesIO):
    """A file that knows how much was read from it."""

    total = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.total += len(data)
        return data


# Opening


def test_open_reads_no_pixels() -> None:
    noise = np.random.default_rng(3).integers(0, 256, (300, 300, 3), np.uint8)
    data = saved(Image.fromarray(noise), lossless=True, exif=b"Exif\0\0II*\0", dpi=(96, 72))
    file = Counting(data)
    image = Image.open(file)
    assert image.size == (300, 300)
    assert image.info["exif"] == b"Exif\0\0II*\0"
    assert image.info["dpi"] == (96, 72)
    assert file.total < 5000 < len(data) // 10
    image.load()
    assert file.total > len(data)
    assert np.array_equal(np.asarray(image), noise)


def test_info_tells_about_the_foci() -> None:
    info = loaded(saved(picture(), **FOCI, quality_level=100)).info["aig"]
    assert info["centers"] == [(20, 18), (58, 30)]
    assert info["radii"] == [(8, 12), (5, 9)]
    assert info["sigmas"] == [(1, 1), (1, 1)]
    assert info["alphas"] == [0, 0]
    assert info["quality_level"] == 100
    assert info["lossless"] is False


def test_metadata_larger_than_the_first_read() -> None:
    data = saved(picture(), **FOCI)
    prologue = read_prologue(data)
    noise = tuple(1 + n for n in random.Random(7).randbytes(3000))
    head = pack_prologue(replace(prologue.metadata, palette_sizes=noise))
    assert len(head) > 5000
    grown = head + data[prologue.data_start :]
    assert same(loaded(grown), loaded(data))
    for n in (4095, 4096, 4097, len(head) - 1):
        with pytest.raises(OSError, match="metadata"):
            Image.open(io.BytesIO(grown[:n]))


def test_factory_reads_from_where_the_file_stands() -> None:
    data = saved(picture(), **FOCI, xmp=b"<x/>")
    for check in ("load", "verify"):
        file = io.BytesIO(b"in front" + data)
        file.seek(8)
        image = pillow_aig.AigImageFile(file)
        assert image.info["xmp"] == b"<x/>"
        getattr(image, check)()
        if check == "load":
            assert same(image, loaded(data))


def test_other_formats_are_left_alone() -> None:
    with pytest.raises(UnidentifiedImageError):
        Image.open(io.BytesIO(b"AIG1" + bytes(100)))
    with pytest.raises(SyntaxError):
        pillow_aig.AigImageFile(io.BytesIO(b"\x89PNG\r\n\x1a\n" + bytes(100)))
    png = io.BytesIO()
    picture().save(png, "PNG")
    assert loaded(png.getvalue()).format == "PNG"


def test_decompression_bombs_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    data = saved(picture(), **FOCI)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 75 * 50 // 2 - 1)
    with pytest.raises(Image.DecompressionBombError):
        pillow_aig.AigImageFile(io.BytesIO(data))
    with pytest.raises(Image.DecompressionBombError):
        Image.open(io.BytesIO(data))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 75 * 50 - 1)
    with pytest.warns(Image.DecompressionBombWarning):
        Image.open(io.BytesIO(data))


def test_single_frame() -> None:
    image = Image.open(io.BytesIO(saved(picture(), **FOCI)))
    assert image.tell() == 0
    image.seek(0)
    for frame in (1, 2, -1):
        with pytest.raises(EOFError):
            image.seek(frame)
    image.thumbnail((20, 20))
    assert image.size == (20, 13)
    assert image.draft("L", (10, 10)) is None


# Copies and threads


def test_copy_pickle_and_deepcopy() -> None:
    data = saved(picture(), **FOCI, xmp=b"<x/>")
    expected = loaded(data)
    for twin in (
        Image.open(io.BytesIO(data)).copy(),
        pickle.loads(pickle.dumps(Image.open(io.BytesIO(data)))),
        copy.deepcopy(Image.open(io.BytesIO(data))),
        copy.copy(Image.open(io.BytesIO(data))),
    ):
        assert same(twin, expected)
        assert twin.info == expected.info


def test_threads_with_an_image_each() -> None:
    files = [saved(picture(width=40 + n), centers=[(10, 10)], radii=[(5, 8)]) for n in range(6)]
    expected = [loaded(data).tobytes() for data in files]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda data: loaded(data).tobytes(), files * 3)) == expected * 3


# Bytes that come in pieces


@pytest.mark.parametrize("mode", ["L", "RGBA"])
@pytest.mark.parametrize("step", [1, 7, 1000, 10**9])
def test_parser(mode: str, step: int) -> None:
    data = saved(picture(mode), **FOCI, xmp=b"<x/>", exif=b"Exif\0\0II*\0", icc_profile=b"icc")
    image = parsed(data, step)
    assert same(image, loaded(data))
    assert image.info == loaded(data).info


def test_parser_shows_the_focus_first() -> None:
    original = picture()
    data = saved(original, **FOCI)
    at = ends(data)
    parser = ImageFile.Parser()
    seen = {}
    for n in range(len(data)):
        parser.feed(data[n : n + 1])
        name = {end: name for name, end in at.items()}.get(n + 1)
        if name and parser.image:
            seen[name] = parser.image.copy()
    assert list(seen) == ["core 0", "core 1", "preview", "mid", "background"]
    for name, tier in (("core 1", "core"), ("preview", "preview"), ("mid", "mid")):
        assert np.array_equal(np.asarray(seen[name]), aig_codec.decode(data, upto=tier))
        assert has_core(seen[name], 0, data, original)
        assert has_core(seen[name], 1, data, original)
    assert same(seen["background"], loaded(data))


def test_feeding_bytes_decodes_a_few_times_only(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    decode = aig_codec.decode

    def counting(*args: Any, **keywords: Any) -> Any:
        calls.append(keywords["upto"])
        return decode(*args, **keywords)

    monkeypatch.setattr(aig_codec, "decode", counting, raising=False)
    data = saved(picture("RGBA"), **FOCI)
    parsed(data, 1)
    assert calls == ["core", "preview", "mid", "full"]
    calls.clear()
    loaded(data)
    assert calls == ["full"]


def test_parser_without_the_end() -> None:
    data = saved(picture(), **FOCI)
    for n in (0, 3, 40, len(data) // 2, len(data) - 1):
        parser = ImageFile.Parser()
        parser.feed(data[:n])
        with pytest.raises(OSError, match=r"parse|incomplete"):
            parser.close()


def test_parser_reports_damage() -> None:
    data = bytearray(saved(picture(), **FOCI))
    data[-1] ^= 1
    parser = ImageFile.Parser()
    parser.feed(bytes(data[:-1]))
    with pytest.raises(OSError, match="checksum of the background"):
        parser.feed(bytes(data[-1:]))
    with pytest.raises(OSError, match="checksum of the background"):
        parser.close()


def test_trailing_bytes_are_ignored() -> None:
    data = saved(picture(), **FOCI, xmp=b"<x/>")
    for tail in (b"\0", b"AIG2" * 50, bytes(200_000)):
        assert same(loaded(data + tail), loaded(data))
        with Image.open(io.BytesIO(data + tail)) as image:
            image.verify()
        parser = ImageFile.Parser()
        parser.feed(data + tail[:5])
        parser.feed(tail[5:])
        assert same(parser.close(), loaded(data))
