"""Coders: a region of pixels to bytes and back.

`CODERS` maps the name in the table of contents to the version that is written and the newest that
can be read; `require` refuses what is not known by name.
"""

from ..container import KINDS, Segment
from ..errors import UnsupportedError

CODERS = {"lossless": 1, "palette": 1, "dct": 1, "boundary": 1, "raw": 1}


def require(segment: Segment) -> None:
    """Raise `UnsupportedError` unless this version knows the segment's kind and coder."""
    if segment.kind not in KINDS:
        raise UnsupportedError(f"segment kind {segment.kind!r} is not known to this version")
    known = CODERS.get(segment.coder)
    if known is None or not 1 <= segment.version <= known:
        raise UnsupportedError(
            f"coder {segment.coder} version {segment.version} is needed for the {segment.name}"
        )
