"""A card on the till's screen."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from loyalty.services import cards
from tests.counter import Counter, screen_of
from tests.factories import Card, Shop, change_program, make_card, make_key


@pytest.mark.parametrize("path", ["", "/code"])
def test_it_shows_the_card_whole_and_as_a_fragment(till: Counter, cleo: Card, path: str) -> None:
    whole = till.get(f"/terminal/cards/{cleo.card_id}{path}")
    part = till.as_htmx().get(f"/terminal/cards/{cleo.card_id}{path}")
    assert whole.text.startswith("<!doctype html>")
    assert "<html" not in part.text
    for answer in (whole, part):
        assert answer.status_code == 200
        assert "Cleo Martin" in answer.text
        assert "HX-Request" in answer.headers["Vary"]
        assert answer.headers["Cache-Control"] == "no-store"


def test_it_never_puts_the_focus_on_a_button(till: Counter, cleo: Card) -> None:
    page = till.get(f"/terminal/cards/{cleo.card_id}")
    assert "autofocus" not in page.text
    assert page.text.count("data-focus") == 1


def test_it_shows_the_way_back_to_a_lost_card(till: Counter, cleo: Card) -> None:
    page = till.get(f"/terminal/cards/{cleo.card_id}/code")
    assert "Show the card again" in page.text
    assert '<svg viewBox="0 0 ' in page.text


def test_it_says_that_a_card_is_not_active(app: Flask, till: Counter, bakery: Shop, cleo: Card) -> None:
    with app.app_context():
        cards.deactivate(actor=bakery.ada, card=cleo.ref, reason="lost", key=make_key(bakery.ada))
    page = till.get(f"/terminal/cards/{cleo.card_id}")
    assert "This card is not active" in page.text
    assert f"/terminal/cards/{cleo.card_id}/stamps" not in page.text


def test_it_says_that_the_program_is_paused(app: Flask, till: Counter, bakery: Shop, cleo: Card) -> None:
    with app.app_context():
        change_program(bakery, is_active=False)
    assert "The program is paused" in till.get(f"/terminal/cards/{cleo.card_id}").text


def test_it_wishes_a_happy_birthday(app: Flask, till: Counter, bakery: Shop) -> None:
    with app.app_context():
        card = make_card(bakery, birth_date=datetime.now(ZoneInfo("Europe/Luxembourg")).date().replace(year=1988))
    assert "Birthday today" in till.get(f"/terminal/cards/{card.card_id}").text


def test_it_draws_a_bar_where_there_are_too_many_stamps(app: Flask, till: Counter, bakery: Shop, cleo: Card) -> None:
    with app.app_context():
        change_program(bakery, stamps_target=30)
    page = till.get(f"/terminal/cards/{cleo.card_id}")
    assert "3/30" in page.text
    assert 'class="pass-bar"' in page.text


@pytest.mark.parametrize("path", ["", "/code", "/redemptions/new"])
def test_it_refuses_strangers_and_another_vendor(stranger: Counter, next_door: Counter, cleo: Card, path: str) -> None:
    address = f"/terminal/cards/{cleo.card_id}{path}"
    assert stranger.get(address).status_code == 401
    refused = next_door.get(address)
    assert refused.status_code == 404
    assert "Cleo" not in refused.text


@pytest.mark.parametrize("card_id", ["00000000-0000-4000-8000-000000000001", "1", "../x"])
def test_it_finds_no_card_that_does_not_exist(till: Counter, card_id: str) -> None:
    assert till.get(f"/terminal/cards/{card_id}").status_code == 404


def test_it_has_the_policy_that_the_reader_of_codes_needs(till: Counter) -> None:
    page = till.get("/terminal")
    assert screen_of(page) == "ready"
    assert "script-src 'self' 'wasm-unsafe-eval'" in page.headers["Content-Security-Policy"]
    assert "unsafe-inline" not in page.headers["Content-Security-Policy"]
    assert "style=" not in page.text
    assert "camera=(self)" in page.headers["Permissions-Policy"]
