"""`aig desktop`."""

import argparse
from pathlib import Path

from ..apps import desktop
from .common import Commands

HELP = """\
Tells file managers what .aig files are and how thumbnails of them are made, and file(1) how they
begin, for this user: a MIME type and a thumbnailer in ~/.local/share, a few lines in ~/.magic.
--folder /usr/local/share does so for all users.

Thumbnailers that GNOME runs see /usr alone, so there this Python must be installed below it.

examples:
  aig desktop --install
  aig desktop --status                exit code 1 if it is not installed
  aig desktop --remove
"""


def add(commands: Commands) -> None:
    """Add `aig desktop`."""
    sub = commands.add("desktop", _desktop, "let file managers show AIG files", HELP)
    what = sub.add_mutually_exclusive_group(required=True)
    for name, about in (
        ("install", "from now on"),
        ("remove", "no longer"),
        ("status", "say whether it is installed"),
    ):
        what.add_argument(f"--{name}", dest="what", action="store_const", const=name, help=about)
    sub.add_argument(
        "--folder", type=Path, help="instead of ~/.local/share; ~/.magic is left alone then"
    )


def _desktop(args: argparse.Namespace) -> int:
    places = desktop.Places(args.folder)
    if args.what == "install":
        for path in desktop.install(places):
            print(f"installed {path}")
        return 0
    if args.what == "remove":
        removed = desktop.remove(places)
        for path in removed:
            print(f"removed {path}")
        if not removed:
            print("was not installed")
        return 0
    missing = [path for path in places.all if not desktop.is_installed_at(path)]
    for path in places.all:
        print(f"{'missing' if path in missing else 'installed'} {path}")
    return 1 if missing else 0
