"""Frozen files: what was written once must decode to the same pixels for good.

`python tests/vectors.py` writes the files that are missing and prints their hashes; it never
replaces one. A change of the format adds files, and the old ones stay.
"""

import hashlib
import sys
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


TWO = {"centers": [(30, 28), (64, 40)], "sigmas": [(1.5, 0.8), 1], "radii": [(12, 20), (9, 14)]}

#: name -> (height, width, channels, keywords). Container 1, lossless 2, other coders 1.
CASES: dict[str, tuple[int, int, int, dict]] = {
    "v2-rgb": (75, 98, 3, {**TWO, "quality": 70}),
    "v2-rgb-444": (75, 98, 3, {**TWO, "quality": 30, "subsampling": "4:4:4", "tune": "visual"}),
    "v2-rgba-alpha": (75, 98, 4, {**TWO, "alphas": [0.5, 2], "quality": 50}),
    "v2-grey": (61, 50, 1, {"centers": [(20, 20)], "radii": [(9, 15)], "quality": 60}),
    "v2-grey-alpha": (61, 50, 2, {"centers": [(20, 20)], "radii": [(9, 15)]}),
    "v2-palette": (75, 98, 3, {**TWO, "mid": "palette"}),
    "v2-boundary": (75, 98, 3, {**TWO, "quality": 10, "boundary_tau": 4}),
    "v2-golomb": (75, 98, 3, {**TWO, "entropy": "golomb"}),
    "v2-snappy": (75, 98, 3, {**TWO, "entropy": "snappy", "mid": "palette"}),
    "v2-no-mid": (75, 98, 3, {**TWO, "mid": "none"}),
    "v2-lossless": (40, 50, 4, {"lossless": True}),
    "v2-lossless-fast": (75, 98, 3, {"lossless": True, "effort": 1}),
    "v2-lossless-strong": (75, 98, 3, {"lossless": True, "effort": 8}),
    "v2-lossless-grey-strong": (75, 98, 1, {"lossless": True, "effort": 9}),
    "v2-strong": (75, 98, 3, {**TWO, "effort": 8}),
    "v2-one-pixel": (1, 1, 3, {}),
    "v2-three": (
        64,
        64,
        3,
        {"centers": [(10, 10), (50, 12), (30, 50)], "radii": [(8, 12)] * 3, "alphas": [0.1] * 3},
    ),
}

TIERS = ("core", "preview", "mid", "full")


def hash_of(pixels: np.ndarray) -> str:
    """SHA-256 of shape and samples."""
    return hashlib.sha256(repr(pixels.shape).encode() + pixels.tobytes()).hexdigest()


def main() -> None:
    """Write what is missing and print a line per file and tier for hashes.txt."""
    import aig_codec

    FOLDER.mkdir(exist_ok=True)
    for name, (height, width, channels, keywords) in CASES.items():
        path = FOLDER / f"{name}.aig"
        if not path.exists():
            path.write_bytes(aig_codec.encode(drawing(height, width, channels), **keywords))
            print("written:", path.name, file=sys.stderr)
        for tier in TIERS:
            print(f"{name} {tier} {hash_of(aig_codec.decode(path, upto=tier))}")


if __name__ == "__main__":
    main()
