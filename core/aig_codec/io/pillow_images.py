"""Images of other formats as `encode` wants them: pixels in a mode that AIG stores, metadata kept.

The command line's way in; heavy imports stay inside the functions.
"""

import io
import re
import warnings
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from operator import index
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

    from ..decoder.file import AigFile

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


class LoadedImage(NamedTuple):
    """An image as AIG can store it; one of several where a file has frames.

    pixels: uint8 or uint16 (H, W) or (H, W, 2..4). ancillary: exif, icc_profile, xmp, dpi, text and
    comment where present, as keywords of `encode`. notes: what was changed or left behind, as
    sentences. frames: how many its file has. duration: milliseconds that it is shown, 0 if that
    is not said. loop: how often the frames are shown, 0 for ever, None if that is not said.
    """

    pixels: "NDArray[Any]"
    ancillary: dict[str, Any]
    notes: list[str]
    frames: int = 1
    duration: int = 0
    loop: int | None = None


def read_picture(source: "Path | bytes", name: str | None = None) -> LoadedImage:
    """Read any image that Pillow reads, or an AIG file; of several frames the first one.

    source: a path, or the bytes of a file, which `name` is said of. Raises `PictureError` or
    OSError.
    """
    frames = read_frames(source, name)
    picture = next(frames)
    frames.close()
    return picture


def read_frames(source: "Path | bytes", name: str | None = None) -> "Generator[LoadedImage]":
    """All frames of an image that Pillow reads, or of an AIG file, one after the other.

    Of frames behind the first one, ancillary holds what differs from it. Raises as `read_picture`
    does.
    """
    from ..container import MAGIC

    name = str(source) if name is None and isinstance(source, Path) else name or "the picture"
    with source.open("rb") if isinstance(source, Path) else io.BytesIO(source) as file:
        is_aig = file.read(len(MAGIC)) == MAGIC
        file.seek(0)
        frames = _frames_of_aig(file) if is_aig else _frames_of_other(file, name)
        first: dict[str, Any] | None = None
        for picture in frames:
            if first is None:
                first = picture.ancillary
                yield picture
            else:
                own = {k: v for k, v in picture.ancillary.items() if first.get(k) != v}
                yield picture._replace(ancillary=own)


def _frames_of_aig(file: BinaryIO) -> Iterator[LoadedImage]:
    from .. import open

    with open(file) as whole:
        for k in range(whole.n_frames):
            aig = whole.frame(k) if k else whole
            duration = whole.durations[k] if whole.n_frames > 1 else 0
            yield LoadedImage(
                aig.decode(), ancillary_of(aig), [], whole.n_frames, duration, whole.loop
            )


def ancillary_of(aig: "AigFile") -> dict[str, Any]:
    """What an AIG file holds beside pixels and foci, as keywords of `encode`."""
    found = {"exif": aig.exif, "icc_profile": aig.icc_profile, "xmp": aig.xmp}
    found["dpi"] = aig.metadata.dpi  # type: ignore[assignment]
    found["text"] = aig.text or None  # type: ignore[assignment]
    return {k: v for k, v in found.items() if v is not None}


def _frames_of_other(file: BinaryIO, name: str) -> Iterator[LoadedImage]:
    from PIL import Image, UnidentifiedImageError

    from .pillow_metadata import words_of

    try:
        with _remarks() as remarks, _complaints(name):
            image = Image.open(file)
    except UnidentifiedImageError:
        raise PictureError(f"{name}: not an image that Pillow can read") from None
    with image:
        count, loop = getattr(image, "n_frames", 1), _loop(image)
        for k in range(count):
            with _remarks() as more, _complaints(name, f"frame {k} " if k else ""):
                image.seek(k)
                picture = _picture_of(image, name)
                duration = _duration(image)
                # Pillow reads all frames for the text that may stand behind them, and comes back.
                words, lost = words_of(image) if k == 0 else ({}, [])
            notes = [*picture.notes, *lost, *map(_said, [*remarks, *more])]
            ancillary = {**picture.ancillary, **words}
            yield LoadedImage(picture.pixels, ancillary, notes, count, duration, loop)
            remarks = []


@contextmanager
def _remarks() -> "Iterator[list[warnings.WarningMessage]]":
    from PIL import Image

    with warnings.catch_warnings(record=True) as remarks:
        warnings.simplefilter("always")
        # The codec has limits of its own, and the file was named by its user.
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        yield remarks


def _said(remark: "warnings.WarningMessage") -> str:
    return str(remark.message)


@contextmanager
def _complaints(name: str, what: str = "") -> Iterator[None]:
    """Pillow's decoders raise whatever they trip over in a damaged file: say so."""
    from PIL import UnidentifiedImageError

    try:
        yield
    except (PictureError, UnidentifiedImageError):
        raise
    except Exception as error:
        raise PictureError(f"{name}: {what}cannot be read: {error}") from error


def _picture_of(image: "Image.Image", name: str) -> LoadedImage:
    from .pillow_metadata import metadata_of

    deep = _DEEP_TILE.search(str(image.tile)) is not None  # type: ignore[attr-defined]
    image.load()
    if image.mode == "F" or (deep and not image.mode.startswith("I")):
        raise PictureError(
            f"{name}: has more than 8 bits per sample, which Pillow hands on only "
            "as whole numbers of grey; reduce it first, or give aig_codec.encode "
            "an array of uint16"
        )
    try:
        pixels, notes = pixels_of(image)
    except OSError as error:
        raise PictureError(f"{name}: {error}") from error
    ancillary, lost = metadata_of(image)
    return LoadedImage(pixels, ancillary, [*notes, *lost])


def _duration(image: "Image.Image") -> int:
    """Milliseconds, as AIG stores them."""
    try:
        return min(max(0, round(float(image.info.get("duration") or 0))), 2**32 - 1)
    except (TypeError, ValueError, OverflowError):
        return 0


def _loop(image: "Image.Image") -> int | None:
    """How often the frames are shown; more often than AIG can say is for ever."""
    loop = image.info.get("loop")
    return None if not isinstance(loop, int) or loop < 0 else loop if loop <= 65535 else 0


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
