"""Predictors of G, then R, then B from the features of mixed coding (docs/format.md, 7.1.12):
a multilayer perceptron and a linear one, both trained offline, and a linear one for one picture.

All predict (sample - base) / scale from features / scale, where the scale of a pixel is the mean
size of its features: what is alike but for its contrast is predicted alike, and least squares
weigh errors by what is expected of their surroundings.
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.images import U8

from .samples import F32, I32, MIDDLE, OWN, padded, shifted

F64 = NDArray[np.float64]

#: Offsets (dy, dx): OWN and two more.
_OWN = (*OWN, (-2, 2), (-2, -2))
_EARLIER = ((0, -1), (-1, 0), (-1, -1), (-1, 1))
_LATER = ((0, -1), (-1, 0))

HIDDEN = (32, 16)
#: Targets are cut off here, in scales: edges that nothing foretells would outweigh all else.
_MOST = 4.0
_RIDGE = 1e-3
#: The unit of the coefficients for one picture, each of which costs a byte.
_UNIT = 64


@dataclass(frozen=True)
class Features:
    """A plane's pixels: base and scale (pixels), features in scales (pixels, n), the plane's
    samples (pixels). Only the samples tell something that a decoder does not know."""

    base: F32
    scale: F32
    terms: F32
    samples: F32

    @property
    def target(self) -> F32:
        """What is to be predicted."""
        return np.clip((self.samples - self.base) / self.scale, -_MOST, _MOST)


#: Predictions (pixels) in scales above the base.
Predictor = Callable[[Features], F32]


def planes(pixels: U8) -> list[I32]:
    """G, R and B, in order of coding, of an image (height, width, RGB)."""
    return [np.ascontiguousarray(pixels[..., c], np.int32) for c in (1, 0, 2)]


def features(pixels: U8, which: NDArray[np.int64] | slice = slice(None)) -> list[Features]:
    """Of each plane, in order of coding; of all pixels, or of some, counted row by row."""
    wide = [padded(plane, MIDDLE) for plane in planes(pixels)]
    return [_features(wide, c, which) for c in range(len(wide))]


def _features(wide: Sequence[I32], c: int, which: NDArray[np.int64] | slice) -> Features:
    own = wide[c]
    west, north, east, corner = (
        shifted(own, *offset) for offset in ((0, -1), (-1, 0), (-1, 1), (-1, -1))
    )
    base = (3 * west + 3 * north + east + corner + 4) >> 3
    terms = [shifted(own, *offset) - base for offset in _OWN]
    for other in wide[:c]:
        here = shifted(other, 0, 0)
        terms += [here - shifted(other, *offset) for offset in _EARLIER]
    for other in wide[c + 1 :]:
        terms += [shifted(other, *offset) - shifted(other, -1, -1) for offset in _LATER]
    columns = np.stack([term.ravel()[which] for term in terms], 1).astype(np.float32)
    scale = 1 + np.abs(columns).mean(1)
    at, samples = (plane.ravel()[which].astype(np.float32) for plane in (base, shifted(own, 0, 0)))
    return Features(at, scale, columns / scale[:, None], samples)


def median(plane: I32) -> F32:
    """Predictions (height, width) of a plane by the median of W, N and W + N - NW."""
    wide = padded(plane, MIDDLE)
    west, north, corner = (shifted(wide, *offset) for offset in OWN[:3])
    low, high = np.minimum(west, north), np.maximum(west, north)
    return np.clip(west + north - corner, low, high).astype(np.float32)


def joined(parts: Sequence[Features]) -> Features:
    """The pixels of all parts."""
    return Features(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("base", "scale", "terms", "samples")
        )
    )


def linear(training: Features) -> Predictor:
    """By least squares."""
    weights = _solved(training).astype(np.float32)
    return lambda seen: seen.terms @ weights


def linear_of_picture(seen: Features) -> tuple[Predictor, int]:
    """By least squares over the pixels that are to be predicted, and the bits that a decoder is
    told it with."""
    units = np.rint(_solved(seen) * _UNIT).clip(-128, 127)
    weights = (units / _UNIT).astype(np.float32)
    return lambda again: again.terms @ weights, 8 * len(weights)


def _solved(seen: Features) -> F64:
    terms, target = seen.terms.astype(np.float64), seen.target.astype(np.float64)
    normal = terms.T @ terms + _RIDGE * len(terms) * np.eye(terms.shape[1])
    return np.linalg.solve(normal, terms.T @ target)


def perceptron(training: Features, seed: int, most_epochs: int) -> Predictor:
    """By scikit-learn's MLPRegressor, stopped when a tenth of the pixels, not trained on, gets no
    better."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPRegressor

    net = MLPRegressor(
        hidden_layer_sizes=HIDDEN,
        batch_size=min(256, len(training.samples)),
        early_stopping=True,
        n_iter_no_change=4,
        tol=1e-5,
        max_iter=most_epochs,
        random_state=seed,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # most_epochs are meant to be the end
        net.fit(_with_scale(training), training.target)
    return lambda seen: net.predict(_with_scale(seen))


def _with_scale(seen: Features) -> F32:
    """The features, and what they were divided by."""
    return np.concatenate([seen.terms, np.log2(seen.scale)[:, None] / 4], 1)
