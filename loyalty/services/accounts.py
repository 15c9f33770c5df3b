"""People who sign in with a password: making them, signing in and out, and which vendor they work for."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import BoundedSemaphore
from typing import Final
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import aliased

from loyalty.database import db, end_reading, new_id, transaction
from loyalty.domain.passwords import hash_password, password_matches, password_problem
from loyalty.domain.people import AddressError, normalise_email
from loyalty.domain.values import Role
from loyalty.errors import N_, NotAuthenticated, NotFound, ValidationError
from loyalty.models.users import User, UserSession, VendorMember
from loyalty.models.vendors import Vendor
from loyalty.services import sign_in_limits

IDLE: Final = timedelta(minutes=30)
LONGEST: Final = timedelta(hours=12)
_SEEN_AGAIN: Final = timedelta(minutes=1)
_ROLES: Final = {"manager": Role.MANAGER, "owner": Role.OWNER}

_mine = aliased(VendorMember)
_SHOPS: Final = (
    select(func.count()).select_from(_mine).where(_mine.user_id == UserSession.user_id).scalar_subquery().label("shops")
)

# Two at a time: a crowd at the door must not take every core from the tills.
_hashing = BoundedSemaphore(2)


@dataclass(frozen=True, slots=True)
class NewSession:
    """A sign-in: `token` goes into the cookie and is stored nowhere; without `vendor_id` one has to be chosen."""

    token: str
    expires_at: datetime
    vendor_id: UUID | None


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """Who is signed in, and where; while no vendor is chosen there is no `vendor_id`, and the role opens nothing."""

    session_id: UUID
    user_id: UUID
    email: str
    locale: str
    is_admin: bool
    vendor_id: UUID | None
    role: Role
    vendor_code: str = ""
    vendor_name: str = ""
    vendor_status: str = ""
    vendor_locale: str = "en"
    timezone: str = "UTC"
    currency: str = "EUR"
    shops: int = 0


@dataclass(frozen=True, slots=True)
class Membership:
    """A vendor whose office a person may enter."""

    vendor_id: UUID
    vendor_code: str
    vendor_name: str
    role: Role


def create_user(*, email: str, password: str, locale: str = "en", is_admin: bool = False) -> UUID:
    """Create a person who can sign in, and return the id; an address belongs to one person only."""
    address = _checked_address(email)
    problem = password_problem(password)
    if problem:
        raise ValidationError({"password": problem})
    with _hashing:
        password_hash = hash_password(password)
    with transaction():
        if db.session.scalar(select(User.id).where(User.email == address)):
            raise ValidationError({"email": N_("Somebody with this e-mail address exists already.")})
        user = User(id=new_id(), email=address, password_hash=password_hash, locale=locale, is_admin=is_admin)
        db.session.add(user)
        db.session.flush()
        return user.id


def create_owner(*, vendor_id: UUID, email: str, password: str, locale: str = "en", role: Role = Role.OWNER) -> UUID:
    """Create a person and make them owner (or manager) of a vendor in one step; return the id."""
    with transaction():
        user_id = create_user(email=email, password=password, locale=locale)
        add_member(vendor_id=vendor_id, user_id=user_id, role=role)
        return user_id


def add_member(*, vendor_id: UUID, user_id: UUID, role: Role) -> None:
    """Let a person into the office of a vendor."""
    with transaction():
        db.session.add(VendorMember(user_id=user_id, vendor_id=vendor_id, role=role.name.lower()))


def sign_in(*, email: str, password: str, source_ip: str | None, at: datetime) -> NewSession:
    """Open a session for the right password; unknown addresses get the same answer after the same time."""
    address = _typed_address(email)
    # Counted before anything is hashed, so parallel guesses get exactly the limit.
    sign_in_limits.reserve(address=address, source_ip=source_ip, at=at)
    user = db.session.execute(select(User.id, User.password_hash).where(User.email == address)).one_or_none()
    end_reading()
    with _hashing:
        right = password_matches(password, user.password_hash if user else None)
    if user is None or not right:
        raise ValidationError({"password": N_("This e-mail address and password do not belong together.")})
    with transaction():
        sign_in_limits.forgive(address=address, source_ip=source_ip)
        db.session.execute(update(User).where(User.id == user.id).values(last_login_at=at))
        return _open_session(user.id, at)


def sign_out(*, token: str, at: datetime) -> None:
    """End the session of this token; it opens nothing from now on."""
    with transaction():
        db.session.execute(
            update(UserSession)
            .where(UserSession.token_hash == _digest(token), UserSession.ended_at.is_(None))
            .values(ended_at=at)
        )


def get_session(*, token: str, at: datetime) -> SessionFacts | None:
    """Find who is signed in with this token; what they may do is read anew each time."""
    row = db.session.execute(
        select(UserSession, User, Vendor, VendorMember.role, _SHOPS)
        .join(User, User.id == UserSession.user_id)
        .outerjoin(
            VendorMember,
            (VendorMember.user_id == UserSession.user_id) & (VendorMember.vendor_id == UserSession.vendor_id),
        )
        .outerjoin(Vendor, Vendor.id == VendorMember.vendor_id)
        .where(
            UserSession.token_hash == _digest(token),
            UserSession.ended_at.is_(None),
            UserSession.expires_at > at,
            UserSession.last_seen_at > at - IDLE,
        )
    ).one_or_none()
    if row is None:
        return None
    found = _signed_in(*row)
    _note_visit(row[0].id, row[0].last_seen_at, at)
    return found


def list_memberships(*, user_id: UUID) -> list[Membership]:
    """List the vendors whose office a person may enter, by name."""
    rows = db.session.execute(
        select(Vendor.id, Vendor.code, Vendor.name, VendorMember.role)
        .join(VendorMember, VendorMember.vendor_id == Vendor.id)
        .where(VendorMember.user_id == user_id)
        .order_by(Vendor.name, Vendor.id)
    )
    return [Membership(row.id, row.code, row.name, _ROLES[row.role]) for row in rows]


def choose_vendor(*, token: str, vendor_id: UUID, at: datetime) -> NewSession:
    """Enter the office of a vendor one is a member of; the session gets a new token, the old one ends."""
    with transaction():
        present = get_session(token=token, at=at)
        if present is None:
            raise NotAuthenticated()
        if vendor_id not in {membership.vendor_id for membership in list_memberships(user_id=present.user_id)}:
            raise NotFound()
        fresh = secrets.token_urlsafe(32)
        expires_at = db.session.execute(
            update(UserSession)
            .where(UserSession.id == present.session_id)
            .values(token_hash=_digest(fresh), vendor_id=vendor_id, last_seen_at=at)
            .returning(UserSession.expires_at)
        ).scalar_one()
        return NewSession(fresh, expires_at, vendor_id)


def _open_session(user_id: UUID, at: datetime) -> NewSession:
    vendors = [membership.vendor_id for membership in list_memberships(user_id=user_id)]
    vendor_id = vendors[0] if len(vendors) == 1 else None
    token = secrets.token_urlsafe(32)
    session = UserSession(
        token_hash=_digest(token), user_id=user_id, vendor_id=vendor_id, last_seen_at=at, expires_at=at + LONGEST
    )
    db.session.add(session)
    return NewSession(token, session.expires_at, vendor_id)


def _signed_in(session: UserSession, user: User, vendor: Vendor | None, role: str | None, shops: int) -> SessionFacts:
    person = (session.id, user.id, user.email, user.locale, user.is_admin)
    if vendor is None or role is None:
        return SessionFacts(*person, vendor_id=None, role=Role.STAFF, shops=shops)
    return SessionFacts(
        *person,
        vendor_id=vendor.id,
        role=_ROLES[role],
        vendor_code=vendor.code,
        vendor_name=vendor.name,
        vendor_status=vendor.status,
        vendor_locale=vendor.locale,
        timezone=vendor.timezone,
        currency=vendor.currency,
        shops=shops,
    )


def _note_visit(session_id: UUID, last_seen_at: datetime, at: datetime) -> None:
    # Not at every request: a page with many parts would write the same row many times.
    if at - last_seen_at < _SEEN_AGAIN:
        return
    with transaction():
        db.session.execute(update(UserSession).where(UserSession.id == session_id).values(last_seen_at=at))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def _checked_address(email: str) -> str:
    try:
        return normalise_email(email)
    except AddressError as refusal:
        raise ValidationError({"email": refusal.sentence}) from refusal


def _typed_address(email: str) -> str:
    """Return what is looked up and counted; nonsense is simply somebody unknown."""
    try:
        return normalise_email(email)
    except AddressError:
        return email.strip().lower()[:254].replace("\0", "")
