"""Reading less: regions, smaller scales and stages are parts of the whole, and cost little."""

import contextlib
import io
from functools import cache

import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from support import pictures
from support.tiers import mostly_slow

import aig_codec
from aig_codec import _native, errors
from aig_codec.decoder.segments import FIRST_READ

FOCUS = {"centers": [(150, 120), (420, 300)], "radii": [(30, 50), (25, 40)]}

#: What files are made of: keywords and channels.
KINDS = {
    "colour": ({"mid": "dct"}, 3),
    "grey": ({"mid": "dct"}, 1),
    "drawn": ({}, 3),
    "drawn grey": ({}, 1),
    "boxes": ({"boxes": [(20, 25, 77, 60), (5, 3, 18, 12)]}, 3),
    "visual": ({"tune": "visual", "subsampling": "4:4:4"}, 3),
    "fitted": ({"effort": 9, "quality": 60}, 3),
    "rans": ({"entropy": "rans"}, 3),
    "no mid": ({"mid": "none"}, 3),
    "palette": ({"mid": "palette"}, 3),
    "boundary": ({"boundary_tau": 1, "quality": 20}, 3),
    "alpha": ({}, 4),
    "grey with alpha": ({}, 2),
    "lossless": ({"lossless": True}, 3),
}

WIDTH, HEIGHT = 600, 500

#: Kinds whose every part takes the whole of a segment: smaller, but of several groups as well.
SMALLER = ("alpha", "grey with alpha", "lossless")


def _size(kind: str) -> tuple[int, int]:
    return (290, 270) if kind in SMALLER else (WIDTH, HEIGHT)


@cache
def _picture(channels: int, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    return pictures.mixed(height, width, channels)


@cache
def _file(kind: str) -> bytes:
    keywords, channels = KINDS[kind]
    focus = {} if keywords.keys() & {"lossless", "boxes"} else FOCUS
    if kind in SMALLER and focus:
        focus = {"centers": [(150, 120), (262, 258)], "radii": FOCUS["radii"]}
    return aig_codec.encode(_picture(channels, *_size(kind)), **focus, **keywords)


@cache
def _decoded(kind: str, scale: int, upto: str = "full") -> np.ndarray:
    return aig_codec.decode(_file(kind), scale=scale, upto=upto)


def _crop(image, region, scale):
    left, top, right, bottom = region
    return image[top // scale : -(-bottom // scale), left // scale : -(-right // scale)]


@st.composite
def regions(draw, width: int, height: int):
    left = draw(st.integers(0, width - 1))
    top = draw(st.integers(0, height - 1))
    return left, top, draw(st.integers(left + 1, width)), draw(st.integers(top + 1, height))


@pytest.mark.parametrize("kind", mostly_slow(KINDS, "colour", "drawn", "rans", "palette"))
@pytest.mark.parametrize("scale", [1, 2, 4, 8])
def test_a_region_is_the_crop_of_the_whole(kind: str, scale: int) -> None:
    width, height = _size(kind)

    @given(region=regions(width, height))
    @settings(max_examples=12, deadline=None, derandomize=True)
    def check(region) -> None:
        part = aig_codec.decode(_file(kind), region=region, scale=scale)
        assert part.flags.c_contiguous
        assert part.flags.writeable
        np.testing.assert_array_equal(part, _crop(_decoded(kind, scale), region, scale))

    check()
    last = (width - 1, height - 1, width, height)
    for region in ((0, 0, width, height), (255, 255, 257, 257), last):
        part = aig_codec.decode(_file(kind), region=region, scale=scale)
        np.testing.assert_array_equal(part, _crop(_decoded(kind, scale), region, scale))


@pytest.mark.parametrize("upto", ["core", "preview", "mid"])
def test_a_region_stops_where_asked(upto: str) -> None:
    region = (100, 90, 300, 270)
    part = aig_codec.decode(_file("colour"), region=region, upto=upto)
    np.testing.assert_array_equal(part, _crop(_decoded("colour", 1, upto), region, 1))


@pytest.mark.parametrize(
    "region",
    [
        (0, 0, 0, 5),
        (-1, 0, 5, 5),
        (0, 0, 601, 5),
        (5, 9, 9, 9),
        (1, 2, 3),
        "abcd",
        7,
        (0, 0, 1, None),
        (0, 0, 5.5, 5),
        "0055",
    ],
)
def test_regions_that_are_not_there_are_refused(region: object) -> None:
    with pytest.raises(ValueError, match="region"):
        aig_codec.decode(_file("colour"), region=region)


@pytest.mark.slow
def test_a_region_reads_its_groups_only() -> None:
    pixels = pictures.mixed(1100, 1400, 3)
    data = aig_codec.encode(pixels, centers=[(700, 500)], radii=[(40, 60)], quality=85)
    with aig_codec.open(data) as file:
        file.decode(region=(1300, 1000, 1360, 1060))
        background = file.bytes_for("background")
        assert file.bytes_read < FIRST_READ + file.bytes_for("preview") + background / 8
        assert file.bytes_for("core") > file.bytes_read / 8
    with aig_codec.open(data) as file:
        file.decode(region=(680, 480, 700, 500))
        assert file.bytes_read < FIRST_READ + len(data) - background * 3 / 4


def test_a_damaged_group_elsewhere_does_not_matter() -> None:
    data = _file("colour")
    with aig_codec.open(data) as file:
        background = next(s for s in file.segments if s.kind == "background")
        at = file.data_start + background.end - 9  # in the last group, at the lower right
    damaged = bytearray(data)
    damaged[at] ^= 64
    region = (0, 0, 200, 200)
    part = aig_codec.decode(damaged, region=region)
    np.testing.assert_array_equal(part, _crop(_decoded("colour", 1), region, 1))
    with pytest.raises(errors.CorruptError, match="groups"):
        aig_codec.decode(damaged, region=(550, 450, 600, 500))
    with aig_codec.open(damaged) as file:
        coarse = file.decode(region=(550, 450, 600, 500), strict=False)
        assert len(file.problems) == 1
    assert coarse.shape == (50, 50, 3)


@pytest.mark.parametrize("kind", mostly_slow(KINDS, "colour", "palette"))
def test_parts_of_damaged_files_are_parts_or_errors_of_the_file(kind: str) -> None:
    """Cut or damaged anywhere: strict calls raise what they should, lenient ones have a picture."""
    rng = np.random.default_rng(11)
    keywords, channels = KINDS[kind]
    given = keywords.keys() & {"lossless", "boxes"}
    focus = {} if given else {"centers": [(60, 40)], "radii": [(13, 25)]}
    data = aig_codec.encode(pictures.mixed(83, 300, channels), **focus, **keywords)
    with aig_codec.open(data) as file:
        start = file.data_start
    for _ in range(40):
        broken = bytearray(data)
        if rng.random() < 0.5:
            del broken[int(rng.integers(start, len(data))) :]
        else:
            for at in rng.integers(start, len(data), 3):
                broken[at] ^= int(rng.integers(1, 256))
        scale = int(rng.choice([1, 2, 4, 8]))
        region = None if rng.random() < 0.3 else (7, 9, int(rng.integers(8, 301)), 50)
        with aig_codec.open(bytes(broken)) as file:
            with contextlib.suppress(errors.AigError):
                file.decode(scale=scale, region=region)
            part = file.decode(scale=scale, region=region, strict=False)
        whole = aig_codec.decode(data, scale=scale, region=region)
        assert part.shape == whole.shape


# Smaller scales


@pytest.mark.parametrize("kind", mostly_slow(KINDS, "colour"))
@pytest.mark.parametrize("scale", [2, 4, 8])
def test_smaller_pictures_are_those_of_the_page(kind: str, scale: int) -> None:
    keywords, channels = KINDS[kind]
    given = keywords.keys() & {"lossless", "boxes"}
    focus = {} if given else {"centers": [(60, 40)], "radii": [(13, 25)]}
    data = aig_codec.encode(pictures.mixed(83, 131, channels), **focus, **keywords)
    expected = reference.decode_scaled(data, scale)
    small = aig_codec.decode(data, scale=scale)
    np.testing.assert_array_equal(small, expected[..., 0] if channels == 1 else expected)


@pytest.mark.parametrize(
    ("kind", "scale", "most"),
    [
        *((kind, scale, 1.0) for kind in ("colour", "visual", "grey") for scale in (2, 4)),
        # What filters add is not there at a smaller scale.
        *(("fitted", scale, 2.0) for scale in (2, 4)),
        # Nor are high frequencies at 1/8.
        ("grey", 8, 4.0),
    ],
)
def test_smaller_pictures_are_close_to_means(kind: str, scale: int, most: float) -> None:
    """Against the picture that was encoded, hardly worse in dB than the means of the whole."""
    _, channels = KINDS[kind]
    picture = pictures.smooth(HEIGHT, WIDTH, channels)
    data = aig_codec.encode(picture, **FOCUS, **KINDS[kind][0])
    ideal = _native.shrink(picture, scale).astype(float).squeeze()

    def psnr(image):
        return 10 * np.log10(255**2 / np.mean((image.astype(float) - ideal) ** 2))

    whole = _native.shrink(np.ascontiguousarray(aig_codec.decode(data)), scale)
    assert psnr(aig_codec.decode(data, scale=scale)) > psnr(whole) - most


@pytest.mark.parametrize("scale", [2, 4, 8])
def test_exact_pixels_have_their_exact_mean(scale: int) -> None:
    picture = _picture(3)
    small = _decoded("colour", scale)
    x, y = (c // scale for c in FOCUS["centers"][0])
    box = picture[y * scale : (y + 1) * scale, x * scale : (x + 1) * scale].reshape(-1, 3)
    assert np.array_equal(small[y, x], (box.astype(int).sum(0) + len(box) // 2) // len(box))


@pytest.mark.parametrize("simd", ["plain", "avx2", "auto"], indirect=True)
@pytest.mark.parametrize("scale", [2, 4, 8])
def test_smaller_pictures_are_the_same_everywhere(simd: str, scale: int) -> None:
    for threads in (1, 3):
        small = aig_codec.decode(_file("fitted"), scale=scale, threads=threads)
        np.testing.assert_array_equal(small, _decoded("fitted", scale))


def test_the_smallest_scale_reads_cores_and_preview_only() -> None:
    with aig_codec.open(_file("colour")) as file:
        file.decode(scale=8)
        needed = file.data_start + file.bytes_for("core") + file.bytes_for("preview")
        assert needed <= file.bytes_read <= needed + FIRST_READ
        assert file.requests == 2


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(1, 1), (7, 9, 3), (16, 8, 4), (33, 70, 2), (5, 64)])
@pytest.mark.parametrize("scale", [1, 2, 3, 4, 8])
def test_shrink_is_the_mean_of_boxes(dtype, shape, scale: int) -> None:
    rng = np.random.default_rng(5)
    image = rng.integers(0, np.iinfo(dtype).max + 1, shape).astype(dtype)
    flat = image.reshape(*shape[:2], -1)
    expected = reference.box_means(flat, scale)
    small = _native.shrink(image, scale)
    np.testing.assert_array_equal(small.reshape(expected.shape), expected)
    assert small.ndim == image.ndim


def test_kernels_of_boxes_check_their_arguments() -> None:
    pixels, classes = np.zeros((9, 9, 3), np.uint8), np.ones((9, 9), np.uint8)
    sums, counts = np.zeros((3, 3, 3), np.uint32), np.zeros((3, 3), np.uint32)
    add, blend = _native.add_to_boxes, _native.blend_boxes
    add(pixels, classes, 1, 1, 0, 0, 4, 0, 0, sums, counts)
    assert counts.tolist() == [[16, 16, 4], [16, 16, 4], [4, 4, 1]]
    wrong = ((1, 0, 4, 1, 0), (4, 0, 4, 0, 0), (0, 4, 4, 0, 0), (-1, 0, 4, 0, 0), (0, 0, 9, 0, 0))
    for place in wrong:
        with pytest.raises(ValueError):
            add(pixels, classes, 1, 1, *place, sums, counts)
    with pytest.raises(ValueError):
        add(pixels, classes[:8], 1, 1, 0, 0, 4, 0, 0, sums, counts)
    with pytest.raises(ValueError):
        add(pixels[..., :2].copy(), classes, 1, 1, 0, 0, 4, 0, 0, sums, counts)
    target = np.zeros((3, 3, 3), np.uint8)
    blend(sums, counts, 4, 0, 0, 9, 9, target)
    for place in ((4, 1, 0, 9, 9), (4, 0, -1, 9, 9), (4, 0, 0, 20, 9), (0, 0, 0, 9, 9)):
        with pytest.raises(ValueError):
            blend(sums, counts, *place, target)


# Stages


@pytest.mark.parametrize("kind", KINDS)
def test_stages_are_what_decoding_so_far_gives(kind: str) -> None:
    stages = list(aig_codec.progressive(io.BytesIO(_file(kind))))
    names = [name for name, _ in stages]
    expected = ["core", "preview", "mid", "full"]
    if kind == "lossless":
        expected = ["full"]
    elif kind == "no mid":
        expected.remove("mid")
    assert names == expected
    for name, image in stages:
        np.testing.assert_array_equal(image, _decoded(kind, 1, name))


class Tap:
    """A stream that cannot seek and that counts what was taken from it."""

    def __init__(self, data: bytes) -> None:
        self.data, self.taken = data, 0

    def read(self, size: int) -> bytes:
        piece = self.data[self.taken : self.taken + min(size, 700)]
        self.taken += len(piece)
        return piece


def test_stages_come_as_soon_as_their_bytes_are_there() -> None:
    data = _file("colour")
    tap = Tap(data)
    with aig_codec.open(data) as file:
        ends = {s.kind: file.data_start + s.end for s in file.segments}
    seen = [tap.taken for _ in aig_codec.progressive(tap)]
    assert seen == [ends["core"], ends["preview"], ends["mid"], ends["background"]]


def test_a_stream_that_ends_early_gives_what_it_had() -> None:
    data = _file("colour")
    with aig_codec.open(data) as file:
        end = file.data_start + next(s.end for s in file.segments if s.kind == "preview")
    stages = aig_codec.progressive([data[:100], data[100 : end + 5]])
    for expected in ("core", "preview"):
        name, image = next(stages)
        assert name == expected
        np.testing.assert_array_equal(image, _decoded("colour", 1, name))
    with pytest.raises(errors.TruncatedError, match="mid"):
        next(stages)
