"""Thumbnails in Pillow: `draft` picks the smallest scale that is large enough."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFile
from support import pictures

import aig_codec
import pillow_aig  # noqa: F401  registers the format

WIDTH, HEIGHT = 803, 602
PICTURE = pictures.mixed(HEIGHT, WIDTH, 3)
DATA = aig_codec.encode(PICTURE, centers=[(300, 200)], radii=[(50, 70)], mid="dct")


@pytest.mark.parametrize(
    ("asked", "scale"),
    [
        ((803, 602), 1),
        ((402, 10), 1),
        ((401, 301), 2),
        ((201, 151), 2),
        ((200, 150), 4),
        ((101, 10), 4),
        ((100, 75), 8),
        ((1, 1), 8),
        ((2000, 1), 1),
    ],
)
def test_draft_is_the_smallest_that_is_large_enough(asked: tuple[int, int], scale: int) -> None:
    with Image.open(io.BytesIO(DATA)) as image:
        mode, box = image.draft(None, asked)
        assert mode == image.mode == "RGB"
        assert box == (0, 0, WIDTH / scale, HEIGHT / scale)
        assert image.size == (-(-WIDTH // scale), -(-HEIGHT // scale))
        np.testing.assert_array_equal(np.asarray(image), aig_codec.decode(DATA, scale=scale))
        assert image.draft(None, (1, 1)) is None


def test_a_second_draft_is_refused_and_so_is_one_without_size() -> None:
    with Image.open(io.BytesIO(DATA)) as image:
        assert image.draft("L", None) == ("RGB", (0, 0, WIDTH, HEIGHT))
        assert image.size == (WIDTH, HEIGHT)
        assert image.draft(None, (90, 60)) is not None
        assert image.draft(None, (90, 60)) is None
    with Image.open(io.BytesIO(DATA)) as image:
        image.load()
        assert image.draft(None, (90, 60)) is None
        assert image.size == (WIDTH, HEIGHT)


@pytest.mark.parametrize("gap", [None, 1.0, 2.0, 3.0])
def test_thumbnails_are_close_to_those_of_the_whole(gap: float | None) -> None:
    with Image.open(io.BytesIO(DATA)) as image:
        image.thumbnail((100, 100), reducing_gap=gap)
    whole = Image.fromarray(aig_codec.decode(DATA))
    whole.thumbnail((100, 100), reducing_gap=gap)
    assert image.size == whole.size
    difference = np.asarray(image).astype(int) - np.asarray(whole)
    assert np.abs(difference).mean() < 3


@pytest.mark.parametrize(
    ("keywords", "channels", "mode"),
    [
        ({}, 1, "L"),
        ({}, 2, "LA"),
        ({}, 4, "RGBA"),
        ({"mid": "palette"}, 3, "RGB"),
        ({"lossless": True}, 3, "RGB"),
    ],
)
def test_drafts_of_other_files(keywords: dict, channels: int, mode: str) -> None:
    data = aig_codec.encode(pictures.mixed(90, 130, channels), exif=b"Exif\0\0x", **keywords)
    for scale in (2, 4, 8):
        with Image.open(io.BytesIO(data)) as image:
            image.draft(None, (130 // scale, 90 // scale))
            assert image.mode == mode
            np.testing.assert_array_equal(np.asarray(image), aig_codec.decode(data, scale=scale))
            assert image.info["exif"] == b"Exif\0\0x"


def test_sixteen_bits() -> None:
    pixels = (np.arange(64 * 64, dtype=np.uint16) * 16).reshape(64, 64)
    data = aig_codec.encode(pixels, lossless=True)
    with Image.open(io.BytesIO(data)) as image:
        image.draft(None, (8, 8))
        assert image.mode == "I;16"
        np.testing.assert_array_equal(np.asarray(image), aig_codec.decode(data, scale=8))


def test_the_smallest_draft_needs_the_beginning_only(tmp_path: Path) -> None:
    with aig_codec.open(DATA) as file:
        end = file.data_start + next(s.end for s in file.segments if s.kind == "preview")
    path = tmp_path / "cut.aig"
    path.write_bytes(DATA[:end])
    with Image.open(path) as image:
        image.draft(None, (100, 75))
        np.testing.assert_array_equal(np.asarray(image), aig_codec.decode(DATA, scale=8))
    with Image.open(path) as image:
        image.draft(None, (200, 150))
        with pytest.raises(OSError, match="truncated"):
            image.load()


def test_a_cut_file_gives_a_draft_of_what_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    cut = DATA[: len(DATA) * 2 // 3]
    with Image.open(io.BytesIO(cut)) as image:
        image.draft(None, (200, 150))
        shown = np.asarray(image)
    with aig_codec.open(cut) as file:
        np.testing.assert_array_equal(shown, file.decode(scale=4, strict=False))
