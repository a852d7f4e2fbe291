"""The keywords of encode(): what they mean, what they refuse, and what they promise."""

import numpy as np
import pytest
from support.pictures import mixed as photo

import aig_codec
from aig_codec import geometry
from aig_codec.container import read_prologue
from aig_codec.encoder import settings

FOCUS = {"centers": [(30, 24)], "radii": [(9, 14)]}


def test_core_is_exact_and_the_rest_is_close() -> None:
    pixels = photo(61, 83, 3)
    decoded = aig_codec.decode(aig_codec.encode(pixels, quality=90, **FOCUS))
    y, x = np.mgrid[:61, :83]
    core = (x - 30) ** 2 + (y - 24) ** 2 <= 81
    assert np.array_equal(decoded[core], pixels[core])
    assert not np.array_equal(decoded, pixels)
    assert np.abs(decoded.astype(int) - pixels).mean() < 6


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (7, 5), (16, 16), (33, 17), (8, 130)])
def test_every_size_and_mode(shape: tuple[int, int], channels: int) -> None:
    pixels = photo(*shape, channels)
    for more in ({}, {"mid": "palette"}, {"lossless": True}, {"quality": 100}):
        data = aig_codec.encode(pixels, **more)
        decoded = aig_codec.decode(data)
        expected = pixels if channels > 1 else pixels.reshape(shape)
        assert decoded.shape == expected.shape
        core = geometry.Regions(read_prologue(data).metadata).class_map()
        exact = (core >= 1) & (core < 5)
        assert exact.any()
        assert np.array_equal(decoded[exact], expected[exact])
        if channels in (2, 4):
            assert np.array_equal(decoded[..., -1], expected[..., -1]), "alpha is always lossless"
        if "lossless" in more:
            assert np.array_equal(decoded, expected)


def test_grey_may_come_with_or_without_an_axis() -> None:
    pixels = photo(20, 30, 1)
    assert aig_codec.encode(pixels) == aig_codec.encode(pixels[..., 0])
    assert aig_codec.decode(aig_codec.encode(pixels)).shape == (20, 30)


def test_same_input_same_bytes_whatever_the_threads() -> None:
    pixels = photo(70, 90, 4)
    files = {
        aig_codec.encode(pixels, centers=[(20, 20), (60, 40)], threads=n) for n in (1, 2, 5, None)
    }
    assert len(files) == 1
    data = files.pop()
    decoded = [aig_codec.decode(data, threads=n) for n in (1, 2, 5, None)]
    assert all(np.array_equal(d, decoded[0]) for d in decoded)


def test_input_is_left_alone_and_may_be_read_only_or_strided() -> None:
    pixels = photo(40, 60, 3)
    before = pixels.copy()
    pixels.flags.writeable = False
    data = aig_codec.encode(pixels, **FOCUS)
    assert np.array_equal(pixels, before)
    wide = np.repeat(pixels, 2, axis=1)[:, ::2]
    assert aig_codec.encode(wide, **FOCUS) == data
    assert aig_codec.decode(data).flags.writeable


def test_metadata_says_what_was_asked() -> None:
    data = aig_codec.encode(
        photo(40, 60, 3),
        centers=[(10, 11), (40.4, 20.6)],
        sigmas=[2, (1.5, 0.5)],
        alphas=[0.1, 0.25],
        radii=[(5, 8), 4],
        quality_level=128,
        lambda_rd=0.5,
    )
    with aig_codec.open(data) as file:
        info = file.info()
    assert info["centers"] == [(10, 11), (40, 21)]
    assert info["sigmas"] == [(2.0, 2.0), (1.5, 0.5)]
    assert info["alphas"] == [0.1, 0.25]
    assert info["radii"] == [(5.0, 8.0), (4.0, 5.0)]
    assert info["quality_level"] == 128
    assert info["lambda_rd"] == 0.5


def test_configuration_of_the_specification_works_verbatim() -> None:
    config = {
        "centers": [(256 // 8, 256 // 8)],
        "Sigmas": [np.diag([3.0, 3.0])],
        "alphas": [0.02],
        "quality_level": 240,
        "lambda_rd": 0.005,
    }
    with aig_codec.open(aig_codec.encode(photo(64, 64, 3), **config)) as file:
        assert file.info()["sigmas"] == [(3.0, 3.0)]
        assert file.info()["quality_level"] == 240


@pytest.mark.parametrize("preset", sorted(settings.PRESETS))
def test_presets_fill_in_what_is_left_out(preset: str) -> None:
    pixels = photo(64, 64, 3)
    values = settings.PRESETS[preset]
    with aig_codec.open(aig_codec.encode(pixels, preset=preset)) as file:
        level = values.get("quality_level") or settings.level_from_quality(values["quality"])
        assert file.info()["quality_level"] == level
        if "sigma" in values:
            assert file.info()["sigmas"][0] == values["sigma"]
        assert file.info()["lambda_rd"] == values.get("lambda_rd", 0.02)
        assert file.metadata.qp_table_id == settings.TUNES.index(values.get("tune", "psnr"))
    for keywords in ({"lambda_rd": 0.7}, {"tune": "psnr"}, {"subsampling": "4:2:0"}):
        with aig_codec.open(aig_codec.encode(pixels, preset=preset, **keywords)) as file:
            assert file.info()["lambda_rd"] == {**values, **keywords}.get("lambda_rd", 0.02)
            tune = {**values, **keywords}.get("tune", "psnr")
            assert file.metadata.qp_table_id == settings.TUNES.index(tune)
    with aig_codec.open(aig_codec.encode(pixels, preset=preset, quality=10)) as file:
        assert file.info()["quality_level"] == 26


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        ({"centers": []}, "0 centers.*1 to 3"),
        ({"centers": [(1, 1)] * 4}, "4 centers.*1 to 3"),
        ({"centers": [(60, 5)]}, "outside the 60 x 40"),
        ({"centers": [(-1, 5)]}, "outside"),
        ({"centers": [(1, 2, 3)]}, "pair"),
        ({"centers": [(float("nan"), 2)]}, "pair"),
        ({"centers": "middle"}, "auto"),
        ({"centers": [(1, 1)], "sigmas": [0]}, "above 0"),
        ({"centers": [(1, 1)], "sigmas": [-2.0]}, "above 0"),
        ({"centers": [(1, 1)], "sigmas": [(1, 2, 3)]}, "Sigma must be"),
        ({"centers": [(1, 1)], "sigmas": [[[1, 2], [2, 1]]]}, "diagonal"),
        ({"centers": [(1, 1)], "sigmas": [1, 1]}, "2 entries for 1 centers"),
        ({"centers": [(1, 1)], "sigmas": [1], "Sigmas": [1]}, "not both"),
        ({"sigmas": [1]}, "need centers"),
        ({"centers": [(1, 1)], "alphas": [3]}, "2.55"),
        ({"centers": [(1, 1)], "radii": [(10, 5)]}, "below the core"),
        ({"centers": [(1, 1)], "radii": [(-1, 5)]}, "0 to 65535"),
        ({"radii": [(1, 5)]}, "need centers"),
        ({"quality": 101}, "0 to 100"),
        ({"quality": -1}, "0 to 100"),
        ({"quality": "good"}, "number from 0 to 100"),
        ({"quality_level": 256}, "0 to 255"),
        ({"quality": 50, "quality_level": 50}, "not both"),
        ({"lambda_rd": -0.1}, "lambda_rd"),
        ({"mid": "wavelet"}, "auto, palette, dct, none"),
        ({"entropy": "huffman"}, "auto, adaptive, rans, golomb, snappy"),
        ({"effort": 0}, "1 to 9"),
        ({"effort": 2.5}, "whole number"),
        ({"tune": "ssim"}, "psnr, visual"),
        ({"subsampling": "4:1:1"}, "4:2:0"),
        ({"preset": "portrait"}, "tracking"),
        ({"threads": 0}, "threads"),
        ({"dpi": 72}, "pair"),
        ({"centers": 5}, "wrong type"),
        ({"preset": ["medical"]}, "tracking"),
        ({"sigmas": ..., "centers": [(1, 1)]}, "wrong type"),
        ({"dpi": (72, 1e7)}, "0 to 1e"),
    ],
    ids=str,
)
def test_bad_arguments_say_what_is_allowed(keywords: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        aig_codec.encode(np.zeros((40, 60, 3), np.uint8), **keywords)


def test_bad_pixels_are_refused() -> None:
    for dtype in ("bool", "int8", "int16", ">i2", "uint32", "float16", "float64", "object", "U2"):
        with pytest.raises(TypeError, match=f"uint8 or uint16, not {np.dtype(dtype)}"):
            aig_codec.encode(np.zeros((4, 4), dtype))
    for shape in ((4,), (4, 4, 5), (4, 4, 3, 1), (0, 4, 3), (4, 0)):
        with pytest.raises(ValueError, match=r"\(H, W|empty"):
            aig_codec.encode(np.zeros(shape, np.uint8))
    grey = np.zeros((4, 4), np.uint8)
    with pytest.raises(TypeError, match=r"encode\(\) has no keyword qualty"):
        aig_codec.encode(grey, qualty=3)
    with pytest.raises(TypeError, match="exif must be bytes, not int"):
        aig_codec.encode(grey, exif=5)


def test_more_quality_is_more_bytes_and_less_error() -> None:
    pixels = photo(256, 320, 3)
    sizes, errors = [], []
    for quality in (0, 1, 10, 25, 40, 50, 60, 70, 80, 90, 95, 100):
        data = aig_codec.encode(pixels, quality=quality, mid="dct", **FOCUS)
        sizes.append(len(data))
        errors.append(float(((aig_codec.decode(data).astype(float) - pixels) ** 2).mean()))
    assert sizes == sorted(sizes)
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 1.5


def test_lambda_moves_the_searched_radii() -> None:
    pixels = photo(256, 320, 3)
    areas = []
    for lambda_rd in (0.001, 0.02, 0.5):
        with aig_codec.open(
            aig_codec.encode(pixels, centers=[(160, 128)], lambda_rd=lambda_rd)
        ) as file:
            areas.append(file.info()["radii"][0][0])
    assert areas == sorted(areas, reverse=True)
    assert areas[0] > areas[-1]


def test_automatic_center_finds_the_odd_thing_out() -> None:
    pixels = np.full((240, 320, 3), 90, np.uint8)
    pixels[:, :, 1] += np.linspace(0, 40, 320).astype(np.uint8)
    rng = np.random.default_rng(0)
    pixels[60:100, 200:240] = rng.integers(0, 255, (40, 40, 3))
    with aig_codec.open(aig_codec.encode(pixels)) as file:
        x, y = file.centers[0]
    assert 185 < x < 255
    assert 45 < y < 115


def test_mid_auto_draws_flat_graphics_and_takes_the_dct_for_photographs() -> None:
    flat = np.zeros((96, 96, 3), np.uint8)
    flat[:, 40:] = (250, 250, 240)
    flat[::7, ::3] = (20, 40, 200)
    with aig_codec.open(aig_codec.encode(flat, centers=[(40, 48)], radii=[(10, 30)])) as file:
        classes = file.regions().class_map()
        assert (classes == geometry.SCREEN_CONTENT).mean() > 0.9
        assert np.array_equal(file.decode()[classes > 0], flat[classes > 0])
    y, x = np.indices((96, 96))
    textured = (40 + x + y + 25 * np.sin(x / 3) * np.cos(y / 5))[..., None] + [0, 9, 21]
    rng = np.random.default_rng(0)
    textured = (textured + rng.normal(0, 2, textured.shape)).clip(0, 255).astype(np.uint8)
    with aig_codec.open(aig_codec.encode(textured, centers=[(40, 48)], radii=[(10, 30)])) as file:
        assert file.metadata.mid == "dct"
        assert not file.metadata.has("drawn")


def test_boundary_keeps_what_exceeds_tau() -> None:
    from aig_codec.coders import residual

    pixels = photo(64, 64, 3)
    for tau in (0, 2, 9):
        data = aig_codec.encode(pixels, quality=20, boundary_tau=tau, **FOCUS)
        with aig_codec.open(data) as file:
            assert file.bytes_for("boundary") > 0
            band = residual.band(file.regions().class_map()) > 0
            left = np.abs(file.decode().astype(int) - pixels)[band]
        assert band.any()
        assert left.max() <= tau


def test_thorough_palette_uses_scikit_learn() -> None:
    pytest.importorskip("sklearn")
    pixels = photo(64, 64, 3)
    keywords = {"centers": [(30, 30)], "radii": [(5, 25)], "mid": "palette"}
    fast = aig_codec.encode(pixels, effort=5, **keywords)
    thorough = aig_codec.encode(pixels, effort=9, **keywords)
    assert fast != thorough
    assert thorough == aig_codec.encode(pixels, effort=9, **keywords)
    mid = geometry.Regions(read_prologue(fast).metadata).class_map() >= 5
    for data in (fast, thorough):
        error = (aig_codec.decode(data).astype(float) - pixels)[mid]
        assert (error**2).mean() < 60


def test_no_file_is_written_that_the_reader_would_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aig_codec.limits.max_ancillary", 10)
    with pytest.raises(ValueError, match="xmp of 11 bytes"):
        aig_codec.encode(np.zeros((4, 4), np.uint8), xmp=bytes(11))
    monkeypatch.setattr("aig_codec.limits.max_pixels", 15)
    with pytest.raises(aig_codec.LimitError):
        aig_codec.encode(np.zeros((4, 4), np.uint8))


def test_ancillary_data_round_trip() -> None:
    blobs = {"exif": b"Exif\0\0MM\0*", "icc_profile": bytes(range(256)) * 3, "xmp": b"<x/>"}
    data = aig_codec.encode(photo(20, 20, 3), dpi=(72, 300.5), **blobs)
    with aig_codec.open(data) as file:
        assert {"exif": file.exif, "icc_profile": file.icc_profile, "xmp": file.xmp} == blobs
        assert file.metadata.dpi == (72, 300.5)
    with aig_codec.open(aig_codec.encode(photo(20, 20, 3))) as file:
        assert file.exif is file.icc_profile is file.xmp is file.metadata.dpi is None
