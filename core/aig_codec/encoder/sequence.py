"""Files of several frames: animations, stacks, bursts. Every frame is a picture of its own."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Unpack

import numpy as np
from numpy.typing import ArrayLike

from ..checking import as_float, is_list, shown
from ..container import Label, join
from .options import SequenceOptions, documented, refuse_unknown
from .pipeline import encode
from .settings import asks_for_loss

#: Keywords that may also be lists with a value for each frame.
PER_FRAME = ("centers", "radii", "mask", "boxes", "labels")

#: What belongs to the file and not to every frame: it is stored with the first one. What stands
#: together is one segment.
OF_FILE = (("exif",), ("icc_profile",), ("xmp",), ("dpi",), ("text", "comment"))
_OF_FILE = {name for names in OF_FILE for name in names}


class Frame(NamedTuple):
    """One image of several.

    pixels: as `encode` takes them. keywords: those of `encode` that are for this image alone; they
    win over those for all. bilevel: whether it is black and white, see `exact_if_bilevel`.
    """

    pixels: ArrayLike
    keywords: Mapping[str, Any] = {}
    bilevel: bool = False


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
    comment belong to the file: `AigFile.frame` has them for every frame.

    Returns the file; one image gives an ordinary one. Raises ValueError or TypeError as `encode`
    does, naming the frame.
    """
    refuse_unknown("encode_sequence", keywords, ("duration", "loop"))
    frames = encode_frames(map(Frame, images), **keywords)
    return join(frames, durations_of(duration, len(frames)), loop)


def encode_frames(images: Iterable[Frame], **keywords: Any) -> list[bytes]:
    """Encode images as frames, each a file of its own; keywords as for `encode_sequence`.

    What belongs to the file is stored with an image unless it follows from what the first one says
    (see `container.inherits`).
    """
    lists = {name: _per_frame(name, keywords.get(name)) for name in PER_FRAME}
    frames: list[bytes] = []
    first: dict[str, Any] = {}
    for k, image in enumerate(images):
        asked = dict(keywords)
        for name, values in lists.items():
            if values is None:
                continue
            if k >= len(values):
                raise ValueError(f"{name} has {len(values)} entries, but there are more frames")
            asked[name] = values[k]
        asked |= image.keywords
        if k == 0:
            first = {**asked, "grey": _is_grey(image.pixels)}
        else:
            asked = dict(_without_repetition(asked, first, _is_grey(image.pixels)))
        try:
            frames.append(encode(image.pixels, **exact_if_bilevel(image.bilevel, asked)))
        except (ValueError, TypeError) as error:
            kind = TypeError if isinstance(error, TypeError) else ValueError
            raise kind(f"frame {k}: {error}" if k else str(error)) from error
    for name, values in lists.items():
        if values is not None and len(values) != len(frames):
            raise ValueError(f"{name} has {len(values)} entries for {len(frames)} frames")
    return frames


def exact_if_bilevel(bilevel: bool, keywords: Mapping[str, Any]) -> dict[str, Any]:
    """The keywords for an image; one in black and white is exact unless some of them ask for loss.

    Masks and scanned pages are meant to be exact, which costs little.
    """
    if bilevel and keywords.get("lossless") is None and not asks_for_loss(keywords):
        return {**keywords, "lossless": True}
    return dict(keywords)


def _without_repetition(
    asked: Mapping[str, Any], first: Mapping[str, Any], is_grey: bool
) -> Iterator[tuple[str, Any]]:
    """Keywords without those of the file that the first frame says too."""
    for names in OF_FILE:
        own = {n: asked[n] for n in names if asked.get(n) is not None}
        if not own:
            continue
        said = {n: first[n] for n in names if first.get(n) is not None}
        same = own.keys() == said.keys() and all(
            # Whatever was given for all images is the same object; arrays cannot be compared.
            own[n] is said[n] or own[n] == said[n]
            for n in own
        )
        if not same or (names == ("icc_profile",) and is_grey != first["grey"]):
            yield from own.items()
    for name, value in asked.items():
        if name not in _OF_FILE:
            yield name, value


def _is_grey(pixels: ArrayLike) -> bool:
    shape = np.shape(pixels)
    return len(shape) < 3 or shape[2] < 3


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
