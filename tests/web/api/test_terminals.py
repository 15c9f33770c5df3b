"""Tablets as JSON: paired by a code that is shown once, and signed out for good."""

from typing import Any

from flask import Flask

from loyalty.services import terminals
from loyalty.web.access import now
from tests import factories
from tests.factories import Shop
from tests.web.api.callers import Caller

TERMINALS = "/vendor/loyalty/terminals"
BODY = {"store_code": "main", "label": "Window"}


def listed(caller: Caller, terminal_id: str) -> dict[str, Any]:
    found = (row for row in (caller.get(TERMINALS).json or {})["items"] if row["terminal_id"] == terminal_id)
    return next(found, {})


def test_it_pairs_a_tablet_with_a_code_that_is_shown_once(app: Flask, manager: Caller, reader: Caller) -> None:
    first, again = (manager.post(TERMINALS, BODY, key="one-key-for-both-requests") for _ in range(2))
    made = first.json or {}
    assert (first.status_code, made["secret_shown"]) == (201, False)
    assert (again.json or {}) == made | {"pairing_code": None, "secret_shown": True}
    row = listed(reader, made["terminal_id"])
    assert (row["state"], row["code_expires_at"], row["store_code"]) == ("waiting", made["expires_at"], "main")
    with app.app_context():
        terminals.pair(code=made["pairing_code"], source_ip=None, at=now())
    row = listed(reader, made["terminal_id"])
    assert (row["state"], row["label"], row["code_expires_at"]) == ("paired", "Window", None)
    assert row["paired_at"] is not None


def test_it_asks_for_an_open_store_and_a_name(app: Flask, bakery: Shop, manager: Caller) -> None:
    with app.app_context():
        factories.make_store(bakery, "closed", active=False)
        factories.make_store(factories.make_shop("meat"), "grill")
    cases: list[tuple[dict[str, Any], str]] = [
        ({"store_code": "closed"}, "store_code"),
        ({"store_code": "grill"}, "store_code"),
        ({"label": " "}, "label"),
        ({"label": ""}, "label"),
        ({"store_code": None}, "store_code"),
    ]
    for change, field in cases:
        answer = manager.post(TERMINALS, BODY | change)
        assert (answer.status_code, list((answer.json or {})["errors"])) == (422, [field])
    assert len((manager.get(TERMINALS).json or {})["items"]) == 1


def test_it_signs_a_tablet_out(app: Flask, bakery: Shop, manager: Caller) -> None:
    client = app.test_client()
    client.set_cookie(app.config["TERMINAL_COOKIE_NAME"], bakery.terminal_token)
    assert client.get("/terminal/settings").status_code == 200
    path = f"{TERMINALS}/{bakery.terminal_id}"
    assert manager.send("DELETE", path).json == {"terminal_id": str(bakery.terminal_id)}
    assert client.get("/terminal/settings").status_code != 200
    assert listed(manager, str(bakery.terminal_id))["state"] == "revoked"
    assert manager.send("DELETE", path).status_code == 200


def test_it_ends_a_code_that_nobody_has_used(manager: Caller) -> None:
    made = manager.post(TERMINALS, BODY).json or {}
    assert manager.send("DELETE", f"{TERMINALS}/{made['terminal_id']}").status_code == 200
    assert listed(manager, made["terminal_id"]).get("state") in (None, "revoked")


def test_it_is_open_to_managers_keys_alone(till: Caller, reader: Caller, bakery: Shop) -> None:
    for caller in (till, reader):
        assert caller.post(TERMINALS, BODY).status_code == 403
        assert caller.send("DELETE", f"{TERMINALS}/{bakery.terminal_id}").status_code == 403


def test_it_finds_nothing_next_door(app: Flask, manager: Caller) -> None:
    with app.app_context():
        meat = factories.make_shop("meat")
    assert manager.send("DELETE", f"{TERMINALS}/{meat.terminal_id}").status_code == 404
    assert listed(manager, str(meat.terminal_id)) == {}
