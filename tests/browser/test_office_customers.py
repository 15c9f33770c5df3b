"""Customers in a real Chromium: found on a desk and on a phone, and a pass sent again with one tap."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Page, ViewportSize, expect

from loyalty.database import db, transaction
from loyalty.models.cards import LoyaltyCard
from loyalty.models.outbox import OutboxMessage
from loyalty.services import accounts, passes, stamps
from tests import apple_passes
from tests.browser.conftest import OpenBakery
from tests.browser.entering import sign_in
from tests.browser.test_office import DESK, PHONE, assert_right, open_page
from tests.factories import make_card, make_key
from tests.google_fake import GoogleFake
from tests.google_platform import google, save
from tests.office import PASSWORD
from tests.phone import Phone

__all__ = ["google"]
pytestmark = pytest.mark.browser

NARROW: ViewportSize = {"width": 320, "height": 700}


@pytest.fixture
def bakery(open_bakery: OpenBakery, google: GoogleFake) -> OpenBakery:
    """Cleo's card is in Google Wallet and in a phone; both are a stamp behind, and Google has refused."""
    shop, cleo = open_bakery.shop, open_bakery.cleo
    passes.configure(apple=apple_passes.passes())
    with open_bakery.app.app_context():
        accounts.create_owner(vendor_id=shop.vendor_id, email="office@bakery.example", password=PASSWORD)
        for name in ("Dora Weber", "Émile Kieffer-Schmitt de la Chapelle", "Fatou Diop"):
            make_card(shop, stamps=7, points=12_340, name=name)
        save(cleo)
        address = passes.find_apple_link(public_token=cleo.public_token) or ""
    phone = Phone(open_bakery.app.test_client())
    held = phone.add(urlsplit(address)._replace(scheme="", netloc="").geturl())
    assert phone.register(held) == 201
    with open_bakery.app.app_context():
        stamps.add(actor=shop.ben, card=cleo.ref, quantity=1, key=make_key(shop.ben))
        refused = {"gave_up_at": sa.func.now(), "last_error": "400 INVALID_ARGUMENT: loyaltyPoints", "attempts": 1}
        with transaction():
            told = sa.update(OutboxMessage).where(OutboxMessage.kind == "google.object")
            db.session.execute(told.where(OutboxMessage.delivered_at.is_(None)).values(**refused))
            fetched = sa.update(LoyaltyCard).where(LoyaltyCard.id == cleo.card_id)
            three_days_ago = sa.func.now() - sa.text("interval '3 days'")
            db.session.execute(fetched.values(apple_fetched_at=three_days_ago, google_told_at=three_days_ago))
    return open_bakery


@pytest.fixture(autouse=True)
def _passes_off_again() -> Iterator[None]:
    yield
    passes.configure(apple=None)


def open_customers(browser: Browser, live: str, size: ViewportSize) -> Page:
    page = open_page(browser, live, size)
    sign_in(page, "/office/customers", "office@bakery.example")
    expect(page.get_by_role("heading", level=1, name="Customers")).to_be_visible()
    return page


@pytest.mark.parametrize("sizes", [[DESK], [NARROW, PHONE]], ids=["desk", "phone"])
def test_it_finds_a_customer_and_sends_the_pass_again(
    till_browser: Browser, live: str, bakery: OpenBakery, sizes: list[ViewportSize]
) -> None:
    page = open_customers(till_browser, live, sizes[-1])
    assert_right(page, *sizes)
    page.get_by_role("link", name="Pass behind").click()
    expect(page.get_by_role("rowheader").get_by_role("link")).to_have_text(["Cleo Martin"])
    page.get_by_label("Name, card number, e-mail or phone").fill("nobody")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Nothing fits “nobody”.")).to_be_visible()
    assert_right(page, *sizes)
    page.get_by_role("link", name="Show all customers").click()
    page.get_by_role("link", name="Cleo Martin").click()
    expect(page.get_by_role("heading", level=1, name="Cleo Martin")).to_be_visible()
    wallets = page.get_by_role("region", name="In wallets")
    apple, by_google = wallets.get_by_role("article").all()
    expect(apple).to_contain_text("The pass in Apple Wallet shows 3 stamps and 0 points, the card has 4 stamps")
    expect(apple).to_contain_text("On 1 phone. Last fetched 3 days ago.")
    expect(by_google).to_contain_text("Sending was given up.")
    expect(by_google).to_contain_text("INVALID_ARGUMENT")
    assert_right(page, *sizes)
    wallets.get_by_role("button", name="Send the pass again").click()
    expect(page.get_by_text("The pass is being sent again.")).to_be_visible()
    expect(by_google).to_contain_text("Waiting to be sent, since today")
    page.get_by_label("Plus or minus").fill("-9")
    page.get_by_role("button", name="Correct the balance").click()
    expect(page).to_have_title(re.compile("^Error: Cleo Martin"))
    expect(page.get_by_role("heading", name="Some of the fields need another look.")).to_be_focused()
    assert_right(page, *sizes)
    page.get_by_label("Plus or minus").fill("2")
    page.get_by_label("Reason").fill("The tablet was broken")
    page.get_by_role("button", name="Correct the balance").click()
    expect(page.get_by_text("The balance is corrected: it is 6 now.")).to_be_visible()
    page.get_by_role("link", name=re.compile("Take back.*Stamp")).click()
    page.get_by_label("Reason").fill("A mistake")
    assert_right(page, *sizes)
    page.get_by_role("button", name="Take it back").click()
    expect(page.get_by_text("The entry is taken back.")).to_be_visible()
    page.get_by_role("link", name="Deactivate the card").click()
    page.get_by_label("Reason").fill("Lost")
    page.get_by_role("button", name="Deactivate the card").click()
    expect(page.get_by_text("Deactivated", exact=True)).to_be_visible()
    assert_right(page, *sizes)
    assert bakery.stamps_on(bakery.cleo) == 5
    page.context.close()
