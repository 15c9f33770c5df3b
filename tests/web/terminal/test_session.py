"""The PIN, the lock, and the sign of life."""

from datetime import timedelta

import pytest
import time_machine
from flask import Flask

from loyalty.services import terminals
from tests.counter import Counter, hidden, screen_of, title_of
from tests.factories import Card, Shop, change_policy, make_key, make_staff


@pytest.fixture
def locked(till: Counter) -> Counter:
    """The bakery's tablet, locked."""
    till.post("/terminal/lock")
    return till


def test_it_opens_the_till_with_the_right_pin(locked: Counter, pin_of_ana: tuple[str, str]) -> None:
    staff, pin = pin_of_ana
    answer = locked.as_htmx().post("/terminal/pin", staff_pin_id=staff, staff_pin=pin)
    assert answer.status_code == 200
    assert screen_of(answer) == "ready"
    assert "Ana · Lock" in answer.text


def test_it_opens_the_till_without_htmx(locked: Counter, pin_of_ana: tuple[str, str]) -> None:
    staff, pin = pin_of_ana
    answer = locked.post("/terminal/pin", staff_pin_id=staff, staff_pin=pin)
    assert answer.status_code == 303
    assert screen_of(locked.get(answer.location)) == "ready"


def test_it_counts_wrong_pins_and_then_says_until_when_to_wait(
    app: Flask, locked: Counter, bakery: Shop, pin_of_ana: tuple[str, str]
) -> None:
    with app.app_context():
        change_policy(bakery, pin_lockout_attempts=3)
    staff, pin = pin_of_ana
    wrong = "0000" if pin != "0000" else "1111"
    first = locked.as_htmx().post("/terminal/pin", staff_pin_id=staff, staff_pin=wrong)
    assert first.status_code == 403
    assert "more tries before a pause" in first.text
    for _ in range(3):
        last = locked.as_htmx().post("/terminal/pin", staff_pin_id=staff, staff_pin=wrong)
    assert last.status_code == 423
    assert title_of(last).startswith("Wait until ")


def test_it_counts_no_try_for_a_pin_that_was_not_typed(locked: Counter, pin_of_ana: tuple[str, str]) -> None:
    staff, pin = pin_of_ana
    for _ in range(7):
        empty = locked.as_htmx().post("/terminal/pin", staff_pin_id=staff, staff_pin="")
    assert empty.status_code == 422
    assert "Enter your PIN to continue" in empty.text
    answer = locked.as_htmx().post("/terminal/pin", staff_pin_id=staff, staff_pin=pin)
    assert screen_of(answer) == "ready"


def test_it_lets_a_colleague_in_while_somebody_waits(
    locked: Counter, pin_of_ana: tuple[str, str], pin_of_max: tuple[str, str]
) -> None:
    for _ in range(7):
        locked.post("/terminal/pin", staff_pin_id=pin_of_ana[0], staff_pin="0000")
    answer = locked.as_htmx().post("/terminal/pin", staff_pin_id=pin_of_max[0], staff_pin=pin_of_max[1])
    assert screen_of(answer) == "ready"


def test_it_locks_and_brings_the_card_back_after_the_pin(
    till: Counter, cleo: Card, pin_of_ana: tuple[str, str]
) -> None:
    locked = till.as_htmx().post("/terminal/lock", card=str(cleo.card_id))
    assert screen_of(locked) == "pin"
    assert hidden(locked, "card") == str(cleo.card_id)
    staff, pin = pin_of_ana
    back = till.as_htmx().post("/terminal/pin", staff_pin_id=staff, staff_pin=pin, card=str(cleo.card_id))
    assert screen_of(back) == "card"
    assert title_of(back) == "Cleo Martin"


def test_it_offers_what_the_lock_interrupted_under_the_same_key(
    locked: Counter, cleo: Card, pin_of_ana: tuple[str, str]
) -> None:
    path, key = f"/terminal/cards/{cleo.card_id}/stamps", "the-form-that-met-the-lock"
    refused = locked.as_htmx().post(path, key=key, quantity=1)
    assert refused.status_code == 401
    assert screen_of(refused) == "pin"
    kept = {name: hidden(refused, name) for name in ("pending_path", "pending_key", "pending_quantity")}
    staff, pin = pin_of_ana
    offered = locked.as_htmx().post("/terminal/pin", staff_pin_id=staff, staff_pin=pin, **kept)
    assert title_of(offered) == "Not saved yet"
    assert hidden(offered, "key") == key
    done = locked.as_htmx().post(path, key=key, quantity=1)
    assert title_of(done) == "Stamp added: 4 of 10"


@pytest.mark.parametrize("path", ["https://evil.example", "/office/x", "/terminal/cards/1/stamps", ""])
def test_it_offers_nothing_that_is_not_an_action_of_the_till(
    locked: Counter, pin_of_ana: tuple[str, str], path: str
) -> None:
    staff, pin = pin_of_ana
    fields = {"pending_path": path, "pending_key": "k" * 20}
    answer = locked.as_htmx().post("/terminal/pin", staff_pin_id=staff, staff_pin=pin, **fields)
    assert screen_of(answer) == "ready"


def test_it_locks_by_itself_and_a_ping_keeps_nobody_in(till: Counter, cleo: Card) -> None:
    assert till.get("/terminal/ping").status_code == 204
    with time_machine.travel(timedelta(minutes=1, seconds=30)):
        assert till.get("/terminal/ping").status_code == 204
    with time_machine.travel(timedelta(minutes=2, seconds=30)):
        assert till.get("/terminal/ping").status_code == 204
        assert screen_of(till.get("/terminal")) == "pin"


def test_it_stays_open_for_somebody_who_says_so(till: Counter) -> None:
    with time_machine.travel(timedelta(minutes=1, seconds=30)):
        assert till.get("/terminal/stay").status_code == 204
    with time_machine.travel(timedelta(minutes=3)):
        assert screen_of(till.get("/terminal")) == "ready"


def test_it_notices_that_the_owner_signed_the_tablet_out(app: Flask, till: Counter, bakery: Shop) -> None:
    with app.app_context():
        terminals.revoke(actor=bakery.ada, terminal_id=bakery.terminal_id, key=make_key(bakery.ada))
    assert till.get("/terminal/ping").status_code == 401
    page = till.get("/terminal")
    assert title_of(page) == "This tablet was signed out by the owner"


def test_it_asks_nobody_where_the_shop_needs_no_pins(app: Flask, locked: Counter, bakery: Shop, cleo: Card) -> None:
    with app.app_context():
        change_policy(bakery, staff_pin_policy="disabled")
    assert screen_of(locked.get("/terminal")) == "ready"
    answer = locked.as_htmx().post(f"/terminal/cards/{cleo.card_id}/stamps", quantity=1)
    assert title_of(answer) == "Stamp added: 4 of 10"
    assert "· Lock" not in answer.text


def test_it_lists_the_people_of_this_shop_alone(app: Flask, locked: Counter, butcher: Shop) -> None:
    with app.app_context():
        make_staff(butcher.vendor_id, "Mallory")
    page = locked.get("/terminal")
    assert "Ben" in page.text
    assert "Mallory" not in page.text


def test_it_refuses_a_stranger(stranger: Counter) -> None:
    for path in ("/terminal/pin", "/terminal/lock"):
        assert stranger.post(path).status_code == 401
    assert stranger.get("/terminal/ping").status_code == 401
    assert stranger.get("/terminal/stay").status_code == 401


def test_it_refuses_the_pin_of_another_vendor(next_door: Counter, pin_of_ana: tuple[str, str]) -> None:
    next_door.post("/terminal/lock")
    staff, pin = pin_of_ana
    answer = next_door.as_htmx().post("/terminal/pin", staff_pin_id=staff, staff_pin=pin)
    assert answer.status_code in (403, 404)
    assert screen_of(next_door.get("/terminal")) == "pin"
