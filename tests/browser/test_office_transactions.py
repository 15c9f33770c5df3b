"""Transactions in a real Chromium: filtered, filters taken off with one tap, and saved as a file."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, ViewportSize, expect

from loyalty.domain.values import Actor, Role
from loyalty.services import accounts, voids
from tests.browser.conftest import OpenBakery
from tests.browser.entering import sign_in
from tests.browser.test_office import DESK, PHONE, assert_right, open_page
from tests.factories import change_program, make_card, make_key
from tests.office import PASSWORD
from tests.services.voiding import stamp
from tests.tablet import LANDSCAPE

pytestmark = pytest.mark.browser

NARROW: ViewportSize = {"width": 320, "height": 700}


@pytest.fixture
def bakery(open_bakery: OpenBakery) -> OpenBakery:
    """Cleo came a few times, and once it was a mistake."""
    shop = open_bakery.shop
    with open_bakery.app.app_context():
        accounts.create_owner(vendor_id=shop.vendor_id, email="office@bakery.example", password=PASSWORD)
        change_program(shop, cooldown_minutes=0, max_daily_stamps=50)
        make_card(shop, name="Émile Kieffer-Schmitt de la Chapelle", points=12_340)
        gone = stamp(shop, open_bakery.cleo)
        stamp(shop, open_bakery.cleo)
        voids.void(actor=shop.mia, transaction_id=gone, reason="The wrong card", key=make_key(shop.mia))
    return open_bakery


@pytest.mark.parametrize("sizes", [[DESK], [NARROW, PHONE]], ids=["desk", "phone"])
def test_it_filters_and_saves(
    till_browser: Browser, live: str, bakery: OpenBakery, tmp_path: Path, sizes: list[ViewportSize]
) -> None:
    page = open_page(till_browser, live, sizes[-1])
    sign_in(page, "/office/transactions", "office@bakery.example")
    expect(page.get_by_role("heading", level=1, name="Transactions")).to_be_visible()
    expect(page.get_by_text("Taken back by Mia")).to_be_visible()
    assert_right(page, *sizes)
    page.get_by_label("What").select_option("Stamp")
    page.get_by_label("Staff").select_option("Ben")
    page.get_by_role("button", name="Filter").click()
    rows = page.get_by_role("rowheader").get_by_role("link")
    expect(rows).to_have_text(["Cleo Martin", "Cleo Martin"])
    assert_right(page, *sizes)
    with page.expect_download() as download:
        page.get_by_role("link", name="Save as a spreadsheet (CSV)").click()
    download.value.save_as(tmp_path / "saved.csv")
    assert download.value.suggested_filename.startswith("transactions-")
    assert len((tmp_path / "saved.csv").read_text("utf-8-sig").splitlines()) == 3
    page.get_by_role("link", name="Stamp Remove this filter").click()
    expect(page.get_by_label("What")).to_have_value("")
    expect(page.get_by_label("Staff").locator("option:checked")).to_have_text("Ben")
    page.go_back()
    expect(page.get_by_label("What")).to_have_value("stamp_earned")
    page.get_by_role("link", name="Remove all filters").click()
    page.get_by_label("Card number").fill("123")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Some of the fields need another look.")).to_be_focused()
    expect(page.get_by_label("Card number")).to_have_value("123")
    assert_right(page, *sizes)
    page.get_by_label("Card number").fill(bakery.cleo.card_number)
    page.get_by_label("What").select_option("Points expired")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_role("main").get_by_text("No transaction is like that.").last).to_be_visible()
    assert_right(page, *sizes)
    page.get_by_role("link", name="Show all transactions").click()
    rows.first.click()
    expect(page.get_by_role("heading", level=1, name="Cleo Martin")).to_be_visible()


def test_it_fits_a_tablet_also_with_long_addresses(till_browser: Browser, live: str, bakery: OpenBakery) -> None:
    shop, email = bakery.shop, "marie-antoinette.schmit-kieffer@bakery.example"
    with bakery.app.app_context():
        user_id = accounts.create_owner(vendor_id=shop.vendor_id, email=email, password=PASSWORD)
        owner = Actor(vendor_id=shop.vendor_id, role=Role.OWNER, user_id=user_id)
        gone = stamp(shop, bakery.cleo)
        voids.void(actor=owner, transaction_id=gone, reason="Not this customer", key=make_key(owner))
    page = open_page(till_browser, live, LANDSCAPE)
    sign_in(page, "/office/transactions", email)
    for language in ("en", "fr", "de", "lb"):
        page.goto(f"/office/transactions?lang={language}")
        table = page.get_by_role("table")
        expect(table.get_by_text(email)).to_have_count(2)
        assert table.evaluate("each => each.parentElement.scrollWidth - each.parentElement.clientWidth") == 0, language
    page.context.close()
