"""Alpha in whatever way Pillow's modes and formats say it."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image
from support.pillow_files import loaded, saved

import aig_codec

#: Every shade, and every combination of colours that the palette of P makes of them.
SHADES = np.arange(256, dtype=np.uint8).reshape(16, 16)


def grey() -> Image.Image:
    return Image.fromarray(SHADES)


def image_of(mode: str) -> Image.Image:
    colour = Image.merge("RGB", [grey(), grey().rotate(90), grey().rotate(180)])
    if mode == "L":
        return grey()
    if mode in ("LA", "La"):
        return Image.merge("LA", [grey(), grey().rotate(90)]).convert(mode)
    if mode in ("RGBA", "RGBa", "PA"):
        colour.putalpha(grey())
        return colour.convert(mode)
    if mode.startswith("I;16"):
        wide = SHADES.astype(">u2" if mode.endswith("B") else "<u2") * 257
        return Image.frombytes(mode, (16, 16), wide.astype(wide.dtype).tobytes())
    if mode == "I":
        return Image.fromarray(SHADES.astype(np.int32) * 257)
    if mode == "1":
        return grey().point(lambda v: 255 * (v > 100)).convert("1", dither=Image.Dither.NONE)
    if mode == "P":
        return colour.quantize(64)
    return colour.convert(mode)


def alpha_of(image: Image.Image) -> np.ndarray | None:
    """The alpha that is stored, if there is one."""
    pixels = aig_codec.decode(saved(image, lossless=True))
    return pixels[..., -1] if pixels.ndim == 3 and pixels.shape[2] in (2, 4) else None


def with_info(mode: str, transparency: Any) -> Image.Image:
    image = image_of(mode)
    image.info["transparency"] = transparency
    return image


ALL_MODES = (
    *("1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "HSV"),
    *("I", "I;16", "I;16B", "I;16L", "I;16N"),
)
WITH_ALPHA = ("LA", "La", "PA", "RGBA", "RGBa")
#: What nothing can be made of in any mode.
USELESS = (
    *(None, "x", 5.0, Ellipsis, (), (1, 2), [1, 2, 3, 4, 5], {}, (0.5, 1, 1)),
    *(-1, 2**20, (-1, 0, 0), (2**20, 0, 0)),
)


@pytest.mark.parametrize("mode", ALL_MODES)
@pytest.mark.parametrize("transparency", USELESS, ids=str)
def test_what_is_of_no_use_changes_nothing(mode: str, transparency: Any) -> None:
    if mode == "1" and isinstance(transparency, int):
        return  # all numbers but 0 are white
    plain = saved(image_of(mode), lossless=True)
    assert saved(with_info(mode, transparency), lossless=True) == plain
    assert (alpha_of(image_of(mode)) is not None) == (mode in WITH_ALPHA)


@pytest.mark.parametrize("mode", ["CMYK", "YCbCr", "HSV", *WITH_ALPHA])
@pytest.mark.parametrize("transparency", [0, 5, b"\0\1", (0, 0, 0)], ids=str)
def test_modes_that_have_alpha_or_cannot_say_a_colour(mode: str, transparency: Any) -> None:
    plain = saved(image_of(mode), lossless=True)
    assert saved(with_info(mode, transparency), lossless=True) == plain


@pytest.mark.parametrize("mode", ["LAB", "F"])
@pytest.mark.parametrize("transparency", [None, 0, (0, 0, 0)], ids=str)
def test_modes_that_are_refused_are_so_by_name(mode: str, transparency: Any) -> None:
    image = Image.new(mode, (4, 4))
    image.info["transparency"] = transparency
    with pytest.raises(OSError, match=f"cannot write mode {mode} as AIG"):
        saved(image)


@pytest.mark.parametrize("mode", ["1", "L", "I", "I;16", "I;16B", "I;16L", "I;16N"])
@pytest.mark.parametrize("as_colour", [False, True])
def test_a_shade(mode: str, as_colour: bool) -> None:
    values = np.asarray(image_of(mode)).astype(int) * (255 if mode == "1" else 1)
    for shade in (0, int(values[5, 7])):
        image = with_info(mode, (shade,) * 3 if as_colour else shade)
        alpha = alpha_of(image)
        most = 255 if mode in ("1", "L") else 65535
        np.testing.assert_array_equal(alpha, np.where(values == shade, 0, most))
        assert (alpha == 0).any()
        assert loaded(saved(image)).mode == "LA"


def test_white_of_black_and_white_has_many_numbers() -> None:
    white = np.asarray(image_of("1"))
    for number in (1, 5, 255):
        alpha = alpha_of(with_info("1", number))
        np.testing.assert_array_equal(alpha, np.where(white, 0, 255))


@pytest.mark.parametrize("kind", [int, np.uint8, np.int64])
def test_numbers_of_numpy(kind: type) -> None:
    assert (alpha_of(with_info("L", kind(9))) == 0).sum() == 1
    assert (alpha_of(with_info("P", kind(9))) == 0).any()


@pytest.mark.parametrize("mode", ["RGB", "RGBX", "P"])
@pytest.mark.parametrize("kind", [tuple, list])
def test_a_colour(mode: str, kind: type) -> None:
    colours = np.asarray(image_of(mode).convert("RGB"))
    colour = colours[3, 4]
    alpha = alpha_of(with_info(mode, kind(map(int, colour))))
    np.testing.assert_array_equal(alpha, np.where((colours == colour).all(axis=2), 0, 255))


@pytest.mark.parametrize("mode", ["RGB", "P"])
def test_a_colour_that_no_pixel_has(mode: str) -> None:
    """It may be there all the same: the mode tells that there is alpha, as in PNG."""
    colours = {tuple(c) for c in np.asarray(image_of(mode).convert("RGB")).reshape(-1, 3)}
    absent = next((r, 1, 2) for r in range(256) if (r, 1, 2) not in colours)
    assert (alpha_of(with_info(mode, absent)) == 255).all()


def test_a_colour_of_16_bits_where_pillow_keeps_8() -> None:
    colours = np.asarray(image_of("RGB"))
    colour = tuple(int(v) * 257 for v in colours[3, 4])
    alpha = alpha_of(with_info("RGB", colour))
    assert alpha[3, 4] == 0
    assert (alpha == 0).sum() == (colours == colours[3, 4]).all(axis=2).sum()


def test_entries_of_a_palette() -> None:
    entries = np.asarray(image_of("P"))
    np.testing.assert_array_equal(alpha_of(with_info("P", 7)), np.where(entries == 7, 0, 255))
    alphas = bytes(range(64))
    for given in (alphas, bytearray(alphas), alphas + bytes(300)):
        np.testing.assert_array_equal(alpha_of(with_info("P", given)), entries)
    short = alpha_of(with_info("P", b"\0\x80"))
    np.testing.assert_array_equal(short, np.choose(np.minimum(entries, 2), [0, 128, 255]))
    for beyond in (256, -1):
        assert alpha_of(with_info("P", beyond)) is None


def test_a_palette_with_alpha_of_its_own() -> None:
    image = Image.frombytes("P", (16, 16), SHADES.tobytes())
    colours = [(i, 255 - i, i // 2, i) for i in range(256)]
    image.putpalette([v for colour in colours for v in colour], "RGBA")
    np.testing.assert_array_equal(alpha_of(image), SHADES)
    image.info["transparency"] = colours[77][:3]
    np.testing.assert_array_equal(alpha_of(image), np.where(SHADES == 77, 0, SHADES))
    image.info["transparency"] = None
    np.testing.assert_array_equal(alpha_of(image), SHADES)


def test_no_palette_at_all() -> None:
    """As of damaged PNG files; black to Pillow."""
    image = Image.new("P", (4, 4))
    image.palette = None
    for transparency in (None, 0, b"\0"):
        image.info["transparency"] = transparency
        assert not np.asarray(loaded(saved(image, lossless=True)).convert("RGB")).any()


def test_the_image_stays_as_it_was() -> None:
    for transparency in (None, (1, 2, 3), bytes(300)):
        image = with_info("P", transparency)
        saved(image)
        assert image.info["transparency"] is transparency
        assert image.mode == "P"


FORMATS = {
    "PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"),
    "GIF": ("1", "L", "P", "RGB", "RGBA"),
    "WEBP": ("L", "LA", "P", "RGB", "RGBA"),
    "TIFF": ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "I;16"),
    "ICO": ("RGBA", "P", "RGB"),
    "TGA": ("L", "LA", "P", "RGB", "RGBA"),
}


@pytest.mark.parametrize(
    ("name", "mode"), [(name, mode) for name, modes in FORMATS.items() for mode in modes]
)
@pytest.mark.parametrize("keyed", [False, True])
def test_files_of_other_formats(name: str, mode: str, keyed: bool) -> None:
    """Whatever Pillow reads as transparent is so in AIG, pixel by pixel."""
    image = image_of(mode)
    options: dict[str, Any] = {"lossless": True} if name == "WEBP" else {}
    if keyed and name in ("PNG", "GIF") and mode not in ("LA", "RGBA"):
        options["transparency"] = tuple(np.asarray(image)[3, 4]) if mode == "RGB" else 5
        if mode == "RGB" and name == "PNG":
            options["transparency"] = tuple(map(int, options["transparency"]))
        elif mode == "1":
            options["transparency"] = 0
        elif name == "GIF" and mode == "RGB":
            image, options["transparency"] = image.quantize(32), 3
    source = io.BytesIO()
    image.save(source, name, **options)
    with Image.open(source) as original:
        original.load()
        has_alpha = original.has_transparency_data
        alpha = alpha_of(original)
        assert (alpha is not None) == has_alpha
        if alpha is not None:
            if original.mode == "I;16":
                key = original.info["transparency"]
                wanted = np.where(np.asarray(original) == key, 0, 65535)
            else:
                wanted = np.asarray(original.convert("RGBA"))[..., 3]
            np.testing.assert_array_equal(alpha, wanted)
