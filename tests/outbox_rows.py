"""Rows of the outbox in every state, written straight into the database."""

from datetime import UTC, datetime
from uuid import UUID

from loyalty.database import db, new_id, transaction
from loyalty.models.outbox import OutboxMessage


def make_row(
    *,
    vendor_id: UUID | None = None,
    kind: str = "google.object",
    subject_id: UUID | None = None,
    error: str | None = None,
    attempts: int = 0,
    gave_up: bool = False,
    delivered: datetime | None = None,
    due: datetime | None = None,
) -> UUID:
    """Make a row that is open, failing, given up or delivered; returns its id."""
    row = OutboxMessage(
        id=new_id(),
        vendor_id=vendor_id,
        kind=kind,
        subject_id=subject_id or new_id(),
        attempts=attempts,
        not_before=due or datetime.now(UTC),
        gave_up_at=datetime.now(UTC) if gave_up else None,
        delivered_at=delivered,
        last_error=error,
    )
    with transaction():
        db.session.add(row)
        db.session.flush()
        return row.id
