"""Choosing a palette by k-means in HSV."""

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


def fit(pixels: U8, effort: int, size: int = 256) -> U8:
    """A palette of at most `size` colours for `pixels`, uint8 (n, 3): uint8 (K, 3), by luma.

    All colours where they are few enough. Else k-means in the HSV cone: over a histogram in native
    code, or from effort 8 over the pixels with scikit-learn (extra "search").
    """
    if effort >= THOROUGH and not has_few_colours(pixels, size):
        return _fit_thorough(pixels, size)
    return _native.palette_fit(np.ascontiguousarray(pixels), size, _ROUNDS)


def _fit_thorough(pixels: U8, size: int) -> U8:
    try:
        from sklearn.cluster import KMeans
    except ImportError as error:
        raise ImportError(
            f"the palette at effort {THOROUGH} and above needs scikit-learn: "
            "pip install 'pillow-aig[search]'"
        ) from error
    sample = pixels[:: max(1, len(pixels) // _MAX_SAMPLES)]
    model = KMeans(size, init="k-means++", n_init=1, max_iter=50, random_state=0)
    labels = model.fit_predict(_hsv_cone(sample))
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
