"""The lossless coder on regions of any shape: exact, as the reference reads it, and robust."""

import numpy as np
import pictures
import pytest
import reference
import streams
from agreement import assert_same, both, kernel_sets
from hypothesis import given, settings
from hypothesis import strategies as st
from pictures import KINDS, MASKS

from aig_codec import CorruptError, _native
from aig_codec.coders import lossless
from aig_codec.threads import Workers

check = settings(max_examples=100, deadline=None, derandomize=True)

EFFORTS = (1, 5, 8, 9)
TOGETHER, WITH_ALPHA = 0, 3


@pytest.fixture
def small_bands(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many bands as a picture has strips, or almost."""
    monkeypatch.setattr(lossless, "_GRAPHIC_BAND_PIXELS", 40)
    monkeypatch.setattr(lossless, "_BAND_PIXELS", 40)


def _decode(payload, mask, channels, fill=77):
    pixels = np.full((*mask.shape, channels), fill, np.uint8)
    lossless.decode(payload, pixels, mask.astype(np.uint8), 1, 1)
    return pixels


def _check_payload(payload, pixels, mask):
    """All kernels and the reference read these pixels, and the kernels touch no other."""
    for name in kernel_sets():
        decoded = _decode(payload, mask, pixels.shape[2])
        np.testing.assert_array_equal(decoded[mask], pixels[mask], err_msg=name)
        assert (decoded[~mask] == 77).all(), "pixels outside the region were touched"
    by_reference = reference.decode_lossless(payload, mask, pixels.shape[2])
    np.testing.assert_array_equal(by_reference[mask], pixels[mask])


def _check_both(pixels, mask, effort=5):
    """Code it with all kernels, which must give the same bytes, and check those."""
    payloads = set()
    for _ in kernel_sets():
        payloads.add(lossless.encode(pixels, mask.astype(np.uint8), 1, 1, effort))
    assert len(payloads) == 1
    payload = payloads.pop()
    _check_payload(payload, pixels, mask)
    return payload


def _photo(pixels, mask, bands=1, effort=5):
    """A segment in which everything is photograph, whatever the encoder would choose."""
    channels, classes = pixels.shape[2], mask.astype(np.uint8)
    parts = [(0, 3)] if channels > 2 else [(0, 1)]
    if channels in (2, 4):
        parts.append((channels - 1, 1))
    coded = []
    for rows in reference.bands_of(mask, bands):
        region = classes, 1, 1, rows.start, rows.stop
        how = lossless._search(effort, int(mask[rows].sum()))
        colour, *alpha = (_native.photo_encode(pixels, *part, *region, *how) for part in parts)
        coded.append(
            bytes([WITH_ALPHA]) + reference.varint(len(colour)) + colour + alpha[0]
            if alpha
            else bytes([TOGETHER]) + colour
        )
    return streams.segment_of(coded)


@given(
    size=st.tuples(st.integers(1, 40), st.integers(1, 18)),
    channels=st.integers(1, 4),
    kind=st.sampled_from(sorted(KINDS)),
    mask=st.sampled_from(sorted(MASKS)),
    effort=st.sampled_from(EFFORTS),
    seed=st.integers(0, 999),
)
@check
def test_any_region_round_trips(size, channels, kind, mask, effort, seed) -> None:
    pixels, region = KINDS[kind](*size, channels, seed), MASKS[mask](*size, seed)
    _check_both(pixels, region, effort)
    _check_payload(_photo(pixels, region, effort=effort), pixels, region)


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_every_mask_round_trips_at_every_effort(mask: str, channels: int) -> None:
    for seed, effort in enumerate(EFFORTS):
        pixels, region = pictures.mixed(37, 26, channels, seed), MASKS[mask](37, 26, seed)
        _check_both(pixels, region, effort)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("value", [0, 1, 128, 254, 255])
def test_one_value_everywhere(channels: int, value: int) -> None:
    pixels, mask = np.full((35, 33, channels), value, np.uint8), np.ones((35, 33), bool)
    _check_both(pixels, mask)
    _check_payload(_photo(pixels, mask), pixels, mask)


def test_corners_of_the_colour_cube_round_trip() -> None:
    """Every jump between extreme colours, where the transform's samples reach their ranges."""
    levels = np.array([0, 1, 127, 128, 254, 255], np.uint8)
    cube = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(-1, 3)
    rng = np.random.default_rng(3)
    pixels = cube[rng.permutation(np.tile(np.arange(216), 4))].reshape(27, 32, 3)
    mask = np.ones((27, 32), bool)
    _check_both(pixels, mask)
    _check_both(np.concatenate([pixels, pixels[::-1, :, :1]], axis=2), mask)


@pytest.mark.parametrize("period", [1, 2, 3, 16])
def test_checkerboards_round_trip(period: int) -> None:
    y, x = np.indices((40, 36)) // period
    board = ((y + x) % 2 * 255).astype(np.uint8)
    for channels in (1, 3):
        pixels = np.stack([board ^ (255 * (c % 2)) for c in range(channels)], axis=-1)
        mask = np.ones(board.shape, bool)
        _check_both(pixels, mask)
        _check_payload(_photo(pixels, mask), pixels, mask)


def test_one_class_of_many_is_coded() -> None:
    classes = pictures.class_map(30, 34, 6)
    pixels = pictures.mixed(30, 34, 3)
    for first, last in ((1, 1), (2, 2), (5, 7), (0, 0), (1, 3)):
        region = (classes >= first) & (classes <= last)
        payload = lossless.encode(pixels, classes, first, last)
        decoded = np.zeros_like(pixels)
        lossless.decode(payload, decoded, classes, first, last)
        np.testing.assert_array_equal(decoded, np.where(region[..., None], pixels, 0))
        np.testing.assert_array_equal(reference.decode_lossless(payload, region, 3), decoded)


def test_pixels_outside_the_region_are_not_coded() -> None:
    mask = pictures.blobs(24, 24, 4)
    assert 0 < mask.sum() < mask.size
    one = pictures.mixed(24, 24, 3)
    other = np.where(mask[..., None], one, pictures.noise(24, 24, 3, 9))
    assert len({_photo(pixels, mask) for pixels in (one, other)}) == 1


def test_smooth_pictures_cost_less_than_noise() -> None:
    everything = np.ones((48, 48), np.uint8)
    sizes = {
        kind: len(lossless.encode(KINDS[kind](48, 48, 3), everything, 1, 1))
        for kind in ("constant", "smooth", "noise")
    }
    assert sizes["constant"] < 100
    assert sizes["smooth"] < 0.45 * 48 * 48 * 3
    # A reversible transform of noise costs a little more than the noise itself.
    assert 48 * 48 * 3 < sizes["noise"] < 1.2 * 48 * 48 * 3


# Bands


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_several_bands(mask: str, channels: int, small_bands: None) -> None:
    pixels, region = pictures.mixed(70, 21, channels, 3), MASKS[mask](70, 21, 3)
    payload = _check_both(pixels, region)
    assert payload[0] > 1 or region.sum() < 100
    for bands in range(1, max(1, -(-_rows(region) // 16)) + 1):
        payload = _photo(pixels, region, bands)
        assert payload[0] == bands
        _check_payload(payload, pixels, region)


def _rows(region):
    rows = np.flatnonzero(region.any(axis=1))
    return int(rows[-1] - rows[0]) + 1 if len(rows) else 0


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_threads_change_nothing(channels: int, small_bands: None) -> None:
    pixels, mask = pictures.mixed(100, 33, channels), pictures.blobs(100, 33, 2)
    classes = mask.astype(np.uint8)
    payloads = set()
    for threads in (1, 2, 4):
        with Workers(threads) as workers:
            payloads.add(lossless.start_encoding(pixels, classes, 1, 1, 5, workers).result())
    assert len(payloads) == 1
    payload = payloads.pop()
    assert payload[0] > 1
    for threads in (1, 3):
        decoded = np.zeros_like(pixels)
        with Workers(threads) as workers:
            for job in lossless.start_decoding(payload, decoded, classes, 1, 1, workers):
                job.result()
        np.testing.assert_array_equal(decoded, np.where(mask[..., None], pixels, 0))


def test_a_band_without_pixels() -> None:
    mask = np.zeros((64, 20), bool)
    mask[3:9], mask[60:, 5] = True, True
    for channels, empty in ((3, b"\0"), (4, b"\3\0")):
        pixels = pictures.noise(64, 20, channels)
        payload = _photo(pixels, mask, 4)
        _check_payload(payload, pixels, mask)
        assert payload.count(empty, 5) >= 2


def test_the_number_of_bands_is_limited() -> None:
    mask = np.ones((40, 9), bool)
    pixels = pictures.noise(40, 9, 1)
    payload = _photo(pixels, mask, 3)
    for damaged in (
        b"\0" + payload[1:],
        b"\0",
        b"\4\0" + payload[1:],
        b"\xff\xff\xff\xff\x0f" + payload[1:],
        b"\x80\x80\x80\x80\x80\x00" + payload,
    ):
        _assert_refused(damaged, mask, 1)


def _band_of(segment):
    """The only band of a segment."""
    source = reference.ByteReader(segment)
    assert source.varint() == 1
    return source.take(source.varint())


def test_lengths_of_bands_must_be_right() -> None:
    mask = np.ones((25, 9), bool)
    pixels = pictures.noise(25, 9, 2)
    bands = [_band_of(_photo(pixels[rows], mask[rows])) for rows in (np.s_[:16], np.s_[16:])]
    _check_payload(streams.segment_of(bands), pixels, mask)
    whole = streams.segment_of(bands)
    longer = bytearray(whole)
    longer[1] += 1
    wrong = [bytes(longer), whole + b"\0", streams.segment_of(bands[::-1])]
    wrong += [streams.segment_of([bands[0], b""]), streams.segment_of([bands[0] + b"\0", bands[1]])]
    for damaged in wrong:
        _assert_refused(damaged, mask, 2)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_methods_are_for_their_channels(channels: int) -> None:
    mask = np.ones((9, 9), bool)
    payload = bytearray(_photo(pictures.noise(9, 9, channels), mask))
    at = payload.index(bytes([TOGETHER if channels in (1, 3) else WITH_ALPHA]), 2)
    right = {TOGETHER} if channels in (1, 3) else {WITH_ALPHA}
    for method in {0, 1, 2, 3, 4, 255} - right:
        payload[at] = method
        _assert_refused(bytes(payload), mask, channels)


def test_alpha_may_not_reach_beyond_its_band() -> None:
    mask = np.ones((9, 9), bool)
    pixels = pictures.noise(9, 9, 4)
    band = _band_of(_photo(pixels, mask))
    assert band[1] > 127 > band[2], "a length of two bytes"
    _check_payload(streams.segment_of([band]), pixels, mask)
    for length in (0, 1, len(band) - 3, len(band) - 2, len(band), 1 << 30):
        damaged = band[:1] + reference.varint(length) + band[3:]
        _assert_refused(streams.segment_of([damaged]), mask, 4)


# Damage


def _both(payload, mask, channels):
    """What kernel and reference make of a payload: pixels, or None where they refuse it."""
    return both(
        lambda: _decode(payload, mask, channels, fill=0),
        lambda: reference.decode_lossless(payload, mask, channels),
    )


def _assert_refused(payload, mask, channels):
    with pytest.raises(CorruptError):
        _decode(payload, mask, channels)
    with pytest.raises(reference.BadFile):
        reference.decode_lossless(payload, mask, channels)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("bands", [1, 2])
def test_flipped_bits_mean_the_same_to_both(channels: int, bands: int) -> None:
    mask = pictures.blobs(25, 9, 1)
    payload = _photo(pictures.mixed(25, 9, channels), mask, bands)
    for bit in range(0, 8 * len(payload), 3 if channels == 1 else 13):
        damaged = bytearray(payload)
        damaged[bit // 8] ^= 1 << bit % 8
        assert_same(*_both(bytes(damaged), mask, channels), f"bit {bit}")


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_truncation_is_noticed(channels: int, small_bands: None) -> None:
    mask = np.ones((30, 11), bool)
    for kind in ("noise", "text"):
        pixels = KINDS[kind](30, 11, channels)
        coded = lossless.encode(pixels, mask.astype(np.uint8), 1, 1)
        for payload in (coded, _photo(pixels, mask, 2)):
            for length in range(len(payload)):
                with pytest.raises(CorruptError):
                    _decode(payload[:length], mask, channels)


@pytest.mark.parametrize("kind", ["noise", "text"])
def test_the_payload_of_another_region_is_refused(kind: str) -> None:
    region = pictures.blobs(20, 16, 2)
    pixels = KINDS[kind](20, 16, 1)
    larger, smaller = region.copy(), region.copy()
    larger[0] = True
    smaller[: int(np.flatnonzero(region.any(axis=1))[0]) + 3] = False
    coded = lossless.encode(pixels, region.astype(np.uint8), 1, 1)
    for payload in (coded, _photo(pixels, region)):
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
