"""Pictures of 16 bits: uint16 (height, width, channels)."""

import numpy as np


def noise(height: int, width: int, channels: int, seed: int = 0) -> np.ndarray:
    """Every sample on its own."""
    return np.random.default_rng(seed).integers(0, 65536, (height, width, channels), np.uint16)


def extremes(height: int, width: int, channels: int, seed: int = 0) -> np.ndarray:
    """0 and 65535 alone: the largest differences that there are."""
    rng = np.random.default_rng(seed)
    return rng.choice(np.array([0, 65535], np.uint16), (height, width, channels))


def ramp(height: int, width: int, channels: int, seed: int = 0) -> np.ndarray:
    """A gentle slope over the whole range, in all channels another one, with a little noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width, :channels][:2]
    slopes = rng.integers(100, 2000, (2, channels))
    picture = x * slopes[0] + y * slopes[1] + rng.integers(0, 9, (height, width, channels))
    return (picture % 65536).astype(np.uint16)


def constant(height: int, width: int, channels: int, seed: int = 0) -> np.ndarray:
    """One colour."""
    return np.broadcast_to(noise(1, 1, channels, seed), (height, width, channels)).copy()


def twelve_bits(height: int, width: int, channels: int, seed: int = 0) -> np.ndarray:
    """As cameras and scanners deliver: the upper bits are all 0."""
    return ramp(height, width, channels, seed) >> 4


def shifted(height: int, width: int, channels: int, seed: int = 0) -> np.ndarray:
    """8 bits that were made 16: few values, far from each other."""
    return (ramp(height, width, channels, seed) >> 8) * 257


def grey_colour(height: int, width: int, channels: int, seed: int = 0) -> np.ndarray:
    """Colour channels that are equal, if there are three; alpha is another."""
    picture = ramp(height, width, channels, seed)
    picture[..., :3] = picture[..., :1] if channels > 2 else picture[..., :3]
    return picture


def flat(height: int, width: int, channels: int, seed: int = 0) -> np.ndarray:
    """Few colours in large areas, for which 8 bits would have the coder for graphics."""
    y, x = np.mgrid[:height, :width]
    return noise(1, 5, channels, seed)[0][(x // 7 + y // 5) % 5]


KINDS = {
    f.__name__: f
    for f in (noise, extremes, ramp, constant, twelve_bits, shifted, grey_colour, flat)
}


def squeezed(picture: np.ndarray) -> np.ndarray:
    """As `decode` returns it: grey without an axis for it."""
    return picture[..., 0] if picture.shape[2] == 1 else picture
