"""Samples of 16 bits: lossless, from array to file and back."""

import io
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from support.deep_pictures import KINDS, constant, noise, ramp, squeezed
from support.files import payloads, reseal
from support.tiers import mostly_slow

import aig_codec
import imageio_aig  # noqa: F401 - registers AIG with imageio
from aig_codec import errors
from aig_codec.coders import lossless
from aig_codec.container import read_prologue
from aig_codec.decoder.file import shrink


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
@pytest.mark.parametrize(
    "size", mostly_slow([(1, 1), (5, 3), (17, 21), (33, 18)], (1, 1), (17, 21))
)
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
    monkeypatch.setattr(lossless.codec, "_BAND_PIXELS", 500)
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
        "assert not {'scipy', 'sklearn', 'aig_codec.encoder.roi.saliency'} & set(sys.modules)"
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
    monkeypatch.setattr(lossless.codec, "_BAND_PIXELS", 500)
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
