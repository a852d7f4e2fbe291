"""Groups and regions are independent: damage stays where it is, and so does what changes."""

from functools import cache

import numpy as np
import pytest
import reference
from support import pictures
from support.files import payloads, reseal
from support.lossy import by_kernels, coded, picture_of, with_streams

import aig_codec
from aig_codec import errors, geometry
from aig_codec.coders import dct, residual, substreams
from aig_codec.coders.substreams import Substream
from aig_codec.threads import Workers

#: How far filters, interpolation and chroma of half the size see.
MARGIN = 12

WIDTH, HEIGHT = 600, 500
FOCUS = {"centers": [(300, 240)], "radii": [(30, 60)]}


def _rectangles(width, height, size):
    """The parts of a picture, row by row, as slices."""
    return [
        (slice(y, min(y + size, height)), slice(x, min(x + size, width)))
        for y in range(0, height, size)
        for x in range(0, width, size)
    ]


def _mask(shape, part, margin):
    """True in a part that is so much larger on all sides."""
    mask = np.zeros(shape[:2], bool)
    mask[tuple(slice(max(s.start - margin, 0), max(s.stop + margin, 0)) for s in part)] = True
    return mask


def _around(shape, part, margin):
    """True near other parts; the picture's border is none."""
    rows, columns = part
    y, x = np.mgrid[: shape[0], : shape[1]]
    near = np.zeros(shape[:2], bool)
    for place, side, end in ((y, rows, shape[0]), (x, columns, shape[1])):
        if side.start > 0:
            near |= place < side.start + margin
        if side.stop < end:
            near |= place >= side.stop - margin
    return near


@cache
def _picture():
    return pictures.mixed(HEIGHT, WIDTH, 3, 1)


@cache
def _file(effort, tune, subsampling, entropy="auto"):
    return aig_codec.encode(
        _picture(),
        effort=effort,
        tune=tune,
        subsampling=subsampling,
        entropy=entropy,
        mid="dct",
        **FOCUS,
    )


def _damaged(data, kind, count, numbers):
    """The file with a byte changed in some streams; only the streams' own checksums notice."""
    payload = payloads(data)[kind, None]
    _, own = substreams.unpack(payload, count)
    changed = bytearray(payload)
    at = len(payload) - sum(len(raw) + len(rest) for raw, rest in own)
    for number, (raw, rest) in enumerate(own):
        if number in numbers:
            changed[at + (len(raw) + len(rest)) // 2] ^= 0x10
        at += len(raw) + len(rest)
    return reseal(data, {(kind, None): bytes(changed)})


def _without_residuals(data):
    """The file with a boundary tier that changes nothing: that is what is left of one if a group is
    damaged, since residuals fit the complete reconstruction only."""
    with aig_codec.open(data) as file:
        classes = file.regions().class_map()
        if file.bytes_for("boundary") == 0:
            return data
    same = np.zeros((*classes.shape, 3), np.uint8)
    return reseal(
        data, {("boundary", None): residual.encode(same, same, residual.band(classes), 0)}
    )


def _lenient(data, threads=None):
    with aig_codec.open(data) as file:
        return file.decode(strict=False, threads=threads), file.problems


@pytest.mark.parametrize("number", range(6))
@pytest.mark.parametrize(
    ("effort", "tune", "subsampling", "entropy"),
    [
        (5, "psnr", "4:2:0", "adaptive"),
        (9, "psnr", "4:2:0", "adaptive"),
        (9, "visual", "4:4:4", "adaptive"),
        (5, "visual", "4:2:0", "rans"),
    ],
)
def test_a_damaged_group_costs_itself_alone(
    number: int, effort: int, tune: str, subsampling: str, entropy: str
) -> None:
    data = _file(effort, tune, subsampling, entropy)
    sound = _without_residuals(data)
    assert (sound != data) == (effort >= 7)
    whole, coarse = aig_codec.decode(sound), aig_codec.decode(data, upto="mid")
    part = _rectangles(WIDTH, HEIGHT, 256)[number]
    damaged = _damaged(data, "background", 6, {number})
    for threads in (1, 3):
        with pytest.raises(errors.CorruptError, match="1 of 6 groups of 256 x 256 pixels"):
            aig_codec.decode(damaged, threads=threads)
        shown, problems = _lenient(damaged, threads)
        assert [type(p) for p in problems] == [errors.CorruptError]
        outside = ~_mask(whole.shape, part, MARGIN)
        np.testing.assert_array_equal(shown[outside], whole[outside])
        inside = _mask(whole.shape, part, 0) & ~_around(whole.shape, part, MARGIN)
        far = inside & ~_mask(whole.shape, (slice(180, 300), slice(240, 360)), MARGIN)
        np.testing.assert_array_equal(shown[far], coarse[far])
        assert (whole[far] != coarse[far]).mean() > 0.3
        assert np.array_equal(aig_codec.decode(damaged, upto="mid"), coarse)


def test_a_stream_that_begins_beyond_the_range_is_refused() -> None:
    """Of a flat picture: all decisions are 0, which is what such a stream would go on to say."""
    data = aig_codec.encode(np.full((64, 64), 90, np.uint8), centers=[(8, 8)], radii=[(4, 4)])
    payload = payloads(data)["background", None]
    head, own = substreams.unpack(payload, 1)
    assert own[0] is not None
    for start, fits in ((b"\xff" * 8, False), (b"\xff" * 7 + b"\xfe", True)):
        crafted = substreams.pack(head, [substreams.Substream(own[0].raw, start)])
        changed = reseal(data, {("background", None): crafted})
        if fits:
            assert np.array_equal(aig_codec.decode(changed), aig_codec.decode(data))
            assert np.array_equal(reference.decode_file(changed)[..., 0], aig_codec.decode(data))
            continue
        for decode in (aig_codec.decode, reference.decode_file):
            with pytest.raises((errors.CorruptError, reference.BadFile)):
                decode(changed)


def test_several_damaged_groups_are_counted() -> None:
    data = _file(5, "psnr", "4:2:0")
    whole = aig_codec.decode(data)
    damaged = _damaged(data, "background", 6, {0, 2, 5})
    with pytest.raises(errors.CorruptError, match="3 of 6 groups"):
        aig_codec.decode(damaged)
    shown, _ = _lenient(damaged)
    parts = _rectangles(WIDTH, HEIGHT, 256)
    outside = ~np.any([_mask(whole.shape, parts[i], MARGIN) for i in (0, 2, 5)], axis=0)
    np.testing.assert_array_equal(shown[outside], whole[outside])
    assert np.array_equal(aig_codec.decode(damaged, upto="mid"), aig_codec.decode(data, upto="mid"))


def test_damage_in_the_mid_tier_leaves_the_background() -> None:
    data = _file(9, "psnr", "4:2:0")
    whole = aig_codec.decode(_without_residuals(data))
    with aig_codec.open(data) as file:
        mid = file.regions().class_map() >= geometry.MID
    _, own = substreams.unpack(payloads(data)["mid", None], 6)
    there = {i for i, stream in enumerate(own) if stream != Substream(b"", b"")}
    assert there == {0, 1, 3, 4}
    for number in there:
        damaged = _damaged(data, "mid", 6, {number})
        with pytest.raises(errors.CorruptError, match="1 of 6 groups"):
            aig_codec.decode(damaged)
        shown, problems = _lenient(damaged)
        assert len(problems) == 1
        assert (shown != whole).any()
        y, x = np.nonzero((shown != whole).any(axis=2))
        part = _mask(whole.shape, _rectangles(WIDTH, HEIGHT, 256)[number], MARGIN)
        assert part[y, x].all()
        # Cells of the mid tier reach out of it by less than 16 pixels.
        rows, columns = np.nonzero(mid)
        assert rows.min() - 16 - MARGIN < y.min() < y.max() < rows.max() + 16 + MARGIN
        assert columns.min() - 16 - MARGIN < x.min() < x.max() < columns.max() + 16 + MARGIN


@pytest.mark.parametrize(("width", "height"), [(1100, 90), (60, 1300), (1030, 1040)])
@pytest.mark.parametrize(("colours", "subsampling"), [(1, "4:4:4"), (3, "4:2:0")])
def test_a_damaged_region_costs_itself_alone(
    width: int, height: int, colours: int, subsampling: str
) -> None:
    picture = pictures.mixed(height, width, colours, 2)
    data = aig_codec.encode(
        picture,
        centers=[(30, 40)],
        radii=[(9, 20)],
        subsampling=subsampling,
        effort=6,
        mid="dct",
    )
    whole = aig_codec.decode(data).reshape(picture.shape)
    regions = _rectangles(width, height, 1024)
    assert len(regions) > 1
    with aig_codec.open(data) as file:
        classes = file.regions().class_map()
        sound = file.preview().reshape(-(-height // 8), -(-width // 8), colours)
    core = classes == geometry.CORE
    for number, part in enumerate(regions):
        damaged = _damaged(data, "preview", len(regions), {number})
        with pytest.raises(errors.CorruptError, match=f"1 of {len(regions)} regions"):
            aig_codec.decode(damaged)
        with aig_codec.open(damaged) as file, pytest.raises(errors.CorruptError):
            file.preview()
        shown, problems = _lenient(damaged)
        shown = shown.reshape(picture.shape)
        # One for the region, one for each tier that has groups there.
        assert len(problems) >= 2
        assert all(isinstance(p, errors.CorruptError) for p in problems)
        outside = ~_mask(whole.shape, part, MARGIN)
        np.testing.assert_array_equal(shown[outside], whole[outside])
        inside = _mask(whole.shape, part, 0) & ~_around(whole.shape, part, MARGIN) & ~core
        assert (shown[inside] == 128).all()
        np.testing.assert_array_equal(shown[core], picture[core])
    assert sound.std() > 20


def test_groups_of_a_lost_region_are_not_counted_where_they_hold_nothing() -> None:
    """Empty streams are as good as ever."""
    picture = pictures.mixed(64, 1600, 1, 2)
    data = aig_codec.encode(picture, centers=[(1500, 30)], radii=[(9, 20)], mid="dct")
    with pytest.raises(errors.CorruptError, match="regions"):
        aig_codec.decode(_damaged(data, "preview", 2, {0}))
    _, problems = _lenient(_damaged(data, "preview", 2, {0}))
    assert [str(p).split(" are")[0] for p in problems] == [
        "1 of 2 regions of 1024 x 1024 pixels",
        "4 of 7 groups of 256 x 256 pixels",
    ]
    _, problems = _lenient(_damaged(data, "preview", 2, {1}))
    assert [str(p).split(" are")[0] for p in problems] == [
        "1 of 2 regions of 1024 x 1024 pixels",
        "1 of 7 groups of 256 x 256 pixels",
        "3 of 7 groups of 256 x 256 pixels",
    ]


@pytest.mark.parametrize("entropy", ["adaptive", "rans"])
def test_a_truncated_file_shows_the_groups_that_arrived(entropy: str) -> None:
    data = _file(5, "psnr", "4:2:0", entropy)
    payload = payloads(data)["background", None]
    _, own = substreams.unpack(payload, 6)
    assert data.endswith(payload)
    whole, coarse = aig_codec.decode(data), aig_codec.decode(data, upto="mid")
    parts = _rectangles(WIDTH, HEIGHT, 256)
    ends = np.cumsum([len(raw) + len(rest) for raw, rest in own])
    table = len(payload) - ends[-1]
    for length in (*(table + ends), *(table + ends - 1), *(table + ends[:-1] + 1), table):
        cut = data[: len(data) - len(payload) + int(length)]
        if len(cut) == len(data):
            continue
        with pytest.raises(errors.TruncatedError):
            aig_codec.decode(cut)
        missing = {i for i, end in enumerate(table + ends) if end > length}
        shown, problems = _lenient(cut)
        assert isinstance(problems[0], errors.TruncatedError)
        assert f"{len(missing)} of 6 groups" in str(problems[1])
        expected, _ = _lenient(_damaged(data, "background", 6, missing))
        np.testing.assert_array_equal(shown, expected)
        outside = ~np.any([_mask(whole.shape, parts[i], MARGIN) for i in missing], axis=0)
        np.testing.assert_array_equal(shown[outside], whole[outside])
    for length in (0, 1, table - 1):
        shown, problems = _lenient(data[: len(data) - len(payload) + int(length)])
        np.testing.assert_array_equal(shown, coarse)
        assert isinstance(problems[0], errors.TruncatedError)


@pytest.mark.parametrize("number", range(6))
def test_what_changes_in_a_group_changes_its_stream_alone(number: int) -> None:
    """Groups can be coded side by side, and anew."""
    picture = picture_of(WIDTH, HEIGHT, 3, subsampling="4:2:0")
    classes = np.zeros((HEIGHT, WIDTH), np.uint8)
    changed = _picture().copy()
    rows, columns = _rectangles(WIDTH, HEIGHT, 256)[number]
    own = changed[rows, columns]
    own[:] = 255 - own[::-1]
    parts = [coded(pixels, classes, picture) for pixels in (_picture(), changed)]
    before, after = (substreams.unpack(p.background, 6)[1] for p in parts)
    assert [a == b for a, b in zip(before, after, strict=True)] == [i != number for i in range(6)]


@pytest.mark.parametrize(("colours", "subsampling"), [(1, "4:4:4"), (3, "4:4:4"), (3, "4:2:0")])
@pytest.mark.parametrize("matrix", [0, 1])
def test_rows_of_groups_are_the_same_in_any_order(colours, subsampling: str, matrix: int) -> None:
    """Deblocking and restoration look across their borders."""
    width, height = 90, 1000
    pixels = pictures.mixed(height, width, colours, 4)
    classes = pictures.class_map(height, width, 3)
    picture = picture_of(
        width, height, colours, subsampling=subsampling, mid="dct", matrix=matrix, quality_level=70
    )
    parts = coded(pixels, classes, picture, effort=9)
    assert parts.mid is not None
    whole = by_kernels(parts)
    for threads in range(2, 6):
        np.testing.assert_array_equal(by_kernels(parts, threads=threads), whole)
    with Workers(1) as workers:
        decoder = dct.Synthesis(parts.metadata, classes, workers)
        decoder.read_preview(parts.preview)
        decoder.read_tier(parts.background, dct.BACKGROUND)
        decoder.read_tier(parts.mid, dct.MID)
        decoder.render(np.empty_like(whole))
        kernel = decoder._kernel
        for first in range(4):
            for last in range(first, 5):
                shown = np.full_like(whole, 99)
                kernel.rows(first, last, shown)
                own = slice(256 * first, 256 * last)
                np.testing.assert_array_equal(shown[own], whole[own])
                assert (np.delete(shown, own, axis=0) == 99).all()


def test_interpolation_may_come_row_by_row_too() -> None:
    picture = picture_of(90, 600, 3, subsampling="4:2:0")
    classes = pictures.class_map(600, 90, 3)
    parts = coded(pictures.mixed(600, 90, 3), classes, picture)
    shown = []
    for rows in ([(0, 3)], [(2, 3), (0, 1), (1, 2)], [(0, 3), (0, 3)]):
        with Workers(1) as workers:
            decoder = dct.Synthesis(parts.metadata, classes, workers)
            decoder.read_preview(parts.preview)
            kernel = decoder._kernel
            kernel.start()
            for row in rows:
                kernel.interpolate(*row)
            pixels = np.zeros((600, 90, 3), np.uint8)
            kernel.rows(0, 3, pixels)
            shown.append(pixels)
    np.testing.assert_array_equal(shown[1], shown[0])
    np.testing.assert_array_equal(shown[2], shown[0])


def test_a_stream_in_anothers_place_is_noticed_or_shown_there() -> None:
    """Checksums know no numbers: a stream in another's place is as sound as before."""
    data = _file(5, "psnr", "4:2:0")
    payload = payloads(data)["background", None]
    _, own = substreams.unpack(payload, 6)
    turned = with_streams(payload, 6, lambda i, _: own[(i + 1) % 6])
    shown, problems = _lenient(reseal(data, {("background", None): turned}))
    assert shown.shape == (HEIGHT, WIDTH, 3)
    assert all(isinstance(p, errors.CorruptError) for p in problems)
