"""What `aig autoload --enable` starts with every Python: AIG joins Pillow, imageio and mimetypes
when they are imported.

It is on the way of every program of the environment, so it imports nothing that is not there
anyway, and nothing in it may stop anybody.
"""

import os
import sys

#: The module whose import is waited for, and what is imported then; `mimetypes` itself is told.
_AFTER = {"PIL.Image": "pillow_aig", "imageio.config": "imageio_aig", "mimetypes": ""}

MIME_TYPE = "image/x-aig"
EXTENSION = ".aig"

#: The variable of the environment that says no.
SWITCH = "AIG_AUTOLOAD"


def install() -> None:
    """Register AIG with Pillow, imageio and mimetypes as soon as they are imported, or now if they
    are.

    Calling it again changes nothing; with AIG_AUTOLOAD=0 it does nothing.
    """
    if not is_switched_off():
        _wait_for(_AFTER)


def know_mime_type() -> None:
    """Let `mimetypes` know the type of .aig files, when it is imported, or now if it is."""
    _wait_for(("mimetypes",))


def _wait_for(names) -> None:  # type: ignore[no-untyped-def]
    finder = next((finder for finder in sys.meta_path if isinstance(finder, _Finder)), None)
    for name in names:
        if name in sys.modules:
            _register(name)
            continue
        if finder is None:
            finder = _Finder()
            sys.meta_path.insert(0, finder)
        finder.names.add(name)


def is_switched_off() -> bool:
    """Whether the environment says no."""
    return os.environ.get(SWITCH, "").strip().lower() in ("0", "no", "off", "false")


def _register(name: str) -> None:
    # Whoever imports Pillow wants Pillow, and gets it.
    try:
        if name == "mimetypes":
            _add_type(sys.modules[name])
        else:
            __import__(_AFTER[name])
    except Exception:
        pass


def _add_type(mimetypes) -> None:  # type: ignore[no-untyped-def]
    # What it begins with, if it has not begun yet: no files of types need be read for that.
    mimetypes.types_map.setdefault(EXTENSION, MIME_TYPE)
    if mimetypes.inited:
        mimetypes.add_type(MIME_TYPE, EXTENSION)


class _Finder:
    """Finds nothing itself: lets the others find, and has their loader tell when it is done."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def find_spec(self, fullname, path, target=None):  # type: ignore[no-untyped-def]
        if fullname not in self.names:
            return None
        for finder in sys.meta_path:
            if finder is self or not hasattr(finder, "find_spec"):
                continue
            spec = finder.find_spec(fullname, path, target)
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = _Telling(spec.loader)  # type: ignore[assignment]
                return spec
        return None


class _Telling:
    """A loader, and then AIG."""

    def __init__(self, loader) -> None:  # type: ignore[no-untyped-def]
        self._loader = loader

    def __getattr__(self, name):  # type: ignore[no-untyped-def]
        return getattr(self._loader, name)

    def create_module(self, spec):  # type: ignore[no-untyped-def]
        return self._loader.create_module(spec)

    def exec_module(self, module) -> None:  # type: ignore[no-untyped-def]
        # Nobody else need know that somebody looked on.
        module.__loader__ = module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        _register(module.__name__)
