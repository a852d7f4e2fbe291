"""Cores of any shape, from `mask=` and `boxes=` to the file and back."""

import io
import warnings

import numpy as np
import pytest
import reference
from support import pictures
from support.pictures import wobbly
from support.tiers import mostly_slow

import aig_codec
from aig_codec import geometry
from aig_codec.encoder import masks

HEIGHT, WIDTH = 75, 98


def shapes() -> dict[str, np.ndarray]:
    y, x = np.indices((HEIGHT, WIDTH))
    one = np.zeros((HEIGHT, WIDTH), bool)
    one[74, 0] = True
    border = np.zeros((HEIGHT, WIDTH), bool)
    border[:9], border[:, 90:] = True, True
    dots = np.zeros((HEIGHT, WIDTH), bool)
    dots[5::20, 7::23] = True
    return {
        "empty": np.zeros((HEIGHT, WIDTH), bool),
        "full": np.ones((HEIGHT, WIDTH), bool),
        "one pixel": one,
        "checkerboard": (x + y) % 2 == 0,
        "border": border,
        "many": dots,
        "blob": wobbly(HEIGHT, WIDTH, 22),
        "ring": (np.hypot(x - 50, y - 40) < 25) & (np.hypot(x - 50, y - 40) > 12),
        "labels": (wobbly(HEIGHT, WIDTH, 25) * (1 + (x > 50) + (y > 40))).astype(np.uint8),
    }


@pytest.mark.filterwarnings("ignore:mask is 0 everywhere")
@pytest.mark.parametrize("channels", mostly_slow([1, 2, 3, 4], 3))
@pytest.mark.parametrize("name", mostly_slow(shapes(), "many", "blob", "labels", "empty"))
def test_masks_are_exact_and_nothing_else_is_core(name: str, channels: int) -> None:
    mask = shapes()[name]
    picture = pictures.mixed(HEIGHT, WIDTH, channels)
    data = aig_codec.encode(picture, mask=mask, quality=30)
    with aig_codec.open(data) as file:
        np.testing.assert_array_equal(file.core_mask(), mask != 0)
        decoded = file.decode().reshape(picture.shape)
        np.testing.assert_array_equal(decoded[mask != 0], picture[mask != 0])
        seen = np.zeros((HEIGHT, WIDTH), bool)
        for k in range(file.metadata.cores):
            core = file.core(k)
            height, width = core.mask.shape
            place = np.s_[core.top : core.top + height, core.left : core.left + width]
            own = core.pixels.reshape(height, width, channels)
            np.testing.assert_array_equal(own[core.mask], picture[place][core.mask])
            assert not seen[place][core.mask].any()
            seen[place] |= core.mask
        np.testing.assert_array_equal(seen, mask != 0)
    # The reference is slow; what stops early hardly depends on the channels.
    for upto in reference.UPTO if channels == 3 else ("full",):
        shown = aig_codec.decode(data, upto=upto).reshape(picture.shape)
        np.testing.assert_array_equal(reference.decode_file(data, upto), shown)


@pytest.mark.parametrize("kind", ["boxes", "labels"])
def test_smaller_pictures_and_parts_of_it(kind: str) -> None:
    picture = pictures.mixed(HEIGHT, WIDTH, 3)
    shape = {"boxes": [(3, 4, 20, 30), (40, 41, 55, 60), (60.5, 10, 98, 20)]}
    if kind == "labels":
        shape = {"mask": shapes()["labels"]}
    data = aig_codec.encode(picture, **shape)
    whole = aig_codec.decode(data)
    for scale in (2, 4, 8):
        expected = reference.decode_scaled(data, scale)
        np.testing.assert_array_equal(aig_codec.decode(data, scale=scale), expected)
    part = aig_codec.decode(data, region=(30, 20, 77, 60))
    np.testing.assert_array_equal(part, whole[20:60, 30:77])
    *_, (name, last) = aig_codec.progressive(io.BytesIO(data))
    assert name == "full"
    np.testing.assert_array_equal(last, whole)


def test_sniffers_see_a_focus() -> None:
    """Header and metadata name the centroids, sizes and proportions of the objects."""
    picture = pictures.mixed(HEIGHT, WIDTH, 3)
    data = aig_codec.encode(picture, boxes=[(10, 20, 50, 30), (60, 5, 70, 65)], labels=["a", "b"])
    with aig_codec.open(data) as file:
        assert file.metadata.shape == "map"
        assert file.centers == [(30, 25), (65, 35)]
        assert [label["name"] for label in file.info()["labels"]] == ["a", "b"]
        for focus, (width, height) in zip(file.metadata.foci, [(40, 10), (10, 60)], strict=True):
            assert focus.r_core == pytest.approx((width * height / np.pi) ** 0.5, abs=0.01)
            assert focus.sigma[0] / focus.sigma[1] == pytest.approx((width / height) ** 2, rel=0.03)
        assert file.segments[0].name == "map"
        assert [s.name for s in file.segments[1:3]] == ["core 0", "core 1"]
        before = file.bytes_read
        second = file.core(1)
        assert (second.left, second.top, second.mask.shape) == (60, 5, (60, 10))
        assert second.mask.all()
        assert file.bytes_read - before <= file.segments[2].length


def test_ellipses_need_no_map() -> None:
    y, x = np.indices((HEIGHT, WIDTH))
    picture = pictures.mixed(HEIGHT, WIDTH, 3)
    for mask in (
        np.hypot(x - 50, y - 40) <= 22,
        (x - 40) ** 2 / 2 + (y - 30) ** 2 <= 19**2,
        (x - 40) ** 2 + (y - 30) ** 2 / 0.3 <= 40**2,
    ):
        with aig_codec.open(aig_codec.encode(picture, mask=mask)) as file:
            assert file.metadata.shape == "ellipses"
            np.testing.assert_array_equal(file.core_mask(), mask)


def test_everything_is_stored_lossless() -> None:
    picture = pictures.mixed(HEIGHT, WIDTH, 3)
    data = aig_codec.encode(picture, mask=np.ones((HEIGHT, WIDTH), bool))
    with aig_codec.open(data) as file:
        assert file.metadata.shape == "all"
    np.testing.assert_array_equal(aig_codec.decode(data), picture)


def test_more_than_three_objects_share_three_cores() -> None:
    mask = np.zeros((60, 90), np.uint8)
    for k, (left, side) in enumerate([(0, 9), (20, 3), (40, 9), (52, 2), (70, 9)]):
        mask[10 : 10 + side, left : left + side] = 10 * k + 1
    cores = masks.from_mask(mask, 90, 60)
    assert cores.cores == 3
    assert cores.labels[12, 5] == 1
    assert cores.labels[12, 21] == 1  # the small one joins what is nearest
    assert cores.labels[12, 44] == cores.labels[11, 53] == 2
    assert cores.labels[12, 75] == 3
    np.testing.assert_array_equal(cores.labels > 0, mask > 0)


def test_boxes_are_rounded_outward_and_cut() -> None:
    cores = masks.from_boxes([(2.5, 3.1, 7.2, 8), (-5, -5, 1, 1), (5, 5, 10, 99)], 20, 10)
    assert cores.labels[3:8, 2:8].all()
    assert cores.labels[0, 0] == 2
    assert (cores.labels[3:8, 2:8] == 1).all()  # the first has what they share
    assert cores.labels[9, 9] == 3


def test_the_mid_tier_is_as_wide_as_a_quarter_of_the_radius() -> None:
    picture = pictures.mixed(HEIGHT, WIDTH, 3)
    mask = wobbly(HEIGHT, WIDTH, 22)
    with aig_codec.open(aig_codec.encode(picture, mask=mask)) as file:
        focus = file.metadata.foci[0]
        assert focus.r_mid - focus.r_core == pytest.approx(focus.r_core / 4, abs=0.01)
        classes = file.regions().class_map()
    assert (classes == geometry.MID).any()
    with aig_codec.open(aig_codec.encode(picture, mask=mask, mid="none")) as file:
        assert not (file.regions().class_map() == geometry.MID).any()


@pytest.mark.parametrize("threads", [1, 4])
def test_the_same_bytes_whatever_the_threads(threads: int) -> None:
    picture = pictures.mixed(300, 400, 3)
    mask = wobbly(300, 400, 90)
    assert aig_codec.encode(picture, mask=mask, threads=threads) == aig_codec.encode(
        picture, mask=mask, threads=2
    )


@pytest.mark.parametrize(
    ("keywords", "says"),
    [
        ({"mask": np.zeros((5, 98), bool)}, "shape"),
        ({"mask": np.zeros((HEIGHT, WIDTH))}, "float64"),
        ({"mask": np.full((HEIGHT, WIDTH), -1)}, "negative"),
        ({"boxes": []}, "empty"),
        ({"boxes": [(1, 2, 3)]}, "not"),
        ({"boxes": [(9, 9, 9, 12)]}, "holds no pixel"),
        ({"boxes": [(200, 9, 220, 12)]}, "holds no pixel"),
        ({"boxes": [(0, 0, 5, float("nan"))]}, "not"),
        ({"boxes": [(0, 0, 5, 5)], "mask": np.ones((HEIGHT, WIDTH), bool)}, "boxes"),
        ({"boxes": [(0, 0, 5, 5)], "centers": [(1, 1)]}, "centers"),
        ({"boxes": [(0, 0, 5, 5)], "radii": [3]}, "radii"),
        ({"boxes": [(0, 0, 5, 5)], "labels": ["a", "b"]}, "labels"),
    ],
)
def test_bad_shapes_are_refused_in_words(keywords: dict, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        aig_codec.encode(pictures.mixed(HEIGHT, WIDTH, 3), **keywords)


def test_through_pillow() -> None:
    from PIL import Image

    import pillow_aig  # noqa: F401

    picture = pictures.mixed(HEIGHT, WIDTH, 3)
    mask = wobbly(HEIGHT, WIDTH, 22)
    for image in (Image.fromarray(mask), Image.fromarray(mask).convert("L")):
        stream = io.BytesIO()
        Image.fromarray(picture).save(stream, "AIG", mask=image)
        with Image.open(stream) as opened:
            assert opened.info["aig"]["shape"] == "map"
            np.testing.assert_array_equal(np.asarray(opened)[mask], picture[mask])


def test_frames_may_have_shapes_of_their_own() -> None:
    picture = pictures.mixed(HEIGHT, WIDTH, 3)
    blobs = [wobbly(HEIGHT, WIDTH, 20), wobbly(HEIGHT, WIDTH, 12, 3)]
    data = aig_codec.encode_sequence([picture, picture[::-1]], mask=blobs)
    with aig_codec.open(data) as file:
        for k in (0, 1):
            np.testing.assert_array_equal(file.frame(k).core_mask(), blobs[k])
    boxes = [[(1, 2, 9, 9)], [(20, 20, 30, 40), (50, 50, 60, 60)]]
    data = aig_codec.encode_sequence([picture, picture], boxes=boxes)
    with aig_codec.open(data) as file:
        assert [len(file.frame(k).centers) for k in (0, 1)] == [1, 2]


# Damage


def _file() -> tuple[np.ndarray, bytes]:
    picture = pictures.mixed(HEIGHT, WIDTH, 3)
    return picture, aig_codec.encode(picture, mask=shapes()["labels"])


def test_a_damaged_map_is_named_and_nothing_is_made_up() -> None:
    _, data = _file()
    with aig_codec.open(data) as file:
        start = file.data_start + file.segments[0].offset
    broken = bytearray(data)
    broken[start + 3] ^= 1
    with pytest.raises(aig_codec.CorruptError, match="map"):
        aig_codec.decode(bytes(broken))
    with aig_codec.open(bytes(broken)) as file:
        grey = file.decode(strict=False)
        assert (grey == 128).all()
        assert "map" in str(file.problems[0])
        with pytest.raises(aig_codec.CorruptError, match="map"):
            file.core(0)


def test_cut_anywhere_it_says_so() -> None:
    _, data = _file()
    for end in range(0, len(data), 7):
        with pytest.raises(aig_codec.AigError):
            aig_codec.decode(data[:end])


def test_the_core_comes_from_what_stands_before_it() -> None:
    picture, data = _file()
    mask = shapes()["labels"]
    with aig_codec.open(data) as file:
        end = file.data_start + max(s.end for s in file.segments if s.kind == "core")
    shown = aig_codec.decode(data[:end], upto="core")
    np.testing.assert_array_equal(shown[mask > 0], picture[mask > 0])
    assert (shown[mask == 0] == 128).all()


def test_a_mask_without_a_pixel_is_stored_with_a_warning() -> None:
    pixels = np.zeros((20, 30), np.uint8)
    # Where warnings are errors, it is one like those of other bad values.
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError, match="mask is 0 everywhere"):
            aig_codec.encode(np.zeros((5, 6), np.uint8), mask=np.zeros((5, 6), bool))
    with pytest.warns(UserWarning, match="mask is 0 everywhere: no pixel is exact"):
        data = aig_codec.encode(pixels, mask=np.zeros((20, 30), bool))
    with aig_codec.open(data) as file:
        assert not file.core_mask().any()
