"""Photographic coding by itself: every branch of its head, any table, samples of 16 bits."""

from dataclasses import replace

import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from support import pictures, streams
from support.agreement import assert_same, both, kernel_sets
from support.pictures import KINDS, MASKS
from support.streams import Head, flat_table
from support.tiers import mostly_slow

from aig_codec import CorruptError, _native

check = settings(max_examples=40, deadline=None, derandomize=True)

#: Candidates, first stride, predictors, rounds, block stride, stride, fit stride, finalists, last
#: stride, margin.
SEARCHES = (
    (32, 4, 16, 2, 1, 4, 4, 4, 1, 0),
    (8, 8, 4, 1, 4, 8, 8, 2, 4, 0),
    (32, 2, 8, 2, 1, 8, 1, 4, 1, 6),
    (32, 1, 32, 8, 1, 1, 1, 4, 1, 0),
    (1, 1, 1, 1, 1, 1, 1, 1, 1, 0),
)

masks = st.sampled_from(sorted(set(MASKS) - {"empty"}))
coefficient = st.integers(-128, 127)
RANGES = ((12,), (12, 16, 20))


def decode(payload, mask, planes, dtype=np.uint8):
    """What the kernels make of a payload, 0 outside the region."""
    pixels = np.zeros((*mask.shape, planes), dtype)
    classes = mask.astype(np.uint8)
    _native.photo_decode(payload, pixels, 0, planes, classes, 1, 1, 0, mask.shape[0])
    return pixels


def encode(pixels, mask, search=SEARCHES[0], bias=False):
    height, _, planes = pixels.shape
    classes = mask.astype(np.uint8)
    return _native.photo_encode(pixels, 0, planes, classes, 1, 1, 0, height, search, bias)


def check_payload(payload, mask, expected):
    """All kernels and the reference read these pixels."""
    planes = expected.shape[2]
    for name in kernel_sets():
        found = decode(payload, mask, planes, expected.dtype)
        np.testing.assert_array_equal(found[mask], expected[mask], err_msg=name)
        assert not found[~mask].any()
    most = np.iinfo(expected.dtype).max
    by_reference = reference.decode_photo(payload, mask, planes, most)
    np.testing.assert_array_equal(by_reference[mask], expected[mask])


def all_tables(planes, table):
    return dict.fromkeys(range(48 * planes), table)


# What our encoder writes


@pytest.mark.parametrize("planes", [1, 3])
@pytest.mark.parametrize("kind", mostly_slow(KINDS, "mixed"))
def test_every_search_is_exact_and_the_same_with_all_kernels(kind: str, planes: int) -> None:
    for seed, search in enumerate(SEARCHES):
        for mask in (MASKS["full"](37, 41), pictures.blobs(37, 41, seed)):
            pixels = KINDS[kind](37, 41, planes, seed)
            payloads = {encode(pixels, mask, search, bias=seed % 2 > 0) for _ in kernel_sets()}
            assert len(payloads) == 1
            check_payload(payloads.pop(), mask, pixels)


@pytest.mark.parametrize("planes", [1, 3])
def test_a_wide_margin_gives_nothing_up(planes: int) -> None:
    """By and by or at once, the last comparison is on the same pixels."""
    pixels = np.ascontiguousarray(pictures.photograph(64, 96)[..., :planes])
    mask = MASKS["full"](64, 96)
    with_margin = [encode(pixels, mask, (16, 4, 8, 2, 1, 8, 4, 4, 1, m)) for m in (0, 1024, 1)]
    assert with_margin[0] == with_margin[1] != with_margin[2]
    check_payload(with_margin[2], mask, pixels)


def test_an_empty_region_is_no_byte() -> None:
    pixels, nothing = pictures.noise(5, 7, 3), np.zeros((5, 7), bool)
    assert encode(pixels, nothing) == b""
    check_payload(b"", nothing, pixels)
    with pytest.raises(CorruptError):
        decode(b"\0", nothing, 3)
    with pytest.raises(reference.BadFile):
        reference.decode_photo(b"\0", nothing, 3)


@given(
    size=st.tuples(st.integers(1, 40), st.integers(1, 20)),
    planes=st.sampled_from([1, 3]),
    kind=st.sampled_from(["extremes", "noise", "ramps", "corners"]),
    mask=masks,
    seed=st.integers(0, 999),
)
@check
def test_samples_of_16_bits(size, planes, kind, mask, seed) -> None:
    rng = np.random.default_rng(seed)
    levels = {"extremes": [0, 65535], "corners": [0, 1, 32767, 32768, 65534, 65535]}
    if kind == "ramps":
        y, x = np.indices(size)
        pixels = np.stack([(3001 * x + 77 * y * c + seed) % 65536 for c in range(planes)], -1)
    elif kind == "noise":
        pixels = rng.integers(0, 65536, (*size, planes))
    else:
        pixels = rng.choice(levels[kind], (*size, planes))
    pixels, region = pixels.astype(np.uint16), MASKS[mask](*size, seed)
    if region.any():
        payloads = {encode(pixels, region, bias=seed % 2 > 0) for _ in kernel_sets()}
        assert len(payloads) == 1
        check_payload(payloads.pop(), region, pixels)


@pytest.mark.parametrize("seed", range(3))
def test_extremes_of_16_bits(seed: int) -> None:
    """Errors as large as there are; they must not need more than the symbols up to 43."""
    rng = np.random.default_rng(seed)
    region = np.ones((24, 30), bool)
    for levels in ([0, 65535], [0, 1, 32767, 32768, 65534, 65535]):
        pixels = rng.choice(levels, (24, 30, 3)).astype(np.uint16)
        check_payload(encode(pixels, region), region, pixels)


def test_bias_cancellation_is_for_8_bits() -> None:
    """Its sums would not fit; the encoder leaves it out, and readers refuse it."""
    region = np.ones((20, 18), bool)
    pixels = pictures.noise(20, 18, 3).astype(np.uint16) * 257
    assert encode(pixels, region, bias=True) == encode(pixels, region, bias=False)
    head = Head(bias=True, tables=all_tables(3, flat_table(44)))
    payload = streams.photo_of_pixels(pixels, region, head, 65535)
    assert_refused(payload, region, 3, "bias", np.uint16)


@pytest.mark.parametrize("planes", [1, 3])
@pytest.mark.parametrize("kind", ["noise", "smooth", "text"])
def test_costs_are_those_of_the_payload(kind: str, planes: int) -> None:
    pixels, mask = KINDS[kind](90, 80, planes), pictures.blobs(90, 80, 2)
    for rows in (slice(0, 90), slice(16, 73)):
        part = mask.copy()
        part[: rows.start] = part[rows.stop :] = False
        bits = _native.photo_costs(
            pixels, 0, planes, mask.astype(np.uint8), 1, 1, rows.start, rows.stop, SEARCHES[0], True
        )
        assert bits.dtype == np.float32
        assert bits.shape == mask.shape
        assert (bits[~part] == 0).all()
        assert (bits[part] >= 0).all()
        coded = 8 * len(encode(pixels[rows], mask[rows], bias=True))
        # Predictors, tables and states come on top.
        assert bits.sum() < coded < 1.02 * bits.sum() + 8 * 500


# What any encoder may write


@pytest.mark.slow
@given(
    transform=st.integers(0, 3),
    shift=st.integers(0, 15),
    bias=st.booleans(),
    sets=st.booleans(),
    kind=st.sampled_from(sorted(KINDS)),
    mask=masks,
    size=st.tuples(st.integers(1, 35), st.integers(1, 20)),
    trained=st.lists(st.integers(0, 31), min_size=1, max_size=5),
    seed=st.integers(0, 999),
)
@check
def test_every_transform_and_shift(
    transform, shift, bias, sets, kind, mask, size, trained, seed
) -> None:
    region = MASKS[mask](*size, seed)
    choices = tuple(np.random.default_rng(seed).integers(0, len(trained), 9).tolist())
    for planes in (1, 3):
        pixels = KINDS[kind](*size, planes, seed)
        head = Head(
            transform if planes == 3 else 1,
            shift,
            bias,
            sets,
            predictors=[(number, None) for number in trained],
            choices=choices,
        )
        if region.any():
            check_payload(streams.photo_of_pixels(pixels, region, head), region, pixels)


@pytest.mark.parametrize("transform", range(4))
def test_corners_of_the_colour_cube_with_every_transform(transform: int) -> None:
    """Where the transforms reach the ends of their ranges, also those of 16 bits."""
    for most, dtype in ((255, np.uint8), (65535, np.uint16)):
        levels = [0, 1, most // 2, most // 2 + 1, most - 1, most]
        cube = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(18, 12, 3)
        order = np.random.default_rng(transform).permutation(216)
        region = np.ones((18, 12), bool)
        for pixels in (cube, cube.reshape(216, 3)[order].reshape(18, 12, 3)):
            pixels = pixels.astype(dtype)
            head = Head(transform, tables=all_tables(3, flat_table(44)))
            check_payload(streams.photo_of_pixels(pixels, region, head, most), region, pixels)


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("planes", [1, 3])
@pytest.mark.parametrize("transform", mostly_slow(range(4), 1))
def test_starts_may_be_anywhere_in_their_ranges(transform: int, planes: int, deep: bool) -> None:
    most, dtype = (65535, np.uint16) if deep else (255, np.uint8)
    region = pictures.blobs(30, 25, 1)
    pixels = pictures.mixed(30, 25, planes).astype(dtype) * (most // 255)
    tables = all_tables(planes, flat_table(44))
    ranges = reference.photo.plane_ranges(planes, transform, most)
    spans = [high - low for low, high in ranges]
    for starts in ([0] * planes, spans, [span // 3 for span in spans]):
        head = Head(
            transform,
            tables=tables,
            starts=tuple(starts),
            start_bits=most.bit_length() + 1,
        )
        payload = streams.photo_of_pixels(pixels, region, head, most)
        check_payload(payload, region, pixels)
    for plane in range(planes):
        starts = [span + (c == plane) for c, span in enumerate(spans)]
        head = replace(head, starts=tuple(starts))
        states, words, blocks = streams.parts_of_pixels(pixels, region, head, most)
        payload = head.write(blocks, planes, states) + words
        assert_refused(payload, region, planes, starts, dtype)


def test_a_colour_costs_no_more_for_being_far_from_the_middle() -> None:
    region = np.ones((60, 300), bool)
    for dtype in (np.uint8, np.uint16):
        most = np.iinfo(dtype).max
        for colour in ((0, 0, 0), (most, 0, most), (most, most // 3, 1)):
            pixels = np.full((60, 300, 3), colour, dtype)
            assert len(encode(pixels, region)) < 100


@pytest.mark.slow
@given(
    data=st.data(),
    planes=st.sampled_from([1, 3]),
    rice=st.integers(0, 7),
    bias=st.booleans(),
    mask=masks,
    deep=st.booleans(),
    seed=st.integers(0, 999),
)
@check
def test_any_coefficients(data, planes, rice, bias, mask, deep, seed) -> None:
    """Predictions far outside every range, and values that leave it: clips and wide sums."""
    extremes = st.sampled_from([-128, 127])
    own = [
        data.draw(st.lists(st.one_of(coefficient, extremes), min_size=n, max_size=n))
        for n in RANGES[planes == 3]
    ]
    most, dtype = (65535, np.uint16) if deep else (255, np.uint8)
    region = MASKS[mask](19, 14, seed)
    rng = np.random.default_rng(seed)
    head = Head(
        transform=seed % 4 if planes == 3 else 1,
        shift=seed % 7,
        bias=bias and not deep,
        sets=seed % 3 == 0,
        predictors=[(seed % 32, own), (31, None), (0, None)],
        choices=(0, 0, 1, 0, 2),
        tables=all_tables(planes, flat_table(44)),
        rice=rice,
    )
    limit = int(rng.choice([2, 20, 600, 1 << 18]))
    payload, pixels = streams.photo_of_values(
        lambda: int(rng.integers(0, limit)), region, planes, head, most
    )
    check_payload(payload, region, pixels.astype(dtype))


def test_all_32_predictors_and_ranks() -> None:
    """Every rank of a list of 32, with every Rice parameter and beyond its unary part."""
    region = np.ones((90, 40), bool)
    pixels = pictures.mixed(90, 40, 1)
    rng = np.random.default_rng(5)
    for rice in range(4):
        head = Head(
            predictors=[(number, None) for number in rng.permutation(32).tolist()],
            choices=tuple(rng.integers(0, 32, 40).tolist()),
            rice=rice,
        )
        check_payload(streams.photo_of_pixels(pixels, region, head), region, pixels)


@pytest.mark.parametrize("seed", mostly_slow(range(8), 0, 1))
def test_any_tables(seed: int) -> None:
    """Own tables of every form, several contexts with the same one, and other trained ones."""
    rng = np.random.default_rng(seed)
    own = [random_table(rng, 30) for _ in range(64 if seed % 2 else 5)]
    tables = {}
    for context in range(144):
        kind = rng.integers(0, 3)
        if kind == 0:
            tables[context] = int(rng.integers(0, 64))
        elif kind == 1:
            tables[context] = own[int(rng.integers(0, len(own)))]
    region, pixels = pictures.blobs(30, 34, seed), pictures.mixed(30, 34, 3, seed)
    head = Head(shift=seed, tables=tables)
    check_payload(streams.photo_of_pixels(pixels, region, head), region, pixels)


@pytest.mark.parametrize("symbol", [0, 1, 15, 16, 29, 43])
def test_a_symbol_that_has_all_of_a_table(symbol: int) -> None:
    """It takes no bits but its raw ones."""
    table = [0] * symbol + [4096]
    t = 4 + (symbol - 16) // 2
    raw = 0 if symbol < 16 else t - 1
    base = symbol if symbol < 16 else 1 << t | (symbol & 1) << raw
    rng = np.random.default_rng(symbol)
    region = MASKS["dense"](20, 20)
    head = Head(tables=all_tables(3, table), shift=2)
    payload, pixels = streams.photo_of_values(
        lambda: base + int(rng.integers(0, 1 << raw)), region, 3, head
    )
    check_payload(payload, region, pixels.astype(np.uint8))


# Tables


def random_table(rng, symbols):
    """Frequencies that sum to 4096, none of them 0, mostly very uneven."""
    weights = rng.random(symbols) ** int(rng.integers(1, 12))
    table = 1 + np.floor((4096 - symbols) * weights / weights.sum()).astype(int)
    table[rng.integers(symbols)] += 4096 - table.sum()
    return table.tolist()


@pytest.mark.parametrize("seed", range(40))
def test_alias_tables_give_every_symbol_its_slots(seed: int) -> None:
    rng = np.random.default_rng(seed)
    symbols = int(rng.integers(1, 45))
    table = random_table(rng, symbols)
    if seed % 3 == 0:
        table = np.bincount(rng.choice(symbols, 64), minlength=symbols) * 64  # 0 and exact fits
    alias = reference.AliasTable(list(map(int, table)))
    found = [alias.find(slot) for slot in range(4096)]
    expected = [(symbol, r) for symbol, f in enumerate(table) for r in range(f)]
    assert sorted(found) == expected


# What nobody may write


def assert_refused(payload, mask, planes, what="", dtype=np.uint8):
    for name in kernel_sets():
        found, expected = attempt(payload, mask, planes, dtype)
        assert found is None, (what, name)
        assert expected is None, what


def attempt(payload, mask, planes, dtype=np.uint8):
    return both(
        lambda: decode(payload, mask, planes, dtype),
        lambda: reference.decode_photo(payload, mask, planes, np.iinfo(dtype).max),
    )


def own_coefficients(plane, index, value):
    lists = [[0] * n for n in RANGES[1]]
    lists[plane][index] = value
    return [(0, lists)]


TWO = [(0, None), (1, None)]
DAMAGED_HEADS = {
    "coefficient above 127": Head(predictors=own_coefficients(1, 3, 128)),
    "coefficient below -128": Head(predictors=own_coefficients(2, 19, -129), rice=5),
    "rank without predictor": Head(predictors=TWO, ranks=(0, 1, 2)),
    "escaped rank": Head(predictors=TWO, ranks=(500,), rice=0),
    "missing table": Head(tables={5: 65}),
    "missing table behind an own one": Head(tables={5: flat_table(30), 9: 66}),
    "symbol 44": Head(tables={0: flat_table(45)}),
    "symbol 63": Head(tables={0: flat_table(64)}),
    "frequencies that leave nothing": Head(tables={0: [4096, 0]}),
    "frequencies above their sum": Head(tables={0: [4000, 4000, 1]}),
    "padding": Head(padding=0xFF),
}


@pytest.mark.parametrize("name", DAMAGED_HEADS)
def test_damaged_heads_are_refused(name: str) -> None:
    region, head = np.ones((20, 30), bool), Head()
    for seed in range(9):
        pixels = pictures.mixed(20, 30, 3, seed)
        states, words, blocks = streams.parts_of_pixels(pixels, region, head)
        payload = head.write(blocks, 3, states) + words
        damaged = DAMAGED_HEADS[name].write(blocks, 3, states) + words
        if damaged != payload:  # else the head happens to need no padding
            break
    assert damaged != payload
    check_payload(payload, region, pixels)
    assert_refused(damaged, region, 3)


def test_states_and_words_must_fit() -> None:
    region = np.ones((20, 30), bool)
    pixels = pictures.noise(20, 30, 3)
    head = Head()
    states, words, blocks = streams.parts_of_pixels(pixels, region, head)
    start = head.write(blocks, 3, states)
    payload = start + words
    wrong = {
        "a word more": payload + b"\0\0",
        "a byte more": payload + b"\0",
        "a word less": payload[:-2],
        "a byte less": payload[:-1],
        "nothing but the head": start,
        "a state cut": start[:-3],
        "a state less": head.write(blocks, 3, states[:-1]) + words,
        "a state more": head.write(blocks, 3, [*states, 1 << 31]) + words,
    }
    for what, damaged in wrong.items():
        assert_refused(damaged, region, 3, what)


@pytest.mark.parametrize("sets", [False, True])
def test_states_that_never_move_must_be_those_of_the_beginning(sets: bool) -> None:
    """Rows without pixels leave their states as they were."""
    region, head = np.ones((3, 9), bool), Head(sets=sets)
    states, words, blocks = streams.parts_of_pixels(pictures.noise(3, 9, 3), region, head)
    for k in range(48 if sets else 16):
        if k % 16 >= 3:
            damaged = [x ^ (i == k) for i, x in enumerate(states)]
            assert_refused(head.write(blocks, 3, damaged) + words, region, 3, k)


@pytest.mark.parametrize("planes", mostly_slow([1, 3], 3))
@pytest.mark.parametrize("sets", mostly_slow([False, True], True))
def test_flipped_bits_mean_the_same_to_all(planes: int, sets: bool) -> None:
    """One table for all and flat: then damage goes far before anybody notices, if ever."""
    mask, rng = pictures.blobs(18, 15, 1), np.random.default_rng(2)
    assert mask.any()
    head = Head(
        bias=sets,
        sets=sets,
        predictors=[(0, None), (3, None), (9, None)],
        choices=(0, 2, 1),
        tables=all_tables(planes, flat_table(32)),
    )
    pixels = rng.integers(0, 256, (18, 15, planes))
    payload = streams.photo_of_pixels(pixels, mask, head)
    accepted = 0
    for bit in range(0, 8 * len(payload), 3 if planes == 1 else 11):
        damaged = bytearray(payload)
        damaged[bit // 8] ^= 1 << bit % 8
        _, expected = attempt(bytes(damaged), mask, planes)
        for name in kernel_sets():
            found, _ = both(lambda damaged=damaged: decode(bytes(damaged), mask, planes), list)
            assert_same(found, expected, f"bit {bit}, {name}")
        accepted += found is not None
    assert accepted
