"""Whole trees of pictures: `aig convert`, its processes, and a Dask cluster."""

import os
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.pillow_files import picture

import aig_codec
from aig_codec import cli
from aig_codec.apps.convert import Task, convert, convert_one, find, is_done


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Pictures in folders, one that is none, and things that are no pictures."""
    root = tmp_path / "in"
    (root / "sub" / "deep").mkdir(parents=True)
    (root / ".hidden").mkdir()
    picture().save(root / "a.png")
    picture("L").save(root / "sub" / "b.jpg")
    picture("RGBA").save(root / "sub" / "deep" / "c.webp")
    picture().save(root / "same.png")
    picture().save(root / "same.bmp")
    (root / "notes.txt").write_text("nothing")
    picture().save(root / ".hidden" / "d.png")
    return root


NAMES = ["a.aig", "same.bmp.aig", "same.png.aig", "sub/b.aig", "sub/deep/c.aig"]


def names(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def run(capsys, *arguments):
    code = cli.main(["convert", *map(str, arguments)])
    return code, *capsys.readouterr()


def test_a_tree_becomes_a_tree(tree: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "out"
    code, told, err = run(capsys, tree, out, "--jobs", 1, "--center", "20,18", "--radius", "8")
    assert (code, err) == (0, "")
    assert names(out) == NAMES
    assert told.startswith("5 converted")
    with aig_codec.open(out / "a.aig") as file:
        assert file.centers == [(20, 18)]
    assert aig_codec.decode(out / "sub" / "deep" / "c.aig").shape == (50, 75, 4)


def test_processes_give_the_same_bytes(tree: Path, tmp_path: Path, capsys) -> None:
    for jobs in (1, 3):
        assert run(capsys, tree, tmp_path / str(jobs), "--jobs", jobs)[0] == 0
    for name in NAMES:
        one, three = ((tmp_path / jobs / name).read_bytes() for jobs in "13")
        assert one == three


def test_a_run_that_was_broken_off_goes_on(tree: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "out"
    assert run(capsys, tree, out, "--jobs", 1)[0] == 0
    (out / "a.aig").unlink()
    (out / "sub" / "b.aig").write_bytes(b"old")
    os.utime(out / "sub" / "b.aig", (0, 0))
    kept = (out / "same.png.aig").stat().st_mtime_ns
    code, told, _ = run(capsys, tree, out, "--jobs", 1)
    assert code == 0
    assert told.startswith("2 converted")
    assert "3 were up to date" in told
    assert (out / "same.png.aig").stat().st_mtime_ns == kept
    assert aig_codec.decode(out / "sub" / "b.aig").shape == (50, 75)
    assert run(capsys, tree, out, "--jobs", 1, "--force")[1].startswith("5 converted")


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_fails_is_told_at_the_end(tree: Path, tmp_path: Path, capsys, jobs: int) -> None:
    (tree / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n nothing")
    (tree / "float.tif").write_bytes(b"")
    Image.fromarray(np.zeros((4, 4), np.float32)).save(tree / "float.tif")
    out = tmp_path / "out"
    code, told, err = run(capsys, tree, out, "--jobs", jobs)
    assert code == 1
    assert told.strip().endswith("2 failed")
    lines = err.strip().splitlines()
    assert len(lines) == 2
    assert "broken.png" in lines[0]
    assert "float.tif" in lines[1]
    assert names(out) == NAMES


def test_there_and_back(tree: Path, tmp_path: Path, capsys) -> None:
    out, back = tmp_path / "out", tmp_path / "back"
    assert run(capsys, tree, out, "--jobs", 1, "--lossless")[0] == 0
    assert run(capsys, out, back, "--jobs", 1, "--to", "png")[0] == 0
    with Image.open(tree / "a.png") as a, Image.open(back / "a.png") as b:
        assert a.tobytes() == b.tobytes()
    assert len(names(back)) == 5


def test_what_cannot_be_converted(tree: Path, tmp_path: Path, capsys) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    (tmp_path / "file").write_text("x")
    for arguments, code, words in (
        ((empty, tmp_path / "o"), 1, "no pictures"),
        ((tmp_path / "none", tmp_path / "o"), 1, "not a folder"),
        ((tree, tmp_path / "file"), 2, "not a folder"),
        ((tree, tmp_path / "o", "--jobs", 0), 2, "at least 1"),
        ((tree, tmp_path / "o", "--to", "docx"), 2, "no format"),
        ((tree, tmp_path / "o", "--to", "png", "--quality", 3), 2, "options of coding"),
    ):
        found, _, err = run(capsys, *arguments)
        assert (found, words in err) == (code, True), err
    assert not (tmp_path / "o").exists()


def test_nothing_half_written_is_left(tree: Path, tmp_path: Path, monkeypatch) -> None:
    task = Task(str(tree / "a.png"), str(tmp_path / "a.aig"))

    def fail(*_: object) -> None:
        raise OSError("disk on fire")

    monkeypatch.setattr(os, "replace", fail)
    outcome = convert_one(task)
    assert outcome.error is not None
    assert "disk on fire" in outcome.error
    assert not list(tmp_path.glob("*.aig"))
    assert not list(tmp_path.glob(".*.part"))


def test_tasks_and_outcomes(tree: Path, tmp_path: Path) -> None:
    tasks = list(find(tree, tmp_path / "out", {"quality": 30}))
    seen = []
    outcomes = convert(tasks, jobs=1, done=seen.append)
    assert [o.task.target for o in outcomes] == [t.target for t in tasks]
    assert seen == outcomes
    assert all(o.error is None and o.bytes_in and o.bytes_out and o.seconds > 0 for o in outcomes)
    assert all(is_done(t) for t in tasks)
    time.sleep(0.01)
    os.utime(tasks[0].source)
    assert not is_done(tasks[0])


@pytest.mark.slow
def test_a_cluster_does_the_same(tree: Path, tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    (tree / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n nothing")
    one, many = tmp_path / "one", tmp_path / "many"
    alone = convert(list(find(tree, one, {"quality": 30})), jobs=1)
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        address = cluster.scheduler_address
        together = convert(list(find(tree, many, {"quality": 30})), scheduler=address)
        assert cli.main(["convert", str(tree), str(many), "--scheduler", address]) == 1
    assert [o.error is None for o in alone] == [o.error is None for o in together]
    assert names(one) == names(many)
    for name in names(one):
        assert (one / name).read_bytes() == (many / name).read_bytes()


def test_without_dask_it_says_what_is_missing(tree: Path, tmp_path: Path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    code, _, err = run(capsys, tree, tmp_path / "out", "--scheduler", "tcp://127.0.0.1:1")
    assert code == 1
    assert "distributed" in err
