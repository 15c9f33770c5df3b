"""Pictures in passes: the shop's logo and photograph, as they are now."""

from loyalty.services import images
from loyalty.services.images import Shape
from tests.factories import change_program
from tests.phone import HeldPass
from tests.pictures import make_picture, opened
from tests.web.apple.conftest import Bakery


def keep_picture(bakery: Bakery, column: str, colour: str, shape: Shape) -> str:
    """Have Ada take a picture for her card."""
    with bakery.app.app_context():
        address = images.keep(actor=bakery.shop.ada, data=make_picture(shape.value, colour), shape=shape)
        change_program(bakery.shop, **{column: address})
    return address


def colour_in(held: HeldPass, name: str) -> tuple[int, ...]:
    """The colour in the middle of a picture of the pass."""
    picture = opened(held.opened.files[name]).convert("RGB")
    pixel = picture.getpixel((picture.width // 2, picture.height // 2))
    assert isinstance(pixel, tuple)
    return tuple(int(part) for part in pixel)


def test_it_shows_the_shop_s_logo_from_when_it_is_there(bakery: Bakery) -> None:
    phone = bakery.phone()
    held = phone.add(bakery.address)
    letter = held.opened.files["logo.png"]
    for colour, shown in (("#AA3311", (0xAA, 0x33, 0x11)), ("#22CC44", (0x22, 0xCC, 0x44))):
        keep_picture(bakery, "logo_url", colour, Shape.LOGO)
        assert phone.fetch(held.serial).status_code == 200
        assert colour_in(held, "logo@3x.png") == colour_in(held, "icon@2x.png") == shown
    with bakery.app.app_context():
        change_program(bakery.shop, logo_url=None)
    phone.fetch(held.serial)
    assert held.opened.files["logo.png"] == letter


def test_it_puts_a_logo_in_the_card_s_colour_on_a_white_plate(bakery: Bakery) -> None:
    phone = bakery.phone()
    held = phone.add(bakery.address)
    keep_picture(bakery, "logo_url", "#4F46E5", Shape.LOGO)
    phone.fetch(held.serial)
    picture = opened(held.opened.files["logo@3x.png"]).convert("RGBA")
    assert picture.getpixel((picture.width // 2, 3)) == (255, 255, 255, 255)
    with bakery.app.app_context():
        change_program(bakery.shop, card_color="#FFFFFF")
    phone.fetch(held.serial)
    picture = opened(held.opened.files["logo@3x.png"]).convert("RGBA")
    assert picture.getpixel((picture.width // 2, 3)) == (0x4F, 0x46, 0xE5, 255)


def test_it_shows_the_photograph_of_a_points_card_alone(bakery: Bakery) -> None:
    phone = bakery.phone()
    held = phone.add(bakery.address)
    stamps = held.opened.files["strip.png"]
    keep_picture(bakery, "hero_image_url", "#AA3311", Shape.HERO)
    phone.fetch(held.serial)
    assert held.opened.files["strip.png"] == stamps
    with bakery.app.app_context():
        change_program(bakery.shop, loyalty_type="points")
    phone.fetch(held.serial)
    assert colour_in(held, "strip@2x.png") == (0xAA, 0x33, 0x11)


def test_it_makes_the_pass_although_the_picture_is_gone_from_the_data_folder(bakery: Bakery) -> None:
    phone = bakery.phone()
    held = phone.add(bakery.address)
    with bakery.app.app_context():
        change_program(
            bakery.shop, logo_url=f"/images/{'0' * 32}.png", hero_image_url="https://elsewhere.example/x.png"
        )
    assert phone.fetch(held.serial).status_code == 200
    assert held.stamps == "3/10"
