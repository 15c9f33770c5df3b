"""Erasing a customer as JSON: for good, once, and only by the platform's own software."""

from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient

from loyalty.database import db
from loyalty.models.customers import Customer
from loyalty.services import verification
from tests import factories
from tests.factories import Card, Shop
from tests.web.api.callers import Caller, make_platform_key


@pytest.fixture
def platform(app: Flask) -> Caller:
    """Software of the platform."""
    with app.app_context():
        return Caller(app, make_platform_key())


def path_of(card: Card) -> str:
    return f"/admin/loyalty/customers/{card.customer_id}/erase"


def test_it_erases_a_customer_once(
    app: Flask, bakery: Shop, card: Card, till: Caller, platform: Caller, client: FlaskClient
) -> None:
    stamp = {"card_id": str(card.card_id), "notes": "Likes rye"}
    assert till.post("/vendor/loyalty/stamps", stamp).status_code == 200
    first, again = (platform.post(path_of(card), key="one-key-for-both-requests") for _ in range(2))
    assert first.status_code == 200, first.text
    assert (again.data, again.headers["Idempotency-Replayed"]) == (first.data, "true")
    said = first.json or {}
    assert (said["customer_id"], said["cards"], said["notes"] > 0) == (str(card.customer_id), 1, True)
    assert "Cleo" not in first.text
    with app.app_context():
        person = db.session.get_one(Customer, card.customer_id)
        assert (person.name, person.email, person.phone, person.birth_date) == (None, None, None, None)
        assert person.erased_at is not None
        assert verification.verify(vendor_id=bakery.vendor_id).findings == []
    refused = till.post("/vendor/loyalty/stamps", {"card_id": str(card.card_id)})
    assert (refused.status_code, (refused.json or {})["code"]) == (409, "CARD_INACTIVE")


def test_it_leaves_everybody_else_as_they_are(app: Flask, bakery: Shop, card: Card, platform: Caller) -> None:
    with app.app_context():
        other = factories.make_card(bakery, name="Dora", email="dora@example.org")
    assert platform.post(path_of(card)).status_code == 200
    with app.app_context():
        person = db.session.get_one(Customer, other.customer_id)
        assert (person.name, person.email, person.erased_at) == ("Dora", "dora@example.org", None)


def test_it_is_closed_to_keys_of_shops(app: Flask, card: Card, manager: Caller, till: Caller, reader: Caller) -> None:
    assert {caller.post(path_of(card)).status_code for caller in (manager, till, reader)} == {403}
    with app.app_context():
        assert db.session.get_one(Customer, card.customer_id).erased_at is None


def test_it_knows_no_customer_by_a_made_up_id(platform: Caller) -> None:
    assert platform.post(f"/admin/loyalty/customers/{uuid4()}/erase").status_code == 404
