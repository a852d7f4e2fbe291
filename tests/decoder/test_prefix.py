"""The first n bytes of a file are a picture, the better the more there are."""

from functools import cache

import numpy as np
import pytest
import vectors
from support.tiers import mostly_slow

import aig_codec
from aig_codec.container.kinds import ADDED_AT

#: Files small enough to be cut everywhere.
SMALL = (
    *("v4-rgb", "v4-rgba-alpha", "v4-grey", "v4-palette", "v4-rans", "v4-boundary", "v4-three"),
    *("v5-map", "v5-boxes", "v5-drawn", "v5-drawn-alpha", "v5-drawn-grey", "v5-palette"),
)

#: By so many bytes the mean squared error of a file's pixels is at most so much.
CHECKPOINTS = {
    "v4-groups": [(2545, 1915.3), (4181, 306.2), (4643, 299.5), (10109, 133.8)],
    "v4-groups-rans": [(2552, 1915.3), (4281, 306.2), (4848, 299.5), (10436, 133.8)],
    "v4-groups-visual": [(2550, 1915.3), (4524, 305.3), (4727, 299.9), (7784, 149.5)],
    "v4-three": [(1548, 3585.0), (1679, 460.2), (1801, 258.9), (1884, 92.4)],
    "v4-rgba-alpha": [(1745, 9951.6), (1982, 7401.9), (3877, 549.7), (4371, 185.1)],
}


@cache
def _file(name: str) -> bytes:
    return (vectors.FOLDER / f"{name}.aig").read_bytes()


@cache
def _original(name: str) -> np.ndarray:
    picture, height, width, channels, _ = vectors.CASES[name]
    pixels = picture(height, width, channels)
    return (pixels[..., 0] if channels == 1 else pixels).astype(float)


def _ends(file: aig_codec.AigFile) -> dict[str, int]:
    """Where the bytes of each stage end."""
    ends, end = {}, file.data_start
    for stage, kinds in ADDED_AT.items():
        for s in file.segments:
            if s.kind in kinds:
                end = max(end, file.data_start + s.end)
        ends[stage] = end
    return ends


def _prefix(name: str, n: int) -> tuple[np.ndarray, bool]:
    with aig_codec.open(_file(name)[:n]) as file:
        return file.decode(strict=False), bool(file.problems)


def _error(name: str, image: np.ndarray) -> float:
    return float(((image - _original(name)) ** 2).mean())


def _check(name: str, cuts: range) -> None:
    data = _file(name)
    with aig_codec.open(data) as file:
        start, ends = file.data_start, _ends(file)
        segments = [s for s in file.segments if s.kind == "core"]
        cores = [(start + s.end, file.core(k)) for k, s in enumerate(segments)]
    stages = {ends[stage]: aig_codec.decode(data, upto=stage) for stage in ADDED_AT}
    before = np.inf
    for n in sorted({*cuts, *ends.values()}):
        if n < start:
            with pytest.raises((aig_codec.TruncatedError, aig_codec.NotAigError)):
                aig_codec.open(data[:n])
            continue
        image, incomplete = _prefix(name, n)
        assert incomplete == (n < ends["full"])
        for end, core in cores:
            h, w = core.mask.shape
            part = image[core.top : core.top + h, core.left : core.left + w]
            assert n < end or np.array_equal(part[core.mask], core.pixels[core.mask])
        if n < cores[0][0]:
            assert (image == (255 if image.shape[-1] in (2, 4) else 128)).any()
            assert np.all(image[..., 0] == 128)
        if n in stages:
            np.testing.assert_array_equal(image, stages[n])
        if n >= ends["preview"]:
            error = _error(name, image)
            assert error <= before
            before = error


@pytest.mark.parametrize("name", mostly_slow(SMALL, "v4-grey", "v4-three"))
def test_every_prefix_shows_what_has_arrived(name: str) -> None:
    _check(name, range(len(_file(name)) + 1))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["v4-groups", "v4-groups-rans", "v4-groups-fitted"])
def test_prefixes_of_files_of_many_groups(name: str) -> None:
    _check(name, range(0, len(_file(name)) + 1, 61))


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_errors_at_checkpoints(name: str) -> None:
    for n, most in CHECKPOINTS[name]:
        assert _error(name, _prefix(name, n)[0]) <= most
