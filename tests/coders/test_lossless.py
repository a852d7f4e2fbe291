"""The lossless coder on regions of any shape: exact, as the reference reads it, and robust."""

import io

import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from support import pictures, streams
from support.agreement import assert_same, both, kernel_sets
from support.pictures import KINDS, MASKS, greyed
from support.tiers import mostly_slow

from aig_codec import CorruptError, _native
from aig_codec.coders import lossless
from aig_codec.threads import Workers

check = settings(max_examples=100, deadline=None, derandomize=True)

EFFORTS = (1, 5, 8, 9)
PHOTO, OLD_GRAPHIC, OLD_GRAPHIC_ALPHA, PHOTO_ALPHA, GREY = range(5)
MATCHES = 8
GRAPHIC, GRAPHIC_ALPHA = MATCHES + OLD_GRAPHIC, MATCHES + OLD_GRAPHIC_ALPHA
MIXED = 16
INDEXED, RANKS = 32, 33

#: The methods with graphics in them.
GRAPHICS = {1, 2, 6, 9, 10, 14}

#: Number of channels -> its methods (format.md, 7.1.1).
METHODS = {1: (0, 1, 9), 2: (1, 2, 3, 9, 10), 3: (0, 1, 4, 9), 4: (1, 2, 3, 6, 7, 9, 10, 14)}
EVERY_METHOD = [(channels, method) for channels in METHODS for method in METHODS[channels]]


@pytest.fixture
def small_bands(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many bands as a picture has strips, or almost."""
    monkeypatch.setattr(lossless.codec, "_GRAPHIC_BAND_PIXELS", 40)
    monkeypatch.setattr(lossless.codec, "_BAND_PIXELS", 40)


def _decode(payload, mask, channels, fill=77, dtype=np.uint8):
    pixels = np.full((*mask.shape, channels), fill, dtype)
    lossless.decode(payload, pixels, mask.astype(np.uint8), 1, 1)
    return pixels


def _check_payload(payload, pixels, mask):
    """All kernels and the reference read these pixels, and the kernels touch no other."""
    for name in kernel_sets():
        decoded = _decode(payload, mask, pixels.shape[2], dtype=pixels.dtype)
        np.testing.assert_array_equal(decoded[mask], pixels[mask], err_msg=name)
        assert (decoded[~mask] == 77).all(), "pixels outside the region were touched"
    most = np.iinfo(pixels.dtype).max
    by_reference = reference.decode_lossless(payload, mask, pixels.shape[2], most)
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


def _band(pixels, mask, rows, method, effort=5):
    """Those rows by a method that need not be one of so many channels."""
    channels, classes = pixels.shape[2], mask.astype(np.uint8)
    region = classes, 1, 1, rows.start, rows.stop

    def photo(first, planes):
        how = lossless.choice.how_hard(effort, int(mask[rows].sum()))
        return _native.photo_encode(pixels, first, planes, *region, how.search, how.bias[0])

    def graphic(part):
        return _native.graphic_encode(part.copy(), *region, method & MATCHES > 0)

    grey, kind = method & GREY, method & 3
    if kind == OLD_GRAPHIC:
        return bytes([method]) + graphic(pixels)
    colour = photo(0, 3 if channels > 2 and not grey else 1)
    if kind == PHOTO:
        return bytes([method]) + colour
    last = channels - 1
    alpha = graphic(pixels[..., last:]) if kind == OLD_GRAPHIC_ALPHA else photo(last, 1)
    return bytes([method]) + reference.varint(len(colour)) + colour + alpha


def _segment(pixels, mask, methods, effort=5):
    """A band by each of the methods."""
    rows = reference.bands_of(mask, len(methods))
    bands = (_band(pixels, mask, *which, effort) for which in zip(rows, methods, strict=True))
    return streams.segment_of(list(bands))


def _photo(pixels, mask, bands=1, effort=5):
    """A segment in which everything is photograph, whatever the encoder would choose."""
    method = PHOTO if pixels.shape[2] in (1, 3) else PHOTO_ALPHA
    return _segment(pixels, mask, [method] * bands, effort)


def _bands_of_segment(segment):
    source = reference.ByteReader(segment)
    return [source.take(n) for n in [source.varint() for _ in range(source.varint())]]


def _methods(segment):
    """The methods of its bands."""
    return [band[0] for band in _bands_of_segment(segment)]


def _picture(kind, alpha=None, channels=3, size=(96, 128), seed=3):
    """A picture of a kind, with alpha of another one."""
    pixels = KINDS[kind](*size, channels, seed)
    if alpha is None:
        return pixels
    return np.concatenate([pixels, KINDS[alpha](*size, 1, seed + 2)], axis=2)


@pytest.mark.slow
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
@pytest.mark.parametrize("channels", mostly_slow([1, 2, 3, 4], 3))
def test_every_mask_round_trips_at_every_effort(mask: str, channels: int) -> None:
    for seed, effort in enumerate(EFFORTS):
        pixels, region = pictures.mixed(34, 18, channels, seed), MASKS[mask](34, 18, seed)
        _check_both(pixels, region, effort)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("value", mostly_slow([0, 1, 128, 254, 255], 255))
def test_one_value_everywhere(channels: int, value: int) -> None:
    pixels, mask = np.full((35, 33, channels), value, np.uint8), np.ones((35, 33), bool)
    _check_both(pixels, mask)
    _check_payload(_photo(pixels, mask), pixels, mask)


@pytest.mark.slow
def test_corners_of_the_colour_cube_round_trip() -> None:
    """Every jump between extreme colours, where the transform's samples reach their ranges."""
    levels = np.array([0, 1, 127, 128, 254, 255], np.uint8)
    cube = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(-1, 3)
    rng = np.random.default_rng(3)
    pixels = cube[rng.permutation(np.tile(np.arange(216), 4))].reshape(27, 32, 3)
    mask = np.ones((27, 32), bool)
    _check_both(pixels, mask)
    _check_both(np.concatenate([pixels, pixels[::-1, :, :1]], axis=2), mask)


@pytest.mark.parametrize("period", mostly_slow([1, 2, 3, 16], 2))
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


# Methods


@pytest.mark.parametrize(("channels", "method"), EVERY_METHOD)
@pytest.mark.parametrize("kind", mostly_slow(["mixed", "few colours", "noise"], "few colours"))
def test_every_method_round_trips(kind: str, channels: int, method: int) -> None:
    assert reference.METHODS.keys() == METHODS.keys()
    assert reference.METHODS[channels] == set(METHODS[channels])
    for seed, mask in enumerate(("full", "blobs", "sparse", "empty")):
        region = MASKS[mask](34, 18, seed)
        pixels = KINDS[kind](34, 18, channels, seed)
        if method & GREY:
            pixels = greyed(pixels)
        for bands in (1, 2):
            if region.any() or bands == 1:
                _check_payload(_segment(pixels, region, [method] * bands), pixels, region)


@pytest.mark.parametrize("channels", METHODS)
def test_bands_of_all_methods_in_one_segment(channels: int) -> None:
    """Each of them twice, in any order, and some without a pixel."""
    rng = np.random.default_rng(channels)
    methods = rng.permutation(METHODS[channels] * 2)
    mask = pictures.blobs(16 * len(methods), 25, 3) | MASKS["sparse"](16 * len(methods), 25)
    mask[32:48] = False
    mask[[0, -1]] = True
    pixels = pictures.mixed(*mask.shape, channels)
    if channels > 2:
        pixels = greyed(pixels)
    payload = _segment(pixels, mask, methods.tolist())
    assert _methods(payload) == methods.tolist()
    _check_payload(payload, pixels, mask)


SCREEN_CONTENT = ("text", "dithered", "few colours", "antialiased", "extremes", "constant")
TAKEN = ("smooth", "grainy")


@pytest.mark.parametrize("channels", METHODS)
@pytest.mark.parametrize("kind", SCREEN_CONTENT)
def test_drawings_are_graphics(kind: str, channels: int) -> None:
    pixels, mask = _picture(kind, channels=channels), np.ones((96, 128), bool)
    for effort in EFFORTS:
        payload = lossless.encode(pixels, mask.astype(np.uint8), 1, 1, effort)
        assert _methods(payload) == [GRAPHIC]
    np.testing.assert_array_equal(_decode(payload, mask, channels), pixels)
    others = set(METHODS[channels]) & {PHOTO, PHOTO_ALPHA, GRAPHIC_ALPHA}
    assert all(len(payload) < len(_segment(pixels, mask, [m])) for m in others)


@pytest.mark.parametrize("kind", TAKEN)
def test_photographs_are_none(kind: str) -> None:
    mask = np.ones((96, 128), bool)

    def check_methods(pixels, method, efforts=(5,)):
        for effort in efforts:
            payload = lossless.encode(pixels, mask.astype(np.uint8), 1, 1, effort)
            photo = len(_segment(pixels, mask, [method], effort))
            # What is smooth and has few levels recurs, so that both are tried; little effort loses.
            if effort > 1 or kind != "smooth":
                mixed = MIXED + (method & GREY)
                assert _methods(payload) == [method if effort < 7 else mixed]
            assert len(payload) <= photo
            np.testing.assert_array_equal(_decode(payload, mask, pixels.shape[2]), pixels)
            if effort == 5:
                assert len(payload) < len(_segment(pixels, mask, [GRAPHIC]))

    for channels in (1, 3):
        check_methods(_picture(kind, channels=channels), PHOTO, EFFORTS)
    check_methods(greyed(_picture(kind)), GREY + PHOTO, EFFORTS)
    for alpha in (*TAKEN, *SCREEN_CONTENT):
        method = PHOTO_ALPHA if alpha in TAKEN else GRAPHIC_ALPHA
        check_methods(_picture(kind, alpha, channels=1), method)
        check_methods(_picture(kind, alpha), method)
        check_methods(greyed(_picture(kind, alpha)), GREY + method)


def test_what_takes_few_bits_is_tried_as_graphics(monkeypatch: pytest.MonkeyPatch) -> None:
    pixels, mask = _picture("gradient", channels=1), np.ones((96, 128), bool)
    monkeypatch.setattr(lossless.choice, "_SMALL_REPETITION", 2.0)
    monkeypatch.setattr(lossless.choice, "_SOME_REPETITION", 2.0)
    monkeypatch.setattr(lossless.choice, "MUCH_REPETITION", 2.0)
    monkeypatch.setattr(lossless.choice, "recurs", lambda *_: False)
    for limit, method in ((0.7, GRAPHIC), (0.3, PHOTO)):
        monkeypatch.setattr(lossless.choice, "_FEW_BITS", limit)
        assert _methods(_check_both(pixels, mask)) == [method]


def test_alpha_is_judged_by_its_own_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many the colours in front of it take."""
    pixels, mask = _picture("noise", "gradient"), np.ones((96, 128), bool)
    monkeypatch.setattr(lossless.choice, "_SMALL_REPETITION", 2.0)
    monkeypatch.setattr(lossless.choice, "_SOME_REPETITION", 2.0)
    monkeypatch.setattr(lossless.choice, "MUCH_REPETITION", 2.0)
    monkeypatch.setattr(lossless.choice, "recurs", lambda *_: False)
    for limit, method in ((0.7, GRAPHIC_ALPHA), (0.3, PHOTO_ALPHA)):
        monkeypatch.setattr(lossless.choice, "_FEW_BITS", limit)
        assert _methods(_check_both(pixels, mask)) == [method]


def _tiles(channels=3, seed=1):
    """Tiles of noise as a game has them, in rows that are moved."""
    rng = np.random.default_rng(seed)
    tiles = [pictures.noise(16, 16, channels, k) for k in range(5)]
    rows = [np.concatenate([tiles[k] for k in rng.integers(0, 5, 12)], 1) for _ in range(10)]
    return np.concatenate([np.roll(row, 5 * k, axis=1) for k, row in enumerate(rows)])


def _dithered_photograph(levels):
    """Ordered dithering of a photograph to so many levels a channel."""
    pixels = pictures.grainy(120, 160, 3, 5).astype(float) * (levels - 1) / 255
    bayer = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]]) / 16
    dithered = np.floor(pixels + np.tile(bayer, (30, 40))[..., None]) * 255 / (levels - 1)
    return dithered.astype(np.uint8)


RECURRING = {
    "noise tiles": _tiles(),
    "noise tiles with alpha": _tiles(4),
    "one tile": np.tile(pictures.noise(16, 16, 3), (8, 8, 1)),
    "photograph beside itself": np.tile(pictures.grainy(90, 100, 3, 4), (1, 2, 1)),
    "photograph above itself": np.tile(pictures.grainy(90, 100, 3, 4), (2, 1, 1)),
    "dithered": _dithered_photograph(3),
    "pixel art": np.kron(_dithered_photograph(4)[:30, :40], np.ones((4, 4, 1), np.uint8)),
    "letters on a pattern": np.where(
        pictures.text(96, 160, 3) < 128,
        20,
        np.tile(pictures.noise(12, 16, 3) // 8 + 200, (8, 10, 1)),
    ).astype(np.uint8),
}


@pytest.mark.parametrize("name", RECURRING)
def test_what_recurs_is_drawn_and_small(name: str) -> None:
    """Not above 1.3 times WebP, the 120 bytes of a container included."""
    pixels = RECURRING[name]
    classes = np.ones(pixels.shape[:2], np.uint8)
    payload = lossless.encode(pixels, classes, 1, 1)
    assert _methods(payload) == [GRAPHIC]
    np.testing.assert_array_equal(_decode(payload, classes > 0, pixels.shape[2]), pixels)
    webp = io.BytesIO()
    Image.fromarray(pixels).save(webp, "WEBP", lossless=True, quality=100, method=6, exact=True)
    assert len(payload) + 120 <= 1.3 * len(webp.getvalue())


def test_photographs_do_not_recur() -> None:
    pixels, classes = pictures.grainy(200, 300, 3), np.ones((200, 300), np.uint8)
    places, right, looked_at, colours, grey = _native.recurrence(pixels, classes, 1, 1, 0, 200)
    assert places > 100
    assert right < 0.1 * places
    assert colours > 0.25 * looked_at
    assert not grey
    assert _native.recurrence(greyed(pixels), classes, 1, 1, 0, 200)[-1]


def test_recurrence_looks_at_the_region_alone() -> None:
    pixels, classes = pictures.noise(64, 96, 3), np.zeros((64, 96), np.uint8)
    assert _native.recurrence(pixels, classes, 1, 1, 0, 64) == (0, 0, 0, 0, True)
    classes[8:56, 16:80] = 1
    pixels[8:56, 16:80] = np.tile(pixels[8:24, 16:32], (3, 4, 1))
    places, right, looked_at, _, _ = _native.recurrence(pixels, classes, 1, 1, 0, 64)
    assert right > 0.5 * places > 10
    assert looked_at == 48 * 64
    for size in ((1, 1), (1, 5), (2, 2), (3, 1), (5000, 1), (1, 5000)):
        every = np.ones(size, np.uint8)
        found = _native.recurrence(pictures.noise(*size, 1), every, 1, 1, 0, size[0])
        assert 0 < found[2] <= every.size


def test_ramps_are_drawn() -> None:
    """No pixel repeats another one, but every slope goes on."""
    pixels, mask = _picture("gradient"), np.ones((96, 128), bool)
    assert _methods(_check_both(pixels, mask)) == [GRAPHIC]


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (4, 4), (16, 16), (1, 60)])
def test_tiny_pictures_are_tried_as_both(size: tuple[int, int]) -> None:
    mask = np.ones(size, bool)
    for kind in ("noise", "smooth"):
        pixels = KINDS[kind](*size, 3)
        payload = _check_both(pixels, mask)
        assert len(payload) <= min(len(_segment(pixels, mask, [m])) for m in (PHOTO, GRAPHIC))


def test_drawings_have_larger_bands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lossless.codec, "_GRAPHIC_BAND_PIXELS", 96 * 128)
    monkeypatch.setattr(lossless.codec, "_BAND_PIXELS", 96 * 128 // 4)
    classes = np.ones((96, 128), np.uint8)
    for kind, methods in (("text", [GRAPHIC]), ("grainy", [PHOTO] * 4)):
        assert _methods(lossless.encode(_picture(kind), classes, 1, 1)) == methods


def test_every_band_has_the_method_that_suits_it(small_bands: None) -> None:
    """Photographs with grey and with colour, and text, one above the other, each of some bands."""
    size = 64, 128
    parts = [
        _picture("smooth"),
        greyed(_picture("smooth")),
        _picture("text"),
        _picture("smooth"),
    ]
    pixels = np.concatenate([part[: size[0]] for part in parts])
    mask = np.ones(pixels.shape[:2], bool)
    payload = _check_both(pixels, mask)
    expected = [PHOTO, GREY + PHOTO, GRAPHIC, PHOTO]
    methods = _methods(payload)
    assert len(methods) == 16
    assert methods == [method for method in expected for _ in range(4)]


def test_only_pixels_of_the_region_decide() -> None:
    """A drawing in a photograph is one, and grey in colours is grey, whatever is around them."""
    mask = np.zeros((96, 128), bool)
    mask[20:80, 30:100] = True
    for inside, method in (
        (_picture("text"), GRAPHIC),
        (greyed(_picture("smooth")), GREY + PHOTO),
    ):
        pixels = np.where(mask[..., None], inside, _picture("smooth", seed=8))
        assert _methods(_check_both(pixels, mask)) == [method]


@pytest.mark.parametrize("bands", [1, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_grey_stored_as_colour_costs_little(kind: str, bands: int, monkeypatch) -> None:
    monkeypatch.setattr(lossless.codec, "_BAND_PIXELS", 96 * 128 // bands)
    monkeypatch.setattr(lossless.choice, "_FEW_PIXELS", 1024)
    pixels, classes = _picture(kind, channels=1), np.ones((96, 128), np.uint8)
    as_grey = lossless.encode(pixels, classes, 1, 1)
    as_colour = lossless.encode(greyed(pixels), classes, 1, 1)
    with_alpha = lossless.encode(np.dstack([greyed(pixels), pixels // 255]), classes, 1, 1)
    grey_with_alpha = lossless.encode(np.dstack([pixels, pixels // 255]), classes, 1, 1)
    drawn = _methods(as_colour).count(GRAPHIC)
    assert drawn >= _methods(as_grey).count(GRAPHIC)
    if drawn:  # that G is followed by 128 and 128 must be learnt, and for every colour said
        colours = len(np.unique(pixels))
        assert len(as_colour) <= len(as_grey) + drawn * (8 + 2 * min(colours, 30))
    else:
        assert set(_methods(as_colour)) == {GREY + PHOTO}
        assert len(as_colour) <= len(as_grey) + len(_methods(as_grey))
        more = 60 if GRAPHIC in _methods(grey_with_alpha) else 1
        assert len(with_alpha) <= len(grey_with_alpha) + more * len(_methods(as_grey))


# Bands


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("channels", mostly_slow([1, 3, 4], 3))
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
@pytest.mark.parametrize("kind", ["mixed", "text", "smooth"])
def test_threads_change_nothing(kind: str, channels: int, small_bands: None) -> None:
    pixels, mask = KINDS[kind](100, 33, channels), pictures.blobs(100, 33, 2)
    if channels in (2, 4):
        pixels[..., -1] = pictures.text(100, 33, 1)[..., 0]
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
    (band,) = _bands_of_segment(segment)
    return band


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


@pytest.mark.parametrize("channels", METHODS)
def test_methods_are_for_their_channels(channels: int) -> None:
    """Other methods than the right one are unknown, or make nothing of the bytes."""
    mask = np.ones((9, 9), bool)
    pixels = pictures.noise(9, 9, channels)
    for right in METHODS[channels]:
        if right & GREY:
            pixels = greyed(pixels)
        payload = bytearray(_segment(pixels, mask, [right]))
        at = len(payload) - len(_band_of(payload))
        assert payload[at] == right
        _check_payload(bytes(payload), pixels, mask)
        for method in {*range(17), 64, 128, 255} - {right}:
            payload[at] = method
            _assert_refused(bytes(payload), mask, channels)


@pytest.mark.parametrize("channels", METHODS)
def test_methods_of_other_channels_are_refused_by_themselves(channels: int) -> None:
    """Bands in which nothing is wrong but the method."""
    mask = np.ones((19, 21), bool)
    pixels = pictures.constant(19, 21, channels)
    pixels[5:9] = 7
    pixels = greyed(pixels) if channels > 2 else pixels
    for method in range(8):
        if method in METHODS[channels]:
            continue
        payload = _segment(pixels, mask, [method])
        assert _methods(payload) == [method]
        with pytest.raises(CorruptError, match=f"method {method} "):
            _decode(payload, mask, channels)
        with pytest.raises(reference.BadFile, match="method"):
            reference.decode_lossless(payload, mask, channels)


@pytest.mark.parametrize("method", [2, 3, 6, 7])
def test_alpha_may_not_reach_beyond_its_band(method: int) -> None:
    mask = np.ones((19, 9), bool)
    for channels in (2, 4) if method < GREY else (4,):
        pixels = pictures.noise(19, 9, channels)
        pixels = greyed(pixels) if method >= GREY else pixels
        band = _band_of(_segment(pixels, mask, [method]))
        assert band[1] > 127 > band[2], "a length of two bytes"
        rest, length = band[3:], band[1] - 128 + 128 * band[2]
        _check_payload(streams.segment_of([band]), pixels, mask)
        wrong = {0, 1, length - 1, length + 1, len(rest) - 1, len(rest), len(rest) + 1, 1 << 30}
        for other in wrong:
            damaged = band[:1] + reference.varint(other) + rest
            _assert_refused(streams.segment_of([damaged]), mask, channels)
        for damaged in (band[:1], band[:2], band[:1] + bytes([255] * 5) + b"\0" + rest):
            _assert_refused(streams.segment_of([damaged]), mask, channels)


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


@pytest.mark.parametrize("channels", mostly_slow([1, 3, 4], 3))
@pytest.mark.parametrize("bands", mostly_slow([1, 2], 1))
def test_flipped_bits_mean_the_same_to_both(channels: int, bands: int) -> None:
    mask = pictures.blobs(25, 9, 1)
    payload = _photo(pictures.mixed(25, 9, channels), mask, bands)
    for bit in range(0, 8 * len(payload), 3 if channels == 1 else 13):
        damaged = bytearray(payload)
        damaged[bit // 8] ^= 1 << bit % 8
        assert_same(*_both(bytes(damaged), mask, channels), f"bit {bit}")


@pytest.mark.slow
@pytest.mark.parametrize("channels", [2, 4])
def test_flipped_bits_of_heads_mean_the_same_to_both(channels: int) -> None:
    """Those that say how many bands there are, how long, by which methods, and how long in them."""
    mask, pixels = pictures.blobs(33, 7, 1), pictures.mixed(33, 7, channels)
    pixels = greyed(pixels) if channels == 4 else pixels
    for methods in ([1, 2], [3, 1], [2, 7] if channels == 4 else [2, 3]):
        payload = _segment(pixels, mask, methods)
        bands = _bands_of_segment(payload)
        start = len(payload) - sum(map(len, bands))
        places = {*range(start + 4), *range(start + len(bands[0]), start + len(bands[0]) + 4)}
        for bit in range(8 * len(payload)):
            damaged = bytearray(payload)
            damaged[bit // 8] ^= 1 << bit % 8
            if bit // 8 in places:
                assert_same(*_both(bytes(damaged), mask, channels), f"bit {bit}")


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_truncation_is_noticed(channels: int, small_bands: None) -> None:
    mask = np.ones((30, 11), bool)
    for kind in ("noise", "text"):
        pixels = KINDS[kind](30, 11, channels)
        coded = lossless.encode(pixels, mask.astype(np.uint8), 1, 1)
        graphic = _segment(pixels, mask, [GRAPHIC] * 2)
        for payload in (coded, graphic, _photo(pixels, mask, 2)):
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
    for payload in (coded, _photo(pixels, region), _segment(pixels, region, [GRAPHIC])):
        for other in (larger, smaller):
            assert other.sum() != region.sum()
            with pytest.raises(CorruptError):
                _decode(payload, other, 1)


# Samples of 16 bits


@given(
    size=st.tuples(st.integers(1, 40), st.integers(1, 18)),
    channels=st.integers(1, 4),
    kind=st.sampled_from(sorted(KINDS)),
    scale=st.sampled_from([1, 257, 40009]),
    grey=st.booleans(),
    mask=st.sampled_from(sorted(MASKS)),
    seed=st.integers(0, 999),
)
@check
def test_samples_of_16_bits_round_trip(size, channels, kind, scale, grey, mask, seed) -> None:
    """Whatever they show, they are no graphics, unless few colours or values are."""
    pixels = KINDS[kind](*size, channels, seed).astype(np.uint16) * np.uint16(scale)
    pixels = greyed(pixels) if grey and channels > 2 else pixels
    region = MASKS[mask](*size, seed)
    payload = _check_both(pixels, region)
    colour = pixels[region][:, :3]
    is_grey = channels > 2 and bool((colour[:, :1] == colour).all())
    method = (PHOTO if channels in (1, 3) else PHOTO_ALPHA) + GREY * is_grey
    (found,) = _methods(payload)
    assert found in (method, INDEXED, RANKS)
    assert len(payload) <= len(_segment(pixels, region, [method], effort=5)) + 8
    noise = pictures.noise(*size, channels, seed) * np.uint16(257) + (pixels & 255)
    assert _methods(_check_both(noise ^ noise[::-1, ::-1] >> 3, region))[0] not in GRAPHICS


def test_bands_of_16_bits(small_bands: None) -> None:
    rng = np.random.default_rng(2)
    for channels in METHODS:
        pixels = rng.integers(0, 1 << 16, (70, 21, channels)).astype(np.uint16)
        pixels[20:40] = 1000
        payload = _check_both(pixels, np.ones((70, 21), bool))
        assert len(_methods(payload)) > 1
        assert not set(_methods(payload)) & GRAPHICS


@pytest.mark.parametrize(("channels", "method"), EVERY_METHOD)
def test_graphics_of_16_bits_are_refused(channels: int, method: int) -> None:
    mask = np.ones((9, 9), bool)
    pixels = np.full((9, 9, channels), 200, np.uint8)
    payload = _segment(pixels, mask, [method])
    _check_payload(payload, pixels, mask)
    deep = pixels.astype(np.uint16)
    if method in GRAPHICS:
        with pytest.raises(CorruptError, match=f"method {method} for samples of 16 bits"):
            _decode(payload, mask, channels, dtype=np.uint16)
        with pytest.raises(reference.BadFile, match="graphics"):
            reference.decode_lossless(payload, mask, channels, 65535)
    else:
        payload = _segment(deep, mask, [method])
        _check_payload(payload, deep, mask)
