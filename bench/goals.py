"""What is reached beside what is to be reached, as the reports' summaries have it."""

from collections.abc import Callable
from typing import NamedTuple


class Goal(NamedTuple):
    """A row of a summary: what AIG's efforts reach, and what they are to reach, if anything.

    A limit is the most that a value may be, or the least, or within what it must be.
    """

    what: str
    values: tuple[float | None, ...]
    limits: tuple[float | None, ...]
    show: Callable[[float], str]
    at_least: bool = False
    aim: str = ""
    efforts: tuple[str, ...] = ("fast", "strong")
    within: float | None = None

    def cells(self) -> list[str]:
        """What it is, a figure of each effort, those that miss their goal in bold, and the goal."""
        figures = [
            self._figure(value, limit)
            for value, limit in zip(self.values, self.limits, strict=True)
        ]
        return [self.what, *figures, self._goal()]

    def _figure(self, value: float | None, limit: float | None) -> str:
        if value is None:
            return ""
        missed = limit is not None and self._misses(value, limit)
        return f"**{self.show(value)}**" if missed else self.show(value)

    def _misses(self, value: float, limit: float) -> bool:
        if self.within is not None:
            return abs(value - limit) > self.within
        return value < limit if self.at_least else value > limit

    def _goal(self) -> str:
        several = len(self.efforts) > 1
        parts = [
            f"{self.show(limit)} ({name}{self.aim})" if several else self.show(limit)
            for name, limit in zip(self.efforts, self.limits, strict=True)
            if limit is not None
        ]
        bound = "at least" if self.at_least else "at most"
        if self.within is not None:
            bound = f"within {self.within:g} of"
        return f"{bound} {', '.join(parts)}" if parts else ""


def ratio(value: float) -> str:
    """How many times as fast."""
    return f"{value:.1f}x" if value >= 3 else f"{value:.2f}x"
