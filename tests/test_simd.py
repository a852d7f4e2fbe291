"""The kernel sets: plain, vector, AVX2 and AVX-512 give the same bytes and the same pixels."""

import numpy as np
import pytest
import reference
from support import pictures
from support.agreement import SETS, by_kernel_set
from support.lossy import by_kernels, coded, picture_of, random_parts

import aig_codec
from aig_codec import _native
from aig_codec.coders import dct


def _assert_all_same(job):
    results = by_kernel_set(job)
    for name, result in results.items():
        for one, other in zip(result, results["plain"], strict=True):
            np.testing.assert_array_equal(one, other, err_msg=name)


def test_auto_is_the_best_there_is() -> None:
    available = list(by_kernel_set(lambda: None))
    _native.choose_simd("auto")
    assert _native.simd() == available[-1]


@pytest.mark.parametrize("name", ["", "sse2", "AVX2", "plain "])
def test_unknown_sets_are_refused(name: str) -> None:
    before = _native.simd()
    with pytest.raises(ValueError):
        _native.choose_simd(name)
    assert _native.simd() == before


@pytest.mark.parametrize("kind", pictures.KINDS)
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_files_and_pixels_are_the_same(kind: str, channels: int) -> None:
    picture = pictures.KINDS[kind](45, 71, channels, 3)
    options = {
        "centers": [(30, 20)],
        "radii": [(6, 14)],
        "mid": "dct",
        "boundary_tau": 1,
        "quality_level": 150,
        "subsampling": "4:2:0" if channels == 3 else "4:4:4",
    }

    def job():
        data = aig_codec.encode(picture, **options)
        with aig_codec.open(data) as file:
            shown = [file.decode(upto) for upto in reference.UPTO]
            return [np.frombuffer(data, np.uint8), *shown, file.preview()]

    _assert_all_same(job)


@pytest.mark.parametrize("simd", SETS, indirect=True)
def test_every_set_equals_the_reference(simd: str) -> None:
    for channels in (1, 3, 4):
        picture = pictures.mixed(27, 43, channels, 1)
        data = aig_codec.encode(picture, centers=[(9, 9)], radii=[(4, 9)], quality_level=90)
        decoded = aig_codec.decode(data).reshape(picture.shape)
        np.testing.assert_array_equal(decoded, reference.decode_file(data))


@pytest.mark.parametrize("seed", range(20))
def test_any_words_mean_the_same(seed: int) -> None:
    """Where sums are largest and every clip is reached, in all shapes of blocks."""
    parts = random_parts(seed)
    _assert_all_same(lambda: [by_kernels(parts)])


@pytest.mark.parametrize("kind", ["noise", "extremes", "mixed"])
@pytest.mark.parametrize("subsampling", ["4:2:0", "4:4:4", None])
@pytest.mark.parametrize(
    "width", [1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 66, 127, 130]
)
def test_segments_and_pixels_are_the_same_at_any_width(width: int, subsampling, kind: str) -> None:
    """Registers hold so many pixels, samples or coefficients; what is left goes another way."""
    colours = 3 if subsampling else 1
    pixels = pictures.KINDS[kind](37, width, colours, width)
    classes = pictures.class_map(37, width, width)
    for effort, matrix in ((2, 0), (9, 1)):
        picture = picture_of(
            width, 37, colours, subsampling=subsampling or "4:4:4", mid="dct", matrix=matrix
        )

        def job(picture=picture, effort=effort):
            parts = coded(pixels, classes, picture, effort=effort)
            own = [part or b"" for part in (parts.preview, parts.mid, parts.background)]
            return [*(np.frombuffer(part, np.uint8) for part in own), by_kernels(parts)]

        _assert_all_same(job)


def test_all_colours_of_a_fine_grid_are_the_same() -> None:
    """Through the finest quantiser, to words and back."""
    levels = np.append(np.arange(0, 256, 6), [253, 254, 255]).astype(np.uint8)
    grid = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(len(levels), -1, 3)
    grid = np.ascontiguousarray(grid)
    classes = np.zeros(grid.shape[:2], np.uint8)
    for subsampling in ("4:4:4", "4:2:0"):
        picture = picture_of(
            grid.shape[1], len(levels), 3, quality_level=255, subsampling=subsampling
        )

        def job(picture=picture):
            parts = coded(grid, classes, picture, effort=1)
            return [np.frombuffer(parts.background, np.uint8), by_kernels(parts)]

        _assert_all_same(job)


def test_costs_are_the_same() -> None:
    picture = pictures.mixed(50, 61, 3)
    steps = dct.steps(120, 0)
    _assert_all_same(lambda: [_native.block_costs(picture, steps, dct.steps(190, 0))])
