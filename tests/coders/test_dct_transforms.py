"""From words to pixels and from pixels to words: the DCT coder's arithmetic, piece by piece."""

import numpy as np
import pytest
import reference
from reference.tiers import Tier
from support import pictures
from support.agreement import kernel_sets
from support.lossy import (
    Parts,
    Script,
    Words,
    by_kernels,
    coded,
    kernel_decoder,
    picture_of,
    scan_of,
)
from support.pictures import KINDS
from support.tiers import mostly_slow

from aig_codec import _native
from aig_codec.coders import dct

#: Cuts of a superblock, by the shape (a, b) of the blocks that it ends in.
CUTS = {
    (2, 2): (1,),
    (2, 1): (2,),
    (1, 2): (3,),
    (1, 1): (0, 1),
    (1, 0): (0, 2),
    (0, 1): (0, 3),
    (0, 0): (0, 0),
}
ENDS = -2048, 2047

PLAIN = 0

SUBSAMPLINGS = {1: "4:4:4", 2: "4:2:0"}


def _read(decoder, region, group=None):
    """Let a kernel read syntax elements."""
    low = _native.SharedTables(PLAIN, b"", _native.LOW_CONTEXTS)
    decoder.read_region(0, low, *region.symbol_stream())
    decoder.start()
    if group is not None:
        high = _native.SharedTables(PLAIN, b"", _native.HIGH_CONTEXTS)
        decoder.read_group(0, 0, high, *group.symbol_stream())


def _shown(decoder, *shape):
    pixels = np.full(shape, 77, np.uint8)
    rows = decoder.group_rows
    decoder.interpolate(0, rows)
    decoder.rows(0, rows, pixels)
    return pixels


def _grey(samples):
    return np.clip((samples + 2056) >> 4, 0, 255)


def _blocks(shape, cut=None):
    """The blocks of a superblock that is cut into one shape, in order."""

    def ask(row, column, size):
        how = CUTS[shape][2 - size]
        if cut:
            cut(how)
        return how

    return reference.blocks_of_square(np.zeros((4, 4), int), 0, 0, 2, ask)


def _cut_words(words, shape, scale=1, cut=True):
    """A superblock in blocks of one shape without lowest coefficients."""
    for block in _blocks(shape, words.cut if cut else None):
        words.lowest(block, {}, scale)


# Levels to samples


@pytest.mark.parametrize("shape", CUTS)
@pytest.mark.parametrize("scale", mostly_slow([1, 2], 1))
@pytest.mark.parametrize(
    ("base", "level"), [(700, 1), (700, -1), (300, 17), (2000, -12), (32767, 32767), (9000, -32767)]
)
def test_every_basis_function_equals_the_reference(shape, scale: int, base, level) -> None:
    """One level alone in every block: no two frequencies may change places. In luma; and in Cb of
    half the size, where a cell has four pixels of the 1/8 image."""
    places = scan_of(*shape, scale)
    side = 8 // scale  # superblocks of 32 samples along the picture
    per_picture = len(list(_blocks(shape))) * side * side
    for first in range(0, len(places), per_picture):
        own = iter(places[first : first + per_picture])
        region, group = Words(), Words()
        if scale == 2:
            for _ in range(64):
                _cut_words(region, shape)
                for block in _blocks(shape):
                    group.levels(block, {})
        expected = np.zeros((256 // scale, 256 // scale), np.int64)
        used = []
        for superblock in range(side * side):
            _cut_words(region, shape, scale)
            for block in _blocks(shape):
                place = next(own, None)
                group.levels(block, {} if place is None else {place: level}, scale)
                if place is None:
                    continue
                used.append(place)
                h, v = place
                coefficients = np.zeros((8 << block.b, 8 << block.a), np.int64)
                step = int(reference.step(base, 16, block.a + block.b))
                coefficients[v, h] = reference.coefficient(np.int64(level), step)
                lowest = np.zeros((scale << block.b, scale << block.a), np.int64)
                coefficients[: scale << block.b, : scale << block.a] = reference.without_aliases(
                    lowest, coefficients, scale
                )
                top, left = 32 * (superblock // side), 32 * (superblock % side)
                expected[top : top + 32, left : left + 32][block.samples] = (
                    reference.inverse_transform(coefficients)
                )
        planes = [expected]
        if scale == 2:
            for _ in range(side * side):
                _cut_words(region, shape, scale, cut=False)
                for block in _blocks(shape):
                    group.levels(block, {}, scale)
            planes = [np.zeros((256, 256), np.int64), expected, np.zeros_like(expected)]
        colours = reference.to_colours(planes, 256, 256, "4:2:0")
        assert used == places[first : first + per_picture]
        for name in kernel_sets():
            own_steps = (base, base, 16) * len(planes)
            decoder = kernel_decoder(256, 256, own_steps, colour=scale == 2, subsampled=scale == 2)
            _read(decoder, region, group)
            np.testing.assert_array_equal(_shown(decoder, *colours.shape), colours, name)


@pytest.mark.parametrize("scale", [1, 2])
def test_the_1_8_image_is_the_mean_of_what_is_decoded(scale: int) -> None:
    """Whatever the levels: all but a few percent of what they add to the means is known before."""
    rng = np.random.default_rng(scale)
    for b, a in np.ndindex(3, 3):
        low_shape = scale << b, scale << a
        if low_shape == (1, 1):
            continue
        errors, added = 0.0, 0.0
        for _ in range(20):
            lowest = rng.integers(-900, 900, low_shape)
            high = np.where(rng.random((8 << b, 8 << a)) < 0.1, 200, 0)
            high *= rng.integers(-3, 4, high.shape)
            corner = np.s_[: low_shape[0], : low_shape[1]]
            high[corner] = 0
            added += (_means(high, low_shape) ** 2).mean()
            high[corner] = reference.without_aliases(lowest, high, scale)
            said = reference.eighth_of_block(lowest, scale)
            errors += ((_means(high, low_shape) - said) ** 2).mean()
        # Weights are in 1/256, and the transform's numbers are integers.
        assert errors < 0.05**2 * added + 20 * 0.3


def _means(coefficients, shape):
    """Of the parts of a block, in real numbers."""
    height, width = coefficients.shape
    samples = reference.transform_matrix(height).T @ coefficients
    samples = samples @ reference.transform_matrix(width) / 2.0**15
    return samples.reshape(shape[0], height // shape[0], shape[1], -1).mean((1, 3))


@pytest.mark.parametrize("shape", CUTS)
def test_every_lowest_coefficient_equals_the_reference(shape) -> None:
    """Of the 1/8 image, with its cells, its interpolation, and the transform of all of them."""
    block, *others = _blocks(shape)
    places = [(h, v) for v in range(1 << block.b) for h in range(1 << block.a)]
    classes = np.zeros((32, 32), np.uint8)
    cuts = CUTS[shape]
    for place in places:
        for level in (1, -2, 90, -32766):
            for quality_level in (0, 120, 255):
                picture = picture_of(32, 32, 1, quality_level=quality_level)
                script = Script(picture, classes)
                preview = script.preview(
                    lambda plane, row, column, size: cuts[2 - size],
                    lambda _, b, scale, place=place, level=level: (
                        {place: level} if b == block else {}
                    ),
                )
                tier = script.tier(dct.BACKGROUND, lambda *_: {})
                for background in (None, tier):
                    parts = Parts(picture, classes, preview, None, background)
                    expected = reference.decode_dct(picture, classes, preview, None, background)
                    for name in kernel_sets():
                        np.testing.assert_array_equal(by_kernels(parts), expected, name)
    assert len(others) == 16 // len(places) - 1


def test_the_transforms_are_nearly_the_real_ones() -> None:
    for samples, most in ((8, 0.0076), (16, 0.0054), (32, 0.0038)):
        k, n = np.mgrid[:samples, :samples]
        basis = np.cos(np.pi * (2 * n + 1) * k / (2 * samples)) * np.sqrt(2 / samples)
        basis[0] /= np.sqrt(2)
        matrix = reference.transform_matrix(samples) / (64 * np.sqrt(samples))
        assert np.abs(matrix - basis).max() < most
        assert np.abs(matrix @ matrix.T - np.eye(samples)).max() < 0.003


# The 1/8 image, and what is made of it


def _eighth_words(planes, scale=1):
    """Words for one region, and its 1/8 image, as near to these planes as it can be.

    All blocks are single cells and steps 1. With one pixel of the 1/8 image to a cell,
    D = (c + 4) >> 3 can be all that there is. scale: of chroma, pixels along a cell.
    """
    words, own = Words(), []
    height, width = planes[0].shape
    picture = picture_of(8 * width, 8 * height, len(planes), subsampling=SUBSAMPLINGS[scale])
    preview = reference.Preview(picture, np.zeros((8 * height, 8 * width), int))
    for number, plane in enumerate(planes):

        def cut(*_, number=number):
            if number < 2:
                words.cut(0)
            return 0

        pixels = scale if number else 1
        coder = reference.LowCoder(preview, None, number, 0, 0)
        rows, columns = coder.classes.shape
        per_group = 32 // pixels
        for left in range(0, columns, per_group):
            for row in range(0, rows, 4):
                for column in range(left, min(left + per_group, columns), 4):
                    for block in reference.blocks_of_square(coder.classes, row, column, 2, cut):
                        lowest = _lowest_of(plane[block.pixels(pixels)], pixels)
                        levels = lowest - coder.prediction(block)[0]
                        words.lowest(
                            block, {(h, v): int(n) for (v, h), n in np.ndenumerate(levels)}, pixels
                        )
                        coder.eighth[block.pixels(pixels)] = reference.eighth_of_block(
                            lowest, pixels
                        )
        own.append(coder.eighth)
    return words, own


def _lowest_of(pixels, scale):
    """Coefficients of a cell that has about these pixels in the 1/8 image."""
    if scale == 1:
        return 8 * pixels
    own = np.zeros((2, 2))
    own[: pixels.shape[0], : pixels.shape[1]] = pixels
    basis = np.linalg.inv(reference.sums_of_pixels(2, 2)[:2].T) * 2 ** (19 / 2)
    return np.rint(basis @ own @ basis.T).astype(np.int64)


def _random_eighth(rng, kind, rows, columns):
    if kind == "ends":
        return rng.choice(ENDS, (rows, columns))
    if kind == "near black and white":
        return rng.choice([-2048, 2040], (rows, columns)) + rng.integers(0, 8, (rows, columns))
    return rng.integers(ENDS[0], ENDS[1] + 1, (rows, columns))


@pytest.mark.parametrize("kind", ["noise", "ends", "near black and white"])
@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:0", None])
@pytest.mark.parametrize("width", [1, 2, 3, 15, 16, 17, 31, 32, 33, 63, 65, 128])
def test_colours_at_one_eighth_equal_the_reference(width: int, subsampling, kind: str) -> None:
    """Rows of planes to colours: every width has its own remainder in registers."""
    height = 5
    rng = np.random.default_rng(width)
    colours = 3 if subsampling else 1
    steps = (16, 16, 1) * colours
    own = reference.planes_of(8 * width, 8 * height, colours, subsampling)
    planes = [_random_eighth(rng, kind, p.rows * p.scale, p.columns * p.scale) for p in own]
    words, planes = _eighth_words(planes, own[-1].scale)
    expected = reference.to_colours(planes, width, height, "4:4:4")
    for name in kernel_sets():
        decoder = kernel_decoder(
            8 * width,
            8 * height,
            steps,
            colour=colours == 3,
            subsampled=subsampling == "4:2:0",
        )
        _read(decoder, words)
        for channels in (colours, colours + 1):
            found = np.full((height, width, channels), 7, np.uint8)
            decoder.preview(found)
            np.testing.assert_array_equal(found[..., :colours], expected, name)
            assert (found[..., colours:] == 7).all()


@pytest.mark.slow
def test_all_chroma_values_equal_the_reference() -> None:
    values = np.arange(ENDS[0], ENDS[1] + 1)
    rng = np.random.default_rng(1)
    for luma in (-2048, -700, 0, 1333, 2047):
        b, r = (rng.permutation(values).reshape(8, 512) for _ in range(2))
        planes = [np.full((8, 512), luma), b, r]
        expected = reference.to_colours(planes, 512, 8, "4:4:4")
        for sets in kernel_sets():
            decoder = kernel_decoder(4096, 64, (16, 16, 1) * 3, colour=True)
            # Four regions, each with a quarter of the columns.
            low = _native.SharedTables(PLAIN, b"", _native.LOW_CONTEXTS)
            for region in range(4):
                own = [plane[:, 128 * region : 128 * (region + 1)] for plane in planes]
                decoder.read_region(region, low, *_eighth_words(own)[0].symbol_stream())
            found = np.zeros((8, 512, 3), np.uint8)
            decoder.preview(found)
            np.testing.assert_array_equal(found, expected, sets)


@pytest.mark.parametrize("kind", ["noise", "ends", "near black and white"])
@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:0", None])
@pytest.mark.parametrize("size", [(1, 1), (7, 9), (16, 40), (41, 16), (65, 70), (24, 258)])
def test_enlargement_of_the_eighth_equals_the_reference(size, subsampling, kind: str) -> None:
    """Where no high frequencies are; and chroma in 4:2:0, at every odd and even size."""
    height, width = size
    rng = np.random.default_rng(width)
    colours = 3 if subsampling else 1
    own = reference.planes_of(width, height, colours, subsampling)
    planes = [_random_eighth(rng, kind, p.rows * p.scale, p.columns * p.scale) for p in own]
    words, planes = _eighth_words(planes, own[-1].scale)
    samples = [
        reference.interpolate(plane, 8 // p.scale) for p, plane in zip(own, planes, strict=True)
    ]
    expected = reference.to_colours(samples, width, height, subsampling)
    for name in kernel_sets():
        decoder = kernel_decoder(
            *(width, height, (16, 16, 1) * colours),
            colour=colours == 3,
            subsampled=subsampling == "4:2:0",
        )
        _read(decoder, words)
        for channels in (colours, colours + 1):
            found = _shown(decoder, height, width, channels)
            np.testing.assert_array_equal(found[..., :colours], expected, name)
            assert (found[..., colours:] == 77).all()


def test_enlargement_is_flat_where_the_eighth_is_and_linear_between() -> None:
    decoder = kernel_decoder(24, 8, (16, 16, 1))
    _read(decoder, _eighth_words([np.array([[-1280, -1280, 1280]])])[0])
    shown = _shown(decoder, 8, 24)
    assert (shown == shown[0]).all()
    row = shown[0].astype(int)
    assert (row[:12] == 48).all()
    assert (row[20:] == 208).all()
    assert (np.diff(row[11:21]) > 0).all()
    np.testing.assert_array_equal(np.diff(row[12:20]), 20)


# Pixels to levels


def _exact_planes(pixels, subsampling):
    """JFIF's planes in 1/16 of a grey level, centred at 0, in real numbers."""
    if pixels.shape[2] == 1:
        return [16 * (pixels[..., 0] - 128.0)]
    r, g, b = np.moveaxis(pixels.astype(float), 2, 0)
    y = 0.299 * r + 0.587 * g + 0.114 * b
    planes = [y - 128, (b - y) / 1.772, (r - y) / 1.402]
    if subsampling == "4:2:0":
        height, width = (n // 2 for n in y.shape)
        planes[1:] = [p.reshape(height, 2, width, 2).mean((1, 3)) for p in planes[1:]]
    return [16 * plane for plane in planes]


def _forward(samples):
    """The transpose of the inverse transform in real numbers, 8 / sqrt(n) of the real one."""
    height, width = samples.shape
    rows, columns = reference.transform_matrix(height), reference.transform_matrix(width)
    return rows @ samples @ columns.T / (512 * height * width)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("effort", mostly_slow([1, 5, 9], 5))
@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:0", None])
def test_levels_are_the_nearest_where_bits_are_free(
    monkeypatch: pytest.MonkeyPatch, kind: str, effort: int, subsampling
) -> None:
    """Pixels to planes, the transform of every shape, and quantisation."""
    monkeypatch.setattr(dct.analysis, "_LAMBDA", 0.0)
    colours = 3 if subsampling else 1
    pixels = KINDS[kind](64, 96, colours, 3)
    level = {1: 255, 5: 180, 9: 90}[effort]
    picture = picture_of(
        96, 64, colours, subsampling=subsampling or "4:4:4", quality_level=level, matrix=effort == 5
    )
    parts = coded(pixels, np.zeros((64, 96), np.uint8), picture, effort=effort)
    eighth = reference.Preview(picture, parts.classes)
    eighth.decode(parts.preview)
    known = [reference.KnownCells(classes.shape) for classes in eighth.classes]
    tier = Tier(eighth, reference.BLOCK_BACKGROUND, level, known)
    tier.decode(parts.background)
    shapes = set()
    for number, exact in enumerate(_exact_planes(pixels, subsampling)):
        share = eighth.shares[number]
        base = dct.base_step(level, picture.matrix)
        low = reference.plane_step(min(base, 512), share)
        # What a sample is rounded by, the sum of that over a block, and two roundings.
        slack = 1 if colours == 1 else 1 + 8 * 0.6
        for block, coefficients in known[number].blocks:
            shapes.add((block.a, block.b))
            size = block.a + block.b
            error = np.abs(coefficients - _forward(exact[block.samples]))
            scale = eighth.planes[number].scale
            lowest = np.s_[: scale << block.b, : scale << block.a]
            assert error[lowest].max() <= 0.63 * int(reference.step(low, 16, size)) / 16 + slack
            error[lowest] = 0
            own = tier.cell_steps[number][block.row, block.column]
            steps = reference.step(own, reference.weights(block.a, block.b, picture.matrix), size)
            assert (error <= 0.56 * steps / 16 + slack).all()
    assert shapes <= set(CUTS)


@pytest.mark.parametrize("kind", KINDS)
def test_samples_survive_the_finest_quantiser(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Blocks of 8x8 do so best; the matrices of larger ones are less orthogonal."""
    monkeypatch.setattr(dct.analysis, "_LAMBDA", 0.0)
    pixels = KINDS[kind](40, 72, 1, 4)
    picture = picture_of(72, 40, 1, quality_level=255)
    efforts = dct.analysis._EFFORTS
    for effort in (0, 1, 5, 9):
        if not effort:
            monkeypatch.setattr(dct.analysis, "_EFFORTS", (dct.Effort(0, chooses=False),))
        else:
            monkeypatch.setattr(dct.analysis, "_EFFORTS", efforts)
        parts = coded(pixels, np.zeros((40, 72), np.uint8), picture, effort=max(effort, 1))
        error = np.abs(by_kernels(parts).astype(int) - pixels)
        assert error.max() <= (3 if effort else 2)
        assert (error**2).mean() < (0.4 if effort else 0.25)


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:0"])
def test_colours_survive(monkeypatch: pytest.MonkeyPatch, subsampling: str) -> None:
    monkeypatch.setattr(dct.analysis, "_LAMBDA", 0.0)
    for seed in range(30):
        colour = pictures.constant(11, 14, 3, seed)
        picture = picture_of(14, 11, 3, subsampling=subsampling, quality_level=255)
        parts = coded(colour, np.zeros((11, 14), np.uint8), picture)
        assert np.abs(by_kernels(parts).astype(int) - colour).max() <= 1
    smooth = pictures.smooth(30, 41, 3)
    picture = picture_of(41, 30, 3, subsampling=subsampling, quality_level=255)
    parts = coded(smooth, np.zeros((30, 41), np.uint8), picture)
    error = np.abs(by_kernels(parts).astype(int) - smooth)
    assert error.mean() < (3 if subsampling == "4:2:0" else 0.5)


@pytest.mark.parametrize("size", [(1, 1), (5, 11), (37, 41), (9, 63), (257, 3)])
@pytest.mark.parametrize(("colours", "subsampling"), [(1, "4:4:4"), (3, "4:4:4"), (3, "4:2:0")])
@pytest.mark.parametrize("effort", [1, 5, 9])
def test_what_is_beyond_the_border_repeats_it(size, colours, subsampling, effort: int) -> None:
    """Sizes are odd: then chroma of half the width goes on as the picture would."""
    height, width = size
    pixels = pictures.noise(height, width, colours, 2)
    padded = np.pad(pixels, [(0, -height % 8), (0, -width % 8), (0, 0)], "edge")
    own, other = (
        coded(
            p,
            np.zeros(p.shape[:2], np.uint8),
            picture_of(p.shape[1], p.shape[0], colours, subsampling=subsampling),
            effort=effort,
        )
        for p in (pixels, padded)
    )
    assert own.preview == other.preview
    assert own.background == other.background
