"""The page of `aig report`: one HTML file that shows what became of a picture, and needs no other.

Pictures in it are lossless WebP of at most 1160 x 820 pixels; numbers are of the whole picture.
"""

import base64
import io
import math
from collections.abc import Iterator, Sequence
from html import escape
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, features

from .. import __version__
from ..container import Metadata, Segment
from ..container.kinds import OF_NAME
from ..geometry import Regions
from .compare import Scores, compare, regions, seam
from .figures import error_of, heat, resized, scale_end, with_foci

U8 = NDArray[np.uint8]

#: Largest width and height of the pictures, and side of the crops around the foci, in pixels: five
#: of them stand side by side.
_WIDTH, _HEIGHT, _CROP = 1160, 820, 220

#: The colour of each kind of segment in the bar; those without one are of the rest.
_COLOURS = {
    "map": "#c98f00",
    "tiles": "#5da050",
    "core": "#e0a800",
    "preview": "#4f8ef7",
    "alpha": "#b48ead",
    "drawn": "#7fcf6a",
    "mid": "#5fb57a",
    "background": "#3a6ea5",
    "boundary": "#d3765a",
    "decisions": "#a06cd5",
    "frames": "#7b8794",
}

#: Title and colour by kind, with what is no segment and with the rest.
_TIERS = {
    "head": ("header and metadata", "#8b93a7"),
    **{kind: (OF_NAME[kind].title, colour) for kind, colour in _COLOURS.items()},
    "other": ("profile, EXIF, XMP and text", "#6b7280"),
}

_STYLE = """
:root{color-scheme:light dark;
--ink:#16181d;--faint:#5b6270;--paper:#fff;--line:#d9dce3;--soft:#f3f4f7}
@media(prefers-color-scheme:dark){:root{
--ink:#e8eaf0;--faint:#9aa1b1;--paper:#14161b;--line:#2c313b;--soft:#1c1f26}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{max-width:1200px;margin:0 auto;padding:24px 20px 60px}
h1{font-size:1.6rem;margin:0 0 4px;overflow-wrap:anywhere}h2{font-size:1.15rem;margin:36px 0 10px}
p{margin:6px 0;color:var(--faint)}figure{margin:0}img{display:block;max-width:100%;height:auto}
figcaption{color:var(--faint);font-size:.88rem;margin-top:4px}
.row{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(300px,100%),1fr));gap:16px}
.crops{display:flex;flex-wrap:wrap;gap:12px;margin-bottom:16px}
.crops img{max-width:none;image-rendering:pixelated}
.both{position:relative;user-select:none}.both img{width:100%}
.both .over{position:absolute;inset:0;clip-path:inset(0 0 0 var(--at,50%))}
.both .edge{position:absolute;top:0;bottom:0;left:var(--at,50%);width:2px;background:#fff;
box-shadow:0 0 3px #000;pointer-events:none}
.both input{position:absolute;inset:0;width:100%;height:100%;margin:0;opacity:0;cursor:ew-resize}
.bar{display:flex;height:28px;border-radius:6px;overflow:hidden}.bar span{min-width:1px}
.key{display:inline-block;width:.8em;height:.8em;border-radius:2px;margin-right:.5em}
.wide{overflow-x:auto;margin-top:10px}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;white-space:nowrap}
th,td{padding:5px 12px;text-align:right;border-bottom:1px solid var(--line)}
th:first-child,td:first-child{text-align:left;padding-left:6px}
th{color:var(--faint);font-weight:500}
tr.own td{background:var(--soft);font-weight:600}
@media(max-width:600px){main{padding:16px 12px 40px}th,td{padding:4px 7px;font-size:.85rem}}
"""

_SCRIPT = """
for(const b of document.querySelectorAll('.both'))b.querySelector('input').addEventListener('input',
e=>b.style.setProperty('--at',e.target.value+'%'));
"""


class Rival(NamedTuple):
    """The same picture in another format: its name, size and pixels."""

    name: str
    size: int
    pixels: U8
    note: str = ""


def rivals(original: U8, size: int) -> Iterator[Rival]:
    """JPEG, WebP and AVIF of at most so many bytes, as far as Pillow has them."""
    for name, options in (
        ("JPEG", {"optimize": True}),
        ("WebP", {"method": 4}),
        ("AVIF", {"speed": 6}),
    ):
        if name.lower() in ("webp", "avif") and not features.check(name.lower()):
            continue
        found = _fitted(Image.fromarray(original), name, options, size)
        if found is not None:
            yield found


def _fitted(image: Image.Image, name: str, options: dict[str, Any], size: int) -> Rival | None:
    """The best quality that fits, by bisection; the least one if none does."""
    image = image if image.mode in ("L", "RGB") else image.convert("RGB")
    low, high, best = 0, 100, b""
    while low <= high:
        quality = (low + high) // 2
        target = io.BytesIO()
        try:
            image.save(target, name, quality=quality, **options)
        except OSError:
            return None  # of this size or kind there is none
        if len(target.getvalue()) <= size or not best:
            best, kept = target.getvalue(), quality
        if len(target.getvalue()) <= size:
            low = quality + 1
        else:
            high = quality - 1
    with Image.open(io.BytesIO(best)) as decoded:
        pixels = np.asarray(decoded.convert(image.mode))
    note = f"quality {kept}" + (", the least there is" if len(best) > size else "")
    return Rival(name, len(best), pixels, note)


def page(
    name: str,
    original: U8,
    decoded: U8,
    areas: Regions[Metadata],
    data_start: int,
    others: Sequence[Rival],
) -> str:
    """The page about one picture.

    original, decoded: uint8 (H, W) or (H, W, 3). areas, data_start: of the AIG file. others: the
    same picture in other formats.
    """
    metadata = areas.metadata
    size = data_start + (metadata.segments[-1].end if metadata.segments else 0)
    height, width = original.shape[:2]
    is_lossless = metadata.shape == "all"
    masks = {} if is_lossless else regions(areas)
    own = Rival("AIG", size, decoded, f"quality level {metadata.quality_level}")
    files = [own, *others]
    scores = [compare(original, f.pixels, masks) for f in files]
    scale = min(1.0, _WIDTH / width, _HEIGHT / height)
    shown = max(1, round(width * scale)), max(1, round(height * scale))
    shown_areas = None if is_lossless else areas
    error = error_of(original, decoded)
    end = scale_end([error])
    drawn = with_foci(resized(original, shown), shown_areas, scale)
    glow = with_foci(resized(heat(error, end), shown), shown_areas, scale, 0.55)
    rate = 8 * size / (width * height)
    facts = f"{width} x {height} pixels, {size:,} bytes, {rate:.3f} bits per pixel"
    body = [
        f"<h1>{escape(name)}</h1><p>{facts}. {escape(_foci_words(metadata))}</p>",
        "<h2>Original and decoded</h2>",
        _slider(resized(original, shown), resized(decoded, shown)),
        '<h2>What is kept, and what it cost</h2><div class="row">',
        _figure(drawn, "Original. Yellow: the cores, bit-exact; dashed: the mid tier."),
        _figure(glow, f"Error of the decoded picture: black is exact, pale yellow {end} and more."),
        "</div>",
        "<h2>Where the bytes are</h2>",
        *_bytes_of(metadata.segments, data_start, size),
        "<h2>In figures</h2>",
        *_table(files, scores),
    ]
    edge = seam(original, decoded, masks["focus"]) if masks else None
    if edge is not None:
        body.append(
            f"<p>Seam at the rim of the focus: {edge.excess:.2f} grey levels; gradients across it "
            f"are off by {edge.rim:.2f}, those beside it by {edge.around:.2f}.</p>"
        )
    if not is_lossless:
        body += ["<h2>The foci, pixel by pixel</h2>", *_crops(original, files, areas)]
    body.append(f"<p>Written by aig {__version__}. PSNR in dB; SSIM and MS-SSIM of luma.</p>")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(name)}: AIG</title><style>{_STYLE}</style></head><body><main>"
        + "\n".join(body)
        + f"</main><script>{_SCRIPT}</script></body></html>\n"
    )


def _foci_words(metadata: Metadata) -> str:
    if metadata.shape == "all":
        return "Lossless: every pixel is exact."
    labels = metadata.labels or (None,) * len(metadata.foci)
    words = []
    for focus, label in zip(metadata.foci, labels, strict=True):
        named = f"{label.name} " if label is not None and label.name else ""
        words.append(f"{named}({focus.x}, {focus.y})")
    return f"Focus at {', '.join(words)}."


def _embedded(image: Image.Image) -> str:
    target = io.BytesIO()
    if features.check("webp"):
        image.save(target, "WEBP", lossless=True, quality=50, method=2)
        kind = "webp"
    else:
        image.save(target, "PNG")
        kind = "png"
    return f"data:image/{kind};base64,{base64.b64encode(target.getvalue()).decode()}"


def _figure(image: Image.Image, words: str, shown: str = "") -> str:
    return (
        f'<figure><img src="{_embedded(image)}" width="{image.width}" height="{image.height}" '
        f'alt="{escape(shown or words)}"><figcaption>{escape(words)}</figcaption></figure>'
    )


def _slider(left: Image.Image, right: Image.Image) -> str:
    size = f'width="{left.width}" height="{left.height}"'
    return (
        f'<div class="both" style="max-width:{left.width}px">'
        f'<img src="{_embedded(left)}" {size} alt="original">'
        f'<img class="over" src="{_embedded(right)}" {size} alt="decoded"><div class="edge"></div>'
        '<input type="range" min="0" max="100" value="50" step="0.1" '
        'aria-label="original on the left, decoded on the right"></div>'
        "<p>Left of the line the original, right of it what was decoded; move it.</p>"
    )


def _bytes_of(segments: Sequence[Segment], data_start: int, size: int) -> Iterator[str]:
    sums = {"head": data_start}
    for s in segments:
        kind = s.kind if s.kind in _TIERS else "other"
        sums[kind] = sums.get(kind, 0) + s.length
    yield (
        '<div class="bar">'
        + "".join(
            f'<span style="flex:{n};background:{_TIERS[kind][1]}" title="{_TIERS[kind][0]}"></span>'
            for kind, n in sums.items()
        )
        + '</div><div class="wide"><table><tr><th></th><th>bytes</th><th>share</th></tr>'
    )
    for kind, n in sums.items():
        words, colour = _TIERS[kind]
        yield (
            f'<tr><td><span class="key" style="background:{colour}"></span>{words}</td>'
            f"<td>{n:,}</td><td>{100 * n / size:.1f} %</td></tr>"
        )
    yield "</table></div>"


def _table(files: Sequence[Rival], scores: Sequence[dict[str, Scores]]) -> Iterator[str]:
    names = {"all": "whole", "focus": "focus", "band": "band", "outside": "outside"}
    shown = [name for name in names if name in scores[0]]
    yield '<div class="wide"><table><tr><th></th><th>bytes</th>'
    yield "".join(f"<th>PSNR, {names[name]}</th>" for name in shown)
    yield "<th>SSIM</th><th>MS-SSIM</th><th></th></tr>"
    for k, (file, own) in enumerate(zip(files, scores, strict=True)):
        cells = "".join(f"<td>{_number(own[name].psnr, 2)}</td>" for name in shown)
        whole = own["all"]
        yield (
            f"<tr{' class=own' if k == 0 else ''}><td>{file.name}</td><td>{file.size:,}</td>{cells}"
            f"<td>{_number(whole.ssim, 4)}</td><td>{_number(whole.ms_ssim, 4)}</td>"
            f"<td>{escape(file.note)}</td></tr>"
        )
    yield "</table></div><p>The band is the 16 pixels around the focus.</p>"


def _number(value: float, digits: int) -> str:
    if math.isnan(value):
        return "-"
    return "exact" if math.isinf(value) else f"{value:.{digits}f}"


def _crops(original: U8, files: Sequence[Rival], areas: Regions[Metadata]) -> Iterator[str]:
    height, width = original.shape[:2]
    for k in range(len(areas.metadata.foci)):
        window = areas.core_window(k)
        x, y = (window.left + window.right) // 2, (window.top + window.bottom) // 2
        side = min(_CROP, width, height)
        left, top = (
            min(max(0, x - side // 2), width - side),
            min(max(0, y - side // 2), height - side),
        )
        box = np.s_[top : top + side, left : left + side]
        yield '<div class="crops">'
        for name, pixels in (("original", original), *((f.name, f.pixels) for f in files)):
            crop = Image.fromarray(np.ascontiguousarray(pixels[box])).convert("RGB")
            yield _figure(crop, name, f"focus {k}, {name}")
        yield "</div>"
