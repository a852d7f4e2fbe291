"""`aig verify`."""

import argparse
import json
from typing import Any

from .common import Commands, explain, say
from .places import Place

HELP = """\
Reads whole files and compares every part with its checksum, without decoding pixels. What is
damaged or missing is listed, and the exit code is 1 then; `aig decode --lenient` writes what is
left.

examples:
  aig verify photo.aig
  aig verify archive/*.aig --quiet
  aig verify https://example.com/photo.aig
"""


def add(commands: Commands) -> None:
    """Add `aig verify`."""
    sub = commands.add("verify", _verify, "check that AIG files are whole and undamaged", HELP)
    sub.add_argument(
        "inputs",
        nargs="+",
        metavar="FILE",
        type=Place,
        help="an AIG file, an address, or - for stdin",
    )
    sub.add_argument("--quiet", action="store_true", help="name damaged files only")
    sub.add_argument("--json", action="store_true", help="a list of objects, one for each file")


def _verify(args: argparse.Namespace) -> int:
    found: list[dict[str, Any]] = []
    worst = 0
    for place in args.inputs:
        try:
            parts, frames, damage = _checked(place)
        except Exception as error:
            message, code = explain(error, place)
            worst = max(worst, code)
            if args.json:
                found.append({"file": str(place), "sound": False, "damage": [message]})
            else:
                say(f"error: {message}")
            continue
        worst = max(worst, int(bool(damage)))
        if args.json:
            found.append({"file": str(place), "sound": not damage, "damage": damage})
        elif damage:
            print(f"{place}: damaged, {len(damage)} of {parts} parts")
            print("\n".join(f"  {words}" for words in damage))
        elif not args.quiet:
            several = f" in {frames} frames" if frames > 1 else ""
            print(f"{place}: sound, {parts} parts{several}")
    if args.json:
        print(json.dumps(found, indent=2))
    return worst


def _checked(place: Place) -> tuple[int, int, list[str]]:
    """How many parts and frames a file has, and what is wrong with it, as sentences."""
    from .. import open
    from ..errors import AigError

    with open(place.source()) as aig:
        damage = [f"frame {k}: {e}" if aig.n_frames > 1 else str(e) for k, e in aig.damage()]
        parts = len(aig.segments)
        for k in range(1, aig.n_frames):
            try:
                parts += len(aig.frame(k).segments)
            except AigError:
                parts += 1
        return parts, aig.n_frames, damage
