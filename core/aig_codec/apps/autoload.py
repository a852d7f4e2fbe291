"""Opt-in: programs that never heard of AIG open it.

`aig autoload --enable` puts one small .pth file beside the installed packages. From then on every
Python of that environment that imports Pillow, imageio or mimetypes registers AIG right behind;
others pay for the package `aig_autoload`, which imports nothing. AIG_AUTOLOAD=0 in the environment
switches it off.

Nothing here may break the start of somebody else's program, so the .pth line swallows whatever goes
wrong, and so does what it starts.
"""

from pathlib import Path

from aig_autoload import SWITCH, install, is_switched_off

__all__ = ["FILE", "SWITCH", "disable", "enable", "install", "is_enabled", "is_switched_off"]

FILE = "aig_autoload.pth"

#: Lines of .pth files that begin with "import" are executed (the site module of Python).
_LINE = (
    "import sys; exec('try:\\n    from aig_autoload import install\\n    install()\\n"
    "except Exception:\\n    pass')\n"
)


def enable(folder: Path) -> Path:
    """Let every Python whose packages lie in `folder` register AIG; the file that does it."""
    file = folder / FILE
    file.write_text(_LINE)
    return file


def disable(folder: Path) -> bool:
    """Undo `enable`; whether there was anything to undo."""
    file = folder / FILE
    there = file.exists()
    file.unlink(missing_ok=True)
    return there


def is_enabled(folder: Path) -> bool:
    """Whether `enable` was called for the packages in `folder`."""
    return (folder / FILE).exists()
