"""Every state of the till, on a tablet and on a phone, in light and dark: nothing for axe, the focus never lost."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Playwright, ViewportSize, expect

from loyalty.services import cards
from loyalty.web.locale import LANGUAGES
from tests.browser.conftest import OpenBakery, open_till
from tests.chromium import executable
from tests.factories import change_program, make_card, make_key, make_reward
from tests.tablet import ARGS, LANDSCAPE, PHONE, Tablet, open_tablet

pytestmark = pytest.mark.browser
SIZES: list[ViewportSize] = [LANDSCAPE, PHONE]
Check = Callable[[], None]


def test_it_leaves_nothing_to_axe_in_any_state(till_browser: Browser, live: str, open_bakery: OpenBakery) -> None:
    # axe is put into the page by the test; the page's own policy would rightly refuse it.
    tablet = open_tablet(till_browser, live, bypass_csp=True)

    def check() -> None:
        for size in SIZES:
            tablet.page.set_viewport_size(size)
            tablet.leaves_nothing_to_axe()

    _open(tablet, open_bakery, check)
    _find(tablet, open_bakery, check)
    _stamp(tablet, open_bakery, check)
    _points(tablet, open_bakery, check)
    _other_screens(tablet, open_bakery, check)
    tablet.page.context.close()


@pytest.mark.parametrize(("width", "zoom"), [(320, "100%"), (1180, "200%")])
def test_it_never_scrolls_sideways(
    till_browser: Browser, live: str, open_bakery: OpenBakery, width: int, zoom: str
) -> None:
    tablet = open_tablet(till_browser, live, {"width": width, "height": 820}, bypass_csp=True)

    def check() -> None:
        tablet.page.add_style_tag(content=f"html.till {{ font-size: {zoom} !important }}")
        wide = tablet.page.evaluate(
            "[...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1 "
            "&& !e.closest('.vh')).map(e => e.outerHTML.slice(0, 80))"
        )
        assert tablet.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), wide

    _open(tablet, open_bakery, check)
    _find(tablet, open_bakery, check)
    _stamp(tablet, open_bakery, check)
    _points(tablet, open_bakery, check)
    _other_screens(tablet, open_bakery, check)
    tablet.page.context.close()


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_shows_all_of_a_screen_on_a_tablet(
    till_browser: Browser, live: str, open_bakery: OpenBakery, language: str
) -> None:
    with open_bakery.app.app_context():
        make_reward(open_bakery.shop, "Slice of the cake of the day", 50)
        rich = make_card(open_bakery.shop, stamps=10, points=5230, name="Jean-Claude Hoffmann-Schroeder")
    tablet = open_till(till_browser, live, open_bakery)
    page = tablet.page

    def check() -> None:
        scrolls = page.evaluate("document.documentElement.scrollHeight - innerHeight")
        assert scrolls <= 0, (page.url, scrolls, page.locator("#stage").inner_text())

    page.goto(f"/terminal?lang={language}")
    check()
    page.locator("#ready .btn.xl").click()
    expect(page.locator("#q-error")).to_be_visible()
    check()
    page.goto(f"/terminal/cards/{rich.card_id}?points=1")
    check()
    page.locator("#points_pad .btn.xl").click()
    expect(page.locator("#amount-error")).to_be_visible()
    check()
    page.goto(f"/terminal/cards/{rich.card_id}")
    page.locator("#stage a[href*=redemptions]").last.click()
    page.locator("#redeem .btn.xl").click()
    # The bar holds what was given to whom, however long that is.
    expect(page.locator("#result")).to_be_visible()
    check()
    page.context.close()


def test_it_has_controls_for_fingers(till_browser: Browser, live: str, open_bakery: OpenBakery) -> None:
    tablet = open_tablet(till_browser, live)

    def check() -> None:
        small = tablet.page.evaluate(
            "[...document.querySelectorAll('a, button, summary, input')]"
            ".filter(e => !['hidden', 'radio', 'checkbox'].includes(e.type))"
            ".filter(e => e.checkVisibility() && !e.closest('.skip, .vh, .languages, .summary'))"
            ".filter(e => e.getBoundingClientRect().height < 71.5)"
            ".map(e => e.outerHTML.slice(0, 100))"
        )
        assert small == []

    _open(tablet, open_bakery, check)
    _find(tablet, open_bakery, check)
    _stamp(tablet, open_bakery, check)
    _points(tablet, open_bakery, check)
    tablet.page.context.close()


@pytest.mark.parametrize(
    ("arguments", "script", "words"),
    [
        (["--use-fake-ui-for-media-stream=deny", "--use-fake-device-for-media-stream"], "", "The camera is blocked"),
        ([], "", "No camera found."),
        ([], "Object.defineProperty(window, 'isSecureContext', {value: false})", "The camera needs HTTPS"),
    ],
    ids=["denied", "none", "insecure"],
)
def test_it_says_why_there_is_no_camera_and_is_ready_for_typing(
    till_playwright: Playwright,
    till_browser: Browser,
    live: str,
    open_bakery: OpenBakery,
    arguments: list[str],
    script: str,
    words: str,
) -> None:
    browser = till_browser
    if arguments:
        chromium = till_playwright.chromium
        browser = chromium.launch(executable_path=executable(till_playwright), args=[*ARGS, *arguments])
    tablet = open_tablet(browser, live, bypass_csp=True)
    tablet.page.add_init_script(script)
    tablet.pair(open_bakery.code)
    tablet.sign_in("Ana", open_bakery.ana)
    tablet.tap("Use the camera")
    expect(tablet.page.get_by_text(words)).to_be_visible()
    expect(tablet.page.get_by_label("Card number")).to_be_focused()
    tablet.leaves_nothing_to_axe()
    tablet.scan(open_bakery.cleo.card_number)
    tablet.sees("Cleo Martin")
    if browser is not till_browser:
        browser.close()


def test_it_stands_still_where_motion_is_unwanted(till_browser: Browser, live: str, open_bakery: OpenBakery) -> None:
    tablet = open_tablet(till_browser, live, reduced_motion="reduce", forced_colors="active")
    _open(tablet, open_bakery, lambda: None)
    tablet.scan(open_bakery.cleo.scan_code)
    tablet.tap("Stamp")
    tablet.sees("Stamp added: 4 of 10")
    moving = tablet.page.evaluate("document.getAnimations().filter(a => a.effect.getTiming().duration > 1).length")
    assert moving == 0
    tablet.page.context.close()


def _open(tablet: Tablet, bakery: OpenBakery, check: Check) -> None:
    page = tablet.page
    page.goto("/terminal")
    check()
    page.get_by_label("Pairing code").fill("nothing")
    page.get_by_role("button", name="Pair").click()
    expect(page.locator("#code-error")).to_be_visible()
    check()
    tablet.pair(bakery.code)
    check()
    page.get_by_role("radio", name="Ana", exact=True).check()
    page.get_by_label("Your PIN").fill("12345")
    page.keyboard.press("Enter")
    expect(page.locator("#pin-error")).to_be_visible()
    check()
    tablet.sign_in("Ana", bakery.ana)
    tablet.sees("Scan the customer’s card")
    check()


def _find(tablet: Tablet, bakery: OpenBakery, check: Check) -> None:
    with bakery.app.app_context():
        make_card(bakery.shop, name="Cleo Hoffmann")
    tablet.scan("BCDEFGHJKNPR")
    tablet.sees("Card not found")
    check()
    tablet.tap("Scan again")
    tablet.tap("Find card")
    expect(tablet.page.locator("#q-error")).to_be_visible()
    check()
    tablet.page.get_by_label("Card number").fill("cleo")
    tablet.tap("Find card")
    tablet.sees("Several cards match. Which one?")
    check()


def _stamp(tablet: Tablet, bakery: OpenBakery, check: Check) -> None:
    tablet.scan(bakery.cleo.scan_code)
    tablet.sees("Cleo Martin")
    check()
    tablet.tap("Stamp")
    tablet.sees("Stamp added: 4 of 10")
    check()
    tablet.tap("Same customer")
    expect(tablet.page.locator("#card").get_by_text("Next stamp from")).to_be_visible()
    check()
    tablet.page.locator("#last").get_by_role("button", name="Undo").click()
    tablet.sees("Stamp removed: 3 of 10")
    check()
    with bakery.app.app_context():
        full = make_card(bakery.shop, stamps=9, name="Léa Weber")
    tablet.scan(full.card_number)
    tablet.sees("Léa Weber")
    tablet.tap("Stamp")
    tablet.sees("Card full: 1 free coffee")
    check()
    tablet.tap("Redeem: 1 free coffee")
    tablet.sees("Give 1 free coffee?")
    check()
    tablet.tap("Give reward")
    tablet.sees("Reward given. 0 of 10")
    check()


def _points(tablet: Tablet, bakery: OpenBakery, check: Check) -> None:
    tablet.page.goto(f"/terminal/cards/{bakery.cleo.card_id}?points=1")
    check()
    tablet.page.get_by_label("Amount of the purchase").fill("12,5,5")
    tablet.tap("Add points")
    expect(tablet.page.locator("#amount-error")).to_be_visible()
    check()
    tablet.page.get_by_label("Amount of the purchase").fill("12,5")
    expect(tablet.page.locator("#gives")).to_have_text("= 125 points")
    check()
    tablet.tap("Add 125 points")
    tablet.sees("125 points added")
    check()


def _other_screens(tablet: Tablet, bakery: OpenBakery, check: Check) -> None:
    page = tablet.page
    for path in ("/transactions", "/customers/new", "/settings", f"/cards/{bakery.cleo.card_id}/code"):
        page.goto(f"/terminal{path}")
        check()
    page.goto("/terminal/customers/new")
    page.get_by_text("Enter the customer’s data here instead").click()
    page.get_by_label("E-mail").fill("nonsense")
    tablet.tap("Make the card")
    expect(page.get_by_role("heading", name="Some of the fields need another look.")).to_be_focused()
    check()
    with bakery.app.app_context():
        closed = make_card(bakery.shop, name="Nora Weber")
        cards.deactivate(actor=bakery.shop.ada, card=closed.ref, reason="lost", key=make_key(bakery.shop.ada))
    tablet.scan(closed.scan_code)
    expect(page.get_by_role("heading", name="This card is not active")).to_be_visible()
    check()
    with bakery.app.app_context():
        change_program(bakery.shop, stamps_target=30, max_stamps_per_action=5, cooldown_minutes=0)
    page.goto(f"/terminal/cards/{bakery.cleo.card_id}")
    check()
    page.goto("/terminal/settings")
    tablet.tap("Unpair this tablet")
    tablet.sees("A manager’s PIN is needed")
    check()
    page.locator("#lock-form button").click()
    tablet.sees(re.compile("Who is at the till"))
    check()
    page.goto("/terminal/offline")
    page.locator("h1").evaluate("heading => { heading.tabIndex = -1; heading.focus(); }")
    check()
