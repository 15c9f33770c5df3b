"""A customer's own data on a phone, in a real Chromium: light and dark, with and without JavaScript."""

import re
import zipfile
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from loyalty.database import db
from loyalty.models.mail import Confirmation
from loyalty.services import links
from tests.browser.test_public import assert_accessible, bakery, chromium, open_phone
from tests.factories import Card, Shop, make_card

pytestmark = pytest.mark.browser

__all__ = ["bakery", "chromium"]

Look = Callable[[Page], object]


def prove(page: Page, app: Flask, card: Card, look: Look) -> None:
    """Go from the card by the mailed link to one's data."""
    page.goto(f"/card/{card.public_token}")
    page.get_by_role("link", name="My data").click()
    expect(page.get_by_role("heading", level=1, name="My data")).to_be_visible()
    expect(page.get_by_text("cleo@example.org")).to_have_count(0)
    look(page)
    page.get_by_role("button", name="Send me the link").click()
    expect(page.get_by_role("heading", name="Look at your mail")).to_be_visible()
    look(page)
    with app.app_context():
        asked = db.session.scalars(sa.select(Confirmation.id).where(Confirmation.kind == "my_data")).one()
        page.goto("/" + links.my_data(card.public_token, asked).split("/", 3)[3])
    look(page)
    page.get_by_role("button", name="Open my data").click()
    expect(page.get_by_text("cleo@example.org")).to_be_visible()


@pytest.mark.parametrize(("scheme", "script"), [("light", True), ("dark", False)], ids=["light", "dark-without-script"])
def test_it_shows_corrects_hands_out_and_forgets(
    chromium: Browser, live: str, bakery: Shop, app: Flask, scheme: str, script: bool
) -> None:
    with app.app_context():
        cleo = make_card(bakery, stamps=3, email="cleo@example.org", name="Cleo Martin")
    # axe is a script itself.
    look: Look = assert_accessible if script else expect
    page = open_phone(chromium, live, color_scheme=scheme, java_script_enabled=script)
    prove(page, app, cleo, look)
    look(page)
    page.get_by_label("Your name").fill("Cleo Muller")
    page.get_by_label("The shop may send me news and offers").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Your data is saved.")).to_be_visible()
    expect(page.get_by_text("News: yes")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download my data").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert "Cleo Muller" in archive.read("customers.csv").decode()
    page.get_by_role("link", name="Delete my data").click()
    look(page)
    page.get_by_role("button", name="Delete in a week").click()
    expect(page.get_by_role("heading", name=re.compile("are deleted on"))).to_be_visible()
    look(page)
    page.get_by_role("button", name="Keep my card").click()
    expect(page.get_by_text("Your card stays.")).to_be_visible()
    page.get_by_role("link", name="My data").click()
    page.get_by_role("link", name="Delete my data").click()
    page.get_by_text("I do not want to wait").click()
    page.get_by_role("button", name="Delete at once, for good").click()
    expect(page.get_by_role("heading", name="Everything is deleted")).to_be_visible()
    look(page)


def test_it_says_how_the_shop_keeps_data(chromium: Browser, live: str, bakery: Shop) -> None:
    page = open_phone(chromium, live)
    page.goto("/join/bakery")
    page.get_by_role("link", name="data", exact=True).click()
    expect(page.get_by_role("heading", level=1, name="How Ada's Bakery keeps your data")).to_be_visible()
    assert_accessible(page)
