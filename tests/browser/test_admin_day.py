"""A day of the platform's admin in a real Chromium, from the sign-in to the log, on a desk and on a phone."""

import pytest
import sqlalchemy as sa
from flask import Flask
from playwright.sync_api import Browser, Page, ViewportSize, expect

from loyalty.database import db
from loyalty.models.bulk import BulkDeactivation
from tests import bulk, factories
from tests.accounts import make_admin
from tests.browser.entering import enter_platform
from tests.browser.test_office import assert_accessible, assert_no_sideways_scroll, open_page
from tests.factories import Shop
from tests.navigation import go_to
from tests.outbox_rows import make_row

pytestmark = pytest.mark.browser

EMAIL = "root@platform.example"
SIZES: dict[str, ViewportSize] = {"desk": {"width": 1440, "height": 900}, "phone": {"width": 390, "height": 844}}


@pytest.fixture
def chromium(till_browser: Browser) -> Browser:
    return till_browser


@pytest.fixture
def bakery(app: Flask) -> Shop:
    """A bakery with three cards, and a pass that Google did not take."""
    with app.app_context():
        shop = factories.make_shop("bakery", vendor={"name": "Ada's Bakery"})
        for stamps in (1, 2, 3):
            factories.make_card(shop, stamps=stamps)
        make_row(vendor_id=shop.vendor_id, kind="google.object", attempts=8, gave_up=True, error="404 not found")
        return shop


@pytest.fixture
def secret(app: Flask) -> str:
    """The secret of the admin's phone; its code of a minute ago is used up."""
    with app.app_context():
        return make_admin(EMAIL)


def looks_right(page: Page) -> None:
    assert_accessible(page)
    assert_no_sideways_scroll(page)


@pytest.mark.parametrize(("size", "scheme"), [("desk", "light"), ("phone", "dark")])
def test_it_is_a_day_of_the_admin(
    chromium: Browser, live: str, app: Flask, bakery: Shop, secret: str, size: str, scheme: str
) -> None:
    page = open_page(chromium, live, SIZES[size], color_scheme=scheme)
    page.clock.install()
    enter_platform(page, EMAIL, secret)
    look_after_the_machine(page)
    decide_the_policy(page, bakery)
    act_and_leave(page, bakery)
    switch_cards_off_and_on(page, app, bakery)
    suspend_and_resume(page, bakery)
    read_the_log(page, bakery)
    page.context.close()


def look_after_the_machine(page: Page) -> None:
    go_to(page, "Health")
    expect(page.get_by_role("heading", level=1, name="Health")).to_be_visible()
    go_to(page, "Failures")
    page.get_by_role("row").filter(has_text="Card at Google Wallet").get_by_role("button", name="Retry").click()
    expect(page.get_by_text("1 delivery is tried again.")).to_be_visible()
    page.goto("/admin/vendors?show=active")
    looks_right(page)
    page.get_by_role("link", name="Ada's Bakery").click()


def decide_the_policy(page: Page, bakery: Shop) -> None:
    page.get_by_role("link", name="Change the policy").click()
    page.get_by_role("switch", name="Customers may join by themselves").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The policy is saved.")).to_be_visible()
    looks_right(page)


def act_and_leave(page: Page, bakery: Shop) -> None:
    page.get_by_role("link", name="Act for the shop").click()
    looks_right(page)
    page.get_by_role("button", name="Enter its office").click()
    expect(page.get_by_role("alert")).to_contain_text("Say why: the shop's owner can read it.")
    page.get_by_label("Reason").fill("She asked on the phone")
    page.get_by_role("button", name="Enter its office").click()
    bar = page.get_by_role("complementary", name="Acting for a shop")
    expect(bar).to_contain_text("You act for “Ada's Bakery”")
    looks_right(page)
    page.goto("/office/members")
    expect(page.get_by_role("region", name="What the platform did here")).to_contain_text("She asked on the phone")
    looks_right(page)
    other = page.context.new_page()
    other.goto("/office/settings")
    bar.get_by_role("button", name="Leave").click()
    expect(page.get_by_text("You act for no shop any more.")).to_be_visible()
    other.get_by_role("button", name="Leave").click()
    expect(other.get_by_role("heading", level=1)).to_have_text("You act for no shop any more.")
    other.close()


def switch_cards_off_and_on(page: Page, app: Flask, bakery: Shop) -> None:
    page.goto(f"/admin/vendors/{bakery.vendor_id}")
    page.get_by_role("link", name="Switch many cards off").click()
    looks_right(page)
    page.get_by_label("Joined from").fill("2020-01-01")
    page.get_by_role("button", name="Show what this means").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Switch 3 cards of “Ada's Bakery” off")
    looks_right(page)
    page.get_by_label("Number of cards").fill("2")
    page.get_by_label("Reason").fill("Cards of a test")
    page.get_by_role("button", name="Switch the cards off").click()
    expect(page.get_by_role("alert")).to_contain_text("Type the number of cards that is shown now.")
    page.get_by_label("Number of cards").fill("3")
    page.get_by_role("button", name="Switch the cards off").click()
    expect(page.get_by_text("0 of 3 cards are seen to.")).to_be_visible()
    looks_right(page)
    work(app)
    # The page looks again by itself, three seconds later.
    page.clock.run_for(3500)
    expect(page.locator("#bulk").get_by_text("All is done since")).to_be_visible()
    with app.app_context():
        assert bulk.active(bakery.vendor_id) == set()
    page.get_by_role("button", name="Switch the cards on again").click()
    expect(page.get_by_text("The cards are switched on again, one after the other.")).to_be_visible()
    work(app)
    page.clock.run_for(3500)
    expect(page.get_by_text("Taken back", exact=True)).to_be_visible()
    looks_right(page)
    with app.app_context():
        assert len(bulk.active(bakery.vendor_id)) == 3


def work(app: Flask) -> None:
    with app.app_context():
        newest = sa.select(BulkDeactivation.id).order_by(BulkDeactivation.created_at.desc()).limit(1)
        bulk.work(db.session.execute(newest).scalar_one())


def suspend_and_resume(page: Page, bakery: Shop) -> None:
    page.goto(f"/admin/vendors/{bakery.vendor_id}/suspend")
    page.get_by_label("Name of the shop").fill("Ada's Bakery")
    page.get_by_role("button", name="Suspend the shop").click()
    expect(page.get_by_text("“Ada's Bakery” is suspended.")).to_be_visible()
    page.goto(f"/admin/vendors/{bakery.vendor_id}/cards/off")
    expect(page.get_by_text("Its cards stay as they are until it works again.")).to_be_visible()
    looks_right(page)
    page.goto(f"/admin/vendors/{bakery.vendor_id}")
    page.get_by_role("button", name="Let it work again").click()
    expect(page.get_by_text("“Ada's Bakery” works again.")).to_be_visible()


def read_the_log(page: Page, bakery: Shop) -> None:
    page.get_by_role("link", name="What was done by hand").click()
    expect(page.get_by_role("rowheader", name="Let a shop work again")).to_be_visible()
    looks_right(page)
    page.get_by_label("What was done").select_option(label="Began to switch off many cards")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("rowheader")).to_have_text(["Began to switch off many cards"])
    expect(page.get_by_text("Reason: Cards of a test")).to_be_visible()
    page.get_by_label("What was done").select_option(label="Changed the policy of a shop")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_text("Customers may join by themselves: Yes, now No")).to_be_visible()
