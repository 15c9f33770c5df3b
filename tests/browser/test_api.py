"""The description of the API and the keys of a shop in a real Chromium: on a desk and on a phone, light and dark."""

import re
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.browser.test_office import (
    DESK,
    PHONE,
    assert_accessible,
    assert_no_sideways_scroll,
    assert_right,
    open_page,
    sign_in,
)
from tests.office import Office, make_bakery

pytestmark = pytest.mark.browser


@pytest.fixture
def ada(app: Flask) -> Office:
    with app.app_context():
        return make_bakery()


def leaves_nothing_to_say(page: Page) -> None:
    assert_accessible(page)
    assert_no_sideways_scroll(page)


def test_it_describes_the_api_to_everybody(till_browser: Browser, live: str, app: Flask) -> None:
    page = open_page(till_browser, live)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/api/v1/docs")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert_right(page, DESK, PHONE)
    assert all(url.startswith(live) for url in asked)
    page.context.close()


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_it_makes_replaces_and_revokes_a_key(
    till_browser: Browser, live: str, ada: Office, size: ViewportSize, scripts: bool
) -> None:
    options: dict[str, Any] = {"java_script_enabled": scripts}  # as Playwright takes
    page = open_page(till_browser, live, size, **options)
    sign_in(page, ada)
    page.goto("/office/keys")
    page.get_by_label("Name").fill("Cash register")
    page.get_by_role("button", name="Make the key").click()
    first = page.locator(".secret").inner_text()
    check = leaves_nothing_to_say if scripts else (lambda page: None)
    check(page)
    page.get_by_role("link", name="Done").click()
    check(page)
    page.get_by_role("link", name=re.compile("Replace")).click()
    check(page)
    page.get_by_role("button", name="Make the new key").click()
    assert page.locator(".secret").inner_text() != first
    expect(page.get_by_text("The old key works until")).to_be_visible()
    page.get_by_role("link", name=re.compile("Revoke")).click()
    page.get_by_role("button", name="Revoke the key").click()
    expect(page.get_by_text("The key is revoked.")).to_be_visible()
    check(page)
    page.context.close()
