"""Statistics in a real Chromium: read on a desk, on a phone and on paper, by eyes and by axe, in light and dark."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, ViewportSize, expect

from config import Config
from loyalty.services import accounts, points, stats_rollup
from tests.browser.entering import sign_in
from tests.browser.test_office import DESK, PHONE, assert_right
from tests.clocks import clock_at
from tests.factories import Card, Shop, make_card, make_key, make_reward, make_shop, make_store
from tests.office import PASSWORD
from tests.services.voiding import OPEN, stamp

pytestmark = pytest.mark.browser

AT = datetime(2026, 6, 30, 15, tzinfo=UTC)
NARROW: ViewportSize = {"width": 320, "height": 700}
PLACES = ("", "?days=365", "?first=2026-06-29", "/customers", "/customers?months=24", "/revenue", "/staff")


@pytest.fixture
def shop(app: Flask, config: Config, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """Ada's bakery, with an owner who can sign in, on an evening in June."""
    monkeypatch.setitem(app.config, "CONFIG", replace(config, clock_offset=AT - datetime.now(UTC)))
    with app.app_context():
        made = make_shop(**OPEN, stamps_reward_value_cents=505)
        accounts.create_owner(vendor_id=made.vendor_id, email="office@bakery.example", password=PASSWORD)
    return made


@pytest.fixture
def bakery(app: Flask, shop: Shop) -> Shop:
    """Two stores, and two months of customers who come more and more often; Luc came twice and no more."""
    with app.app_context():
        make_reward(shop, "Croissant", 50, value_cents=181)
        station = replace(shop, ben=replace(shop.ben, store_id=make_store(shop, name="Gare routière de Differdange")))
        with clock_at(AT - timedelta(days=60)):
            regulars = [make_card(shop, name=name) for name in ("Émile Kieffer-Schmitt de la Chapelle", "Fatou Diop")]
            luc = make_card(station, name="Luc Thill")
        for day in (58, 56):
            with clock_at(AT - timedelta(days=day)):
                stamp(station, luc)
        for day in range(55, -1, -1):
            for number, card in enumerate(regulars):
                visit(shop if (day + number) % 3 else station, card, day, number)
        with clock_at(AT):
            regulars.append(make_card(shop, name="Dora Weber"))
        stats_rollup.roll_up(at=AT)
    return shop


def visit(place: Shop, card: Card, day: int, number: int) -> None:
    with clock_at(AT - timedelta(days=day, hours=number * 2 + day % 5 + 1)):
        if (day * 7 + number) % (2 + day // 8) == 0:
            stamp(place, card)
        elif day % 9 == 0:
            key = make_key(place.ben)
            points.earn(actor=place.ben, card=card.ref, purchase_amount_cents=1250 + day, key=key)


def open_statistics(browser: Browser, live: str) -> Page:
    context = browser.new_context(base_url=live, viewport=DESK, bypass_csp=True, reduced_motion="reduce")
    return enter(context.new_page())


def enter(page: Page) -> Page:
    page.set_default_timeout(60_000)
    sign_in(page, "/office/statistics", "office@bakery.example")
    expect(page.get_by_role("heading", level=1, name="Statistics")).to_be_visible()
    return page


def assert_fine(page: Page) -> None:
    assert_right(page, DESK, PHONE, NARROW)


def test_it_leaves_nothing_to_axe(till_browser: Browser, live: str, app: Flask, bakery: Shop) -> None:
    page = open_statistics(till_browser, live)
    for place in PLACES:
        page.goto(f"/office/statistics{place}")
        for summary in page.locator("main summary").all():
            summary.click()
        assert_fine(page)
    page.get_by_role("button", name="Count per member of staff").click()
    expect(page.get_by_text("From today on it is counted what each member of staff does.")).to_be_visible()
    with app.app_context():
        with clock_at(AT):
            stamp(bakery, make_card(bakery, name="Nora Klein"))
        stats_rollup.roll_up(at=AT)
    page.goto("/office/statistics/staff")
    expect(page.get_by_text("Most entries are by Ben: 5.")).to_be_visible()
    assert_fine(page)
    page.goto("/office/statistics?first=2026-06-30&last=2026-06-01")
    expect(page.get_by_role("heading", name="Some of the fields need another look.")).to_be_focused()
    assert_fine(page)
    page.goto("/office")
    expect(page.get_by_role("heading", name="The last 30 days")).to_be_visible()
    assert_fine(page)
    page.context.close()


def test_it_finds_the_days_and_the_store_without_scripts(till_browser: Browser, live: str, bakery: Shop) -> None:
    context = till_browser.new_context(base_url=live, viewport=DESK, java_script_enabled=False)
    page = enter(context.new_page())
    page.get_by_role("link", name="90 days").click()
    expect(page.get_by_role("link", name="90 days")).to_have_attribute("aria-current", "page")
    page.get_by_label("From").fill("2026-06-01")
    page.get_by_label("Store", exact=True).select_option("Main Street")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("1 Jun 2026 to 30 Jun 2026 · Main Street")).to_be_visible()
    expect(page.get_by_role("img", name=re.compile(r"^Visits a day .*The best day was"))).to_be_visible()
    page.get_by_text("The numbers of the chart").click()
    expect(page.get_by_role("region", name="The numbers of the chart").get_by_role("row")).to_have_count(31)
    page.get_by_role("navigation", name="Statistics").get_by_role("link", name="Customers").click()
    expect(page.get_by_text("1 Jun 2026 to 30 Jun 2026 · Main Street")).to_be_visible()
    context.close()


def test_it_prints_the_numbers_and_no_buttons(till_browser: Browser, live: str, bakery: Shop) -> None:
    page = open_statistics(till_browser, live)
    numbers = page.get_by_role("table", name="Visits, new cards, rewards and all entries, by day")
    expect(numbers).to_be_hidden()
    page.emulate_media(media="print")
    expect(page.get_by_role("row", name="30 Jun 2026 2 1 1 0 3")).to_be_visible()
    expect(page.get_by_role("button", name="Show")).to_be_hidden()
    expect(page.get_by_role("navigation", name="Office")).to_be_hidden()
    page.context.close()
