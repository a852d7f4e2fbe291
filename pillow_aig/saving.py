"""What `Image.save` calls for .aig files."""

from typing import IO, Any

from PIL import Image

#: The modes that the format stores as they are; those of 16 bits differ in the order of bytes.
MODES = ("L", "LA", "RGB", "RGBA", "I;16", "I;16L", "I;16B", "I;16N")


def save(im: Image.Image, fp: IO[bytes], filename: str | bytes) -> None:
    """Write an image of mode L, LA, RGB, RGBA or I;16 as AIG; the handler behind `Image.save`.

    Options: the keywords of `aig_codec.encode`; exif (bytes or `Image.Exif`) and dpi, a pair,
    stored if given; icc_profile and xmp, by default those of the image. Others are ignored, as
    Pillow's own formats do.

    I;16, grey of 16 bits, is stored lossless. Raises OSError for another mode and ValueError for a
    bad option or an empty image, in both cases before anything is written.
    """
    if im.mode not in MODES:
        raise OSError(f"cannot write mode {im.mode} as AIG")
    if 0 in im.size:
        raise ValueError(f"cannot write an empty image ({im.width} x {im.height}) as AIG")
    import numpy as np

    import aig_codec
    from aig_codec.settings import KEYWORDS

    options = im.encoderinfo
    try:
        data = aig_codec.encode(
            np.asarray(im),
            exif=_bytes("exif", options.get("exif")),
            icc_profile=_bytes(
                "icc_profile", options.get("icc_profile", im.info.get("icc_profile"))
            ),
            xmp=_bytes("xmp", options.get("xmp", im.info.get("xmp"))),
            dpi=options.get("dpi"),
            **{name: options[name] for name in KEYWORDS & options.keys()},
        )
    except TypeError as error:
        # A value of the wrong type is a bad value to whoever calls save().
        raise ValueError(f"cannot write AIG with these options: {error}") from error
    fp.write(data)


def save_all(im: Image.Image, fp: IO[bytes], filename: str | bytes) -> None:
    """Write an image with save_all=True. Raises OSError if that means more than one frame."""
    images = [im, *(im.encoderinfo.get("append_images") or ())]
    frames = sum(getattr(image, "n_frames", 1) for image in images)
    if frames > 1:
        raise OSError(f"cannot write {frames} frames as AIG: a file holds one image")
    save(im, fp, filename)


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
