"""`python tests/encoded.py [FOLDER]`: hashes of what vectors.py's recipes are coded as today, by
every set of kernels, to compare compilers. FOLDER: where the kernels must come from."""

import hashlib
import sys
from pathlib import Path

import numpy as np
import vectors

import aig_codec
from aig_codec import _native


def main() -> None:
    """Print a line for each."""
    if sys.argv[1:] and not Path(_native.__file__).is_relative_to(sys.argv[1]):
        raise SystemExit(f"{_native.__file__} is not in {sys.argv[1]}")
    for simd in ("plain", "vector", "auto"):
        _native.choose_simd(simd)
        for name, (picture, height, width, channels, keywords) in vectors.CASES.items():
            count = vectors.FRAMES.get(name, 1)
            images = [np.roll(picture(height, width, channels), 7 * k, 1) for k in range(count)]
            encode = aig_codec.encode if count == 1 else aig_codec.encode_sequence
            data = encode(images[0] if count == 1 else images, **keywords)
            print(name, simd, hashlib.sha256(data).hexdigest())


if __name__ == "__main__":
    main()
