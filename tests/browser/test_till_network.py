"""Nervous fingers and bad networks: whatever happens on the way, one tap is one stamp."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from loyalty.services import terminals
from tests.browser.conftest import OpenBakery, open_till
from tests.browser.page_time import hold_time
from tests.factories import make_card, make_key
from tests.tablet import SETTLED, Tablet

pytestmark = pytest.mark.browser
STAMPS = re.compile(r"/terminal/cards/[^/]+/stamps$")


@pytest.fixture
def tablet(till_browser: Browser, live: str, open_bakery: OpenBakery) -> Tablet:
    """The bakery's tablet with Cleo's card on the screen."""
    tablet = open_till(till_browser, live, open_bakery)
    tablet.scan(open_bakery.cleo.scan_code)
    tablet.sees("Cleo Martin")
    return tablet


@pytest.mark.parametrize("taps", [2, 3])
def test_it_gives_one_stamp_for_nervous_taps(tablet: Tablet, open_bakery: OpenBakery, taps: int) -> None:
    held: list[Route] = []
    tapped: list[bool] = []

    def hold(route: Route) -> None:
        if tapped:
            route.continue_()
        else:
            held.append(route)

    # The network is so slow that the last tap comes before the first answer.
    tablet.page.route(STAMPS, hold)
    tablet.page.get_by_role("button", name="Stamp", exact=True).click(click_count=taps, delay=20)
    tapped.append(True)
    for route in held:
        route.continue_()
    tablet.sees("Stamp added: 4 of 10")
    assert open_bakery.stamps_on(open_bakery.cleo) == 4
    assert tablet.complaints == []


def test_it_puts_something_harmless_under_the_finger(tablet: Tablet, open_bakery: OpenBakery) -> None:
    button = tablet.page.get_by_role("button", name="Stamp", exact=True).bounding_box()
    tablet.tap("Stamp")
    tablet.sees("Stamp added: 4 of 10")
    tablet.page.evaluate(SETTLED)
    undo = tablet.page.locator("#stage").get_by_role("button", name="Undo").bounding_box()
    harmless = tablet.page.get_by_role("link", name="Next customer").bounding_box()
    assert button
    assert undo
    assert harmless
    assert abs(harmless["y"] - button["y"]) < 24
    assert harmless["y"] - (undo["y"] + undo["height"]) >= 16


def test_it_asks_again_with_the_same_key_when_the_answer_is_cut_off(tablet: Tablet, open_bakery: OpenBakery) -> None:
    requests = _spoil(tablet.page, times=1, spoil=_cut)
    tablet.tap("Stamp")
    expect(tablet.page.locator("#net-text")).to_have_text("Connection is slow. Checking…")
    tablet.sees("Stamp added: 4 of 10")
    expect(tablet.page.locator("#net")).to_be_hidden()
    assert open_bakery.stamps_on(open_bakery.cleo) == 4
    assert len(requests) == 2
    assert requests[0] == requests[1]


@pytest.mark.parametrize("status", [500, 502, 503])
def test_it_asks_again_when_the_server_breaks_after_the_work(
    tablet: Tablet, open_bakery: OpenBakery, status: int
) -> None:
    def break_down(route: Route) -> None:
        route.fetch()
        route.fulfill(status=status, body="broken")

    requests = _spoil(tablet.page, times=1, spoil=break_down)
    tablet.tap("Stamp")
    tablet.sees("Stamp added: 4 of 10")
    assert open_bakery.stamps_on(open_bakery.cleo) == 4
    assert len(requests) == 2


def test_it_asks_again_for_what_was_sent_whatever_is_typed_meanwhile(tablet: Tablet, open_bakery: OpenBakery) -> None:
    page, bodies = tablet.page, list[str]()

    def lose(route: Route) -> None:
        bodies.append(route.request.post_data or "")
        if len(bodies) > 1:
            route.continue_()
            return
        route.fetch()
        # The answer is lost, and the next customer's amount is typed over the first.
        route.abort("connectionreset")

    page.goto(f"/terminal/cards/{open_bakery.cleo.card_id}?points=1")
    hold_time(page)
    page.route(re.compile("/points$"), lose)
    amount = page.get_by_label("Amount of the purchase")
    amount.fill("12")
    page.locator("#points_pad button.primary").click(no_wait_after=True)
    expect(page.locator("#net-text")).to_have_text("Connection is slow. Checking…")
    amount.fill("99")
    # A second later it asks again.
    page.clock.run_for(1100)
    tablet.sees(re.compile("120 points"))
    assert len(bodies) == 2
    assert bodies[0] == bodies[1]
    assert open_bakery.points_on(open_bakery.cleo) == 120


def test_it_says_that_nothing_is_confirmed_and_recovers_by_itself(tablet: Tablet, open_bakery: OpenBakery) -> None:
    page = tablet.page
    hold_time(page)
    requests = _spoil(page, times=4, spoil=lambda route: route.abort("connectionreset"))
    page.route("**/terminal/ping", lambda route: route.abort("connectionreset"))
    tablet.tap("Stamp")
    for tried, waiting in enumerate((1000, 2000, 4000), 1):
        # Only once the page knows that it failed does it mean to ask again.
        expect(page.locator("#stage .htmx-request")).to_have_count(0)
        assert len(requests) == tried
        page.clock.run_for(waiting)
    expect(page.locator("#net-text")).to_have_text("Not confirmed. Tap to check again.")
    expect(page.locator("#net-live")).to_have_text("Not confirmed. Tap to check again.")
    expect(page.get_by_role("button", name="Check again")).to_be_visible()
    assert open_bakery.stamps_on(open_bakery.cleo) == 3
    assert len(requests) == 4
    page.unroute("**/terminal/ping")
    page.clock.run_for(4000)
    # Where a question was still open, the next one comes a little later.
    page.clock.resume()
    tablet.sees("Stamp added: 4 of 10")
    assert open_bakery.stamps_on(open_bakery.cleo) == 4
    assert len(set(requests)) == 1
    expect(page.locator("#net")).to_be_hidden()


def test_it_refuses_taps_without_a_connection_and_says_so(tablet: Tablet, open_bakery: OpenBakery) -> None:
    page = tablet.page
    page.context.set_offline(True)
    button = page.get_by_role("button", name="Stamp", exact=True)
    expect(button).to_have_attribute("aria-disabled", "true")
    expect(page.locator("#net-text")).to_contain_text("No connection. New stamps cannot be saved now.")
    button.click(force=True)
    page.context.set_offline(False)
    expect(button).not_to_have_attribute("aria-disabled", "true")
    expect(page.locator("#net")).to_be_hidden()
    assert open_bakery.stamps_on(open_bakery.cleo) == 3
    tablet.tap("Stamp")
    tablet.sees("Stamp added: 4 of 10")
    assert open_bakery.stamps_on(open_bakery.cleo) == 4


def test_it_starts_without_a_connection_and_comes_back_by_itself(tablet: Tablet) -> None:
    page = tablet.page
    page.wait_for_function("() => navigator.serviceWorker.ready.then(worker => worker.active?.state === 'activated')")
    page.context.set_offline(True)
    page.goto("/terminal")
    expect(page.get_by_role("heading", name="No connection")).to_be_visible()
    # The page has its style, so it is not the browser's own.
    assert page.locator(".btn.xl").evaluate("button => getComputedStyle(button).minHeight") == "96px"
    page.context.set_offline(False)
    tablet.sees("Scan the customer’s card")


def test_it_offers_the_interrupted_action_after_the_pin(tablet: Tablet, open_bakery: OpenBakery) -> None:
    with open_bakery.app.app_context():
        for row in terminals.list_all(actor=open_bakery.shop.ada):
            terminals.lock(actor=replace(open_bakery.shop.ben, terminal_id=row.terminal_id))
    tablet.tap("Stamp")
    tablet.sees("Enter your PIN to continue")
    tablet.sign_in("Ana", open_bakery.ana)
    tablet.sees("Not saved yet")
    tablet.tap("Stamp")
    tablet.sees("Stamp added: 4 of 10")
    assert open_bakery.stamps_on(open_bakery.cleo) == 4
    assert tablet.complaints == []


def test_it_locks_by_itself_after_a_warning_and_brings_the_card_back(tablet: Tablet, open_bakery: OpenBakery) -> None:
    page = tablet.page
    hold_time(page)
    page.reload()
    tablet.scan(open_bakery.cleo.card_number)
    tablet.sees("Cleo Martin")
    page.clock.run_for(105_000)
    expect(page.locator("#lockbar")).to_contain_text(re.compile(r"Locks in \d+ seconds"))
    page.get_by_role("button", name="Stay").click()
    expect(page.locator("#lockbar")).to_be_hidden()
    page.clock.run_for(125_000)
    tablet.sees("Who is at the till?")
    tablet.sign_in("Ana", open_bakery.ana)
    page.clock.run_for(1000)
    tablet.sees("Cleo Martin")


def test_it_notices_that_the_owner_signed_it_out(tablet: Tablet, open_bakery: OpenBakery) -> None:
    page = tablet.page
    hold_time(page)
    page.reload()
    tablet.sees("Scan the customer’s card")
    with open_bakery.app.app_context():
        for row in terminals.list_all(actor=open_bakery.shop.ada):
            terminals.revoke(
                actor=open_bakery.shop.ada, terminal_id=row.terminal_id, key=make_key(open_bakery.shop.ada)
            )
    page.clock.run_for(30_000)
    tablet.sees("This tablet was signed out by the owner")


def test_it_opens_the_scanned_card_on_every_screen_and_changes_none(tablet: Tablet, open_bakery: OpenBakery) -> None:
    page, cleo = tablet.page, open_bakery.cleo
    with open_bakery.app.app_context():
        other = make_card(open_bakery.shop, stamps=12, name="Nora Weber")
    screens = [
        "",
        "/transactions",
        "/customers/new",
        "/settings",
        f"/cards/{cleo.card_id}",
        f"/cards/{cleo.card_id}?points=1",
    ]
    screens += [f"/cards/{cleo.card_id}/code", f"/cards/{other.card_id}/redemptions/new"]
    for path in screens:
        page.goto(f"/terminal{path}")
        expect(page.locator("#stage [data-focus]").first).to_be_focused()
        tablet.scan(other.scan_code)
        tablet.sees("Nora Weber")
    page.goto(f"/terminal/cards/{cleo.card_id}?points=1")
    page.get_by_label("Amount of the purchase").fill("12")
    tablet.scan(other.scan_code.lower())
    tablet.sees("Nora Weber")
    assert open_bakery.stamps_on(cleo) == 3
    assert open_bakery.stamps_on(other) == 12
    assert tablet.complaints == []


def test_it_ignores_the_same_card_twice_at_once(tablet: Tablet, open_bakery: OpenBakery) -> None:
    lookups: list[str] = []
    hold_time(tablet.page)
    tablet.page.reload()
    tablet.scan(open_bakery.cleo.scan_code)
    tablet.sees("Cleo Martin")
    tablet.page.on("request", lambda request: lookups.append(request.url) if "lookup" in request.url else None)
    tablet.scan(open_bakery.cleo.scan_code)
    tablet.scan(open_bakery.cleo.scan_code)
    expect(tablet.page.locator("#announce")).to_have_text("This card is on the screen already.")
    assert len(lookups) == 0


def test_it_tries_a_scanner_in_the_settings(tablet: Tablet) -> None:
    page = tablet.page
    page.goto("/terminal/settings")
    field = page.get_by_label("What the scanner typed")
    field.focus()
    tablet.scan("BCDEFGHJKNPRSTVX")
    expect(page.locator("#scan-test-answer")).to_have_text("The scanner works.")
    # Keys of another layout.
    tablet.scan("§CDEFGHJKNPRSTVX")
    expect(page.locator("#scan-test-answer")).to_contain_text("This is not the sample.")
    tablet.sees("Settings of this tablet")


def _spoil(page: Page, *, times: int, spoil: Callable[[Route], None]) -> list[str]:
    """Spoil the first requests that stamp; returns the body of each request."""
    bodies: list[str] = []

    def handle(route: Route) -> None:
        bodies.append(route.request.post_data or "")
        if len(bodies) <= times:
            spoil(route)
        else:
            route.continue_()

    page.route(STAMPS, handle)
    return bodies


def _cut(route: Route) -> None:
    route.fetch()
    route.abort("connectionreset")
