"""Metadata of container version 2: short, and nothing lost by that (format.md, 3.1)."""

import base64
import json
import struct
import zlib
from dataclasses import replace

import numpy as np
import pytest
import reference
import snappy
from hypothesis import given
from hypothesis import strategies as st
from support import pictures
from support.tiers import mostly_slow

import aig_codec
from aig_codec import errors
from aig_codec.coders import registry
from aig_codec.container import Focus, Frames, Label, Metadata, Segment, pack_prologue
from aig_codec.container import read_prologue as read
from aig_codec.container.header import float32_from_code, sigma_from_code, sigma_to_code


def a_picture(**fields: object) -> Metadata:
    segments = (
        Segment("core", 0, 0, 300, "lossless", 2, 2**32 - 1),
        Segment("preview", None, 300, 20, "dct", 3, 0),
        Segment("background", None, 320, 2**40 - 1, "dct", 3, 77),
    )
    focus = Focus(5, 6, (1.0, 1.0), 3, 12.5, 20.25)
    return replace(
        Metadata(width=64, height=48, mode="RGB", foci=(focus,), segments=segments), **fields
    )


def json_of(data: bytes) -> dict:
    (length,) = struct.unpack(">I", data[34:38])
    return json.loads(snappy.decompress(data[38 : 38 + length]))


def sealed(short: object, header: bytes | None = None) -> bytes:
    """The start of a file with this JSON, its checksum made right."""
    header = a_picture().header().pack() if header is None else header
    text = json.dumps(short).encode()[:-1]
    crc = zlib.crc32(text, zlib.crc32(header)).to_bytes(4)
    block = snappy.compress(text + b',"crc32":"%b"}' % base64.b85encode(crc))
    return header + struct.pack(">I", len(block)) + block


def short_with(**entries: object) -> bytes:
    """A file start in which some members are others; None takes one away."""
    short = json_of(pack_prologue(a_picture()))
    del short["crc32"]
    for path, value in entries.items():
        *parents, leaf = path.split("__")
        node = short
        for name in parents:
            node = node[name]
        if value is None:
            del node[leaf]
        else:
            node[leaf] = value
    return sealed(short)


def spelt_out(metadata: Metadata) -> bytes:
    """The start of a file of version 1."""
    header = metadata.header().pack()
    text = json.dumps(metadata.to_json()).encode()[:-1]
    block = snappy.compress(text + b',"crc32":%d}' % zlib.crc32(text, zlib.crc32(header)))
    return header + struct.pack(">I", len(block)) + block


VARIANTS = {
    "plain": a_picture(),
    "spelt out": a_picture(
        bits=8,
        subsampling="4:4:4",
        qp_table_id=1,
        mid="palette",
        mid_level=3,
        palette_sizes=(17, 256),
        boundary_tau=7.5,
        rd_lambda=1e-3,
        dpi=(72.0, 300.5),
        labels=(Label("☃", 3, 0.5),),
        frames=None,
    ),
    "whole": Metadata(
        width=1,
        height=32767,
        mode="LA",
        bits=16,
        shape="all",
        foci=tuple(Focus(0, y, (1.0, 1.0), 0, 65535.0, 65535.0) for y in (0, 9, 32766)),
        labels=(None, Label(), Label("a")),
        segments=(Segment("core", 0, 0, 1, "lossless", 2, 1),),
    ),
    "frames": a_picture(
        frames=Frames(2, None),
        segments=(*a_picture().segments, Segment("frames", None, 320 + 2**40 - 1, 24, "raw", 1, 9)),
    ),
    "not for packing": a_picture(
        segments=(*a_picture().segments, Segment("depth", None, 320 + 2**40 - 1, 5, "zip", 9, 9))
    ),
    "another version": a_picture(
        segments=(*a_picture().segments[:2], Segment("background", None, 320, 5, "dct", 77, 9))
    ),
}


@pytest.mark.parametrize("metadata", VARIANTS.values(), ids=VARIANTS)
def test_both_versions_say_the_same(metadata: Metadata) -> None:
    short, full = pack_prologue(metadata), spelt_out(metadata)
    assert read(short).metadata == read(full).metadata == metadata
    assert len(short) < len(full)
    if metadata is not VARIANTS["not for packing"]:
        ours, theirs = reference.read_container(short), reference.read_container(full)
        keys = ("foci", "mid", "mid_level", "subsampling", "segments", "shape", "mode", "matrix")
        assert [getattr(ours, k) for k in keys] == [getattr(theirs, k) for k in keys]


def test_what_is_left_out_is_what_the_page_says() -> None:
    data = pack_prologue(a_picture(mid="none"))
    short = json_of(data)
    assert set(short) == {"version", "size", "mc_rsc", "toc", "crc32"}
    assert short["size"] == [64, 48]
    assert short["mc_rsc"] == {"radii": [3200, 5184], "mid_level": 191}
    assert json_of(pack_prologue(a_picture(mid_level=199)))["mc_rsc"] == {"radii": [3200, 5184]}
    assert json_of(pack_prologue(a_picture(mode="L")))["size"] == [64, 48, 1]


sigmas = st.floats(2**-6, 16384, width=32)


@given(st.lists(st.tuples(sigmas, sigmas), min_size=1, max_size=3), st.integers(0, 255))
def test_sigma_and_level_survive(pairs: list[tuple[float, float]], level: int) -> None:
    foci = tuple(Focus(1, 2, pair, 0, 1.0, 2.0) for pair in pairs)
    cores = tuple(Segment("core", k, k, 1, "lossless", 2, 0) for k in range(len(foci)))
    preview = Segment("preview", None, len(foci), 1, "dct", 3, 0)
    metadata = a_picture(foci=foci, quality_level=level, segments=(*cores, preview))
    assert read(pack_prologue(metadata)).metadata == metadata


def test_a_byte_of_the_header_is_a_float32() -> None:
    """The largest that is not above what it stands for; it has the same byte."""
    for code in range(1, 256):
        value = float32_from_code(code)
        assert float(np.float32(value)) == value
        assert sigma_to_code(value) == code
        above = float(np.nextafter(np.float32(value), np.float32(np.inf)))
        assert value <= sigma_from_code(code) * (1 + 1e-12)
        assert sigma_to_code(above) == min(code + 1, 255)
    value = float32_from_code(90)
    data = pack_prologue(a_picture(foci=(Focus(5, 6, (value, 1.0), 0, 1.0, 2.0),)))
    assert "sigmas" not in json_of(data)["mc_rsc"]
    assert read(data).metadata.foci[0].sigma == (value, 1.0)


@pytest.mark.parametrize(
    "entries",
    [
        {"version": 3},
        {"version": True},
        {"size": None},
        {"size": [64]},
        {"size": [64, 48, 5]},
        {"size": [64, 48, 0]},
        {"size": [64, 48, True]},
        {"size": [64, 48, 3, 3]},
        {"size": [0, 48]},
        {"size": ["64", 48]},
        {"bits": 12},
        {"bits": 16},
        {"mc_rsc": []},
        {"mc_rsc__radii": [1]},
        {"mc_rsc__radii": [3200, 3199]},
        {"mc_rsc__radii": [3200, 10**400]},
        {"mc_rsc__radii": [-1, 5]},
        {"mc_rsc__radii": [3200.0, 5184]},
        {"mc_rsc__radii": None},
        {"mc_rsc__sigmas": [1, 1, 1]},
        {"mc_rsc__sigmas": [1, 1e40]},
        {"mc_rsc__sigmas": [1, 0]},
        {"mc_rsc__sigmas": ["1", 1]},
        {"mc_rsc__mid": "wavelet"},
        {"mc_rsc__mid_level": 256},
        {"mc_rsc__shape": "all"},
        {"toc": None},
        {"toc": 5},
        {"toc": ""},
        {"toc": "☃☃☃☃☃"},
        {"toc": "~~~~~"},
        {"toc": base64.b85encode(bytes([1, 128, 128, 128])).decode()},
        {"toc": base64.b85encode(bytes([1]) + b"\xff" * 12).decode()},
        {"segments": []},
        {"segments": {"mid": 1}},
    ],
    ids=str,
)
def test_impossible_members_are_refused(entries: dict[str, object]) -> None:
    data = short_with(**entries)
    with pytest.raises((errors.CorruptError, errors.UnsupportedError)):
        read(data)
    with pytest.raises(reference.BadFile):
        reference.read_container(data)


def test_a_table_of_contents_that_ends_inside_a_row_is_refused() -> None:
    data = pack_prologue(a_picture())
    table, rows = base64.b85decode(json_of(data)["toc"]), read(data).metadata.segments
    whole = []
    for end in range(len(table)):
        cut = short_with(toc=base64.b85encode(table[:end]).decode())
        try:
            found = read(cut).metadata.segments
        except errors.CorruptError:
            with pytest.raises(reference.BadFile):
                reference.read_container(cut)
        else:
            assert found == rows[: len(found)]
            assert len(reference.read_container(cut).segments) == len(found)
            whole.append(len(found))
    # With its core alone, a file says that this is all; and one without a background is whole.
    assert whole == [1, 2]


def test_numbers_without_a_name_are_named_when_they_are_asked_for() -> None:
    table = base64.b85decode(json_of(pack_prologue(a_picture()))["toc"])
    one, two = bytes([table[0] | 0xF0]) + table[1:], table + bytes([0x5F, 1, 0, 0, 0, 0])
    core, *_ = read(short_with(toc=base64.b85encode(one).decode())).metadata.segments
    with pytest.raises(errors.UnsupportedError, match=r"coder number 15 .* core 0"):
        registry.require(core)
    *_, last = read(short_with(toc=base64.b85encode(two).decode())).metadata.segments
    with pytest.raises(errors.UnsupportedError, match="kind 'number 15'"):
        registry.require(last)


def test_a_header_without_sigma_needs_one_in_the_metadata() -> None:
    header = bytearray(a_picture().header().pack())
    header[14:16] = 0, 0
    data = pack_prologue(a_picture())
    short = {k: v for k, v in json_of(data).items() if k != "crc32"}
    for own in (short, short | {"mc_rsc": {**short["mc_rsc"], "sigmas": [1, 1]}}):
        with pytest.raises(errors.CorruptError, match=r"Sigma|disagree"):
            read(sealed(own, bytes(header)))


def test_what_cannot_be_read_is_not_written() -> None:
    for wrong in (
        a_picture(width=0),
        a_picture(labels=(Label("a" * 5000),)),
        a_picture(labels=(Label(None, None, float("inf")),)),
        a_picture(foci=(Focus(5, 6, (0.001, 1.0), 0, 1.0, 2.0),)),
        a_picture(foci=(Focus(5, 6, (1.0, 1.0), 0, 1.0, 2.0001),)),
        a_picture(boundary_tau=300.0),
    ):
        with pytest.raises(ValueError):
            pack_prologue(wrong)


@pytest.mark.parametrize("channels", mostly_slow([1, 2, 3, 4], 3))
@pytest.mark.parametrize("effort", [3, 7])
def test_little_stands_before_the_first_core(channels: int, effort: int) -> None:
    """One center and no labels: at most 220 bytes, whatever else there is."""
    rng = np.random.default_rng(channels)
    picture = pictures.mixed(300, 420, channels, channels)
    picture[:120] = np.where(rng.random((120, 420, 1)) < 0.2, 0, 255)
    for options in ({}, {"centers": [(200, 250)]}, {"centers": [(200, 250)], "explain": True}):
        data = aig_codec.encode(picture, effort=effort, **options)
        with aig_codec.open(data) as file:
            if len(file.centers) == 1:
                assert file.data_start <= 220, file.segments


def test_a_constant_icon_takes_few_bytes() -> None:
    data = aig_codec.encode(np.full((16, 16, 3), 200, np.uint8))
    assert set(json_of(data)) == {"version", "size", "toc", "crc32"}
    assert len(data) < 120
