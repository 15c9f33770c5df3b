"""Guessing PINs: how the waits grow, whom they hold, and that nobody guesses more often."""

from collections import Counter
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID, uuid4

import bcrypt
import pytest
import sqlalchemy as sa
from flask import Flask

from loyalty.database import clock, db, transaction
from loyalty.domain.pins import pin_digest
from loyalty.domain.values import Actor, Role, Scope
from loyalty.errors import Forbidden, LoyaltyError, StaffPinInvalid, StaffPinLocked
from loyalty.models.pins import PinThrottle
from loyalty.services import api_keys, pins, throttles
from tests.office import key_of, make_bakery
from tests.services.guesses import AT, counted, outcome
from tests.tills import all_at_once, hash_fast, make_staff, make_tablet

WAITS = [
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(minutes=30),
]


def wrong(pin: str) -> str:
    """A PIN of the same length that is not this one."""
    return f"{(int(pin) + 1) % 10 ** len(pin):0{len(pin)}d}"


def test_it_makes_the_wait_grow_and_says_until_when(context: None) -> None:
    bakery = make_bakery()
    hash_fast(bakery)
    tablet = make_tablet(bakery)
    ben, pin = make_staff(bakery)
    at = AT
    for left in (4, 3, 2, 1):
        with pytest.raises(StaffPinInvalid) as free:
            pins.verify(actor=tablet.actor, pin=wrong(pin), staff_pin_id=ben, at=at)
        assert (free.value.attempts_left, free.value.locked_until) == (left, None)
    for wait in WAITS:
        with pytest.raises(StaffPinInvalid) as costly:
            pins.verify(actor=tablet.actor, pin=wrong(pin), staff_pin_id=ben, at=at)
        assert (costly.value.attempts_left, costly.value.locked_until) == (0, at + wait)
        for moment in (at, at + wait / 2, at + wait - timedelta(microseconds=1)):
            with pytest.raises(StaffPinLocked) as locked:
                pins.verify(actor=tablet.actor, pin=pin, staff_pin_id=ben, at=moment)
            assert (locked.value.locked_until, locked.value.needs_manager) == (at + wait, False)
        at += wait
    assert outcome(tablet, pin, ben, at) == "Ben"
    assert outcome(tablet, wrong(pin), ben, at) == "STAFF_PIN_INVALID"
    assert counted()[("terminal", str(ben))] == 1


def test_it_begins_anew_after_a_day(context: None) -> None:
    bakery = make_bakery()
    hash_fast(bakery)
    tablet = make_tablet(bakery)
    ben, pin = make_staff(bakery)
    assert [outcome(tablet, wrong(pin), ben) for _ in range(4)] == ["STAFF_PIN_INVALID"] * 4
    with pytest.raises(StaffPinInvalid) as refusal:
        pins.verify(actor=tablet.actor, pin=wrong(pin), staff_pin_id=ben, at=AT + timedelta(hours=24))
    assert refusal.value.attempts_left == 4


def test_it_locks_out_nobody_else(context: None) -> None:
    bakery = make_bakery()
    hash_fast(bakery)
    tablet, other = make_tablet(bakery), make_tablet(bakery, "Back room")
    ben, ben_pin = make_staff(bakery, "Ben")
    ana, ana_pin = make_staff(bakery, "Ana")
    outcomes = [outcome(tablet, wrong(ben_pin), ben) for _ in range(20)]
    assert Counter(outcomes) == {"STAFF_PIN_INVALID": 5, "STAFF_PIN_LOCKED": 15}
    assert outcome(tablet, ana_pin, ana) == "Ana"
    assert outcome(tablet, ben_pin) == "Ben"
    assert outcome(other, ben_pin, ben) == "Ben"
    assert outcome(tablet, ben_pin, ben) == "STAFF_PIN_LOCKED"


def test_it_asks_for_a_manager_after_thirty_failures_on_one_terminal(context: None) -> None:
    bakery = make_bakery()
    hash_fast(bakery)
    tablet, other = make_tablet(bakery), make_tablet(bakery, "Back room")
    ben, ben_pin = make_staff(bakery, "Ben")
    ada, ada_pin = make_staff(bakery, "Ada", role="manager")
    for number in range(30):
        # A right PIN in between buys nothing for the others.
        assert outcome(tablet, ben_pin, ben, AT) == "Ben"
        assert outcome(tablet, wrong(ben_pin), ben, AT + timedelta(seconds=number)) == "STAFF_PIN_INVALID"
    later = AT + timedelta(minutes=5)
    for pin, staff_pin_id in ((ben_pin, ben), (ben_pin, None), (wrong(ben_pin), None), (wrong(ada_pin), ada)):
        with pytest.raises(StaffPinLocked) as locked:
            pins.verify(actor=tablet.actor, pin=pin, staff_pin_id=staff_pin_id, at=later)
        assert (locked.value.needs_manager, locked.value.locked_until) == (True, AT + timedelta(hours=24))
    assert outcome(other, ben_pin, ben, later) == "Ben"
    assert outcome(tablet, ada_pin, None, later) == "Ada"
    assert outcome(tablet, ben_pin, ben, later) == "Ben"


def test_it_asks_for_a_manager_after_thirty_failures_with_one_key(context: None) -> None:
    bakery = make_bakery()
    hash_fast(bakery)
    made = api_keys.create(actor=bakery.actor, name="Till", scope=Scope.TILL, key=key_of(bakery))
    key = Actor(bakery.vendor_id, Role.STAFF, store_id=bakery.store_id, api_key_id=made.api_key_id)
    (ben, ben_pin), (_ada, ada_pin) = make_staff(bakery, "Ben"), make_staff(bakery, "Ada", role="manager")

    def tried(pin: str, staff_pin_id: UUID | None, at: datetime) -> str:
        try:
            return pins.verify(actor=key, pin=pin, staff_pin_id=staff_pin_id, at=at).staff_name
        except LoyaltyError as refusal:
            return refusal.code

    for number in range(30):
        # Who knows one PIN buys no guesses at the others with it.
        assert tried(ben_pin, ben, AT) == "Ben"
        assert tried(wrong(ben_pin), ben, AT + timedelta(seconds=number)) == "STAFF_PIN_INVALID"
    later = AT + timedelta(minutes=5)
    assert [tried(ben_pin, named, later) for named in (ben, None)] == ["STAFF_PIN_LOCKED"] * 2
    assert outcome(make_tablet(bakery), ben_pin, ben, later) == "Ben"
    assert [tried(ada_pin, None, later), tried(ben_pin, ben, later)] == ["Ada", "Ben"]


def test_it_verifies_exactly_the_limit_of_parallel_guesses(app: Flask) -> None:
    with app.app_context():
        bakery = make_bakery()
        hash_fast(bakery)
        tablet = make_tablet(bakery)
        ben, pin = make_staff(bakery)

    def guess(number: int) -> list[str]:
        return [outcome(tablet, wrong(pin), ben) for _ in range(number)]

    # The race is who comes first; who goes on meets a lock that stands, and once is enough for that.
    for each in (5, *[1] * 19):
        outcomes = all_at_once(app, [partial(guess, each)] * 40)
        codes = Counter(code for tried in outcomes for code in tried)
        assert codes == {"STAFF_PIN_INVALID": 5, "STAFF_PIN_LOCKED": 40 * each - 5}
        with app.app_context():
            assert counted() == {("terminal", str(ben)): 5, ("terminal", "all"): 5}
            pins.unlock(actor=bakery.actor, staff_pin_id=ben, key=key_of(bakery))


def test_it_lets_the_tills_behind_one_key_enter_right_pins_at_once(app: Flask) -> None:
    with app.app_context():
        bakery = make_bakery()
        hash_fast(bakery)
        ben, pin = make_staff(bakery)
        made = api_keys.create(actor=bakery.actor, name="Tills", scope=Scope.TILL, key=key_of(bakery))
    key = Actor(bakery.vendor_id, Role.STAFF, store_id=bakery.store_id, api_key_id=made.api_key_id)
    tills = [lambda: pins.verify(actor=key, pin=pin, staff_pin_id=None, at=AT).staff_pin_id] * 12
    assert all_at_once(app, tills) == [ben] * 12
    with app.app_context():
        assert counted() == {}


def test_it_would_verify_more_with_a_counter_that_is_read_and_then_written(app: Flask) -> None:
    # As slow as in a shop, or nobody would come between.
    vendor_id, salt = uuid4(), bcrypt.gensalt(10)

    def naive() -> int:
        with transaction():
            number = db.session.scalar(sa.select(PinThrottle.failed_attempts).where(PinThrottle.source == "naive"))
        if (number or 0) >= 5:
            return 0
        pin_digest(b"p" * 32, vendor_id, salt, "481203")
        with transaction():
            counter = sa.update(PinThrottle).where(PinThrottle.source == "naive")
            db.session.execute(counter.values(failed_attempts=(number or 0) + 1))
        return 1

    with app.app_context(), transaction():
        db.session.add(PinThrottle(source="naive", subject="*", window_started_at=AT))
    assert sum(all_at_once(app, [naive] * 40)) > 5


def test_it_counts_nothing_for_a_stranger(context: None) -> None:
    bakery = make_bakery()
    _ben, pin = make_staff(bakery)
    stranger = Actor(bakery.vendor_id, Role.STAFF)
    for staff_pin_id in (None, uuid4()):
        with pytest.raises(Forbidden):
            pins.verify(actor=stranger, pin=pin, staff_pin_id=staff_pin_id, at=AT)
    assert ("vendor", "*") not in counted()


@pytest.mark.parametrize("pin", ["", "12", "abcd", "1234567", "\u0661\u0662\u0663\u0664", "\ud800", "9" * 10_000])
def test_it_counts_what_can_be_no_pin_as_a_wrong_one(context: None, pin: str) -> None:
    bakery = make_bakery()
    tablet = make_tablet(bakery)
    assert outcome(tablet, pin) == "STAFF_PIN_INVALID"
    assert counted()[("terminal", "*")] == 1


def test_it_unlocks_for_a_manager(context: None) -> None:
    bakery = make_bakery()
    hash_fast(bakery)
    tablet = make_tablet(bakery)
    ben, pin = make_staff(bakery)
    now = clock()
    assert [outcome(tablet, wrong(pin), ben, now) for _ in range(6)][-1] == "STAFF_PIN_LOCKED"
    assert pins.list_all(actor=bakery.actor)[0].locked_until == now + WAITS[0]
    pins.unlock(actor=bakery.actor, staff_pin_id=ben, key=key_of(bakery))
    assert counted() == {}
    assert outcome(tablet, pin, ben, now) == "Ben"


def test_it_forgets_counters_that_count_nothing_any_more(context: None) -> None:
    bakery = make_bakery()
    tablet = make_tablet(bakery)
    assert outcome(tablet, "0000") == "STAFF_PIN_INVALID"
    throttles.forget_old(at=AT + timedelta(hours=23), memory=timedelta(hours=24))
    assert counted()
    throttles.forget_old(at=AT + timedelta(days=400), memory=timedelta(hours=24))
    assert counted() == {}
