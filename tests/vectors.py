"""Frozen files: what was written once must decode to the same pixels for good.

`python tests/vectors.py` writes the files that are missing and prints their hashes; it never
replaces one. A change of the format adds files, and the old ones stay.
"""

import hashlib
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent / "vectors"


def drawing(height: int, width: int, channels: int) -> np.ndarray:
    """A picture made of integers alone, so that it is the same everywhere: uint8 (H, W, C)."""
    y, x = np.mgrid[:height, :width].astype(np.int64)
    hash_ = (x * 374761393 + y * 668265263) % 2**32
    hash_ = (hash_ ^ hash_ >> 13) * 1274126177 % 2**32
    noise = (hash_ >> 16) % 24
    rings = ((x - width // 3) ** 2 + (y - height // 2) ** 2) // 40 % 97
    flat = np.where((x // 16 + y // 12) % 5 == 0, 200, 0)
    planes = [
        (2 * x + y + noise) % 256,
        np.where(flat > 0, flat, (rings + x + noise // 2) % 256),
        np.where(flat > 0, 40, (3 * y + rings) % 256),
        (x * y // 7) % 256,
    ]
    chosen = {1: [0], 2: [0, 3], 3: [0, 1, 2], 4: [0, 1, 2, 3]}[channels]
    return np.stack([planes[i] for i in chosen], axis=2).astype(np.uint8)


def sketch(height: int, width: int, channels: int) -> np.ndarray:
    """Panels, letters, dots and a disc with a soft edge, like `drawing` of integers alone."""
    y, x = np.mgrid[:height, :width].astype(np.int64)
    glyphs = np.array([0x799F9, 0xF171F, 0x69996, 0x9ACA9, 0x44444, 0xE9F9E])  # 4x5 bits
    column, row = x % 6, y % 8
    glyph = glyphs[(x // 6 * 5 + y // 8 * 3) % len(glyphs)]
    ink = (column < 4) & (row < 5) & (glyph >> (4 * np.minimum(row, 4) + column % 4) & 1 > 0)
    index = np.where(x > 2 * width // 3, 1, 0) + np.where(ink, 2, 0)
    dots = y > 3 * height // 4
    index[dots] = ((x * 7 + y * 3) % 11 < x * 11 // width)[dots]
    palette = [[250, 248, 240, 255], [48, 64, 96, 255], [20, 20, 20, 255], [255, 200, 0, 180]]
    picture = np.array(palette)[index]
    away = (x - width // 2) ** 2 + (y - height // 3) ** 2
    cover = np.clip((height * height // 16 - away) // 16, 0, 8)[..., None]
    picture = (picture * (8 - cover) + np.array([30, 160, 90, 90]) * cover) // 8
    chosen = {1: [1], 2: [1, 3], 3: [0, 1, 2], 4: [0, 1, 2, 3]}[channels]
    return picture[..., chosen].astype(np.uint8)


def tiles(height: int, width: int, channels: int) -> np.ndarray:
    """Tiles of noise, their rows moved, some pixels changed, on ramps. Integers only."""
    y, x = np.mgrid[:height, :width].astype(np.int64)
    u, v = (x + 5 * (y // 16)) % 16, y % 16
    planes = []
    for c in range(channels):
        hash_ = (u * 374761393 + v * 668265263 + (c + 1) * 1274126177) % 2**32
        hash_ = (hash_ ^ hash_ >> 13) * 1274126177 % 2**32
        tile = hash_ >> 16 & 255
        ramp = (2 * x + 3 * y * (c + 1) // 2) % 256
        planes.append(np.where((x // 40 + y // 32) % 3 == 0, ramp, tile))
    changed = (x * 7 + y * 13) % 101 == 0
    return np.where(changed[..., None], 250, np.stack(planes, -1)).astype(np.uint8)


def cutout(height: int, width: int, channels: int) -> np.ndarray:
    """The colours of `drawing` and the alpha of `sketch`."""
    picture = drawing(height, width, channels)
    picture[..., -1] = sketch(height, width, channels)[..., -1]
    return picture


def grey_drawing(height: int, width: int, channels: int) -> np.ndarray:
    """The `drawing` without its colours, but stored as if it had some."""
    picture = drawing(height, width, channels)
    picture[..., 1:3] = picture[..., :1]
    return picture


def grey_cutout(height: int, width: int, channels: int) -> np.ndarray:
    """A `cutout` without colours."""
    picture = cutout(height, width, channels)
    picture[..., 1:3] = picture[..., :1]
    return picture


def deep_drawing(height: int, width: int, channels: int) -> np.ndarray:
    """The `drawing` with samples of 16 bits: uint16 (H, W, C)."""
    picture = drawing(height, width, channels).astype(np.uint16)
    return picture * 257 ^ picture[::-1] // 3


def fine_drawing(height: int, width: int, channels: int) -> np.ndarray:
    """The `drawing` with low bits of its own, so that most values occur once: uint16 (H, W, C)."""
    picture = drawing(height, width, channels).astype(np.uint16)
    y, x, c = np.indices(picture.shape)
    return picture * 128 + ((7 * x * x + 11 * x * y + 29 * y * y + 13 * c) % 301).astype(np.uint16)


def scaled_drawing(height: int, width: int, channels: int) -> np.ndarray:
    """One channel of the `drawing` in the colours of a scale."""
    k = np.arange(256)
    scale = np.stack([k, np.minimum(2 * k, 255), 255 - k, 128 + k // 2], axis=1)
    return scale[drawing(height, width, 1)[..., 0], :channels].astype(np.uint8)


def scaled_deep(height: int, width: int, channels: int) -> np.ndarray:
    """The same with samples of 16 bits."""
    return scaled_drawing(height, width, channels).astype(np.uint16) * 257


def twelve_bits(height: int, width: int, channels: int) -> np.ndarray:
    """The `drawing` with samples of 12 bits, shifted to 16: uint16 (H, W, C)."""
    picture = drawing(height, width, channels).astype(np.uint16)
    return (picture * 16 + picture[::-1] // 17) * 16


def from_jpeg(height: int, width: int, channels: int) -> np.ndarray:
    """The colours that a JPEG decoder gives for slow waves in YCbCr, some of them cut."""
    waves = landscape(height, width, 3).astype(np.int64)
    luma, blue, red = waves[..., 0], (waves[..., 1] - 90) // 2, (waves[..., 2] - 90) // 2
    luma = np.where(luma > 150, 255 - luma // 16, luma)
    planes = [
        luma + (91881 * red + 32768 >> 16),
        luma + (-22554 * blue - 46802 * red + 32768 >> 16),
        luma + (116130 * blue + 32768 >> 16),
        (waves[..., 0] // 9) * 20,
    ]
    return np.clip(np.stack(planes[:channels], -1), 0, 255).astype(np.uint8)


def landscape(height: int, width: int, channels: int) -> np.ndarray:
    """Slow waves under texture that comes and goes: blocks of all sizes. Integers only."""
    y, x = np.mgrid[:height, :width].astype(np.int64)
    planes = []
    for c in range(channels):
        slow = ((x * (3 + c)) ^ (y * 2)) % 512
        slow = np.where(slow < 256, slow, 511 - slow) // 2
        busy = ((x * x * (c + 7) + y * y * 5 + x * y * 11) >> 4) % 61
        where = ((x // 90 + y // 70) % 3 == 0).astype(np.int64)
        planes.append(40 + slow + where * busy)
    return np.clip(np.stack(planes, -1), 0, 255).astype(np.uint8)


ONE = {"centers": [(30, 20)], "radii": [(9, 12)]}
TWO = {"centers": [(30, 28), (64, 40)], "sigmas": [(1.5, 0.8), 1], "radii": [(12, 20), (9, 14)]}

#: Two blobs and a ring, by integers.
_Y, _X = np.indices((75, 98))
BLOBS = (
    ((_X - 30) ** 2 + 2 * (_Y - 25) ** 2 + 3 * (_X - 30) * (_Y - 25) // 2 < 300)
    | ((_X - 70) ** 2 + (_Y - 50) ** 2 < 180) & ((_X - 70) ** 2 + (_Y - 50) ** 2 > 40)
    | ((abs(_X - 75) < 9) & (_Y < 6))
)

#: The same at a third of the size.
SMALL_BLOBS = np.zeros_like(BLOBS)
SMALL_BLOBS[20:45, 30:63] = BLOBS[::3, ::3]

STRONG = {"lossless": True, "effort": 8}

#: name -> (picture, height, width, channels, keywords). Container 1, lossless 2, palette and
#: boundary 1; v4 have dct 3, v5 labels 1 or graphics in other tiers too, v6 lossless 3, v7
#: lossless 4; c2: container 2.
CASES: dict[str, tuple[Callable[[int, int, int], np.ndarray], int, int, int, dict]] = {
    "v4-rgb": (drawing, 75, 98, 3, {**TWO, "quality": 70}),
    "v4-rgb-444": (
        drawing,
        75,
        98,
        3,
        {**TWO, "quality": 30, "subsampling": "4:4:4", "tune": "visual"},
    ),
    "v4-rgba-alpha": (drawing, 75, 98, 4, {**TWO, "alphas": [0.5, 2], "quality": 50}),
    "v4-grey": (drawing, 61, 50, 1, {"centers": [(20, 20)], "radii": [(9, 15)], "quality": 60}),
    "v4-grey-alpha": (drawing, 61, 50, 2, {"centers": [(20, 20)], "radii": [(9, 15)]}),
    "v4-palette": (drawing, 75, 98, 3, {**TWO, "mid": "palette"}),
    "v4-boundary": (drawing, 75, 98, 3, {**TWO, "quality": 10, "boundary_tau": 4}),
    "v4-golomb": (drawing, 75, 98, 3, {**TWO, "entropy": "golomb"}),
    "v4-snappy": (drawing, 75, 98, 3, {**TWO, "entropy": "snappy", "mid": "palette"}),
    "v4-rans": (drawing, 75, 98, 3, {**TWO, "entropy": "rans", "tune": "visual"}),
    "v4-groups": (landscape, 270, 300, 3, {**TWO, "quality": 60}),
    "v4-groups-rans": (landscape, 270, 300, 3, {**TWO, "quality": 60, "entropy": "rans"}),
    "v4-groups-visual": (landscape, 270, 300, 3, {**TWO, "quality": 60, "tune": "visual"}),
    "v4-groups-fitted": (landscape, 270, 300, 3, {**TWO, "quality": 85, "effort": 9}),
    "v4-groups-quick": (landscape, 270, 300, 3, {**TWO, "quality": 40, "effort": 1}),
    "v4-regions": (landscape, 40, 1100, 1, {"quality": 20, **ONE}),
    "v4-shapes": (landscape, 270, 300, 3, {**TWO, "quality": 5, "effort": 9, "tune": "visual"}),
    "v4-no-mid": (drawing, 75, 98, 3, {**TWO, "mid": "none"}),
    "v2-lossless": (drawing, 40, 50, 4, {"lossless": True}),
    "v2-lossless-fast": (drawing, 75, 98, 3, {"lossless": True, "effort": 1}),
    "v2-lossless-strong": (drawing, 75, 98, 3, {"lossless": True, "effort": 8}),
    "v2-lossless-grey-strong": (drawing, 75, 98, 1, {"lossless": True, "effort": 9}),
    "v4-strong": (drawing, 75, 98, 3, {**TWO, "effort": 8}),
    "v4-one-pixel": (drawing, 1, 1, 3, {}),
    "v4-three": (
        drawing,
        64,
        64,
        3,
        {"centers": [(10, 10), (50, 12), (30, 50)], "radii": [(8, 12)] * 3, "alphas": [0.1] * 3},
    ),
    "v2-graphic": (sketch, 75, 98, 3, {"lossless": True}),
    "v2-graphic-grey": (sketch, 61, 50, 1, {"lossless": True}),
    "v2-graphic-grey-alpha": (sketch, 61, 50, 2, {"lossless": True}),
    "v2-graphic-alpha": (sketch, 75, 98, 4, {"lossless": True}),
    "v4-graphic-cores": (sketch, 75, 98, 4, {**TWO, "quality": 50}),
    "v2-cutout": (cutout, 75, 98, 4, {"lossless": True}),
    "v2-grey-as-rgb": (grey_drawing, 75, 98, 3, {"lossless": True}),
    "v2-grey-as-rgba": (grey_drawing, 75, 98, 4, {"lossless": True}),
    "v2-sixteen": (deep_drawing, 75, 98, 3, {}),
    "v2-sixteen-grey-strong": (deep_drawing, 75, 98, 1, {"effort": 9}),
    "v2-sixteen-alpha": (deep_drawing, 40, 50, 4, {}),
    "v2-grey-cutout": (grey_cutout, 75, 98, 4, {"lossless": True}),
    "v5-map": (drawing, 75, 98, 3, {"mask": BLOBS, "quality": 60}),
    "v5-boxes": (
        drawing,
        75,
        98,
        4,
        {"boxes": [(3, 4, 20, 30), (40, 41, 55, 60), (60, 10, 98, 21)], "quality": 60},
    ),
    "v5-drawn": (sketch, 160, 208, 3, {**TWO, "quality": 60}),
    "v5-drawn-alpha": (sketch, 160, 208, 4, {**TWO, "quality": 80}),
    "v5-drawn-grey": (sketch, 160, 208, 1, {**TWO, "quality": 30, "explain": True}),
    "v5-palette": (drawing, 75, 98, 3, {**TWO, "mid": "palette", "quality": 60}),
    "c2-rgb": (landscape, 140, 150, 3, {**ONE, "quality": 60, "explain": True}),
    "c2-auto-alpha": (drawing, 75, 98, 4, {"quality": 30, "lossless": False}),
    "c2-spelt-out": (
        drawing,
        75,
        98,
        3,
        {**TWO, "quality": 60, "mid": "palette", "subsampling": "4:4:4", "dpi": (72, 96.5)},
    ),
    "c2-exact": (sketch, 75, 98, 3, {}),
    "c2-exact-around": (sketch, 75, 98, 4, TWO),
    "c2-small": (sketch, 20, 24, 1, {"lossless": True}),
    "c2-map": (sketch, 75, 98, 3, {"mask": BLOBS, "lossless": False}),
    "c2-frames": (
        sketch,
        40,
        50,
        3,
        {
            "centers": [(20, 18)],
            "radii": [(7, 11)],
            "loop": 3,
            "labels": ["one"],
            "comment": "two frames",
            "duration": [40, 70000],
        },
    ),
    "v6-tiles": (tiles, 75, 98, 3, {"lossless": True}),
    "v6-tiles-grey": (tiles, 61, 50, 1, {"lossless": True}),
    "v6-tiles-grey-alpha": (tiles, 61, 50, 2, {"lossless": True}),
    "v6-tiles-alpha": (tiles, 75, 98, 4, {"lossless": True}),
    "v6-tiles-cores": (tiles, 75, 98, 3, {**TWO, "quality": 60}),
    "v6-cutout": (cutout, 75, 98, 4, {"lossless": True}),
    "v6-grey-cutout": (grey_cutout, 75, 98, 4, {"lossless": True}),
    "v7-indexed": (scaled_drawing, 75, 98, 3, {"lossless": True}),
    "v7-indexed-alpha": (scaled_drawing, 75, 98, 4, {"lossless": True}),
    "v7-indexed-sixteen": (scaled_deep, 75, 98, 3, {}),
    "v7-ranks": (twelve_bits, 75, 98, 3, {}),
    "v7-ranks-grey": (twelve_bits, 75, 98, 1, {"effort": 8}),
    "v7-ycc": (from_jpeg, 75, 98, 3, {"lossless": True}),
    "v7-ycc-strong": (from_jpeg, 75, 98, 3, {"lossless": True, "effort": 9}),
    "v7-ycc-alpha": (from_jpeg, 75, 98, 4, {"lossless": True}),
    "v7-ycc-cores": (from_jpeg, 75, 98, 3, {**TWO, "quality": 60}),
    "v7-mixed": (drawing, 12, 17, 3, STRONG),
    "v7-mixed-map": (drawing, 75, 98, 3, {"mask": SMALL_BLOBS, "quality": 60, "effort": 8}),
    "v7-mixed-grey": (drawing, 12, 17, 1, STRONG),
    "v7-mixed-alpha": (drawing, 12, 17, 4, STRONG),
    "v7-mixed-grey-alpha": (drawing, 12, 17, 2, STRONG),
    "v7-mixed-cutout": (cutout, 12, 17, 4, STRONG),
    "v7-mixed-grey-cutout": (cutout, 12, 17, 2, STRONG),
    "v7-mixed-grey-as-rgb": (grey_drawing, 12, 17, 3, STRONG),
    "v7-mixed-grey-as-rgba": (grey_drawing, 12, 17, 4, STRONG),
    "v7-mixed-cutout-as-rgba": (grey_cutout, 12, 17, 4, STRONG),
    "v7-mixed-sixteen": (fine_drawing, 12, 17, 3, STRONG),
    "v7-mixed-sixteen-alpha": (fine_drawing, 12, 17, 4, STRONG),
    "v7-mixed-sixteen-grey-alpha": (fine_drawing, 12, 17, 2, STRONG),
    "v7-mixed-ranks": (twelve_bits, 12, 17, 3, STRONG),
    "v7-mixed-indexed": (scaled_drawing, 24, 34, 3, STRONG),
    "v7-mixed-ycc": (from_jpeg, 14, 20, 3, STRONG),
    "v6-drawn": (sketch, 160, 208, 3, {**TWO, "quality": 60}),
    "v4-frames": (
        drawing,
        40,
        50,
        3,
        {
            "centers": [(20, 18)],
            "radii": [(7, 11)],
            "quality": 50,
            "loop": 3,
            "labels": ["one"],
            "comment": "three frames",
            "duration": [40, 0, 70000],
        },
    ),
}

#: How many frames a file has, if not one; each is the one before, moved by 7 columns.
FRAMES = {"v4-frames": 3, "c2-frames": 2}

TIERS = ("core", "preview", "mid", "full")


def hash_of(pixels: np.ndarray) -> str:
    """SHA-256 of shape and samples."""
    return hashlib.sha256(repr(pixels.shape).encode() + pixels.tobytes()).hexdigest()


def main() -> None:
    """Write what is missing and print a line per file and tier for hashes.txt."""
    import aig_codec

    FOLDER.mkdir(exist_ok=True)
    for name, (picture, height, width, channels, keywords) in CASES.items():
        path = FOLDER / f"{name}.aig"
        if not path.exists():
            count = FRAMES.get(name, 1)
            images = [np.roll(picture(height, width, channels), 7 * k, 1) for k in range(count)]
            encode = aig_codec.encode if count == 1 else aig_codec.encode_sequence
            path.write_bytes(encode(images[0] if count == 1 else images, **keywords))
            print("written:", path.name, file=sys.stderr)
        for tier in TIERS:
            print(f"{name} {tier} {hash_of(aig_codec.decode(path, upto=tier))}")
        for k in range(1, FRAMES.get(name, 1)):
            print(f"{name} frame{k} {hash_of(aig_codec.decode(path, frame=k))}")


if __name__ == "__main__":
    main()
