"""The audit log: who changed settings, people or balances by hand."""

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import insert

from loyalty.database import db, new_id
from loyalty.domain.values import Actor
from loyalty.models.audit import AuditEvent


def record(
    *,
    actor: Actor,
    action: str,
    subject_type: str,
    subject_id: UUID | str,
    details: Mapping[str, object] | None = None,
) -> None:
    """Write one event into the open transaction; `details` holds plain JSON values, and nothing personal."""
    db.session.execute(
        insert(AuditEvent).values(
            id=new_id(),
            created_at=datetime.now(UTC),
            vendor_id=actor.vendor_id,
            user_id=actor.user_id,
            staff_pin_id=actor.staff_pin_id,
            terminal_id=actor.terminal_id,
            action=action,
            subject_type=subject_type,
            subject_id=str(subject_id),
            details=dict(details or {}),
        )
    )
