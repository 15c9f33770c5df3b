"""Points as JSON."""

from typing import Any

import pytest
from flask import Flask

from tests import factories
from tests.factories import Card, Shop
from tests.web.api.callers import Caller

POINTS = "/vendor/loyalty/points"
DONE = {"success", "message", "card_id", "card_number", "store_id", "transaction_id"}


def post(caller: Caller, card: Card, action: str, **more: object) -> dict[str, Any]:
    answer = caller.post(f"{POINTS}/{action}", {"card_id": str(card.card_id), **more})
    return dict(answer.json or {})


def test_it_gives_the_points_of_a_purchase(till: Caller, card: Card) -> None:
    said = post(till, card, "earn", purchase_amount_cents=1259)
    assert said.keys() == DONE | {
        "points_earned",
        "points_per_euro",
        "purchase_amount_cents",
        "points_balance",
        "total_points_earned",
    }
    assert (said["points_earned"], said["points_per_euro"], said["purchase_amount_cents"]) == (125, 10, 1259)
    assert (said["points_balance"], said["total_points_earned"]) == (125, 125)
    assert said["message"] == "125 points added."


def test_it_takes_a_purchase_too_small_for_a_point(till: Caller, card: Card) -> None:
    said = post(till, card, "earn", purchase_amount_cents=9)
    assert (said["success"], said["points_earned"], said["transaction_id"]) == (True, 0, None)


def test_it_gives_points_once_for_an_order(till: Caller, card: Card) -> None:
    first = post(till, card, "earn", purchase_amount_cents=1000, order_reference="R-1")
    post(till, card, "earn", purchase_amount_cents=500)
    again = post(till, card, "earn", purchase_amount_cents=1000, order_reference="R-1")
    assert again == first
    other = post(till, card, "earn", purchase_amount_cents=1001, order_reference="R-1")
    assert (other["code"], list(other["errors"])) == ("VALIDATION_ERROR", ["order_reference"])


def test_it_asks_for_the_order_where_the_platform_does(app: Flask, bakery: Shop, till: Caller, card: Card) -> None:
    with app.app_context():
        factories.change_policy(bakery, require_order_reference=True)
    said = post(till, card, "earn", purchase_amount_cents=1000)
    assert (said["status"], said["code"]) == (422, "ORDER_REFERENCE_REQUIRED")


@pytest.mark.parametrize("amount", [0, -1, 10_000_000_000, "12.50", 12.5])
def test_it_names_the_amount_that_is_wrong(till: Caller, card: Card, amount: object) -> None:
    assert list(post(till, card, "earn", purchase_amount_cents=amount)["errors"]) == ["purchase_amount_cents"]


def test_it_names_the_least_purchase(app: Flask, bakery: Shop, till: Caller, card: Card) -> None:
    with app.app_context():
        factories.change_program(bakery, minimum_purchase_cents=500)
    said = post(till, card, "earn", purchase_amount_cents=499)
    assert (list(said["errors"]), said["minimum_purchase_cents"]) == (["purchase_amount_cents"], 500)


def test_it_buys_a_reward(app: Flask, bakery: Shop, till: Caller) -> None:
    with app.app_context():
        card = factories.make_card(bakery, points=150)
        reward_id = factories.make_reward(bakery, "Cake", 100)
    said = post(till, card, "redeem", reward_id=reward_id)
    assert said.keys() == DONE | {
        "reward_id",
        "reward_name",
        "points_spent",
        "points_balance",
        "total_points_redeemed",
    }
    assert (said["reward_name"], said["points_spent"], said["points_balance"]) == ("Cake", 100, 50)
    refused = post(till, card, "redeem", reward_id=reward_id)
    assert (refused["code"], refused["points_balance"], refused["points_required"]) == ("INSUFFICIENT_POINTS", 50, 100)
    assert post(till, card, "redeem", reward_id="rw-nothing")["code"] == "INVALID_REWARD"


def test_it_gives_rewards_at_home_where_the_platform_says_so(app: Flask, bakery: Shop, till: Caller) -> None:
    with app.app_context():
        factories.change_policy(bakery, allow_cross_store_redemption=False)
        card = factories.make_card(bakery, points=150)
        reward_id = factories.make_reward(bakery, "Cake", 100)
        factories.make_store(bakery, "station")
    away = post(till, card, "redeem", reward_id=reward_id, store_code="station")
    assert away["code"] == "STORE_NOT_ALLOWED"
    assert post(till, card, "redeem", reward_id=reward_id, store_code="main")["success"] is True


def test_it_takes_points_back(till: Caller, manager: Caller, card: Card) -> None:
    earned = post(till, card, "earn", purchase_amount_cents=2000, order_reference="R-1")
    part = post(manager, card, "void", order_reference="R-1", points_to_void=50, reason="Returned")
    assert part.keys() == DONE | {"transaction_ids", "points_voided", "shortfall", "points_balance"}
    assert (part["points_voided"], part["points_balance"]) == (50, 150)
    rest = post(manager, card, "void", transaction_id=earned["transaction_id"], reason="Returned")
    assert (rest["points_voided"], rest["points_balance"]) == (150, 0)
    more = post(manager, card, "void", transaction_id=earned["transaction_id"], reason="Returned")
    assert more["code"] == "ALREADY_VOIDED"
    assert post(manager, card, "void", order_reference="R-2", reason="x")["code"] == "TRANSACTION_NOT_FOUND"
    assert list(post(manager, card, "void", reason="x")["errors"]) == ["order_reference"]


def test_it_corrects_points(manager: Caller, card: Card) -> None:
    said = post(manager, card, "adjust", points_delta=70, reason="Paper card")
    assert said.keys() == DONE | {"points_delta", "points_balance"}
    assert (said["points_delta"], said["points_balance"]) == (70, 70)
    assert post(manager, card, "adjust", points_delta=-71, reason="Oops")["code"] == "INSUFFICIENT_POINTS"
    assert list(post(manager, card, "adjust", points_delta=100_001, reason="Oops")["errors"]) == ["points_delta"]
