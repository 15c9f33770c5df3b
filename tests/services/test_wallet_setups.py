"""A site that moves: every pass in a phone is made anew, once, and nothing is told where nothing changed."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from loyalty.database import db, transaction
from loyalty.jobs import sweep
from loyalty.models.outbox import OPEN, OutboxMessage
from loyalty.services import apple_devices, google_passes, passes, wallet_setups
from loyalty.services.google_passes import GooglePasses
from loyalty.wallets.apple import ApplePasses
from tests import apple_passes
from tests.factories import Card, Shop, make_card, make_shop
from tests.google_fake import GoogleFake
from tests.google_platform import save

pytestmark = pytest.mark.usefixtures("context")
MOVED = "https://new.example/apple"


def maker(address: str) -> ApplePasses:
    """What makes passes once the site is at another address."""
    made = apple_passes.certificates()
    return ApplePasses(
        certificate_file=made.certificate,
        key_file=made.key,
        wwdr_file=made.wwdr,
        pass_type_id=made.pass_type_id,
        team_id=made.team_id,
        web_service_url=address,
        at=datetime.now(UTC),
    )


@pytest.fixture
def making(app: Flask) -> Iterator[None]:
    passes.configure(apple=apple_passes.passes())
    yield
    passes.configure(apple=None)


def hold(shop: Shop, device: str) -> tuple[Card, str, bytes]:
    """Put a card into a phone; returns it with the serial and the token of its pass."""
    card = make_card(shop)
    address = passes.find_apple_link(public_token=card.public_token) or ""
    serial = address.rpartition("/")[2].partition(".")[0]
    passes.download(serial=serial, token=card.public_token.encode())
    with transaction():
        token = db.session.execute(
            sa.text("SELECT apple_auth_token FROM loyalty_cards WHERE id = :id"), {"id": card.card_id}
        ).scalar_one()
    pass_type = passes.find_pass_type() or ""
    apple_devices.register(
        pass_type=pass_type, serial=serial, token=token.encode(), device=device, push_token=f"{device}aa"
    )
    return card, serial, token.encode()


def told() -> list[tuple[str, object]]:
    """What the outbox has to tell."""
    with transaction():
        rows = db.session.execute(sa.select(OutboxMessage.kind, OutboxMessage.subject_id).where(sa.text(OPEN)))
        return sorted((row.kind, row.subject_id) for row in rows)


@pytest.mark.usefixtures("making")
def test_it_has_every_pass_in_a_phone_made_anew_once_the_site_has_moved() -> None:
    bakery, meat = make_shop(), make_shop("meat")
    make_shop("empty")
    _, serial, token = hold(bakery, "one")
    hold(bakery, "two")
    hold(meat, "three")
    pass_type = passes.find_pass_type() or ""
    before = passes.get_pass(pass_type=pass_type, serial=serial, token=token, since=None)
    assert [wallet_setups.tell_of_changes() for _ in range(2)] == [0, 0]
    assert told() == []
    passes.configure(apple=maker(MOVED))
    assert [wallet_setups.tell_of_changes() for _ in range(3)] == [2, 0, 0]
    assert {kind for kind, _ in told()} == {"apple.program"}
    assert {vendor_id for _, vendor_id in told()} == {bakery.vendor_id, meat.vendor_id}
    far = datetime.now(UTC) + timedelta(days=1)
    served = passes.get_pass(pass_type=pass_type, serial=serial, token=token, since=before.last_modified)
    assert served.pkpass is not None
    says = apple_passes.open_pass(served.pkpass).says
    assert (says["webServiceURL"], says["authenticationToken"]) == (MOVED, token.decode())
    # From then on it is as it was.
    assert passes.get_pass(pass_type=pass_type, serial=serial, token=token, since=far).pkpass is None


@pytest.mark.usefixtures("making")
def test_it_tells_once_however_many_sweeps_run_at_once(app: Flask) -> None:
    hold(make_shop(), "one")
    wallet_setups.tell_of_changes()
    passes.configure(apple=maker(MOVED))
    begin = threading.Barrier(6)

    def sweep_once(_number: int) -> int:
        with app.app_context():
            begin.wait()
            return wallet_setups.tell_of_changes()

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(sweep_once, range(6))) == [0, 0, 0, 0, 0, 1]
    assert [kind for kind, _ in told()] == ["apple.program"]


@pytest.mark.usefixtures("making")
def test_it_numbers_a_pass_that_has_to_be_made_anew() -> None:
    card, _, _ = hold(make_shop(), "one")
    assert apple_devices.prepare_push(card_id=card.card_id) is None
    passes.configure(apple=maker(MOVED))
    push = apple_devices.prepare_push(card_id=card.card_id)
    assert push is not None
    assert push.tokens == ["oneaa"]


@pytest.mark.usefixtures("making")
def test_it_leaves_passes_alone_when_only_the_certificate_is_new() -> None:
    _, serial, token = hold(make_shop(), "one")
    wallet_setups.tell_of_changes()
    passes.configure(apple=maker(apple_passes.UPDATES))
    assert wallet_setups.tell_of_changes() == 0
    far = datetime.now(UTC) + timedelta(days=1)
    served = passes.get_pass(pass_type=passes.find_pass_type() or "", serial=serial, token=token, since=far)
    assert served.pkpass is None


def test_it_tells_google_where_its_pictures_and_pages_are_now(google: GoogleFake) -> None:
    bakery = make_shop()
    make_card(make_shop("meat"))
    save(make_card(bakery))
    assert wallet_setups.tell_of_changes() == 0
    present = google_passes._google
    assert present is not None
    moved = GooglePasses(present.account, present.issuer_id, "https://new.example")
    google_passes.configure(google=moved)
    assert [wallet_setups.tell_of_changes() for _ in range(2)] == [1, 0]
    assert told() == [("google.class", bakery.program_id)]
    described = google_passes.find_class(program_id=bakery.program_id)
    assert described is not None
    assert not described.current
    assert described.described["programLogo"] == {"sourceUri": {"uri": "https://new.example/google/logo.png"}}
    google_passes.configure(google=replace(moved, public_url="https://third.example"))
    assert wallet_setups.tell_of_changes() == 1


def test_it_says_nothing_where_there_are_no_wallets() -> None:
    assert wallet_setups.tell_of_changes() == 0
    assert sweep.run(at=datetime.now(UTC)).rung == 0
    assert told() == []
