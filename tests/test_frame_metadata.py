"""What belongs to a frame and what to the file: the same through Pillow, imageio and the codec."""

import io
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import numpy as np
import pytest
from PIL import ExifTags, Image, ImageSequence
from support.pillow_files import loaded, picture, saved

import aig_codec
import imageio_aig  # noqa: F401 - registers AIG with imageio

KEYS = ("exif", "icc_profile", "xmp", "dpi", "text", "comment")


def exif_of(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    return exif.tobytes()


FIRST: dict[str, Any] = {
    "exif": exif_of(6),
    "icc_profile": b"first profile",
    "xmp": b"<first/>",
    "dpi": (72.0, 72.0),
    "text": {"Author": "first", "comment": "words"},
}
OWN: dict[str, Any] = {
    "exif": exif_of(3),
    "icc_profile": b"own profile",
    "xmp": b"<own/>",
    "dpi": (300.0, 150.0),
    "text": {"comment": "own words"},
}


def frame(mode: str = "RGB", **more: Any) -> bytes:
    return aig_codec.encode(np.asarray(picture(mode, 20, 12)), centers=[(9, 5)], **more)


def told(found: dict[str, Any]) -> dict[str, Any]:
    return {key: found[key] for key in KEYS if key in found}


def by_pillow(data: bytes, order: tuple[int, ...]) -> dict[int, dict[str, Any]]:
    """What Pillow says of frames when they are visited in that order."""
    found = {}
    with Image.open(io.BytesIO(data)) as image:
        for k in order:
            image.seek(k)
            said = told(image.info)
            exif = Image.Exif()
            exif.load(said.get("exif", b""))
            assert dict(image.getexif()) == dict(exif)
            found[k] = said
    return found


def by_codec(data: bytes, k: int) -> dict[str, Any]:
    with aig_codec.open(data) as file:
        own = file.frame(k)
        found = {key: getattr(own, key) for key in KEYS[:-1]}
        found["comment"] = own.text.get("comment")
    return {key: value for key, value in found.items() if value}


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (2, 0, 2, 1, 3)], ids=str)
def test_all_readers_agree_whose_metadata_it_is(order: tuple[int, ...]) -> None:
    own = [FIRST, {}, OWN, {"xmp": b"<own/>"}]
    data = aig_codec.join([frame(**more) for more in own], [0] * 4)
    seen = by_pillow(data, order)
    for k in range(4):
        # Its own where it has something, else that of the first frame.
        wanted = FIRST | own[k]
        wanted["comment"] = wanted["text"]["comment"]
        assert by_codec(data, k) == wanted
        assert seen[k] == wanted
        metadata = iio.immeta(data, index=k, extension=".aig")
        assert told(metadata) == wanted
        x, y = wanted["dpi"]
        assert iio.improps(data, index=k, extension=".aig").spacing == (1 / y, 1 / x)


def test_what_no_other_frame_has_stays_with_its_own() -> None:
    """The first frame speaks for all, the second only for itself."""
    data = aig_codec.join([frame(), frame(**OWN), frame()], [1, 2, 3])
    seen = by_pillow(data, (0, 1, 2, 0, 1, 0))
    for k in (0, 2):
        assert seen[k] == by_codec(data, k) == {}
        assert told(iio.immeta(data, index=k, extension=".aig")) == {}
    assert seen[1] == by_codec(data, 1) == {**OWN, "comment": "own words"}
    with Image.open(io.BytesIO(data)) as image:
        image.seek(1)
        first = image.getexif()
        image.seek(0)
        # What was asked for belongs to whom asked, and is not changed by seeking.
        assert first[ExifTags.Base.Orientation] == 3
        assert dict(image.getexif()) == {}
        assert image.info["duration"] == 1


def test_profiles_of_colour_are_not_for_grey() -> None:
    data = aig_codec.join([frame(**FIRST), frame("L"), frame("RGBA"), frame("LA")], [0] * 4)
    for k, has in enumerate((True, False, True, False)):
        profile = FIRST["icc_profile"] if has else None
        assert by_codec(data, k).get("icc_profile") == profile
        assert by_pillow(data, (k,))[k].get("icc_profile") == profile
        assert by_codec(data, k)["exif"] == FIRST["exif"]


def test_decisions_and_foci_are_of_one_frame() -> None:
    data = aig_codec.join([frame(explain=True), frame(explain=False)], [0, 0])
    with Image.open(io.BytesIO(data)) as image:
        assert "decisions" in image.info["aig"]
        image.seek(1)
        assert "decisions" not in image.info["aig"]
    with aig_codec.open(data) as file:
        assert file.decisions
        assert not file.frame(1).decisions


def test_seeking_to_damaged_metadata_changes_nothing() -> None:
    second = bytearray(frame(**OWN))
    second[second.index(b"<own/>")] ^= 1
    data = aig_codec.join([frame(**FIRST), bytes(second)], [0, 0])
    with Image.open(io.BytesIO(data)) as image:
        before = dict(image.info)
        with pytest.raises(OSError, match="checksum of the xmp"):
            image.seek(1)
        assert (image.tell(), image.info) == (0, before)
        image.load()


# Saving


def test_every_page_is_lossless_or_not_by_itself(tmp_path: Path) -> None:
    """A page in black and white is exact, one in colour is not, whichever comes first."""
    colour, mask = picture(), picture("L", 200, 150).convert("1")
    keyed = mask.copy()
    keyed.info["transparency"] = 0
    for pages in ([colour, mask, keyed], [mask, keyed, colour], [keyed, colour, mask]):
        data = saved(pages[0], save_all=True, append_images=pages[1:])
        with aig_codec.open(data) as file:
            lossless = [file.frame(k).info()["lossless"] for k in range(3)]
        assert lossless == [page is not colour for page in pages]
        for k, page in enumerate(pages):
            # As the page is alone.
            np.testing.assert_array_equal(
                aig_codec.decode(data, frame=k), aig_codec.decode(saved(page))
            )
    lossy = saved(mask, save_all=True, append_images=[colour], quality=10, lossless=False)
    with aig_codec.open(lossy) as file:
        assert [file.frame(k).info()["lossless"] for k in range(2)] == [False, False]


def test_radii_for_one_page_say_nothing_of_another() -> None:
    mask = picture("L").convert("1")
    options = {"centers": [[(20, 18)], [(30, 20)]], "radii": [[(8, 12)], None]}
    for pages in ((picture(), mask), (mask, mask)):
        data = saved(pages[0], save_all=True, append_images=[pages[1]], **options)
        with aig_codec.open(data) as file:
            assert [file.frame(k).info()["lossless"] for k in range(2)] == [False, True]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0)])
def test_imageio_decides_for_every_image(order: tuple[int, ...], tmp_path: Path) -> None:
    """Truth is exact, 16 bits are kept, colour is lossy; grey follows the same rule as alone."""
    rng = np.random.default_rng(1)
    colour = np.asarray(picture())
    truth = rng.random((40, 50)) < 0.5
    deep = rng.integers(0, 65536, (30, 20)).astype(np.uint16)
    kinds = [colour, truth, deep]
    iio.imwrite(tmp_path / "x.aig", [kinds[k] for k in order])
    for at, k in enumerate(order):
        alone = iio.imwrite("<bytes>", kinds[k], extension=".aig")
        np.testing.assert_array_equal(
            iio.imread(tmp_path / "x.aig", index=at), aig_codec.decode(alone)
        )
    with aig_codec.open(tmp_path / "x.aig") as file:
        lossless = [file.frame(at).info()["lossless"] for at in range(3)]
    assert lossless == [k != 0 for k in order]


def test_profiles_of_pages_are_their_own() -> None:
    """Two pages of different colour spaces, of which neither may be shown in the other's."""
    pages = [picture() for _ in range(4)]
    for page, profile in zip(pages, (b"one", b"two", b"one", None), strict=True):
        if profile is not None:
            page.info["icc_profile"] = profile
    data = saved(pages[0], save_all=True, append_images=pages[1:])
    found = by_pillow(data, (0, 1, 2, 3))
    # A page that says nothing has what the file says.
    assert [found[k]["icc_profile"] for k in range(4)] == [b"one", b"two", b"one", b"one"]
    assert data.count(b"one") == 1
    printed = picture().convert("CMYK")
    printed.info["icc_profile"] = b"for printing"
    for one, other in ((printed, pages[1]), (pages[1], printed)):
        data = saved(one, save_all=True, append_images=[other])
        assert b"for printing" not in data
        assert data.count(b"two") == 1


def test_a_profile_is_stored_for_grey_where_it_does_not_follow_from_the_first() -> None:
    colour, grey = picture(), picture("L")
    colour.info["icc_profile"] = grey.info["icc_profile"] = b"profile"
    data = saved(colour, save_all=True, append_images=[grey])
    assert [by_codec(data, k)["icc_profile"] for k in range(2)] == [b"profile"] * 2


def test_options_are_for_the_whole_file_and_stored_once() -> None:
    pages = [picture(), picture("L")]
    pixels = [np.asarray(page) for page in pages]
    for data in (
        saved(pages[0], save_all=True, append_images=pages[1:], **FIRST),
        aig_codec.encode_sequence(pixels, **FIRST),
        iio.imwrite("<bytes>", pixels, extension=".aig", **FIRST),
        aig_codec.encode_sequence(pixels, **FIRST | {"exif": np.frombuffer(FIRST["exif"], "u1")}),
    ):
        assert data.count(b"<first/>") == data.count(FIRST["exif"]) == 1
        for k in range(2):
            # The profile of a page in colour does not follow for a grey one, and is said again.
            assert by_codec(data, k) == {**FIRST, "comment": "words"}


def test_words_of_pages() -> None:
    pages = [picture() for _ in range(3)]
    for page, words in zip(pages, ("one", b"two", "one"), strict=True):
        page.info["comment"] = words
    data = saved(pages[0], save_all=True, append_images=pages[1:])
    found = by_pillow(data, (0, 1, 2))
    assert [found[k]["comment"] for k in range(3)] == ["one", "two", "one"]


def test_animations_keep_what_they_say_when_saved_again() -> None:
    data = aig_codec.join([frame(**FIRST), frame(**OWN), frame()], [40, 50, 60], 3)
    with Image.open(io.BytesIO(data)) as image:
        image.seek(1)
        again = saved(image, save_all=True, lossless=True)
        assert image.tell() == 1
    for k in range(3):
        before, after = by_codec(data, k), by_codec(again, k)
        for key in ("icc_profile", "xmp", "text"):
            assert after[key] == before[key]
    with aig_codec.open(again) as file:
        assert (file.durations, file.loop) == ((40, 50, 60), 3)


@pytest.mark.skipif(
    not hasattr(Image.Image, "_attach_default_encoderinfo"),
    reason="this Pillow has no options for single images",
)
def test_options_of_one_appended_image() -> None:
    one, two, three = (picture() for _ in range(3))
    two.encoderinfo = {"centers": [(30, 20)], "lossless": True, "xmp": b"<two/>"}
    data = saved(one, save_all=True, append_images=[two, three], centers=[(9, 9)], quality=60)
    with aig_codec.open(data) as file:
        found = [file.frame(k) for k in range(3)]
        assert [f.centers for f in found] == [[(9, 9)], [(30, 20)], [(9, 9)]]
        assert [f.info()["lossless"] for f in found] == [False, True, False]
        assert [f.xmp for f in found] == [None, b"<two/>", None]


ODD_INFO: list[dict[str, Any]] = [
    {"loop": 2**20},
    {"loop": -1},
    {"loop": None},
    {"loop": "for ever"},
    {"loop": float("nan")},
    {"duration": None},
    {"duration": -5},
    {"duration": float("inf")},
    {"duration": "long"},
    {"duration": 2**40},
    {"comment": ["a", "b"]},
    {"comment": "\ud800"},
    {"comment": b"\xff\xfe"},
    {"text": {"a": 5, 6: "b"}},
    {"text": "not a dict"},
    {"icc_profile": None},
    {"icc_profile": "profile"},
    {"icc_profile": 5},
    {"xmp": {"a": "b"}},
    {"xmp": "<\ud800/>"},
    {"dpi": (0, 0)},
    {"dpi": "300"},
    {"exif": 7},
    {"transparency": None},
    {"transparency": Ellipsis},
]


@pytest.mark.parametrize("info", ODD_INFO, ids=str)
def test_no_info_refuses_a_save(info: dict[str, Any]) -> None:
    image = picture("RGB", 20, 12)
    image.info.update(info)
    loaded(saved(image, lossless=True))
    data = saved(image, save_all=True, append_images=[image], lossless=True)
    assert loaded(data).n_frames == 2
    array = np.asarray(image)
    iio.imwrite("<bytes>", [array, array], extension=".aig", metadata=info, lossless=True)


def test_loops_beyond_what_a_file_can_say() -> None:
    image = picture("RGB", 20, 12)
    for said, stored in ((2**20, 65535), (65536, 65535), (3.0, 3), (0, 0), ("x", None)):
        image.info["loop"] = said
        assert aig_codec.open(saved(image, save_all=True, append_images=[image])).loop == stored
    # Who asks for it by name is told.
    with pytest.raises(ValueError, match=r"loop must be 0\.\.65535"):
        saved(image, save_all=True, append_images=[image], loop=65536)


def test_limits_are_no_reason_to_refuse_what_an_image_happens_to_have(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(aig_codec.limits, "max_ancillary", 99)
    image = picture("RGB", 20, 12)
    image.info.update(icc_profile=b"x" * 100, xmp=b"<fits/>", comment="y" * 100)
    assert told(loaded(saved(image, lossless=True)).info) == {"xmp": b"<fits/>"}
    with pytest.raises(ValueError, match="max_ancillary"):
        saved(image, icc_profile=b"x" * 100)


def test_exif_of_gps_alone_is_not_empty() -> None:
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] = "N"
    if exif.tobytes() == Image.Exif().tobytes():
        pytest.skip("this Pillow does not write it")
    back = loaded(saved(picture(), exif=exif)).getexif().get_ifd(ExifTags.IFD.GPSInfo)
    assert dict(back) == {ExifTags.GPS.GPSLatitudeRef: "N"}


def test_metadata_of_other_formats_through_imageio(tmp_path: Path) -> None:
    pages = [picture().quantize(16), picture("L").quantize(16).resize((75, 50))]
    pages[0].save(
        tmp_path / "a.gif", save_all=True, append_images=pages[1:], comment=b"caf\xe9", loop=2
    )
    metadata = iio.immeta(tmp_path / "a.gif")
    iio.imwrite(tmp_path / "a.aig", iio.imread(tmp_path / "a.gif"), metadata=metadata)
    found = iio.immeta(tmp_path / "a.aig")
    assert found["comment"] == "café"
    assert found["loop"] == metadata["loop"]


def test_frames_of_iterators_carry_their_own() -> None:
    data = aig_codec.join([frame(**FIRST), frame(**OWN)], [0, 0])
    with Image.open(io.BytesIO(data)) as image:
        copies = [one.copy() for one in ImageSequence.Iterator(image)]
    assert [c.info["xmp"] for c in copies] == [b"<first/>", b"<own/>"]
    assert [c.getexif()[ExifTags.Base.Orientation] for c in copies] == [6, 3]
