"""The images of a run and their focus, and the masks that follow from it."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

U8 = NDArray[np.uint8]
Mask = NDArray[np.bool_]

#: Where the test photographs lie on a developer's machine, if they are there.
DEFAULT_FOLDER = Path(__file__).resolve().parents[2] / "shared" / "images"


@dataclass(frozen=True)
class Focus:
    """Ellipses of an image: per focus the center (x, y), Sigma (x, y) and radii (core, mid)."""

    centers: tuple[tuple[int, int], ...]
    sigmas: tuple[tuple[float, float], ...]
    radii: tuple[tuple[float, float], ...]

    @classmethod
    def from_json(cls, entry: dict[str, Any]) -> "Focus":
        """An entry of focus.json. The angle term (alpha) has no mask here, so it must be 0."""
        if any(entry.get("alpha", ())):
            raise ValueError("the bench knows foci with alpha 0 only")
        return cls(
            tuple((int(x), int(y)) for x, y in entry["centers"]),
            tuple((float(x), float(y)) for x, y in entry["sigma"]),
            tuple(zip(map(float, entry["r_core"]), map(float, entry["r_mid"]), strict=True)),
        )

    def ellipses(self, shape: Sequence[int]) -> list[Mask]:
        """The core of each focus on its own, in an image of this shape (height, width, ...)."""
        y, x = np.ogrid[: shape[0], : shape[1]]
        return [
            ((x - cx) ** 2 / sx + (y - cy) ** 2 / sy) <= core**2
            for (cx, cy), (sx, sy), (core, _) in zip(
                self.centers, self.sigmas, self.radii, strict=True
            )
        ]

    def core(self, shape: Sequence[int]) -> Mask:
        """The pixels that must come back exactly: the union of the ellipses."""
        core: Mask = np.logical_or.reduce(self.ellipses(shape))
        return core


@dataclass(frozen=True)
class Picture:
    """An image that is loaded when its turn comes."""

    name: str
    focus: Focus
    size: tuple[int, int]
    load: Callable[[], U8]

    @property
    def folder(self) -> str:
        """The part of the name before the last slash, empty without one."""
        return self.name.rpartition("/")[0]

    @property
    def megapixels(self) -> float:
        """Millions of pixels."""
        return self.size[0] * self.size[1] / 1e6


def find(folder: Path | None, focus_file: Path | None) -> list[Picture]:
    """The images that focus_file lists, of a folder; without a folder, whatever is at hand.

    focus_file defaults to focus.json in the folder. Raises FileNotFoundError where either is
    missing, and ModuleNotFoundError where nothing is at hand.
    """
    if folder is None:
        if not DEFAULT_FOLDER.is_dir():
            return samples()
        folder = DEFAULT_FOLDER
    entries = json.loads((focus_file or folder / "focus.json").read_text())
    pictures = []
    for name, entry in entries.items():
        path = folder / name
        with Image.open(path) as image:
            size = image.size
        pictures.append(Picture(name, Focus.from_json(entry), size, partial(_load, path)))
    return pictures


def _load(path: Path) -> U8:
    with Image.open(path) as image:
        return np.ascontiguousarray(np.asarray(image.convert("RGB")))


#: The two photographs that come with scikit-learn: the top of a pagoda, the heart of a dahlia.
_SAMPLES = {
    "china.jpg": Focus(((207, 150),), ((1.6, 1.0),), ((70.0, 88.0),)),
    "flower.jpg": Focus(((310, 218),), ((1.0, 1.0),), ((70.0, 88.0),)),
}


def samples() -> list[Picture]:
    """The sample images of scikit-learn."""
    from sklearn.datasets import load_sample_image

    def load(name: str) -> U8:
        return np.ascontiguousarray(load_sample_image(name))

    return [
        Picture(name, focus, load(name).shape[1::-1], partial(load, name))
        for name, focus in _SAMPLES.items()
    ]
