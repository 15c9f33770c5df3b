"""At which store, and whose PIN: as the key, the shop's policy and the body say."""

from uuid import UUID

import pytest
from flask import Flask

from loyalty.domain.values import Scope
from loyalty.services import pins
from tests import factories
from tests.factories import Card, Shop
from tests.web.api.callers import Caller, make_api_key

STAMPS = "/vendor/loyalty/stamps"


@pytest.fixture
def staffed(app: Flask, bakery: Shop) -> dict[str, str]:
    """The bakery with PINs that can be typed, and a policy that asks for them."""
    with app.app_context():
        factories.change_policy(bakery, staff_pin_policy="required")
        found = {}
        for role in ("staff", "manager"):
            made = pins.create(
                actor=bakery.ada, name=role.title(), role=role, store_id=None, key=factories.make_key(bakery.ada)
            )
            found[role] = str(made.pin)
            found[f"{role}_id"] = str(made.staff_pin_id)
        return found


def said(caller: Caller, card: Card, path: str = STAMPS, **more: object) -> tuple[int, str]:
    answer = caller.post(path, {"card_id": str(card.card_id), **more})
    return answer.status_code, str((answer.json or {}).get("code", ""))


def test_it_works_at_the_store_that_is_named(app: Flask, bakery: Shop, till: Caller, card: Card) -> None:
    with app.app_context():
        station = factories.make_store(bakery, "station")
        factories.make_store(bakery, "closed", active=False)
    answer = till.post(STAMPS, {"card_id": str(card.card_id), "store_code": "station"})
    assert (answer.json or {})["store_id"] == str(station)
    assert (till.post(STAMPS, {"card_id": str(card.card_id)}).json or {})["store_id"] is None
    assert said(till, card, store_code="closed") == (422, "VALIDATION_ERROR")


def test_it_keeps_a_key_to_its_stores(app: Flask, bakery: Shop, card: Card) -> None:
    with app.app_context():
        station = factories.make_store(bakery, "station")
        caller = Caller(app, make_api_key(bakery, stores=(station,)))
    answer = caller.post(STAMPS, {"card_id": str(card.card_id)})
    assert (answer.json or {})["store_id"] == str(station)
    assert said(caller, card, store_code="station") == (200, "")
    assert said(caller, card, store_code="main") == (409, "STORE_NOT_ALLOWED")


def test_it_knows_no_store_next_door(app: Flask, till: Caller, card: Card) -> None:
    with app.app_context():
        factories.make_store(factories.make_shop("meat"), "grill")
    assert said(till, card, store_code="grill") == (422, "VALIDATION_ERROR")


def test_it_asks_for_a_pin_where_the_shop_does(till: Caller, card: Card, staffed: dict[str, str]) -> None:
    answer = till.post(STAMPS, {"card_id": str(card.card_id)})
    assert (answer.status_code, (answer.json or {})["code"]) == (422, "STAFF_PIN_REQUIRED")
    assert (answer.json or {})["role"] == "staff"
    assert said(till, card, staff_pin=staffed["staff"]) == (200, "")
    assert said(till, card, staff_pin=staffed["staff"], staff_id=staffed["staff_id"]) == (200, "")


def test_it_refuses_the_pin_of_somebody_else(till: Caller, card: Card, staffed: dict[str, str]) -> None:
    wrong = {"staff_pin": staffed["staff"], "staff_id": staffed["manager_id"]}
    answer = till.post(STAMPS, {"card_id": str(card.card_id), **wrong})
    assert (answer.status_code, (answer.json or {})["code"]) == (403, "STAFF_PIN_INVALID")
    assert (answer.json or {})["attempts_left"] == 4
    nobody = "0199f1c2-7d1e-7cc3-98c4-dc0c0c07398f"
    assert said(till, card, staff_pin=staffed["staff"], staff_id=nobody) == (404, "NOT_FOUND")


def test_it_locks_after_wrong_pins(till: Caller, card: Card, staffed: dict[str, str]) -> None:
    statuses = []
    for _ in range(6):
        answer = till.post(STAMPS, {"card_id": str(card.card_id), "staff_pin": "0"})
        statuses.append(answer.status_code)
    assert statuses == [403] * 5 + [423]
    assert (answer.json or {})["locked_until"].endswith("Z")
    assert 1 <= int(answer.headers["Retry-After"]) <= 30


def test_it_is_unlocked_by_a_manager(
    app: Flask, bakery: Shop, till: Caller, card: Card, staffed: dict[str, str]
) -> None:
    for _ in range(6):
        locked = said(till, card, staff_pin="0")
    assert locked == (423, "STAFF_PIN_LOCKED")
    with app.app_context():
        pins.unlock(actor=bakery.ada, staff_pin_id=UUID(staffed["staff_id"]), key=factories.make_key(bakery.ada))
    assert said(till, card, staff_pin=staffed["staff"]) == (200, "")


def test_it_verifies_a_pin_that_nobody_asked_for(app: Flask, bakery: Shop, till: Caller, card: Card) -> None:
    assert said(till, card, staff_pin="0") == (403, "STAFF_PIN_INVALID")


def test_it_lets_a_key_that_manages_correct_without_a_pin(
    app: Flask, bakery: Shop, card: Card, staffed: dict[str, str], manager: Caller
) -> None:
    path, change = f"{STAMPS}/adjust", {"stamps_delta": 3, "reason": "Paper card"}
    assert said(manager, card, path, **change) == (200, "")
    assert said(manager, card) == (422, "STAFF_PIN_REQUIRED")
    # Whoever is named by a PIN is who does it, and a cashier may not.
    assert said(manager, card, path, **change, staff_pin=staffed["staff"]) == (403, "FORBIDDEN")
    stamped = manager.post(STAMPS, {"card_id": str(card.card_id), "staff_pin": staffed["staff"]}).json or {}
    void = {"transaction_id": stamped["transaction_id"], "reason": "Wrong card"}
    assert said(manager, card, f"{STAMPS}/void", **void) == (200, "")


def test_it_asks_a_till_for_a_manager(till: Caller, card: Card, staffed: dict[str, str]) -> None:
    path, change = f"{STAMPS}/adjust", {"stamps_delta": 3, "reason": "Paper card"}
    answer = till.post(path, {"card_id": str(card.card_id), **change})
    assert (answer.status_code, (answer.json or {})["role"]) == (422, "manager")
    assert said(till, card, path, **change, staff_pin=staffed["staff"]) == (403, "FORBIDDEN")
    assert said(till, card, path, **change, staff_pin=staffed["manager"]) == (200, "")


def test_it_has_no_manager_at_a_till_without_pins(till: Caller, card: Card) -> None:
    change = {"stamps_delta": 3, "reason": "Paper card"}
    assert said(till, card, f"{STAMPS}/adjust", **change) == (403, "FORBIDDEN")


def test_it_undoes_what_the_same_key_did(app: Flask, bakery: Shop, till: Caller, card: Card) -> None:
    with app.app_context():
        other = Caller(app, make_api_key(bakery, Scope.TILL))
    stamped = till.post(STAMPS, {"card_id": str(card.card_id)}).json or {}
    void = {"transaction_id": stamped["transaction_id"], "reason": "Wrong card"}
    assert said(other, card, f"{STAMPS}/void", **void) == (403, "FORBIDDEN")
    assert said(till, card, f"{STAMPS}/void", **void) == (200, "")
