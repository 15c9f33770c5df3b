"""PINs as JSON: made by the system, shown once, verified behind the same counters as at the till."""

import threading
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient

from loyalty.database import db
from loyalty.domain.values import Scope
from tests import factories
from tests.factories import Shop
from tests.web.api.callers import Caller, make_api_key

PINS = "/vendor/loyalty/pins"
VERIFY = f"{PINS}/verify"
KEY = "one-key-for-both-requests"


def make(caller: Caller, **changes: Any) -> dict[str, Any]:
    answer = caller.post(PINS, {"name": "Zoe", **changes})
    assert answer.status_code == 201, answer.text
    return dict(answer.json or {})


def said(caller: Caller, **body: Any) -> tuple[int, str]:
    answer = caller.post(VERIFY, body)
    return answer.status_code, str((answer.json or {}).get("code") or (answer.json or {}).get("name"))


def listed(caller: Caller, name: str = "Zoe") -> dict[str, Any]:
    (row,) = (row for row in (caller.get(PINS).json or {})["items"] if row["name"] == name)
    return dict(row)


def test_it_makes_a_pin_and_shows_it_once(manager: Caller, reader: Caller) -> None:
    first, again = (manager.post(PINS, {"name": "Zoe", "role": "manager"}, key=KEY) for _ in range(2))
    made, shown = first.json or {}, again.json or {}
    assert (first.status_code, len(made["staff_pin"]), made["secret_shown"]) == (201, 4, False)
    assert shown == made | {"staff_pin": None, "secret_shown": True}
    assert again.headers["Idempotency-Replayed"] == "true"
    row = listed(reader)
    assert row == (reader.get(f"{PINS}/{made['staff_id']}").json or {})
    assert (row["role"], row["store_id"], row["active"], "staff_pin" in row) == ("manager", None, True, False)


def test_it_lets_nobody_choose_a_pin(manager: Caller) -> None:
    answer = manager.post(PINS, {"name": "Zoe", "staff_pin": "1234"})
    assert (answer.status_code, list((answer.json or {})["errors"])) == (422, ["staff_pin"])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "  "}, "name"),
        ({"role": "owner"}, "role"),
        ({"store_code": "moon"}, "store_code"),
    ],
    ids=["no name", "blank", "owner", "unknown store"],
)
def test_it_says_which_field_is_wrong(manager: Caller, body: dict[str, Any], field: str) -> None:
    answer = manager.post(PINS, {"name": "Zoe"} | body)
    assert (answer.status_code, list((answer.json or {})["errors"])) == (422, [field])


def test_it_verifies_a_pin_at_its_store_alone(app: Flask, bakery: Shop, manager: Caller, till: Caller) -> None:
    with app.app_context():
        factories.make_store(bakery, "station")
    made = make(manager, store_code="station")
    pin, staff_id = made["staff_pin"], made["staff_id"]
    assert listed(manager)["store_code"] == "station"
    assert said(till, staff_pin=pin, store_code="station") == (200, "Zoe")
    assert said(till, staff_pin=pin, store_code="main") == (403, "STAFF_PIN_INVALID")
    assert said(till, staff_pin=pin, staff_id=staff_id, store_code="main") == (404, "NOT_FOUND")
    assert listed(manager)["last_used_at"] is not None


def test_it_verifies_without_an_idempotency_key(app: Flask, manager: Caller, till: Caller) -> None:
    made = make(manager)
    headers = {"Authorization": f"Bearer {till.api_key}"}
    answer = app.test_client().post(f"/api/v1{VERIFY}", json={"staff_pin": made["staff_pin"]}, headers=headers)
    assert answer.json == {"staff_id": made["staff_id"], "name": "Zoe", "role": "staff"}
    # Not read where it comes along: a PIN is looked at each time.
    body = {"staff_pin": made["staff_pin"]}
    assert till.post(VERIFY, body, key=KEY).status_code == 200
    manager.send("DELETE", f"{PINS}/{made['staff_id']}")
    assert till.post(VERIFY, body, key=KEY).status_code == 403


def test_it_counts_wrong_pins_for_each_key_and_person(app: Flask, bakery: Shop, manager: Caller, till: Caller) -> None:
    zoe, ida = make(manager), make(manager, name="Ida")
    wrong = {"staff_pin": ida["staff_pin"], "staff_id": zoe["staff_id"]}
    answers = [till.post(VERIFY, wrong) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [403] * 5 + [423]
    assert [(answer.json or {}).get("attempts_left") for answer in answers] == [4, 3, 2, 1, 0, None]
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 30
    right = {"staff_pin": zoe["staff_pin"], "staff_id": zoe["staff_id"]}
    assert said(till, **right) == (423, "STAFF_PIN_LOCKED")
    # A colleague, and the same person at another key, are not kept out.
    assert said(till, staff_pin=ida["staff_pin"], staff_id=ida["staff_id"]) == (200, "Ida")
    with app.app_context():
        other = Caller(app, make_api_key(bakery))
    assert said(other, **right) == (200, "Zoe")
    assert listed(manager)["locked_until"] is not None
    assert manager.post(f"{PINS}/{zoe['staff_id']}/unlock").status_code == 200
    assert said(till, **right) == (200, "Zoe")


def test_it_gives_parallel_guesses_exactly_the_limit(till: Caller) -> None:
    statuses: list[int] = []
    guesses = [
        threading.Thread(target=lambda: statuses.append(till.post(VERIFY, {"staff_pin": "0000"}).status_code))
        for _ in range(12)
    ]
    for guess in guesses:
        guess.start()
    for guess in guesses:
        guess.join()
    assert sorted(statuses) == [403] * 5 + [423] * 7


def test_it_never_lets_in_where_the_counters_cannot_be_asked(
    app: Flask, manager: Caller, till: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make(manager)
    with app.app_context(), db.engine.connect() as holder:
        holder.exec_driver_sql("LOCK TABLE pin_throttles IN ACCESS EXCLUSIVE MODE")
        assert said(till, staff_pin=made["staff_pin"])[0] == 503
        holder.rollback()
    assert said(till, staff_pin=made["staff_pin"]) == (200, "Zoe")


def test_it_changes_who_may_what_and_where(app: Flask, bakery: Shop, manager: Caller, till: Caller) -> None:
    with app.app_context():
        factories.make_store(bakery, "station")
    made = make(manager, store_code="station")
    path = f"{PINS}/{made['staff_id']}"

    def change(**body: Any) -> tuple[int, dict[str, Any]]:
        return manager.send("PATCH", path, body).status_code, listed(manager, body.get("name") or "Zoe")

    status, row = change(role="manager")
    assert (status, row["role"], row["store_code"]) == (200, "manager", "station")
    assert change(store_code=None)[1]["store_code"] is None
    assert change(store_code="main")[1]["store_code"] == "main"
    assert change(name="Zoë")[1]["role"] == "manager"
    assert said(till, staff_pin=made["staff_pin"], store_code="main") == (200, "Zoë")
    for wrong in ({"name": None}, {"role": None}, {"role": "owner"}, {"store_code": "moon"}):
        answer = manager.send("PATCH", path, wrong)
        assert (answer.status_code, list((answer.json or {})["errors"])) == (422, list(wrong))


def test_it_replaces_a_pin_and_ends_one(manager: Caller, till: Caller) -> None:
    made = make(manager)
    path = f"{PINS}/{made['staff_id']}"
    first, again = (manager.post(f"{path}/regenerate", key=KEY).json or {} for _ in range(2))
    assert (first["secret_shown"], again["secret_shown"], again["staff_pin"]) == (False, True, None)
    assert said(till, staff_pin=first["staff_pin"]) == (200, "Zoe")
    assert said(till, staff_pin=made["staff_pin"]) == (403, "STAFF_PIN_INVALID")
    assert manager.send("DELETE", path).status_code == 200
    assert said(till, staff_pin=first["staff_pin"]) == (403, "STAFF_PIN_INVALID")
    assert listed(manager)["active"] is False
    for method, rest in (("DELETE", ""), ("PATCH", ""), ("POST", "/unlock"), ("POST", "/regenerate")):
        body = {"name": "Zoe"} if method == "PATCH" else None
        assert manager.send(method, path + rest, body).status_code == 404


def test_it_is_open_to_managers_keys_alone(till: Caller, reader: Caller, bakery: Shop) -> None:
    path = f"{PINS}/{bakery.ben.staff_pin_id}"
    for caller in (till, reader):
        assert caller.post(PINS, {"name": "Zoe"}).status_code == 403
        assert caller.send("PATCH", path, {"name": "Zoe"}).status_code == 403
        assert caller.send("DELETE", path).status_code == 403
        assert caller.post(f"{path}/unlock").status_code == 403
    assert reader.post(VERIFY, {"staff_pin": "4821"}).status_code == 403


def test_it_finds_nobody_next_door(app: Flask, manager: Caller, till: Caller) -> None:
    with app.app_context():
        meat = factories.make_shop("meat")
        mallory = Caller(app, make_api_key(meat, Scope.MANAGE))
    made = make(mallory)
    assert said(till, staff_pin=made["staff_pin"]) == (403, "STAFF_PIN_INVALID")
    assert said(till, staff_pin=made["staff_pin"], staff_id=made["staff_id"]) == (404, "NOT_FOUND")
    assert manager.get(f"{PINS}/{made['staff_id']}").status_code == 404
    assert manager.get(f"{PINS}/{uuid4()}").status_code == 404
    assert manager.post(f"{PINS}/{made['staff_id']}/unlock").status_code == 404
    assert listed(mallory)["active"] is True


def test_it_signs_out_at_tablets_whoever_changes_place(
    app: Flask, bakery: Shop, manager: Caller, client: FlaskClient
) -> None:
    with app.app_context():
        factories.change_policy(bakery, staff_pin_policy="required")
        factories.open_session(bakery, bakery.ben)
    client.set_cookie(app.config["TERMINAL_COOKIE_NAME"], bakery.terminal_token)
    assert "Ben" in client.get("/terminal").text
    assert manager.send("PATCH", f"{PINS}/{bakery.ben.staff_pin_id}", {"role": "manager"}).status_code == 200
    assert manager.send("DELETE", f"{PINS}/{bakery.ben.staff_pin_id}").status_code == 200
    assert "Ben" not in client.get("/terminal").text
