"""The card in its wallets in a real Chromium: the preview beside the form, and the buttons on the card's page."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect

from loyalty.domain.stamp_grid import stamp_grid
from loyalty.services import accounts, passes
from loyalty.wallets import strip
from tests import apple_passes
from tests.browser.conftest import OpenBakery
from tests.browser.entering import sign_in
from tests.browser.test_office import DESK, assert_right
from tests.factories import change_program
from tests.office import PASSWORD
from tests.tablet import PHONE

pytestmark = pytest.mark.browser

SMALL: ViewportSize = {"width": 320, "height": 640}
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Mobile/15E148 Safari"
VIEWS = ("Web", "Apple Wallet", "Google Wallet")


def open_program(browser: Browser, live: str, bakery: OpenBakery, **options: Any) -> Page:  # as Playwright takes
    with bakery.app.app_context():
        accounts.create_owner(vendor_id=bakery.shop.vendor_id, email="office@bakery.example", password=PASSWORD)
    context = browser.new_context(base_url=live, **{"viewport": DESK, "bypass_csp": True, **options})
    context.set_default_timeout(60_000)
    page = context.new_page()
    sign_in(page, "/office/program", "office@bakery.example")
    expect(page.get_by_role("heading", level=1, name="Program")).to_be_visible()
    return page


def press(page: Page, words: str) -> None:
    """Choose another view: its link is the current one then, and still has the focus."""
    link = page.get_by_role("link", name=words, exact=True)
    with page.expect_response("**/office/program/preview*"):
        link.click()
    expect(link).to_have_attribute("aria-current", "true")
    expect(link).to_be_focused()


def middle(element: Locator) -> tuple[float, float, float]:
    """Where an element stands on the page: its middle, and its width."""
    box = element.bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, box["width"]


@pytest.fixture
def making() -> Iterator[None]:
    """Apple passes are made."""
    passes.configure(apple=apple_passes.passes())
    yield
    passes.configure(apple=None)


@pytest.mark.parametrize(("kind", "narrow"), [("hybrid", PHONE), ("points", SMALL)], ids=["hybrid", "points"])
def test_it_leaves_nothing_to_axe_in_any_view(
    till_browser: Browser, live: str, open_bakery: OpenBakery, kind: str, narrow: ViewportSize
) -> None:
    with open_bakery.app.app_context():
        change_program(open_bakery.shop, loyalty_type=kind)
    page = open_program(till_browser, live, open_bakery)
    press(page, "Full")
    for view in reversed(VIEWS):
        press(page, view)
        assert_right(page, DESK, narrow)
    page.context.close()


def test_it_keeps_the_view_and_the_words_while_somebody_types(
    till_browser: Browser, live: str, open_bakery: OpenBakery
) -> None:
    page = open_program(till_browser, live, open_bakery)
    page.get_by_label("The reward", exact=True).fill("Two croissants")
    press(page, "Apple Wallet")
    expect(page.locator(".pass.apple")).to_contain_text("Two croissants")
    expect(page.get_by_label("The reward", exact=True)).to_have_value("Two croissants")
    press(page, "Full")
    page.get_by_label("Stamps for a reward").fill("8")
    expect(page.locator(".pass.apple .pass-counts")).to_contain_text("8/8")
    expect(page.locator(".pass.apple")).to_contain_text("Reward ready")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The program is saved.")).to_be_visible()
    expect(page.locator(".pass.apple .pass-counts")).to_contain_text("8/8")
    page.context.close()


def test_it_changes_the_view_without_scripts_and_loses_nothing(
    till_browser: Browser, live: str, open_bakery: OpenBakery
) -> None:
    page = open_program(till_browser, live, open_bakery, java_script_enabled=False)
    page.get_by_label("Name of the card").fill("Bread card")
    page.get_by_role("radio", name="Google Wallet").check(force=True)
    page.get_by_role("radio", name="New").check(force=True)
    page.get_by_role("button", name="Update preview").click()
    expect(page.locator(".pass.google")).to_contain_text("Bread card")
    expect(page.locator(".pass.google")).to_contain_text("0/10")
    expect(page.get_by_label("Name of the card")).to_have_value("Bread card")
    expect(page.get_by_role("radio", name="Google Wallet")).to_be_checked()
    page.context.close()


def test_it_draws_the_stamps_where_the_strip_of_the_pass_has_them(
    till_browser: Browser, live: str, open_bakery: OpenBakery
) -> None:
    page = open_program(till_browser, live, open_bakery)
    for target in (1, 3, 5, 7, 10, 11, 15, 18, 20):
        with open_bakery.app.app_context():
            change_program(open_bakery.shop, stamps_target=target)
        page.goto("/office/program?as=apple")
        face = page.locator(".pass-face").bounding_box()
        assert face
        points = strip.WIDTH / face["width"]
        assert face["height"] * points == pytest.approx(strip.HEIGHT, abs=0.5)
        grid = stamp_grid(target, 4, strip=True)
        for slot, drawn in zip(grid.slots, page.locator(".pass.apple .stamps li").all(), strict=True):
            place = strip._place(grid, slot)
            x, y, width = middle(drawn)
            found = [(x - face["x"]) * points, (y - face["y"]) * points, width * points]
            expected = [place.x / strip._DRAWN, place.y / strip._DRAWN, 2 * place.radius / strip._DRAWN]
            assert found == pytest.approx(expected, abs=0.75), target
    page.context.close()


def test_it_offers_the_wallet_right_under_the_card(
    till_browser: Browser, live: str, open_bakery: OpenBakery, making: None
) -> None:
    context = till_browser.new_context(base_url=live, viewport=PHONE, user_agent=IPHONE, bypass_csp=True)
    page = context.new_page()
    page.goto(f"/card/{open_bakery.cleo.public_token}?new=1")
    button = page.get_by_role("link", name="Add to Apple Wallet")
    box, code = button.bounding_box(), page.locator(".pass").bounding_box()
    assert box
    assert code
    assert box["height"] >= 48
    # Eight clear on every side, and nothing between the card and its button.
    assert 8 <= box["y"] - (code["y"] + code["height"]) <= 48
    assert_right(page, PHONE)
    context.close()


def test_it_stays_light_with_everything_on_it(
    till_browser: Browser, live: str, open_bakery: OpenBakery, making: None
) -> None:
    page = till_browser.new_context(base_url=live).new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"/card/{open_bakery.cleo.public_token}?new=1")
    expect(page.get_by_role("img", name="QR code of the address of this page")).to_be_visible()
    leaves = [address for address in asked if not address.endswith("icon.svg")]
    assert len(leaves) <= 6
    assert all(address.startswith(live) for address in leaves)
    page.context.close()
