"""The picture of the stamps behind the fields of a wallet pass, from the same geometry as the card page."""

import io
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise

from PIL import Image, ImageDraw, ImageFont

from loyalty.domain.colours import fg
from loyalty.domain.stamp_grid import Slot, StampGrid, stamp_grid
from loyalty.wallets.icons import SIZE, icon_lines

WIDTH, HEIGHT = 375, 144
SCALES = (1, 2, 3)
# Drawn six times as large and then reduced by whole factors, which is smooth and the same on every machine.
_DRAWN = 6
# Sources disagree whether a phone shows 123 or 144 points: stamps stand in the middle 123 with some air around.
_FREE_HEIGHT, _FREE_WIDTH = 119, 359
_LARGEST_CELL = 72
_DISC = 0.84
_RING = 2
_ICON = 0.62
_STROKE = 2.75
_INK, _PAPER = 255, 0


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a slot stands on the large drawing, in pixels."""

    x: float
    y: float
    radius: float


@lru_cache(maxsize=256)
def stamp_strip(colour: str, target: int, count: int, icon: str = "check") -> tuple[bytes, bytes, bytes]:
    """Draw `count` of `target` stamps on the card's colour: PNGs of 375 x 144 points at 1x, 2x and 3x."""
    return coloured_pngs(_stamps(target, min(max(count, 0), target), icon), colour)


@lru_cache(maxsize=64)
def plain_strip(colour: str) -> tuple[bytes, bytes, bytes]:
    """Draw the band of a points card: the card's colour alone, because text stands on it."""
    return coloured_pngs(_plain(), colour)


def coloured_pngs(drawings: Iterable[Image.Image], colour: str) -> tuple[bytes, bytes, bytes]:
    """Colour grey drawings: 0 becomes the card's colour, 255 its readable colour, and the greys lie between."""
    one, two, three = (_png(drawing, colour) for drawing in drawings)
    return one, two, three


def reduced(drawing: Image.Image) -> tuple[Image.Image, ...]:
    """Return a drawing that is six times as large as its points at 1x, 2x and 3x."""
    return tuple(drawing.reduce(_DRAWN // scale) for scale in SCALES)


def _png(drawing: Image.Image, colour: str) -> bytes:
    coloured = drawing.copy()
    coloured.putpalette(_palette(colour, fg(colour)))
    file = io.BytesIO()
    coloured.save(file, "PNG")
    return file.getvalue()


def _palette(paper: str, ink: str) -> bytes:
    ends = [(int(paper[at : at + 2], 16), int(ink[at : at + 2], 16)) for at in (1, 3, 5)]
    return bytes((low * (255 - grey) + high * grey + 127) // 255 for grey in range(256) for low, high in ends)


def _sheet() -> Image.Image:
    return Image.new("L", (WIDTH * _DRAWN, HEIGHT * _DRAWN), _PAPER)


@cache
def _plain() -> tuple[Image.Image, ...]:
    return reduced(_sheet())


@lru_cache(maxsize=64)
def _stamps(target: int, count: int, icon: str) -> tuple[Image.Image, ...]:
    sheet = _sheet()
    pen = ImageDraw.Draw(sheet)
    grid = stamp_grid(target, count, strip=True)
    if grid.is_bar:
        _draw_bar(pen, count / target)
    for slot in grid.slots:
        _draw_slot(pen, slot, _place(grid, slot), icon)
    return reduced(sheet)


def _draw_bar(pen: ImageDraw.ImageDraw, share: float) -> None:
    left, right = (WIDTH - _FREE_WIDTH) / 2 + 8, (WIDTH + _FREE_WIDTH) / 2 - 8
    top, bottom = HEIGHT / 2 - 14, HEIGHT / 2 + 14
    box = [edge * _DRAWN for edge in (left, top, right, bottom)]
    pen.rounded_rectangle(box, radius=8 * _DRAWN, outline=_INK, width=_RING * _DRAWN)
    if share > 0:
        box[2] = box[0] + max((box[2] - box[0]) * share, 16 * _DRAWN)
        pen.rounded_rectangle(box, radius=8 * _DRAWN, fill=_INK)


def _place(grid: StampGrid, slot: Slot) -> _Place:
    cell = min(_FREE_WIDTH / grid.columns, _FREE_HEIGHT / grid.rows, _LARGEST_CELL)
    step = min(_FREE_WIDTH / grid.columns, cell * 1.2)
    row, column = divmod(slot.number - 1, grid.columns)
    x = WIDTH / 2 + (column - (grid.columns - 1) / 2) * step
    y = HEIGHT / 2 + (row - (grid.rows - 1) / 2) * cell
    return _Place(x * _DRAWN, y * _DRAWN, cell * _DISC / 2 * _DRAWN)


def _draw_slot(pen: ImageDraw.ImageDraw, slot: Slot, place: _Place, icon: str) -> None:
    box = (place.x - place.radius, place.y - place.radius, place.x + place.radius, place.y + place.radius)
    if slot.filled:
        pen.ellipse(box, fill=_INK)
    else:
        pen.ellipse(box, outline=_INK, width=_RING * _DRAWN)
    colour = _PAPER if slot.filled else _INK
    if slot.is_reward:
        draw_icon(pen, "gift", (place.x, place.y), place.radius * 2 * _ICON, colour)
    elif slot.filled:
        draw_icon(pen, icon, (place.x, place.y), place.radius * 2 * _ICON, colour)
    else:
        pen.text((place.x, place.y), str(slot.number), fill=colour, font=font(round(place.radius * 0.8)), anchor="mm")


def draw_icon(pen: ImageDraw.ImageDraw, icon: str, centre: tuple[float, float], size: float, colour: int) -> None:
    """Draw an icon of this size around a point, with round ends and corners."""
    scale = size / SIZE
    width = _STROKE * scale
    for line in icon_lines(icon):
        points = [(centre[0] + (x - SIZE / 2) * scale, centre[1] + (y - SIZE / 2) * scale) for x, y in line]
        for start, end in pairwise(points):
            pen.line((start, end), fill=colour, width=round(width))
        for x, y in points:
            pen.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=colour)


@lru_cache(maxsize=32)
def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return the typeface that comes with Pillow, so that a picture looks the same on every machine."""
    return ImageFont.load_default(size)
