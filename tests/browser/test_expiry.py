"""Expiring points in a real Chromium: the warning on every face of a card, the outlook, points given back, tasks."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from loyalty.database import clock, db, transaction
from loyalty.domain.expiry import Decision, Step
from loyalty.jobs import sweep
from loyalty.models.cards import LoyaltyCard
from loyalty.services import accounts, expiry_cards, expiry_steps
from loyalty.services.expiry_cards import Night
from tests.browser.conftest import OpenBakery
from tests.browser.entering import sign_in
from tests.browser.test_office import assert_right, open_page
from tests.factories import Card, change_program, make_card, open_session
from tests.office import PASSWORD

pytestmark = pytest.mark.browser

SIZES: dict[str, ViewportSize] = {
    "phone": {"width": 390, "height": 844},
    "tablet": {"width": 1180, "height": 820},
    "desk": {"width": 1440, "height": 900},
}


@pytest.fixture
def chromium(till_browser: Browser) -> Browser:
    return till_browser


@pytest.fixture
def dora(open_bakery: OpenBakery) -> Card:
    """Dora's points have expired, Cleo has been warned, and the clock has run."""
    shop, now = open_bakery.shop, datetime.now(UTC)
    with open_bakery.app.app_context():
        # Before there is anything that it would find out of date.
        sweep.run(at=now)
        change_program(shop, points_expiration_days=365, loyalty_type="points")
        accounts.create_owner(vendor_id=shop.vendor_id, email="office@bakery.example", password=PASSWORD)
        accounts.create_user(email="root@example.org", password=PASSWORD, is_admin=True)
        dora = make_card(shop, points=240, name="Dora Weber")
        with transaction():
            for card_id in (open_bakery.cleo.card_id, dora.card_id):
                card = db.session.get_one(LoyaltyCard, card_id)
                card.points_balance, card.last_expiration_warning_at = 240, now
                card.points_good_until = (now + timedelta(days=9)).date()
        with transaction():
            rows = expiry_cards.lock(vendor_id=shop.vendor_id, card_ids=[dora.card_id])
            expiry_steps.take(steps=[(rows[0], Decision(Step.TAKE))], night=Night(now, "UTC", now.date()), now=clock())
        open_session(shop, shop.ben)
    return dora


def test_it_is_told_on_every_page(chromium: Browser, live: str, open_bakery: OpenBakery, dora: Card) -> None:
    shop, cleo = open_bakery.shop, open_bakery.cleo
    page = open_page(chromium, live)
    page.goto(f"/card/{cleo.public_token}")
    expect(page.get_by_text("Your points expire soon")).to_be_visible()
    looks_right(page)
    page.context.add_cookies([{"name": "terminal", "value": shop.terminal_token, "url": live}])
    page.goto(f"/terminal/cards/{cleo.card_id}?points=1")
    expect(page.get_by_text("Points expire after")).to_be_visible()
    looks_right(page)
    sign_in(page, "/office", "office@bakery.example")
    page.goto(f"/office/customers/{cleo.card_id}")
    expect(page.get_by_text("Points expire", exact=True)).to_be_visible()
    page.goto("/office/program")
    page.get_by_label("Points expire after").fill("400")
    expect(page.locator("#expiry").get_by_text("the points of 1 customer would expire")).to_be_visible()
    page.locator("#expiry").scroll_into_view_if_needed()
    looks_right(page)
    page.goto(f"/office/customers/{dora.card_id}")
    panel = page.locator("#expired")
    expect(panel.get_by_role("heading")).to_have_text("240 points have expired")
    panel.scroll_into_view_if_needed()
    looks_right(page)
    panel.get_by_label("Reason").fill("was ill")
    panel.get_by_role("button", name="Give the points back").click()
    expect(page.get_by_text("Points that are back on the card: 240.")).to_be_visible()
    expect(panel).to_have_count(0)
    page.context.clear_cookies()
    sign_in(page, "/admin", "root@example.org")
    page.goto("/admin/health")
    expect(page.get_by_text("Expiry of points")).to_be_visible()
    page.get_by_text("Expiry of points").scroll_into_view_if_needed()
    looks_right(page)
    page.context.close()


def looks_right(page: Page) -> None:
    """Nothing for axe, nothing beside the screen."""
    assert_right(page, *SIZES.values())
