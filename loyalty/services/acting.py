"""Acting on a vendor's behalf: an admin of the platform works in its office for an hour, and says why."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select

from loyalty.database import db
from loyalty.domain.values import Admin, RequestKey
from loyalty.errors import N_, NotAuthenticated, NotFound, ValidationError
from loyalty.models.users import UserSession
from loyalty.models.vendors import Vendor
from loyalty.services import audit, idempotency

LONGEST: Final = timedelta(minutes=60)
_REASON_LENGTH: Final = 300


@dataclass(frozen=True, slots=True)
class ActingReceipt:
    """For whom an admin acts, and until when; None where nobody is acted for any more."""

    vendor_id: UUID | None
    vendor_name: str = ""
    until: datetime | None = None
    replayed: bool = False


def begin(
    *, admin: Admin, session_id: UUID, vendor_id: UUID, reason: str, at: datetime, key: RequestKey
) -> ActingReceipt:
    """Act for a vendor in this session, for an hour; whom the session acted for before is left."""
    why = reason.strip()
    if not why:
        raise ValidationError({"reason": N_("Say why: the shop's owner can read it.")})
    if len(why) > _REASON_LENGTH:
        raise ValidationError({"reason": N_("Say it in 300 letters or fewer.")})

    def work() -> ActingReceipt:
        vendor = db.session.get(Vendor, vendor_id)
        if vendor is None:
            raise NotFound
        session = _session(admin, session_id, at)
        _end(admin, session, at)
        session.acting_vendor_id, session.acting_until = vendor_id, at + LONGEST
        details: dict[str, object] = {"reason": why, "until": session.acting_until.isoformat()}
        _record(admin, "acting.started", vendor_id, details)
        return ActingReceipt(vendor_id, vendor.name, session.acting_until)

    return idempotency.run(key, ActingReceipt, work)


def leave(*, admin: Admin, session_id: UUID, at: datetime, key: RequestKey) -> ActingReceipt:
    """Act for nobody any more; where that has ended already nothing happens."""

    def work() -> ActingReceipt:
        _end(admin, _session(admin, session_id, at), at)
        return ActingReceipt(None)

    return idempotency.run(key, ActingReceipt, work)


def end(*, admin: Admin, session_id: UUID, at: datetime) -> None:
    """In the caller's transaction, act for nobody any more: the session goes elsewhere."""
    _end(admin, _session(admin, session_id, at), at)


def note_end(*, admin: Admin, vendor_id: UUID | None, until: datetime | None, at: datetime) -> None:
    """Write down in the caller's transaction that nobody is acted for any more.

    What has ended by itself needs no word: the event of its start says until when it was.
    """
    if vendor_id is not None and until is not None and until > at:
        _record(admin, "acting.ended", vendor_id, {})


def _session(admin: Admin, session_id: UUID, at: datetime) -> UserSession:
    """Lock the admin's own session, which has to be open."""
    mine = select(UserSession).where(
        UserSession.id == session_id,
        UserSession.user_id == admin.user_id,
        UserSession.ended_at.is_(None),
        UserSession.expires_at > at,
    )
    session = db.session.scalar(mine.with_for_update().execution_options(populate_existing=True))
    if session is None:
        raise NotAuthenticated
    return session


def _end(admin: Admin, session: UserSession, at: datetime) -> None:
    vendor_id, until = session.acting_vendor_id, session.acting_until
    session.acting_vendor_id = session.acting_until = None
    note_end(admin=admin, vendor_id=vendor_id, until=until, at=at)


def _record(admin: Admin, action: str, vendor_id: UUID, details: dict[str, object]) -> None:
    audit.record(
        actor=admin, action=action, subject_type="vendor", subject_id=vendor_id, details=details, vendor_id=vendor_id
    )
