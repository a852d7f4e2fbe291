"""The geometry kernels against the reference, and both against the formula they stand for."""

import math
from fractions import Fraction

import numpy as np
import pytest
import reference
from support import pictures

from aig_codec import _native, geometry
from aig_codec.container import Focus, Metadata
from aig_codec.container.header import MAX_SIGMA, MIN_SIGMA


def _classify(foci, width, height, left=0, top=0):
    return _native.classify(left, top, height, width, geometry.fixed_point(foci))


def _real_distance(focus, x, y):
    """The distance of the specification, in floating point."""
    dx, dy = x - focus.x, y - focus.y
    radial = np.sqrt(dx * dx / focus.sigma[0] + dy * dy / focus.sigma[1])
    return radial + focus.alpha * np.abs(np.arctan2(dy, dx))


def _real_classes(foci, x, y):
    """Classes of any points by floating point: tiers are unions, the nearest granter owns."""
    distances = np.stack([_real_distance(f, x, y) for f in foci])
    classes = np.zeros(np.shape(x), np.uint8)
    for base, radii in ((5, [f.r_mid for f in foci]), (1, [f.r_core for f in foci])):
        granted = np.array(
            [np.where(d <= r, d, np.inf) for d, r in zip(distances, radii, strict=True)]
        )
        inside = np.isfinite(granted).any(axis=0)
        classes[inside] = (base + granted.argmin(axis=0))[inside]
    return classes


@pytest.mark.parametrize("batch", range(4))
def test_classes_equal_the_reference(batch: int) -> None:
    seen = set()
    for seed in range(100 * batch, 100 * batch + 100):
        width, height = (int(n) for n in np.random.default_rng(seed).integers(1, 44, 2))
        foci = pictures.random_foci(seed, width, height)
        found = _classify(foci, width, height)
        expected = reference.class_map(pictures.exact(foci), width, height)
        np.testing.assert_array_equal(found, expected, err_msg=str(foci))
        seen |= set(np.unique(found))
    assert seen == {0, 1, 2, 3, 5, 6, 7}, "the foci are too tame to test anything"


@pytest.mark.parametrize("seed", range(30))
def test_windows_far_from_the_origin_equal_the_reference(seed: int) -> None:
    rng = np.random.default_rng(seed)
    foci = pictures.random_foci(seed, 32767, 32767)
    for k, f in enumerate(foci):
        # Somewhere near the border of one of the tiers, along a direction of its own.
        reach = rng.choice([f.r_core, f.r_mid]) * math.sqrt(f.sigma[k % 2])
        x, y = f.x, f.y
        x, y = (x + reach, y) if k % 2 == 0 else (x, y - reach)
        left, top = (int(min(max(v - 6, 0), 32767 - 13)) for v in (x, y))
        found = _classify(foci, 13, 13, left, top)
        expected = reference.class_map(pictures.exact(foci), 13, 13, left, top)
        np.testing.assert_array_equal(found, expected, err_msg=f"{foci} at {left}, {top}")


@pytest.mark.parametrize("seed", range(20))
def test_assignment_equals_the_reference(seed: int) -> None:
    width, height = (int(n) for n in np.random.default_rng(seed).integers(1, 30, 2))
    foci = pictures.random_foci(seed, width, height)
    owner, distance = geometry.assign(foci, height, width)
    exact = pictures.exact(foci)
    for y in range(height):
        for x in range(width):
            distances = [reference.weighted_distance(f, x, y) for f in exact]
            assert distance[y, x] == min(distances)
            assert owner[y, x] == distances.index(min(distances))


@pytest.mark.parametrize("seed", range(100))
def test_fixed_point_numbers_equal_the_reference(seed: int) -> None:
    foci = pictures.random_foci(seed, 32767, 32767)
    for row, exact in zip(geometry.fixed_point(foci), pictures.exact(foci), strict=True):
        fixed = reference.fixed_point(exact)
        expected = [fixed.inv_x, fixed.inv_y, fixed.shift, exact.alpha100, fixed.core, fixed.mid]
        assert row.tolist() == [exact.x, exact.y, *expected]
        assert 2**31 <= max(fixed.inv_x, fixed.inv_y) < 2**32


def test_the_smallest_and_largest_sigma_equal_the_reference() -> None:
    ends = [pictures.float32_sigma(s) for s in (MIN_SIGMA, MAX_SIGMA)]
    for x in ends:
        for y in ends:
            for alpha in (0, 255):
                scale = 12 / math.sqrt(max(x, y))
                core, mid = (math.ceil(r * 256) / 256 for r in (scale, 2 * scale))
                foci = [Focus(20, 14, (x, y), alpha, core, mid)]
                found = _classify(foci, 40, 30)
                np.testing.assert_array_equal(
                    found, reference.class_map(pictures.exact(foci), 40, 30)
                )


@pytest.mark.parametrize("seed", range(60))
def test_classes_leave_the_real_formula_only_next_to_a_border(seed: int) -> None:
    width, height = 40, 32
    foci = pictures.random_foci(seed, width, height)
    found = _classify(foci, width, height)
    y, x = np.mgrid[:height, :width].astype(float)
    allowed = np.zeros(found.shape, bool)
    # The class found must be the real one of a point within one pixel.
    steps = (0, -0.01, 0.01, -0.2, 0.2, -0.6, 0.6, -1, 1)
    for dy in steps:
        for dx in steps:
            allowed |= _real_classes(foci, x + dx, y + dy) == found
    assert allowed.all(), foci
    agree = np.mean(_real_classes(foci, x, y) == found)
    assert agree > 0.97, f"{agree} of the pixels agree for {foci}"


@pytest.mark.parametrize("seed", range(60))
def test_every_pixel_of_every_ellipse_is_core(seed: int) -> None:
    width, height = 32, 28
    foci = pictures.random_foci(seed, width, height)
    if seed % 2:
        foci = [f._replace(alpha_code=0) for f in foci]
    found = _classify(foci, width, height)
    core, covered = (found >= 1) & (found < 5), found > 0
    for f, exact in zip(foci, pictures.exact(foci), strict=True):
        for y in range(height):
            for x in range(width):
                dx, dy = x - f.x, y - f.y
                if f.alpha_code == 0:
                    # In rational numbers: rounding may only ever add pixels.
                    square = Fraction(dx * dx) / exact.sigma_x + Fraction(dy * dy) / exact.sigma_y
                    in_core, in_mid = square <= exact.core**2, square <= exact.mid**2
                else:
                    distance = _real_distance(f, x, y) + 6e-5 * f.alpha + 1e-9
                    in_core, in_mid = distance <= f.r_core, distance <= f.r_mid
                assert core[y, x] or not in_core, f"{f} at {x}, {y}"
                assert covered[y, x] or not in_mid, f"{f} at {x}, {y}"


def test_unequal_ellipses_keep_what_they_asked_for() -> None:
    # Voronoi assignment alone would give pixels between the two to the small focus, and lose them.
    large, small = Focus(10, 10, (1.0, 1.0), 0, 9.0, 9.0), Focus(17, 10, (1.0, 1.0), 0, 0.5, 0.5)
    found = _classify([large, small], 30, 21)
    assert found[10, 17] == 2
    assert (found[10, 10:17] == 1).all()
    assert (found[10, 18:20] == 1).all()
    assert found[10, 20] == 0


def test_angle_is_close_to_the_real_one() -> None:
    for dy in range(-40, 41):
        for dx in range(-40, 41):
            assert abs(reference.angle(dx, dy) / 65536 - abs(math.atan2(dy, dx))) < 6e-5
    for dx, dy in ((32766, 1), (-32766, 32765), (1, -32766), (-32766, -1)):
        assert abs(reference.angle(dx, dy) / 65536 - abs(math.atan2(dy, dx))) < 6e-5


@pytest.mark.parametrize("seed", range(20))
def test_distance_is_close_to_the_real_one_and_grows_outwards(seed: int) -> None:
    size = 61
    focus = pictures.random_focus(np.random.default_rng(seed), size, size)
    focus = focus._replace(x=30, y=30)
    owner, distance = geometry.assign([focus], size, size)
    assert not owner.any()
    y, x = np.mgrid[:size, :size]
    real = _real_distance(focus, x, y)
    # An inverse Sigma is exact to 2^-31, or to 2^-10 along the far longer axis of a needle.
    error = np.abs(distance / 65536 - real)
    assert (error <= 1e-3 * real + 6e-5 * focus.alpha + 4 / 65536).all()
    steps = distance.astype(np.int64)
    for dy, dx in ((0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (-1, 1), (1, -1), (-1, -1)):
        ray = [steps[30 + k * dy, 30 + k * dx] for k in range(1, 31)]
        assert ray == sorted(ray)
    # The angle's absolute value makes up and down alike.
    np.testing.assert_array_equal(steps, steps[::-1])


@pytest.mark.parametrize("seed", range(20))
def test_windows_are_pieces_of_the_whole(seed: int) -> None:
    rng = np.random.default_rng(seed)
    foci = tuple(pictures.random_foci(seed, 90, 70))
    metadata = Metadata(90, 70, "L", foci)
    whole = geometry.Regions(metadata).class_map()
    for _ in range(5):
        left, right = sorted(rng.choice(91, 2, replace=False).tolist())
        top, bottom = sorted(rng.choice(71, 2, replace=False).tolist())
        window = geometry.Window(left, top, right, bottom)
        found = geometry.Regions(metadata).cores_in(window)
        np.testing.assert_array_equal(found, whole[window.slices])


@pytest.mark.parametrize("seed", range(40))
def test_core_window_holds_the_core(seed: int) -> None:
    foci = tuple(pictures.random_foci(seed, 120, 100))
    metadata = Metadata(120, 100, "L", foci)
    whole = geometry.Regions(metadata).class_map()
    for k in range(len(foci)):
        outside = whole == 1 + k
        outside[geometry.Regions(metadata).core_window(k).slices] = False
        assert not outside.any(), foci


def test_core_window_holds_the_core_of_a_needle() -> None:
    """The inverse of the longer axis' Sigma has few bits where the other Sigma is tiny."""
    narrow = pictures.float32_sigma(MIN_SIGMA * 1.00001)
    for sigma in np.geomspace(1000, MAX_SIGMA * 0.999, 60):
        wide = pictures.float32_sigma(sigma)
        core = math.ceil(30000 / math.sqrt(wide) * 256) / 256
        for width, height, diagonal in ((32767, 1, (wide, narrow)), (1, 32767, (narrow, wide))):
            metadata = Metadata(width, height, "L", (Focus(0, 0, diagonal, 0, core, core),))
            outside = geometry.Regions(metadata).class_map() == 1
            outside[geometry.Regions(metadata).core_window(0).slices] = False
            assert not outside.any(), metadata.foci


def test_arguments_that_would_lead_outside_are_refused() -> None:
    good = geometry.fixed_point([Focus(3, 4, (1.0, 1.0), 10, 2.0, 3.0)])
    assert _native.classify(0, 0, 8, 8, good).shape == (8, 8)
    for column, values in {
        0: (-1, 32768),
        1: (-1, 32768),
        2: (0, -5, 2**32),
        3: (0, 2**32),
        4: (19, 51, -1),
        5: (-1, 256),
        6: (-1, 2**32),
        7: (-1, 2**32),
    }.items():
        for value in values:
            bad = good.copy()
            bad[0, column] = value
            with pytest.raises(ValueError):
                _native.classify(0, 0, 8, 8, bad)
            with pytest.raises(ValueError):
                _native.assign(8, 8, bad)
    for window in ((-1, 0, 8, 8), (0, -1, 8, 8), (32760, 0, 8, 8), (0, 32760, 8, 8), (0, 0, 0, 8)):
        with pytest.raises(ValueError):
            _native.classify(*window, good)
    for shape in ((0, 8), (4, 8), (1, 7)):
        with pytest.raises(ValueError):
            _native.classify(0, 0, 8, 8, np.ones(shape, np.int64))
