"""Points from an amount."""

import pytest
from flask import Flask

from tests.counter import Counter, hidden, screen_of, title_of
from tests.factories import Card, Shop, change_policy, change_program, make_card


@pytest.fixture
def card(app: Flask, bakery: Shop) -> Card:
    """A card of the bakery, which gives ten points for each euro now."""
    with app.app_context():
        change_program(bakery, loyalty_type="points", points_per_euro=10)
        return make_card(bakery, points=100)


@pytest.mark.parametrize("typed", ["12,5", "12.50", "12,50 €", " 12.5 "])
def test_it_adds_the_points_of_an_amount(till: Counter, card: Card, typed: str) -> None:
    answer = till.as_htmx().post(f"/terminal/cards/{card.card_id}/points", amount=typed)
    assert answer.status_code == 200
    assert title_of(answer) == "125 points added"
    assert "225 points" in answer.text


def test_it_shows_the_points_before_the_tap_without_scripts(till: Counter, card: Card) -> None:
    answer = till.post(f"/terminal/cards/{card.card_id}/points/preview", amount="12,5")
    assert answer.status_code == 200
    assert "= 125 points" in answer.text
    assert 'value="12,5"' in answer.text
    assert "100 <small>" in answer.text


def test_it_adds_points_without_htmx(till: Counter, card: Card) -> None:
    answer = till.post(f"/terminal/cards/{card.card_id}/points", amount="1")
    assert answer.status_code == 303
    assert title_of(till.get(answer.location)) == "10 points added"


def test_it_adds_points_once_for_two_taps(till: Counter, card: Card) -> None:
    for _ in range(2):
        answer = till.as_htmx().post(f"/terminal/cards/{card.card_id}/points", key="one-form-two-taps", amount="1")
    assert "110 points" in answer.text


@pytest.mark.parametrize("typed", ["", "abc", "-5", "0", "1,2345", "9" * 400, "1e5", "½", "12,5,5"])
def test_it_says_beside_the_field_what_is_wrong_and_keeps_what_was_typed(till: Counter, card: Card, typed: str) -> None:
    key = "the-key-of-a-refused-form"
    answer = till.as_htmx().post(f"/terminal/cards/{card.card_id}/points", key=key, amount=typed)
    assert answer.status_code == 422
    assert 'id="amount-error"' in answer.text
    assert f'value="{typed}"' in answer.text
    assert hidden(till.get(f"/terminal/cards/{card.card_id}"), "key") != key
    assert f'name="key" value="{key}"' in answer.text


def test_it_says_from_which_amount_on_there_are_points(app: Flask, till: Counter, bakery: Shop, card: Card) -> None:
    with app.app_context():
        change_program(bakery, minimum_purchase_cents=500)
    answer = till.as_htmx().post(f"/terminal/cards/{card.card_id}/points", amount="4,99")
    assert answer.status_code == 422
    assert "from €5.00 on" in answer.text


def test_it_says_that_an_amount_is_too_small_for_a_point(app: Flask, till: Counter, bakery: Shop, card: Card) -> None:
    with app.app_context():
        change_program(bakery, points_per_euro=1)
    answer = till.as_htmx().post(f"/terminal/cards/{card.card_id}/points", amount="0,50")
    assert title_of(answer) == "No points added"


def test_it_asks_for_the_number_of_the_receipt(app: Flask, till: Counter, bakery: Shop, card: Card) -> None:
    with app.app_context():
        change_policy(bakery, require_order_reference=True)
    refused = till.as_htmx().post(f"/terminal/cards/{card.card_id}/points", amount="5")
    assert refused.status_code == 422
    assert 'id="reference-error"' in refused.text
    fields = {"amount": "5", "order_reference": "R-1"}
    first = till.as_htmx().post(f"/terminal/cards/{card.card_id}/points", **fields)
    assert title_of(first) == "50 points added"
    other = till.as_htmx().post(f"/terminal/cards/{card.card_id}/points", amount="6", order_reference="R-1")
    assert other.status_code == 422


def test_it_refuses_points_on_a_stamp_card(till: Counter, cleo: Card) -> None:
    answer = till.as_htmx().post(f"/terminal/cards/{cleo.card_id}/points", amount="5")
    assert answer.status_code == 409
    assert "gives no points" in answer.text


@pytest.mark.parametrize("path", ["points", "points/preview"])
def test_it_refuses_strangers_and_another_vendor(stranger: Counter, next_door: Counter, card: Card, path: str) -> None:
    address = f"/terminal/cards/{card.card_id}/{path}"
    assert stranger.post(address, amount="5").status_code == 401
    assert next_door.post(address, amount="5").status_code == 404


def test_it_shows_stamps_first_where_a_program_has_both(app: Flask, till: Counter, bakery: Shop, card: Card) -> None:
    with app.app_context():
        change_program(bakery, loyalty_type="hybrid")
    assert "points_pad" not in till.get(f"/terminal/cards/{card.card_id}").text
    points = till.get(f"/terminal/cards/{card.card_id}?points=1")
    assert screen_of(points) == "card"
    assert "points_pad" in points.text
