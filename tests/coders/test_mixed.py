"""Mixed coding (format.md, 7.1.12): kernels and reference, what is refused, when it is chosen."""

from collections.abc import Callable

import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from reference.lossless import APART, INDEXED, MIXED, MIXED_BESIDE, RANKS, YCC
from support import pictures, streams
from support.agreement import SETS, assert_same, both, kernel_sets
from support.pictures import KINDS, MASKS, greyed
from support.tiers import mostly_slow

import aig_codec
from aig_codec import CorruptError, _native
from aig_codec.coders import lossless
from aig_codec.coders.lossless import bands, choice
from aig_codec.coders.lossless.region import Region, channel_of
from aig_codec.container import read_prologue
from aig_codec.threads import Workers, finish

check = settings(max_examples=40, deadline=None, derandomize=True)

GREY = 4
FILL = 77

#: By number of channels, planes as bands have them, and whether the last of them is alpha.
ORDERS: dict[int, list[tuple[list[int], bool]]] = {
    1: [([0], False)],
    2: [([0, 1], True), ([0], False), ([1, 0], True)],
    3: [([1, 0, 2], False), ([0], False), ([2, 0], True)],
    4: [([1, 0, 2, 3], True), ([1, 0, 2], False), ([0, 3], True), ([3, 2, 0, 1], True)],
}

#: All that there is: channels, method.
METHODS = [
    *((channels, MIXED) for channels in (1, 2, 3, 4)),
    *((channels, MIXED_BESIDE) for channels in (2, 4)),
    *((channels, MIXED + GREY) for channels in (3, 4)),
    (4, MIXED_BESIDE + GREY),
]

masks = st.sampled_from(sorted(set(MASKS) - {"empty"}))


# Pictures of any depth: samples 0..most as int64 (height, width, channels)


def _noise(y, x, c, most, rng):
    return rng.integers(0, most + 1, y.shape)


def _stripes(y, x, c, most, rng):
    return (x + c) % 2 * most


def _checkerboard(y, x, c, most, rng):
    return (x + y + c) % 2 * most


def _constant(y, x, c, most, rng):
    return np.full_like(y, most // (c + 1))


def _steps(y, x, c, most, rng):
    return (x // (3 + c) + y // 5) % 5 * most // 4


def _ramps(y, x, c, most, rng):
    return (x * (3 + c) + y * 2) * (most // 255) % (most + 1)


def _corners(y, x, c, most, rng):
    return rng.choice([0, 1, most // 2, most // 2 + 1, most - 1, most], y.shape)


def _dust(y, x, c, most, rng):
    """One value, and now and then the farthest from it."""
    return np.where(rng.random(y.shape) < 0.04, 0, most)


def _grain(y, x, c, most, rng):
    waves = 0.5 + 0.3 * np.sin(x / 9 + c) + 0.15 * np.cos(y / 7 - c)
    return np.clip((waves + rng.normal(0, 0.01, y.shape)) * most, 0, most)


PATTERNS: dict[str, Callable[..., np.ndarray]] = {
    "noise": _noise,
    "stripes": _stripes,
    "checkerboard": _checkerboard,
    "constant": _constant,
    "steps": _steps,
    "ramps": _ramps,
    "corners": _corners,
    "dust": _dust,
    "grain": _grain,
}


def _picture(pattern, size, channels, dtype, seed=0):
    rng = np.random.default_rng(seed)
    y, x = np.indices(size)
    most = int(np.iinfo(dtype).max)
    planes = [PATTERNS[pattern](y, x, c, most, rng) for c in range(channels)]
    return np.stack(planes, axis=-1).astype(dtype)


# Both directions


def _encode(pixels, mask, planes, alpha, shift=0):
    classes = mask.astype(np.uint8)
    return _native.mixed_encode(pixels, planes, alpha, classes, 1, 1, 0, len(mask), shift)


def _decode(coded, mask, planes, alpha, like):
    """The planes' channels of a picture that holds FILL elsewhere."""
    pixels = np.full_like(like, FILL)
    classes = mask.astype(np.uint8)
    _native.mixed_decode(coded, pixels, planes, alpha, classes, 1, 1, 0, len(mask))
    return pixels


def _check_kernels(pixels, mask, planes, alpha, shift=0):
    """All write the same bytes, and read them; no other pixel or channel is touched."""
    expected = np.full_like(pixels, FILL)
    for c in planes:
        expected[mask, c] = pixels[mask, c]
    coded = set()
    for name in kernel_sets(SETS):
        coded.add(_encode(pixels, mask, planes, alpha, shift))
        assert len(coded) == 1, name
        found = _decode(min(coded), mask, planes, alpha, pixels)
        np.testing.assert_array_equal(found, expected, err_msg=name)
    return coded.pop()


def _check_reference(coded, pixels, mask, planes, alpha):
    most = int(np.iinfo(pixels.dtype).max)
    found = reference.decode_mixed(coded, mask, len(planes), alpha, most)
    np.testing.assert_array_equal(found[mask], pixels[mask][:, planes])


def _region(mask):
    return Region(mask.astype(np.uint8), 1, 1, 0, len(mask))


def _photo(pixels, mask):
    """A band of one channel as photograph."""
    search = choice.how_hard(5, mask.size).search
    return b"\0" + _native.photo_encode(pixels, 0, 1, *_region(mask), search, False)


def _band(pixels, mask, method, alpha=_photo):
    """A band by a method; alpha beside it by another one."""
    if method & GREY:
        pixels = greyed(pixels)
    part, own = channel_of(pixels, _region(mask), pixels.shape[2] - 1)
    beside = alpha(part, own.class_map > 0) if method & 2 else None
    band = bands.mixed(pixels, _region(mask), method & GREY > 0, beside)
    assert band[0] == method
    return band, pixels


def _decode_band(band, mask, channels, dtype=np.uint8):
    pixels = np.full((*mask.shape, channels), FILL, dtype)
    payload = streams.segment_of([band])
    lossless.decode(payload, pixels, mask.astype(np.uint8), 1, 1)
    return pixels


def _by_reference(band, mask, channels, dtype=np.uint8):
    most = int(np.iinfo(dtype).max)
    return reference.decode_lossless(streams.segment_of([band]), mask, channels, most)


def _assert_refused(band, mask, channels, dtype=np.uint8):
    jobs = (
        lambda: _decode_band(band, mask, channels, dtype),
        lambda: _by_reference(band, mask, channels, dtype),
    )
    assert both(*jobs) == (None, None)


def _methods(payload):
    """The methods of its bands."""
    source = reference.ByteReader(payload)
    return [source.take(n)[0] for n in [source.varint() for _ in range(source.varint())]]


# All sets of kernels


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("pattern", PATTERNS)
def test_all_kernels_write_and_read_the_same(pattern: str, dtype: type) -> None:
    shifts = range(9) if dtype is np.uint16 else range(1)
    places = sorted(set(MASKS) - {"empty"})
    k = 0
    for channels, orders in ORDERS.items():
        for planes, alpha in orders:
            pixels = _picture(pattern, (13, 21), channels, dtype, k)
            for shift in sorted({shifts[k % len(shifts)], shifts[-1]}):
                mask = MASKS[places[k % len(places)]](13, 21, k)
                _check_kernels(pixels, mask, planes, alpha, shift)
                k += 1


@given(
    size=st.tuples(st.integers(1, 24), st.integers(1, 40)),
    channels=st.integers(1, 4),
    order=st.integers(0, 3),
    shift=st.integers(0, 8),
    dtype=st.sampled_from([np.uint8, np.uint16]),
    pattern=st.sampled_from(sorted(PATTERNS)),
    mask=masks,
    seed=st.integers(0, 999),
)
@check
def test_any_region(size, channels, order, shift, dtype, pattern, mask, seed) -> None:
    planes, alpha = ORDERS[channels][order % len(ORDERS[channels])]
    pixels = _picture(pattern, size, channels, dtype, seed)
    region = MASKS[mask](*size, seed)
    _check_kernels(pixels, region, planes, alpha, shift if dtype is np.uint16 else 0)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1), (1, 70), (70, 1), (2, 8), (3, 17)])
def test_narrow_pictures(size: tuple[int, int], dtype: type) -> None:
    """Beside the first and last columns there are none, above the first rows neither."""
    mask = np.ones(size, bool)
    for pattern in ("corners", "grain"):
        pixels = _picture(pattern, size, 4, dtype, 3)
        coded = _check_kernels(pixels, mask, [1, 0, 2, 3], True)
        if mask.size < 20:
            _check_reference(coded, pixels, mask, [1, 0, 2, 3], True)


@pytest.mark.parametrize("pattern", mostly_slow(PATTERNS, "grain"))
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_long_ones_are_the_same_with_all_kernels(pattern: str, dtype: type) -> None:
    """Mixers that learn slower and slower, weights and counters that have gone as far as they
    can, memories that lose what was in them."""
    pixels = _picture(pattern, (120, 140), 3, dtype, 4)
    shift = 0 if pattern in ("noise", "corners") or dtype is np.uint8 else 5
    coded = _check_kernels(pixels, np.ones((120, 140), bool), [1, 0, 2], False, shift)
    bits = 8 * len(coded) / pixels.size
    if pattern in ("constant", "stripes", "checkerboard"):
        assert bits < 0.1
    elif pattern in ("ramps", "steps"):
        # One in a few samples is a surprise, and takes as many bits as it has.
        assert bits < 0.1 * 8 * pixels.itemsize
    elif pattern == "noise":
        assert bits < 1.08 * 8 * pixels.itemsize
    elif pattern == "grain":
        # Of the grain's entropy, log2 of its deviation times sqrt(2 pi e).
        assert bits < np.log2(0.01 * np.iinfo(dtype).max * 4.13) + 0.4


# The reference


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(("channels", "method"), METHODS)
def test_the_reference_reads_every_method(channels: int, method: int, dtype: type) -> None:
    mask = pictures.blobs(7, 26, method)
    mask[:, 12:14] = True  # and some that is whole
    pixels = _picture("grain", mask.shape, channels, dtype, method)
    band, pixels = _band(pixels, mask, method)
    for name in kernel_sets(SETS):
        found = _decode_band(band, mask, channels, dtype)
        np.testing.assert_array_equal(found[mask], pixels[mask], err_msg=name)
        assert (found[~mask] == FILL).all()
    found = _by_reference(band, mask, channels, dtype)
    np.testing.assert_array_equal(found[mask], pixels[mask])


@pytest.mark.parametrize("pattern", sorted(set(PATTERNS) - {"grain"}))
def test_the_reference_reads_any_picture(pattern: str) -> None:
    for k, (dtype, shift) in enumerate([(np.uint8, 0), (np.uint16, 0), (np.uint16, 8)]):
        planes, alpha = ORDERS[4][k]
        pixels = _picture(pattern, (5, 10), 4, dtype, k)
        mask = MASKS["full" if k == 2 else "dense"](5, 10, k)
        coded = _encode(pixels, mask, planes, alpha, shift)
        _check_reference(coded, pixels, mask, planes, alpha)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("pattern", "dtype", "shift"),
    [("noise", np.uint16, 0), ("corners", np.uint8, 0), ("checkerboard", np.uint8, 0)],
)
def test_the_reference_reads_what_takes_many_decisions(pattern, dtype, shift) -> None:
    """More than 20 000 in the first case: mixers change their pace; and more lines of memory than
    the least."""
    pixels, mask = _picture(pattern, (28, 40), 1, dtype, 6), np.ones((28, 40), bool)
    coded = _encode(pixels, mask, [0], False, shift)
    _check_reference(coded, pixels, mask, [0], False)


@pytest.mark.slow
@given(
    size=st.tuples(st.integers(1, 6), st.integers(1, 20)),
    channels=st.integers(1, 4),
    order=st.integers(0, 3),
    shift=st.integers(0, 8),
    dtype=st.sampled_from([np.uint8, np.uint16]),
    pattern=st.sampled_from(sorted(PATTERNS)),
    mask=masks,
    seed=st.integers(0, 999),
)
@check
def test_the_reference_reads_any_region(
    size, channels, order, shift, dtype, pattern, mask, seed
) -> None:
    planes, alpha = ORDERS[channels][order % len(ORDERS[channels])]
    pixels = _picture(pattern, size, channels, dtype, seed)
    region = MASKS[mask](*size, seed)
    coded = _encode(pixels, region, planes, alpha, shift if dtype is np.uint16 else 0)
    _check_reference(coded, pixels, region, planes, alpha)


# What is refused


SMALL = np.ones((3, 9), bool)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(("channels", "method"), METHODS)
def test_every_prefix_and_every_byte_more_is_refused(channels, method, dtype) -> None:
    band, _ = _band(_picture("grain", SMALL.shape, channels, dtype), SMALL, method)
    for length in range(len(band)):
        with pytest.raises(CorruptError):
            _decode_band(band[:length], SMALL, channels, dtype)
    for more in (b"\0", b"\xff", b"\0\0\0\0"):
        with pytest.raises(CorruptError):
            _decode_band(band + more, SMALL, channels, dtype)
    _assert_refused(band[:-1], SMALL, channels, dtype)
    _assert_refused(band + b"\0", SMALL, channels, dtype)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(("channels", "method"), METHODS)
def test_every_damaged_byte_means_the_same_to_all_kernels(channels, method, dtype) -> None:
    """It is refused, or read as pixels of the region alone."""
    mask = SMALL.copy()
    mask[1, 3:5] = False
    band, pixels = _band(_picture("steps", SMALL.shape, channels, dtype), mask, method)
    for at in range(len(band)):
        for flip in (1, 0xFF) if dtype is np.uint8 else (0x80,):
            damaged = bytearray(band)
            damaged[at] ^= flip
            found = []
            for _ in kernel_sets():
                decoded, _ = both(
                    lambda damaged=damaged: _decode_band(bytes(damaged), mask, channels, dtype),
                    list,
                )
                found.append(decoded)
                assert_same(decoded, found[0], (at, flip))
            if found[0] is not None:
                assert found[0].shape == pixels.shape
                assert (found[0][~mask] == FILL).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_damage_means_the_same_to_the_reference(dtype: type) -> None:
    mask = np.ones((2, 10), bool)
    rng = np.random.default_rng(3)
    band, _ = _band(_picture("grain", mask.shape, 4, dtype), mask, MIXED)
    for at in (0, 1, 2, 6, len(band) // 2, len(band) - 1):
        damaged = bytearray(band)
        damaged[at] ^= int(rng.integers(1, 256))
        found = both(
            lambda damaged=damaged: _decode_band(bytes(damaged), mask, 4, dtype),
            lambda damaged=damaged: _by_reference(bytes(damaged), mask, 4, dtype),
        )
        assert_same(*found, at)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("seed", mostly_slow(range(6), 0, 1))
def test_bits_of_any_encoder_mean_the_same_to_all(seed: int, dtype: type) -> None:
    """Samples that no prediction has foreseen, and starts that are no pixel's."""
    rng = np.random.default_rng(seed)
    deep = dtype is np.uint16
    mask, most = pictures.blobs(6, 18, seed + 1), int(np.iinfo(dtype).max)
    planes, alpha = ORDERS[4][seed % 4]
    starts = [int(v) for v in rng.choice([0, 1, most // 2, most], len(planes))]
    shift = int(rng.integers(9)) if deep else 0
    draws = (
        lambda p: rng.random() < 0.5,
        lambda p: p < 32768,  # always the less likely
        lambda p: rng.random() * 65536 < p,
    )
    encoder = streams.BinaryEncoder(draws[seed % 3])
    columns = np.flatnonzero(mask.any(axis=0))
    inside = mask[mask.any(axis=1)][:, columns[0] : columns[-1] + 1]
    width, pixels = inside.shape[1], int(mask.sum())
    model = reference.mixed.Mixed(encoder, starts, alpha, most, shift, width, pixels)
    found = [np.array(model.row(row), float) for row in inside]  # NaN where None is
    head = bytes([shift] if deep else []) + b"".join(
        start.to_bytes(1 + deep, "little") for start in starts
    )
    expected = np.stack(found).transpose(0, 2, 1)[inside]
    for name in kernel_sets(SETS):
        like = np.zeros((*mask.shape, 4), dtype)
        decoded = _decode(head + encoder.payload(), mask, planes, alpha, like)
        np.testing.assert_array_equal(decoded[mask][:, planes], expected, err_msg=name)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_other_methods_are_refused(channels: int) -> None:
    known = [method for count, method in METHODS if count == channels]
    band, _ = _band(_picture("grain", SMALL.shape, channels, np.uint8), SMALL, known[-1])
    for method in set(range(16, 32)) - set(known):
        _assert_refused(bytes([method]) + band[1:], SMALL, channels)
    assert _decode_band(band, SMALL, channels).shape == (3, 9, channels)


def test_shifts_have_a_range() -> None:
    pixels = _picture("grain", SMALL.shape, 1, np.uint16)
    for shift in range(9):
        coded = _encode(pixels, SMALL, [0], False, shift)
        assert coded[0] == shift
        assert_same(
            *both(
                lambda coded=coded: _decode_band(bytes([MIXED]) + coded, SMALL, 1, np.uint16),
                lambda coded=coded: _by_reference(bytes([MIXED]) + coded, SMALL, 1, np.uint16),
            ),
            shift,
        )
    for shift in (9, 16, 127, 255):
        _assert_refused(bytes([MIXED, shift]) + coded[1:], SMALL, 1, np.uint16)
        if shift < 128:
            with pytest.raises(ValueError, match="shift"):
                _encode(pixels, SMALL, [0], False, shift)


def test_heads_may_not_be_cut() -> None:
    for channels, dtype, head in ((1, np.uint8, 1), (4, np.uint8, 4), (4, np.uint16, 9)):
        pixels = _picture("grain", SMALL.shape, channels, dtype)
        band, _ = _band(pixels, SMALL, MIXED)
        for length in range(1, head + 5):
            _assert_refused(band[:length], SMALL, channels, dtype)


def test_an_empty_region_is_no_byte() -> None:
    nothing = np.zeros((3, 9), bool)
    for channels, method in METHODS:
        pixels = _picture("noise", nothing.shape, channels, np.uint8)
        band, _ = _band(pixels, nothing, method)
        assert len(band) == (3 if method & 2 else 1)
        assert (_decode_band(band, nothing, channels) == FILL).all()
        _assert_refused(band + b"\0", nothing, channels)


def test_what_alpha_may_be_beside_it() -> None:
    """A band that has no bands in it, for one channel."""
    pixels = _picture("grain", SMALL.shape, 4, np.uint8)

    def graphic(part, mask):
        return bands.graphic(part, _region(mask))

    def mixed(part, mask):
        return bands.mixed(part, _region(mask), False, None)

    def ranks(part, mask):
        table, found = _native.sparse_values(np.full_like(part, 60), *_region(mask).own)
        return bands.mapped(RANKS, table, _photo(found, mask))

    for alpha in (_photo, graphic, mixed):
        band, _ = _band(pixels, SMALL, MIXED_BESIDE, alpha)
        np.testing.assert_array_equal(_decode_band(band, SMALL, 4), pixels)
        np.testing.assert_array_equal(_by_reference(band, SMALL, 4), pixels)
    right = band

    def nested(part, mask):
        inner = bands.mixed(part, _region(mask), False, None)
        return bytes([MIXED_BESIDE]) + inner[1:]

    for alpha in (ranks, nested, lambda *_: b"", lambda *_: bytes([INDEXED]), lambda *_: b"\x23"):
        band, _ = _band(pixels, SMALL, MIXED_BESIDE, alpha)
        _assert_refused(band, SMALL, 4)
    # Lengths that leave nothing, or more than there is.
    for length in (0, 1, 127):
        _assert_refused(right[:1] + bytes([length]) + right[2:], SMALL, 4)


def test_other_bands_may_have_it_in_them() -> None:
    rng = np.random.default_rng(2)
    mask = np.ones((6, 12), bool)
    scale = rng.integers(0, 256, (20, 4)).astype(np.uint8)
    pixels = scale[rng.integers(0, 20, mask.shape)]
    own = _region(mask)

    def mixed(part):
        return bands.mixed(part, own, False, None)

    table, indices, _ = _native.few_colours(pixels, *own.own)
    parts = [pixels[..., c : c + 1].copy() for c in range(4)]
    ranks_of = _native.sparse_values(pixels // 16 * 16, *own.own)
    for band, expected in (
        (bands.mapped(INDEXED, table, mixed(indices)), pixels),
        (bands.mapped(RANKS, ranks_of[0], mixed(ranks_of[1])), pixels // 16 * 16),
        (bands.apart([mixed(part) for part in parts]), pixels),
        (bytes([YCC]) + mixed(pixels), None),
        (bytes([YCC]) + bands.apart([mixed(part) for part in parts]), None),
    ):
        found = _decode_band(band, mask, 4)
        np.testing.assert_array_equal(found, _by_reference(band, mask, 4))
        if expected is not None:
            np.testing.assert_array_equal(found, expected)
    assert lossless.version_of(streams.segment_of([mixed(pixels)])) == 4
    _assert_refused(bytes([APART]) + mixed(pixels), mask, 4)


# When it is chosen


def _chosen(pixels, effort, mask=None):
    """What the encoder makes of a picture, which decodes to it."""
    if mask is None:
        mask = np.ones(pixels.shape[:2], bool)
    payload = lossless.encode(pixels, mask.astype(np.uint8), 1, 1, effort)
    found = np.full_like(pixels, FILL)
    lossless.decode(payload, found, mask.astype(np.uint8), 1, 1)
    np.testing.assert_array_equal(found[mask], pixels[mask])
    return payload


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_photographs_of_high_effort_are_mixed(channels: int, dtype: type) -> None:
    pixels = _picture("grain", (72, 80), channels, dtype, 1)
    lengths = {}
    for effort in (5, 6, 7, 8, 9):
        payload = _chosen(pixels, effort)
        lengths[effort] = len(payload)
        mixed = _methods(payload)[0] & ~6 == MIXED
        assert mixed == (effort > 6), effort
        assert lossless.version_of(payload) == (4 if mixed else 3)
    assert max(lengths[e] for e in (7, 8, 9)) < 0.99 * lengths[6]


def test_grey_photographs_and_their_alpha_have_methods_of_their_own() -> None:
    grain = _picture("grain", (64, 72), 4, np.uint8, 2)
    plain, flat = grain.copy(), grain.copy()
    flat[..., 3] = 255
    plain[..., 3] = plain[..., 1]  # of which the colours say all
    for pixels, method in (
        (plain, MIXED),
        (flat, MIXED_BESIDE),
        (greyed(plain), MIXED + GREY),
        (greyed(flat), MIXED_BESIDE + GREY),
        (greyed(grain)[..., :3].copy(), MIXED + GREY),
    ):
        assert _methods(_chosen(pixels, 8)) == [method]


def test_files_say_which_version_they_need() -> None:
    pixels = _picture("grain", (64, 72), 3, np.uint8, 2)
    versions = []
    for effort in (6, 8, 9):
        data = aig_codec.encode(pixels, lossless=True, effort=effort)
        np.testing.assert_array_equal(aig_codec.decode(data), pixels)
        segments = read_prologue(data).metadata.segments
        versions.append([s.version for s in segments if s.coder == "lossless"])
    assert versions == [[3], [4], [4]]


def test_effort_7_mixes_what_is_small() -> None:
    """By the pixels of the whole region, however many bands they are in."""
    for pixels, region, mixed in (
        (300_000, None, True),
        (300_001, None, False),
        (150_000, 300_000, True),
        (200_000, 400_000, False),
        (1, 1, True),
    ):
        assert choice.how_hard(7, pixels, region).mixed == mixed
    for effort, mixed in ((1, False), (3, False), (5, False), (6, False), (8, True), (9, True)):
        for pixels in (1, 300_000, 1 << 30):
            assert choice.how_hard(effort, pixels).mixed == mixed


def test_only_the_pixels_of_the_region_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "_MIXED_PIXELS", {7: 5000})
    pixels, mask = _picture("grain", (80, 90), 3, np.uint8, 5), np.zeros((80, 90), bool)
    mask[:50, :] = mask[50:, :16] = True  # 4980
    mask[60, 20:40] = True
    assert mask.sum() == 5000
    assert _methods(_chosen(pixels, 7, mask)) == [MIXED]
    mask[61, 30] = True
    assert _methods(_chosen(pixels, 7, mask)) == [0]


@pytest.mark.parametrize(
    "kind", mostly_slow(["text", "dithered", "few colours", "antialiased", "gradient"], "text")
)
def test_graphics_lose_nothing(kind: str) -> None:
    for channels in (1, 3):
        pixels = KINDS[kind](72, 88, channels, 2)
        assert len(_chosen(pixels, 9)) <= len(_chosen(pixels, 6)) + 1


def test_shifts_follow_the_noise() -> None:
    """What is low in samples of 16 bits and noise is left to chance, the rest is not."""
    mask = np.ones((30, 34), bool)
    found = []
    for sigma in (0, 3, 100, 3000):
        rng = np.random.default_rng(1)
        pixels = 20000 + rng.normal(0, sigma, (30, 34, 1)) + 9 * np.indices((30, 34))[1][..., None]
        band = bands.mixed(pixels.astype(np.uint16), _region(mask), False, None)
        found.append(band[1])
    assert found == sorted(found)
    assert (found[0], found[-1]) == (1, 8)
    lonely = MASKS["checkerboard"](30, 34)
    noise = _picture("noise", (30, 34), 1, np.uint16)
    assert bands.mixed(noise, _region(lonely), False, None)[1] == 0  # no neighbours to go by


def test_bands_are_the_same_however_many_threads_decode_them() -> None:
    pixels = _picture("grain", (64, 96), 3, np.uint8, 7)
    mask = np.ones((64, 96), bool)
    rows = [slice(16 * k, 16 * (k + 1)) for k in range(4)]
    coded = [bands.mixed(pixels[own], _region(mask[own]), False, None) for own in rows]
    payload = streams.segment_of(coded)
    for threads in (1, 2, 5):
        found = np.full_like(pixels, FILL)
        with Workers(threads) as workers:
            finish(lossless.start_decoding(payload, found, mask.astype(np.uint8), 1, 1, workers))
        np.testing.assert_array_equal(found, pixels)
    data = [aig_codec.encode(pixels, lossless=True, effort=8, threads=n) for n in (1, 3)]
    assert data[0] == data[1]
