"""What the commands share: errors, kinds of arguments, files that are replaced in one step."""

import argparse
import math
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from .. import checking
from ..encoder.options import OPTIONS
from ..errors import AigError, NotAigError
from ..io.pillow_images import PictureError

#: The names that options know.
CHOICES = {name: option.choices for name, option in OPTIONS.items() if option.choices} | {
    "upto": ("core", "preview", "mid", "full")
}


class CommandError(Exception):
    """What is wrong with the command, in a sentence; `code` becomes the exit code."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


class Parser(argparse.ArgumentParser):
    """Says in a line what is wrong with a command, and what was probably meant."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        found, rest = super().parse_known_args(args, namespace)
        if rest:
            self.error(self._unknown(rest))
        return found, rest

    def _unknown(self, rest: list[str]) -> str:
        options = [arg.partition("=")[0] for arg in rest if arg.startswith("-")]
        if not options:
            return f"there is no place for {' '.join(map(repr, rest))}"
        known = [name for name in self._option_string_actions if name.startswith("--")]
        return f"there is no option {options[0]}{meant(options[0], known)}"

    def error(self, message: str) -> NoReturn:
        choice = re.fullmatch(r"argument (.*): invalid choice: (.*) \(choose from (.*)\)", message)
        if choice is not None:
            what, given, known = (part.strip("'") for part in choice.groups())
            names = [name.strip(" '") for name in known.split(",")]
            if what == "COMMAND":
                message = f"there is no command {given}{meant(given, names)}"
            else:
                message = f"{what}: {given} is not one of {', '.join(names)}{meant(given, names)}"
        say(f"error: {message} (`{self.prog} --help` lists what there is)")
        self.exit(2)


def meant(given: str, known: Iterable[str]) -> str:
    """What was probably meant, as the end of a sentence; nothing if nothing is close."""
    close = checking.closest(given, known)
    return f"; did you mean {close}?" if close else ""


class Commands:
    """The commands of `aig`, to which every module adds its own."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self._parsers: Any = parser.add_subparsers(
            title="commands", metavar="COMMAND", required=True
        )

    def add(
        self, name: str, run: Callable[[argparse.Namespace], int], about: str, epilog: str
    ) -> argparse.ArgumentParser:
        """Add a command; `about` is a sentence without capital and full stop."""
        parser: argparse.ArgumentParser = self._parsers.add_parser(
            name,
            help=about,
            description=about[0].upper() + about[1:] + ".",
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        parser.set_defaults(run=run)
        return parser


# Kinds of arguments


def number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number")
    return value


def checked(flag: str, name: str, value: float) -> float:
    """A number that was given, if the option of the codec takes it."""
    option = OPTIONS[name]
    try:
        if option.whole:
            return checking.integer(flag, value, int(option.low), int(option.high))
        return checking.number(flag, value, option.low, option.high)
    except ValueError as error:
        raise CommandError(str(error), 2) from None


def plain(markdown: str) -> str:
    """A sentence of the options as help shows it: `%` is argparse's."""
    return markdown.replace("`", "").replace("%", "%%")


#: Sizes of files; those with an i are powers of 1024.
_SIZE = re.compile(r"([0-9.]+)\s*(?:([kmg])(i?)b?|b|bytes)?", re.IGNORECASE)


def size(text: str) -> int:
    """Bytes, as 40000, 40k, 40kb, 1.5 MB or 40KiB."""
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size such as 40kb")
    unit = 1024.0 if found[3] else 1000.0
    value = number(found[1])
    for _ in range(" kmg".index((found[2] or " ").lower())):
        value *= unit
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size such as 40kb")
    return round(value)


def one_or_two(text: str) -> tuple[float, ...]:
    values = tuple(number(part) for part in text.split(","))
    if len(values) > 2:
        raise argparse.ArgumentTypeError(f"{text!r} has more than two numbers")
    return values


def pair(text: str) -> tuple[float, float]:
    values = one_or_two(text)
    if len(values) != 2:
        raise argparse.ArgumentTypeError(f"{text!r} is not a pair such as 210,150")
    return values[0], values[1]


def pairs(text: str) -> list[tuple[float, float]]:
    """One X,Y or several, with spaces or semicolons between."""
    return [pair(part) for part in text.replace(";", " ").split()]


def box(text: str) -> tuple[int, ...]:
    try:
        box = tuple(int(part) for part in text.split(","))
    except ValueError:
        box = ()
    if len(box) != 4:
        raise argparse.ArgumentTypeError(f"{text!r} is not a rectangle such as 800,400,1100,700")
    return box


def named_coder(text: str) -> tuple[str, str]:
    """A kind of segment and the coder that it is to have."""
    kind, sign, name = text.partition("=")
    if not sign or not kind or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not a kind and a coder such as mid=foo")
    return kind, name


# Files and words


def check_target(source: Path | None, target: Path, force: bool) -> None:
    """Refuse targets that must not be written, before any work is spent on them."""
    if target.exists():
        if source is not None and source.exists() and target.samefile(source):
            raise CommandError(f"{target}: is the input itself; name another file with -o")
        if not target.is_file():
            raise CommandError(f"{target}: exists and is not a regular file")
        if not force:
            raise CommandError(
                f"{target}: exists already; -o names another file, --force replaces it"
            )


def explain(error: Exception, path: Any = None) -> tuple[str, int]:
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


def say(message: str) -> None:
    """One line on stderr."""
    print(f"aig: {' '.join(message.split())}", file=sys.stderr)


@contextmanager
def printable() -> Iterator[None]:
    """For as long as this lasts, what the console cannot show is escaped, and stops nothing."""
    before = []
    for stream in (sys.stdout, sys.stderr):
        errors, change = getattr(stream, "errors", None), getattr(stream, "reconfigure", None)
        if change is not None and errors == "strict":
            change(errors="backslashreplace")
            before.append((change, errors))
    try:
        yield
    finally:
        for change, errors in before:
            change(errors=errors)
