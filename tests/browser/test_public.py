"""The join page and the card page in a real Chromium, on a phone: light and dark, with and without JavaScript."""

from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, ViewportSize, expect

from loyalty.domain.values import CardRef
from loyalty.services import card_views, stamps
from tests import axe
from tests.browser.page_time import hold_time
from tests.factories import Shop, make_card, make_key, make_shop

pytestmark = pytest.mark.browser

PHONE: ViewportSize = {"width": 390, "height": 844}
SMALL: ViewportSize = {"width": 360, "height": 640}


@pytest.fixture
def chromium(till_browser: Browser) -> Browser:
    return till_browser


@pytest.fixture
def bakery(app: Flask) -> Shop:
    """Ada's bakery, where the first stamp is a present."""
    with app.app_context():
        return make_shop(
            vendor={"name": "Ada's Bakery"},
            card_color="#0E5A4A",
            stamps_reward_description="1 free coffee",
            welcome_stamps=1,
        )


def open_phone(chromium: Browser, live: str, size: ViewportSize = PHONE, **options: Any) -> Page:  # as Playwright takes
    # axe is put into the page by the test; the pages' own policy would rightly refuse it.
    context = chromium.new_context(base_url=live, viewport=size, bypass_csp=True, **options)
    page = context.new_page()
    page.set_default_timeout(60_000)
    return page


def join(page: Page, address: str = "cleo@example.org") -> None:
    page.goto("/join/bakery")
    page.get_by_label("Your e-mail address").fill(address)
    page.get_by_role("button", name="Get my card").click()


def stamp(page: Page, shop: Shop, app: Flask) -> None:
    """Stamp the card on the page, at the till."""
    with app.app_context():
        card = card_views.get_public(token=page.url.rpartition("/")[2].partition("?")[0])
        stamps.add(actor=shop.ben, card=CardRef(card_id=card.card_id), quantity=1, key=make_key(shop.ben))


def assert_accessible(page: Page) -> None:
    assert axe.faults(page) == []
    assert_no_sideways_scroll(page)


def assert_right(page: Page) -> None:
    """Nothing for axe, in light and dark, and nothing beside the screen."""
    assert axe.faults_in_both(page) == []
    assert_no_sideways_scroll(page)


def assert_no_sideways_scroll(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_it_is_accessible_in_every_state(chromium: Browser, live: str, bakery: Shop, app: Flask) -> None:
    with app.app_context():
        known = make_card(bakery, email="known@example.org", stamps=9)
    page = open_phone(chromium, live)
    page.goto("/join/bakery")
    assert_right(page)
    join(page, "nothing")
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("Your e-mail address")).to_have_value("nothing")
    assert_right(page)
    join(page, "known@example.org")
    expect(page.get_by_role("heading", name="You have a card already")).to_be_visible()
    assert_right(page)
    join(page)
    expect(page.get_by_role("heading", name="Your card is ready")).to_be_visible()
    assert_right(page)
    for address in (f"/card/{known.public_token}", "/card/nothing", "/terms/bakery", "/join/nobody"):
        page.goto(address)
        assert_right(page)


@pytest.mark.parametrize("size", [PHONE, SMALL], ids=["phone", "small phone"])
def test_it_shows_the_button_without_scrolling(chromium: Browser, live: str, bakery: Shop, size: ViewportSize) -> None:
    page = open_phone(chromium, live, size)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/join/bakery")
    box = page.get_by_role("button", name="Get my card").bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= size["height"]
    assert len(asked) <= 5
    assert all(address.startswith(live) for address in asked)


def test_it_works_without_javascript(chromium: Browser, live: str, bakery: Shop) -> None:
    page = open_phone(chromium, live, java_script_enabled=False)
    join(page)
    expect(page.get_by_role("heading", name="Your card is ready")).to_be_visible()
    expect(page.get_by_text("9 more stamps for: 1 free coffee.")).to_be_visible()


def test_it_shows_the_stamp_when_somebody_looks_again(chromium: Browser, live: str, bakery: Shop, app: Flask) -> None:
    page = open_phone(chromium, live)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    join(page)
    expect(page.get_by_text("9 more stamps for: 1 free coffee.")).to_be_visible()
    # The script that looks comes last.
    page.wait_for_load_state()
    stamp(page, bakery, app)
    page.evaluate("dispatchEvent(new Event('focus'))")
    expect(page.locator("#live").get_by_text("8 more stamps for: 1 free coffee.")).to_be_visible()
    expect(page.locator(".stamps .new")).to_have_count(1)
    assert complaints == []


def test_it_looks_for_news_every_fifteen_seconds(chromium: Browser, live: str, bakery: Shop, app: Flask) -> None:
    page = open_phone(chromium, live)
    hold_time(page)
    join(page)
    expect(page.get_by_text("9 more stamps for: 1 free coffee.")).to_be_visible()
    # The count of the fifteen seconds begins when the page's script has run.
    page.wait_for_load_state()
    stamp(page, bakery, app)
    page.clock.run_for(14_000)
    expect(page.get_by_text("9 more stamps for: 1 free coffee.")).to_be_visible()
    page.clock.run_for(2_000)
    expect(page.locator("#live").get_by_text("8 more stamps for: 1 free coffee.")).to_be_visible()
