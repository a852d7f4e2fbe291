"""Programs of science open AIG through Pillow or imageio, which they use anyway."""

from pathlib import Path

import numpy as np
import pytest
from support import pictures

import aig_codec
import imageio_aig  # noqa: F401 - registers AIG with imageio
import pillow_aig  # noqa: F401 - registers AIG with Pillow


def photo(k: int = 0) -> np.ndarray:
    return pictures.grainy(60, 80, 3, k)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    target = tmp_path / "photo.aig"
    target.write_bytes(aig_codec.encode(photo(), lossless=True))
    return target


def test_scikit_image(path: Path, tmp_path: Path) -> None:
    io = pytest.importorskip("skimage.io")
    np.testing.assert_array_equal(io.imread(path), photo())
    again = tmp_path / "again.aig"
    io.imsave(again, photo(1), check_contrast=False)
    assert again.read_bytes()[:4] == b"AIG2"
    assert np.abs(io.imread(again).astype(int) - photo(1)).mean() < 12
    collection = io.imread_collection([str(path), str(again)])
    assert [image.shape for image in collection] == [(60, 80, 3)] * 2


def test_matplotlib(path: Path, tmp_path: Path) -> None:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    image = pyplot.imread(str(path))
    np.testing.assert_array_equal(image, photo())
    target = tmp_path / "saved.aig"
    pyplot.imsave(target, image, pil_kwargs={"lossless": True})
    np.testing.assert_array_equal(aig_codec.decode(target)[..., :3], photo())
    figure = pyplot.figure(figsize=(1, 1), dpi=50)
    figure.add_subplot().imshow(image)
    figure.savefig(tmp_path / "figure.png")
    pyplot.close(figure)


def test_dask_arrays(tmp_path: Path) -> None:
    image = pytest.importorskip("dask.array.image")
    for k in range(3):
        (tmp_path / f"{k}.aig").write_bytes(aig_codec.encode(photo(k), lossless=True))
    stack = image.imread(str(tmp_path / "*.aig"))
    assert stack.shape == (3, 60, 80, 3)
    np.testing.assert_array_equal(stack[1].compute(scheduler="threads"), photo(1))
    means = stack.mean(axis=(1, 2, 3)).compute(scheduler="threads")
    np.testing.assert_allclose(means, [photo(k).mean() for k in range(3)])


def test_dask_reads_cores_alone(tmp_path: Path) -> None:
    """`imread=` takes any function: one that reads the focus and nothing else."""
    image = pytest.importorskip("dask.array.image")
    for k in range(2):
        data = aig_codec.encode(photo(k), centers=[(40, 30)], radii=[(9, 12)])
        (tmp_path / f"{k}.aig").write_bytes(data)

    def core(name: str) -> np.ndarray:
        with aig_codec.open(name) as file:
            return file.core(0).pixels

    stack = image.imread(str(tmp_path / "*.aig"), imread=core)
    assert stack.shape[:1] == (2,)
    centre = stack.compute(scheduler="threads")[:, 9, 9]
    np.testing.assert_array_equal(centre, [photo(k)[30, 40] for k in range(2)])


def test_fsspec(path: Path) -> None:
    fsspec = pytest.importorskip("fsspec")
    from PIL import Image

    memory = fsspec.filesystem("memory")
    memory.pipe("/photos/a.aig", path.read_bytes())
    with fsspec.open("memory://photos/a.aig") as file, Image.open(file) as image:
        np.testing.assert_array_equal(np.asarray(image), photo())
    np.testing.assert_array_equal(aig_codec.decode("memory://photos/a.aig"), photo())


def test_image_hash(path: Path) -> None:
    imagehash = pytest.importorskip("imagehash")
    from PIL import Image

    with Image.open(path) as image:
        for method in (imagehash.average_hash, imagehash.phash, imagehash.dhash):
            assert method(image) == method(Image.fromarray(photo()))
