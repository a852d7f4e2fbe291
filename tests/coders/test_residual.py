"""The boundary coder: its band, residuals that are exact where kept, and streams of any kind."""

import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from support import pictures
from support.agreement import assert_same, both

from aig_codec import CorruptError, _native
from aig_codec.coders import residual

check = settings(max_examples=120, deadline=None, derandomize=True)

LONG = 1 << 20


@pytest.mark.parametrize("seed", range(40))
def test_band_equals_the_reference(seed: int) -> None:
    height, width = (int(n) for n in np.random.default_rng(seed).integers(1, 40, 2))
    classes = pictures.class_map(height, width, seed)
    np.testing.assert_array_equal(residual.band(classes), reference.boundary_band(classes))


def test_band_of_single_pixels_and_even_maps() -> None:
    for shape in ((1, 1), (1, 9), (9, 1), (6, 6)):
        for value in (0, 1, 5):
            assert not residual.band(np.full(shape, value, np.uint8)).any()
    # Two foci share a tier: no band between them.
    between = np.full((5, 8), 5, np.uint8)
    between[:, 4:] = 6
    assert not residual.band(between).any()
    lonely = np.zeros((9, 9), np.uint8)
    lonely[4, 4] = 1
    expected = np.zeros((9, 9), np.uint8)
    expected[2:7, 2:7] = 1
    expected[4, 4] = 0
    np.testing.assert_array_equal(residual.band(lonely), expected)
    lonely[4, 4] = 7
    expected[4, 4] = 1
    np.testing.assert_array_equal(residual.band(lonely), expected)


def _worse(original, seed):
    """The picture as a coarse coder might leave it: mostly close, sometimes far off."""
    rng = np.random.default_rng(seed)
    error = rng.integers(-4, 5, original.shape) * rng.choice([0, 1, 60], original.shape)
    return np.clip(original.astype(int) + error, 0, 255).astype(np.uint8)


@given(
    size=st.tuples(st.integers(1, 30), st.integers(1, 30)),
    channels=st.integers(1, 4),
    tau=st.sampled_from([0, 1, 2, 5, 100, 255]),
    kind=st.sampled_from(["mixed", "noise", "extremes", "constant"]),
    seed=st.integers(0, 999),
)
@check
def test_residuals_above_tau_become_exact(size, channels, tau, kind, seed) -> None:
    height, width = size
    colours = 1 if channels < 3 else 3
    original = pictures.KINDS[kind](height, width, channels, seed)
    decoded = _worse(original[..., :colours], seed)
    classes = pictures.class_map(height, width, seed)
    band = residual.band(classes)
    payload = residual.encode(original, decoded, band, tau)

    corrected = np.full((height, width, channels), 31, np.uint8)
    corrected[..., :colours] = decoded
    residual.decode(payload, corrected, colours, band)
    expected = decoded.copy()
    far = np.abs(original[..., :colours].astype(int) - decoded) > tau
    kept = far & (band > 0)[..., None]
    expected[kept] = original[..., :colours][kept]
    np.testing.assert_array_equal(corrected[..., :colours], expected)
    assert (corrected[..., colours:] == 31).all(), "alpha was touched"
    np.testing.assert_array_equal(reference.apply_boundary(payload, classes, decoded), expected)
    contexts = _native.boundary_encode(original, decoded, band, tau, 1).contexts
    samples = int(band.sum()) * colours
    asked = pictures.contexts_asked(lambda: reference.decode_residuals(payload, samples))
    np.testing.assert_array_equal(asked, contexts)


def _strip(samples):
    """A band of that many pixels, in rows short enough for an image."""
    width = min(samples, 1 << 15)
    band = np.zeros((-(-samples // width), width), np.uint8)
    band.ravel()[:samples] = 1
    return band


def _both(payload, samples):
    """Residuals of a band of that many grey samples by kernel and reference; None if refused."""

    def by_kernel():
        band = _strip(samples)
        pixels = np.full((*band.shape, 1), 128, np.uint8)
        residual.decode(payload, pixels, 1, band)
        return pixels.ravel()[:samples]

    def by_reference():
        residuals = reference.decode_residuals(payload, samples)
        return np.clip(128 + np.array(residuals, np.int64), 0, 255)

    return both(by_kernel, by_reference)


@pytest.mark.parametrize("batch", range(4))
def test_any_symbols_mean_the_same_to_both(batch: int) -> None:
    """Runs too long or too short, and residuals that no picture has."""
    accepted = refused = 0
    for seed in range(50 * batch, 50 * batch + 50):
        rng = np.random.default_rng(seed)
        samples = left = int(rng.integers(1, 40))
        writer = reference.SymbolWriter()
        while True:
            run = int(rng.integers(0, left + 1))
            if rng.random() < 0.06:
                run += int(rng.choice([1, LONG]))
            writer.value(run)
            left -= run
            if left <= 0:
                break
            writer.value(int(rng.choice([0, 1, 30, 509, 600, 1 << 27])))
            left -= 1
        found, expected = _both(writer.payload(), samples)
        assert_same(found, expected, seed)
        accepted += found is not None
        refused += found is None
    assert accepted
    assert refused


@pytest.mark.parametrize(("run", "samples"), [(4, 3), (LONG, 3), (LONG + 7, LONG + 6)])
def test_a_run_behind_the_last_sample_is_refused(run: int, samples: int) -> None:
    writer = reference.SymbolWriter()
    writer.value(run)
    found, expected = _both(writer.payload(), samples)
    assert expected is None
    assert found is None


def test_flipped_bits_mean_the_same_to_both() -> None:
    original = pictures.mixed(1, 60, 1)
    band = np.ones((1, 60), np.uint8)
    payload = residual.encode(original, _worse(original, 2), band, 2)
    for bit in range(8, 8 * len(payload)):
        damaged = bytearray(payload)
        damaged[bit // 8] ^= 1 << bit % 8
        assert_same(*_both(bytes(damaged), 60), f"bit {bit}")
    for length in range(len(payload)):
        found, _ = _both(payload[:length], 60)
        assert found is None


@pytest.mark.parametrize("samples", [LONG - 1, LONG, LONG + 1, 2 * LONG, 2 * LONG + 3])
@pytest.mark.parametrize("residual_at", [None, 0, LONG - 2, LONG, -1])
def test_long_runs_are_cut(samples: int, residual_at: int | None) -> None:
    """Bands with few residuals or none, about as long as the longest run."""
    band = _strip(samples)
    original = np.zeros((*band.shape, 1), np.uint8)
    if residual_at is not None:
        original.ravel()[min(residual_at % samples, samples - 1)] = 200
    payload = residual.encode(original, np.zeros_like(original), band, 2)
    decoded = np.zeros_like(original)
    residual.decode(payload, decoded, 1, band)
    np.testing.assert_array_equal(decoded, original)
    residuals = np.array(reference.decode_residuals(payload, samples))
    np.testing.assert_array_equal(residuals, original[band > 0].ravel())


def test_a_band_without_pixels_holds_one_run() -> None:
    empty, picture = np.zeros((4, 4), np.uint8), pictures.noise(4, 4, 1)
    payload = residual.encode(picture, picture, empty, 0)
    assert reference.decode_residuals(payload, 0) == []
    residual.decode(payload, picture.copy(), 1, empty)
    with pytest.raises(CorruptError):
        residual.decode(reference.SymbolWriter().payload(), picture.copy(), 1, empty)


def test_arguments_that_would_lead_outside_are_refused() -> None:
    band, pixels = np.ones((4, 4), np.uint8), np.zeros((4, 4, 2), np.uint8)
    with pytest.raises(ValueError):
        _native.boundary_encode(pixels, np.zeros((4, 4, 3), np.uint8), band, 0, 1)
    with pytest.raises(ValueError):
        _native.boundary_encode(pixels, pixels, np.ones((4, 5), np.uint8), 0, 1)
    for colours in (0, 3):
        with pytest.raises(ValueError):
            _native.boundary_decode(0, b"\0", b"", pixels, colours, band)
    with pytest.raises(ValueError):
        _native.boundary_band(pixels, 2)
