"""What changes without a new page is read out exactly once; where motion is unwanted, nothing moves."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, ViewportSize, expect

from loyalty.domain.values import CardRef
from loyalty.services import stamps
from tests import bulk, world
from tests.browser.conftest import OpenBakery
from tests.browser.test_every_page import PHONE, TABLET, visit
from tests.factories import change_program, make_key
from tests.tablet import Tablet, open_tablet

pytestmark = pytest.mark.browser

# What a screen reader is told: a region that was there gets other words, or one arrives with its words.
LISTEN = """
const REGION = "[role=status], [role=alert], [aria-live=polite], [aria-live=assertive]";
window.readOut = [];
new MutationObserver(changes => {
    const told = new Set();
    for (const { target, addedNodes, type } of changes) {
        const region = (target.closest ? target : target.parentElement)?.closest(REGION);
        if (region) told.add(region);
        else for (const each of addedNodes) if (each.querySelectorAll)
            for (const one of [each, ...each.querySelectorAll(REGION)]) if (one.matches(REGION)) told.add(one);
    }
    for (const each of told) {
        const words = each.textContent.trim().replace(/\\s+/g, " ");
        if (words && !each.closest("[hidden]")) readOut.push(words);
    }
}).observe(document, { subtree: true, childList: true, characterData: true });
"""
# Whatever could move: on every element, before and behind it.
MOVING = """() => [...document.querySelectorAll("body *")].flatMap(each => [null, "::before", "::after"].map(part => {
    const style = getComputedStyle(each, part);
    const moves = style.animationName !== "none" || parseFloat(style.transitionDuration) > 0;
    return moves ? `${each.outerHTML.slice(0, 99)} ${part ?? ""}` : null;
})).filter(Boolean)"""


def heard(page: Page) -> list[str]:
    """Return what was read out since the last time."""
    page.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
    words: list[str] = page.evaluate("readOut.splice(0)")
    return words


def at_the_till(browser: Browser, live: str, shop: OpenBakery, motion: str) -> Tablet:
    tablet = open_tablet(browser, live, reduced_motion=motion)
    tablet.pair(shop.code)
    tablet.sign_in("Ana", shop.ana)
    tablet.sees("Scan the customer’s card")
    return tablet


@contextmanager
def owners_page(browser: Browser, app: Flask, live: str, size: ViewportSize) -> Iterator[Page]:
    """Open a browser in which the owner of a bakery is signed in."""
    with app.app_context():
        bakery = world.make_business("bakery")
    with visit(browser, app, live, world.doors(app, bakery)["owner"].client, viewport=size) as context:
        yield context.new_page()


def test_it_says_once_what_happens_at_the_till(till_browser: Browser, live: str, open_bakery: OpenBakery) -> None:
    with open_bakery.app.app_context():
        change_program(open_bakery.shop, cooldown_minutes=0)
    tablet = at_the_till(till_browser, live, open_bakery, "reduce")
    page = tablet.page
    page.evaluate(LISTEN)
    told: dict[str, list[str]] = {}
    tablet.scan(open_bakery.cleo.scan_code)
    tablet.sees("Cleo Martin")
    told["found"] = heard(page)
    tablet.tap("Stamp")
    tablet.sees("Stamp added: 4 of 10")
    told["stamped"] = heard(page)
    page.locator("#last").get_by_role("button", name="Undo").click()
    tablet.sees("Stamp removed: 3 of 10")
    told["undone"] = heard(page)
    tablet.scan("BCDEFGHJKNPRSTVX")
    tablet.sees("Card not found")
    told["not found"] = heard(page)
    assert {what: len(words) for what, words in told.items()} == dict.fromkeys(told, 1)
    page.context.close()


def test_it_says_once_what_a_card_has_now(
    till_browser: Browser, app: Flask, live: str, open_bakery: OpenBakery
) -> None:
    context = till_browser.new_context(base_url=live, viewport=PHONE)
    page = context.new_page()
    page.goto(f"/card/{open_bakery.cleo.public_token}")
    page.evaluate(LISTEN)
    with app.app_context():
        ben, card = open_bakery.shop.ben, CardRef(card_id=open_bakery.cleo.card_id)
        stamps.add(actor=ben, card=card, quantity=1, key=make_key(ben))
    page.evaluate("dispatchEvent(new Event('focus'))")
    expect(page.locator(".stamps .new")).to_have_count(1)
    said = heard(page)
    assert len(said) == 1
    assert "6 more stamps" in said[0]
    page.evaluate("dispatchEvent(new Event('focus'))")
    expect(page.locator(".htmx-request")).to_have_count(0)
    assert heard(page) == []
    context.close()


def test_it_says_once_that_a_mass_of_cards_is_done(till_browser: Browser, app: Flask, live: str) -> None:
    with app.app_context():
        bakery = world.make_business("bakery")
    door = world.doors(app, bakery)["admin"]
    with visit(till_browser, app, live, door.client, viewport=TABLET) as context:
        page = context.new_page()
        page.goto(f"/admin/bulk/{bakery.ids['bulk_id']}?lang=en")
        page.evaluate(LISTEN)
        look(page)
        assert heard(page) == []
        with app.app_context():
            bulk.work(UUID(bakery.ids["bulk_id"]))
        look(page)
        expect(page.locator("#bulk")).to_contain_text("Switched off")
        assert [words[:17] for words in heard(page)] == ["All is done since"]
        look(page)
        assert heard(page) == []


def look(page: Page) -> None:
    """Look again, as the page does by itself, and see the answer; while one look is under way no other begins."""
    expect(page.locator(".htmx-request")).to_have_count(0)
    page.evaluate("htmx.trigger(document.querySelector('[data-watch]'), 'look')")
    expect(page.locator(".htmx-request")).to_have_count(0)


def test_it_says_once_what_would_expire(till_browser: Browser, app: Flask, live: str) -> None:
    with owners_page(till_browser, app, live, TABLET) as page:
        page.goto("/office/program?lang=en")
        page.evaluate(LISTEN)
        page.locator("#points_expiration_days").fill("365")
        expect(page.locator("#expiry table")).to_be_visible()
        assert [words[:26] for words in heard(page)] == ["If nobody came any more, t"]


def test_it_moves_nothing_where_motion_is_unwanted(
    till_browser: Browser, app: Flask, live: str, open_bakery: OpenBakery
) -> None:
    tablet = at_the_till(till_browser, live, open_bakery, "reduce")
    tablet.scan(open_bakery.cleo.scan_code)
    tablet.sees("Cleo Martin")
    assert tablet.page.evaluate(MOVING) == []
    tablet.tap("Stamp")
    tablet.sees("Stamp added: 4 of 10")
    assert tablet.page.evaluate(MOVING) == []
    tablet.page.context.close()
    context = till_browser.new_context(base_url=live, viewport=PHONE, reduced_motion="reduce")
    page = context.new_page()
    page.goto(f"/card/{open_bakery.cleo.public_token}")
    assert page.evaluate(MOVING) == []
    context.close()


def test_it_moves_where_nobody_minds(till_browser: Browser, live: str, open_bakery: OpenBakery) -> None:
    """The control: without the wish there is something to see."""
    tablet = at_the_till(till_browser, live, open_bakery, "no-preference")
    tablet.scan(open_bakery.cleo.scan_code)
    tablet.sees("Cleo Martin")
    tablet.tap("Stamp")
    tablet.sees("Stamp added: 4 of 10")
    assert tablet.page.evaluate(MOVING) != []
    tablet.page.context.close()


def test_it_leaves_switches_whole_without_motion(till_browser: Browser, app: Flask, live: str) -> None:
    with owners_page(till_browser, app, live, PHONE) as page:
        page.goto("/office/mails/settings")
        assert page.evaluate(MOVING) == []
        # The knob stands in the middle because it is moved up by half of its height.
        knob = "getComputedStyle(document.querySelector('.switch input'), '::before').translate"
        assert page.evaluate(knob) == "0px -50%"
