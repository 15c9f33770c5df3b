"""A bakery that is open: stamps and points, a cashier and a manager with PINs that can be typed, a tablet to pair."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import sqlalchemy as sa
from flask import Flask
from playwright.sync_api import Browser, Playwright, ViewportSize, expect, sync_playwright

from loyalty.database import db
from loyalty.models.cards import LoyaltyCard
from loyalty.services import pins, terminals
from tests.chromium import executable
from tests.factories import Card, Shop, make_card, make_key, make_reward, make_shop, open_session
from tests.tablet import ARGS, LANDSCAPE, Tablet, open_tablet

# A page is done at once, or this machine has much else to do; what passes waits for nothing.
expect.set_options(timeout=30_000)


@dataclass(frozen=True)
class OpenBakery:
    """The shop, the PINs of Ana and of the manager Max, and a fresh pairing code."""

    app: Flask
    shop: Shop
    ana: str
    max: str
    code: str
    cleo: Card

    def stamps_on(self, card: Card) -> int:
        """Count the stamps on a card, as the database has them."""
        return self._balance(LoyaltyCard.stamp_count, card)

    def points_on(self, card: Card) -> int:
        """Count the points on a card, as the database has them."""
        return self._balance(LoyaltyCard.points_balance, card)

    def _balance(self, column: sa.orm.InstrumentedAttribute[int], card: Card) -> int:
        with self.app.app_context():
            return int(db.session.execute(sa.select(column).where(LoyaltyCard.id == card.card_id)).scalar_one())


@pytest.fixture(scope="session")
def till_playwright() -> Iterator[Playwright]:
    """Playwright, once: it does not start twice at the same time."""
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def _chromium(till_playwright: Playwright) -> Iterator[Browser]:
    browser = till_playwright.chromium.launch(executable_path=executable(till_playwright), args=ARGS)
    yield browser
    browser.close()


@pytest.fixture
def till_browser(_chromium: Browser) -> Iterator[Browser]:
    """The Chromium of this worker; whatever a test has opened is closed behind it, or it would go on asking."""
    yield _chromium
    for context in _chromium.contexts:
        context.close()


@pytest.fixture
def open_bakery(app: Flask) -> OpenBakery:
    """Ada's bakery in the morning."""
    with app.app_context():
        shop = make_shop(
            "bakery", loyalty_type="hybrid", stamps_reward_description="1 free coffee", card_color="#0E5A4A"
        )
        make_reward(shop, "Cake", 100)
        key = make_key(shop.ada)
        code = terminals.create_code(actor=shop.ada, store_id=shop.store_id, label="Counter", key=key).code
        assert code is not None
        return OpenBakery(
            app=app,
            shop=shop,
            ana=_pin(shop, "Ana", "staff"),
            max=_pin(shop, "Max", "manager"),
            code=code,
            cleo=make_card(shop, stamps=3, name="Cleo Martin", phone="+352621123456"),
        )


def open_till(browser: Browser, live: str, bakery: OpenBakery, size: ViewportSize = LANDSCAPE) -> Tablet:
    """Open the tablet of the shop with Ben at work, where pairing and PIN are not what is tested."""
    with bakery.app.app_context():
        open_session(bakery.shop, bakery.shop.ben)
    tablet = open_tablet(browser, live, size)
    token, name = bakery.shop.terminal_token, bakery.app.config["TERMINAL_COOKIE_NAME"]
    tablet.page.context.add_cookies([{"name": name, "value": token, "url": live}])
    tablet.page.goto("/terminal")
    tablet.sees("Scan the customer’s card")
    return tablet


def _pin(shop: Shop, name: str, role: str) -> str:
    made = pins.create(actor=shop.ada, name=name, role=role, store_id=None, key=make_key(shop.ada))
    assert made.pin is not None
    return made.pin
