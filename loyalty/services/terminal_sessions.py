"""The session of a paired tablet: one query tells the tablet, its shop, and who is signed in on it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, and_, bindparam, func, or_, select, update

from loyalty.database import db, transaction
from loyalty.domain.pins import is_needed
from loyalty.domain.values import Role
from loyalty.models.pins import StaffPin
from loyalty.models.programs import LoyaltyProgram
from loyalty.models.terminals import Terminal
from loyalty.models.vendors import Store, Vendor, VendorPolicy
from loyalty.services import pins
from loyalty.services.pairing import digest

# Not at every request: a till writes its ledger, not its own name all day.
_SEEN_AGAIN: Final = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class TerminalSession:
    """A paired tablet and its shop, as the present request finds them; without `staff_pin_id` it is locked.

    `status` is the vendor's. `locks_at` is when the staff session ends if nobody touches the tablet.
    """

    terminal_id: UUID
    vendor_id: UUID
    store_id: UUID
    store_name: str
    store_code: str
    vendor_name: str
    vendor_code: str
    label: str
    locale: str
    timezone: str
    currency: str
    status: str
    pin_needed: bool
    pin_length: int
    staff_pin_id: UUID | None
    staff_name: str
    staff_role: Role | None
    locks_at: datetime | None
    lock_minutes: int
    left_handed: bool
    sound: bool


# Built once: every request at the till begins with it.
_SESSION = (
    select(
        Terminal.id,
        Terminal.vendor_id,
        Terminal.store_id,
        Terminal.label,
        Terminal.staff_pin_id,
        Terminal.staff_seen_at,
        Terminal.last_seen_at,
        Terminal.lock_minutes,
        Terminal.left_handed,
        Terminal.sound,
        Store.name.label("store_name"),
        Store.code.label("store_code"),
        Vendor.name.label("vendor_name"),
        Vendor.code.label("vendor_code"),
        Vendor.locale,
        Vendor.timezone,
        Vendor.currency,
        Vendor.status,
        Vendor.pin_length,
        VendorPolicy.staff_pin_policy,
        LoyaltyProgram.require_staff_pin,
        StaffPin.name.label("staff_name"),
        StaffPin.role.label("staff_role"),
    )
    .join(Store, Store.id == Terminal.store_id)
    .join(Vendor, Vendor.id == Terminal.vendor_id)
    .join(VendorPolicy, VendorPolicy.vendor_id == Terminal.vendor_id)
    .outerjoin(LoyaltyProgram, LoyaltyProgram.vendor_id == Terminal.vendor_id)
    .outerjoin(
        StaffPin,
        and_(
            StaffPin.id == Terminal.staff_pin_id,
            StaffPin.active.is_(True),
            or_(StaffPin.store_id.is_(None), StaffPin.store_id == Terminal.store_id),
        ),
    )
    .where(Terminal.token_hash == bindparam("token_hash"), Terminal.revoked_at.is_(None))
)


def authenticate(*, token: str, at: datetime, touch: bool = True) -> TerminalSession | None:
    """Find the paired tablet of a token, and who is signed in on it; `touch` is False for what keeps nobody in."""
    row = db.session.execute(_SESSION, {"token_hash": digest(token)}).one_or_none()
    if row is None:
        return None
    seen_at = row.staff_seen_at if row.staff_role is not None and not _is_idle(row, at) else None
    if touch:
        seen_at = _touch(row, seen_at, at)
    return _session(row, seen_at)


def _is_idle(row: Row[*tuple[Any, ...]], at: datetime) -> bool:
    return row.staff_seen_at is None or at - row.staff_seen_at > timedelta(minutes=row.lock_minutes)


def _touch(row: Row[*tuple[Any, ...]], seen_at: datetime | None, at: datetime) -> datetime | None:
    """Note that somebody uses the tablet, close a session that was left open, and return when it was last used."""
    is_left_open = row.staff_pin_id is not None and seen_at is None
    if not is_left_open and row.last_seen_at is not None and at - row.last_seen_at < _SEEN_AGAIN:
        return seen_at
    used_at = None if seen_at is None else max(seen_at, at)
    with transaction():
        # Only if nobody has signed in or out since the row was read.
        db.session.execute(
            update(Terminal)
            .where(
                Terminal.id == row.id,
                Terminal.staff_pin_id.is_not_distinct_from(row.staff_pin_id),
                Terminal.staff_seen_at.is_not_distinct_from(row.staff_seen_at),
            )
            .values(
                last_seen_at=func.greatest(Terminal.last_seen_at, at),
                staff_pin_id=None if seen_at is None else row.staff_pin_id,
                staff_seen_at=used_at,
            )
        )
    return used_at


def _session(row: Row[*tuple[Any, ...]], seen_at: datetime | None) -> TerminalSession:
    is_open = seen_at is not None
    return TerminalSession(
        terminal_id=row.id,
        vendor_id=row.vendor_id,
        store_id=row.store_id,
        store_name=row.store_name,
        store_code=row.store_code,
        vendor_name=row.vendor_name,
        vendor_code=row.vendor_code,
        label=row.label,
        locale=row.locale,
        timezone=row.timezone,
        currency=row.currency,
        status=row.status,
        pin_needed=is_needed(row.staff_pin_policy, row.require_staff_pin is not False),
        pin_length=row.pin_length,
        staff_pin_id=row.staff_pin_id if is_open else None,
        staff_name=row.staff_name if is_open else "",
        staff_role=pins.ROLES[row.staff_role] if is_open else None,
        locks_at=seen_at + timedelta(minutes=row.lock_minutes) if seen_at else None,
        lock_minutes=row.lock_minutes,
        left_handed=row.left_handed,
        sound=row.sound,
    )
