"""What interpreters and notebooks show of files and cores."""

import io

import numpy as np
import pytest
from PIL import Image
from support.pillow_files import FOCI, ends, picture

import aig_codec


def shown(png: bytes | None) -> Image.Image:
    assert png is not None
    image = Image.open(io.BytesIO(png))
    assert image.format == "PNG"
    image.load()
    return image


def test_words() -> None:
    rgb = np.asarray(picture())
    deep = np.asarray(picture("L")).astype(np.uint16)
    for data, words in (
        (aig_codec.encode(rgb, **FOCI), "<AigFile 75 x 50 RGB, focus (20, 18), (58, 30)>"),
        (
            aig_codec.encode(deep, centers=[(1, 2)]),
            "<AigFile 75 x 50 L of 16 bits, lossless, focus (1, 2)>",
        ),
        (
            aig_codec.encode_sequence([rgb, rgb], lossless=True),
            "<AigFile 75 x 50 RGB, lossless, focus (37, 25), 2 frames>",
        ),
    ):
        with aig_codec.open(data) as file:
            before = file.bytes_read
            assert repr(file) == words
            assert file.bytes_read == before
        assert repr(file) == words  # also of one that is closed


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_cores(mode: str) -> None:
    original = picture(mode)
    with aig_codec.open(aig_codec.encode(np.asarray(original), **FOCI)) as file:
        core = file.core(0)
    height, width = core.mask.shape
    exact = int(core.mask.sum())
    assert repr(core) == f"<Core {width} x {height} uint8 at (12, 10), {exact} pixels exact>"
    image = np.asarray(shown(core._repr_png_()).convert("RGBA"))
    box = (core.left, core.top, core.left + width, core.top + height)
    wanted = np.asarray(original.convert("RGBA").crop(box))
    np.testing.assert_array_equal(image[core.mask], wanted[core.mask])
    assert not image[~core.mask].any()


def test_cores_of_16_bits() -> None:
    deep = (np.arange(600, dtype=np.uint16) * 100).reshape(20, 30)
    with aig_codec.open(aig_codec.encode(deep)) as file:
        np.testing.assert_array_equal(
            np.asarray(shown(file.core(0)._repr_png_()))[..., 0], deep >> 8
        )
        np.testing.assert_array_equal(np.asarray(shown(file._repr_png_())), deep >> 8)


def test_pictures() -> None:
    data = aig_codec.encode(np.asarray(picture("RGBA")), **FOCI)
    with aig_codec.open(data) as file:
        np.testing.assert_array_equal(np.asarray(shown(file._repr_png_())), file.decode())
    large = np.zeros((40, 5000), np.uint8)
    with aig_codec.open(aig_codec.encode(large, lossless=True)) as file:
        assert shown(file._repr_png_()).size == (625, 5)


def test_of_what_is_damaged_there_is_what_is_left(tmp_path: object) -> None:
    original = picture()
    data = aig_codec.encode(np.asarray(original), **FOCI)
    with aig_codec.open(data[: ends(data)["core 1"]]) as file:
        core = file.core(0)
        image = np.asarray(shown(file._repr_png_()))
        assert file.problems == []  # which are of the last decode() that somebody asked for
    window = image[core.top :, core.left :][: core.mask.shape[0], : core.mask.shape[1]]
    np.testing.assert_array_equal(window[core.mask], core.pixels[core.mask])


def test_of_a_closed_file_there_is_nothing(tmp_path) -> None:
    path = tmp_path / "x.aig"
    path.write_bytes(aig_codec.encode(np.asarray(picture("RGB", 300, 200)), lossless=True))
    with aig_codec.open(path) as file:
        pass
    assert file._repr_png_() is None
