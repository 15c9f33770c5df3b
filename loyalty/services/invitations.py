"""Invitations into the office of a shop: mailed by an owner, used once, for a week."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.dialects.postgresql import insert

from loyalty.database import db
from loyalty.domain.people import AddressError, normalise_email
from loyalty.domain.values import Actor, Admin, RequestKey, Role
from loyalty.errors import N_, Forbidden, NotFound, ValidationError
from loyalty.models.mail import Confirmation
from loyalty.models.users import User, VendorMember
from loyalty.models.vendors import Vendor
from loyalty.services import accounts, audit, confirmations, idempotency, messages, passwords, roles
from loyalty.services.members import ROLES

VALID_FOR: Final = timedelta(days=7)
WAITING_AT_MOST: Final = 20
PER_DAY: Final = 3


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation is on its way."""

    invitation_id: UUID
    email: str
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class WaitingInvitation:
    """An invitation that nobody has used yet."""

    invitation_id: UUID
    email: str
    role: Role
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Invitation:
    """What a mailed link stands for; `is_known` says that this address signs in already."""

    vendor_name: str
    email: str
    role: Role
    is_known: bool


@dataclass(frozen=True, slots=True)
class Joined:
    """Whose office is open now; an answer that is given again comes without who joined."""

    vendor_id: UUID
    vendor_name: str
    email: str | None = field(default=None, metadata={"secret": True})
    replayed: bool = False


def list_waiting(*, actor: Actor, at: datetime) -> list[WaitingInvitation]:
    """List the invitations that were not used yet, the newest first."""
    roles.require(actor=actor, role=Role.OWNER)
    rows = db.session.scalars(
        select(Confirmation).where(*_waiting(actor.vendor_id, at)).order_by(Confirmation.created_at.desc())
    )
    return [WaitingInvitation(row.id, row.address, ROLES[row.form["role"]], row.expires_at) for row in rows]


def create(*, actor: Actor, email: str, role: str, locale: str, at: datetime, key: RequestKey) -> Invited:
    """Invite somebody by mail; an invitation of before to the same address ends."""
    roles.require(actor=actor, role=Role.OWNER)
    address = _checked(email, role)

    def work() -> Invited:
        return _invite(actor, address, role, locale, at)

    return idempotency.run(key, Invited, work, vendor_id=actor.vendor_id)


def create_owner(*, admin: Admin, vendor_id: UUID, email: str, locale: str, at: datetime, key: RequestKey) -> Invited:
    """Invite an owner by mail for the platform: of a new shop, or of one that has lost its own."""
    address = _checked(email, "owner")
    actor = Actor(vendor_id=vendor_id, role=Role.ADMIN, user_id=admin.user_id, api_key_id=admin.api_key_id)

    def work() -> Invited:
        return _invite(actor, address, "owner", locale, at)

    return idempotency.run(key, Invited, work, vendor_id=vendor_id)


def withdraw(*, actor: Actor, invitation_id: UUID, at: datetime, key: RequestKey) -> Invited:
    """Take an invitation back; its link opens nothing from now on."""
    roles.require(actor=actor, role=Role.OWNER)

    def work() -> Invited:
        addresses = _end(actor, at, Confirmation.id == invitation_id)
        if not addresses:
            raise NotFound
        _record(actor, "member.invitation_withdrawn", invitation_id)
        return Invited(invitation_id, addresses[0])

    return idempotency.run(key, Invited, work, vendor_id=actor.vendor_id)


def get(*, token: str, at: datetime) -> Invitation:
    """Get what a mailed link stands for, and leave it unused: mail scanners open links, too."""
    pending = confirmations.get(token=token, kind="invitation", at=at)
    vendor_name = db.session.execute(select(Vendor.name).where(Vendor.id == pending.vendor_id)).scalar_one()
    known = db.session.scalar(select(User.id).where(User.email == pending.address)) is not None
    return Invitation(vendor_name, pending.address, ROLES[pending.form["role"]], known)


def accept(*, token: str, user_id: UUID, at: datetime, key: RequestKey) -> Joined:
    """Join the shop as somebody who is signed in with the invited address."""
    confirmation_id = confirmations.get_id(token=token, kind="invitation")

    def work() -> Joined:
        pending = confirmations.use(confirmation_id=confirmation_id, at=at)
        if db.session.scalar(select(User.email).where(User.id == user_id)) != pending.address:
            raise Forbidden
        return _join(pending, user_id)

    return idempotency.run(key, Joined, work)


def accept_new(*, token: str, password: str, at: datetime, key: RequestKey) -> Joined:
    """Join the shop as somebody new, with a password of one's own."""
    confirmation_id = confirmations.get_id(token=token, kind="invitation")
    if answered := idempotency.find(key, Joined):
        return _again(answered, confirmation_id, password)
    # Before it is hashed: who has no link that works gets no work done.
    confirmations.get(token=token, kind="invitation", at=at)
    password_hash = passwords.hashed(password)

    def work() -> Joined:
        pending = confirmations.use(confirmation_id=confirmation_id, at=at)
        user_id = accounts.add_user(email=pending.address, password_hash=password_hash, locale=pending.locale)
        return _join(pending, user_id)

    return _again(idempotency.run(key, Joined, work), confirmation_id, password)


def _again(done: Joined, confirmation_id: UUID, password: str) -> Joined:
    if done.replayed:
        invited = select(Confirmation.address).where(Confirmation.id == confirmation_id).scalar_subquery()
        passwords.require_same(whose=User.email == invited, password=password)
    return done


def _checked(email: str, role: str) -> str:
    errors: dict[str, str] = {}
    address = ""
    try:
        address = normalise_email(email)
    except AddressError as refusal:
        errors["email"] = refusal.sentence
    if role not in ROLES:
        errors["role"] = N_("Choose one of the list.")
    if errors:
        raise ValidationError(errors)
    return address


def _invite(actor: Actor, address: str, role: str, locale: str, at: datetime) -> Invited:
    _refuse_too_many(actor, address, at)
    _end(actor, at, Confirmation.address == address)
    invitation_id = confirmations.add(
        vendor_id=actor.vendor_id,
        kind="invitation",
        address=address,
        form={"role": role},
        locale=locale,
        at=at,
        valid_for=VALID_FOR,
    )
    _mail(actor.vendor_id, invitation_id, address, locale, at)
    _record(actor, "member.invited", invitation_id, role=role)
    return Invited(invitation_id, address)


def _refuse_too_many(actor: Actor, address: str, at: datetime) -> None:
    # The vendor's row is locked, so that two who invite at once are counted one after the other.
    db.session.execute(select(Vendor.id).where(Vendor.id == actor.vendor_id).with_for_update(key_share=True))
    member = (
        select(User.id)
        .join(VendorMember, VendorMember.user_id == User.id)
        .where(VendorMember.vendor_id == actor.vendor_id, User.email == address)
    )
    if db.session.scalar(member) is not None:
        raise ValidationError({"email": N_("This person can enter the office already.")})
    waiting = select(func.count()).select_from(Confirmation).where(*_waiting(actor.vendor_id, at))
    if db.session.execute(waiting).scalar_one() >= WAITING_AT_MOST:
        raise ValidationError({"email": N_("Too many invitations are waiting. Withdraw some of them first.")})
    kinds = ("invitation",)
    if messages.count_recent(vendor_id=actor.vendor_id, recipient=address, kinds=kinds, at=at) >= PER_DAY:
        raise ValidationError({"email": N_("This address has got three mails within a day. Try again tomorrow.")})


def _waiting(vendor_id: UUID, at: datetime) -> list[ColumnElement[bool]]:
    return [
        Confirmation.vendor_id == vendor_id,
        Confirmation.kind == "invitation",
        Confirmation.used_at.is_(None),
        Confirmation.expires_at > at,
    ]


def _end(actor: Actor, at: datetime, which: ColumnElement[bool]) -> list[str]:
    """End waiting invitations; returns to whom they were."""
    ended = update(Confirmation).where(*_waiting(actor.vendor_id, at), which).values(expires_at=at)
    return list(db.session.scalars(ended.returning(Confirmation.address)))


def _mail(vendor_id: UUID, invitation_id: UUID, address: str, locale: str, at: datetime) -> None:
    messages.queue_mail(
        kind="invitation",
        event_key=str(invitation_id),
        vendor_id=vendor_id,
        recipient=address,
        locale=locale,
        at=at,
        confirmation_id=invitation_id,
    )


def _join(pending: confirmations.Pending, user_id: UUID) -> Joined:
    vendor = db.session.execute(select(Vendor.id, Vendor.name).where(Vendor.id == pending.vendor_id)).one()
    role = pending.form["role"]
    member = insert(VendorMember).values(user_id=user_id, vendor_id=vendor.id, role=role)
    db.session.execute(member.on_conflict_do_nothing())
    actor = Actor(vendor_id=vendor.id, role=ROLES[role], user_id=user_id)
    _record(actor, "member.joined", pending.confirmation_id, role=role)
    return Joined(vendor.id, vendor.name, pending.address)


def _record(actor: Actor, action: str, invitation_id: UUID, **details: object) -> None:
    audit.record(actor=actor, action=action, subject_type="invitation", subject_id=invitation_id, details=details)
