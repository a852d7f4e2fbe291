"""`aig encode`."""

import argparse
import math
import os
from collections.abc import Iterator
from glob import glob
from pathlib import Path
from typing import Any

from ..apps.convert import SUFFIXES, named_apart
from ..apps.exchange import to_aig
from ..encoder.options import OPTIONS
from ..io.pillow_images import read_frames, read_picture
from .common import (
    CommandError,
    Commands,
    box,
    checked,
    explain,
    named_coder,
    number,
    one_or_two,
    pairs,
    plain,
    say,
    size,
)
from .places import STREAM, Place, check_output, shown, target_for, tell, writing

HELP = """\
Around each focus center pixels stay bit-exact up to the core radius, are coded finely up to the
mid radius, and cheaply beyond. Distances are weighted: with Sigma SX,SY a radius R reaches
R * sqrt(SX) pixels sideways and R * sqrt(SY) up and down.

All frames of an animation or of a file of pages are stored, and EXIF, colour profile, XMP,
resolution, comments and text. What AIG has no place for is said.

Grey images of 16 bits per sample are stored lossless, whether --lossless is given or not. Of
other images Pillow gives 8 bits alone, so deeper ones are refused.

--sigma, --alpha and --radius are given once for all centers, or once for each, in their order.
Without --center the encoder looks for up to three itself; without --radius it weighs the size of
every core against its bits (--lambda-rd).

examples:
  aig encode photo.png -o focus.aig --center 210,150
  aig encode photo.png --center 210,150 --center 470,235 --sigma 1,2 --sigma 4,1
  aig encode photo.png --center 210,150 --radius 60        mid radius: 1.25 times the core's
  aig encode photo.png --mask cut-out.png                  the core is exactly that
  aig encode photo.png --box 100,80,300,200 --label face   or a box, or several
  aig encode photo.png --lossless                          every pixel exact
  aig encode *.png -o aig/ --quality 60 --force
  aig encode https://example.com/photo.jpg                 into the current folder
  magick in.psd png:- | aig encode - -o - > photo.aig     stdin and stdout
"""

#: Options of the codec that the command line passes on as they are, by the groups of its help.
_RATE = ("lambda_rd", "preset", "tune", "effort")
_CODING = ("mid", "palette_space", "entropy", "subsampling", "boundary_tau")
_PLAIN = (
    *("quality", "quality_level", "target_size", "target_psnr", "lossless", "explain", "threads"),
    *_RATE,
    *_CODING,
)

_METAVARS = {
    "quality": "Q",
    "quality_level": "L",
    "target_psnr": "DB",
    "effort": "E",
    "threads": "N",
}


def add(commands: Commands) -> None:
    """Add `aig encode`."""
    sub = commands.add("encode", _encode, "store images as AIG", HELP)
    sub.add_argument(
        "inputs",
        nargs="+",
        metavar="INPUT",
        help="any image that Pillow reads, or a folder of them; an address; - for stdin",
    )
    sub.add_argument(
        "-o",
        "--output",
        metavar="OUT",
        help="file or folder (default: INPUT with .aig); - is stdout",
    )
    sub.add_argument("--force", action="store_true", help="replace existing files")
    sub.add_argument("--jobs", type=int, metavar="N", help="processes side by side (1)")
    add_coding(sub)


def add_coding(sub: argparse.ArgumentParser) -> None:
    """Add the options that say how to code, as `options.py` declares them."""
    foci = sub.add_argument_group("foci")
    where = foci.add_mutually_exclusive_group()
    where.add_argument("--auto", action="store_true", help="let the encoder find them (default)")
    where.add_argument(
        "--center",
        "--centers",
        type=pairs,
        action="extend",
        metavar="X,Y",
        help="focus center, up to three, also as 'X,Y X,Y'",
    )
    foci.add_argument(
        "--sigma", type=one_or_two, action="append", metavar="SX[,SY]", help="shape (default 1,1)"
    )
    foci.add_argument(
        "--alpha",
        type=number,
        action="append",
        metavar="A",
        help=f"weight of the angle ({plain(OPTIONS['alphas'].limits)})",
    )
    foci.add_argument(
        "--radius",
        type=one_or_two,
        action="append",
        metavar="CORE[,MID]",
        help="radii instead of the search for them",
    )
    where.add_argument(
        "--mask",
        type=Place,
        metavar="FILE",
        help="a picture as large whose pixels that are not black are the cores",
    )
    where.add_argument(
        "--box",
        type=box,
        action="append",
        metavar="L,T,R,B",
        help="a rectangle that is to be exact, right and bottom exclusive; also several",
    )
    foci.add_argument(
        "--label", action="append", metavar="NAME", help="what a center shows, in their order"
    )
    rate = sub.add_argument_group("quality and size")
    levels = rate.add_mutually_exclusive_group()
    _add(levels, "quality")
    _add(levels, "quality_level")
    levels.add_argument(
        "--target-size",
        type=size,
        metavar="BYTES",
        help=f"{plain(OPTIONS['target_size'].help)}, also as 40kb or 1.5MB",
    )
    _add(levels, "target_psnr")
    _add(rate, "lossless")
    for name in _RATE:
        _add(rate, name)
    coding = sub.add_argument_group("coding")
    for name in (*_CODING, "explain", "threads"):
        _add(coding, name)
    coding.add_argument(
        "--coder",
        type=named_coder,
        action="append",
        metavar="KIND=NAME",
        help=plain(OPTIONS["coders"].help),
    )


def _add(group: argparse._ActionsContainer, name: str) -> None:
    """Add an option of the codec as it is declared."""
    option, flag = OPTIONS[name], "--" + name.replace("_", "-")
    how: dict[str, Any] = {"help": plain(option.meaning)}
    if option.choices:
        default = f" (default {option.default})" if option.default else ""
        how = {"help": plain(option.help) + default, "choices": option.choices}
    elif math.isfinite(option.low):
        how |= {"type": number, "metavar": _METAVARS.get(name, "X")}
    else:
        how |= {"action": argparse.BooleanOptionalAction, "default": None}
    group.add_argument(flag, **how)


def _encode(args: argparse.Namespace) -> int:
    keywords = keywords_of(args)
    jobs = 1 if args.jobs is None else args.jobs
    if jobs < 1:
        raise CommandError("--jobs must be at least 1", 2)
    pairs = targets(_expanded(args.inputs), args.output)
    worst = 0
    for k, (notes, lines, problem, code) in enumerate(
        _side_by_side(pairs, keywords, args.force, jobs)
    ):
        for note in notes:
            say(note)
        if problem:
            say(f"error: {problem}")
        else:
            tell("\n".join(lines), pairs[k][1])
        worst = max(worst, code)
    return worst


#: Notes, what to tell, what went wrong if so, and the exit code.
_Told = tuple[list[str], list[str], str, int]


def _side_by_side(
    pairs: list[tuple[Place, Path | None]], keywords: dict[str, Any], force: bool, jobs: int
) -> Iterator[_Told]:
    """Encode every pair, in order, in so many processes."""
    # Another process has neither this one's standard input nor its output.
    if jobs == 1 or any(place.is_stream or target is None for place, target in pairs):
        for pair_of in pairs:
            yield _try_one(*pair_of, keywords, force)
        return
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    alone = {"threads": 1, **keywords}
    with ProcessPoolExecutor(min(jobs, len(pairs)), get_context("spawn")) as pool:
        futures = [pool.submit(_try_one, *pair_of, alone, force) for pair_of in pairs]
        for future in futures:
            yield future.result()


def _try_one(source: Place, target: Path | None, keywords: dict[str, Any], force: bool) -> _Told:
    notes: list[str] = []
    try:
        return notes, _encode_one(source, target, keywords, force, notes), "", 0
    except Exception as error:  # the next file may do better
        return notes, [], *explain(error, source)


def _expanded(inputs: list[str]) -> list[Place]:
    """Folders become the pictures in them, and patterns that no shell has seen what they match."""
    found = []
    for name in inputs:
        place = Place(name)
        path = place.path
        if path is None:
            found.append(place)
        elif path.is_dir():
            own = [p for p in sorted(path.iterdir()) if p.suffix.lower() in SUFFIXES - {".aig"}]
            if not own:
                raise CommandError(f"{name}: no pictures in this folder")
            found += [Place(str(p)) for p in own]
        elif not path.exists() and any(c in name for c in "*?["):
            own = [Path(p) for p in sorted(glob(name, recursive=True))]
            if not own:
                raise CommandError(f"{name}: matches nothing")
            found += [Place(str(p)) for p in own]
        else:
            found.append(place)
    return found


def _encode_one(
    source: Place, target: Path | None, keywords: dict[str, Any], force: bool, notes: list[str]
) -> list[str]:
    """Write one file; returns what to tell about it."""
    from .. import open
    from ..apps.describe import foci_lines, focus_entry

    check_output(source, target, force)
    whole = source.whole()
    written = to_aig(read_frames(whole, str(source)), keywords)
    notes += [f"note: {source}: {note}" for note in written.notes]
    data = written.data
    with writing(target) as file:
        file.write(data)
    size = len(whole) if isinstance(whole, bytes) else whole.stat().st_size
    with open(data) as aig:
        width, height = aig.size
        foci = [focus_entry(f) for f in aig.metadata.foci]
        several = f", {written.frames} frames" if written.frames > 1 else ""
        return [
            f"{shown(target)}: {len(data):,} bytes, "
            f"{8 * len(data) / written.pixels:.3f} bits per pixel"
            f" ({width} x {height} {aig.mode}{several}; "
            f"{source.name or source} has {size:,} bytes)",
            *(f"  {line}" for line in foci_lines(foci, aig.metadata.shape)),
        ]


def keywords_of(args: argparse.Namespace) -> dict[str, Any]:
    """The keywords of `encode` that the command names."""
    for name in ("quality", "quality_level", "target_size", "target_psnr"):
        if args.lossless and getattr(args, name) is not None:
            option = "--" + name.replace("_", "-")
            raise CommandError(f"--lossless and {option} exclude each other: leave out one", 2)
    keywords = {name: v for name in _PLAIN if (v := getattr(args, name)) is not None}
    for name, value in keywords.items():
        if math.isfinite(OPTIONS[name].low):
            keywords[name] = checked("--" + name.replace("_", "-"), name, value)
    for alpha in args.alpha or ():
        checked("--alpha", "alphas", alpha)
    n = len(args.center or ())
    if n:
        keywords["centers"] = args.center
    for option, keyword in (("sigma", "sigmas"), ("alpha", "alphas"), ("radius", "radii")):
        given = getattr(args, option)
        if given is None:
            continue
        # A tuple of one number means what the bare number means to `encode`.
        given = [v[0] if isinstance(v, tuple) and len(v) == 1 else v for v in given]
        if len(given) == 1 and n:
            given *= n
        elif option != "radius" and len(given) == 1 and isinstance(given[0], float):
            given = given[0]
        elif len(given) != n:
            what = f"{len(given)} for {n} centers" if n else "without --center"
            raise CommandError(
                f"--{option} {what}: name the centers, and give --{option} once or once for each", 2
            )
        keywords[keyword] = given
    if args.mask is not None:
        keywords["mask"] = _mask(args.mask)
    if args.box:
        keywords["boxes"] = args.box
        n = min(len(args.box), 3)  # more boxes share the cores that there may be
    if args.label:
        # How many objects a mask has is for the encoder to say.
        if len(args.label) != n and args.mask is None:
            raise CommandError(f"--label: {len(args.label)} for {n} centers; one for each", 2)
        keywords["labels"] = args.label
    if args.coder:
        keywords["coders"] = dict(args.coder)
    return keywords


def _mask(place: Place) -> Any:
    """The pixels of a mask that are not black; the values of a picture of one channel tell objects
    apart."""
    mask: Any = read_picture(place.whole(), str(place)).pixels
    if mask.ndim == 3:
        mask = mask[..., : 1 if mask.shape[2] < 3 else 3].any(2)
    if not mask.any():
        raise CommandError(f"{place}: is black everywhere, so that no pixel would be exact", 2)
    return mask


def targets(places: list[Place], output: str | None) -> list[tuple[Place, Path | None]]:
    """Where each input goes; creates the output folder.

    Names that would be equal keep their own extensions, as `aig convert` has it.
    """
    folder = None
    if output is not None and output != STREAM:
        folder = Path(output)
        if folder.exists() and not folder.is_dir() and len(places) > 1:
            raise CommandError(f"{folder} is not a folder; several inputs need one", 2)
        if not (len(places) > 1 or folder.is_dir() or output.endswith(("/", os.sep))):
            _refuse_other_format(folder)
            folder = None
    elif output == STREAM and len(places) > 1:
        raise CommandError(f"{len(places)} inputs do not go into one standard output", 2)
    if len(places) == 1 and folder is None:
        return [(places[0], target_for(places[0], output, ".aig"))]
    named = [place for place in places if not place.is_stream]
    if len(named) < len(places) and folder is None:
        raise CommandError("where the standard input goes is open: name a folder with -o", 2)
    own = [
        Path(place.name or "picture")
        if folder is not None or place.path is None
        else Path(os.path.abspath(place.path))
        for place in places
    ]
    try:
        names = named_apart(own, ".aig")
    except ValueError:
        names = [path.with_name(path.name + ".aig") for path in own]
        k, j = next((k, j) for k in range(len(own)) for j in range(k) if names[k] == names[j])
        words = f"{places[j]} and {places[k]} would both become {(folder or Path()) / names[k]}"
        raise CommandError(words, 2) from None
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        return [(place, folder / name) for place, name in zip(places, names, strict=True)]
    return [
        (place, Path(name.name) if place.path is None else place.path.with_name(name.name))
        for place, name in zip(places, names, strict=True)
    ]


def _refuse_other_format(target: Path) -> None:
    from PIL import Image

    found = Image.registered_extensions().get(target.suffix.lower(), "AIG")
    if found != "AIG":
        raise CommandError(
            f"{target}: encode writes AIG, and {target.suffix} is for {found}; name it "
            f"{target.with_suffix('.aig')} (decode, and convert --to, write other formats)",
            2,
        )
