"""People who sign in with a password: making them, signing in and out, and which vendor they work for."""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import case, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased

from loyalty.database import db, new_id, transaction
from loyalty.domain.people import AddressError, normalise_email
from loyalty.domain.values import Admin, Role
from loyalty.errors import N_, NotAuthenticated, NotFound, SecondFactorRequired, ValidationError
from loyalty.models.users import User, UserSession, VendorMember
from loyalty.models.vendors import Vendor
from loyalty.services import acting, passwords, sealing, second_factors, sign_in_limits, user_sessions
from loyalty.services.user_sessions import IDLE, NewSession, Visit

# How long after the password a code may follow.
CHALLENGE: Final = timedelta(minutes=10)
_SEEN_AGAIN: Final = timedelta(minutes=1)
_WRONG: Final = N_("This e-mail address and password do not belong together.")
_ROLES: Final = {"manager": Role.MANAGER, "owner": Role.OWNER}

_mine = aliased(VendorMember)
_SHOPS: Final = (
    select(func.count()).select_from(_mine).where(_mine.user_id == UserSession.user_id).scalar_subquery().label("shops")
)


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """Who is signed in, and where; while no vendor is chosen there is no `vendor_id`, and the role opens nothing.

    Until `acting_until` an admin of the platform acts for the vendor: the role is ADMIN then. Where that has ended by
    itself, `acted_for` says for which one it was.
    """

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
    timezone: str = "UTC"
    currency: str = "EUR"
    shops: int = 0
    has_second_factor: bool = False
    acting_until: datetime | None = None
    acted_for: UUID | None = None

    @property
    def acting_is_over(self) -> bool:
        """Whether the hour at a vendor has ended by itself."""
        return self.acted_for is not None


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
    password_hash = passwords.hashed(password)
    with transaction():
        return add_user(email=address, password_hash=password_hash, locale=locale, is_admin=is_admin)


def add_user(*, email: str, password_hash: str, locale: str, is_admin: bool = False) -> UUID:
    """Add a person whose password was checked and hashed, in the caller's transaction; return the id."""
    row = {"id": new_id(), "email": email, "password_hash": password_hash, "locale": locale, "is_admin": is_admin}
    # Asked of the database alone: two shops' invitations may be accepted at the same moment.
    added = insert(User).values(row).on_conflict_do_nothing(index_elements=["email"]).returning(User.id)
    user_id: UUID | None = db.session.scalar(added)
    if user_id is None:
        raise ValidationError({"email": N_("Somebody with this e-mail address exists already.")})
    return user_id


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


def sign_in(
    *, email: str, password: str, source_ip: str | None, at: datetime, visit: Visit | None = None
) -> NewSession:
    """Open a session for the right password; unknown addresses get the same answer after the same time.

    Raises SecondFactorRequired, and opens nothing, where a code has to follow.
    """
    address = _typed_address(email)
    # Counted before anything is hashed, so parallel guesses get exactly the limit.
    sign_in_limits.reserve(address=address, source_ip=source_ip, at=at)
    person = select(User.id, User.password_hash, User.totp_secret).where(User.email == address)
    user = db.session.execute(person).one_or_none()
    right = passwords.matches(password, user.password_hash if user else None)
    if user is None or not right:
        raise ValidationError({"password": _WRONG})
    with transaction():
        # Locked and read anew: while this one was compared, another password or a second factor may have come.
        present = db.session.execute(person.with_for_update()).one_or_none()
        if present is None or present.password_hash != user.password_hash:
            raise ValidationError({"password": _WRONG})
        sign_in_limits.forgive(address=address, source_ip=source_ip)
        if present.totp_secret is None:
            return _enter(user.id, visit or Visit(source_ip), at)
    raise SecondFactorRequired(challenge=_challenge(user.id, user.password_hash, at + CHALLENGE))


def sign_in_with_code(*, challenge: str, code: str, at: datetime, visit: Visit | None = None) -> NewSession:
    """Open a session for the code that follows a right password."""
    second_factors.check(user_id=_challenged(challenge, at), code=code, at=at)
    with transaction():
        # Asked again, with the person locked: another password may have been set since the code was taken.
        return _enter(_challenged(challenge, at, locked=True), visit or Visit(), at)


def sign_out(*, token: str, at: datetime) -> None:
    """End the session of this token; it opens nothing from now on."""
    with transaction():
        user_sessions.end_by(token=token, at=at)


def get_session(*, token: str, at: datetime) -> SessionFacts | None:
    """Find who is signed in with this token; what they may do is read anew each time."""
    is_acting = User.is_admin & (UserSession.acting_until > at)
    row = db.session.execute(
        select(UserSession, User, Vendor, VendorMember.role, _SHOPS)
        .join(User, User.id == UserSession.user_id)
        .outerjoin(
            VendorMember,
            (VendorMember.user_id == UserSession.user_id) & (VendorMember.vendor_id == UserSession.vendor_id),
        )
        .outerjoin(Vendor, Vendor.id == case((is_acting, UserSession.acting_vendor_id), else_=VendorMember.vendor_id))
        .where(
            UserSession.token_hash == user_sessions.digest(token),
            UserSession.ended_at.is_(None),
            UserSession.expires_at > at,
            UserSession.last_seen_at > at - IDLE,
        )
    ).one_or_none()
    if row is None:
        return None
    found = _signed_in(at, *row)
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
        _stop_acting(present, at)
        fresh = secrets.token_urlsafe(32)
        expires_at = db.session.execute(
            update(UserSession)
            .where(UserSession.id == present.session_id)
            .values(
                token_hash=user_sessions.digest(fresh),
                vendor_id=vendor_id,
                last_seen_at=at,
                acting_vendor_id=None,
                acting_until=None,
            )
            .returning(UserSession.expires_at)
        ).scalar_one()
        return NewSession(fresh, expires_at, vendor_id)


def _enter(user_id: UUID, visit: Visit, at: datetime) -> NewSession:
    db.session.execute(update(User).where(User.id == user_id).values(last_login_at=at))
    vendors = [membership.vendor_id for membership in list_memberships(user_id=user_id)]
    vendor_id = vendors[0] if len(vendors) == 1 else None
    return user_sessions.open_new(user_id=user_id, vendor_id=vendor_id, visit=visit, at=at)


def _stop_acting(session: SessionFacts | None, at: datetime) -> None:
    # Whether for anybody, the session's row says once it is locked.
    if session is not None and session.is_admin:
        acting.end(admin=Admin(user_id=session.user_id), session_id=session.session_id, at=at)


def _challenge(user_id: UUID, password_hash: str, until: datetime) -> str:
    """Seal that a password was right; another password ends it."""
    words = (str(user_id), str(int(until.timestamp())), user_sessions.digest(password_hash))
    return sealing.seal(" ".join(words), purpose=sealing.SIGN_INS)


def _challenged(challenge: str, at: datetime, *, locked: bool = False) -> UUID:
    try:
        user_id, until, password = sealing.open_sealed(challenge, purpose=sealing.SIGN_INS).split()
    except sealing.SecretUnreadable as refusal:
        raise NotAuthenticated from refusal
    present = select(User.password_hash).where(User.id == UUID(user_id))
    password_hash = db.session.scalar(present.with_for_update() if locked else present)
    if password_hash is None or int(until) <= at.timestamp() or user_sessions.digest(password_hash) != password:
        raise NotAuthenticated
    return UUID(user_id)


def _signed_in(
    at: datetime, session: UserSession, user: User, vendor: Vendor | None, role: str | None, shops: int
) -> SessionFacts:
    until = session.acting_until if user.is_admin else None
    is_acting = until is not None and until > at
    alone = SessionFacts(
        session.id,
        user.id,
        user.email,
        user.locale,
        user.is_admin,
        vendor_id=None,
        role=Role.STAFF,
        shops=shops,
        has_second_factor=user.totp_secret is not None,
        acting_until=until if is_acting else None,
        acted_for=session.acting_vendor_id if until is not None and not is_acting else None,
    )
    if vendor is None or not (is_acting or role):
        return alone
    return replace(
        alone,
        vendor_id=vendor.id,
        role=Role.ADMIN if is_acting else _ROLES[role or ""],
        vendor_code=vendor.code,
        vendor_name=vendor.name,
        vendor_status=vendor.status,
        timezone=vendor.timezone,
        currency=vendor.currency,
    )


def _note_visit(session_id: UUID, last_seen_at: datetime, at: datetime) -> None:
    # Not at every request: a page with many parts would write the same row many times.
    if at - last_seen_at < _SEEN_AGAIN:
        return
    with transaction():
        db.session.execute(update(UserSession).where(UserSession.id == session_id).values(last_seen_at=at))


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
