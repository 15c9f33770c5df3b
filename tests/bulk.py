"""Masses of cards as tests need them: begun, and gone through by a worker."""

import secrets
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from loyalty import jobs
from loyalty.database import db, transaction
from loyalty.domain.values import Admin, RequestKey
from loyalty.models.bulk import BulkCard
from loyalty.models.cards import LoyaltyCard
from loyalty.models.outbox import OutboxMessage
from loyalty.models.vendors import Vendor
from loyalty.services import accounts, bulk_deactivations
from loyalty.services.bulk_choices import CardChoice
from tests.factories import Shop, make_shop
from tests.office import PASSWORD


@pytest.fixture
def root(app: Flask) -> Admin:
    """Somebody who runs the platform."""
    with app.app_context():
        return make_admin()


@pytest.fixture
def shop(app: Flask) -> Shop:
    """The bakery whose cards are switched off."""
    with app.app_context():
        return make_shop("bakery")


def make_admin(email: str = "root@platform.example") -> Admin:
    """Make somebody who runs the platform."""
    return Admin(user_id=accounts.create_user(email=email, password=PASSWORD, is_admin=True))


def new_key(admin: Admin) -> RequestKey:
    """Make the key of a new request."""
    return RequestKey(admin.caller, secrets.token_urlsafe(18), secrets.token_hex(8))


def begin(admin: Admin, vendor_id: UUID, cards: int, choice: CardChoice, reason: str = "test cards") -> UUID:
    """Begin to switch cards off; returns the id of the mass."""
    begun = bulk_deactivations.start(
        admin=admin, vendor_id=vendor_id, choice=choice, expected=cards, reason=reason, key=new_key(admin)
    )
    return begun.bulk_id


def work(bulk_id: UUID) -> None:
    """Deliver as a worker does until nothing of the mass waits."""
    for _ in range(20):
        mine = (OutboxMessage.subject_id == bulk_id, OutboxMessage.delivered_at.is_(None))
        message_id = db.session.scalar(sa.select(OutboxMessage.id).where(*mine))
        db.session.rollback()
        if message_id is None:
            return
        jobs.deliver(str(message_id))
    raise AssertionError("the mass does not end")


def states(bulk_id: UUID) -> dict[UUID, str]:
    """Return what became of each card."""
    rows = db.session.execute(sa.select(BulkCard.card_id, BulkCard.state).where(BulkCard.bulk_id == bulk_id))
    return {row.card_id: row.state for row in rows}


def active(vendor_id: UUID) -> set[UUID]:
    """Return the cards of a shop that are in use."""
    in_use = sa.select(LoyaltyCard.id).where(LoyaltyCard.vendor_id == vendor_id, LoyaltyCard.is_active)
    return set(db.session.scalars(in_use))


def set_status(shop: Shop, status: str) -> None:
    """Let the platform change where a shop stands."""
    with transaction():
        db.session.execute(sa.update(Vendor).where(Vendor.id == shop.vendor_id).values(status=status))
