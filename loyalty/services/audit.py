"""The audit log: who changed settings, people or balances by hand."""

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import insert

from loyalty.database import db, new_id
from loyalty.domain.values import Actor, Admin, Role
from loyalty.models.audit import AuditEvent


def record(
    *,
    actor: Actor | Admin,
    action: str,
    subject_type: str,
    subject_id: UUID | str,
    details: Mapping[str, object] | None = None,
    vendor_id: UUID | None = None,
) -> None:
    """Write one event into the open transaction; `details` holds plain JSON values, and nothing personal.

    `vendor_id` is for what an admin does to a vendor; a vendor's own people act for their vendor alone. What the
    platform does at a vendor is marked, so that its owner can see all of it.
    """
    inside = actor if isinstance(actor, Actor) else None
    db.session.execute(
        insert(AuditEvent).values(
            id=new_id(),
            created_at=datetime.now(UTC),
            vendor_id=inside.vendor_id if inside else vendor_id,
            user_id=actor.user_id,
            staff_pin_id=inside.staff_pin_id if inside else None,
            terminal_id=inside.terminal_id if inside else None,
            api_key_id=actor.api_key_id,
            action=action,
            subject_type=subject_type,
            subject_id=str(subject_id),
            details=dict(details or {}),
            on_behalf=inside.role is Role.ADMIN if inside else vendor_id is not None and _is_somebody(actor),
        )
    )


def _is_somebody(actor: Actor | Admin) -> bool:
    """Whether a person or a key stands behind it; the platform itself does nothing by hand."""
    return actor.user_id is not None or actor.api_key_id is not None
