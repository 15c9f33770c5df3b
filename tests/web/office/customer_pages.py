"""Cleo's page in the office of the bakery."""

from dataclasses import dataclass

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from loyalty.database import AnyRow, db
from loyalty.domain.values import Role
from loyalty.models.audit import AuditEvent
from loyalty.models.cards import LoyaltyCard
from loyalty.services import accounts
from tests.browsing import hidden, sign_in
from tests.factories import Card, Shop, make_card, make_shop
from tests.office import PASSWORD, Office


@dataclass(frozen=True)
class Bakery:
    """Ada's bakery with Cleo's card."""

    app: Flask
    shop: Shop
    cleo: Card

    @property
    def path(self) -> str:
        return f"/office/customers/{self.cleo.card_id}"

    def card(self) -> AnyRow:
        query = sa.select(*LoyaltyCard.__table__.columns).where(LoyaltyCard.id == self.cleo.card_id)
        with self.app.app_context():
            return db.session.execute(query).one()


def enter(app: Flask, client: FlaskClient, shop: Shop, role: Role = Role.OWNER) -> None:
    email = f"office@{shop.code}.example"
    with app.app_context():
        user_id = accounts.create_owner(vendor_id=shop.vendor_id, email=email, password=PASSWORD, role=role)
    assert user_id
    sign_in(client, Office(shop.vendor_id, shop.store_id, shop.code, email, shop.ada))


def open_bakery(app: Flask, client: FlaskClient) -> Bakery:
    """The bakery with Cleo's card, seen by its manager."""
    with app.app_context():
        shop = make_shop(loyalty_type="hybrid", cooldown_minutes=0, max_daily_stamps=50)
        cleo = make_card(shop, stamps=3, name="Cleo Martin", email="cleo@example.org", phone="+352621123456")
    enter(app, client, shop, Role.MANAGER)
    return Bakery(app, shop, cleo)


def post(client: FlaskClient, page: TestResponse, action: str, **typed: str) -> TestResponse:
    return client.post(action, data={**hidden(page, action), **typed})


def audited(bakery: Bakery) -> list[str]:
    with bakery.app.app_context():
        return list(db.session.execute(sa.select(AuditEvent.action).order_by(AuditEvent.created_at)).scalars())
