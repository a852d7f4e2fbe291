"""Opt-in: programs that never heard of AIG open it.

`aig autoload --enable` puts one small .pth file beside the installed packages. From then on every
Python of that environment that imports Pillow, or imageio, registers AIG right behind; others pay
for importing this module, a millisecond or so. AIG_AUTOLOAD=0 in the environment switches it off.

Nothing here may break the start of somebody else's program, so the .pth line swallows whatever goes
wrong, and so does what it starts.
"""

import contextlib
import os
import sys
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

#: The module whose import is waited for, and what is imported then.
_AFTER = {"PIL.Image": "pillow_aig", "imageio.config": "imageio_aig"}

FILE = "aig_autoload.pth"
SWITCH = "AIG_AUTOLOAD"

#: Lines of .pth files that begin with "import" are executed (the site module of Python).
_LINE = (
    "import sys; exec('try:\\n    from aig_codec.autoload import install\\n    install()\\n"
    "except Exception:\\n    pass')\n"
)


def install() -> None:
    """Register AIG with Pillow and imageio as soon as they are imported, or now if they are.

    Calling it again changes nothing; with AIG_AUTOLOAD=0 it does nothing.
    """
    if is_switched_off() or any(isinstance(finder, _Finder) for finder in sys.meta_path):
        return
    sys.meta_path.insert(0, _Finder())
    for name in _AFTER:
        if name in sys.modules:
            _register(name)


def is_switched_off() -> bool:
    """Whether the environment says no."""
    return os.environ.get(SWITCH, "").strip().lower() in ("0", "no", "off", "false")


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


def _register(name: str) -> None:
    # Whoever imports Pillow wants Pillow, and gets it.
    with contextlib.suppress(Exception):
        import_module(_AFTER[name])


class _Finder(MetaPathFinder):
    """Finds nothing itself: lets the others find, and has their loader tell when it is done."""

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        if fullname not in _AFTER:
            return None
        for finder in sys.meta_path:
            if finder is self or not hasattr(finder, "find_spec"):
                continue
            spec = finder.find_spec(fullname, path, target)
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = _Telling(spec.loader)
                return spec
        return None


class _Telling(Loader):
    """A loader, and then AIG."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> Any:
        return self._loader.create_module(spec)

    def exec_module(self, module: Any) -> None:
        # Nobody else need know that somebody looked on.
        module.__loader__ = module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        _register(module.__name__)
