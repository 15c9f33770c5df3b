"""Cards replaced by a shop's own software."""

import sqlalchemy as sa

from loyalty.database import db
from loyalty.models.cards import LoyaltyCard
from tests.factories import Card
from tests.web.api.callers import Caller

CARDS = "/vendor/loyalty/cards"


def test_it_replaces_a_card_and_refuses_its_old_codes(manager: Caller, till: Caller, card: Card) -> None:
    answer = manager.post(f"{CARDS}/{card.card_id}/replace", {"reason": "Lost"})
    new = answer.json or {}
    assert (answer.status_code, new["old_card_number"]) == (200, card.card_number)
    assert new["card_number"] != card.card_number
    refused = till.post(f"{CARDS}/lookup", {"scan_code": card.scan_code})
    problem = refused.json or {}
    assert (refused.status_code, problem["code"]) == (409, "CARD_INACTIVE")
    assert problem["replaced_at"].endswith("Z")
    found = till.post(f"{CARDS}/lookup", {"scan_code": new["scan_code"]}).json or {}
    assert found["card_id"] == str(card.card_id)


def test_it_refuses_what_is_done_with_an_old_code_in_words(manager: Caller, till: Caller, card: Card) -> None:
    manager.post(f"{CARDS}/{card.card_id}/replace", {"reason": "Lost"})
    for old in ({"scan_code": card.scan_code}, {"card_number": card.card_number}):
        refused = till.post("/vendor/loyalty/stamps", {**old, "quantity": 1})
        problem = refused.json or {}
        assert (refused.status_code, problem["code"]) == (409, "CARD_INACTIVE")
        assert problem["title"] == "This card was replaced by a new one. Only the new card is valid."


def test_it_needs_the_scope_of_managers(till: Caller, card: Card) -> None:
    assert till.post(f"{CARDS}/{card.card_id}/replace", {"reason": "Lost"}).status_code == 403


def test_it_lists_nothing_of_what_is_left_of_old_codes(manager: Caller, card: Card) -> None:
    manager.post(f"{CARDS}/{card.card_id}/replace", {"reason": "Lost"})
    with manager.app.app_context():
        old_id = db.session.scalar(sa.select(LoyaltyCard.id).where(LoyaltyCard.replaced_by_id == card.card_id))
    for path in (f"{CARDS}/{old_id}", f"{CARDS}/{old_id}/transactions"):
        assert (manager.get(path).json or {})["code"] == "CARD_NOT_FOUND"
