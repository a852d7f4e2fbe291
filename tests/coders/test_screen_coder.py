"""Graphics by themselves: any picture, any bits of any stream, and nothing but whole streams."""

from itertools import chain, repeat

import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from support import pictures
from support.agreement import assert_same, both
from support.pictures import KINDS, MASKS
from support.streams import BinaryEncoder, graphic_of_bits
from support.tiers import mostly_slow

from aig_codec import CorruptError, _native

check = settings(max_examples=100, deadline=None, derandomize=True)

CHANNELS = (1, 2, 3, 4)
FILL = 77

masks = st.sampled_from(sorted(MASKS))
sizes = st.tuples(st.integers(1, 30), st.integers(1, 30))


def encode(pixels, mask):
    return _native.graphic_encode(pixels, mask.astype(np.uint8), 1, 1, 0, len(mask))


def decode(payload, mask, channels, fill=FILL, matches=True):
    pixels = np.full((*mask.shape, channels), fill, np.uint8)
    _native.graphic_decode(payload, pixels, mask.astype(np.uint8), 1, 1, 0, len(mask), matches)
    return pixels


def check_payload(payload, mask, expected, matches=True):
    """Kernel and reference read these pixels, and the kernel touches no other."""
    channels = expected.shape[2]
    found = decode(payload, mask, channels, matches=matches)
    np.testing.assert_array_equal(found, np.where(mask[..., None], expected, FILL))
    by_reference = reference.decode_graphic(payload, mask, channels, matches)
    np.testing.assert_array_equal(by_reference, np.where(mask[..., None], expected, 0))


def check_picture(pixels, mask):
    payload = encode(pixels, mask)
    check_payload(payload, mask, pixels)
    return payload


def attempt(payload, mask, channels):
    return both(
        lambda: decode(payload, mask, channels, fill=0),
        lambda: reference.decode_graphic(payload, mask, channels),
    )


def assert_refused(payload, mask, channels, what=""):
    found, expected = attempt(payload, mask, channels)
    assert found is None, what
    assert expected is None, what


# What our encoder writes


@given(
    size=sizes,
    channels=st.sampled_from(CHANNELS),
    kind=st.sampled_from(sorted(KINDS)),
    mask=masks,
    seed=st.integers(0, 999),
)
@check
def test_any_region_round_trips(size, channels, kind, mask, seed) -> None:
    check_picture(KINDS[kind](*size, channels, seed), MASKS[mask](*size, seed))


@pytest.mark.parametrize("channels", mostly_slow(CHANNELS, 3))
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_round_trips(kind: str, channels: int) -> None:
    pixels = KINDS[kind](37, 41, channels, channels)
    check_picture(pixels, pictures.blobs(37, 41, 7 + channels))
    check_picture(pixels[:20], MASKS["full"](20, 41))


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("channels", mostly_slow(CHANNELS, 3))
def test_every_mask_round_trips(mask: str, channels: int) -> None:
    check_picture(pictures.mixed(29, 34, channels, 5), MASKS[mask](29, 34, 5))


@pytest.mark.parametrize("channels", CHANNELS)
def test_every_byte_is_coded_in_every_channel(channels: int) -> None:
    """Also as sums and differences that leave the range, and beside every other channel."""
    rng = np.random.default_rng(channels)
    levels = np.array([0, 1, 2, 127, 128, 129, 254, 255], np.uint8)
    corners = rng.choice(levels, (24, 24, channels))
    ramps = np.stack([rng.permutation(256).reshape(16, 16) for _ in range(channels)], axis=-1)
    for pixels in (corners, ramps.astype(np.uint8)):
        check_picture(pixels, np.ones(pixels.shape[:2], bool))


@pytest.mark.parametrize(
    "box", [(23, 89), (32, 64), (64, 64), (255, 257), (512, 512), (723, 725), (1030, 1020)], ids=str
)
def test_tables_are_of_the_size_that_the_box_asks_for(box: tuple[int, int]) -> None:
    """Few pixels in a large box, at and between powers of two: so many colours, or so many pairs
    of the same ones, that hashes meet."""
    rng = np.random.default_rng(box)
    for pixels, lines in (
        (rng.integers(0, 256, (*box, 3), np.uint8), 19),
        (rng.choice(rng.integers(0, 256, (12, 3), np.uint8), box), 45),
    ):
        mask = np.zeros(box, bool)
        mask[np.ix_(rng.choice(box[0], lines), rng.choice(box[1], lines))] = True
        mask[0, 0] = mask[-1, -1] = True
        check_picture(pixels, mask)


@pytest.mark.parametrize("channels", mostly_slow(CHANNELS, 3))
def test_repetition_costs_next_to_nothing(channels: int) -> None:
    glyph = pictures.noise(9, 7, channels, 1)
    page = np.tile(np.pad(glyph, ((1, 1), (1, 1), (0, 0))), (8, 12, 1))
    mask = np.ones(page.shape[:2], bool)
    once, often = len(encode(glyph, mask[:9, :7])), len(check_picture(page, mask))
    assert often < 2 * once + 8 * 12 * 5


def test_flat_places_cost_next_to_nothing() -> None:
    mask = np.ones((700, 700), bool)
    pixels = pictures.constant(700, 700, 4, 2)
    pixels[::100, ::70] = 9
    payload = encode(pixels, mask)
    np.testing.assert_array_equal(decode(payload, mask, 4), pixels)
    assert len(payload) < 400


@pytest.mark.slow
def test_more_colours_than_the_set_can_have() -> None:
    """Those behind the last that it took are new whenever they come; the others are not."""
    rng = np.random.default_rng(1)
    colours = rng.permutation(1 << 16)[: (1 << 14) + 300]
    around_the_last = colours[(1 << 14) - 20 : (1 << 14) + 20]
    order = np.concatenate([colours, rng.permutation(around_the_last), rng.choice(colours, 300)])
    pixels = np.stack([order >> 8, order & 255], -1).astype(np.uint8)[: len(order) // 107 * 107]
    pixels = pixels.reshape(-1, 107, 2)
    check_picture(pixels, np.ones(pixels.shape[:2], bool))


@pytest.mark.parametrize("channels", [3, 4])
def test_more_colours_than_the_set_can_have_in_three_channels(channels: int) -> None:
    y, x = np.indices((200, 190))
    planes = [x, y, (7 * x + 3 * y) % 256, (x * y) % 251][:channels]
    pixels = np.stack(planes, -1).astype(np.uint8)
    pixels = pixels.reshape(-1, channels)[np.random.default_rng(4).permutation(200 * 190)]
    again = np.concatenate([pixels, pixels[::7]])[: 43000 // 190 * 190].reshape(-1, 190, channels)
    mask = np.ones(again.shape[:2], bool)
    np.testing.assert_array_equal(decode(encode(again, mask), mask, channels), again)


# Rows and classes


@given(
    rows=st.tuples(st.integers(0, 20), st.integers(0, 20)).map(sorted),
    channels=st.sampled_from(CHANNELS),
    seed=st.integers(0, 999),
)
@check
def test_rows_in_the_middle_of_a_picture(rows, channels, seed) -> None:
    top, bottom = rows
    classes = pictures.class_map(20, 17, seed)
    pixels = pictures.mixed(20, 17, channels, seed)
    for first, last in ((0, 0), (1, 3), (5, 7), (2, 2)):
        region = (classes >= first) & (classes <= last)
        payload = _native.graphic_encode(pixels, classes, first, last, top, bottom)
        assert payload == encode(pixels[top:bottom], region[top:bottom])
        found = np.full_like(pixels, FILL)
        _native.graphic_decode(payload, found, classes, first, last, top, bottom)
        region[:top] = region[bottom:] = False
        np.testing.assert_array_equal(found, np.where(region[..., None], pixels, FILL))


def test_pixels_outside_the_region_are_not_coded() -> None:
    mask = pictures.blobs(24, 24, 4)
    assert 0 < mask.sum() < mask.size
    one = pictures.text(24, 24, 3)
    other = np.where(mask[..., None], one, pictures.noise(24, 24, 3, 9))
    assert encode(one, mask) == encode(other, mask)


@pytest.mark.parametrize("channels", CHANNELS)
def test_an_empty_region_is_four_bytes(channels: int) -> None:
    nothing, pixels = np.zeros((5, 7), bool), pictures.noise(5, 7, channels)
    assert encode(pixels, nothing) == bytes(4)
    check_payload(bytes(4), nothing, pixels)
    for wrong in (b"", bytes(3), bytes(5), b"\0\0\0\1", b"\1\0\0\0", b"\xff\xff\xff\xff"):
        assert_refused(wrong, nothing, channels, wrong)


# Matches


@given(
    size=sizes,
    channels=st.sampled_from(CHANNELS),
    kind=st.sampled_from(sorted(KINDS)),
    mask=masks,
    seed=st.integers(0, 999),
)
@settings(check, max_examples=30)
def test_graphics_without_matches(size, channels, kind, mask, seed) -> None:
    """As files of lossless 2 hold them."""
    pixels, region = KINDS[kind](*size, channels, seed), MASKS[mask](*size, seed)
    payload = _native.graphic_encode(pixels, region.astype(np.uint8), 1, 1, 0, size[0], False)
    check_payload(payload, region, pixels, matches=False)


def tiled(rows, columns, shift, channels=3, seed=1):
    """A tile of noise again and again, every row of tiles moved by so much."""
    tile = np.tile(pictures.noise(16, 16, channels, seed), (1, columns, 1))
    return np.concatenate([np.roll(tile, shift * k, axis=1) for k in range(rows)])


@pytest.mark.parametrize("channels", mostly_slow(CHANNELS, 3))
@pytest.mark.parametrize("shift", mostly_slow([0, 5], 5))
def test_a_tile_is_paid_for_once(channels: int, shift: int) -> None:
    once, often = tiled(1, 1, 0, channels), tiled(6, 6, shift, channels)
    mask = np.ones(often.shape[:2], bool)
    cost = len(encode(once, mask[:16, :16]))
    assert len(check_picture(often, mask)) < 1.1 * cost + 30


def test_matches_begin_again_behind_a_fault() -> None:
    """A picture shown twice, with some pixels changed, and parts of it moved."""
    rng = np.random.default_rng(3)
    one = pictures.noise(24, 30, 3, 2)
    other = np.roll(one, 3, axis=1)
    other[rng.random(other.shape[:2]) < 0.05] = 9
    pixels = np.concatenate([one, other, one[::-1]])
    mask = np.ones(pixels.shape[:2], bool)
    both_ = len(check_picture(pixels[:48], mask[:48]))
    assert both_ < 1.35 * len(encode(one, mask[:24]))
    check_picture(pixels, mask & ~pictures.blobs(*mask.shape, 3))


@pytest.mark.slow
@pytest.mark.parametrize("apart", [13, 14, 25])
def test_matches_end_with_the_window(apart: int) -> None:
    """In a box so wide that 16 rows are the most: 13 rows up is the last that counts."""
    width = (1 << 16) + 5
    band = pictures.noise(8, 60, 3, 4)
    pixels = np.zeros((8 + apart, width, 3), np.uint8)
    mask = np.zeros(pixels.shape[:2], bool)
    mask[:, 200:260] = mask[0, 0] = mask[-1, -1] = True
    pixels[:, 200:260] = pictures.noise(len(pixels), 60, 3, 5)
    pixels[:8, 200:260] = pixels[apart:, 200:260] = band
    check_picture(pixels, mask)


# What any encoder may write

#: Bits from their probability p and a random number.
DRAWS = {
    "as expected": lambda p, u: 65536 * u < p,
    "likelier": lambda p, u: p >= 32768,
    "unlikelier": lambda p, u: p < 32768,
    "mostly unlikelier": lambda p, u: (p < 32768) ^ (u < 0.1),
    "coins": lambda p, u: u < 0.5,
    "mostly 1": lambda p, u: u < 0.9,
    "mostly 0": lambda p, u: u < 0.1,
    "1": lambda p, u: 1,
    "0": lambda p, u: 0,
}


def drawing(how, seed):
    rng = np.random.default_rng(seed)
    return lambda p: DRAWS[how](p, rng.random())


@given(
    size=sizes,
    channels=st.sampled_from(CHANNELS),
    how=st.sampled_from(sorted(DRAWS)),
    mask=masks,
    seed=st.integers(0, 999),
)
@check
def test_any_bits(size, channels, how, mask, seed) -> None:
    """Colours that are called new and are not, candidates that are named in other ways."""
    region, matches = MASKS[mask](*size, seed), seed % 4 > 0
    payload, pixels = graphic_of_bits(drawing(how, seed), region, channels, matches)
    if pixels is not None:
        check_payload(payload, region, pixels, matches)
    elif matches:
        assert_refused(payload, region, channels)


@pytest.mark.parametrize("how", mostly_slow(DRAWS, "mostly 0"))
def test_many_bits_of_a_kind(how: str) -> None:
    """So many that weights and counts reach their ends."""
    region = np.ones((50, 40), bool)
    bits = chain([lambda p: 0] * 2, repeat(drawing(how, 1)))  # the first colour must be new
    payload, pixels = graphic_of_bits(lambda p: next(bits)(p), region, 1)
    assert pixels is not None
    check_payload(payload, region, pixels)


def bits_of(bits):
    """The payload of bits of probability 1/2."""
    encoder = BinaryEncoder(lambda p: bits.pop(0))
    while bits:
        encoder.bit(32768)
    return encoder.payload()


def test_a_colour_seen_before_the_first_is_refused() -> None:
    """Not flat, and then no candidate is left: is it seen, and which byte is it?"""
    region = np.ones((1, 1), bool)
    payload = bits_of([0, 1])
    assert_refused(payload, region, 1)
    with pytest.raises(CorruptError, match="seen before the first"):
        decode(payload, region, 1)
    new = iter([0, 0, 0, 0, 0, 1, 0, 1, 1, 0])  # zigzag 22 is 11
    payload, pixels = graphic_of_bits(lambda p: next(new), region, 1)
    assert pixels == 11
    check_payload(payload, region, pixels)


def test_a_flat_picture_is_its_flat_bits() -> None:
    """Of probabilities that learn from 1/2 as the page says."""
    encoder, p = BinaryEncoder(lambda p: 1), 1 << 21
    for n in range(72):
        encoder.bit(p >> 6)
        p += (((1 << 22) - 1 - p) * (131072 // (2 * n + 3))) >> 16
    region = np.ones((9, 8), bool)
    for zero in ([0], [0, 0], [128, 0, 128], [128, 0, 128, 0]):
        pixels = np.tile(np.array(zero, np.uint8), (9, 8, 1))
        assert encoder.payload() == encode(pixels, region)
        check_payload(encoder.payload(), region, pixels)


# What nobody may write


@pytest.mark.parametrize("channels", CHANNELS)
def test_every_end_but_the_right_one_is_refused(channels: int) -> None:
    region = pictures.blobs(12, 11, 3)
    pixels = pictures.mixed(12, 11, channels, 2)
    payload = check_picture(pixels, region)
    for length in range(len(payload)):
        with pytest.raises(CorruptError):
            decode(payload[:length], region, channels)
    for length in (*range(0, len(payload), 29), *range(len(payload) - 5, len(payload))):
        assert_refused(payload[:length], region, channels, length)
    for more in (b"\0", b"\1", b"\xff", bytes(8), payload):
        assert_refused(payload + more, region, channels, more)


def test_numbers_above_the_lower_end_are_refused() -> None:
    """They lie in the interval, so that all pixels come out right, but they are other bytes."""
    region = np.ones((14, 13), bool)
    pixels = pictures.text(14, 13, 3)
    payload = encode(pixels, region)
    number = int.from_bytes(payload, "big")
    for above in (1, 2, 255, 256, 65536, (1 << 24) - 1):
        damaged = (number + above).to_bytes(len(payload), "big")
        found = np.zeros_like(pixels)
        with pytest.raises(CorruptError):
            _native.graphic_decode(damaged, found, region.astype(np.uint8), 1, 1, 0, 14)
        np.testing.assert_array_equal(found, pixels)
        assert_refused(damaged, region, 3, above)


def assert_means_the_same(payload, mask, channels, what=""):
    """Like `assert_same`; and if bytes are left over, the pixels before them are the same.

    Whether there were enough bytes for all pixels.
    """
    found = np.zeros((*mask.shape, channels), np.uint8)
    expected = None

    def by_kernel():
        _native.graphic_decode(payload, found, mask.astype(np.uint8), 1, 1, 0, len(mask))
        return found

    def by_reference():
        nonlocal expected
        decoder = reference.BinaryDecoder(payload)
        expected = reference.graphic_pixels(decoder, mask, channels)
        decoder.finish()
        return expected

    assert_same(*both(by_kernel, by_reference), what)
    if expected is not None:
        np.testing.assert_array_equal(found, expected, err_msg=str(what))
    return expected is not None


@pytest.mark.parametrize("channels", mostly_slow(CHANNELS, 3))
def test_flipped_bits_mean_the_same_to_both(channels: int) -> None:
    mask, complete = pictures.blobs(13, 12, 2), 0
    for kind in ("mixed", "few colours"):
        payload = encode(KINDS[kind](13, 12, channels), mask)
        for bit in range(0, 8 * len(payload), 5 * channels):
            damaged = bytearray(payload)
            damaged[bit // 8] ^= 1 << bit % 8
            complete += assert_means_the_same(bytes(damaged), mask, channels, f"bit {bit}")
    assert complete > 20


@given(
    channels=st.sampled_from(CHANNELS),
    mask=masks,
    start=st.binary(max_size=12),
    length=st.integers(0, 1500),
    seed=st.integers(0, 999),
)
@check
def test_any_bytes_mean_the_same_to_both(channels, mask, start, length, seed) -> None:
    region = MASKS[mask](7, 9, seed)
    payload = start + np.random.default_rng(seed).bytes(length)
    if payload[:4] != b"\xff\xff\xff\xff":
        assert_means_the_same(payload, region, channels)


def test_an_offset_beyond_the_range_is_refused() -> None:
    """Every bit is 0 as long as it is there; then it may not be forgotten."""
    region, rng = np.ones((9, 9), bool), np.random.default_rng(1)
    encoder = BinaryEncoder(lambda p: encoder.length > 7 and rng.random() < 0.5)
    pixels = reference.graphic_pixels(encoder, region, 3)
    payload = encoder.payload()
    check_payload(payload, region, pixels)
    assert_refused(b"\xff\xff\xff\xff" + payload[4:], region, 3)


# What is no picture


def test_wrong_arrays_and_rows_are_bad_arguments() -> None:
    pixels, classes = pictures.noise(6, 8, 3), np.ones((6, 8), np.uint8)
    payload = _native.graphic_encode(pixels, classes, 1, 1, 0, 6)

    def jobs(pixels, classes, top, bottom):
        yield lambda: _native.graphic_encode(pixels, classes, 1, 1, top, bottom)
        yield lambda: _native.graphic_decode(payload, pixels, classes, 1, 1, top, bottom)

    wrong = [
        (pixels, classes, -1, 6),
        (pixels, classes, 0, 7),
        (pixels, classes, 4, 3),
        (pixels[:5].copy(), classes, 0, 5),
        (pixels[:, :7].copy(), classes, 0, 6),
        (pixels, classes[:5], 0, 5),
        (pixels, pixels, 0, 6),
        (pixels, classes[0], 0, 6),
        (pixels[0, 0].copy(), classes, 0, 6),
        (pixels[None].copy(), classes, 0, 6),
        (pictures.noise(6, 8, 5), classes, 0, 6),
        (np.empty((6, 8, 0), np.uint8), classes, 0, 6),
    ]
    for arguments in wrong:
        for job in jobs(*arguments):
            with pytest.raises(ValueError):
                job()
    pixels.flags.writeable = False
    with pytest.raises(TypeError):
        _native.graphic_decode(payload, pixels, classes, 1, 1, 0, 6)


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (0, 0)])
def test_pictures_without_pixels(shape: tuple[int, int]) -> None:
    check_picture(np.empty((*shape, 3), np.uint8), np.empty(shape, bool))


def test_two_axes_are_one_channel() -> None:
    pixels, classes = pictures.text(20, 20, 1), np.ones((20, 20), np.uint8)
    payload = _native.graphic_encode(pixels[..., 0].copy(), classes, 1, 1, 0, 20)
    assert payload == encode(pixels, classes > 0)
    found = np.zeros((20, 20), np.uint8)
    _native.graphic_decode(payload, found, classes, 1, 1, 0, 20)
    np.testing.assert_array_equal(found, pixels[..., 0])
