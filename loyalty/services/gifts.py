"""What a shop gives to a card of its own accord, by a row of the ledger."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from loyalty.database import AnyRow, db
from loyalty.domain.values import Actor, Role, TransactionType
from loyalty.models.cards import LoyaltyCard
from loyalty.models.programs import LoyaltyProgram
from loyalty.models.vendors import Vendor
from loyalty.services import card_mails, ledger, wallet_updates, webhook_events
from loyalty.services.ledger import Entry, Origin


def lock(*, card_id: UUID, vendor_id: UUID) -> AnyRow | None:
    """Lock an active card in the caller's transaction; None where a till holds it just now or it is closed."""
    columns = (LoyaltyCard.id, LoyaltyCard.vendor_id, LoyaltyCard.card_number, LoyaltyCard.google_saved_at)
    query = (
        select(*columns, Vendor.timezone, LoyaltyProgram.stamps_target, *ledger.CARD_COLUMNS)
        .join(Vendor, Vendor.id == LoyaltyCard.vendor_id)
        .join(LoyaltyProgram, LoyaltyProgram.id == LoyaltyCard.program_id)
        .where(LoyaltyCard.id == card_id, LoyaltyCard.vendor_id == vendor_id, LoyaltyCard.is_active)
        .with_for_update(of=LoyaltyCard, skip_locked=True)
    )
    return db.session.execute(query).one_or_none()


def give(*, card: AnyRow, points: int, stamps: int, why: str, year: int, now: datetime) -> None:
    """Write what is given to a locked card, and have all told who should hear of it; `now` is after the lock.

    It is a correction by hand of nobody: it counts for no day, no cooldown and no expiry.
    """
    state = ledger.state_of(card)
    origin = Origin(
        card_id=card.id,
        actor=Actor(vendor_id=card.vendor_id, role=Role.STAFF),
        now=ledger.moment(now, state),
        timezone=card.timezone,
        idempotency_key=f"{why}:{year}",
    )
    if stamps:
        were_ready = state.stamp_count // card.stamps_target
        ledger.append(origin, state, Entry(TransactionType.STAMP_ADJUSTMENT, stamps_delta=stamps, notes=why))
        card_mails.tell_of_reward(origin=origin, state=state, target=card.stamps_target, were_ready=were_ready)
    if points:
        ledger.append(origin, state, Entry(TransactionType.POINTS_ADJUSTMENT, points_delta=points, notes=why))
    ledger.save(card.id, card.vendor_id, state)
    wallet_updates.tell(card_id=card.id, vendor_id=card.vendor_id, at_google=card.google_saved_at is not None)
    webhook_events.ledger_written(origin=origin, card_number=card.card_number)
