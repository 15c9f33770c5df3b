"""An owner's first ten minutes: from the mailed invitation to the first stamp, on a desk and on a phone."""

import re
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from flask import Flask
from playwright.sync_api import Browser, Page, ViewportSize, expect

from loyalty.database import db
from loyalty.domain.values import Actor, Role
from loyalty.models.cards import LoyaltyCard
from loyalty.models.mail import EmailLog
from loyalty.services import invitations, links, vendors
from tests import axe
from tests.factories import make_key
from tests.tablet import LANDSCAPE, PHONE, SETTLED, open_tablet

pytestmark = pytest.mark.browser

DESK: ViewportSize = {"width": 1440, "height": 900}
PASSWORD = "flour and water 1907"
WIZARD = "/office/wizard"


@pytest.fixture
def invited(app: Flask) -> str:
    """The path of the mailed link by which Ada becomes the owner of her new shop."""
    with app.app_context():
        made = vendors.create(name="Ada's Bakery", store_name="Main Street")
        root = Actor(vendor_id=made.vendor_id, role=Role.ADMIN)
        at, key = datetime.now(UTC), make_key(root)
        invitations.create(actor=root, email="ada@bakery.example", role="owner", locale="en", at=at, key=key)
        mail = db.session.execute(sa.select(EmailLog)).scalar_one()
        return urlsplit(links.invitation(mail.confirmation_id)).path


def open_page(
    browser: Browser, live: str, size: ViewportSize = DESK, *, scheme: str = "light", js: bool = True
) -> Page:
    # axe is put into the page by the test; the pages' own policy would rightly refuse it.
    context = browser.new_context(
        base_url=live,
        viewport=size,
        bypass_csp=True,
        color_scheme="dark" if scheme == "dark" else "light",
        java_script_enabled=js,
        reduced_motion="reduce",
    )
    context.set_default_timeout(60_000)
    return context.new_page()


def accept(page: Page, invited: str) -> None:
    page.goto(invited)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Join Ada's Bakery").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("What do your customers collect?")


def go_on(page: Page, title: str) -> None:
    page.get_by_role("button", name="Save and continue").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)


def assert_right(page: Page) -> None:
    """Nothing for axe, nothing beyond the window."""
    page.evaluate(SETTLED)
    assert axe.faults(page) == [], page.url
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url


@pytest.mark.parametrize(("size", "scheme"), [(DESK, "light"), (PHONE, "dark")], ids=["desk", "phone"])
def test_it_opens_a_shop_in_its_first_minutes(
    till_browser: Browser, app: Flask, live: str, invited: str, size: ViewportSize, scheme: str
) -> None:
    page = open_page(till_browser, live, size, scheme=scheme)
    accept(page, invited)
    assert_right(page)
    page.get_by_role("radio", name="Stamps", exact=True).check()
    go_on(page, "What does a card take, and what does it give?")
    assert_right(page)
    page.get_by_label("Stamps for a reward").fill("8")
    expect(page.locator("#wizard_preview .stamps li")).to_have_count(8)
    page.get_by_label("The reward").fill("1 free coffee")
    page.get_by_label("Stamps for a reward").fill("800")
    page.get_by_role("button", name="Save and continue").click()
    expect(page.get_by_role("heading", name="Some of the fields need another look.")).to_be_focused()
    expect(page.get_by_label("The reward")).to_have_value("1 free coffee")
    assert_right(page)
    page.get_by_label("Stamps for a reward").fill("8")
    go_on(page, "How does the card look?")
    page.get_by_label("Colour of the card", exact=True).fill("#0E5A4A")
    expect(page.get_by_text("Text will be white")).to_be_visible()
    look_around(page)
    go_on(page, "Where is your shop, and who works there?")
    assert_right(page)
    page.get_by_label("Who gets the first PIN").fill("Ada")
    page.get_by_role("button", name="Save and continue").click()
    expect(page.get_by_role("heading", name="The PIN of Ada")).to_be_focused()
    pin = page.locator(".secret").inner_text()
    assert_right(page)
    page.get_by_role("link", name="Continue").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ready to open")
    assert_right(page)
    page.get_by_role("button", name="Open the program").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your program is open")
    assert_right(page)
    code = pair(page)
    put_up_the_poster(page)
    page.get_by_role("link", name="To the office").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ada's Bakery")
    assert_right(page)
    give_the_first_stamp(till_browser, app, live, code, pin)
    page.reload()
    expect(page.get_by_text("Still to do")).to_have_count(0)
    page.context.close()


def look_around(page: Page) -> None:
    """See the card in every place, with the colour that is not saved yet."""
    preview = page.locator("#wizard_preview")
    for tab, shown in (
        ("Apple", ".pass.apple"),
        ("Google", ".pass.google"),
        ("Poster", ".sheet.a6"),
        ("Till", ".till-view"),
        ("Web", ".pass.web"),
    ):
        preview.get_by_role("link", name=tab, exact=True).click()
        expect(preview.locator(shown)).to_be_visible()
        assert_right(page)
    preview.get_by_role("link", name="Full", exact=True).click()
    expect(preview.locator(".stamps li.on")).to_have_count(8)
    expect(page.get_by_label("Colour of the card", exact=True)).to_have_value("#0E5A4A")


def pair(page: Page) -> str:
    expect(page.get_by_label("Name of the tablet")).to_have_value("Counter")
    page.get_by_role("button", name="Make a pairing code").click()
    expect(page.get_by_role("heading", name="Pairing code, until")).to_be_focused()
    assert_right(page)
    return page.locator(".secret").inner_text()


def put_up_the_poster(page: Page) -> None:
    page.get_by_role("link", name="Make the poster").click()
    expect(page.locator(".sheet .deal")).to_have_text("Collect 8 stamps, get: 1 free coffee")
    page.goto(f"{WIZARD}/launch")
    page.get_by_role("button", name="It stands on the counter").click()
    expect(page.get_by_role("button", name="It stands on the counter")).to_have_count(0)


def give_the_first_stamp(browser: Browser, app: Flask, live: str, code: str, pin: str) -> None:
    customer = open_page(browser, live, PHONE)
    customer.goto("/join/ada-s-bakery")
    customer.get_by_label("E-mail").fill("cleo@example.org")
    customer.get_by_role("button", name=re.compile("card")).click()
    customer.wait_for_url("**/card/**")
    customer.context.close()
    with app.app_context():
        scan_code = db.session.execute(sa.select(LoyaltyCard.scan_code)).scalar_one()
    tablet = open_tablet(browser, live, LANDSCAPE)
    tablet.pair(code)
    tablet.sign_in("Ada", pin)
    expect(tablet.page.locator("#ready")).to_be_visible()
    tablet.scan(scan_code)
    tablet.tap("Stamp")
    tablet.sees("Stamp added: 1 of 8")
    with app.app_context():
        assert db.session.execute(sa.select(LoyaltyCard.stamp_count)).scalar_one() == 1
    assert tablet.complaints == []
    tablet.page.context.close()


def test_it_is_walked_through_by_keyboard_alone(till_browser: Browser, live: str, invited: str) -> None:
    page = open_page(till_browser, live)
    accept(page, invited)
    press_to(page, "radio")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="Points", exact=True)).to_be_checked()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("What does a card take, and what does it give?")
    press_to(page, "text")
    page.keyboard.press("Control+A")
    page.keyboard.type("5")
    page.keyboard.press("Tab")
    page.keyboard.type("Croissant")
    page.keyboard.press("Tab")
    page.keyboard.type("150")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("How does the card look?")
    press_to(page, "text")
    page.keyboard.type("Morning card")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Where is your shop, and who works there?")
    press_to(page, "text")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Ready to open")
    press_to(page, "submit", "Open the program")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your program is open")
    page.context.close()


def press_to(page: Page, kind: str, name: str = "") -> None:
    """Press Tab until a control of the page's own part has the focus."""
    here = "() => { const at = document.activeElement; return at.closest('main') && [at.type, at.innerText] }"
    page.wait_for_load_state()
    for _ in range(60):
        page.keyboard.press("Tab")
        found = page.evaluate(here)
        if found and found[0] == kind and name in found[1]:
            return
    raise AssertionError(f"no {kind} {name} within reach")


def test_it_works_without_scripts(till_browser: Browser, app: Flask, live: str, invited: str) -> None:
    page = open_page(till_browser, live, PHONE, js=False)
    accept(page, invited)
    go_on(page, "What does a card take, and what does it give?")
    page.get_by_label("Stamps for a reward").fill("6")
    page.get_by_role("radio", name="Poster").check()
    page.get_by_role("button", name="Update preview").click()
    expect(page.locator("#wizard_preview .deal")).to_have_text("Collect 6 stamps, get: Free item")
    expect(page.get_by_label("Stamps for a reward")).to_have_value("6")
    go_on(page, "How does the card look?")
    page.get_by_role("link", name="Back").click()
    expect(page.get_by_label("Stamps for a reward")).to_have_value("6")
    page.goto("/office")
    page.get_by_role("link", name="Go on setting up").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("How does the card look?")
    go_on(page, "Where is your shop, and who works there?")
    page.get_by_label("Who gets the first PIN").fill("Ada")
    page.get_by_role("button", name="Save and continue").click()
    expect(page.locator(".secret")).to_be_visible()
    page.get_by_role("link", name="Continue").click()
    page.get_by_role("button", name="Open the program").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your program is open")
    page.get_by_role("button", name="Make a pairing code").click()
    expect(page.locator(".secret")).to_be_visible()
    page.context.close()
