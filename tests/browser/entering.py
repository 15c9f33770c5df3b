"""How people enter the office and the platform's pages in a browser."""

import re

import pyotp
from playwright.sync_api import Page, expect

from tests.office import PASSWORD


def sign_in(page: Page, path: str, email: str) -> None:
    """Open a page that wants to know who is there, when that has been said; typing it has tests of its own."""
    asked = page.request.get(path)
    token = re.search(r'name="csrf_token"[^>]* value="([^"]+)"', asked.text())
    assert token, asked.url
    said = {"csrf_token": token[1], "next": path, "email": email, "password": PASSWORD}
    answer = page.request.post("/office/sign-in", form=said, max_redirects=0)
    page.goto(answer.headers["location"])


def enter_platform(page: Page, email: str, secret: str) -> None:
    """Enter the platform's pages with a password and the code of a phone."""
    page.goto("/admin")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Code").fill(pyotp.TOTP(secret).now())
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1, name="Overview")).to_be_visible()
