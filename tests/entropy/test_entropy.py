"""The three entropy coders: round trips, the reference, and bytes that nobody wrote."""

import random

import numpy as np
import pytest
import reference
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.pictures import ENTROPIES

from aig_codec import CorruptError, UnsupportedError, _native, entropy
from aig_codec.entropy import snappy as snappy_coder

#: The numbers of contexts that the coders use, and the ends of what is possible.
CONTEXTS = (1, 2, 16, 64, 124, 256)

check = settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)


@st.composite
def _streams(draw):
    """Symbols with contexts, from even to very uneven, and how many contexts there are."""
    contexts = draw(st.sampled_from(CONTEXTS))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    count = draw(st.one_of(st.integers(0, 6), st.integers(0, 3000)))
    top = draw(st.sampled_from((1, 2, 5, 17, 64)))
    skew = draw(st.sampled_from((0.2, 1.0, 4.0)))
    order = rng.integers(0, draw(st.integers(1, contexts)), count).astype(np.uint8)
    symbols = np.minimum(top * rng.random(count) ** skew, top - 1).astype(np.uint8)
    if draw(st.booleans()):
        # Contexts that differ, and one symbol that is rare beyond the tables' precision.
        symbols = ((symbols.astype(int) + order) % 64).astype(np.uint8)
    if count and draw(st.booleans()):
        symbols[:] = symbols[0]
        symbols[count // 2] = 63
    return symbols, order, contexts


def _decode(payload, order, contexts):
    stream = entropy.unpack(payload, len(order))
    return _native.decode_symbols(*stream, order, contexts)


def _pack(symbols, order, contexts, coder, raw=b""):
    chosen = entropy.CODERS[coder]
    stream = _native.write_symbols(chosen.number, symbols, order, contexts, raw)
    return entropy.pack(stream, contexts, chosen)


@pytest.mark.parametrize("coder", ENTROPIES)
@given(stream=_streams())
@check
def test_round_trip(coder, stream) -> None:
    symbols, order, contexts = stream
    payload = _pack(symbols, order, contexts, coder)
    np.testing.assert_array_equal(_decode(payload, order, contexts), symbols)


@pytest.mark.parametrize("coder", ENTROPIES)
@given(stream=_streams())
@check
def test_reference_reads_the_same(coder, stream) -> None:
    symbols, order, contexts = stream
    payload = _pack(symbols, order, contexts, coder)
    assert reference.read_symbols(payload, contexts, order.tolist()) == symbols.tolist()


def test_every_coder_has_its_number() -> None:
    symbols = np.zeros(3, np.uint8)
    numbers = {coder: _pack(symbols, symbols, 1, coder)[0] for coder in ENTROPIES}
    assert numbers == {"snappy": 0, "golomb": 1, "rans": 2}
    assert {name: coder.number for name, coder in entropy.CODERS.items()} == {
        **numbers,
        "adaptive": 3,
    }
    assert {c.name for c in entropy.CODERS.values() if c.payloads} == set(ENTROPIES)
    for name, coder in entropy.CODERS.items():
        assert coder is entropy.named(name) is entropy.numbered(coder.number)
    assert entropy.named("auto") is entropy.CODERS["adaptive"]
    for number in (4, 5, 255):
        with pytest.raises(UnsupportedError, match=str(number)):
            entropy.numbered(number)


def _elements_through(coder: entropy.EntropyCoder) -> list[np.ndarray]:
    """Shapes, LF image, activity and levels of a picture as the decoder has them."""
    rng = np.random.default_rng(2)
    pixels = np.cumsum(rng.integers(-9, 10, (256, 256, 3)), 1).clip(0, 255).astype(np.uint8)
    frame = (256, 256, True, True, np.zeros((32, 32), np.uint8), np.zeros((16, 16), np.uint8))
    effort = (2, True, True, False, 0.09, False, False)
    encoder = _native.LossyEncoder(*frame, [160] * 9, 0, *effort)
    encoder.sample(0, pixels)
    encoder.search(0)
    sizes = {_native.HIGH_CONTEXTS: 2**18, _native.LOW_CONTEXTS: 2**17}
    written = {
        _native.HIGH_CONTEXTS: encoder.encode_group(0, 0, coder.number),
        _native.LOW_CONTEXTS: encoder.encode_region(0, coder.number),
    }
    coded = {}
    for contexts, stream in written.items():
        tables, [(raw, own)] = entropy.pack_streams([stream], contexts, coder)
        coding = entropy.SegmentCoding(coder.number, tables, contexts, sizes[contexts])
        assert coding.coder is coder
        coded[contexts] = coding.tables, raw, coding.prepare(own)
    decoder = _native.LossyDecoder(*frame, [160] * 9, 0, False)
    decoder.read_region(0, *coded[_native.LOW_CONTEXTS])
    positions, values, ends = decoder.read_coefficients(0, 0, *coded[_native.HIGH_CONTEXTS])
    return [*decoder.cells(0), positions, values, np.array(ends)]


def test_every_coder_carries_the_same_syntax_elements() -> None:
    """Through the one interface that all have, whatever their contexts are."""
    wanted, *others = map(_elements_through, entropy.CODERS.values())
    assert len(wanted[3]) > 1000
    for found in others:
        for one, other in zip(found, wanted, strict=True):
            np.testing.assert_array_equal(one, other)


def test_skewed_symbols_cost_less_than_a_byte() -> None:
    rng = np.random.default_rng(5)
    symbols = (rng.random(20000) < 0.05).astype(np.uint8)
    order = np.zeros(20000, np.uint8)
    # The entropy is 0.286 bits per symbol; Rice codes cannot go below one bit.
    assert len(_pack(symbols, order, 1, "rans")) < 20000 * 0.29 / 8 + 40
    assert len(_pack(symbols, order, 1, "golomb")) < 20000 * 1.06 / 8 + 10


def test_more_than_64_unlike_contexts_share_tables() -> None:
    """The file has room for 64 tables only."""
    rng = np.random.default_rng(6)
    order = np.repeat(np.arange(200), 200).astype(np.uint8)
    symbols = ((order // 4 * 5 + rng.integers(0, 3, order.size)) % 64).astype(np.uint8)
    payload = _pack(symbols, order, 200, "rans")
    assert reference.read_symbols(payload, 200, order.tolist()) == symbols.tolist()


def _sample(coder, contexts=16, count=400, top=40):
    rng = np.random.default_rng(8)
    order = rng.integers(0, contexts, count).astype(np.uint8)
    symbols = np.minimum(rng.geometric(0.2, count) - 1 + order // 4, top).astype(np.uint8)
    return symbols, order, _pack(symbols, order, contexts, coder)


@pytest.mark.parametrize("coder", ENTROPIES)
def test_truncation_is_noticed(coder: str) -> None:
    _, order, payload = _sample(coder)
    for length in range(len(payload)):
        with pytest.raises(CorruptError):
            _decode(payload[:length], order, 16)


@pytest.mark.parametrize("coder", ENTROPIES)
def test_more_than_there_is_is_not_read(coder: str) -> None:
    symbols, order, payload = _sample(coder)
    longer = np.concatenate([order, np.zeros(40, np.uint8)])
    with pytest.raises(CorruptError):
        _native.decode_symbols(*entropy.unpack(payload, len(longer)), longer, 16)
    np.testing.assert_array_equal(_decode(payload, order, 16), symbols)


@pytest.mark.parametrize("coder", ENTROPIES)
@pytest.mark.parametrize("extra", [b"\0", b"\xff", b"\0\0", bytes(9)])
def test_left_over_symbols_are_refused(coder: str, extra: bytes) -> None:
    symbols, order, payload = _sample(coder)
    # In a Snappy block a stray byte would be a literal: grow the block itself.
    if coder == "snappy":
        longer = np.concatenate([symbols, np.frombuffer(extra, np.uint8)])
        payload = b"\0\0" + reference.pack_snappy(longer.tobytes())
        source = entropy.unpack(payload, len(longer))
    else:
        payload += extra
        source = entropy.unpack(payload, len(order))
    with pytest.raises(CorruptError):
        _native.decode_symbols(*source, order, 16)
    with pytest.raises(reference.BadFile):
        reference.read_symbols(payload, 16, order.tolist())


@pytest.mark.parametrize("coder", ENTROPIES)
def test_left_over_raw_bits_are_refused(coder: str) -> None:
    symbols, order, _ = _sample(coder)
    payload = _pack(symbols, order, 16, coder, raw=b"\0")
    with pytest.raises(CorruptError):
        _decode(payload, order, 16)
    with pytest.raises(reference.BadFile):
        reference.read_symbols(payload, 16, order.tolist())


def _both(payload, order, contexts):
    """What kernel and reference make of a payload: symbols, or None where they refuse it."""
    try:
        expected = reference.read_symbols(payload, contexts, order.tolist())
    except reference.BadFile:
        expected = None
    try:
        found = _decode(payload, order, contexts).tolist()
    except (CorruptError, UnsupportedError):
        found = None
    return found, expected


@pytest.mark.parametrize("coder", ENTROPIES)
def test_flipped_bits_mean_the_same_to_both(coder: str) -> None:
    _, order, payload = _sample(coder, contexts=5, count=90)
    refused = 0
    for bit in range(8 * len(payload)):
        damaged = bytearray(payload)
        damaged[bit // 8] ^= 1 << bit % 8
        found, expected = _both(bytes(damaged), order, 5)
        assert found == expected, f"bit {bit}"
        refused += found is None
    assert refused > 20


@pytest.mark.parametrize("coder", [0, 1, 2])
def test_random_bytes_mean_the_same_to_both(coder: int) -> None:
    rng = random.Random(coder)
    accepted = 0
    for _ in range(3000):
        contexts = rng.choice((1, 2, 5))
        order = np.array([rng.randrange(contexts) for _ in range(rng.randrange(6))], np.uint8)
        payload = bytes([coder, 0]) + rng.randbytes(rng.randrange(24))
        found, expected = _both(payload, order, contexts)
        assert found == expected, f"{payload.hex()} in contexts {order}"
        accepted += found is not None
    # Only Golomb-Rice codes are dense enough for random bytes to be sound now and then.
    assert accepted or coder != 1


@pytest.mark.parametrize("coder", [0, 1, 2])
def test_random_bytes_after_a_sound_start_mean_the_same_to_both(coder: int) -> None:
    """Damage behind the tables and parameters, where it reads furthest."""
    rng = random.Random(coder)
    _, order, payload = _sample(ENTROPIES[coder], contexts=3, count=60)
    for _ in range(600):
        cut = rng.randrange(2, len(payload))
        damaged = payload[:cut] + rng.randbytes(rng.randrange(len(payload) - cut + 3))
        found, expected = _both(damaged, order, 3)
        assert found == expected, damaged.hex()


def test_symbols_beyond_63_are_refused() -> None:
    order = np.zeros(3, np.uint8)
    snappy = b"\0\0" + reference.pack_snappy(bytes([5, 64, 9]))
    # Golomb-Rice with k = 5 and quotient 2, which would be symbol 64, between two symbols 0.
    rice = bytes([1, 0]) + (5 | 0b1_1 << (3 + 6)).to_bytes(4, "little")[:3]
    for payload in (snappy, rice):
        with pytest.raises(reference.BadFile):
            reference.read_symbols(payload, 1, [0, 0, 0])
        with pytest.raises(CorruptError):
            _decode(payload, order, 1)


def test_damaged_payload_heads_are_refused() -> None:
    for head in (
        b"",
        b"\0",
        b"\2\x80",
        b"\1\x80\x80\x80\x80\x80\x80\0",
        b"\1\5abc",
        b"\2\xff\xff\xff\xff\x0f",
    ):
        with pytest.raises(CorruptError):
            entropy.unpack(head, 100)
    for unknown in (3, 4, 255):
        with pytest.raises(UnsupportedError):
            entropy.unpack(bytes([unknown, 0, 1, 2, 3]), 100)
    with pytest.raises(CorruptError):
        _native.decode_symbols(7, b"abc", b"", np.zeros(1, np.uint8), 1)


@pytest.mark.parametrize("claim", [101, 2**20, 2**31, 2**32 - 1])
def test_snappy_bomb_is_refused_before_unpacking(monkeypatch, claim: int) -> None:
    class Snappy:
        UncompressError = ValueError

        @staticmethod
        def decompress(data):
            raise AssertionError("it was unpacked")

    monkeypatch.setattr(snappy_coder, "snappy", Snappy)
    with pytest.raises(CorruptError, match="claims"):
        entropy.unpack(b"\0\0" + reference.varint(claim) + bytes(40), 100)


def test_wrong_claims_of_a_snappy_block_are_refused() -> None:
    block = reference.pack_snappy(bytes(50))
    for claim in (0, 49, 51, 90):
        with pytest.raises(CorruptError):
            entropy.unpack(b"\0\0" + reference.varint(claim) + block[1:], 100)


def test_arguments_that_would_lead_outside_are_refused() -> None:
    one = np.zeros(1, np.uint8)
    for coder in range(4):
        for symbols, order, contexts in (
            (one + 64, one, 1),
            (one, one + 1, 1),
            (one, one, 0),
            (one, one, 257),
            (one, np.zeros(2, np.uint8), 1),
        ):
            with pytest.raises(ValueError):
                _native.write_symbols(coder, symbols, order, contexts)
    for order, contexts in ((one + 1, 1), (one, 0), (one, 257), (np.zeros((1, 1), np.uint8), 1)):
        with pytest.raises(ValueError):
            _native.decode_symbols(0, b"\0", b"", order, contexts)
