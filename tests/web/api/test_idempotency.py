"""Sent twice, done once: the same bytes come back, and another body is refused."""

import threading

import pytest
from flask import Flask

from tests import factories
from tests.factories import Card, Shop
from tests.web.api.callers import Caller, make_api_key

STAMPS = "/vendor/loyalty/stamps"
KEY = "5f0f6a6e-2f0e-4a87-9b5e-3f8f6d4d1c11"


def test_it_gives_the_same_bytes_again(till: Caller, card: Card) -> None:
    body = {"card_id": str(card.card_id), "quantity": 2}
    first = till.post(STAMPS, body, key=KEY)
    assert till.post(STAMPS, {"card_id": str(card.card_id)}).status_code == 200
    again = till.post(STAMPS, body, key=KEY)
    assert (again.status_code, again.data) == (first.status_code, first.data)
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"


def test_it_takes_what_was_left_out_for_what_is_usual(till: Caller, card: Card) -> None:
    first = till.post(STAMPS, {"card_id": str(card.card_id)}, key=KEY)
    again = till.post(STAMPS, {"quantity": 1, "notes": None, "card_id": str(card.card_id)}, key=KEY)
    assert again.data == first.data


@pytest.mark.parametrize(
    "change", [{"quantity": 3}, {"notes": "x"}, {"staff_id": "0199f1c2-7d1e-7cc3-98c4-dc0c0c07398f"}]
)
def test_it_refuses_another_body(till: Caller, card: Card, change: dict[str, object]) -> None:
    body = {"card_id": str(card.card_id)}
    till.post(STAMPS, body, key=KEY)
    answer = till.post(STAMPS, body | change, key=KEY)
    assert (answer.status_code, (answer.json or {})["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")


def test_it_refuses_another_address(till: Caller, card: Card) -> None:
    till.post(STAMPS, {"card_id": str(card.card_id), "quantity": 1}, key=KEY)
    answer = till.post(f"{STAMPS}/redeem", {"card_id": str(card.card_id)}, key=KEY)
    assert (answer.json or {})["code"] == "IDEMPOTENCY_KEY_REUSED"


def test_it_leaves_the_pin_out_of_what_was_asked(till: Caller, card: Card, app: Flask, bakery: Shop) -> None:
    """Who mistyped the PIN asks for the same thing, and an answer that was given needs no PIN any more."""
    body = {"card_id": str(card.card_id)}
    first = till.post(STAMPS, body, key=KEY)
    again = till.post(STAMPS, {**body, "staff_pin": "000000"}, key=KEY)
    assert again.data == first.data


@pytest.mark.parametrize(
    "key",
    ["", "short", "k" * 15, "k" * 129, "k" * 20 + " k", "k" * 20 + "é"],
    ids=["none", "short", "15", "129", "space", "no ASCII"],
)
def test_it_asks_for_a_key_of_16_to_128_characters(app: Flask, till: Caller, card: Card, key: str) -> None:
    headers = {"Authorization": f"Bearer {till.api_key}", **({"Idempotency-Key": key} if key else {})}
    answer = app.test_client().post(f"/api/v1{STAMPS}", json={"card_id": str(card.card_id)}, headers=headers)
    assert (answer.status_code, list((answer.json or {})["errors"])) == (422, ["Idempotency-Key"])


def test_it_gives_each_caller_keys_of_its_own(app: Flask, bakery: Shop, till: Caller, card: Card) -> None:
    with app.app_context():
        other = Caller(app, make_api_key(bakery))
    body = {"card_id": str(card.card_id)}
    counts = [(caller.post(STAMPS, body, key=KEY).json or {})["stamp_count"] for caller in (till, other)]
    assert counts == [1, 2]


def test_it_keeps_nothing_of_a_refusal(till: Caller, card: Card, app: Flask, bakery: Shop) -> None:
    with app.app_context():
        factories.change_program(bakery, is_active=False)
    body = {"card_id": str(card.card_id)}
    assert till.post(STAMPS, body, key=KEY).status_code == 409
    with app.app_context():
        factories.change_program(bakery, is_active=True)
    answer = till.post(STAMPS, body, key=KEY)
    assert answer.status_code == 200
    assert "Idempotency-Replayed" not in answer.headers


def test_it_gives_the_answer_again_after_the_store_has_closed(
    till: Caller, manager: Caller, card: Card, app: Flask, bakery: Shop
) -> None:
    with app.app_context():
        store_id = factories.make_store(bakery, "station")
    body = {"card_id": str(card.card_id), "store_code": "station"}
    first = till.post(STAMPS, body, key=KEY)
    assert manager.send("DELETE", f"/vendor/loyalty/stores/{store_id}").status_code == 200
    again = till.post(STAMPS, body, key=KEY)
    assert (again.status_code, again.data, again.headers["Idempotency-Replayed"]) == (200, first.data, "true")
    # Nothing new happens there, under no key.
    other, reused = till.post(STAMPS, body), till.post(STAMPS, body | {"quantity": 2}, key=KEY)
    assert (other.status_code, list((other.json or {})["errors"])) == (422, ["store_code"])
    assert (reused.json or {})["code"] == "IDEMPOTENCY_KEY_REUSED"
    assert (manager.get(f"/vendor/loyalty/cards/{card.card_id}").json or {})["stamp_count"] == 1


def test_it_stamps_once_for_twins_at_the_same_moment(till: Caller, card: Card) -> None:
    body = {"card_id": str(card.card_id)}
    answers: list[bytes] = []
    twins = [threading.Thread(target=lambda: answers.append(till.post(STAMPS, body, key=KEY).data)) for _ in range(4)]
    for twin in twins:
        twin.start()
    for twin in twins:
        twin.join()
    assert len(set(answers)) == 1
    assert (till.post(STAMPS, body).json or {})["stamp_count"] == 2
