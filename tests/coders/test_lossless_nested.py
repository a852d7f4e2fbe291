"""Bands with bands in them: indices, ranks, YCbCr, channels apart (format.md, 7.1.8 to 7.1.11)."""

import io

import numpy as np
import pytest
import reference
import vectors
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from reference.lossless import APART, INDEXED, RANKS, YCC
from reference.mapped import Numbers, colours_of_ycc, read_colours, read_values
from support import pictures, streams
from support.agreement import assert_same, both, kernel_sets
from support.pictures import KINDS, MASKS, greyed
from support.tiers import mostly_slow

import aig_codec
from aig_codec import CorruptError, _native
from aig_codec.coders import lossless
from aig_codec.coders.lossless import bands, choice
from aig_codec.coders.lossless.region import Region, channel_of
from aig_codec.container import read_prologue

check = settings(max_examples=60, deadline=None, derandomize=True)

PHOTO, GRAPHIC = 0, 9
EVERY_METHOD = [
    *((channels, RANKS) for channels in (1, 2, 3, 4)),
    *((channels, YCC) for channels in (3, 4)),
    *((channels, method) for channels in (2, 3, 4) for method in (INDEXED, APART)),
]


def from_jpeg(height, width, channels=3, seed=0, quality=90, subsampling=2):
    """A picture that was a JPEG file, with some alpha if there is any."""
    file = io.BytesIO()
    picture = Image.fromarray(pictures.grainy(height, width, 3, seed))
    picture.save(file, "JPEG", quality=quality, subsampling=subsampling)
    pixels = np.asarray(Image.open(file))
    return np.dstack([pixels, pixels[..., : channels - 3] // 64 * 64])


def coloured(height, width, channels=3, seed=0, most=255):
    """Grey values by a scale of colours."""
    grey = pictures.grainy(height, width, 1, seed)[..., 0]
    k = np.arange(256)
    scale = np.stack([k, np.minimum(2 * k, 255), 255 - k, 128 + k // 2], 1)[:, :channels]
    return (scale[grey] * (most // 255)).astype(np.uint8 if most == 255 else np.uint16)


def gappy(height, width, channels=3, seed=0, step=16, dtype=np.uint16):
    """Few of the values that samples may have: each `step`th."""
    most = np.iinfo(dtype).max // step
    pixels = pictures.grainy(height, width, channels, seed).astype(int) * most // 255
    return (pixels * step).astype(dtype)


#: Pictures, and the method that is best for them as a whole.
MADE_FOR = {
    "coloured": (coloured, INDEXED),
    "coloured, 16 bits": (lambda *a: coloured(*a, most=65535), INDEXED),
    "12 bits in 16": (lambda *a: gappy(*a, step=16), RANKS),
    "8 bits in 16": (lambda *a: gappy(*a, step=257), RANKS),
    "stretched": (lambda *a: gappy(*a, step=3, dtype=np.uint8), RANKS),
    "from JPEG": (from_jpeg, YCC),
}


def _decode(payload, mask, channels, fill=77, dtype=np.uint8):
    pixels = np.full((*mask.shape, channels), fill, dtype)
    lossless.decode(payload, pixels, mask.astype(np.uint8), 1, 1)
    return pixels


def _check_payload(payload, pixels, mask, by_reference=True):
    """All kernels and the reference read these pixels, and the kernels touch no other.

    by_reference: not if mixed coding is in it, which takes the reference a minute for such
    pictures (`test_mixed` has small ones).
    """
    for name in kernel_sets():
        decoded = _decode(payload, mask, pixels.shape[2], dtype=pixels.dtype)
        np.testing.assert_array_equal(decoded[mask], pixels[mask], err_msg=name)
        assert (decoded[~mask] == 77).all(), "pixels outside the region were touched"
    if by_reference:
        most = np.iinfo(pixels.dtype).max
        found = reference.decode_lossless(payload, mask, pixels.shape[2], most)
        np.testing.assert_array_equal(found[mask], pixels[mask])


def _encode(pixels, mask, effort=5):
    return lossless.encode(pixels, mask.astype(np.uint8), 1, 1, effort)


def _region(mask):
    return Region(mask.astype(np.uint8), 1, 1, 0, len(mask))


def _photo(pixels, mask):
    """A band of photograph, alpha too."""
    region, how = _region(mask), choice.how_hard(5, mask.size)
    planes = [1] if pixels.shape[2] < 3 else [3]
    colour = _native.photo_encode(pixels, 0, planes[0], *region, how.search, False)
    if pixels.shape[2] in (1, 3):
        return bytes([PHOTO]) + colour
    part, own = channel_of(pixels, region, pixels.shape[2] - 1)
    alpha = _native.photo_encode(part, 0, 1, *own, how.search, False)
    return bands.with_alpha(0, colour, bytes([PHOTO]) + alpha)


def _graphic(pixels, mask):
    return bytes([GRAPHIC]) + _native.graphic_encode(pixels, *_region(mask))


def _band(pixels, mask, method, inner=_photo):
    """A band by a method, with inner bands by another one."""
    own = mask.astype(np.uint8), 1, 1
    if method == INDEXED:
        table, indices, _ = _native.few_colours(pixels, *own)
        return bands.mapped(INDEXED, table, inner(indices, mask))
    if method == RANKS:
        table, ranks = _native.sparse_values(pixels, *own)
        return bands.mapped(RANKS, table, inner(ranks, mask))
    if method == YCC:
        return bytes([YCC]) + inner(_native.to_ycc(pixels, *own), mask)
    parts = (pixels[..., c : c + 1].copy() for c in range(pixels.shape[2]))
    return bands.apart([inner(part, mask) for part in parts])


def _made_for(channels, method, size=(34, 40), seed=1):
    """A picture that the method can code."""
    made = {INDEXED: coloured, RANKS: gappy, YCC: from_jpeg, APART: pictures.mixed}[method]
    return made(*size, channels, seed)


def _methods(payload):
    """The methods of its bands."""
    source = reference.ByteReader(payload)
    return [source.take(n)[0] for n in [source.varint() for _ in range(source.varint())]]


# What the encoder makes of pictures


@pytest.mark.parametrize("effort", [1, 5, 8])
@pytest.mark.parametrize("name", MADE_FOR)
def test_pictures_have_the_method_that_is_made_for_them(name: str, effort: int) -> None:
    made, method = MADE_FOR[name]
    mask = np.ones((96, 128), bool)
    pixels = made(96, 128, 3, 2)
    payload = _encode(pixels, mask, effort)
    assert _methods(payload) == [method]
    assert lossless.version_of(payload) == 4
    _check_payload(payload, pixels, mask, effort < 8)
    plain = len(streams.segment_of([_photo(pixels, mask)]))
    assert len(payload) < 0.95 * plain


def test_alpha_goes_with_them() -> None:
    mask = pictures.blobs(96, 128, 4)
    for name in ("from JPEG", "coloured", "12 bits in 16"):
        made, method = MADE_FOR[name]
        pixels = made(96, 128, 4, 2)
        payload = _encode(pixels, mask)
        assert _methods(payload) == [method]
        _check_payload(payload, pixels, mask)


@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("quality", [30, 75, 95])
def test_pictures_from_jpeg_take_a_tenth_less(quality: int, subsampling: int) -> None:
    pixels = from_jpeg(128, 160, 3, 3, quality, subsampling)
    mask = np.ones(pixels.shape[:2], bool)
    payload = _encode(pixels, mask)
    assert _methods(payload) == [YCC]
    np.testing.assert_array_equal(_decode(payload, mask, 3), pixels)
    assert len(payload) < 0.9 * len(_photo(pixels, mask))


def test_what_nothing_is_gained_from_is_as_before() -> None:
    mask = np.ones((96, 128), bool)
    for kind, channels in (("grainy", 3), ("noise", 3), ("grainy", 1), ("text", 3), ("smooth", 4)):
        payload = _encode(KINDS[kind](96, 128, channels, 3), mask)
        assert max(_methods(payload)) < 32
        assert lossless.version_of(payload) == 3
    deep = np.random.default_rng(1).integers(0, 65536, (96, 128, 3)).astype(np.uint16)
    assert max(_methods(_encode(deep, mask))) < 32


def test_photographs_are_given_up_early() -> None:
    pixels, classes = pictures.noise(256, 320, 3), np.ones((256, 320), np.uint8)
    for find in (_native.few_colours, _native.to_ycc, _native.sparse_values):
        assert find(pixels, classes, 1, 1) is None
    # One more colour than a table has; one colour that no triple gives.
    few = np.arange(257).reshape(1, 257, 1)
    few = np.concatenate([few % 256, few // 256, few % 7], 2).astype(np.uint8)
    row = np.ones((1, 257), np.uint8)
    assert _native.few_colours(few, row, 1, 1) is None
    row[0, -1] = 0
    assert _native.few_colours(few, row, 1, 1)[2] == 256
    jpeg = from_jpeg(40, 40)
    row = np.ones((40, 40), np.uint8)
    assert _native.to_ycc(jpeg, row, 1, 1) is not None
    jpeg[39, 39] = 128, 100, 201
    assert _native.to_ycc(jpeg, row, 1, 1) is None
    row[39, 39] = 0
    assert _native.to_ycc(jpeg, row, 1, 1) is not None


@given(
    size=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    channels=st.integers(1, 4),
    name=st.sampled_from(sorted(MADE_FOR)),
    mask=st.sampled_from(sorted(MASKS)),
    effort=st.sampled_from([1, 5, 8]),
    seed=st.integers(0, 999),
)
@check
def test_any_region_round_trips(size, channels, name, mask, effort, seed) -> None:
    made = MADE_FOR[name][0]
    pixels = made(*size, max(3, channels) if made is from_jpeg else channels, seed)
    region = MASKS[mask](*size, seed)
    payload = _encode(pixels, region, effort)
    _check_payload(payload, pixels, region, effort < 8)
    plain = _photo(pixels, region)
    grey = pixels.shape[2] > 2 and (pixels[..., :1] == pixels[..., :3]).all()
    assert grey or len(payload) <= len(streams.segment_of([plain])) + 8


def test_several_bands_and_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    from aig_codec.threads import Workers

    monkeypatch.setattr(lossless.codec, "_GRAPHIC_BAND_PIXELS", 1500)
    monkeypatch.setattr(lossless.codec, "_BAND_PIXELS", 1500)
    parts = [from_jpeg(48, 90), coloured(48, 90), pictures.grainy(48, 90, 3)]
    parts.append(gappy(48, 90, step=3, dtype=np.uint8))
    pixels = np.concatenate(parts)
    classes = np.ones(pixels.shape[:2], np.uint8)
    payloads = set()
    for threads in (1, 3):
        with Workers(threads) as workers:
            payloads.add(lossless.start_encoding(pixels, classes, 1, 1, 5, workers).result())
    (payload,) = payloads
    assert {YCC, INDEXED, RANKS} <= set(_methods(payload))
    assert min(_methods(payload)) < 32
    _check_payload(payload, pixels, classes > 0)


# Files


@pytest.mark.parametrize("focus", [{}, vectors.TWO])
def test_files_say_the_least_version_that_reads_them(focus) -> None:
    for pixels, version in ((from_jpeg(75, 98), 4), (pictures.grainy(75, 98, 3), 3)):
        data = aig_codec.encode(pixels, **(focus or {"lossless": True}))
        metadata = read_prologue(data).metadata
        found = [s.version for s in metadata.segments if s.kind == "core"]
        assert max(found) == version
        assert version == 4 or set(found) == {3}
        decoded = aig_codec.decode(data)
        with aig_codec.open(data) as file:
            classes = file.regions().class_map()
        exact = (classes > 0) & (classes < 5)
        assert exact.any()
        np.testing.assert_array_equal(decoded[exact], pixels[exact])
        np.testing.assert_array_equal(reference.decode_file(data, "full"), decoded)


# YCbCr


def test_every_triple_gives_a_colour_that_is_found_again() -> None:
    """A large part of all triples, those at the border of the range among them."""
    rng = np.random.default_rng(5)
    triples = rng.integers(0, 256, (200_000, 3))
    triples[:50_000] = rng.choice([0, 1, 2, 127, 128, 129, 253, 254, 255], (50_000, 3))
    colours = colours_of_ycc(triples).astype(np.uint8)
    # Two rows that show that it is one of those pictures.
    known = from_jpeg(64, 400).reshape(-1, 400, 3)[:8]
    pixels = np.concatenate([known, colours.reshape(-1, 400, 3)])
    classes = np.ones(pixels.shape[:2], np.uint8)
    found = _native.to_ycc(pixels, classes, 1, 1)
    assert found is not None
    np.testing.assert_array_equal(colours_of_ycc(found.reshape(-1, 3)), pixels.reshape(-1, 3))
    _native.from_ycc(found, classes, 1, 1)
    np.testing.assert_array_equal(found, pixels)


def test_triples_are_those_of_the_decoder_of_jpeg() -> None:
    """Pillow's own conversion, of every triple, or of many."""
    rng = np.random.default_rng(6)
    triples = rng.integers(0, 256, (64, 512, 3)).astype(np.uint8)
    file = io.BytesIO()
    # Flat blocks come back as they are.
    flat = np.repeat(np.repeat(triples[:8, :64], 8, 0), 8, 1)
    Image.fromarray(flat, "YCbCr").save(file, "JPEG", quality=100, subsampling=0)
    ycc = Image.open(file)
    ycc.draft("YCbCr", None)
    rgb = np.asarray(Image.open(file))
    cr_y_cb = np.asarray(ycc)[..., [2, 0, 1]].reshape(-1, 3)
    np.testing.assert_array_equal(colours_of_ycc(cr_y_cb), rgb.reshape(-1, 3))


# Every method by itself


@pytest.mark.parametrize(("channels", "method"), EVERY_METHOD)
@pytest.mark.parametrize("mask", mostly_slow(["full", "blobs", "sparse", "rows"], "blobs"))
def test_every_method_round_trips(mask: str, channels: int, method: int) -> None:
    region = MASKS[mask](34, 40, 1)
    pixels = _made_for(channels, method)
    for inner in (_photo, _graphic):
        if method == RANKS and inner is _graphic:
            pixels = gappy(34, 40, channels, 1, 257)
        band = _band(pixels, region, method, inner)
        assert band[0] == method
        _check_payload(streams.segment_of([band]), pixels, region)


def test_ycc_of_channels_apart() -> None:
    mask = MASKS["dense"](34, 40, 1)
    for channels in (3, 4):
        pixels = from_jpeg(34, 40, channels)
        ycc = _native.to_ycc(pixels, mask.astype(np.uint8), 1, 1)
        band = bytes([YCC]) + _band(ycc, mask, APART)
        _check_payload(streams.segment_of([band]), pixels, mask)


def _assert_refused(band, mask, channels, dtype=np.uint8):
    payload = streams.segment_of([band])
    with pytest.raises(CorruptError):
        _decode(payload, mask, channels, dtype=dtype)
    with pytest.raises(reference.BadFile):
        reference.decode_lossless(payload, mask, channels, np.iinfo(dtype).max)


def test_nesting_ends() -> None:
    """Only channels apart may be within another one, and only within YCbCr."""
    mask = np.ones((34, 40), bool)
    for channels, method in EVERY_METHOD:
        pixels = _made_for(channels, method)
        for inner in (INDEXED, RANKS, YCC, APART):
            if (method, inner) == (YCC, APART):
                continue

            def nested(part, mask, inner=inner):
                # What it says does not matter: it is refused for its method alone.
                return bytes([inner]) + _photo(part, mask)

            _assert_refused(_band(pixels, mask, method, nested), mask, channels, pixels.dtype)


def test_methods_are_for_their_channels() -> None:
    mask = np.ones((9, 9), bool)
    for channels in (1, 2):
        pixels = pictures.noise(9, 9, channels)
        _assert_refused(bytes([YCC]) + _photo(pixels, mask), mask, channels)
    grey = pictures.noise(9, 9, 1)
    _assert_refused(bytes([APART]) + _photo(grey, mask), mask, 1)
    table = _table((0, 0), (1, 7))
    _assert_refused(bands.mapped(INDEXED, table, _photo(grey, mask)), mask, 1)
    _assert_refused(bytes([INDEXED]) + _photo(grey, mask), mask, 1)
    deep = pictures.noise(9, 9, 3).astype(np.uint16)
    _assert_refused(bytes([YCC]) + _photo(deep, mask), mask, 3, np.uint16)
    for method in (*range(16, 32), *range(36, 40), 255):
        _assert_refused(bytes([method]) + _photo(grey, mask), mask, 1)


# Tables


class _Writer:
    """7.1.8: numbers into a table."""

    def __init__(self):
        self.coder = streams.BinaryEncoder(lambda _: self.bits.pop(0))
        self.numbers = Numbers(self.coder)

    def put(self, context, number):
        digits = bin(number + 1)[3:]
        self.bits = [1] * len(digits) + [0] * (len(digits) < 16) + [int(d) for d in digits]
        assert self.numbers.number(context) == number
        return self

    def table(self):
        return self.coder.payload()


def _table(*numbers):
    writer = _Writer()
    for context, number in numbers:
        writer.put(context, number)
    return writer.table()


def test_tables_of_the_encoder_say_what_they_should() -> None:
    for channels in (1, 2, 3, 4):
        for most in (255, 65535):
            pixels = coloured(30, 40, channels, 2, most)
            classes = np.ones((30, 40), np.uint8)
            table, indices, count = _native.few_colours(pixels, classes, 1, 1)
            colours = read_colours(table, channels, most, 1200)
            assert len(np.unique(colours, axis=0)) == len(colours) == count
            np.testing.assert_array_equal(colours[indices[..., 0]], pixels)
        pixels = gappy(30, 40, channels, 2)
        pixels[..., 0] += 1  # so that channels have values of their own
        table, ranks = _native.sparse_values(pixels, classes, 1, 1)
        sets = read_values(table, channels, 65535, 1200)
        for c, values in enumerate(sets):
            assert (np.diff(values) > 0).all()
            np.testing.assert_array_equal(values[ranks[..., c]], pixels[..., c])


def test_regular_values_cost_next_to_nothing() -> None:
    values = np.arange(0, 65536, 16, np.uint16).reshape(64, 64, 1)
    table, ranks = _native.sparse_values(
        np.tile(values, (16, 16, 1)), np.ones((1024, 1024), np.uint8), 1, 1
    )
    assert len(table) < 24
    assert ranks.max() == 4095


#: Numbers of tables (7.1.9 for 2 channels, 7.1.10 for 1), and whether 25 pixels may have them.
BLACK = [(1, 0), (2, 0)]
GAPS = [(3, 0)] * 24
TABLES = [
    (INDEXED, [(0, 24), *BLACK * 25], True),
    (INDEXED, [(0, 25), *BLACK * 26], False),  # more colours than pixels
    (INDEXED, [(0, 256), *BLACK * 257], False),
    (INDEXED, [(0, 0), (1, 255), (2, 255)], True),
    (INDEXED, [(0, 0), (1, 255), (2, 256)], False),  # beyond 8 bits
    (RANKS, [(1, 24), (2, 0), *GAPS], True),
    (RANKS, [(1, 25), (2, 0), *GAPS, (3, 0)], False),  # more values than samples
    (RANKS, [(1, 0), (2, 255)], True),
    (RANKS, [(1, 0), (2, 256)], False),  # beyond 8 bits
    (RANKS, [(1, 1), (2, 255), (3, 0)], False),
    (RANKS, [(1, 1), (2, 200), (3, 54)], True),
    (RANKS, [(1, 1), (2, 200), (3, 55)], False),
    (RANKS, [(1, 2), (2, 200), (3, 131_069), (10, 131_069)], False),
]


def _tabled(method, numbers, inner, mask):
    """A band of a table and some indices or ranks, and how many channels it has."""
    return bands.mapped(method, _table(*numbers), _photo(inner, mask)), 2 if method < RANKS else 1


@pytest.mark.parametrize("case", range(len(TABLES)))
def test_what_tables_may_say_is_bounded(case: int) -> None:
    method, numbers, right = TABLES[case]
    mask = np.ones((5, 5), bool)
    band, channels = _tabled(method, numbers, np.zeros((5, 5, 1), np.uint8), mask)
    if not right:
        _assert_refused(band, mask, channels)
        return
    payload = streams.segment_of([band])
    found = _decode(payload, mask, channels)
    np.testing.assert_array_equal(found, reference.decode_lossless(payload, mask, channels))


def test_numbers_must_be_in_their_tables() -> None:
    mask = np.ones((5, 5), bool)
    tables = {INDEXED: [(0, 1), (1, 2), (2, 2), (1, 2), (2, 2)], RANKS: [(1, 1), (2, 9), (3, 9)]}
    for method, numbers in tables.items():
        for most, right in ((1, True), (2, False), (255, False)):
            inner = np.zeros((5, 5, 1), np.uint8)
            inner[3, 2] = most
            band, channels = _tabled(method, numbers, inner, mask)
            if right:
                assert _decode(streams.segment_of([band]), mask, channels).max() > 0
            else:
                _assert_refused(band, mask, channels)


def test_ranks_are_of_16_bits_only_where_they_must() -> None:
    mask = np.ones((20, 20), bool)
    for count in (256, 257):
        values = np.arange(400) % count * 128
        pixels = values.astype(np.uint16).reshape(20, 20, 1)
        gaps = [(3, 127)] + [(10, 127)] * (count - 2)
        ranks = (values // 128).astype(np.uint8 if count == 256 else np.uint16)
        inner = _photo(ranks.reshape(20, 20, 1), mask)
        band = bands.mapped(RANKS, _table((1, count - 1), (2, 0), *gaps), inner)
        _check_payload(streams.segment_of([band]), pixels, mask)


# Damage


@pytest.mark.parametrize(("channels", "method"), EVERY_METHOD)
def test_truncation_is_noticed(channels: int, method: int) -> None:
    mask = pictures.blobs(20, 24, 2)
    pixels = _made_for(channels, method, (20, 24))
    band = _band(pixels, np.ones_like(mask), method)
    for length in range(len(band)):
        with pytest.raises(CorruptError):
            _decode(
                streams.segment_of([band[:length]]),
                np.ones_like(mask),
                channels,
                dtype=pixels.dtype,
            )


@pytest.mark.parametrize(("channels", "method"), EVERY_METHOD)
def test_flipped_bits_mean_the_same_to_both(channels: int, method: int) -> None:
    mask = pictures.blobs(20, 12, 1)
    pixels = _made_for(channels, method, (20, 12))
    if method == YCC:  # too small to look like one
        band = bytes([YCC]) + _photo(pixels, mask)
    else:
        band = _band(pixels, mask, method)
    most = np.iinfo(pixels.dtype).max
    places = {*range(8 * min(len(band), 40)), *range(0, 8 * len(band), 29)}
    for bit in sorted(places):
        damaged = bytearray(band)
        damaged[bit // 8] ^= 1 << bit % 8
        payload = streams.segment_of([bytes(damaged)])
        found = both(
            lambda payload=payload: _decode(payload, mask, channels, 0, pixels.dtype),
            lambda payload=payload: reference.decode_lossless(payload, mask, channels, most),
        )
        assert_same(*found, f"bit {bit}")


def test_grey_photographs_are_not_indexed() -> None:
    """They have few colours always."""
    mask = np.ones((96, 128), bool)
    grey = greyed(pictures.grainy(96, 128, 3, 3))
    assert _methods(_encode(grey, mask)) == [4]
