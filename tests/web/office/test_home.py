"""The checklist of the office."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from config import Config
from loyalty.domain.values import Role
from loyalty.services import accounts, onboarding_steps, passes, pins, programs, rewards, setup, stats_rollup, terminals
from loyalty.wallets.qr import address_svg
from tests import apple_passes
from tests.browsing import sign_in
from tests.factories import make_card, make_reward, make_shop
from tests.office import PASSWORD, Office, key_of, make_bakery, make_butcher
from tests.services.voiding import OPEN, stamp, undo


@pytest.fixture
def ada(app: Flask) -> Office:
    with app.app_context():
        return make_bakery()


def test_it_says_what_comes_next(client: FlaskClient, app: Flask, ada: Office) -> None:
    sign_in(client, ada)
    assert "1 of 5 steps are done" in client.get("/office").text
    with app.app_context():
        programs.change(actor=ada.actor, changes={"loyalty_type": "points"}, key=key_of(ada))
    assert "2 of 6 steps are done" in client.get("/office").text
    with app.app_context():
        reward = {"name": "Loaf", "points_required": 10}
        rewards.create(actor=ada.actor, details=reward, key=key_of(ada))
        pins.create(actor=ada.actor, name="Ben", role="staff", store_id=None, key=key_of(ada))
        made = terminals.create_code(actor=ada.actor, store_id=ada.store_id, label="Till", key=key_of(ada))
    page = client.get("/office").text
    assert "4 of 6 steps are done" in page
    assert 'class="btn secondary" href="/office/tablets"' in page
    with app.app_context():
        assert made.code is not None
        terminals.pair(code=made.code, source_ip=None, at=made.expires_at.replace(year=made.expires_at.year - 1))
        programs.activate(actor=ada.actor, key=key_of(ada))
    page = client.get("/office").text
    assert "Still to do" in page
    assert "Put up the poster" in page
    with app.app_context():
        onboarding_steps.place_poster(actor=ada.actor, key=key_of(ada))
    assert "Everything is set up. The program is open." in client.get("/office").text


@pytest.fixture
def with_apple() -> Iterator[None]:
    before = passes.find_certificate_ends()
    assert before is None
    passes.configure(apple=apple_passes.passes())
    yield
    passes.configure(apple=None)


def test_it_says_when_cards_in_apple_wallet_can_no_longer_be_made(
    client: FlaskClient, ada: Office, with_apple: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(client, ada)
    assert "has to renew a certificate" not in client.get("/office").text
    monkeypatch.setattr(setup, "CERTIFICATE_WARNING", timedelta(days=400))
    page = client.get("/office").text
    assert "Cards in Apple Wallet can be made and changed until " in page
    assert "Whoever runs the platform has to renew a certificate." in page


def test_it_warns_a_month_before_the_end_of_a_certificate(with_apple: None) -> None:
    ends = passes.find_certificate_ends()
    assert ends is not None
    soonest = min(ends.leaf, ends.intermediate)
    assert setup.find_certificate_end(at=soonest - timedelta(days=31)) is None
    assert setup.find_certificate_end(at=soonest - timedelta(days=30)) == soonest
    assert setup.find_certificate_end(at=soonest + timedelta(days=1)) == soonest


def test_it_shows_how_the_shop_does_once_it_is_set_up(client: FlaskClient, app: Flask) -> None:
    with app.app_context():
        shop = make_shop(**OPEN)
        make_reward(shop)
        cards = [make_card(shop, name=f"Customer {number}") for number in range(6)]
        for card in cards:
            stamp(shop, card, 2)
        undo(shop.mia, stamp(shop, cards[0]))
        stats_rollup.roll_up(at=datetime.now(UTC))
        accounts.create_owner(vendor_id=shop.vendor_id, email="office@bakery.example", password=PASSWORD)
    sign_in(client, Office(shop.vendor_id, shop.store_id, shop.code, "office@bakery.example", shop.ada))
    page = client.get("/office").text
    assert "steps are done" not in page
    assert page.count('class="tile"') == 4
    assert page.count('class="plot"') == 1
    rows = page.partition("Last transactions, newest first")[2].partition("</table>")[0]
    assert rows.count("<tr") == 11
    assert "Customer 5" in rows
    assert "<s>Stamp</s> (taken back)" in rows
    assert "Ben · Main Street" in rows
    assert "There is nothing before to compare with yet." in page


def test_it_counts_nothing_of_the_shop_next_door(client: FlaskClient, app: Flask, ada: Office) -> None:
    with app.app_context():
        mallory = make_butcher()
        pins.create(actor=mallory.actor, name="Max", role="staff", store_id=None, key=key_of(mallory))
        programs.activate(actor=mallory.actor, key=key_of(mallory))
    sign_in(client, ada)
    assert "1 of 5 steps are done" in client.get("/office").text


@pytest.mark.parametrize(
    ("address", "is_open"),
    [("http://cards.example", True), ("https://cards.example", False), ("http://localhost:8000", False)],
    ids=["in the open", "encrypted", "on this machine"],
)
def test_it_warns_of_a_connection_that_others_can_read(
    client: FlaskClient,
    app: Flask,
    config: Config,
    ada: Office,
    monkeypatch: pytest.MonkeyPatch,
    *,
    address: str,
    is_open: bool,
) -> None:
    sign_in(client, ada)
    monkeypatch.setitem(app.config, "CONFIG", replace(config, public_url=address))
    assert ("This connection is not encrypted." in client.get("/office").text) == is_open


def test_it_shows_the_code_of_the_join_page_for_printing(
    client: FlaskClient, app: Flask, ada: Office, config: Config
) -> None:
    sign_in(client, ada)
    address = f"{config.public_url}/join/{ada.code}"
    page = client.get("/office").text
    assert f'<a href="{address}">{address}</a>' in page
    assert str(address_svg(address)) in page
    assert "Collect 10 stamps, get: Free item" in page
    with app.app_context():
        programs.change(actor=ada.actor, changes={"loyalty_type": "points"}, key=key_of(ada))
    assert "Collect points with every purchase" in client.get("/office").text


def test_it_leads_to_the_other_shops_of_a_person(client: FlaskClient, app: Flask, ada: Office) -> None:
    sign_in(client, ada)
    assert 'href="/office/shops"' not in client.get("/office").text
    with app.app_context():
        assert ada.actor.user_id is not None
        accounts.add_member(vendor_id=make_butcher().vendor_id, user_id=ada.actor.user_id, role=Role.MANAGER)
    assert 'href="/office/shops"' in client.get("/office").text
