"""`aig compare`."""

import argparse
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..io.files import replacing
from .common import CommandError, Commands, check_target
from .places import Place, first_picture

if TYPE_CHECKING:
    from ..container import Metadata
    from ..geometry import Regions

HELP = """\
Both may be anything that Pillow reads, of the same size: files, addresses, or -, the standard
input. If B, or else A, is an AIG file, its foci say where to look: "focus" is what is exact there,
"band" the 16 pixels around it, "outside" the rest. Higher is better for all but the largest error;
inf means that all is equal.

The seam is by how many grey levels more the gradients across the rim of the focus differ from the
original's than those beside it do: 0 or less cannot be seen.

SSIM and MS-SSIM are of luma. SSIMULACRA2 is shown where its package is installed.

examples:
  aig compare photo.png photo.aig
  aig compare photo.png photo.aig --heat error.png
  aig compare photo.png other.jpg --focus photo.aig
  aig compare photo.png photo.aig --json | jq .band.psnr
"""


def add(commands: Commands) -> None:
    """Add `aig compare`."""
    sub = commands.add("compare", _compare, "measure how far apart two pictures are", HELP)
    sub.add_argument("a", metavar="A", type=Place, help="the original")
    sub.add_argument("b", metavar="B", type=Place, help="what became of it")
    sub.add_argument("--focus", metavar="FILE", type=Place, help="the AIG file that says where")
    sub.add_argument("--heat", metavar="OUT.png", type=Path, help="draw where they differ")
    sub.add_argument("--json", action="store_true", help="numbers for programs; null is no number")
    sub.add_argument("--force", action="store_true", help="replace an existing file")


def _compare(args: argparse.Namespace) -> int:
    import numpy as np

    from ..apps.compare import compare, regions, seam, ssimulacra2

    if args.heat is not None:
        check_target(args.a.path, args.heat, args.force)
    a, b = (first_picture(place).pixels for place in (args.a, args.b))
    areas = _regions_of(args.focus or args.b) or _regions_of(args.a)
    if args.focus is not None and _regions_of(args.focus) is None:
        raise CommandError(f"{args.focus}: not an AIG file", 2)
    masks = {}
    metadata = None if areas is None else areas.metadata
    if areas is not None and metadata is not None:
        if metadata.size != (a.shape[1], a.shape[0]):
            raise CommandError(f"the foci are those of a picture of {metadata.size} pixels")
        masks = regions(areas)
    try:
        scores = compare(a, b, masks)
    except ValueError as error:
        raise CommandError(f"{args.a} and {args.b}: {error}") from error
    visual = ssimulacra2(a, b)
    edge = seam(a, b, masks["focus"]) if masks else None
    if args.heat is not None:
        from ..apps.figures import error_map

        deep = max(a.itemsize, b.itemsize) > 1
        eight = [(p >> 8).astype(np.uint8) if deep else p for p in (a, b)]
        colours = [p if p.ndim == 2 or p.shape[2] in (1, 3) else p[..., :-1] for p in eight]
        whole = metadata is None or metadata.shape == "all"
        drawn = error_map(colours[0].squeeze(), colours[1].squeeze(), None if whole else areas)
        with replacing(args.heat) as file:
            drawn.save(file, "PNG")
    if args.json:
        found: dict[str, Any] = {name: own.to_json() for name, own in scores.items()}
        if visual is not None:
            found["all"]["ssimulacra2"] = visual
        if edge is not None:
            found["seam"] = {**edge._asdict(), "excess": edge.excess}
        print(json.dumps(found, indent=2))
        return 0
    print(f"{'':<10}{'pixels':>13}{'PSNR dB':>10}{'SSIM':>9}{'MS-SSIM':>10}{'largest error':>16}")
    for name, own in scores.items():
        row = f"{name:<10}{own.pixels:>13,}{_figure(own.psnr, 2):>10}{_figure(own.ssim, 4):>9}"
        print(f"{row}{_figure(own.ms_ssim, 4):>10}{own.largest:>16}")
    if visual is not None:
        print(f"SSIMULACRA2 {visual:.2f}")
    if edge is not None:
        print(
            f"seam at the rim of the focus: {edge.excess:.2f} grey levels (gradients there are off "
            f"by {edge.rim:.2f}, beside it by {edge.around:.2f})"
        )
    if args.heat is not None:
        print(f"{args.heat}: where they differ")
    return 0


def _figure(value: float, digits: int) -> str:
    return "-" if math.isnan(value) else f"{value:.{digits}f}"


def _regions_of(place: Place) -> "Regions[Metadata] | None":
    from .. import open
    from ..errors import NotAigError

    try:
        with open(place.whole()) as aig:
            return aig.regions()
    except NotAigError:
        return None
