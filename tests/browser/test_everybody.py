"""The pages for people who type, who touch, and who choose their own colours."""

import re

import pytest
from flask import Flask
from playwright.sync_api import Browser, Locator, Page, expect

from tests import world
from tests.browser.test_every_page import PHONE, TABLET, visit

pytestmark = pytest.mark.browser

# Whatever a finger has to hit on a phone, but links within sentences.
SMALL = """() => [...document.querySelectorAll("main button, main .btn, main select, main input:not([type=hidden])")]
    .map(each => each.closest("label") || each).filter(each => each.offsetParent)
    .filter(each => each.getBoundingClientRect().height < 43.5).map(each => each.outerHTML.slice(0, 160))"""
# What is shown where the focus is: an outline, on the control or on the label around it.
IS_SHOWN = """each => [each, each.closest("label"), each.closest(".affix")]
    .some(one => one && getComputedStyle(one).outlineStyle !== "none")"""


@pytest.fixture
def bakery(app: Flask) -> world.Business:
    """Ada's bakery, with everything in it."""
    with app.app_context():
        return world.make_business("bakery")


@pytest.fixture
def people(app: Flask, bakery: world.Business) -> dict[str, world.Door]:
    return {**world.doors(app, bakery), **world.strangers(app)}


def tab_to(page: Page, control: Locator) -> None:
    """Come to a control by the Tab key alone, with every stop on the way to be seen."""
    # The page that is being left would take the first keys with it.
    expect(control).to_be_visible()
    page.wait_for_load_state()
    for _ in range(80):
        page.keyboard.press("Tab")
        stop = page.locator(":focus")
        if stop.count():
            assert stop.evaluate(IS_SHOWN), stop.evaluate("each => each.outerHTML")
        if control.evaluate("each => each === document.activeElement"):
            return
    raise AssertionError(f"The Tab key never comes to {control}.")


def press(page: Page, control: Locator, key: str = "Enter") -> None:
    tab_to(page, control)
    page.keyboard.press(key)


def type_into(page: Page, label: str, text: str) -> None:
    tab_to(page, page.get_by_label(label, exact=True))
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.type(text)


def test_it_corrects_a_balance_by_keyboard_alone(
    till_browser: Browser, app: Flask, live: str, bakery: world.Business, people: dict[str, world.Door]
) -> None:
    with visit(till_browser, app, live, people["owner"].client, viewport=TABLET) as context:
        page = context.new_page()
        page.goto("/office/customers")
        page.keyboard.press("Tab")
        expect(page.locator(".skip")).to_be_focused()
        expect(page.locator(".skip")).to_be_in_viewport()
        page.keyboard.press("Enter")
        type_into(page, "Name, card number, e-mail or phone", bakery.words[0])
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile("q="))
        press(page, page.get_by_role("link", name=f"Cleo {bakery.words[0]}"))
        expect(page.get_by_role("heading", level=1, name=f"Cleo {bakery.words[0]}")).to_be_visible()
        button = page.get_by_role("button", name="Correct the balance")
        press(page, button)
        summary = page.get_by_role("heading", name="Some of the fields need another look.")
        expect(summary).to_be_focused()
        press(page, page.get_by_role("alert").get_by_role("link").first)
        expect(page.locator(":focus")).to_have_attribute("aria-invalid", "true")


def test_it_acts_for_a_shop_by_keyboard_alone(
    till_browser: Browser, app: Flask, live: str, bakery: world.Business, people: dict[str, world.Door]
) -> None:
    with visit(till_browser, app, live, people["admin"].client, viewport=TABLET) as context:
        page = context.new_page()
        page.goto(f"/admin/vendors/{bakery.ids['vendor_id']}")
        press(page, page.get_by_role("link", name="Act for the shop"))
        expect(page).to_have_url(re.compile("/act$"))
        press(page, page.get_by_role("button", name="Enter its office"))
        expect(page.get_by_role("heading", name="Some of the fields need another look.")).to_be_focused()
        type_into(page, "Reason", "She asked on the phone")
        page.keyboard.press("Enter")
        bar = page.get_by_role("complementary", name="Acting for a shop")
        press(page, bar.get_by_role("button", name="Leave"))
        expect(page.get_by_text("You act for no shop any more.")).to_be_visible()


def test_it_words_a_mail_by_keyboard_alone(
    till_browser: Browser, app: Flask, live: str, people: dict[str, world.Door]
) -> None:
    with visit(till_browser, app, live, people["owner"].client, viewport=TABLET) as context:
        page = context.new_page()
        page.goto("/office/mails/birthday/en")
        type_into(page, "Subject", "Hello {nobody}")
        press(page, page.get_by_role("button", name="Save"))
        expect(page.get_by_role("heading", name="Some of the fields need another look.")).to_be_focused()
        type_into(page, "Subject", "Hello from {shop}")
        press(page, page.get_by_role("button", name="Save"))
        expect(page.get_by_text("The words are saved.")).to_be_visible()


def test_it_works_with_the_colours_that_somebody_chose(
    till_browser: Browser,
    app: Flask,
    live: str,
    bakery: world.Business,
    people: dict[str, world.Door],
) -> None:
    """Forced colours take away backgrounds: buttons and switches have to keep an edge."""
    with visit(
        till_browser,
        app,
        live,
        people["owner"].client,
        viewport=PHONE,
        forced_colors="active",
    ) as context:
        page = context.new_page()
        for path in ("/office/mails/settings", f"/office/customers/{bakery.ids['card_id']}"):
            page.goto(path)
            bare = (
                "each => each.filter(one => one.offsetParent && getComputedStyle(one).borderTopWidth === '0px').length"
            )
            assert page.locator("main .btn").evaluate_all(bare) == 0, path


@pytest.mark.parametrize("who", ["anonymous", "owner", "admin"])
def test_it_has_room_for_fingers_on_a_phone(
    till_browser: Browser, app: Flask, live: str, bakery: world.Business, people: dict[str, world.Door], who: str
) -> None:
    paths = {
        "anonymous": ["/join/bakery", "/card/{token}", "/card/{token}/my-data"],
        "owner": [
            "/office/customers",
            "/office/customers/{card_id}",
            "/office/mails",
            "/office/mails/birthday/en",
            "/office/mails/settings",
            "/office/mails/log",
            "/office/customers/duplicates",
            "/office/customers/{card_id}/replace",
            "/office/program/expiry",
        ],
        "admin": ["/admin/vendors/{vendor_id}/act", "/admin/vendors/{vendor_id}/cards/off", "/admin/mails"],
    }[who]
    small: dict[str, list[str]] = {}
    with visit(till_browser, app, live, people[who].client, viewport=PHONE, has_touch=True) as context:
        page = context.new_page()
        for path in paths:
            answer = page.goto(path.format(**bakery.ids))
            assert answer is not None, path
            assert answer.status == 200, path
            small |= {path: found} if (found := page.evaluate(SMALL)) else {}
    assert small == {}
