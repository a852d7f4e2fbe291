"""Where to look when nobody says."""

import tracemalloc

import numpy as np
import pytest

import aig_codec
from aig_codec.encoder.roi import saliency


def scene(*blobs: tuple[int, int, int, int], height: int = 240, width: int = 320) -> np.ndarray:
    """Textured ellipses (x, y, semi-axes) on a quiet slope."""
    y, x = np.indices((height, width))
    picture = np.stack([80 + x // 16, 90 + y // 16, 100 + x // 20], -1)
    rng = np.random.default_rng(0)
    for cx, cy, a, b in blobs:
        inside = ((x - cx) / a) ** 2 + ((y - cy) / b) ** 2 <= 1
        picture[inside] = rng.integers([150, 20, 20], [255, 120, 90], (int(inside.sum()), 3))
    return picture.astype(np.uint8)


@pytest.mark.parametrize("place", [(160, 120), (90, 80), (230, 160), (100, 170)])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_the_thing_that_stands_out(place: tuple[int, int], channels: int) -> None:
    picture = scene((*place, 26, 26))
    if channels == 1:
        picture = picture[..., 1:2]
    if channels == 4:
        picture = np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)])
    found = saliency.find(np.ascontiguousarray(picture))
    assert np.hypot(found[0].x - place[0], found[0].y - place[1]) < 26
    assert found[0].confidence > 0.15


def test_sigma_follows_the_shape() -> None:
    wide = saliency.find(scene((160, 120, 70, 20)))[0]
    tall = saliency.find(scene((160, 120, 20, 70)))[0]
    assert wide.sigma[0] > 1.2 > 1 / 1.2 > wide.sigma[1]
    assert tall.sigma[0] < 1 / 1.2
    for one in (wide, tall):
        assert one.sigma[0] * one.sigma[1] == pytest.approx(1)
        assert one.sigma[0] / one.sigma[1] <= 4.01


def test_two_things() -> None:
    found = saliency.find(scene((80, 120, 24, 24), (245, 120, 24, 24)))
    assert len(found) >= 2
    assert {f.x > 160 for f in found[:2]} == {True, False}


@pytest.mark.parametrize("size", [(1, 1), (1, 90), (7, 3), (9, 9), (64, 2000)])
def test_any_size(size: tuple[int, int]) -> None:
    rng = np.random.default_rng(1)
    for pixels in (np.zeros((*size, 3), np.uint8), rng.integers(0, 256, (*size, 1), np.uint8)):
        for one in saliency.find(pixels):
            assert 0 <= one.x < size[1]
            assert 0 <= one.y < size[0]
            assert 0 <= one.confidence <= 1


def test_nothing_stands_out() -> None:
    found = saliency.find(np.full((120, 160, 3), 77, np.uint8))
    assert [(f.x, f.y, f.confidence) for f in found] == [(80, 60, 0.0)]
    flat = np.full((120, 160, 3), 77, np.uint8)
    with aig_codec.open(aig_codec.encode(flat, lossless=False, explain=True)) as file:
        assert file.centers == [(80, 60)]
        assert "middle" in file.decisions[0].why


def test_sigma_given_is_sigma_kept() -> None:
    picture = scene((160, 120, 70, 20))
    with aig_codec.open(aig_codec.encode(picture)) as file:
        assert file.metadata.foci[0].sigma[0] > 1.2
    with aig_codec.open(aig_codec.encode(picture, sigmas=2.0)) as file:
        assert file.metadata.foci[0].sigma == (2.0, 2.0)
    with aig_codec.open(aig_codec.encode(picture, preset="tracking")) as file:
        assert file.metadata.foci[0].sigma == (2.0, 1.5)


def _strip(height: int, width: int) -> np.ndarray:
    """A quiet picture of any shape, with one thing in it."""
    shorter = min(height, width)
    side = max(1, shorter // 3)
    rng = np.random.default_rng(3)
    picture = rng.integers(90, 100, (height, width, 3), dtype=np.uint8)
    top, left = height // 3, width // 3
    picture[top : top + side, left : left + side] = [220, 40, 30]
    return picture


EXTREMES = [
    (1, 32767),
    (32767, 1),
    (7, 32767),
    (8, 32767),
    (32, 9600),
    (9600, 32),
    (47, 6000),
    (95, 16000),
    (16000, 95),
    (600, 9000),
    (3000, 3000),
]


@pytest.mark.slow
@pytest.mark.parametrize(("height", "width"), EXTREMES)
def test_memory_is_linear_in_pixels_whatever_the_shape(height: int, width: int) -> None:
    picture = _strip(height, width)
    saliency.find(np.ascontiguousarray(picture[:64, :64]))  # what is imported late
    saliency._kept_gaussian.cache_clear()
    tracemalloc.start()
    try:
        saliency.find(picture)
        kept, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak <= 256 * height * width + 2**23
    assert kept <= 5 * 2**20


@pytest.mark.parametrize(("height", "width"), [(32, 9600), (9600, 32), (90, 8000), (3000, 40)])
def test_what_stands_out_of_a_long_strip(height: int, width: int) -> None:
    found = saliency.find(_strip(height, width))
    side = min(height, width) // 3
    assert abs(found[0].x - width // 3 - side / 2) <= 2 * side
    assert abs(found[0].y - height // 3 - side / 2) <= 2 * side
    assert found[0].confidence > 0.1


@pytest.mark.slow
def test_nothing_large_is_kept_after_many_shapes() -> None:
    saliency._kept_gaussian.cache_clear()
    tracemalloc.start()
    try:
        for n in range(96, 400, 48):
            saliency.find(_strip(95 + n % 3, n * 3))
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept <= 5 * 2**20


@pytest.mark.parametrize("sigma", [1, 1.5, 2.5, 7, 23])
def test_repeated_means_are_about_a_gaussian(sigma: float) -> None:
    impulse = np.zeros((1, 601))
    impulse[0, 300] = 1
    blurred = saliency._repeated_means(impulse, sigma)[0]
    expected = saliency._new_gaussian(601, sigma)[300]
    assert blurred.sum() == pytest.approx(1)
    places = np.arange(601) - 300
    assert (blurred * places**2).sum() == pytest.approx(sigma**2, rel=1e-6)
    assert np.abs(blurred - expected).max() < 0.08 * expected.max()
    # What lies beyond the border has no weight: what is the same everywhere stays so.
    np.testing.assert_allclose(saliency._repeated_means(np.full((2, 601), 7.0), sigma), 7)
