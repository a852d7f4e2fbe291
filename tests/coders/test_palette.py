"""The palette coder: exact where the palette is, as the reference reads it, and robust."""

import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from support import pictures
from support.agreement import assert_same, both
from support.pictures import ENTROPIES, MASKS

from aig_codec import CorruptError, _native, entropy
from aig_codec.coders import palette

check = settings(max_examples=120, deadline=None, derandomize=True)


def _indexed(height, width, colours, count, seed):
    """A picture of that many colours, patchy, and its palette by luma."""
    rng = np.random.default_rng(seed)
    table = rng.integers(0, 256, (count, colours), np.uint8)
    coarse = rng.integers(0, count, (height // 3 + 1, width // 3 + 1))
    indices = np.kron(coarse, np.ones((3, 3), int))[:height, :width]
    stray = rng.random((height, width)) < 0.2
    indices[stray] = rng.integers(0, count, int(stray.sum()))
    pixels = table[indices]
    rgb = np.broadcast_to(pixels, (height, width, 3)).reshape(-1, 3)
    return pixels, _native.palette_fit(np.ascontiguousarray(rgb), 256, 0)


def _assert_contexts_equal_the_reference(indices, mask):
    golomb = entropy.CODERS["golomb"]
    class_map = mask.astype(np.uint8) * 5
    stream = _native.palette_encode(indices, class_map, 5, 7, golomb.number)
    coded = entropy.pack(stream, _native.PALETTE_CONTEXTS, golomb)
    segment = bytes([255]) + bytes(range(256)) + coded
    asked = pictures.contexts_asked(lambda: reference.decode_palette(segment, mask, 1))
    np.testing.assert_array_equal(asked, stream.contexts)


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("spread", [2, 5, 40, 256])
def test_contexts_equal_the_reference(mask: str, spread: int) -> None:
    rng = np.random.default_rng(spread)
    for seed in range(3):
        indices = (rng.integers(0, spread, (30, 40)) + rng.integers(257 - spread)).astype(np.uint8)
        _assert_contexts_equal_the_reference(indices, MASKS[mask](30, 40, seed))


def _decode(payload, mask, colours, fill=77):
    pixels = np.full((*mask.shape, colours), fill, np.uint8)
    palette.decode(payload, pixels, colours, mask.astype(np.uint8) * 5, 5, 7)
    return pixels


def _check_both(pixels, mask, table, coder):
    colours = pixels.shape[2]
    payload, kept = palette.encode(pixels, mask.astype(np.uint8) * 5, 5, 7, table, coder)
    decoded = _decode(payload, mask, colours)
    np.testing.assert_array_equal(decoded[mask], kept)
    assert (decoded[~mask] == 77).all(), "pixels outside the region were touched"
    by_reference = reference.decode_palette(payload, mask, colours)
    np.testing.assert_array_equal(by_reference[mask], decoded[mask])
    return decoded


@given(
    size=st.tuples(st.integers(1, 20), st.integers(1, 20)),
    colours=st.sampled_from([1, 3]),
    count=st.sampled_from([1, 2, 3, 17, 120]),
    mask=st.sampled_from(sorted(MASKS)),
    coder=st.sampled_from(ENTROPIES),
    seed=st.integers(0, 999),
)
@check
def test_few_colours_round_trip(size, colours, count, mask, coder, seed) -> None:
    pixels, table = _indexed(*size, colours, count, seed)
    region = MASKS[mask](*size, seed)
    decoded = _check_both(pixels, region, table, coder)
    np.testing.assert_array_equal(decoded[region], pixels[region])


def test_all_256_colours_round_trip() -> None:
    rng = np.random.default_rng(1)
    pixels = rng.permutation(np.arange(1024) % 256).astype(np.uint8).reshape(32, 32, 1)
    pixels = np.concatenate([pixels, 255 - pixels, pixels // 2], axis=2)
    table = _native.palette_fit(pixels.reshape(-1, 3), 256, 0)
    assert len(table) == 256
    decoded = _check_both(pixels, np.ones((32, 32), bool), table, "rans")
    np.testing.assert_array_equal(decoded, pixels)


@pytest.mark.parametrize("count", [1, 2, 7, 40])
def test_many_colours_become_the_nearest(count: int) -> None:
    pixels = pictures.mixed(24, 30, 3, count)
    table = _native.palette_fit(pixels.reshape(-1, 3), count, 8)
    decoded = _check_both(pixels, np.ones((24, 30), bool), table, "rans")
    distance = ((pixels[:, :, None].astype(int) - table.astype(int)) ** 2).sum(axis=3)
    kept = ((pixels.astype(int) - decoded) ** 2).sum(axis=2)
    np.testing.assert_array_equal(kept, distance.min(axis=2))


@pytest.mark.parametrize("kind", pictures.KINDS)
def test_palettes_are_sorted_small_and_useful(kind: str) -> None:
    pixels = pictures.KINDS[kind](40, 40, 3, 5).reshape(-1, 3)
    unique = np.unique(pixels, axis=0)
    errors = []
    for limit in (1, 4, 16, 256):
        table = _native.palette_fit(pixels, limit, 6)
        assert 1 <= len(table) <= limit
        assert len(np.unique(table, axis=0)) == len(table)
        luma = table @ np.array([19595, 38470, 7471])
        assert (np.diff(luma) >= 0).all()
        if len(unique) <= limit:
            assert {tuple(c) for c in table} == {tuple(c) for c in unique}
        chosen = table[_native.palette_assign(pixels, table)]
        errors.append(float(((pixels.astype(float) - chosen) ** 2).sum(axis=1).mean()))
    if len(unique) > 256:
        assert errors[3] < 0.5 * errors[1] < 0.5 * errors[0]


def test_repetition_costs_little() -> None:
    pixels, table = _indexed(48, 48, 3, 4, 3)
    pixels = np.repeat(pixels[:1], 48, axis=0)
    payload, _ = palette.encode(pixels, np.full((48, 48), 5, np.uint8), 5, 7, table, "rans")
    assert len(payload) < 150


def _both(payload, mask, colours):
    """What kernel and reference make of a payload: pixels, or None where they refuse it."""
    return both(
        lambda: _decode(payload, mask, colours, fill=0),
        lambda: reference.decode_palette(payload, mask, colours),
    )


@pytest.mark.parametrize("batch", range(6))
def test_any_symbols_mean_the_same_to_both(batch: int) -> None:
    """Symbols that no encoder writes: misses that hit, indices outside, choices that are none."""
    accepted = refused = 0
    for seed in range(40 * batch, 40 * batch + 40):
        rng = np.random.default_rng(seed)
        mask = pictures.blobs(5, 6, seed)
        writer = reference.SymbolWriter()
        for _ in range(int(mask.sum())):
            choice = int(rng.choice([0, 1, 2, 3], p=[0.4, 0.3, 0.297, 0.003]))
            writer.symbol(choice)
            if choice == 2:
                writer.value(int(rng.integers(0, rng.choice([3, 5, 400], p=[0.9, 0.08, 0.02]))))
        payload = b"\x09" + bytes(range(10)) + writer.payload()
        found, expected = _both(payload, mask, 1)
        assert_same(found, expected, seed)
        accepted += found is not None
        refused += found is None
    assert accepted
    assert refused


@pytest.mark.parametrize("coder", ENTROPIES)
def test_flipped_bits_mean_the_same_to_both(coder: str) -> None:
    mask = pictures.blobs(12, 12, 2)
    pixels, table = _indexed(12, 12, 3, 6, 0)
    payload, _ = palette.encode(pixels, mask.astype(np.uint8) * 5, 5, 7, table, coder)
    for bit in range(8 * len(payload)):
        damaged = bytearray(payload)
        damaged[bit // 8] ^= 1 << bit % 8
        if damaged[0] == payload[0] and damaged[1 + 3 * len(table)] <= 2:
            assert_same(*_both(bytes(damaged), mask, 3), f"bit {bit}")


def test_truncation_is_noticed() -> None:
    mask = np.ones((8, 9), bool)
    pixels, table = _indexed(8, 9, 3, 5, 1)
    for coder in ENTROPIES:
        payload, _ = palette.encode(pixels, mask.astype(np.uint8) * 5, 5, 7, table, coder)
        for length in range(len(payload)):
            with pytest.raises(CorruptError):
                _decode(payload[:length], mask, 3)


def test_an_index_outside_the_palette_is_refused() -> None:
    mask = np.ones((4, 4), bool)
    pixels, table = _indexed(4, 4, 1, 6, 2)
    payload, _ = palette.encode(pixels, mask.astype(np.uint8) * 5, 5, 7, table, "rans")
    assert payload[0] == len(table) - 1
    # One colour less in the palette, and the largest index points behind it.
    with pytest.raises(CorruptError):
        _decode(
            bytes([payload[0] - 1]) + payload[1 : len(table)] + payload[1 + len(table) :], mask, 1
        )


def test_arguments_that_would_lead_outside_are_refused() -> None:
    colours = np.zeros((3, 3), np.uint8)
    for limit in (0, 257):
        with pytest.raises(ValueError):
            _native.palette_fit(colours, limit, 1)
    for table in (np.zeros((0, 3), np.uint8), np.zeros((257, 3), np.uint8)):
        with pytest.raises(ValueError):
            _native.palette_assign(colours, table)
    with pytest.raises(ValueError):
        _native.palette_encode(np.zeros((4, 4), np.uint8), np.zeros((4, 5), np.uint8), 0, 0, 1)


@pytest.mark.parametrize("space", ["oklab", "hsv"])
@pytest.mark.parametrize("effort", [5, 9])
def test_palettes_are_fitted_in_either_space(space: str, effort: int) -> None:
    """Both err hardly more than a slow k-means over the pixels themselves does in RGB."""
    from aig_codec.encoder import palette_fit

    if effort >= palette_fit.THOROUGH:
        pytest.importorskip("sklearn")
    pixels = pictures.smooth(40, 50, 3).reshape(-1, 3)
    rng = np.random.default_rng(0)
    pixels = (pixels + rng.integers(0, 30, pixels.shape)).clip(0, 255).astype(np.uint8)
    table = palette_fit.fit(pixels, effort, space, 32)
    assert len(table) <= 32
    luma = table @ np.array([19595, 38470, 7471])
    assert (np.diff(luma) >= 0).all()
    centres = pixels[rng.choice(len(pixels), 32, replace=False)].astype(float)
    for _ in range(20):
        nearest = ((pixels[:, None] - centres) ** 2).sum(2).argmin(1)
        for k in np.unique(nearest):
            centres[k] = pixels[nearest == k].mean(0)
    slow = ((pixels - centres[nearest]) ** 2).sum(1).mean()
    chosen = table[_native.palette_assign(pixels, table)].astype(float)
    assert ((pixels - chosen) ** 2).sum(1).mean() < 1.6 * slow


def test_the_spaces_differ() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (4000, 3), np.uint8)
    one, other = (_native.palette_fit(pixels, 16, 8, oklab) for oklab in (True, False))
    assert not np.array_equal(one, other)
