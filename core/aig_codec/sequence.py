"""Files of several frames: animations, stacks, bursts. Every frame is a picture of its own."""

import math
from collections.abc import Iterable, Sequence
from typing import Any, Unpack

from numpy.typing import ArrayLike

from .checking import as_float, is_list, shown
from .container import Label, join
from .encoder import encode
from .options import SequenceOptions, documented, refuse_unknown

#: Keywords that may also be lists with a value for each frame.
PER_FRAME = ("centers", "radii", "mask", "boxes", "labels")

#: What belongs to the file and not to every frame: it is stored with the first one.
OF_FILE = ("exif", "icc_profile", "xmp", "dpi", "text", "comment")


@documented
def encode_sequence(
    images: Iterable[ArrayLike],
    *,
    duration: int | Sequence[int] | None = None,
    loop: int | None = None,
    **keywords: Unpack[SequenceOptions],
) -> bytes:
    """Encode images as one AIG file.

    images: arrays as `encode` takes them, also from a generator; they may differ in size and kind.
    duration: milliseconds that every frame is shown, or one number for each. loop: how often to
    show them, 0 for ever. keywords: those of `encode`. centers, radii, mask, boxes and labels may
    also be lists of what they are for each frame, as in
    ``centers=[[(10, 20)], "auto", [(15, 20), (80, 40)]]``. exif, icc_profile, xmp, dpi, text and
    comment belong to the file.

    Returns the file; one image gives an ordinary one. Raises ValueError or TypeError as `encode`
    does, naming the frame.
    """
    refuse_unknown("encode_sequence", keywords, ("duration", "loop"))
    frames = encode_frames(images, **keywords)
    return join(frames, durations_of(duration, len(frames)), loop)


def encode_frames(images: Iterable[ArrayLike], **keywords: Any) -> list[bytes]:
    """The frames of `encode_sequence`, each a file of its own."""
    lists = {name: _per_frame(name, keywords.get(name)) for name in PER_FRAME}
    frames: list[bytes] = []
    for k, image in enumerate(images):
        own = {name: v for name, v in keywords.items() if k == 0 or name not in OF_FILE}
        for name, values in lists.items():
            if values is None:
                continue
            if k >= len(values):
                raise ValueError(f"{name} has {len(values)} entries, but there are more frames")
            own[name] = values[k]
        try:
            frames.append(encode(image, **own))
        except (ValueError, TypeError) as error:
            kind = TypeError if isinstance(error, TypeError) else ValueError
            raise kind(f"frame {k}: {error}" if k else str(error)) from error
    for name, values in lists.items():
        if values is not None and len(values) != len(frames):
            raise ValueError(f"{name} has {len(values)} entries for {len(frames)} frames")
    return frames


def durations_of(duration: int | Sequence[int] | None, count: int) -> list[int]:
    """Milliseconds for each of so many frames. Raises ValueError."""
    if duration is None:
        return [0] * count
    values: list[Any] = [duration] * count
    if is_list(duration):
        values = list(duration)  # type: ignore[arg-type]
    if len(values) != count:
        raise ValueError(f"{len(values)} durations for {count} frames")
    numbers = [as_float(value) for value in values]
    found = [round(value) for value in numbers if value is not None and math.isfinite(value)]
    if len(found) != count:
        raise ValueError(f"durations are milliseconds, numbers, not {shown(duration)}")
    return found


def _per_frame(name: str, value: Any) -> list[Any] | None:
    """The entries of a keyword that has one for each frame; None if it is the same for all.

    What is the same for all is a list of pairs, of names or of mappings.
    """
    if not isinstance(value, (list, tuple)):
        return None
    if name == "mask":
        return list(value)
    automatic = name == "centers" and "auto" in [v for v in value if isinstance(v, str)]
    return list(value) if automatic or any(map(_is_of_frame, value)) else None


def _is_of_frame(entry: Any) -> bool:
    """Whether an entry is itself a list of pairs or labels."""
    if isinstance(entry, Label) or not isinstance(entry, (list, tuple)):
        return getattr(entry, "ndim", 0) == 2
    return not entry or any(one is None or hasattr(one, "__len__") for one in entry)
