"""What imageio's users ask of every format: modes, orientation, bytes like paths."""

import io
from pathlib import Path
from typing import Any

import imageio.v2 as iio2
import imageio.v3 as iio
import numpy as np
import pytest
from imageio.core.request import InitializationError, Request
from PIL import ExifTags, Image, ImageOps
from support.pillow_files import picture

import aig_codec
import imageio_aig  # noqa: F401 - registers AIG with imageio
import pillow_aig  # noqa: F401 - with Pillow's plugin too, bytes must find the right one
from imageio_aig.plugin import AIGReader

MODES = ("L", "LA", "RGB", "RGBA", "1", "P", "I", "F", "CMYK", "YCbCr", "HSV", "RGBX")


@pytest.mark.parametrize("source", ["L", "LA", "RGB", "RGBA"])
@pytest.mark.parametrize("mode", MODES)
def test_modes_are_those_of_png(source: str, mode: str, tmp_path: Path) -> None:
    pixels = np.asarray(picture(source))
    found = []
    for name in ("x.png", "x.aig"):
        iio.imwrite(tmp_path / name, pixels, **({"lossless": True} if name == "x.aig" else {}))
        try:
            found.append(iio.imread(tmp_path / name, mode=mode))
        except ValueError:
            found.append(None)
    if found[0] is None:
        assert found[1] is None
        return
    np.testing.assert_array_equal(found[1], found[0])
    assert found[1].dtype == found[0].dtype
    assert found[1].flags.writeable


def test_modes_of_16_bits(tmp_path: Path) -> None:
    grey = (np.arange(600, dtype=np.uint16) * 100).reshape(20, 30)
    for name in ("x.png", "x.aig"):
        iio.imwrite(tmp_path / name, grey)
    for mode in ("L", "RGB", "I", "I;16", "F"):
        np.testing.assert_array_equal(
            iio.imread(tmp_path / "x.aig", mode=mode), iio.imread(tmp_path / "x.png", mode=mode)
        )
    colour = np.dstack([grey, grey // 2, grey[::-1]])
    iio.imwrite(tmp_path / "c.aig", colour)
    np.testing.assert_array_equal(iio.imread(tmp_path / "c.aig", mode="RGB"), colour >> 8)


def test_a_mode_that_there_is_not(tmp_path: Path) -> None:
    iio.imwrite(tmp_path / "x.aig", np.asarray(picture()))
    with pytest.raises(ValueError, match="mode 'XYZ': no conversion from RGB"):
        iio.imread(tmp_path / "x.aig", mode="XYZ")
    with pytest.raises(TypeError, match="no keyword moode"):
        iio.imread(tmp_path / "x.aig", moode="L")


def upright(pixels: np.ndarray, **info: bytes) -> np.ndarray:
    """What Pillow makes of an image and its orientation."""
    image = Image.fromarray(pixels)
    image.info.update(info)
    return np.asarray(ImageOps.exif_transpose(image))


@pytest.mark.parametrize("orientation", range(10))
@pytest.mark.parametrize("source", ["L", "RGB"])
def test_orientation(orientation: int, source: str, tmp_path: Path) -> None:
    pixels = np.asarray(picture(source))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    iio.imwrite(tmp_path / "x.aig", pixels, lossless=True, exif=exif)
    turned = iio.imread(tmp_path / "x.aig", rotate=True)
    np.testing.assert_array_equal(turned, upright(pixels, exif=exif.tobytes()))
    assert turned.flags.c_contiguous
    assert turned.flags.writeable
    np.testing.assert_array_equal(iio.imread(tmp_path / "x.aig"), pixels)
    np.testing.assert_array_equal(iio.imread(tmp_path / "x.aig", rotate=False), pixels)
    # Whatever the mode becomes.
    grey = iio.imread(tmp_path / "x.aig", rotate=True, mode="L")
    np.testing.assert_array_equal(grey, np.asarray(Image.fromarray(turned).convert("L")))


def test_orientation_of_xmp_and_of_frames(tmp_path: Path) -> None:
    pixels = np.asarray(picture())
    xmp = b'<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 3
    parts = [
        aig_codec.encode(pixels, lossless=True, xmp=xmp),
        aig_codec.encode(pixels, lossless=True, exif=exif.tobytes()),
        aig_codec.encode(pixels, lossless=True),
    ]
    data = aig_codec.join(parts, [0, 0, 0])
    turned = upright(pixels, xmp=xmp)
    wanted = [turned, np.rot90(pixels, 2), turned]
    found = list(iio.imiter(data, extension=".aig", rotate=True))
    for got, want in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(got, want)


def test_with_everything_else(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    pixels = np.asarray(picture())
    iio.imwrite(tmp_path / "x.aig", [pixels, pixels], lossless=True, exif=exif)
    stack = iio.imread(tmp_path / "x.aig", mode="L", rotate=True, region=(4, 6, 44, 36), scale=2)
    assert stack.shape == (2, 20, 15)
    assert iio.imread(tmp_path / "x.aig", index=1, apply_gamma=True, writeable_output=False).shape
    images = list(iio.imiter(tmp_path / "x.aig", mode="RGBA", threads=1))
    assert [image.shape for image in images] == [(50, 75, 4)] * 2


def test_names_of_the_older_interface(tmp_path: Path) -> None:
    pixels = np.asarray(picture())
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 3
    iio2.imwrite(tmp_path / "x.png", pixels, exif=exif)
    iio2.imwrite(tmp_path / "x.aig", pixels, lossless=True, exif=exif)
    for keywords in ({"pilmode": "L"}, {"pilmode": "RGBA"}, {"exifrotate": True}):
        with pytest.warns(DeprecationWarning, match="|".join(keywords)):
            wanted = iio2.imread(tmp_path / "x.png", **keywords)
        np.testing.assert_array_equal(iio2.imread(tmp_path / "x.aig", **keywords), wanted)


# Bytes


def movie() -> bytes:
    pixels = np.asarray(picture())
    return aig_codec.encode_sequence([pixels, pixels[::-1]], duration=[40, 50], quality=50)


def sources(data: bytes, tmp_path: Path) -> list[Any]:
    bare = tmp_path / "without_extension"
    bare.write_bytes(data)
    return [data, io.BytesIO(data), bare]


def test_bytes_give_what_the_path_gives(tmp_path: Path) -> None:
    data = movie()
    path = tmp_path / "x.aig"
    path.write_bytes(data)
    for source in sources(data, tmp_path):
        np.testing.assert_array_equal(iio.imread(source), iio.imread(path))
    for source in sources(data, tmp_path):
        np.testing.assert_array_equal(iio.imread(source, index=1), iio.imread(path, index=1))
    for source in sources(data, tmp_path):
        assert iio.immeta(source) == iio.immeta(path)
    for source in sources(data, tmp_path):
        assert iio.improps(source) == iio.improps(path)
    for source in sources(data, tmp_path):
        assert len(list(iio.imiter(source))) == 2
    np.testing.assert_array_equal(iio2.imread(data), iio2.imread(path))
    assert len(iio2.mimread(data)) == len(iio2.mimread(path)) == 2


def test_bytes_of_16_bits_keep_them() -> None:
    colour = np.arange(1800, dtype=np.uint16).reshape(20, 30, 3) * 36
    np.testing.assert_array_equal(iio.imread(aig_codec.encode(colour)), colour)


def test_other_formats_are_left_to_others(tmp_path: Path) -> None:
    pixels = np.asarray(picture())
    target = io.BytesIO()
    Image.fromarray(pixels).save(target, "PNG")
    for source in sources(target.getvalue(), tmp_path):
        np.testing.assert_array_equal(iio.imread(source), pixels)


class Pipe(io.BytesIO):
    """What can only be read on."""

    def seekable(self) -> bool:
        return False

    def seek(self, *_: Any) -> int:
        raise OSError("this is a pipe")

    tell = seek


def test_what_can_only_be_read_on_is_left_to_others() -> None:
    pipe = Pipe(movie())
    request = Request(pipe, "r")
    with pytest.raises(InitializationError, match="only be read on"):
        AIGReader(request)
    assert pipe.read(4) == b"AIG2"
    with pytest.raises(InitializationError, match="addresses"):
        AIGReader(Request("http://127.0.0.1:1/x", "r"))


def test_targets_without_an_extension_are_not_ours(tmp_path: Path) -> None:
    with (
        pytest.warns(UserWarning, match="file format"),
        pytest.raises(ValueError, match="unknown file extension"),
    ):
        iio.imwrite(tmp_path / "bare", np.asarray(picture()))
    pixels = np.asarray(picture())
    assert iio.imwrite("<bytes>", pixels, plugin="AIG", quality=50).startswith(b"AIG2")
    with pytest.raises(InitializationError, match="only reads"):
        AIGReader(Request("<bytes>", "w"))
