"""Staff PINs: whose PIN it is, and making, changing, replacing, unlocking and ending them."""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from threading import BoundedSemaphore, Lock
from typing import Final, cast
from uuid import UUID

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from loyalty.database import db, end_reading, new_id, transaction
from loyalty.domain import settings
from loyalty.domain.pins import is_needed as policy_needs_pin
from loyalty.domain.pins import is_same, make_pin, pin_digest
from loyalty.domain.values import Actor, RequestKey, Role
from loyalty.errors import Forbidden, NotFound
from loyalty.models.pins import StaffPin
from loyalty.models.programs import LoyaltyProgram
from loyalty.models.terminals import Terminal
from loyalty.models.vendors import Store, Vendor, VendorPolicy
from loyalty.services import audit, idempotency, pin_attempts, roles
from loyalty.services.pin_lists import ROLES, StaffPinRow, StaffTile, get, list_all, tiles

_PIN: Final = re.compile(r"[0-9]{4,6}")
# Two at a time: a burst of guesses must not take every core from the tills.
_hashing = BoundedSemaphore(2)
# More than there are keys at work at once; two that share a turn only wait for each other.
_turns: Final = tuple(Lock() for _ in range(64))
_pepper = b""
_pepper_id = ""


@dataclass(frozen=True, slots=True)
class NewPin:
    """A PIN to be shown once; it is stored nowhere, so an answer that is given again comes without it."""

    staff_pin_id: UUID
    name: str
    pin: str | None = field(default=None, metadata={"secret": True})
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class PinChange:
    """Whose PIN was changed, ended or unlocked."""

    staff_pin_id: UUID
    name: str
    replayed: bool = False


def configure(*, pepper: bytes) -> None:
    """Hand over the pepper, which lives outside the database; rows remember it by a part of its digest."""
    global _pepper, _pepper_id
    _pepper = pepper
    _pepper_id = hashlib.sha256(b"pepper id" + pepper).hexdigest()[:8]


def is_needed(*, actor: Actor) -> bool:
    """Whether the actor's vendor has the till ask for PINs."""
    rules = db.session.execute(
        select(VendorPolicy.staff_pin_policy, LoyaltyProgram.require_staff_pin)
        .outerjoin(LoyaltyProgram, LoyaltyProgram.vendor_id == VendorPolicy.vendor_id)
        .where(VendorPolicy.vendor_id == actor.vendor_id)
    ).one()
    return policy_needs_pin(rules.staff_pin_policy, rules.require_staff_pin is not False)


def verify(*, actor: Actor, pin: str, staff_pin_id: UUID | None = None, at: datetime) -> Actor:
    """Return the actor as the person whose PIN this is; never inside a transaction, for the attempt is committed."""
    # Guessing from the outside meets no counter and costs no hash.
    if actor.terminal_id is None and actor.api_key_id is None:
        raise Forbidden
    with _turn(actor):
        return _verify(actor, pin, staff_pin_id, at)


def create(*, actor: Actor, name: str, role: str, store_id: UUID | None, key: RequestKey) -> NewPin:
    """Make a PIN for a new member of staff, shown once and like no other of the vendor's."""
    roles.require(actor=actor, role=Role.MANAGER)
    person = settings.clean(settings.STAFF_PIN, {"name": name, "role": role})

    def write(pin: str, digest: str) -> NewPin:
        _require_store(actor, store_id)
        columns = {**person, "store_id": store_id, "pin_hash": digest, "pepper_id": _pepper_id}
        staff_pin_id = new_id()
        db.session.execute(insert(StaffPin).values(id=staff_pin_id, vendor_id=actor.vendor_id, **columns))
        _record(actor, "pin.created", staff_pin_id, role=role, store_id=str(store_id) if store_id else None)
        return NewPin(staff_pin_id, str(person["name"]), pin)

    return _with_new_pin(actor, key, write)


def change(*, actor: Actor, staff_pin_id: UUID, changes: Mapping[str, object], key: RequestKey) -> PinChange:
    """Change a person's name, role or store (empty for all of them); the PIN stays, and open sessions end."""
    roles.require(actor=actor, role=Role.MANAGER)
    cleaned = settings.clean(settings.STAFF_PIN, changes)
    if "store" in cleaned:
        place = str(cleaned.pop("store"))
        cleaned["store_id"] = UUID(place) if place else None

    def work() -> PinChange:
        _require_store(actor, cast(UUID | None, cleaned.get("store_id")))
        name = _change(actor, staff_pin_id, **cleaned)
        _end_sessions(actor, staff_pin_id)
        _record(actor, "pin.changed", staff_pin_id, changed=sorted(cleaned))
        return PinChange(staff_pin_id, name)

    return idempotency.run(key, PinChange, work, vendor_id=actor.vendor_id)


def regenerate(*, actor: Actor, staff_pin_id: UUID, key: RequestKey) -> NewPin:
    """Give a member of staff another PIN; the old one opens nothing from now on, and open sessions end."""
    roles.require(actor=actor, role=Role.MANAGER)

    def write(pin: str, digest: str) -> NewPin:
        name = _change(actor, staff_pin_id, pin_hash=digest, pepper_id=_pepper_id)
        _end_sessions(actor, staff_pin_id)
        pin_attempts.unlock(vendor_id=actor.vendor_id, staff_pin_id=staff_pin_id)
        _record(actor, "pin.regenerated", staff_pin_id)
        return NewPin(staff_pin_id, name, pin)

    return _with_new_pin(actor, key, write)


def deactivate(*, actor: Actor, staff_pin_id: UUID, key: RequestKey) -> PinChange:
    """End a PIN and the sessions that it opened; its history stays."""
    roles.require(actor=actor, role=Role.MANAGER)

    def work() -> PinChange:
        name = _change(actor, staff_pin_id, active=False)
        _end_sessions(actor, staff_pin_id)
        _record(actor, "pin.deactivated", staff_pin_id)
        return PinChange(staff_pin_id, name)

    return idempotency.run(key, PinChange, work, vendor_id=actor.vendor_id)


def unlock(*, actor: Actor, staff_pin_id: UUID, key: RequestKey) -> PinChange:
    """Let a member of staff try again at once, on every terminal."""
    roles.require(actor=actor, role=Role.MANAGER)

    def work() -> PinChange:
        name = _change(actor, staff_pin_id)
        pin_attempts.unlock(vendor_id=actor.vendor_id, staff_pin_id=staff_pin_id)
        _record(actor, "pin.unlocked", staff_pin_id)
        return PinChange(staff_pin_id, name)

    return idempotency.run(key, PinChange, work, vendor_id=actor.vendor_id)


@contextmanager
def _turn(actor: Actor) -> Iterator[None]:
    """Let a process try the PINs of one key one after the other.

    Many tills share a key. An attempt counts as wrong until it is hashed, so right PINs that are on their way together
    would lock each other out. A tablet is one person's; between processes the counter stands alone.
    """
    if actor.api_key_id is None:
        yield
        return
    # Who waits keeps no connection from the one at work.
    end_reading()
    with _turns[actor.api_key_id.int % len(_turns)]:
        yield


def _verify(actor: Actor, pin: str, staff_pin_id: UUID | None, at: datetime) -> Actor:
    with transaction():
        reserved = pin_attempts.reserve(actor=actor, staff_pin_id=staff_pin_id, at=at)
    if db.session().in_transaction():
        raise RuntimeError("pins.verify inside a transaction: the attempt would be counted too late")
    digest = _digest(actor.vendor_id, reserved.salt, pin) if _PIN.fullmatch(pin) else None
    with transaction():
        person = _find_person(actor, digest, staff_pin_id) if digest else None
        if person is not None and (reserved.needs_manager is None or person.role == "manager"):
            # The person before the attempts, as `regenerate` does: else the two wait for each other crosswise.
            db.session.execute(update(StaffPin).where(StaffPin.id == person.id).values(last_used_at=at))
            pin_attempts.forgive(reserved)
            return replace(actor, role=ROLES[person.role], staff_pin_id=person.id, staff_name=person.name)
    raise reserved.refusal()


def _digest(vendor_id: UUID, salt: bytes, pin: str) -> str:
    with _hashing:
        return pin_digest(_pepper, vendor_id, salt, pin)


def _find_person(actor: Actor, digest: str, staff_pin_id: UUID | None) -> Row[UUID, str, str, str] | None:
    """Find the person with this digest: the one who was named, or by equality among all."""
    meant = StaffPin.pin_hash == digest if staff_pin_id is None else StaffPin.id == staff_pin_id
    people = select(StaffPin.id, StaffPin.name, StaffPin.role, StaffPin.pin_hash)
    person = db.session.execute(people.where(*pin_attempts.works_for(actor), meant)).one_or_none()
    return person if person is not None and is_same(person.pin_hash, digest) else None


def _with_new_pin(actor: Actor, key: RequestKey, write: Callable[[str, str], NewPin]) -> NewPin:
    """Write a PIN that nobody else of the vendor has: made and hashed before the transaction, again if it is taken."""
    while True:
        if answered := idempotency.find(key, NewPin):
            return answered
        vendor = db.session.execute(
            select(Vendor.pin_salt, Vendor.pin_length).where(Vendor.id == actor.vendor_id)
        ).one()
        end_reading()
        pin = make_pin(vendor.pin_length)
        digest = _digest(actor.vendor_id, vendor.pin_salt, pin)
        try:
            return idempotency.run(key, NewPin, partial(write, pin, digest), vendor_id=actor.vendor_id)
        except IntegrityError as error:
            if getattr(getattr(error.orig, "diag", None), "constraint_name", "") != "uq_staff_pins_pin_hash":
                raise


def _require_store(actor: Actor, store_id: UUID | None) -> None:
    mine = select(Store.id).where(Store.id == store_id, Store.vendor_id == actor.vendor_id)
    if store_id is not None and db.session.execute(mine).one_or_none() is None:
        raise NotFound


def _change(actor: Actor, staff_pin_id: UUID, **columns: object) -> str:
    """Change an active PIN of the vendor and return the person's name; locks the row."""
    mine = (StaffPin.vendor_id == actor.vendor_id, StaffPin.id == staff_pin_id, StaffPin.active.is_(True))
    changed = update(StaffPin).where(*mine).values(updated_at=func.clock_timestamp(), **columns)
    name = db.session.execute(changed.returning(StaffPin.name)).scalar_one_or_none()
    if name is None:
        raise NotFound
    return name


def _end_sessions(actor: Actor, staff_pin_id: UUID) -> None:
    mine = (Terminal.vendor_id == actor.vendor_id, Terminal.staff_pin_id == staff_pin_id)
    db.session.execute(update(Terminal).where(*mine).values(staff_pin_id=None, staff_seen_at=None))


def _record(actor: Actor, action: str, staff_pin_id: UUID, **details: object) -> None:
    audit.record(actor=actor, action=action, subject_type="staff_pin", subject_id=staff_pin_id, details=details)


__all__ = [
    "ROLES",
    "NewPin",
    "PinChange",
    "StaffPinRow",
    "StaffTile",
    "change",
    "configure",
    "create",
    "deactivate",
    "get",
    "is_needed",
    "list_all",
    "regenerate",
    "tiles",
    "unlock",
    "verify",
]
