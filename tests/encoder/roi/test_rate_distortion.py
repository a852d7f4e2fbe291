"""Radii by rate-distortion: the minimum is one, costs are what coders need."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import aig_codec
from aig_codec import _native, geometry
from aig_codec.coders import dct, lossless
from aig_codec.encoder.roi import rate_distortion as rd


def tables(seed: int, centers: int, lam: float = 1.0) -> rd.Tables:
    """Costs at random, but finer tiers take more bits and err less, as they do."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(50, 400))
    ring = rng.integers(0, 33, (centers, n))
    bits = np.cumsum(rng.gamma(1, 30, (n, 3)), 1)
    error = np.cumsum(rng.gamma(1, 40, (n, 3)), 1)[:, ::-1] / (1 + (ring.min(0) / 9) ** 2)[:, None]
    error[:, 2] = 0
    return rd.Tables(bits, error, ring, lam, (8.0,) * centers, 1.0)


def neighbours(rings: tuple, least: int, most: int) -> list:
    found = []
    for k, (core, mid) in enumerate(rings):
        for c in range(core - 2, core + 3):
            for m in range(mid - 2, mid + 3):
                if least <= c <= most and c <= m <= int(1.5 * c):
                    found.append([*rings[:k], (c, m), *rings[k + 1 :]])
    return found


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 3), st.floats(0.05, 20))
def test_no_neighbour_is_better(seed: int, centers: int, lam: float) -> None:
    t = tables(seed, centers, lam)
    choice = rd.choose(t, 2, 20, True)
    least = rd.cost(t, choice.rings)
    for other in neighbours(choice.rings, 2, 20):
        assert rd.cost(t, other) >= least - 1e-6 * abs(least)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_for_one_center_it_is_the_minimum_of_all(seed: int) -> None:
    t = tables(seed, 1)
    choice = rd.choose(t, 2, 14, True)
    everything = [rd.cost(t, [(c, m)]) for c in range(2, 15) for m in range(c, int(1.5 * c) + 1)]
    assert rd.cost(t, choice.rings) == pytest.approx(min(everything))
    finite = choice.surfaces[0][np.isfinite(choice.surfaces[0])]
    np.testing.assert_allclose(np.sort(finite), np.sort(everything))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_larger_lambda_takes_fewer_bits(seed: int) -> None:
    spent = []
    for lam in (0.05, 0.2, 1, 3, 10, 50):
        t = tables(seed, 1, lam)
        own = rd.tiers(t, rd.choose(t, 1, 20, True).rings)
        spent.append(float(np.take_along_axis(t.bits, own[:, None], 1).sum()))
    assert spent == sorted(spent, reverse=True)


def test_rounding_cannot_keep_the_search_going(monkeypatch: pytest.MonkeyPatch) -> None:
    """Surfaces on which all is a bit better than staying, of tables in which nothing is."""
    exact, calls = rd._surface, []

    def surface(t, rings, k, *limits):
        calls.append(k)
        assert len(calls) < 1000
        found = exact(t, rings, k, *limits)
        found[rings[k]] += 1e-9
        return found

    monkeypatch.setattr(rd, "_surface", surface)
    t = tables(4, 3)
    same = t._replace(bits=np.ones_like(t.bits), error=np.ones_like(t.error))
    choice = rd.choose(same, 2, 20, True)
    assert rd.cost(same, choice.rings) == rd.cost(same, [(2, 2)] * 3)


def test_without_a_mid_tier() -> None:
    choice = rd.choose(tables(3, 2), 2, 20, False)
    assert all(core == mid for core, mid in choice.rings)


def test_tiers_are_the_best_that_any_center_grants() -> None:
    t = tables(5, 3)
    rings = [(3, 9), (7, 7), (2, 20)]
    expected = [
        max(
            2 if r < core else 1 if r < mid else 0
            for r, (core, mid) in zip(own, rings, strict=True)
        )
        for own in t.ring.T
    ]
    np.testing.assert_array_equal(rd.tiers(t, rings), expected)


def samples() -> list[tuple[str, np.ndarray]]:
    from sklearn.datasets import load_sample_image

    return [(name, load_sample_image(name)) for name in ("china.jpg", "flower.jpg")]


@pytest.mark.parametrize("which", [0, 1])
def test_costs_agree_with_real_encodes(which: int) -> None:
    """The core within 5 %; the background's bits and error, of which only a square around the
    center was tried, within a factor of two around it."""
    pytest.importorskip("sklearn")
    _, picture = samples()[which]
    picture = np.ascontiguousarray(picture)
    center = [(207, 150), (310, 218)][which]
    choice = rd.radii(picture, [center], [(1.0, 1.0)], (191, 199), 0, "4:2:0", 0.02, True)
    own = rd.tiers(choice.tables, choice.rings)
    expected = float(choice.tables.bits[own == 2, 2].sum()) * choice.tables.scale
    data = aig_codec.encode(picture, centers=[center], radii=choice.radii)
    with aig_codec.open(data) as file:
        real = 8 * file.bytes_for("core")
        classes = file.regions().class_map()
        decoded = file.decode()
    assert expected == pytest.approx(real, rel=0.05)
    y, x = np.indices(classes.shape)
    near = (np.hypot(x - center[0], y - center[1]) < 100) & (classes == geometry.BACKGROUND)
    error = float(((decoded.astype(int) - picture)[near] ** 2).sum())
    costs = _native.block_costs(picture, dct.steps(191, 0), dct.steps(199, 0))
    scale = rd._scales(picture, center, (191, 199), 0, "4:2:0")[2]
    share = geometry.block_share(near)
    assert float((costs[..., 2] * share).sum()) * scale == pytest.approx(error, rel=0.5)


def test_radii_are_searched_alike_whatever_the_threads() -> None:
    picture = samples()[0][1]
    assert aig_codec.encode(picture, threads=1) == aig_codec.encode(picture, threads=3)


def test_costs_of_blocks_are_those_of_a_slow_reference() -> None:
    rng = np.random.default_rng(2)
    pixels = np.cumsum(rng.integers(-6, 7, (19, 27, 1)), 1).clip(-100, 100).astype(np.int64) + 120
    pixels = pixels.astype(np.uint8)
    levels = dct.steps(150, 0), dct.steps(170, 0)
    found = _native.block_costs(pixels, *levels)
    k = np.arange(8)
    basis = np.cos(np.pi * k[:, None] * (2 * k + 1) / 16) * np.where(k, 0.5, 8**-0.5)[:, None]
    padded = np.pad(pixels[..., 0].astype(float), [(0, 5), (0, 5)], "edge")
    core = np.zeros(found.shape[:2])
    p = pixels[..., 0].astype(int)
    for y, x in np.ndindex(p.shape):
        w = p[y, x - 1] if x else p[y, x]
        n = p[y - 1, x] if y else p[y, x]
        nw = p[max(y - 1, 0), x - 1] if x else n
        low, high = min(w, n), max(w, n)
        residual = abs(p[y, x] - min(max(w + n - nw, low), high))
        core[y // 8, x // 8] += 1 + 1.55 * np.log2(1 + residual)
    np.testing.assert_allclose(found[..., 0], core, rtol=1e-4)
    for i, steps in enumerate(levels):
        bits, error = np.zeros(core.shape), np.zeros(core.shape)
        for by, bx in np.ndindex(core.shape):
            block = padded[8 * by : 8 * by + 8, 8 * bx : 8 * bx + 8]
            c = 16 * np.abs(basis @ block @ basis.T).T.ravel()[1:]
            level = np.floor(c / steps[1:] + 0.38)
            bits[by, bx] = (
                3 + np.where(level > 0, 3.2 + 1.6 * np.log2(np.maximum(level, 1)), 0).sum()
            )
            error[by, bx] = ((c - level * steps[1:]) ** 2).sum() / 256
        # Coefficients are whole numbers there.
        np.testing.assert_allclose(found[..., 1 + 2 * i].sum(), bits.sum(), rtol=0.05)
        np.testing.assert_allclose(found[..., 2 + 2 * i].sum(), error.sum(), rtol=0.05)


def test_the_lossless_part_of_it() -> None:
    """What `_scales` measures is what the coder gives."""
    picture = np.ascontiguousarray(samples()[1][1][:208, :208])
    scale = rd._scales(picture, (104, 104), (191, 199), 0, "4:2:0")[0]
    costs = _native.block_costs(picture, dct.steps(191, 0), dct.steps(199, 0))
    everything = np.ones(picture.shape[:2], np.uint8)
    real = 8 * len(lossless.encode(picture, everything, 1, 1))
    assert scale * float(costs[..., 0].astype(float).sum()) == pytest.approx(real)
