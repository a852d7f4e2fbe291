"""Pillow reads and writes AIG as it does its own formats."""

import copy
import io
import os
import pickle
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageFile, TiffImagePlugin, UnidentifiedImageError

import aig_codec
import pillow_aig
import pillow_aig.saving
from aig_codec import settings
from aig_codec.container import pack_prologue, read_prologue

CHANNELS = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}
FOCI: dict[str, Any] = {"centers": [(20, 18), (58, 30)], "radii": [(8, 12), (5, 9)]}


def picture(mode: str = "RGB", width: int = 75, height: int = 50) -> Image.Image:
    """Smooth gradients, texture, and blocks with hard edges such as text has."""
    y, x = np.mgrid[:height, :width]
    planes = [
        128 + 90 * np.sin(x / 17 + 2 * c) * np.cos(y / 23 - c) + 12 * ((x * 7 + y * 3) % 5 - 2)
        for c in range(CHANNELS[mode])
    ]
    pixels = np.stack(planes, axis=-1)
    pixels[height // 4 : height // 2 : 3, width // 3 : width // 2] = 16
    pixels[height // 4 : height // 2, width // 3 : width // 2 : 4] = 240
    pixels = pixels.clip(0, 255).astype(np.uint8)
    return Image.fromarray(pixels[..., 0] if mode == "L" else pixels)


def saved(image: Image.Image, **options: Any) -> bytes:
    target = io.BytesIO()
    image.save(target, "AIG", **options)
    return target.getvalue()


def loaded(data: bytes) -> Image.Image:
    with Image.open(io.BytesIO(data)) as image:
        image.load()
    return image


def same(a: Image.Image, b: Image.Image) -> bool:
    return (a.mode, a.size, a.tobytes()) == (b.mode, b.size, b.tobytes())


def has_core(image: Image.Image, k: int, data: bytes, original: Image.Image) -> bool:
    """Whether every pixel of core k, as the intact file delimits it, is the original's."""
    with aig_codec.open(data) as file:
        core = file.core(k)
    box = (core.left, core.top, core.left + core.mask.shape[1], core.top + core.mask.shape[0])
    assert core.mask.any()
    got, wanted = (np.asarray(i.crop(box))[core.mask] for i in (image, original))
    return bool(np.array_equal(got, wanted))


def ends(data: bytes) -> dict[str, int]:
    """How many bytes of the file each segment needs."""
    prologue = read_prologue(data)
    return {s.name: prologue.data_start + s.end for s in prologue.metadata.segments}


class Counting(io.BytesIO):
    """A file that knows how much was read from it."""

    total = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.total += len(data)
        return data


@pytest.fixture
def lenient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)


# Round trips


@pytest.mark.parametrize("mode", CHANNELS)
@pytest.mark.parametrize("size", [(75, 50), (1, 1), (9, 1), (1, 17), (33, 64)], ids=str)
def test_lossless_round_trip(mode: str, size: tuple[int, int], tmp_path: Path) -> None:
    original = picture(mode, *size)
    path = tmp_path / "picture.aig"
    original.save(path, lossless=True)
    with Image.open(path) as image:
        assert (image.format, image.mode, image.size) == ("AIG", mode, size)
        assert image.get_format_mimetype() == "image/x-aig"
        assert same(image, original)


@pytest.mark.parametrize("mode", CHANNELS)
def test_lossy_round_trip_keeps_the_cores(mode: str) -> None:
    original = picture(mode)
    data = saved(original, **FOCI)
    image = loaded(data)
    assert image.mode == mode
    assert has_core(image, 0, data, original)
    assert has_core(image, 1, data, original)
    assert not same(image, original)
    difference = np.abs(np.asarray(image, float) - np.asarray(original, float))
    assert difference.mean() < 12
    assert np.array_equal(np.asarray(image), aig_codec.decode(data))


@pytest.mark.parametrize("as_text", [True, False])
def test_paths(tmp_path: Path, as_text: bool) -> None:
    path = tmp_path / "Picture.AIG"
    picture().save(str(path) if as_text else path, **FOCI)
    with Image.open(str(path) if as_text else path) as image:
        assert same(image, loaded(path.read_bytes()))


def test_save_gives_what_encode_gives() -> None:
    original = picture()
    options = {"centers": [(20, 18)], "Sigmas": [(2.0, 1.5)], "alphas": [0.05], "lambda_rd": 0.05}
    assert saved(original, quality_level=96, **options) == aig_codec.encode(
        np.asarray(original), quality_level=96, **options
    )


def test_every_keyword_of_the_codec_passes() -> None:
    values = {
        "centers": [(9, 9)],
        "sigmas": [2],
        "alphas": [0.5],
        "radii": [(4, 6)],
        "quality": 33,
        "lambda_rd": 0.5,
        "lossless": False,
        "mid": "dct",
        "entropy": "golomb",
        "effort": 3,
        "tune": "visual",
        "subsampling": "4:4:4",
        "boundary_tau": 3,
        "preset": "medical",
        "threads": 1,
    }
    # Those that exclude one of the others.
    assert settings.KEYWORDS - values.keys() == {"Sigmas", "quality_level"}
    image, stream = picture(), io.BytesIO()
    image.save(stream, "AIG", **values)
    assert stream.getvalue() == aig_codec.encode(np.asarray(image), **values)


def test_saving_over_the_open_file(tmp_path: Path) -> None:
    path = tmp_path / "x.aig"
    original = picture()
    original.save(path, lossless=True)
    with Image.open(path) as image:
        image.save(path, lossless=True)
    with Image.open(path) as image:
        assert same(image, original)


def test_copy_pickle_and_deepcopy() -> None:
    data = saved(picture(), **FOCI, xmp=b"<x/>")
    expected = loaded(data)
    for twin in (
        Image.open(io.BytesIO(data)).copy(),
        pickle.loads(pickle.dumps(Image.open(io.BytesIO(data)))),
        copy.deepcopy(Image.open(io.BytesIO(data))),
        copy.copy(Image.open(io.BytesIO(data))),
    ):
        assert same(twin, expected)
        assert twin.info == expected.info


def test_threads_with_an_image_each() -> None:
    files = [saved(picture(width=40 + n), centers=[(10, 10)], radii=[(5, 8)]) for n in range(6)]
    expected = [loaded(data).tobytes() for data in files]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda data: loaded(data).tobytes(), files * 3)) == expected * 3


# Opening


def test_open_reads_no_pixels() -> None:
    noise = np.random.default_rng(3).integers(0, 256, (300, 300, 3), np.uint8)
    data = saved(Image.fromarray(noise), lossless=True, exif=b"Exif\0\0II*\0", dpi=(96, 72))
    file = Counting(data)
    image = Image.open(file)
    assert image.size == (300, 300)
    assert image.info["exif"] == b"Exif\0\0II*\0"
    assert image.info["dpi"] == (96, 72)
    assert file.total < 5000 < len(data) // 10
    image.load()
    assert file.total > len(data)
    assert np.array_equal(np.asarray(image), noise)


def test_info_tells_about_the_foci() -> None:
    info = loaded(saved(picture(), **FOCI, quality_level=100)).info["aig"]
    assert info["centers"] == [(20, 18), (58, 30)]
    assert info["radii"] == [(8, 12), (5, 9)]
    assert info["sigmas"] == [(1, 1), (1, 1)]
    assert info["alphas"] == [0, 0]
    assert info["quality_level"] == 100
    assert info["lossless"] is False


def test_metadata_larger_than_the_first_read() -> None:
    data = saved(picture(), **FOCI)
    prologue = read_prologue(data)
    noise = random.Random(7).randbytes(6000).hex()
    allocation = prologue.metadata.bit_allocation | {noise: 1}
    head = pack_prologue(replace(prologue.metadata, bit_allocation=allocation))
    assert len(head) > 5000
    grown = head + data[prologue.data_start :]
    assert same(loaded(grown), loaded(data))
    for n in (4095, 4096, 4097, len(head) - 1):
        with pytest.raises(OSError, match="metadata"):
            Image.open(io.BytesIO(grown[:n]))


def test_factory_reads_from_where_the_file_stands() -> None:
    data = saved(picture(), **FOCI, xmp=b"<x/>")
    for check in ("load", "verify"):
        file = io.BytesIO(b"in front" + data)
        file.seek(8)
        image = pillow_aig.AigImageFile(file)
        assert image.info["xmp"] == b"<x/>"
        getattr(image, check)()
        if check == "load":
            assert same(image, loaded(data))


def test_other_formats_are_left_alone() -> None:
    with pytest.raises(UnidentifiedImageError):
        Image.open(io.BytesIO(b"AIG1" + bytes(100)))
    with pytest.raises(SyntaxError):
        pillow_aig.AigImageFile(io.BytesIO(b"\x89PNG\r\n\x1a\n" + bytes(100)))
    png = io.BytesIO()
    picture().save(png, "PNG")
    assert loaded(png.getvalue()).format == "PNG"


def test_decompression_bombs_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    data = saved(picture(), **FOCI)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 75 * 50 // 2 - 1)
    with pytest.raises(Image.DecompressionBombError):
        pillow_aig.AigImageFile(io.BytesIO(data))
    with pytest.raises(Image.DecompressionBombError):
        Image.open(io.BytesIO(data))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 75 * 50 - 1)
    with pytest.warns(Image.DecompressionBombWarning):
        Image.open(io.BytesIO(data))


def test_single_frame() -> None:
    image = Image.open(io.BytesIO(saved(picture(), **FOCI)))
    assert image.tell() == 0
    image.seek(0)
    for frame in (1, 2, -1):
        with pytest.raises(EOFError):
            image.seek(frame)
    assert image.draft("L", (10, 10)) is None
    image.thumbnail((20, 20))
    assert image.size == (20, 13)


# Bytes that come in pieces


def parsed(data: bytes, step: int) -> Image.Image:
    parser = ImageFile.Parser()
    for n in range(0, len(data), step):
        parser.feed(data[n : n + step])
    return parser.close()


@pytest.mark.parametrize("mode", ["L", "RGBA"])
@pytest.mark.parametrize("step", [1, 7, 1000, 10**9])
def test_parser(mode: str, step: int) -> None:
    data = saved(picture(mode), **FOCI, xmp=b"<x/>", exif=b"Exif\0\0II*\0", icc_profile=b"icc")
    image = parsed(data, step)
    assert same(image, loaded(data))
    assert image.info == loaded(data).info


def test_parser_shows_the_focus_first() -> None:
    original = picture()
    data = saved(original, **FOCI)
    at = ends(data)
    parser = ImageFile.Parser()
    seen = {}
    for n in range(len(data)):
        parser.feed(data[n : n + 1])
        name = {end: name for name, end in at.items()}.get(n + 1)
        if name and parser.image:
            seen[name] = parser.image.copy()
    assert list(seen) == ["core 0", "core 1", "preview", "mid", "background"]
    for name, tier in (("core 1", "core"), ("preview", "preview"), ("mid", "mid")):
        assert np.array_equal(np.asarray(seen[name]), aig_codec.decode(data, upto=tier))
        assert has_core(seen[name], 0, data, original)
        assert has_core(seen[name], 1, data, original)
    assert same(seen["background"], loaded(data))


def test_feeding_bytes_decodes_a_few_times_only(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    decode = aig_codec.decode

    def counting(*args: Any, **keywords: Any) -> Any:
        calls.append(keywords["upto"])
        return decode(*args, **keywords)

    monkeypatch.setattr(aig_codec, "decode", counting, raising=False)
    data = saved(picture("RGBA"), **FOCI)
    parsed(data, 1)
    assert calls == ["core", "preview", "mid", "full"]
    calls.clear()
    loaded(data)
    assert calls == ["full"]


def test_parser_without_the_end() -> None:
    data = saved(picture(), **FOCI)
    for n in (0, 3, 40, len(data) // 2, len(data) - 1):
        parser = ImageFile.Parser()
        parser.feed(data[:n])
        with pytest.raises(OSError, match=r"parse|incomplete"):
            parser.close()


def test_parser_reports_damage() -> None:
    data = bytearray(saved(picture(), **FOCI))
    data[-1] ^= 1
    parser = ImageFile.Parser()
    parser.feed(bytes(data[:-1]))
    with pytest.raises(OSError, match="checksum of the background"):
        parser.feed(bytes(data[-1:]))
    with pytest.raises(OSError, match="checksum of the background"):
        parser.close()


def test_trailing_bytes_are_ignored() -> None:
    data = saved(picture(), **FOCI, xmp=b"<x/>")
    for tail in (b"\0", b"AIG2" * 50, bytes(200_000)):
        assert same(loaded(data + tail), loaded(data))
        with Image.open(io.BytesIO(data + tail)) as image:
            image.verify()
        parser = ImageFile.Parser()
        parser.feed(data + tail[:5])
        parser.feed(tail[5:])
        assert same(parser.close(), loaded(data))


# Files that were cut or damaged


def small(**more: Any) -> tuple[Image.Image, bytes]:
    original = picture("RGBA", 22, 17)
    return original, saved(original, centers=[(8, 8)], radii=[(3, 5)], xmp=b"<x/>", **more)


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


# Metadata


def exif_block() -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.Artist] = "somebody"
    return exif


@pytest.mark.parametrize("as_bytes", [True, False])
def test_exif(as_bytes: bool) -> None:
    exif = exif_block()
    image = loaded(saved(picture(), **FOCI, exif=exif.tobytes() if as_bytes else exif))
    assert image.info["exif"] == exif.tobytes()
    assert dict(image.getexif()) == dict(exif)
    # The orientation is neither applied nor erased.
    assert image.size == (75, 50)


def test_icc_profile_xmp_and_dpi() -> None:
    image = picture()
    info = loaded(saved(image, **FOCI, icc_profile=b"icc", xmp=b"<x/>", dpi=(300, 150.5))).info
    assert (info["icc_profile"], info["xmp"], info["dpi"]) == (b"icc", b"<x/>", (300, 150.5))
    assert all(type(v) is float for v in info["dpi"])
    # JPEG and TIFF hand out fractions of Pillow's own type.
    fraction = TiffImagePlugin.IFDRational(144, 2)
    assert loaded(saved(image, **FOCI, dpi=(fraction, 72))).info["dpi"] == (72, 72)
    plain = loaded(saved(image, **FOCI)).info
    assert set(plain) == {"aig"}
    assert loaded(saved(image, **FOCI, xmp="<ä/>")).info["xmp"] == "<ä/>".encode()


def test_what_saving_again_keeps() -> None:
    # As Pillow's AVIF: the colour profile stays with the pixels, EXIF goes unless given.
    first = loaded(saved(picture(), **FOCI, icc_profile=b"icc", xmp=b"<x/>", exif=exif_block()))
    second = loaded(saved(first, **FOCI))
    assert set(second.info) == {"aig", "icc_profile", "xmp"}
    assert second.info["icc_profile"] == b"icc"
    third = loaded(saved(first, **FOCI, icc_profile=None, xmp=b"", exif=Image.Exif()))
    assert set(third.info) == {"aig"}


# Saving


def test_unknown_options_are_ignored() -> None:
    plain = saved(picture(), **FOCI)
    assert saved(picture(), **FOCI, optimize=True, progressive=True, method=6) == plain


BAD_OPTIONS: list[dict[str, Any]] = [
    {"quality": 101},
    {"quality": "high"},
    {"quality": 50, "quality_level": 100},
    {"quality_level": 256},
    {"centers": [(75, 0)]},
    {"centers": [(0, 0)] * 4},
    {"centers": []},
    {"centers": 5},
    {"centers": "middle"},
    {"centers": [(1, 1)], "radii": [(5, 3)]},
    {"centers": [(1, 1)], "sigmas": [0]},
    {"centers": [(1, 1)], "sigmas": object()},
    {"radii": [(3, 5)]},
    {"effort": 10},
    {"mid": "fog"},
    {"entropy": "morse"},
    {"tune": "piano"},
    {"subsampling": "4:1:1"},
    {"preset": "unknown"},
    {"preset": ["tracking"]},
    {"threads": 0},
    {"lambda_rd": -1},
    {"boundary_tau": "x"},
    {"dpi": 300},
    {"dpi": (-1, 300)},
    {"dpi": (float("nan"), 300)},
    {"dpi": (300, 300, 300)},
    {"exif": 5},
    {"icc_profile": 5},
    {"xmp": ["x"]},
]


@pytest.mark.parametrize("options", BAD_OPTIONS, ids=str)
def test_bad_options_leave_no_file(options: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "x.aig"
    with pytest.raises(ValueError, match=r"\w"):
        picture().save(path, **options)
    assert not path.exists()


@pytest.mark.parametrize("mode", ["1", "P", "PA", "CMYK", "YCbCr", "HSV", "LAB", "I", "F", "I;16"])
def test_modes_that_cannot_be_stored(mode: str, tmp_path: Path) -> None:
    path = tmp_path / "x.aig"
    with pytest.raises(OSError, match=f"cannot write mode {mode} as AIG"):
        Image.new(mode, (20, 20)).save(path)
    assert not path.exists()


@pytest.mark.parametrize("size", [(0, 5), (5, 0), (0, 0)])
def test_empty_images(size: tuple[int, int], tmp_path: Path) -> None:
    path = tmp_path / "x.aig"
    with pytest.raises(ValueError, match="empty"):
        Image.new("RGB", size).save(path)
    assert not path.exists()


def test_failed_save_writes_nothing_into_an_existing_target(tmp_path: Path) -> None:
    # Pillow has emptied it by then; what must not happen is half a file.
    path = tmp_path / "x.aig"
    path.write_bytes(b"something")
    with pytest.raises(ValueError, match="quality"):
        picture().save(path, quality=-1)
    assert path.read_bytes() == b""
    target = io.BytesIO()
    with pytest.raises(ValueError, match="quality"):
        picture().save(target, "AIG", quality=-1)
    assert target.getvalue() == b""


def test_one_write() -> None:
    class Target(io.BytesIO):
        writes = 0

        def write(self, data: Any, /) -> int:
            self.writes += 1
            return super().write(data)

    target = Target()
    picture().save(target, "AIG", **FOCI)
    assert target.writes == 1


def test_save_all() -> None:
    original = picture()
    assert saved(original, save_all=True, **FOCI) == saved(original, **FOCI)
    assert saved(original, save_all=True, append_images=[], **FOCI) == saved(original, **FOCI)
    for append in ([original], [original, original]):
        with pytest.raises(OSError, match=f"cannot write {len(append) + 1} frames as AIG"):
            saved(original, save_all=True, append_images=append)


# Registration and imports


def test_registering_again_changes_nothing() -> None:
    def state() -> tuple[object, ...]:
        return (
            list(Image.ID),
            Image.OPEN["AIG"],
            Image.SAVE["AIG"],
            Image.SAVE_ALL["AIG"],
            Image.DECODERS["aig"],
            dict(Image.EXTENSION),
            dict(Image.MIME),
        )

    before = state()
    pillow_aig.register_aig_opener()
    pillow_aig.register_aig_opener()
    assert state() == before
    assert Image.ID.count("AIG") == 1
    assert Image.registered_extensions()[".aig"] == "AIG"


def modules_after(code: str) -> set[str]:
    code += "\nimport sys; print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_import_costs_pillow_only() -> None:
    base = modules_after("import PIL.Image, PIL.ImageFile")
    extra = {name.split(".")[0] for name in modules_after("import pillow_aig") - base}
    assert extra - sys.stdlib_module_names == {"pillow_aig"}


def test_opening_needs_no_numpy(tmp_path: Path) -> None:
    path = tmp_path / "x.aig"
    picture().save(path, **FOCI, xmp=b"<x/>")
    code = f"import pillow_aig; from PIL import Image\nwith Image.open({str(path)!r}) as im: "
    heavy = {"numpy", "aig_codec._native", "scipy", "sklearn"}
    assert not heavy & modules_after(code + "assert im.info['xmp'] == b'<x/>'")
    assert heavy & modules_after(code + "im.load()") == {"numpy", "aig_codec._native"}
