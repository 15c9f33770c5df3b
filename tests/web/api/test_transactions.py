"""Single rows of the ledger as JSON."""

from typing import Any

from flask import Flask

from loyalty.services import stamps
from tests import factories
from tests.factories import Card, Shop
from tests.web.api.callers import Caller

LOYALTY = "/vendor/loyalty"


def void(caller: Caller, transaction_id: object, **more: object) -> dict[str, Any]:
    answer = caller.post(f"{LOYALTY}/transactions/{transaction_id}/void", {"reason": "Wrong card", **more})
    return dict(answer.json or {})


def test_it_takes_back_whatever_it_was(app: Flask, bakery: Shop, till: Caller) -> None:
    with app.app_context():
        card = factories.make_card(bakery, stamps=10, points=100)
        reward_id = factories.make_reward(bakery, "Cake", 100)
    body = {"card_id": str(card.card_id)}
    for path, more, balances in (
        ("stamps", {"quantity": 2}, (10, 100)),
        ("points/earn", {"purchase_amount_cents": 100}, (10, 100)),
        ("stamps/redeem", {}, (10, 100)),
        ("points/redeem", {"reward_id": reward_id}, (10, 100)),
    ):
        done = till.post(f"{LOYALTY}/{path}", body | more).json or {}
        said = void(till, done["transaction_id"])
        assert (said["stamp_count"], said["points_balance"]) == balances, path
        assert (said["success"], said["shortfall"]) == (True, 0)
        assert void(till, done["transaction_id"])["code"] == "ALREADY_VOIDED"


def test_it_knows_no_row_next_door(app: Flask, till: Caller) -> None:
    with app.app_context():
        meat = factories.make_shop("meat", cooldown_minutes=0, policy={"staff_pin_policy": "disabled"})
        card: Card = factories.make_card(meat)
        row = stamp_of(meat, card)
    assert void(till, row)["code"] == "TRANSACTION_NOT_FOUND"
    assert void(till, "0199f1c2-7d1e-7cc3-98c4-dc0c0c07398f")["code"] == "TRANSACTION_NOT_FOUND"


def test_it_takes_back_no_beginning(app: Flask, manager: Caller, card: Card) -> None:
    adjusted = manager.post(
        f"{LOYALTY}/stamps/adjust", {"card_id": str(card.card_id), "stamps_delta": 2, "reason": "Paper card"}
    )
    assert void(manager, (adjusted.json or {})["transaction_id"])["code"] == "VOID_NOT_ALLOWED"


def stamp_of(shop: Shop, card: Card) -> object:
    return stamps.add(actor=shop.ben, card=card.ref, quantity=1, key=factories.make_key(shop.ben)).transaction_id
