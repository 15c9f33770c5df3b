"""Logo and icon of a pass: the shop's picture, or its first letter."""

import hashlib
import io
import random

import pytest
from PIL import Image

from loyalty.wallets.apple_pictures import Picture, pass_icon, pass_logo, says_name
from tests.apple_passes import make_content, make_facts, open_pass, passes


def named(data: bytes) -> Picture:
    """Name a picture as the folder of pictures does."""
    return Picture(hashlib.sha256(data).hexdigest()[:32], data)


def picture(width: int, height: int, kind: str = "PNG") -> Picture:
    """A shop's logo of this size."""
    file = io.BytesIO()
    Image.new("RGB", (width, height), "#AA3311").save(file, kind)
    return named(file.getvalue())


def sizes(pictures: tuple[bytes, ...]) -> list[tuple[int, int]]:
    """Read how large the pictures are."""
    opened = [Image.open(io.BytesIO(data)) for data in pictures]
    assert all(image.format == "PNG" for image in opened)
    return [image.size for image in opened]


@pytest.mark.parametrize("logo", [None, picture(300, 300), picture(900, 100, "JPEG"), picture(10, 900, "WEBP")])
def test_it_draws_icons_of_exactly_the_size_that_phones_want(logo: Picture | None) -> None:
    assert sizes(pass_icon("#1F4FD1", "Ada", logo)) == [(29, 29), (58, 58), (87, 87)]


def test_it_keeps_a_logo_within_its_place_and_its_shape() -> None:
    assert sizes(pass_logo("#1F4FD1", "Ada", picture(400, 200))) == [(100, 50), (200, 100), (300, 150)]
    assert sizes(pass_logo("#1F4FD1", "Ada", picture(2000, 100))) == [(160, 8), (320, 16), (480, 24)]
    assert sizes(pass_logo("#1F4FD1", "Ada", picture(64, 64)))[0] == (50, 50)


def test_it_draws_a_letter_for_a_shop_without_a_logo() -> None:
    assert pass_logo("#1F4FD1", "Ada", None) != pass_logo("#1F4FD1", "Ben", None)
    assert pass_logo("#1F4FD1", "Éclair", None) == pass_logo("#1F4FD1", "Eis", None)
    assert pass_logo("#1F4FD1", "日本", None) == pass_logo("#1F4FD1", "", None)


def test_it_says_the_name_once() -> None:
    assert says_name(picture(400, 100))
    assert not says_name(picture(100, 100))
    assert not says_name(None)
    wide, square = (
        open_pass(passes().make(make_content(), make_facts(logo=logo))).says
        for logo in (picture(400, 100), picture(100, 100))
    )
    assert "logoText" not in wide
    assert square["logoText"] == "Ada’s Bakery"


def test_it_makes_the_pass_although_the_logo_is_damaged_or_huge() -> None:
    draw = random.Random(3)
    whole = [picture(60, 60), picture(60, 60, "JPEG"), picture(60, 60, "WEBP")]
    logos = [picture(5000, 5000).data, b"<svg/>", b"GIF89a"]
    for data in (one.data for one in whole):
        for _ in range(60):
            damaged = bytearray(data[: draw.randrange(1, len(data))] if draw.random() < 0.3 else data)
            for _ in range(5):
                damaged[draw.randrange(len(damaged))] = draw.randrange(256)
            logos.append(bytes(damaged))
    for logo in logos:
        assert sizes(pass_icon("#1F4FD1", "Ada", named(logo)))[0] == (29, 29)
