"""Who codes what, by name: the coders of this package, and those of others.

Another package registers a coder under the entry-point group `aig.coders`: its name, and an object
or a class that is a `Coder`. It is loaded when a file or a keyword first names it.
"""

import threading
from collections.abc import Iterable, Sequence
from typing import Any

from ..container import DeclaredCoder, Segment
from ..container.kinds import OF_NAME, Role
from ..errors import CorruptError, UnsupportedError
from .base import Coder

GROUP = "aig.coders"

#: Those that are known so far, by name.
known: dict[str, Coder] = {}
_built_in: set[str] = set()
_lock = threading.Lock()


def register(*coders: Coder) -> None:
    """Make coders of this package known."""
    for coder in coders:
        known[coder.name] = coder
        _built_in.add(coder.name)


def is_built_in(name: str) -> bool:
    """Whether a coder is of this package: files need not declare it."""
    return name in _built_in


def find(name: str) -> Coder | None:
    """The coder of this name, or None. Raises what loading it raises."""
    found = known.get(name)
    return found if found is not None else _loaded(name)


def names_for(kind: str) -> list[str]:
    """The names of this package's coders that may code a kind, and of all others there are."""
    own = [n for n in sorted(_built_in) if kind in known[n].carries]
    return own + [n for n in entry_points() if n not in _built_in]


def entry_points() -> list[str]:
    """The names of the coders of other packages, without loading any."""
    from importlib import metadata

    return sorted({point.name for point in metadata.entry_points(group=GROUP)})


def _loaded(name: str) -> Coder | None:
    from importlib import metadata

    with _lock:
        if name in known:
            return known[name]
        for point in metadata.entry_points(group=GROUP, name=name):
            found = point.load()
            coder = found() if isinstance(found, type) else found
            check(coder, name)
            known[name] = coder
            return known[name]
    return None


def check(coder: object, name: str | None = None) -> None:
    """Raise TypeError unless it is a coder that can be registered (under a name)."""
    if not isinstance(coder, Coder):
        raise TypeError(f"the coder {name!r} is a {type(coder).__name__}, not a Coder")
    if name is not None and coder.name != name:
        raise TypeError(f"the coder {name!r} calls itself {coder.name!r}")
    if unknown := coder.carries - OF_NAME.keys():
        raise TypeError(f"the coder {coder.name!r} carries {sorted(unknown)}, which are no kinds")
    cores = any(OF_NAME[kind].role is Role.EXACT for kind in coder.carries)
    if cores and not coder.exact:
        raise TypeError(f"the coder {coder.name!r} carries cores, but is not exact")


def require(segment: Segment, declared: Iterable[DeclaredCoder] = ()) -> Coder:
    """The coder of a segment. declared: what the file says of coders that are not of the format.

    Raises `UnsupportedError` unless this version knows the segment's kind and coder, and
    `CorruptError` if they do not go together.
    """
    coder = known.get(segment.coder)
    if coder and segment.version == coder.version and segment.kind in coder.carries:
        return coder
    kind = OF_NAME.get(segment.kind)
    if kind is None:
        raise UnsupportedError(f"segment kind {segment.kind!r} is not known to this version")
    if kind.role is Role.ANCILLARY:
        segment.require_stored()
    coder = find(segment.coder)
    if coder is None or segment.version not in (coder.version, *coder.older):
        said = next((c.get for c in declared if c.name == segment.coder), "")
        raise UnsupportedError(
            f"coder {segment.coder} version {segment.version} is needed for the {segment.name}"
            + (f": {said}" if said else "")
        )
    if segment.kind not in coder.carries:
        raise CorruptError(f"coder {segment.coder} cannot code the {segment.name}")
    return coder


def is_missing(segment: Segment) -> bool:
    """Whether nobody here can decode a segment of a known kind."""
    if segment.kind not in OF_NAME:
        return False
    coder = find(segment.coder)
    return coder is None or segment.version not in (coder.version, *coder.older)


def paints(facts: Any, segments: Sequence[Segment], scale: int) -> bool:
    """Whether the coders of a picture's segments paint it at a scale themselves; else it is the
    mean over the whole one (format.md, 8.1).

    facts: of the picture, with its `shape`.
    """
    if scale == 1:
        return True
    own = [(OF_NAME[s.kind], s) for s in segments if s.kind in OF_NAME]
    if facts.shape == "all" or (facts.mid == "palette" and all(k.name != "mid" for k, _ in own)):
        return False
    found = [find(s.coder) for kind, s in own if kind.is_scaled]
    return all(scale in coder.scales for coder in found if coder is not None)
