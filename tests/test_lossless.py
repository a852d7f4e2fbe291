"""The lossless coder on regions of any shape: exact, as the reference reads it, and robust."""

import numpy as np
import pictures
import pytest
import reference
from agreement import assert_same, both
from hypothesis import given, settings
from hypothesis import strategies as st
from pictures import ENTROPIES, KINDS, MASKS

from aig_codec import CorruptError, _native
from aig_codec.coders import lossless

check = settings(max_examples=150, deadline=None, derandomize=True)

sizes = st.tuples(st.integers(1, 18), st.integers(1, 18))


def _decode(payload, mask, channels, fill=77):
    pixels = np.full((*mask.shape, channels), fill, np.uint8)
    lossless.decode(payload, pixels, mask.astype(np.uint8), 1, 1)
    return pixels


def _check_both(pixels, mask, coder):
    payload = lossless.encode(pixels, mask.astype(np.uint8), 1, 1, coder)
    decoded = _decode(payload, mask, pixels.shape[2])
    np.testing.assert_array_equal(decoded[mask], pixels[mask])
    assert (decoded[~mask] == 77).all(), "pixels outside the region were touched"
    by_reference = reference.decode_lossless(payload, mask, pixels.shape[2])
    np.testing.assert_array_equal(by_reference[mask], pixels[mask])
    _, contexts, _ = _native.lossless_encode(pixels, mask.astype(np.uint8), 1, 1)
    asked = pictures.contexts_asked(
        lambda: reference.decode_lossless(payload, mask, pixels.shape[2])
    )
    np.testing.assert_array_equal(asked, contexts)


@given(
    size=sizes,
    channels=st.integers(1, 4),
    kind=st.sampled_from(sorted(KINDS)),
    mask=st.sampled_from(sorted(MASKS)),
    coder=st.sampled_from(ENTROPIES),
    seed=st.integers(0, 999),
)
@check
def test_any_region_round_trips(size, channels, kind, mask, coder, seed) -> None:
    _check_both(KINDS[kind](*size, channels, seed), MASKS[mask](*size, seed), coder)


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_every_mask_round_trips_at_every_coder(mask: str, channels: int) -> None:
    for seed, coder in enumerate(ENTROPIES):
        pixels = pictures.mixed(21, 26, channels, seed)
        _check_both(pixels, MASKS[mask](21, 26, seed), coder)


def test_corners_of_the_colour_cube_round_trip() -> None:
    """Every jump between extreme colours, where the transform's samples reach their ranges."""
    levels = np.array([0, 1, 127, 128, 254, 255], np.uint8)
    cube = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(-1, 3)
    rng = np.random.default_rng(3)
    pixels = cube[rng.permutation(np.tile(np.arange(216), 4))].reshape(27, 32, 3)
    _check_both(pixels, np.ones((27, 32), bool), "rans")
    with_alpha = np.concatenate([pixels, pixels[::-1, :, :1]], axis=2)
    _check_both(with_alpha, np.ones((27, 32), bool), "rans")


def test_one_class_of_many_is_coded() -> None:
    classes = pictures.class_map(30, 34, 6)
    pixels = pictures.mixed(30, 34, 3)
    for first, last in ((1, 1), (2, 2), (5, 7), (0, 0), (1, 3)):
        region = (classes >= first) & (classes <= last)
        payload = lossless.encode(pixels, classes, first, last, "rans")
        decoded = np.zeros_like(pixels)
        lossless.decode(payload, decoded, classes, first, last)
        np.testing.assert_array_equal(decoded, np.where(region[..., None], pixels, 0))
        np.testing.assert_array_equal(reference.decode_lossless(payload, region, 3), decoded)


def test_pixels_outside_the_region_are_not_coded() -> None:
    mask = pictures.blobs(24, 24, 4)
    assert 0 < mask.sum() < mask.size
    one = pictures.mixed(24, 24, 3)
    other = np.where(mask[..., None], one, pictures.noise(24, 24, 3, 9))
    payloads = {lossless.encode(p, mask.astype(np.uint8), 1, 1, "rans") for p in (one, other)}
    assert len(payloads) == 1


def test_smooth_pictures_cost_less_than_noise() -> None:
    everything = np.ones((48, 48), np.uint8)
    sizes = {
        kind: len(lossless.encode(KINDS[kind](48, 48, 3), everything, 1, 1, "rans"))
        for kind in ("constant", "smooth", "noise")
    }
    assert sizes["constant"] < 100
    assert sizes["smooth"] < 0.6 * 48 * 48 * 3
    # A reversible transform of noise costs a little more than the noise itself.
    assert 48 * 48 * 3 < sizes["noise"] < 1.25 * 48 * 48 * 3


def _both(payload, mask, channels):
    """What kernel and reference make of a payload: pixels, or None where they refuse it."""
    return both(
        lambda: _decode(payload, mask, channels, fill=0),
        lambda: reference.decode_lossless(payload, mask, channels),
    )


@pytest.mark.parametrize("seed", range(24))
def test_any_symbols_mean_the_same_to_both(seed: int) -> None:
    """Streams that no encoder writes: residuals far outside the range of a sample."""
    rng = np.random.default_rng(seed)
    channels = 1 + seed % 4
    mask = pictures.blobs(9, 8, seed)
    count = int(mask.sum()) * channels
    writer = reference.SymbolWriter()
    for size in rng.choice([0, 3, 8, 10, 12, 27], count):
        writer.value(int(rng.integers(0, 2 << size)))
    payload = writer.payload()
    found, expected = _both(payload, mask, channels)
    assert expected is not None
    assert_same(found, expected, seed)


@pytest.mark.parametrize("coder", ENTROPIES)
def test_flipped_bits_mean_the_same_to_both(coder: str) -> None:
    mask = pictures.blobs(7, 9, 1)
    payload = lossless.encode(pictures.mixed(7, 9, 3), mask.astype(np.uint8), 1, 1, coder)
    for bit in range(0, 8 * len(payload), 3):
        damaged = bytearray(payload)
        damaged[bit // 8] ^= 1 << bit % 8
        if damaged[0] > 2:
            continue
        assert_same(*_both(bytes(damaged), mask, 3), f"bit {bit}")


@pytest.mark.parametrize("coder", ENTROPIES)
def test_truncation_is_noticed(coder: str) -> None:
    mask = np.ones((9, 11), bool)
    payload = lossless.encode(pictures.noise(9, 11, 2), mask.astype(np.uint8), 1, 1, coder)
    for length in range(len(payload)):
        with pytest.raises(CorruptError):
            _decode(payload[:length], mask, 2)


@pytest.mark.parametrize("coder", ENTROPIES)
def test_the_payload_of_another_region_is_refused(coder: str) -> None:
    region = pictures.blobs(16, 16, 2)
    pixels = pictures.noise(16, 16, 1)
    payload = lossless.encode(pixels, region.astype(np.uint8), 1, 1, coder)
    larger, smaller = region.copy(), region.copy()
    larger[0] = True
    smaller[: int(np.flatnonzero(region.any(axis=1))[0]) + 3] = False
    for other in (larger, smaller):
        assert other.sum() != region.sum()
        with pytest.raises(CorruptError):
            _decode(payload, other, 1)


@pytest.mark.parametrize("kind", pictures.MASKS)
@pytest.mark.parametrize("channels", [1, 3])
def test_paste_moves_the_region_and_nothing_else(kind: str, channels: int) -> None:
    mask = pictures.MASKS[kind](6, 9)
    source, target = pictures.noise(6, 9, channels, 1), pictures.noise(11, 14, channels, 2)
    expected = target.copy()
    expected[3:9, 5:14][mask] = source[mask]
    _native.paste(source, mask.astype(np.uint8) * 4, 4, 4, 5, 3, target)
    assert np.array_equal(target, expected)
    with pytest.raises(ValueError, match="does not fit"):
        _native.paste(source, mask.astype(np.uint8), 1, 1, 6, 3, target)
