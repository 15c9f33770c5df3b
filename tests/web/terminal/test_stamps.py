"""Stamping at the till."""

import pytest
from flask import Flask

from tests.counter import Counter, screen_of, title_of
from tests.factories import Card, Shop, change_program, make_card


def test_it_stamps_and_shows_the_next_customer_where_the_button_was(till: Counter, cleo: Card) -> None:
    answer = till.as_htmx().post(f"/terminal/cards/{cleo.card_id}/stamps", quantity=1)
    assert answer.status_code == 200
    assert screen_of(answer) == "result"
    assert title_of(answer) == "Stamp added: 4 of 10"
    assert "Next customer" in answer.text
    assert '"kind": "ok"' in answer.headers["HX-Trigger-After-Swap"]


def test_it_names_what_was_done_and_offers_to_undo_it(till: Counter, cleo: Card) -> None:
    answer = till.as_htmx().post(f"/terminal/cards/{cleo.card_id}/stamps", quantity=1)
    assert 'id="last" hx-swap-oob="true"' in answer.text
    assert "+1 stamp" in answer.text
    assert answer.text.count("Undo") == 2
    assert '<p id="announce" hx-swap-oob="innerHTML">Stamp added: 4 of 10</p>' in answer.text


def test_it_stamps_without_htmx_and_loading_again_changes_nothing(till: Counter, cleo: Card) -> None:
    answer = till.post(f"/terminal/cards/{cleo.card_id}/stamps", quantity=1)
    assert answer.status_code == 303
    result = till.get(answer.location)
    assert screen_of(result) == "result"
    assert title_of(result) == "Stamp added: 4 of 10"
    again = till.get(answer.location)
    assert screen_of(again) == "card"
    assert "4/10" in again.text


def test_it_gives_one_stamp_for_two_taps(till: Counter, cleo: Card) -> None:
    key = "the-same-form-sent-twice"
    answers = [till.as_htmx().post(f"/terminal/cards/{cleo.card_id}/stamps", key=key, quantity=1) for _ in range(2)]
    assert [title_of(answer) for answer in answers] == ["Stamp added: 4 of 10"] * 2


def test_it_says_from_when_on_the_next_stamp_is_possible(till: Counter, cleo: Card) -> None:
    till.post(f"/terminal/cards/{cleo.card_id}/stamps", quantity=1)
    refused = till.as_htmx().post(f"/terminal/cards/{cleo.card_id}/stamps", quantity=1)
    assert refused.status_code == 409
    assert screen_of(refused) == "card"
    assert title_of(refused).startswith("Next stamp from ")
    assert 'aria-disabled="true"' in refused.text
    assert '"kind": "warn"' in refused.headers["HX-Trigger-After-Swap"]


def test_it_shows_who_stamped_last_before_anybody_taps(till: Counter, cleo: Card) -> None:
    till.post(f"/terminal/cards/{cleo.card_id}/stamps", quantity=1)
    till.get(f"/terminal/cards/{cleo.card_id}")
    card = till.get(f"/terminal/cards/{cleo.card_id}")
    assert "by Ben." in card.text


def test_it_says_that_the_day_is_full(app: Flask, till: Counter, bakery: Shop, cleo: Card) -> None:
    with app.app_context():
        change_program(bakery, cooldown_minutes=0, max_daily_stamps=1)
    till.post(f"/terminal/cards/{cleo.card_id}/stamps", quantity=1)
    refused = till.as_htmx().post(f"/terminal/cards/{cleo.card_id}/stamps", quantity=1)
    assert refused.status_code == 409
    assert title_of(refused) == "No more stamps today"
    assert "1 of 1 stamps" in refused.text


def test_it_celebrates_a_full_card_and_offers_the_reward(app: Flask, till: Counter, bakery: Shop) -> None:
    with app.app_context():
        card = make_card(bakery, stamps=9)
    answer = till.as_htmx().post(f"/terminal/cards/{card.card_id}/stamps", quantity=1)
    assert title_of(answer) == "Card full: 1 free coffee"
    assert "Redeem: 1 free coffee" in answer.text
    assert '"kind": "full"' in answer.headers["HX-Trigger-After-Swap"]


def test_it_offers_several_stamps_where_the_program_allows_them(
    app: Flask, till: Counter, bakery: Shop, cleo: Card
) -> None:
    with app.app_context():
        change_program(bakery, max_stamps_per_action=3)
    card = till.get(f"/terminal/cards/{cleo.card_id}")
    assert "+2" in card.text
    assert "+3" in card.text
    answer = till.as_htmx().post(f"/terminal/cards/{cleo.card_id}/stamps", quantity=3)
    assert title_of(answer) == "3 stamps added: 6 of 10"


@pytest.mark.parametrize("quantity", ["0", "-1", "two", "2", "9999999999", "½"])
def test_it_refuses_a_number_of_stamps_that_is_not_allowed(till: Counter, cleo: Card, quantity: str) -> None:
    answer = till.as_htmx().post(f"/terminal/cards/{cleo.card_id}/stamps", quantity=quantity)
    assert answer.status_code == 422
    assert "3/10" in answer.text


def test_it_refuses_a_stranger(stranger: Counter, cleo: Card) -> None:
    answer = stranger.post(f"/terminal/cards/{cleo.card_id}/stamps", quantity=1)
    assert answer.status_code == 401
    assert screen_of(answer) == "pair"


def test_it_refuses_another_vendor(next_door: Counter, till: Counter, cleo: Card) -> None:
    answer = next_door.as_htmx().post(f"/terminal/cards/{cleo.card_id}/stamps", quantity=1)
    assert answer.status_code == 404
    assert "Cleo" not in answer.text
    assert "3/10" in till.get(f"/terminal/cards/{cleo.card_id}").text


def test_it_asks_for_a_new_page_where_the_key_is_missing(till: Counter, cleo: Card) -> None:
    answer = till.as_htmx().post(f"/terminal/cards/{cleo.card_id}/stamps", key="short", quantity=1)
    assert answer.status_code == 422
    assert "3/10" in answer.text


@pytest.mark.parametrize("fields", [{}, {"staff_pin": "482913"}])
def test_it_refuses_what_another_site_sends(till: Counter, cleo: Card, fields: dict[str, str]) -> None:
    till.client.environ_base["HTTP_SEC_FETCH_SITE"] = "cross-site"
    answer = till.post(f"/terminal/cards/{cleo.card_id}/stamps", quantity="1", **fields)
    assert answer.status_code == 403
    assert "This was not done" in answer.text
