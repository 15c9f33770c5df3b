"""Every page, as each kind of person sees it: read by axe in light and dark, with long words and with large text."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize

from tests import axe, world
from tests.long_words import spoken_as

pytestmark = pytest.mark.browser

PEOPLE = ("anonymous", "locked terminal", "manager session", "owner", "admin")
TABLET: ViewportSize = {"width": 1180, "height": 820}
PHONE: ViewportSize = {"width": 390, "height": 844}
NARROW: ViewportSize = {"width": 320, "height": 640}
LOOKS: list[tuple[Literal["light", "dark"], ViewportSize]] = [("light", PHONE), ("dark", TABLET)]
# What reaches beyond the window, though nothing around it scrolls.
TOO_WIDE = """() => document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll("body *")]
    .filter(each => each.getBoundingClientRect().right > innerWidth + 1 && !each.closest("[hidden]")).slice(-3)
    .map(each => each.outerHTML.slice(0, 160))"""
# What people have to read to the end to know what happens.
CUT = """() => [...document.querySelectorAll("button, .button, .chip, h1, h2, h3, label, legend, th")]
    .filter(each => each.offsetParent && each.scrollWidth > each.clientWidth + 1 && each.clientWidth > 1
        && getComputedStyle(each).overflowX !== "visible").map(each => each.outerHTML.slice(0, 160))"""


@pytest.fixture
def bakery(app: Flask) -> world.Business:
    """Ada's bakery, with everything in it."""
    with app.app_context():
        return world.make_business("bakery")


def addresses(app: Flask, door: world.Door, bakery: world.Business, *, with_: bytes = b"<html") -> list[str]:
    """Return where this person finds a page of their own with this on it: what others see as well is left to those."""
    found = set()
    for rule, method, access in world.routes(app):
        if method == "GET" and world.may_enter(door, rule, access) and is_own(door, rule.endpoint):
            path = world.address(app, rule, bakery.ids)
            answer = door.client.get(path)
            is_kept = answer.headers.get("Content-Disposition", "").startswith("attachment")
            is_page = answer.mimetype == "text/html" and with_ in answer.data and not is_kept
            if is_page and answer.status_code == 200:
                found.add(path)
            answer.close()
    return sorted(found)


def is_own(door: world.Door, endpoint: str) -> bool:
    surface = endpoint.partition(".")[0]
    if door.platform:
        return surface == "admin"
    return surface == ("terminal" if door.paired else "office" if door.office else surface)


def visit(chromium: Browser, app: Flask, live: str, client: FlaskClient, **options: Any) -> BrowserContext:
    """Open a browser with the cookies of another."""
    # axe is put into the page by the test; the pages' own policy would rightly refuse it.
    context = chromium.new_context(base_url=live, bypass_csp=True, reduced_motion="reduce", **options)
    for name in (app.config["SESSION_COOKIE_NAME"], app.config["TERMINAL_COOKIE_NAME"]):
        cookie = client.get_cookie(name)
        if cookie is not None:
            context.add_cookies([{"name": name, "value": cookie.value, "url": live}])
    context.set_default_timeout(60_000)
    return context


@pytest.fixture
def people(app: Flask, bakery: world.Business) -> dict[str, world.Door]:
    return {**world.doors(app, bakery), **world.strangers(app)}


@pytest.fixture(params=PEOPLE)
def person(request: pytest.FixtureRequest, people: dict[str, world.Door]) -> world.Door:
    return people[request.param]


def pages(context: BrowserContext, paths: list[str], query: str = "") -> Iterator[Page]:
    """Open one after the other."""
    page = context.new_page()
    for path in paths:
        page.goto(path + query)
        yield page


def test_it_can_be_read_by_everybody(
    till_browser: Browser, app: Flask, live: str, bakery: world.Business, person: world.Door, tmp_path: Path
) -> None:
    paths = addresses(app, person, bakery)
    assert paths
    wrong: list[Any] = []
    with visit(till_browser, app, live, person.client) as context:
        for page in pages(context, paths, "?lang=en"):
            wrong += in_light_and_dark(page)
            page.add_style_tag(content="html { font-size: 200% !important }")
            wrong += [(page.url, "200 %", each) for each in page.evaluate(TOO_WIDE) + page.evaluate(CUT)]
    # With long words, on narrow phones.
    with spoken_as(app, "lb", tmp_path), visit(till_browser, app, live, person.client, viewport=PHONE) as context:
        for page in pages(context, paths, "?lang=lb"):
            assert "ë" in page.inner_text("body")
            for size in (TABLET, PHONE, NARROW):
                page.set_viewport_size(size)
                wrong += [(page.url, size["width"], each) for each in page.evaluate(TOO_WIDE) + page.evaluate(CUT)]
    assert wrong == []


def in_light_and_dark(page: Page) -> list[Any]:
    """Say what axe finds on a page."""
    wrong: list[Any] = []
    for scheme, size in LOOKS:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size(size)
        wrong += [(scheme, page.url, rule, places[0]) for rule, places in axe.faults(page)]
    return wrong


def test_it_sees_what_is_too_wide_or_cut(
    till_browser: Browser, app: Flask, live: str, people: dict[str, world.Door]
) -> None:
    """The control: the pages pass because there is room, not because nothing is seen."""
    wide = "<p style='width: 150vw'>Wide</p>"
    cut = "<button style='width: 3rem; overflow: hidden; white-space: nowrap'>Not all of this</button>"
    with visit(till_browser, app, live, people["owner"].client, viewport=PHONE) as context:
        (page,) = pages(context, ["/office"])
        assert (page.evaluate(TOO_WIDE), page.evaluate(CUT)) == ([], [])
        page.evaluate("html => document.querySelector('main').insertAdjacentHTML('beforeend', html)", wide + cut)
        assert "Wide" in page.evaluate(TOO_WIDE)[-1]
        assert "Not all of this" in page.evaluate(CUT)[-1]
