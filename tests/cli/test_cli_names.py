"""Names that collide, names that a console cannot print, and files that others left behind."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.commands import run
from support.pillow_files import picture

import aig_codec
from aig_codec.apps.convert import is_whole, named_apart
from aig_codec.io import files


def shade(path: Path, value: int) -> Path:
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(np.full((8, 8), value, np.uint8)).save(path)
    return path


# Two inputs, one name


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["a.png", "b.jpg"], ["a.aig", "b.aig"]),
        (["a.png", "a.jpg"], ["a.png.aig", "a.jpg.aig"]),
        # What one is called in the end is what another would be called to begin with.
        (["a.png", "a.jpg", "a.png.tif"], ["a.png.aig", "a.jpg.aig", "a.png.tif.aig"]),
        (["A.png", "a.jpg", "b/a.png"], ["A.png.aig", "a.jpg.aig", "b/a.aig"]),
        (["\u00e9.png", "e\u0301.jpg"], ["\u00e9.png.aig", "e\u0301.jpg.aig"]),
        (["a.b.png", "a.c.png"], ["a.b.aig", "a.c.aig"]),
        (["a", "a.png"], ["a.aig", "a.png.aig"]),
    ],
)
def test_names_stay_apart(given: list[str], expected: list[str]) -> None:
    assert [str(p) for p in named_apart([Path(p) for p in given], ".aig")] == expected


def test_equal_names_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"a\.png and a\.png would both become a\.png\.aig"):
        named_apart([Path("a.png"), Path("a.png")], ".aig")


@pytest.mark.parametrize("command", ["encode", "convert"])
def test_no_input_overwrites_anothers_output(tmp_path: Path, capsys, command: str) -> None:
    values = {"a.png": 10, "a.bmp": 20, "a.png.tif": 30, "B.png": 40, "b.bmp": 50}
    for name, value in values.items():
        shade(tmp_path / "in" / name, value)
    given = (tmp_path / "in", tmp_path / "out")
    if command == "encode":
        given = (tmp_path / "in", "-o", tmp_path / "out")
    assert run(capsys, command, *given, "--lossless", "--jobs", 1)[::2] == (0, "")
    out = {p.name: int(aig_codec.decode(p)[0, 0]) for p in (tmp_path / "out").iterdir()}
    assert out == {f"{name}.aig": value for name, value in values.items()}


def test_one_name_in_two_folders(tmp_path: Path, capsys) -> None:
    one, two = (shade(tmp_path / folder / "a.png", 3) for folder in ("x", "y"))
    code, _, err = run(capsys, "encode", one, two, "-o", tmp_path / "out")
    assert code == 2
    assert f"{one} and {two} would both become {tmp_path / 'out' / 'a.png.aig'}" in err
    assert not (tmp_path / "out").exists()
    # Beside themselves they are apart.
    assert run(capsys, "encode", one, two)[0] == 0
    assert (tmp_path / "y" / "a.aig").exists()


def test_originals_are_not_taken_for_outputs(tmp_path: Path, capsys) -> None:
    """There and back in one folder: the picture that is there may be the original."""
    original = shade(tmp_path / "t" / "a.png", 9)
    os.utime(original, (1, 1))
    before = original.read_bytes()
    assert run(capsys, "convert", original.parent, original.parent, "--quality", 1)[0] == 0
    code, told, err = run(capsys, "convert", original.parent, original.parent, "--to", "png")
    assert (code, told) == (1, "0 converted; 1 failed\n")
    assert f"{original} is a picture of the tree; --force replaces it" in err
    assert original.read_bytes() == before
    assert (
        run(capsys, "convert", original.parent, original.parent, "--to", "png", "--force")[0] == 0
    )


@pytest.mark.parametrize("name", ["y.png", "y.JPG", "y.webp"])
def test_aig_is_not_written_by_another_formats_name(tmp_path: Path, capsys, name: str) -> None:
    source = shade(tmp_path / "x.png", 3)
    code, out, err = run(capsys, "encode", source, "-o", tmp_path / name, "--force")
    assert (code, out) == (2, "")
    assert f"name it {tmp_path / 'y.aig'}" in err
    assert not (tmp_path / name).exists()
    assert run(capsys, "encode", source, "-o", tmp_path / "y.tmp")[0] == 0
    code, _, err = run(capsys, "decode", tmp_path / "y.tmp", "-o", tmp_path / "z.aig")
    assert (code, "decode writes other formats" in err) == (2, True)


# Names that the console cannot print


def test_names_that_the_console_cannot_print(tmp_path: Path) -> None:
    for name in ("\u4e2d.png", "zzz.png"):
        shade(tmp_path / name, 3)
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252"}
    for command, names in (
        ("encode", ("\u4e2d.png", "zzz.png")),
        ("info", ("\u4e2d.aig", "zzz.aig")),
        ("verify", ("\u4e2d.aig", "zzz.aig")),
        ("decode", ("\u4e2d.aig", "--force")),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "aig_codec", command, *names],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
        )
        assert (done.returncode, done.stderr) == (0, b""), done.stderr
        assert b"\\u4e2d." in done.stdout
    assert (tmp_path / "zzz.aig").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="names are bytes on Linux")
def test_names_that_are_no_text(tmp_path: Path, capsys) -> None:
    path = os.fsdecode(os.fsencode(tmp_path / "a") + b"\xff.png")
    shade(Path(path), 3)
    assert run(capsys, "encode", path)[0] == 0
    assert "\\udcff.aig" in run(capsys, "info", path.replace(".png", ".aig"))[1]


# What killed runs have left


def dead_process() -> int:
    done = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True
    )
    return int(done.stdout)


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
def test_what_killed_runs_left_is_removed(tmp_path: Path, capsys) -> None:
    source = shade(tmp_path / "a.png", 3)
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from aig_codec.io.files import replacing\n"
        "with replacing(Path(sys.argv[1])) as file:\n"
        "    file.write(b'half'); file.flush(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "a.aig")], check=False)
    assert len(list(tmp_path.glob(".*.part"))) == 1
    assert not (tmp_path / "a.aig").exists()
    assert run(capsys, "encode", source)[0] == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.aig", "a.png"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows refuses to remove open files")
def test_what_others_are_writing_stays(tmp_path: Path) -> None:
    mine, machine = os.getpid(), files._machine()
    other = "0" * 8 if machine != "0" * 8 else "1" * 8
    living, dead = os.getppid(), dead_process()
    old = tmp_path / f".aig-{other}-{dead}-1.part"
    kept = [
        f".aig-{machine}-{mine}-0.part",
        f".aig-{machine}-{living}-0.part",
        f".aig-{other}-{dead}-0.part",
        ".somebody.else.part",
    ]
    for name in (*kept, f".aig-{machine}-{dead}-7.part", old.name):
        (tmp_path / name).write_bytes(b"half")
    os.utime(old, (1, 1))
    files.sweep(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(kept)


def test_temporary_names_are_not_in_messages(tmp_path: Path, capsys, monkeypatch) -> None:
    source = shade(tmp_path / "a.png", 3)
    target = tmp_path / "none" / "a.aig"
    code, _, err = run(capsys, "encode", source, "-o", target)
    assert (code, err) == (1, f"aig: error: {target}: No such file or directory\n")

    def fail(a: str, b: str) -> None:
        raise PermissionError(13, "Permission denied", str(a), None, str(b))

    monkeypatch.setattr(os, "replace", fail)
    code, _, err = run(capsys, "encode", source)
    assert (code, err) == (1, f"aig: error: {tmp_path / 'a.aig'}: Permission denied\n")


@pytest.mark.skipif(sys.platform == "win32", reason="counts whole paths")
def test_the_longest_name_there_can_be(tmp_path: Path, capsys) -> None:
    source = shade(tmp_path / ("n" * 251 + ".png"), 3)
    assert run(capsys, "encode", source)[0] == 0
    assert source.with_suffix(".aig").exists()


# Outputs that something has cut


def test_a_cut_output_is_made_again(tmp_path: Path, capsys) -> None:
    tree, out = tmp_path / "in", tmp_path / "out"
    shade(tree / "a.png", 3)
    frames = [Image.new("L", (9, 9), k) for k in (1, 99)]
    frames[0].save(tree / "b.gif", save_all=True, append_images=frames[1:])
    assert run(capsys, "convert", tree, out, "--jobs", 1)[1].startswith("2 converted")
    whole = {name: (out / name).read_bytes() for name in ("a.aig", "b.aig")}
    for name, data in whole.items():
        for length in (0, 3, 40, len(data) - 1):
            (out / name).write_bytes(data[:length])
            told = run(capsys, "convert", tree, out, "--jobs", 1)[1]
            assert told.startswith("1 converted")
            assert (out / name).read_bytes() == data
    assert run(capsys, "convert", tree, out)[1] == "0 converted; 2 were up to date\n"


@pytest.mark.parametrize("suffix", ["png", "jpg", "gif", "webp", "tif", "bmp"])
def test_files_of_other_formats_that_were_cut(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    picture("L").save(path)
    data = path.read_bytes()
    assert is_whole(path)
    path.write_bytes(b"")
    assert not is_whole(path)
    if suffix not in ("tif", "bmp"):
        path.write_bytes(data[:-1])
        assert not is_whole(path)
