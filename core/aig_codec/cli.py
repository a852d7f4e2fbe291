"""The command line `aig`: encode, decode, info, demo.

Everything heavy is imported inside the functions that need it, so that `aig --help` is quick.
Results go to stdout, remarks and errors to stderr, one sentence each. Exit codes: 0 done,
1 something failed, 2 the command itself was wrong.
"""

import argparse
import contextlib
import json
import math
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from . import __version__
from .errors import AigError, CorruptError, NotAigError, TruncatedError
from .pictures import PictureError, read_picture

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .reader import AigFile

EXAMPLES = """\
examples:
  aig encode photo.png                              photo.aig; the encoder finds the focus
  aig encode photo.png --center 210,150             this point and its surroundings stay exact
  aig encode photo.png --center 210,150 --radius 60,90 --quality 50
  aig encode scans/*.tif -o archive/ --preset medical
  aig decode photo.aig                              photo.png
  aig decode photo.aig -o focus.png --core 0        the exact part alone
  aig decode photo.aig -o small.jpg --scale 4
  aig info photo.aig                                what the file holds, and what it costs
  aig demo                                          try it all on a photograph
"""

ENCODE_HELP = """\
Around each focus center pixels stay bit-exact up to the core radius, are coded finely up to the
mid radius, and cheaply beyond. Distances are weighted: with Sigma SX,SY a radius R reaches
R * sqrt(SX) pixels sideways and R * sqrt(SY) up and down.

Grey images of 16 bits per sample are stored lossless, whether --lossless is given or not. Of
other images Pillow gives 8 bits alone, so deeper ones are refused.

--sigma, --alpha and --radius are given once for all centers, or once for each, in their order.
Without --center the encoder looks for up to three itself; without --radius it weighs the size of
every core against its bits (--lambda-rd).

examples:
  aig encode photo.png -o focus.aig --center 210,150
  aig encode photo.png --center 210,150 --center 470,235 --sigma 1,2 --sigma 4,1
  aig encode photo.png --center 210,150 --radius 60        mid radius: 1.25 times the core's
  aig encode photo.png --lossless                          every pixel exact
  aig encode *.png -o aig/ --quality 60 --force
"""

DECODE_HELP = """\
The extension of OUT decides the format. Lossy ones are written with quality 95.

Samples of 16 bits stay what they are as grey PNG, TIFF, PPM and JPEG 2000. Pillow writes no others,
so in other formats, and with colour or alpha, they become their higher 8 bits, with a warning.

examples:
  aig decode photo.aig                       writes photo.png
  aig decode photo.aig -o photo.tif
  aig decode photo.aig -o early.png --upto preview    cores, and a smooth rest
  aig decode photo.aig -o part.png --region 800,400,1100,700    reads what that takes
  aig decode photo.aig -o focus.png --core 0          transparent where it is not core
  aig decode broken.aig -o rest.png --lenient         what the undamaged parts hold
"""

INFO_HELP = """\
Reads header and metadata, never pixels, so it is quick on files of any size and works on the
first few kilobytes of one.

examples:
  aig info photo.aig
  aig info *.aig --json | jq '.[].bits_per_pixel'
"""

DEMO_HELP = """\
Saves a photograph as AIG three times: with named centers, with named centers and radii, and with
nothing named. Opens every file through aig_codec, Pillow and imageio, checks that the cores are
bit-exact, and compares sizes with other formats. comparison.png in FOLDER shows what became of
the picture. Exit code 1 if a check fails.

examples:
  aig demo                            the photograph "china" that comes with scikit-learn
  aig demo flower -o flower-demo
  aig demo photo.png --center 210,150
"""

#: The names that settings.py allows, which cannot be imported here without NumPy.
CHOICES = {
    "mid": ("auto", "palette", "dct", "none"),
    "entropy": ("auto", "adaptive", "rans", "golomb", "snappy"),
    "tune": ("psnr", "visual"),
    "subsampling": ("auto", "4:2:0", "4:4:4"),
    "preset": ("tracking", "medical", "surveillance"),
    "upto": ("core", "preview", "mid", "full"),
}

#: Keywords of `encode` that the command line passes on as they are.
_PLAIN = (
    *("quality", "quality_level", "lambda_rd", "lossless", "preset", "tune", "effort"),
    *("mid", "entropy", "subsampling", "boundary_tau", "threads"),
)

#: Where Pillow keeps the 16 bits of mode I;16, the only mode it has with so many. Some of its other
#: formats convert that by clipping, which makes nearly everything white.
_DEEP_FORMATS = ("PNG", "TIFF", "PPM", "JPEG2000")


class CommandError(Exception):
    """What is wrong with the command, in a sentence; `code` becomes the exit code."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


def main(argv: list[str] | None = None) -> int:
    """Run `aig` with these arguments, or those of the process. Returns the exit code."""
    try:
        args = _parser().parse_args(argv)
    except SystemExit as stop:  # argparse has said what there is to say
        return stop.code if isinstance(stop.code, int) else 2
    run: Callable[[argparse.Namespace], int] = args.run
    try:
        code = run(args)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # `aig info ... | head` is no error. What is still buffered must not be flushed at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        _say("interrupted")
        return 130
    except Exception as error:
        message, code = _explain(error, getattr(args, "input", None))
        _say(f"error: {message}")
        return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="aig",
        description="AIG images: what matters stays exact, the rest gets cheap, and the focus "
        "comes first in the file.",
        epilog=EXAMPLES + "\n`aig COMMAND --help` explains a command and its options.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"aig {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def command(
        name: str, run: Callable[[argparse.Namespace], int], about: str, epilog: str
    ) -> argparse.ArgumentParser:
        sub = commands.add_parser(
            name,
            help=about,
            description=about[0].upper() + about[1:] + ".",
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        sub.set_defaults(run=run)
        return sub

    sub = command("encode", _encode, "store images as AIG", ENCODE_HELP)
    sub.add_argument("inputs", nargs="+", metavar="INPUT", help="any image that Pillow reads")
    sub.add_argument(
        "-o", "--output", metavar="OUT", help="file or folder (default: INPUT with .aig)"
    )
    sub.add_argument("--force", action="store_true", help="replace existing files")
    foci = sub.add_argument_group("foci")
    foci.add_argument(
        "--center", type=_pair, action="append", metavar="X,Y", help="focus center, up to three"
    )
    foci.add_argument(
        "--sigma", type=_one_or_two, action="append", metavar="SX[,SY]", help="shape (default 1,1)"
    )
    foci.add_argument(
        "--alpha", type=_number, action="append", metavar="A", help="weight of the angle, 0 to 2.55"
    )
    foci.add_argument(
        "--radius",
        type=_one_or_two,
        action="append",
        metavar="CORE[,MID]",
        help="radii instead of the search for them",
    )
    rate = sub.add_argument_group("quality and size")
    levels = rate.add_mutually_exclusive_group()
    levels.add_argument(
        "--quality", type=_number, metavar="Q", help="of the lossy part, 0 to 100 (75)"
    )
    levels.add_argument("--quality-level", type=int, metavar="L", help="the same, 0 to 255 (191)")
    rate.add_argument("--lossless", action="store_const", const=True, help="every pixel exact")
    rate.add_argument(
        "--lambda-rd", type=_number, metavar="X", help="larger for smaller cores (0.02)"
    )
    rate.add_argument("--preset", choices=CHOICES["preset"], help="an application's settings")
    rate.add_argument("--tune", choices=CHOICES["tune"], help="what to be good at (psnr)")
    rate.add_argument("--effort", type=int, metavar="1..9", help="time spent on size (5)")
    coding = sub.add_argument_group("coding")
    coding.add_argument("--mid", choices=CHOICES["mid"], help="coder of the mid tier (auto)")
    coding.add_argument("--entropy", choices=CHOICES["entropy"], help="entropy coder (auto)")
    coding.add_argument("--subsampling", choices=CHOICES["subsampling"], help="of chroma (auto)")
    coding.add_argument(
        "--boundary-tau",
        type=_number,
        metavar="T",
        help="keep errors above T in the band between tiers",
    )
    coding.add_argument("--threads", type=int, metavar="N", help="(default: every core)")

    sub = command("decode", _decode, "turn an AIG file into another format", DECODE_HELP)
    sub.add_argument("input", metavar="INPUT", help="an AIG file")
    sub.add_argument("-o", "--output", metavar="OUT", help="(default: INPUT with .png)")
    sub.add_argument("--force", action="store_true", help="replace an existing file")
    sub.add_argument("--upto", choices=CHOICES["upto"], default="full", help="stop at this tier")
    sub.add_argument("--scale", type=int, choices=(1, 2, 4, 8), default=1, help="1/2, 1/4 or 1/8")
    sub.add_argument(
        "--region", type=_box, metavar="L,T,R,B", help="only this rectangle, in pixels of the whole"
    )
    sub.add_argument("--core", type=int, metavar="K", help="only the core of focus K, from 0")
    sub.add_argument("--lenient", action="store_true", help="leave damaged parts out and say so")
    sub.add_argument("--threads", type=int, metavar="N", help="(default: every core)")

    sub = command("info", _info, "show what AIG files hold", INFO_HELP)
    sub.add_argument("inputs", nargs="+", metavar="FILE", help="an AIG file")
    sub.add_argument("--json", action="store_true", help="a list of objects, one for each file")

    sub = command("demo", _demo, "try AIG on a photograph and check it", DEMO_HELP)
    sub.add_argument(
        "image", nargs="?", default="china", metavar="IMAGE", help="a file, or china or flower"
    )
    sub.add_argument(
        "-o", "--output", default="aig-demo", metavar="FOLDER", help="(default: aig-demo)"
    )
    sub.add_argument(
        "--center", type=_pair, action="append", metavar="X,Y", help="what IMAGE is about"
    )
    return parser


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number")
    return value


def _one_or_two(text: str) -> tuple[float, ...]:
    values = tuple(_number(part) for part in text.split(","))
    if len(values) > 2:
        raise argparse.ArgumentTypeError(f"{text!r} has more than two numbers")
    return values


def _pair(text: str) -> tuple[float, float]:
    values = _one_or_two(text)
    if len(values) != 2:
        raise argparse.ArgumentTypeError(f"{text!r} is not a pair such as 210,150")
    return values[0], values[1]


def _box(text: str) -> tuple[int, ...]:
    try:
        box = tuple(int(part) for part in text.split(","))
    except ValueError:
        box = ()
    if len(box) != 4:
        raise argparse.ArgumentTypeError(f"{text!r} is not a rectangle such as 800,400,1100,700")
    return box


# encode


def _encode(args: argparse.Namespace) -> int:
    keywords = _keywords(args)
    worst = 0
    for source, target in _targets(args.inputs, args.output):
        try:
            lines = _encode_one(source, target, keywords, args.force)
        except Exception as error:  # the next file may do better
            message, code = _explain(error, source)
            _say(f"error: {message}")
            worst = max(worst, code)
        else:
            print("\n".join(lines))
    return worst


def _encode_one(source: Path, target: Path, keywords: dict[str, Any], force: bool) -> list[str]:
    """Write one file; returns what to tell about it."""
    from . import encode, open
    from .describe import foci_lines, focus_entry

    _check_target(source, target, force)
    picture = read_picture(source)
    for note in picture.notes:
        _say(f"note: {source}: {note}")
    data = encode(picture.pixels, **picture.ancillary, **keywords)
    with _replacing(target) as file:
        file.write(data)
    with open(data) as aig:
        width, height = aig.size
        foci = [focus_entry(f) for f in aig.metadata.foci]
        return [
            f"{target}: {len(data):,} bytes, {8 * len(data) / (width * height):.3f} bits per pixel"
            f" ({width} x {height} {aig.mode}; {source.name} has {source.stat().st_size:,} bytes)",
            *(f"  {line}" for line in foci_lines(foci, aig.metadata.shape == "all")),
        ]


def _keywords(args: argparse.Namespace) -> dict[str, Any]:
    """The keywords of `encode` that the command names."""
    keywords = {name: v for name in _PLAIN if (v := getattr(args, name)) is not None}
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
    return keywords


def _targets(inputs: list[str], output: str | None) -> list[tuple[Path, Path]]:
    """Where each input goes; creates the output folder."""
    sources = [Path(name) for name in inputs]
    if output is None:
        pairs = [(s, s.with_suffix(".aig")) for s in sources]
    elif len(sources) > 1 or os.path.isdir(output) or output.endswith(("/", os.sep)):
        folder = Path(output)
        if folder.exists() and not folder.is_dir():
            raise CommandError(f"{folder} is not a folder; several inputs need one", 2)
        folder.mkdir(parents=True, exist_ok=True)
        pairs = [(s, folder / s.with_suffix(".aig").name) for s in sources]
    else:
        pairs = [(sources[0], Path(output))]
    seen: dict[Path, Path] = {}
    for source, target in pairs:
        if target in seen:
            raise CommandError(f"{seen[target]} and {source} would both become {target}", 2)
        seen[target] = source
    return pairs


# decode


def _decode(args: argparse.Namespace) -> int:
    from PIL import Image

    from . import open

    others = args.upto != "full" or args.scale != 1 or args.lenient or args.region
    if args.core is not None and others:
        raise CommandError("--core stands alone: a core is exact, whole, or not to be had", 2)
    source = Path(args.input)
    target = Path(args.output) if args.output else source.with_suffix(".png")
    if target.is_dir():
        target = target / source.with_suffix(".png").name
    extensions = Image.registered_extensions()
    format_name = extensions.get(target.suffix.lower(), "")
    if format_name not in Image.SAVE:
        raise CommandError(
            f"{target}: Pillow writes no format with the extension {target.suffix!r}", 2
        )
    _check_target(source, target, args.force)
    problems: list[AigError] = []
    with open(source) as aig:
        try:
            if args.core is not None:
                pixels, note = _core_pixels(aig, args.core)
            else:
                pixels = aig.decode(
                    args.upto,
                    args.scale,
                    region=args.region,
                    threads=args.threads,
                    strict=not args.lenient,
                )
                note = ""
                problems += aig.problems
            options = _save_options(aig, args.scale, args.lenient, problems)
        except (CorruptError, TruncatedError) as error:
            hint = "" if args.core is not None else " (--lenient writes what can still be read)"
            raise CommandError(f"{source}: {error}{hint}") from error
    warnings = [f"{source}: left out: {problem}" for problem in problems]
    if pixels.itemsize > 1 and not (pixels.ndim == 2 and format_name in _DEEP_FORMATS):
        pixels = (pixels >> 8).astype("uint8")
        warnings.append(f"{target}: has the higher 8 of 16 bits per sample; Pillow writes no more")
    image = Image.fromarray(pixels)
    with _replacing(target) as file:
        try:
            image.save(file, format=format_name, **options)
        except Exception as error:
            # Whatever a saver raises, mostly a mode that the format lacks.
            raise CommandError(f"{target}: {error}") from error
    for warning in warnings:
        _say(f"warning: {warning}")
    print(f"{target}: {image.width} x {image.height} {image.mode}{note}")
    return 0


def _core_pixels(aig: "AigFile", k: int) -> tuple["NDArray[Any]", str]:
    """The core's least rectangle with alpha 0 outside the core, and a remark about it."""
    import numpy as np

    core = aig.core(k)
    rows, columns = (np.flatnonzero(core.mask.any(axis)) for axis in (1, 0))
    if not len(rows):
        raise CommandError(f"the core of focus {k} is empty")
    tight = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    pixels, mask = core.pixels[tight], core.mask[tight]
    pixels = pixels.reshape(*mask.shape, -1)
    if pixels.shape[2] in (1, 3):
        opaque = np.full(mask.shape, aig.metadata.max_sample, aig.dtype)
        pixels = np.dstack([pixels, opaque])
    pixels = np.where(mask[..., None], pixels, 0).astype(aig.dtype)
    left, top = core.left + int(columns[0]), core.top + int(rows[0])
    return pixels, f", core {k} of the image at ({left}, {top})"


def _save_options(
    aig: "AigFile", scale: int, lenient: bool, problems: list[AigError]
) -> dict[str, Any]:
    """Keywords for Pillow's save; formats ignore those that they don't know."""
    options: dict[str, Any] = {"quality": 95}
    for name in ("exif", "icc_profile", "xmp"):
        try:
            value = getattr(aig, name)
        except AigError as error:
            if not lenient:
                raise
            problems.append(error)
            continue
        if value is not None:
            options[name] = value
    prefix = b"Exif\0\0"
    if "exif" in options and not options["exif"].startswith(prefix):
        # JPEG needs the prefix, and the other formats take it off.
        options["exif"] = prefix + options["exif"]
    if aig.metadata.dpi is not None:
        options["dpi"] = tuple(v / scale for v in aig.metadata.dpi)
    return options


# info


def _info(args: argparse.Namespace) -> int:
    from .describe import describe, table

    found = []
    worst = 0
    for name in args.inputs:
        try:
            report = describe(Path(name))
        except Exception as error:
            message, code = _explain(error, Path(name))
            _say(f"error: {message}")
            worst = max(worst, code)
            continue
        if args.json:
            found.append(report)
        else:
            print("\n".join(table(report)))
    if args.json:
        print(json.dumps(found, indent=2))
    return worst


# demo


def _demo(args: argparse.Namespace) -> int:
    from . import demo

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
        picture = read_picture(path).pixels
        if picture.itemsize > 1:
            raise CommandError(
                f"{path}: has 16 bits per sample, and the demo is about lossy tiers, which have 8"
            )
        plan = demo.plan_for(picture)
    if args.center:
        plan = plan._replace(centers=tuple((round(x), round(y)) for x, y in args.center))
    return 0 if demo.run(picture, path.stem, plan, Path(args.output)) else 1


# What the commands share


def _check_target(source: Path, target: Path, force: bool) -> None:
    """Refuse targets that must not be written, before any work is spent on them."""
    if target.exists():
        if source.exists() and target.samefile(source):
            raise CommandError(f"{target}: is the input itself; name another file with -o")
        if not target.is_file():
            raise CommandError(f"{target}: exists and is not a regular file")
        if not force:
            raise CommandError(
                f"{target}: exists already; -o names another file, --force replaces it"
            )


@contextlib.contextmanager
def _replacing(target: Path) -> Iterator[BinaryIO]:
    """A file that becomes `target` when all went well, and vanishes otherwise."""
    target = Path(os.path.realpath(target))  # behind a link, the file it names
    # In the same folder, as only there replacing is one step; "x", so that no file is shared.
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with part.open("x+b") as file:
            yield file
        os.replace(part, target)
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


def _explain(error: Exception, path: Path | str | None = None) -> tuple[str, int]:
    """An error as one sentence, and the exit code that goes with it."""
    if isinstance(error, CommandError):
        return str(error), error.code
    if isinstance(error, PictureError):
        return str(error), 1
    where = f"{path}: " if path else ""
    if isinstance(error, NotAigError):
        return f"{where}not an AIG file", 1
    if isinstance(error, AigError):
        return f"{where}{error}", 1
    if isinstance(error, OSError):
        name = f"{error.filename}: " if error.filename else where
        return f"{name}{error.strerror or error}", 1
    if isinstance(error, ImportError):
        return f"{error}; pip install 'pillow-aig[all]' has everything", 1
    if isinstance(error, (ValueError, TypeError)):
        # The codec's way to say that an argument is not allowed.
        return f"{where}{error}", 2
    return f"{where}{type(error).__name__}: {error}", 1


def _say(message: str) -> None:
    """One line on stderr."""
    print(f"aig: {' '.join(message.split())}", file=sys.stderr)
