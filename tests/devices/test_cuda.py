"""What runs on a device, compiled for this processor: equal to the CPU's decoder, to the bit."""

import ctypes
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from support import emulated, pictures
from support.files import payloads, reseal
from support.tiers import mostly_slow

import aig_codec
from aig_codec import errors, geometry
from aig_codec.coders import dct
from aig_codec.container import Focus, Metadata
from aig_codec.devices.cuda.analysis import DeviceAnalysis
from aig_codec.devices.cuda.canvas import make_surface
from aig_codec.devices.cuda.device import OPTIONS, source
from aig_codec.devices.cuda.frame import Constants
from aig_codec.devices.cuda.geometry import assign, classify
from aig_codec.threads import Workers

pytestmark = pytest.mark.skipif(emulated.compiler() is None, reason="there is no C++ compiler")

FOCUS = {"centers": [(150, 120), (270, 60)], "radii": [(30, 60), (20, 30)]}


@pytest.fixture
def device():
    return emulated.EmulatedDevice()


def decoded(device, data, **options):
    """The picture by way of the device, and the problems."""
    with aig_codec.open(data) as file:
        pixels = file.compose(partial(make_surface, Constants(device)), **options)
        pixels = device.download(pixels)
        return pixels[..., 0] if file.mode == "L" else pixels, file.problems


@pytest.mark.parametrize("colours", [1, 3])
@pytest.mark.parametrize("subsampling", mostly_slow(["4:2:0", "4:4:4"], "4:2:0"))
@pytest.mark.parametrize("entropy", mostly_slow(["rans", "adaptive", "golomb"], "rans"))
@pytest.mark.parametrize("effort", mostly_slow([1, 5, 8], 1, 5))
def test_pixels_are_those_of_the_cpu(device, colours, subsampling, entropy, effort) -> None:
    picture = pictures.mixed(277, 411, colours, 3)
    for tune, mid in (("psnr", "dct"), ("visual", "none")):
        data = aig_codec.encode(
            picture,
            entropy=entropy,
            subsampling=subsampling,
            effort=effort,
            tune=tune,
            mid=mid,
            **FOCUS,
        )
        for scale in (1, 2, 4, 8):
            for upto in ("core", "preview", "mid", "full"):
                shown, problems = decoded(device, data, scale=scale, upto=upto)
                assert problems == []
                expected = aig_codec.decode(data, scale=scale, upto=upto)
                np.testing.assert_array_equal(shown, expected)


@pytest.mark.parametrize(
    "options",
    [
        {"mid": "palette", "boundary_tau": 1},
        {"mid": "dct", "boundary_tau": 0, "effort": 3},
        {"quality": 99, "entropy": "rans"},
        {"quality": 1, "entropy": "rans", "tune": "visual"},
        {"lossless": True},
        {"boxes": [(20, 30, 90, 100), (200, 50, 260, 90)], "entropy": "rans"},
    ],
)
@pytest.mark.parametrize("channels", mostly_slow([1, 2, 3, 4], 4))
def test_all_kinds_of_files(device, options, channels) -> None:
    picture = pictures.mixed(150, 301, channels, 5)
    focus = {} if {"boxes", "lossless"} & options.keys() else FOCUS
    data = aig_codec.encode(picture, **options, **focus)
    for scale in (1, 2, 4, 8):
        shown, _ = decoded(device, data, scale=scale)
        np.testing.assert_array_equal(shown, aig_codec.decode(data, scale=scale))


def test_frozen_files(device) -> None:
    from vectors import FOLDER

    files = sorted(FOLDER.glob("*.aig"))
    assert len(files) > 20
    for path in files:
        data = path.read_bytes()
        shown, _ = decoded(device, data)
        np.testing.assert_array_equal(shown, aig_codec.decode(data), err_msg=path.name)


@pytest.mark.parametrize("entropy", mostly_slow(["rans", "adaptive"], "adaptive"))
def test_damaged_files_fail_alike(device, entropy) -> None:
    """The same error, and the same partial picture."""
    from aig_codec.coders import substreams

    picture = pictures.mixed(300, 560, 3, 7)
    data = aig_codec.encode(picture, entropy=entropy, mid="dct", **FOCUS)
    rng = np.random.default_rng(3)
    refused = 0
    for kind in ("preview", "mid", "background"):
        count = 1 if kind == "preview" else 6
        head, own = substreams.unpack(payloads(data)[kind, None], count)
        for _ in range(20):
            # Substreams whose checksums are right, and whose contents are not.
            changed = list(own)
            k = int(rng.integers(count))
            raw, coded = (bytearray(part) for part in own[k])
            victim = raw if raw and rng.random() < 0.3 else coded
            if victim:
                victim[rng.integers(len(victim))] ^= 1 << rng.integers(8)
            if rng.random() < 0.2:
                del victim[rng.integers(len(victim) + 1) :]
            changed[k] = substreams.Substream(bytes(raw), bytes(coded))
            damaged = reseal(data, {(kind, None): substreams.pack(head, changed)})
            expected, error = None, None
            try:
                expected = aig_codec.decode(damaged)
            except errors.CorruptError as e:
                error = str(e)
                refused += 1
            if error is None:
                np.testing.assert_array_equal(decoded(device, damaged)[0], expected)
                continue
            with pytest.raises(errors.CorruptError) as raised:
                decoded(device, damaged)
            assert str(raised.value) == error
            with aig_codec.open(damaged) as file:
                partial_picture = file.decode(strict=False)
                problems = [str(p) for p in file.problems]
            shown, own_problems = decoded(device, damaged, strict=False)
            np.testing.assert_array_equal(shown, partial_picture)
            assert [str(p) for p in own_problems] == problems
    assert refused > 20


@pytest.mark.slow
@pytest.mark.parametrize("entropy", ["rans", "adaptive"])
def test_cut_files_are_what_the_cpu_makes_of_them(device, entropy) -> None:
    """At every byte of the first segments, then at some: an error or a partial picture alike."""
    picture = pictures.mixed(70, 90, 4, 3)
    data = aig_codec.encode(
        picture,
        entropy=entropy,
        mid="dct",
        boundary_tau=1,
        centers=[(40, 30)],
        radii=[(12, 20)],
    )
    constants = Constants(device)
    with aig_codec.open(data) as file:
        dense = len(data) - file.bytes_for("background") - file.bytes_for("boundary")
    for length in (*range(dense - 300, dense), *range(dense, len(data), 7), len(data) - 1):
        found = []
        for make in (None, partial(make_surface, constants)):
            try:
                with aig_codec.open(data[:length]) as file:
                    if make is None:
                        pixels = file.decode(strict=False)
                    else:
                        pixels = file.compose(make, strict=False)
                    found.append((pixels, [str(p) for p in file.problems]))
            except errors.AigError as error:
                found.append((None, str(error)))
        (expected, problems), (shown, own_problems) = found
        np.testing.assert_array_equal(shown, expected)
        assert own_problems == problems


def test_tiers_of_different_coders(device) -> None:
    """One of them is decoded on the device, the other one on the host."""
    picture = pictures.mixed(300, 411, 3, 3)
    by_coder = {
        entropy: aig_codec.encode(picture, entropy=entropy, mid="dct", **FOCUS)
        for entropy in ("rans", "adaptive")
    }
    other = payloads(by_coder["adaptive"])
    for kind in ("mid", "background"):
        data = reseal(by_coder["rans"], {(kind, None): other[kind, None]})
        np.testing.assert_array_equal(decoded(device, data)[0], aig_codec.decode(data))


def test_a_window_of_the_picture(device) -> None:
    data = aig_codec.encode(pictures.mixed(200, 301, 3, 5), **FOCUS)
    region = (90, 70, 211, 155)
    for scale in (1, 2):
        shown, _ = decoded(device, data, region=region, scale=scale)
        np.testing.assert_array_equal(shown, aig_codec.decode(data, region=region, scale=scale))


def test_a_picture_that_does_not_fit_is_refused(device) -> None:
    data = aig_codec.encode(pictures.mixed(200, 301, 3, 5), **FOCUS)
    device.free = 400_000
    with pytest.raises(errors.DeviceError, match="301 x 200 pixels"):
        decoded(device, data)
    assert decoded(device, data, scale=8)[0].shape == (25, 38, 3)
    device.free = 1_000_000
    assert decoded(device, data)[0].shape == (200, 301, 3)


def test_a_device_gets_little_more_than_the_file(device) -> None:
    """Of the static profile: the file's streams, the pixels of cores and drawn tiles, and what
    stands for the 1/8 image."""
    picture = pictures.mixed(512, 768, 3, 2)
    data = aig_codec.encode(picture, entropy="rans", quality=75, **FOCUS)
    constants = Constants(device)
    before = device.uploaded
    with aig_codec.open(data) as file:
        file.compose(partial(make_surface, constants))
    with aig_codec.open(data) as file:
        classes = file.regions().class_map()
        exact = (geometry.outside_cores(classes) == 0) | (classes == geometry.SCREEN_CONTENT)
        cores = 3 * int(exact.sum())
        background = file.bytes_for("background")
    eighth = 512 * 768 // 64
    assert device.uploaded - before < background + cores + 8 * eighth + 24_000


@pytest.mark.parametrize("seed", range(12))
def test_geometry(device, seed) -> None:
    rng = np.random.default_rng(seed)
    foci = [
        Focus(
            int(rng.integers(0, 200)),
            int(rng.integers(0, 120)),
            tuple(np.exp(rng.uniform(-3, 8, 2))),
            int(rng.integers(0, 2) * rng.integers(0, 256)),
            core := float(rng.uniform(0, 40)),
            core + float(rng.uniform(0, 30)),
        )
        for _ in range(rng.integers(1, 4))
    ]
    from aig_codec import _native

    window = geometry.Window(13, 5, 190, 117)
    rows = geometry.fixed_point(foci)
    expected = _native.classify(window.left, window.top, window.size[1], window.size[0], rows)
    np.testing.assert_array_equal(classify(device, foci, window), expected)
    for own, right in zip(
        assign(device, foci, 120, 200), geometry.assign(foci, 120, 200), strict=True
    ):
        np.testing.assert_array_equal(own, right)


def test_kernels_compile_for_real_devices() -> None:
    """By NVIDIA's compiler, for the oldest and the newest that it knows well; as CuPy calls it."""
    nvrtc = pytest.importorskip("nvidia.cuda_nvrtc", reason="there is no NVRTC")
    folder = Path(nvrtc.__path__[0]) / "lib"
    ctypes.CDLL(str(next(folder.glob("libnvrtc-builtins.so.*"))), mode=ctypes.RTLD_GLOBAL)
    compiler = ctypes.CDLL(str(next(folder.glob("libnvrtc.so.*"))))
    for architecture in (b"sm_75", b"sm_90"):
        program, size = ctypes.c_void_p(), ctypes.c_size_t()
        code = source().encode()
        assert not compiler.nvrtcCreateProgram(
            ctypes.byref(program), code, b"kernels.cu", 0, None, None
        )
        given = [*(option.encode() for option in OPTIONS), b"--gpu-architecture=" + architecture]
        options = (ctypes.c_char_p * len(given))(*given)
        failed = compiler.nvrtcCompileProgram(program, len(given), options)
        compiler.nvrtcGetProgramLogSize(program, ctypes.byref(size))
        log = ctypes.create_string_buffer(size.value)
        compiler.nvrtcGetProgramLog(program, log)
        compiler.nvrtcDestroyProgram(ctypes.byref(program))
        assert not failed, log.value.decode()
        assert not log.value.strip(b"\n"), log.value.decode()


def analysed(make, picture, **options):
    """What an analysis of the whole picture as background and mid tier codes."""
    height, width, _ = picture.shape
    rng = np.random.default_rng(5)
    classes = np.zeros((height, width), np.uint8)
    classes[: height // 3, : width // 2] = geometry.MID
    classes[height // 2 :, width // 3 : width // 2] = geometry.CORE
    classes[rng.random(classes.shape) < 0.001] = geometry.CORE
    meta = Metadata(
        width=width,
        height=height,
        mode="RGB",
        foci=(Focus(0, 0, (1.0, 1.0), 0, 0.0, 0.0),),
        mid="dct",
        **options,
    )
    with Workers(1) as workers:
        analysis = make(picture, meta, classes, "auto", 1, workers)
        return analysis.encode([dct.MID, dct.BACKGROUND])


@pytest.mark.parametrize(
    "effort",
    [
        dct.Effort(1, chooses=False, alone=True),
        dct.Effort(1, alone=True),
        dct.Effort(2, alone=True),
    ],
)
@pytest.mark.parametrize("table", mostly_slow([0, 1], 0))
@pytest.mark.parametrize("subsampling", ["4:2:0", "4:4:4"])
def test_blocks_and_levels_are_those_of_the_cpu(
    device, monkeypatch, effort, table, subsampling
) -> None:
    """Also with larger transforms than any effort has that a device is used for."""
    monkeypatch.setattr(dct.analysis, "_EFFORTS", (effort,))
    constants = Constants(device)
    smooth = pictures.mixed(301, 437, 3, 8)
    smooth[100:] = smooth[100:] // 16 + 90
    noise = np.random.default_rng(1).integers(0, 2, (70, 333, 3), np.uint8) * 255
    for picture in (smooth, noise):
        for level in (10, 192, 255):
            options = {"quality_level": level, "mid_level": 255, "subsampling": subsampling}
            options |= {"qp_table_id": table}
            expected = analysed(dct.Analysis, picture, **options)
            device.launched.clear()
            own = analysed(partial(DeviceAnalysis, constants, picture), picture, **options)
            assert own == expected
            assert {"to_planes", "cut_superblocks", "choose_levels"} <= set(device.launched)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("together", [{"threads": 5, "blocks": 2}, {"blocks": 5}])
def test_threads_and_blocks_side_by_side(together) -> None:
    """Kernels decode and encode what one thread does."""
    device = emulated.EmulatedDevice(**together)
    picture = pictures.mixed(70, 101, 3, 3)
    options = {"centers": [(60, 30)], "radii": [(10, 25)], "boundary_tau": 1}
    for entropy, effort, tune in (("rans", 8, "visual"), ("adaptive", 5, "psnr")):
        data = aig_codec.encode(picture, entropy=entropy, effort=effort, tune=tune, **options)
        for scale in (1, 2):
            shown, _ = decoded(device, data, scale=scale)
            np.testing.assert_array_equal(shown, aig_codec.decode(data, scale=scale))
    make = partial(DeviceAnalysis, Constants(device), picture)
    options = {"quality_level": 192, "mid_level": 200, "subsampling": "4:2:0", "qp_table_id": 1}
    assert analysed(make, picture, **options) == analysed(dct.Analysis, picture, **options)
    foci = [Focus(20, 30, (3.0, 9.0), 40, 10.0, 20.0), Focus(80, 50, (1.0, 1.0), 0, 9.0, 12.0)]
    found, right = assign(device, foci, 70, 101), geometry.assign(foci, 70, 101)
    np.testing.assert_array_equal(found, right)


def test_a_picture_too_large_for_the_device_is_analysed_by_the_cpu(device) -> None:
    picture = pictures.mixed(100, 120, 3, 8)
    options = {"quality_level": 192, "mid_level": 200, "subsampling": "4:4:4"}
    make = partial(DeviceAnalysis, Constants(device), picture)
    device.free = 30_000
    device.launched.clear()
    assert analysed(make, picture, **options) == analysed(dct.Analysis, picture, **options)
    assert device.launched == []


def test_memory_that_ends_half_way_leaves_the_rest_to_the_cpu(device, monkeypatch) -> None:
    picture = pictures.mixed(100, 120, 3, 8)
    options = {"quality_level": 192, "mid_level": 200, "subsampling": "4:2:0", "qp_table_id": 1}
    make = partial(DeviceAnalysis, Constants(device), picture)
    whole = device.empty

    def empty(shape, dtype):
        if "variances" in device.launched:
            raise errors.DeviceError("the device's memory is full")
        return whole(shape, dtype)

    monkeypatch.setattr(device, "empty", empty)
    assert analysed(make, picture, **options) == analysed(dct.Analysis, picture, **options)
    assert "variances" in device.launched
    assert "choose_levels" not in device.launched
