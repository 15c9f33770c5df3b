"""The logo, the icon and the photograph of a pass: the shop's own pictures, or the first letter of its name."""

import io
import struct
import unicodedata
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

from PIL import Image, ImageDraw, ImageOps

from loyalty.wallets.strip import HEIGHT, SCALES, WIDTH, coloured_pngs, draw_icon, font, reduced

ICON = 29
LOGO_WIDTH, LOGO_HEIGHT = 160, 50
# The white ground of a logo that would drown in the card's colour, in points.
_PLATE_AIR, _PLATE_CORNER = 4, 6
_WHITE = "#FFFFFF"
# A wider logo nearly always holds the name already.
_SQUARE = 1.5
# On 29 points nobody can read a wider one.
_WIDEST_ICON = 3
# Every phone loads all sizes of a photograph; where the largest is heavier, the one below does as well.
_HEAVIEST_STRIP = 250_000
_MOST_PIXELS = 16_000_000
_DRAWN = 6
# All that Pillow has for damaged files.
_UNREADABLE = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    IndexError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of a shop. The same `digest` is the same picture; it is loaded when it is drawn for the first time,
    so that caches keep and compare nothing large."""

    digest: str
    load: Callable[[], bytes | None] = field(repr=False, compare=False)


def pass_icon(colour: str, name: str, logo: Picture | None, *, plate: bool = False) -> tuple[bytes, bytes, bytes]:
    """Draw the picture beside notifications: 29 points square, at 1x, 2x and 3x."""
    picture = _read(logo)
    if picture is None or max(picture.size) > min(picture.size) * _WIDEST_ICON:
        return coloured_pngs(_monogram(_initial(name), ICON, disc=False), colour)
    one, two, three = (_on_square(picture, ICON * scale, _WHITE if plate else colour) for scale in SCALES)
    return one, two, three


def pass_logo(colour: str, name: str, logo: Picture | None, *, plate: bool = False) -> tuple[bytes, bytes, bytes]:
    """Draw the picture in the corner of the pass: at most 160 x 50 points, at 1x, 2x and 3x."""
    picture = _read(logo)
    if picture is None:
        return coloured_pngs(_monogram(_initial(name), LOGO_HEIGHT, disc=True), colour)
    one, two, three = (_as_png(_on_plate(picture, scale) if plate else _logo(picture, scale)) for scale in SCALES)
    return one, two, three


def photo_strip(colour: str, hero: Picture) -> tuple[bytes, ...]:
    """Cut the photograph behind the fields of a pass: 375 x 144 points at 1x, 2x and 3x; nothing if it is damaged."""
    picture = _read(hero)
    if picture is None:
        return ()
    made = [_cut(picture, colour, scale) for scale in SCALES]
    return tuple(made if len(made[-1]) <= _HEAVIEST_STRIP else made[:-1])


@lru_cache(maxsize=256)
def says_name(logo: Picture | None) -> bool:
    """Tell whether the logo is so wide that the name beside it would be said twice."""
    picture = _read(logo)
    return picture is not None and picture.width > picture.height * _SQUARE


def _read(picture: Picture | None) -> Image.Image | None:
    """Read a picture; one that cannot be read, or is huge, must not keep a customer from the card."""
    data = picture.load() if picture else None
    if data is None:
        return None
    try:
        opened = Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "WEBP"))
        if opened.width * opened.height > _MOST_PIXELS:
            return None
        return opened.convert("RGBA")
    except _UNREADABLE:
        return None


def _logo(picture: Image.Image, scale: int) -> Image.Image:
    return _fitted(picture, LOGO_WIDTH * scale, LOGO_HEIGHT * scale)


def _on_plate(picture: Image.Image, scale: int) -> Image.Image:
    air = _PLATE_AIR * scale
    fitted = _fitted(picture, LOGO_WIDTH * scale - 2 * air, LOGO_HEIGHT * scale - 2 * air)
    size = (fitted.width + 2 * air, fitted.height + 2 * air)
    corners = Image.new("L", (size[0] * _DRAWN, size[1] * _DRAWN), 0)
    radius = _PLATE_CORNER * scale * _DRAWN
    ImageDraw.Draw(corners).rounded_rectangle((0, 0, corners.width - 1, corners.height - 1), radius=radius, fill=255)
    plate = Image.new("RGBA", size, _WHITE)
    plate.putalpha(corners.reduce(_DRAWN))
    plate.alpha_composite(fitted, (air, air))
    return plate


def _cut(picture: Image.Image, colour: str, scale: int) -> bytes:
    fitted = ImageOps.fit(picture, (WIDTH * scale, HEIGHT * scale), Image.Resampling.LANCZOS)
    ground = Image.new("RGBA", fitted.size, colour)
    ground.alpha_composite(fitted)
    # 256 colours of its own are enough behind fields, and a third of the weight.
    return _as_png(ground.convert("RGB").quantize())


def _fitted(picture: Image.Image, width: int, height: int) -> Image.Image:
    scale = min(width / picture.width, height / picture.height)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return picture.resize(size, Image.Resampling.LANCZOS)


def _on_square(picture: Image.Image, size: int, colour: str) -> bytes:
    square = Image.new("RGBA", (size, size), colour)
    fitted = _fitted(picture, size, size)
    square.alpha_composite(fitted, ((size - fitted.width) // 2, (size - fitted.height) // 2))
    return _as_png(square.convert("RGB"))


def _as_png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


@lru_cache(maxsize=128)
def _monogram(letter: str, points: int, *, disc: bool) -> tuple[Image.Image, ...]:
    size = points * _DRAWN
    sheet = Image.new("L", (size, size), 0)
    pen = ImageDraw.Draw(sheet)
    if disc:
        pen.ellipse((0, 0, size - 1, size - 1), fill=255)
    ink = 0 if disc else 255
    if letter:
        pen.text((size / 2, size / 2), letter, fill=ink, font=font(round(size * 0.56)), anchor="mm")
    else:
        draw_icon(pen, "star", (size / 2, size / 2), size * 0.6, ink)
    return reduced(sheet)


def _initial(name: str) -> str:
    """Return the first letter or digit that the typeface has, without its accents; '' where there is none."""
    plain = unicodedata.normalize("NFKD", name).upper()
    return next((letter for letter in plain if letter.isascii() and letter.isalnum()), "")
