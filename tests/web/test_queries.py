"""How many SQL statements a page may send: a number that does not grow with what the shop has."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from flask import Flask

from loyalty.services import stamps
from tests import factories, world
from tests.web.conftest import Street
from tests.world import Business

# With everything: who asks, what is done, what is shown.
MOST = {
    "terminal": 8,
    "office": 15,
    "admin": 15,
    "public": 8,
    # One for each list that it holds.
    "office.download_archive 2": 18,
    # Reads what it takes back, and whether something stands on it.
    "terminal.void": 11,
    # Looks for the person by each address, and writes customer, card, ledger and mail.
    "terminal.create_customer": 25,
}
FEW = 3


@contextmanager
def counted(app: Flask) -> Iterator[list[str]]:
    """Collect the statements of the block."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        # Who was last seen is noted by the first request after some minutes, which a slow machine may reach.
        if not (statement.startswith("UPDATE") and "last_seen_at" in statement):
            sent.append(" ".join(statement.split())[:70])

    with app.app_context():
        engine: sa.Engine = app.extensions["sqlalchemy"].engine
    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)


@pytest.fixture
def bakery(app: Flask) -> Business:
    """Ada's bakery, with a little of everything."""
    with app.app_context():
        return world.make_business("bakery")


def fill(shop: factories.Shop) -> None:
    """Give the shop a dozen more of everything that pages list."""
    card = factories.make_card(shop, points=100)
    for number in range(12):
        factories.make_reward(shop, f"Reward {number}", 10 + number)
        factories.make_staff(shop.vendor_id, f"Staff {number}")
        factories.make_terminal(shop.vendor_id, factories.make_store(shop, f"store{number}"))
        factories.make_card(shop)
        stamps.add(actor=shop.ben, card=card.ref, quantity=1, key=factories.make_key(shop.ben))


def pages(app: Flask, bakery: Business) -> dict[str, list[str]]:
    """Open every page as everybody who may, as htmx does; return what each sent to the database."""
    people = world.doors(app, bakery)
    browsers = [people[name] for name in ("staff session", "manager session", "owner", "admin")] + [
        world.strangers(app)["anonymous"]
    ]
    found: dict[str, list[str]] = {}
    for rule, method, access in world.routes(app):
        for place, door in enumerate(browsers):
            if method == "GET" and world.may_enter(door, rule, access):
                path = world.address(app, rule, bakery.ids)
                with counted(app) as sent:
                    door.client.get(path, headers={"HX-Request": "true"})
                found[f"{rule.endpoint} {place}"] = sent
    return found


def most(name: str) -> int:
    return MOST.get(name, MOST.get(name.split(".")[0], FEW))


def over(found: dict[str, list[str]]) -> list[str]:
    """Name the pages that send more than they may, with what they send."""
    many = {name: sent for name, sent in found.items() if len(sent) > most(name)}
    return ["\n  ".join([f"{name} sends {len(sent)}:", *sent]) for name, sent in many.items()]


def test_it_asks_the_database_a_few_times_for_each_page_however_much_a_shop_has(app: Flask, bakery: Business) -> None:
    before = pages(app, bakery)
    found = over(before)
    assert not found, "\n".join(found)
    with app.app_context():
        fill(bakery.shop)
    after = pages(app, bakery)
    assert {name: sent for name, sent in after.items() if len(sent) > len(before[name])} == {}


def test_it_asks_the_database_a_few_times_for_each_tap(app: Flask, street: Street) -> None:
    """Every command of the till, sent as its form stands on the screen; a PIN is worth some statements of its own."""
    bakery = street.bakery
    client = world.doors(app, bakery)["staff session"].client
    found: dict[str, list[str]] = {}
    for endpoint, form in street.forms.items():
        if endpoint.startswith("terminal.") and endpoint not in ("terminal.pair", "terminal.pin", "terminal.unpair"):
            with app.app_context():
                world.reopen(bakery)
            sent_form = dict(form.fields) | {"csrf_token": world.csrf(app, client)}
            sent_form |= {name: world.TYPED[name] for name, value in form.fields if not value and name in world.TYPED}
            with counted(app) as sent:
                answer = client.post(form.action, data=sent_form, headers={"HX-Request": "true"})
            assert answer.status_code < 500
            found[endpoint] = sent
    assert {"terminal.add_stamps", "terminal.earn_points", "terminal.redeem", "terminal.void"} <= found.keys()
    assert not over(found), "\n".join(over(found))
