"""Synthetic pictures, regions and foci, all small and all from a seed."""

from fractions import Fraction
from math import sqrt

import numpy as np
import reference
import vectors

from aig_codec.container import Focus
from aig_codec.container.header import MAX_SIGMA, MIN_SIGMA

#: Entropy coders by their numbers in files; the last one is the DCT coder's alone.
ENTROPIES = ("snappy", "golomb", "rans")
LOSSY_ENTROPIES = (*ENTROPIES, "adaptive")


# Pictures: uint8 (height, width, channels)


def _finish(planes):
    return np.clip(np.rint(np.stack(planes, axis=-1)), 0, 255).astype(np.uint8)


def smooth(height, width, channels, seed=0):
    """Broad waves, different in every channel."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    phases = rng.uniform(0, 6, (channels, 2))
    return _finish([128 + 70 * np.sin(x / 9 + a) + 50 * np.cos(y / 7 + b) for a, b in phases])


def grainy(height, width, channels, seed=0):
    """Broad waves with grain, as photographs have."""
    grain = np.random.default_rng(seed).normal(0, 3, (height, width, channels))
    return _finish(np.moveaxis(smooth(height, width, channels, seed) + grain, -1, 0))


def noise(height, width, channels, seed=0):
    """Every sample on its own."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (height, width, channels), np.uint8)


def gradient(height, width, channels, seed=0):
    """A ramp over the whole range, steeper in later channels."""
    y, x = np.mgrid[:height, :width]
    return _finish([(x * (4 + c) + y * 3 + seed) % 256 for c in range(channels)])


def constant(height, width, channels, seed=0):
    """One colour."""
    return np.broadcast_to(noise(1, 1, channels, seed), (height, width, channels)).copy()


def extremes(height, width, channels, seed=0):
    """0 and 255 alone, in the sharpest pattern there is."""
    rng = np.random.default_rng(seed)
    return rng.choice(np.array([0, 255], np.uint8), (height, width, channels))


def text(height, width, channels, seed=0):
    """Few flat colours in small shapes, as text and drawings have."""
    rng = np.random.default_rng(seed)
    ink = rng.integers(0, 256, (5, channels), np.uint8)
    picture = np.empty((height, width, channels), np.uint8)
    picture[:] = ink[0]
    for _ in range(max(2, height * width // 60)):
        y, x = rng.integers(0, height), rng.integers(0, width)
        h, w = rng.integers(1, 4), rng.integers(1, 9)
        picture[y : y + h, x : x + w] = ink[rng.integers(1, 5)]
    return picture


def mixed(height, width, channels, seed=0):
    """Smooth on the left, texture on the right, text at the bottom."""
    picture = smooth(height, width, channels, seed)
    right, bottom = width // 2, height * 2 // 3
    rough = picture[:, right:].astype(int) + noise(height, width - right, channels, seed) // 4 - 32
    picture[:, right:] = np.clip(rough, 0, 255)
    picture[bottom:] = text(height - bottom, width, channels, seed)
    return picture


def dithered(height, width, channels, seed=0):
    """Ramps in a few levels, set apart by a threshold of their own for every place in 4x4."""
    rng = np.random.default_rng(seed)
    order = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]])
    threshold = np.tile(order, (height // 4 + 1, width // 4 + 1))[:height, :width] / 16
    y, x = np.mgrid[:height, :width]
    slopes = rng.uniform(0.02, 0.06, (channels, 2))
    levels = [np.floor((a * x + b * y) % 3 + threshold) for a, b in slopes]
    return _finish([85 * level for level in levels])


def few_colours(height, width, channels, seed=0):
    """A smooth picture in twelve colours, with contours and now and then a single pixel."""
    rng = np.random.default_rng(seed)
    ink = rng.integers(0, 256, (12, channels), np.uint8)
    index = smooth(height, width, 1, seed)[..., 0].astype(int) * 12 // 256
    index[rng.random((height, width)) < 0.02] = 3
    return ink[index]


def antialiased(height, width, channels, seed=0):
    """Strokes like those of letters, some of which repeat, with edges between ink and paper."""
    rng = np.random.default_rng(seed)
    fine = np.zeros((4 * height, 4 * width))
    shapes = rng.random((6, 5, 4)).round().repeat(6, 1).repeat(5, 2)  # 7.5 by 5 pixels
    for top in range(0, 4 * height, 40):
        for left in range(0, 4 * width, 22):
            part = fine[top : top + 30, left : left + 20]
            part[:] = shapes[rng.integers(6)][: part.shape[0], : part.shape[1]]
    cover = fine.reshape(height, 4, width, 4).mean((1, 3))
    paper, ink = rng.integers(0, 256, (2, channels))
    return _finish([paper[c] + cover * (ink[c] - paper[c]) for c in range(channels)])


KINDS = {
    "smooth": smooth,
    "grainy": grainy,
    "noise": noise,
    "gradient": gradient,
    "constant": constant,
    "extremes": extremes,
    "text": text,
    "mixed": mixed,
    "dithered": dithered,
    "few colours": few_colours,
    "antialiased": antialiased,
}


# Regions: bool (height, width)


def letters(height: int = 256, width: int = 320, channels: int = 3) -> np.ndarray:
    """Letters of a few sizes and shades on a plain ground."""
    picture = vectors.sketch(height // 2, width // 2, channels).repeat(2, 0).repeat(2, 1)
    soft = picture.astype(int)
    soft[1:] = (3 * soft[1:] + soft[:-1]) // 4
    return soft.astype(np.uint8)


def photograph(height: int = 256, width: int = 320) -> np.ndarray:
    """Broad waves and grain, as cameras add it."""
    rng = np.random.default_rng(1)
    picture = smooth(height, width, 3).astype(int) + rng.normal(0, 4, (height, width, 3))
    return picture.clip(0, 255).astype(np.uint8)


def wobbly(height: int, width: int, radius: float, petals: int = 5) -> np.ndarray:
    """A smooth blob, as segmentations have them."""
    y, x = np.indices((height, width)) - np.array([height, width])[:, None, None] / 2
    angle = np.arctan2(y, x)
    return np.hypot(y, x) < radius * (1 + 0.15 * np.sin(petals * angle) + 0.05 * np.cos(angle * 11))


def blobs(height, width, seed=0):
    """Several components of any shape, cut by the borders now and then."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    mask = np.zeros((height, width), bool)
    for _ in range(4):
        cy, cx = rng.uniform(0, height), rng.uniform(0, width)
        ry, rx = rng.uniform(0.6, height / 4 + 1), rng.uniform(0.6, width / 4 + 1)
        mask ^= ((y - cy) / ry) ** 2 + ((x - cx) / rx) ** 2 <= 1
    return mask


def _one(height, width, seed=0):
    mask = np.zeros((height, width), bool)
    rng = np.random.default_rng(seed)
    mask[rng.integers(0, height), rng.integers(0, width)] = True
    return mask


MASKS = {
    "empty": lambda h, w, seed=0: np.zeros((h, w), bool),
    "full": lambda h, w, seed=0: np.ones((h, w), bool),
    "one pixel": _one,
    "checkerboard": lambda h, w, seed=0: np.indices((h, w)).sum(0) % 2 == 0,
    "sparse": lambda h, w, seed=0: np.random.default_rng(seed).random((h, w)) < 0.08,
    "dense": lambda h, w, seed=0: np.random.default_rng(seed).random((h, w)) < 0.92,
    "blobs": blobs,
    "frame": lambda h, w, seed=0: np.pad(np.zeros((max(h - 2, 0), max(w - 2, 0)), bool), 1,
                                         constant_values=True)[:h, :w],
    "rows": lambda h, w, seed=0: np.indices((h, w))[0] % 3 == seed % 3,
}  # fmt: skip


def class_map(height, width, seed=0):
    """Background, three cores and three mid tiers in a patchwork; some maps lack some of them."""
    rng = np.random.default_rng(seed)
    classes = np.zeros((height, width), np.uint8)
    for value in rng.permutation([1, 2, 3, 5, 6, 7, 0])[: rng.integers(0, 7)]:
        classes[blobs(height, width, int(rng.integers(2**31)))] = value
    return classes


# Foci


def float32_sigma(value):
    return float(np.float32(min(max(value, MIN_SIGMA), MAX_SIGMA)))


def random_focus(rng, width, height):
    """A focus with a center in the picture, of any shape, mostly of a size that matters there."""
    if rng.random() < 0.6:
        sigma = [float32_sigma(s) for s in np.exp2(rng.uniform(-3, 4, 2))]
    else:
        sigma = [float32_sigma(s) for s in np.exp2(rng.uniform(-7, 14.3, 2))]
    alpha = int(rng.choice([0, 0, 1, 17, 100, 255]))
    reach = rng.uniform(0, max(width, height)) / sqrt(sigma[int(rng.integers(2))])
    core = min(round(reach * 256) / 256, 65535.0)
    mid = min(core + round(rng.uniform(0, reach + 1) * 256) / 256, 65535.0)
    if rng.random() < 0.1:
        core = 0.0
    if rng.random() < 0.05:
        mid = 65535.0
    x, y = (int(rng.integers(n)) for n in (width, height))
    return Focus(x, y, (sigma[0], sigma[1]), alpha, core, mid)


def random_foci(seed, width, height):
    """One to three foci; now and then two share their center, or everything."""
    rng = np.random.default_rng(seed)
    foci = [random_focus(rng, width, height) for _ in range(rng.integers(1, 4))]
    if len(foci) > 1 and rng.random() < 0.3:
        foci[1] = foci[1]._replace(x=foci[0].x, y=foci[0].y)
    if len(foci) > 1 and rng.random() < 0.1:
        foci[-1] = foci[0]
    return foci


def exact(foci):
    """The same foci as the reference wants them."""
    return [
        reference.Focus(
            f.x,
            f.y,
            Fraction(f.r_core),
            Fraction(f.r_mid),
            Fraction(f.sigma[0]),
            Fraction(f.sigma[1]),
            f.alpha_code,
        )
        for f in foci
    ]


# Contexts


def contexts_asked(job):
    """The contexts in which the reference asks for symbols while it does a job.

    Decoding the right symbols proves little about contexts that happen to share a table.
    """
    asked = []
    symbol = reference.SymbolReader.symbol

    def asking(reader, context):
        asked.append(context)
        return symbol(reader, context)

    reference.SymbolReader.symbol = asking
    try:
        job()
    finally:
        reference.SymbolReader.symbol = symbol
    return asked


def greyed(pixels):
    """Three channels of one, and the others behind them."""
    grey = np.concatenate([pixels[..., [0, 0, 0]], pixels[..., 3:]], axis=2)
    return np.ascontiguousarray(grey)
