"""Whatever is decoded at once, or in its place: the same pixels, and the same is left out."""

from functools import cache

import numpy as np
import pytest
from support import pictures
from support.files import payloads, reseal
from support.tiers import mostly_slow

import aig_codec
from aig_codec import errors
from aig_codec.coders import dct
from aig_codec.decoder import memory

HEIGHT, WIDTH = 820, 300

KINDS = {
    "overlapping": {
        "centers": [(150, 400), (160, 300), (90, 500)],
        "radii": [(250, 300), (180, 250), (90, 200)],
        "boundary_tau": 2,
    },
    "boxes": {"boxes": [(0, 0, 300, 300), (20, 310, 280, 820), (0, 400, 15, 410)]},
    "palette": {"centers": [(40, 40)], "radii": [(30, 300)], "mid": "palette", "boundary_tau": 2},
    "photograph": {"centers": [(40, 40)], "radii": [(20, 60)], "subsampling": "4:4:4"},
}


@cache
def _file(kind: str, channels: int) -> bytes:
    picture = pictures.mixed(HEIGHT, WIDTH, channels, 5)
    return aig_codec.encode(picture, effort=1, quality=60, **KINDS[kind])


@pytest.fixture
def frugal(monkeypatch: pytest.MonkeyPatch):
    """As if the picture were so large that nothing may take memory beside it."""

    def start() -> None:
        monkeypatch.setattr(memory, "SMALL_CORES", 0)
        monkeypatch.setattr(memory, "BESIDE", 10**9)
        monkeypatch.setattr(memory, "BOXES", 500)
        monkeypatch.setattr("aig_codec.decoder.canvas.BOXES", 500)
        monkeypatch.setattr("aig_codec.coders.dct.synthesis._AT_ONCE", 1)
        monkeypatch.setattr("aig_codec.coders.dct.synthesis._EACH", 1)
        assert dct.rows_at_once(WIDTH, HEIGHT, 4) == 1
        assert memory.most_beside(HEIGHT * WIDTH) == 0

    return start


WHOLE = ({}, {"scale": 2, "threads": 3})
MORE = (
    {"scale": 8},
    {"upto": "core"},
    {"upto": "mid", "threads": 3},
    {"region": (37, 250, 199, 517)},
    {"region": (3, 600, 290, 790), "scale": 2},
)


def _answers(data: bytes, hows=(*WHOLE, *MORE), strict=True) -> list[tuple[object, list[str]]]:
    found = []
    for how in hows:
        with aig_codec.open(data) as file:
            try:
                found.append((file.decode(strict=strict, **how), list(map(str, file.problems))))
            except errors.AigError as error:
                found.append((None, [str(error)]))
    return found


def _same(some: list[tuple[object, list[str]]], others: list[tuple[object, list[str]]]) -> None:
    for (pixels, problems), (other, also) in zip(some, others, strict=True):
        assert problems == also
        np.testing.assert_array_equal(pixels, other)


@pytest.mark.parametrize("kind", mostly_slow(KINDS, "photograph", "palette"))
@pytest.mark.parametrize("channels", mostly_slow([1, 2, 3, 4], 3))
def test_large_pictures_are_decoded_like_small_ones(kind: str, channels: int, frugal) -> None:
    data = _file(kind, channels)
    expected = _answers(data)
    stages = list(aig_codec.progressive(data))
    frugal()
    _same(_answers(data), expected)
    for (name, pixels), (other, shown) in zip(stages, aig_codec.progressive(data), strict=True):
        assert name == other
        np.testing.assert_array_equal(pixels, shown)


@pytest.mark.parametrize(
    ("kind", "channels"),
    [
        ("palette", 1),
        *(
            pytest.param(*case, marks=pytest.mark.slow)
            for case in (("overlapping", 3), ("boxes", 3), ("boxes", 4), ("palette", 4))
        ),
    ],
)
def test_damage_leaves_out_what_it_does_in_small_ones(kind: str, channels: int, frugal) -> None:
    data = _file(kind, channels)
    parts = payloads(data)
    damaged = []
    for name, payload in parts.items():
        if name[0] in ("map", "tiles", "decisions", "preview") or len(payload) < 40:
            continue
        broken = bytearray(payload)
        # Behind the heads and tables, where most of it has been decoded.
        broken[-len(payload) // 8] ^= 0x55
        damaged.append(reseal(data, {name: bytes(broken)}))
    assert len(damaged) >= 2
    two = [*[name for name in parts if name[0] == "core"][:1], ("background", None)]
    if all(name in parts for name in two):
        broken_two = {}
        for name in two:
            broken = bytearray(parts[name])
            broken[len(broken) // 2] ^= 0xFF
            broken_two[name] = bytes(broken)
        damaged.append(reseal(data, broken_two))
    # Of a core, only what a region needs is looked at: so whole ones.
    before = [_answers(d, WHOLE, strict=False) for d in damaged]
    assert any(problems for answers in before for _, problems in answers)
    frugal()
    for one, expected in zip(damaged, before, strict=True):
        _same(_answers(one, WHOLE, strict=False), expected)


def test_what_is_damaged_does_not_keep_the_picture(frugal) -> None:
    """Errors that are told hold no pixels."""
    data = _file("overlapping", 3)
    broken = bytearray(payloads(data)["core", 0])
    broken[len(broken) // 2] ^= 0xFF
    frugal()
    with aig_codec.open(reseal(data, {("core", 0): bytes(broken)})) as file:
        file.decode(strict=False)
        assert file.problems
        assert all(problem.__traceback__ is None for problem in file.problems)
