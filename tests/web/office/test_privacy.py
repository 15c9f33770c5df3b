"""Downloading what is known about a customer, and erasing one, in the office."""

import io
import zipfile
from dataclasses import dataclass

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from loyalty.database import db
from loyalty.domain.codes import format_card_number
from loyalty.domain.values import Role
from loyalty.models.audit import AuditEvent
from loyalty.models.customers import Customer
from loyalty.services import accounts, merging
from tests.browsing import hidden, sign_in
from tests.factories import Card, Shop, make_card, make_key, make_shop
from tests.office import PASSWORD, Office


@dataclass(frozen=True)
class Bakery:
    """Ada's bakery with Cleo's card, and a browser in its office."""

    app: Flask
    client: FlaskClient
    shop: Shop
    cleo: Card

    @property
    def path(self) -> str:
        return f"/office/customers/{self.cleo.card_id}"

    def enter(self, role: Role) -> None:
        email = f"{role.name.lower()}@bakery.example"
        with self.app.app_context():
            accounts.create_owner(vendor_id=self.shop.vendor_id, email=email, password=PASSWORD, role=role)
        sign_in(self.client, Office(self.shop.vendor_id, self.shop.store_id, self.shop.code, email, self.shop.ada))

    def post(self, page: TestResponse, action: str) -> TestResponse:
        return self.client.post(action, data=hidden(page, action))

    def audited(self) -> list[str]:
        with self.app.app_context():
            return list(db.session.execute(sa.select(AuditEvent.action).order_by(AuditEvent.created_at)).scalars())

    def names(self) -> list[str | None]:
        with self.app.app_context():
            return list(db.session.execute(sa.select(Customer.name).order_by(Customer.id)).scalars())


@pytest.fixture
def bakery(app: Flask, client: FlaskClient) -> Bakery:
    with app.app_context():
        shop = make_shop()
        cleo = make_card(shop, stamps=3, name="Cleo Martin", email="cleo@example.org")
    return Bakery(app, client, shop, cleo)


def test_it_downloads_what_is_known(bakery: Bakery) -> None:
    bakery.enter(Role.MANAGER)
    page = bakery.client.get(bakery.path)
    answer = bakery.post(page, f"{bakery.path}/export")
    assert (answer.status_code, answer.content_type) == (200, "application/zip")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=customer-")
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert "cleo@example.org" in archive.read("data.json").decode()
    assert bakery.audited()[-1] == "customer.exported"


def test_it_erases_after_a_question(bakery: Bakery) -> None:
    bakery.enter(Role.OWNER)
    assert f"{bakery.path}/erase" in bakery.client.get(bakery.path).text
    question = bakery.client.get(f"{bakery.path}/erase")
    assert "Erase Cleo Martin" in question.text
    assert bakery.names() == ["Cleo Martin"]
    answer = bakery.post(question, f"{bakery.path}/erase")
    assert (answer.status_code, answer.headers["Location"]) == (303, bakery.path)
    assert bakery.names() == [None]
    page = bakery.client.get(bakery.path).text
    assert "The customer is erased." in page
    assert "This customer was erased on" in page
    for gone in ("Cleo", f"{bakery.path}/erase", f"{bakery.path}/export", f"{bakery.path}/reactivate"):
        assert gone not in page


def test_it_survives_a_second_tap(bakery: Bakery) -> None:
    bakery.enter(Role.OWNER)
    question = bakery.client.get(f"{bakery.path}/erase")
    for _ in range(2):
        assert bakery.post(question, f"{bakery.path}/erase").status_code == 303
    assert bakery.audited().count("customer.erased") == 1
    assert bakery.client.get(f"{bakery.path}/erase").status_code == 404


def test_it_offers_erasing_to_owners_alone(bakery: Bakery) -> None:
    bakery.enter(Role.MANAGER)
    page = bakery.client.get(bakery.path)
    assert f"{bakery.path}/erase" not in page.text
    assert bakery.client.get(f"{bakery.path}/erase").status_code == 403
    csrf = hidden(page, f"{bakery.path}/export")
    assert bakery.client.post(f"{bakery.path}/erase", data=csrf).status_code == 403
    assert bakery.names() == ["Cleo Martin"]


@pytest.mark.parametrize("action", ["erase", "export"])
def test_it_refuses_a_stranger(bakery: Bakery, action: str) -> None:
    assert bakery.client.post(f"{bakery.path}/{action}", data={"key": "a-key-of-nobody-at-all"}).status_code in (
        400,
        401,
    )
    assert bakery.names() == ["Cleo Martin"]
    assert "customer.exported" not in bakery.audited()


@pytest.mark.parametrize("action", ["erase", "export"])
def test_it_finds_no_customer_of_next_door(bakery: Bakery, action: str) -> None:
    bakery.enter(Role.OWNER)
    with bakery.app.app_context():
        foreign = make_card(make_shop("meat"), name="Dora Weber")
    own = hidden(bakery.client.get(bakery.path), f"{bakery.path}/export")
    assert bakery.client.post(f"/office/customers/{foreign.card_id}/{action}", data=own).status_code == 404
    assert bakery.names() == ["Cleo Martin", "Dora Weber"]


def test_it_says_whose_other_card_ends_too(bakery: Bakery) -> None:
    with bakery.app.app_context():
        twin, ada = make_card(bakery.shop, name="Cleo Martin"), bakery.shop.ada
        key = make_key(ada)
        merging.merge(actor=ada, into_id=bakery.cleo.card_id, from_id=twin.card_id, reason="One person", key=key)
    bakery.enter(Role.OWNER)
    question = bakery.client.get(f"{bakery.path}/erase")
    number = format_card_number(twin.card_number).replace(" ", "\N{NO-BREAK SPACE}")
    assert f"what is known with {number} is erased, too." in question.text
    bakery.post(question, f"{bakery.path}/erase")
    assert bakery.names() == [None, None]
