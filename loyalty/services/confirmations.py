"""Confirmations: what a person asked for, kept until they press the button behind the mailed link."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import insert, select, update

from loyalty.database import db, new_id
from loyalty.errors import InvitationExpired, LinkExpired, ResetExpired
from loyalty.models.mail import Confirmation
from loyalty.services import links

VALID_FOR = timedelta(hours=24)
_EXPIRED: Final = {"password": ResetExpired, "invitation": InvitationExpired}


@dataclass(frozen=True, slots=True)
class Pending:
    """A request that waits for its confirmation; `form` is what was asked, as JSON values."""

    confirmation_id: UUID
    vendor_id: UUID | None
    address: str
    form: Mapping[str, Any]
    locale: str


def add(
    *,
    vendor_id: UUID | None,
    kind: str,
    address: str,
    form: Mapping[str, Any],
    locale: str,
    at: datetime,
    valid_for: timedelta = VALID_FOR,
) -> UUID:
    """Keep a request for 24 hours or as long as is said, in the caller's transaction."""
    confirmation_id = new_id()
    db.session.execute(
        insert(Confirmation).values(
            id=confirmation_id,
            vendor_id=vendor_id,
            kind=kind,
            address=address,
            form=dict(form),
            locale=locale,
            created_at=at,
            expires_at=at + valid_for,
        )
    )
    return confirmation_id


def get(*, token: str, kind: str, at: datetime) -> Pending:
    """Get what a link stands for and leave it unused: mail scanners open links, too."""
    return _read(get_id(token=token, kind=kind), at, lock=False)


def get_id(*, token: str, kind: str) -> UUID:
    """Get the id that a link's token was signed for."""
    confirmation_id = links.read_confirmation(token, kind)
    if confirmation_id is None:
        raise _EXPIRED.get(kind, LinkExpired)
    return confirmation_id


def use(*, confirmation_id: UUID, at: datetime) -> Pending:
    """Use a confirmation, in the caller's transaction; of all who try one succeeds."""
    pending = _read(confirmation_id, at, lock=True)
    db.session.execute(update(Confirmation).where(Confirmation.id == confirmation_id).values(used_at=at))
    return pending


def _read(confirmation_id: UUID, at: datetime, *, lock: bool) -> Pending:
    query = select(
        Confirmation.kind,
        Confirmation.vendor_id,
        Confirmation.address,
        Confirmation.form,
        Confirmation.locale,
        Confirmation.expires_at,
        Confirmation.used_at,
    ).where(Confirmation.id == confirmation_id)
    row = db.session.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise LinkExpired
    if row.used_at is not None or row.expires_at <= at:
        raise _EXPIRED.get(row.kind, LinkExpired)
    return Pending(confirmation_id, row.vendor_id, row.address, row.form, row.locale)
