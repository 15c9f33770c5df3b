"""Policies: what the platform decides for a vendor. The vendor may read its own."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID

from sqlalchemy import select

from loyalty.database import db
from loyalty.domain import settings
from loyalty.domain.values import Actor, Admin, RequestKey
from loyalty.errors import NotFound
from loyalty.models.vendors import VendorPolicy
from loyalty.services import audit, idempotency


@dataclass(frozen=True, slots=True)
class Policy:
    """All of a vendor's policy."""

    staff_pin_policy: str
    pin_lockout_attempts: int
    pin_lockout_minutes: int
    allow_self_enrollment: bool
    allow_void_transactions: bool
    allow_cross_store_redemption: bool
    require_order_reference: bool
    log_ip_addresses: bool


@dataclass(frozen=True, slots=True)
class PolicyReceipt(Policy):
    """The policy as a change left it."""

    replayed: bool = False


def get(*, actor: Actor) -> Policy:
    """Get the policy of the actor's vendor."""
    return _read(_get_row(actor.vendor_id))


def get_of(*, admin: Admin, vendor_id: UUID) -> Policy:
    """Get the policy of a vendor; `admin` is who asks for the platform."""
    return _read(_get_row(vendor_id))


def change(*, admin: Admin, vendor_id: UUID, changes: Mapping[str, object], key: RequestKey) -> PolicyReceipt:
    """Change a vendor's policy, all of the settings given or none; it counts from the next request on."""
    cleaned = settings.clean(settings.POLICY, changes)

    def work() -> PolicyReceipt:
        row = _get_row(vendor_id, lock=True)
        before = {name: getattr(row, name) for name, value in cleaned.items() if getattr(row, name) != value}
        for name in before:
            setattr(row, name, cleaned[name])
        details = {"before": before, "after": {name: cleaned[name] for name in before}}
        audit.record(
            actor=admin,
            action="policy.changed",
            subject_type="vendor",
            subject_id=vendor_id,
            vendor_id=vendor_id,
            details=details,
        )
        return PolicyReceipt(**_values(row))

    return idempotency.run(key, PolicyReceipt, work, vendor_id=vendor_id)


def _get_row(vendor_id: UUID, *, lock: bool = False) -> VendorPolicy:
    query = select(VendorPolicy).where(VendorPolicy.vendor_id == vendor_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    row = db.session.scalar(query)
    if row is None:
        raise NotFound
    return row


def _read(row: VendorPolicy) -> Policy:
    return Policy(**_values(row))


def _values(row: VendorPolicy) -> dict[str, Any]:  # values of many types, each named as the field that it fills
    return {field.name: getattr(row, field.name) for field in fields(Policy)}
