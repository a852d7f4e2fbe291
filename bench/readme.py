"""The tables of how AIG compares, in the README and in docs/benchmarks.md, from the rows of a
results folder alone.

`python -m bench readme` writes them; a test compares them with both documents.
"""

import statistics
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

from . import background, background_goals, focus_task, lossless, pairs, report, rows, speed
from .background import AVIF, AVIF_444, AVIF_IQ, AVIF_PSNR, JPEG, JXL, WEBP
from .peers import aig_name

README = Path(__file__).resolve().parents[1] / "README.md"
PAGE = README.parent / "docs" / "benchmarks.md"

HEAD = "| | AIG 0.1, effort 5 | |"

#: What folders of photographs are called.
_FOLDERS = {"kodak": "Kodak", "clic": "CLIC", "gb82": "GB82"}


def update(out: Path, readme: Path = README, page: Path = PAGE) -> None:
    """Put the tables into the places of those that are there."""
    _replace(readme, table(out))
    _replace(page, background_table(out))


def _replace(document: Path, new: str) -> None:
    text = document.read_text(encoding="utf-8")
    before, head, rest = text.partition(HEAD)
    if not head:
        raise ValueError(f"{document} has no table that begins with {HEAD!r}")
    _, gap, after = rest.partition("\n\n")
    document.write_text(before + new + gap + after, encoding="utf-8")


def table(out: Path) -> str:
    """The README's: files with a focus, and speeds."""
    return _markdown([*_focus(out), *_speeds(out)])


def background_table(out: Path) -> str:
    """The table of docs/benchmarks.md: the lossy tiers alone."""
    return _markdown(_background(out))


def _markdown(body: Iterable[tuple[str, str, str]]) -> str:
    return "\n".join([HEAD, "|---|---|---|", *(f"| {' | '.join(cells)} |" for cells in body)])


def change(value: float) -> str:
    """Percent of bytes, in words."""
    amount = round(abs(value))
    return f"{amount} % {'more' if value > 0 else 'fewer'}" if amount else "as many"


def _times(values: Iterable[float]) -> str:
    value = statistics.median(values)
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"


def _focus(out: Path) -> list[tuple[str, str, str]]:
    results = focus_task.complete(rows.read(out / report.FOCUS_CSV, rows.FocusRow))
    found = []
    what = "bytes at equal PSNR outside the focus, photographs"
    for pair, name in (
        (pairs.TUNED, "than the tuned pair"),
        (pairs.SMART, "than the pair as it comes"),
        (pairs.NAIVE, "than that, nothing flattened or filled"),
    ):
        rates = focus_task.bd_rates(results, pair.name)
        means = []
        for folder, title in _FOLDERS.items():
            values = _of(rates, partial(_is_photograph, folder=folder))
            means.append(f"{change(statistics.mean(values))} ({title})")
        found.append((what, ", ".join(means), name))
        what = ""
    tuned = focus_task.bd_rates(results, pairs.TUNED.name)
    worst = change(max(_of(tuned, _is_photograph)))
    found.append(("the same, the worst photograph", worst, "than the tuned pair"))
    what = "the same, screens and a page of text"
    drawn = list(dict.fromkeys(r.image for r in results if not _is_photograph(r.image)))
    for pair, name in (
        (pairs.TUNED, "than the tuned pair"),
        (pairs.SMART, "than the pair as it comes"),
    ):
        values = _of(focus_task.bd_rates(results, pair.name), drawn.__contains__)
        most, least = change(max(values)), change(min(values))
        spread = f"{change(statistics.mean(values))} (from {most} to {least})"
        if len(values) < len(drawn):
            spread += f", {len(drawn) - len(values)} of {len(drawn)} without a common quality"
        found.append((what, spread, name))
        what = ""
    ours = [r for r in results if r.codec == "AIG"]
    exact = sum(r.exact for r in ours)
    how_many = f"all {exact}" if exact == len(ours) else f"{exact} of {len(ours)}"
    found.append(
        ("the focus", f"bit-exact in {how_many} files, in one byte range at the front", "")
    )
    return found


def _speeds(out: Path) -> list[tuple[str, str, str]]:
    results = rows.read(out / report.SPEED_CSV, rows.SpeedRow)

    def ratio(codec: str, reference: str, direction: str) -> str:
        return _times(speed.ratios(results, codec, reference, direction).values())

    encode, auto = (ratio(codec, AVIF, "encode") for codec in ("AIG", speed.AIG_AUTO))
    return [
        (
            "encoding 2-3 megapixels",
            f"{encode} times as fast ({auto} with foci and radii searched)",
            "as AVIF",
        ),
        (
            "decoding, exact focus included",
            f"{ratio('AIG', AVIF, 'decode')} times as fast",
            "as AVIF alone",
        ),
        ("", f"{ratio('AIG', speed.SMART, 'decode')} times as fast", "as AVIF and JPEG XL boxes"),
    ]


def _background(out: Path) -> list[tuple[str, str, str]]:
    rates = background_goals.Rates(_complete(rows.read(out / background.POINTS_CSV, rows.PointRow)))
    fast, strong = background.EFFORTS
    found = []
    for tune, measure, what, references in (
        (
            "psnr",
            "psnr",
            "bytes of the background alone, at equal PSNR",
            {
                AVIF_PSNR: "than AVIF speed 6, tune=psnr, 4:2:0",
                AVIF_444: "than the same, 4:4:4",
                WEBP: "than WebP",
                JPEG: "than JPEG",
            },
        ),
        (
            "visual",
            "ssimulacra2",
            '`tune="visual"`, at equal SSIMULACRA2',
            {AVIF_IQ: "than AVIF speed 6, tune=iq, 4:2:0", JXL: "than JPEG XL effort 7"},
        ),
    ):
        for reference, name in references.items():
            of = [rates.of(aig_name(tune, e), reference, measure) for e in (fast, strong)]
            cells = []
            for folder, title in _FOLDERS.items():
                means = [_of(r, partial(_is_photograph, folder=folder)) for r in of]
                if all(means):
                    first, second = (change(statistics.mean(values)) for values in means)
                    cells.append(f"{first} ({title}; effort {strong}: {second})")
            found.append((what, ", ".join(cells), name))
            what = ""
    return found


def _complete(points: Sequence[rows.PointRow]) -> list[rows.PointRow]:
    """The rows of images that were compared at low rates too, where they are large: at the others
    alone, their qualities are higher than anybody's background."""
    lowest: dict[tuple[str, str], float] = {}
    for r in points:
        if r.rung:
            lowest[r.image, r.codec] = min(r.rung, lowest.get((r.image, r.codec), r.rung))
    partly = {
        r.image
        for r in points
        if r.megapixels >= speed.MIN_MEGAPIXELS
        and lowest.get((r.image, r.codec), 1.0) > background.LOW_RATES[-1]
    }
    return [r for r in points if r.image not in partly]


def _is_photograph(image: str, folder: str = "") -> bool:
    if lossless.PAGE in image:
        return False
    name = image.partition("/")[0]
    return name == folder if folder else name in _FOLDERS


def _of(rates: dict[str, float], wanted: Callable[[str], bool]) -> Sequence[float]:
    return [rate for image, rate in rates.items() if wanted(image)]
