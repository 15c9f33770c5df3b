"""Ada's bakery and Cleo's card in Google Wallet, as jobs find them."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
import sqlalchemy as sa

from loyalty.database import db, transaction
from loyalty.models.cards import LoyaltyCard
from loyalty.models.outbox import OutboxMessage
from loyalty.services import stamps
from tests.factories import Card, Shop, make_card, make_key, make_shop
from tests.google_fake import GoogleFake
from tests.google_platform import (
    object_id,
    open_rows,
    save,
)


@pytest.fixture
def bakery(google: GoogleFake) -> Shop:
    return make_shop(cooldown_minutes=0, max_daily_stamps=50, stamps_target=50)


@pytest.fixture
def cleo(bakery: Shop, google: GoogleFake) -> Card:
    """Cleo's card, saved, and the calls that this took forgotten."""
    card = make_card(bakery)
    save(card)
    google.calls.clear()
    return card


def stamp(shop: Shop, card: Card) -> None:
    stamps.add(actor=shop.ben, card=card.ref, quantity=1, key=make_key(shop.ben))


def shown(google: GoogleFake, card: Card) -> object:
    return google.objects[object_id(card)]["loyaltyPoints"]["balance"]["string"]


def only_open() -> OutboxMessage:
    (row,) = open_rows()
    return row


def wait_seconds(row: OutboxMessage) -> float:
    with transaction():
        now: datetime = db.session.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
    return (row.not_before - now).total_seconds()


def mark_saved(ids: list[UUID]) -> None:
    with transaction():
        db.session.execute(
            sa.update(LoyaltyCard).where(LoyaltyCard.id.in_(ids)).values(google_saved_at=datetime.now(UTC))
        )
