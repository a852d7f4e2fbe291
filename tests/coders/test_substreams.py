"""Segments of many streams: what is packed comes back, and damage stays where it is."""

import random
import zlib

import numpy as np
import pytest
import reference
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aig_codec import CorruptError, _native
from aig_codec.coders import substreams
from aig_codec.coders.substreams import Substream

check = settings(max_examples=150, deadline=None, derandomize=True)

EMPTY = Substream(b"", b"")

own_streams = st.lists(
    st.builds(Substream, st.binary(max_size=40), st.binary(max_size=200))
    | st.just(EMPTY)
    | st.builds(Substream, st.just(b""), st.integers(0, 300).map(bytes)),
    max_size=8,
)


def _table_bytes(head, own):
    """How long everything before the first stream is."""
    return len(substreams.pack(head, own)) - sum(len(raw) + len(coded) for raw, coded in own)


def _checked(data):
    return data + (zlib.crc32(data) & 0xFFFF).to_bytes(2, "little")


@given(head=st.binary(max_size=300), own=own_streams)
@example(head=b"", own=[])
@example(head=bytes(127), own=[EMPTY])
@example(head=bytes(128), own=[Substream(bytes(127), bytes(128))])
@example(head=b"\3", own=[Substream(bytes(2**14 - 1), bytes(2**14)), Substream(b"", bytes(2**21))])
@check
def test_what_is_packed_comes_back(head, own) -> None:
    payload = substreams.pack(head, own)
    assert substreams.unpack(payload, len(own)) == (head, own)


@given(head=st.binary(max_size=20), own=own_streams)
@check
def test_packed_bytes_are_those_of_the_page(head, own) -> None:
    """6.9, written down once more, with the shortest varints."""
    table = reference.varint(len(head)) + head
    for raw, coded in own:
        table += reference.varint(len(raw)) + reference.varint(len(coded))
        if raw or coded:
            table += (zlib.crc32(raw + coded) & 0xFFFF).to_bytes(2, "little")
    assert substreams.pack(head, own) == _checked(table) + b"".join(
        raw + coded for raw, coded in own
    )


@given(own=own_streams.filter(len), seed=st.integers(0, 999))
@check
def test_a_changed_stream_is_missing_and_no_other(own, seed) -> None:
    rng = random.Random(seed)
    head = rng.randbytes(rng.randrange(9))
    payload = bytearray(substreams.pack(head, own))
    at = _table_bytes(head, own)
    sizes = [len(raw) + len(coded) for raw, coded in own]
    chosen = {i for i, size in enumerate(sizes) if size and rng.random() < 0.4}
    expected = [None if i in chosen else stream for i, stream in enumerate(own)]
    for i, size in enumerate(sizes):
        if i in chosen:
            payload[at + rng.randrange(size)] ^= 1 << rng.randrange(8)
        at += size
    assert substreams.unpack(bytes(payload), len(own)) == (head, expected)


@pytest.mark.parametrize("head", [b"", b"\3\x09\x0a\1", bytes(200)])
def test_truncation_at_every_byte(head: bytes) -> None:
    """What lies before the cut is there; without its table, a segment is nothing."""
    own = [Substream(b"ab", b"cdefgh"), EMPTY, Substream(b"", b"ijk"), Substream(b"l", b""), EMPTY]
    payload = substreams.pack(head, own)
    table = _table_bytes(head, own)
    for length in range(len(payload)):
        if length < table:
            with pytest.raises(CorruptError):
                substreams.unpack(payload[:length], len(own))
            continue
        at, expected = table, []
        for stream in own:
            at += len(stream.raw) + len(stream.coded)
            expected.append(stream if at <= length or stream == EMPTY else None)
        assert substreams.unpack(payload[:length], len(own)) == (head, expected)
        assert None in expected


def test_every_changed_bit_is_noticed() -> None:
    own = [Substream(b"ab", b"cdefgh"), EMPTY, Substream(b"", b"ijk")]
    head = b"\3\x10\0"
    payload = substreams.pack(head, own)
    table = _table_bytes(head, own)
    for bit in range(8 * len(payload)):
        changed = bytearray(payload)
        changed[bit // 8] ^= 1 << bit % 8
        if bit < 8 * table:
            with pytest.raises(CorruptError):
                substreams.unpack(bytes(changed), len(own))
        else:
            found, rows = substreams.unpack(bytes(changed), len(own))
            assert found == head
            assert [row is None for row in rows] == [
                bit < 8 * (table + 8),
                False,
                bit >= 8 * (table + 8),
            ]


@given(own=own_streams, extra=st.binary(min_size=1, max_size=9))
@check
def test_bytes_behind_the_last_stream_are_refused(own, extra) -> None:
    payload = substreams.pack(b"\3", own)
    with pytest.raises(CorruptError, match="left over"):
        substreams.unpack(payload + extra, len(own))


@given(own=own_streams, count=st.integers(0, 12))
@check
def test_another_number_of_streams_is_refused(own, count) -> None:
    """The number is not in the segment but follows from the picture."""
    payload = substreams.pack(b"\3\0\0", own)
    if count == len(own):
        assert substreams.unpack(payload, count)[1] == own
    else:
        # Some other table may have this checksum: one in 65536 has.
        with pytest.raises(CorruptError):
            substreams.unpack(payload, count)


@pytest.mark.parametrize("claim", [2**14, 2**31, 2**32 - 1, 2**35 - 1])
def test_huge_claims_cost_a_stream_and_no_memory(claim: int) -> None:
    sound = Substream(b"r", b"coded")
    crc = (zlib.crc32(b"rcoded") & 0xFFFF).to_bytes(2, "little")
    size = reference.varint(claim)
    for row in (size + b"\0", b"\0" + size, size + size):
        table = b"\1\3" + b"\1\5" + crc + row + b"\7\7" + b"\1\5" + crc
        head, own = substreams.unpack(_checked(table) + b"rcoded" + b"little", 3)
        assert head == b"\3"
        assert own == [sound, None, None]
    with pytest.raises(CorruptError):
        substreams.unpack(_checked(size + b"\3" + b"\0\0"), 1)


@pytest.mark.parametrize("length", [b"\x80" * 5 + b"\1", b"\xff" * 9, b"\x80", b""])
def test_lengths_that_do_not_end_are_refused(length: bytes) -> None:
    for payload in (length, b"\1\3" + length, b"\1\3\0" + length):
        with pytest.raises(CorruptError):
            substreams.unpack(_checked(payload), 1)


def test_an_empty_stream_has_no_checksum_and_is_never_damaged() -> None:
    table = b"\1\3" + b"\0\0" + b"\0\0"
    assert substreams.unpack(_checked(table), 2) == (b"\3", [EMPTY, EMPTY])
    with pytest.raises(CorruptError):  # as if it had
        substreams.unpack(_checked(b"\1\3" + b"\0\0" + b"\0\0" + b"\0\0"), 2)


@given(payload=st.binary(max_size=60), count=st.integers(0, 5))
@settings(check, max_examples=400)
def test_any_bytes_mean_the_same_to_the_reference(payload, count) -> None:
    """Random tables behind the right checksum."""
    at = next((n for n in range(len(payload)) if n > 4 * count), len(payload))
    for data in (payload, _checked(payload[:at]) + payload[at:]):
        try:
            head, own = substreams.unpack(data, count)
        except CorruptError:
            own = None
        try:
            expected = reference.read_streams(data, count, 1, lambda source: source.rest())
        except reference.BadFile:
            expected = None
        if own is None:
            assert expected is None
        elif expected is not None:
            assert head[1:] == expected.parameters
            parts = [
                None if isinstance(p, reference.BadFile) else Substream(*p) for p in expected.parts
            ]
            assert own == parts


# What static coders have in common


@pytest.mark.parametrize("number", [0, 1, 2])
def test_tables_of_static_coders_serve_several_streams(number: int) -> None:
    rng = np.random.default_rng(number)
    contexts = 7
    parts = [
        (rng.integers(0, most, n).astype(np.uint8), rng.integers(0, contexts, n).astype(np.uint8))
        for most, n in ((4, 400), (9, 0), (30, 1), (64, 90))
    ]
    written = [_native.write_symbols(number, *part, contexts) for part in parts]
    tables, streams = _native.pack_streams(number, written, contexts)
    coded = [own for _, own in streams]
    assert streams[1] == (b"", b"")
    if number == 0:
        assert tables == b""
        coded = [reference.pack_snappy(own) for own in coded]
    segment = substreams.pack(bytes([number]) + tables, [Substream(b"", own) for own in coded])
    read = reference.read_streams(segment, len(parts), contexts, lambda head: None)
    for i, (symbols, order) in enumerate(parts):
        if len(symbols):
            reader = read.open(i, None, reference.StaticReader)
            assert [reader.symbol(c) for c in order.tolist()] == symbols.tolist()
            reader.finish()


@pytest.mark.parametrize("number", [0, 1, 2, 3])
def test_tables_are_complete_and_nothing_follows(number: int) -> None:
    symbols = np.arange(64, dtype=np.uint8)
    tables = b""
    if number < 3:
        written = _native.write_symbols(number, symbols, symbols % 5, 5)
        tables, _ = _native.pack_streams(number, [written], 5)
    _native.SharedTables(number, tables, 5)
    wrong = [tables + b"\0", *(tables[:n] for n in range(len(tables)))]
    for other in wrong:
        with pytest.raises(CorruptError):
            _native.SharedTables(number, other, 5)


@given(own=own_streams, data=st.data())
@check
def test_some_streams_of_a_segment_that_is_read_in_pieces(own, data) -> None:
    """As from the whole segment, and no byte is read twice."""
    head = data.draw(st.binary(max_size=300))
    payload = substreams.pack(head, own)
    wanted = data.draw(st.sets(st.integers(0, len(own) - 1))) if own else set()
    seen = set()

    def read(offset: int, n: int) -> bytes:
        places = set(range(offset, min(offset + n, len(payload))))
        if offset >= min(len(payload), 64 + 6 * len(own)):
            assert not places & seen
        seen.update(places)
        return payload[offset : offset + n]

    segment = substreams.PartialSegment(read, len(payload))
    found_head, found = substreams.take(segment, len(own), wanted)
    assert found_head == head
    assert found == {number: own[number] for number in wanted}
    for length in (len(payload) - 1, len(payload) + 1):
        with pytest.raises(CorruptError):
            substreams.take(substreams.PartialSegment(read, length), len(own), wanted)
