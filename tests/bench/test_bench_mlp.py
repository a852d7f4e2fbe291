"""Neural DPCM trained offline: its ideal code length, and the command on tiny pictures."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support import ROOT

if not (ROOT / "bench").is_dir():
    pytest.skip("the bench is part of the repository only", allow_module_level=True)

for package in ("scipy", "sklearn", "rich"):
    pytest.importorskip(package, reason=f"the command needs {package}", exc_type=ImportError)

from bench import mlp  # noqa: E402
from bench.training import perceptron, residuals  # noqa: E402


def _photo(seed: int, height: int = 40, width: int = 48) -> np.ndarray:
    """Smooth colours with some grain."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    waves = np.stack([np.sin(x / 9 + seed), np.cos(y / 7), np.sin((x + y) / 11)], -1)
    noise = rng.normal(0, 4, (height, width, 1)) + rng.normal(0, 1, waves.shape)
    return np.clip(128 + 90 * waves + noise, 0, 255).astype(np.uint8)


def _predictions(pixels: np.ndarray) -> list[np.ndarray]:
    """By some linear predictor of every plane."""
    shape = pixels.shape[:2]
    found = []
    for seen in perceptron.features(pixels):
        weights = np.linspace(0.4, -0.1, seen.terms.shape[1], dtype=np.float32)
        found.append((seen.base + seen.scale * (seen.terms @ weights)).reshape(shape))
    return found


def test_bits_are_those_of_a_coder_that_counts() -> None:
    rng = np.random.default_rng(3)
    first = rng.random((1, residuals.CONTEXTS, residuals.SYMBOLS)) + 0.1
    contexts = rng.integers(0, 3, 400)
    symbols = rng.integers(0, 9, 400) ** 2
    counted = np.zeros(first.shape, np.int64)
    np.add.at(counted, (0, contexts, symbols), 1)
    frequencies, total = first.copy(), 0.0
    for context, symbol in zip(contexts, symbols, strict=True):
        of_context = frequencies[0, context]
        total -= np.log2(of_context[symbol] / of_context.sum())
        of_context[symbol] += 1
    assert residuals.bits(first, counted) == pytest.approx(total, rel=1e-9)


def _rows_of(pixels: np.ndarray, plane: int) -> np.ndarray:
    """Contexts and symbols of a plane, as a coder meets them."""
    met: list[np.ndarray] = []
    planes = perceptron.planes(pixels)
    original = residuals._symbols

    def note(*arguments: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        contexts, symbols = original(*arguments)
        met.append(contexts * residuals.SYMBOLS + symbols)
        return contexts, symbols

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(residuals, "_symbols", note)
        residuals.counts(planes, _predictions(pixels))
    return met[plane]


@pytest.mark.parametrize("plane", [0, 1, 2])
def test_a_sample_is_coded_without_what_follows(plane: int) -> None:
    """Later pixels, and later planes of the same pixel, change nothing."""
    pixels = _photo(1)
    y, x = 21, 17
    other = pixels.copy()
    flat = other.reshape(-1, 3)
    at = y * pixels.shape[1] + x
    flat[at + 1 :] = 255 - flat[at + 1 :]
    for later in (1, 0, 2)[plane + 1 :]:
        flat[at, later] ^= 0x55
    a, b = (_rows_of(p, plane).ravel() for p in (pixels, other))
    assert np.array_equal(a[: at + 1], b[: at + 1])
    assert not np.array_equal(a, b)


def test_symbols_tell_the_samples() -> None:
    """From the prediction, the bias and the symbol follows the sample: nothing was lost."""
    pixels = _photo(2)
    samples = perceptron.planes(pixels)[0]
    prediction = np.clip(_predictions(pixels)[0], 0, 255)
    energy = np.zeros(samples.shape, np.int64)
    cells, errors = [], []
    original = residuals._bias

    def note(c: np.ndarray, e: np.ndarray) -> np.ndarray:
        cells.append(c)
        errors.append(e)
        return original(c, e)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(residuals, "_bias", note)
        _, symbols = residuals._symbols(samples, prediction, energy)
    sums: dict[int, tuple[float, int]] = {}
    for at in np.ndindex(samples.shape):
        cell = int(cells[0][at])
        total, seen = sums.get(cell, (0.0, 0))
        final = min(max(float(prediction[at]) + total / (seen + 12), 0), 255)
        guess = round(final)
        sign = -1 if final < guess else 1
        sample = (guess + sign * int(symbols[at])) % 256
        assert sample == samples[at], at
        sums[cell] = total + sample - float(prediction[at]), seen + 1


def test_the_command_on_tiny_pictures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder, seeds in {"train": (1, 2, 3), "kodak": (4, 5), "gb82": (6,)}.items():
        (tmp_path / folder).mkdir()
        for seed in seeds:
            Image.fromarray(_photo(seed, 80, 96)).save(tmp_path / folder / f"{seed}.png")
    out = tmp_path / "results"
    images = ["--images", str(tmp_path), "--out", str(out)]
    little = ["--pixels", "3000", "--epochs", "3", "--side", "64"]
    assert mlp.main([str(tmp_path / "train"), *images, *little]) == 0
    text = (out / mlp.REPORT).read_text()
    assert str(tmp_path) not in text
    lines = [line.split("|")[1:-1] for line in text.splitlines() if line.startswith("|")]
    cells = {line[0].strip(): [cell.strip() for cell in line[1:]] for line in lines}
    assert "kodak (2)" in text
    assert "gb82 (1)" in text
    names = (*mlp._IDEAL, *mlp.PHOTO.values(), mlp.MIXED)
    bpp = {name: float(cells[name][3]) for name in names}
    # Grain of a deviation of 1 in each plane and 4 in all takes some 10 bits; noise would take 24.
    assert all(7 < value < 15 for value in bpp.values()), bpp
    for name in names:
        of_folders = [float(cell) for cell in cells[name][1:3]]
        assert bpp[name] == pytest.approx((2 * of_folders[0] + of_folders[1]) / 3, abs=2e-3)
    change = float(cells[mlp.MIXED][4].rstrip(" %"))
    expected = 100 * (bpp[mlp.PERCEPTRON] / bpp[mlp.MIXED] - 1)
    assert change == pytest.approx(expected, abs=0.1)
    assert mlp.PERCEPTRON in capsys.readouterr().out


@pytest.mark.parametrize("missing", ["train", "kodak"])
def test_missing_images_are_named(
    missing: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if missing == "kodak":
        (tmp_path / "train").mkdir()
        Image.fromarray(_photo(1)).save(tmp_path / "train" / "1.png")
    assert mlp.main([str(tmp_path / "train"), "--images", str(tmp_path)]) == 2
    assert missing in capsys.readouterr().err
