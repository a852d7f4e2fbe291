"""The bench's background part: the search for rates, the measures, the goals, a whole run."""

import json
import math
from dataclasses import replace
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
from bench import (  # noqa: E402
    background,
    background_goals,
    background_report,
    goals,
    images,
    ladders,
    peers,
    perception,
    rows,
    sheet,
)


@pytest.fixture
def photo() -> images.U8:
    """Smooth colours with some grain, 96 x 64."""
    y, x = np.mgrid[:64, :96]
    waves = np.stack([np.sin(x / 9), np.cos(y / 7), np.sin((x + y) / 11)], -1)
    grain = np.random.default_rng(7).normal(0, 4, waves.shape)
    return np.clip(128 + 90 * waves + grain, 0, 255).astype(np.uint8)


def ruler(slope: float) -> ladders.Knob:
    """A codec whose bytes grow by a factor of exp(slope) with every step, at 128 x 128."""

    def make(step: int) -> peers.Codec:
        size = round(200 * math.exp(slope * step))
        pixels = np.full((128, 128, 3), 100 - step, np.uint8)
        return peers.Codec("ruler", f"q{step}", lambda _: bytes(size), lambda _: pixels)

    return ladders.Knob(make, 0, 100, 50, 0.03)


@pytest.mark.parametrize("slope", [0.01, 0.03, 0.09])
def test_the_search_finds_rates(slope: float) -> None:
    image = np.full((128, 128, 3), 100, np.uint8)
    ladder = ladders.Ladder(ruler(slope), image)
    found = ladder.climb(background.RATES, {})
    for rate, trial in found.items():
        # One step of the knob, or as near as is near enough, or an end of the knob.
        off = abs(math.log(trial.rate / rate))
        assert off <= max(0.06, slope / 2) + 0.01 or trial.step in (0, 100)
    assert len(ladder.trials) <= 16


def test_the_search_stops_at_the_ends() -> None:
    image = np.full((128, 128, 3), 100, np.uint8)
    ladder = ladders.Ladder(ruler(0.01), image)
    assert ladder.at_rate(50.0).step == 100
    assert ladder.at_rate(0.001).step == 0


def test_the_search_finds_a_psnr() -> None:
    image = np.full((128, 128, 3), 0, np.uint8)
    wanted = 20 * math.log10(255 / 20)
    assert ladders.Ladder(ruler(0.03), image).at_psnr(wanted).step == pytest.approx(80, abs=1)


def test_measures_of_likeness(photo: images.U8) -> None:
    noise = np.random.default_rng(1).normal(0, 1, photo.shape)
    bad, worse = (np.clip(photo + s * noise, 0, 255).astype(np.uint8) for s in (6, 20))
    measure = perception.MsSsim(photo)
    assert measure.score(photo) == pytest.approx(1, abs=1e-6)
    assert 1 > measure.score(bad) > measure.score(worse) > 0


def test_ssimulacra2_is_that_of_the_package(photo: images.U8, tmp_path: Path) -> None:
    package = pytest.importorskip("ssimulacra2")
    image = np.tile(photo, (3, 3, 1))[:181, :223]
    decoded = peers.jpeg(30).decode(peers.jpeg(30).encode(image))
    paths = [str(tmp_path / name) for name in ("a.png", "b.png")]
    for pixels, path in zip((image, decoded), paths, strict=True):
        Image.fromarray(pixels).save(path)
    expected = package.compute_ssimulacra2(*paths)
    measure = perception.Ssimulacra2(image)
    assert measure.score(decoded) == pytest.approx(expected, abs=0.05)
    assert measure.score(image) == pytest.approx(100)


def test_without_the_package_there_is_no_score(
    photo: images.U8, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(perception, "find_spec", lambda _: None)
    assert math.isnan(perception.Ssimulacra2(photo).score(photo))


def test_a_goal_may_have_two_sides() -> None:
    goal = goals.Goal("q", (None, 81.0), (None, 77.5), "{:g}".format, within=2.5)
    assert goal.cells() == ["q", "", "**81**", "within 2.5 of 77.5 (strong)"]


def test_only_rungs_are_compared() -> None:
    def point(codec: str, rung: float, size: int, psnr: float) -> rows.PointRow:
        return rows.PointRow("a", 1.0, codec, "", rung, size, psnr, math.nan, math.nan, True)

    ladder = [(0.3, 40_000, 30.0), (0.67, 80_000, 34.0), (1.5, 180_000, 38.0)]
    points = [point("x", *p) for p in ladder]
    points += [point("y", rung, round(1.1 * size), psnr) for rung, size, psnr in ladder]
    points += [point("y", 0.0, 1000, 33.0), point("y", 1.5, 900_000, 33.0)]
    rates = background_goals.Rates(points)
    assert rates.of("y", "x") == pytest.approx({"a": 10})
    assert rates.of("y", "x", "ssimulacra2") == {}
    assert rates.mean("y", "z") is None


@pytest.mark.slow
def test_a_quick_run(photo: images.U8, tmp_path: Path) -> None:
    Image.fromarray(photo).save(tmp_path / "tiny.png")
    entry = {"centers": [[40, 30]], "sigma": [[1, 1]], "r_core": [9], "r_mid": [12], "alpha": [0]}
    (tmp_path / "focus.json").write_text(json.dumps({"tiny.png": entry}))
    out = tmp_path / "results"
    arguments = ["--images", str(tmp_path), "--out", str(out), "--quick", "--runs", "1"]
    assert command.main([*arguments, "--part", "background"]) == 0
    results = background_goals.read(out)
    assert not results.complaints()
    assert results.points
    assert results.speed
    text = background_report.section(results)
    for title in ("Rate and distortion", "Speed of the background", "The scale of quality"):
        assert f"### {title}" in text


def test_rows_of_peers_may_be_kept(
    photo: images.U8, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    focus = images.Focus(((40, 30),), ((1.0, 1.0),), ((9.0, 12.0),))
    picture = images.Picture("tiny.png", focus, (96, 64), lambda: photo)
    path = tmp_path / background.POINTS_CSV
    monkeypatch.setattr(background, "EFFORTS", (1,))
    with rows.Log(path, rows.PointRow) as log:
        for row in background.measure(picture, (2.0, 6.0)):
            log.append(row)
    first = rows.read(path, rows.PointRow)
    assert {r.codec for r in first} == {"AIG psnr e1", "AIG visual e1", *background.PEERS}
    seen = {r.codec for r in first if not math.isnan(r.ms_ssim)}
    assert {background.AVIF_PSNR, background.AVIF_IQ, background.JXL} < seen
    assert not seen.intersection(background.UNSEEN)
    marked = [replace(r, psnr=-r.psnr) for r in first if r.codec != background.AVIF_444]
    peers_only = [r for r in marked if not r.codec.startswith("AIG")]
    again = list(background.measure(picture, (2.0, 6.0), peers_only))
    assert [r.bytes for r in again] == [r.bytes for r in first]
    assert {r.codec for r in again if r.psnr < 0} == {*background.PEERS} - {background.AVIF_444}
    again = list(background.measure(picture, (2.0, 6.0), marked))
    assert {r.codec for r in again if r.psnr > 0} == {background.AVIF_444}


def test_a_ladder_is_continued_where_rates_are_missing(photo: images.U8) -> None:
    focus = images.Focus(((40, 30),), ((1.0, 1.0),), ((9.0, 12.0),))
    picture = images.Picture("tiny.png", focus, (96, 64), lambda: photo)
    kept = list(background.measure(picture, (6.0,)))
    rungs = {r.codec: r.rung for r in kept if r.rung}
    assert set(rungs.values()) == {6.0}
    again = list(background.measure(picture, (2.0, 6.0), kept))
    assert set(kept) <= set(again)
    trials = [(r.codec, r.setting) for r in again]
    assert len(set(trials)) == len(trials)
    for codec in rungs:
        assert {r.rung for r in again if r.codec == codec and r.rung} == {2.0, 6.0}


def test_large_images_are_compared_at_low_rates_too() -> None:
    small, large = (
        images.Picture("x", background.Focus((), (), ()), (side, side), lambda: np.zeros(0))
        for side in (500, 1500)
    )
    assert background.rates_for(small, quick=False) == background.RATES
    assert background.rates_for(large, quick=False)[:2] == background.LOW_RATES
    assert background.rates_for(large, quick=True) == background.QUICK_RATES


def test_qualities_that_nobody_sees_are_not_compared() -> None:
    def point(codec: str, rung: float, size: int, psnr: float) -> rows.PointRow:
        return rows.PointRow("a", 1.0, codec, "", rung, size, psnr, math.nan, math.nan, True)

    points = [point(c, *p) for c in "xy" for p in [(0.3, 40_000, 34.0), (0.67, 80_000, 38.0)]]
    points += [point("x", 1.5, 180_000, 46.0), point("y", 1.5, 180_000, 50.0)]
    assert background_goals.Rates(points).of("y", "x") == pytest.approx({"a": 0})


@pytest.mark.slow
def test_the_sheet(tmp_path: Path) -> None:
    pytest.importorskip("sklearn", reason="the sample images come with scikit-learn")
    assert command.main(["--part", "sheet", "--out", str(tmp_path)]) == 0
    path = tmp_path / sheet.FILE
    assert 100_000 < path.stat().st_size < 1_300_000
