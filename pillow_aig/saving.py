"""What `Image.save` calls for .aig files."""

import warnings
from typing import IO, TYPE_CHECKING, Any

from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray


#: What `save_all` takes besides the options of the codec.
_OF_SAVE = ("append_images", "duration", "loop")

#: Options of other formats, of Pillow's and of its best known plugins, that are nearly called like
#: ours.
_OF_OTHERS = {"lossless_jpeg", "max_threads", "num_threads"}

#: Subsampling as Pillow's JPEG names it. What lies between is nearer to half the resolution.
_OF_JPEG = dict.fromkeys((1, 2, "4:2:2"), "4:2:0") | {0: "4:4:4", -1: "auto", "keep": "auto"}


def save(im: Image.Image, fp: IO[bytes], filename: str | bytes) -> None:
    """Write one image as AIG; the handler behind `Image.save`.

    Modes: L, LA, RGB and RGBA as they are; I;16, and I whose values fit into 16 bits, as grey of 16
    bits, lossless; 1 as grey, lossless unless options of the lossy tiers are given; P, PA, La,
    RGBa, RGBX, CMYK, YCbCr and HSV converted to one of those, with alpha where something is
    transparent. The ICC profile of a CMYK image is left out.

    Options: the keywords of `aig_codec.encode`, of which subsampling may also be JPEG's 0, 1 or 2;
    exif (bytes or `Image.Exif`) and dpi, a pair, stored if given; icc_profile, xmp, comment and
    text, by default those of the image. Others are ignored, as Pillow's own formats do, with a
    UserWarning where one is nearly called like one of these.

    Raises OSError for another mode and ValueError for a bad option or an empty image, in both cases
    before anything is written.
    """
    import aig_codec

    _warn_of_typos(im)
    try:
        data = aig_codec.encode(_pixels(im), **_keywords(im))
    except TypeError as error:
        # A value of the wrong type is a bad value to whoever calls save().
        raise ValueError(f"cannot write AIG with these options: {error}") from error
    fp.write(data)


def save_all(im: Image.Image, fp: IO[bytes], filename: str | bytes) -> None:
    """Write all frames of an image and of append_images; the handler for save_all=True.

    Options: those of `save`, of which centers, radii, mask, boxes and labels may also be lists with
    what they are for each frame; duration, milliseconds, one number for all frames or a list, by
    default what the frames say themselves; loop, how often to show them, 0 for ever.
    """
    from PIL import ImageSequence

    import aig_codec

    _warn_of_typos(im)
    durations: list[float] = []

    def frames() -> "Iterator[NDArray[Any]]":
        for image in (im, *(im.encoderinfo.get("append_images") or ())):
            place = image.tell()
            for frame in ImageSequence.Iterator(image):
                frame.load()
                durations.append(frame.info.get("duration") or 0)
                yield _pixels(frame)
            image.seek(place)

    keywords = {
        **_keywords(im),
        # What the frames say is known when all have been encoded, and not looked at before.
        "duration": im.encoderinfo.get("duration", durations),
        "loop": im.encoderinfo.get("loop", im.info.get("loop")),
    }
    try:
        data = aig_codec.encode_sequence(frames(), **keywords)
    except TypeError as error:
        raise ValueError(f"cannot write AIG with these options: {error}") from error
    fp.write(data)


def _warn_of_typos(im: Image.Image) -> None:
    """Say which options are none of ours, nor of another format, but nearly called so: without a
    word, `center=` would lose the focus."""
    from aig_codec.options import OPTIONS, meant

    for name in im.encoderinfo.keys() - OPTIONS.keys() - set(_OF_SAVE) - _OF_OTHERS:
        if (option := meant(name, _OF_SAVE)) is not None:
            warnings.warn(
                f"saving as AIG knows no option {name!r}: did you mean {option!r}?",
                UserWarning,
                stacklevel=4,  # whoever called Image.save
            )


def _pixels(im: Image.Image) -> "NDArray[Any]":
    if 0 in im.size:
        raise ValueError(f"cannot write an empty image ({im.width} x {im.height}) as AIG")
    from aig_codec.pictures import pixels_of

    return pixels_of(im).pixels


def _keywords(im: Image.Image) -> dict[str, Any]:
    """The keywords of `aig_codec.encode` that `save` was given, or that the image has."""
    from aig_codec.settings import KEYWORDS, OF_LOSSY_TIERS

    options = im.encoderinfo

    def own(name: str) -> Any:
        return options.get(name, im.info.get(name))

    # A profile that says how to print in CMYK says nothing about RGB.
    profile = own("icc_profile") if im.mode != "CMYK" else None
    text, comment = own("text"), own("comment")
    coding = {name: options[name] for name in KEYWORDS & options.keys()}
    if im.mode == "1" and not any(name in coding for name in OF_LOSSY_TIERS):
        # Masks and scanned pages: exact, which costs little.
        coding.setdefault("lossless", True)
    return {
        "exif": _bytes("exif", options.get("exif")),
        "icc_profile": _bytes("icc_profile", profile),
        "xmp": _bytes("xmp", own("xmp")),
        "dpi": options.get("dpi"),
        # Other formats keep other things by that name.
        "text": text if "text" in options or isinstance(text, dict) else None,
        "comment": _string(comment),
        **coding,
        **_subsampling(options.get("subsampling")),
    }


def _subsampling(value: Any) -> dict[str, Any]:
    """What JPEG calls it: thumbnail tools pass that to every format."""
    try:
        return {"subsampling": _OF_JPEG[value]}
    except (KeyError, TypeError):
        return {}  # not JPEG's, but the codec's, which judges it


def _string(value: Any) -> Any:
    """A comment as text: JPEG and GIF have bytes of no particular encoding."""
    if isinstance(value, (bytes, bytearray)):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return value.decode("latin-1")
    return value or None


def _bytes(name: str, value: Any) -> bytes | None:
    if not value:
        return None
    if isinstance(value, Image.Exif):
        return value.tobytes()
    if isinstance(value, str):
        # XMP is text to some of Pillow's formats.
        return value.encode()
    if not isinstance(value, (bytes, bytearray, memoryview)):
        raise ValueError(f"{name} must be bytes, not {type(value).__name__}")
    return bytes(value)
