"""The bench's arithmetic, and a whole run on a tiny image."""

import csv
import json
import math
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
if not (ROOT / "bench").is_dir():
    pytest.skip("the bench is part of the repository only", allow_module_level=True)
# The bench is not installed; it runs from the root of the repository.
sys.path.append(str(ROOT))

for package in ("scipy", "skimage", "imagecodecs", "matplotlib", "rich"):
    pytest.importorskip(package, reason=f"the bench needs {package}", exc_type=ImportError)

from bench import __main__ as command  # noqa: E402
from bench import focus_task, images, metrics, pairs, peers, rows, speed  # noqa: E402

FOCUS = images.Focus(((40, 30), (60, 30)), ((1.0, 1.0), (2.0, 0.5)), ((12.0, 15.0), (10.0, 14.0)))

CURVE = [(1000, 30.0), (1500, 33.5), (2600, 37.0), (4000, 39.0), (7000, 42.0)]


@pytest.fixture
def photo() -> images.U8:
    """Smooth colours with some grain, 96 x 64."""
    y, x = np.mgrid[:64, :96]
    waves = np.stack([np.sin(x / 9), np.cos(y / 7), np.sin((x + y) / 11)], -1)
    grain = np.random.default_rng(7).normal(0, 4, waves.shape)
    return np.clip(128 + 90 * waves + grain, 0, 255).astype(np.uint8)


def test_psnr_of_a_known_error() -> None:
    a = np.zeros((4, 4, 3), np.uint8)
    assert metrics.psnr(a, a) == math.inf
    assert metrics.psnr(a, a + 255) == pytest.approx(0)
    assert metrics.psnr(a, a + 1) == pytest.approx(20 * math.log10(255))


def test_psnr_sees_only_the_mask() -> None:
    a = np.zeros((4, 4, 3), np.uint8)
    b = a.copy()
    b[0, 0] = 200
    mask = np.ones((4, 4), bool)
    mask[0, 0] = False
    assert metrics.psnr(a, b, mask) == math.inf
    assert metrics.psnr(a, b, ~mask) < 3


def test_ssim_in_decibels() -> None:
    assert metrics.ssim_db(0.9) == pytest.approx(10)
    assert metrics.ssim_db(0.99) == pytest.approx(20)
    assert metrics.ssim_db(1.0) == math.inf


@pytest.mark.parametrize(("factor", "percent"), [(1, 0), (1.1, 10), (0.8, -20)])
def test_bd_rate_of_scaled_bytes(factor: float, percent: float) -> None:
    scaled = [(size * factor, quality) for size, quality in CURVE]
    assert metrics.bd_rate(CURVE, scaled) == pytest.approx(percent, abs=1e-9)


def test_bd_rate_does_not_mind_order_or_lossless_points() -> None:
    shuffled = [*reversed(CURVE), (90000, math.inf), (8000, 42.0)]
    assert metrics.bd_rate(CURVE, shuffled) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("quality", [12.5, 20.0])
def test_bd_rate_needs_an_overlap(quality: float) -> None:
    higher = [(size, dB + quality) for size, dB in CURVE]
    assert metrics.bd_rate(CURVE, higher) is None
    assert metrics.bd_rate(CURVE, CURVE[:1]) is None


def test_core_is_the_union_of_the_ellipses() -> None:
    core = FOCUS.core((64, 96, 3))
    # Semi-axes are r * sqrt(Sigma): 12 and 12, then 14.14 and 7.07.
    assert core[30, 28]
    assert not core[30, 27]
    assert core[18, 40]
    assert not core[17, 40]
    assert core[30, 74]
    assert not core[30, 75]
    assert core[37, 60]
    assert not core[38, 60]
    assert core.sum() < sum(ellipse.sum() for ellipse in FOCUS.ellipses((64, 96)))


def test_focus_from_json() -> None:
    entry = {"centers": [[5, 6]], "sigma": [[1, 2]], "r_core": [3], "r_mid": [4], "alpha": [0]}
    focus = images.Focus.from_json(entry)
    assert focus == images.Focus(((5, 6),), ((1.0, 2.0),), ((3.0, 4.0),))
    with pytest.raises(ValueError, match="alpha"):
        images.Focus.from_json(entry | {"alpha": [0.1]})


def test_hole_filling_leaves_the_rest_untouched(photo: images.U8) -> None:
    hole = FOCUS.core(photo.shape)
    filled = pairs.hole_filled(photo, hole)
    assert np.array_equal(filled[~hole], photo[~hole])
    assert not np.array_equal(filled[hole], photo[hole])


def test_hole_filling_is_smooth() -> None:
    ramp = np.repeat(np.arange(100, 196, dtype=np.uint8)[None, :, None], 64, 0).repeat(3, 2)
    hole = FOCUS.core(ramp.shape)
    noisy = np.where(hole[..., None], np.uint8(0), ramp)
    error = pairs.hole_filled(noisy, hole).astype(int) - ramp
    assert np.abs(error).max() <= 6


@pytest.mark.parametrize("hole", [np.zeros((9, 7), bool), np.ones((9, 7), bool)])
def test_hole_filling_without_a_rim(hole: images.Mask) -> None:
    image = np.arange(189, dtype=np.uint8).reshape(9, 7, 3)
    assert np.array_equal(pairs.hole_filled(image, hole), image)


def test_flattening_keeps_what_is_kept(photo: images.U8) -> None:
    keep = np.zeros(photo.shape[:2], bool)
    keep[10:20, 10:20] = True
    flat = pairs.flattened(photo, keep)
    assert np.array_equal(flat[keep], photo[keep])
    assert len(np.unique(flat[~keep], axis=0)) == 1


@pytest.mark.parametrize("masked", [False, True])
def test_pair_shows_the_exact_core(photo: images.U8, masked: bool) -> None:
    parts = pairs.prepare(photo, FOCUS, masked)
    assert sum(kept.sum() for kept in parts.kept) == FOCUS.core(photo.shape).sum()
    shown = parts.paste(parts.boxes, np.zeros_like(photo))
    core = FOCUS.core(photo.shape)
    assert np.array_equal(shown[core], photo[core])
    assert not shown[~core].any()


def test_judge_tells_core_from_the_rest(photo: images.U8) -> None:
    core = FOCUS.core(photo.shape)
    judge = metrics.Judge(photo, core)
    outside, inside = photo.copy(), photo.copy()
    outside[~core] ^= 1
    inside[30, 40] ^= 1
    assert judge.score(outside).exact
    assert judge.score(outside).psnr == pytest.approx(20 * math.log10(255))
    assert judge.score(outside).ssim < 1
    assert not judge.score(inside).exact
    assert judge.score(inside).psnr == math.inf


def test_matching_finds_the_nearest_quality() -> None:
    image = np.zeros((1, 1, 3), np.uint8)

    class Ruler(metrics.Judge):
        """PSNR is the only pixel."""

        def psnr(self, decoded: images.U8) -> float:
            return float(decoded[0, 0, 0])

    def make(quality: int) -> peers.Codec:
        pixel = np.full((1, 1, 3), quality, np.uint8)
        return peers.Codec("", f"q{quality}", lambda _: b"", lambda _: pixel)

    judge = Ruler(np.zeros((9, 9, 3), np.uint8), np.zeros((9, 9), bool))
    for target, setting in ((37.3, "q37"), (0.0, "q0"), (240.0, "q100")):
        assert speed.matched(make, image, judge, target).setting == setting


def test_rows_come_back_from_disk(tmp_path: Path) -> None:
    row = rows.FocusRow("a.png", 0.5, 0.125, "AIG", "q50", 1234, math.inf, 0.5, 31.25, False)
    with rows.Log(tmp_path / "rows.csv", rows.FocusRow) as log:
        log.append(row)
        # Nothing waits for the end of the run.
        assert rows.read(tmp_path / "rows.csv", rows.FocusRow) == [row]
    assert rows.read(tmp_path / "none.csv", rows.FocusRow) == []


@pytest.fixture
def folder(photo: images.U8, tmp_path: Path) -> Path:
    """A folder of one image and its focus."""
    Image.fromarray(photo).save(tmp_path / "tiny.png")
    entry = {
        "centers": FOCUS.centers,
        "sigma": FOCUS.sigmas,
        "r_core": [core for core, _ in FOCUS.radii],
        "r_mid": [mid for _, mid in FOCUS.radii],
        "alpha": [0, 0],
    }
    (tmp_path / "focus.json").write_text(json.dumps({"tiny.png": entry}))
    return tmp_path


def test_a_quick_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = folder / "results"
    assert command.main(["--images", str(folder), "--out", str(out), "--quick", "--runs", "1"]) == 0
    names = {path.name for path in out.iterdir()}
    assert names >= {"focus.csv", "speed.csv", "report.md", "curves.png", "speeds.png"}
    assert len(rows.read(out / "focus.csv", rows.FocusRow)) == focus_task.steps(quick=True)
    assert "4 of 4 files" in (out / "report.md").read_text()
    assert "report:" in capsys.readouterr().out


def test_a_core_that_is_not_exact_is_loud(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = folder / "results"
    arguments = ["--out", str(out), "--part", "focus", "--quick"]
    assert command.main(["--images", str(folder), *arguments]) == 0
    with (out / "focus.csv").open(newline="") as file:
        table = list(csv.reader(file))
    table[1][-1] = "False"
    with (out / "focus.csv").open("w", newline="") as file:
        csv.writer(file).writerows(table)
    assert command.main([*arguments, "--report"]) == 1
    assert "NOT EXACT: tiny.png: AIG q30" in capsys.readouterr().err
    assert "promise is broken" in (out / "report.md").read_text()


def test_a_missing_package_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "find_spec", lambda name: None if name == "imagecodecs" else name)
    assert command.main(["--quick"]) == 2
    message = capsys.readouterr().err.splitlines()
    assert message == ["the bench needs imagecodecs: pip install 'pillow-aig[bench]'"]


def test_a_folder_without_foci_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["--images", str(tmp_path)]) == 2
    assert "focus.json is missing" in capsys.readouterr().err


def test_sample_images_stand_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("sklearn", reason="the sample images come with scikit-learn")
    monkeypatch.setattr(images, "DEFAULT_FOLDER", tmp_path / "none")
    for picture in images.find(None, None):
        image = picture.load()
        assert image.shape == (*picture.size[::-1], 3)
        assert 0.02 < picture.focus.core(image.shape).mean() < 0.2
