"""A shop words a mail in a real Chromium: the preview follows what is typed, and mistakes lose nothing."""

import pytest
from flask import Flask
from playwright.sync_api import Browser, ViewportSize, expect

from tests.browser.test_office import DESK, PHONE, assert_accessible, assert_no_sideways_scroll, open_page, sign_in
from tests.office import Office, make_bakery

pytestmark = pytest.mark.browser


@pytest.fixture
def ada(app: Flask) -> Office:
    with app.app_context():
        return make_bakery()


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_it_words_a_mail(app: Flask, till_browser: Browser, live: str, ada: Office, size: ViewportSize) -> None:
    page = open_page(till_browser, live, size, color_scheme="dark" if size is PHONE else "light")
    sign_in(page, ada)
    page.goto("/office/mails")
    assert_no_sideways_scroll(page)
    assert_accessible(page)
    page.get_by_role("link", name="Reward ready, English").click()
    shown = page.frame_locator("iframe[name=mail-preview]")
    expect(shown.get_by_text("Your card of Ada's Bakery is full.")).to_be_visible()
    assert_no_sideways_scroll(page)
    assert_accessible(page)
    page.get_by_label("Text", exact=True).fill("Come and get it: {reward}!\n\nYour Ada")
    expect(shown.get_by_role("heading", name="Come and get it: Free item!")).to_be_visible()
    page.get_by_role("radio", name="Text only").check()
    expect(shown.get_by_text("Your Ada")).to_be_visible()
    page.get_by_role("radio", name="Dark").check()
    expect(shown.get_by_role("heading", name="Come and get it: Free item!")).to_be_visible()
    page.get_by_label("Subject").fill("Hello {name}")
    expect(shown.get_by_text("“{name}” is not a name")).to_be_visible()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Text", exact=True)).to_have_value("Come and get it: {reward}!\n\nYour Ada")
    assert_accessible(page)
    page.get_by_label("Subject").fill("Hello from {shop}")
    page.get_by_role("button", name="Send a test to me").click()
    expect(page.get_by_text("A test is on its way to your own address.")).to_be_visible()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The words are saved.")).to_be_visible()
    for path in ("/office/mails/log", "/office/mails/settings"):
        page.goto(path)
        assert_no_sideways_scroll(page)
        assert_accessible(page)
