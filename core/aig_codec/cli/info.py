"""`aig info`."""

import argparse
import json
from pathlib import Path

from .common import Commands, explain, say

HELP = """\
Reads header and metadata, never pixels, so it is quick on files of any size and works on the
first few kilobytes of one.

examples:
  aig info photo.aig
  aig info *.aig --json | jq '.[].bits_per_pixel'
"""


def add(commands: Commands) -> None:
    """Add `aig info`."""
    sub = commands.add("info", _info, "show what AIG files hold", HELP)
    sub.add_argument("inputs", nargs="+", metavar="FILE", help="an AIG file")
    sub.add_argument("--json", action="store_true", help="a list of objects, one for each file")


def _info(args: argparse.Namespace) -> int:
    from ..describe import describe, table

    found = []
    worst = 0
    for name in args.inputs:
        try:
            report = describe(Path(name))
        except Exception as error:
            message, code = explain(error, Path(name))
            say(f"error: {message}")
            worst = max(worst, code)
            continue
        if args.json:
            found.append(report)
        else:
            print("\n".join(table(report)))
    if args.json:
        print(json.dumps(found, indent=2))
    return worst
