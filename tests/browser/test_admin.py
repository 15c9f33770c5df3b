"""The platform in a real Chromium: on a desk and on a phone, in light and dark, and what changes by itself."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, ViewportSize, expect

from loyalty.domain.values import Admin, RequestKey
from loyalty.services import accounts, health, policies
from tests import factories
from tests.browser.entering import sign_in
from tests.browser.test_office import assert_accessible, assert_no_sideways_scroll, assert_right, open_page
from tests.office import PASSWORD
from tests.outbox_rows import make_row

pytestmark = pytest.mark.browser

EMAIL = "root@platform.example"
SIZES: dict[str, ViewportSize] = {"desk": {"width": 1440, "height": 900}, "phone": {"width": 390, "height": 844}}
PAGES = (
    "",
    "/vendors",
    "/vendors/new",
    "/statistics",
    "/statistics/customers",
    "/audit",
    "/audit?since=x",
    "/health",
    "/failures",
    "/failures?kind=apple.push",
)
SHOP_PAGES = ("", "/policy", "/suspend")


@pytest.fixture
def chromium(till_browser: Browser) -> Browser:
    return till_browser


@pytest.fixture
def platform(app: Flask) -> UUID:
    """A platform with two shops, one of them suspended, and deliveries in every state; the id of the bakery."""
    with app.app_context():
        user_id = accounts.create_user(email=EMAIL, password=PASSWORD, is_admin=True)
        bakery = factories.make_shop("bakery", vendor={"name": "Ada's Bakery"})
        factories.make_shop("butcher", vendor={"name": "Mallory's Meat", "status": "suspended"})
        factories.make_card(bakery, stamps=3)
        said = "pushes pause; look at certificate, topic and address: 403 BadCertificateEnvironment"
        make_row(vendor_id=bakery.vendor_id, kind="apple.push", error=said, due=datetime.now(UTC) + timedelta(hours=1))
        refused = "404 The class 3388000000012345678.loyalty_0190a0000000700080000000 was not found."
        make_row(vendor_id=bakery.vendor_id, kind="google.object", attempts=8, gave_up=True, error=refused)
        make_row(vendor_id=bakery.vendor_id, kind="mail.card_link", attempts=2, error="451 4.3.0 Try again later")
        make_row(vendor_id=bakery.vendor_id, kind="apple.push", due=datetime.now(UTC) - timedelta(minutes=7))
        admin = Admin(user_id=user_id)
        key = RequestKey(admin.caller, "k" * 16, "")
        policies.change(admin=admin, vendor_id=bakery.vendor_id, changes={"pin_lockout_minutes": 45}, key=key)
        return bakery.vendor_id


def enter(page: Page) -> None:
    sign_in(page, "/admin", EMAIL)
    expect(page.get_by_role("heading", level=1, name="Overview")).to_be_visible()


def test_it_leaves_nothing_to_axe(chromium: Browser, live: str, platform: UUID) -> None:
    page = open_page(chromium, live)
    enter(page)
    for path in (*PAGES, *(f"/vendors/{platform}{rest}" for rest in SHOP_PAGES)):
        page.goto(f"/admin{path}")
        assert_right(page, *SIZES.values())
        page.set_viewport_size({"width": 320, "height": 700})
        assert_no_sideways_scroll(page)
    page.context.close()


def test_it_goes_from_a_number_to_what_is_behind_it(chromium: Browser, live: str, platform: UUID) -> None:
    page = open_page(chromium, live, SIZES["phone"])
    enter(page)
    page.get_by_role("main").get_by_role("link", name="Failures").click()
    expect(page.get_by_role("rowheader", name="Card at Google Wallet")).to_be_visible()
    row = page.get_by_role("row").filter(has_text="Card at Google Wallet")
    row.get_by_role("button", name="Retry").click()
    expect(page.get_by_text("1 delivery is tried again.")).to_be_visible()
    expect(page.get_by_role("rowheader", name="Card at Google Wallet")).to_have_count(0)
    page.get_by_role("link", name="Update of an Apple pass").click()
    page.get_by_role("button", name="Retry all of this kind").click()
    expect(page.get_by_text("1 delivery is tried again.")).to_be_visible()
    page.context.close()


def test_it_opens_a_shop_decides_its_policy_and_suspends_it(chromium: Browser, live: str, platform: UUID) -> None:
    page = open_page(chromium, live, SIZES["phone"], java_script_enabled=False)
    enter(page)
    page.goto("/admin/vendors")
    page.get_by_role("link", name="Open a shop").click()
    page.get_by_label("Name of the shop").fill("Flora")
    page.get_by_label("Name of the first store").fill("Market")
    page.get_by_label("E-mail address of the owner").fill("flora@florist.example")
    page.get_by_role("radio", name="By a password that I hand over").check()
    page.get_by_role("button", name="Open the shop").click()
    expect(page.get_by_role("heading", name="First password of flora@florist.example")).to_be_visible()
    page.get_by_role("link", name="To the shop").click()
    page.get_by_role("link", name="Change the policy").click()
    page.get_by_label("Customers may join by themselves").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The policy is saved.")).to_be_visible()
    page.get_by_role("link", name="Suspend the shop").click()
    page.get_by_label("Name of the shop").fill("Fauna")
    page.get_by_role("button", name="Suspend the shop").click()
    expect(page.get_by_role("alert")).to_contain_text("Type the name as it stands above: Flora")
    page.get_by_label("Name of the shop").fill("Flora")
    page.get_by_role("button", name="Suspend the shop").click()
    expect(page.get_by_text("“Flora” is suspended.")).to_be_visible()
    page.get_by_role("button", name="Let it work again").click()
    expect(page.get_by_text("“Flora” works again.")).to_be_visible()
    page.get_by_role("link", name="What was done by hand").click()
    for action in ("Let a shop work again", "Suspended a shop", "Changed the policy of a shop", "Opened a shop"):
        expect(page.get_by_role("rowheader", name=action)).to_be_visible()
    page.context.close()


def test_it_looks_again_by_itself(chromium: Browser, live: str, app: Flask, platform: UUID) -> None:
    page = open_page(chromium, live)
    page.clock.install()
    with app.app_context():
        health.note_run(name="sweep", at=datetime.now(UTC) - timedelta(hours=1))
    enter(page)
    page.goto("/admin/health")
    clock = page.get_by_role("row").filter(has_text="Minute clock")
    expect(clock).to_contain_text("It has stopped.")
    expect(page).to_have_title("(3) Problem · Health · Platform")
    with app.app_context():
        health.note_run(name="sweep", at=datetime.now(UTC))
    page.clock.run_for(3500)
    expect(clock).to_contain_text("It last ran: today")
    expect(page).to_have_title("(2) Problem · Health · Platform")
    page.context.close()


def test_it_shows_how_far_a_change_has_come(chromium: Browser, live: str, app: Flask, platform: UUID) -> None:
    page = open_page(chromium, live, SIZES["phone"])
    page.clock.install()
    enter(page)
    page.goto("/admin/failures")
    waiting = page.get_by_role("region", name="Passes being updated")
    expect(waiting).to_contain_text("Ada's Bakery")
    with app.app_context():
        shop = factories.make_shop("florist", vendor={"name": "Flora"})
        for _ in range(5):
            make_row(vendor_id=shop.vendor_id, kind="google.object")
    page.clock.run_for(3500)
    expect(waiting).to_contain_text("Flora")
    assert_accessible(page)
    page.context.close()
