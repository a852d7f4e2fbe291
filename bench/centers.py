"""A contact sheet of where the encoder looks, beside what people labelled."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from aig_codec.encoder.roi import saliency

from .decisions import NEAR, is_near
from .images import Picture

FILE = "centers.png"

#: Pictures in a row, the box of each, and spaces, in pixels.
_COLUMNS, _BOX, _GAP, _CAPTION, _HEAD = 6, (300, 220), 10, 22, 40
_LABELLED, _FOUND, _INK, _PAPER = "#ffd60a", "#22d3ee", "#ececf2", "#111318"
_HIT, _MISSED = "#4ade80", "#f87171"


def draw(pictures: Sequence[Picture], out: Path) -> Path:
    """Write the sheet into a folder; returns where it is."""
    cells = [_cell(picture) for picture in pictures]
    rows = -(-len(cells) // _COLUMNS)
    width = _GAP + _COLUMNS * (_BOX[0] + _GAP)
    height = _HEAD + rows * (_BOX[1] + _CAPTION + _GAP)
    sheet = Image.new("RGB", (width, height), _PAPER)
    pen = ImageDraw.Draw(sheet)
    near = sum(hit for _, _, hit in cells)
    title = (
        f"Best automatic center (cyan, with its ellipse) within {NEAR:g} times a labelled focus "
        f"(yellow): {near} of {len(cells)}"
    )
    pen.text((_GAP, 10), title, _INK, ImageFont.load_default(18))
    for k, (shown, caption, hit) in enumerate(cells):
        x = _GAP + k % _COLUMNS * (_BOX[0] + _GAP)
        y = _HEAD + k // _COLUMNS * (_BOX[1] + _CAPTION + _GAP)
        sheet.paste(shown, (x, y))
        colour = _HIT if hit else _MISSED
        pen.text((x, y + _BOX[1] + 2), caption, colour, ImageFont.load_default(14))
    path = out / FILE
    sheet.save(path)
    return path


def _cell(picture: Picture) -> tuple[Image.Image, str, bool]:
    pixels = picture.load()
    found = saliency.find(pixels)
    shown = Image.fromarray(pixels)
    scale = min(_BOX[0] / shown.width, _BOX[1] / shown.height)
    shown = shown.resize((round(shown.width * scale), round(shown.height * scale)))
    pen = ImageDraw.Draw(shown)
    focus = picture.focus

    def ellipse(x: float, y: float, a: float, b: float, colour: str) -> None:
        box = [scale * v for v in (x - a, y - b, x + a, y + b)]
        pen.ellipse(box, outline=colour, width=2)

    for (x, y), (sx, sy), (core, _) in zip(focus.centers, focus.sigmas, focus.radii, strict=True):
        ellipse(x, y, core * sx**0.5, core * sy**0.5, _LABELLED)
    for k, one in enumerate(found):
        a, b = (one.radius * s**0.5 for s in one.sigma)
        ellipse(one.x, one.y, a, b, _FOUND)
        pen.text((scale * one.x, scale * one.y), str(k), _FOUND, ImageFont.load_default(16),
                 anchor="mm")  # fmt: skip
    hit = is_near(focus, found[0].x, found[0].y)
    return shown, f"{picture.name}: confidence {found[0].confidence:.2f}", hit
