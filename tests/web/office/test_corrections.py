"""Addresses of customers corrected in the office."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from loyalty.database import db, transaction
from loyalty.domain.values import Role
from loyalty.models.customers import Customer
from loyalty.models.mail import Confirmation, EmailLog
from tests.browsing import fields, hidden
from tests.factories import make_card, make_shop
from tests.web.office.customer_pages import Bakery, audited, enter


@pytest.fixture
def bakery(app: Flask, client: FlaskClient) -> Bakery:
    with app.app_context():
        shop = make_shop()
        cleo = make_card(shop, name="Cleo Martin", email="cloe@example.org", phone="+352621123456")
    enter(app, client, shop, Role.MANAGER)
    return Bakery(app, shop, cleo)


def correct(client: FlaskClient, bakery: Bakery, **typed: str) -> TestResponse:
    action = f"{bakery.path}/address"
    page = client.get(action)
    return client.post(action, data={**hidden(page, action), "phone": "+352 621 123 456", **typed})


def customer(bakery: Bakery) -> Customer:
    with bakery.app.app_context():
        return db.session.get_one(Customer, bakery.cleo.customer_id)


def mails(bakery: Bakery) -> list[tuple[str, str]]:
    query = sa.select(EmailLog.kind, EmailLog.recipient).order_by(EmailLog.kind)
    with bakery.app.app_context():
        return [(row.kind, row.recipient) for row in db.session.execute(query)]


def test_it_tells_the_old_mailbox_and_sends_the_card_to_the_new_one(bakery: Bakery, client: FlaskClient) -> None:
    assert correct(client, bakery, email=" Cleo@Example.org ").status_code == 303
    assert customer(bakery).email == "cleo@example.org"
    assert mails(bakery) == [("address_changed", "cloe@example.org"), ("enrollment", "cleo@example.org")]
    with bakery.app.app_context():
        facts = db.session.scalars(sa.select(EmailLog.facts).where(EmailLog.kind == "address_changed")).one()
    assert facts == {"address": "c…@example.org"}
    assert "customer.address_corrected" in audited(bakery)


def test_it_leaves_an_address_that_was_right_alone(bakery: Bakery, client: FlaskClient) -> None:
    page = client.get(correct(client, bakery, email="cloe@example.org").headers["Location"])
    assert "Nothing was changed" in page.text
    assert mails(bakery) == []


@pytest.mark.parametrize("email", ["nobody", "dan@example.org", ""], ids=["no_address", "taken", "needed"])
def test_it_keeps_what_was_typed_beside_what_is_wrong(bakery: Bakery, client: FlaskClient, email: str) -> None:
    with bakery.app.app_context():
        make_card(bakery.shop, email="dan@example.org")
    answer = correct(client, bakery, email=email, phone="+352 621 777 888")
    assert answer.status_code == 422
    assert "+352 621 777 888" in answer.text
    assert (customer(bakery).email, customer(bakery).phone) == ("cloe@example.org", "+352621123456")
    assert mails(bakery) == []


def test_it_corrects_a_phone_without_a_mail(bakery: Bakery, client: FlaskClient) -> None:
    correct(client, bakery, email="cloe@example.org", phone="621 777 888")
    assert customer(bakery).phone == "+352621777888"
    assert mails(bakery) == []


def test_it_never_goes_back_to_the_address_that_somebody_has_corrected_meanwhile(
    bakery: Bakery, client: FlaskClient
) -> None:
    """Else a page of before would mail the link to the card to the stranger whose address was mistyped."""
    action = f"{bakery.path}/address"
    old = client.get(action)
    correct(client, bakery, email="cleo@example.org")
    told = mails(bakery)
    assert client.post(action, data=fields(old) | {"phone": "621 777 888"}).status_code == 303
    assert (customer(bakery).email, customer(bakery).phone) == ("cleo@example.org", "+352621777888")
    assert mails(bakery) == told


def test_it_ends_what_the_old_mailbox_could_still_confirm(bakery: Bakery, client: FlaskClient) -> None:
    now = datetime.now(UTC)
    with bakery.app.app_context(), transaction():
        db.session.add(
            Confirmation(
                vendor_id=bakery.shop.vendor_id,
                kind="my_data",
                address="cloe@example.org",
                form={},
                locale="en",
                expires_at=now,
            )
        )
    correct(client, bakery, email="cleo@example.org")
    with bakery.app.app_context():
        assert db.session.scalars(sa.select(Confirmation.used_at)).one() is not None


def test_it_does_not_fill_a_mailbox(bakery: Bakery, client: FlaskClient) -> None:
    for turn in range(3):
        correct(client, bakery, email="cleo@example.org")
        correct(client, bakery, email=f"other{turn}@example.org")
    answer = correct(client, bakery, email="cleo@example.org")
    assert answer.status_code == 422
    assert customer(bakery).email == "other2@example.org"
