"""The DCT coder's kernels: every stage against the reference, and against the real transform."""

from itertools import pairwise

import numpy as np
import pictures
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from pictures import ENTROPIES, KINDS

from aig_codec import CorruptError, _native, entropy
from aig_codec.coders import dct

check = settings(max_examples=100, deadline=None, derandomize=True)

#: Position in the scan of every level in kernel order, 8 h + v.
ORDER = np.array([reference.SCAN.index((i // 8, i % 8)) for i in range(64)])

NAMES = {0: reference.BLOCK_BACKGROUND, 1: reference.BLOCK_MID, 2: reference.HOLE}


def _planes(height, width, colours, subsampling="4:2:0"):
    return reference.planes_of(width, height, colours, subsampling)


def _random_blocks(planes, seed):
    rng = np.random.default_rng(seed)
    odds = rng.dirichlet([1, 1, 1])
    return [rng.choice(3, (p.rows, p.columns), p=odds).astype(np.uint8) for p in planes]


def _random_levels(planes, seed):
    """Levels from nearly none to the ends of int16, as many in a block as chance wants."""
    rng = np.random.default_rng(seed)
    result = []
    for plane in planes:
        shape = (plane.rows, plane.columns, 64)
        size = rng.choice([1, 2, 20, 3000, 32767], (plane.rows, plane.columns, 1))
        levels = rng.integers(-size, size + 1, shape)
        levels[rng.random(shape) < rng.random((plane.rows, plane.columns, 1))] = 0
        # Ends all over the scan, most of them early.
        end = 64 * rng.random((plane.rows, plane.columns, 1)) ** rng.choice([0.3, 1, 4])
        levels[np.broadcast_to(end < ORDER, shape)] = 0
        result.append(levels.astype(np.int16))
    return result


def _by_frequency(levels):
    """Kernel order, 8 h + v, as the reference's arrays [v, h]."""
    return np.asarray(levels, np.int64).reshape(8, 8).T


def _names(blocks):
    return [[[NAMES[int(b)] for b in row] for row in plane] for plane in blocks]


# Quantisers and block classes


def test_steps_equal_the_reference() -> None:
    for level in range(256):
        assert dct.base_step(level) == reference.base_step(level)
        for matrix in (0, 1):
            found = dct.steps(level, matrix)
            assert found[0] == reference.dc_step(level)
            expected = reference.steps(level, matrix).T.reshape(64)
            np.testing.assert_array_equal(found[1:], expected[1:])


def test_steps_fall_with_quality() -> None:
    steps = [dct.base_step(level) for level in range(256)]
    assert (steps[0], steps[128], steps[255]) == (2773, 416, 16)
    assert all(a > b for a, b in pairwise(steps))


@pytest.mark.parametrize("seed", range(40))
def test_block_classes_equal_the_reference(seed: int) -> None:
    height, width = (int(n) for n in np.random.default_rng(seed).integers(1, 60, 2))
    classes = pictures.class_map(height, width, seed)
    for mid in ("none", "dct", "palette"):
        for plane in _planes(height, width, 3):
            found = _native.classify_blocks(
                classes, 8 * plane.scale, mid == "palette", mid == "dct"
            )
            expected = reference.block_classes(plane, classes, mid)
            assert [[NAMES[int(b)] for b in row] for row in found] == expected


# Levels to bytes and back


def _check_dc(size, colours, coder, seed):
    planes = _planes(*size, colours)
    blocks, levels = _random_blocks(planes, seed), _random_levels(planes, seed)
    stream = entropy.SymbolStream(*_native.dc_encode(levels, blocks))
    payload = entropy.pack(stream, _native.DC_CONTEXTS, coder)
    decoded = [np.zeros_like(own) for own in levels]
    _native.dc_decode(*entropy.unpack(payload, 10**6), decoded, blocks)
    by_reference = reference.decode_dc(payload, planes)
    asked = pictures.contexts_asked(lambda: reference.decode_dc(payload, planes))
    np.testing.assert_array_equal(asked, stream.contexts)
    for own, found, expected in zip(levels, decoded, by_reference, strict=True):
        np.testing.assert_array_equal(found[..., 0], own[..., 0])
        np.testing.assert_array_equal(expected, own[..., 0])
        assert not found[..., 1:].any()


def _check_ac(size, colours, coder, seed, wanted):
    planes = _planes(*size, colours)
    blocks, levels = _random_blocks(planes, seed), _random_levels(planes, seed)
    stream = entropy.SymbolStream(*_native.ac_encode(levels, blocks, wanted))
    payload = entropy.pack(stream, _native.AC_CONTEXTS, coder)
    decoded = [np.zeros_like(own) for own in levels]
    _native.ac_decode(*entropy.unpack(payload, 10**6), decoded, blocks, wanted)
    by_reference = reference.decode_ac(payload, planes, _names(blocks), NAMES[wanted])
    asked = pictures.contexts_asked(
        lambda: reference.decode_ac(payload, planes, _names(blocks), NAMES[wanted])
    )
    np.testing.assert_array_equal(asked, stream.contexts)
    for own, kind, found, expected in zip(levels, blocks, decoded, by_reference, strict=True):
        np.testing.assert_array_equal(found[kind == wanted][:, 1:], own[kind == wanted][:, 1:])
        assert not found[kind != wanted].any()
        assert not found[..., 0].any()
        assert set(expected) == {tuple(place) for place in np.argwhere(kind == wanted).tolist()}
        for place, block in expected.items():
            np.testing.assert_array_equal(block, _by_frequency(found[place]))


@given(
    size=st.tuples(st.integers(1, 36), st.integers(1, 36)),
    colours=st.sampled_from([1, 3]),
    coder=st.sampled_from(ENTROPIES),
    seed=st.integers(0, 999),
)
@check
def test_levels_round_trip(size, colours, coder, seed) -> None:
    _check_dc(size, colours, coder, seed)
    for wanted in (0, 1):
        _check_ac(size, colours, coder, seed, wanted)


@pytest.mark.parametrize("seed", range(18))
def test_levels_of_many_blocks_round_trip(seed: int) -> None:
    coder = ENTROPIES[seed % 3]
    _check_dc((90, 80), 3, coder, seed)
    for wanted in (0, 1):
        _check_ac((90, 80), 3, coder, seed, wanted)


def _decode_both(payload, planes, blocks, wanted):
    """Levels by kernel and reference of DC (wanted None) or AC; None where they refuse."""
    found = [np.zeros((*b.shape, 64), np.int16) for b in blocks]
    try:
        source = entropy.unpack(payload, 10**6)
        if wanted is None:
            _native.dc_decode(*source, found, blocks)
        else:
            _native.ac_decode(*source, found, blocks, wanted)
    except CorruptError:
        found = None
    expected = [np.zeros((*b.shape, 64), np.int64) for b in blocks]
    try:
        if wanted is None:
            for own, levels in zip(expected, reference.decode_dc(payload, planes), strict=True):
                own[..., 0] = levels
        else:
            read = reference.decode_ac(payload, planes, _names(blocks), NAMES[wanted])
            for own, known in zip(expected, read, strict=True):
                for place, block in known.items():
                    own[place] = block.T.reshape(64)
    except reference.BadFile:
        expected = None
    return found, expected


def _assert_same(found, expected, what):
    assert (found is None) == (expected is None), what
    for a, b in zip(found or [], expected or [], strict=True):
        np.testing.assert_array_equal(a, b, err_msg=str(what))


@pytest.mark.parametrize("seed", range(30))
def test_any_dc_symbols_mean_the_same_to_both(seed: int) -> None:
    rng = np.random.default_rng(seed)
    planes = _planes(20, 27, 3)
    blocks = _random_blocks(planes, seed)
    writer = reference.SymbolWriter()
    for size in rng.choice([0, 5, 14, 16, 27], sum(b.size for b in blocks)):
        writer.value(int(rng.integers(0, 2 << size)))
    found, expected = _decode_both(writer.payload(), planes, blocks, None)
    assert expected is not None
    _assert_same(found, expected, seed)


@pytest.mark.parametrize("seed", range(30))
def test_any_ac_symbols_mean_the_same_to_both(seed: int) -> None:
    """Ends behind the block and magnitudes that do not fit, with every sign."""
    rng = np.random.default_rng(seed)
    planes = _planes(17, 24, 3)
    blocks = _random_blocks(planes, seed)
    writer = reference.SymbolWriter()
    for _ in range(sum(int((b == 1).sum()) for b in blocks)):
        end = int(rng.choice([0, 1, 5, 62, 63, 64, 4000]))
        writer.value(end)
        for position in range(min(end, 63), 0, -1):
            size = int(rng.integers(0, 1 << int(rng.choice([0, 1, 3, 14, 15, 16, 27]))))
            writer.value(size)
            if size or position == min(end, 63):
                writer.bits(int(rng.integers(2)), 1)
    found, expected = _decode_both(writer.payload(), planes, blocks, 1)
    assert expected is not None
    _assert_same(found, expected, seed)


@pytest.mark.parametrize("coder", ENTROPIES)
def test_flipped_bits_mean_the_same_to_both(coder: str) -> None:
    planes = _planes(16, 20, 3)
    blocks, levels = _random_blocks(planes, 3), _random_levels(planes, 3)
    for wanted in (None, 0):
        if wanted is None:
            contexts, stream = _native.DC_CONTEXTS, _native.dc_encode(levels, blocks)
        else:
            contexts, stream = _native.AC_CONTEXTS, _native.ac_encode(levels, blocks, wanted)
        payload = entropy.pack(entropy.SymbolStream(*stream), contexts, coder)
        bits = np.random.default_rng(1).integers(8, 8 * len(payload), 150).tolist()
        for bit in bits:
            damaged = bytearray(payload)
            damaged[bit // 8] ^= 1 << bit % 8
            _assert_same(*_decode_both(bytes(damaged), planes, blocks, wanted), f"bit {bit}")
        for length in np.random.default_rng(2).integers(0, len(payload), 60).tolist():
            found, _ = _decode_both(payload[:length], planes, blocks, wanted)
            assert found is None, f"{length} of {len(payload)} bytes"


# Levels to samples


@pytest.mark.parametrize("seed", range(24))
def test_samples_equal_the_reference(seed: int) -> None:
    rng = np.random.default_rng(seed)
    (plane,) = _planes(*rng.integers(1, 50, 2).tolist(), 1)
    (blocks,), (levels,) = _random_blocks([plane], seed), _random_levels([plane], seed)
    if seed % 3 == 0:
        levels //= 300  # tame enough for samples within their range
    quality, mid_level, matrix = (int(rng.integers(256)), int(rng.integers(256)), seed % 2)
    background, mid = dct.steps(quality, matrix), dct.steps(mid_level, matrix)
    dc = reference.dc_step(quality)
    for present in range(4):
        found = _native.inverse_plane(levels, blocks, background, mid, present)
        known = {}
        for row, column in np.argwhere(blocks < 2).tolist():
            if present >> int(blocks[row, column]) & 1:
                own = quality if blocks[row, column] == 0 else mid_level
                table = reference.steps(own, matrix)
                known[row, column] = (_by_frequency(levels[row, column]), table)
        expected = reference.reconstruct(levels[..., 0].astype(np.int64), dc, known)
        np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(
        _native.preview_plane(levels, dc), reference.eighth(levels[..., 0].astype(np.int64), dc)
    )


@pytest.mark.parametrize("position", range(64))
def test_every_basis_function_equals_the_reference(position: int) -> None:
    """One level alone, at strengths up to the largest: no two frequencies may change places."""
    (plane,) = _planes(8, 8, 1)
    blocks = np.zeros((1, 1), np.uint8)
    steps = np.full(64, 64, np.int32)
    for level in (1, -1, 17, -120, 32767, -32768):
        levels = np.zeros((1, 1, 64), np.int16)
        levels[0, 0, position] = level
        known = {(0, 0): (_by_frequency(levels[0, 0]), np.full((8, 8), 64))}
        dc = levels[..., 0].astype(np.int64)
        np.testing.assert_array_equal(
            _native.inverse_plane(levels, blocks, steps, steps, 1),
            reference.reconstruct(dc, 64, known),
        )
    assert (plane.rows, plane.columns) == (1, 1)


def test_smooth_enlargement_is_flat_where_the_preview_is_and_linear_between() -> None:
    levels = np.zeros((1, 3, 64), np.int16)
    levels[0, :, 0] = (-40, -40, 40)
    blocks = np.full((1, 3), 2, np.uint8)
    steps = np.full(64, 256, np.int32)
    plane = _native.inverse_plane(levels, blocks, steps, steps, 3)
    assert (plane == plane[0]).all()
    row = plane[0].astype(int)
    assert (row[:12] == 48).all()
    assert (row[20:] == 208).all()
    assert (np.diff(row[11:21]) > 0).all()
    np.testing.assert_array_equal(np.diff(row[12:20]), 20)


# Planes to colours and back


@given(
    size=st.tuples(st.integers(1, 21), st.integers(1, 21)),
    channels=st.integers(1, 4),
    subsampled=st.booleans(),
    kind=st.sampled_from(["noise", "extremes", "gradient"]),
    seed=st.integers(0, 999),
)
@check
def test_colours_equal_the_reference(size, channels, subsampled, kind, seed) -> None:
    height, width = size
    subsampling = "4:2:0" if subsampled else "4:4:4"
    colours = 1 if channels < 3 else 3
    planes = [
        KINDS[kind](8 * p.rows, 8 * p.columns, 1, seed + i)[..., 0]
        for i, p in enumerate(_planes(height, width, colours, subsampling))
    ]
    found = np.full((height, width, channels), 9, np.uint8)
    _native.from_planes(planes, subsampled, found)
    expected = reference.to_colours([p.astype(int) for p in planes], width, height, subsampling)
    np.testing.assert_array_equal(found[..., :colours], expected)
    assert (found[..., colours:] == 9).all(), "alpha was touched"


def test_all_chroma_values_equal_the_reference() -> None:
    cb, cr = (np.ascontiguousarray(c, np.uint8) for c in np.mgrid[:256, :256])
    for y in (0, 1, 77, 128, 254, 255):
        planes = [np.full((256, 256), y, np.uint8), cb, cr]
        found = np.zeros((256, 256, 3), np.uint8)
        _native.from_planes(planes, False, found)
        expected = reference.to_colours([p.astype(int) for p in planes], 256, 256, "4:4:4")
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("subsampled", [False, True])
def test_colours_survive_the_planes(subsampled: bool) -> None:
    for seed in range(30):
        colour = pictures.constant(11, 14, 3, seed)
        planes = _native.to_planes(colour, subsampled)
        assert all((p == p[0, 0]).all() for p in planes)
        back = np.zeros_like(colour)
        _native.from_planes(planes, subsampled, back)
        # Three roundings of one half each, scaled by at most 1.772.
        assert np.abs(back.astype(int) - colour).max() <= 2
    picture = pictures.smooth(30, 41, 3)
    planes = _native.to_planes(picture, subsampled)
    back = np.zeros_like(picture)
    _native.from_planes(planes, subsampled, back)
    assert np.abs(back.astype(int) - picture).mean() < (3 if subsampled else 1)


def test_grey_planes_repeat_their_border() -> None:
    picture = pictures.noise(5, 11, 1)
    (plane,) = _native.to_planes(picture, False)
    np.testing.assert_array_equal(plane, np.pad(picture[..., 0], ((0, 3), (0, 5)), "edge"))


# Samples to levels


def test_the_transform_is_nearly_the_real_one() -> None:
    k, n = np.mgrid[:8, :8]
    basis = np.cos(np.pi * (2 * n + 1) * k / 16) / 2
    basis[0] /= np.sqrt(2)
    assert np.abs(reference.TRANSFORM / (64 * np.sqrt(8)) - basis).max() < 0.008
    assert np.abs(reference.TRANSFORM @ reference.TRANSFORM.T / 32768 - np.eye(8)).max() < 0.004


@pytest.mark.parametrize("kind", KINDS)
def test_levels_are_those_of_the_transform(kind: str) -> None:
    picture = KINDS[kind](24, 32, 1, 3)[..., 0]
    blocks, steps = np.zeros((3, 4), np.uint8), np.full(64, 16, np.int32)
    levels = _native.forward_plane(picture, blocks, steps, steps, 0.5)
    for row in range(3):
        for column in range(4):
            block = picture[8 * row : 8 * row + 8, 8 * column : 8 * column + 8] - 128.0
            exact = reference.TRANSFORM @ block @ reference.TRANSFORM.T / 32768  # [v, h]
            # Half a step, and half a sixteenth from rounding before it.
            error = np.abs(_by_frequency(levels[row, column]) - exact)
            assert error.max() <= 0.5 + 1 / 32


@pytest.mark.parametrize("kind", KINDS)
def test_samples_survive_the_finest_quantiser(kind: str) -> None:
    picture = KINDS[kind](32, 40, 1, 4)[..., 0]
    blocks, steps = np.zeros((4, 5), np.uint8), np.full(64, 16, np.int32)
    levels = _native.forward_plane(picture, blocks, steps, steps, 0.5)
    back = _native.inverse_plane(levels, blocks, steps, steps, 1)
    error = np.abs(back.astype(int) - picture)
    assert error.max() <= 2
    assert (error**2).mean() < 0.25


def test_levels_are_those_of_their_class() -> None:
    picture = pictures.noise(8, 24, 1)[..., 0]
    blocks = np.array([[0, 1, 2]], np.uint8)
    coarse, fine = np.full(64, 800, np.int32), np.full(64, 50, np.int32)
    coarse[0] = fine[0] = 100
    levels = _native.forward_plane(picture, blocks, coarse, fine, 0.4)[0]
    alone = [
        _native.forward_plane(picture, np.full_like(blocks, 0), steps, steps, 0.4)[0]
        for steps in (coarse, fine)
    ]
    np.testing.assert_array_equal(levels[0], alone[0][0])
    np.testing.assert_array_equal(levels[1], alone[1][1])
    # A hole keeps its DC, for the preview, and nothing else.
    assert not levels[2, 1:].any()
    assert (levels[:, 0] == alone[0][:, 0]).all()


def test_a_wider_dead_zone_drops_levels() -> None:
    picture = pictures.noise(16, 16, 1)[..., 0]
    blocks, steps = np.zeros((2, 2), np.uint8), np.full(64, 400, np.int32)
    kept = [
        np.count_nonzero(_native.forward_plane(picture, blocks, steps, steps, zone)[..., 1:])
        for zone in (0.5, 0.38, 0.1)
    ]
    assert kept[0] > kept[1] > kept[2]


@pytest.mark.parametrize("footprint", [8, 16])
@pytest.mark.parametrize("seed", range(8))
def test_rims_are_filled_and_nothing_else(footprint: int, seed: int) -> None:
    height, width = 37, 45
    classes = pictures.class_map(height, width, seed)
    picture = pictures.mixed(height, width, 3, seed)
    for mid_is_hole in (False, True):
        hidden = reference.core_pixels(classes) | ((classes >= 5) & mid_is_hole)
        filled = picture.copy()
        _native.fill_rim(filled, classes, footprint, mid_is_hole)
        np.testing.assert_array_equal(filled[~hidden], picture[~hidden])
        for top in range(0, height, footprint):
            for left in range(0, width, footprint):
                block = np.s_[top : top + footprint, left : left + footprint]
                if hidden[block].all() or not hidden[block].any():
                    np.testing.assert_array_equal(filled[block], picture[block])
                    continue
                seen, new = picture[block][~hidden[block]], filled[block][hidden[block]]
                assert (new >= seen.min(axis=0)).all()
                assert (new <= seen.max(axis=0)).all()


def test_rims_continue_what_is_around() -> None:
    classes = np.zeros((8, 8), np.uint8)
    classes[:, 5:] = 1
    picture = np.full((8, 8, 1), 40, np.uint8)
    picture[:, 5:] = 250
    _native.fill_rim(picture, classes, 8, False)
    assert (picture == 40).all()


def test_arguments_that_would_lead_outside_are_refused() -> None:
    blocks, steps = np.zeros((2, 2), np.uint8), np.full(64, 16, np.int32)
    levels = np.zeros((2, 2, 64), np.int16)
    bad_steps = [np.full(63, 16, np.int32), np.zeros(64, np.int32), np.full(64, 32768, np.int32)]
    for bad in bad_steps:
        with pytest.raises(ValueError):
            _native.inverse_plane(levels, blocks, bad, steps, 3)
    for bad in (np.zeros((2, 2, 63), np.int16), np.zeros((2, 3, 64), np.int16)):
        with pytest.raises(ValueError):
            _native.inverse_plane(bad, blocks, steps, steps, 3)
        with pytest.raises(ValueError):
            _native.dc_encode([bad], [blocks])
    for plane in (np.zeros((16, 15), np.uint8), np.zeros((8, 16), np.uint8)):
        with pytest.raises(ValueError):
            _native.forward_plane(plane, blocks, steps, steps, 0.4)
    small, large = np.zeros((8, 8), np.uint8), np.zeros((16, 16), np.uint8)
    for planes, channels in (([small], 1), ([large], 3), ([large, small, small], 3)):
        with pytest.raises(ValueError):
            _native.from_planes(planes, False, np.zeros((16, 16, channels), np.uint8))
