"""Passwords of people in the office: compared, changed, and set anew by a mailed link."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import BoundedSemaphore
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, select, update

from loyalty.database import db, end_reading, new_id
from loyalty.domain.passwords import hash_password, password_matches, password_problem
from loyalty.domain.people import AddressError, normalise_email
from loyalty.domain.values import Admin, RequestKey
from loyalty.errors import N_, IdempotencyKeyReused, LinkExpired, ValidationError
from loyalty.models.mail import Confirmation
from loyalty.models.users import User
from loyalty.services import audit, confirmations, idempotency, messages, sign_in_limits, user_sessions

VALID_FOR: Final = timedelta(hours=1)
PER_DAY: Final = 3
_NOT_YOURS: Final = N_("This is not your password.")

# Two at a time: a crowd at the door must not take every core from the tills.
_hashing = BoundedSemaphore(2)


@dataclass(frozen=True, slots=True)
class ResetAsked:
    """A reset was asked for; it says nothing of whether there is such a person."""

    replayed: bool = False


@dataclass(frozen=True, slots=True)
class PasswordChanged:
    """A password is another one now."""

    user_id: UUID
    replayed: bool = False


def hashed(password: str, *, field: str = "password") -> str:
    """Return the hash of a new password, or say beside its field why it cannot be used."""
    problem = password_problem(password)
    if problem:
        raise ValidationError({field: problem})
    with _hashing:
        return hash_password(password)


def matches(password: str, password_hash: str | None) -> bool:
    """Whether a password belongs to a hash; takes the same time where there is none."""
    end_reading()
    with _hashing:
        return password_matches(password, password_hash)


def require(*, user_id: UUID, password: str, source_ip: str | None, at: datetime) -> str:
    """Ask somebody who is signed in for the password again; wrong ones count as at the sign-in. Returns its hash."""
    person = db.session.execute(select(User.email, User.password_hash).where(User.id == user_id)).one()
    sign_in_limits.reserve(address=person.email, source_ip=source_ip, at=at)
    if not matches(password, person.password_hash):
        raise ValidationError({"password": _NOT_YOURS})
    sign_in_limits.forgive(address=person.email, source_ip=source_ip)
    return str(person.password_hash)


def ask_reset(*, email: str, source_ip: str | None, at: datetime, key: RequestKey) -> ResetAsked:
    """Mail a link to whoever has this address, a few times a day; the answer is the same for everybody."""
    sign_in_limits.reserve_reset(source_ip=source_ip, at=at)
    try:
        address = normalise_email(email)
    except AddressError as refusal:
        raise ValidationError({"email": refusal.sentence}) from refusal

    def work() -> ResetAsked:
        _mail_link(address, at)
        return ResetAsked()

    return idempotency.run(key, ResetAsked, work)


def get_reset(*, token: str, at: datetime) -> str:
    """Get whose password a mailed link sets, and leave the link unused: mail scanners open links, too."""
    return confirmations.get(token=token, kind="password", at=at).address


def reset(*, token: str, password: str, at: datetime, key: RequestKey) -> PasswordChanged:
    """Use a mailed link: another password, and all sessions end."""
    confirmation_id = confirmations.get_id(token=token, kind="password")
    if answered := idempotency.find(key, PasswordChanged):
        return _again(answered, password)
    # Before it is hashed: who has no link that works gets no work done.
    address = confirmations.get(token=token, kind="password", at=at).address
    password_hash = hashed(password)

    def work() -> PasswordChanged:
        # The person before the link: two links of one person, used at once, would wait for each other.
        user_id = db.session.scalar(select(User.id).where(User.email == address).with_for_update())
        confirmations.use(confirmation_id=confirmation_id, at=at)
        if user_id is None:
            raise LinkExpired
        _store(user_id, password_hash, at)
        user_sessions.end_all(user_id=user_id, at=at)
        # Whoever has proven the address need not wait for what somebody else tried at it.
        sign_in_limits.forgive(address=address, source_ip=None)
        return PasswordChanged(user_id)

    return _again(idempotency.run(key, PasswordChanged, work), password)


def change(
    *, user_id: UUID, session_id: UUID, password: str, new: str, source_ip: str | None, at: datetime, key: RequestKey
) -> PasswordChanged:
    """Change one's password after the present one; all other sessions end."""
    if answered := idempotency.find(key, PasswordChanged):
        return _again(answered, new)
    present = require(user_id=user_id, password=password, source_ip=source_ip, at=at)
    password_hash = hashed(new, field="new")

    def work() -> PasswordChanged:
        # Set by mail meanwhile, it holds: whoever knows only the one before may be why it was set.
        locked = select(User.password_hash).where(User.id == user_id).with_for_update()
        if db.session.scalar(locked) != present:
            raise ValidationError({"password": _NOT_YOURS})
        _store(user_id, password_hash, at)
        user_sessions.end_all(user_id=user_id, but=session_id, at=at)
        return PasswordChanged(user_id)

    return _again(idempotency.run(key, PasswordChanged, work), new)


def require_same(*, whose: ColumnElement[bool], password: str) -> None:
    """Refuse a page that has set a password and comes again with another: it is not the one that opens."""
    if not matches(password, db.session.scalar(select(User.password_hash).where(whose))):
        raise IdempotencyKeyReused


def _again(done: PasswordChanged, password: str) -> PasswordChanged:
    """Return the answer; what is stored of a request says nothing of its password, so a second one is compared."""
    if done.replayed:
        require_same(whose=User.id == done.user_id, password=password)
    return done


def _mail_link(address: str, at: datetime) -> None:
    # The row is locked, so that two who ask at once are counted one after the other.
    person = select(User.id, User.locale).where(User.email == address).with_for_update()
    row = db.session.execute(person).one_or_none()
    if row is None:
        return
    kinds = ("password_reset",)
    if messages.count_recent(vendor_id=None, recipient=address, kinds=kinds, at=at) >= PER_DAY:
        return
    confirmation_id = confirmations.add(
        vendor_id=None, kind="password", address=address, form={}, locale=row.locale, at=at, valid_for=VALID_FOR
    )
    messages.queue_mail(
        kind="password_reset",
        event_key=str(confirmation_id),
        vendor_id=None,
        recipient=address,
        locale=row.locale,
        at=at,
        confirmation_id=confirmation_id,
    )


def _store(user_id: UUID, password_hash: str, at: datetime) -> None:
    """Write the new hash; links that were mailed before it open nothing any more, and the person is told."""
    changed = update(User).where(User.id == user_id).values(password_hash=password_hash)
    person = db.session.execute(changed.returning(User.email, User.locale)).one()
    waiting = (Confirmation.kind == "password", Confirmation.address == person.email, Confirmation.used_at.is_(None))
    db.session.execute(update(Confirmation).where(*waiting).values(used_at=at))
    audit.record(actor=Admin(user_id=user_id), action="user.password_changed", subject_type="user", subject_id=user_id)
    messages.queue_mail(
        kind="password_changed",
        event_key=str(new_id()),
        vendor_id=None,
        recipient=person.email,
        locale=person.locale,
        at=at,
    )
