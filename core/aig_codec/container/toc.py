"""The table of contents: where each segment lies and who coded it (format.md, 4)."""

from typing import Any, NamedTuple

from ..errors import CorruptError, UnsupportedError
from .kinds import ANCILLARY, KINDS

#: Coders and their versions by the numbers that packed tables have for them (format.md, 4): new
#: ones go to the end, at most 16. Others, and kinds beyond the first 15, are spelt out.
PACKED_CODERS = (
    ("labels", 1),
    ("lossless", 2),
    ("palette", 1),
    ("dct", 3),
    ("boundary", 1),
    ("raw", 1),
    ("lossless", 3),
    ("lossless", 4),
)

#: The coder of ancillary segments: their bytes as they are.
RAW = ("raw", 1)

_MAX_LENGTH = 2**40


class Segment(NamedTuple):
    """One row of the table of contents.

    offset counts from the first byte after the metadata; center is the index of the focus for
    kind "core" and None elsewhere; crc32 is that of the segment's bytes.
    """

    kind: str
    center: int | None
    offset: int
    length: int
    coder: str
    version: int
    crc32: int

    @property
    def end(self) -> int:
        """Offset just behind the segment."""
        return self.offset + self.length

    @property
    def name(self) -> str:
        """What messages call it: "core 0", "background"."""
        return self.kind if self.center is None else f"{self.kind} {self.center}"

    def require_stored(self) -> None:
        """Raise `UnsupportedError` or `CorruptError` unless this is an ancillary segment, whose
        bytes are what it says."""
        if self.kind not in KINDS:
            raise UnsupportedError(f"segment kind {self.kind!r} is not known to this version")
        mistaken = self.coder != RAW[0] and self.coder in dict(PACKED_CODERS)
        if mistaken or self.kind not in ANCILLARY:
            raise CorruptError(f"coder {self.coder} cannot code the {self.name}")
        if (self.coder, self.version) != RAW:
            raise UnsupportedError(
                f"coder {self.coder} version {self.version} is needed for the {self.name}"
            )


def _is_uint(value: Any, limit: int) -> bool:
    return type(value) is int and 0 <= value < limit


def parse_toc(
    rows: Any, n_cores: int, required: set[str], forbidden: set[str]
) -> tuple[Segment, ...]:
    """Check a table of contents from JSON and return its segments in file order.

    Segments must lie without gaps, known kinds in the order of `KINDS`, none twice; there must be
    every core from 0 to n_cores - 1 in this order, every required kind and no forbidden one. Kinds
    that this version does not know are kept: only asking for them is an error. Raises
    `CorruptError`.
    """
    if not isinstance(rows, list) or len(rows) > 64:
        raise CorruptError("table of contents is not a list of at most 64 segments")
    segments: list[Segment] = []
    end, rank, cores = 0, -1, 0
    seen: set[tuple[str, int | None]] = set()
    for row in rows:
        if not isinstance(row, list) or len(row) != len(Segment._fields):
            raise CorruptError(f"table of contents row {row!r} does not have 7 entries")
        s = Segment(*row)
        if not (
            isinstance(s.kind, str)
            and isinstance(s.coder, str)
            and _is_uint(s.length, _MAX_LENGTH)
            and _is_uint(s.version, 2**16)
            and _is_uint(s.crc32, 2**32)
            and type(s.offset) is int
        ):
            raise CorruptError(f"table of contents row {row!r} has an entry of the wrong type")
        if s.kind == "core":
            if type(s.center) is not int or s.center != cores:
                raise CorruptError(f"core of center {s.center!r} where core {cores} belongs")
            cores += 1
        elif s.center is not None:
            raise CorruptError(f"segment {s.kind} names a center")
        if s.offset != end:
            raise CorruptError(f"segment {s.name} starts at {s.offset}, not at {end}")
        if (s.kind, s.center) in seen:
            raise CorruptError(f"segment {s.name} appears twice")
        if s.kind in KINDS:
            if KINDS.index(s.kind) < rank:
                raise CorruptError(f"segment {s.name} is out of order")
            rank = KINDS.index(s.kind)
        seen.add((s.kind, s.center))
        end = s.end
        segments.append(s)
    kinds = {kind for kind, _ in seen}
    if cores != n_cores:
        raise CorruptError(f"table of contents does not hold {n_cores} cores")
    for kind in sorted(required - kinds):
        raise CorruptError(f"table of contents lacks the {kind}")
    for kind in sorted(forbidden & kinds):
        raise CorruptError(f"table of contents has a {kind}, which such an image has not")
    return tuple(segments)
