"""Stamps as JSON."""

from typing import Any

import pytest
from flask import Flask

from tests import factories
from tests.factories import Card, Shop
from tests.web.api.callers import Caller

STAMPS = "/vendor/loyalty/stamps"
DONE = {"success", "message", "card_id", "card_number", "store_id", "transaction_id"}


def post(caller: Caller, card: Card, path: str = STAMPS, **more: object) -> dict[str, Any]:
    answer = caller.post(path, {"card_id": str(card.card_id), **more})
    return dict(answer.json or {})


def test_it_adds_stamps(till: Caller, card: Card, bakery: Shop) -> None:
    said = post(till, card, quantity=2)
    assert said.keys() == DONE | {
        "stamp_count",
        "stamps_target",
        "stamps_until_reward",
        "reward_earned",
        "rewards_available",
        "reward_description",
        "next_stamp_available_at",
        "stamps_today",
        "stamps_remaining_today",
    }
    assert (said["success"], said["message"]) == (True, "2 stamps added.")
    assert (said["stamp_count"], said["stamps_target"], said["stamps_until_reward"]) == (2, 10, 8)
    assert (said["reward_earned"], said["rewards_available"], said["reward_description"]) == (False, 0, "Free item")
    assert (said["stamps_today"], said["stamps_remaining_today"]) == (2, 48)
    assert (said["card_id"], said["card_number"]) == (str(card.card_id), card.card_number)
    assert (said["store_id"], said["next_stamp_available_at"]) == (str(bakery.store_id), None)


@pytest.mark.parametrize("name", ["card_id", "scan_code", "card_number", "spaced", "lower"])
def test_it_finds_a_card_by_each_of_its_names(till: Caller, card: Card, name: str) -> None:
    spaced = f"{card.card_number[:4]} {card.card_number[4:7]} {card.card_number[7:]}"
    named = {
        "card_id": {"card_id": str(card.card_id)},
        "scan_code": {"scan_code": card.scan_code},
        "card_number": {"card_number": card.card_number},
        "spaced": {"card_number": spaced},
        "lower": {"scan_code": card.scan_code.lower()},
    }[name]
    assert till.post(STAMPS, named).status_code == 200


@pytest.mark.parametrize("name", ["scan_code", "card_number"])
def test_it_finds_no_card_by_what_is_no_code(till: Caller, card: Card, name: str) -> None:
    other = {"scan_code": card.card_number, "card_number": card.scan_code}[name]
    for text in ("1", "not a code", other):
        answer = till.post(STAMPS, {name: text})
        assert (answer.status_code, (answer.json or {})["code"]) == (404, "CARD_NOT_FOUND")


def test_it_finds_no_card_next_door(app: Flask, till: Caller) -> None:
    with app.app_context():
        foreign = factories.make_card(factories.make_shop("meat"))
    for named in (
        {"card_id": str(foreign.card_id)},
        {"scan_code": foreign.scan_code},
        {"card_number": foreign.card_number},
    ):
        assert till.post(STAMPS, named).status_code == 404


def test_it_says_until_when_a_card_waits(app: Flask, bakery: Shop, till: Caller, card: Card) -> None:
    with app.app_context():
        factories.change_program(bakery, cooldown_minutes=15)
    first = post(till, card)
    refused = post(till, card)
    assert (refused["code"], refused["status"]) == ("STAMP_COOLDOWN", 409)
    assert refused["cooldown_ends_at"] == first["next_stamp_available_at"]


def test_it_says_how_many_stamps_a_day_has(app: Flask, bakery: Shop, till: Caller, card: Card) -> None:
    with app.app_context():
        factories.change_program(bakery, max_daily_stamps=2)
    post(till, card, quantity=2)
    refused = post(till, card)
    assert (refused["code"], refused["stamps_today"], refused["max_daily_stamps"]) == ("DAILY_STAMP_LIMIT", 2, 2)


def test_it_gives_no_more_than_one_tap_may(till: Caller, card: Card) -> None:
    refused = post(till, card, quantity=4)
    assert (refused["code"], list(refused["errors"])) == ("VALIDATION_ERROR", ["quantity"])


def test_it_redeems_a_full_card(app: Flask, bakery: Shop, till: Caller) -> None:
    with app.app_context():
        card = factories.make_card(bakery, stamps=12)
    said = post(till, card, f"{STAMPS}/redeem", notes="With oat milk")
    assert said.keys() == DONE | {"stamp_count", "stamps_target", "reward_description", "total_redemptions"}
    assert (said["stamp_count"], said["total_redemptions"]) == (2, 1)
    refused = post(till, card, f"{STAMPS}/redeem")
    assert (refused["code"], refused["stamp_count"], refused["stamps_target"]) == ("INSUFFICIENT_STAMPS", 2, 10)


def test_it_takes_stamps_back(till: Caller, manager: Caller, card: Card) -> None:
    first, second = post(till, card, quantity=3), post(till, card, quantity=2)
    own = post(till, card, f"{STAMPS}/void", transaction_id=second["transaction_id"], reason="Wrong card")
    assert own.keys() == DONE | {"transaction_ids", "stamps_voided", "shortfall", "stamp_count"}
    assert (own["stamps_voided"], own["stamp_count"], own["shortfall"]) == (2, 3, 0)
    part = post(manager, card, f"{STAMPS}/void", stamps_to_void=2, reason="Wrong card")
    assert (part["stamps_voided"], part["stamp_count"]) == (2, 1)
    again = post(manager, card, f"{STAMPS}/void", transaction_id=second["transaction_id"], reason="Wrong card")
    assert (again["code"], again["left"]) == ("ALREADY_VOIDED", 0)
    rest = post(manager, card, f"{STAMPS}/void", transaction_id=first["transaction_id"], reason="Wrong card")
    assert (rest["stamps_voided"], rest["stamp_count"]) == (1, 0)


def test_it_reports_what_could_not_be_taken_back(app: Flask, bakery: Shop, manager: Caller) -> None:
    with app.app_context():
        card = factories.make_card(bakery, stamps=8)
    stamped = post(manager, card, quantity=2)
    assert post(manager, card, f"{STAMPS}/redeem")["stamp_count"] == 0
    said = post(manager, card, f"{STAMPS}/void", transaction_id=stamped["transaction_id"], reason="Wrong card")
    assert (said["success"], said["stamps_voided"], said["shortfall"]) == (True, 0, 2)
    assert (said["transaction_id"], said["transaction_ids"]) == (None, [])


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ({"reason": "x"}, "VALIDATION_ERROR"),
        ({"stamps_to_void": 1}, "VALIDATION_ERROR"),
        ({"stamps_to_void": 1, "reason": " "}, "VALIDATION_ERROR"),
        ({"stamps_to_void": 0, "reason": "x"}, "VALIDATION_ERROR"),
        ({"stamps_to_void": 1, "reason": "x"}, "ALREADY_VOIDED"),
        ({"transaction_id": "0199f1c2-7d1e-7cc3-98c4-dc0c0c07398f", "reason": "x"}, "TRANSACTION_NOT_FOUND"),
    ],
)
def test_it_takes_nothing_back_that_was_not_given(
    manager: Caller, card: Card, sent: dict[str, object], code: str
) -> None:
    assert post(manager, card, f"{STAMPS}/void", **sent)["code"] == code


def test_it_takes_nothing_back_where_the_platform_forbids_it(
    app: Flask, bakery: Shop, manager: Caller, card: Card
) -> None:
    stamped = post(manager, card)
    with app.app_context():
        factories.change_policy(bakery, allow_void_transactions=False)
    refused = post(manager, card, f"{STAMPS}/void", transaction_id=stamped["transaction_id"], reason="Wrong card")
    assert refused["code"] == "VOID_NOT_ALLOWED"


def test_it_corrects_stamps(manager: Caller, card: Card) -> None:
    said = post(manager, card, f"{STAMPS}/adjust", stamps_delta=7, reason="Paper card")
    assert said.keys() == DONE | {"stamps_delta", "stamp_count"}
    assert (said["stamps_delta"], said["stamp_count"]) == (7, 7)
    assert post(manager, card, f"{STAMPS}/adjust", stamps_delta=-8, reason="Oops")["code"] == "INSUFFICIENT_STAMPS"
    wrong = post(manager, card, f"{STAMPS}/adjust", stamps_delta=0, reason="Oops")
    assert list(wrong["errors"]) == ["stamps_delta"]


@pytest.mark.parametrize("path", ["", "/redeem", "/void", "/adjust"])
def test_it_knows_no_stamps_where_there_are_none(
    app: Flask, bakery: Shop, manager: Caller, card: Card, path: str
) -> None:
    with app.app_context():
        factories.change_program(bakery, loyalty_type="points")
    amounts: dict[str, dict[str, object]] = {"/void": {"stamps_to_void": 1}, "/adjust": {"stamps_delta": 1}}
    more = amounts.get(path, {})
    more |= {"reason": "x"} if more else {}
    assert post(manager, card, f"{STAMPS}{path}", **more)["code"] == "STAMPS_NOT_ENABLED"
