"""Pairing a tablet with a store: a code from the office, used once, for a token that only the tablet holds."""

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import insert, select, update

from loyalty.database import clock, db, new_id, transaction
from loyalty.domain import codes, settings
from loyalty.domain.values import Actor, RequestKey, Role
from loyalty.errors import N_, NotFound, RateLimited, ValidationError
from loyalty.models.terminals import Terminal
from loyalty.models.vendors import Store
from loyalty.services import audit, idempotency, roles, throttles

CODE_LASTS: Final = timedelta(minutes=10)
WRONG_PER_SOURCE: Final = 5
WRONG_IN_ALL: Final = 50
WINDOW: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class PairingCode:
    """A code to be shown once, as ABCD-EFGH; an answer that is given again comes without it."""

    terminal_id: UUID
    expires_at: datetime
    code: str | None = field(default=None, metadata={"secret": True})
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Paired:
    """A tablet's token: it goes into the cookie and is stored nowhere."""

    terminal_id: UUID
    token: str


def create_code(*, actor: Actor, store_id: UUID, label: str, key: RequestKey) -> PairingCode:
    """Make a code that pairs one tablet with a store within ten minutes."""
    roles.require(actor=actor, role=Role.MANAGER)
    named = settings.clean(settings.TERMINAL, {"label": label})

    def work() -> PairingCode:
        mine = (Store.id == store_id, Store.vendor_id == actor.vendor_id, Store.active.is_(True))
        if db.session.execute(select(Store.id).where(*mine)).one_or_none() is None:
            raise NotFound
        code, expires_at, terminal_id = codes.make_pairing_code(), clock() + CODE_LASTS, new_id()
        place = {"vendor_id": actor.vendor_id, "store_id": store_id, **named}
        secret = {"code_hash": digest(code), "code_expires_at": expires_at}
        db.session.execute(insert(Terminal).values(id=terminal_id, **place, **secret))
        audit.record(actor=actor, action="terminal.code_created", subject_type="terminal", subject_id=terminal_id)
        return PairingCode(terminal_id, expires_at, codes.format_pairing_code(code))

    return idempotency.run(key, PairingCode, work, vendor_id=actor.vendor_id)


def pair(*, code: str, source_ip: str | None, at: datetime) -> Paired:
    """Pair the tablet that sends a right code, once; wrong codes are counted before they are looked at."""
    typed, token = codes.read_pairing_code(code), secrets.token_urlsafe(32)
    if typed is None:
        # What can be no code is a slip of the finger: it guesses nothing, and shuts nobody out.
        raise _refusal()
    counters = (("pair", "*", WRONG_IN_ALL), (f"pair:{throttles.network_of(source_ip)}", "*", WRONG_PER_SOURCE))
    with transaction():
        for source, subject, limit in counters:
            attempt = throttles.reserve_within(source=source, subject=subject, limit=limit, window=WINDOW, at=at)
            if isinstance(attempt, throttles.Refused):
                raise RateLimited(retry_at=attempt.until)
    with transaction():
        paired = _use_code(typed, token, at)
        if paired is not None:
            for source, subject, _limit in counters:
                throttles.give_back(source=source, subject=subject)
            return paired
    raise _refusal()


def digest(secret: str) -> str:
    """Return what is stored of a token or a code: both are random enough for a fast hash."""
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def _refusal() -> ValidationError:
    return ValidationError({"code": N_("This code does not work, or no more. Make a new one in the office.")})


def _use_code(code: str, token: str, at: datetime) -> Paired | None:
    # One conditional UPDATE: of two tablets with the same code the second waits, and then finds no such code.
    used = (
        update(Terminal)
        .where(Terminal.code_hash == digest(code), Terminal.code_expires_at > at, Terminal.revoked_at.is_(None))
        .values(code_hash=None, token_hash=digest(token), paired_at=at, last_seen_at=at)
        .returning(Terminal.id, Terminal.vendor_id)
    )
    terminal = db.session.execute(used).one_or_none()
    if terminal is None:
        return None
    tablet = Actor(vendor_id=terminal.vendor_id, role=Role.STAFF, terminal_id=terminal.id)
    audit.record(actor=tablet, action="terminal.paired", subject_type="terminal", subject_id=terminal.id)
    return Paired(terminal.id, token)
