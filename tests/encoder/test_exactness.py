"""Exact where that costs no more bytes."""

import numpy as np
import pytest
from support.pictures import letters, photograph

import aig_codec


def shapes(height: int = 64, width: int = 127) -> np.ndarray:
    """A few discs and lines: small, flat, and larger with loss than without."""
    y, x = np.indices((height, width))
    picture = np.full((height, width, 3), 255, np.uint8)
    for k in range(8):
        cx, cy = 15 * k + 5, 7 * k % 50 + 8
        picture[(x - cx) ** 2 + (y - cy) ** 2 < 80] = (29 * k, 255 - 31 * k, 97 * k % 256)
    picture[(x + 2 * y) % 16 == 0] = (40, 0, 120)
    return picture


def test_a_flat_picture_is_exact_and_says_so() -> None:
    picture = shapes()
    data = aig_codec.encode(picture)
    exact = aig_codec.encode(picture, lossless=True)
    assert (aig_codec.decode(data) == picture).all()
    assert len(data) <= len(exact) + 10
    assert len(aig_codec.encode(picture, lossless=False)) > len(exact)
    (loss,) = (d for d in aig_codec.explain(picture) if d.what == "loss")
    assert loss.chosen == "none"
    assert {c.name for c in loss.candidates} == {"none", "some"}


def test_foci_that_were_asked_for_still_come_first() -> None:
    picture = shapes(200, 320)
    focus = {"centers": [(160, 100)], "radii": [(30, 50)], "labels": ["word"]}
    data = aig_codec.encode(picture, **focus)
    assert (aig_codec.decode(data) == picture).all()
    with aig_codec.open(data) as file:
        assert file.segments[0].kind == "core"
        assert file.metadata.shape == "ellipses"
        core = file.core(0)
        assert core.pixels.shape[:2] == (61, 61)
        assert file.info()["labels"] == [{"name": "word"}]
        # The preview is there, and nearly the means of the picture.
        means = aig_codec.decode(data, scale=8)
        error = means.astype(int) - file.preview()
        assert np.abs(error).mean() < 12
    assert len(data) <= len(aig_codec.encode(picture, lossless=False, **focus))


@pytest.mark.parametrize("places", ["mask", "boxes"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_cores_of_any_shape(places: str, channels: int) -> None:
    picture = np.ascontiguousarray(np.dstack([shapes(), shapes()[..., :1]])[..., -channels:])
    mask = np.zeros(picture.shape[:2], bool)
    mask[20:40, 30:60] = mask[30, :] = True
    options = {"mask": {"mask": mask}, "boxes": {"boxes": [(3, 4, 40, 20), (50, 5, 70, 60)]}}
    data = aig_codec.encode(picture, **options[places])
    assert (aig_codec.decode(data).reshape(picture.shape) == picture).all()
    with aig_codec.open(data) as file:
        assert file.metadata.shape in ("map", "ellipses")


def test_photographs_and_tiers_that_were_asked_for_keep_their_loss() -> None:
    picture = photograph()
    assert not (aig_codec.decode(aig_codec.encode(picture)) == picture).all()
    flat = shapes()
    for options in ({"mid": "dct"}, {"entropy": "rans"}, {"boundary_tau": 3}, {"lossless": False}):
        with aig_codec.open(aig_codec.encode(flat, **options)) as file:
            assert file.metadata.shape == "ellipses", options


def test_a_large_flat_picture_is_exact() -> None:
    picture = np.full((600, 700, 3), 80, np.uint8)
    picture[250:300, 300:420] = 90
    data = aig_codec.encode(picture)
    assert (aig_codec.decode(data) == picture).all()
    assert len(data) <= 1.02 * len(aig_codec.encode(picture, lossless=True))


def test_a_large_picture_is_tried_by_a_sample() -> None:
    """Large ones are not coded without loss to no purpose, nor kept with loss against it."""
    from aig_codec.encoder import exactness

    drawn, taken = letters(512, 640), photograph(480, 640)
    everywhere = np.ones((512, 640), np.uint8)
    assert exactness.may_pay(drawn, everywhere, 4797)
    assert not exactness.may_pay(taken, everywhere[:480], 30_000)
    assert exactness.may_pay(taken, np.zeros((480, 640), np.uint8), 0)
    assert (aig_codec.decode(aig_codec.encode(drawn)) == drawn).all()
