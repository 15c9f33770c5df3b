"""Customers who join with their own phone while somebody at the counter waits for them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from loyalty.database import db
from loyalty.domain.values import Actor
from loyalty.models.cards import LoyaltyCard
from loyalty.services import replaced_codes


def find_newest(*, actor: Actor, since: datetime) -> UUID | None:
    """Find the newest card that was made for the actor's store after `since`."""
    newest = (
        select(LoyaltyCard.id)
        .where(
            LoyaltyCard.vendor_id == actor.vendor_id,
            LoyaltyCard.enrolled_at_store_id == actor.store_id,
            LoyaltyCard.created_at > since,
            replaced_codes.is_card(),
        )
        .order_by(LoyaltyCard.created_at.desc())
        .limit(1)
    )
    return db.session.execute(newest).scalar_one_or_none()
