"""What the tests of taking back share: a shop that stamps without pause, and the ways to take back."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from loyalty.database import db
from loyalty.domain.values import Actor
from loyalty.models.cards import LoyaltyCard
from loyalty.services import stamps, verification, voids
from loyalty.services.till import Approval
from loyalty.services.voids import VoidReceipt
from tests.clocks import NOON, clock_at
from tests.factories import (
    Card,
    Shop,
    make_key,
)

OPEN: dict[str, Any] = {
    "cooldown_minutes": 0,
    "max_daily_stamps": 50,
    "max_stamps_per_action": 20,
    "loyalty_type": "hybrid",
}


@pytest.fixture(autouse=True)
def verified(context: None) -> Iterator[None]:
    """Let it be noon, and afterwards check every chain; to be imported by the tests."""
    with clock_at(NOON):
        yield
    db.session.rollback()
    assert verification.verify().findings == []


def stamp(shop: Shop, card: Card, quantity: int = 1, actor: Actor | None = None) -> UUID:
    who = actor or shop.ben
    return stamps.add(actor=who, card=card.ref, quantity=quantity, key=make_key(who)).transaction_id


def undo(actor: Actor, transaction_id: UUID, approval: Approval | None = None) -> VoidReceipt:
    key = make_key(actor)
    return voids.void(actor=actor, transaction_id=transaction_id, reason="slip", key=key, approval=approval)


def void_stamps(actor: Actor, card: Card, number: int | None, transaction_id: UUID | None = None) -> VoidReceipt:
    return voids.void_stamps(
        actor=actor,
        card=card.ref,
        transaction_id=transaction_id,
        stamps_to_void=number,
        reason="slip",
        key=make_key(actor),
    )


def state(card: Card) -> LoyaltyCard:
    db.session.rollback()
    return db.session.get_one(LoyaltyCard, card.card_id)
