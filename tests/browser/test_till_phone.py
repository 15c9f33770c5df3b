"""The whole way of a stamp: a finger on the tablet, a worker, Apple's push service, and the pass in a phone.

Only Apple is played: server, worker and push service talk over real sockets, and the phone checks what a phone checks.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Page, expect
from werkzeug.test import Client

from config import Config
from loyalty.database import db, transaction
from loyalty.models.outbox import OutboxMessage
from loyalty.services import accounts, passes
from loyalty.wallets.apple import ApplePasses
from tests import apple_passes
from tests.apns_fake import ApnsFake, apns_server, server_certificate
from tests.browser.conftest import OpenBakery
from tests.browser.entering import sign_in
from tests.factories import change_program
from tests.office import PASSWORD
from tests.phone import SERVICE, HeldPass, Phone
from tests.processes import python
from tests.tablet import PHONE, Tablet, open_tablet

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

pytestmark = pytest.mark.browser

WORKER = "from loyalty.jobs import worker; worker.run(app)"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Mobile/15E148 Safari"


@dataclass(frozen=True)
class Street:
    """The bakery with its tablet, and a customer with the pass in her phone, whom Apple can reach."""

    tablet: Tablet
    phone: Phone
    held: HeldPass
    apns: ApnsFake
    page: Page
    seen_before: int

    def shows(self, stamps: str, *, pushes: int) -> None:
        """Wait for this push of the test, let the phone do what a push makes it do, and read its pass."""
        assert self.apns.wait_for(self.seen_before + pushes)
        assert self.apns.tokens[self.seen_before :] == [self.phone.push_token] * pushes
        assert self.phone.wake() == [self.held.serial]
        assert self.held.stamps == stamps
        # Whoever has asked knows it all.
        assert self.phone.wake() == []


@pytest.fixture(scope="module")
def apns() -> Iterator[ApnsFake]:
    """Apple's push service."""
    with apns_server() as running:
        yield running


@pytest.fixture
def making(live: str) -> Iterator[None]:
    """The web server makes passes that ask it for updates."""
    made = apple_passes.certificates()
    maker = ApplePasses(
        certificate_file=made.certificate,
        key_file=made.key,
        wwdr_file=made.wwdr,
        pass_type_id=made.pass_type_id,
        team_id=made.team_id,
        web_service_url=f"{live}{SERVICE.removesuffix('/v1')}",
        at=datetime.now(UTC),
    )
    passes.configure(apple=maker)
    yield
    passes.configure(apple=None)


@pytest.fixture(scope="module")
def worker(config: Config, live: str, apns: ApnsFake) -> Iterator[None]:
    """A worker in a process of its own, which trusts the authority of this push service.

    Two changes of a card are told at once and further ones together, so no test here has more.
    """
    made = apple_passes.certificates()
    settings: dict[str, Any] = {  # as `python` takes them
        "PUBLIC_URL": live,
        "APPLE_TEAM_ID": made.team_id,
        "APPLE_PASS_TYPE_ID": made.pass_type_id,
        "APPLE_PASS_CERT_FILE": str(made.certificate),
        "APPLE_PASS_KEY_FILE": str(made.key),
        "APPLE_WWDR_FILE": str(made.wwdr),
        "APNS_URL": apns.url,
        "SSL_CERT_FILE": str(server_certificate()),
    }
    with python(WORKER, config=config, **settings):
        yield


@pytest.fixture
def street(
    request: pytest.FixtureRequest,
    till_browser: Browser,
    live: str,
    open_bakery: OpenBakery,
    making: None,
    worker: None,
    apns: ApnsFake,
) -> Iterator[Street]:
    """A morning: the tablet is paired and Ana signed in, a customer has joined, added the pass and is at the counter.

    The parameter is the number of stamps that she gets as a welcome.
    """
    welcome = getattr(request, "param", 0)
    with open_bakery.app.app_context():
        program = {"stamps_target": 2, "cooldown_minutes": 0, "welcome_stamps": welcome}
        change_program(open_bakery.shop, loyalty_type="stamps", **program)
    page = _join(till_browser, live)
    phone = Phone(Client(_Wire(live)))
    held = phone.add(page.get_by_role("link", name="Add to Apple Wallet").get_attribute("href") or "")
    assert held.opened.says["webServiceURL"] == f"{live}{SERVICE.removesuffix('/v1')}"
    assert phone.register(held) == 201
    # A new phone asks once for all that it holds.
    phone.wake()
    assert held.stamps == f"{welcome}/2"
    tablet = open_tablet(till_browser, live)
    tablet.pair(open_bakery.code)
    tablet.sign_in("Ana", open_bakery.ana)
    tablet.sees("Scan the customer’s card")
    # What the phone shows is what the scanner reads.
    tablet.scan(held.opened.says["barcodes"][0]["message"])
    tablet.sees(re.compile("Card "))
    yield Street(tablet, phone, held, apns, page, len(apns.seen))
    tablet.page.context.close()
    page.context.close()


def test_it_shows_on_the_phone_what_the_cashier_taps(street: Street) -> None:
    tablet = street.tablet
    tablet.tap("Stamp")
    tablet.sees("Stamp added: 1 of 2")
    street.shows("1/2", pushes=1)
    tablet.tap("Undo")
    tablet.sees("Stamp removed: 0 of 2")
    street.shows("0/2", pushes=2)
    assert tablet.complaints == []


@pytest.mark.parametrize("street", [1], indirect=True)
def test_it_shows_on_the_phone_that_the_reward_is_ready_and_then_taken(street: Street) -> None:
    street.tablet.tap("Stamp")
    street.tablet.sees("Card full: 1 free coffee")
    street.shows("2/2", pushes=1)
    assert street.held.opened.fields["stamps_reward"]["label"] == "Reward ready"
    _redeem(street.tablet)
    street.shows("0/2", pushes=2)
    assert street.held.opened.fields["stamps_reward"]["label"] == "Next reward"
    assert street.tablet.complaints == []


@pytest.mark.parametrize("street", [2], indirect=True)
def test_it_shows_on_the_phone_that_a_reward_was_taken_back(street: Street) -> None:
    _redeem(street.tablet)
    street.shows("0/2", pushes=1)
    street.tablet.tap("Undo")
    street.tablet.sees(re.compile("^Reward taken back"))
    street.shows("2/2", pushes=2)
    assert street.tablet.complaints == []


def test_it_shows_on_the_phone_what_the_office_changes(
    till_browser: Browser, live: str, open_bakery: OpenBakery, street: Street
) -> None:
    assert street.held.opened.says["backgroundColor"] == "rgb(14, 90, 74)"
    office = _open_program(till_browser, live, open_bakery)
    office.get_by_role("link", name="Apple Wallet").click()
    expect(office.locator(".pass.apple")).to_be_visible()
    office.get_by_label("Colour of the card", exact=True).fill("#FFEE00")
    expect(office.get_by_text("Text will be black")).to_be_visible()
    office.get_by_role("button", name="Save").click()
    expect(office.get_by_text("The program is saved.")).to_be_visible()
    # The same pass in another dress.
    street.shows("0/2", pushes=1)
    says = street.held.opened.says
    assert (says["backgroundColor"], says["foregroundColor"]) == ("rgb(255, 238, 0)", "rgb(0, 0, 0)")
    assert apple_passes.openssl_verifies(street.held.opened)
    office.context.close()


def test_it_tells_no_phone_that_has_thrown_the_pass_away(open_bakery: OpenBakery, street: Street) -> None:
    address = street.page.get_by_role("link", name="Add to Apple Wallet").get_attribute("href") or ""
    assert street.phone.throw_away(street.held) == 200
    street.tablet.tap("Stamp")
    street.tablet.sees("Stamp added: 1 of 2")
    with open_bakery.app.app_context(), transaction():
        told = sa.select(sa.func.count()).where(OutboxMessage.kind == "apple.push")
        assert db.session.execute(told).scalar_one() == 0
    # The page of the card still leads to the pass, as it is now.
    assert street.phone.add(address).stamps == "1/2"


def _redeem(tablet: Tablet) -> None:
    tablet.tap("Redeem: 1 free coffee")
    tablet.sees("Give 1 free coffee?")
    tablet.tap("Give reward")
    tablet.sees(re.compile("^Reward given"))


def _join(browser: Browser, live: str) -> Page:
    context = browser.new_context(base_url=live, viewport=PHONE, user_agent=IPHONE)
    context.set_default_timeout(60_000)
    page = context.new_page()
    page.goto("/join/bakery")
    page.get_by_label("Your e-mail address").fill("lea@example.org")
    page.get_by_role("button", name="Get my card").click()
    expect(page.get_by_role("link", name="Add to Apple Wallet")).to_be_visible()
    return page


def _open_program(browser: Browser, live: str, bakery: OpenBakery) -> Page:
    with bakery.app.app_context():
        accounts.create_owner(vendor_id=bakery.shop.vendor_id, email="office@bakery.example", password=PASSWORD)
    context = browser.new_context(base_url=live)
    context.set_default_timeout(60_000)
    page = context.new_page()
    sign_in(page, "/office/program", "office@bakery.example")
    return page


class _Wire:
    """The network between a phone and a server: every request goes over a socket of its own."""

    def __init__(self, address: str) -> None:
        self.host = urlsplit(address).netloc

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Send the request on, and hand back the answer as it came."""
        headers = {"Content-Type": environ.get("CONTENT_TYPE", "")}
        headers |= {name[5:].replace("_", "-"): text for name, text in environ.items() if name.startswith("HTTP_")}
        query = environ.get("QUERY_STRING", "")
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        connection = HTTPConnection(self.host, timeout=30)
        target = environ["PATH_INFO"] + (f"?{query}" if query else "")
        connection.request(environ["REQUEST_METHOD"], target, body, headers | {"Host": self.host})
        answer = connection.getresponse()
        start_response(f"{answer.status} {answer.reason}", answer.getheaders())
        content = answer.read()
        connection.close()
        return [content]
