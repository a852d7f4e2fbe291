"""What the report's sections are set with: tables, lists, figures."""

import statistics
from collections.abc import Iterable, Sequence
from typing import Any


def times(values: Iterable[float]) -> str:
    """Median of some ratios."""
    values = list(values)
    return f"{statistics.median(values):.2f}x" if values else ""


def percent(value: float | None) -> str:
    """A change, with its sign."""
    return "" if value is None else f"{value:+.1f} %"


def mean(values: Iterable[float]) -> float | None:
    """The mean, if there is anything."""
    values = list(values)
    return statistics.mean(values) if values else None


def bullets(lines: Iterable[str]) -> str:
    """A list."""
    return "\n".join(f"- {line}" for line in lines)


def table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """A Markdown table; columns after the first that hold figures are set right."""
    figures = [
        k > 0 and any(_is_figure(row[k]) for row in body if row[k]) for k in range(len(head))
    ]
    rule = ["--:" if figure else "---" for figure in figures]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, rule, *body))


def _is_figure(cell: str) -> bool:
    bare = cell.strip("*")
    return bare[-1:] in ("x", "%") or bare.lstrip("+-")[:1].isdigit()


def by_folder(images: Iterable[str]) -> dict[str, list[str]]:
    """The images of each folder."""
    folders: dict[str, list[str]] = {}
    for image in images:
        folders.setdefault(image.rpartition("/")[0], []).append(image)
    return folders


def provenance(run: dict[str, Any]) -> str:
    """The small print: command, date, machine, versions."""
    versions = ", ".join(f"{name} {number}" for name, number in run["versions"].items())
    what = f"`{run['command']}`, {run['date']}, {run['cpu']}, {run['system']}; {versions}"
    if "kept" in run:
        kept = run["kept"]
        what += f". What that kept: `{kept['command']}`, {kept['date']}, {kept['cpu']}"
    return f"<sub>{what}</sub>"
