"""Choosing a palette by k-means, in Oklab (Ottosson 2020) or on the cone of HSV."""

import numpy as np
from numpy.typing import NDArray

from .. import _native

U8 = NDArray[np.uint8]

#: Effort from which scikit-learn's k-means replaces the native one.
THOROUGH = 8

_ROUNDS = 8
_MAX_SAMPLES = 50_000


def has_few_colours(pixels: U8, limit: int = 256) -> bool:
    """Whether `pixels`, uint8 (n, 3), hold at most `limit` colours."""
    packed = pixels.astype(np.uint32) @ np.array([65536, 256, 1], np.uint32)
    # A sample settles it for nearly every photograph.
    if len(np.unique(packed[:: max(1, len(packed) // 4096)])) > limit:
        return False
    return len(np.unique(packed)) <= limit


def fit(pixels: U8, effort: int, space: str, size: int = 256) -> U8:
    """A palette of at most `size` colours for `pixels`, uint8 (n, 3): uint8 (K, 3), by luma.

    All colours where they are few enough. Else k-means in a space, "oklab" or "hsv": over a
    histogram in native code, or from effort 8 over the pixels with scikit-learn (extra "search").
    """
    if effort >= THOROUGH and not has_few_colours(pixels, size):
        return _fit_thorough(pixels, size, space)
    return _native.palette_fit(np.ascontiguousarray(pixels), size, _ROUNDS, space == "oklab")


def _fit_thorough(pixels: U8, size: int, space: str) -> U8:
    try:
        from sklearn.cluster import KMeans
    except ImportError as error:
        raise ImportError(
            f"the palette at effort {THOROUGH} and above needs scikit-learn: "
            "pip install 'pillow-aig[search]'"
        ) from error
    sample = pixels[:: max(1, len(pixels) // _MAX_SAMPLES)]
    model = KMeans(size, init="k-means++", n_init=1, max_iter=50, random_state=0)
    labels = model.fit_predict((_oklab if space == "oklab" else _hsv_cone)(sample))
    counts = np.bincount(labels, minlength=size)
    means = np.stack([np.bincount(labels, sample[:, c], size) for c in range(3)], axis=1)
    used = counts > 0
    colours = np.rint(means[used] / counts[used, None]).astype(np.uint8)
    # The native fit of few colours only sorts them by luma and drops doubles.
    return _native.palette_fit(colours, 256, 0)


def _hsv_cone(rgb: U8) -> NDArray[np.float32]:
    """(chroma cos(hue), chroma sin(hue), value): HSV where hue wraps and greys lie together."""
    r, g, b = rgb.astype(np.float32).T
    value, chroma = rgb.max(1).astype(np.float32), np.ptp(rgb, 1).astype(np.float32)
    hue = np.arctan2(np.sqrt(3) / 2 * (g - b), r - (g + b) / 2)
    return np.stack([chroma * np.cos(hue), chroma * np.sin(hue), value], axis=1)


#: From linear R, G, B to the responses of cones, and from their cube roots to L, a, b.
_TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def _oklab(rgb: U8) -> NDArray[np.float32]:
    """(L, a, b), scaled so that black and white are 255 apart."""
    v = rgb / 255
    linear = np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)
    lab: NDArray[np.float32] = (255 * np.cbrt(linear @ _TO_CONES.T) @ _TO_LAB.T).astype(np.float32)
    return lab
