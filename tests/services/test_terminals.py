"""Tablets: paired once by a code, known by a token, locked by themselves, ended at once."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from uuid import uuid4

import pytest
import sqlalchemy as sa
from flask import Flask

from loyalty.database import clock, db, transaction
from loyalty.domain.values import Actor, Role
from loyalty.errors import (
    Forbidden,
    LoyaltyError,
    NotFound,
    RateLimited,
    StaffPinInvalid,
    StaffPinRequired,
    TerminalUnpaired,
    ValidationError,
)
from loyalty.models.audit import AuditEvent
from loyalty.models.pins import PinThrottle
from loyalty.models.terminals import Terminal
from loyalty.services import pins, terminals
from loyalty.services.terminals import PairingCode, TerminalSession
from tests.office import Office, key_of, make_bakery, make_butcher
from tests.tills import Tablet, all_at_once, make_staff, make_tablet, set_policy

MINUTE = timedelta(minutes=1)


def make_code(office: Office) -> tuple[PairingCode, str]:
    made = terminals.create_code(actor=office.actor, store_id=office.store_id, label="Counter", key=key_of(office))
    assert made.code is not None
    return made, made.code


def session_of(tablet: Tablet, at: datetime, *, touch: bool = True) -> TerminalSession:
    found = terminals.authenticate(token=tablet.token, at=at, touch=touch)
    assert found is not None
    return found


@contextmanager
def statements() -> Iterator[list[str]]:
    """Collect the statements that reach the database."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement.split()[0])

    sa.event.listen(db.engine, "before_cursor_execute", note)
    yield seen
    sa.event.remove(db.engine, "before_cursor_execute", note)


def test_it_pairs_a_tablet_with_a_code_that_works_once(context: None) -> None:
    bakery = make_bakery()
    made, code = make_code(bakery)
    assert len(code) == 9
    assert code[4] == "-"
    now = clock()
    assert timedelta(minutes=9) < made.expires_at - now <= timedelta(minutes=10)
    assert [row.state for row in terminals.list_all(actor=bakery.actor)] == ["waiting"]
    paired = terminals.pair(code=code.lower().replace("-", " "), source_ip="192.0.2.1", at=now)
    assert paired.terminal_id == made.terminal_id
    assert len(paired.token) >= 43
    with pytest.raises(ValidationError) as refusal:
        terminals.pair(code=code, source_ip="192.0.2.1", at=now)
    assert set(refusal.value.errors) == {"code"}
    assert [row.state for row in terminals.list_all(actor=bakery.actor)] == ["paired"]
    stored = db.session.execute(sa.select(Terminal.token_hash, Terminal.code_hash)).one()
    assert tuple(stored) == (hashlib.sha256(paired.token.encode()).hexdigest(), None)
    assert {"terminal.code_created", "terminal.paired"} <= set(db.session.scalars(sa.select(AuditEvent.action)))


def test_it_shows_a_code_once(context: None) -> None:
    bakery = make_bakery()
    key = key_of(bakery)
    first, again = (
        terminals.create_code(actor=bakery.actor, store_id=bakery.store_id, label="Counter", key=key) for _ in range(2)
    )
    assert (again.terminal_id, again.code, again.replayed) == (first.terminal_id, None, True)
    assert len(terminals.list_all(actor=bakery.actor)) == 1


def test_it_refuses_codes_that_are_late_wrong_or_withdrawn(context: None) -> None:
    bakery = make_bakery()
    made, code = make_code(bakery)
    withdrawn, dead = make_code(bakery)
    terminals.revoke(actor=bakery.actor, terminal_id=withdrawn.terminal_id, key=key_of(bakery))
    for typed, at in ((code, made.expires_at), (dead, clock()), ("ABCD-EFGH", clock()), ("", clock())):
        with pytest.raises(ValidationError):
            terminals.pair(code=typed, source_ip="192.0.2.1", at=at)


def test_it_lets_one_of_many_tablets_use_a_code(app: Flask) -> None:
    with app.app_context():
        bakery = make_bakery()
        _made, code = make_code(bakery)
        now = clock()

    def redeem(number: int) -> str:
        try:
            terminals.pair(code=code, source_ip=f"192.0.2.{number}", at=now)
        except LoyaltyError as refusal:
            return refusal.code
        return "paired"

    outcomes = Counter(all_at_once(app, [partial(redeem, number) for number in range(100)]))
    assert outcomes["paired"] == 1
    assert outcomes["VALIDATION_ERROR"] >= 49
    assert sum(outcomes.values()) == 100


def test_it_counts_wrong_codes_per_address_and_in_all(context: None) -> None:
    bakery = make_bakery()
    _made, code = make_code(bakery)
    now = clock()
    for _ in range(5):
        with pytest.raises(ValidationError):
            terminals.pair(code="WRNG-C0DE", source_ip="2001:db8::1", at=now)
    with pytest.raises(RateLimited) as refusal:
        terminals.pair(code=code, source_ip="2001:db8::2", at=now + MINUTE)
    assert refusal.value.retry_at == now + 10 * MINUTE
    for number in range(45):
        with pytest.raises(ValidationError):
            terminals.pair(code="WRNG-C0DE", source_ip=f"192.0.2.{number}", at=now)
    with pytest.raises(RateLimited):
        terminals.pair(code=code, source_ip="198.51.100.1", at=now)
    other = make_code(bakery)[1]
    with transaction():
        db.session.execute(sa.update(Terminal).values(code_expires_at=now + 60 * MINUTE))
    assert terminals.pair(code=other, source_ip="2001:db8::1", at=now + 10 * MINUTE).token


def test_it_gives_right_codes_back(context: None) -> None:
    bakery = make_bakery()
    for _ in range(7):
        make_tablet(bakery)
    assert db.session.scalar(sa.select(sa.func.sum(PinThrottle.failed_attempts))) == 0


def test_it_knows_the_tablet_and_its_shop(context: None) -> None:
    bakery = make_bakery()
    tablet = make_tablet(bakery)
    found = session_of(tablet, clock())
    assert (found.terminal_id, found.vendor_id, found.store_id) == (
        tablet.terminal_id,
        bakery.vendor_id,
        bakery.store_id,
    )
    assert (found.vendor_name, found.label, found.status) == ("Ada's Bakery", "Counter", "active")
    assert (found.pin_needed, found.pin_length, found.staff_pin_id, found.staff_role) == (True, 4, None, None)
    set_policy(bakery, staff_pin_policy="disabled")
    assert session_of(tablet, clock()).pin_needed is False
    for token in ("", "x", tablet.token + "x", "\ud800", "x" * 10_000):
        assert terminals.authenticate(token=token, at=clock()) is None


def test_it_locks_after_the_minutes_without_a_touch(context: None) -> None:
    bakery = make_bakery()
    tablet = make_tablet(bakery)
    ben, pin = make_staff(bakery)
    at = clock()
    actor = terminals.open_session(actor=tablet.actor, pin=pin, staff_pin_id=ben, at=at)
    assert (actor.staff_pin_id, actor.staff_name) == (ben, "Ben")
    found = session_of(tablet, at)
    assert (found.staff_pin_id, found.staff_name, found.staff_role) == (ben, "Ben", Role.STAFF)
    assert found.locks_at == at + 2 * MINUTE
    for _ in range(4):
        at += 1.5 * MINUTE
        assert session_of(tablet, at).locks_at == at + 2 * MINUTE
    last, at = at, at + 1.5 * MINUTE
    assert session_of(tablet, at, touch=False).locks_at == last + 2 * MINUTE
    at = last + 2 * MINUTE + timedelta(microseconds=1)
    locked = session_of(tablet, at, touch=False)
    assert (locked.staff_pin_id, locked.staff_name, locked.staff_role, locked.locks_at) == (None, "", None, None)
    assert session_of(tablet, at).staff_pin_id is None
    # Closed for good: a clock that runs behind opens nothing.
    assert session_of(tablet, last).staff_pin_id is None


def test_it_asks_the_database_once_and_writes_every_ten_seconds(context: None) -> None:
    bakery = make_bakery()
    tablet = make_tablet(bakery)
    ben, pin = make_staff(bakery)
    at = clock()
    terminals.open_session(actor=tablet.actor, pin=pin, staff_pin_id=ben, at=at)
    seconds = timedelta(seconds=1)
    for later, touch, expected in (
        (9 * seconds, True, ["SELECT"]),
        (10 * seconds, True, ["SELECT", "UPDATE"]),
        (19 * seconds, True, ["SELECT"]),
        (60 * seconds, False, ["SELECT"]),
        (60 * seconds, True, ["SELECT", "UPDATE"]),
    ):
        with statements() as seen:
            session_of(tablet, at + later, touch=touch)
        assert seen == expected
    assert db.session.scalar(sa.select(Terminal.staff_seen_at)) == at + 60 * seconds


def test_it_locks_by_the_button_and_when_the_pin_ends(context: None) -> None:
    bakery = make_bakery()
    tablet = make_tablet(bakery)
    ben, pin = make_staff(bakery)
    at = clock()
    actor = terminals.open_session(actor=tablet.actor, pin=pin, at=at)
    terminals.lock(actor=actor)
    assert session_of(tablet, at).staff_pin_id is None
    terminals.open_session(actor=tablet.actor, pin=pin, at=at)
    assert session_of(tablet, at).staff_pin_id == ben
    pins.deactivate(actor=bakery.actor, staff_pin_id=ben, key=key_of(bakery))
    assert session_of(tablet, at).staff_pin_id is None


def test_it_opens_nothing_with_a_wrong_pin(context: None) -> None:
    bakery = make_bakery()
    tablet = make_tablet(bakery)
    ben, _pin = make_staff(bakery)
    at = clock()
    with pytest.raises(StaffPinInvalid):
        terminals.open_session(actor=tablet.actor, pin="0000", staff_pin_id=ben, at=at)
    assert session_of(tablet, at).staff_pin_id is None


def test_it_ends_a_revoked_tablet_at_once(context: None) -> None:
    bakery = make_bakery()
    tablet = make_tablet(bakery)
    _ben, pin = make_staff(bakery)
    key = key_of(bakery)
    assert not terminals.revoke(actor=bakery.actor, terminal_id=tablet.terminal_id, key=key).replayed
    assert terminals.revoke(actor=bakery.actor, terminal_id=tablet.terminal_id, key=key).replayed
    assert terminals.authenticate(token=tablet.token, at=clock()) is None
    with pytest.raises(TerminalUnpaired):
        terminals.open_session(actor=tablet.actor, pin=pin, at=clock())
    assert [row.state for row in terminals.list_all(actor=bakery.actor)] == ["revoked"]


def test_it_does_not_find_tablets_and_stores_next_door(context: None) -> None:
    bakery, butcher = make_bakery(), make_butcher()
    tablet = make_tablet(bakery)
    for terminal_id in (tablet.terminal_id, uuid4()):
        with pytest.raises(NotFound):
            terminals.revoke(actor=butcher.actor, terminal_id=terminal_id, key=key_of(butcher))
    with pytest.raises(NotFound):
        terminals.create_code(actor=butcher.actor, store_id=bakery.store_id, label="x", key=key_of(butcher))
    assert terminals.list_all(actor=butcher.actor) == []
    assert session_of(tablet, clock()).vendor_id == bakery.vendor_id


def test_it_leaves_the_lock_and_the_pairing_to_a_manager(context: None) -> None:
    bakery = make_bakery()
    tablet = make_tablet(bakery)
    _ben, ben_pin = make_staff(bakery)
    _ada, ada_pin = make_staff(bakery, "Ada", role="manager")
    ben = terminals.open_session(actor=tablet.actor, pin=ben_pin, at=clock())

    def change(actor: Actor, lock_minutes: int) -> None:
        choices = {"left_handed": True, "sound": False}
        terminals.change_settings(actor=actor, lock_minutes=lock_minutes, key=key_of(bakery), **choices)

    change(ben, 2)
    with pytest.raises(StaffPinRequired) as refusal:
        change(ben, 15)
    assert refusal.value.role == "manager"
    with pytest.raises(StaffPinRequired):
        terminals.unpair(actor=ben, key=key_of(bakery))
    ada = terminals.open_session(actor=tablet.actor, pin=ada_pin, at=clock())
    with pytest.raises(ValidationError):
        change(ada, 3)
    change(ada, 15)
    found = session_of(tablet, clock())
    assert (found.lock_minutes, found.left_handed, found.sound) == (15, True, False)
    terminals.unpair(actor=ada, key=key_of(bakery))
    assert terminals.authenticate(token=tablet.token, at=clock()) is None


def test_it_refuses_cashiers_in_the_office(context: None) -> None:
    bakery = make_bakery()
    tablet = make_tablet(bakery)
    for tried in (
        lambda: terminals.create_code(actor=tablet.actor, store_id=bakery.store_id, label="x", key=key_of(bakery)),
        lambda: terminals.revoke(actor=tablet.actor, terminal_id=tablet.terminal_id, key=key_of(bakery)),
        lambda: terminals.list_all(actor=tablet.actor),
        lambda: terminals.lock(actor=bakery.actor),
        lambda: terminals.open_session(actor=bakery.actor, pin="481203", at=clock()),
    ):
        with pytest.raises(Forbidden):
            tried()
