"""Pictures of a shop: checked, drawn anew without anything but their pixels, and kept as files under their own sum."""

import hashlib
import io
import logging
import os
import tempfile
import warnings
from enum import Enum
from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageOps

from loyalty.domain.colours import contrast
from loyalty.domain.pictures import MOST_PIXELS, PictureError, is_own_address, read_header
from loyalty.domain.values import Actor, Role
from loyalty.errors import ValidationError
from loyalty.services import roles

log = logging.getLogger(__name__)

# The header is checked before; this guards whatever else in this process might open a picture.
Image.MAX_IMAGE_PIXELS = MOST_PIXELS
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)

# WCAG asks this of graphics beside what surrounds them.
_LEAST_CONTRAST = 3
_folder: Path | None = None


class Shape(Enum):
    """What a picture is for: the room that it may take, in pixels."""

    LOGO = (660, 660)
    HERO = (1032, 336)


def configure(*, folder: Path) -> None:
    """Keep pictures in this folder; it is made when the first one comes."""
    global _folder
    _folder = folder


def keep(*, actor: Actor, data: bytes, shape: Shape) -> str:
    """Keep a PNG, JPEG or WebP as a PNG of at most this shape, and return its address; the same twice is kept once."""
    roles.require(actor=actor, role=Role.MANAGER)
    try:
        content = _redraw(data, read_header(data).format, shape)
    except PictureError as refusal:
        raise ValidationError({"picture": refusal.sentence}) from refusal
    name = hashlib.sha256(content).hexdigest()[:32]
    _write(_place() / f"{name}.png", content)
    return f"/images/{name}.png"


def read(*, name: str) -> bytes | None:
    """Return a kept picture, None where there is none of this name."""
    if not is_own_address(f"/images/{name}.png"):
        return None
    try:
        return (_place() / f"{name}.png").read_bytes()
    except FileNotFoundError:
        return None


def own(address: str | None) -> str | None:
    """Return the address where it is one of ours: pages ask no other host for a picture."""
    return address if address and is_own_address(address) else None


def shade(address: str | None) -> str | None:
    """Return the mean colour of what a picture shows, None where it is not kept here."""
    if own(address) is None or address is None:
        return None
    try:
        return _shade(str(_place()), address.rpartition("/")[2])
    except OSError:
        log.warning("picture %s is not in the data folder", address)
        return None


def needs_plate(address: str | None, colour: str) -> bool:
    """Say whether a picture would drown in this colour, so that it needs a white ground."""
    seen = shade(address)
    return seen is not None and contrast(seen, colour) < _LEAST_CONTRAST


def _redraw(data: bytes, name: str, shape: Shape) -> bytes:
    try:
        with Image.open(io.BytesIO(data), formats=(name,)) as opened:
            # Phones store which way is up beside the pixels.
            upright = _eight_bits(ImageOps.exif_transpose(opened))
            picture = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    except Exception as problem:  # whatever a decoder stumbles over, the picture is to blame
        raise PictureError from problem
    picture.thumbnail(shape.value, Image.Resampling.LANCZOS)
    # Where and with what it was taken is nobody's business.
    picture.info.clear()
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=True)
    return out.getvalue()


def _eight_bits(picture: Image.Image) -> Image.Image:
    """Return grey of sixteen bits as its upper eight: the decoder would make white of all but the darkest."""
    if picture.mode != "I;16":
        return picture
    return Image.frombytes("L", picture.size, picture.tobytes()[1::2])


@lru_cache(maxsize=256)
def _shade(folder: str, file: str) -> str:
    with Image.open(Path(folder) / f"{file}", formats=("PNG",)) as opened:
        picture = opened.convert("RGBA")
    # Only what is visible counts: Pillow weighs each pixel by how opaque it is.
    mean = picture.crop(picture.getbbox(alpha_only=True)).resize((1, 1), Image.Resampling.BOX)
    return f"#{mean.tobytes()[:3].hex().upper()}"


def _place() -> Path:
    if _folder is None:
        raise RuntimeError("images.configure() was not called.")
    return _folder


def _write(target: Path, content: bytes) -> None:
    """Write a file that is there whole or not at all."""
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, half = tempfile.mkstemp(dir=target.parent, suffix=".part")
    try:
        with open(descriptor, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        os.replace(half, target)
    except BaseException:
        Path(half).unlink(missing_ok=True)
        raise
