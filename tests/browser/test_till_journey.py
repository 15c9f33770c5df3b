"""A customer's way through the shop on two screens: the tablet on the counter and the phone in the hand."""

import re
from pathlib import Path

import pytest
import qrcode
from PIL import Image
from playwright.sync_api import Browser, Page, Playwright, ViewportSize, expect

from tests.browser.conftest import OpenBakery
from tests.chromium import executable
from tests.factories import Card, make_card
from tests.tablet import ARGS, LANDSCAPE, PHONE, Tablet, open_tablet

pytestmark = pytest.mark.browser


@pytest.fixture(params=[LANDSCAPE, PHONE], ids=["tablet", "phone"])
def size(request: pytest.FixtureRequest) -> ViewportSize:
    """The two sizes that a till comes in."""
    chosen: ViewportSize = request.param
    return chosen


def test_it_serves_a_customer_from_joining_to_the_reward(
    till_browser: Browser, live: str, open_bakery: OpenBakery, size: ViewportSize
) -> None:
    phone = _join(till_browser, live)
    number = re.sub(r"\D", "", phone.locator(".qr figcaption").inner_text())
    tablet = open_tablet(till_browser, live, size)
    tablet.pair(open_bakery.code)
    tablet.sign_in("Ana", open_bakery.ana)
    tablet.sees("Scan the customer’s card")
    tablet.scan(number)
    tablet.sees(re.compile("Card "))
    tablet.tap("Stamp")
    tablet.sees("Stamp added: 1 of 10")
    _shows_by_itself(phone, "Stamps", "1/10")
    _cooldown(tablet, number)
    _points(tablet, phone)
    _reward(tablet)
    assert tablet.complaints == []
    tablet.page.context.close()
    phone.context.close()


def test_it_reads_a_card_with_the_camera(
    till_playwright: Playwright, live: str, open_bakery: OpenBakery, size: ViewportSize, tmp_path: Path
) -> None:
    film = tmp_path / "camera.y4m"
    _film(film, open_bakery.cleo)
    camera = [
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    ]
    chromium = till_playwright.chromium
    browser = chromium.launch(executable_path=executable(till_playwright), args=[*ARGS, *camera])
    tablet = open_tablet(browser, live, size, permissions=["camera"])
    tablet.pair(open_bakery.code)
    tablet.sign_in("Ana", open_bakery.ana)
    tablet.tap("Use the camera")
    tablet.sees("Cleo Martin")
    tablet.tap("Stamp")
    tablet.sees("Stamp added: 4 of 10")
    # Started once, the camera waits for the next customer by itself.
    tablet.tap("Next customer")
    tablet.sees("Cleo Martin")
    assert tablet.complaints == []
    browser.close()


def test_it_works_without_scripts(till_browser: Browser, live: str, open_bakery: OpenBakery) -> None:
    tablet = open_tablet(till_browser, live, java_script_enabled=False)
    page = tablet.page
    tablet.pair(open_bakery.code)
    page.get_by_role("radio", name="Ana", exact=True).check()
    page.get_by_label("Your PIN").fill(open_bakery.ana)
    page.get_by_role("button", name="Unlock").click()
    tablet.sees("Scan the customer’s card")
    # The field has the focus, so that a scanner works here without scripts, too.
    tablet.scan(open_bakery.cleo.scan_code)
    tablet.sees("Cleo Martin")
    tablet.scan(open_bakery.cleo.scan_code)
    assert open_bakery.stamps_on(open_bakery.cleo) == 3
    tablet.tap("Stamp")
    tablet.sees("Stamp added: 4 of 10")
    page.locator("#last").get_by_role("button", name="Undo").click()
    tablet.sees("Stamp removed: 3 of 10")
    tablet.tap("Same customer")
    tablet.tap("Points")
    page.get_by_label("Amount of the purchase").fill("12,5")
    tablet.tap("Show the points")
    expect(page.locator("#gives")).to_have_text("= 125 points")
    tablet.tap("Add points")
    tablet.sees("125 points added")
    tablet.page.context.close()


def test_it_shows_the_card_of_a_customer_who_joins_at_the_counter(
    till_browser: Browser, live: str, open_bakery: OpenBakery
) -> None:
    tablet = open_tablet(till_browser, live)
    tablet.pair(open_bakery.code)
    tablet.sign_in("Ana", open_bakery.ana)
    tablet.tap("New customer")
    tablet.sees("New customer")
    expect(tablet.page.get_by_text("Waiting for the customer")).to_be_visible()
    with open_bakery.app.app_context():
        make_card(open_bakery.shop, name="Nora Weber")
    tablet.sees("Nora Weber")
    tablet.page.context.close()


def _join(browser: Browser, live: str) -> Page:
    phone = browser.new_context(base_url=live, viewport=PHONE).new_page()
    # The page looks for news every fifteen seconds, and nobody here waits for them.
    phone.clock.install()
    phone.goto("/join/bakery?store=main")
    phone.locator("input[type=email]").fill("lea@example.org")
    if phone.get_by_role("checkbox").count():
        phone.get_by_role("checkbox").first.check()
    phone.get_by_role("button", name="Get my card").click()
    expect(phone.locator(".qr figcaption")).to_be_visible()
    return phone


def _shows_by_itself(phone: Page, balance: str, value: str) -> None:
    phone.clock.run_for(16_000)
    expect(phone.locator(".pass-count", has_text=balance)).to_contain_text(value)


def _cooldown(tablet: Tablet, number: str) -> None:
    tablet.tap("Next customer")
    tablet.sees("Scan the customer’s card")
    tablet.page.get_by_label("Card number").fill(number)
    tablet.tap("Find card")
    expect(tablet.page.locator("#card .note")).to_contain_text(re.compile(r"Next stamp from \d\d:\d\d"))
    expect(tablet.page.locator("#card .note")).to_contain_text(re.compile(r"Last stamp at \d\d:\d\d by Ana\."))
    button = tablet.page.get_by_role("button", name=re.compile(r"^From \d\d:\d\d"))
    expect(button).to_have_attribute("aria-disabled", "true")
    button.click(force=True)
    expect(button).to_be_visible()


def _points(tablet: Tablet, phone: Page) -> None:
    tablet.tap("Points")
    tablet.page.get_by_label("Amount of the purchase").fill("12,5")
    expect(tablet.page.locator("#gives")).to_have_text("= 125 points")
    tablet.tap("Add 125 points")
    tablet.sees("125 points added")
    _shows_by_itself(phone, "Points", "125")


def _reward(tablet: Tablet) -> None:
    tablet.tap("Redeem: Cake (100 points)")
    tablet.sees("Give Cake?")
    tablet.tap("Give reward")
    tablet.sees("Reward given: Cake")
    tablet.tap("Undo")
    tablet.sees("Reward taken back: 125 points")


def _film(path: Path, card: Card) -> None:
    """Write a film of a card that is held into the camera."""
    code = qrcode.QRCode(version=1, error_correction=qrcode.ERROR_CORRECT_Q, box_size=10, border=4)
    code.add_data(card.scan_code)
    code.make(fit=False)
    frame = Image.new("RGB", (640, 480), (150, 140, 130))
    frame.paste(code.make_image().get_image().convert("RGB").rotate(8, fillcolor=(150, 140, 130)), (170, 90))
    brightness, blue, red = frame.convert("YCbCr").split()
    picture = brightness.tobytes() + blue.resize((320, 240)).tobytes() + red.resize((320, 240)).tobytes()
    header = b"YUV4MPEG2 W640 H480 F10:1 Ip A1:1 C420jpeg\n"
    path.write_bytes(header + (b"FRAME\n" + picture) * 3)
