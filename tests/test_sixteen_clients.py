"""Samples of 16 bits through Pillow, imageio and the command line."""

import copy
import io
import json
import pickle
import struct
import zlib
from pathlib import Path

import imageio.v2 as iio2
import imageio.v3 as iio
import numpy as np
import pytest
from PIL import Image, ImageFile
from support.commands import run
from support.deep_pictures import constant, extremes, ramp, squeezed
from support.pillow_files import loaded, parsed, saved

import aig_codec
import imageio_aig  # noqa: F401 - registers AIG with imageio
from aig_codec.container import read_prologue
from aig_codec.decoder.file import shrink

# Pillow


def deep_png(picture: np.ndarray) -> bytes:
    """A PNG with 16 bits per sample of any kind, which Pillow reads and cannot write."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        crc = zlib.crc32(kind + body)
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", crc)

    height, width, channels = picture.shape
    header = struct.pack(">IIBBBBB", width, height, 16, (0, 0, 4, 2, 6)[channels], 0, 0, 0)
    rows = b"".join(b"\0" + row.tobytes() for row in picture.astype(">u2"))
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


ORDERS = {"I;16": "<u2", "I;16L": "<u2", "I;16B": ">u2", "I;16N": "=u2"}


@pytest.mark.parametrize("mode", ORDERS)
@pytest.mark.parametrize("size", [(1, 1), (9, 1), (33, 20)])
def test_pillow_grey(mode: str, size: tuple[int, int], tmp_path: Path) -> None:
    grey = ramp(size[1], size[0], 1)[..., 0]
    original = Image.frombytes(mode, size, grey.astype(ORDERS[mode]).tobytes())
    path = tmp_path / "x.aig"
    original.save(path, centers=[(0, 0)])
    assert path.read_bytes() == aig_codec.encode(grey, centers=[(0, 0)])
    with Image.open(path) as image:
        assert (image.format, image.mode, image.size) == ("AIG", "I;16", size)
        assert image.info["aig"]["bits"] == 16
        found = np.asarray(image)
    assert found.dtype == np.uint16
    np.testing.assert_array_equal(found, grey)
    # And out again, into another format.
    png = io.BytesIO()
    loaded(path.read_bytes()).save(png, "PNG")
    np.testing.assert_array_equal(np.asarray(loaded(png.getvalue())), grey)


@pytest.mark.parametrize(("channels", "mode"), [(2, "LA"), (3, "RGB"), (4, "RGBA")])
def test_pillow_colour_is_that_of_its_png(channels: int, mode: str) -> None:
    picture = np.concatenate([ramp(20, 33, channels), extremes(20, 33, channels)])
    data = aig_codec.encode(picture)
    for image in (loaded(data), parsed(data, 100)):
        assert image.mode == mode
        np.testing.assert_array_equal(np.asarray(image), picture >> 8)
        # Of grey and alpha, Pillow's PNG makes RGBA.
        png = loaded(deep_png(picture)).convert(mode)
        np.testing.assert_array_equal(np.asarray(image), np.asarray(png))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("step", [1, 50, 10**9])
def test_pillow_parser(channels: int, step: int) -> None:
    data = aig_codec.encode(ramp(20, 33, channels), xmp=b"<x/>")
    image, whole = parsed(data, step), loaded(data)
    assert (image.mode, image.tobytes()) == (whole.mode, whole.tobytes())
    assert image.info == whole.info


def test_pillow_truncation_at_every_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    for channels, mode, grey in ((1, "I;16", 32768), (3, "RGB", 128)):
        picture = ramp(5, 6, channels)
        data = aig_codec.encode(picture)
        for n in range(read_prologue(data).data_start, len(data)):
            monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", False)
            with pytest.raises(OSError, match="truncated"):
                loaded(data[:n])
            monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
            image = loaded(data[:n])
            assert (image.mode, image.size) == (mode, (6, 5))
            assert (np.asarray(image) == grey).all()
        damaged = data[:-1] + bytes([data[-1] ^ 1])
        assert (np.asarray(loaded(damaged)) == grey).all()
        whole = squeezed(picture) if channels == 1 else picture >> 8
        np.testing.assert_array_equal(np.asarray(loaded(data)), whole)


def test_pillow_does_what_it_does_with_other_images() -> None:
    grey = ramp(40, 50, 1)[..., 0]
    data = aig_codec.encode(grey)
    Image.open(io.BytesIO(data)).verify()
    image = Image.open(io.BytesIO(data))
    image.thumbnail((20, 20))
    assert (image.size, image.mode) == ((20, 16), "I;16")
    assert image.draft("L", (10, 10)) is None
    for twin in (
        Image.open(io.BytesIO(data)).copy(),
        pickle.loads(pickle.dumps(Image.open(io.BytesIO(data)))),
        copy.deepcopy(Image.open(io.BytesIO(data))),
    ):
        assert twin.mode == "I;16"
        np.testing.assert_array_equal(np.asarray(twin), grey)
        np.testing.assert_array_equal(np.asarray(twin.convert("I")), grey)
        assert saved(twin) == data
    box = loaded(data).crop((3, 4, 20, 30))
    np.testing.assert_array_equal(aig_codec.decode(saved(box)), grey[4:30, 3:20])


def test_pillow_refuses_loss(tmp_path: Path) -> None:
    image = Image.fromarray(ramp(8, 9, 1)[..., 0])
    path = tmp_path / "x.aig"
    for options in ({"quality": 80}, {"lossless": False}, {"mid": "dct"}):
        with pytest.raises(ValueError, match="without loss: leave out"):
            image.save(path, **options)
        assert not path.exists()
    assert loaded(saved(image, lossless=True, quality=80)).tobytes() == image.tobytes()
    assert saved(image, optimize=True) == saved(image)
    with pytest.raises(ValueError, match="empty"):
        Image.new("I;16", (0, 5)).save(path)


# imageio


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_imageio(channels: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.aig"
    picture = squeezed(ramp(20, 33, channels))
    for same in (picture, picture.astype(">u2"), np.asfortranarray(picture), [picture]):
        iio.imwrite(path, same)
        image = iio.imread(path)
        assert image.dtype == np.uint16
        assert image.flags.writeable
        np.testing.assert_array_equal(image, picture)
    data = iio.imwrite("<bytes>", picture, extension=".aig")
    assert data == path.read_bytes() == aig_codec.encode(picture)
    np.testing.assert_array_equal(iio.imread(data, extension=".aig"), picture)
    np.testing.assert_array_equal(iio.imread(path, index=...), picture[None])
    np.testing.assert_array_equal(iio.imread(path, scale=4), aig_codec.decode(data, scale=4))
    np.testing.assert_array_equal(iio2.imread(path), picture)
    assert iio.immeta(path)["aig"]["bits"] == 16

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("pixels were decoded")

    monkeypatch.setattr(aig_codec.AigFile, "decode", refuse)
    found = iio.improps(path)
    assert (found.shape, found.dtype) == (picture.shape, np.dtype(np.uint16))


def test_imageio_refuses_loss(tmp_path: Path) -> None:
    path = tmp_path / "x.aig"
    with pytest.raises(ValueError, match="leave out quality"):
        iio.imwrite(path, ramp(8, 9, 3), quality=50)
    assert not path.exists()


# The command line


Capture = pytest.CaptureFixture[str]


@pytest.mark.parametrize("name", ["a.png", "a.tif", "big-endian.tif", "a.pgm", "a.jp2"])
def test_command_line_with_grey(name: str, tmp_path: Path, capsys: Capture) -> None:
    source, target = tmp_path / name, (tmp_path / name).with_suffix(".aig")
    grey = ramp(20, 33, 1)[..., 0]
    image = Image.fromarray(grey)
    if name.startswith("big"):
        image = Image.frombytes("I;16B", image.size, grey.astype(">u2").tobytes())
    image.save(source)
    code, out, err = run(capsys, "encode", source)
    assert (code, err) == (0, "")
    assert "lossless: every pixel is core" in out
    np.testing.assert_array_equal(aig_codec.decode(target), grey)

    back = tmp_path / f"back{source.suffix}"
    code, out, err = run(capsys, "decode", target, "-o", back)
    assert (code, err) == (0, "")
    assert "33 x 20 I;16" in out
    with Image.open(back) as image:
        np.testing.assert_array_equal(np.asarray(image), grey)
    assert run(capsys, "decode", target, "-o", tmp_path / "s.png", "--scale", 2)[0] == 0
    with Image.open(tmp_path / "s.png") as image:
        np.testing.assert_array_equal(np.asarray(image), shrink(grey, 2))


def test_command_line_keeps_a_transparent_shade(tmp_path: Path, capsys: Capture) -> None:
    grey = (ramp(20, 33, 1) & 0xFF00)[..., 0]
    shade = int(grey[3, 3])
    Image.fromarray(grey).save(tmp_path / "a.png", transparency=shade)
    assert run(capsys, "encode", tmp_path / "a.png")[0] == 0
    decoded = aig_codec.decode(tmp_path / "a.aig")
    np.testing.assert_array_equal(decoded[..., 0], grey)
    np.testing.assert_array_equal(decoded[..., 1], np.where(grey == shade, 0, 65535))


@pytest.mark.parametrize(
    ("channels", "name"),
    [(2, "b.png"), (3, "b.png"), (4, "b.tif"), (1, "b.jpg"), (1, "b.webp"), (1, "b.bmp")],
)
def test_command_line_says_where_bits_are_lost(
    channels: int, name: str, tmp_path: Path, capsys: Capture
) -> None:
    picture = constant(20, 33, channels)
    source, target = tmp_path / "a.aig", tmp_path / name
    source.write_bytes(aig_codec.encode(picture))
    code, _, err = run(capsys, "decode", source, "-o", target)
    assert code == 0
    assert err == (
        f"aig: warning: {target}: has the higher 8 of 16 bits per sample; Pillow writes no more\n"
    )
    with Image.open(target) as image:
        found = np.asarray(image.convert(("L", "LA", "RGB", "RGBA")[channels - 1])).astype(int)
    assert np.abs(found - squeezed(picture >> 8)).max() <= (0 if channels > 1 else 2)


def test_command_line_gives_a_core(tmp_path: Path, capsys: Capture) -> None:
    picture = ramp(20, 33, 3)
    (tmp_path / "a.aig").write_bytes(aig_codec.encode(picture))
    code, out, err = run(
        capsys, "decode", tmp_path / "a.aig", "-o", tmp_path / "b.png", "--core", 0
    )
    assert code == 0
    assert "33 x 20 RGBA, core 0" in out
    assert "higher 8 of 16" in err
    with Image.open(tmp_path / "b.png") as image:
        found = np.asarray(image)
    np.testing.assert_array_equal(found[..., :3], picture >> 8)
    assert (found[..., 3] == 255).all()


def test_command_line_tells_the_bits(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "a.aig"
    for picture, bits in ((ramp(20, 33, 3), 16), (ramp(20, 33, 3).astype(np.uint8), 8)):
        path.write_bytes(aig_codec.encode(picture))
        (report,) = json.loads(run(capsys, "info", path, "--json")[1])
        assert report["bits"] == bits
        out = run(capsys, "info", path)[1]
        assert ("33 x 20 RGB, 16 bits per sample, " in out) == (bits == 16)


def test_command_line_with_aig_again_and_what_it_refuses(tmp_path: Path, capsys: Capture) -> None:
    path, again = tmp_path / "a.aig", tmp_path / "b.aig"
    picture = ramp(20, 33, 4)
    path.write_bytes(aig_codec.encode(picture))
    assert run(capsys, "encode", path, "-o", again, "--effort", 3)[0] == 0
    np.testing.assert_array_equal(aig_codec.decode(again), picture)
    again.unlink()
    code, out, err = run(capsys, "encode", path, "-o", again, "--quality", 50)
    assert (code, out) == (2, "")
    assert "stored without loss: leave out quality" in err
    assert not again.exists()
    assert run(capsys, "encode", path, "-o", again, "--lossless", "--preset", "medical")[0] == 0
    code, out, err = run(capsys, "demo", path, "-o", tmp_path)
    assert (code, out) == (1, "")
    assert "16 bits per sample" in err
    for value in (-1, 65536):
        deep = np.full((4, 4), value, np.int32)
        Image.fromarray(deep).save(tmp_path / "deep.tif")
        code, out, err = run(capsys, "encode", tmp_path / "deep.tif")
        assert (code, out) == (1, "")
        assert "AIG stores 0 to 65535" in err
    (tmp_path / "colour.png").write_bytes(deep_png(ramp(4, 4, 3)))
    assert "more than 8 bits" in run(capsys, "encode", tmp_path / "colour.png")[2]
