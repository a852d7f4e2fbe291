"""What Pillow's `Image.info` and imageio's metadata say of a picture, as keywords of `encode`.

Plugins of other formats leave there what they like. Unlike a keyword that somebody gave, what AIG
cannot store of it is left out, and is no reason to refuse a picture.
"""

import math
from collections.abc import Mapping
from typing import Any

from .. import limits
from ..buffers import as_bytes
from ..container import pack_text
from ..container.sequence import MAX_DURATION, MAX_LOOP

#: Most pixels per inch.
_MAX_DPI = 1e6


def kept(info: Mapping[Any, Any]) -> dict[str, Any]:
    """Of exif, icc_profile, xmp, dpi, text and comment, those that are there and can be stored."""
    found: dict[str, Any] = {name: _blob(info.get(name)) for name in ("exif", "icc_profile", "xmp")}
    found["dpi"] = _dpi(info.get("dpi"))
    text, comment = _text(info.get("text")), _string(info.get("comment"))
    if len(pack_text({**text, "comment": comment or ""})) <= limits.max_ancillary:
        found |= {"text": text, "comment": comment}
    return {name: value for name, value in found.items() if value}


def loop_of(info: Mapping[Any, Any]) -> int | None:
    """How often to show the frames: 0 for ever, at most 65535, None if that is not said."""
    number = _number(info.get("loop"))
    return None if number is None else min(max(int(number), 0), MAX_LOOP)


def duration_of(info: Mapping[Any, Any]) -> int:
    """Milliseconds that a frame is shown, 0 if that is not said."""
    number = _number(info.get("duration"))
    return 0 if number is None else min(max(round(number), 0), MAX_DURATION)


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError, ZeroDivisionError):
        return None
    return number if math.isfinite(number) else None


def _blob(value: Any) -> bytes | None:
    if isinstance(value, str):
        value = value.encode(errors="replace")  # XMP is text to some of Pillow's formats
    elif hasattr(value, "tobytes"):
        value = value.tobytes()  # PIL.Image.Exif
    blob = as_bytes(value)
    return None if blob is None or len(blob) > limits.max_ancillary else blob


def _dpi(value: Any) -> tuple[float, float] | None:
    pair = list(map(_number, value)) if isinstance(value, (tuple, list)) else []
    if len(pair) != 2 or not all(v is not None and 0 < v <= _MAX_DPI for v in pair):
        return None  # some cameras write 0 or nonsense
    return pair[0], pair[1]  # type: ignore[return-value]


def _text(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping):
        return {}  # other formats keep other things by that name
    pairs = {key: _string(words) for key, words in value.items() if isinstance(key, str)}
    return {key: words for key, words in pairs.items() if words}


def _string(value: Any) -> str | None:
    """Words as text: JPEG and GIF have bytes of no particular encoding."""
    if isinstance(value, (bytes, bytearray)):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return value.decode("latin-1")
    if not isinstance(value, str):
        return None
    return value.encode(errors="replace").decode()  # half of a surrogate pair is no text
