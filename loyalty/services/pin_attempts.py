"""Attempts at PINs: counted before they are hashed, per source and person, and over a whole terminal or key."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, literal, or_, select, union_all
from sqlalchemy.types import Text

from loyalty.database import db
from loyalty.domain import limits
from loyalty.domain.values import Actor
from loyalty.errors import NotFound, StaffPinInvalid, StaffPinLocked
from loyalty.models.api import ApiKey
from loyalty.models.pins import PinThrottle, StaffPin
from loyalty.models.terminals import Terminal
from loyalty.models.vendors import Vendor, VendorPolicy
from loyalty.services import throttles
from loyalty.services.throttles import Attempt, Refused

# Subjects of the counters beside the id of a member of staff: nobody named, and all attempts of a source.
NOBODY: Final = "*"
WHOLE_SOURCE: Final = "all"


@dataclass(frozen=True, slots=True)
class Reserved:
    """An attempt that may be hashed; `needs_manager` where the source lets nobody else in."""

    actor: Actor
    subject: str
    salt: bytes
    free_attempts: int
    attempt: Attempt
    needs_manager: Refused | None

    def refusal(self) -> StaffPinInvalid | StaffPinLocked:
        """Say no: a right PIN of too low a role gets the answer of a wrong one."""
        if self.needs_manager is not None:
            return StaffPinLocked(locked_until=self.needs_manager.until, needs_manager=True)
        left = max(0, self.free_attempts - self.attempt.number)
        return StaffPinInvalid(attempts_left=left, locked_until=self.attempt.locked_until)


def works_for(actor: Actor) -> list[ColumnElement[bool]]:
    """Select the active PINs of the actor's vendor that work at the actor's store."""
    mine: list[ColumnElement[bool]] = [StaffPin.vendor_id == actor.vendor_id, StaffPin.active.is_(True)]
    if actor.store_id is not None:
        mine.append(or_(StaffPin.store_id.is_(None), StaffPin.store_id == actor.store_id))
    return mine


def reserve(*, actor: Actor, staff_pin_id: UUID | None, at: datetime) -> Reserved:
    """Count an attempt at this source's PINs, or refuse it uncounted while a wait runs."""
    rules = db.session.execute(
        select(Vendor.pin_salt, VendorPolicy.pin_lockout_attempts, VendorPolicy.pin_lockout_minutes)
        .join(VendorPolicy, VendorPolicy.vendor_id == Vendor.id)
        .where(Vendor.id == actor.vendor_id)
    ).one()
    named_role = _named_role(actor, staff_pin_id)
    # The source's row before the pair's, everywhere: two attempts never wait for each other crosswise.
    limit, memory = limits.PIN_FAILURES_PER_SOURCE, limits.PIN_MEMORY
    whole = throttles.reserve_within(source=actor.caller, subject=WHOLE_SOURCE, limit=limit, window=memory, at=at)
    needs_manager = whole if isinstance(whole, Refused) else None
    if needs_manager is not None and named_role == "staff":
        raise StaffPinLocked(locked_until=needs_manager.until, needs_manager=True)
    waits = _waits(rules.pin_lockout_attempts, rules.pin_lockout_minutes)
    subject = str(staff_pin_id) if staff_pin_id else NOBODY
    attempt = throttles.reserve_waiting(source=actor.caller, subject=subject, waits=waits, memory=memory, at=at)
    if isinstance(attempt, Refused):
        raise StaffPinLocked(locked_until=attempt.until, needs_manager=False)
    return Reserved(actor, subject, rules.pin_salt, rules.pin_lockout_attempts, attempt, needs_manager)


def forgive(reserved: Reserved) -> None:
    """Forget the failures of the pair after a right PIN; a manager also frees the source that asks for one."""
    source = reserved.actor.caller
    if reserved.needs_manager is not None:
        throttles.reset(source=source, subject=WHOLE_SOURCE)
    else:
        # Only this attempt: who knows one PIN must not buy free guesses at the others with it.
        throttles.give_back(source=source, subject=WHOLE_SOURCE)
    throttles.reset(source=source, subject=reserved.subject)


def unlock(*, vendor_id: UUID, staff_pin_id: UUID) -> None:
    """Forget a person's failures everywhere, and what keeps that person out at the vendor's terminals and keys."""
    sources = union_all(
        select(literal("terminal:") + Terminal.id.cast(Text)).where(Terminal.vendor_id == vendor_id),
        select(literal("key:") + ApiKey.id.cast(Text)).where(ApiKey.vendor_id == vendor_id),
    )
    of_vendor = and_(PinThrottle.subject.in_((WHOLE_SOURCE, NOBODY)), PinThrottle.source.in_(sources))
    db.session.execute(delete(PinThrottle).where(or_(PinThrottle.subject == str(staff_pin_id), of_vendor)))


def _named_role(actor: Actor, staff_pin_id: UUID | None) -> str | None:
    """Return the role of the person who was named, if one was; who does not work here is not found."""
    if staff_pin_id is None:
        return None
    person = select(StaffPin.role).where(*works_for(actor), StaffPin.id == staff_pin_id)
    role = db.session.execute(person).scalar_one_or_none()
    if role is None:
        raise NotFound
    return role


def _waits(free_attempts: int, lockout_minutes: int) -> list[timedelta | None]:
    """Return what the first, second, third … attempt costs, up to the wait that all later ones cost."""
    last = free_attempts + len(limits.PIN_WAITS)
    return [limits.pin_wait(number, free_attempts, lockout_minutes) for number in range(1, last + 1)]
