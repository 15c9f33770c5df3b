"""Forgetting the phones of erased customers, once they show that the card has ended."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import func, or_, select, update

from loyalty.database import db, transaction
from loyalty.models.cards import LoyaltyCard
from loyalty.models.customers import Customer
from loyalty.models.passes import AppleDeviceRegistration
from loyalty.services import apple_devices

# A phone that was switched off may ask for the ended pass until then.
PATIENCE: Final = timedelta(hours=24)
# Sweeps run every minute; nobody has to look at those who were erased long ago.
_LOOKED_BACK: Final = timedelta(days=40)
_BATCH: Final = 200


def forget_phones(*, at: datetime) -> int:
    """Forget the phones that hold cards of erased customers, and close their passes; returns how many cards it was.

    A single phone is forgotten as soon as it has fetched the ended pass. Which of several have, nobody knows.
    """
    card_ids = _find(at)
    for card_id in card_ids:
        with transaction():
            apple_devices.forget_card(card_id=card_id)
            # Without them no phone can register or fetch the pass any more.
            closed = update(LoyaltyCard).where(LoyaltyCard.id == card_id)
            nameless = {"apple_serial_number": None, "apple_auth_token": None}
            db.session.execute(closed.values(**nameless, updated_at=LoyaltyCard.updated_at))
    return len(card_ids)


def _find(at: datetime) -> list[UUID]:
    phones = select(func.count()).where(AppleDeviceRegistration.card_id == LoyaltyCard.id)
    count = phones.correlate(LoyaltyCard).scalar_subquery()
    shown = (count == 1) & (LoyaltyCard.apple_shown_seq >= LoyaltyCard.ledger_seq)
    query = (
        select(LoyaltyCard.id)
        .join(Customer, Customer.id == LoyaltyCard.customer_id)
        .where(Customer.erased_at.between(at - _LOOKED_BACK, at))
        # A phone may have registered while its card's pass was closed.
        .where(or_(LoyaltyCard.apple_serial_number.is_not(None), count > 0))
        .where(or_(shown, Customer.erased_at <= at - PATIENCE))
        .order_by(LoyaltyCard.id)
        .limit(_BATCH)
    )
    with transaction():
        return list(db.session.scalars(query))
