"""The office in a real Chromium: a morning's work on a desk and on a phone, by keyboard, in light and dark."""

import re
from typing import Any, Literal

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests import axe
from tests.browser import entering
from tests.office import PASSWORD, Office, make_bakery

pytestmark = pytest.mark.browser

Scheme = Literal["light", "dark"]
DESK: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
PAGES = ("", "/program", "/program/activate", "/rewards", "/stores", "/staff", "/tablets", "/settings")


@pytest.fixture
def chromium(till_browser: Browser) -> Browser:
    return till_browser


@pytest.fixture
def ada(app: Flask) -> Office:
    with app.app_context():
        return make_bakery()


def open_page(chromium: Browser, live: str, size: ViewportSize = DESK, **options: Any) -> Page:  # as Playwright takes
    # axe is put into the page by the test; the pages' own policy would rightly refuse it.
    context = chromium.new_context(base_url=live, viewport=size, bypass_csp=True, **options)
    page = context.new_page()
    page.set_default_timeout(60_000)
    return page


def sign_in(page: Page, office: Office) -> None:
    entering.sign_in(page, "/office", office.email)
    expect(page.get_by_role("heading", level=1, name="Ada's Bakery")).to_be_visible()


def assert_accessible(page: Page) -> None:
    assert axe.faults(page) == []


def assert_no_sideways_scroll(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url


def assert_right(page: Page, *sizes: ViewportSize) -> None:
    """Nothing for axe in light or dark, and nothing beside the screen, in each of these windows."""
    for size in sizes:
        page.set_viewport_size(size)
        assert axe.faults_in_both(page) == [], (page.url, size)
        assert_no_sideways_scroll(page)


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_it_sets_a_shop_up(chromium: Browser, live: str, ada: Office, size: ViewportSize) -> None:
    page = open_page(chromium, live, size)
    sign_in(page, ada)
    expect(page.get_by_role("heading", name="0 of 4 steps are done")).to_be_hidden()
    change_the_program(page)
    add_a_reward(page)
    make_a_pin(page)
    pair_a_tablet(page)
    page.goto("/office")
    page.get_by_role("link", name="Open the program").click()
    page.get_by_role("button", name="Open the program").click()
    expect(page.get_by_text("The program is open.")).to_be_visible()
    page.context.close()


def change_the_program(page: Page) -> None:
    page.goto("/office/program")
    page.get_by_role("radio", name="Stamps and points").check()
    page.get_by_label("Stamps for a reward").fill("200")
    page.get_by_label("Smallest purchase that earns points").fill("2,50")
    page.get_by_role("button", name="Save").click()
    expect(page).to_have_title(re.compile("^Error: Program"))
    expect(page.get_by_role("heading", name="Some of the fields need another look.")).to_be_focused()
    assert_accessible(page)
    page.get_by_role("link", name="Enter a whole number from 1 to 100.").click()
    target = page.get_by_label("Stamps for a reward")
    expect(target).to_be_focused()
    expect(target).to_have_value("200")
    target.fill("8")
    expect(page.locator("#preview .stamps li")).to_have_count(8)
    page.get_by_label("Colour of the card", exact=True).fill("#FFEE00")
    expect(page.get_by_text("Text will be black")).to_be_visible()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The program is saved.")).to_be_visible()
    expect(page.get_by_label("Smallest purchase that earns points")).to_have_value("2.50")
    assert_accessible(page)


def add_a_reward(page: Page) -> None:
    page.goto("/office/rewards")
    page.get_by_label("Name of the reward").fill("Croissant")
    page.get_by_label("Price in points").fill("150")
    page.get_by_role("button", name="Add the reward").click()
    expect(page.get_by_role("link", name="Croissant")).to_be_visible()
    assert_accessible(page)
    assert_no_sideways_scroll(page)


def make_a_pin(page: Page) -> None:
    page.goto("/office/staff")
    page.get_by_label("Name").fill("Ben")
    page.get_by_role("button", name="Make the PIN").click()
    expect(page.get_by_role("heading", name="The PIN of Ben")).to_be_focused()
    assert re.fullmatch(r"\d{4}", page.locator(".secret").inner_text())
    assert_accessible(page)
    page.get_by_role("link", name="Done").click()
    expect(page.locator(".secret")).to_have_count(0)
    expect(page.get_by_role("rowheader", name="Ben")).to_be_visible()
    assert_no_sideways_scroll(page)


def pair_a_tablet(page: Page) -> None:
    page.goto("/office/tablets")
    page.get_by_label("Name of the tablet").fill("Counter")
    page.get_by_role("button", name="Make a pairing code").click()
    expect(page.get_by_role("heading", name="Pairing code, until")).to_be_visible()
    code = page.locator(".secret").inner_text()
    expect(page.get_by_role("img", name="QR code of the pairing address")).to_be_visible()
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    page.goto(f"/terminal?code={code}")
    expect(page.get_by_label("Pairing code")).to_have_value(code)
    page.get_by_role("button", name="Pair").click()
    expect(page.locator("#pin")).to_be_visible()
    page.goto("/office/tablets")
    expect(page.get_by_text("Paired", exact=True)).to_be_visible()


def test_it_leaves_nothing_to_axe(chromium: Browser, live: str, ada: Office) -> None:
    page = open_page(chromium, live)
    page.goto("/office/sign-in")
    assert_right(page, DESK, PHONE)
    sign_in(page, ada)
    for path in PAGES:
        page.goto(f"/office{path}")
        assert_right(page, DESK, PHONE)
    page.context.close()


def test_it_signs_in_by_keyboard_alone(chromium: Browser, live: str, ada: Office) -> None:
    page = open_page(chromium, live)
    page.goto("/office/settings")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.type(ada.email)
    page.keyboard.press("Tab")
    page.keyboard.type("not the password")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Some of the fields need another look.")).to_be_focused()
    expect(page.get_by_label("E-mail")).to_have_value(ada.email)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Password")).to_be_focused()
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    # The page that was asked for first.
    expect(page).to_have_url(f"{live}/office/settings")
    expect(page.get_by_role("heading", level=1, name="Settings")).to_be_visible()
    page.context.close()


def test_it_works_without_scripts(chromium: Browser, live: str, ada: Office) -> None:
    page = open_page(chromium, live, java_script_enabled=False)
    sign_in(page, ada)
    page.goto("/office/program")
    page.get_by_label("Stamps for a reward").fill("6")
    page.get_by_role("button", name="Update preview").click()
    expect(page.locator("#preview .stamps li")).to_have_count(6)
    expect(page.get_by_label("Stamps for a reward")).to_have_value("6")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The program is saved.")).to_be_visible()
    page.context.close()
