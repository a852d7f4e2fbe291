"""Pillow and AIG files that were cut or damaged: errors, or what is left where wanted."""

import io
import os
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFile
from support.pillow_files import FOCI, ends, has_core, loaded, parsed, picture, same, saved, small

import aig_codec
from aig_codec.container import pack_prologue, read_prologue


@pytest.fixture
def lenient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)


# Files that were cut or damaged


def test_truncation_at_every_byte() -> None:
    _, data = small()
    head = read_prologue(data).data_start
    for n in range(len(data)):
        if n < head:
            with pytest.raises(OSError, match=r"identify|ends inside"):
                Image.open(io.BytesIO(data[:n]))
            continue
        image = Image.open(io.BytesIO(data[:n]))
        assert image.size == (22, 17)
        for _ in range(2):
            # Not only the first time: half an image must never pass for a whole one.
            with pytest.raises(OSError, match="truncated"):
                image.load()
    assert same(loaded(data), loaded(data + b"tail"))


@pytest.mark.usefixtures("lenient")
def test_truncation_keeps_what_arrived_where_wanted() -> None:
    original, data = small()
    at = ends(data)
    complete = aig_codec.decode(data)
    for n in range(read_prologue(data).data_start, len(data)):
        image = loaded(data[:n])
        assert (image.mode, image.size) == ("RGBA", (22, 17))
        if n >= at["core 0"]:
            assert has_core(image, 0, data, original)
        if at["preview"] <= n < at["alpha"]:
            assert np.array_equal(np.asarray(image), aig_codec.decode(data, upto="preview"))
        if n >= at["background"]:
            assert np.array_equal(np.asarray(image), complete)
        assert ("xmp" in image.info) == (n >= at["xmp"])


@pytest.mark.usefixtures("lenient")
def test_damage_leaves_the_rest_where_wanted() -> None:
    original, data = small()
    at = ends(data)
    for name in ("preview", "background", "xmp"):
        damaged = bytearray(data)
        damaged[at[name] - 1] ^= 0x40
        assert has_core(loaded(bytes(damaged)), 0, data, original)
        assert np.array_equal(
            np.asarray(loaded(bytes(damaged))), aig_codec.decode(bytes(damaged), strict=False)
        )
    damaged = bytearray(data)
    damaged[at["core 0"] - 1] ^= 1
    assert loaded(bytes(damaged)).size == (22, 17)


def test_damage_is_named_and_stays_an_error() -> None:
    _, data = small()
    at = ends(data)
    for name in ("core 0", "preview", "alpha", "background"):
        damaged = bytearray(data)
        damaged[at[name] - 1] ^= 1
        image = Image.open(io.BytesIO(damaged))
        for _ in range(2):
            with pytest.raises(OSError, match=f"checksum of the {name} does not match"):
                image.load()
    damaged[at["xmp"] - 1] ^= 1
    with pytest.raises(OSError, match="checksum of the xmp"):
        Image.open(io.BytesIO(damaged))


def test_random_damage_gives_errors_or_images() -> None:
    rng = random.Random(20250)
    _, data = small(exif=b"II*\0" + bytes(8))
    valid = 0
    for _ in range(500):
        damaged = bytearray(data)
        for _ in range(rng.choice([1, 1, 1, 2, 8])):
            damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
        if rng.random() < 0.2:
            del damaged[rng.randrange(len(damaged)) :]
        try:
            image = loaded(bytes(damaged))
        except OSError:
            continue
        assert image.size == (22, 17)
        valid += 1
    # A flip that is flipped back, at most: everything is under a checksum.
    assert valid < 5


def test_random_damage_to_a_parser() -> None:
    rng = random.Random(99)
    _, data = small()
    for _ in range(200):
        damaged = bytearray(data)
        damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
        with pytest.raises(OSError, match=r"\w"):
            parsed(bytes(damaged), 50)


@pytest.mark.usefixtures("lenient")
def test_random_damage_where_any_image_is_wanted() -> None:
    rng = random.Random(5)
    _, data = small()
    head = read_prologue(data).data_start
    for _ in range(200):
        damaged = bytearray(data)
        damaged[rng.randrange(head, len(damaged))] ^= 1 << rng.randrange(8)
        assert loaded(bytes(damaged[: rng.randrange(head, len(damaged) + 1)])).size == (22, 17)


def test_ancillary_beyond_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    data = saved(picture(), **FOCI, xmp=b"x" * 100)
    monkeypatch.setattr(aig_codec.limits, "max_ancillary", 99)
    with pytest.raises(OSError, match="max_ancillary"):
        Image.open(io.BytesIO(data))


def test_ancillary_of_an_unknown_coder() -> None:
    data = saved(picture(), **FOCI, xmp=b"<x/>")
    prologue = read_prologue(data)
    *rest, xmp = prologue.metadata.segments
    for changed in (xmp._replace(coder="brotli"), xmp._replace(version=2)):
        head = pack_prologue(replace(prologue.metadata, segments=(*rest, changed)))
        with pytest.raises(OSError, match=f"coder {changed.coder} version {changed.version}"):
            Image.open(io.BytesIO(head + data[prologue.data_start :]))


# verify


def test_verify_accepts_a_good_file(tmp_path: Path) -> None:
    path = tmp_path / "x.aig"
    path.write_bytes(saved(picture(), **FOCI, xmp=b"<x/>"))
    with Image.open(path) as image:
        image.verify()
        assert image.fp is None
        with pytest.raises(RuntimeError, match="directly after open"):
            image.verify()
    os.remove(path)


def test_verify_decodes_no_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("pixels were decoded")

    image = Image.open(io.BytesIO(saved(picture(), **FOCI)))
    monkeypatch.setattr(aig_codec.AigFile, "decode", refuse)
    image.verify()


def test_verify_finds_damage_and_cuts() -> None:
    _, data = small()
    for name, end in ends(data).items():
        damaged = bytearray(data)
        damaged[end - 1] ^= 1
        with pytest.raises(OSError, match=f"checksum of the {name}"):
            Image.open(io.BytesIO(damaged)).verify()
        with pytest.raises(OSError, match=f"ends inside the {name}"):
            Image.open(io.BytesIO(data[: end - 1])).verify()


# What is said of files that are cut


def test_load_says_that_the_file_is_cut_and_where() -> None:
    _, data = small()
    at = ends(data)
    head = read_prologue(data).data_start
    for n in range(head, len(data)):
        inside = next(name for name, end in at.items() if n < end)
        words = f"it ends inside the {inside}, after {n} of {len(data)} bytes"
        with pytest.raises(aig_codec.TruncatedError, match=f"^image file is truncated: {words}"):
            Image.open(io.BytesIO(data[:n])).load()


def test_frames_that_are_cut_say_so_at_every_byte() -> None:
    one, two = (saved(picture("L", 12, 9), lossless=True, xmp=b"<x/>") for _ in range(2))
    data = aig_codec.join([one, two], [0, 0])
    with aig_codec.open(data) as file:
        start = file.frame_table.offsets[1]
    head = start + read_prologue(data[start:]).data_start
    for n in range(start, len(data)):
        with Image.open(io.BytesIO(data[:n])) as image:
            if n < head:
                with pytest.raises(aig_codec.TruncatedError, match=r"ends (before|inside)"):
                    image.seek(1)
                assert image.tell() == 0
            else:
                image.seek(1)
                with pytest.raises(aig_codec.TruncatedError, match="image file is truncated"):
                    image.load()
                image.seek(0)
            image.load()


def test_what_a_draft_does_not_need_is_not_missed() -> None:
    data = saved(picture("RGB", 75, 50), **FOCI)
    cut = data[: ends(data)["preview"]]
    with Image.open(io.BytesIO(cut)) as image:
        image.draft(None, (9, 6))
        image.load()
        assert image.size == (10, 7)
    with Image.open(io.BytesIO(cut[:-1])) as image:
        image.draft(None, (9, 6))
        with pytest.raises(OSError, match="it ends inside the preview"):
            image.load()
