"""How often a key may ask, and how it learns that."""

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask

from config import Config
from loyalty.app import LIMITS_STORAGE
from tests import factories
from tests.applications import another_app
from tests.factories import Card, Shop
from tests.web.api.callers import Caller, make_api_key
from tests.world import csrf


@pytest.fixture
def limited(config: Config, app: Flask) -> Iterator[Flask]:
    """The application with its limits on, and a Valkey that has all the time it needs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(LIMITS_STORAGE, "socket_connect_timeout", 30)
        patch.setitem(LIMITS_STORAGE, "socket_timeout", 30)
        with another_app(replace(config, rate_limits=True), config) as made:
            yield made


def allowed(caller: Caller, card: Card, path: str, **more: object) -> int:
    for number in range(1000):
        answer = caller.post(path, {"card_id": str(card.card_id), **more})
        if answer.status_code == 429:
            assert (answer.json or {})["code"] == "RATE_LIMITED"
            assert 1 <= int(answer.headers["Retry-After"]) <= 61
            return number
    return 1000


@pytest.mark.parametrize(("path", "most"), [("/vendor/loyalty/stamps/redeem", 60), ("/vendor/loyalty/points/void", 20)])
def test_it_serves_a_key_so_often_a_minute(limited: Flask, till: Caller, card: Card, path: str, most: int) -> None:
    caller = replace(till, app=limited)
    more = {"reason": "x", "order_reference": "R-1"} if "void" in path else {}
    began = time.monotonic()
    number = allowed(caller, card, path, **more)
    # The window slides: what was asked a while ago weighs a little less already.
    assert most <= number <= most + 3 + most * (time.monotonic() - began) / 60


def test_it_unlocks_pins_ten_times_a_minute(limited: Flask, bakery: Shop, manager: Caller) -> None:
    caller = replace(manager, app=limited)
    path = f"/vendor/loyalty/pins/{bakery.ben.staff_pin_id}/unlock"
    found = [caller.post(path).status_code for _ in range(14)]
    assert 10 <= found.count(200) <= 12
    assert found[-1] == 429


@pytest.mark.parametrize("body", ["{", "[]", '{"card_id": 5}'], ids=["cut off", "a list", "wrong"])
def test_it_counts_what_it_cannot_read(limited: Flask, till: Caller, body: str) -> None:
    headers = {"Authorization": f"Bearer {till.api_key}", "Idempotency-Key": "k" * 24}
    client, path = limited.test_client(), "/api/v1/vendor/loyalty/stamps/void"
    found = [
        client.post(path, data=body, content_type="application/json", headers=headers).status_code for _ in range(25)
    ]
    assert 20 <= sum(status in (400, 422) for status in found) <= 22
    assert found[-1] == 429


def test_it_counts_joining_by_page_and_by_program_together(limited: Flask, bakery: Shop) -> None:
    client = limited.test_client()
    path, form = f"/join/{bakery.code}", {"key": "k" * 24, "email": ""}
    form["csrf_token"] = csrf(limited, client)
    by_page = [client.post(path, data=form).status_code for _ in range(6)]
    caller = Caller(limited, None)
    by_program = [caller.post(f"/loyalty/programs/{bakery.code}/enroll", {}).status_code for _ in range(8)]
    assert by_page == [422] * 6
    assert 4 <= by_program.count(422) <= 6
    assert by_program[-1] == 429


def test_it_says_what_is_left(limited: Flask, till: Caller, card: Card) -> None:
    caller = replace(till, app=limited)
    answers = [caller.post("/vendor/loyalty/stamps", {"card_id": str(card.card_id)}) for _ in range(3)]
    assert [answer.headers["RateLimit-Remaining"] for answer in answers] == ["59", "58", "57"]
    assert {answer.headers["RateLimit-Limit"] for answer in answers} == {"60"}
    # The limiter rounds up to a whole second behind the minute.
    assert all(0 <= int(answer.headers["RateLimit-Reset"]) <= 61 for answer in answers)


def test_it_counts_a_key_by_its_own_number_and_store(limited: Flask, app: Flask, bakery: Shop, card: Card) -> None:
    with app.app_context():
        factories.make_store(bakery, "station")
        caller = Caller(limited, make_api_key(bakery, requests_per_minute=3))
        other = Caller(limited, make_api_key(bakery, requests_per_minute=3))
    path = "/vendor/loyalty/stamps/redeem"
    assert 3 <= allowed(caller, card, path, store_code="main") <= 4
    assert 3 <= allowed(caller, card, path, store_code="station") <= 4
    assert 3 <= allowed(other, card, path, store_code="main") <= 4


def test_it_counts_strangers_by_their_address(limited: Flask) -> None:
    client = limited.test_client()
    found = [client.get("/api/v1/openapi.json").status_code for _ in range(70)]
    assert 60 <= found.count(200) <= 63
    # Of IPv6 the first 64 bits: whoever has one address there has them all.
    for number in range(70):
        client.environ_base["REMOTE_ADDR"] = f"2001:db8::{number:x}"
        answer = client.get("/api/v1/openapi.json")
    assert (answer.status_code, answer.content_type) == (429, "application/problem+json")
