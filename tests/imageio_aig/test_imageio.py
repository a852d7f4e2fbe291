"""imageio reads and writes AIG, through both generations of its interface."""

import gc
import io
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import imageio.v2 as iio2
import imageio.v3 as iio
import numpy as np
import pytest
from imageio.config import extension_list, known_extensions, known_plugins
from imageio.core.request import InitializationError, Request
from PIL import Image

import aig_codec
import imageio_aig
from imageio_aig.plugin import AIGPlugin

FOCI: dict[str, Any] = {"centers": [(20, 18), (58, 30)], "radii": [(8, 12), (5, 9)]}


def picture(channels: int = 3, width: int = 75, height: int = 50) -> np.ndarray:
    """Smooth gradients, texture, and blocks with hard edges; (H, W) for one channel."""
    y, x = np.mgrid[:height, :width]
    planes = [
        128 + 90 * np.sin(x / 17 + 2 * c) * np.cos(y / 23 - c) + 12 * ((x * 7 + y * 3) % 5 - 2)
        for c in range(channels)
    ]
    pixels = np.stack(planes, axis=-1)
    pixels[height // 4 : height // 2 : 3, width // 3 : width // 2] = 16
    pixels = pixels.clip(0, 255).astype(np.uint8)
    return pixels[..., 0] if channels == 1 else pixels


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.aig"


# Round trips


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_round_trip(channels: int, path: Path) -> None:
    original = picture(channels)
    iio.imwrite(path, original, lossless=True)
    image = iio.imread(path)
    assert image.dtype == np.uint8
    assert np.array_equal(image, original)
    assert image.flags.writeable


def test_grey_with_its_axis_and_other_layouts(path: Path) -> None:
    original = picture(1)
    iio.imwrite(path, original[..., None], lossless=True)
    assert np.array_equal(iio.imread(path), original)
    fortran = np.asfortranarray(picture(3))[::-1, ::2]
    iio.imwrite(path, fortran, lossless=True)
    assert np.array_equal(iio.imread(path), fortran)


def test_writes_what_the_codec_encodes(path: Path) -> None:
    # Without the plugin imageio would choose another one for this name, which writes a TIFF.
    options = {**FOCI, "quality": 60, "mid": "dct", "effort": 3}
    iio.imwrite(path, picture(), **options, xmp=b"<x/>")
    data = path.read_bytes()
    assert data.startswith(b"AIG2")
    assert data == aig_codec.encode(picture(), **options, xmp=b"<x/>")
    assert np.array_equal(iio.imread(path), aig_codec.decode(data))


def test_bytes() -> None:
    data = iio.imwrite("<bytes>", picture(), extension=".aig", **FOCI)
    assert data == aig_codec.encode(picture(), **FOCI)
    expected = aig_codec.decode(data)
    assert np.array_equal(iio.imread(data, extension=".aig"), expected)
    assert np.array_equal(iio.imread(data, plugin="AIG"), expected)
    assert np.array_equal(iio.imread(memoryview(data), extension=".aig"), expected)
    assert iio.imwrite("<bytes>", picture(), plugin="AIG", **FOCI) == data


def test_bytes_without_a_hint() -> None:
    data = aig_codec.encode(picture(), **FOCI)
    assert np.array_equal(iio.imread(data), aig_codec.decode(data))


def test_file_objects(path: Path) -> None:
    file = io.BytesIO()
    iio.imwrite(file, picture(), extension=".aig", **FOCI)
    assert not file.closed
    data = file.getvalue()
    assert data == aig_codec.encode(picture(), **FOCI)
    file.seek(0)
    assert np.array_equal(iio.imread(file, extension=".aig"), aig_codec.decode(data))
    assert not file.closed
    path.write_bytes(data)
    with path.open("rb") as opened:
        assert np.array_equal(iio.imread(opened, plugin="AIG"), aig_codec.decode(data))
        assert not opened.closed


def test_zip_members(tmp_path: Path) -> None:
    inside = str(tmp_path / "album.zip") + "/x.aig"
    iio.imwrite(inside, picture(), lossless=True)
    assert np.array_equal(iio.imread(inside), picture())
    with zipfile.ZipFile(tmp_path / "album.zip") as album:
        assert album.read("x.aig").startswith(b"AIG2")


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("no_proxy", "*")
    handler = partial(_Quiet, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_urls(path: Path, address: str) -> None:
    iio.imwrite(path, picture(), lossless=True, xmp=b"<x/>")
    assert np.array_equal(iio.imread(f"{address}/x.aig"), picture())
    assert np.array_equal(iio.imread(f"{address}/x.aig?version=2"), picture())
    assert iio.immeta(f"{address}/x.aig")["xmp"] == b"<x/>"


def test_another_format_behind_the_extension(path: Path) -> None:
    # The plugin refuses, and must not take the data with it.
    file = io.BytesIO()
    Image.fromarray(picture()).save(file, "PNG")
    png = file.getvalue()
    path.write_bytes(png)
    for source in (png, io.BytesIO(png), path):
        assert np.array_equal(iio.imread(source, extension=".aig"), picture())


# Reading in parts


def test_decode_keywords(path: Path) -> None:
    iio.imwrite(path, picture(), **FOCI)
    data = path.read_bytes()
    for upto in ("core", "preview", "mid", "full"):
        assert np.array_equal(iio.imread(path, upto=upto), aig_codec.decode(data, upto=upto))
    assert iio.imread(path, scale=4).shape == (13, 19, 3)
    region = iio.imread(path, region=(5, 9, 30, 40))
    np.testing.assert_array_equal(region, iio.imread(path)[9:40, 5:30])
    assert np.array_equal(iio.imread(path, threads=1), aig_codec.decode(data))
    for wrong in ({"upto": "lunch"}, {"scale": 3}):
        with pytest.raises(ValueError, match=r"upto|scale"):
            iio.imread(path, **wrong)
    damaged = data[:-1] + bytes([data[-1] ^ 1])
    with pytest.raises(OSError, match="checksum of the background"):
        iio.imread(damaged, extension=".aig")
    assert np.array_equal(
        iio.imread(damaged, extension=".aig", strict=False),
        aig_codec.decode(damaged, strict=False),
    )


def test_index(path: Path) -> None:
    iio.imwrite(path, picture(), lossless=True)
    for index in (0, None, np.int64(0), -1):
        assert np.array_equal(iio.imread(path, index=index), picture())
    stack = iio.imread(path, index=...)
    assert np.array_equal(stack, picture()[None])
    assert stack.flags.writeable
    for index in (1, -2, 7):
        for function in (iio.imread, iio.improps, iio.immeta):
            with pytest.raises(ValueError, match="holds 1"):
                function(path, index=index)


def test_imiter(path: Path) -> None:
    iio.imwrite(path, picture(), **FOCI)
    images = list(iio.imiter(path))
    assert len(images) == 1
    assert np.array_equal(images[0], iio.imread(path))
    (small,) = iio.imiter(path, scale=8)
    assert small.shape == (7, 10, 3)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_improps_decodes_nothing(
    channels: int, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = picture(channels)
    iio.imwrite(path, original, **FOCI, dpi=(100, 50))

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("pixels were decoded")

    monkeypatch.setattr(aig_codec.AigFile, "decode", refuse)
    found = iio.improps(path)
    assert (found.shape, found.dtype) == (original.shape, np.dtype(np.uint8))
    assert (found.is_batch, found.n_images) == (False, None)
    assert found.spacing == (1 / 50, 1 / 100)
    found = iio.improps(path, index=...)
    assert found.shape == (1, *original.shape)
    assert (found.is_batch, found.n_images) == (True, 1)


def test_improps_without_resolution(path: Path) -> None:
    iio.imwrite(path, picture(), **FOCI)
    assert iio.improps(path).spacing is None
    iio.imwrite(path, picture(), **FOCI, dpi=(0, 0))
    assert iio.improps(path).spacing is None


def test_immeta(path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    texts = {"icc_profile": b"icc", "xmp": b"<x/>"}
    iio.imwrite(path, picture(4), **FOCI, exif=exif, dpi=(np.float32(96), 72), **texts)
    found = iio.immeta(path)
    assert found["mode"] == "RGBA"
    assert found["aig"]["centers"] == FOCI["centers"]
    assert found["exif"] == exif.tobytes()
    assert found["dpi"] == (96, 72)
    assert {key: found[key] for key in texts} == texts
    assert iio.immeta(path, exclude_applied=False) == found
    assert iio.immeta(path, index=...) == found
    # The orientation is left alone.
    assert iio.imread(path).shape == (50, 75, 4)
    iio.imwrite(path, picture(4), **FOCI)
    assert set(iio.immeta(path)) == {"mode", "aig"}


def test_truncated_and_damaged_files(path: Path) -> None:
    data = aig_codec.encode(picture(), **FOCI, xmp=b"<x/>")
    for n in (4, 20, 100, len(data) // 2):
        path.write_bytes(data[:n])
        for source in (path, data[:n]):
            with pytest.raises(OSError, match="ends inside"):
                iio.imread(source, extension=".aig")
    # Nothing keeps the file open: it can be replaced at once.
    iio.imwrite(path, picture(), lossless=True)
    assert np.array_equal(iio.imread(path), picture())


# Writing


@pytest.mark.parametrize(
    "dtype", ["int8", "int16", "uint32", "int64", "float16", "float32", "float64"]
)
def test_other_dtypes_are_refused_by_name(dtype: str, path: Path) -> None:
    with pytest.raises(TypeError, match=f"uint8 or uint16, not {dtype}"):
        iio.imwrite(path, picture().astype(dtype))
    assert not path.exists()


@pytest.mark.parametrize("shape", [(), (5,), (0, 5), (5, 0, 3), (1, 5, 5, 5), (1, 1, 5, 5, 3)])
def test_other_shapes_are_refused(shape: tuple[int, ...], path: Path) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        iio.imwrite(path, np.zeros(shape, np.uint8))
    assert not path.exists()


def test_stacks_of_one(path: Path) -> None:
    colour, grey = picture(3), picture(1)
    for stack, single, is_batch in (
        (colour[None], colour, None),
        (grey[None], grey, None),
        ([colour], colour, None),
        ([grey], grey, None),
        (colour[None], colour, True),
        (grey[None, :, :4], grey[:, :4], True),
        (colour, colour, False),
    ):
        iio.imwrite(path, stack, is_batch=is_batch, lossless=True)
        assert np.array_equal(iio.imread(path), single)
    # Three axes of which the last could be channels are channels, unless is_batch says otherwise.
    iio.imwrite(path, grey[None, :, :4], lossless=True)
    assert iio.imread(path).shape == (1, 50, 4)


@pytest.mark.parametrize("stack", [np.zeros((0, 20, 20, 3), np.uint8), []], ids=["none", "empty"])
def test_empty_stacks_are_refused(stack: Any, path: Path) -> None:
    with pytest.raises(ValueError, match="no image"):
        iio.imwrite(path, stack)
    assert not path.exists()


def test_truth_becomes_black_and_white(path: Path) -> None:
    mask = picture(1) > 100
    iio.imwrite(path, mask)
    assert np.array_equal(iio.imread(path), 255 * mask.astype(np.uint8))


def test_failed_writes_keep_what_was_there(path: Path) -> None:
    path.write_bytes(b"something")
    wrong = ({"quality": 101}, {"centers": [(75, 0)]}, {"dpi": (-1, 1)}, {"dpi": 3})
    for options in wrong:
        with pytest.raises(ValueError, match=r"quality|center|dpi"):
            iio.imwrite(path, picture(), **options)
    with pytest.raises(TypeError, match="optimise"):
        iio.imwrite(path, picture(), optimise=True)
    assert path.read_bytes() == b"something"


def test_nothing_is_read_while_writing(path: Path) -> None:
    with iio.imopen(path, "w") as file:
        file.write(picture(), lossless=True)
        with pytest.raises(OSError, match="for writing"):
            file.read()
    assert np.array_equal(iio.imread(path), picture())


# The older interface


def test_v2(path: Path) -> None:
    iio2.imwrite(path, picture(), lossless=True)
    assert path.read_bytes().startswith(b"AIG2")
    assert np.array_equal(iio2.imread(path), picture())
    assert np.array_equal(iio2.imread(path, format="aig"), picture())
    assert np.array_equal(iio2.mimread(path), picture()[None])
    data = iio2.imwrite("<bytes>", picture(), format="aig", lossless=True)
    assert data == path.read_bytes()
    assert np.array_equal(iio2.imread(data), picture())
    iio2.mimwrite(path, [picture(1)], lossless=True)
    assert np.array_equal(iio2.imread(path), picture(1))


def test_v2_reader_and_writer(path: Path) -> None:
    with iio2.get_writer(path, lossless=True) as writer:
        writer.append_data(picture(4))
    with iio2.get_reader(path) as reader:
        assert len(reader) == 1
        assert np.array_equal(reader.get_data(0), picture(4))
        assert reader.get_meta_data()["aig"]["lossless"] is True
        assert reader.get_data(0).meta["mode"] == "RGBA"
        assert [image.shape for image in reader] == [(50, 75, 4)]


# Registration


def test_registering_again_changes_nothing() -> None:
    before = (list(known_plugins.items()), list(known_extensions[".aig"]), list(extension_list))
    imageio_aig.register_aig_plugin()
    imageio_aig.register_aig_plugin()
    after = (list(known_plugins.items()), list(known_extensions[".aig"]), list(extension_list))
    assert after == before
    assert [e.priority for e in extension_list if e.extension == ".aig"] == [["AIG", "pillow"]]
    assert known_plugins["AIG"].plugin_class is AIGPlugin
    # The one that only reads is asked first, the one that writes not before Pillow.
    assert list(known_plugins)[:3] == ["AIG-reader", "pillow", "AIG"]
    assert {"tifffile", "GIF-PIL"} <= set(known_plugins)


def test_refusals_leave_the_request_alone(path: Path) -> None:
    request = Request(b"something else" * 30, "r")
    with pytest.raises(InitializationError, match="AIG2"):
        AIGPlugin(request)
    gc.collect()
    assert request.get_file().read(9) == b"something"
    request.finish()
    path.write_bytes(b"")
    for extension in (".png", ".tif"):
        request = Request(path.with_suffix(extension), "w")
        with pytest.raises(InitializationError, match=extension):
            AIGPlugin(request)
        gc.collect()
        assert not path.with_suffix(extension).exists()
        request.finish()


def test_opening_for_writing_creates_nothing(path: Path) -> None:
    with iio.imopen(path, "w"):
        pass
    assert not path.exists()


def test_import_needs_no_native_code_and_no_pillow_plugin() -> None:
    code = "import imageio_aig, sys; print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    unwanted = {"aig_codec._native", "pillow_aig", "scipy", "sklearn"}
    assert not unwanted & set(done.stdout.split())
