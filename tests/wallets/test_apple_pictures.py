"""Logo and icon of a pass: the shop's picture, or its first letter."""

import hashlib
import io
import random
from dataclasses import replace

import pytest
from PIL import Image

from loyalty.domain.values import LoyaltyType
from loyalty.wallets.apple_pictures import Picture, pass_icon, pass_logo, photo_strip, says_name
from tests.apple_passes import PICTURES, make_content, make_facts, open_pass, passes


def named(data: bytes) -> Picture:
    """Name a picture as the folder of pictures does."""
    return Picture(hashlib.sha256(data).hexdigest()[:32], lambda: data)


def loaded(picture: Picture) -> bytes:
    """The bytes of a picture."""
    data = picture.load()
    assert data
    return data


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


def pixels(data: bytes) -> Image.Image:
    """Decode a picture."""
    return Image.open(io.BytesIO(data)).convert("RGBA")


def test_it_puts_a_logo_that_would_drown_on_a_white_plate() -> None:
    plain, plated = (pass_logo("#AA3311", "Ada", picture(64, 64), plate=plate)[2] for plate in (False, True))
    assert sizes((plain, plated)) == [(150, 150), (150, 150)]
    assert pixels(plain).getpixel((75, 4)) == (0xAA, 0x33, 0x11, 255)
    assert pixels(plated).getpixel((75, 4)) == (255, 255, 255, 255)
    assert pixels(plated).getpixel((75, 75)) == (0xAA, 0x33, 0x11, 255)
    # Its corners are round.
    assert pixels(plated).getpixel((0, 0)) == (255, 255, 255, 0)
    for scale, data in enumerate(pass_logo("#AA3311", "Ada", picture(2000, 100), plate=True), 1):
        (size,) = sizes((data,))
        assert size[0] == 160 * scale
        assert size[1] <= 50 * scale


def test_it_gives_the_icon_the_ground_of_the_logo() -> None:
    see_through = io.BytesIO()
    Image.new("RGBA", (60, 60), "#00000000").save(see_through, "PNG")
    logo = named(see_through.getvalue())
    assert pixels(pass_icon("#1F4FD1", "Ada", logo)[0]).getpixel((14, 14)) == (0x1F, 0x4F, 0xD1, 255)
    assert pixels(pass_icon("#1F4FD1", "Ada", logo, plate=True)[0]).getpixel((14, 14)) == (255, 255, 255, 255)


def test_it_shows_a_letter_where_the_logo_is_too_wide_for_an_icon() -> None:
    letter = pass_icon("#1F4FD1", "Ada", None)
    assert pass_icon("#1F4FD1", "Ada", picture(400, 100)) == letter
    assert pass_icon("#1F4FD1", "Ada", picture(300, 100)) != letter


def test_it_cuts_a_photograph_to_the_size_of_the_strip() -> None:
    strips = photo_strip("#1F4FD1", picture(1032, 336))
    assert sizes(strips) == [(375, 144), (750, 288), (1125, 432)]
    assert all(pixels(strip).getpixel((100, 100)) == (0xAA, 0x33, 0x11, 255) for strip in strips)
    assert sizes(photo_strip("#1F4FD1", picture(20, 900)))[0] == (375, 144)
    assert photo_strip("#1F4FD1", named(b"damaged")) == ()


def test_it_keeps_passes_light_whatever_a_shop_uploads() -> None:
    draw = random.Random(5)
    noise = [
        named(drawn(Image.frombytes("RGBA", size, draw.randbytes(size[0] * size[1] * 4))))
        for size in ((660, 206), (1032, 336))
    ]
    content = make_content(loyalty_type=LoyaltyType.POINTS, hero_url="/images/hero.png", logo_on_plate=True)
    pass_ = passes().make(content, make_facts(logo=noise[0], hero=noise[1]))
    assert len(pass_) < 1_000_000
    assert "strip@3x.png" not in open_pass(pass_).files


def drawn(image: Image.Image) -> bytes:
    """Store a picture."""
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def test_it_draws_each_picture_once(monkeypatch: pytest.MonkeyPatch) -> None:
    content = make_content(loyalty_type=LoyaltyType.POINTS, hero_url="/images/hero.png")
    facts = make_facts(logo=picture(61, 60), hero=picture(500, 201))
    first = open_pass(passes().make(content, facts)).files
    # The same names again: nothing is read or decoded.
    again = replace(facts, logo=picture(61, 60), hero=picture(500, 201))
    monkeypatch.setattr(Image, "open", None)
    second = open_pass(passes().make(replace(content, points_balance=1), again)).files
    assert [first[name] for name in PICTURES] == [second[name] for name in PICTURES]


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
    logos = [loaded(picture(5000, 5000)), b"<svg/>", b"GIF89a"]
    for data in map(loaded, whole):
        for _ in range(60):
            damaged = bytearray(data[: draw.randrange(1, len(data))] if draw.random() < 0.3 else data)
            for _ in range(5):
                damaged[draw.randrange(len(damaged))] = draw.randrange(256)
            logos.append(bytes(damaged))
    for logo in logos:
        assert sizes(pass_icon("#1F4FD1", "Ada", named(logo)))[0] == (29, 29)
