"""Pairing a tablet."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from loyalty.database import db, transaction
from loyalty.models.vendors import Vendor
from loyalty.services import terminals
from tests.counter import Counter, screen_of, title_of
from tests.factories import Shop, make_key


@pytest.fixture
def code(app: Flask, bakery: Shop) -> str:
    """A fresh code from the office."""
    with app.app_context():
        made = terminals.create_code(
            actor=bakery.ada, store_id=bakery.store_id, label="Window", key=make_key(bakery.ada)
        )
    assert made.code is not None
    return made.code


def test_it_shows_a_stranger_how_to_pair(stranger: Counter) -> None:
    page = stranger.get("/terminal")
    assert page.status_code == 200
    assert title_of(page) == "Pair this tablet"


def test_it_pairs_the_tablet_and_asks_for_a_pin(stranger: Counter, code: str) -> None:
    answer = stranger.post("/terminal/pair", code=code.lower())
    assert answer.status_code == 303
    cookie = next(value for name, value in answer.headers if name == "Set-Cookie" and value.startswith("terminal="))
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert screen_of(stranger.get("/terminal")) == "pin"


def test_it_pairs_one_tablet_per_code(app: Flask, stranger: Counter, code: str) -> None:
    stranger.post("/terminal/pair", code=code)
    second = Counter(app.test_client())
    answer = second.post("/terminal/pair", code=code)
    assert answer.status_code == 422
    assert screen_of(second.get("/terminal")) == "pair"


@pytest.mark.parametrize("typed", ["", "K7QD", "AAAA-BBBB", "<b>", "x" * 5000])
def test_it_says_what_is_wrong_with_a_code_and_keeps_it(stranger: Counter, typed: str) -> None:
    answer = stranger.post("/terminal/pair", code=typed)
    assert answer.status_code == 422
    assert "This code does not work" in answer.text
    assert "<title>Error: " in answer.text
    assert "<b>" not in answer.text


def test_it_shuts_nobody_out_for_what_can_be_no_code(stranger: Counter, code: str) -> None:
    for _ in range(7):
        assert stranger.post("/terminal/pair", code=code[:5]).status_code == 422
    assert stranger.post("/terminal/pair", code=code).status_code == 303


def test_it_names_the_zone_of_the_time_while_no_shop_has_one(stranger: Counter) -> None:
    for _ in range(6):
        answer = stranger.post("/terminal/pair", code="AAAA-BBBB")
    assert answer.status_code == 429
    assert re.search(r"Wait until \d\d:\d\d UTC\.", answer.text)


def test_it_says_that_the_shop_is_closed(app: Flask, till: Counter, bakery: Shop) -> None:
    with app.app_context(), transaction():
        db.session.get_one(Vendor, bakery.vendor_id).status = "suspended"
    page = till.get("/terminal")
    assert page.status_code == 403
    assert "closed on this platform" in page.text


def test_it_speaks_no_store_to_a_browser_with_a_wrong_cookie(client: FlaskClient, bakery: Shop) -> None:
    client.set_cookie("terminal", "not-a-token")
    page = Counter(client).get("/terminal")
    assert title_of(page) == "This tablet was signed out by the owner"
    assert "Main Street" not in page.text
