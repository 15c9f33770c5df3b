"""Pictures as people take and make them."""

import io

from PIL import Image, ImageDraw


def make_picture(
    size: tuple[int, int] = (600, 600), colour: str = "#FFEE00", form: str = "PNG", **options: object
) -> bytes:
    """Draw a plain picture with a black dot in it."""
    picture = Image.new("RGB", size, colour)
    ImageDraw.Draw(picture).ellipse((4, 4, 9, 9), fill="black")
    out = io.BytesIO()
    picture.save(out, form, **options)
    return out.getvalue()


def make_moving(form: str) -> bytes:
    """Draw a picture of two frames."""
    frames = [Image.new("RGB", (40, 40), colour) for colour in ("red", "blue")]
    out = io.BytesIO()
    frames[0].save(out, form, save_all=True, append_images=frames[1:], duration=100)
    return out.getvalue()


def opened(data: bytes) -> "Image.Image":
    """Decode a picture."""
    picture = Image.open(io.BytesIO(data))
    picture.load()
    return picture
