"""Accounts in a real Chromium: a forgotten password, a phone with codes, sessions, and somebody who is invited."""

from datetime import UTC, datetime

import pytest
from flask import Flask
from playwright.sync_api import Browser, ViewportSize, expect

from tests.accounts import NEW_PASSWORD, code_at, mails, token_in
from tests.browser.test_office import DESK, PHONE, assert_accessible, assert_no_sideways_scroll, open_page, sign_in
from tests.navigation import go_to
from tests.office import PASSWORD, Office, make_bakery

pytestmark = pytest.mark.browser


@pytest.fixture
def ada(app: Flask) -> Office:
    with app.app_context():
        return make_bakery()


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_it_takes_a_second_factor(
    app: Flask, till_browser: Browser, live: str, ada: Office, size: ViewportSize
) -> None:
    page = open_page(till_browser, live, size, color_scheme="dark" if size is PHONE else "light")
    sign_in(page, ada)
    go_to(page, "Your account")
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    page.get_by_role("link", name="Turn it on").click()
    secret = page.locator(".secret").inner_text()
    page.get_by_label("Code", exact=True).fill("000000")
    page.get_by_role("button", name="Turn it on").click()
    expect(page.get_by_role("heading", name="Some of the fields need another look.")).to_be_focused()
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    page.get_by_label("Code", exact=True).fill(code_at(secret, datetime.now(UTC)))
    page.get_by_role("button", name="Turn it on").click()
    expect(page.get_by_role("heading", name="Keep these recovery codes.")).to_be_focused()
    codes = page.locator(".secret").inner_text().split()
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    other = open_page(till_browser, live, size)
    other.goto("/office")
    other.get_by_label("E-mail").fill(ada.email)
    other.get_by_label("Password").fill(PASSWORD)
    other.get_by_role("button", name="Sign in").click()
    assert_accessible(other)
    assert_no_sideways_scroll(other)
    other.get_by_label("Code", exact=True).fill(codes[0])
    other.get_by_role("button", name="Sign in").click()
    expect(other.get_by_role("heading", level=1, name="Ada's Bakery")).to_be_visible()
    page.get_by_role("link", name="Done").click()
    assert_no_sideways_scroll(page)
    page.get_by_role("button", name="End all others").click()
    expect(page.get_by_text("1 session is ended.")).to_be_visible()
    page.goto("/office/account/second-factor")
    assert_accessible(page)
    page.context.close()
    other.context.close()


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_it_invites_somebody_and_sets_passwords_anew(
    app: Flask, till_browser: Browser, live: str, ada: Office, size: ViewportSize
) -> None:
    page = open_page(till_browser, live, size, color_scheme="dark" if size is PHONE else "light")
    sign_in(page, ada)
    go_to(page, "Access")
    page.get_by_label("E-mail").fill("ben@bakery.example")
    page.get_by_role("button", name="Mail the invitation").click()
    expect(page.get_by_text("The invitation to ben@bakery.example is on its way.")).to_be_visible()
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    with app.app_context():
        invitation = token_in(mails("invitation")[0])
    ben = open_page(till_browser, live, size)
    ben.goto(f"/office/invitations/{invitation}")
    assert_accessible(ben)
    ben.get_by_label("New password").fill(NEW_PASSWORD)
    ben.get_by_role("button", name="Join").click()
    expect(ben.get_by_role("heading", level=1, name="Ada's Bakery")).to_be_visible()
    # On another day, in a browser that knows nothing of it.
    ben.context.clear_cookies()
    ben.goto("/office")
    ben.get_by_role("link", name="Forgot your password?").click()
    assert_accessible(ben)
    ben.get_by_label("E-mail").fill("ben@bakery.example")
    ben.get_by_role("button", name="Mail me the link").click()
    expect(ben.get_by_role("heading", name="Look into your mail")).to_be_visible()
    assert_accessible(ben)
    with app.app_context():
        reset = token_in(mails("password_reset")[0])
    ben.goto(f"/office/password/{reset}")
    assert_accessible(ben)
    assert_no_sideways_scroll(ben)
    ben.get_by_label("New password").fill(PASSWORD)
    ben.get_by_role("button", name="Set the password").click()
    expect(ben.get_by_text("The new password is set.")).to_be_visible()
    page.context.close()
    ben.context.close()
