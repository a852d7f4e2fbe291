"""`aig thumbnail`."""

import argparse
from pathlib import Path

from .common import CommandError, Commands
from .places import Place

HELP = """\
What file managers call, once `aig desktop --install` has told them (docs/desktop.md). Reads and
decodes no more than the size needs, and turns the picture as its EXIF orientation says. OUT is
replaced.

examples:
  aig thumbnail photo.aig thumbnail.png 256
"""


def add(commands: Commands) -> None:
    """Add `aig thumbnail`."""
    sub = commands.add("thumbnail", _thumbnail, "write a small PNG, as file managers need", HELP)
    sub.add_argument("input", metavar="IN", type=Place, help="an AIG file, or its address")
    sub.add_argument("output", metavar="OUT", type=Path, help="the PNG to write")
    sub.add_argument("size", metavar="SIZE", type=int, help="of its longer side, in pixels")


def _thumbnail(args: argparse.Namespace) -> int:
    import io

    import numpy as np
    from PIL import Image, ImageOps, UnidentifiedImageError

    import pillow_aig  # noqa: F401 - registers AIG with Pillow

    place: Place = args.input
    if args.size < 1:
        raise CommandError("SIZE must be at least 1 pixel", 2)
    if place.path is not None and args.output.exists() and args.output.samefile(place.path):
        raise CommandError(f"{args.output}: is the input itself")
    source = place.whole()
    try:
        with Image.open(
            io.BytesIO(source) if isinstance(source, bytes) else source, formats=["AIG"]
        ) as image:
            profile = image.info.get("icc_profile")
            image.draft(None, (2 * args.size, 2 * args.size))
            small: Image.Image = image
            if image.mode == "I;16":  # which Pillow cannot make smaller well
                small = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
            small.thumbnail((args.size, args.size))
            small.info["exif"] = image.info.get("exif", b"")
            small = ImageOps.exif_transpose(small)
    except UnidentifiedImageError:
        raise CommandError(f"{place}: not an AIG file") from None
    target = io.BytesIO()
    small.save(target, "PNG", icc_profile=profile, exif=b"")
    # Into the file that is there: who made it, as tumbler does, looks into that one.
    args.output.write_bytes(target.getvalue())
    return 0
