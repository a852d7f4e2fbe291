"""What the DCT coder's streams say: kernels and reference make the same of any bytes."""

from dataclasses import replace

import numpy as np
import pytest
import reference
from support import pictures
from support.lossy import (
    Parts,
    Script,
    Words,
    assert_agree,
    by_kernels,
    coded,
    picture_of,
    random_parts,
    random_picture,
    segment,
    with_streams,
)
from support.pictures import KINDS, LOSSY_ENTROPIES
from support.tiers import mostly_slow

from aig_codec import CorruptError
from aig_codec.coders import dct, substreams
from aig_codec.coders.substreams import Substream
from aig_codec.entropy import CODERS

MOST_LOW, MOST_HIGH = 32766, 32767


@pytest.mark.parametrize("seed", range(60))
def test_any_words_mean_the_same_to_both(seed: int) -> None:
    parts = random_parts(seed)
    whole = assert_agree(parts)
    assert whole is not None
    for less in (replace(parts, background=None), replace(parts, mid=None, background=None)):
        assert assert_agree(less) is not None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("coder", LOSSY_ENTROPIES)
def test_streams_of_the_encoder_mean_the_same_to_both(kind: str, coder: str) -> None:
    seed = list(KINDS).index(kind)
    rng = np.random.default_rng(seed)
    picture, classes = random_picture(rng, 60)
    pixels = KINDS[kind](picture.height, picture.width, picture.colours, seed)
    parts = coded(pixels, classes, picture, coder, effort=(1, 3, 5, 7, 9)[seed % 5])
    assert assert_agree(parts) is not None


@pytest.mark.parametrize(("width", "height"), [(300, 270), (1050, 20), (20, 1050), (257, 33)])
def test_groups_and_regions_mean_the_same_to_both(width: int, height: int) -> None:
    """Nothing is known of other groups, and of other regions."""
    classes = pictures.class_map(height, width, 5)
    pixels = pictures.mixed(height, width, 3, 2)
    for matrix, subsampling in ((0, "4:4:4"), (1, "4:2:0")):
        picture = picture_of(
            width, height, 3, matrix=matrix, subsampling=subsampling, mid="dct", quality_level=90
        )
        parts = coded(pixels, classes, picture, LOSSY_ENTROPIES[3 - 3 * matrix], effort=7)
        assert assert_agree(parts) is not None


def _damaged(stream, rng):
    """Other raw bits or other coded bytes; checksums are made for them."""
    halves = [bytearray(stream.raw), bytearray(stream.coded)]
    own = halves[int(rng.integers(2))]
    for _ in range(int(rng.choice([1, 1, 3]))):
        action = rng.integers(5)
        if action == 0 or not own:
            own.append(int(rng.choice([0, 1, 255])))
        elif action == 1:
            del own[int(rng.integers(len(own))) :]
        elif action == 2:
            own[int(rng.integers(len(own)))] = int(rng.integers(256))
        else:
            own[int(rng.integers(len(own)))] ^= 1 << int(rng.integers(8))
    return Substream(*map(bytes, halves))


@pytest.mark.parametrize("coder", mostly_slow(LOSSY_ENTROPIES, "rans", "adaptive"))
@pytest.mark.parametrize("colours", mostly_slow([1, 3], 3))
def test_damaged_streams_mean_the_same_to_both(coder: str, colours: int) -> None:
    rng = np.random.default_rng(colours)
    pixels = pictures.mixed(34, 45, colours, 1)
    classes = pictures.class_map(34, 45, 8)
    picture = picture_of(45, 34, colours, mid="dct", subsampling="4:2:0", matrix=1)
    parts = coded(pixels, classes, picture, coder, effort=7)
    assert parts.mid is not None
    assert assert_agree(parts) is not None
    refused = 0
    for i in range(60):
        name = ("preview", "mid", "background")[i % 3]
        payload = with_streams(getattr(parts, name), 1, lambda _, own: _damaged(own, rng))
        found = assert_agree(replace(parts, **{name: payload}), f"{name}, round {i}")
        refused += found is None
    assert refused > 30


@pytest.mark.parametrize("coder", mostly_slow(LOSSY_ENTROPIES, "adaptive"))
def test_damaged_heads_mean_the_same_to_both(coder: str) -> None:
    """Parameters, tables of entropy coders, taps: with the right checksum."""
    rng = np.random.default_rng(4)
    pixels = pictures.mixed(30, 38, 3, 1)
    classes = pictures.class_map(30, 38, 8)
    parts = coded(pixels, classes, picture_of(38, 30, 3, mid="dct"), coder, effort=7)
    for i in range(50):
        name = ("preview", "mid", "background")[i % 3]
        head, own = substreams.unpack(getattr(parts, name), 1)
        changed = bytearray(head)
        action = rng.integers(4)
        if action == 0:
            del changed[int(rng.integers(len(changed))) :]
        elif action == 1:
            changed.append(int(rng.integers(256)))
        else:
            changed[int(rng.integers(min(len(changed), 60)))] = int(rng.integers(256))
        payload = substreams.pack(bytes(changed), own)
        assert_agree(replace(parts, **{name: payload}), f"{name}, round {i}")


# Single words


def _one_block(width, height, low=None, levels=None, cut=0, **more):
    """A grey picture of one superblock at most; returns its parts."""
    picture = picture_of(width, height, 1, **more)
    script = Script(picture, np.zeros((height, width), np.uint8))
    preview = script.preview(lambda *_: cut, lambda *_: low or {})
    background = script.tier(dct.BACKGROUND, lambda *_: levels or {})
    return Parts(picture, script.classes, preview, None, background)


@pytest.mark.parametrize("cut", range(4))
def test_an_end_behind_the_scan_is_refused(cut: int) -> None:
    parts = _one_block(32, 32, cut=cut)
    script = Script(parts.picture, parts.classes)
    script.preview(lambda *_: cut, lambda *_: {})
    (blocks,) = script.blocks.values()
    scan = reference.scan_of(blocks[0].a, blocks[0].b, 1)
    entries = len(scan)
    for end in (entries, entries + 1):
        words = Words()
        words.levels(blocks[0], {scan[-1][:2]: 1}, end=end)
        for block in blocks[1:]:
            words.levels(block, {})
        background = segment((0, 0), [words.stream()])
        found = assert_agree(replace(parts, background=background))
        assert (found is None) == (end > entries)


@pytest.mark.parametrize("cut", range(4))
@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:0"])
def test_an_end_behind_the_lowest_coefficients_is_refused(cut: int, subsampling: str) -> None:
    """The first block of luma says one, then the first of chroma."""
    size = 64 if subsampling == "4:2:0" else 32
    picture = picture_of(size, size, 3, subsampling=subsampling)
    script = Script(picture, np.zeros((size, size), np.uint8))
    script.preview(lambda *_: cut, lambda *_: {})
    for plane in (0, 1):
        scale = script.empty.planes[plane].scale
        block = script.blocks[plane, (0, 0)][0]
        most = (scale << block.a) + (scale << block.b) - 2
        if not most:
            continue
        for end in (most, most + 1, 63):
            preview = script.preview(
                lambda *_: cut,
                lambda *_: {},
                end=lambda n, b, own=(plane, block), end=end: end if (n, b) == own else None,
            )
            found = assert_agree(Parts(picture, script.classes, preview, None, None))
            assert (found is None) == (end > most)


def test_cuts_that_are_not_known_are_refused() -> None:
    parts = _one_block(32, 32)
    for how in range(4, 64, 5):
        words = Words()
        words.cut(how)
        for _ in range(100):
            words.signed(0)
        payload = segment((16, 16, 0), [words.stream()])
        assert assert_agree(replace(parts, preview=payload, background=None)) is None


def test_steps_may_be_adapted_so_far_and_no_farther() -> None:
    picture = picture_of(70, 20, 1)
    classes = np.zeros((20, 70), np.uint8)
    for changes in ((8, -16, 16), (-8, 16, -16), (9, 0, 0), (-9, 0, 0), (5, 4, 0), (32766, 0, 0)):
        script = Script(picture, classes)
        turn = iter(changes)
        preview = script.preview(
            lambda *_: 1, lambda *_: {(0, 0): 9}, (16, 16), lambda turn=turn: next(turn)
        )
        background = script.tier(dct.BACKGROUND, lambda *_: {(5, 5): 40, (7, 6): -7}, 200)
        found = assert_agree(Parts(picture, classes, preview, None, background), str(changes))
        totals = np.cumsum(changes)
        assert (found is None) == bool((np.abs(totals) > 8).any())


@pytest.mark.parametrize("quality_level", [0, 100, 255])
def test_magnitudes_have_a_largest(quality_level: int) -> None:
    """Larger ones mean the largest, and coefficients are clipped to 16 bits."""
    shown = {}
    for size in (1, 100, MOST_LOW - 1, MOST_LOW, MOST_HIGH, MOST_HIGH + 1, 2**20, 2**27):
        for sign in (1, -1):
            low = {(0, 0): sign * size, (1, 1): -sign * size}
            levels = {(7, 4): sign * size, (5, 7): -sign * size}
            for cut in range(4):
                parts = _one_block(40, 40, low, levels, cut, quality_level=quality_level)
                shown[size, sign, cut] = assert_agree(parts, (size, sign, cut))
    for (size, sign, cut), pixels in shown.items():
        assert pixels is not None
        if size > MOST_HIGH:
            np.testing.assert_array_equal(pixels, shown[MOST_HIGH, sign, cut])


def test_every_tap_and_strength_has_its_range() -> None:
    pixels = pictures.grainy(32, 40, 1, 1)
    parts = coded(pixels, np.zeros((32, 40), np.uint8), picture_of(40, 32, 1), effort=7)
    head, own = substreams.unpack(parts.background, 1)
    assert head[:3] == bytes([CODERS["adaptive"].number, 16, 1])
    assert len(head) == 3 + 84
    for place in (3, 50, 86):
        for tap in range(-128, 128):
            changed = bytearray(head)
            changed[place] = tap & 255
            other = replace(parts, background=substreams.pack(bytes(changed), own))
            if tap % 13 == 0 or tap in (-65, -64, 63, 64):
                assert_agree(other, (place, tap))
            try:
                by_kernels(other)
            except CorruptError:
                assert not -64 <= tap <= 63
            else:
                assert -64 <= tap <= 63


@pytest.mark.parametrize("coder", LOSSY_ENTROPIES)
def test_a_tier_without_cells_in_a_group_says_nothing(coder: str) -> None:
    """Cores that fill a group; the mid tier that is in one group only."""
    classes = np.zeros((24, 520), np.uint8)
    classes[:, :256] = 1
    classes[4:20, 300:340] = 5
    picture = picture_of(520, 24, 1, mid="dct")
    parts = coded(pictures.mixed(24, 520, 1), classes, picture, coder)
    assert assert_agree(parts) is not None
    _, own = substreams.unpack(parts.mid, 3)
    assert [one == Substream(b"", b"") for one in own] == [True, False, True]
    _, own = substreams.unpack(parts.background, 3)
    assert [one == Substream(b"", b"") for one in own] == [True, False, False]
    for name, number in (("mid", 0), ("mid", 2), ("background", 0)):
        for extra in (Substream(b"\0", b""), Substream(b"", b"\0")):
            payload = with_streams(
                getattr(parts, name),
                3,
                lambda i, stream, number=number, extra=extra: extra if i == number else stream,
            )
            assert assert_agree(replace(parts, **{name: payload}), (name, number, extra)) is None


@pytest.mark.parametrize("coder", LOSSY_ENTROPIES)
def test_bytes_that_are_left_over_are_noticed(coder: str) -> None:
    pixels = pictures.noise(24, 24, 3, 1)
    parts = coded(pixels, np.zeros((24, 24), np.uint8), picture_of(24, 24, 3), coder)
    for name in ("preview", "background"):
        for extra in (b"\0", b"\1", b"\0\0", b"\0\0\0\0", bytes(8), bytes(12), bytes(40)):
            for longer in (
                lambda _, own, extra=extra: Substream(own.raw + extra, own.coded),
                lambda _, own, extra=extra: Substream(own.raw, own.coded + extra),
            ):
                payload = with_streams(getattr(parts, name), 1, longer)
                assert_agree(replace(parts, **{name: payload}), (name, extra))
        payload = with_streams(
            getattr(parts, name), 1, lambda _, own: Substream(own.raw + b"\0", own.coded)
        )
        assert assert_agree(replace(parts, **{name: payload})) is None
