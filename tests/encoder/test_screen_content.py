"""Tiles that are drawn: which ones, how nearly exact, and that no decoder need know."""

import numpy as np
import pytest
import reference
from support.pictures import letters, photograph
from support.tiers import mostly_slow

import aig_codec
from aig_codec import _native, geometry
from aig_codec.coders import dct
from aig_codec.coders.lossless import Loss
from aig_codec.container import Focus, Metadata
from aig_codec.encoder import screen_content

FOCUS = {"centers": [(60, 50)], "radii": [(15, 25)]}


@pytest.mark.parametrize("channels", mostly_slow([1, 3], 3))
@pytest.mark.parametrize("per_bit", mostly_slow([0, 5, 40, 400], 0, 40))
def test_nearly_exact(channels: int, per_bit: int) -> None:
    picture = letters(80, 100, channels)
    classes = np.ones((80, 100), np.uint8)
    classes[30:40, 20:70] = 0
    most = 24
    coded, costs = _native.graphic_encode_near(picture, classes, 1, 1, 0, 80, per_bit, most)
    decoded = picture.copy()
    _native.graphic_decode(coded, decoded, classes, 1, 1, 0, 80)
    np.testing.assert_array_equal(
        reference.decode_graphic(coded, classes > 0, channels)[classes > 0], decoded[classes > 0]
    )
    error = (decoded.astype(int) - picture) ** 2
    side = min(64, round(1.5 * per_bit**0.5))
    assert error.max() <= max(most, side) ** 2 if per_bit else not error.any()
    # What the costs say of every tile is what came out, but for the coder's ends.
    for ty, tx in np.ndindex(costs.shape[:2]):
        tile = np.s_[16 * ty : 16 * ty + 16, 16 * tx : 16 * tx + 16]
        assert costs[ty, tx, 1] == error[tile].sum()
    assert costs[..., 0].sum() / 8 == pytest.approx(len(coded), rel=0.01, abs=8)


def test_more_loss_takes_fewer_bytes() -> None:
    picture, classes = letters(), np.ones((256, 320), np.uint8)
    sizes = [
        len(_native.graphic_encode_near(picture, classes, 1, 1, 0, 256, per_bit, 255)[0])
        for per_bit in (0, 20, 100, 500, 4000)
    ]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] < sizes[0]


@pytest.mark.parametrize("channels", [1, 3])
def test_costs_of_transforms(channels: int) -> None:
    picture = letters(50, 70, channels)
    steps = dct.steps(150, 0)
    wanted = np.ones((4, 5), np.uint8)
    wanted[1, 2] = 0
    found = _native.transform_costs_by_tile(picture, wanted, steps)
    k = np.arange(8)
    basis = np.cos(np.pi * k[:, None] * (2 * k + 1) / 16) * np.where(k, 0.5, 8**-0.5)[:, None]
    luma = picture[..., 0].astype(float)
    if channels == 3:
        luma = picture @ np.array([0.299, 0.587, 0.114])
    padded = np.pad(luma, [(0, 6), (0, 2)], "edge")
    expected = np.zeros((4, 5, 2))
    for by, bx in np.ndindex(7, 9):
        block = padded[8 * by : 8 * by + 8, 8 * bx : 8 * bx + 8]
        c = 16 * np.abs(basis @ block @ basis.T).T.ravel()[1:]
        levels = np.floor(c / steps[1:] + 0.38)
        bits = np.where(levels > 0, 3.2 + 1.6 * np.log2(np.maximum(levels, 1)), 0).sum()
        error = ((c - levels * steps[1:]) ** 2).sum() / 256
        expected[by // 2, bx // 2] += (1.2 if channels == 3 else 1) * bits, channels * error
    expected[wanted == 0] = 0
    # Coefficients and luma are rounded there: levels near a threshold may differ.
    np.testing.assert_allclose(found.sum((0, 1)), expected.sum((0, 1)), rtol=0.05)
    assert not found[1, 2].any()


def test_text_is_drawn_and_photographs_are_not() -> None:
    picture = np.concatenate([letters(), photograph()], 1)
    with aig_codec.open(aig_codec.encode(picture, **FOCUS)) as file:
        drawn = file.regions().class_map() == geometry.SCREEN_CONTENT
    assert drawn[:, :320].mean() > 0.8
    assert not drawn[:, 336:].any()
    with aig_codec.open(aig_codec.encode(photograph(), **FOCUS)) as file:
        assert not file.metadata.has("drawn")


def test_text_takes_fewer_bytes_and_errs_less() -> None:
    picture = letters()
    for quality in (30, 60, 90):
        drawn = aig_codec.encode(picture, quality=quality, **FOCUS)
        transformed = aig_codec.encode(picture, quality=quality, mid="dct", **FOCUS)
        assert len(drawn) < len(transformed) / 2
        errors = [
            ((aig_codec.decode(d).astype(int) - picture) ** 2).mean() for d in (drawn, transformed)
        ]
        assert errors[0] < errors[1]


def test_photographs_take_no_byte_more() -> None:
    picture = photograph()
    assert aig_codec.encode(picture, **FOCUS) == aig_codec.encode(picture, mid="dct", **FOCUS)


@pytest.mark.parametrize("mid", ["dct", "none", "palette"])
def test_only_auto_draws(mid: str) -> None:
    with aig_codec.open(aig_codec.encode(letters(), mid=mid, **FOCUS)) as file:
        assert not file.metadata.has("drawn")


def test_loss_follows_the_quality() -> None:
    def of(level: int, channels: int = 3) -> Loss:
        foci = (Focus(0, 0, (1.0, 1.0), 0, 0.0, 0.0),)
        metadata = Metadata(width=1, height=1, mode="RGB", foci=foci, quality_level=level)
        return screen_content.loss(metadata, channels)

    losses = [of(level) for level in (0, 60, 128, 191, 230, 255)]
    assert losses == sorted(losses, reverse=True)
    assert of(255).per_bit == 0 or of(255).most <= 10
    assert of(191).per_bit == pytest.approx(3 * of(191, 1).per_bit, abs=2)


@pytest.mark.parametrize("threads", [1, 3])
def test_the_same_bytes_whatever_the_threads(threads: int) -> None:
    assert aig_codec.encode(letters(), threads=threads, **FOCUS) == aig_codec.encode(
        letters(), threads=2, **FOCUS
    )


def test_damaged_tiles_cost_all_but_the_core() -> None:
    picture = letters()
    data = aig_codec.encode(picture, **FOCUS)
    with aig_codec.open(data) as file:
        segment = next(s for s in file.segments if s.kind == "tiles")
        start, core = file.data_start + segment.offset, file.core_mask()
    broken = bytearray(data)
    broken[start] ^= 1
    with aig_codec.open(bytes(broken)) as file:
        shown = file.decode(strict=False)
        assert "tiles" in str(file.problems[0])
    np.testing.assert_array_equal(shown[core], picture[core])
    assert (shown[~core] == 128).all()


def test_palettes_are_graphics_too() -> None:
    picture = letters()
    auto = aig_codec.encode(picture, mid="palette", **FOCUS)
    indices = aig_codec.encode(picture, mid="palette", entropy="rans", **FOCUS)
    coders = []
    for data in (auto, indices):
        with aig_codec.open(data) as file:
            coders.append(next(s.coder for s in file.segments if s.kind == "mid"))
            mid = file.regions().class_map() == geometry.MID
        assert mid.any()
        np.testing.assert_array_equal(aig_codec.decode(data)[mid], picture[mid])
        np.testing.assert_array_equal(reference.decode_file(data, "full"), aig_codec.decode(data))
    assert coders == ["lossless", "palette"]
