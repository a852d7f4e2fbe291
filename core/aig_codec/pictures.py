"""Images of other formats as `encode` wants them: pixels in a mode that AIG stores, metadata kept.

The command line's way in; heavy imports stay inside the functions.
"""

import re
import warnings
from operator import index
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

#: Pillow opens these, but for grey, with 8 bits per sample and says nothing about those it drops.
_DEEP_TILE = re.compile(r"(?<![A-Z])(L|LA|RGB|RGBA|RGBX|CMYK|I);16")

#: What Pillow modes become where AIG lacks them.
_STORED_AS = {
    "1": "L",
    "La": "LA",
    "PA": "RGBA",
    "RGBa": "RGBA",
    "RGBX": "RGB",
    "CMYK": "RGB",
    "YCbCr": "RGB",
    "HSV": "RGB",
}


#: Most entries of a palette.
_PALETTE = 256


class PictureError(Exception):
    """Why a picture cannot be had, in a sentence that names the file."""


class Stored(NamedTuple):
    """The pixels of an image as AIG stores them, and what was changed, as sentences."""

    pixels: "NDArray[Any]"
    notes: list[str]


class Picture(NamedTuple):
    """An image as AIG can store it.

    pixels: uint8 or uint16 (H, W) or (H, W, 2..4). ancillary: exif, icc_profile, xmp and dpi where
    present, as keywords of `encode`. notes: what was changed or left behind, as sentences.
    """

    pixels: "NDArray[Any]"
    ancillary: dict[str, Any]
    notes: list[str]


def read_picture(path: Path) -> Picture:
    """Read any image that Pillow reads, or an AIG file. Raises `PictureError` or OSError."""
    from PIL import Image, UnidentifiedImageError

    with path.open("rb") as file:
        from .container import MAGIC

        if file.read(len(MAGIC)) == MAGIC:
            return _read_aig(path)
        file.seek(0)
        with warnings.catch_warnings(record=True) as remarks:
            warnings.simplefilter("always")
            # The codec has limits of its own, and the file was named by its user.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            try:
                with Image.open(file) as image:
                    deep = _DEEP_TILE.search(str(image.tile)) is not None
                    image.load()
                    if image.mode == "F" or (deep and not image.mode.startswith("I")):
                        raise PictureError(
                            f"{path}: has more than 8 bits per sample, which Pillow hands on only "
                            "as whole numbers of grey; reduce it first, or give aig_codec.encode "
                            "an array of uint16"
                        )
                    try:
                        pixels, notes = pixels_of(image)
                    except OSError as error:
                        raise PictureError(f"{path}: {error}") from error
                    notes = [*_frame_notes(image), *notes]
                    ancillary = _ancillary(image, keep_profile=image.mode != "CMYK")
            except PictureError:
                raise
            except UnidentifiedImageError:
                raise PictureError(f"{path}: not an image that Pillow can read") from None
            except Exception as error:
                # Pillow's decoders raise whatever they trip over in a damaged file.
                raise PictureError(f"{path}: cannot be read: {error}") from error
    return Picture(pixels, ancillary, notes + [str(remark.message) for remark in remarks])


def _read_aig(path: Path) -> Picture:
    from . import open

    with open(path) as aig:
        found = {"exif": aig.exif, "icc_profile": aig.icc_profile, "xmp": aig.xmp}
        found["dpi"] = aig.metadata.dpi  # type: ignore[assignment]
        found["text"] = aig.text or None  # type: ignore[assignment]
        notes = [f"only the first of {aig.n_frames} frames is stored"] if aig.n_frames > 1 else []
        return Picture(aig.decode(), {k: v for k, v in found.items() if v is not None}, notes)


def _frame_notes(image: "Image.Image") -> list[str]:
    frames = getattr(image, "n_frames", 1)
    return [f"only the first of {frames} frames is stored"] if frames > 1 else []


def pixels_of(image: "Image.Image") -> Stored:
    """The pixels of an image that Pillow has, converted where AIG lacks its mode; with alpha where
    it has any, be it as ``info["transparency"]``.

    Raises OSError for modes that have no counterpart, and for whole numbers beyond 16 bits.
    """
    import numpy as np

    notes = []
    transparent = _transparent_colour(image)
    if image.mode == "I" or image.mode.startswith("I;16"):
        pixels = _deep_grey(image)
    else:
        if image.mode in ("CMYK", "YCbCr", "HSV"):
            notes.append(f"{image.mode} was converted to RGB")
        if image.mode == "CMYK" and "icc_profile" in image.info:
            notes.append("its colour profile is one for CMYK and was left out")
        if image.mode == "P":
            image = _with_own_alpha(image)
        mode = _mode_of(image)
        pixels = np.asarray(image if mode == image.mode else image.convert(mode))
    if transparent is not None:
        pixels = _with_alpha(pixels, transparent)
    return Stored(pixels, notes)


def _mode_of(image: "Image.Image") -> str:
    """The mode to store an image of 8 bits per sample in, but for a transparent colour."""
    mode = image.mode
    if mode == "P":
        # A damaged file may have no palette, which is black to Pillow.
        return "RGBA" if image.palette is not None and image.has_transparency_data else "RGB"
    if mode in ("L", "LA", "RGB", "RGBA"):
        return mode
    if mode in _STORED_AS:
        return _STORED_AS[mode]
    raise OSError(f"cannot write mode {mode} as AIG")


def _transparent_colour(image: "Image.Image") -> tuple[int, ...] | None:
    """The colour that stands for transparency, as PNG and GIF allow; None if there is none.

    ``info["transparency"]`` may be anything: what no pixel can be, or what is of no use in the
    image's mode, is none.
    """
    found = image.info.get("transparency")
    values = found if isinstance(found, (tuple, list)) else (found,)
    try:
        colour = tuple(map(index, values))
    except TypeError:  # None, text, the alpha of a palette's colours
        return None
    if image.mode in ("RGB", "RGBX", "P"):
        # Of a palette, a number is one of its entries; Pillow knows what to do with that.
        if len(colour) == 4:
            colour = colour[:3]
        if len(colour) == 3 and 255 < max(colour) <= 65535 and min(colour) >= 0:
            # What a PNG of 16 bits says; its pixels have the higher 8 by now.
            colour = tuple(value >> 8 for value in colour)
        channels, most = 3, 255
    elif image.mode in ("1", "L", "I") or image.mode.startswith("I;16"):
        if len(set(colour)) == 1:
            colour = colour[:1]  # grey, as a colour
        if image.mode == "1":
            colour = tuple(255 * bool(value) for value in colour)
        channels, most = 1, 255 if image.mode in ("1", "L") else 65535
    else:
        return None
    return colour if len(colour) == channels and all(0 <= v <= most for v in colour) else None


def _with_own_alpha(image: "Image.Image") -> "Image.Image":
    """An image of mode P whose info holds no transparency but what Pillow can apply: an entry of
    the palette, or the alpha of each."""
    if "transparency" not in image.info:
        return image
    found = image.info["transparency"]
    usable: bytes | int | None = None
    if isinstance(found, (bytes, bytearray)):
        usable = bytes(found[:_PALETTE])
    elif hasattr(found, "__index__") and 0 <= index(found) < _PALETTE:
        usable = index(found)
    image = image.copy()
    del image.info["transparency"]
    if usable is not None:
        image.info["transparency"] = usable
    return image


def _with_alpha(pixels: "NDArray[Any]", transparent: tuple[int, ...]) -> "NDArray[Any]":
    """Pixels of which one colour is transparent, besides what is so already."""
    import numpy as np

    channels = pixels[..., None] if pixels.ndim == 2 else pixels
    colours = channels[..., : len(transparent)]
    alpha = channels[..., len(transparent) :]
    if not alpha.size:
        alpha = np.full_like(channels[..., :1], np.iinfo(pixels.dtype).max)
    visible = (colours != transparent).any(axis=2, keepdims=True)
    return np.concatenate([colours, np.where(visible, alpha, 0).astype(pixels.dtype)], axis=2)


def _deep_grey(image: "Image.Image") -> "NDArray[np.uint16]":
    """Samples of an image of mode I;16, in any byte order, or I.

    Mode I has 32 bits and a sign, and is also how some of Pillow's readers give 16 bits.
    """
    import numpy as np

    pixels = np.asarray(image)
    if pixels.size and (pixels.min() < 0 or pixels.max() > 65535):
        raise OSError(
            f"cannot write mode {image.mode} as AIG: it has more than 16 bits per sample, or "
            "negative ones, and AIG stores 0 to 65535; reduce it first, as only you know which "
            "range matters"
        )
    return pixels.astype(np.uint16)


def _ancillary(image: "Image.Image", keep_profile: bool) -> dict[str, Any]:
    """EXIF, profile, XMP and resolution of an image that Pillow has loaded."""
    found: dict[str, Any] = {}
    for key in ("exif", "icc_profile", "xmp"):
        value = image.info.get(key)
        if isinstance(value, str):
            value = value.encode()
        if isinstance(value, bytes) and value and (key != "icc_profile" or keep_profile):
            found[key] = value
    try:
        x, y = (float(v) for v in image.info["dpi"])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return found
    # Some cameras write 0 or nonsense, which is no reason to refuse their pictures.
    if 0 < x <= 1e6 and 0 < y <= 1e6:
        found["dpi"] = (x, y)
    return found
