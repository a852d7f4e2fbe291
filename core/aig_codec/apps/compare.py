"""How far apart two pictures are: in the focus, in the band around it, and outside.

PSNR is over all colour channels. SSIM (Wang, Bovik, Sheikh and Simoncelli 2004) is of luma with
their Gaussian window; MS-SSIM (Wang, Simoncelli and Bovik 2003) of five scales of it. Of a region,
both are means over its pixels, and at smaller scales over those that lie in it by more than half.
"""

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..container import Metadata
from ..geometry import Regions

Mask = NDArray[np.bool_]
F64 = NDArray[np.float64]

#: How far the band around the cores reaches, in pixels.
BAND = 16

#: Pixels from the rim where a seam is compared with its surroundings: beyond, up to.
_AROUND = 2, 8

#: Shares of red, green and blue in luma (ITU-R BT.601).
LUMA = (0.299, 0.587, 0.114)

#: Of SSIM: standard deviation of the window, which has 11 taps, and the constants.
_SIGMA, _RADIUS, _K1, _K2 = 1.5, 5, 0.01, 0.03

#: Of MS-SSIM: exponents by scale, fine to coarse.
_EXPONENTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


@dataclass(frozen=True)
class Scores:
    """One region of two pictures.

    pixels: how many. psnr: dB, infinite where all are equal. largest: largest difference of a
    sample. ssim, ms_ssim: at most 1; NaN where the region or the picture is too small for it.
    """

    pixels: int
    psnr: float
    largest: int
    ssim: float
    ms_ssim: float

    def to_json(self) -> dict[str, Any]:
        """Plain types; what is not finite is null."""
        return {key: v if math.isfinite(v) else None for key, v in asdict(self).items()}


def regions(of: Regions[Metadata]) -> dict[str, Mask]:
    """Masks (H, W) of "focus", "band" and "outside", by what a file says of its regions."""
    from scipy.ndimage import distance_transform_edt

    focus = of.core_mask()
    if not focus.any() or focus.all():
        return {"focus": focus, "band": np.zeros_like(focus), "outside": ~focus}
    near = distance_transform_edt(~focus) <= BAND
    return {"focus": focus, "band": near & ~focus, "outside": ~near}


def compare(
    a: NDArray[Any], b: NDArray[Any], masks: dict[str, Mask] | None = None
) -> dict[str, Scores]:
    """Scores of the whole, by the name "all", and of every region that has pixels.

    a, b: uint8 or uint16 of the same shape (H, W) or (H, W, C); alpha plays no part. Raises
    ValueError if they cannot be compared.
    """
    if a.shape[:2] != b.shape[:2]:
        raise ValueError(
            f"pictures of {a.shape[1]} x {a.shape[0]} and {b.shape[1]} x {b.shape[0]} pixels "
            "cannot be compared"
        )
    peak = int(np.iinfo(a.dtype).max)
    a, b = _colours(a), _colours(b)
    if a.dtype != b.dtype:
        raise ValueError(f"samples of {a.dtype} and {b.dtype} cannot be compared")
    difference = np.abs(a.astype(np.int64) - b)
    maps = list(_similarities(_luma(a), _luma(b), peak))
    found = {}
    whole = np.ones(a.shape[:2], bool)
    for name, mask in {"all": whole, **(masks or {})}.items():
        if not mask.any():
            continue
        own = difference[mask]
        error = float((own.astype(float) ** 2).mean())
        found[name] = Scores(
            pixels=int(mask.sum()),
            psnr=math.inf if error == 0 else 10 * math.log10(peak**2 / error),
            largest=int(own.max()),
            ssim=float(maps[0][0][mask].mean()) if maps else math.nan,
            ms_ssim=_ms_ssim(maps, mask),
        )
    return found


class Seam(NamedTuple):
    """How far gradients of luma are from the original's, mean absolute difference in grey levels of
    255: between pixels that the rim of the cores parts, and between those a little farther out.

    An exact pixel beside a lossy one shows all of the error as an edge; of two lossy ones, errors
    are alike for the most part. What the rim has more than its surroundings is the seam.
    """

    rim: float
    around: float

    @property
    def excess(self) -> float:
        """What can be seen of the rim, in grey levels; 0 or less where there is no seam."""
        return self.rim - self.around


def seam(a: NDArray[Any], b: NDArray[Any], core: Mask) -> Seam | None:
    """The seam along the rim of the cores (H, W) of two pictures; None where there is no rim with
    something around it."""
    from scipy.ndimage import distance_transform_edt

    if not core.any() or core.all():
        return None
    error = _luma(_colours(b)) - _luma(_colours(a))
    error *= 255 / float(np.iinfo(a.dtype).max)
    away = distance_transform_edt(~core)
    near = (away > _AROUND[0]) & (away <= _AROUND[1])
    rim, around = [], []
    for axis in (0, 1):
        change = np.abs(np.diff(error, axis=axis))
        inside, close = (np.stack(_pairs(mask, axis)) for mask in (core, near))
        rim.append(change[inside[0] != inside[1]])
        around.append(change[close[0] & close[1]])
    means = [np.concatenate(values) for values in (rim, around)]
    if not all(len(values) for values in means):
        return None
    return Seam(*(float(values.mean()) for values in means))


def _pairs(mask: Mask, axis: int) -> tuple[Mask, Mask]:
    """Of neighbours along an axis, the first and the second ones."""
    n = mask.shape[axis]
    return mask.take(range(n - 1), axis), mask.take(range(1, n), axis)


def ssimulacra2(a: NDArray[Any], b: NDArray[Any]) -> float | None:
    """SSIMULACRA2 of two pictures of 8 bits, 100 for equal ones; None without its package."""
    if not find_spec("ssimulacra2") or a.dtype != np.uint8:
        return None
    import tempfile
    from pathlib import Path

    from PIL import Image
    from ssimulacra2 import compute_ssimulacra2

    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in ("a.png", "b.png")]
        for path, pixels in zip(paths, (a, b), strict=True):
            Image.fromarray(_colours(pixels)).save(path, compress_level=0)
        return float(compute_ssimulacra2(*map(str, paths)))


def _colours(pixels: NDArray[Any]) -> NDArray[Any]:
    """Red, green and blue (H, W, 3)."""
    pixels = pixels[..., None] if pixels.ndim == 2 else pixels
    colours = pixels[..., : 1 if pixels.shape[2] < 3 else 3]
    return np.ascontiguousarray(np.broadcast_to(colours, (*pixels.shape[:2], 3)))


def _luma(colours: NDArray[Any]) -> F64:
    luma: F64 = colours.astype(float) @ np.array(LUMA)
    return luma


def _similarities(a: F64, b: F64, peak: int) -> Iterator[tuple[F64, F64]]:
    """Scale by scale the maps of SSIM and of its part without luminance."""
    from scipy.ndimage import gaussian_filter

    def soft(plane: F64) -> F64:
        found: F64 = gaussian_filter(plane, _SIGMA, radius=_RADIUS)
        return found

    c1, c2 = (_K1 * peak) ** 2, (_K2 * peak) ** 2
    for _ in _EXPONENTS:
        if min(a.shape) <= 2 * _RADIUS:
            return
        mean_a, mean_b = soft(a), soft(b)
        var_a, var_b = soft(a * a) - mean_a**2, soft(b * b) - mean_b**2
        contrast = (2 * (soft(a * b) - mean_a * mean_b) + c2) / (var_a + var_b + c2)
        yield contrast * (2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1), contrast
        a, b = _halved(a), _halved(b)


def _halved(plane: F64) -> F64:
    """Means of 2 x 2; a last odd row or column is left out."""
    height, width = (n // 2 * 2 for n in plane.shape)
    even = plane[:height, :width]
    found: F64 = even.reshape(height // 2, 2, width // 2, 2).mean((1, 3))
    return found


def _ms_ssim(maps: list[tuple[F64, F64]], mask: Mask) -> float:
    if len(maps) < len(_EXPONENTS):
        return math.nan
    product = 1.0
    share = mask.astype(float)
    for scale, (exponent, (similarity, contrast)) in enumerate(zip(_EXPONENTS, maps, strict=True)):
        inside = share > 0.5
        if not inside.any():
            return math.nan
        last = scale == len(_EXPONENTS) - 1
        mean = float((similarity if last else contrast)[inside].mean())
        product *= max(0.0, mean) ** exponent
        share = _halved(share)
    return product
