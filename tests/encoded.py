"""What pictures are encoded as today, by hash: for changes that are to move no byte.

python tests/encoded.py                 a line per call: name, hash
python tests/encoded.py --check         compare with tests/vectors/encoded.txt, group by group
python tests/encoded.py --write         replace that file, after a change of the bytes
python tests/encoded.py --simd FOLDER   the frozen files' recipes by every set of kernels, to
                                        compare compilers; FOLDER: where the kernels must be
"""

import argparse
import hashlib
import itertools
import random
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import vectors

import aig_codec
from aig_codec import _native

FROZEN = vectors.FOLDER / "encoded.txt"

Call = tuple[str, Any, dict[str, Any]]

MASK = np.zeros((75, 98), np.uint8)
MASK[20:50, 10:40], MASK[55:70, 60:90] = 1, 2
PLACES: dict[str, dict[str, Any]] = {
    "none": {},
    "auto": {"centers": "auto"},
    "centers": vectors.TWO,
    "angle": {**vectors.TWO, "alphas": [0.4, 1.2]},
    "free": {"centers": [(50, 40)]},
    "mask": {"mask": MASK},
    "boxes": {"boxes": [(5, 5, 30, 40), (50, 20, 90, 60)]},
    "labels": {**vectors.ONE, "labels": [{"name": "a face", "class": 3, "score": 0.5}]},
}
RATES: tuple[dict[str, Any], ...] = (
    {},
    *({"quality": q} for q in (0, 30, 60, 80, 95, 100)),
    {"quality_level": 150},
    {"target_size": 4000},
    {"target_size": 500},
    {"target_psnr": 32},
    {"target_psnr": 41},
)
CODINGS: dict[str, tuple[Any, ...]] = {
    "mid": ("auto", "palette", "dct", "none"),
    "palette_space": ("oklab", "hsv"),
    "entropy": ("auto", "adaptive", "rans", "golomb", "snappy"),
    "tune": ("psnr", "visual"),
    "subsampling": ("auto", "4:2:0", "4:4:4"),
    "boundary_tau": (0, 3),
    "lambda_rd": (0.005, 0.1),
    "preset": ("photo", "document", "dataset", "tracking", "medical", "surveillance"),
    "effort": (1, 2, 3, 4, 5, 6, 7, 8, 9),
    "explain": (True, False),
    "threads": (1, 3),
    "lossless": (True, False),
    "dpi": ((72, 96.5),),
    "comment": ("a comment",),
    "exif": (b"Exif\0\0x",),
    "icc_profile": (b"profile" * 20,),
}


def _pictures() -> dict[str, np.ndarray]:
    v = vectors
    return {
        "drawing": v.drawing(75, 98, 3),
        "sketch": v.sketch(75, 98, 3),
        "sketch-alpha": v.sketch(75, 98, 4),
        "tiles-grey": v.tiles(75, 98, 1)[..., 0],
        "cutout-grey": v.grey_cutout(75, 98, 2),
        "landscape": v.landscape(75, 98, 3),
    }


def calls() -> Iterator[Call]:
    """Name (group and number), picture or frames, keywords of every call."""
    for name, (picture, height, width, channels, keywords) in vectors.CASES.items():
        count = vectors.FRAMES.get(name, 1)
        images = [np.roll(picture(height, width, channels), 7 * k, 1) for k in range(count)]
        yield f"vectors {name}", images[0] if count == 1 else images, keywords
    pictures = _pictures()
    for (name, picture), (place, where) in itertools.product(pictures.items(), PLACES.items()):
        for k, effort in enumerate((1, 3, 4, 6, 7, 9)):
            yield f"{name}/{place}/effort {k}", picture, {**where, "effort": effort}
        for k, rate in enumerate(RATES):
            yield f"{name}/{place}/rate {k}", picture, {**where, **rate}
    product = itertools.product(
        *(CODINGS[n] for n in ("entropy", "mid", "tune", "subsampling")), (2, 5, 7)
    )
    for k, (entropy, mid, tune, subsampling, effort) in enumerate(product):
        options = {"entropy": entropy, "mid": mid, "tune": tune, "subsampling": subsampling}
        for name in ("landscape", "sketch-alpha"):
            yield (
                f"{name}/coding of effort {effort} {k}",
                pictures[name],
                {**vectors.TWO, "quality": 60, **options, "effort": effort},
            )
    for name, picture in pictures.items():
        deep = picture.astype(np.uint16) * 257
        deep[::3] -= 3
        for k, effort in enumerate(range(1, 10)):
            exact = {"lossless": True, "effort": effort}
            yield f"{name}/lossless {k}", picture, exact
            yield f"{name}/deep {k}", deep, {"effort": effort}
        for k, preset in enumerate(CODINGS["preset"]):
            yield f"{name}/preset {k}", picture, {**vectors.ONE, "preset": preset}
    yield from _by_chance(pictures)
    large = {"landscape": vectors.landscape(560, 800, 3), "sketch": vectors.sketch(560, 800, 3)}
    several: tuple[dict[str, Any], ...] = (
        *({}, {"quality": 40, "effort": 1}, {"effort": 7}, {"target_size": 30000}),
        *({"target_psnr": 36}, {"tune": "visual"}, {"lossless": True}, {"centers": "auto"}),
    )
    for name, picture in large.items():
        for k, options in enumerate(several):
            yield f"{name}-large {k}", picture, options
    frames = [np.roll(pictures["drawing"], 9 * k, 1) for k in range(3)]
    for k, options in enumerate(({}, {"loop": 0, "duration": 40}, {"lossless": True}, vectors.TWO)):
        yield f"frames {k}", frames, options


def _by_chance(pictures: dict[str, np.ndarray]) -> Iterator[Call]:
    """Some keywords of all kinds together; some calls are refused, which counts as well."""
    rng = random.Random(9)
    for k in range(600):
        name = rng.choice(list(pictures))
        options = dict(PLACES[rng.choice(list(PLACES))])
        options |= rng.choice(RATES)
        for keyword in rng.sample(list(CODINGS), rng.randint(1, 5)):
            options[keyword] = rng.choice(CODINGS[keyword])
        yield f"by chance/{name} {k}", pictures[name], options


def digest(image: Any, keywords: dict[str, Any]) -> str:
    """The hash of a file, or the error that there is instead."""
    encode = aig_codec.encode_sequence if isinstance(image, list) else aig_codec.encode
    try:
        return hashlib.sha256(encode(image, **keywords)).hexdigest()[:16]
    except ValueError as error:
        return f"ValueError:{hashlib.sha256(str(error).encode()).hexdigest()[:8]}"


def hashes() -> Iterator[tuple[str, str]]:
    """Name and hash of every call."""
    for name, image, keywords in calls():
        yield name, digest(image, keywords)


def grouped() -> dict[str, str]:
    """A hash over all hashes of every group: what stands before the number."""
    groups: dict[str, list[str]] = defaultdict(list)
    for name, found in hashes():
        group, number = name.rsplit(" ", 1)
        groups[group if number.isdecimal() else name].append(found)
    return {g: hashlib.sha256("\n".join(f).encode()).hexdigest()[:16] for g, f in groups.items()}


def frozen() -> dict[str, str]:
    """The hashes that were written down."""
    lines = FROZEN.read_text().splitlines()
    return dict(line.rsplit("\t", 1) for line in lines)


def check() -> list[str]:
    """The groups whose bytes are others than those that were written down."""
    found, known = grouped(), frozen()
    return sorted(g for g in found.keys() | known.keys() if found.get(g) != known.get(g))


def by_kernels() -> None:
    """Print the hashes of the frozen files' recipes by every set of kernels."""
    for simd in ("plain", "vector", "auto"):
        _native.choose_simd(simd)
        for name, image, keywords in calls():
            if name.startswith("vectors "):
                print(name, simd, digest(image, keywords))


def main() -> None:
    """Do what the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--simd", action="store_true")
    parser.add_argument("folder", nargs="?")
    options = parser.parse_args()
    if options.folder and not Path(_native.__file__).is_relative_to(options.folder):
        raise SystemExit(f"{_native.__file__} is not in {options.folder}")
    if options.check:
        others = check()
        raise SystemExit("\n".join(["other bytes than before:", *others]) if others else 0)
    if options.write:
        lines = [f"{group}\t{found}\n" for group, found in grouped().items()]
        FROZEN.write_text("".join(lines))
    elif options.simd:
        by_kernels()
    else:
        for name, found in hashes():
            print(f"{name}\t{found}")


if __name__ == "__main__":
    main()
