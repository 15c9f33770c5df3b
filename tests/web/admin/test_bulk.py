"""Switching many cards off: chosen, looked at, confirmed by their number, watched, and taken back."""

import re
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from loyalty.database import db, transaction
from loyalty.models.vendors import Vendor
from tests import bulk, factories
from tests.browsing import hidden, send, sign_in
from tests.factories import Card, Shop
from tests.office import make_bakery
from tests.web.admin.conftest import Platform


@pytest.fixture
def shop(app: Flask) -> Shop:
    with app.app_context():
        return factories.make_shop("bakery", vendor={"name": "Ada's Bakery"})


@pytest.fixture
def two(app: Flask, shop: Shop) -> list[Card]:
    with app.app_context():
        return [factories.make_card(shop) for _ in range(2)]


def path_of(shop: Shop) -> str:
    return f"/admin/vendors/{shop.vendor_id}/cards/off"


def look(client: FlaskClient, shop: Shop, **choice: str) -> TestResponse:
    page = client.get(path_of(shop))
    return send(client, f"{path_of(shop)}/preview", page, choice)


def confirm(client: FlaskClient, shop: Shop, page: TestResponse, **typed: str) -> TestResponse:
    filled = hidden(page, path_of(shop)) | {"typed_count": "2", "reason": "test cards"} | typed
    return client.post(path_of(shop), data=filled)


def test_it_chooses_looks_confirms_watches_and_takes_back(
    app: Flask, platform: Platform, shop: Shop, two: list[Card]
) -> None:
    seen = look(platform.client, shop, joined_since="2026-01-01", numbers="\n".join([*numbers(two), "moon"]))
    assert seen.status_code == 200
    assert "Switch 2 cards of “Ada&#39;s Bakery” off" in seen.text
    assert "1 of what you pasted is no active card of this shop" in seen.text
    begun = confirm(platform.client, shop, seen)
    assert begun.status_code == 303
    bulk_id = UUID(begun.location.split("/")[-1])
    page = platform.client.get(begun.location)
    assert "0 of 2 cards are seen to." in page.text
    with app.app_context():
        bulk.work(bulk_id)
        assert bulk.active(shop.vendor_id) == set()
    part = platform.client.get(begun.location, headers={"HX-Request": "true"})
    assert part.text.lstrip().startswith('<section class="stack" id="bulk" data-says="')
    assert "Switched off" in part.text
    undo = f"{begun.location}/undo"
    assert platform.client.post(undo, data=hidden(platform.client.get(begun.location), undo)).status_code == 303
    with app.app_context():
        bulk.work(bulk_id)
        assert len(bulk.active(shop.vendor_id)) == 2
    assert "Taken back" in platform.client.get(begun.location).text
    assert begun.location in platform.client.get(path_of(shop)).text
    log = platform.client.get("/admin/audit?action=bulk").text
    assert re.findall(r'<tr data-action="([^"]+)">', log) == ["bulk.undone", "bulk.started"]
    assert "Reason: test cards" in log


def numbers(some: list[Card]) -> list[str]:
    return [card.card_number for card in some]


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"typed_count": "3"}, "Type the number of cards that is shown now."),
        ({"typed_count": ""}, "Enter a number."),
        ({"typed_count": "two"}, "Write a whole number in digits."),
        ({"reason": " "}, "Say why: the reason stands in the history."),
    ],
    ids=["another", "none", "words", "no reason"],
)
def test_it_asks_again_and_keeps_what_was_typed(
    app: Flask, platform: Platform, shop: Shop, two: list[Card], typed: dict[str, str], sentence: str
) -> None:
    seen = look(platform.client, shop, numbers="\n".join(numbers(two)))
    answer = confirm(platform.client, shop, seen, **typed)
    assert answer.status_code == 422
    assert sentence in answer.text
    for name, text in ({"typed_count": "2", "reason": "test cards"} | typed).items():
        assert re.search(rf'name="{name}"[^>]*value="{text}"', answer.text), name
    assert confirm(platform.client, shop, answer).status_code == 303


def test_it_begins_once_for_two_taps(platform: Platform, shop: Shop, two: list[Card]) -> None:
    seen = look(platform.client, shop, numbers="\n".join(numbers(two)))
    first, second = (confirm(platform.client, shop, seen) for _ in range(2))
    assert (first.status_code, second.location) == (303, first.location)


@pytest.mark.parametrize(
    ("choice", "sentence"),
    [
        ({}, "Choose by at least one of these"),
        ({"numbers": "moon"}, "No active card is like that."),
        ({"joined_since": "soon"}, "Write the day as 2026-11-20."),
        ({"joined_since": "2026-02-02", "joined_until": "2026-02-01"}, "The last day is before the first one."),
        ({"store": "nowhere"}, "No active card is like that."),
    ],
    ids=["nothing", "no card", "no day", "days", "no store"],
)
def test_it_says_what_is_wrong_with_a_choice(
    platform: Platform, shop: Shop, two: list[Card], choice: dict[str, str], sentence: str
) -> None:
    answer = look(platform.client, shop, **choice)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert all(text in answer.text for name, text in choice.items() if name != "store")


def test_it_leaves_a_suspended_shop_alone(app: Flask, platform: Platform, shop: Shop, two: list[Card]) -> None:
    seen = look(platform.client, shop, numbers="\n".join(numbers(two)))
    with app.app_context(), transaction():
        db.session.get_one(Vendor, shop.vendor_id).status = "suspended"
    assert confirm(platform.client, shop, seen).status_code == 403
    page = platform.client.get(path_of(shop))
    assert "This shop is suspended." in page.text
    assert "Show what this means" not in page.text


def test_it_is_for_the_platform_alone(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        ada = make_bakery()
    sign_in(client, ada)
    data = hidden(client.get("/office/account"))
    for path in (f"/admin/vendors/{ada.vendor_id}/cards/off", f"/admin/bulk/{uuid4()}"):
        assert client.get(path).status_code == 403
        assert client.post(f"{path}/undo", data=data).status_code in (403, 404)


def test_it_finds_no_mass_that_is_not_there(platform: Platform) -> None:
    assert platform.client.get(f"/admin/bulk/{uuid4()}").status_code == 404
    assert platform.client.get(f"/admin/vendors/{uuid4()}/cards/off").status_code == 404
