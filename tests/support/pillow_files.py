"""Pictures that Pillow saves as AIG and loads again, for the tests of the plug-in."""

import io
from typing import Any

import numpy as np
from PIL import Image, ImageFile

import aig_codec
import pillow_aig  # noqa: F401 - registers AIG with Pillow
from aig_codec.container import read_prologue

CHANNELS = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}
FOCI: dict[str, Any] = {"centers": [(20, 18), (58, 30)], "radii": [(8, 12), (5, 9)]}


def picture(mode: str = "RGB", width: int = 75, height: int = 50) -> Image.Image:
    """Smooth gradients, texture, and blocks with hard edges such as text has."""
    y, x = np.mgrid[:height, :width]
    planes = [
        128 + 90 * np.sin(x / 17 + 2 * c) * np.cos(y / 23 - c) + 12 * ((x * 7 + y * 3) % 5 - 2)
        for c in range(CHANNELS[mode])
    ]
    pixels = np.stack(planes, axis=-1)
    pixels[height // 4 : height // 2 : 3, width // 3 : width // 2] = 16
    pixels[height // 4 : height // 2, width // 3 : width // 2 : 4] = 240
    pixels = pixels.clip(0, 255).astype(np.uint8)
    return Image.fromarray(pixels[..., 0] if mode == "L" else pixels)


def saved(image: Image.Image, **options: Any) -> bytes:
    target = io.BytesIO()
    image.save(target, "AIG", **options)
    return target.getvalue()


def loaded(data: bytes) -> Image.Image:
    with Image.open(io.BytesIO(data)) as image:
        image.load()
    return image


def same(a: Image.Image, b: Image.Image) -> bool:
    return (a.mode, a.size, a.tobytes()) == (b.mode, b.size, b.tobytes())


def has_core(image: Image.Image, k: int, data: bytes, original: Image.Image) -> bool:
    """Whether every pixel of core k, as the intact file delimits it, is the original's."""
    with aig_codec.open(data) as file:
        core = file.core(k)
    box = (core.left, core.top, core.left + core.mask.shape[1], core.top + core.mask.shape[0])
    assert core.mask.any()
    got, wanted = (np.asarray(i.crop(box))[core.mask] for i in (image, original))
    return bool(np.array_equal(got, wanted))


def ends(data: bytes) -> dict[str, int]:
    """How many bytes of the file each segment needs."""
    prologue = read_prologue(data)
    return {s.name: prologue.data_start + s.end for s in prologue.metadata.segments}


def small(**more: Any) -> tuple[Image.Image, bytes]:
    """A little picture with alpha, and a file of it with XMP behind."""
    original = picture("RGBA", 22, 17)
    return original, saved(original, centers=[(8, 8)], radii=[(3, 5)], xmp=b"<x/>", **more)


def parsed(data: bytes, step: int) -> Image.Image:
    """The image that Pillow makes of data that come in pieces."""
    parser = ImageFile.Parser()
    for n in range(0, len(data), step):
        parser.feed(data[n : n + step])
    return parser.close()
