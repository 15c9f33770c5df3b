"""Terminals: paired tablets, who is signed in on each, and ending both."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import func, or_, select, update

from loyalty.database import clock, db, transaction
from loyalty.domain.values import Actor, RequestKey, Role
from loyalty.errors import N_, Forbidden, NotFound, StaffPinRequired, TerminalUnpaired, ValidationError
from loyalty.models.terminals import Terminal
from loyalty.models.vendors import Store
from loyalty.services import audit, idempotency, pins, roles
from loyalty.services.pairing import Paired, PairingCode, create_code, pair
from loyalty.services.terminal_sessions import TerminalSession, authenticate

LOCK_MINUTES: Final = (1, 2, 5, 15)


@dataclass(frozen=True, slots=True)
class TerminalChange:
    """Which terminal was changed or revoked."""

    terminal_id: UUID
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class TerminalRow:
    """A tablet as the office lists it; `state` is "waiting" (for its code to be entered), "paired" or "revoked"."""

    terminal_id: UUID
    label: str
    store_id: UUID
    store_code: str
    store_name: str
    state: str
    paired_at: datetime | None
    last_seen_at: datetime | None
    code_expires_at: datetime | None
    revoked_at: datetime | None


def open_session(*, actor: Actor, pin: str, staff_pin_id: UUID | None = None, at: datetime) -> Actor:
    """Let the person whose PIN this is work at the tablet, and return the actor as that person."""
    if actor.terminal_id is None:
        raise Forbidden
    person = pins.verify(actor=actor, pin=pin, staff_pin_id=staff_pin_id, at=at)
    with transaction():
        opened = _change(actor, actor.terminal_id, staff_pin_id=person.staff_pin_id, staff_seen_at=at, last_seen_at=at)
        if not opened:
            raise TerminalUnpaired
    return person


def lock(*, actor: Actor) -> None:
    """End the staff session of the actor's tablet."""
    if actor.terminal_id is None:
        raise Forbidden
    with transaction():
        _change(actor, actor.terminal_id, staff_pin_id=None, staff_seen_at=None)


def revoke(*, actor: Actor, terminal_id: UUID, key: RequestKey) -> TerminalChange:
    """Sign a tablet out for good, or end a code that nobody has used; its next request is refused."""
    roles.require(actor=actor, role=Role.MANAGER)

    def work() -> TerminalChange:
        revoked = _change(actor, terminal_id, revoked_at=clock(), code_hash=None, staff_pin_id=None, staff_seen_at=None)
        if not revoked:
            _get(actor, terminal_id)
        audit.record(actor=actor, action="terminal.revoked", subject_type="terminal", subject_id=terminal_id)
        return TerminalChange(terminal_id)

    return idempotency.run(key, TerminalChange, work, vendor_id=actor.vendor_id)


def unpair(*, actor: Actor, key: RequestKey) -> TerminalChange:
    """Sign the actor's own tablet out for good; a manager has to be signed in on it."""
    if actor.terminal_id is None:
        raise Forbidden
    if actor.role < Role.MANAGER:
        raise StaffPinRequired(role="manager")
    return revoke(actor=actor, terminal_id=actor.terminal_id, key=key)


def change_settings(
    *, actor: Actor, lock_minutes: int, left_handed: bool, sound: bool, key: RequestKey
) -> TerminalChange:
    """Change how the actor's tablet behaves; when it locks by itself is a manager's to say."""
    terminal_id = actor.terminal_id
    if terminal_id is None:
        raise Forbidden
    if lock_minutes not in LOCK_MINUTES:
        raise ValidationError({"lock_minutes": N_("Choose 1, 2, 5 or 15 minutes.")})

    def work() -> TerminalChange:
        before = _get(actor, terminal_id)
        if before.lock_minutes != lock_minutes and actor.role < Role.MANAGER:
            raise StaffPinRequired(role="manager")
        _change(actor, terminal_id, lock_minutes=lock_minutes, left_handed=left_handed, sound=sound)
        details = {"lock_minutes": lock_minutes, "left_handed": left_handed, "sound": sound}
        audit.record(
            actor=actor, action="terminal.changed", subject_type="terminal", subject_id=terminal_id, details=details
        )
        return TerminalChange(terminal_id)

    return idempotency.run(key, TerminalChange, work, vendor_id=actor.vendor_id)


def list_all(*, actor: Actor) -> list[TerminalRow]:
    """List the vendor's tablets, and the codes that still wait for one."""
    roles.require(actor=actor, role=Role.MANAGER)
    rows = db.session.execute(
        select(Terminal, Store.code, Store.name)
        .join(Store, Store.id == Terminal.store_id)
        .where(
            Terminal.vendor_id == actor.vendor_id,
            or_(Terminal.paired_at.is_not(None), Terminal.code_expires_at > clock()),
        )
        .order_by(Terminal.revoked_at.desc().nulls_first(), func.lower(Terminal.label), Terminal.id)
    )
    return [_row(*row) for row in rows]


def _change(actor: Actor, terminal_id: UUID, **columns: object) -> bool:
    """Change a terminal of the vendor that is not revoked, and say whether there is one."""
    mine = (Terminal.id == terminal_id, Terminal.vendor_id == actor.vendor_id, Terminal.revoked_at.is_(None))
    changed = update(Terminal).where(*mine).values(**columns).returning(Terminal.id)
    return db.session.execute(changed).one_or_none() is not None


def _get(actor: Actor, terminal_id: UUID) -> Terminal:
    mine = select(Terminal).where(Terminal.id == terminal_id, Terminal.vendor_id == actor.vendor_id)
    terminal = db.session.execute(mine).scalar_one_or_none()
    if terminal is None:
        raise NotFound
    return terminal


def _row(terminal: Terminal, store_code: str, store_name: str) -> TerminalRow:
    state = "revoked" if terminal.revoked_at else "paired" if terminal.paired_at else "waiting"
    return TerminalRow(
        terminal_id=terminal.id,
        label=terminal.label,
        store_id=terminal.store_id,
        store_code=store_code,
        store_name=store_name,
        state=state,
        paired_at=terminal.paired_at,
        last_seen_at=terminal.last_seen_at,
        code_expires_at=terminal.code_expires_at if state == "waiting" else None,
        revoked_at=terminal.revoked_at,
    )


__all__ = [
    "LOCK_MINUTES",
    "Paired",
    "PairingCode",
    "TerminalChange",
    "TerminalRow",
    "TerminalSession",
    "authenticate",
    "change_settings",
    "create_code",
    "list_all",
    "lock",
    "open_session",
    "pair",
    "revoke",
    "unpair",
]
