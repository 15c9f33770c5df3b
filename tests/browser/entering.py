"""How people enter the office and the platform's pages in a browser."""

import pyotp
from playwright.sync_api import Page, expect

from tests.office import PASSWORD


def sign_in(page: Page, path: str, email: str) -> None:
    """Open a page that wants to know who is there, and say it."""
    page.goto(path)
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_label("Password", exact=True)).to_have_count(0)
    page.wait_for_load_state()


def enter_platform(page: Page, email: str, secret: str) -> None:
    """Enter the platform's pages with the code of a phone."""
    sign_in(page, "/admin", email)
    page.get_by_label("Code").fill(pyotp.TOTP(secret).now())
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1, name="Overview")).to_be_visible()
