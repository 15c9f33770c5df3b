"""Finding a card at the till."""

import pytest
from flask import Flask

from loyalty.domain.codes import make_scan_code
from tests.counter import Counter, screen_of, title_of
from tests.factories import Card, Shop, make_card


def test_it_opens_the_card_that_was_scanned(till: Counter, cleo: Card) -> None:
    answer = till.as_htmx().post("/terminal/lookup", q=cleo.scan_code, src="scanner")
    assert screen_of(answer) == "card"
    assert title_of(answer) == "Cleo Martin"
    assert "3/10" in answer.text
    assert '"kind": "found"' in answer.headers["HX-Trigger-After-Swap"]


def test_it_goes_to_the_card_without_htmx(till: Counter, cleo: Card) -> None:
    answer = till.post("/terminal/lookup", q=cleo.card_number)
    assert answer.status_code == 303
    assert screen_of(till.get(answer.location)) == "card"


@pytest.mark.parametrize(
    "typed",
    ["621 123 456", "00352621123456", "+352 621 123 456", "Cleo@Example.org", "cleo m", "Martin", "mar"],
)
def test_it_finds_a_card_by_what_a_customer_says(till: Counter, cleo: Card, typed: str) -> None:
    assert title_of(till.as_htmx().post("/terminal/lookup", q=typed)) == "Cleo Martin"


def test_it_finds_a_card_by_its_number_as_it_is_printed(till: Counter, cleo: Card) -> None:
    number = f"{cleo.card_number[:4]} {cleo.card_number[4:7]}-{cleo.card_number[7:]}"
    assert title_of(till.as_htmx().post("/terminal/lookup", q=number)) == "Cleo Martin"


def test_it_finds_a_card_by_what_an_azerty_scanner_makes_of_its_number(till: Counter, cleo: Card) -> None:
    azerty = dict(zip("1234567890", "&é\"'(-è_çà", strict=True))
    typed = "".join(azerty[digit] for digit in cleo.card_number)
    assert title_of(till.as_htmx().post("/terminal/lookup", q=typed)) == "Cleo Martin"


def test_it_asks_which_of_several_is_meant_and_shows_little_of_each(
    app: Flask, till: Counter, bakery: Shop, cleo: Card
) -> None:
    with app.app_context():
        for number in range(6):
            make_card(bakery, name=f"Cleo Number{number}")
    answer = till.as_htmx().post("/terminal/lookup", q="cleo")
    assert answer.status_code == 409
    assert screen_of(answer) == "matches"
    assert answer.text.count('class="hit"') == 5
    assert "Number" not in answer.text


def test_it_says_what_was_not_found_and_three_ways_on(till: Counter) -> None:
    answer = till.as_htmx().post("/terminal/lookup", q="<i>nobody</i>")
    assert answer.status_code == 404
    assert title_of(answer) == "Card not found"
    assert "&lt;i&gt;nobody" in answer.text
    for way in ("Scan again", "Search by phone or name", "New customer"):
        assert way in answer.text


def test_it_says_that_a_whole_code_belongs_to_another_shop(till: Counter) -> None:
    answer = till.as_htmx().post("/terminal/lookup", q=make_scan_code())
    assert title_of(answer) == "This card belongs to another shop"


@pytest.mark.parametrize("typed", ["", "   "])
def test_it_asks_for_something_to_look_for(till: Counter, typed: str) -> None:
    answer = till.as_htmx().post("/terminal/lookup", q=typed)
    assert answer.status_code == 422
    assert screen_of(answer) == "ready"
    assert "Scan a card, or type" in answer.text


@pytest.mark.parametrize("typed", ["x" * 5000, "%", "\\", "'; --", "\u202e", "١٢٣٤٥٦٧٨٩٠"])
def test_it_takes_anything_that_a_scanner_may_send(till: Counter, typed: str) -> None:
    assert till.as_htmx().post("/terminal/lookup", q=typed).status_code in (404, 422)


def test_it_refuses_a_stranger(stranger: Counter, cleo: Card) -> None:
    answer = stranger.post("/terminal/lookup", q=cleo.scan_code)
    assert answer.status_code == 401
    assert "Cleo" not in answer.text


def test_it_finds_nothing_of_another_vendor(next_door: Counter, cleo: Card) -> None:
    for typed in (cleo.scan_code, cleo.card_number, "cleo@example.org", "621123456", "cleo"):
        answer = next_door.as_htmx().post("/terminal/lookup", q=typed)
        assert answer.status_code == 404
        assert "Martin" not in answer.text


def test_it_shows_the_same_card_for_a_second_scan(till: Counter, cleo: Card) -> None:
    titles = [title_of(till.as_htmx().post("/terminal/lookup", q=cleo.scan_code)) for _ in range(2)]
    assert titles == ["Cleo Martin"] * 2
