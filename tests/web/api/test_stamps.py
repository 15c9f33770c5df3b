"""Stamps as JSON."""

from tests.factories import Card, Shop
from tests.web.api.callers import Caller


def test_it_adds_stamps(till: Caller, card: Card, bakery: Shop) -> None:
    answer = till.post("/vendor/loyalty/stamps", {"card_id": str(card.card_id), "quantity": 2})
    assert answer.status_code == 200, answer.text
    said = answer.json or {}
    assert said["success"] is True
    assert said["message"] == "2 stamps added."
    assert (said["stamp_count"], said["stamps_target"], said["stamps_until_reward"]) == (2, 10, 8)
    assert said["store_id"] == str(bakery.store_id)
