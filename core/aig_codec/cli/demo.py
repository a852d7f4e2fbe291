"""`aig demo`."""

import argparse
from pathlib import Path

from .common import CommandError, Commands, pair
from .places import Place, first_picture

HELP = """\
Saves a photograph as AIG three times: with named centers, with named centers and radii, and with
nothing named. Opens every file through aig_codec, Pillow and imageio, checks that the cores are
bit-exact, and compares sizes with other formats. comparison.png in FOLDER shows what became of
the picture. Exit code 1 if a check fails.

examples:
  aig demo                            the photograph "china" that comes with scikit-learn
  aig demo flower -o flower-demo
  aig demo photo.png --center 210,150
"""


def add(commands: Commands) -> None:
    """Add `aig demo`."""
    sub = commands.add("demo", _demo, "try AIG on a photograph and check it", HELP)
    sub.add_argument(
        "image", nargs="?", default="china", metavar="IMAGE", help="a file, or china or flower"
    )
    sub.add_argument(
        "-o", "--output", default="aig-demo", metavar="FOLDER", help="(default: aig-demo)"
    )
    sub.add_argument(
        "--center", type=pair, action="append", metavar="X,Y", help="what IMAGE is about"
    )


def _demo(args: argparse.Namespace) -> int:
    from ..apps import demo

    path = Path(args.image)
    if args.image in demo.SAMPLES and not path.exists():
        try:
            picture = demo.sample(args.image)
        except ImportError:
            raise CommandError(
                "the demo's photographs come with scikit-learn: pip install 'pillow-aig[all]', "
                "or name an image of your own: aig demo photo.png"
            ) from None
        plan = demo.SAMPLES[args.image]
    else:
        picture = first_picture(Place(args.image)).pixels
        if picture.itemsize > 1:
            raise CommandError(
                f"{path}: has 16 bits per sample, and the demo is about lossy tiers, which have 8"
            )
        plan = demo.plan_for(picture)
    if args.center:
        plan = plan._replace(centers=tuple((round(x), round(y)) for x, y in args.center))
    return 0 if demo.run(picture, path.stem, plan, Path(args.output)) else 1
