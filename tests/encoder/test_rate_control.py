"""A wanted size, a wanted PSNR."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import pictures
from support.pictures import letters, photograph

import aig_codec
from aig_codec.coders import dct
from aig_codec.encoder import rate_search

FOCUS = {"centers": [(160, 120)], "radii": [(30, 40)]}


@settings(max_examples=80, deadline=None)
@given(st.floats(-1.2, -0.4), st.floats(7, 13), st.integers(0, 255), st.floats(0, 1))
def test_lines_are_followed_to_their_end(slope: float, at: float, first: int, part: float) -> None:
    """On a straight line, any target between its ends is met as nearly as levels allow."""

    def value(level: int, weight: float = 1.0) -> float:
        return at + slope * math.log2(dct.base_step(level)) - 0.24 * math.log(weight)

    target = value(0) + part * (value(255) - value(0))
    trials = rate_search.solve(value, target, 0.01, first, rate_search.SIZE)
    assert len(trials) <= rate_search.SIZE.trials
    nearest = min(abs(value(level) - target) for level in range(256))
    assert abs(trials[-1].value - target) <= max(0.011, 1.2 * nearest)
    assert all(0 <= t.level <= 255 for t in trials)


def test_steps_and_plateaus_come_to_an_end() -> None:
    for f in (lambda level: float(level > 99), lambda _: 5.0, lambda level: level**3 / 1e5):
        trials = rate_search.solve(lambda level, _, f=f: f(level), 0.6, 0.01, 128, rate_search.PSNR)
        assert 1 <= len(trials) <= rate_search.PSNR.trials


@pytest.mark.parametrize("quality", [30, 60, 80, 90])
@pytest.mark.parametrize("tune", ["psnr", "visual"])
def test_sizes_are_met(quality: int, tune: str) -> None:
    picture = photograph(600, 800)
    size = len(aig_codec.encode(picture, quality=quality, tune=tune, **FOCUS)) + 777
    data = aig_codec.encode(picture, target_size=size, tune=tune, **FOCUS)
    assert abs(len(data) / size - 1) <= 0.02
    assert data == aig_codec.encode(picture, target_size=size, tune=tune, threads=3, **FOCUS)


@pytest.mark.parametrize("psnr", [36, 38, 42])
def test_psnr_is_met_outside_the_core(psnr: float) -> None:
    picture = np.concatenate([photograph(300, 400), pictures.mixed(300, 400, 3)])
    data = aig_codec.encode(picture, target_psnr=psnr, **FOCUS)
    with aig_codec.open(data) as file:
        outside = ~file.core_mask()
        error = ((file.decode().astype(float) - picture)[outside] ** 2).mean()
    assert 10 * math.log10(255**2 / error) == pytest.approx(psnr, abs=0.1)


def test_with_everything_left_to_the_encoder_and_drawn_tiles() -> None:
    picture = letters(512, 640)
    usual = len(aig_codec.encode(picture, lossless=False))
    wanted = {"target_size": round(usual * 1.2), "lossless": False, "explain": True}
    data = aig_codec.encode(picture, **wanted)
    assert len(data) <= 1.02 * 1.2 * usual
    with aig_codec.open(data) as file:
        quality = next(d for d in file.decisions if d.what == "quality")
        assert quality.chosen in {c.name for c in quality.candidates}


def test_too_small_is_refused_with_the_least_there_is() -> None:
    picture = photograph(600, 800)
    with pytest.raises(ValueError, match=r"target_size 500 cannot be reached.* bytes"):
        aig_codec.encode(picture, target_size=500, **FOCUS)


def test_more_than_needed_gives_the_best_quality() -> None:
    picture = photograph(120, 160)
    wanted = {"target_size": 10**7, "centers": [(80, 60)], "radii": [(9, 12)]}
    with aig_codec.open(aig_codec.encode(picture, **wanted, lossless=False)) as file:
        assert file.metadata.quality_level == 255
    assert (aig_codec.decode(aig_codec.encode(picture, **wanted)) == picture).all()


def test_what_fits_without_loss_has_none() -> None:
    """Also where no quality level makes a file with loss that is small enough."""
    picture = letters(512, 640)
    exact = len(aig_codec.encode(picture, lossless=True))
    assert exact < len(aig_codec.encode(picture, lossless=False, quality=0))
    data = aig_codec.encode(picture, target_size=exact + 50)
    assert len(data) <= exact + 50
    assert (aig_codec.decode(data) == picture).all()
    with pytest.raises(ValueError, match="cannot be reached"):
        aig_codec.encode(picture, target_size=exact // 2)


@pytest.mark.parametrize(
    "keywords",
    [
        {"target_size": 5000, "quality": 50},
        {"target_size": 5000, "target_psnr": 40},
        {"target_psnr": 40, "quality_level": 3},
        {"target_size": 5000, "lossless": True},
        {"target_size": 0},
        {"target_size": 1.5},
        {"target_psnr": -1},
        {"target_psnr": "high"},
    ],
)
def test_what_cannot_be_wanted(keywords: dict) -> None:
    with pytest.raises(ValueError, match="target"):
        aig_codec.encode(photograph(60, 80), **keywords)


def test_not_for_sixteen_bits() -> None:
    with pytest.raises(ValueError, match="16 bits"):
        aig_codec.encode(np.zeros((20, 20), np.uint16), target_size=500)
