"""The command line `aig`, one module for each command.

Everything heavy is imported inside the functions that need it, so that `aig --help` is quick.
Results go to stdout, remarks and errors to stderr, one sentence each. Exit codes: 0 done,
1 something failed, 2 the command itself was wrong.
"""

import argparse
import os
import sys
from collections.abc import Callable

from .. import __version__
from . import (
    autoload,
    compare,
    convert,
    decode,
    demo,
    desktop,
    encode,
    info,
    report,
    thumbnail,
    verify,
)
from .common import CHOICES, Commands, Parser, explain, printable, say

__all__ = ["CHOICES", "main"]

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
  aig compare photo.png photo.aig                   how far apart, in the focus and around it
  aig report photo.png photo.aig                    the same on a page, with pictures
  aig verify *.aig                                  whether they are whole and undamaged
  aig convert photos/ photos-aig/                   a whole tree, by every processor
  aig demo                                          try it all on a photograph

Inputs may also be addresses (https://.., or what fsspec knows) and -, the standard input; -o - is
the standard output.
"""


def main(argv: list[str] | None = None) -> int:
    """Run `aig` with these arguments, or those of the process. Returns the exit code."""
    with printable():
        return _main(argv)


def _main(argv: list[str] | None) -> int:
    parser = _parser()
    if "_ARGCOMPLETE" in os.environ:  # a shell asks what could come next
        import argcomplete

        argcomplete.autocomplete(parser)
    try:
        args = parser.parse_args(argv)
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
        say("interrupted")
        return 130
    except Exception as error:
        message, code = explain(error, getattr(args, "input", None))
        say(f"error: {message}")
        return code


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="aig",
        description="AIG images: what matters stays exact, the rest gets cheap, and the focus "
        "comes first in the file.",
        epilog=EXAMPLES + "\n`aig COMMAND --help` explains a command and its options.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"aig {__version__}")
    commands = Commands(parser)
    for module in (
        *(encode, decode, info, verify, compare, report, convert),
        *(thumbnail, demo, autoload, desktop),
    ):
        module.add(commands)
    return parser
