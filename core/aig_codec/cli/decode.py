"""`aig decode`."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..apps.exchange import to_other
from ..errors import AigError, CorruptError, TruncatedError
from ..io.pillow_images import LoadedImage
from .common import CHOICES, CommandError, Commands, box, say
from .places import Place, check_output, shown, target_for, tell, writing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..decoder.file import AigFile

HELP = """\
The extension of OUT decides the format, or --to. Lossy ones are written with quality 95.

All frames are written where the format holds several, as PNG, GIF, WebP, AVIF and TIFF do; --frame
names one. Metadata goes along; what the format has no place for is said.

Samples of 16 bits stay what they are as grey PNG, TIFF, PPM and JPEG 2000. Pillow writes no others,
so in other formats, and with colour or alpha, they become their higher 8 bits, with a warning.

examples:
  aig decode photo.aig                       writes photo.png
  aig decode photo.aig -o photo.tif
  aig decode photo.aig -o early.png --upto preview    cores, and a smooth rest
  aig decode photo.aig -o part.png --region 800,400,1100,700    reads what that takes
  aig decode photo.aig -o focus.png --core 0          transparent where it is not core
  aig decode broken.aig -o rest.png --lenient         what the undamaged parts hold
  aig decode https://example.com/photo.aig -o small.jpg --scale 8    reads what that takes
  aig decode - -o - --to jpg < photo.aig > photo.jpg  stdin and stdout
"""


def add(commands: Commands) -> None:
    """Add `aig decode`."""
    sub = commands.add("decode", _decode, "turn an AIG file into another format", HELP)
    sub.add_argument(
        "input", metavar="INPUT", type=Place, help="an AIG file, an address, or - for stdin"
    )
    sub.add_argument(
        "-o", "--output", metavar="OUT", help="(default: INPUT with .png); - is stdout"
    )
    sub.add_argument("--to", metavar="EXT", help="extension of the format, whatever OUT's is")
    sub.add_argument("--force", action="store_true", help="replace an existing file")
    sub.add_argument("--upto", choices=CHOICES["upto"], default="full", help="stop at this tier")
    sub.add_argument("--scale", type=int, choices=(1, 2, 4, 8), default=1, help="1/2, 1/4 or 1/8")
    sub.add_argument(
        "--region", type=box, metavar="L,T,R,B", help="only this rectangle, in pixels of the whole"
    )
    sub.add_argument("--core", type=int, metavar="K", help="only the core of focus K, from 0")
    sub.add_argument("--frame", type=int, metavar="K", help="only this one of several, from 0")
    sub.add_argument("--lenient", action="store_true", help="leave damaged parts out and say so")
    sub.add_argument("--threads", type=int, metavar="N", help="(default: every core)")


def _decode(args: argparse.Namespace) -> int:
    from PIL import Image

    from .. import open

    others = args.upto != "full" or args.scale != 1 or args.lenient or args.region
    if args.core is not None and others:
        raise CommandError("--core stands alone: a core is exact, whole, or not to be had", 2)
    place: Place = args.input
    suffix = ".png" if args.to is None else "." + args.to.lower().lstrip(".")
    target = target_for(place, args.output, suffix)
    format_name = _format(target, suffix if args.to is not None or target is None else None)
    check_output(place, target, args.force)
    problems: list[AigError] = []
    with open(place.source()) as whole:
        try:
            pictures, remark = _pictures(whole, args, format_name in Image.SAVE_ALL, problems)
        except EOFError as error:
            raise CommandError(f"{place}: {error}", 2) from error
        except (CorruptError, TruncatedError) as error:
            hint = "" if args.core is not None else " (--lenient writes what can still be read)"
            raise CommandError(f"{place}: {error}{hint}") from error
        labels = whole.metadata.labels or ()
    try:
        written = to_other(pictures, format_name, labels=labels)
    except Exception as error:
        # Whatever a saver raises, mostly a mode that the format lacks.
        raise CommandError(f"{shown(target)}: {error}") from error
    with writing(target) as file:
        file.write(written.data)
    for problem in problems:
        say(f"warning: {place}: left out: {problem}")
    for note in written.notes:
        say(f"warning: {shown(target)}: {note}")
    height, width = pictures[0].pixels.shape[:2]
    several = f", {written.frames} frames" if written.frames > 1 else ""
    tell(f"{shown(target)}: {width} x {height} {written.mode}{several}{remark}", target)
    return 0


def _format(target: Path | None, suffix: str | None) -> str:
    """What Pillow calls the format of an extension: that of the target if no other is named."""
    from PIL import Image

    assert target is not None or suffix is not None
    named = target.suffix if suffix is None and target is not None else suffix
    name = Image.registered_extensions().get((named or "").lower(), "")
    if (named or "").lower() == ".aig":
        raise CommandError(f"{shown(target)}: decode writes other formats; encode writes AIG", 2)
    if name not in Image.SAVE:
        raise CommandError(
            f"{shown(target)}: Pillow writes no format with the extension {named!r}", 2
        )
    return name


def _pictures(
    whole: "AigFile", args: argparse.Namespace, several: bool, problems: list[AigError]
) -> tuple[list[LoadedImage], str]:
    """What is to be written, and a remark about it; several: whether the format holds frames."""
    first = args.frame or 0
    if args.core is not None:
        aig = whole.frame(first) if first else whole
        pixels, remark = _core_pixels(aig, args.core)
        return [LoadedImage(pixels, _ancillary(whole, 1, False, problems), [])], remark
    alone = args.frame is not None
    count = 1 if alone else whole.n_frames
    pictures: list[LoadedImage] = []
    for k in [first] if alone else range(count if several else 1):
        try:
            aig = whole.frame(k) if k else whole
            pixels = aig.decode(
                args.upto,
                args.scale,
                region=args.region,
                threads=args.threads,
                strict=not args.lenient,
            )
        except AigError as error:
            if not args.lenient or not pictures:
                raise
            problems.append(error)
            break
        problems += aig.problems
        # What belongs to the file stands with its first frame.
        own = _ancillary(whole, args.scale, args.lenient, problems) if not pictures else {}
        duration = _duration(whole, k, args.lenient) if count > 1 and several else 0
        pictures.append(
            LoadedImage(pixels, own, [], count, duration, None if alone else whole.loop)
        )
    return pictures, ""


def _duration(whole: "AigFile", k: int, lenient: bool) -> int:
    try:
        return whole.durations[k]
    except AigError:
        if not lenient:
            raise
        return 0


def _core_pixels(aig: "AigFile", k: int) -> tuple["NDArray[Any]", str]:
    """The core's least rectangle with alpha 0 outside the core, and a remark about it."""
    import numpy as np

    core = aig.core(k)
    rows, columns = (np.flatnonzero(core.mask.any(axis)) for axis in (1, 0))
    if not len(rows):
        raise CommandError(f"the core of focus {k} is empty")
    tight = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    pixels, mask = core.pixels[tight], core.mask[tight]
    pixels = pixels.reshape(*mask.shape, -1)
    if pixels.shape[2] in (1, 3):
        opaque = np.full(mask.shape, aig.metadata.max_sample, aig.dtype)
        pixels = np.dstack([pixels, opaque])
    pixels = np.where(mask[..., None], pixels, 0).astype(aig.dtype)
    left, top = core.left + int(columns[0]), core.top + int(rows[0])
    return pixels, f", core {k} of the image at ({left}, {top})"


def _ancillary(
    aig: "AigFile", scale: int, lenient: bool, problems: list[AigError]
) -> dict[str, Any]:
    """What the file holds beside its pixels; of a damaged one, if need be, what can be read."""
    found: dict[str, Any] = {}
    for name in ("exif", "icc_profile", "xmp", "text"):
        try:
            value = getattr(aig, name)
        except AigError as error:
            if not lenient:
                raise
            problems.append(error)
            continue
        if value:
            found[name] = value
    if aig.metadata.dpi is not None:
        found["dpi"] = tuple(v / scale for v in aig.metadata.dpi)
    return found
