"""The codecs, each a pair of functions between an RGB array and bytes in memory.

Every one of them runs on a single thread where its library lets us say so. Pillow's AVIF decoder
does not: it takes as many threads as the process has CPUs, so the speed table pins the process.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import imagecodecs
import numpy as np
from PIL import Image

import aig_codec

from .images import U8, Focus


@dataclass(frozen=True)
class Codec:
    """A codec at one setting."""

    name: str
    setting: str
    encode: Callable[[U8], bytes]
    decode: Callable[[bytes], U8]


def aig(focus: Focus | None = None, quality: int | None = None, effort: int | None = None) -> Codec:
    """AIG; without a focus it looks for one itself, without quality or effort it takes defaults."""
    keywords: dict[str, Any] = {"threads": 1}
    if focus is not None:
        keywords |= {"centers": focus.centers, "sigmas": focus.sigmas, "radii": focus.radii}
    if quality is not None:
        keywords["quality"] = quality
    if effort is not None:
        keywords["effort"] = effort
    return Codec(
        "AIG",
        "default" if quality is None else f"q{quality}",
        lambda image: aig_codec.encode(image, **keywords),
        lambda data: aig_codec.decode(data, threads=1),
    )


def aig_name(tune: str, effort: int) -> str:
    """What `aig_background` is called."""
    return f"AIG {tune} e{effort}"


def aig_background(
    focus: Focus,
    effort: int,
    tune: str = "psnr",
    quality: float | None = None,
    level: int | None = None,
) -> Codec:
    """AIG for what lies around a focus, without a tier in between; quality or level is given."""
    return Codec(
        aig_name(tune, effort),
        f"level {level}" if quality is None else f"q{quality:g}",
        lambda image: aig_codec.encode(
            image,
            centers=focus.centers,
            sigmas=focus.sigmas,
            radii=focus.radii,
            quality=quality,
            quality_level=level,
            effort=effort,
            tune=tune,
            mid="none",
            threads=1,
        ),
        lambda data: aig_codec.decode(data, threads=1),
    )


def aig_lossless(effort: int) -> Codec:
    """AIG, lossless."""
    return Codec(
        f"AIG lossless e{effort}",
        "",
        lambda image: aig_codec.encode(image, lossless=True, effort=effort, threads=1),
        lambda data: aig_codec.decode(data, threads=1),
    )


def avif_name(tune: str, subsampling: str = "4:2:0") -> str:
    """What `avif` is called."""
    parts = ("AVIF s6", tune, "" if subsampling == "4:2:0" else subsampling)
    return " ".join(filter(None, parts))


def avif(quality: int, subsampling: str = "4:2:0", tune: str = "") -> Codec:
    """AVIF at speed 6; tune is what its encoder aims at: "psnr", "iq" (eyes), or left to it.

    What it does by itself depends on its version: libavif 1.4 takes "iq", older ones "ssim".
    """
    return _pillow(
        avif_name(tune, subsampling),
        f"q{quality}",
        format="AVIF",
        quality=quality,
        speed=6,
        subsampling=subsampling,
        max_threads=1,
        **({"advanced": {"tune": tune}} if tune else {}),
    )


def jpeg(quality: int) -> Codec:
    """JPEG with chroma at half resolution."""
    return _pillow("JPEG 4:2:0", f"q{quality}", format="JPEG", quality=quality, subsampling="4:2:0")


def jpeg_optimised(quality: int) -> Codec:
    """JPEG with chroma at half resolution, as small as Pillow gets it."""
    return _pillow(
        "JPEG 4:2:0 optimised",
        f"q{quality}",
        format="JPEG",
        quality=quality,
        subsampling="4:2:0",
        optimize=True,
        progressive=True,
    )


def webp(quality: int) -> Codec:
    """WebP, lossy, at Pillow's default effort."""
    return _pillow("WebP m4", f"q{quality}", format="WEBP", quality=quality, method=4)


def webp_lossless(method: int = 4, quality: int = 75) -> Codec:
    """WebP, lossless, where quality is a second effort."""
    return _pillow(
        "WebP lossless",
        f"m{method} q{quality}",
        format="WEBP",
        lossless=True,
        quality=quality,
        method=method,
    )


def png() -> Codec:
    """PNG at Pillow's default level."""
    return _pillow("PNG", "", format="PNG")


def jxl(distance: float, effort: int) -> Codec:
    """JPEG XL, lossy."""
    return _jxl(f"JXL e{effort}", f"d{distance:g}", distance=distance, effort=effort)


def jxl_lossless(effort: int = 7) -> Codec:
    """JPEG XL, lossless."""
    return _jxl(f"JXL lossless e{effort}", "", lossless=True, effort=effort)


def _pillow(name: str, setting: str, **keywords: Any) -> Codec:
    def encode(image: U8) -> bytes:
        file = io.BytesIO()
        Image.fromarray(image).save(file, **keywords)
        return file.getvalue()

    def decode(data: bytes) -> U8:
        with Image.open(io.BytesIO(data)) as image:
            return np.asarray(image.convert("RGB"))

    return Codec(name, setting, encode, decode)


def _jxl(name: str, setting: str, **keywords: Any) -> Codec:
    return Codec(
        name,
        setting,
        lambda image: bytes(imagecodecs.jpegxl_encode(image, numthreads=1, **keywords)),
        lambda data: imagecodecs.jpegxl_decode(data, numthreads=1),
    )
