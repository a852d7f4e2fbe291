"""Pictures of other formats to AIG and back: all frames and all metadata, and what cannot be kept
is said."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, PngImagePlugin
from support.commands import run
from support.pillow_files import picture

import aig_codec
from aig_codec.apps.exchange import to_aig, to_other
from aig_codec.io.pillow_images import read_frames, read_picture

COLOURS = ("red", "green", "blue")
XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"


def frames(mode: str = "RGB") -> list[Image.Image]:
    return [Image.new("RGB", (40, 30), colour).convert(mode) for colour in COLOURS]


def save(path: Path, images: list[Image.Image], **options: Any) -> Path:
    images[0].save(path, save_all=True, append_images=images[1:], **options)
    return path


@pytest.mark.parametrize("name", ["a.gif", "a.png", "a.webp", "a.tif"])
@pytest.mark.parametrize("command", ["encode", "convert"])
def test_all_frames_are_kept(tmp_path: Path, capsys, name: str, command: str) -> None:
    (tmp_path / "in").mkdir()
    source = save(tmp_path / "in" / name, frames(), duration=[50, 60, 70], loop=3, lossless=True)
    target = tmp_path / "out" / "a.aig"
    given = (source, "-o", f"{tmp_path / 'out'}{os.sep}")
    if command == "convert":
        given = (tmp_path / "in", tmp_path / "out")
    assert run(capsys, command, *given, "--lossless")[::2] == (0, "")
    with aig_codec.open(target) as file, Image.open(source) as image:
        assert file.n_frames == 3
        for k in range(3):
            image.seek(k)
            expected = np.asarray(image.convert(file.frame(k).mode))
            np.testing.assert_array_equal(file.frame(k).decode(), expected)
        if name != "a.tif":
            assert file.durations == (50, 60, 70)
            assert file.loop == 3


@pytest.mark.parametrize(
    ("name", "keeps"), [("b.gif", True), ("b.png", True), ("b.webp", True), ("b.tif", False)]
)
@pytest.mark.parametrize("command", ["decode", "convert"])
def test_all_frames_come_back(tmp_path: Path, capsys, name: str, keeps: bool, command: str):
    (tmp_path / "in").mkdir()
    source = tmp_path / "in" / "b.aig"
    pixels = [np.asarray(image) for image in frames()]
    source.write_bytes(
        aig_codec.encode_sequence(pixels, duration=[50, 60, 70], loop=0, lossless=True)
    )
    target = tmp_path / "out" / name
    target.parent.mkdir()
    given = (source, "-o", target)
    if command == "convert":
        given = (tmp_path / "in", tmp_path / "out", "--to", target.suffix)
    assert run(capsys, command, *given)[::2] == (0, "")
    with Image.open(target) as image:
        assert image.n_frames == 3
        durations = []
        for k in range(3):
            image.seek(k)
            image.load()
            durations.append(image.info.get("duration"))
            off = np.abs(np.asarray(image.convert("RGB")).astype(int) - pixels[k])
            assert off.max() <= (3 if name == "b.webp" else 0)
        if keeps:
            assert durations == [50, 60, 70]
            assert image.info["loop"] == 0


def test_what_a_format_has_no_place_for_is_said(tmp_path: Path, capsys) -> None:
    source = tmp_path / "in" / "a.aig"
    source.parent.mkdir()
    images = [np.asarray(picture("RGB", 75 + k)) for k in range(3)]
    source.write_bytes(
        aig_codec.encode_sequence(
            images, text={"Author": "me"}, xmp=XMP, centers=[(9, 9)], labels=["dog"]
        )
    )
    target = tmp_path / "a.bmp"
    code, told, err = run(capsys, "decode", source, "-o", target)
    assert (code, told.count("\n")) == (0, 1)
    assert "only the first of 3 is written" in err
    assert 'BMP does not keep XMP, the text "Author" and the labels of its foci (dog)' in err
    code, told, err = run(capsys, "convert", source.parent, tmp_path / "out", "--to", "bmp")
    assert code == 0
    assert f"aig: note: {source}: BMP holds one picture: only the first of 3 is written" in err
    assert "1 not as they were (see the notes)" in told
    # One that was asked for is no loss.
    assert (
        "only the first"
        not in run(capsys, "decode", source, "-o", target.with_name("b.bmp"), "--frame", 1)[2]
    )


def test_metadata_of_every_kind(tmp_path: Path, capsys) -> None:
    exif = Image.Exif()
    exif[0x010E] = "a description"
    exif.get_ifd(0x8769)[0x9003] = "2020:01:02 03:04:05"
    text = PngImagePlugin.PngInfo()
    text.add_text("Title", "a title")
    text.add_itxt("Author", "名前")
    text.add_text("comment", "said by PNG")
    text.add_itxt("XML:com.adobe.xmp", XMP.decode())
    known = {"exif": exif, "icc_profile": b"a profile", "dpi": (300, 300)}
    (tmp_path / "in").mkdir()
    base = picture()
    base.save(tmp_path / "in/p.png", pnginfo=text, **known)
    base.save(tmp_path / "in/j.jpg", comment="said by JPEG", xmp=XMP, **known)
    base.convert("P").save(tmp_path / "in/g.gif", comment="said by GIF")
    base.save(tmp_path / "in/w.webp", xmp=XMP, exif=exif, icc_profile=b"a profile")
    base.save(
        tmp_path / "in/t.tif",
        description="said by TIFF",
        software="a program",
        icc_profile=b"a profile",
        dpi=(300, 300),
    )
    code, told, err = run(capsys, "convert", tmp_path / "in", tmp_path / "out", "--jobs", 1)
    assert (code, err) == (0, "")
    found = {}
    for name in "pjgwt":
        with aig_codec.open(tmp_path / "out" / f"{name}.aig") as file:
            found[name] = (file.text, file.exif, file.icc_profile, file.xmp, file.metadata.dpi)
    assert found["p"][0] == {"Title": "a title", "Author": "名前", "comment": "said by PNG"}
    assert found["j"][0] == {"comment": "said by JPEG"}
    assert found["g"][0] == {"comment": "said by GIF"}
    for name in "pjw":
        assert b"a description" in found[name][1]
        assert b"2020:01:02" in found[name][1]
        assert found[name][2:4] == (b"a profile", XMP)
    for name in "pjt":
        assert found[name][4] == pytest.approx((300, 300), abs=0.01)
    own = Image.Exif()
    own.load(found["t"][1])
    assert (own[270], own[305]) == ("said by TIFF", "a program")
    # And back, by the same formats: nothing is lost, nothing said.
    for name, suffix in (("p", "png"), ("j", "jpg"), ("w", "webp"), ("g", "gif"), ("t", "tif")):
        target = tmp_path / f"{name}.{suffix}"
        code, _, err = run(capsys, "decode", tmp_path / f"out/{name}.aig", "-o", target)
        assert (code, err.replace("GIF has 256 colours", "")[:4]) in ((0, ""), (0, "aig:"))
        again = read_picture(target).ancillary
        was = read_picture(tmp_path / f"out/{name}.aig").ancillary
        told = {
            **again.get("text", {}),
            **({"comment": again["comment"]} if "comment" in again else {}),
        }
        assert told == was.get("text", {})
        assert again.keys() - {"comment", "text"} == was.keys() - {"comment", "text"}
        assert again.get("icc_profile") == was.get("icc_profile")


def test_what_aig_has_no_place_for_is_said(tmp_path: Path) -> None:
    base = picture("L")
    png = PngImagePlugin.PngInfo()
    png.add(b"gAMA", (100000).to_bytes(4, "big"))
    base.save(tmp_path / "g.png", pnginfo=png)
    (note,) = read_picture(tmp_path / "g.png").notes
    assert "gamma" in note
    png = PngImagePlugin.PngInfo()
    png.add(b"gAMA", (45455).to_bytes(4, "big"))
    base.save(tmp_path / "s.png", pnginfo=png)
    assert read_picture(tmp_path / "s.png").notes == []
    base.save(tmp_path / "t.tif", tiffinfo={33550: (1.0, 1.0, 0.0)})
    (note,) = read_picture(tmp_path / "t.tif").notes
    assert "TIFF tags 33550" in note


def test_frames_of_one_file_that_differ(tmp_path: Path) -> None:
    """Pages of any size and kind, each exact; what is said of one is not said of the others."""
    pages = [picture("L", 40, 30), picture("RGB", 75, 50)]
    written = to_aig(read_frames(save(tmp_path / "a.tif", pages)), {"lossless": True})
    assert (written.frames, written.pixels) == (2, 40 * 30 + 75 * 50)
    with aig_codec.open(written.data) as file:
        for k, page in enumerate(pages):
            np.testing.assert_array_equal(file.frame(k).decode(), np.asarray(page))
    back = to_other(read_frames(written.data), "TIFF")
    assert not any("sizes" in note for note in back.notes)
    assert back.frames == 2


def test_metadata_of_one_frame_is_not_that_of_another() -> None:
    one, two = (np.asarray(picture(mode)) for mode in ("L", "RGB"))
    shared = {"lossless": True, "xmp": XMP}
    data = aig_codec.join(
        [aig_codec.encode(one, **shared), aig_codec.encode(two, icc_profile=b"2", **shared)], [0, 0]
    )
    with aig_codec.open(to_aig(read_frames(data), {"lossless": True}).data) as file:
        assert (file.icc_profile, file.xmp) == (None, XMP)
        assert file.frame(1).icc_profile == b"2"
        # What is the same for all is stored once.
        assert "xmp" not in [segment.kind for segment in file.frame(1).segments]
    notes = to_other(read_frames(data), "TIFF").notes
    assert "metadata of frames that differ from the first one's were left out" in notes


def test_an_error_names_the_frame(tmp_path: Path, capsys) -> None:
    source = save(tmp_path / "a.tif", [picture("L", 40, 30), picture("L", 10, 10)])
    code, _, err = run(capsys, "encode", source, "--center", "20,20")
    assert code == 2
    assert "frame 1" in err


def test_equal_frames_that_a_format_merges_are_said() -> None:
    same = [np.asarray(picture("L"))] * 2
    written = to_other(read_frames(aig_codec.encode_sequence(same, lossless=True)), "GIF")
    assert any("1 of 2 frames, equal to those before" in note for note in written.notes)


def test_gif_says_when_its_colours_do_not_suffice() -> None:
    few = np.zeros((4, 4, 3), np.uint8)
    many = np.asarray(picture("RGB"))
    for pixels, changed in ((few, False), (many, True)):
        written = to_other(read_frames(aig_codec.encode(pixels, lossless=True)), "GIF")
        assert any("pixels were changed" in note for note in written.notes) == changed


def test_16_bits_where_they_fit() -> None:
    deep = np.arange(600, dtype=np.uint16).reshape(20, 30) * 100
    data = aig_codec.encode(deep)
    png, jpeg = (to_other(read_frames(data), name) for name in ("PNG", "JPEG"))
    np.testing.assert_array_equal(read_picture(png.data).pixels, deep)
    assert png.notes == []
    assert any("higher 8 of 16 bits" in note for note in jpeg.notes)
    off = read_picture(jpeg.data).pixels.astype(int) - (deep >> 8)
    assert np.abs(off).max() < 16
