"""Data sets of machine learning: labelled pictures, read by what people train with."""

import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support import pictures

import aig_codec
import pillow_aig  # noqa: F401 - registers AIG with Pillow

CLASSES = ("cat", "dog")


def photo(k: int) -> np.ndarray:
    return pictures.grainy(60, 80, 3, k)


def coded(k: int) -> bytes:
    keywords = {"centers": [(40, 30)], "radii": [(12, 15)]}
    return aig_codec.encode(photo(k), **keywords, labels=[CLASSES[k % 2]])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for each class, as DatasetFolder and imagefolder want it."""
    for k in range(4):
        path = tmp_path / "set" / CLASSES[k % 2] / f"{k}.aig"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(coded(k))
    return tmp_path / "set"


@pytest.fixture
def datasets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HF_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    package = pytest.importorskip("datasets")
    package.disable_progress_bars()
    monkeypatch.setattr(package.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    return package


pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


def test_hugging_face_columns_of_images(folder: Path, datasets) -> None:
    paths = sorted(str(p) for p in folder.rglob("*.aig"))
    found = datasets.Dataset.from_dict({"image": paths}).cast_column("image", datasets.Image())
    for row, path in zip(found, paths, strict=True):
        assert row["image"].format == "AIG"
        np.testing.assert_array_equal(np.asarray(row["image"]), aig_codec.decode(path))


def test_hugging_face_folders_of_images(folder: Path, datasets, tmp_path: Path) -> None:
    """The builder has a list of extensions, made when it is imported: AIG is added to it."""
    from datasets.packaged_modules.imagefolder.imagefolder import ImageFolder

    if ".aig" not in ImageFolder.EXTENSIONS:
        ImageFolder.EXTENSIONS.append(".aig")
    files = sorted(str(path) for path in folder.rglob("*.aig"))
    builder = ImageFolder(
        cache_dir=str(tmp_path / "cache"), data_files={"train": files}, drop_labels=False
    )
    builder.download_and_prepare()
    found = builder.as_dataset(split="train")
    assert len(found) == 4
    assert found.features["label"].names == list(CLASSES)
    for row in found:
        assert row["image"].size == (80, 60)
        assert row["image"].info["aig"]["labels"] == [{"name": CLASSES[row["label"]]}]


# It leaves its shards to the garbage collector to close.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_webdataset(tmp_path: Path) -> None:
    webdataset = pytest.importorskip("webdataset")
    shard = tmp_path / "shard-000000.tar"
    with tarfile.open(shard, "w") as tar:
        for k in range(3):
            for name, data in (("aig", coded(k)), ("json", json.dumps({"k": k}).encode())):
                info = tarfile.TarInfo(f"{k:04}.{name}")
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))

    def core(data: bytes) -> np.ndarray:
        with aig_codec.open(data) as file:
            return file.core(0).pixels

    for decoder, centre in ((aig_codec.decode, (30, 40)), (core, (12, 12))):
        rows = webdataset.WebDataset(str(shard), shardshuffle=False).decode(
            webdataset.handle_extension("aig", decoder)
        )
        for k, row in enumerate(rows):
            assert row["json"] == {"k": k}
            np.testing.assert_array_equal(row["aig"][centre], photo(k)[30, 40])
        assert k == 2


def test_pytorch_data_sets(folder: Path) -> None:
    """As torchvision's DatasetFolder does it, with workers of their own."""
    torch = pytest.importorskip("torch")
    from torch.utils.data import DataLoader, Dataset

    class Folder(Dataset):
        def __init__(self) -> None:
            self.paths = sorted(folder.rglob("*.aig"))

        def __len__(self) -> int:
            return len(self.paths)

        def __getitem__(self, k: int):
            with Image.open(self.paths[k]) as image:
                pixels = torch.from_numpy(np.array(image))
            return pixels, CLASSES.index(self.paths[k].parent.name)

    batches = list(DataLoader(Folder(), batch_size=2))
    assert [tuple(images.shape) for images, _ in batches] == [(2, 60, 80, 3)] * 2
    assert torch.cat([labels for _, labels in batches]).tolist() == [0, 0, 1, 1]


def test_torchvision_folders(folder: Path) -> None:
    """Whole pictures by Pillow, and cores by the codec, in workers of their own."""
    vision = pytest.importorskip("torchvision.datasets")
    pytest.importorskip("torch")
    from torch.utils.data import DataLoader
    from torchvision.transforms.functional import pil_to_tensor

    def whole(path: str):
        with Image.open(path) as image:
            return pil_to_tensor(image)

    pictures_set = vision.DatasetFolder(str(folder), whole, extensions=(".aig",))
    assert pictures_set.classes == list(CLASSES)
    batches = list(DataLoader(pictures_set, batch_size=2, num_workers=2))
    assert [tuple(images.shape) for images, _ in batches] == [(2, 3, 60, 80)] * 2
    cores = vision.DatasetFolder(str(folder), core_of, extensions=(".aig",))
    for (pixels, label), (path, _) in zip(cores, cores.samples, strict=True):
        np.testing.assert_array_equal(pixels[12, 12], photo(int(Path(path).stem))[30, 40])
        assert CLASSES[label] == Path(path).parent.name


def core_of(path: str) -> np.ndarray:
    with aig_codec.open(path) as file:
        return file.core(0).pixels
