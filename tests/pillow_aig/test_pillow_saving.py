"""Pillow writes AIG as it does its own formats: round trips, options, metadata."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image, TiffImagePlugin
from support.pillow_files import CHANNELS, FOCI, has_core, loaded, picture, same, saved

import aig_codec
from aig_codec.encoder import settings

# Round trips


@pytest.mark.parametrize("mode", CHANNELS)
@pytest.mark.parametrize("size", [(75, 50), (1, 1), (9, 1), (1, 17), (33, 64)], ids=str)
def test_lossless_round_trip(mode: str, size: tuple[int, int], tmp_path: Path) -> None:
    original = picture(mode, *size)
    path = tmp_path / "picture.aig"
    original.save(path, lossless=True)
    with Image.open(path) as image:
        assert (image.format, image.mode, image.size) == ("AIG", mode, size)
        assert image.get_format_mimetype() == "image/x-aig"
        assert same(image, original)


@pytest.mark.parametrize("mode", CHANNELS)
def test_lossy_round_trip_keeps_the_cores(mode: str) -> None:
    original = picture(mode)
    data = saved(original, **FOCI)
    image = loaded(data)
    assert image.mode == mode
    assert has_core(image, 0, data, original)
    assert has_core(image, 1, data, original)
    assert not same(image, original)
    difference = np.abs(np.asarray(image, float) - np.asarray(original, float))
    assert difference.mean() < 12
    assert np.array_equal(np.asarray(image), aig_codec.decode(data))


@pytest.mark.parametrize("as_text", [True, False])
def test_paths(tmp_path: Path, as_text: bool) -> None:
    path = tmp_path / "Picture.AIG"
    picture().save(str(path) if as_text else path, **FOCI)
    with Image.open(str(path) if as_text else path) as image:
        assert same(image, loaded(path.read_bytes()))


def test_save_gives_what_encode_gives() -> None:
    original = picture()
    options = {"centers": [(20, 18)], "Sigmas": [(2.0, 1.5)], "alphas": [0.05], "lambda_rd": 0.05}
    assert saved(original, quality_level=96, **options) == aig_codec.encode(
        np.asarray(original), quality_level=96, **options
    )


@pytest.mark.parametrize(
    ("given", "stored"), [(0, "4:4:4"), (2, "4:2:0"), ("4:2:2", "4:2:0"), ("4:4:4", "4:4:4")]
)
def test_subsampling_as_jpeg_names_it(given: Any, stored: str) -> None:
    """Thumbnail tools pass what JPEG understands to every format."""
    with aig_codec.open(saved(picture(), quality=75, subsampling=given)) as file:
        assert file.metadata.subsampling == stored
    for wrong in (3, "4:4:0", [1]):
        with pytest.raises(ValueError, match="subsampling"):
            saved(picture(), subsampling=wrong)


def test_every_keyword_of_the_codec_passes() -> None:
    values = {
        "centers": [(9, 9)],
        "sigmas": [2],
        "alphas": [0.5],
        "radii": [(4, 6)],
        "labels": ["something"],
        "quality": 33,
        "explain": True,
        "lambda_rd": 0.5,
        "lossless": False,
        "mid": "dct",
        "coders": {"background": "dct"},
        "palette_space": "hsv",
        "entropy": "golomb",
        "effort": 3,
        "tune": "visual",
        "subsampling": "4:4:4",
        "boundary_tau": 3,
        "preset": "medical",
        "threads": 1,
    }
    # Those that exclude one of the others.
    others = {"Sigmas", "quality_level", "mask", "boxes", "target_size", "target_psnr"}
    assert settings.KEYWORDS - values.keys() == others
    image, stream = picture(), io.BytesIO()
    image.save(stream, "AIG", **values)
    assert stream.getvalue() == aig_codec.encode(np.asarray(image), **values)


def test_saving_over_the_open_file(tmp_path: Path) -> None:
    path = tmp_path / "x.aig"
    original = picture()
    original.save(path, lossless=True)
    with Image.open(path) as image:
        image.save(path, lossless=True)
    with Image.open(path) as image:
        assert same(image, original)


# Saving


def test_unknown_options_are_ignored() -> None:
    plain = saved(picture(), **FOCI)
    assert saved(picture(), **FOCI, optimize=True, progressive=True, method=6) == plain


BAD_OPTIONS: list[dict[str, Any]] = [
    {"quality": 101},
    {"quality": "high"},
    {"quality": 50, "quality_level": 100},
    {"quality_level": 256},
    {"centers": [(75, 0)]},
    {"centers": [(0, 0)] * 4},
    {"centers": []},
    {"centers": 5},
    {"centers": "middle"},
    {"centers": [(1, 1)], "radii": [(5, 3)]},
    {"centers": [(1, 1)], "sigmas": [0]},
    {"centers": [(1, 1)], "sigmas": ...},
    {"radii": [(3, 5)]},
    {"effort": 10},
    {"mid": "fog"},
    {"entropy": "morse"},
    {"tune": "piano"},
    {"subsampling": "4:1:1"},
    {"preset": "unknown"},
    {"preset": ["tracking"]},
    {"threads": 0},
    {"lambda_rd": -1},
    {"boundary_tau": "x"},
    {"dpi": 300},
    {"dpi": (-1, 300)},
    {"dpi": (float("nan"), 300)},
    {"dpi": (300, 300, 300)},
    {"exif": 5},
    {"icc_profile": 5},
    {"xmp": ["x"]},
]


@pytest.mark.parametrize("options", BAD_OPTIONS, ids=str)
def test_bad_options_leave_no_file(options: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "x.aig"
    with pytest.raises(ValueError, match=r"\w"):
        picture().save(path, **options)
    assert not path.exists()


STORED_AS = {
    "1": "L",
    "P": "RGB",
    "PA": "RGBA",
    "La": "LA",
    "RGBa": "RGBA",
    "RGBX": "RGB",
    "CMYK": "RGB",
    "YCbCr": "RGB",
    "HSV": "RGB",
}


@pytest.mark.parametrize("mode", STORED_AS)
def test_modes_that_are_converted_as_pillow_converts(mode: str) -> None:
    start = picture("RGBA" if mode in ("PA", "La", "RGBa") else "RGB")
    start = start.convert({"La": "LA"}.get(mode, start.mode))
    original = start.convert(mode) if mode != "PA" else start.convert("P").convert("PA")
    image = loaded(saved(original, lossless=True))
    assert image.mode == STORED_AS[mode]
    assert same(image, original.convert(STORED_AS[mode]))


@pytest.mark.parametrize("mode", ["P", "L", "RGB"])
def test_a_transparent_colour_becomes_alpha(mode: str) -> None:
    source = io.BytesIO()
    drawn = picture().convert(mode)
    drawn.save(source, "PNG", transparency=(0, 0, 0) if mode == "RGB" else 16)
    with Image.open(source) as original:
        image = loaded(saved(original, lossless=True))
        assert image.mode == ("LA" if mode == "L" else "RGBA")
        assert same(image, original.convert(image.mode))


def test_whole_numbers_that_fit_are_grey_of_16_bits() -> None:
    values = np.arange(600, dtype=np.int32).reshape(20, 30) * 100
    image = loaded(saved(Image.fromarray(values)))
    assert image.mode == "I;16"
    assert np.array_equal(np.asarray(image), values)
    for wrong in (-1, 65536):
        values[3, 4] = wrong
        with pytest.raises(OSError, match="cannot write mode I as AIG: it has more than 16 bits"):
            saved(Image.fromarray(values))


def test_black_and_white_is_exact_unless_loss_is_asked_for() -> None:
    mask = picture("L", 200, 150).convert("1")
    assert same(loaded(saved(mask)), mask.convert("L"))
    assert not same(loaded(saved(mask, quality=10, lossless=False)), mask.convert("L"))


def test_a_profile_for_printing_is_left_out() -> None:
    original = picture().convert("CMYK")
    assert "icc_profile" not in loaded(saved(original, icc_profile=b"profile")).info
    assert loaded(saved(picture(), icc_profile=b"profile")).info["icc_profile"] == b"profile"


@pytest.mark.parametrize("mode", ["LAB", "F"])
def test_modes_that_cannot_be_stored(mode: str, tmp_path: Path) -> None:
    path = tmp_path / "x.aig"
    with pytest.raises(OSError, match=f"cannot write mode {mode} as AIG"):
        Image.new(mode, (20, 20)).save(path)
    assert not path.exists()


@pytest.mark.parametrize("size", [(0, 5), (5, 0), (0, 0)])
def test_empty_images(size: tuple[int, int], tmp_path: Path) -> None:
    path = tmp_path / "x.aig"
    with pytest.raises(ValueError, match="empty"):
        Image.new("RGB", size).save(path)
    assert not path.exists()


def test_failed_save_writes_nothing_into_an_existing_target(tmp_path: Path) -> None:
    # Pillow has emptied it by then; what must not happen is half a file.
    path = tmp_path / "x.aig"
    path.write_bytes(b"something")
    with pytest.raises(ValueError, match="quality"):
        picture().save(path, quality=-1)
    assert path.read_bytes() == b""
    target = io.BytesIO()
    with pytest.raises(ValueError, match="quality"):
        picture().save(target, "AIG", quality=-1)
    assert target.getvalue() == b""


def test_one_write() -> None:
    class Target(io.BytesIO):
        writes = 0

        def write(self, data: Any, /) -> int:
            self.writes += 1
            return super().write(data)

    target = Target()
    picture().save(target, "AIG", **FOCI)
    assert target.writes == 1


def test_save_all() -> None:
    original = picture()
    assert saved(original, save_all=True, **FOCI) == saved(original, **FOCI)
    assert saved(original, save_all=True, append_images=[], **FOCI) == saved(original, **FOCI)
    assert saved(original, save_all=True, append_images=()) == saved(original)


# Metadata


def exif_block() -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.Artist] = "somebody"
    return exif


@pytest.mark.parametrize("as_bytes", [True, False])
def test_exif(as_bytes: bool) -> None:
    exif = exif_block()
    image = loaded(saved(picture(), **FOCI, exif=exif.tobytes() if as_bytes else exif))
    assert image.info["exif"] == exif.tobytes()
    assert dict(image.getexif()) == dict(exif)
    # The orientation is neither applied nor erased.
    assert image.size == (75, 50)


def test_icc_profile_xmp_and_dpi() -> None:
    image = picture()
    info = loaded(saved(image, **FOCI, icc_profile=b"icc", xmp=b"<x/>", dpi=(300, 150.5))).info
    assert (info["icc_profile"], info["xmp"], info["dpi"]) == (b"icc", b"<x/>", (300, 150.5))
    assert all(type(v) is float for v in info["dpi"])
    # JPEG and TIFF hand out fractions of Pillow's own type.
    fraction = TiffImagePlugin.IFDRational(144, 2)
    assert loaded(saved(image, **FOCI, dpi=(fraction, 72))).info["dpi"] == (72, 72)
    plain = loaded(saved(image, **FOCI)).info
    assert set(plain) == {"aig"}
    assert loaded(saved(image, **FOCI, xmp="<ä/>")).info["xmp"] == "<ä/>".encode()


def test_what_saving_again_keeps() -> None:
    # As Pillow's AVIF: the colour profile stays with the pixels, EXIF goes unless given.
    first = loaded(saved(picture(), **FOCI, icc_profile=b"icc", xmp=b"<x/>", exif=exif_block()))
    second = loaded(saved(first, **FOCI))
    assert set(second.info) == {"aig", "icc_profile", "xmp"}
    assert second.info["icc_profile"] == b"icc"
    third = loaded(saved(first, **FOCI, icc_profile=None, xmp=b"", exif=Image.Exif()))
    assert set(third.info) == {"aig"}
