"""Sessions of people who signed in: opened with a note of where, listed, and ended."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select, update

from loyalty.database import db, new_id
from loyalty.domain import browsers
from loyalty.domain.values import Admin, RequestKey
from loyalty.errors import NotFound
from loyalty.models.users import User, UserSession
from loyalty.services import acting, idempotency, messages

IDLE: Final = timedelta(minutes=30)
LONGEST: Final = timedelta(hours=12)
# How long a browser is known again, and how long it is remembered where somebody was.
REMEMBERED: Final = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Visit:
    """Where somebody signs in: `device` is the text of the cookie by which a browser is known again."""

    source_ip: str | None = None
    user_agent: str = ""
    device: str = ""


@dataclass(frozen=True, slots=True)
class NewSession:
    """A sign-in: `token` goes into the cookie and is stored nowhere; without `vendor_id` one has to be chosen."""

    token: str
    expires_at: datetime
    vendor_id: UUID | None


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A sign-in that is open now; `is_this` marks the one that asks."""

    session_id: UUID
    browser: str
    network: str
    created_at: datetime
    last_seen_at: datetime
    is_this: bool


@dataclass(frozen=True, slots=True)
class EndReceipt:
    """How many sessions a command has ended."""

    ended: int
    replayed: bool = False


def digest(token: str) -> str:
    """Return what is stored of a cookie's text."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def open_new(*, user_id: UUID, vendor_id: UUID | None, visit: Visit, at: datetime) -> NewSession:
    """Open a session, in the caller's transaction; a browser that was never seen before is told of by mail."""
    token, session_id = secrets.token_urlsafe(32), new_id()
    is_new = _is_new(user_id, visit.device)
    old = delete(UserSession).where(UserSession.user_id == user_id, UserSession.created_at < at - REMEMBERED)
    db.session.execute(old)
    session = UserSession(
        id=session_id,
        token_hash=digest(token),
        user_id=user_id,
        vendor_id=vendor_id,
        created_at=at,
        last_seen_at=at,
        expires_at=at + LONGEST,
        browser=browsers.describe(visit.user_agent),
        network=browsers.network_of(visit.source_ip),
        device_hash=digest(visit.device) if visit.device else None,
    )
    db.session.add(session)
    db.session.flush()
    if is_new:
        _tell(user_id, session_id, at)
    return NewSession(token, at + LONGEST, vendor_id)


def list_open(*, user_id: UUID, session_id: UUID, at: datetime) -> list[OpenSession]:
    """List a person's open sessions, the one that asks first, then those that were used last."""
    rows = db.session.scalars(
        select(UserSession)
        .where(UserSession.user_id == user_id, *_is_open(at))
        .order_by((UserSession.id == session_id).desc(), UserSession.last_seen_at.desc())
    )
    return [
        OpenSession(
            row.id, row.browser or "", row.network or "", row.created_at, row.last_seen_at, row.id == session_id
        )
        for row in rows
    ]


def end(*, user_id: UUID, session_id: UUID, at: datetime, key: RequestKey) -> EndReceipt:
    """End one of a person's sessions; it opens nothing from now on."""

    def work() -> EndReceipt:
        mine = select(UserSession.id).where(UserSession.user_id == user_id, UserSession.id == session_id)
        if db.session.scalar(mine) is None:
            raise NotFound
        return EndReceipt(_end(at, UserSession.id == session_id))

    return idempotency.run(key, EndReceipt, work)


def end_others(*, user_id: UUID, session_id: UUID, at: datetime, key: RequestKey) -> EndReceipt:
    """End all sessions of a person but the one that asks."""
    return idempotency.run(key, EndReceipt, lambda: EndReceipt(end_all(user_id=user_id, but=session_id, at=at)))


def end_all(*, user_id: UUID, at: datetime, but: UUID | None = None) -> int:
    """End a person's sessions, in the caller's transaction; returns how many."""
    return _end(at, UserSession.user_id == user_id, UserSession.id.is_distinct_from(but))


def end_by(*, token: str, at: datetime) -> int:
    """End the session of a token, in the caller's transaction; returns how many that were."""
    return _end(at, UserSession.token_hash == digest(token))


def _is_new(user_id: UUID, device: str) -> bool:
    """Say whether a browser is to be told of: not the very first one, and none without a cookie (a command)."""
    if not device:
        return False
    seen = select(func.count(), func.count().filter(UserSession.device_hash == digest(device)))
    before, here = db.session.execute(seen.where(UserSession.user_id == user_id)).one()
    return before > 0 and here == 0


def _tell(user_id: UUID, session_id: UUID, at: datetime) -> None:
    person = db.session.execute(select(User.email, User.locale).where(User.id == user_id)).one()
    messages.queue_mail(
        kind="new_sign_in",
        event_key=str(session_id),
        vendor_id=None,
        recipient=person.email,
        locale=person.locale,
        at=at,
    )


def _is_open(at: datetime) -> list[ColumnElement[bool]]:
    return [UserSession.ended_at.is_(None), UserSession.expires_at > at, UserSession.last_seen_at > at - IDLE]


def _end(at: datetime, *which: ColumnElement[bool]) -> int:
    ended = update(UserSession).where(*which, UserSession.ended_at.is_(None)).values(ended_at=at)
    columns = (UserSession.user_id, UserSession.acting_vendor_id, UserSession.acting_until)
    rows = db.session.execute(ended.returning(*columns)).all()
    for row in rows:
        # Read by the statement that ended it: another tab may have begun to act a moment ago.
        admin = Admin(user_id=row.user_id)
        acting.note_end(admin=admin, vendor_id=row.acting_vendor_id, until=row.acting_until, at=at)
    return len(rows)
