"""Looking up one card by what names it."""

import pytest
from flask import Flask

from tests import factories
from tests.factories import Card, Shop
from tests.web.api.callers import Caller
from tests.web.api.card_paths import CARDS, NOBODY


def test_it_looks_a_card_up_by_what_names_it(app: Flask, bakery: Shop, reader: Caller) -> None:
    with app.app_context():
        card = factories.make_card(bakery, email="cleo@example.org", phone="+352621123456")
    for named in (
        {"card_number": card.card_number},
        {"card_number": f" {card.card_number[:4]}-{card.card_number[4:]}"},
        {"scan_code": card.scan_code.lower()},
        {"email": "CLEO@example.org "},
        {"phone": "621 123 456"},
    ):
        answer = reader.post(f"{CARDS}/lookup", named)
        assert (answer.status_code, (answer.json or {})["card_id"]) == (200, str(card.card_id)), named


def test_it_looks_up_without_a_key_of_the_request(app: Flask, reader: Caller, card: Card) -> None:
    answer = app.test_client().post(
        f"/api/v1{CARDS}/lookup",
        json={"card_number": card.card_number},
        headers={"Authorization": f"Bearer {reader.api_key}"},
    )
    assert answer.status_code == 200


def test_it_looks_up_the_active_card_of_a_person(app: Flask, bakery: Shop, manager: Caller) -> None:
    with app.app_context():
        old = factories.make_card(bakery, email="cleo@example.org")
    manager.post(f"{CARDS}/{old.card_id}/deactivate", {"reason": "Lost"})
    found = manager.post(f"{CARDS}/lookup", {"email": "cleo@example.org"}).json or {}
    assert (found["card_id"], found["is_active"]) == (str(old.card_id), False)


@pytest.mark.parametrize(
    ("named", "status", "field"),
    [
        ({}, 422, "card_number"),
        ({"card_number": None}, 422, "card_number"),
        ({"card_number": "4812037756", "email": "cleo@example.org"}, 422, "card_number"),
        ({"email": "cleo"}, 422, "email"),
        ({"phone": "1"}, 422, "phone"),
        ({"card_id": NOBODY}, 422, "card_id"),
        ({"email": "nobody@example.org"}, 404, None),
        ({"phone": "621 999 999"}, 404, None),
        ({"card_number": "4812037756"}, 404, None),
        ({"card_number": "Cleo"}, 404, None),
        ({"scan_code": "4812037756"}, 404, None),
    ],
)
def test_it_looks_up_nothing_else(
    reader: Caller, card: Card, named: dict[str, object], status: int, field: str | None
) -> None:
    answer = reader.post(f"{CARDS}/lookup", named)
    assert answer.status_code == status, answer.text
    if field:
        assert field in (answer.json or {})["errors"]
    else:
        assert (answer.json or {})["code"] == "CARD_NOT_FOUND"
