"""Refusals at the till: in the right place, in the right words, with a way on."""

import pytest
from flask import Flask

from tests.counter import HTMX, Counter, screen_of, title_of
from tests.factories import Card, Shop, change_program


def test_it_asks_to_load_a_page_that_is_too_old(till: Counter, cleo: Card) -> None:
    address = f"/terminal/cards/{cleo.card_id}/stamps"
    answer = till.client.post(address, data={"key": "k" * 20, "quantity": "1"}, headers=HTMX)
    assert answer.status_code == 400
    assert "too old" in answer.text
    assert "3/10" in till.get(f"/terminal/cards/{cleo.card_id}").text


def test_it_refuses_what_another_site_sends(till: Counter, cleo: Card) -> None:
    address = f"/terminal/cards/{cleo.card_id}/stamps"
    answer = till.client.post(address, data={"quantity": "1"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code in (400, 403)
    assert "3/10" in till.get(f"/terminal/cards/{cleo.card_id}").text


def test_it_keeps_the_card_on_the_screen(app: Flask, till: Counter, bakery: Shop, cleo: Card) -> None:
    with app.app_context():
        change_program(bakery, is_active=False)
    answer = till.as_htmx().post(f"/terminal/cards/{cleo.card_id}/stamps", quantity=1)
    assert answer.status_code == 409
    assert screen_of(answer) == "card"
    assert title_of(answer) == "This was not done"
    assert "paused" in answer.text
    assert "Cleo Martin" in answer.text


def test_it_says_that_a_key_was_used_for_something_else(till: Counter, cleo: Card) -> None:
    key = "one-key-for-two-things"
    till.post(f"/terminal/cards/{cleo.card_id}/stamps", key=key, quantity=1)
    answer = till.as_htmx().post(f"/terminal/cards/{cleo.card_id}/redemptions", key=key)
    assert answer.status_code == 422
    assert "Load it again" in answer.text


@pytest.mark.parametrize("path", ["/terminal/nothing", "/terminal/cards/x", "/terminal/cards//stamps"])
def test_it_has_no_such_page(till: Counter, path: str) -> None:
    assert till.get(path).status_code == 404
