"""How far apart two pictures are: the measures, and `aig compare`."""

import json
import math

import numpy as np
import pytest
from PIL import Image
from skimage.metrics import structural_similarity
from support import pictures

import aig_codec
from aig_codec import cli
from aig_codec.apps.compare import BAND, LUMA, compare, regions, seam, ssimulacra2


def photo(height: int = 200, width: int = 240) -> np.ndarray:
    return pictures.grainy(height, width, 3, 5)


def worse(original: np.ndarray, strength: float = 6, seed: int = 1) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, strength, original.shape)
    return np.clip(original + noise, 0, 255).astype(original.dtype)


def test_equal_pictures_are_perfect() -> None:
    scores = compare(photo(), photo())["all"]
    assert (scores.psnr, scores.largest, scores.pixels) == (math.inf, 0, 200 * 240)
    assert scores.ssim == pytest.approx(1)
    assert scores.ms_ssim == pytest.approx(1)
    assert scores.to_json()["psnr"] is None


def test_psnr_is_that_of_its_definition() -> None:
    a = photo()
    b = a.copy()
    b[:100] ^= 4
    scores = compare(a, b)["all"]
    assert scores.psnr == pytest.approx(10 * math.log10(255**2 / 8))
    assert scores.largest == 4


def test_ssim_is_that_of_scikit_image() -> None:
    a, b = photo(), worse(photo())
    _, expected = structural_similarity(
        *(p @ np.array(LUMA) for p in (a, b)),
        data_range=255,
        gaussian_weights=True,
        use_sample_covariance=False,
        full=True,
    )
    mask = np.zeros(a.shape[:2], bool)
    mask[40:90, 100:200] = True
    found = compare(a, b, {"part": mask})
    assert found["all"].ssim == pytest.approx(expected.mean(), abs=1e-9)
    assert found["part"].ssim == pytest.approx(expected[mask].mean(), abs=1e-9)


def test_more_noise_is_less_likeness() -> None:
    found = [compare(photo(), worse(photo(), s))["all"] for s in (2, 6, 18)]
    for name in ("psnr", "ssim", "ms_ssim"):
        values = [getattr(scores, name) for scores in found]
        assert values == sorted(values, reverse=True)
    # Fine noise matters less where one looks from farther away.
    assert found[2].ms_ssim > found[2].ssim


def test_ms_ssim_against_a_slow_one() -> None:
    """Its definition, with windows summed up by hand."""
    a, b = (p @ np.array(LUMA) for p in (photo(), worse(photo())))
    x = np.arange(-5, 6)
    window = np.exp(-(x**2) / (2 * 1.5**2))
    window = np.outer(window, window) / window.sum() ** 2

    def soft(plane: np.ndarray) -> np.ndarray:
        wide = np.pad(plane, 5, mode="symmetric")
        rows, columns = plane.shape
        return sum(
            window[j, i] * wide[j : j + rows, i : i + columns] for j in range(11) for i in range(11)
        )

    product = 1.0
    for scale, exponent in enumerate((0.0448, 0.2856, 0.3001, 0.2363, 0.1333)):
        ma, mb = soft(a), soft(b)
        cov = soft(a * b) - ma * mb
        contrast = (2 * cov + 58.5225) / (soft(a * a) - ma**2 + soft(b * b) - mb**2 + 58.5225)
        light = (2 * ma * mb + 6.5025) / (ma**2 + mb**2 + 6.5025)
        product *= (contrast * light if scale == 4 else contrast).mean() ** exponent
        a, b = (
            p[: len(p) // 2 * 2, : p.shape[1] // 2 * 2]
            .reshape(len(p) // 2, 2, p.shape[1] // 2, 2)
            .mean((1, 3))
            for p in (a, b)
        )
    assert compare(photo(), worse(photo()))["all"].ms_ssim == pytest.approx(product, abs=1e-9)


def test_small_pictures_and_regions_have_no_ms_ssim() -> None:
    scores = compare(photo(8, 9), worse(photo(8, 9)))["all"]
    assert math.isnan(scores.ssim)
    assert math.isnan(scores.ms_ssim)
    assert math.isfinite(scores.psnr)
    dot = np.zeros((200, 240), bool)
    dot[3, 3] = True
    assert math.isnan(compare(photo(), worse(photo()), {"dot": dot})["dot"].ms_ssim)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_alpha_plays_no_part(channels: int) -> None:
    a = pictures.grainy(40, 50, channels, 1)
    b = a.copy()
    if channels in (2, 4):
        b[..., -1] ^= 255
    assert compare(a.squeeze(), b.squeeze())["all"].psnr == math.inf


def test_16_bits_have_their_own_peak() -> None:
    a = photo().astype(np.uint16) * 257
    b = a ^ 256
    assert compare(a, b)["all"].psnr == pytest.approx(10 * math.log10(65535**2 / 256**2))


@pytest.mark.parametrize(
    ("b", "words"), [(photo(20, 30), "of 240 x 200 and 30 x 20"), (photo().astype("u2"), "uint16")]
)
def test_what_does_not_fit_is_refused(b: np.ndarray, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        compare(photo(), b)


def test_regions_part_the_picture() -> None:
    data = aig_codec.encode(photo(), centers=[(100, 90)], radii=[(30, 40)])
    with aig_codec.open(data) as file:
        found = regions(file.regions())
        core = file.core(0)
    assert sum(mask.astype(int) for mask in found.values()).min() == 1
    assert sum(mask.sum() for mask in found.values()) == 200 * 240
    assert found["focus"].sum() == core.mask.sum()
    y, x = np.nonzero(found["band"])
    away = np.hypot(x - 100, y - 90)
    assert away.min() >= 30
    assert away.max() <= 30 + BAND + 1
    lossless = aig_codec.encode(photo(), lossless=True)
    with aig_codec.open(lossless) as file:
        assert regions(file.regions())["focus"].all()


def test_ssimulacra2_needs_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    import aig_codec.apps.compare as module

    monkeypatch.setattr(module, "find_spec", lambda _: None)
    assert ssimulacra2(photo(), photo()) is None


# The command


@pytest.fixture
def pair(tmp_path):
    original, coded = tmp_path / "a.png", tmp_path / "a.aig"
    Image.fromarray(photo()).save(original)
    coded.write_bytes(aig_codec.encode(photo(), centers=[(100, 90)], radii=[(30, 40)]))
    return original, coded


def run(capsys, *arguments):
    code = cli.main(["compare", *map(str, arguments)])
    return code, *capsys.readouterr()


def test_the_table(pair, capsys) -> None:
    code, out, _ = run(capsys, *pair)
    assert code == 0
    rows = {line.split()[0]: line.split() for line in out.splitlines()[1:5]}
    assert list(rows) == ["all", "focus", "band", "outside"]
    assert rows["focus"][2] == "inf"
    assert rows["focus"][-1] == "0"
    assert float(rows["outside"][2]) > 25


def test_json_and_the_focus_of_another_file(pair, capsys, tmp_path) -> None:
    original, coded = pair
    other = tmp_path / "b.jpg"
    Image.fromarray(photo()).save(other, quality=40)
    code, out, _ = run(capsys, original, other, "--focus", coded, "--json")
    assert code == 0
    found = json.loads(out)
    assert {"all", "focus", "band", "outside"} <= found.keys()
    assert found["focus"]["psnr"] < 60
    code, out, _ = run(capsys, original, coded, "--json")
    assert json.loads(out)["focus"]["psnr"] is None
    code, out, _ = run(capsys, original, other, "--json")
    assert json.loads(out).keys() == {"all"}


def test_the_map(pair, capsys, tmp_path) -> None:
    target = tmp_path / "heat.png"
    assert run(capsys, *pair, "--heat", target)[0] == 0
    with Image.open(target) as image:
        drawn = np.asarray(image)
    assert drawn.shape[0] > 200
    # In the middle of the core nothing differs: black, at any scale.
    height, width = photo().shape[:2]
    scale = (drawn.shape[1]) // width
    assert drawn[90 * scale, 110 * scale].max() == 0
    assert drawn[: height * scale, : width * scale].max() > 100
    assert "exists already" in run(capsys, *pair, "--heat", target)[2]
    assert run(capsys, *pair, "--heat", target, "--force")[0] == 0


def test_what_cannot_be_compared(pair, capsys, tmp_path) -> None:
    original, coded = pair
    other = tmp_path / "small.png"
    Image.fromarray(photo(20, 30)).save(other)
    code, _, err = run(capsys, original, other)
    assert (code, "cannot be compared" in err) == (1, True)
    code, _, err = run(capsys, original, original, "--focus", original)
    assert (code, "not an AIG file" in err) == (2, True)
    code, _, err = run(capsys, other, other, "--focus", coded)
    assert (code, "foci are those" in err) == (1, True)
    assert run(capsys, original, tmp_path / "none.png")[0] == 1


def _disc() -> tuple[np.ndarray, np.ndarray]:
    y, x = np.indices((80, 90))
    rng = np.random.default_rng(0)
    original = (90 + x + rng.normal(0, 5, (80, 90))).clip(0, 255).astype(np.uint8)
    return original, np.hypot(x - 45, y - 40) < 20


def test_no_seam_where_nothing_differs() -> None:
    original, core = _disc()
    found = seam(original, original, core)
    assert found is not None
    assert found.rim == found.around == 0


@pytest.mark.parametrize("height", [3, -7])
def test_a_step_at_the_rim_is_measured_as_its_height(height: int) -> None:
    original, core = _disc()
    decoded = np.where(core, original, original.astype(int) + height).astype(np.uint8)
    found = seam(original, decoded, core)
    assert found is not None
    assert found.excess == pytest.approx(abs(height), abs=0.01)


def test_noise_everywhere_is_no_seam() -> None:
    original, core = _disc()
    noise = np.random.default_rng(1).normal(0, 4, original.shape)
    found = seam(original, (original + noise).clip(0, 255).astype(np.uint8), core)
    assert found is not None
    assert found.rim > 2
    assert abs(found.excess) < 0.5


def test_sixteen_bits_are_measured_in_the_same_levels() -> None:
    original, core = _disc()
    decoded = np.where(core, original, original + 3)
    deep = original * np.uint16(257), decoded * np.uint16(257)
    found = [seam(*pair, core) for pair in ((original, decoded), deep)]
    assert found[0] is not None
    assert found[1] is not None
    assert found[0].excess == pytest.approx(found[1].excess)


def test_no_rim_no_seam() -> None:
    original, core = _disc()
    for mask in (np.zeros_like(core), np.ones_like(core)):
        assert seam(original, original, mask) is None
