"""How much memory decoding takes: what is charged, what is taken, and that it is bounded."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from support import pictures

import aig_codec
from aig_codec import LimitError, limits
from aig_codec.container import Metadata, read_prologue
from aig_codec.decoder import memory
from aig_codec.geometry import Window

#: What is not in proportion to the pixels, for one thread.
CONSTANT = 2**26

KINDS = {
    "one core": {"centers": [(9, 9)], "radii": [(4, 5)]},
    "three whole cores": {
        "centers": [(20, 20), (24, 20), (22, 23)],
        "radii": [(60000, 60000)] * 3,
    },
    "three boxes": {"boxes": [(0, 0, 64, 20), (0, 20, 64, 40), (0, 40, 64, 48)]},
    "lossless": {"lossless": True},
    "mixed": {"lossless": True, "effort": 8},
    "palette": {"centers": [(30, 20)], "radii": [(4, 60000)], "mid": "palette"},
}


@pytest.fixture
def allowed(monkeypatch: pytest.MonkeyPatch):
    def allow(count: int | None) -> None:
        monkeypatch.setattr(limits, "max_memory", count)

    return allow


@cache
def _metadata(channels: int, kind: str) -> Metadata:
    """That of a small picture; `_claiming` lets it claim to be large."""
    pixels = pictures.mixed(48, 64, channels, 1)
    return read_prologue(aig_codec.encode(pixels, **{"effort": 1, **KINDS[kind]})).metadata


def _claiming(metadata: Metadata, side: int) -> Metadata:
    """What a stranger could say in as few bytes: the same, of a picture of side x side pixels."""
    return replace(metadata, width=side, height=side)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("scale", [1, 2, 4, 8])
def test_claims_cost_at_most_two_and_a_half_times_their_pixels(
    channels: int, kind: str, scale: int
) -> None:
    metadata = _claiming(_metadata(channels, kind), 16384)
    kinds = {s.kind for s in metadata.segments}
    needed = memory.of_picture(metadata, kinds, 1, scale=scale)
    assert needed <= 2.5 * 2**28 * channels + CONSTANT
    if metadata.subsampling == "4:2:0":
        full = replace(metadata, subsampling="4:4:4")
        needed = memory.of_picture(full, kinds, 1, scale=scale)
        assert needed <= 2.5 * 2**28 * channels + 2 * CONSTANT


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_what_lies_beside_lossless_bands_is_charged(channels: int, dtype: type) -> None:
    pixels = pictures.mixed(48, 64, channels, 1).astype(dtype)
    data = aig_codec.encode(pixels, lossless=True)
    metadata = _claiming(read_prologue(data).metadata, 16384)
    needed = []
    for version in (3, 4):
        segments = tuple(s._replace(version=version) for s in metadata.segments)
        needed.append(memory.of_picture(replace(metadata, segments=segments), {"core"}, 1))
    plain, mapped = needed
    beside = (channels > 1) if dtype is np.uint8 else channels + (channels % 2 == 0)
    # What mixed coding works with, where that is more than screen content has.
    mixed = memory._MIXED + memory._MIXED_MEMORY + memory._MIXED_COLUMN * channels * 16384
    drawn = memory._GRAPHIC if dtype is np.uint8 else 0
    assert mapped - plain == beside * 2**28 + max(drawn, mixed) - drawn
    assert mapped <= 2.5 * 2**28 * channels * pixels.itemsize + CONSTANT


@pytest.mark.parametrize("kind", KINDS)
def test_regions_and_previews_are_charged_less(kind: str) -> None:
    metadata = _claiming(_metadata(3, kind), 16384)
    kinds = {s.kind for s in metadata.segments}
    whole = memory.of_picture(metadata, kinds, 1)
    region = memory.of_picture(metadata, kinds, 1, window=Window(0, 0, 100, 100))
    assert region < 0.75 * whole
    assert memory.of_preview(metadata, 100) < 0.75 * whole
    assert memory.of_map(metadata) <= 2 * 2**28 + CONSTANT


#: Answers in a process of its own, since a peak is all that a process knows: one that decoded or
#: encoded before has memory left over, and what is taken from that is not seen. Huge pages are
#: off, since with them a page that is touched counts as 512.
MEASURE = """
import ctypes, json, sys
ctypes.CDLL(None).prctl(41, 1, 0, 0, 0)  # PR_SET_THP_DISABLE
import aig_codec, aig_codec.coders, aig_codec.decoder.file
from aig_codec import limits
limits.max_memory = 10**15
file = aig_codec.open(sys.argv[1])
charged = []
limits.charge = lambda needed, what: charged.append(needed)
def peak():
    with open("/proc/self/status") as status:
        return next(1024 * int(line.split()[1]) for line in status if line.startswith("VmHWM"))
before = peak()
eval(sys.argv[2])
print(json.dumps([peak() - before, max(charged)]))
"""

#: Nothing that is given back is kept for later.
EAGER = {"MALLOC_TRIM_THRESHOLD_": "0", "MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_ARENA_MAX": "1"}

DECODE, HALF = "file.decode(threads=1)", "file.decode(scale=2, threads=1)"


def _picture(side: int, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Noise; noise in the colours of a scale, which are coded as indices or as ranks; one grey."""
    if not name:
        return np.full(shape, 128, np.uint8)
    if "noise" in name:
        dtype = np.uint16 if "16" in name else np.uint8
        normal = np.random.default_rng(2).normal(0.5, 0.05, shape) * np.iinfo(dtype).max
        return normal.clip(0, np.iinfo(dtype).max).astype(dtype)
    k = np.arange(256)
    colours = np.stack([k, np.minimum(2 * k, 255), 255 - k], 1)
    noise = np.random.default_rng(1).integers(0, 256, (side, side), np.uint8)
    pixels = colours.astype(np.uint8)[noise]
    return pixels.astype(np.uint16) * 257 if "16" in name else pixels


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks Linux for peaks")
@pytest.mark.timeout(600)
def test_what_is_taken_is_no_more_than_charged(tmp_path: Path) -> None:
    side, mixed = 3072, {"lossless": True, "effort": 8, "side": 384}
    third = side // 3
    boxes = [(0, k * third, side, (k + 1) * third) for k in range(3)]
    middle = (side // 2, side // 2)
    three = [middle, (side // 2 + 70, side // 2), (side // 2, side // 2 + 70)]
    whole = {"centers": three, "radii": [(60000, 60000)] * 3}
    answers = [
        (1, whole, [DECODE, HALF, "file.core(0)", "file.core_mask()", "file.preview()"]),
        (4, whole, [DECODE, HALF, "file.cores()"]),
        (4, {"boxes": boxes}, [DECODE, HALF, "file.core(1)", "file.core_mask()"]),
        (3, {"centers": [(9, 9)], "radii": [(4, 5)], "subsampling": "4:4:4"}, [DECODE, HALF]),
        (3, {"centers": [middle], "radii": [(4, 60000)], "mid": "palette"}, [DECODE]),
        (2, {"lossless": True}, [DECODE, HALF]),
        (3, {"lossless": True, "picture": "scale"}, [DECODE]),
        (3, {"lossless": True, "picture": "scale of 16 bits"}, [DECODE, HALF]),
        (4, {"centers": [(9, 9)], "radii": [(4, 5)]}, ["file.decode(region=(5, 5, 99, 99))"]),
        (1, {**mixed, "picture": "noise"}, [DECODE]),
        (4, {**mixed, "picture": "noise"}, [DECODE, HALF]),
        (4, {**mixed, "picture": "noise of 16 bits"}, [DECODE]),
    ]
    alone = {**os.environ, **EAGER, "AIG_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    for k, (channels, keywords, names) in enumerate(answers):
        own = keywords.pop("side", side)
        shape = (own, own, channels) if channels > 1 else (own, own)
        path = tmp_path / f"{k}.aig"
        pixels = _picture(own, keywords.pop("picture", ""), shape)
        path.write_bytes(aig_codec.encode(pixels, **{"effort": 1, **keywords}))
        if keywords.get("effort") == 8:
            assert {s.version for s in read_prologue(path.read_bytes()).metadata.segments} == {4}
        for name in names:
            done = subprocess.run(
                [sys.executable, "-W", "ignore", "-c", MEASURE, str(path), name],
                capture_output=True,
                text=True,
                env=alone,
            )
            assert done.returncode == 0, done.stderr
            taken, charged = json.loads(done.stdout)
            assert taken <= charged, (channels, name)
            if name in (DECODE, HALF):
                assert taken <= 2.5 * pixels.nbytes + CONSTANT / 2, (channels, name)


def test_a_limit_is_charged_before_anything_is_decoded(allowed) -> None:
    pixels = pictures.mixed(300, 400, 3, 2)
    data = aig_codec.encode(pixels, centers=[(100, 90)], radii=[(30, 50)])
    boxes = aig_codec.encode(pixels, boxes=[(10, 10, 80, 90)])
    exact = aig_codec.encode(pixels, lossless=True)
    whole = aig_codec.decode(data)
    answers = [
        lambda f: f.decode(),
        lambda f: f.decode(scale=2),
        lambda f: f.decode(scale=8),
        lambda f: f.decode("core"),
        lambda f: f.decode(region=(5, 5, 50, 50)),
        lambda f: f.decode(strict=False),
        lambda f: f.preview(),
        lambda f: f.core(0),
        lambda f: f.cores(),
        lambda f: f.core_mask(),
        lambda f: f.regions(),
        lambda f: list(f.stages()),
    ]
    for answer in answers:
        for source in (data, boxes, exact):
            allowed(50_000)
            with pytest.raises(LimitError, match=r"takes up to (\d+) bytes.*max_memory = 50000"):
                answer(aig_codec.open(source))
            allowed(2**30)
            answer(aig_codec.open(source))
    allowed(1000)
    with pytest.raises(LimitError) as caught:
        aig_codec.decode(data, threads=1)
    needed = int(str(caught.value).split("takes up to ")[1].split()[0])
    assert needed > whole.nbytes
    allowed(needed)
    np.testing.assert_array_equal(aig_codec.decode(data, threads=1), whole)
    allowed(needed - 1)
    with pytest.raises(LimitError):
        aig_codec.decode(data, threads=1)


def test_pillow_is_charged_for_its_own_image_too(allowed, tmp_path: Path) -> None:
    from PIL import Image

    import pillow_aig

    assert pillow_aig
    path = tmp_path / "x.aig"
    path.write_bytes(aig_codec.encode(pictures.mixed(256, 320, 3, 2)))
    allowed(1000)
    with pytest.raises(LimitError, match="max_memory"), Image.open(path) as image:
        image.load()
    with pytest.raises(LimitError), Image.open(path) as image:
        image.thumbnail((40, 32))
    with Image.open(path) as image, pytest.raises(LimitError) as caught:
        image.load()
    needed = int(str(caught.value).split("takes up to ")[1].split()[0])
    with aig_codec.open(path) as file:
        kinds = {s.kind for s in file.segments}
        alone = memory.of_picture(file.metadata, kinds, aig_codec.default_threads())
    assert needed == alone + 4 * 256 * 320
    allowed(alone)
    aig_codec.decode(path)
    with pytest.raises(LimitError), Image.open(path) as image:
        image.load()
    allowed(needed)
    with Image.open(path) as image:
        image.thumbnail((40, 32))
        assert image.size == (40, 32)
