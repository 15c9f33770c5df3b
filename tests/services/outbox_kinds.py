"""Messages of a kind that no receiver takes, to be claimed by tests."""

from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from loyalty.database import db, new_id, transaction
from loyalty.models.outbox import OutboxMessage
from loyalty.services import outbox
from loyalty.services.outbox import Claim

KIND = "test.thing"


def add(subject_id: UUID | None = None, kind: str = KIND) -> UUID:
    with transaction():
        return outbox.add(kind=kind, subject_id=subject_id or new_id(), vendor_id=None)


def row(message_id: UUID) -> OutboxMessage:
    with transaction():
        db.session.expire_all()
        return db.session.get_one(OutboxMessage, message_id)


def age(message_id: UUID, by: timedelta) -> None:
    """Let time pass for one row."""
    with transaction():
        db.session.execute(
            sa.update(OutboxMessage)
            .where(OutboxMessage.id == message_id)
            .values(not_before=OutboxMessage.not_before - by, leased_until=OutboxMessage.leased_until - by)
        )


def claimed(message_id: UUID) -> Claim:
    claim = outbox.claim(message_id=message_id)
    assert claim is not None
    return claim


def all_rows() -> list[OutboxMessage]:
    with transaction():
        db.session.expire_all()
        return list(db.session.scalars(sa.select(OutboxMessage).order_by(OutboxMessage.not_before)))
