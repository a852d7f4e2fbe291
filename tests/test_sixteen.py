"""Samples of 16 bits: lossless, through every door of the codec."""

import copy
import io
import json
import pickle
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import imageio.v2 as iio2
import imageio.v3 as iio
import numpy as np
import pytest
import reference
from files import payloads, reseal
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile
from pillow_files import loaded, parsed, saved

import aig_codec
import imageio_aig  # noqa: F401 - registers AIG with imageio
from aig_codec import cli, errors
from aig_codec.coders import lossless
from aig_codec.container import read_prologue
from aig_codec.reader import shrink

# Pictures: uint16 (height, width, channels)


def noise(height: int, width: int, channels: int, seed: int = 0) -> np.ndarray:
    """Every sample on its own."""
    return np.random.default_rng(seed).integers(0, 65536, (height, width, channels), np.uint16)


def extremes(height: int, width: int, channels: int, seed: int = 0) -> np.ndarray:
    """0 and 65535 alone: the largest differences that there are."""
    rng = np.random.default_rng(seed)
    return rng.choice(np.array([0, 65535], np.uint16), (height, width, channels))


def ramp(height: int, width: int, channels: int, seed: int = 0) -> np.ndarray:
    """A gentle slope over the whole range, in all channels another one, with a little noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width, :channels][:2]
    slopes = rng.integers(100, 2000, (2, channels))
    picture = x * slopes[0] + y * slopes[1] + rng.integers(0, 9, (height, width, channels))
    return (picture % 65536).astype(np.uint16)


def constant(height: int, width: int, channels: int, seed: int = 0) -> np.ndarray:
    """One colour."""
    return np.broadcast_to(noise(1, 1, channels, seed), (height, width, channels)).copy()


def twelve_bits(height: int, width: int, channels: int, seed: int = 0) -> np.ndarray:
    """As cameras and scanners deliver: the upper bits are all 0."""
    return ramp(height, width, channels, seed) >> 4


def shifted(height: int, width: int, channels: int, seed: int = 0) -> np.ndarray:
    """8 bits that were made 16: few values, far from each other."""
    return (ramp(height, width, channels, seed) >> 8) * 257


def grey_colour(height: int, width: int, channels: int, seed: int = 0) -> np.ndarray:
    """Colour channels that are equal, if there are three; alpha is another."""
    picture = ramp(height, width, channels, seed)
    picture[..., :3] = picture[..., :1] if channels > 2 else picture[..., :3]
    return picture


def flat(height: int, width: int, channels: int, seed: int = 0) -> np.ndarray:
    """Few colours in large areas, for which 8 bits would have the coder for graphics."""
    y, x = np.mgrid[:height, :width]
    return noise(1, 5, channels, seed)[0][(x // 7 + y // 5) % 5]


KINDS = {
    f.__name__: f
    for f in (noise, extremes, ramp, constant, twelve_bits, shifted, grey_colour, flat)
}


def squeezed(picture: np.ndarray) -> np.ndarray:
    """As `decode` returns it: grey without an axis for it."""
    return picture[..., 0] if picture.shape[2] == 1 else picture


def check(picture: np.ndarray, **keywords: Any) -> bytes:
    """Encode, see that decoding gives the same, and return the file."""
    data = aig_codec.encode(picture, **keywords)
    decoded = aig_codec.decode(data)
    assert decoded.dtype == np.uint16
    assert decoded.flags.writeable
    np.testing.assert_array_equal(decoded, squeezed(picture))
    return data


# Round trips


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("kind", KINDS)
def test_round_trip(kind: str, channels: int) -> None:
    for size in ((1, 1), (1, 40), (40, 1), (15, 17), (61, 83)):
        check(KINDS[kind](*size, channels, 3))


@pytest.mark.parametrize("effort", range(1, 10))
def test_every_effort(effort: int) -> None:
    """From 7 on, bias is cancelled, in sums that may wrap around."""
    for kind in ("noise", "extremes", "ramp"):
        check(KINDS[kind](45, 37, 3, effort), effort=effort)
        check(KINDS[kind](45, 37, 2, effort), effort=effort)


@settings(max_examples=60, deadline=None)
@given(
    kind=st.sampled_from(sorted(KINDS)),
    size=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    channels=st.integers(1, 4),
    effort=st.sampled_from([1, 5, 7, 9]),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_picture(
    kind: str, size: tuple[int, int], channels: int, effort: int, seed: int
) -> None:
    check(KINDS[kind](*size, channels, seed), effort=effort)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("size", [(1, 1), (5, 3), (17, 21), (33, 18)])
def test_the_reference_decoder_agrees(size: tuple[int, int], channels: int) -> None:
    for kind, effort in (("noise", 5), ("extremes", 9), ("ramp", 7), ("grey_colour", 1)):
        picture = KINDS[kind](*size, channels, 8)
        data = aig_codec.encode(picture, effort=effort)
        assert reference.read_container(data).bits == 16
        for upto in reference.UPTO:
            found = reference.decode_file(data, upto)
            assert found.dtype == np.uint16
            np.testing.assert_array_equal(found, picture)


def test_smooth_pictures_shrink() -> None:
    y, x = np.mgrid[:200, :300]
    wave = 32768 + 30000 * np.sin(x / 40) * np.cos(y / 30)
    assert len(aig_codec.encode(wave.astype(np.uint16))) < 200 * 300
    assert len(aig_codec.encode(constant(200, 300, 3))) < 2000


def test_byte_orders_and_layouts_give_the_same_file() -> None:
    picture = ramp(21, 34, 3)
    data = aig_codec.encode(picture)
    wide = np.zeros((42, 34, 6), np.uint16)
    wide[::2, ::-1, ::2] = picture
    frozen = picture.copy()
    frozen.flags.writeable = False
    for same in (
        picture.astype(">u2"),
        picture.astype("<u2"),
        np.asfortranarray(picture),
        np.asfortranarray(picture.astype(">u2")),
        wide[::2, ::-1, ::2],
        frozen,
    ):
        before = same.copy()
        assert aig_codec.encode(same) == data
        assert np.array_equal(same, before)
        assert same.dtype == before.dtype
    grey = ramp(21, 34, 1)
    assert aig_codec.encode(grey) == aig_codec.encode(grey[..., 0])


@pytest.mark.parametrize("channels", [1, 4])
def test_threads_change_nothing(monkeypatch: pytest.MonkeyPatch, channels: int) -> None:
    monkeypatch.setattr(lossless, "_BAND_PIXELS", 500)
    picture = ramp(160, 61, channels)
    files = {check(picture, threads=n) for n in (1, 2, 5, None)}
    assert len(files) == 1
    data = files.pop()
    assert payloads(data)["core", 0][0] > 4, "several bands"
    for threads in (1, 2, 5, None):
        np.testing.assert_array_equal(aig_codec.decode(data, threads=threads), squeezed(picture))
    np.testing.assert_array_equal(reference.decode_file(data), picture)


# What may be asked for


def test_metadata_say_how_many_bits() -> None:
    for picture, bits in ((ramp(8, 9, 3), 16), (noise(8, 9, 3).astype(np.uint8), 8)):
        data = aig_codec.encode(picture, lossless=True)
        metadata = read_prologue(data).metadata
        assert metadata.bits == bits
        assert metadata.to_json().get("bits") == (16 if bits == 16 else None)
        assert metadata.shape == "all"
        with aig_codec.open(data) as file:
            assert (file.bits, file.dtype, file.mode) == (bits, picture.dtype, "RGB")
            assert (file.info()["bits"], file.info()["lossless"]) == (bits, True)


def test_foci_go_into_the_header() -> None:
    foci = {"centers": [(3, 4), (7, 2)], "sigmas": [2, (1, 0.5)], "alphas": [0.5, 0]}
    data = check(ramp(8, 9, 1), **foci, threads=1, dpi=(72, 72), exif=b"x", xmp=b"y")
    with aig_codec.open(data) as file:
        assert file.centers == foci["centers"]
        assert file.info()["sigmas"] == [(2, 2), (1, 0.5)]
        assert file.info()["alphas"] == [0.5, 0]
        assert (file.exif, file.xmp, file.metadata.dpi) == (b"x", b"y", (72, 72))


LOSSY: list[dict[str, Any]] = [
    {"quality": 90},
    {"quality_level": 255},
    {"lambda_rd": 0.1},
    {"centers": [(3, 3)], "radii": [(3, 5)]},
    {"mid": "dct"},
    {"entropy": "rans"},
    {"tune": "visual"},
    {"subsampling": "4:4:4"},
    {"boundary_tau": 0},
    {"preset": "medical"},
]


@pytest.mark.parametrize("keywords", LOSSY, ids=str)
def test_keywords_of_the_lossy_tiers_are_refused(keywords: dict[str, Any]) -> None:
    picture = ramp(8, 9, 3)
    (*_, name) = keywords
    with pytest.raises(ValueError, match=f"16 bits are stored without loss: leave out {name}"):
        aig_codec.encode(picture, **keywords)
    # Who knows that there will be no loss may say what 8 bits may: nothing comes of it.
    check(picture, lossless=True, **keywords)


def test_lossless_may_be_said_but_not_denied() -> None:
    picture = ramp(8, 9, 3)
    data = aig_codec.encode(picture)
    for said in (True, 1, np.True_, None):
        assert aig_codec.encode(picture, lossless=said) == data
    for denied in (False, 0, np.False_):
        with pytest.raises(ValueError, match="leave out lossless=False"):
            aig_codec.encode(picture, lossless=denied)
    # Defaults ask for nothing.
    plain = {"mid": "auto", "entropy": "auto", "tune": "psnr", "subsampling": "auto"}
    assert aig_codec.encode(picture, **plain, quality=None, radii=None, preset=None) == data
    with pytest.raises(ValueError, match="leave out quality, mid"):
        aig_codec.encode(picture, mid="none", quality=5)


def test_other_keywords_are_checked_as_ever() -> None:
    picture = ramp(8, 9, 3)
    with pytest.raises(TypeError, match="no keyword qualty"):
        aig_codec.encode(picture, qualty=3)
    for keywords in ({"effort": 0}, {"centers": [(9, 0)]}, {"lossless": True, "quality": 101}):
        with pytest.raises(ValueError, match=r"effort|outside|quality"):
            aig_codec.encode(picture, **keywords)
    for shape in ((4,), (4, 4, 5), (0, 4)):
        with pytest.raises(ValueError, match=r"\(H, W|empty"):
            aig_codec.encode(np.zeros(shape, np.uint16))


def test_limits_count_pixels_of_any_depth(monkeypatch: pytest.MonkeyPatch) -> None:
    data = aig_codec.encode(ramp(4, 4, 4))
    monkeypatch.setattr("aig_codec.limits.max_pixels", 15)
    for refused in (lambda: aig_codec.encode(ramp(4, 4, 4)), lambda: aig_codec.open(data)):
        with pytest.raises(errors.LimitError):
            refused()


def test_encoding_and_decoding_import_nothing_new() -> None:
    code = (
        "import numpy, sys, aig_codec\n"
        "aig_codec.decode(aig_codec.encode(numpy.zeros((9, 9, 3), numpy.uint16)))\n"
        "assert not {'scipy', 'sklearn', 'aig_codec.search.saliency'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


# Reading


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_every_way_to_read(channels: int) -> None:
    picture = ramp(19, 30, channels)
    whole = squeezed(picture)
    with aig_codec.open(aig_codec.encode(picture, centers=[(2, 3), (20, 9)])) as file:
        file.verify()
        for upto in ("core", "preview", "mid", "full"):
            np.testing.assert_array_equal(file.decode(upto), whole)
        (core,) = file.cores()
        assert (core.pixels.dtype, core.left, core.top) == (np.uint16, 0, 0)
        assert core.mask.all()
        np.testing.assert_array_equal(core.pixels, whole)
        assert file.preview().dtype == np.uint16
        np.testing.assert_array_equal(file.preview(), shrink(whole, 8))
        for scale in (2, 4, 8):
            small = file.decode(scale=scale)
            assert small.dtype == np.uint16
            assert small.shape[:2] == (-(-19 // scale), -(-30 // scale))
            box = whole[scale : 2 * scale, :scale].reshape(scale * scale, -1).astype(int)
            mean = (box.sum(0) + len(box) // 2) // len(box)
            np.testing.assert_array_equal(small[1, 0].ravel(), mean)
        np.testing.assert_array_equal(file.decode(strict=False), whole)
        assert file.problems == []


def test_averages_do_not_overflow() -> None:
    white = np.full((16, 16), 65535, np.uint16)
    for scale in (2, 4, 8):
        assert (shrink(white, scale) == 65535).all()


def test_truncation_at_every_byte() -> None:
    picture = ramp(5, 6, 4)
    data = aig_codec.encode(picture, xmp=b"<x/>")
    start = read_prologue(data).data_start
    with aig_codec.open(data) as file:
        core_end = start + file.bytes_for("core")
    for n in range(len(data)):
        with pytest.raises(errors.TruncatedError if n else errors.NotAigError):
            aig_codec.open(data[:n]).verify()
        if n < start:
            continue
        with aig_codec.open(data[:n]) as file:
            rest = file.decode(strict=False)
            assert rest.dtype == np.uint16
            if n >= core_end:
                np.testing.assert_array_equal(rest, picture)
            else:
                assert (rest[..., :3] == 32768).all()
                assert (rest[..., 3] == 65535).all()
                assert [type(p) for p in file.problems] == [errors.TruncatedError]
                with pytest.raises(errors.TruncatedError):
                    file.decode()
    np.testing.assert_array_equal(aig_codec.decode(data + b"behind"), picture)


@pytest.mark.parametrize("threads", [1, 3])
def test_damage_in_one_band_leaves_the_others(
    monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    monkeypatch.setattr(lossless, "_BAND_PIXELS", 500)
    picture = ramp(64, 49, 3)
    data = aig_codec.encode(picture)
    payload = payloads(data)["core", 0]
    rows = reference.bands_of(np.ones((64, 49), bool), payload[0])
    assert len(rows) > 2
    source = reference.ByteReader(payload)
    *_, last = [source.varint() for _ in range(1 + len(rows))]
    damaged = reseal(data, {("core", 0): payload[:-last] + b"\x09" + payload[1 - last :]})
    with pytest.raises(errors.CorruptError):
        aig_codec.decode(damaged, threads=threads)
    lenient = aig_codec.decode(damaged, strict=False, threads=threads)
    np.testing.assert_array_equal(lenient[: rows[-1].start], picture[: rows[-1].start])
    assert (lenient[rows[-1]] == 32768).all()


# Files that lie


@pytest.mark.parametrize("bits", [12, 0, -16, 32, "16", True, None, 16.0, [16]], ids=repr)
def test_other_numbers_of_bits_are_refused(bits: Any) -> None:
    for picture in (ramp(8, 9, 1), ramp(8, 9, 1).astype(np.uint8)):
        forged = reseal(aig_codec.encode(picture, lossless=True), {}, bits=bits)
        with pytest.raises(errors.UnsupportedError, match="metadata: bits"):
            aig_codec.open(forged)
        with pytest.raises(reference.BadFile):
            reference.read_container(forged)


def test_16_bits_with_loss_are_refused() -> None:
    data = aig_codec.encode(noise(8, 9, 3).astype(np.uint8), centers=[(3, 3)], radii=[(2, 3)])
    forged = reseal(data, {}, bits=16)
    with pytest.raises(errors.CorruptError, match="samples of 16 bits"):
        aig_codec.open(forged)
    with pytest.raises(reference.BadFile):
        reference.read_container(forged)
    with pytest.raises(OSError, match="samples of 16 bits"):
        Image.open(io.BytesIO(forged))


def test_8_bits_may_be_said() -> None:
    picture = noise(8, 9, 3).astype(np.uint8)
    data = aig_codec.encode(picture, lossless=True)

    class Spoken(int):
        """An 8 that is written although it is the default."""

        def __ne__(self, _: object) -> bool:
            return True

        __hash__ = int.__hash__

    spoken = reseal(data, {}, bits=Spoken(8))
    assert len(spoken) > len(data)
    np.testing.assert_array_equal(aig_codec.decode(spoken), picture)
    np.testing.assert_array_equal(reference.decode_file(spoken), picture)


def _decode_or_refuse(data: bytes) -> np.ndarray | None:
    try:
        return aig_codec.decode(data)
    except errors.CorruptError:
        return None


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_payloads_of_the_other_depth(channels: int) -> None:
    """Nothing in a payload says its depth, so it may decode; to what is asked, or to an error."""
    for kind in ("ramp", "noise", "flat"):
        picture = KINDS[kind](40, 33, channels)
        for pixels, bits in ((picture, 8), (picture.astype(np.uint8), 16)):
            forged = reseal(aig_codec.encode(pixels, lossless=True), {}, bits=bits)
            decoded = _decode_or_refuse(forged)
            lenient = aig_codec.decode(forged, strict=False)
            assert lenient.shape == squeezed(picture).shape
            assert lenient.dtype.itemsize * 8 == bits
            try:
                expected = reference.decode_file(forged)
            except reference.BadFile:
                expected = None
            assert (decoded is None) == (expected is None)
            if decoded is not None:
                np.testing.assert_array_equal(decoded, squeezed(expected))


@pytest.mark.parametrize(("channels", "method"), [(1, 1), (2, 1), (3, 1), (4, 1), (2, 2), (4, 6)])
def test_graphics_are_refused(channels: int, method: int) -> None:
    data = aig_codec.encode(ramp(8, 9, channels))
    payload = payloads(data)["core", 0]
    assert payload[0] == 1, "one band"
    at = 2 if payload[1] < 128 else 3
    forged = reseal(data, {("core", 0): payload[:at] + bytes([method]) + payload[at + 1 :]})
    with pytest.raises(errors.CorruptError, match=f"method {method} for samples of 16 bits"):
        aig_codec.decode(forged)
    with pytest.raises(reference.BadFile):
        reference.decode_file(forged)


def test_forged_payloads_with_right_checksums() -> None:
    rng = np.random.default_rng(4)
    for channels in (1, 2, 3, 4):
        picture = ramp(21, 17, channels)
        data = aig_codec.encode(picture, effort=7)
        payload = payloads(data)["core", 0]
        for _ in range(150):
            forged = bytearray(payload)
            for _ in range(rng.integers(1, 4)):
                forged[rng.integers(len(forged))] = rng.integers(256)
            if rng.random() < 0.3:
                del forged[rng.integers(len(forged)) :]
            sealed = reseal(data, {("core", 0): bytes(forged)})
            _decode_or_refuse(sealed)
            lenient = aig_codec.decode(sealed, strict=False)
            assert (lenient.shape, lenient.dtype) == (squeezed(picture).shape, np.uint16)


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
    assert image.draft("L", (10, 10)) is None
    image.thumbnail((20, 20))
    assert (image.size, image.mode) == ((20, 16), "I;16")
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


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Exit code, stdout and stderr."""
    code = cli.main([str(a) for a in arguments])
    out, err = capsys.readouterr()
    return code, out, err


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
