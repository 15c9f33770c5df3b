"""Closing the cards of a customer who is being erased: the last row of each ledger, and what wallets are told."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from loyalty.database import AnyRow, clock, db
from loyalty.domain.values import Actor, TransactionType
from loyalty.models.cards import LoyaltyCard
from loyalty.models.programs import LoyaltyProgram
from loyalty.models.vendors import Vendor
from loyalty.services import ledger, wallet_updates, webhook_events
from loyalty.services.ledger import Entry, Origin


def close_all(*, actor: Actor, customer_ids: Sequence[UUID]) -> None:
    """In the caller's transaction, lock and deactivate all cards of customers and have their wallets told."""
    cards = (
        select(
            LoyaltyCard.id,
            LoyaltyCard.card_number,
            LoyaltyCard.google_object_id,
            *ledger.CARD_COLUMNS,
        )
        .where(LoyaltyCard.customer_id.in_(customer_ids), LoyaltyCard.vendor_id == actor.vendor_id)
        .order_by(LoyaltyCard.id)
        .with_for_update()
    )
    rows = db.session.execute(cards).all()
    facts = _facts(actor.vendor_id) if rows else None
    for card in rows:
        if card.is_active and facts:
            _close(actor, card, facts)
        # Google also where nobody has it saved, since it could still be.
        at_google = card.google_object_id is not None
        wallet_updates.tell(card_id=card.id, vendor_id=actor.vendor_id, at_google=at_google)


def _facts(vendor_id: UUID) -> AnyRow:
    wanted = webhook_events.wanted().label("webhooks")
    query = select(Vendor.timezone, wanted).join(LoyaltyProgram, LoyaltyProgram.vendor_id == Vendor.id)
    return db.session.execute(query.where(Vendor.id == vendor_id)).one()


def _close(actor: Actor, card: AnyRow, facts: AnyRow) -> None:
    state = ledger.state_of(card)
    origin = Origin(
        card_id=card.id,
        actor=actor,
        now=ledger.moment(clock(), state),
        timezone=facts.timezone,
        # Erasing empties the answers that were given under the keys of the ledger; its own is not one of them.
        idempotency_key=None,
    )
    state.is_active = False
    ledger.append(origin, state, Entry(TransactionType.CARD_DEACTIVATED))
    ledger.save(card.id, actor.vendor_id, state)
    if facts.webhooks:
        webhook_events.ledger_written(origin=origin, card_number=card.card_number)
