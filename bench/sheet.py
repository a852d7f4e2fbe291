"""`python -m bench --part sheet`: AIG's background beside AVIF and JPEG, for people to look at.

The photographs are scikit-learn's two sample images, which may be shown anywhere.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from . import background, images, ladders
from .images import U8, Picture
from .ladders import Ladder, Trial

FILE = "background.png"

#: Bits per pixel of the files, and how near the others are to come to AIG's, as a part of it.
_RATES, _NEAR = (0.25, 0.5, 1.0), 0.01

#: Radius in pixels of what is in focus, a fifth of a percent of the images.
_FOCUS_RADIUS = 13.0

_TUNE, _EFFORT = background.TUNES[0], background.EFFORTS[0]
_TITLE = (
    f"Files of about one size: AIG effort {_EFFORT} with the pixels in the ring exact, "
    "AVIF speed 6 tune=psnr and optimised JPEG, both 4:2:0. PSNR is that of the whole image."
)

#: Side of a crop, spaces between crops and between groups of them, heights of lines, in pixels.
_SIDE, _GAP, _WIDE_GAP = 168, 4, 16
_HEAD, _CAPTION = 26, 36
_INK, _FAINT, _PAPER = "#333333", "#5f6469", "white"


class _Cell(NamedTuple):
    """A crop and the two lines below it."""

    pixels: U8
    lines: tuple[str, str]
    ring: tuple[float, float, float] | None = None


def draw(folder: Path) -> Path:
    """Write the sheet into a folder; returns where it is."""
    rows = [_row(picture) for picture in images.samples()]
    heads = ["original", *(f"{rate:g} bit per pixel" for rate in _RATES)]
    width = max(sum(map(_width, row)) + _WIDE_GAP * (len(row) + 1) for row in rows)
    height = 2 * _HEAD + len(rows) * (_SIDE + _CAPTION + _GAP)
    sheet = Image.new("RGB", (width, height), _PAPER)
    pen = ImageDraw.Draw(sheet)
    pen.text((_WIDE_GAP, _GAP), _TITLE, _INK, ImageFont.load_default(14))
    for k, row in enumerate(rows):
        x, y = _WIDE_GAP, 2 * _HEAD + k * (_SIDE + _CAPTION + _GAP)
        for head, group in zip(heads, row, strict=True):
            if not k:
                pen.text((x, _HEAD), head, _INK, ImageFont.load_default(16))
            for cell in group:
                _place(sheet, cell, x, y)
                x += _SIDE + _GAP
            x += _WIDE_GAP - _GAP
    path = folder / FILE
    sheet.save(path, optimize=True)
    return path


def _width(group: Sequence[_Cell]) -> int:
    return len(group) * (_SIDE + _GAP) - _GAP


def _place(sheet: Image.Image, cell: _Cell, x: int, y: int) -> None:
    sheet.paste(Image.fromarray(cell.pixels), (x, y))
    pen = ImageDraw.Draw(sheet)
    if cell.ring:
        cx, cy, radius = cell.ring
        # A dark rim makes the ring visible on any ground.
        for out, colour in ((2, "black"), (1, "white")):
            reach = radius + out
            box = (x + cx - reach, y + cy - reach, x + cx + reach, y + cy + reach)
            pen.ellipse(box, outline=colour, width=1)
    for k, (line, colour) in enumerate(zip(cell.lines, (_INK, _FAINT), strict=True)):
        pen.text((x, y + _SIDE + 2 + 15 * k), line, colour, ImageFont.load_default(13))


def _row(picture: Picture) -> list[list[_Cell]]:
    """The original, and a group of cells for each rate."""
    image = picture.load()
    focus = background.small_focus(picture, _FOCUS_RADIUS)
    left, top = (
        min(max(center - _SIDE // 2, 0), side - _SIDE)
        for center, side in zip(focus.centers[0], picture.size, strict=True)
    )
    crop = slice(top, top + _SIDE), slice(left, left + _SIDE)
    (x, y), (radius, _) = focus.centers[0], focus.radii[0]
    knobs = (ladders.aig(focus, _EFFORT, _TUNE), ladders.avif(_TUNE), ladders.jpeg())
    aig, *others = (Ladder(knob, image) for knob in knobs)
    groups = [[_Cell(image[crop], (picture.name, f"{picture.size[0]} x {picture.size[1]}"))]]
    for rate in _RATES:
        ours = aig.at_rate(rate, _NEAR)
        trials = [ours, *(ladder.at_rate(ours.rate, _NEAR) for ladder in others)]
        groups.append(
            [
                _Cell(
                    np.ascontiguousarray(trial.decoded[crop]),
                    _lines(trial),
                    (x - left, y - top, radius) if trial is ours else None,
                )
                for trial in trials
            ]
        )
    return groups


def _lines(trial: Trial) -> tuple[str, str]:
    size = f"{len(trial.data):,}".replace(",", " ")
    return trial.codec.name.split()[0], f"{size} bytes, {trial.psnr:.1f} dB"
