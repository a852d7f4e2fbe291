"""The report's section on exact pixels."""

import statistics
from collections.abc import Sequence

from . import lossless, lossless_goals
from .lossless import E3, E9, FAST, STRONG, WEBP
from .lossless_goals import Results, bits_per_pixel, throughput
from .markdown import bullets, percent, table
from .rows import EllipseRow, LosslessRow, OverheadRow, ThreadsRow

#: Short heads for wide tables.
_HEADS = {FAST: "fast", STRONG: "strong", E3: "JXL e3", E9: "JXL e9", WEBP: "WebP"}


def headlines(results: Results) -> list[str]:
    """What came out, for the terminal."""
    return [
        f"lossless, {goal.what}: {' / '.join(cell.strip('*') or '-' for cell in goal.cells()[1:3])}"
        for goal in lossless_goals.goals(results)
        if any(limit is not None for limit in goal.limits)
    ]


def section(results: Results) -> str:
    """All of it; a table for every question that was asked."""
    efforts = " and ".join(f"{e} ({_HEADS[name]})" for name, e in lossless.EFFORTS.items())
    parts = [
        "## Lossless",
        f"Exact pixels, AIG at effort {efforts}. Sizes are means of bits per pixel over images of "
        "equal weight; speeds are ratios per image, then the median. Bold figures miss the goal.",
        table(["", "fast", "strong", "goal"], [g.cells() for g in lossless_goals.goals(results)]),
    ]
    if results.whole:
        parts += _whole(results.whole)
    if results.ellipses:
        parts += _ellipses(results.ellipses)
    if results.overhead:
        parts += _overhead(results.overhead)
    if results.screen:
        parts += _screen(results.screen)
    parts += _threads(results.threads)
    return "\n\n".join(parts)


def _whole(results: Sequence[LosslessRow]) -> list[str]:
    codecs = list(dict.fromkeys(r.codec for r in results))
    slow = next((r for r in results if r.codec == E9), results[0])
    totals = []
    for codec in codecs:
        mine = [r for r in results if r.codec == codec]
        totals.append(
            [
                codec,
                f"{statistics.mean(map(bits_per_pixel, mine)):.3f}",
                *(f"{throughput(mine, direction):.3g}" for direction in ("encode", "decode")),
                f"{sum(r.exact for r in mine)} of {len(mine)}",
            ]
        )
    at = {(r.image, r.codec): r for r in results}
    sizes, encode, decode = [], [], []
    for image in dict.fromkeys(r.image for r in results):
        mine = [at[image, codec] for codec in codecs]
        changes = (
            lossless_goals.size_change(mine, codec, reference)
            for codec, reference in ((FAST, E3), (STRONG, E9))
        )
        bpp = [f"{bits_per_pixel(r):.3f}" for r in mine]
        sizes.append([image, f"{mine[0].megapixels:.2f}", *bpp, *map(percent, changes)])
        encode.append([f"{r.encode_ms:.1f}" for r in mine])
        decode.append([f"{r.decode_ms:.1f}" for r in mine])
    heads = [_HEADS[codec] for codec in codecs]
    return [
        "### Whole images",
        f"In memory, one thread, on one CPU where the system allows it; median of "
        f"{slow.decode_runs} rounds in which all codecs take turns, but JPEG XL e9 encodes "
        f"{'once' if slow.encode_runs == 1 else f'{slow.encode_runs} times'}. "
        "WebP is at method 4, quality 75.",
        "![Size and speed](lossless.png)",
        table(["codec", "bpp", "enc MP/s", "dec MP/s", "exact"], totals),
        "Per image, bits per pixel:",
        table(["image", "MP", *heads, "fast to e3", "strong to e9"], sizes),
        "Per image, milliseconds:",
        table(
            ["image", *(f"enc {h}" for h in heads), *(f"dec {h}" for h in heads)],
            [
                [row[0], *slow_way, *quick_way]
                for row, slow_way, quick_way in zip(sizes, encode, decode, strict=True)
            ],
        ),
    ]


def _ellipses(results: Sequence[EllipseRow]) -> list[str]:
    at = {(r.image, r.codec): r for r in results}
    changes = {codec: lossless_goals.ellipse_changes(results, codec) for codec in (FAST, STRONG)}
    body = [
        [
            image,
            f"{at[image, E9].pixels:,}",
            *(f"{at[image, codec].bytes:,}" for codec in (E9, FAST)),
            percent(changes[FAST].get(image)),
            f"{at[image, STRONG].bytes:,}",
            percent(changes[STRONG].get(image)),
        ]
        for image in dict.fromkeys(r.image for r in results)
    ]
    return [
        "### Ellipses",
        "Bytes of the focus alone: AIG's core segments, and JPEG XL lossless e9 of each focus box, "
        "flattened outside the ellipse.",
        table(["image", "pixels", "JXL e9", "fast", "to e9", "strong", "to e9"], body),
    ]


def _overhead(results: Sequence[OverheadRow]) -> list[str]:
    at = {(r.image, r.codec): r for r in results}
    per_image = [lossless_goals.overheads(results, codec) for codec in (FAST, STRONG)]
    body = []
    for image in dict.fromkeys(r.image for r in results):
        row = at[image, FAST]
        body.append(
            [
                image,
                f"{row.large_pixels:,}",
                *(f"{8 * at[image, c].small_bytes / row.small_pixels:.3f}" for c in (FAST, STRONG)),
                *(f"{values[image]:+.3f}" for values in per_image),
            ]
        )
    return [
        "### A small ellipse",
        f"An ellipse of {_spaced(lossless.SMALL_ELLIPSE)} pixels in the middle of one of "
        f"{_spaced(lossless.LARGE_ELLIPSE)}, or of the largest that fits: bits per pixel when it "
        "is coded alone, and how many more these are than the same pixels take in the stream of "
        "the large one, by the frequencies in its tables and with their part of what belongs to no "
        "pixel. Its rim, where neighbours are missing, is in that as well as its head.",
        table(
            ["image", "large, pixels", "fast bpp", "strong bpp", "fast above", "strong above"],
            body,
        ),
    ]


def _spaced(number: int) -> str:
    return f"{number:,}".replace(",", " ")


def _screen(results: Sequence[LosslessRow]) -> list[str]:
    changes = {codec: lossless_goals.screen_changes(results, codec) for codec in (FAST, STRONG)}
    body = []
    for image in dict.fromkeys(r.image for r in results):
        mine = [r for r in results if r.image == image]
        at = {r.codec: r.bytes for r in mine}
        # WebP is there twice, and the better one counts.
        webp = min(r.bytes for r in mine if r.codec == WEBP)
        body.append(
            [
                image,
                f"{mine[0].megapixels:.2f}",
                *(f"{size:,}" for size in (webp, at[E9], at[FAST])),
                percent(changes[FAST].get(image)),
                f"{at[STRONG]:,}",
                percent(changes[STRONG].get(image)),
            ]
        )
    return [
        "### Screen content",
        "Bytes, and percent against the better of JPEG XL e9 and WebP, which is the better of "
        "method 4 at quality 75 and method 6 at quality 100.",
        table(["image", "MP", "WebP", "JXL e9", "fast", "to best", "strong", "to best"], body),
    ]


def _threads(results: Sequence[ThreadsRow]) -> list[str]:
    if not results:
        return ["### Threads", "Not measured: that takes two CPUs, and a photograph of 2 MP."]
    lines = [
        f"{_HEADS[r.codec]}, {r.threads} thread{'s' if r.threads > 1 else ''}: {r.decode_ms:.1f} ms"
        for r in results
    ]
    first = results[0]
    return [
        "### Threads",
        f"Decoding {first.image} ({first.megapixels:.2f} MP), on no CPU in particular, median of "
        f"{first.runs} rounds in turns:",
        bullets(lines),
    ]
