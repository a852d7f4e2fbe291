"""`aig autoload`."""

import argparse
import sysconfig
from pathlib import Path

from ..apps import autoload
from .common import Commands

HELP = """\
With this, every program of this Python environment that imports Pillow or imageio can open .aig
files, though it never heard of them, and mimetypes knows their type. Others start a fraction of a
millisecond later. AIG_AUTOLOAD=0 in the environment switches it off for a program.

examples:
  aig autoload --enable
  aig autoload --status               exit code 1 if it is not enabled
  aig autoload --disable
"""


def add(commands: Commands) -> None:
    """Add `aig autoload`."""
    sub = commands.add("autoload", _autoload, "let all programs open AIG files", HELP)
    what = sub.add_mutually_exclusive_group(required=True)
    for name, about in (
        ("enable", "from now on"),
        ("disable", "no longer"),
        ("status", "say whether it is enabled"),
    ):
        what.add_argument(f"--{name}", dest="what", action="store_const", const=name, help=about)
    sub.add_argument(
        "--folder", type=Path, help="of installed packages (default: that of this Python)"
    )


def _autoload(args: argparse.Namespace) -> int:
    folder = args.folder or Path(sysconfig.get_path("purelib"))
    if args.what == "enable":
        print(f"enabled by {autoload.enable(folder)}")
        return 0
    if args.what == "disable":
        was = autoload.disable(folder)
        print(f"{'disabled' if was else 'was not enabled'} in {folder}")
        return 0
    enabled = autoload.is_enabled(folder)
    switched_off = enabled and autoload.is_switched_off()
    state = "enabled" if enabled else "not enabled"
    print(
        f"{state} in {folder}"
        + (f", but {autoload.SWITCH} switches it off" if switched_off else "")
    )
    return 0 if enabled and not switched_off else 1
