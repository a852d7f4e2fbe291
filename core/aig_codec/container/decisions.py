"""What an encoder chose, and why: candidates with what each would have cost (format.md, 4)."""

import json
import math
import zlib
from collections.abc import Sequence
from typing import Any, NamedTuple

from ..errors import CorruptError

#: More than this no encoder has to say; a stranger's file is not unpacked further.
_MOST_BYTES = 1 << 20


class Candidate(NamedTuple):
    """Something that could have been chosen.

    name: in words. j: what it costs, D + lambda R, the least of which wins; bits and error: R and
    D, as far as they are known.
    """

    name: str
    j: float | None = None
    bits: float | None = None
    error: float | None = None


class Decision(NamedTuple):
    """A choice: what it was about, the name of the candidate that was chosen, why in a sentence."""

    what: str
    chosen: str
    why: str
    candidates: tuple[Candidate, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """In plain types, without what is not known."""
        rows = [
            {key: value for key, value in c._asdict().items() if value is not None}
            for c in self.candidates
        ]
        return {"what": self.what, "chosen": self.chosen, "why": self.why, "candidates": rows}

    def lines(self) -> list[str]:
        """In words: a line, and one for each candidate."""
        found = [f"{self.what}: {self.chosen}. {self.why}"]
        for c in self.candidates:
            facts = [
                f"{name} {value:,.4g}"
                for name, value in (("J", c.j), ("bits", c.bits), ("error", c.error))
                if value is not None
            ]
            mark = "*" if c.name == self.chosen else " "
            found.append(f"  {mark} {c.name}" + (f": {', '.join(facts)}" if facts else ""))
        return found


def pack(decisions: Sequence[Decision]) -> bytes:
    """The segment "decisions"."""
    rows = [
        [d.what, d.chosen, d.why, [[c.name, *map(_rounded, c[1:])] for c in d.candidates]]
        for d in decisions
    ]
    text = json.dumps(rows, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return zlib.compress(text.encode(), 9)


def _rounded(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(f"{value:.5g}")


def unpack(data: bytes) -> tuple[Decision, ...]:
    """What the segment "decisions" says. Raises CorruptError."""
    try:
        unpacker = zlib.decompressobj()
        text = unpacker.decompress(data, _MOST_BYTES)
        if not unpacker.eof:
            raise CorruptError("decisions are cut off, or too long")
        return tuple(_decision(*row) for row in json.loads(text))
    except (zlib.error, ValueError, TypeError, RecursionError) as error:
        raise CorruptError(f"decisions make no sense: {error}") from error


def _decision(what: Any, chosen: Any, why: Any, candidates: Any) -> Decision:
    rows = tuple(_candidate(*row) for row in candidates)
    if not all(isinstance(text, str) for text in (what, chosen, why)):
        raise ValueError("a decision is told in words")
    return Decision(what, chosen, why, rows)


def _candidate(name: Any, *numbers: Any) -> Candidate:
    if not isinstance(name, str) or len(numbers) > 3:
        raise ValueError("a candidate has a name and up to three numbers")
    if not all(n is None or type(n) in (int, float) for n in numbers):
        raise ValueError("costs are numbers")
    return Candidate(name, *(None if n is None else float(n) for n in numbers))
