"""Pictures about pictures: foci drawn in, maps of the error, the sheet of `aig demo`."""

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

from ..container import Focus, Metadata
from ..geometry import MID, MID_LAST, Regions

U8 = NDArray[np.uint8]

_PAPER, _INK, _FAINT = (17, 19, 24), (236, 238, 242), (150, 156, 168)
_CORE, _MID, _HALO = (255, 214, 10), (255, 255, 255), (0, 0, 0)
_PASS, _FAIL = (74, 222, 128), (248, 113, 113)

#: Longest side of a panel, and the least that still carries its labels.
_PANEL, _LEAST_PANEL = 640, 320
_MARGIN, _GAP, _CAPTION = 28, 16, 62

#: Lines are drawn so many times larger and then averaged, as ImageDraw does not smooth.
_SMOOTH = 3

#: Error map: black is exact; then violet, red, orange, and pale yellow for the scale's end.
_HEAT = np.array(
    [(0, 0, 0), (66, 10, 104), (147, 38, 103), (221, 81, 58), (252, 165, 10), (252, 255, 200)]
)


class Row(NamedTuple):
    """One encoded picture.

    decoded: the same shape as the original. areas: of the file; None where nothing shall be drawn.
    title and note: the two lines above the panels. passed: whether all checks did.
    """

    title: str
    note: str
    decoded: U8
    areas: Regions[Metadata] | None
    passed: bool


def comparison(heading: str, original: U8, rows: Sequence[Row], footer: str = "") -> Image.Image:
    """The sheet that `aig demo` saves: original, decoded and error of every row.

    original: uint8 (H, W) or (H, W, 3).
    """
    height, width = original.shape[:2]
    scale = _panel_scale(width, height)
    panel = max(1, round(width * scale)), max(1, round(height * scale))
    column = max(panel[0], _LEAST_PANEL)
    errors = [error_of(original, row.decoded) for row in rows]
    top_of_scale = scale_end(errors)
    head = 118
    sheet = Image.new(
        "RGB",
        (
            2 * _MARGIN + 3 * column + 2 * _GAP,
            head + len(rows) * (_CAPTION + panel[1] + _GAP) + 44 + _MARGIN,
        ),
        _PAPER,
    )
    draw = ImageDraw.Draw(sheet)
    draw.text((_MARGIN, 20), heading, _INK, _font(30))
    lefts = [_MARGIN + i * (column + _GAP) for i in range(3)]
    _legend(sheet, lefts[0], 76)
    draw.text((lefts[1], 76), "decoded", _INK, _font(18))
    _colour_bar(draw, lefts[2], 76, column, top_of_scale)

    y = head
    for row, error in zip(rows, errors, strict=True):
        draw.line((_MARGIN, y, sheet.width - _MARGIN, y), (52, 56, 66))
        draw.text((_MARGIN, y + 10), row.title, _INK, _font(20))
        draw.text((_MARGIN, y + 35), row.note, _FAINT, _font(16))
        verdict, colour = ("PASS", _PASS) if row.passed else ("FAIL", _FAIL)
        right = sheet.width - _MARGIN
        draw.text((right, y + 10), f"checks: {verdict}", colour, _font(20), anchor="ra")
        y += _CAPTION
        marked = with_foci(resized(original, panel), row.areas, scale)
        glow = resized(heat(error, top_of_scale), panel)
        pictures = (marked, resized(row.decoded, panel), with_foci(glow, row.areas, scale, 0.55))
        for left, picture in zip(lefts, pictures, strict=True):
            sheet.paste(picture, (left, y))
        y += panel[1] + _GAP
    draw.text((_MARGIN, y + 10), footer, _FAINT, _font(16))
    return sheet


def error_map(original: U8, decoded: U8, areas: Regions[Metadata] | None) -> Image.Image:
    """Where two pictures differ, with the foci drawn in and the scale below: black is equal.

    original, decoded: uint8 (H, W) or (H, W, C) of the same shape.
    """
    error = error_of(original, decoded)
    end = scale_end([error])
    height, width = error.shape
    scale = _panel_scale(width, height) if max(width, height) < _PANEL else 1.0
    size = round(width * scale), round(height * scale)
    glow = with_foci(resized(heat(error, end), size), areas, scale, 0.55)
    sheet = Image.new("RGB", (max(size[0], _LEAST_PANEL + 2 * 8), size[1] + 48), _PAPER)
    sheet.paste(glow, (0, 0))
    _colour_bar(ImageDraw.Draw(sheet), 8, size[1] + 8, sheet.width - 16, end)
    return sheet


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size=size)


def _panel_scale(width: int, height: int) -> float:
    """Small pictures grow by whole factors, so that their pixels stay squares."""
    longest = max(width, height)
    if longest > _PANEL:
        return _PANEL / longest
    return max(1, _PANEL // longest)


def resized(pixels: U8, size: tuple[int, int]) -> Image.Image:
    """Pixels (H, W) or (H, W, 3) as an image of this size; enlarged ones keep their squares."""
    image = Image.fromarray(pixels).convert("RGB")
    if image.size == size:
        return image
    grows = size[0] > image.width
    return image.resize(size, Image.Resampling.NEAREST if grows else Image.Resampling.BOX)


def error_of(original: U8, decoded: U8) -> U8:
    """Largest error of a pixel's channels."""
    difference = np.abs(original.astype(np.int16) - decoded).astype(np.uint8)
    largest: U8 = difference if difference.ndim == 2 else difference.max(2)
    return largest


def scale_end(errors: Sequence[U8]) -> int:
    """A round number that all but the rarest errors stay below."""
    largest = max(float(np.quantile(error, 0.998)) for error in errors)
    return next((n for n in (4, 8, 16, 32, 64, 128) if n >= largest), 255)


def heat(error: U8, end: int) -> U8:
    """Colours (H, W, 3) of errors (H, W): black is 0, pale yellow `end` and above."""
    levels = np.linspace(0, 255, len(_HEAT))
    # The first step is visible on its own: exact and nearly exact must not look alike.
    values = np.where(error > 0, 26 + error * (229 / end), 0)
    return np.stack([np.interp(values, levels, c) for c in _HEAT.T], -1).astype(np.uint8)


def _outline(focus: Focus, radius: float) -> list[tuple[float, float]]:
    """Where the weighted distance of a focus equals `radius`, as a closed line in pixels.

    An ellipse with semi-axes radius * sqrt(Sigma), drawn in where alpha makes the angle count.
    """
    points = []
    for i in range(241):
        angle = math.pi * (i / 120 - 1)
        x, y = math.cos(angle), math.sin(angle)
        reach = max(0.0, radius - focus.alpha * abs(angle))
        reach /= math.hypot(x / math.sqrt(focus.sigma[0]), y / math.sqrt(focus.sigma[1]))
        points.append((focus.x + 0.5 + reach * x, focus.y + 0.5 + reach * y))
    return points


def with_foci(
    image: Image.Image, areas: Regions[Metadata] | None, scale: float, opacity: float = 1.0
) -> Image.Image:
    """The picture with both tiers' outlines and numbered center marks; as it is without areas."""
    if areas is None:
        return image
    foci = areas.metadata.foci
    overlay = Image.new("RGBA", (image.width * _SMOOTH, image.height * _SMOOTH))
    draw = ImageDraw.Draw(overlay)
    if areas.core_map is None:
        _draw_ellipses(draw, foci, _SMOOTH * scale)
    else:
        _draw_shapes(overlay, areas)
    if opacity == 1:
        for k, focus in enumerate(foci):
            x, y = ((v + 0.5) * _SMOOTH * scale for v in (focus.x, focus.y))
            _mark(draw, x, y, str(k))
    overlay = overlay.resize(image.size, Image.Resampling.BOX)
    if opacity < 1:
        overlay.putalpha(overlay.getchannel("A").point(lambda a: a * opacity))
    return Image.alpha_composite(image.convert("RGBA"), overlay).convert("RGB")


def _draw_ellipses(draw: ImageDraw.ImageDraw, foci: Sequence[Focus], scale: float) -> None:
    for focus in foci:
        mid = [(x * scale, y * scale) for x, y in _outline(focus, focus.r_mid)]
        core = [(x * scale, y * scale) for x, y in _outline(focus, focus.r_core)]
        # White on black dashes can be seen on any picture.
        draw.line(mid, _HALO, 2 * _SMOOTH, joint="curve")
        _dashes(draw, mid, _MID, 2)
        draw.line(core, _HALO, 5 * _SMOOTH, joint="curve")
        draw.line(core, _CORE, 3 * _SMOOTH, joint="curve")


def _draw_shapes(overlay: Image.Image, areas: Regions[Metadata]) -> None:
    """The rims of cores of any shape, and of their mid tiers."""
    classes = areas.class_map()
    core = areas.core_mask()
    for inside, colour, width in (
        (core | (classes >= MID) & (classes <= MID_LAST), _MID, 1),
        (core, _CORE, 3),
    ):
        large = Image.fromarray(inside).resize(overlay.size, Image.Resampling.NEAREST)
        for rim, reach in ((_HALO, width + 2), (colour, width)):
            # Half of an odd number of large pixels lies on each side of the rim.
            size = 2 * (reach * _SMOOTH // 2) + 1
            grey = large.convert("L")
            edge = ImageChops.difference(
                grey.filter(ImageFilter.MaxFilter(size)), grey.filter(ImageFilter.MinFilter(size))
            )
            overlay.paste(rim, (0, 0), edge)


def _dashes(
    draw: ImageDraw.ImageDraw,
    points: Sequence[tuple[float, float]],
    colour: tuple[int, int, int],
    width: int,
    dash: float = 8,
) -> None:
    """A dashed line, dash and gap equally long along it."""
    walked = 0.0
    for a, b in itertools.pairwise(points):
        length = math.dist(a, b)
        pieces = max(1, math.ceil(length / _SMOOTH))
        for i in range(pieces):
            if (walked + length * i / pieces) // (dash * _SMOOTH) % 2 == 0:
                ends = [
                    (a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t)
                    for t in (i / pieces, (i + 1) / pieces)
                ]
                draw.line(ends, colour, width * _SMOOTH)
        walked += length


def _mark(draw: ImageDraw.ImageDraw, x: float, y: float, label: str) -> None:
    """A cross with a gap in its middle, so that the pixel itself can be seen, and a number."""
    near, far = 4 * _SMOOTH, 12 * _SMOOTH
    for colour, width in ((_HALO, 5), (_CORE, 3)):
        for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            ends = (x + near * dx, y + near * dy, x + far * dx, y + far * dy)
            draw.line(ends, colour, width * _SMOOTH)
    x, y, r = x + 17 * _SMOOTH, y - 17 * _SMOOTH, 10 * _SMOOTH
    draw.ellipse((x - r, y - r, x + r, y + r), _CORE, _HALO, _SMOOTH)
    draw.text((x, y), label, _HALO, _font(15 * _SMOOTH), anchor="mm")


def _legend(sheet: Image.Image, left: int, top: int) -> None:
    """What the lines mean, drawn as they are drawn on the pictures."""
    big = Image.new("RGB", (44 * _SMOOTH, 22 * _SMOOTH), _PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((left, top), "original", _INK, _font(18))
    x = left + 96
    for label, dashed in (("core, bit-exact", False), ("mid tier", True)):
        line = big.copy()
        pen = ImageDraw.Draw(line)
        ends = [(0.0, 12.0 * _SMOOTH), (36.0 * _SMOOTH, 12.0 * _SMOOTH)]
        if dashed:
            _dashes(pen, ends, _MID, 2)
        else:
            pen.line(ends, _CORE, 3 * _SMOOTH)
        sheet.paste(line.resize((44, 22), Image.Resampling.BOX), (x, top))
        draw.text((x + 44, top + 1), label, _FAINT, _font(16))
        x += 44 + round(draw.textlength(label, _font(16))) + 22


def _colour_bar(draw: ImageDraw.ImageDraw, left: int, top: int, width: int, end: int) -> None:
    """The error map's scale: steps of grey levels out of 255."""
    label = "error"
    draw.text((left, top), label, _INK, _font(18))
    start = left + 62
    length = min(256, width - 62 - 8)
    colours = heat(np.linspace(0, end, length).round().astype(np.uint8)[None], end)[0]
    for i, colour in enumerate(colours.tolist()):
        draw.line((start + i, top + 2, start + i, top + 15), tuple(colour))
    draw.rectangle((start - 1, top + 1, start + length, top + 16), outline=(90, 95, 105))
    for value in (0, end // 4, end // 2, 3 * end // 4, end):
        x = start + round((length - 1) * value / end)
        more = "+" if value == end else ""
        draw.line((x, top + 16, x, top + 20), _FAINT)
        draw.text((x, top + 21), f"{value}{more}", _FAINT, _font(13), anchor="ma")
    note = f"of 255, amplified {round(255 / end)} times"
    if start + length + 16 + draw.textlength(note, _font(16)) <= left + width:
        draw.text((start + length + 16, top), note, _FAINT, _font(16))
