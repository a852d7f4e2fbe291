"""The command line, run through `main` as a user would run it."""

import json
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.commands import run

import aig_codec
from aig_codec import cli
from aig_codec.container import Focus
from aig_codec.encoder import settings

WIDTH, HEIGHT = 96, 72


def picture(channels=3):
    """A smooth ramp with a noisy patch in its middle."""
    rng = np.random.default_rng(7)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    pixels = np.stack([x * 2, y * 3, x + y, 255 - x], -1)[..., :channels].astype(np.uint8)
    pixels[26:46, 36:60] = rng.integers(0, 256, (20, 24, channels))
    return pixels[..., 0] if channels == 1 else pixels


@pytest.fixture
def photo(tmp_path):
    """A PNG of `picture()` in an empty folder."""
    path = tmp_path / "photo.png"
    Image.fromarray(picture()).save(path)
    return path


@pytest.fixture
def aig(photo, capsys):
    """The same as AIG, with one center."""
    focus = ["--center", "48,36", "--radius", "12,20"]
    assert cli.main(["encode", str(photo), *focus, "--no-lossless"]) == 0
    capsys.readouterr()
    return photo.with_suffix(".aig")


def fails(capsys, *arguments, code=1):
    """The one line on stderr of a command that fails."""
    got, out, err = run(capsys, *arguments)
    assert got == code
    assert out == ""
    assert err.startswith("aig: error: ")
    assert err.count("\n") == 1
    return err


def leftovers(folder):
    """Temporary files that a command forgot."""
    return [p.name for p in folder.rglob("*.part")]


# encode and decode


def test_round_trip(photo, capsys):
    code, out, err = run(
        capsys, "encode", photo, "--center", "48,36", "--radius", "12,20", "--quality", "60"
    )
    assert (code, err) == (0, "")
    target = photo.with_suffix(".aig")
    assert f"{target}: {target.stat().st_size:,} bytes" in out
    assert "bits per pixel" in out
    assert "focus 0 at (48, 36), core radius 12, mid radius 20" in out

    code, out, err = run(capsys, "decode", target, "-o", photo.with_name("back.png"))
    assert (code, err) == (0, "")
    assert "96 x 72 RGB" in out
    back = np.asarray(Image.open(photo.with_name("back.png")))
    np.testing.assert_array_equal(back, aig_codec.decode(target))
    with aig_codec.open(target) as file:
        core = file.core(0)
    rows, columns = core.mask.nonzero()
    np.testing.assert_array_equal(
        back[rows + core.top, columns + core.left], picture()[rows + core.top, columns + core.left]
    )
    assert leftovers(photo.parent) == []


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_lossless_round_trip_of_every_mode(tmp_path, capsys, channels):
    source, target, back = (tmp_path / name for name in ("a.png", "a.aig", "b.png"))
    Image.fromarray(picture(channels)).save(source)
    assert run(capsys, "encode", source, "--lossless")[0] == 0
    assert run(capsys, "decode", target, "-o", back)[0] == 0
    np.testing.assert_array_equal(np.asarray(Image.open(back)), picture(channels))


def test_every_option_reaches_the_encoder(photo, capsys, monkeypatch):
    seen = {}
    encode = aig_codec.encode

    def spy(pixels, **keywords):
        seen.update(keywords)
        return encode(pixels, **keywords)

    monkeypatch.setattr(aig_codec, "encode", spy)
    line = (
        "--center 30,30 --center 60,40 --sigma 2 --sigma 1,1.5 --alpha 0.1 --radius 5 "
        "--radius 6,9 --quality-level 100 --lambda-rd 0.05 --preset surveillance --tune visual "
        "--effort 3 --mid dct --entropy golomb --subsampling 4:4:4 --boundary-tau 3 --threads 1"
    )
    assert run(capsys, "encode", photo, *line.split())[0] == 0
    assert seen == {
        "centers": [(30, 30), (60, 40)],
        "sigmas": [2, (1, 1.5)],
        "alphas": [0.1, 0.1],
        "radii": [5, (6, 9)],
        "quality_level": 100,
        "lambda_rd": 0.05,
        "preset": "surveillance",
        "tune": "visual",
        "effort": 3,
        "mid": "dct",
        "entropy": "golomb",
        "subsampling": "4:4:4",
        "boundary_tau": 3,
        "threads": 1,
    }


def test_one_sigma_and_alpha_hold_for_unnamed_centers(photo, capsys):
    assert run(capsys, "encode", photo, "--sigma", "2", "--alpha", "0.5")[0] == 0
    with aig_codec.open(photo.with_suffix(".aig")) as file:
        assert {(f.sigma, f.alpha) for f in file.metadata.foci} == {((2.0, 2.0), 0.5)}


def test_known_names_are_those_of_the_codec():
    assert cli.CHOICES["mid"] == settings.MIDS
    assert cli.CHOICES["palette_space"] == settings.PALETTE_SPACES
    assert cli.CHOICES["entropy"] == settings.ENTROPIES
    assert cli.CHOICES["tune"] == settings.TUNES
    assert cli.CHOICES["subsampling"] == settings.SUBSAMPLINGS
    assert cli.CHOICES["preset"] == tuple(settings.PRESETS)


def test_several_inputs_into_a_new_folder(photo, capsys):
    other = photo.with_name("other.png")
    Image.fromarray(picture(1)).save(other)
    bad = photo.with_name("bad.png")
    bad.write_text("no picture")
    folder = photo.parent / "new"
    code, out, err = run(capsys, "encode", photo, bad, other, "-o", folder, "--center", "9,9")
    assert code == 1
    assert err == f"aig: error: {bad}: not an image that Pillow can read\n"
    assert out.count("bits per pixel") == 2
    assert sorted(p.name for p in folder.iterdir()) == ["other.aig", "photo.aig"]


def test_exif_profile_xmp_and_dpi_travel_both_ways(tmp_path, capsys):
    source, target, back = (tmp_path / name for name in ("a.jpg", "a.aig", "b.jpg"))
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"
    profile = b"not really a profile"
    image = Image.fromarray(picture())
    image.save(source, exif=exif, icc_profile=profile, xmp=xmp, dpi=(300, 300), quality=95)
    assert run(capsys, "encode", source)[0] == 0
    with aig_codec.open(target) as file:
        assert file.icc_profile == profile
        assert file.xmp == xmp
        assert file.metadata.dpi == (300, 300)
        assert b"Maker" in file.exif
    assert run(capsys, "decode", target, "-o", back, "--scale", "2")[0] == 0
    with Image.open(back) as image:
        assert image.size == (48, 36)
        assert image.getexif()[0x010F] == "Maker"
        assert image.info["icc_profile"] == profile
        assert image.info["dpi"] == (150, 150)


def test_aig_is_an_input_too(aig, capsys):
    again = aig.with_name("again.aig")
    assert run(capsys, "encode", aig, "-o", again, "--lossless")[0] == 0
    np.testing.assert_array_equal(aig_codec.decode(again), aig_codec.decode(aig))


@pytest.mark.parametrize(
    ("mode", "stored"),
    [("1", "L"), ("P", "RGB"), ("CMYK", "RGB"), ("YCbCr", "RGB"), ("LA", "LA"), ("RGBA", "RGBA")],
)
def test_modes_that_aig_lacks_are_converted(tmp_path, capsys, mode, stored):
    image = Image.fromarray(picture()).convert(mode)
    source = tmp_path / ("a.tif" if mode in ("CMYK", "YCbCr") else "a.png")
    image.save(source)
    code, _, err = run(capsys, "encode", source, "--lossless")
    assert code == 0
    assert (f"{mode} was converted" in err) == (mode in ("CMYK", "YCbCr"))
    with aig_codec.open(tmp_path / "a.aig") as file:
        assert file.mode == stored
        with Image.open(source) as image:
            np.testing.assert_array_equal(file.decode(), np.asarray(image.convert(stored)))


@pytest.mark.parametrize(("mode", "stored"), [("P", "RGBA"), ("RGB", "RGBA"), ("L", "LA")])
def test_a_transparent_colour_becomes_alpha(tmp_path, capsys, mode, stored):
    source = tmp_path / "a.png"
    image = Image.fromarray(picture()).convert(mode)
    image.save(source, transparency=(0, 0, 0) if mode == "RGB" else 0)
    assert run(capsys, "encode", source, "--lossless")[0] == 0
    with aig_codec.open(tmp_path / "a.aig") as file:
        assert file.mode == stored
        assert (file.decode()[..., -1] == 0).any()


def deep_png(path):
    """A PNG with 16 bits per sample in RGB, which Pillow opens as 8 without a word."""

    def chunk(kind, body):
        crc = zlib.crc32(kind + body)
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", crc)

    header = struct.pack(">IIBBBBB", 2, 2, 16, 2, 0, 0, 0)
    rows = zlib.compress(bytes(2 * (1 + 2 * 3 * 2)))
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


def test_more_than_8_bits_are_refused_but_for_grey(tmp_path, capsys):
    deep_png(tmp_path / "colour.png")
    Image.fromarray(picture(1).astype(np.float32)).save(tmp_path / "float.tif")
    for name in ("colour.png", "float.tif"):
        assert "more than 8 bits" in fails(capsys, "encode", tmp_path / name)


# what decode may be asked for


def test_scale_upto_and_format(aig, capsys):
    small = aig.with_name("small.tif")
    code, out, _ = run(capsys, "decode", aig, "-o", small, "--scale", "4", "--upto", "preview")
    assert code == 0
    assert "24 x 18 RGB" in out
    with Image.open(small) as image:
        assert image.format == "TIFF"
        expected = aig_codec.decode(aig, upto="preview", scale=4)
        np.testing.assert_array_equal(np.asarray(image), expected)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_core_is_transparent_outside(tmp_path, capsys, channels):
    source, target = tmp_path / "a.png", tmp_path / "core.png"
    Image.fromarray(picture(channels)).save(source)
    line = "--center 10,10 --center 60,40 --radius 6"
    assert run(capsys, "encode", source, *line.split())[0] == 0
    code, out, _ = run(capsys, "decode", tmp_path / "a.aig", "-o", target, "--core", "1")
    assert code == 0
    assert "13 x 13" in out
    assert "core 1 of the image at (54, 34)" in out
    with Image.open(target) as image:
        assert image.mode == ("LA" if channels < 3 else "RGBA")
        crop = np.asarray(image)
    colours = min(channels, 3) if channels != 2 else 1
    original = picture(channels).reshape(HEIGHT, WIDTH, channels)[34:47, 54:67]
    y, x = np.mgrid[-6:7, -6:7]
    inside = x * x + y * y <= 36
    np.testing.assert_array_equal(crop[inside][:, :colours], original[inside][:, :colours])
    if channels in (1, 3):
        np.testing.assert_array_equal(crop[..., -1] == 255, inside)
    assert not crop[~inside].any()


def test_lenient_says_what_it_left_out(aig, capsys):
    data = aig.read_bytes()
    aig.write_bytes(data[: len(data) - 10])
    back = aig.with_name("back.png")
    err = fails(capsys, "decode", aig, "-o", back)
    assert "file ends inside" in err
    assert "--lenient" in err
    assert not back.exists()

    code, out, err = run(capsys, "decode", aig, "-o", back, "--lenient")
    assert code == 0
    assert err.startswith(f"aig: warning: {aig}: left out: file ends inside")
    assert "96 x 72" in out
    np.testing.assert_array_equal(np.asarray(Image.open(back)), aig_codec.decode(aig, strict=False))


# info


def test_info_json_tells_all(aig, capsys):
    code, out, err = run(capsys, "info", aig, "--json")
    assert (code, err) == (0, "")
    (report,) = json.loads(out)
    assert (report["width"], report["height"], report["mode"]) == (WIDTH, HEIGHT, "RGB")
    assert report["quality_level"] == 191
    assert report["foci"] == [
        {
            "label": None,
            "center": [48, 36],
            "sigma": [1, 1],
            "alpha": 0,
            "radius_core": 12,
            "radius_mid": 20,
        }
    ]
    assert report["frames"] == {"count": 1, "loop": None}
    size = aig.stat().st_size
    assert report["bytes"] == size
    assert report["missing_bytes"] == 0
    assert report["bits_per_pixel"] == pytest.approx(8 * size / (WIDTH * HEIGHT))
    segments = report["segments"]
    assert segments[0]["kind"] == "core"
    assert segments[0]["offset"] == report["data_start"]
    assert report["data_start"] + sum(s["bytes"] for s in segments) == size
    with aig_codec.open(aig) as file:
        assert report["segments"][0]["bytes"] == file.bytes_for("core")


def test_info_table(aig, capsys):
    code, out, _ = run(capsys, "info", aig)
    assert code == 0
    assert f"{aig}: 96 x 72 RGB, {aig.stat().st_size:,} bytes" in out
    assert "focus 0 at (48, 36), core radius 12, mid radius 20" in out
    for part in ("head", "core 0", "preview", "background"):
        assert f"\n  {part} " in out
    assert "INCOMPLETE" not in out


def test_info_of_a_lossless_file(photo, capsys):
    target = photo.with_name("l.aig")
    assert run(capsys, "encode", photo, "-o", target, "--lossless")[0] == 0
    code, out, _ = run(capsys, "info", target)
    assert code == 0
    assert "lossless: every pixel is core" in out


def test_info_reads_no_pixels(aig, capsys):
    (report,) = json.loads(run(capsys, "info", aig, "--json")[1])
    aig.write_bytes(aig.read_bytes()[: report["data_start"] + report["segments"][0]["bytes"]])
    code, out, _ = run(capsys, "info", aig)
    assert code == 0
    assert "INCOMPLETE" in out
    assert "complete up to core 0" in out


def test_info_goes_on_after_a_bad_file(photo, aig, capsys):
    code, out, err = run(capsys, "info", photo, aig, "--json")
    assert code == 1
    assert err == f"aig: error: {photo}: not an AIG file\n"
    assert [report["file"] for report in json.loads(out)] == [str(aig)]


# safety and errors


def test_existing_files_are_kept(photo, aig, capsys):
    before = aig.read_bytes()
    assert "exists already" in fails(capsys, "encode", photo, "--lossless")
    assert "exists already" in fails(capsys, "decode", aig)
    assert aig.read_bytes() == before
    assert run(capsys, "encode", photo, "--lossless", "--force")[0] == 0
    assert aig.read_bytes() != before
    assert "the input itself" in fails(capsys, "encode", aig, "--force")


def test_a_failure_keeps_what_was_there(photo, aig, capsys, monkeypatch):
    before = aig.read_bytes()
    fails(capsys, "encode", photo, "--force", "--quality", "300", code=2)
    monkeypatch.setattr(os, "replace", lambda a, b: (_ for _ in ()).throw(OSError("disk on fire")))
    assert "disk on fire" in fails(capsys, "encode", photo, "--force")
    assert aig.read_bytes() == before
    assert leftovers(photo.parent) == []


def test_a_format_that_cannot_hold_the_mode_leaves_nothing(aig, capsys):
    target = aig.with_name("core.jpg")
    assert "cannot write mode RGBA" in fails(capsys, "decode", aig, "-o", target, "--core", "0")
    assert not target.exists()
    assert leftovers(aig.parent) == []


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="needs links")
def test_a_link_is_followed(photo, aig, capsys):
    link = photo.with_name("link.aig")
    link.symlink_to(aig)
    before = aig.read_bytes()
    assert run(capsys, "encode", photo, "-o", link, "--lossless", "--force")[0] == 0
    assert link.is_symlink()
    assert aig.read_bytes() != before


@pytest.mark.parametrize("command", ["encode", "decode", "info", "demo"])
def test_missing_file(tmp_path, capsys, command):
    path = tmp_path / "nothing.aig"
    assert fails(capsys, command, path) == f"aig: error: {path}: No such file or directory\n"


def test_damaged_inputs(photo, capsys):
    data = photo.read_bytes()
    photo.write_bytes(data[: len(data) // 2])
    assert "cannot be read" in fails(capsys, "encode", photo)
    photo.write_bytes(b"AIG2" + bytes(10))
    fails(capsys, "info", photo)
    photo.write_bytes(b"")
    fails(capsys, "encode", photo)
    fails(capsys, "decode", photo, "-o", photo.with_name("x.png"))


def test_truncation_anywhere_is_one_sentence(aig, capsys):
    data = aig.read_bytes()
    for length in (0, 3, 4, 20, 34, 38, 100, len(data) // 2, len(data) - 1):
        aig.write_bytes(data[:length])
        fails(capsys, "decode", aig, "-o", aig.with_name("x.png"))


@pytest.mark.parametrize(
    "options",
    [
        "--quality 300",
        "--quality-level -1",
        "--effort 0",
        "--threads 0",
        "--lambda-rd -1",
        "--center 500,2",
        "--center 1,1 --center 2,2 --center 3,3 --center 4,4",
        "--radius 5",
        "--sigma 1,2",
        "--center 1,1 --center 9,9 --sigma 1 --sigma 2 --sigma 3",
        "--center 1,1 --sigma 0",
        "--center 1,1 --alpha 9",
        "--center 1,1 --radius 9,2",
    ],
)
def test_arguments_that_the_codec_refuses(photo, capsys, options):
    fails(capsys, "encode", photo, *options.split(), code=2)
    assert not photo.with_suffix(".aig").exists()


@pytest.mark.parametrize(
    "line",
    [
        "",
        "frobnicate",
        "encode",
        "encode a.png --center 5",
        "encode a.png --center 1,2,3",
        "encode a.png --center nan,2",
        "encode a.png --sigma x",
        "encode a.png --mid wax",
        "encode a.png --quality 5 --quality-level 9",
        "decode a.aig --scale 3",
        "decode a.aig --upto never",
    ],
)
def test_usage_errors_exit_with_2(capsys, line):
    fails(capsys, *line.split(), code=2)


def test_a_region_is_a_crop(aig, capsys):
    target = aig.with_name("part.png")
    code, out, _ = run(capsys, "decode", aig, "-o", target, "--region", "10,20,31,29")
    assert code == 0
    assert "21 x 9" in out
    with Image.open(target) as image:
        expected = aig_codec.decode(aig)[20:29, 10:31]
        np.testing.assert_array_equal(np.asarray(image), expected)
    for region in ("10,20,31", "10,20,31,x", "10,20,5,29", "0,0,9999,9"):
        line = ("decode", aig, "-o", target, "--force", f"--region={region}")
        code, _, err = run(capsys, *line)
        assert code == 2
        assert "region" in err


def test_decode_refuses_what_makes_no_sense(aig, capsys):
    assert "no core 7" in fails(
        capsys, "decode", aig, "-o", aig.with_name("x.png"), "--core", "7", code=2
    )
    fails(capsys, "decode", aig, "--core", "0", "--scale", "2", code=2)
    assert ".xyz" in fails(capsys, "decode", aig, "-o", aig.with_name("x.xyz"), code=2)


def test_help_and_version(capsys):
    assert run(capsys, "--version")[1] == f"aig {aig_codec.__version__}\n"
    for arguments in (["--help"], *([c, "--help"] for c in ("encode", "decode", "info", "demo"))):
        code, out, _ = run(capsys, *arguments)
        assert code == 0
        assert "examples:" in out


def test_help_imports_nothing_heavy():
    script = (
        "import sys; from aig_codec import cli; cli.main(['--help']); "
        "assert not {'numpy', 'PIL', 'snappy', 'sklearn'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)


def test_a_closed_pipe_is_no_error(aig):
    script = f"import sys; from aig_codec import cli; sys.exit(cli.main(['info', {str(aig)!r}]))"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0


# demo


@pytest.mark.slow
def test_demo_on_a_picture_of_ones_own(photo, capsys):
    pytest.importorskip("imageio")
    folder = photo.parent / "demo"
    code, out, err = run(capsys, "demo", photo, "-o", folder, "--center", "48,36")
    assert (code, err) == (0, "")
    assert out.endswith("PASS\n")
    assert "FAIL" not in out
    for name in ("photo-centers.aig", "photo-radii.aig", "photo-auto.aig"):
        assert (
            f"{name}: PASS  (core bit-exact, readable from the first bytes, Pillow, imageio)" in out
        )
        assert (folder / name).exists()
    for label in ("AIG, radii", "PNG", "JPEG q75", "JPEG q90"):
        assert f"\n{label} " in out
    with Image.open(folder / "comparison.png") as sheet:
        assert sheet.width > 3 * WIDTH
    with aig_codec.open(folder / "photo-centers.aig") as file:
        assert file.centers == [(48, 36)]


@pytest.mark.slow
@pytest.mark.parametrize("channels", [1, 2, 4])
def test_demo_without_colour_or_with_alpha(tmp_path, capsys, channels):
    source = tmp_path / "a.png"
    Image.fromarray(picture(channels)).save(source)
    assert run(capsys, "demo", source, "-o", tmp_path)[0] == 0


@pytest.mark.slow
def test_demo_fails_where_a_core_is_not_exact(photo, capsys, monkeypatch):
    encode = aig_codec.encode

    def spoiled(pixels, **keywords):
        pixels = pixels.copy()
        pixels[36, 48] ^= 1
        return encode(pixels, **keywords)

    from aig_codec.apps import demo

    monkeypatch.setattr(demo, "encode", spoiled)
    code, out, _ = run(capsys, "demo", photo, "-o", photo.parent)
    assert code == 1
    assert "FAIL: core 0 differs from the original" in out
    assert out.endswith("FAIL\n")


def test_demo_without_scikit_learn_says_what_to_install(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    monkeypatch.chdir(tmp_path)
    assert "pip install 'pillow-aig[all]'" in fails(capsys, "demo")


def test_demo_on_its_photograph(tmp_path, capsys, monkeypatch):
    pytest.importorskip("sklearn.datasets")
    monkeypatch.chdir(tmp_path)
    code, out, _ = run(capsys, "demo")
    assert code == 0
    assert "china-radii.aig: PASS" in out
    assert Path("aig-demo/comparison.png").exists()


def test_outlines_follow_the_tiers():
    from aig_codec import geometry
    from aig_codec.apps import figures
    from aig_codec.container import Metadata

    focus = Focus(100, 80, (2.0, 0.5), 60, 40.0, 60.0)
    core = geometry.Regions(Metadata(width=200, height=160, mode="L", foci=(focus,))).class_map()
    inside = outside = 0
    for x, y in figures._outline(focus, focus.r_core):
        dx, dy = x - 100.5, y - 80.5
        step = 2 / max(np.hypot(dx, dy), 1)
        for sign in (-1, 1):
            px, py = (
                int(np.floor(c + 0.5 + d * (1 + sign * step))) for c, d in ((100, dx), (80, dy))
            )
            is_core = core[py, px] == geometry.CORE
            inside += sign == -1 and is_core
            outside += sign == 1 and not is_core
    assert inside == outside == 241
