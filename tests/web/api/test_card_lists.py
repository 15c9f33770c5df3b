"""Lists of cards: each once, found by name and number, in pages."""

import pytest
from flask import Flask

from tests import factories
from tests.factories import Card, Shop
from tests.web.api.callers import Caller, walk
from tests.web.api.card_paths import CARDS


def test_it_lists_every_card_once_while_others_come(app: Flask, bakery: Shop, reader: Caller) -> None:
    with app.app_context():
        made = [str(factories.make_card(bakery).card_id) for _ in range(5)]
        factories.make_card(factories.make_shop("meat"))
    first = reader.get(CARDS, limit=2).json or {}
    with app.app_context():
        factories.make_card(bakery)
    second = reader.get(CARDS, limit=2, cursor=first["next_cursor"]).json or {}
    third = reader.get(CARDS, limit=2, cursor=second["next_cursor"]).json or {}
    seen = [card["card_id"] for page in (first, second, third) for card in page["items"]]
    assert (seen, third["next_cursor"]) == (made[::-1], None)
    assert len(walk(reader, CARDS, limit=1)) == 6


def test_it_finds_cards_by_name_and_number(app: Flask, bakery: Shop, reader: Caller) -> None:
    with app.app_context():
        cleo = factories.make_card(bakery, name="Cleo Martin", email="c@example.org", phone="+352621123456")
        dan = factories.make_card(bakery, name="Dan Weber")
        factories.make_card(factories.make_shop("meat"), name="Cleo Martin")
    number = cleo.card_number
    spaced = f"{number[:4]} {number[4:7]} {number[7:]}"
    for text in (
        "cleo",
        "MART",
        number,
        spaced,
        number[:9],
        cleo.scan_code,
        f"https://x.example/card/{cleo.public_token}",
    ):
        assert [card["card_id"] for card in walk(reader, CARDS, search=text)] == [str(cleo.card_id)], text
    assert [card["card_id"] for card in walk(reader, CARDS, search="weber")] == [str(dan.card_id)]
    for text in ("zoe", "%", "_", "c", "352621123456", "99999999999999"):
        assert walk(reader, CARDS, search=text) == [], text
    assert len(walk(reader, CARDS, search="  ")) == 2


@pytest.mark.parametrize("text", ["c@example.org", "+352621123456", "@"])
def test_it_takes_no_address_of_a_person_where_logs_keep_it(reader: Caller, card: Card, text: str) -> None:
    answer = reader.get(CARDS, search=text)
    assert (answer.status_code, list((answer.json or {})["errors"])) == (422, ["search"])
    assert text not in answer.text or text == "@"


def test_it_lists_closed_cards_apart(manager: Caller, card: Card) -> None:
    manager.post(f"{CARDS}/{card.card_id}/deactivate", {"reason": "Lost"})
    assert walk(manager, CARDS, is_active="true") == []
    assert len(walk(manager, CARDS, is_active="false")) == len(walk(manager, CARDS)) == 1
    assert manager.get(CARDS, is_active="maybe").status_code == 422
