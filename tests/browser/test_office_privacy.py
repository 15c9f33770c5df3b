"""Downloading what is known about a customer, and erasing one, in a real Chromium."""

import zipfile

import pytest
from playwright.sync_api import Browser, ViewportSize, expect

from loyalty.services import accounts
from tests.browser.conftest import OpenBakery
from tests.browser.test_office import DESK, PHONE, assert_right
from tests.browser.test_office_customers import open_customers
from tests.office import PASSWORD

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_it_hands_out_what_is_known_and_erases(
    till_browser: Browser, live: str, open_bakery: OpenBakery, size: ViewportSize
) -> None:
    with open_bakery.app.app_context():
        accounts.create_owner(vendor_id=open_bakery.shop.vendor_id, email="office@bakery.example", password=PASSWORD)
    page = open_customers(till_browser, live, size)
    page.get_by_role("link", name="Cleo Martin").click()
    assert_right(page, size)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download what is known about the customer").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert "Cleo Martin" in archive.read("customers.csv").decode()
    page.get_by_role("link", name="Erase the customer").click()
    expect(page.get_by_role("heading", level=1, name="Erase Cleo Martin")).to_be_visible()
    assert_right(page, size)
    page.get_by_role("button", name="Erase for good").click()
    expect(page.get_by_text("The customer is erased.")).to_be_visible()
    expect(page.get_by_text("This customer was erased on")).to_be_visible()
    expect(page.get_by_text("Cleo Martin")).to_have_count(0)
    assert_right(page, size)
