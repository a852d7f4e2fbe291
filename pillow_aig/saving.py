"""What `Image.save` calls for .aig files."""

import warnings
from typing import IO, TYPE_CHECKING, Any

from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray


#: What `save_all` takes besides the options of the codec.
_OF_SAVE = ("append_images", "duration", "loop")

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
    text, by default those of the image as far as they can be stored. Others are ignored, as
    Pillow's own formats do, with a UserWarning where one is nearly called like one of these.

    Raises OSError for another mode and ValueError for a bad option or an empty image, in both cases
    before anything is written; and OSError if the file does not take all of it.
    """
    import aig_codec
    from aig_codec.encoder.sequence import exact_if_bilevel
    from aig_codec.io.files import write_all

    _warn_of_typos(im.encoderinfo)
    try:
        keywords = exact_if_bilevel(im.mode == "1", _keywords(im, im.encoderinfo))
        data = aig_codec.encode(_pixels(im), **keywords)
    except TypeError as error:
        # A value of the wrong type is a bad value to whoever calls save().
        raise ValueError(f"cannot write AIG with these options: {error}") from error
    write_all(fp, data)


def save_all(im: Image.Image, fp: IO[bytes], filename: str | bytes) -> None:
    """Write all frames of an image and of append_images; the handler for save_all=True.

    Options: those of `save`, of which centers, radii, mask, boxes and labels may also be lists with
    what they are for each frame; duration, milliseconds, one number for all frames or a list, by
    default what the frames say themselves; loop, how often to show them, 0 for ever. An appended
    image may have options of its own, as its `encoderinfo`. What depends on an image's mode or
    info is decided for every frame by itself; what it says like the first one is stored once.
    """
    from PIL import ImageSequence

    from aig_codec.container import join
    from aig_codec.encoder.sequence import Frame, durations_of, encode_frames
    from aig_codec.io.files import write_all
    from aig_codec.io.image_info import duration_of, loop_of

    options = im.encoderinfo
    _warn_of_typos(options)
    durations: list[int] = []

    def frames() -> "Iterator[Frame]":
        for image in (im, *(options.get("append_images") or ())):
            own = {} if image is im else _own_options(image)
            _warn_of_typos(own, depth=6)
            place = image.tell()
            for frame in ImageSequence.Iterator(image):
                frame.load()
                durations.append(duration_of(frame.info))
                keywords = _keywords(frame, {**options, **own}, coding=own)
                yield Frame(_pixels(frame), keywords, bilevel=frame.mode == "1")
            image.seek(place)

    duration, loop = options.get("duration"), options.get("loop")
    try:
        coded = encode_frames(frames(), **_coding(options))
        # What the frames say is known when all have been encoded, and not looked at before.
        times = durations if duration is None else durations_of(duration, len(coded))
        data = join(coded, times, loop_of(im.info) if loop is None else loop)
    except TypeError as error:
        raise ValueError(f"cannot write AIG with these options: {error}") from error
    write_all(fp, data)


def _own_options(image: Image.Image) -> dict[str, Any]:
    """What an appended image is to be saved with; older Pillows leave there what the last save of
    it was asked for."""
    if not hasattr(image, "_attach_default_encoderinfo"):
        return {}
    return dict(getattr(image, "encoderinfo", {}))


def _warn_of_typos(options: "Mapping[str, Any]", depth: int = 4) -> None:
    """Say which options are none of ours, nor of another format, but nearly called so: without a
    word, `center=` would lose the focus. depth: of the call of `Image.save` above this one."""
    from aig_codec.encoder.options import OPTIONS, meant

    for name in options.keys() - OPTIONS.keys() - set(_OF_SAVE):
        option = meant(name, _OF_SAVE)
        # What others call lossless_jpeg, max_threads or keep_icc_profile is no slip of the pen.
        if option is not None and f"_{option}_" not in f"_{name}_":
            warnings.warn(
                f"saving as AIG knows no option {name!r}: did you mean {option!r}?",
                UserWarning,
                stacklevel=depth,
            )


def _pixels(im: Image.Image) -> "NDArray[Any]":
    if 0 in im.size:
        raise ValueError(f"cannot write an empty image ({im.width} x {im.height}) as AIG")
    from aig_codec.io.pillow_images import pixels_of

    return pixels_of(im).pixels


def _keywords(
    im: Image.Image, options: "Mapping[str, Any]", *, coding: "Mapping[str, Any] | None" = None
) -> dict[str, Any]:
    """The keywords of `aig_codec.encode` that `save` was given, or that the image has.

    coding: the options that say how to encode it, by default all.
    """
    from aig_codec.io.image_info import kept

    own = kept(im.info)
    if im.mode == "CMYK":
        # A profile that says how to print in CMYK says nothing about RGB.
        own.pop("icc_profile", None)
        options = {**options, "icc_profile": None}
    return {
        "exif": _bytes("exif", options.get("exif")),
        "icc_profile": _bytes("icc_profile", options.get("icc_profile", own.get("icc_profile"))),
        "xmp": _bytes("xmp", options.get("xmp", own.get("xmp"))),
        "dpi": options.get("dpi"),
        "text": options.get("text", own.get("text")),
        "comment": _string(options.get("comment", own.get("comment"))),
        **_coding(options if coding is None else coding),
    }


def _coding(options: "Mapping[str, Any]") -> dict[str, Any]:
    """What the options say of the pixels."""
    from aig_codec.encoder.settings import KEYWORDS

    found = {name: options[name] for name in KEYWORDS & options.keys()}
    return {**found, **_subsampling(options.get("subsampling"))}


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
    from aig_codec.buffers import as_bytes

    if isinstance(value, Image.Exif):
        data = value.tobytes()
        return data if data != Image.Exif().tobytes() else None
    if isinstance(value, str):
        # XMP is text to some of Pillow's formats.
        value = value.encode()
    found = as_bytes(value)
    if found is None and value:
        raise ValueError(f"{name} must be bytes, not {type(value).__name__}")
    return found or None
