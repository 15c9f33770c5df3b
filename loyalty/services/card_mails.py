"""Mails to the customer of a card, to the address and in the language on file."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from loyalty.database import db
from loyalty.models.cards import LoyaltyCard
from loyalty.models.customers import Customer
from loyalty.services import messages
from loyalty.services.ledger import CardState, Origin


def send(*, kind: str, event_key: str, card_id: UUID, vendor_id: UUID, at: datetime, **facts: Any) -> UUID | None:
    """In the caller's transaction, note a mail to a card's customer, once per event.

    None where it was noted before, where there is no address, or none that takes mails.
    """
    query = (
        select(Customer.email, Customer.locale)
        .join(LoyaltyCard, LoyaltyCard.customer_id == Customer.id)
        .where(LoyaltyCard.id == card_id, LoyaltyCard.vendor_id == vendor_id, Customer.email.is_not(None))
    )
    person = db.session.execute(query).one_or_none()
    if person is None:
        return None
    return messages.queue_mail(
        kind=kind,
        event_key=event_key,
        vendor_id=vendor_id,
        recipient=person.email,
        locale=person.locale,
        at=at,
        card_id=card_id,
        facts=facts,
    )


def greet(*, card_id: UUID, vendor_id: UUID, stamps: int, points: int, at: datetime) -> None:
    """In the caller's transaction, tell of what the shop gave to a new card; nothing where it gave nothing."""
    if stamps or points:
        said = {"stamps": stamps, "points": points}
        send(kind="welcome_bonus", event_key=str(card_id), card_id=card_id, vendor_id=vendor_id, at=at, **said)


def tell_of_reward(*, origin: Origin, state: CardState, target: int, were_ready: int) -> None:
    """In the transaction that gave stamps, however it gave them, tell of a reward when more are ready than before.

    The event is the card's first, second, third … reward: a stamp that was taken back and given again crosses the same
    line once more, and nobody is told twice.
    """
    ready = state.stamp_count // target
    if ready > were_ready:
        key = f"{origin.card_id}:{state.stamps_redeemed + ready}"
        send(kind="reward_ready", event_key=key, card_id=origin.card_id, vendor_id=origin.vendor_id, at=origin.now)
