"""The bench's parts about decisions and models: whole runs on small pictures, and their goals."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support import ROOT

if not (ROOT / "bench").is_dir():
    pytest.skip("the bench is part of the repository only", allow_module_level=True)

for package in ("scipy", "skimage", "imagecodecs", "matplotlib", "rich"):
    pytest.importorskip(package, reason=f"the bench needs {package}", exc_type=ImportError)

from bench import __main__ as command  # noqa: E402
from bench import centers, decisions, decisions_report, models, models_report  # noqa: E402
from bench.images import Focus  # noqa: E402
from bench.rows import DecisionRow, ModelRow  # noqa: E402


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two small photographs, more or less, and their foci."""
    from support.pictures import photograph

    picture = photograph(200, 260)
    picture[80:120, 90:130] = np.random.default_rng(0).integers(0, 255, (40, 40, 3))
    for k in range(2):
        Image.fromarray(np.roll(picture, 9 * k, 1)).save(tmp_path / f"{k}.png")
    focus = {"centers": [[110, 100]], "sigma": [[1, 1]], "r_core": [30], "r_mid": [40]}
    (tmp_path / "focus.json").write_text(json.dumps({f"{k}.png": focus for k in range(2)}))
    return tmp_path


@pytest.mark.slow
def test_whole_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = folder / "results"
    for part in ("decisions", "models"):
        line = ["--part", part, "--images", str(folder), "--out", str(out), "--quick"]
        assert command.main([*line, "--runs", "1"]) == 0
    shown = capsys.readouterr().out
    assert "decisions, save with nothing given" in shown
    assert "models, AIG at 0.6" in shown
    rows = decisions_report.read(out)
    assert {r.task for r in rows} >= {decisions.TIME, decisions.SIZE, decisions.MID}
    assert {r.value for r in rows if r.task == decisions.CENTER} == {1.0}
    sizes = [r.value / r.against for r in rows if r.task == decisions.SIZE]
    assert all(abs(ratio - 1) < 0.02 for ratio in sizes)
    found = models_report.read(out)
    ours = {name + bare for name in (models.AIG, models.VISUAL) for bare in ("", models.BARE)}
    assert {r.codec for r in found} == ours | {"AVIF s6", "WebP m4", "JPEG"}
    assert all(r.inside > 0.95 for r in found if r.codec == models.AIG)
    report = (out / "report.md").read_text()
    assert "## What the encoder decides" in report
    assert "## What models see" in report
    for picture in (centers.FILE, models_report.PLOT):
        with Image.open(out / picture) as image:
            assert image.width > 500


def test_goals_are_made_of_rows() -> None:
    rows = [
        DecisionRow("x", 2.0, decisions.TIME, decisions.AUTO, 60, 50),
        DecisionRow("y", 2.0, decisions.TIME, decisions.AUTO, 100, 50),
        DecisionRow("x", 2.0, decisions.SIZE, "a", 1030, 1000),
        DecisionRow("x", 2.0, decisions.CENTER, "best", 1, 1),
        DecisionRow("y", 2.0, decisions.CENTER, "best", 0, 1),
        DecisionRow("x", 2.0, decisions.MID, "band", 41, 40.25),
    ]
    cells = [goal.cells() for goal in decisions_report.goals(rows)]
    assert [row[1] for row in cells] == ["**1.60x**", "**50.0 %**", "**3.0 %**", "0.75 dB"]
    assert decisions_report.section([]) == ""
    assert models_report.section([]) == ""


def test_keypoints_found_again() -> None:
    core = np.zeros((50, 50), bool)
    core[:, :25] = True
    wanted = np.array([[10, 10], [20, 20], [30, 40], [40, 40]])
    found = np.array([[11, 11], [30, 41.5], [5, 45]])
    assert models.found_again(wanted, found, core) == (0.5, 0.5)
    inside, outside = models.found_again(wanted[:2], np.empty((0, 2)), core)
    assert inside == 0
    assert np.isnan(outside)
    rows = [ModelRow("x", 0.6, "a", 1, 0.5, float("nan")), ModelRow("y", 0.6, "a", 1, 1.0, 0.5)]
    assert models_report.shares(rows, "inside") == {("a", 0.6): 0.75}
    assert models_report.shares(rows, "outside") == {("a", 0.6): 0.5}


def test_near_is_within_one_and_a_half_radii() -> None:
    focus = Focus(((50, 50),), ((4.0, 1.0),), ((10.0, 12.0),))
    assert decisions.is_near(focus, 79, 50)
    assert not decisions.is_near(focus, 50, 66)
