"""`aig decode`."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import AigError, CorruptError, TruncatedError
from ..files import replacing
from .common import CHOICES, CommandError, Commands, box, check_target, say

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..reader import AigFile

HELP = """\
The extension of OUT decides the format. Lossy ones are written with quality 95.

Samples of 16 bits stay what they are as grey PNG, TIFF, PPM and JPEG 2000. Pillow writes no others,
so in other formats, and with colour or alpha, they become their higher 8 bits, with a warning.

examples:
  aig decode photo.aig                       writes photo.png
  aig decode photo.aig -o photo.tif
  aig decode photo.aig -o early.png --upto preview    cores, and a smooth rest
  aig decode photo.aig -o part.png --region 800,400,1100,700    reads what that takes
  aig decode photo.aig -o focus.png --core 0          transparent where it is not core
  aig decode broken.aig -o rest.png --lenient         what the undamaged parts hold
"""

#: Where Pillow keeps the 16 bits of mode I;16, the only mode it has with so many. Some of its other
#: formats convert that by clipping, which makes nearly everything white.
_DEEP_FORMATS = ("PNG", "TIFF", "PPM", "JPEG2000")


def add(commands: Commands) -> None:
    """Add `aig decode`."""
    sub = commands.add("decode", _decode, "turn an AIG file into another format", HELP)
    sub.add_argument("input", metavar="INPUT", help="an AIG file")
    sub.add_argument("-o", "--output", metavar="OUT", help="(default: INPUT with .png)")
    sub.add_argument("--force", action="store_true", help="replace an existing file")
    sub.add_argument("--upto", choices=CHOICES["upto"], default="full", help="stop at this tier")
    sub.add_argument("--scale", type=int, choices=(1, 2, 4, 8), default=1, help="1/2, 1/4 or 1/8")
    sub.add_argument(
        "--region", type=box, metavar="L,T,R,B", help="only this rectangle, in pixels of the whole"
    )
    sub.add_argument("--core", type=int, metavar="K", help="only the core of focus K, from 0")
    sub.add_argument("--frame", type=int, default=0, metavar="K", help="of a file of several (0)")
    sub.add_argument("--lenient", action="store_true", help="leave damaged parts out and say so")
    sub.add_argument("--threads", type=int, metavar="N", help="(default: every core)")


def _decode(args: argparse.Namespace) -> int:
    from PIL import Image

    from .. import open

    others = args.upto != "full" or args.scale != 1 or args.lenient or args.region
    if args.core is not None and others:
        raise CommandError("--core stands alone: a core is exact, whole, or not to be had", 2)
    source = Path(args.input)
    target = Path(args.output) if args.output else source.with_suffix(".png")
    if target.is_dir():
        target = target / source.with_suffix(".png").name
    extensions = Image.registered_extensions()
    format_name = extensions.get(target.suffix.lower(), "")
    if format_name not in Image.SAVE:
        raise CommandError(
            f"{target}: Pillow writes no format with the extension {target.suffix!r}", 2
        )
    check_target(source, target, args.force)
    problems: list[AigError] = []
    with open(source) as file_of_frames:
        try:
            aig = file_of_frames.frame(args.frame) if args.frame else file_of_frames
            if args.core is not None:
                pixels, note = _core_pixels(aig, args.core)
            else:
                pixels = aig.decode(
                    args.upto,
                    args.scale,
                    region=args.region,
                    threads=args.threads,
                    strict=not args.lenient,
                )
                note = ""
                problems += aig.problems
            options = _save_options(file_of_frames, args.scale, args.lenient, problems)
        except EOFError as error:
            raise CommandError(f"{source}: {error}", 2) from error
        except (CorruptError, TruncatedError) as error:
            hint = "" if args.core is not None else " (--lenient writes what can still be read)"
            raise CommandError(f"{source}: {error}{hint}") from error
    warnings = [f"{source}: left out: {problem}" for problem in problems]
    if pixels.itemsize > 1 and not (pixels.ndim == 2 and format_name in _DEEP_FORMATS):
        pixels = (pixels >> 8).astype("uint8")
        warnings.append(f"{target}: has the higher 8 of 16 bits per sample; Pillow writes no more")
    image = Image.fromarray(pixels)
    with replacing(target) as file:
        try:
            image.save(file, format=format_name, **options)
        except Exception as error:
            # Whatever a saver raises, mostly a mode that the format lacks.
            raise CommandError(f"{target}: {error}") from error
    for warning in warnings:
        say(f"warning: {warning}")
    print(f"{target}: {image.width} x {image.height} {image.mode}{note}")
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


def _save_options(
    aig: "AigFile", scale: int, lenient: bool, problems: list[AigError]
) -> dict[str, Any]:
    """Keywords for Pillow's save; formats ignore those that they don't know."""
    options: dict[str, Any] = {"quality": 95}
    for name in ("exif", "icc_profile", "xmp"):
        try:
            value = getattr(aig, name)
        except AigError as error:
            if not lenient:
                raise
            problems.append(error)
            continue
        if value is not None:
            options[name] = value
    prefix = b"Exif\0\0"
    if "exif" in options and not options["exif"].startswith(prefix):
        # JPEG needs the prefix, and the other formats take it off.
        options["exif"] = prefix + options["exif"]
    if aig.metadata.dpi is not None:
        options["dpi"] = tuple(v / scale for v in aig.metadata.dpi)
    return options
