"""Stores as JSON: opened, changed and closed, never deleted."""

from typing import Any

import pytest
from flask import Flask

from tests import factories
from tests.factories import Shop
from tests.web.api.callers import Caller

STORES = "/vendor/loyalty/stores"
BODY = {"name": "Gare Centrale", "address": "Place de la Gare", "latitude": 49.6, "longitude": 6}
KEY = "one-key-for-both-requests"


def opened(caller: Caller, **changes: Any) -> str:
    answer = caller.post(STORES, BODY | changes)
    assert answer.status_code == 201, answer.text
    return f"{STORES}/{(answer.json or {})['store_id']}"


def test_it_opens_a_store_once(manager: Caller, reader: Caller) -> None:
    first, again = (manager.post(STORES, BODY, key=KEY) for _ in range(2))
    made = first.json or {}
    assert (first.status_code, made["code"], made["active"], again.data) == (201, "gare-centrale", True, first.data)
    found = reader.get(f"{STORES}/{made['store_id']}").json or {}
    assert found == {**BODY, "store_id": made["store_id"], "code": "gare-centrale", "active": True, "terminals": 0}
    items = (reader.get(STORES).json or {})["items"]
    assert [(row["code"], row["terminals"]) for row in items] == [("gare-centrale", 0), ("main", 1)]
    assert found in items


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": None}, "name"),
        ({"code": "main"}, "code"),
        ({"code": "No Code!"}, "code"),
        ({"latitude": 91}, "latitude"),
        ({"latitude": "49.6"}, "latitude"),
        ({"longitude": -180.5}, "longitude"),
        ({"address": "x" * 301}, "address"),
        ({"address": "one\ntwo"}, "address"),
        ({"active": True}, "active"),
    ],
    ids=["blank", "null", "taken", "letters", "too far", "text", "too far west", "too long", "lines", "unknown"],
)
def test_it_says_which_field_is_wrong(manager: Caller, body: dict[str, Any], field: str) -> None:
    answer = manager.post(STORES, BODY | body)
    assert (answer.status_code, list((answer.json or {})["errors"])) == (422, [field])
    assert len((manager.get(STORES).json or {})["items"]) == 1


def test_it_changes_what_is_sent_and_nothing_else(manager: Caller) -> None:
    path = opened(manager)
    assert manager.send("PATCH", path, {"name": "Gare"}).status_code == 200
    assert manager.send("PATCH", path, {"latitude": None, "longitude": None}).status_code == 200
    found = manager.get(path).json or {}
    assert (found["name"], found["address"], found["latitude"]) == ("Gare", BODY["address"], None)
    for wrong in ({"code": "gare"}, {"name": None}, {"latitude": 100}):
        answer = manager.send("PATCH", path, wrong)
        assert (answer.status_code, list((answer.json or {})["errors"])) == (422, list(wrong))


def test_it_closes_a_store_and_opens_it_again(manager: Caller, till: Caller, card: factories.Card) -> None:
    path = opened(manager)
    stamp = {"card_id": str(card.card_id), "store_code": "gare-centrale"}
    assert (manager.send("DELETE", path).json or {})["active"] is False
    assert (manager.get(path).json or {})["active"] is False
    assert till.post("/vendor/loyalty/stamps", stamp).status_code == 422
    assert (manager.post(f"{path}/reactivate").json or {})["active"] is True
    assert till.post("/vendor/loyalty/stamps", stamp).status_code == 200


def test_it_closes_no_store_with_tablets(manager: Caller, bakery: Shop) -> None:
    answer = manager.send("DELETE", f"{STORES}/{bakery.store_id}")
    assert (answer.status_code, list((answer.json or {})["errors"])) == (422, ["store_id"])


def test_it_is_open_to_managers_keys_alone(till: Caller, reader: Caller, bakery: Shop) -> None:
    for caller in (till, reader):
        assert caller.post(STORES, BODY).status_code == 403
        assert caller.send("PATCH", f"{STORES}/{bakery.store_id}", {"name": "x"}).status_code == 403
        assert caller.send("DELETE", f"{STORES}/{bakery.store_id}").status_code == 403
        assert caller.get(STORES).status_code == 200


def test_it_finds_nothing_next_door(app: Flask, manager: Caller) -> None:
    with app.app_context():
        path = f"{STORES}/{factories.make_shop('meat').store_id}"
    assert manager.get(path).status_code == 404
    assert manager.send("PATCH", path, {"name": "Mine"}).status_code == 404
    assert manager.send("DELETE", path).status_code == 404
    assert manager.post(f"{path}/reactivate").status_code == 404
