"""Detectors' results as foci, and functions as centers."""

import io
from types import SimpleNamespace

import numpy as np
import pytest
from support import pictures

import aig_codec
from aig_codec.encoder import detections

PICTURE = pictures.mixed(120, 160, 3)
BOXES = [(10, 10, 30, 50), (60, 20, 140, 100), (100, 5, 120, 15), (0, 0, 9, 9)]


@pytest.mark.parametrize("covered", [True, False])
def test_foci_of_boxes(covered: bool) -> None:
    found = detections.foci_from_boxes(BOXES, [0.9, 0.3, 0.8, 0.1], ["a", "b", "c", "d"],
                                       covered=covered)  # fmt: skip
    assert [label["name"] for label in found["labels"]] == ["a", "c", "b"]
    assert [label["score"] for label in found["labels"]] == [0.9, 0.8, 0.3]
    with aig_codec.open(aig_codec.encode(PICTURE, **found)) as file:
        for focus, k in zip(file.metadata.foci, (0, 2, 1), strict=True):
            left, top, right, bottom = BOXES[k]
            assert abs(focus.x - (left + right - 1) / 2) <= 0.5
            assert abs(focus.y - (top + bottom - 1) / 2) <= 0.5
        if covered:
            mask = file.core_mask()
            assert all(mask[t + 1 : b - 1, x + 1 : r - 1].all() for x, t, r, b in BOXES[:3])


def test_without_scores_the_largest_come_first() -> None:
    found = detections.boxes_of(BOXES)
    assert found["boxes"] == [BOXES[1], BOXES[0], BOXES[2]]
    with aig_codec.open(aig_codec.encode(PICTURE, **found)) as file:
        assert file.core_mask()[20:100, 60:140].all()


def test_coco() -> None:
    rows = [
        {"bbox": [10, 10, 20, 40], "category_id": 3, "score": 0.4},
        {"bbox": [60, 20, 80, 80], "category_id": 18, "score": 0.9},
    ]
    found = detections.from_coco(rows, {18: "dog"})
    assert found["labels"] == [
        {"score": 0.9, "class": 18, "name": "dog"},
        {"score": 0.4, "class": 3},
    ]
    assert detections.from_coco(rows, rectangles=True)["boxes"][0] == (60, 20, 140, 100)
    aig_codec.encode(PICTURE, **found)


def test_supervision() -> None:
    found = detections.from_supervision(
        SimpleNamespace(
            xyxy=np.array(BOXES[:2], np.float32),
            confidence=np.array([0.25, 0.75], np.float32),
            class_id=np.array([7, 8]),
            data={"class_name": np.array(["cup", "cat"])},
        )
    )
    assert found["labels"][0] == {"score": 0.75, "class": 8, "name": "cat"}
    aig_codec.encode(PICTURE, **found)


@pytest.mark.parametrize(
    ("returned", "centers"),
    [
        ([(40, 50), (90, 30)], [(40, 50), (90, 30)]),
        (np.array([[40, 50, 0.1], [90, 30, 0.8]]), [(90, 30), (40, 50)]),
        ([(10, 10, 31, 51)], [(20, 30)]),
        ([(10, 10, 31, 51, 0.5), (60, 20, 81, 41, 0.9)], [(70, 30), (20, 30)]),
        ({"centers": [(5, 6)], "labels": ["x"]}, [(5, 6)]),
        ({"boxes": [(10, 10, 31, 51)]}, [(20, 30)]),
        ([], [(80, 60)]),
        (None, [(80, 60)]),
        ({}, [(80, 60)]),
    ],
)
def test_functions_as_centers(returned: object, centers: list) -> None:
    seen = []

    def find(image: np.ndarray) -> object:
        seen.append(image)
        return returned

    with aig_codec.open(aig_codec.encode(PICTURE, centers=find)) as file:
        assert file.centers == centers
    np.testing.assert_array_equal(seen[0], PICTURE)


def test_through_pillow_and_with_keywords_of_ones_own() -> None:
    from PIL import Image

    import pillow_aig  # noqa: F401

    stream = io.BytesIO()
    find = [(40, 50)]
    Image.fromarray(PICTURE).save(stream, "AIG", centers=lambda _: find, radii=[(7, 9)])
    with aig_codec.open(stream.getvalue()) as file:
        assert [(f.r_core, f.r_mid) for f in file.metadata.foci] == [(7, 9)]


@pytest.mark.parametrize("returned", [[(1, 2, 3, 4, 5, 6)], [(1, 2), (1, 2, 3)], 5, [(9, 9, 3, 3)]])
def test_what_makes_no_sense_is_refused_in_words(returned: object) -> None:
    with pytest.raises(ValueError, match=r"returned|box"):
        aig_codec.encode(PICTURE, centers=lambda _: returned)


def test_what_the_function_raises_passes() -> None:
    with pytest.raises(ZeroDivisionError):
        aig_codec.encode(PICTURE, centers=lambda _: 1 / 0)


def test_faces() -> None:
    pytest.importorskip("skimage")
    from skimage import data

    face = data.astronaut()[:300, 100:350]
    with aig_codec.open(aig_codec.encode(face, centers=detections.faces)) as file:
        x, y = file.centers[0]
        assert file.info()["labels"][0]["name"] == "face"
    assert abs(x - 124) < 40
    assert abs(y - 115) < 40
    assert detections.faces(np.zeros((80, 80), np.uint8)) == {}
