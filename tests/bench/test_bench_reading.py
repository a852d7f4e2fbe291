"""The bench's part about reading less: a whole run on a small picture, and its goals."""

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
from bench import reading, reading_report  # noqa: E402
from bench.rows import ReadingRow  # noqa: E402


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two small photographs, more or less, and their foci."""
    from support import pictures

    for k in range(2):
        Image.fromarray(pictures.mixed(160, 200, 3)).save(tmp_path / f"{k}.png")
    focus = {"centers": [[90, 80]], "sigma": [[1, 1]], "r_core": [30], "r_mid": [40]}
    (tmp_path / "focus.json").write_text(json.dumps({f"{k}.png": focus for k in range(2)}))
    return tmp_path


@pytest.mark.slow
def test_a_whole_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = folder / "results"
    line = ["--part", "reading", "--images", str(folder), "--out", str(out), "--quick"]
    assert command.main(line) == 0
    shown = capsys.readouterr().out
    assert "a detector, times as many files per second" in shown
    rows = reading_report.read(out)
    assert {r.image for r in rows} == {"0.png", "1.png"}
    own = {r.task: r for r in rows if r.image == "0.png" and r.codec == reading.AIG}
    assert own[reading.FOCUS].bytes <= own[reading.FOCUS].of + 2048
    assert own[reading.PREVIEW].bytes < own[reading.PREVIEW].of
    assert own[reading.EIGHTH].psnr > 20
    report = (out / "report.md").read_text()
    assert "## Reading less" in report
    assert "thumbnail, JPEG q90" in report


def _row(
    task: str, codec: str, ms: float, size: int = 0, of: int = 0, psnr: float = 0
) -> ReadingRow:
    return ReadingRow("x", 1.0, task, codec, ms, size, of, psnr)


def test_goals_are_ratios_of_rows() -> None:
    rows = [
        _row(reading.FOCUS, reading.AIG, 2, 5000, 4000),
        _row(reading.FOCUS, reading.JPEG, 12),
        _row(reading.PREVIEW, reading.AIG, 1, 30, 300),
        _row(reading.FULL, reading.AIG, 20),
        _row(reading.EIGHTH, reading.AIG, 0, psnr=40),
        _row(reading.EIGHTH, reading.AVERAGED, 0, psnr=40.5),
    ]
    goals = {goal.what: goal for goal in reading_report.goals(rows)}
    values = [goal.values[0] for goal in goals.values()]
    np.testing.assert_allclose(values, [6.0, 1000.0, 5.0, 10.0, 0.5])
    assert not any("**" in cell for goal in goals.values() for cell in goal.cells())
    late = reading_report.goals(
        [_row(reading.FOCUS, reading.AIG, 2), _row(reading.FOCUS, reading.JPEG, 9)]
    )
    assert late[0].cells()[1] == "**4.5x**"
    assert reading_report.section([]) == ""
