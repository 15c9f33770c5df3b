"""What somebody types at a tablet, and what is counted of it."""

from datetime import UTC, datetime
from uuid import UUID

import sqlalchemy as sa

from loyalty.database import db, transaction
from loyalty.errors import LoyaltyError
from loyalty.models.pins import PinThrottle
from loyalty.services import pins
from tests.tills import Tablet

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)


def outcome(tablet: Tablet, pin: str, staff_pin_id: UUID | None = None, at: datetime = AT) -> str:
    """Try a PIN; the answer is the name of whose it is, or the code of the refusal."""
    try:
        return pins.verify(actor=tablet.actor, pin=pin, staff_pin_id=staff_pin_id, at=at).staff_name
    except LoyaltyError as refusal:
        return refusal.code


def counted() -> dict[tuple[str, str], int]:
    """The counters that are not at zero, as a new transaction sees them."""
    with transaction():
        rows = db.session.execute(sa.select(PinThrottle.source, PinThrottle.subject, PinThrottle.failed_attempts))
        return {(source.split(":")[0], subject): number for source, subject, number in rows if number}
