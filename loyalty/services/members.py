"""Who may work in the office of a shop: listed, given another role, and removed by its owners."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select

from loyalty.database import db
from loyalty.domain.values import Actor, RequestKey, Role
from loyalty.errors import N_, NotFound, ValidationError
from loyalty.models.users import User, VendorMember
from loyalty.services import audit, idempotency, roles

ROLES: Final = {"manager": Role.MANAGER, "owner": Role.OWNER}
_LAST_OWNER: Final = N_("A shop needs an owner. Make somebody else owner first.")


@dataclass(frozen=True, slots=True)
class Member:
    """A person who may enter the office; `is_me` marks the one who asks."""

    user_id: UUID
    email: str
    role: Role
    last_login_at: datetime | None
    has_second_factor: bool
    is_me: bool


@dataclass(frozen=True, slots=True)
class MemberChange:
    """Whose role changed, or who was removed."""

    user_id: UUID
    email: str
    replayed: bool = False


def list_all(*, actor: Actor) -> list[Member]:
    """List who may enter the office, owners first."""
    roles.require(actor=actor, role=Role.OWNER)
    rows = db.session.execute(
        select(
            User.id, User.email, VendorMember.role, User.last_login_at, User.totp_secret.is_not(None).label("factor")
        )
        .join(VendorMember, VendorMember.user_id == User.id)
        .where(VendorMember.vendor_id == actor.vendor_id)
        .order_by(VendorMember.role.desc(), User.email)
    )
    return [
        Member(row.id, row.email, ROLES[row.role], row.last_login_at, row.factor, row.id == actor.user_id)
        for row in rows
    ]


def get(*, actor: Actor, user_id: UUID) -> Member:
    """Get one of the people who may enter the office."""
    for member in list_all(actor=actor):
        if member.user_id == user_id:
            return member
    raise NotFound


def change_role(*, actor: Actor, user_id: UUID, role: str, key: RequestKey) -> MemberChange:
    """Make somebody owner or manager; it holds from their next request on."""
    roles.require(actor=actor, role=Role.OWNER)

    def work() -> MemberChange:
        member = _lock(actor, user_id, stays_owner=role == "owner")
        if role not in ROLES:
            raise ValidationError({"role": N_("Choose one of the list.")})
        member.role = role
        return _done(actor, "member.role_changed", user_id, role=role)

    return idempotency.run(key, MemberChange, work, vendor_id=actor.vendor_id)


def remove(*, actor: Actor, user_id: UUID, key: RequestKey) -> MemberChange:
    """Close the office to somebody, from their next request on."""
    roles.require(actor=actor, role=Role.OWNER)

    def work() -> MemberChange:
        db.session.delete(_lock(actor, user_id, stays_owner=False))
        return _done(actor, "member.removed", user_id)

    return idempotency.run(key, MemberChange, work, vendor_id=actor.vendor_id)


def _lock(actor: Actor, user_id: UUID, *, stays_owner: bool) -> VendorMember:
    """Lock all members, so that two owners cannot remove each other at once; refuse to take the last owner."""
    everybody = select(VendorMember).where(VendorMember.vendor_id == actor.vendor_id).order_by(VendorMember.user_id)
    found = db.session.scalars(everybody.with_for_update().execution_options(populate_existing=True)).all()
    owners = {member.user_id for member in found if member.role == "owner"}
    member = next((member for member in found if member.user_id == user_id), None)
    if member is None:
        raise NotFound
    if owners == {user_id} and not stays_owner:
        raise ValidationError({"member": _LAST_OWNER})
    return member


def _done(actor: Actor, action: str, user_id: UUID, **details: object) -> MemberChange:
    audit.record(actor=actor, action=action, subject_type="user", subject_id=user_id, details=details)
    return MemberChange(user_id, db.session.execute(select(User.email).where(User.id == user_id)).scalar_one())
