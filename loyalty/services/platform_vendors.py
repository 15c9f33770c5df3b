"""The vendors of the platform: opening, changing, suspending and resuming them."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, tuple_

from loyalty.database import clock, db
from loyalty.domain.values import Actor, Admin, Position, RequestKey, Role
from loyalty.errors import NotFound
from loyalty.models.vendors import Vendor
from loyalty.services import audit, expiry_rules, idempotency, invitations, members, onboarding, vendors
from loyalty.services.invitations import Invited, WaitingInvitation
from loyalty.services.members import Member
from loyalty.services.vendors import VendorFacts, VendorReceipt


@dataclass(frozen=True, slots=True)
class PlatformVendor(VendorFacts):
    """A vendor with its settings."""

    pin_length: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class OpenedVendor:
    """A new vendor; its owner's first password is shown once, an answer that is given again comes without it."""

    vendor_id: UUID
    code: str
    store_id: UUID
    store_code: str
    program_id: UUID
    owner_password: str | None = field(default=None, metadata={"secret": True})
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class VendorStatus:
    """Whether a vendor is at work."""

    vendor_id: UUID
    code: str
    status: str
    replayed: bool = False


def list_page(
    *, admin: Admin, status: str | None = None, code: str | None = None, after: Position | None = None, limit: int = 50
) -> list[PlatformVendor]:
    """List vendors, the newest first; `admin` is who asks for the platform."""
    query = select(Vendor).order_by(Vendor.created_at.desc(), Vendor.id.desc()).limit(limit)
    if status is not None:
        query = query.where(Vendor.status == status)
    if code is not None:
        query = query.where(Vendor.code == code)
    if after is not None:
        query = query.where(tuple_(Vendor.created_at, Vendor.id) < (after.at, after.id))
    return [_row(vendor) for vendor in db.session.scalars(query)]


def get(*, admin: Admin, vendor_id: UUID) -> PlatformVendor:
    """Get one vendor; `admin` is who asks for the platform."""
    vendor = db.session.get(Vendor, vendor_id)
    if vendor is None:
        raise NotFound
    return _row(vendor)


def list_members(*, admin: Admin, vendor_id: UUID) -> list[Member]:
    """List who may enter the office of a vendor, owners first."""
    return members.list_all(actor=Actor(vendor_id=vendor_id, role=Role.ADMIN, user_id=admin.user_id))


def create(*, admin: Admin, details: Mapping[str, str], owner_email: str, key: RequestKey) -> OpenedVendor:
    """Open a vendor with its first store, a program that still sleeps, and an owner who can sign in."""

    def work() -> OpenedVendor:
        password = secrets.token_urlsafe(15)
        made = onboarding.open_vendor(owner_email=owner_email, owner_password=password, **details)
        _record(admin, "vendor.created", made.vendor_id, {"code": made.code})
        return OpenedVendor(made.vendor_id, made.code, made.store_id, made.store_code, made.program_id, password)

    return idempotency.run(key, OpenedVendor, work)


def create_by_invitation(
    *,
    admin: Admin,
    details: Mapping[str, Any],  # as `vendors.create` takes them
    owner_email: str,
    at: datetime,
    key: RequestKey,
) -> OpenedVendor:
    """Open a vendor whose owner is invited by mail, and chooses a password that nobody else ever sees."""

    def work() -> OpenedVendor:
        made = vendors.create(**details)
        _record(admin, "vendor.created", made.vendor_id, {"code": made.code})
        asked = replace(key, key=f"{made.vendor_id} invitation")
        invitations.create_owner(
            admin=admin, vendor_id=made.vendor_id, email=owner_email, locale=details["locale"], at=at, key=asked
        )
        return OpenedVendor(made.vendor_id, made.code, made.store_id, made.store_code, made.program_id)

    return idempotency.run(key, OpenedVendor, work)


def invite_owner(*, admin: Admin, vendor_id: UUID, email: str, at: datetime, key: RequestKey) -> Invited:
    """Invite another owner, or the first one again."""
    locale = get(admin=admin, vendor_id=vendor_id).locale
    return invitations.create_owner(admin=admin, vendor_id=vendor_id, email=email, locale=locale, at=at, key=key)


def list_waiting(*, admin: Admin, vendor_id: UUID, at: datetime) -> list[WaitingInvitation]:
    """List the invitations into the office of a vendor that nobody has used yet, the newest first."""
    return invitations.list_waiting(actor=Actor(vendor_id=vendor_id, role=Role.ADMIN, user_id=admin.user_id), at=at)


def change(*, admin: Admin, vendor_id: UUID, changes: Mapping[str, object], key: RequestKey) -> VendorReceipt:
    """Change a vendor's own settings, all of those given or none."""
    return vendors.write_settings(who=admin, vendor_id=vendor_id, changes=changes, key=key)


def suspend(*, admin: Admin, vendor_id: UUID, key: RequestKey) -> VendorStatus:
    """Close a vendor's tills, API and joining from the next request on; cards and passes stay readable."""
    return _set_status(admin, vendor_id, "suspended", "vendor.suspended", key)


def resume(*, admin: Admin, vendor_id: UUID, key: RequestKey) -> VendorStatus:
    """Let a suspended vendor work again."""
    return _set_status(admin, vendor_id, "active", "vendor.resumed", key)


def _set_status(admin: Admin, vendor_id: UUID, status: str, action: str, key: RequestKey) -> VendorStatus:
    def work() -> VendorStatus:
        vendor = db.session.get(Vendor, vendor_id, with_for_update=True, populate_existing=True)
        if vendor is None:
            raise NotFound
        if vendor.status != status:
            vendor.status = status
            if status == "active":
                expiry_rules.start_anew(vendor_id=vendor_id, at=clock())
            _record(admin, action, vendor_id, {"code": vendor.code})
        return VendorStatus(vendor.id, vendor.code, status)

    return idempotency.run(key, VendorStatus, work, vendor_id=vendor_id)


def _record(admin: Admin, action: str, vendor_id: UUID, details: Mapping[str, object]) -> None:
    audit.record(
        actor=admin,
        action=action,
        subject_type="vendor",
        subject_id=vendor_id,
        vendor_id=vendor_id,
        details=details,
    )


def _row(vendor: Vendor) -> PlatformVendor:
    copied = {each.name: getattr(vendor, each.name) for each in fields(PlatformVendor) if each.name != "vendor_id"}
    return PlatformVendor(vendor_id=vendor.id, **copied)
