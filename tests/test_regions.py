"""What kernels know of regions of any shape, and do to their pixels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import pictures
from support.pictures import KINDS, greyed

from aig_codec import _native

check = settings(max_examples=100, deadline=None, derandomize=True)


# Repetition and grey


@given(
    size=st.tuples(st.integers(1, 40), st.integers(1, 20) | st.integers(240, 400)),
    channels=st.integers(1, 4),
    kind=st.sampled_from(sorted(KINDS)),
    near=st.booleans(),
    rows=st.tuples(st.integers(0, 40), st.integers(0, 40)).map(sorted),
    seed=st.integers(0, 999),
)
@check
def test_repetition_is_the_share_of_equals_among_the_alike(
    size, channels, kind, near, rows, seed
) -> None:
    pixels = KINDS[kind](*size, channels, seed) >> (5 if near else 0)
    classes = pictures.class_map(*size, seed)
    top, bottom = (min(row, size[0]) for row in rows)
    found = _native.repetition(pixels, classes, 1, 5, top, bottom)
    equal, alike = np.zeros(2, int), np.zeros(2, int)
    for y in range(top + 1, bottom, 16):
        row, above = pixels[y].astype(int), pixels[y - 1].astype(int)
        to_left = np.abs(row[1:] - row[:-1]).max(axis=1)
        to_above = np.abs(row - above).max(axis=1)[1:]
        to_slope = np.abs(row[1:] - row[:-1] - above[1:] + above[:-1]).max(axis=1)
        inside = (classes[y, 1:] >= 1) & (classes[y, 1:] <= 5)
        inside &= np.arange(1, size[1]) % 256 < 64
        differences = np.stack([np.minimum(to_left, to_above), to_slope])[:, inside]
        equal += (differences == 0).sum(axis=1)
        alike += (differences <= 4).sum(axis=1)
    assert found == max(e / a if a else 0 for e, a in zip(equal, alike, strict=True))


@given(
    size=st.tuples(st.integers(1, 20), st.integers(1, 20)),
    channels=st.sampled_from([3, 4]),
    dtype=st.sampled_from([np.uint8, np.uint16]),
    rows=st.tuples(st.integers(0, 20), st.integers(0, 20)).map(sorted),
    coloured=st.integers(0, 3),
    seed=st.integers(0, 999),
)
@check
def test_grey_is_known_and_made(size, channels, dtype, rows, coloured, seed) -> None:
    """Grey but for some pixels, of which one channel differs by the least there is."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, np.iinfo(dtype).max - 9, (*size, channels)).astype(dtype)
    pixels = greyed(pixels)
    for _ in range(coloured):
        pixels[rng.integers(size[0]), rng.integers(size[1]), rng.integers(3)] += 1
    classes = pictures.class_map(*size, seed)
    top, bottom = (min(row, size[0]) for row in rows)
    for first, last in ((0, 0), (1, 3), (0, 7)):
        region = (classes >= first) & (classes <= last)
        region[:top] = region[bottom:] = False
        r, g, b = np.moveaxis(pixels[..., :3], -1, 0)
        expected = not ((r != g) | (g != b))[region].any()
        assert _native.is_grey(pixels, classes, first, last, top, bottom) == expected
        made = pixels.copy()
        _native.make_grey(made, classes, first, last, top, bottom)
        np.testing.assert_array_equal(made, np.where(region[..., None], greyed(pixels), pixels))


@pytest.mark.parametrize("channels", [1, 2, 5])
def test_grey_needs_three_channels(channels: int) -> None:
    pixels, classes = pictures.noise(4, 5, channels), np.ones((4, 5), np.uint8)
    for function in (_native.is_grey, _native.make_grey):
        with pytest.raises(ValueError, match="channels"):
            function(pixels, classes, 1, 1, 0, 4)


def test_rows_must_be_in_the_picture() -> None:
    pixels, classes = pictures.noise(4, 5, 3), np.ones((4, 5), np.uint8)
    for function in (_native.is_grey, _native.make_grey, _native.repetition):
        for top, bottom in ((-1, 4), (0, 5), (3, 2)):
            with pytest.raises(ValueError, match="rows outside"):
                function(pixels, classes, 1, 1, top, bottom)
        with pytest.raises(ValueError, match="differ in height or width"):
            function(pixels, classes[:, :4].copy(), 1, 1, 0, 4)


# Parts of pictures


@pytest.mark.parametrize("kind", pictures.MASKS)
@pytest.mark.parametrize("channels", [1, 3])
def test_paste_moves_the_region_and_nothing_else(kind: str, channels: int) -> None:
    mask = pictures.MASKS[kind](6, 9)
    source, target = pictures.noise(6, 9, channels, 1), pictures.noise(11, 14, channels, 2)
    expected = target.copy()
    expected[3:9, 5:14][mask] = source[mask]
    _native.paste(source, mask.astype(np.uint8) * 4, 4, 4, 5, 3, target)
    assert np.array_equal(target, expected)
    with pytest.raises(ValueError, match="does not fit"):
        _native.paste(source, mask.astype(np.uint8), 1, 1, 6, 3, target)


@pytest.mark.parametrize("kind", pictures.MASKS)
@pytest.mark.parametrize("channels", [1, 3])
def test_gather_finds_the_region_in_runs(kind: str, channels: int) -> None:
    mask = pictures.MASKS[kind](6, 9)
    source = pictures.noise(6, 9, channels, 1).reshape(6, 9, channels)
    runs, samples = _native.gather(source, mask.astype(np.uint8) * 4, 3, 5)
    assert np.array_equal(samples, source[mask].ravel())
    seen = np.zeros_like(mask)
    for y, x, length, first in runs:
        assert first == seen.sum()
        assert length > 0
        seen[y, x : x + length] = True
        assert x + length == 9 or not mask[y, x + length]
    assert np.array_equal(seen, mask)
    with pytest.raises(ValueError, match="differ in height or width"):
        _native.gather(source, np.zeros((6, 8), np.uint8), 1, 1)


@pytest.mark.parametrize("classes", [(-1, 0), (0, 256), (3, 1)])
def test_classes_must_be_bytes_in_order(classes: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="classes outside"):
        _native.region_extent(np.ones((4, 4), np.uint8), *classes)
