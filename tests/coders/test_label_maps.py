"""The coder of label maps, and what cores of any shape and tiles come from."""

from collections.abc import Iterator

import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from support.pictures import wobbly

from aig_codec import CorruptError, _native
from aig_codec.encoder import masks


def maps() -> Iterator[tuple[np.ndarray, int]]:
    for value in (0, 1, 3):
        yield np.full((1, 1), value, np.uint8), 3
    yield np.zeros((40, 33), np.uint8), 1
    yield np.full((17, 40), 2, np.uint8), 2
    y, x = np.indices((40, 60))
    yield ((x + y) % 2).astype(np.uint8), 1
    one = np.zeros((40, 60), np.uint8)
    one[39, 59] = 1
    yield one, 1
    boxes = np.zeros((40, 60), np.uint8)
    boxes[3:20, 5:30], boxes[10:33, 25:50], boxes[30:, 40:] = 1, 2, 3
    yield boxes, 3
    yield wobbly(40, 60, 14).astype(np.uint8), 1
    rng = np.random.default_rng(4)
    for n in (1, 2, 3):
        yield rng.integers(0, n + 1, (31, 22)).astype(np.uint8), n
        areas = rng.integers(0, n + 1, (6, 8)).repeat(7, 0).repeat(6, 1)
        yield np.ascontiguousarray(areas.astype(np.uint8)), n


@pytest.mark.parametrize(("labels", "n"), list(maps()))
def test_maps_come_back_and_the_reference_agrees(labels: np.ndarray, n: int) -> None:
    coded = _native.label_map_encode(labels, n)
    np.testing.assert_array_equal(_native.label_map_decode(coded, *labels.shape, n), labels)
    np.testing.assert_array_equal(reference.decode_labels(coded, *labels.shape, n), labels)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 3), st.integers(1, 30), st.integers(1, 30), st.integers(0, 2**32 - 1))
def test_any_map_comes_back(n: int, height: int, width: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    side = int(rng.integers(1, 9))
    areas = rng.integers(0, n + 1, (height // side + 1, width // side + 1))
    labels = areas.repeat(side, 0).repeat(side, 1)[:height, :width].astype(np.uint8)
    labels = np.ascontiguousarray(labels)
    coded = _native.label_map_encode(labels, n)
    np.testing.assert_array_equal(_native.label_map_decode(coded, height, width, n), labels)


def test_what_is_cut_damaged_or_too_long_is_refused_or_decoded_alike() -> None:
    labels = wobbly(40, 60, 14).astype(np.uint8)
    labels[5:9, 2:30] = 2
    coded = _native.label_map_encode(labels, 2)
    for end in range(len(coded)):
        with pytest.raises(CorruptError):
            _native.label_map_decode(coded[:end], 40, 60, 2)
    with pytest.raises(CorruptError):
        _native.label_map_decode(coded + b"\0", 40, 60, 2)
    for at in range(0, len(coded), 3):
        broken = bytearray(coded)
        broken[at] ^= 0x41
        try:
            expected = reference.decode_labels(bytes(broken), 40, 60, 2)
        except reference.BadFile:
            with pytest.raises(CorruptError):
                _native.label_map_decode(bytes(broken), 40, 60, 2)
        else:
            found = _native.label_map_decode(bytes(broken), 40, 60, 2)
            np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("n", [0, 4])
def test_arguments_that_do_not_fit_are_refused(n: int) -> None:
    with pytest.raises(ValueError):
        _native.label_map_encode(np.zeros((4, 4), np.uint8), n)
    with pytest.raises(ValueError):
        _native.label_map_decode(b"1234", 4, 4, n)
    with pytest.raises(ValueError):
        _native.label_map_encode(np.full((4, 4), 3, np.uint8), 2)


def test_three_boxes_take_few_bytes() -> None:
    cores = masks.from_boxes([(233, 101, 801, 317), (1201, 500, 1333, 903), (77, 950, 451, 1177)],
                             2048, 1365)  # fmt: skip
    assert len(_native.label_map_encode(cores.labels, 3)) <= 200


@pytest.mark.parametrize("petals", [3, 5, 8])
def test_contours_take_few_bits(petals: int) -> None:
    mask = wobbly(800, 1000, 260, petals)
    inner = mask[1:-1, 1:-1] & mask[:-2, 1:-1] & mask[2:, 1:-1] & mask[1:-1, :-2] & mask[1:-1, 2:]
    contour = int(mask.sum() - inner.sum())
    coded = _native.label_map_encode(mask.astype(np.uint8), 1)
    assert 8 * len(coded) <= 1.6 * contour


# What maps come from, and what becomes of them


@pytest.mark.parametrize("margins", [(0, 0, 0), (1, 5.5, 9), (7.25, 7.25, 7.25), (300, 2, 0.5)])
def test_classes_of_labels_are_those_of_distances(margins: tuple[float, ...]) -> None:
    rng = np.random.default_rng(1)
    labels = np.zeros((37, 45), np.uint8)
    for k in (1, 2, 3):
        y, x = rng.integers(3, 30, 2)
        labels[y : y + int(rng.integers(1, 7)), x : x + int(rng.integers(1, 9))] = k
    labels[36, 44] = 1
    expected = reference.classes_of_labels(labels, margins)
    found = _native.classify_labels(labels, [int(256 * m) ** 2 for m in margins])
    np.testing.assert_array_equal(found, expected)


def test_empty_cores_have_no_mid_tier() -> None:
    labels = np.zeros((9, 9), np.uint8)
    assert not _native.classify_labels(labels, [(256 * 5) ** 2]).any()


def flooded(mask: np.ndarray) -> tuple[np.ndarray, int]:
    numbers, count = np.zeros(mask.shape, np.int32), 0
    for y, x in np.argwhere(mask):
        if numbers[y, x]:
            continue
        count += 1
        todo = [(y, x)]
        while todo:
            r, c = todo.pop()
            inside = 0 <= r < mask.shape[0] and 0 <= c < mask.shape[1]
            if inside and mask[r, c] and not numbers[r, c]:
                numbers[r, c] = count
                todo += [(r + i, c + j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    return numbers, count


@pytest.mark.parametrize("density", [0.1, 0.35, 0.5, 0.9])
def test_components_are_those_of_a_flood(density: float) -> None:
    mask = (np.random.default_rng(7).random((40, 53)) < density).astype(np.uint8)
    numbers, count = _native.components(mask)
    expected, n = flooded(mask)
    assert count == n
    np.testing.assert_array_equal(numbers, expected)


def test_tiles_become_drawn_but_for_cores() -> None:
    classes = np.zeros((40, 50), np.uint8)
    classes[10:20, 10:20], classes[10:20, 20:30] = 1, 5
    tiles = np.zeros((3, 4), np.uint8)
    tiles[0, 0] = tiles[1, 1] = tiles[2, 3] = 1
    expected = tiles.repeat(16, 0).repeat(16, 1)[:40, :50] > 0
    for keep_mid in (False, True):
        found = classes.copy()
        _native.mark_drawn(tiles, keep_mid, found)
        drawn = expected & (classes != 1) & ~(keep_mid & (classes == 5))
        np.testing.assert_array_equal(found, np.where(drawn, 8, classes))


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_repetition_of_tiles(channels: int) -> None:
    rng = np.random.default_rng(2)
    pixels = rng.integers(0, 3, (40, 50, channels)).astype(np.uint8)
    classes = (rng.random((40, 50)) < 0.2).astype(np.uint8)
    found = _native.repeated_by_tile(pixels, classes)
    west = (pixels[:, 1:] == pixels[:, :-1]).all(2)
    north = np.zeros_like(west)
    north[1:] = (pixels[1:, 1:] == pixels[:-1, 1:]).all(2)
    for ty, tx in np.ndindex(found.shape):
        rows = list(range(16 * ty + 2, min(40, 16 * ty + 16), 8))
        columns = [x for x in range(16 * tx, min(50, 16 * tx + 16)) if x > 0]
        places = [(y, x) for y in rows for x in columns if not classes[y, x]]
        repeated = sum(bool(west[y, x - 1] or north[y, x - 1]) for y, x in places)
        assert found[ty, tx] == (255 * repeated // len(places) if places else 0)


def test_squared_error_leaves_cores_out() -> None:
    rng = np.random.default_rng(3)
    a, b = (rng.integers(0, 256, (30, 41, 4)).astype(np.uint8) for _ in range(2))
    classes = rng.integers(0, 9, (30, 41)).astype(np.uint8)
    outside = (classes == 0) | (classes >= 5)
    difference = a.astype(int)[outside][:, :3] - b[outside][:, :3]
    expected = int((difference**2).sum()), 3 * int(outside.sum())
    assert _native.squared_error(a, b, 3, classes) == expected


@pytest.mark.parametrize("step", [1, 3, 4, 16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_cell_means(step: int, channels: int) -> None:
    pixels = np.random.default_rng(5).integers(0, 256, (50, 67, channels)).astype(np.uint8)
    colours = 1 if channels < 3 else 3
    found = _native.cell_means(pixels, step)
    assert found.shape == (50 // step, 67 // step, colours + 1)
    skip = 4 if step >= 16 else 2 if step >= 4 else 1
    wide = pixels.astype(int)
    right = np.abs(np.diff(wide, axis=1, append=wide[:, -1:]))
    below = np.abs(np.diff(wide, axis=0, append=wide[-1:]))
    for cy, cx in np.ndindex(found.shape[:2]):
        box = np.s_[cy * step : (cy + 1) * step : skip, cx * step : (cx + 1) * step, :colours]
        expected = [*wide[box].mean((0, 1)), ((right + below)[box] / 2).mean()]
        np.testing.assert_allclose(found[cy, cx], expected, rtol=1e-5)
