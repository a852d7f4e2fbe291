"""`devices.gpu`: with a stand-in for CuPy everywhere, with CuPy where there is a device."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
from PIL import Image
from support import ROOT, emulated, pictures
from support.tiers import mostly_slow

import aig_codec
from aig_codec import errors, geometry
from aig_codec.devices import batches, gpu

FOCUS = {"centers": [(60, 50)], "radii": [(20, 30)]}


def forget(monkeypatch):
    """Begin as if nothing had been asked of any device."""
    for cached in (gpu._cupy, gpu._module):
        cached.cache_clear()
    monkeypatch.setattr(gpu, "_local", threading.local())
    monkeypatch.setattr(batches, "_decoders", {})


@pytest.fixture
def without(monkeypatch):
    """No CuPy."""
    forget(monkeypatch)
    monkeypatch.setitem(sys.modules, "cupy", None)
    yield
    gpu._cupy.cache_clear()


@pytest.fixture(params=["stand-in", pytest.param("device", marks=pytest.mark.gpu)])
def to_host(request, monkeypatch):
    """A function that takes arrays of the device to the host; a device, or what stands in."""
    forget(monkeypatch)
    if request.param == "device":
        yield request.getfixturevalue("cupy").asnumpy
    else:
        if emulated.compiler() is None:
            pytest.skip("there is no C++ compiler")
        monkeypatch.setitem(sys.modules, "cupy", emulated.cupy())
        yield np.asarray
    forget(monkeypatch)


def files(count=5, **options):
    return [
        aig_codec.encode(pictures.mixed(100 + 3 * k, 131 + 7 * k, 3, k), **FOCUS, **options)
        for k in range(count)
    ]


def test_without_cupy_an_error_says_what_to_install(without) -> None:
    data = files(1)[0]
    assert gpu.devices() == 0
    for ask in (
        lambda: aig_codec.decode(data, device="cuda"),
        lambda: aig_codec.decode_batch([data]),
        lambda: aig_codec.loader([data], batch=1),
        lambda: gpu.assign([], 4, 4),
    ):
        with pytest.raises(errors.DeviceError, match=r"pillow-aig\[cuda12\]"):
            ask()
    assert aig_codec.decode(data, device="cpu").shape == (100, 131, 3)


def test_without_a_device_an_error_says_so(monkeypatch) -> None:
    forget(monkeypatch)
    monkeypatch.setitem(sys.modules, "cupy", emulated.cupy(0))
    with pytest.raises(errors.DeviceError, match="no CUDA device"):
        aig_codec.decode(files(1)[0], device="cuda")
    forget(monkeypatch)


def test_cupy_is_imported_by_those_who_ask_for_it_only() -> None:
    code = "import sys, aig_codec.devices.batches, pillow_aig; assert 'cupy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_one_file(to_host) -> None:
    for entropy in ("rans", "adaptive"):
        for data in files(2, entropy=entropy):
            for scale, upto in ((1, "full"), (2, "mid"), (8, "full")):
                shown = aig_codec.decode(data, device="cuda", scale=scale, upto=upto)
                expected = aig_codec.decode(data, scale=scale, upto=upto)
                np.testing.assert_array_equal(to_host(shown), expected)
    second = aig_codec.join(files(2), [40, 40])
    for more in ({"region": (10, 20, 99, 70)}, {"frame": 1}):
        shown = aig_codec.decode(second, device="cuda", **more)
        np.testing.assert_array_equal(to_host(shown), aig_codec.decode(second, **more))
    grey = aig_codec.encode(pictures.mixed(70, 131, 1, 4), **FOCUS)
    assert aig_codec.decode(grey, device="cuda").shape == (70, 131)
    deep = aig_codec.encode(pictures.mixed(70, 131, 1, 4).astype(np.uint16) * 200)
    np.testing.assert_array_equal(
        to_host(aig_codec.decode(deep, device="cuda")), aig_codec.decode(deep)
    )


def test_batches_without_a_size_are_the_pictures(to_host) -> None:
    sources = files(entropy="rans")
    found = aig_codec.decode_batch(sources)
    assert len(found) == len(sources)
    for data, pixels in zip(sources, found, strict=True):
        np.testing.assert_array_equal(to_host(pixels), aig_codec.decode(data))
    planar = aig_codec.decode_batch(sources, layout="NCHW", dtype=np.float32)
    for data, pixels in zip(sources, planar, strict=True):
        expected = aig_codec.decode(data).transpose(2, 0, 1) / np.float32(255)
        np.testing.assert_allclose(to_host(pixels), expected, atol=1e-6)
    assert aig_codec.decode_batch([]) == []


@pytest.mark.parametrize("size", [(64, 48), (200, 170), (1, 1), (131, 100)])
def test_batches_of_a_size_are_what_pillow_makes_of_it(to_host, size) -> None:
    sources = files()
    found = to_host(aig_codec.decode_batch(sources, size=size))
    assert found.shape == (len(sources), size[1], size[0], 3)
    assert found.dtype == np.uint8
    for data, pixels in zip(sources, found, strict=True):
        image = Image.fromarray(aig_codec.decode(data))
        expected = np.asarray(image.resize(size, Image.Resampling.BILINEAR))
        # Pillow rounds to bytes between both directions.
        assert np.abs(pixels.astype(int) - expected).max() <= 1
    floats = to_host(aig_codec.decode_batch(sources, size=size, dtype="float32", layout="NCHW"))
    assert floats.shape == (len(sources), 3, size[1], size[0])
    assert np.abs(255 * floats.transpose(0, 2, 3, 1) - found).max() <= 0.51


def test_several_devices_share_a_batch(to_host) -> None:
    sources = files(5)
    whole = aig_codec.decode_batch(sources, size=(40, 30))
    shares = aig_codec.decode_batch(sources, size=(40, 30), devices=[0, "cuda:0"])
    assert [len(share) for share in shares] == [2, 3]
    joined = np.concatenate([to_host(share) for share in shares])
    np.testing.assert_array_equal(joined, to_host(whole))
    with pytest.raises(errors.DeviceError, match="no device 9"):
        aig_codec.decode_batch(sources, devices=[0, 9])


def test_a_loader_gives_all_files_once(to_host, tmp_path) -> None:
    sources = files(7)
    paths = []
    for k, data in enumerate(sources):
        paths.append(tmp_path / f"{k}.aig")
        paths[-1].write_bytes(data)
    for prefetch in (0, 1, 3):
        found = list(aig_codec.loader(paths, batch=3, size=(40, 30), prefetch=prefetch))
        assert [len(batch) for batch in found] == [3, 3, 1]
        whole = to_host(aig_codec.decode_batch(sources, size=(40, 30)))
        np.testing.assert_array_equal(np.concatenate([to_host(b) for b in found]), whole)


def test_a_loader_begins_no_more_than_it_was_told(to_host) -> None:
    sources = iter(files(3) * 20)
    batches = aig_codec.loader(sources, batch=2, size=(40, 30), prefetch=2)
    next(batches)
    batches.close()
    assert len(list(sources)) == 60 - 2 * 3


def test_a_damaged_file_of_a_batch_is_an_error(to_host) -> None:
    sources = files(4)
    broken = bytearray(sources[2])
    broken[-20] ^= 255
    for batch in ([*sources[:2], bytes(broken), *sources[3:]], [b"no picture", *sources]):
        with pytest.raises(errors.AigError):
            aig_codec.decode_batch(batch, size=(40, 30))
        with pytest.raises(errors.AigError):
            list(aig_codec.loader(batch, batch=2))
    lenient = aig_codec.decode_batch([bytes(broken)], strict=False)
    with aig_codec.open(bytes(broken)) as file:
        np.testing.assert_array_equal(to_host(lenient[0]), file.decode(strict=False))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dtype": "int16"}, "dtype"),
        ({"layout": "HWC"}, "layout"),
        ({"size": (0, 4)}, "size"),
        ({"device": "gpu"}, "device"),
        ({"scale": 3}, "scale"),
        ({"upto": "most"}, "upto"),
    ],
)
def test_bad_arguments(to_host, options, message) -> None:
    with pytest.raises(ValueError, match=message):
        aig_codec.decode_batch(files(1), **options)


def test_what_a_batch_cannot_hold(to_host) -> None:
    grey = aig_codec.encode(pictures.mixed(70, 131, 1, 4), **FOCUS)
    with pytest.raises(ValueError, match="channels"):
        aig_codec.decode_batch([files(1)[0], grey], size=(20, 20))
    deep = aig_codec.encode(pictures.mixed(70, 131, 1, 4).astype(np.uint16) * 200)
    with pytest.raises(ValueError, match="8 bits"):
        aig_codec.decode_batch([deep])
    with pytest.raises(ValueError, match="batch"):
        aig_codec.loader([], batch=0)


def test_decoding_from_several_threads(to_host) -> None:
    sources = files(4, entropy="rans") * 3
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(partial(aig_codec.decode, device="cuda"), sources))
    for data, pixels in zip(sources, found, strict=True):
        np.testing.assert_array_equal(to_host(pixels), aig_codec.decode(data))


def on_device(to_host, picture):
    if to_host is np.asarray:
        return emulated.OfAnotherLibrary(picture)
    import cupy

    return cupy.asarray(picture)


@pytest.mark.parametrize("effort", mostly_slow([1, 2, 3, 5], 1))
@pytest.mark.parametrize("subsampling", ["4:2:0", "4:4:4"])
@pytest.mark.parametrize("channels", mostly_slow([1, 2, 3, 4], 3))
def test_arrays_of_a_device_become_the_file_of_the_cpu(
    to_host, effort, subsampling, channels
) -> None:
    picture = pictures.mixed(261, 283, channels, 3)
    there = on_device(to_host, picture)
    foci = {"centers": [(150, 120), (255, 60)], "radii": [(30, 60), (20, 30)]}
    for more in (
        {"quality": 30, "mid": "dct"},
        {"quality": 95, "tune": "visual", "entropy": "rans"},
        {"mid": "palette", "boundary_tau": 1},
        {"mid": "auto", "quality": 60},
        {"target_psnr": 36},
    ):
        options = {"effort": effort, "subsampling": subsampling, **foci, **more}
        assert aig_codec.encode(there, **options) == aig_codec.encode(picture, **options)


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (8, 8), (17, 33), (256, 257)])
@pytest.mark.parametrize("effort", mostly_slow([1, 3], 1))
def test_small_and_uneven_arrays_of_a_device(to_host, shape, effort) -> None:
    rng = np.random.default_rng(sum(shape))
    noise = rng.integers(0, 256, (*shape, 3), np.uint8)
    extremes = np.where(rng.random((*shape, 1)) < 0.5, 0, 255).astype(np.uint8) * [0, 1, 1]
    for picture in (noise, extremes.astype(np.uint8), noise[..., 0]):
        there = on_device(to_host, picture)
        for quality in (1, 75, 100):
            options = {"effort": effort, "quality": quality, "centers": [(0, 0)], "radii": [(0, 2)]}
            assert aig_codec.encode(there, **options) == aig_codec.encode(picture, **options)


def test_geometry(to_host) -> None:
    with aig_codec.open(files(1)[0]) as file:
        foci, classes = file.metadata.foci, file.regions().cores_in(geometry.Window(0, 0, 131, 100))
    np.testing.assert_array_equal(to_host(gpu.class_map(foci, 100, 131)), classes)
    for own, right in zip(gpu.assign(foci, 100, 131), geometry.assign(foci, 100, 131), strict=True):
        np.testing.assert_array_equal(to_host(own), right)


def test_the_bench(to_host, monkeypatch, tmp_path, capsys) -> None:
    if not (ROOT / "bench").is_dir():
        pytest.skip("the bench is part of the repository only")
    pytest.importorskip("skimage", reason="the bench needs it", exc_type=ImportError)
    from bench import gpu as bench
    from bench import gpu_host, images

    monkeypatch.setattr(gpu_host, "RUNS", 1)
    monkeypatch.setattr(bench, "_REPEATS", 1)
    assert bench.main(images.samples(), tmp_path, size=(320, 256), count=3) == 0
    report = (tmp_path / bench.REPORT).read_text()
    assert report.strip() == capsys.readouterr().out.strip()
    assert report.count("\n| ") == 2 + 14
    assert "bytes to the device" in report
    monkeypatch.setitem(sys.modules, "cupy", None)
    gpu._cupy.cache_clear()
    assert bench.main(images.samples(), tmp_path, size=(320, 256)) == 2
    report = (tmp_path / bench.REPORT).read_text()
    assert report.count("\n| ") == 2 + 3
    assert "no device" in report


@pytest.mark.gpu
@pytest.mark.timeout(600)
def test_nothing_is_left_of_a_thousand_batches(monkeypatch, cupy) -> None:
    forget(monkeypatch)
    sources = files(3, entropy="rans")
    pool, used = cupy.get_default_memory_pool(), []
    for k in range(1000):
        aig_codec.decode_batch(sources, size=(64, 48))
        if k % 100 == 99:
            used.append((pool.used_bytes(), pool.total_bytes()))
    assert len(set(used[1:])) == 1
