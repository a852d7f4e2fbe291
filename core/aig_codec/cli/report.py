"""`aig report`."""

import argparse

from ..errors import NotAigError
from .common import CommandError, Commands
from .encode import add_coding, keywords_of
from .places import Place, check_output, first_picture, shown, target_for, tell, writing

HELP = """\
Writes one HTML page that needs no other file: original and decoded under a slider, the tiers drawn
in, a map of the error, bytes by tier, and beside it JPEG, WebP and AVIF of the same size.

Without PHOTO.aig, the picture is encoded with the options given.

examples:
  aig report photo.png photo.aig
  aig report photo.png --center 210,150 --quality 60 -o report.html
"""


def add(commands: Commands) -> None:
    """Add `aig report`."""
    sub = commands.add("report", _report, "show what became of a picture on a page", HELP)
    sub.add_argument("original", metavar="PHOTO", type=Place, help="the original")
    sub.add_argument("coded", metavar="PHOTO.aig", type=Place, nargs="?", help="what became of it")
    sub.add_argument(
        "-o", "--output", metavar="OUT", help="(default: PHOTO with .html); - is stdout"
    )
    sub.add_argument("--force", action="store_true", help="replace an existing file")
    add_coding(sub)


def _report(args: argparse.Namespace) -> int:
    from .. import encode, open
    from ..apps.report import page, rivals

    target = target_for(args.original, args.output, ".html")
    check_output(args.original, target, args.force)
    keywords = keywords_of(args)
    if args.coded is not None and keywords:
        raise CommandError("options of coding are for pictures that are not coded yet", 2)
    picture = first_picture(args.original).pixels
    if picture.itemsize > 1:
        raise CommandError(f"{args.original}: has 16 bits per sample, which this page cannot show")
    source = args.coded.whole() if args.coded is not None else encode(picture, **keywords)
    try:
        with open(source) as aig:
            decoded, areas, data_start = aig.decode(), aig.regions(), aig.data_start
    except NotAigError:
        raise CommandError(f"{args.coded}: not an AIG file") from None
    if decoded.shape != picture.shape or decoded.dtype != picture.dtype:
        raise CommandError(f"{args.coded}: is not of the same size and kind as {args.original}")
    has_alpha = picture.ndim == 3 and picture.shape[2] in (2, 4)
    colours = [p[..., :-1] if has_alpha else p for p in (picture, decoded)]
    original, decoded = (c[..., 0] if c.ndim == 3 and c.shape[2] == 1 else c for c in colours)
    size = data_start + areas.metadata.segments[-1].end
    html = page(
        args.original.name or "picture",
        original,
        decoded,
        areas,
        data_start,
        list(rivals(original, size)),
    ).encode()
    with writing(target) as file:
        file.write(html)
    tell(f"{shown(target)}: {len(html):,} bytes", target)
    return 0
