"""What the rows of the lossless part come to, and the goals they are held against."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import lossless, rows, speed
from .goals import Goal, ratio
from .lossless import E3, E9, FAST, STRONG
from .markdown import by_folder, mean, percent
from .rows import EllipseRow, LosslessRow, OverheadRow, SpeedRow, ThreadsRow

#: The files of the part and what is in them.
FILES: dict[str, Any] = {
    lossless.WHOLE_CSV: LosslessRow,
    lossless.ELLIPSES_CSV: EllipseRow,
    lossless.OVERHEAD_CSV: OverheadRow,
    lossless.SCREEN_CSV: LosslessRow,
    lossless.THREADS_CSV: ThreadsRow,
}


@dataclass(frozen=True)
class Results:
    """All rows of the part."""

    whole: list[LosslessRow]
    ellipses: list[EllipseRow]
    overhead: list[OverheadRow]
    screen: list[LosslessRow]
    threads: list[ThreadsRow]

    def any(self) -> bool:
        """Whether there are some."""
        return any(vars(self).values())

    def complaints(self) -> list[str]:
        """One for every result that did not come back as it was."""
        checked: list[LosslessRow | EllipseRow | OverheadRow] = [*self.whole, *self.ellipses]
        checked += [*self.overhead, *self.screen]
        return [f"{r.image}: {r.codec} is not lossless" for r in checked if not r.exact]


def read(out: Path) -> Results:
    """The rows of a results folder."""
    return Results(
        rows.read(out / lossless.WHOLE_CSV, LosslessRow),
        rows.read(out / lossless.ELLIPSES_CSV, EllipseRow),
        rows.read(out / lossless.OVERHEAD_CSV, OverheadRow),
        rows.read(out / lossless.SCREEN_CSV, LosslessRow),
        rows.read(out / lossless.THREADS_CSV, ThreadsRow),
    )


def bits_per_pixel(row: LosslessRow) -> float:
    """Of a whole image."""
    return 8 * row.bytes / row.megapixels / 1e6


def throughput(results: Sequence[LosslessRow] | Sequence[SpeedRow], direction: str) -> float:
    """Megapixels per second, median over the images."""
    return statistics.median(
        1000 * r.megapixels / float(getattr(r, f"{direction}_ms")) for r in results
    )


def size_change(results: Sequence[LosslessRow], codec: str, reference: str) -> float | None:
    """Percent of mean bits per pixel that a codec is above the reference, on shared images."""
    bpp = {(r.image, r.codec): bits_per_pixel(r) for r in results}
    shared = [i for i, c in bpp if c == codec and (i, reference) in bpp]
    if not shared:
        return None
    return _change(sum(bpp[i, codec] for i in shared), sum(bpp[i, reference] for i in shared))


def speed_ratio(
    results: Sequence[LosslessRow], codec: str, reference: str, direction: str
) -> float | None:
    """How many times as fast as the reference, median over the images."""
    ratios = speed.ratios(results, codec, reference, direction).values()
    return statistics.median(ratios) if ratios else None


def ellipse_changes(results: Sequence[EllipseRow], codec: str) -> dict[str, float]:
    """Percent of bytes above JPEG XL's boxes: per image, and in total under the empty name."""
    size = {(r.image, r.codec): r.bytes for r in results}
    shared = [i for i, c in size if c == codec and (i, E9) in size]
    if not shared:
        return {}
    changes = {i: _change(size[i, codec], size[i, E9]) for i in shared}
    totals = (sum(size[i, c] for i in shared) for c in (codec, E9))
    return changes | {"": _change(*totals)}


def overheads(results: Sequence[OverheadRow], codec: str) -> dict[str, float]:
    """Bits per pixel of a small ellipse above those of its pixels in a large one, per image.

    There, what belongs to no pixel, as the predictors do, is shared out evenly.
    """
    return {
        r.image: (8 * r.small_bytes - r.own_bits) / r.small_pixels
        - (8 * r.large_bytes - r.large_bits) / r.large_pixels
        for r in results
        if r.codec == codec
    }


def best_of_screen(results: Sequence[LosslessRow], image: str) -> LosslessRow | None:
    """The smallest file of a screen that is not AIG's."""
    peers_rows = [r for r in results if r.image == image and r.codec not in lossless.EFFORTS]
    return min(peers_rows, key=lambda r: r.bytes) if peers_rows else None


def screen_changes(results: Sequence[LosslessRow], codec: str) -> dict[str, float]:
    """Percent of bytes above the best of the others, per image."""
    return {
        r.image: _change(r.bytes, best.bytes)
        for r in results
        if r.codec == codec and (best := best_of_screen(results, r.image))
    }


def thread_gain(results: Sequence[ThreadsRow], codec: str) -> float | None:
    """How many times as fast two threads decode as one."""
    times = {r.threads: r.decode_ms for r in results if r.codec == codec}
    return times[1] / times[2] if {1, 2} <= times.keys() else None


def _change(value: float, reference: float) -> float:
    return 100 * (value / reference - 1)


def goals(results: Results) -> list[Goal]:
    """The summary, of whatever was measured."""
    found = []
    if results.whole:
        found += [*_sizes(results.whole), *_speeds(results.whole)]
    if results.ellipses:
        totals = tuple(ellipse_changes(results.ellipses, c).get("") for c in (FAST, STRONG))
        found.append(
            Goal("ellipses, bytes against flattened boxes of JXL e9", totals, (None, -12), percent)
        )
    if results.overhead:
        what = "8 000-pixel ellipse, bits per pixel above its share of a large one"
        per_image = [overheads(results.overhead, c).values() for c in (FAST, STRONG)]
        found += [
            Goal(f"{what}, mean", tuple(map(mean, per_image)), (0.15, 0.05), _bits),
            Goal(f"{what}, worst", tuple(map(_worst, per_image)), (None, None), _bits),
        ]
    if results.screen:
        what = "screen content, bytes against the best of WebP and JXL e9"
        per_image = [screen_changes(results.screen, c).values() for c in (FAST, STRONG)]
        found += [
            Goal(f"{what}, mean", tuple(map(mean, per_image)), (15.0, 5.0), percent),
            Goal(f"{what}, worst", tuple(map(_worst, per_image)), (None, None), percent),
        ]
    if results.threads:
        gains = tuple(thread_gain(results.threads, c) for c in (FAST, STRONG))
        found.append(Goal("decoding in two threads", gains, (1.7, 1.7), ratio, at_least=True))
    return found


def _sizes(results: Sequence[LosslessRow]) -> list[Goal]:
    folders = by_folder(dict.fromkeys(r.image for r in results))
    groups = {name: members for name, members in folders.items() if len(folders) > 1}
    groups["all images"] = [image for members in folders.values() for image in members]
    found = []
    for reference, limits, aim in ((E3, (0.0, None), "; aim -3 %"), (E9, (None, -10.0), "")):
        for name, members in groups.items():
            chosen = [r for r in results if r.image in members]
            changes = tuple(size_change(chosen, c, reference) for c in (FAST, STRONG))
            what = f"bits per pixel against {_short(reference)}, {name or '.'}"
            found.append(Goal(what, changes, limits, percent, aim=aim))
    return found


def _speeds(results: Sequence[LosslessRow]) -> list[Goal]:
    found = []
    for direction, fast in (("decode", 6.0), ("encode", 8.0)):
        for reference, limits in ((E3, (fast, None)), (E9, (None, None))):
            values = tuple(speed_ratio(results, c, reference, direction) for c in (FAST, STRONG))
            what = f"{direction} speed, times that of {_short(reference)}"
            found.append(Goal(what, values, limits, ratio, at_least=True))
        speeds = tuple(_throughput_of(results, c, direction) for c in (FAST, STRONG))
        found.append(Goal(f"{direction} speed, MP/s", speeds, (None, 0.5), _bits, at_least=True))
    return found


def _throughput_of(results: Sequence[LosslessRow], codec: str, direction: str) -> float | None:
    mine = [r for r in results if r.codec == codec]
    return throughput(mine, direction) if mine else None


def _short(codec: str) -> str:
    return codec.replace(" lossless", "")


def _worst(values: Iterable[float]) -> float | None:
    return max(values, default=None)


def _bits(value: float) -> str:
    return f"{value:.3f}"
