"""The command line with many files, files of several frames, labels, and autoload."""

import json
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


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for k, mode in enumerate(("RGB", "L", "RGBA")):
        picture(mode, 75 + k).save(folder / f"{k}.png")
    (folder / "notes.txt").write_text("nothing")
    return folder


@pytest.fixture
def movie(tmp_path: Path) -> Path:
    path = tmp_path / "movie.aig"
    frames = [np.asarray(picture("RGB", 75 + k)) for k in range(3)]
    path.write_bytes(aig_codec.encode_sequence(frames, duration=40, loop=0, lossless=True))
    return path


# Many files


@pytest.mark.parametrize("jobs", [1, 2])
def test_folders_and_patterns(photos: Path, tmp_path: Path, capsys, jobs: int) -> None:
    expected = [f"{k}.aig" for k in range(3)]
    for k, given in enumerate((photos, photos / "*.png", photos / "[0-2].*")):
        out = tmp_path / f"out{k}"
        code, told, err = run(capsys, "encode", given, "-o", out, "--jobs", jobs, "--auto")
        assert (code, err) == (0, "")
        assert sorted(p.name for p in out.iterdir()) == expected
        assert [line.split(":")[0] for line in told.splitlines() if line.startswith("/")] == [
            str(out / name) for name in expected
        ]


def test_processes_give_the_same_files_and_say_what_fails(photos: Path, tmp_path: Path, capsys):
    (photos / "1.png").write_bytes(b"\x89PNG\r\n\x1a\n nothing")
    told = {}
    for jobs in (1, 2):
        out = tmp_path / str(jobs)
        code, text, err = run(capsys, "encode", photos, "-o", out, "--jobs", jobs)
        assert code == 1
        assert "1.png" in err
        told[jobs] = {p.name: p.read_bytes() for p in out.iterdir()}
        assert "Traceback" not in text
    assert told[1] == told[2]
    assert sorted(told[1]) == ["0.aig", "2.aig"]


def test_nothing_to_encode(tmp_path: Path, capsys) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    for given, words in (
        (empty, "no pictures in this folder"),
        (tmp_path / "*.jpg", "matches nothing"),
    ):
        code, _, err = run(capsys, "encode", given)
        assert code == 1
        assert words in err
    assert run(capsys, "encode", empty, "--jobs", 0)[0] == 2
    assert run(capsys, "encode", empty, "--auto", "--center", "1,1")[0] == 2


def test_centers_in_one_word(photos: Path, capsys) -> None:
    for given in (["--centers", "20,18 58,30"], ["--center", "20,18;58,30"]):
        assert run(capsys, "encode", photos / "0.png", "--force", *given)[0] == 0
        with aig_codec.open(photos / "0.aig") as file:
            assert file.centers == [(20, 18), (58, 30)]
    assert run(capsys, "encode", photos / "0.png", "--force", "--centers", "1,2 3")[0] == 2


def test_shells_can_complete(tmp_path: Path) -> None:
    pytest.importorskip("argcomplete")
    found = tmp_path / "found"
    line = "aig com"
    environment = {
        **os.environ,
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(found),
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
    }
    code = "from aig_codec.cli import main; main()"
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
    assert found.read_text().split() == ["compare"]


# Labels


def test_labels(photos: Path, capsys) -> None:
    code, told, _ = run(
        capsys,
        *("encode", photos / "0.png", "--center", "20,18", "--center", "58,30"),
        *("--label", "a dog", "--label", "a cat"),
    )
    assert code == 0
    assert "focus 0 at (20, 18)" in told
    path = photos / "0.aig"
    code, told, _ = run(capsys, "info", path)
    assert "focus 1 at (58, 30), a cat" in told
    (found,) = json.loads(run(capsys, "info", path, "--json")[1])
    assert [focus["label"] for focus in found["foci"]] == [{"name": "a dog"}, {"name": "a cat"}]
    code, _, err = run(capsys, "encode", photos / "1.png", "--center", "1,1", *["--label", "a"] * 2)
    assert (code, "2 for 1 centers" in err) == (2, True)


# Frames


def test_frames_are_decoded_by_number(movie: Path, tmp_path: Path, capsys) -> None:
    for k in range(3):
        target = tmp_path / f"{k}.png"
        assert run(capsys, "decode", movie, "-o", target, "--frame", k)[0] == 0
        with Image.open(target) as image:
            assert np.array_equal(np.asarray(image), np.asarray(picture("RGB", 75 + k)))
    code, _, err = run(capsys, "decode", movie, "-o", tmp_path / "x.png", "--frame", 3)
    assert (code, "there is no frame 3" in err) == (2, True)
    assert not (tmp_path / "x.png").exists()


def test_what_is_said_of_frames(movie: Path, tmp_path: Path, capsys) -> None:
    code, told, _ = run(capsys, "info", movie)
    assert code == 0
    assert "3 frames, for ever; this is the first" in told
    assert "more frames" in told
    shares = [float(line.split("%")[0].split()[-1]) for line in told.splitlines() if "%" in line]
    assert sum(shares) == pytest.approx(100, abs=0.5)
    (found,) = json.loads(run(capsys, "info", movie, "--json")[1])
    assert found["frames"]["count"] == 3
    assert found["frames"]["durations"] == [40, 40, 40]
    assert found["frames"]["end"] == found["bytes"]
    cut = tmp_path / "cut.aig"
    cut.write_bytes(movie.read_bytes()[:-100])
    assert "INCOMPLETE: 100 bytes are missing" in run(capsys, "info", cut)[1]


# Autoload


def test_autoload(tmp_path: Path, capsys, monkeypatch) -> None:
    monkeypatch.delenv("AIG_AUTOLOAD", raising=False)
    folder = ("--folder", tmp_path)
    assert run(capsys, "autoload", "--status", *folder)[:2] == (1, f"not enabled in {tmp_path}\n")
    code, told, _ = run(capsys, "autoload", "--enable", *folder)
    assert (code, told) == (0, f"enabled by {tmp_path / 'aig_autoload.pth'}\n")
    assert run(capsys, "autoload", "--status", *folder)[:2] == (0, f"enabled in {tmp_path}\n")
    monkeypatch.setenv("AIG_AUTOLOAD", "0")
    code, told, _ = run(capsys, "autoload", "--status", *folder)
    assert (code, "AIG_AUTOLOAD switches it off" in told) == (1, True)
    assert run(capsys, "autoload", "--disable", *folder)[:2] == (0, f"disabled in {tmp_path}\n")
    assert not os.listdir(tmp_path)
    assert "was not enabled" in run(capsys, "autoload", "--disable", *folder)[1]
    assert run(capsys, "autoload")[0] == 2
    code, _, err = run(capsys, "autoload", "--enable", "--folder", tmp_path / "none")
    assert code == 1
    assert "No such file" in err
