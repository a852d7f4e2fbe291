"""What file managers and file(1) are told, tried by gio and file where these are installed."""

import mimetypes
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.commands import run

import aig_codec
import pillow_aig  # noqa: F401 - registers AIG with Pillow
from aig_codec.apps import desktop

NAMES = ["a file.aig", "no extension"]


@pytest.fixture
def home(tmp_path: Path, monkeypatch) -> Path:
    """A home of its own, with two files and somebody's own magic."""
    home = tmp_path / "home"
    home.mkdir()
    for name in ("XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    data = aig_codec.encode(np.zeros((40, 30, 3), np.uint8), centers=[(20, 12)], radii=[(5, 8)])
    for name in NAMES:
        (home / name).write_bytes(data)
    (home / ".magic").write_text("0 string FOO! foo data\n")
    return home


def output(*command: str | Path) -> str:
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="freedesktop.org is about others")
def test_install_status_and_remove(home: Path, capsys) -> None:
    places = desktop.Places()
    assert run(capsys, "desktop", "--status")[0] == 1
    for _ in range(2):  # the second time changes nothing
        code, told, _ = run(capsys, "desktop", "--install")
        assert (code, told.splitlines()) == (0, [f"installed {path}" for path in places.all])
    assert (home / ".magic").read_text().count("AIG2") == 1
    assert run(capsys, "desktop", "--status")[0] == 0
    assert places.mime == home / ".local/share/mime/packages/aig.xml"
    code, told, _ = run(capsys, "desktop", "--remove")
    assert (code, told.splitlines()) == (0, [f"removed {path}" for path in places.all])
    assert (home / ".magic").read_text() == "0 string FOO! foo data\n"
    assert not places.mime.exists()
    assert run(capsys, "desktop", "--remove")[1] == "was not installed\n"


def test_a_folder_for_all_users(tmp_path: Path, home: Path, capsys) -> None:
    share = tmp_path / "share"
    assert run(capsys, "desktop", "--install", "--folder", share)[0] == 0
    assert (share / "misc" / "aig.magic").exists()
    assert "AIG2" not in (home / ".magic").read_text()
    assert run(capsys, "desktop", "--remove", "--folder", share)[0] == 0
    assert not (share / "misc" / "aig.magic").exists()


@pytest.mark.skipif(
    not (shutil.which("gio") and shutil.which("update-mime-database")),
    reason="needs gio and update-mime-database",
)
def test_gio_knows_the_type(home: Path, capsys) -> None:
    def types() -> list[str]:
        told = [output("gio", "info", "-a", "standard::content-type", home / n) for n in NAMES]
        return [text.rpartition("content-type: ")[2].strip() for text in told]

    assert "image/x-aig" not in types()
    assert run(capsys, "desktop", "--install")[0] == 0
    assert types() == ["image/x-aig"] * 2  # by its extension, and by its magic
    assert run(capsys, "desktop", "--remove")[0] == 0
    assert "image/x-aig" not in types()


@pytest.mark.skipif(
    sys.platform != "linux" or not shutil.which("file"), reason="needs file, as Linux has it"
)
def test_file_knows_the_magic(home: Path, capsys) -> None:
    (home / "foo").write_text("FOO! and more")
    assert run(capsys, "desktop", "--install")[0] == 0
    for name in NAMES:
        assert output("file", "-b", home / name) == "AIG image data, 1 focus at (20, 12)\n"
        assert output("file", "-b", "--mime-type", home / name) == "image/x-aig\n"
    assert output("file", "-b", home / "foo") == "foo data\n"


@pytest.mark.skipif(sys.platform == "win32", reason="freedesktop.org is about others")
def test_the_thumbnailer_entry_runs(home: Path, tmp_path: Path) -> None:
    """As the specification has it: quoted arguments, %i the file, %o the picture, %s its size."""
    entry = dict(line.split("=", 1) for line in desktop.thumbnailer().splitlines() if "=" in line)
    assert entry["MimeType"] == "image/x-aig;"
    assert os.access(entry["TryExec"], os.X_OK)
    target = tmp_path / "out.png"
    target.touch()  # tumbler makes it, and keeps it open
    with target.open("rb") as kept:
        codes = {"%i": str(home / NAMES[0]), "%o": str(target), "%s": "16"}
        subprocess.run([codes.get(a, a) for a in shlex.split(entry["Exec"])], check=True)
        with Image.open(kept) as image:
            assert (image.format, image.size) == ("PNG", (12, 16))


def test_awkward_paths_of_python_are_quoted() -> None:
    line = desktop.thumbnailer('/o p/100%/$x"`\\y/python').splitlines()[2]
    assert line.startswith('Exec="/o p/100%%/\\\\$x\\\\"\\\\`\\\\\\\\y/python" -m aig_codec')


@pytest.mark.parametrize("deep", [False, True])
def test_thumbnails_are_small_upright_and_true(tmp_path: Path, capsys, deep: bool) -> None:
    pixels = np.zeros((200, 400), np.uint16 if deep else np.uint8)
    pixels[:, 200:] = 51400 if deep else 200
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    source, target = tmp_path / "a.aig", tmp_path / "t.png"
    source.write_bytes(aig_codec.encode(pixels, exif=exif.tobytes(), icc_profile=b"a profile"))
    assert run(capsys, "thumbnail", source, target, 64) == (0, "", "")
    with Image.open(target) as image:
        assert (image.mode, image.size) == ("L", (32, 64))
        assert image.info["icc_profile"] == b"a profile"
        assert image.getpixel((16, 5)) == pytest.approx(0, abs=2)
        assert image.getpixel((16, 60)) == pytest.approx(200, abs=2)
    # Never larger than the picture.
    assert run(capsys, "thumbnail", source.as_uri(), target, 1000)[0] == 0
    with Image.open(target) as image:
        assert image.size == (200, 400)


def test_what_has_no_thumbnail(tmp_path: Path, capsys) -> None:
    source = tmp_path / "a.aig"
    Image.new("L", (4, 4)).save(tmp_path / "a.png")
    noise = np.random.default_rng(1).integers(0, 256, (40, 40), np.uint8)
    source.write_bytes(aig_codec.encode(noise, lossless=True)[:-20])
    for given, size, words in (
        (source, 8, "a.aig: "),
        (tmp_path / "a.png", 8, "not an AIG file"),
        (source, 0, "at least 1"),
        (tmp_path / "none", 8, "No such file"),
    ):
        code, _, err = run(capsys, "thumbnail", given, tmp_path / "t.png", size)
        assert code != 0
        assert words in err
    assert not (tmp_path / "t.png").exists()
    code, _, err = run(capsys, "thumbnail", source, source, 8)
    assert (code, "the input itself" in err) == (1, True)


# mimetypes


@pytest.mark.parametrize("package", ["pillow_aig", "imageio_aig"])
@pytest.mark.parametrize("order", ["before", "after", "in use"])
def test_mimetypes_knows_the_type_on_import(package: str, order: str) -> None:
    pytest.importorskip("imageio")
    lines = {
        "before": f"import {package}, mimetypes",
        "after": f"import mimetypes, {package}",
        "in use": f"import mimetypes; mimetypes.guess_type('a.png'); import {package}",
    }[order]
    code = (
        f"{lines}\nprint(mimetypes.guess_type('x/a.aig')[0], mimetypes.guess_extension("
        "'image/x-aig'), mimetypes.guess_type('a.png')[0])"
    )
    assert output(sys.executable, "-c", code).split() == ["image/x-aig", ".aig", "image/png"]


def test_mimetypes_in_this_process() -> None:
    assert mimetypes.guess_type("a.aig") == ("image/x-aig", None)


def test_importing_the_plugin_does_not_import_mimetypes() -> None:
    code = "import sys, pillow_aig; print('mimetypes' in sys.modules)"
    assert output(sys.executable, "-c", code) == "False\n"
