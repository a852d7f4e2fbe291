"""Header, metadata and table of contents: reading inverts writing, strangers are refused."""

import json
import struct
import zlib
from dataclasses import replace

import pytest
import snappy
from hypothesis import given
from hypothesis import strategies as st

from aig_codec import errors, limits
from aig_codec.coders import registry
from aig_codec.container import (
    DeclaredCoder,
    Focus,
    Header,
    Metadata,
    Segment,
    pack_prologue,
    read_prologue,
)
from aig_codec.container.header import (
    HEADER_SIZE,
    MAX_SIGMA,
    MIN_SIGMA,
    sigma_from_code,
    sigma_to_code,
)


def some_metadata(n: int = 2) -> Metadata:
    foci = tuple(Focus(10 + k, 20, (1.0, 2.5), 10 * k, 12.5, 20.0) for k in range(n))
    cores = [Segment("core", k, 10 * k, 10, "lossless", 2, 123) for k in range(n)]
    preview = Segment("preview", None, 10 * n, 5, "dct", 1, 456)
    return Metadata(width=64, height=48, mode="RGB", foci=foci, segments=(*cores, preview))


#: Rows of a table of contents for `some_metadata`, and what to put in their place.
ROWS = [list(s) for s in some_metadata().segments]


def rows_with(index: int, **fields: object) -> list[list]:
    """`ROWS` with some entries of one row replaced."""
    row = Segment(*ROWS[index])._replace(**fields)
    return [*ROWS[:index], list(row), *ROWS[index + 1 :]]


def packed_with(text: bytes, header: bytes | None = None) -> bytes:
    """A file start with any JSON text, its checksum made right."""
    header = some_metadata().header().pack() if header is None else header
    crc = zlib.crc32(text[:-1], zlib.crc32(header))
    block = snappy.compress(text[:-1] + b',"crc32":%d}' % crc)
    return header + struct.pack(">I", len(block)) + block


def changed(**entries: object) -> bytes:
    """A file start whose JSON has these members replaced; "a.b" reaches into a."""
    data = some_metadata().to_json()
    for path, value in entries.items():
        *parents, leaf = path.split("__")
        node = data
        for name in parents:
            node = node[name]
        node[leaf] = value
    return packed_with(json.dumps(data).encode())


def test_header_is_34_bytes_in_the_order_of_the_specification() -> None:
    header = Header(((1, 2), (-3, 4), (5, 6)), (7, 8, 9), 200, ((84, 85),) * 3, (0, 100, 255))
    data = header.pack()
    assert len(data) == HEADER_SIZE == 34
    assert data[:5] == b"AIG2\x03"
    assert struct.unpack(">6h", data[5:17]) == (1, 2, -3, 4, 5, 6)
    assert struct.unpack(">3H", data[17:23]) == (7, 8, 9)
    assert data[23:] == bytes([1, 200, 84, 85, 84, 85, 84, 85, 0, 100, 255])
    one = Header(((1, 2),), (7,), 200, ((84, 85),), (3,)).pack()
    assert one[16:] == bytes(18)


@given(
    st.lists(
        st.tuples(
            st.tuples(st.integers(-32768, 32767), st.integers(-32768, 32767)),
            st.integers(0, 65535),
            st.tuples(st.integers(0, 255), st.integers(0, 255)),
            st.integers(0, 255),
        ),
        min_size=1,
        max_size=3,
    ),
    st.integers(0, 255),
)
def test_header_round_trip(foci: list[tuple], level: int) -> None:
    centers, radii, sigmas, alphas = map(tuple, zip(*foci, strict=True))
    header = Header(centers, radii, level, sigmas, alphas)
    assert Header.unpack(header.pack() + b"more") == header


def test_header_refusals() -> None:
    good = some_metadata().header().pack()
    with pytest.raises(errors.NotAigError):
        Header.unpack(b"\x89PNG" + good[4:])
    with pytest.raises(errors.NotAigError):
        Header.unpack(b"")
    for n in range(1, HEADER_SIZE):
        with pytest.raises(errors.TruncatedError):
            Header.unpack(good[:n])
    for n in (0, 4, 255):
        with pytest.raises(errors.CorruptError, match="centers"):
            Header.unpack(good[:4] + bytes([n]) + good[5:])
    with pytest.raises(errors.CorruptError, match="padding"):
        Header.unpack(good[:-1] + b"\1")
    flag = 5 + 4 * 2 + 2 * 2
    with pytest.raises(errors.UnsupportedError, match="flag"):
        Header.unpack(good[:flag] + b"\2" + good[flag + 1 :])


def test_sigma_code_is_monotone_and_never_shrinks() -> None:
    assert sigma_to_code(1.0) == 84
    assert sigma_to_code(2.0) == 96
    values = [sigma_from_code(code) for code in range(1, 256)]
    assert values == sorted(values)
    assert [sigma_to_code(v * (1 - 1e-12)) for v in values] == list(range(1, 256))
    assert [sigma_to_code(v * (1 + 1e-12)) for v in values[:-1]] == list(range(2, 256))
    assert (values[0], values[-1]) == (MIN_SIGMA, MAX_SIGMA)
    for sigma in (0.01, 0.3, 1.3, 77.7, 10_000.0):
        assert sigma <= sigma_from_code(sigma_to_code(sigma)) < sigma * 1.06


def test_prologue_round_trip() -> None:
    metadata = replace(some_metadata(), dpi=(72.0, 300.0))
    data = pack_prologue(metadata)
    prologue = read_prologue(data + b"pixels")
    assert prologue.metadata == metadata
    assert prologue.header == metadata.header()
    assert prologue.data_start == len(data)
    # The metadata is plain Snappy JSON behind a big-endian length, for anyone to read.
    (length,) = struct.unpack(">I", data[34:38])
    assert json.loads(snappy.decompress(data[38:]))["size"] == [64, 48]
    assert length == len(data) - 38


def test_truncation_says_how_much_is_needed() -> None:
    data = pack_prologue(some_metadata())
    for n in range(1, len(data)):
        with pytest.raises(errors.TruncatedError) as caught:
            read_prologue(data[:n])
        if n >= HEADER_SIZE + 4:
            assert caught.value.needed == len(data)


def test_every_changed_byte_is_noticed() -> None:
    data = pack_prologue(some_metadata())
    for i in range(len(data)):
        for flip in (1, 0x80, 0xFF):
            mutated = bytearray(data)
            mutated[i] ^= flip
            with pytest.raises(errors.AigError):
                read_prologue(bytes(mutated) + bytes(300))


@pytest.mark.parametrize(
    "entries",
    [
        {"width": 0},
        {"width": -1},
        {"width": True},
        {"width": 64.0},
        {"height": "48"},
        {"mode": "CMYK"},
        {"quality_level": 256},
        {"version": 3},
        {"segments": {}},
        {"segments": [[]] * 65},
        {"segments": [*ROWS[:2], ROWS[2][:6]]},
        {"segments": [*ROWS[:2], "preview"]},
        {"segments": [*ROWS, ["drawn", None, 25, 1, "lossless", 3, 0]]},  # no tiles
        {"segments": [*ROWS, ["tiles", None, 25, 1, "labels", 1, 0]]},  # nothing drawn
        {"segments": ROWS[:2]},  # no preview
        {"segments": ROWS[:1] + rows_with(2, offset=10)[2:]},  # a core is missing
        {"segments": rows_with(2, length=-1)},
        {"segments": rows_with(2, length=2**60)},
        {"segments": rows_with(2, length=5.0)},
        {"segments": rows_with(1, center=2)},
        {"segments": rows_with(1, center=0)},
        {"segments": rows_with(1, center=None)},
        {"segments": rows_with(2, center=0)},
        {"segments": rows_with(0, offset=1)},
        {"segments": rows_with(2, offset=21)},
        {"segments": rows_with(2, crc32=2**32)},
        {"segments": rows_with(2, version=True)},
        {"segments": [*ROWS, ["preview", None, 25, 1, "dct", 1, 0]]},
        {"segments": [*ROWS, ["alpha", None, 25, 1, "lossless", 2, 0]]},  # RGB has none
        {"segments": [*ROWS, ["mid", None, 25, 1, "palette", 1, 0]]},  # mid is "none"
        {"mode": "RGBA"},  # needs an alpha segment
        {"mc_rsc__shape": "all"},  # has one core and nothing else
        {
            "segments": [
                *ROWS,
                ["background", None, 25, 1, "dct", 1, 0],
                ["mid", None, 26, 1, "dct", 1, 0],
            ]
        },
        {"mc_rsc": [1]},
        {"mc_rsc": {}},
        {"mc_rsc__bit_allocation": []},
        {"mc_rsc__sigmas": [[1.0, 2.5], [1.0]]},
        {"mc_rsc__sigmas": [[1.0, 2.5], 1.0]},
        {"mc_rsc__N": 0},
        {"mc_rsc__N": 3},
        {"mc_rsc__shape": "star"},
        {"mc_rsc__centers": [{"x": 10, "y": 20}]},
        {"mc_rsc__centers": [{"x": 64, "y": 20}, {"x": 11, "y": 20}]},
        {"mc_rsc__radii": [{"core": 12.5, "mid": 12.0}, {"core": 12.5, "mid": 20.0}]},
        {"mc_rsc__radii": [{"core": 12.3, "mid": 20.0}, {"core": 12.5, "mid": 20.0}]},
        {"mc_rsc__radii": [{"core": float("nan"), "mid": 20.0}, {"core": 12.5, "mid": 20.0}]},
        {"mc_rsc__sigmas": [[0.0, 1.0], [1.0, 2.5]]},
        {"mc_rsc__sigmas": [[1.3, 2.5], [1.0, 2.5]]},
        {"mc_rsc__alphas": [0, 256]},
        {"mc_rsc__qp_table_id": 2},
        {"mc_rsc__mid": "wavelet"},
        {"mc_rsc__palette_sizes": [0]},
        {"dpi": [72]},
    ],
    ids=str,
)
def test_impossible_metadata_is_refused(entries: dict[str, object]) -> None:
    with pytest.raises((errors.CorruptError, errors.UnsupportedError)):
        read_prologue(changed(**entries))


def test_header_and_metadata_must_agree() -> None:
    other = replace(some_metadata(), quality_level=7).header().pack()
    text = json.dumps(some_metadata().to_json()).encode()
    with pytest.raises(errors.CorruptError, match="disagree"):
        read_prologue(packed_with(text, other))


def test_metadata_bombs_are_refused_before_they_unpack() -> None:
    header = some_metadata().header().pack()
    claim = b"\xff\xff\xff\xff\x0f"  # a Snappy block that promises 4 GiB
    with pytest.raises(errors.LimitError):
        read_prologue(header + struct.pack(">I", len(claim)) + claim)
    with pytest.raises(errors.LimitError):
        read_prologue(header + struct.pack(">I", 2**31) + bytes(100))
    deep = b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    with pytest.raises(errors.CorruptError):
        read_prologue(packed_with(deep))
    with pytest.raises(errors.LimitError, match="32767"):
        read_prologue(changed(width=40_000, height=1))


def test_pixel_limit_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    data = pack_prologue(some_metadata())
    monkeypatch.setattr(limits, "max_pixels", 64 * 48 - 1)
    with pytest.raises(errors.LimitError, match="max_pixels"):
        read_prologue(data)


def test_kinds_of_the_future_are_kept() -> None:
    rows = [*ROWS, ["depth", None, 25, 1, "zip", 3, 0]]
    *_, depth = read_prologue(changed(segments=rows)).metadata.segments
    assert depth.kind == "depth"
    with pytest.raises(errors.UnsupportedError, match="depth"):
        registry.require(depth)


def test_coders_must_suit_their_segment() -> None:
    for kind, coder in (("core", "raw"), ("background", "palette"), ("exif", "dct")):
        version = registry.known[coder].version
        with pytest.raises(errors.CorruptError, match=f"{coder} cannot code"):
            registry.require(Segment(kind, None, 0, 1, coder, version, 0))
    for kind, center, name in (("core", 0, "lossless"), ("background", None, "dct")):
        coder = registry.known[name]
        for version in (0, 1, coder.version + 1):
            segment = Segment(kind, center, 0, 1, name, version, 0)
            wanted = rf"coder {name} version {version} .* {segment.name}"
            with pytest.raises(errors.UnsupportedError, match=wanted):
                registry.require(segment)
        for version in (coder.version, *coder.older):
            registry.require(Segment(kind, center, 0, 1, name, version, 0))


def test_ancillary_segments_are_stored_as_they_are() -> None:
    Segment("exif", None, 0, 1, "raw", 1, 0).require_stored()
    for kind, coder, version, kind_of_error in (
        ("exif", "raw", 2, errors.UnsupportedError),
        ("exif", "dct", 3, errors.CorruptError),
        ("exif", "zip", 1, errors.UnsupportedError),
        ("core", "raw", 1, errors.CorruptError),
        ("depth", "raw", 1, errors.UnsupportedError),
    ):
        with pytest.raises(kind_of_error):
            Segment(kind, None, 0, 1, coder, version, 0).require_stored()


ROWS_CODER = DeclaredCoder("rows", 3, "pip install aig-rows", optional=True)


def test_declared_coders_come_back() -> None:
    for coders in ((ROWS_CODER,), (ROWS_CODER, DeclaredCoder("other", 0, "ask somebody"))):
        written = pack_prologue(replace(some_metadata(), coders=coders))
        assert read_prologue(written).metadata.coders == coders


@pytest.mark.parametrize(
    "coders",
    [
        *([], {"a": 1}, {"": {"version": 1, "get": "x"}}, {"a" * 41: {"version": 1, "get": "x"}}),
        *({"a": {"version": 1}}, {"a": {"get": "x"}}, {"a": {"version": -1, "get": "x"}}),
        *({"a": {"version": 2**16, "get": "x"}}, {"a": {"version": 1, "get": "x\ny"}}),
        *({"a": {"version": 1, "get": "x" * 201}}, {"a": {"version": 1, "get": 5}}),
        {"a": {"version": 1, "get": "x", "optional": 1}},
        {f"a{n}": {"version": 1, "get": "x"} for n in range(17)},
    ],
)
def test_declared_coders_are_checked(coders: object) -> None:
    with pytest.raises(errors.CorruptError, match="coder"):
        read_prologue(changed(coders=coders))


def test_metadata_that_no_reader_takes_are_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    metadata = some_metadata()
    size = len(pack_prologue(metadata)) - HEADER_SIZE - 4
    monkeypatch.setattr(limits, "max_metadata", size - 1)
    with pytest.raises(ValueError, match="max_metadata"):
        pack_prologue(metadata)
