"""`aig info`."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..io.files import replacing
from .common import CommandError, Commands, check_target, explain, say
from .places import Place, first_picture

if TYPE_CHECKING:
    from ..container.decisions import Decision

HELP = """\
Reads header and metadata, never pixels, so it is quick on files of any size and works on the
first few kilobytes of one.

--why tells what the encoder chose, and what else it might have. Of a picture that is no AIG file,
it tells what the encoder would choose, without writing anything; --plot draws how J = D + lambda R
depends on the radii.

examples:
  aig info photo.aig
  aig info https://example.com/photo.aig      fetches 2 KB of it
  aig info --why photo.aig
  aig info --why photo.png --plot radii.png
  aig info *.aig --json | jq '.[].bits_per_pixel'
"""


def add(commands: Commands) -> None:
    """Add `aig info`."""
    sub = commands.add("info", _info, "show what AIG files hold", HELP)
    sub.add_argument(
        "inputs",
        nargs="+",
        metavar="FILE",
        type=Place,
        help="an AIG file, an address, or - for stdin",
    )
    sub.add_argument("--why", action="store_true", help="what the encoder chose, and why")
    sub.add_argument("--plot", metavar="OUT.png", type=Path, help="with --why: J over the radii")
    sub.add_argument("--force", action="store_true", help="replace an existing plot")
    sub.add_argument("--json", action="store_true", help="a list of objects, one for each file")


def _info(args: argparse.Namespace) -> int:
    from ..apps.describe import describe, table

    if args.plot is not None and (not args.why or len(args.inputs) != 1):
        raise CommandError("--plot goes with --why and one picture", 2)
    if args.why:
        return _why(args)
    found = []
    worst = 0
    for place in args.inputs:
        try:
            report = describe(place.source(), str(place))
        except Exception as error:
            message, code = explain(error, place)
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


def _why(args: argparse.Namespace) -> int:
    from .. import open
    from ..errors import NotAigError

    found: dict[str, Any] = {}
    worst = 0
    for place in args.inputs:
        try:
            try:
                decisions: Sequence[Decision]
                with open(place.source()) as aig:
                    decisions = aig.decisions
                if args.plot is not None:
                    raise CommandError(f"{place}: J is known of pictures that are not coded yet", 2)
                nothing = "tells no reasons: everything was given, or --no-explain"
            except NotAigError:
                decisions = _would_choose(place, args)
                nothing = "leaves nothing to choose"
        except Exception as error:
            message, code = explain(error, place)
            say(f"error: {message}")
            worst = max(worst, code)
            continue
        found[str(place)] = [d.to_json() for d in decisions]
        if not args.json:
            print(f"{place}:" if decisions else f"{place}: {nothing}")
            for decision in decisions:
                print("\n".join(f"  {line}" for line in decision.lines()))
    if args.json:
        print(json.dumps(found, indent=2))
    return worst


def _would_choose(place: Place, args: argparse.Namespace) -> "Sequence[Decision]":
    from .. import explain as explained

    if args.plot is not None:
        check_target(place.path, args.plot, args.force)
    pixels = first_picture(place).pixels
    decisions = explained(pixels)
    if args.plot is not None:
        from ..apps.radii_plot import draw
        from ..encoder.pipeline import planned

        with replacing(args.plot) as file:
            draw(planned(pixels), file)
    return decisions
