"""Limits on what a file may claim, checked before anything is allocated.

The module's attributes are the settings: assign to change one for the whole process, for
instance ``aig_codec.limits.max_pixels = 2**30``.
"""

from .errors import LimitError

#: Largest width and height: centers are int16 in the header, so no axis may go beyond it.
MAX_SIDE = 32767

#: Largest number of pixels (width x height) that is read or written; 2**28 is 16384 x 16384.
#: Pixels of any kind, as in Pillow: they take 1 to 8 bytes each, by channels and bits per sample.
max_pixels: int = 2**28

#: Largest metadata block in bytes, compressed or decompressed.
max_metadata: int = 2**20

#: Largest single ancillary segment (EXIF, ICC profile, XMP) in bytes.
max_ancillary: int = 2**24

#: Seconds that a web server may leave a request without a byte of an answer.
http_timeout: float = 30.0

#: Seconds that one read from a web server may take, redirects, repetitions and waits included;
#: ``math.inf`` is no deadline.
http_deadline: float = 300.0


def check_size(width: int, height: int) -> None:
    """Raise `LimitError` unless an image of this many pixels may be allocated."""
    if width > MAX_SIDE or height > MAX_SIDE:
        raise LimitError(f"image of {width} x {height} pixels: no side may exceed {MAX_SIDE}")
    if width * height > max_pixels:
        raise LimitError(
            f"image of {width} x {height} = {width * height} pixels exceeds "
            f"aig_codec.limits.max_pixels = {max_pixels}"
        )
