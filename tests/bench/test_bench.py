"""The bench's arithmetic, and a whole run on a tiny image."""

import csv
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
    focus_task,
    images,
    lossless,
    lossless_goals,
    lossless_report,
    metrics,
    pairs,
    peers,
    readme,
    rows,
    speed,
)

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


def whole(image: str, codec: str, size: int, ms: float = 1.0) -> rows.LosslessRow:
    """A row of an image of a million pixels."""
    return rows.LosslessRow(image, 1.0, codec, "", size, True, ms, 2 * ms, 3, 3)


def test_sizes_are_means_over_shared_images() -> None:
    results = [
        whole("a", lossless.FAST, 90_000),
        whole("a", lossless.E3, 100_000),
        whole("b", lossless.FAST, 300_000),
        whole("b", lossless.E3, 300_000),
        whole("c", lossless.FAST, 1),
    ]
    assert lossless_goals.bits_per_pixel(results[0]) == pytest.approx(0.72)
    change = lossless_goals.size_change(results, lossless.FAST, lossless.E3)
    assert change == pytest.approx(-2.5)
    assert lossless_goals.size_change(results, lossless.FAST, lossless.E9) is None


def test_speeds_are_medians_of_ratios() -> None:
    results = [whole(i, lossless.FAST, 1, ms) for i, ms in (("a", 1), ("b", 2), ("c", 10))]
    results += [whole(i, lossless.E3, 1, 20) for i in "abc"]
    ratio = lossless_goals.speed_ratio(results, lossless.FAST, lossless.E3, "encode")
    assert ratio == pytest.approx(10)
    assert lossless_goals.throughput(results[:3], "decode") == pytest.approx(250)
    assert lossless_goals.speed_ratio(results, lossless.FAST, lossless.E9, "decode") is None


def test_ellipses_are_compared_in_total() -> None:
    sizes = {("a", lossless.FAST): 110, ("a", lossless.E9): 100}
    sizes |= {("b", lossless.FAST): 270, ("b", lossless.E9): 300}
    results = [rows.EllipseRow(i, c, "", 9, size, True) for (i, c), size in sizes.items()]
    changes = lossless_goals.ellipse_changes(results, lossless.FAST)
    assert changes == pytest.approx({"a": 10, "b": -10, "": -5})
    assert lossless_goals.ellipse_changes(results, lossless.STRONG) == {}


def test_overhead_is_the_price_of_one_more_stream() -> None:
    row = rows.OverheadRow("a", lossless.FAST, 8000, 64000, 9200, 70000, 71200.0, 547200.0, True)
    assert lossless_goals.overheads([row], lossless.FAST) == pytest.approx({"a": 0.1})


def test_screens_are_held_against_the_best() -> None:
    results = [whole("a", lossless.FAST, 120), whole("a", lossless.WEBP, 150)]
    results += [whole("a", lossless.WEBP, 100), whole("a", lossless.E9, 130)]
    assert lossless_goals.screen_changes(results, lossless.FAST) == pytest.approx({"a": 20})
    assert lossless_goals.screen_changes(results[:1], lossless.FAST) == {}


def test_thread_gain() -> None:
    times = ((1, 30.0), (2, 20.0))
    results = [rows.ThreadsRow("a", 2.0, lossless.FAST, n, ms, 9) for n, ms in times]
    assert lossless_goals.thread_gain(results, lossless.FAST) == pytest.approx(1.5)
    assert lossless_goals.thread_gain(results[:1], lossless.FAST) is None


def test_missed_goals_stand_out() -> None:
    most = lossless_goals.Goal("size", (-3.0, 1.25), (0.0, 1.0), "{:.2f}".format)
    assert most.cells() == ["size", "-3.00", "**1.25**", "at most 0.00 (fast), 1.00 (strong)"]
    least = lossless_goals.Goal("speed", (5.5, None), (6.0, None), "{:g}".format, at_least=True)
    assert least.cells() == ["speed", "**5.5**", "", "at least 6 (fast)"]


def test_every_question_is_in_the_report() -> None:
    codecs = (lossless.FAST, lossless.STRONG, lossless.E3, lossless.E9, lossless.WEBP)
    results = lossless_goals.Results(
        [whole(f"{folder}/a.png", c, 1000) for folder in ("kodak", "clic") for c in codecs],
        [rows.EllipseRow("kodak/a.png", c, "", 9, 100, True) for c in codecs if c != lossless.E3],
        [
            rows.OverheadRow("kodak/a.png", c, 8000, 64000, 9, 60, 64.0, 400.0, True)
            for c in codecs[:2]
        ],
        [whole("screen/a.png", c, 1000) for c in codecs],
        [rows.ThreadsRow("clic/a.png", 2.0, c, n, 8 / n, 9) for c in codecs[:2] for n in (1, 2)],
    )
    text = lossless_report.section(results)
    assert "| bits per pixel against JXL e3, kodak | +0.0 % | +0.0 % | at most +0.0 %" in text
    assert (
        "| decode speed, times that of JXL e3 | **1.00x** | 1.00x | at least 6.0x (fast) |" in text
    )
    assert "| decoding in two threads | 2.00x | 2.00x |" in text
    for title in ("Whole images", "Ellipses", "A small ellipse", "Screen content", "Threads"):
        assert f"### {title}" in text


def test_the_large_ellipse_fits() -> None:
    focus = images.Focus(((300, 40), (0, 0)), ((1.0, 4.0), (1.0, 1.0)), ((9.0, 9.0),) * 2)
    small, large = (lossless.ellipse(focus, (600, 600, 3), area) for area in (1000, 64_000))
    assert small.sum() == pytest.approx(1000, rel=0.02)
    # 40 rows up to the border, and half as many columns.
    assert large.sum() == pytest.approx(math.pi * 40 * 20, rel=0.02)
    assert large[0, 300]
    assert not (small & ~large).any()


def test_which_images_are_for_what() -> None:
    def picture(name: str, side: int = 1500) -> images.Picture:
        return images.Picture(name, FOCUS, (side, side), lambda: np.zeros((1, 1, 3), np.uint8))

    names = ("kodak/a", "clic/4cd6910a", "gb82/b", "screen/c", "other/d")
    jobs = lossless.jobs([picture(name) for name in names], 3)
    titles = {file: [j.title for j in jobs if j.file == file] for file in lossless_goals.FILES}
    assert titles[lossless.WHOLE_CSV] == ["kodak/a", "clic/4cd6910a", "gb82/b"]
    assert titles[lossless.OVERHEAD_CSV] == ["kodak/a, small ellipse"]
    assert titles[lossless.SCREEN_CSV] == ["clic/4cd6910a", "screen/c"]
    assert len(titles[lossless.THREADS_CSV]) == (lossless.cpus() > 1)
    jobs = lossless.jobs([picture("x", 200)], 3)
    assert [j.title for j in jobs] == ["x", "x, foci", "x, small ellipse"]


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


@pytest.mark.slow
def test_a_quick_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = folder / "results"
    assert command.main(["--images", str(folder), "--out", str(out), "--quick", "--runs", "1"]) == 0
    names = {path.name for path in out.iterdir()}
    assert names >= {"focus.csv", "speed.csv", "report.md", "curves.png", "speeds.png"}
    assert names >= {*lossless_goals.FILES, "lossless.png"}
    assert len(rows.read(out / "focus.csv", rows.FocusRow)) == focus_task.steps(quick=True)
    assert "4 of 4 files" in (out / "report.md").read_text()
    assert "report:" in capsys.readouterr().out


@pytest.mark.slow
def test_rows_of_peers_may_be_kept(folder: Path) -> None:
    out = folder / "results"
    arguments = ["--images", str(folder), "--out", str(out), "--part", "focus", "--quick"]
    assert command.main(arguments) == 0
    path = out / "focus.csv"
    first = rows.read(path, rows.FocusRow)
    # Each row is marked, one pair is cut off in the middle, another was not there yet.
    marked = [replace(r, ssim=0.125) for r in first if r.codec != "naive pair"]
    marked.remove(next(r for r in marked if r.codec == "smart pair"))
    for keep, kept in (("all", {"AIG", "tuned pair", "WebP pair", "PNG"}), ("peers", {"PNG"})):
        with rows.Log(path, rows.FocusRow) as log:
            for row in marked:
                if keep == "all" or row.codec in ("AIG", "PNG"):
                    log.append(row)
        assert command.main([*arguments, "--keep", keep]) == 0
        again = rows.read(path, rows.FocusRow)
        assert [replace(r, ssim=0) for r in again] == [replace(r, ssim=0) for r in first]
        assert {r.codec for r in again if r.ssim == 0.125} == kept
    run = json.loads((out / "run.json").read_text())["focus"]
    assert run["command"].endswith("--keep peers")
    assert run["kept"]["command"].endswith("--quick")
    assert "What that kept: `python -m bench" in (out / "report.md").read_text()


def test_no_kept_row_is_lost_when_a_run_stops(tmp_path: Path) -> None:
    def row(image: str, codec: str, size: int = 1) -> rows.FocusRow:
        return rows.FocusRow(image, 0.5, 0.1, codec, "q50", size, 30.0, 0.5, 30.0, True)

    path = tmp_path / "focus.csv"
    with rows.Log(path, rows.FocusRow) as log:
        for image in ("a", "b", "c"):
            for codec in ("AIG", "smart pair", "PNG"):
                log.append(row(image, codec))

    def stop_at_the_second(growing: rows.Growing) -> None:
        with growing:
            for image in ("a", "b"):
                assert {r.codec for r in growing.kept(image)} == {"smart pair", "PNG"}
                growing.append(row(image, "AIG", 2))
                growing.append(row(image, "smart pair"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop_at_the_second(rows.Growing(path, rows.FocusRow, lambda codec: codec != "AIG"))
    found = [(r.image, r.codec, r.bytes) for r in rows.read(path, rows.FocusRow)]
    # The second image was not done, the third one not begun.
    assert found == [
        ("a", "AIG", 2),
        ("a", "smart pair", 1),
        ("b", "AIG", 2),
        ("b", "smart pair", 1),
        ("b", "PNG", 1),
        ("c", "AIG", 1),
        ("c", "smart pair", 1),
        ("c", "PNG", 1),
    ]


def test_avif_is_tuned(photo: images.U8) -> None:
    codecs = [peers.avif(60), peers.avif(60, tune="psnr"), peers.avif(60, "4:4:4", "psnr")]
    assert [c.name for c in codecs] == ["AVIF s6", "AVIF s6 psnr", "AVIF s6 psnr 4:4:4"]
    coded = [c.encode(photo) for c in codecs]
    assert len(set(coded)) == 3
    tuned = pairs.TUNED.image_codec(60)
    assert (tuned.name, tuned.encode(photo)) == (codecs[2].name, coded[2])
    assert pairs.TUNED.box_codec.name == "JXL lossless e9"
    assert pairs.TUNED.masked


def test_the_documents_say_what_was_measured() -> None:
    assert readme.table(command.RESULTS) in readme.README.read_text(encoding="utf-8")
    assert readme.background_table(command.RESULTS) in readme.PAGE.read_text(encoding="utf-8")


def test_the_tables_are_written_anew(tmp_path: Path) -> None:
    paths = tmp_path / "README.md", tmp_path / "page.md"
    for path in paths:
        path.write_text(f"# AIG\n\n{readme.HEAD}\n|---|---|---|\n| old | 1 | |\n\nMore.\n")
    readme.update(command.RESULTS, *paths)
    for path, make in zip(paths, (readme.table, readme.background_table), strict=True):
        assert path.read_text() == f"# AIG\n\n{make(command.RESULTS)}\n\nMore.\n"
    for path in paths:
        kept = path.read_text()
        path.write_text("# AIG\n")
        with pytest.raises(ValueError, match="has no table"):
            readme.update(command.RESULTS, *paths)
        path.write_text(kept)


@pytest.mark.parametrize(
    ("value", "words"),
    [(3.6, "4 % more"), (-17.4, "17 % fewer"), (0.4, "as many"), (-0.4, "as many")],
)
def test_changes_in_words(value: float, words: str) -> None:
    assert readme.change(value) == words


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


@pytest.mark.slow
def test_a_lossless_part_that_is_not_is_loud(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = folder / "results"
    arguments = ["--out", str(out), "--part", "lossless", "--runs", "1"]
    assert command.main(["--images", str(folder), *arguments]) == 0
    results = lossless_goals.read(out)
    assert [r.codec for r in results.whole[:4]] == [*lossless.EFFORTS, lossless.E3, lossless.E9]
    assert all(r.encode_runs == r.decode_runs == 1 for r in results.whole)
    assert {r.pixels for r in results.ellipses} == {int(FOCUS.core((64, 96)).sum())}
    # No screen, no ellipse of 8 000 pixels and no image of 2 MP.
    assert not results.screen + results.overhead + results.threads
    assert not results.complaints()
    text = (out / "lossless-ellipses.csv").read_text()
    (out / "lossless-ellipses.csv").write_text(text.replace("True", "False", 1))
    assert command.main([*arguments, "--report"]) == 1
    assert f"NOT EXACT: tiny.png: {lossless.FAST} is not" in capsys.readouterr().err


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
