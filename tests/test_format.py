"""Whole files against the reference, which knows nothing but docs/format.md."""

import base64
import json
import struct
import zlib
from fractions import Fraction

import numpy as np
import pytest
import reference
import snappy
from reference import UPTO
from support import pictures
from support.pictures import KINDS, LOSSY_ENTROPIES
from support.tiers import mostly_slow

import aig_codec
from aig_codec.container.header import sigma_from_code, sigma_to_code

MODES = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}


def _check_pixels(data, shape):
    """Every stage of a file by the reader and by the reference; returns the last."""
    for upto in UPTO:
        found = aig_codec.decode(data, upto=upto)
        expected = reference.decode_file(data, upto)
        assert expected.shape == shape
        np.testing.assert_array_equal(found.reshape(shape), expected, err_msg=upto)
    return expected


def _check_cores(data, picture, decoded):
    """The pixels of every core are exact."""
    classes = reference.picture_classes(reference.read_container(data))
    core = reference.core_pixels(classes)
    np.testing.assert_array_equal(decoded[core], picture[core])
    return core


def _foci(count, width, height):
    """Options for foci of different shapes that overlap."""
    points = [(width // 3, height // 2), (width * 2 // 3, height // 3), (0, height - 1)][:count]
    return {
        "centers": points,
        "radii": [(width / 7, width / 4), (height / 9, height / 4), (3, 3.5)][:count],
        "sigmas": [(1.3, 0.6), (2.0, 1.0), (0.4, 0.9)][:count],
        "alphas": [0.0, 0.3, 1.0][:count],
    }


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("count", mostly_slow([1, 2, 3], 2))
@pytest.mark.parametrize("mid", ["none", "dct", "palette", "auto"])
def test_modes_foci_and_mids(mode: str, count: int, mid: str) -> None:
    seed = 10 * count + MODES[mode]
    picture = pictures.mixed(35, 46, MODES[mode], seed)
    data = aig_codec.encode(
        picture,
        mid=mid,
        entropy=LOSSY_ENTROPIES[(seed + len(mid)) % 4],
        boundary_tau=2,
        quality_level=(60, 140, 220)[seed % 3],
        tune=("psnr", "visual")[seed % 2],
        **_foci(count, 46, 35),
    )
    decoded = _check_pixels(data, picture.shape)
    core = _check_cores(data, picture, decoded)
    assert 20 < core.sum() < core.size
    container = reference.read_container(data)
    assert container.mode == mode
    assert len(container.foci) == count
    assert mid in ("auto", container.mid)
    if mode in ("LA", "RGBA"):
        np.testing.assert_array_equal(decoded[..., -1], picture[..., -1])


@pytest.mark.parametrize("subsampling", ["4:2:0", "4:4:4"])
@pytest.mark.parametrize("entropy", LOSSY_ENTROPIES)
@pytest.mark.parametrize("boundary_tau", mostly_slow([None, 0, 3], 3))
def test_subsampling_entropy_and_boundary(subsampling, entropy, boundary_tau) -> None:
    picture = pictures.mixed(37, 53, 3, 2)
    data = aig_codec.encode(
        picture,
        subsampling=subsampling,
        entropy=entropy,
        boundary_tau=boundary_tau,
        mid="dct",
        quality_level=40,
        **_foci(2, 53, 37),
    )
    decoded = _check_pixels(data, picture.shape)
    container = reference.read_container(data)
    assert container.subsampling == subsampling
    payloads = {s.kind: container.read(s) for s in container.segments}
    heads = [reference.ByteReader(payloads[kind]) for kind in ("preview", "mid", "background")]
    coders = {head.take(head.varint())[0] for head in heads}
    assert coders == {LOSSY_ENTROPIES.index(entropy)}
    assert ("boundary" in payloads) == (boundary_tau is not None)
    if boundary_tau == 0:
        band = reference.boundary_band(reference.picture_classes(container))
        assert band.any()
        np.testing.assert_array_equal(decoded[band], picture[band])


@pytest.mark.parametrize(
    "size", [(1, 1), (1, 2), (2, 1), (1, 19), (19, 1), (7, 5), (8, 8), (9, 9), (16, 17), (17, 33)]
)
@pytest.mark.parametrize("mode", mostly_slow(MODES, "L", "RGBA"))
def test_small_and_odd_sizes(size, mode: str) -> None:
    height, width = size
    picture = pictures.noise(height, width, MODES[mode], height)
    for mid, radii in (("dct", (1, 3)), ("palette", (0, 2)), ("none", (0, 0))):
        data = aig_codec.encode(
            picture, centers=[(width // 2, height // 2)], radii=[radii], mid=mid, boundary_tau=1
        )
        decoded = _check_pixels(data, picture.shape)
        assert _check_cores(data, picture, decoded).any()
    assert aig_codec.decode(data).shape == (picture.shape if MODES[mode] > 1 else (height, width))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("size", mostly_slow([(1, 1), (7, 5), (30, 41)], (1, 1), (7, 5)))
def test_lossless(mode: str, size) -> None:
    for kind in ("mixed", "extremes"):
        picture = KINDS[kind](*size, MODES[mode], 7)
        for effort in (1, 5, 9):
            data = aig_codec.encode(picture, lossless=True, effort=effort)
            np.testing.assert_array_equal(_check_pixels(data, picture.shape), picture)
            container = reference.read_container(data)
            assert container.shape == "all"
            assert [(s.kind, s.center) for s in container.segments] == [("core", 0)]


@pytest.mark.parametrize("kind", mostly_slow(KINDS, "mixed", "text"))
def test_kinds_of_pictures_that_choose_for_themselves(kind: str) -> None:
    """Everything automatic: centers, radii, mid tier."""
    picture = KINDS[kind](64, 72, 3, 1)
    data = aig_codec.encode(picture)
    decoded = _check_pixels(data, picture.shape)
    assert _check_cores(data, picture, decoded).any()


@pytest.mark.parametrize("mode", MODES)
def test_a_focus_that_owns_nothing(mode: str) -> None:
    picture = pictures.mixed(24, 31, MODES[mode])
    for mid in ("none", "dct"):
        data = aig_codec.encode(picture, centers=[(9, 9)] * 3, radii=[(5, 8)] * 3, mid=mid)
        decoded = _check_pixels(data, picture.shape)
        assert _check_cores(data, picture, decoded).any()
    with aig_codec.open(data) as file:
        assert [bool(core.mask.any()) for core in file.cores()] == [True, False, False]


@pytest.mark.parametrize("mode", MODES)
def test_a_core_that_covers_everything(mode: str) -> None:
    picture = pictures.mixed(24, 31, MODES[mode])
    data = aig_codec.encode(picture, centers=[(9, 9)], radii=[(500, 900)], boundary_tau=1)
    np.testing.assert_array_equal(_check_pixels(data, picture.shape), picture)


def test_a_mid_tier_that_covers_everything() -> None:
    picture = pictures.mixed(24, 31, 3)
    for mid in ("dct", "palette"):
        data = aig_codec.encode(picture, centers=[(9, 9)], radii=[(2, 900)], mid=mid)
        _check_cores(data, picture, _check_pixels(data, picture.shape))


@pytest.mark.parametrize("mode", mostly_slow(MODES, "L", "RGBA"))
@pytest.mark.parametrize("size", [(1, 1), (8, 8), (33, 50)])
@pytest.mark.parametrize("subsampling", ["4:2:0", "4:4:4"])
def test_preview(mode: str, size, subsampling: str) -> None:
    picture = pictures.mixed(*size, MODES[mode], 3)
    data = aig_codec.encode(picture, centers=[(0, 0)], radii=[(2, 4)], subsampling=subsampling)
    with aig_codec.open(data) as file:
        found = file.preview()
    expected = reference.decode_preview(data)
    assert expected.shape[:2] == tuple(-(-n // 8) for n in size)
    colours = expected.shape[2]
    found = found.reshape(*expected.shape[:2], MODES[mode])
    np.testing.assert_array_equal(found[..., :colours], expected)
    assert (found[..., colours:] == 255).all()


# The container


def _options():
    return {"boundary_tau": 1, "mid": "dct", "exif": b"Exif", "icc_profile": b"icc", "xmp": b"<x/>"}


def test_segments_come_in_order_and_prefixes_are_complete() -> None:
    picture = pictures.mixed(35, 46, 4)
    data = aig_codec.encode(picture, **_options(), **_foci(2, 46, 35))
    container = reference.read_container(data)
    assert [(s.kind, s.center, s.coder) for s in container.segments] == [
        ("core", 0, "lossless"),
        ("core", 1, "lossless"),
        ("preview", None, "dct"),
        ("alpha", None, "lossless"),
        ("mid", None, "dct"),
        ("background", None, "dct"),
        ("boundary", None, "boundary"),
        ("icc", None, "raw"),
        ("exif", None, "raw"),
        ("xmp", None, "raw"),
    ]
    assert container.segments[-1].offset + container.segments[-1].length == len(container.body)
    assert [container.read(container.find(k)) for k in ("icc", "exif", "xmp")] == [
        b"icc",
        b"Exif",
        b"<x/>",
    ]
    start = len(data) - len(container.body)
    for upto, last in (("core", 1), ("preview", 2), ("mid", 4), ("full", 6)):
        end = start + container.segments[last].offset + container.segments[last].length
        expected = reference.decode_file(data, upto)
        np.testing.assert_array_equal(aig_codec.decode(data[:end], upto=upto), expected)
        np.testing.assert_array_equal(reference.decode_file(data[:end], upto), expected)
        with pytest.raises(aig_codec.TruncatedError):
            aig_codec.decode(data[: end - 1], upto=upto)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_header_holds_what_the_page_says(count: int) -> None:
    picture = pictures.mixed(35, 46, 3)
    options = _foci(count, 46, 35)
    data = aig_codec.encode(picture, quality_level=99, **options)
    container = reference.read_container(data)
    assert data[:34] == reference.header_bytes(container)
    assert data[:5] == b"AIG2" + bytes([count])
    centers = struct.unpack_from(f">{2 * count}h", data, 5)
    assert list(zip(centers[::2], centers[1::2], strict=True)) == options["centers"]
    radii = struct.unpack_from(f">{count}H", data, 5 + 4 * count)
    for stored, (_, asked) in zip(radii, options["radii"], strict=True):
        assert asked <= stored <= asked + 1 + 1 / 256
    assert data[5 + 6 * count : 7 + 6 * count] == bytes([1, 99])
    codes = data[7 + 6 * count : 7 + 8 * count]
    for code, asked in zip(codes, sum(options["sigmas"], ()), strict=True):
        assert sigma_from_code(code - 1) < asked <= sigma_from_code(code) * (1 + 1e-6)
    alphas = data[7 + 8 * count : 7 + 9 * count]
    assert [a / 100 for a in alphas] == options["alphas"]
    assert data[7 + 9 * count : 34] == bytes(27 - 9 * count)


def test_sigma_codes_never_shrink_a_focus() -> None:
    """Also next to the powers, where rounding tempts."""
    wrong = []
    for code in range(1, 256):
        value = np.float32(sigma_from_code(code))
        neighbours = (np.nextafter(value, np.float32(end)) for end in (0, 1e9))
        for sigma in map(float, (value, *neighbours)):
            if sigma_to_code(sigma) != reference.sigma_code(Fraction(sigma)):
                wrong.append((code, sigma))
    assert not wrong


def _metadata_text(data):
    (length,) = struct.unpack_from(">I", data, 34)
    return snappy.decompress(data[38 : 38 + length])


def _with_metadata(data, change):
    """The file with its JSON changed, packed and sealed as section 3 says."""
    (length,) = struct.unpack_from(">I", data, 34)
    meta = json.loads(_metadata_text(data))
    del meta["crc32"]
    change(meta)
    text = json.dumps(meta).encode()[:-1]
    crc = zlib.crc32(data[:34] + text)
    text += b',"crc32":"%b"}' % base64.b85encode(crc.to_bytes(4))
    block = reference.pack_snappy(text)
    return data[:34] + struct.pack(">I", len(block)) + block + data[38 + length :]


def test_metadata_hold_what_the_page_says() -> None:
    picture = pictures.mixed(35, 46, 3)
    data = aig_codec.encode(picture, dpi=(300, 150.5), lambda_rd=0.5, **_foci(2, 46, 35))
    text = _metadata_text(data)
    body, _, crc = text.rpartition(b',"crc32":')
    assert base64.b85decode(crc[1:-2]) == zlib.crc32(data[:34] + body).to_bytes(4)
    meta = json.loads(text)
    assert list(meta)[-1] == "crc32"
    assert set(meta) == {"version", "size", "mc_rsc", "dpi", "toc", "crc32"}
    layout = meta["mc_rsc"]
    assert set(layout) == {"radii", "sigmas", "rd_lambda"}
    assert (meta["version"], meta["size"]) == (2, [46, 35])
    assert meta["dpi"] == [300, 150.5]
    assert layout["rd_lambda"] == 0.5
    # The float32 nearest to what is written is the one that was asked for.
    sigmas = sum(_foci(2, 46, 35)["sigmas"], ())
    assert [np.float32(s) for s in layout["sigmas"]] == [np.float32(s) for s in sigmas]


def test_what_readers_do_not_know_is_ignored() -> None:
    picture = pictures.mixed(20, 22, 3)
    data = aig_codec.encode(picture, **_foci(1, 22, 20))
    expected = aig_codec.decode(data)

    def grow(meta):
        meta["later"] = {"a": [1, None, "x"]}
        meta["mc_rsc"]["later"] = True
        meta["mc_rsc"]["centers"] = "what the header says counts"

    for other in (_with_metadata(data, grow), data + b"behind the last segment"):
        np.testing.assert_array_equal(aig_codec.decode(other), expected)
        np.testing.assert_array_equal(reference.decode_file(other), expected)


def test_header_and_metadata_must_agree() -> None:
    data = aig_codec.encode(pictures.mixed(20, 22, 3), quality_level=120, **_foci(1, 22, 20))

    def reach(meta):
        meta["mc_rsc"]["radii"][1] += 256

    def widen(meta):
        meta["mc_rsc"]["sigmas"][1] *= 2

    def forget(meta):
        del meta["mc_rsc"]["sigmas"], meta["mc_rsc"]["radii"]

    for change in (reach, widen, forget):
        changed = _with_metadata(data, change)
        with pytest.raises(reference.BadFile):
            reference.read_container(changed)
        with pytest.raises(aig_codec.CorruptError):
            aig_codec.open(changed)


@pytest.mark.parametrize("shift", range(0, 38, 3))
def test_every_damaged_byte_before_the_segments_is_noticed(shift: int) -> None:
    data = aig_codec.encode(pictures.constant(8, 8, 1), centers=[(3, 3)], radii=[(1, 2)])
    start = len(data) - len(reference.read_container(data).body)
    for position in [shift, *range(38 + shift, start, 38)]:
        damaged = bytearray(data)
        damaged[position] ^= 1 << shift % 8
        with pytest.raises(aig_codec.AigError):
            aig_codec.open(bytes(damaged))
        with pytest.raises(reference.BadFile):
            reference.read_container(bytes(damaged))


@pytest.mark.parametrize("seed", range(12))
def test_random_settings(seed: int) -> None:
    """Whatever the rest of the tests did not think of."""
    rng = np.random.default_rng(seed)
    height, width = (int(n) for n in rng.integers(1, 50, 2))
    channels = int(rng.integers(1, 5))
    picture = KINDS[str(rng.choice(sorted(KINDS)))](height, width, channels, seed)
    foci = pictures.random_foci(seed, width, height)
    data = aig_codec.encode(
        picture,
        centers=[(f.x, f.y) for f in foci],
        sigmas=[f.sigma for f in foci],
        alphas=[f.alpha for f in foci],
        radii=[(f.r_core, f.r_mid) for f in foci],
        quality_level=int(rng.integers(0, 256)),
        mid=str(rng.choice(["auto", "none", "dct", "palette"])),
        entropy=str(rng.choice(LOSSY_ENTROPIES)),
        effort=int(rng.integers(1, 8)),
        tune=str(rng.choice(["psnr", "visual"])),
        subsampling=str(rng.choice(["4:2:0", "4:4:4"])),
        boundary_tau=None if seed % 3 else float(rng.integers(0, 9)),
    )
    _check_cores(data, picture, _check_pixels(data, picture.shape))
