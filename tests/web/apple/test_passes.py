"""The pass: downloaded from the card's page, fetched by phones, unchanged where it is."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import pytest
from flask import Flask

from loyalty.services import cards, passes
from tests.factories import change_program, make_key
from tests.phone import SERVICE
from tests.web.apple.conftest import Bakery


def test_it_hands_out_the_pass_of_a_card_page(bakery: Bakery) -> None:
    held = bakery.phone().add(bakery.address)
    assert held.stamps == "3/10"
    assert len(held.opened.says["authenticationToken"]) >= 43
    assert held.opened.says["serialNumber"] in bakery.address
    assert held.opened.says["authenticationToken"] not in bakery.address


def test_it_names_a_pass_once(bakery: Bakery) -> None:
    with bakery.app.app_context():
        assert passes.find_apple_link(public_token=bakery.card.public_token) == bakery.address
        assert passes.find_apple_link(public_token="unknown") is None


@pytest.mark.parametrize("change", [("token=", "token=x"), (".pkpass", "x.pkpass"), ("?token=", "?other=")])
def test_it_hides_a_pass_from_whoever_lacks_its_secret(bakery: Bakery, change: tuple[str, str]) -> None:
    answer = bakery.app.test_client().get(bakery.address.replace(*change).partition("/api")[2].join(["/api", ""]))
    assert (answer.status_code, answer.data) == (404, b"")


def test_it_shows_the_new_balance_to_a_phone_that_asks(bakery: Bakery) -> None:
    phone = bakery.phone()
    held = phone.add(bakery.address)
    bakery.stamp()
    assert phone.fetch(held.serial).status_code == 200
    assert held.stamps == "4/10"


def test_it_gives_every_change_within_one_second(bakery: Bakery) -> None:
    phone = bakery.phone()
    held = phone.add(bakery.address)
    for balance in range(4, 9):
        bakery.stamp()
        phone.fetch(held.serial)
        assert held.stamps == f"{balance}/10"


def test_it_answers_304_to_a_phone_that_has_the_pass(bakery: Bakery) -> None:
    phone = bakery.phone()
    held = phone.add(bakery.address)
    phone.fetch(held.serial)
    held.last_modified = "Fri, 31 Dec 2100 23:59:59 GMT"
    answer = phone.fetch(held.serial)
    assert answer.status_code == 304
    assert "Content-Type" not in answer.headers


@pytest.mark.parametrize("since", ["", "yesterday", "1700000000", "Fri, 99 Nov 2026 00:00:00 GMT", "\xff", "0"])
def test_it_hands_out_the_pass_where_the_date_is_none(bakery: Bakery, since: str) -> None:
    phone = bakery.phone()
    held = phone.add(bakery.address)
    held.last_modified = since or None
    assert phone.fetch(held.serial).status_code == 200


def test_it_answers_head_like_get_without_a_body(bakery: Bakery) -> None:
    phone = bakery.phone()
    held = phone.add(bakery.address)
    answer = phone.client.head(f"{SERVICE}/passes/{held.pass_type}/{held.serial}", headers=phone.proof(held))
    assert (answer.status_code, answer.data) == (200, b"")
    assert answer.headers["Content-Type"] == "application/vnd.apple.pkpass"
    assert parsedate_to_datetime(answer.headers["Last-Modified"]) < datetime.now(UTC)
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert "Authorization" in answer.headers["Vary"]


def test_it_voids_the_pass_of_a_closed_card_and_keeps_serving_it(bakery: Bakery) -> None:
    phone = bakery.phone()
    held = phone.add(bakery.address)
    with bakery.app.app_context():
        cards.deactivate(actor=bakery.shop.ada, card=bakery.card.ref, reason="lost", key=make_key(bakery.shop.ada))
    assert phone.fetch(held.serial).status_code == 200
    assert held.opened.says["voided"] is True


def test_it_shows_a_changed_program_to_a_phone_that_asks(bakery: Bakery) -> None:
    phone = bakery.phone()
    held = phone.add(bakery.address)
    with bakery.app.app_context():
        change_program(bakery.shop, stamps_target=12)
    phone.fetch(held.serial)
    assert held.stamps == "3/12"


def test_it_offers_no_pass_where_none_are_made(app: Flask) -> None:
    with app.app_context():
        assert passes.find_apple_link(public_token="any") is None
    assert app.test_client().get("/api/v1/loyalty/passes/apple/any.pkpass?token=x").status_code == 404
