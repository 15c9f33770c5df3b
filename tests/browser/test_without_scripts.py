"""The work of a shop and of the platform in a real Chromium that runs no scripts: every tap leads to a page."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from loyalty.database import db
from loyalty.models.cards import LoyaltyCard
from loyalty.models.customers import Customer
from loyalty.models.mail import EmailLog
from loyalty.services import accounts, links
from tests import bulk
from tests.accounts import make_admin
from tests.browser.conftest import OpenBakery
from tests.browser.entering import enter_platform, sign_in
from tests.browser.test_admin_day import work
from tests.browser.test_office import DESK, PHONE, open_page
from tests.factories import make_card
from tests.office import PASSWORD

pytestmark = pytest.mark.browser

OWNER, ROOT, FLORA = "office@bakery.example", "root@platform.example", "flora@florist.example"


@pytest.fixture
def bakery(open_bakery: OpenBakery) -> OpenBakery:
    """Ada can sign in, and Dora is a customer beside Cleo."""
    with open_bakery.app.app_context():
        accounts.create_owner(vendor_id=open_bakery.shop.vendor_id, email=OWNER, password=PASSWORD)
        make_card(open_bakery.shop, stamps=1, name="Dora Weber", email="dora@example.org")
    return open_bakery


@pytest.fixture
def page(till_browser: Browser, live: str) -> Iterator[Page]:
    """A desk without scripts."""
    page = open_page(till_browser, live, DESK, java_script_enabled=False)
    yield page
    page.context.close()


def press(page: Page, name: str | re.Pattern[str]) -> None:
    """Press a button and come to a whole page: it has a language, a title, and one heading of its own."""
    page.get_by_role("button", name=name, exact=True).click()
    assert_whole(page)


def follow(page: Page, name: str) -> None:
    """Follow a link to a whole page."""
    page.get_by_role("main").get_by_role("link", name=name).click()
    assert_whole(page)


def assert_whole(page: Page) -> None:
    expect(page.locator("html[lang] head title")).to_have_count(1)
    expect(page.locator("main h1")).to_have_count(1)


def says(page: Page, text: str) -> None:
    expect(page.get_by_text(text)).to_be_visible()


def test_it_offers_rewards(page: Page, bakery: OpenBakery) -> None:
    sign_in(page, "/office/rewards", OWNER)
    page.get_by_label("Name of the reward").fill("Croissant")
    page.get_by_label("Price in points").fill("many")
    press(page, "Add the reward")
    expect(page.get_by_label("Name of the reward")).to_have_value("Croissant")
    follow(page, "Write a whole number in digits.")
    expect(page.get_by_label("Price in points")).to_have_value("many")
    page.get_by_label("Price in points").fill("150")
    press(page, "Add the reward")
    expect(page.get_by_role("rowheader")).to_have_text(["Cake", "Croissant"])
    press(page, re.compile("^Up.*Croissant"))
    expect(page.get_by_role("rowheader")).to_have_text(["Croissant", "Cake"])
    press(page, re.compile("^Take off.*Cake"))
    expect(page.get_by_role("row").filter(has_text="Cake")).to_contain_text("Off the offer")
    follow(page, "Croissant")
    page.get_by_label("Price in points").fill("120")
    press(page, "Save")
    expect(page.get_by_role("row").filter(has_text="Croissant")).to_contain_text("120")


def test_it_looks_after_a_customer(page: Page, bakery: OpenBakery) -> None:
    sign_in(page, "/office/customers", OWNER)
    find(page)
    correct_the_balance(page)
    correct_the_address(page)
    follow(page, "Replace the card")
    press(page, "Replace the card")
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("Reason").fill("Lost on the bus")
    press(page, "Replace the card")
    says(page, "The card is replaced.")
    says(page, "Replaced on")
    assert bakery.stamps_on(bakery.cleo) == 5
    with bakery.app.app_context():
        card = db.session.get_one(LoyaltyCard, bakery.cleo.card_id)
        assert card.public_token != bakery.cleo.public_token
        assert db.session.get_one(Customer, card.customer_id).email == "cleo.martin@example.org"


def find(page: Page) -> None:
    page.get_by_label("Name, card number, e-mail or phone").fill("nobody")
    press(page, "Search")
    follow(page, "Show all customers")
    page.get_by_label("Name, card number, e-mail or phone").fill("cleo")
    press(page, "Search")
    expect(page.get_by_role("rowheader")).to_have_count(1)
    follow(page, "Cleo Martin")


def correct_the_balance(page: Page) -> None:
    page.get_by_label("Plus or minus").fill("-9")
    page.get_by_label("Reason").fill("The tablet was broken")
    press(page, "Correct the balance")
    expect(page).to_have_title(re.compile("^Error: Cleo Martin"))
    expect(page.get_by_label("Reason")).to_have_value("The tablet was broken")
    page.get_by_label("Plus or minus").fill("2")
    press(page, "Correct the balance")
    says(page, "The balance is corrected: it is 5 now.")


def correct_the_address(page: Page) -> None:
    follow(page, "Correct the address")
    page.get_by_label("E-mail").fill("dora@example.org")
    page.get_by_label("Phone").fill("+352 621 777 888")
    press(page, "Save")
    expect(page.get_by_label("E-mail")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Phone")).to_have_value("+352 621 777 888")
    page.get_by_label("E-mail").fill("cleo.martin@example.org")
    press(page, "Save")
    says(page, "The address is corrected.")


def test_it_words_a_mail(page: Page, bakery: OpenBakery) -> None:
    sign_in(page, "/office/mails", OWNER)
    follow(page, "Reward ready, English")
    shown = page.frame_locator("iframe[name=mail-preview]")
    page.get_by_label("Text", exact=True).fill("Come and get it: {reward}!\n\nYour Ada")
    press(page, "Show the preview")
    expect(shown.get_by_role("heading", name="Come and get it: 1 free coffee!")).to_be_visible()
    page.get_by_role("radio", name="Text only").check()
    press(page, "Show the preview")
    expect(shown.get_by_text("Your Ada")).to_be_visible()
    page.get_by_label("Subject").fill("Hello {name}")
    press(page, "Save")
    expect(page.get_by_label("Text", exact=True)).to_have_value("Come and get it: {reward}!\n\nYour Ada")
    page.get_by_label("Subject").fill("Hello from {shop}")
    press(page, "Send a test to me")
    says(page, "A test is on its way to your own address.")
    press(page, "Save")
    says(page, "The words are saved.")
    press(page, "Use the built-in words again")
    says(page, "This mail uses the built-in words again.")


@pytest.fixture
def root(app: Flask) -> str:
    """The secret of the admin's phone; its code of a minute ago is used up."""
    with app.app_context():
        return make_admin(ROOT)


def test_it_opens_a_shop_for_somebody_who_is_invited(
    till_browser: Browser, page: Page, live: str, app: Flask, root: str
) -> None:
    enter_platform(page, ROOT, root)
    page.goto("/admin/vendors/new")
    page.get_by_label("Name of the shop").fill("Flora")
    page.get_by_label("Name of the first store").fill("Market")
    press(page, "Open the shop")
    expect(page.get_by_label("Name of the shop")).to_have_value("Flora")
    page.get_by_label("E-mail address of the owner").fill(FLORA)
    press(page, "Open the shop")
    says(page, "“Flora” is open, and its owner is invited.")
    with app.app_context():
        mail = db.session.execute(sa.select(EmailLog).where(EmailLog.recipient == FLORA)).scalar_one()
        path = urlsplit(links.invitation(mail.confirmation_id)).path
    hers = open_page(till_browser, live, PHONE, java_script_enabled=False)
    hers.goto(path)
    hers.get_by_label("Password").fill(PASSWORD)
    press(hers, "Join Flora")
    expect(hers.get_by_role("heading", level=1)).to_have_text("What do your customers collect?")
    hers.context.close()


def test_it_decides_acts_and_switches_cards_off(page: Page, bakery: OpenBakery, root: str) -> None:
    vendor_id = bakery.shop.vendor_id
    enter_platform(page, ROOT, root)
    page.goto(f"/admin/vendors/{vendor_id}")
    follow(page, "Change the policy")
    page.get_by_role("switch", name="Customers may join by themselves").uncheck()
    press(page, "Save")
    says(page, "The policy is saved.")
    follow(page, "Act for the shop")
    press(page, "Enter its office")
    page.get_by_label("Reason").fill("She asked on the phone")
    press(page, "Enter its office")
    expect(page.get_by_role("complementary", name="Acting for a shop")).to_contain_text("You act for “Bakery”")
    press(page, "Leave")
    says(page, "You act for no shop any more.")
    switch_cards_off_and_on(page, bakery)


def switch_cards_off_and_on(page: Page, bakery: OpenBakery) -> None:
    follow(page, "Switch many cards off")
    page.get_by_label("Joined from").fill("2020-01-01")
    press(page, "Show what this means")
    page.get_by_label("Number of cards").fill("7")
    page.get_by_label("Reason").fill("Cards of a test")
    press(page, "Switch the cards off")
    expect(page.get_by_label("Reason")).to_have_value("Cards of a test")
    page.get_by_label("Number of cards").fill("2")
    press(page, "Switch the cards off")
    says(page, "0 of 2 cards are seen to. This page looks again by itself.")
    work(bakery.app)
    # It keeps its word without a script, too.
    expect(page.get_by_text("All is done since")).to_be_visible()
    with bakery.app.app_context():
        assert bulk.active(bakery.shop.vendor_id) == set()
    press(page, "Switch the cards on again")
    says(page, "Being switched on again")
