"""The kernel sets: plain, vector, AVX2 and AVX-512 give the same bytes and the same pixels."""

import numpy as np
import pictures
import pytest
import reference

import aig_codec
from aig_codec import _native
from aig_codec.coders import dct

SETS = ("plain", "vector", "avx2", "avx512")


@pytest.fixture(autouse=True)
def _automatic_afterwards():
    yield
    _native.choose_simd("auto")


def _choose(name):
    try:
        _native.choose_simd(name)
    except ValueError:
        # Only these may be missing, on other processors.
        assert name in ("avx2", "avx512")
        pytest.skip(f"this processor has no {name}")
    assert _native.simd() == name


def _by_set(job):
    """What a job gives with every kernel set that there is."""
    results = {}
    for name in SETS:
        try:
            _native.choose_simd(name)
        except ValueError:
            assert name in ("avx2", "avx512")
            continue
        assert _native.simd() == name
        results[name] = job()
    assert len(results) >= 2
    return results


def _assert_all_same(job):
    results = _by_set(job)
    for name, result in results.items():
        for one, other in zip(result, results["plain"], strict=True):
            np.testing.assert_array_equal(one, other, err_msg=name)


def test_auto_is_the_best_there_is() -> None:
    available = list(_by_set(lambda: None))
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


@pytest.mark.parametrize("name", SETS)
def test_every_set_equals_the_reference(name: str) -> None:
    _choose(name)
    for channels in (1, 3, 4):
        picture = pictures.mixed(27, 43, channels, 1)
        data = aig_codec.encode(picture, centers=[(9, 9)], radii=[(4, 9)], quality_level=90)
        decoded = aig_codec.decode(data).reshape(picture.shape)
        np.testing.assert_array_equal(decoded, reference.decode_file(data))


@pytest.mark.parametrize("seed", range(6))
def test_transforms_are_the_same(seed: int) -> None:
    kinds = sorted(pictures.KINDS)
    plane = pictures.KINDS[kinds[seed]](72, 88, 1, seed)[..., 0]
    blocks = np.random.default_rng(seed).integers(0, 3, (9, 11)).astype(np.uint8)
    for quality in (0, 100, 200, 255):
        steps, finer = dct.steps(quality, seed % 2), dct.steps(min(quality + 60, 255), seed % 2)

        def job(steps=steps, finer=finer):
            levels = _native.forward_plane(plane, blocks, steps, finer, 0.38)
            return levels, _native.inverse_plane(levels, blocks, steps, finer, 3)

        _assert_all_same(job)


@pytest.mark.parametrize("size", [1, 10, 1000, 32767])
def test_inverse_transform_is_the_same_for_any_levels(size: int) -> None:
    """Where sums are largest and every clip is reached; int16 has one value more below zero."""
    rng = np.random.default_rng(size)
    levels = rng.integers(-size - 1, size + 1, (20, 30, 64)).astype(np.int16)
    levels[:3] = rng.choice([-size - 1, size], (3, 30, 64))
    levels[3:6] = -size - 1
    blocks = rng.integers(0, 2, (20, 30)).astype(np.uint8)
    for quality in (0, 255):
        steps = dct.steps(quality, 1)
        _assert_all_same(
            lambda steps=steps: [_native.inverse_plane(levels, blocks, steps, steps, 3)]
        )


@pytest.mark.parametrize("width", [1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 66, 127, 130])
@pytest.mark.parametrize("subsampled", [False, True])
def test_colours_are_the_same_at_any_width(width: int, subsampled: bool) -> None:
    for kind in ("noise", "extremes"):
        picture = pictures.KINDS[kind](5, width, 3, width)

        def job(picture=picture):
            planes = _native.to_planes(picture, subsampled)
            back = np.zeros_like(picture)
            _native.from_planes(planes, subsampled, back)
            with_alpha = np.full((5, width, 4), 3, np.uint8)
            _native.from_planes(planes, subsampled, with_alpha)
            np.testing.assert_array_equal(with_alpha[..., :3], back)
            return [*planes, back]

        _assert_all_same(job)


def test_all_colours_of_a_fine_grid_are_the_same() -> None:
    levels = np.append(np.arange(0, 256, 6), [253, 254, 255]).astype(np.uint8)
    grid = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(len(levels), -1, 3)
    grid = np.ascontiguousarray(grid)

    def job():
        planes = _native.to_planes(grid, False)
        back = np.zeros_like(grid)
        _native.from_planes(planes, False, back)
        return [*planes, back]

    _assert_all_same(job)


def test_costs_are_the_same() -> None:
    picture = pictures.mixed(50, 61, 3)
    steps = dct.steps(120, 0)
    _assert_all_same(lambda: [_native.block_costs(picture, steps, dct.steps(190, 0))])
