"""The statistics of a bakery with two stores in May and June, and how a test reads them."""

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient

from config import Config
from loyalty.domain.values import Role
from loyalty.services import accounts, points, stats_rollup
from tests.browsing import sign_in
from tests.clocks import clock_at
from tests.factories import Card, Shop, make_card, make_key, make_reward, make_shop, make_store
from tests.office import PASSWORD, Office
from tests.services.voiding import OPEN, stamp

# A Tuesday; the shop's own day in Luxembourg has begun two hours before.
AT = datetime(2026, 6, 30, 10, tzinfo=UTC)


@dataclass(frozen=True)
class Bakery:
    """The shop as it is in its first store and at the station, and Cleo's card."""

    shop: Shop
    station: Shop
    cleo: Card


def make_bakery() -> Bakery:
    """Make the bakery with what happened in it until the last evening of June."""
    shop = make_shop(**OPEN, stamps_reward_value_cents=505)
    station = replace(shop, ben=replace(shop.ben, store_id=make_store(shop)))
    reward = make_reward(shop, "Croissant", 50, value_cents=181)
    with clock_at(on(4, 2)):
        make_card(shop, name="Dora Weber")
    with clock_at(on(5, 10)):
        cleo = make_card(shop)
        stamp(shop, cleo)
    with clock_at(on(6, 3)):
        stamp(shop, cleo, 2)
        points.earn(actor=shop.ben, card=cleo.ref, purchase_amount_cents=1000, key=make_key(shop.ben))
    with clock_at(on(6, 10, 6)):
        stamp(station, make_card(station, name="Luc"))
    with clock_at(on(6, 20)):
        points.redeem(actor=station.ben, card=cleo.ref, reward_id=reward, key=make_key(station.ben))
    stats_rollup.roll_up(at=AT)
    return Bakery(shop, station, cleo)


@pytest.fixture(autouse=True)
def evening_of_june(app: Flask, config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock of the product, moved to where the bakery's statistics end; to be imported as the bakery is."""
    moved = replace(config, clock_offset=AT - datetime.now(UTC))
    monkeypatch.setitem(app.config, "CONFIG", moved)


@pytest.fixture
def bakery(app: Flask) -> Bakery:
    """The bakery, to be imported by the tests of its statistics."""
    with app.app_context():
        return make_bakery()


def on(month: int, day: int, hour: int = 10) -> datetime:
    """Return an hour of 2026."""
    return datetime(2026, month, day, hour, 10, tzinfo=UTC)


def enter(app: Flask, client: FlaskClient, shop: Shop, role: Role = Role.OWNER) -> None:
    """Sign somebody in at a shop."""
    email = f"{role.name.lower()}@{shop.code}.example"
    with app.app_context():
        accounts.create_owner(vendor_id=shop.vendor_id, email=email, password=PASSWORD, role=role)
    sign_in(client, Office(shop.vendor_id, shop.store_id, shop.code, email, shop.ada))


def read(client: FlaskClient, path: str = "", status: int = 200) -> str:
    """Open a page and return its text as people read it: no tags, single spaces."""
    answer = client.get(f"/office/statistics{path}")
    assert answer.status_code == status, answer.text
    text = re.sub(r"<[^>]*>", " ", answer.text.partition("<main")[2])
    return re.sub(r"\s+([.,])", r"\1", re.sub(r"\s+", " ", unescape(text)))
