"""A new customer at the counter."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from tests.counter import Counter, screen_of, title_of
from tests.factories import Card, Shop, change_policy, make_card

FIELDS = {"email": "lea@example.org", "phone": "", "name": "Léa", "accept_terms": "y"}


def arrivals(since: datetime) -> str:
    """The address that is asked every three seconds."""
    return f"/terminal/customers/arrivals?since={since.isoformat().replace('+', '%2B')}"


def test_it_shows_the_way_to_join(till: Counter) -> None:
    page = till.get("/terminal/customers/new")
    assert screen_of(page) == "new_customer"
    assert "/join/bakery?store=main" in page.text
    assert 'hx-trigger="every 3s"' in page.text


def test_it_makes_a_card_from_what_is_typed(till: Counter) -> None:
    answer = till.as_htmx().post("/terminal/customers", **FIELDS)
    assert answer.status_code == 200
    assert title_of(answer) == "New card"
    assert "0/10" in answer.text


def test_it_makes_a_card_without_htmx(till: Counter) -> None:
    answer = till.post("/terminal/customers", **FIELDS)
    assert answer.status_code == 303
    assert title_of(till.get(answer.location)) == "New card"


def test_it_makes_one_card_for_two_taps(till: Counter) -> None:
    pages = [till.as_htmx().post("/terminal/customers", key="one-form-two-taps", **FIELDS) for _ in range(2)]
    numbers = [re.findall(r'data-number="(\d+)"', page.text) for page in pages]
    assert numbers[0] == numbers[1]


def test_it_finds_the_card_of_somebody_it_knows(till: Counter, cleo: Card) -> None:
    answer = till.as_htmx().post("/terminal/customers", **{**FIELDS, "email": "CLEO@example.org"})
    assert title_of(answer) == "This customer has a card already"
    assert cleo.card_number in answer.text


@pytest.mark.parametrize(
    ("field", "typed"), [("email", "nonsense"), ("email", "x@" + "y" * 400), ("phone", "12"), ("accept_terms", "")]
)
def test_it_says_beside_the_field_what_is_wrong(till: Counter, field: str, typed: str) -> None:
    answer = till.as_htmx().post("/terminal/customers", **{**FIELDS, field: typed})
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert "Léa" in answer.text
    assert "<title>Error: " in answer.text


def test_it_shows_the_card_of_whoever_joined_meanwhile(app: Flask, till: Counter, bakery: Shop) -> None:
    since = datetime.now(UTC)
    assert till.as_htmx().get(arrivals(since)).status_code == 204
    with app.app_context():
        make_card(bakery, name="Nora")
    assert title_of(till.as_htmx().get(arrivals(since))) == "Nora"


def test_it_stops_waiting_after_two_minutes(till: Counter) -> None:
    answer = till.as_htmx().get(arrivals(datetime.now(UTC) - timedelta(minutes=3)))
    assert answer.status_code == 286
    assert "Wait again" in answer.text
    assert "every 3s" not in answer.text


@pytest.mark.parametrize("since", ["", "yesterday", "2026-01-01", "9999-99-99"])
def test_it_waits_whatever_the_address_says(till: Counter, since: str) -> None:
    assert till.as_htmx().get(f"/terminal/customers/arrivals?since={since}").status_code in (204, 286)


def test_it_shows_no_code_where_cards_are_made_at_the_counter_only(app: Flask, till: Counter, bakery: Shop) -> None:
    with app.app_context():
        change_policy(bakery, allow_self_enrollment=False)
    page = till.get("/terminal/customers/new")
    assert "/join/" not in page.text
    assert "<details open>" in page.text


def test_it_refuses_a_stranger(stranger: Counter) -> None:
    assert stranger.get("/terminal/customers/new").status_code == 401
    assert stranger.post("/terminal/customers", **FIELDS).status_code == 401
    assert stranger.get(arrivals(datetime.now(UTC))).status_code == 401


def test_it_shows_nobody_who_joined_next_door(app: Flask, next_door: Counter, bakery: Shop) -> None:
    since = datetime.now(UTC)
    with app.app_context():
        make_card(bakery, name="Nora")
    assert next_door.as_htmx().get(arrivals(since)).status_code == 204
