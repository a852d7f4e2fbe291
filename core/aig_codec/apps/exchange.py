"""Pictures of other formats to AIG and back: all frames, all metadata, and what could not be kept.

What is lost is found by looking at the file that was written, not by what its format is said to
hold.
"""

import io
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ..io.pillow_images import LoadedImage

if TYPE_CHECKING:
    from PIL import Image

    from ..container import Label

#: Where Pillow keeps the 16 bits of mode I;16, the only mode it has with so many. Some of its other
#: formats convert that by clipping, which makes nearly everything white.
_DEEP_FORMATS = ("PNG", "TIFF", "PPM", "JPEG2000")

#: Formats whose savers take a comment.
_WITH_COMMENT = ("JPEG", "MPO", "GIF", "JPEG2000")

#: What EXIF calls a description, and GIF's number of colours.
_DESCRIPTION, _GIF_COLOURS = 270, 256

#: What EXIF begins with where nothing else says what it is: JPEG needs that, and the other formats
#: take it off.
_EXIF_PREFIX = b"Exif\0\0"


#: Where PNG files have their XMP.
_PNG_XMP = "XML:com.adobe.xmp"


class Written(NamedTuple):
    """A file, what was changed or left out, as sentences, how many frames and pixels it has, and
    what Pillow calls the mode of the first one that it was given."""

    data: bytes
    notes: list[str]
    frames: int
    pixels: int
    mode: str = ""


def to_aig(pictures: Iterable[LoadedImage], keywords: dict[str, Any]) -> Written:
    """An AIG file of pictures as `read_frames` gives them, one at a time.

    keywords: those of `encode`, for every frame; they win over what a picture says itself. Raises
    as `encode` does, naming the frame.
    """
    from .. import encode, join

    frames: list[bytes] = []
    durations: list[int] = []
    notes: list[str] = []
    loop, pixels = None, 0
    for k, picture in enumerate(pictures):
        try:
            frames.append(encode(picture.pixels, **{**picture.ancillary, **keywords}))
        except (ValueError, TypeError) as error:
            raise type(error)(f"frame {k}: {error}" if k else str(error)) from error
        durations.append(picture.duration)
        loop = picture.loop
        pixels += picture.pixels.shape[0] * picture.pixels.shape[1]
        notes += [note for note in picture.notes if note not in notes]
    # Of one frame, join makes an ordinary file.
    return Written(join(frames, durations, loop), notes, len(frames), pixels)


def to_other(
    pictures: Iterable[LoadedImage],
    format_name: str,
    options: dict[str, Any] | None = None,
    labels: "Sequence[Label | None]" = (),
) -> Written:
    """A file of another format of Pillow's, of pictures as `read_frames` gives them.

    options: of Pillow's `save`. labels: of the foci, which no other format holds. Raises what
    Pillow's savers raise, mostly OSError for a mode that the format lacks.
    """
    from PIL import Image

    Image.init()  # else not all plug-ins have said what they can
    rest = iter(pictures)
    first = next(rest)
    notes: list[str] = []
    frames = [first]
    if format_name in Image.SAVE_ALL:
        frames += rest
    elif first.frames > 1:
        notes.append(
            f"{format_name} holds one picture: only the first of {first.frames} is written"
        )
    images = [_image(picture, format_name, notes) for picture in frames]
    given = {"quality": 95, **_metadata(first.ancillary, format_name), **(options or {})}
    if len(images) > 1:
        given |= {"save_all": True, "append_images": images[1:]}
        durations = [picture.duration for picture in frames]
        if any(durations):
            given["duration"] = durations
        if first.loop is not None:
            given["loop"] = first.loop
    target = io.BytesIO()
    images[0].save(target, format_name, **given)
    lost = _lost(target.getvalue(), images, first.ancillary)
    names = [label.name for label in labels if label is not None and label.name]
    if names:
        lost.append(f"the labels of its foci ({', '.join(names)})")
    if lost:
        notes.append(f"{format_name} does not keep {_listed(lost)}")
    if any(picture.ancillary for picture in frames[1:]):
        notes.append("metadata of frames that differ from the first one's were left out")
    pixels = sum(image.width * image.height for image in images)
    return Written(target.getvalue(), notes, len(images), pixels, images[0].mode)


def _image(picture: LoadedImage, format_name: str, notes: list[str]) -> "Image.Image":
    from PIL import Image

    pixels = picture.pixels
    if pixels.itemsize > 1 and not (pixels.ndim == 2 and format_name in _DEEP_FORMATS):
        pixels = (pixels >> 8).astype("uint8")
        note = "has the higher 8 of 16 bits per sample; Pillow writes no more"
        notes += [note] if note not in notes else []
    image = Image.fromarray(pixels)
    if format_name == "GIF" and _exceeds_gif(image):
        note = f"GIF has {_GIF_COLOURS} colours and no half transparency: pixels were changed"
        notes += [note] if note not in notes else []
    return image


def _exceeds_gif(image: "Image.Image") -> bool:
    if image.mode in ("LA", "RGBA"):
        alpha = image.getchannel("A").getcolors(2)
        if alpha is None or any(value not in (0, 255) for _, value in alpha):
            return True
    return image.getcolors(_GIF_COLOURS) is None


def _metadata(ancillary: dict[str, Any], format_name: str) -> dict[str, Any]:
    """Metadata as options of Pillow's savers, which ignore those that they do not know."""
    found = {k: v for k, v in ancillary.items() if k in ("exif", "icc_profile", "xmp", "dpi")}
    if "exif" in found and not found["exif"].startswith(_EXIF_PREFIX):
        found["exif"] = _EXIF_PREFIX + found["exif"]
    text = _texts(ancillary)
    if format_name == "PNG" and (text or "xmp" in found):
        from PIL.PngImagePlugin import PngInfo

        chunks = PngInfo()
        if "xmp" in found:  # which Pillow reads there, but does not write
            chunks.add_itxt(_PNG_XMP, found["xmp"].decode(errors="replace"))
        for key, value in text.items():
            # Other keywords no PNG can have: Latin-1, of 1 to 79 letters.
            if 1 <= len(key) <= 79 and key.isprintable() and max(map(ord, key)) < 256:
                chunks.add_text(key, value)
        found["pnginfo"] = chunks
    if format_name in _WITH_COMMENT and "comment" in text:
        found["comment"] = text["comment"]
    if format_name == "TIFF" and "comment" in text and not _described(found.get("exif")):
        found["description"] = text["comment"]
    return found


def _texts(ancillary: dict[str, Any]) -> dict[str, str]:
    text = dict(ancillary.get("text") or {})
    if ancillary.get("comment"):
        text["comment"] = ancillary["comment"]
    return text


def _described(exif: bytes | None) -> bool:
    return exif is not None and _DESCRIPTION in _tags(exif)


def _tags(exif: bytes) -> "Image.Exif":
    from PIL import Image

    tags = Image.Exif()
    tags.load(exif if exif.startswith(_EXIF_PREFIX) else _EXIF_PREFIX + exif)
    return tags


def _lost(data: bytes, images: "Sequence[Image.Image]", wanted: dict[str, Any]) -> list[str]:
    """What a file that was just written does not have of what it should."""
    from PIL import Image

    try:
        image = Image.open(io.BytesIO(data))
    except OSError:  # Pillow writes some formats that it does not read, as PDF
        return []
    with image:
        lost = []
        count = getattr(image, "n_frames", 1)
        if count != len(images):
            # Pictures that are equal to the one before are shown longer instead, or are not there.
            lost.append(f"{len(images) - count} of {len(images)} frames, equal to those before")
        elif len({own.size for own in images}) > 1 and not _sizes_are(image, images):
            lost.append("the sizes of the frames")
        if "exif" in wanted and not _has_exif(image, wanted["exif"]):
            lost.append("EXIF")
        for key, words in (("icc_profile", "the colour profile"), ("xmp", "XMP")):
            if key in wanted and _as_bytes(image.info.get(key)) != _as_bytes(wanted[key]):
                lost.append(words)
        if "dpi" in wanted and not _is_near(image.info.get("dpi"), wanted["dpi"]):
            lost.append("the resolution in dpi")
        entries = getattr(image, "text", None)
        found = {str(k): str(v) for k, v in (entries if isinstance(entries, dict) else {}).items()}
        comment = _as_bytes(image.info.get("comment"))
        for key, value in _texts(wanted).items():
            told = key == "comment" and (
                comment == value.encode() or image.getexif().get(_DESCRIPTION) == value
            )
            if found.get(key) != value and not told:
                lost.append("the comment" if key == "comment" else f'the text "{key}"')
        return lost


def _sizes_are(image: "Image.Image", wanted: "Sequence[Image.Image]") -> bool:
    sizes = []
    for k in range(len(wanted)):
        image.seek(k)
        sizes.append(image.size)
    return sizes == [own.size for own in wanted]


def _has_exif(image: "Image.Image", wanted: bytes) -> bool:
    own = image.info.get("exif")
    if isinstance(own, bytes) and own.removeprefix(_EXIF_PREFIX) == wanted.removeprefix(
        _EXIF_PREFIX
    ):
        return True
    found = image.getexif()
    # Folders within EXIF are known by where they lie, which may be elsewhere now.
    return all(tag in found for tag in _tags(wanted))


def _as_bytes(value: Any) -> Any:
    return value.encode() if isinstance(value, str) else value


def _is_near(found: Any, wanted: tuple[float, float]) -> bool:
    try:
        return all(abs(a - b) <= 0.01 * b + 0.5 for a, b in zip(found, wanted, strict=True))
    except TypeError:
        return False


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
