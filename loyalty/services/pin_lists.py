"""The staff of a vendor, listed: as tiles of a lock screen, and with everything for whoever manages them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.types import Text

from loyalty.database import clock, db
from loyalty.domain.values import Actor, Role
from loyalty.errors import NotFound
from loyalty.models.pins import PinThrottle, StaffPin
from loyalty.models.vendors import Store
from loyalty.services import pin_attempts, roles

ROLES: Final = {"staff": Role.STAFF, "manager": Role.MANAGER}


@dataclass(frozen=True, slots=True)
class StaffTile:
    """A name to tap on the lock screen."""

    staff_pin_id: UUID
    name: str
    role: Role


@dataclass(frozen=True, slots=True)
class StaffPinRow:
    """A member of staff as the office lists them; without a store the PIN works at all of them."""

    staff_pin_id: UUID
    name: str
    role: Role
    store_id: UUID | None
    store_code: str | None
    store_name: str | None
    active: bool
    last_used_at: datetime | None
    locked_until: datetime | None


def tiles(*, actor: Actor) -> list[StaffTile]:
    """List the people whose PIN works at the actor's store, by name."""
    people = select(StaffPin.id, StaffPin.name, StaffPin.role).where(*pin_attempts.works_for(actor))
    rows = db.session.execute(people.order_by(func.lower(StaffPin.name), StaffPin.id))
    return [StaffTile(row.id, row.name, ROLES[row.role]) for row in rows]


def list_all(*, actor: Actor) -> list[StaffPinRow]:
    """List the vendor's staff, those who can sign in first, and until when somebody is locked out anywhere."""
    roles.require(actor=actor, role=Role.MANAGER)
    locked = (
        select(func.max(PinThrottle.locked_until))
        .where(PinThrottle.subject == StaffPin.id.cast(Text), PinThrottle.locked_until > clock())
        .scalar_subquery()
    )
    rows = db.session.execute(
        select(StaffPin, Store.code, Store.name, locked)
        .outerjoin(Store, Store.id == StaffPin.store_id)
        .where(StaffPin.vendor_id == actor.vendor_id)
        .order_by(StaffPin.active.desc(), func.lower(StaffPin.name), StaffPin.id)
    )
    return [_row(*row) for row in rows]


def get(*, actor: Actor, staff_pin_id: UUID) -> StaffPinRow:
    """Get one member of the vendor's staff."""
    for person in list_all(actor=actor):
        if person.staff_pin_id == staff_pin_id:
            return person
    raise NotFound


def _row(
    person: StaffPin, store_code: str | None, store_name: str | None, locked_until: datetime | None
) -> StaffPinRow:
    return StaffPinRow(
        staff_pin_id=person.id,
        name=person.name,
        role=ROLES[person.role],
        store_id=person.store_id,
        store_code=store_code,
        store_name=store_name,
        active=person.active,
        last_used_at=person.last_used_at,
        locked_until=locked_until,
    )
