"""The logo and the icon of a pass: the shop's own picture, or the first letter of its name."""

import io
import struct
import unicodedata
import zlib
from functools import lru_cache

from PIL import Image, ImageDraw

from loyalty.wallets.strip import SCALES, coloured_pngs, draw_icon, font, reduced

ICON = 29
LOGO_WIDTH, LOGO_HEIGHT = 160, 50
# A wider logo nearly always holds the name already.
_SQUARE = 1.5
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


def pass_icon(colour: str, name: str, logo: bytes | None) -> tuple[bytes, bytes, bytes]:
    """Draw the picture beside notifications: 29 points square, at 1x, 2x and 3x."""
    picture = _read(logo)
    if picture is None:
        return coloured_pngs(_monogram(_initial(name), ICON, disc=False), colour)
    one, two, three = (_on_square(picture, ICON * scale, colour) for scale in SCALES)
    return one, two, three


def pass_logo(colour: str, name: str, logo: bytes | None) -> tuple[bytes, bytes, bytes]:
    """Draw the picture in the corner of the pass: at most 160 x 50 points, at 1x, 2x and 3x."""
    picture = _read(logo)
    if picture is None:
        return coloured_pngs(_monogram(_initial(name), LOGO_HEIGHT, disc=True), colour)
    one, two, three = (_as_png(_fitted(picture, LOGO_WIDTH * scale, LOGO_HEIGHT * scale)) for scale in SCALES)
    return one, two, three


@lru_cache(maxsize=256)
def says_name(logo: bytes | None) -> bool:
    """Tell whether the logo is so wide that the name beside it would be said twice."""
    picture = _read(logo)
    return picture is not None and picture.width > picture.height * _SQUARE


def _read(logo: bytes | None) -> Image.Image | None:
    """Read a picture; one that cannot be read, or is huge, must not keep a customer from the card."""
    if not logo:
        return None
    try:
        picture = Image.open(io.BytesIO(logo), formats=("PNG", "JPEG", "WEBP"))
        if picture.width * picture.height > _MOST_PIXELS:
            return None
        return picture.convert("RGBA")
    except _UNREADABLE:
        return None


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
