"""How the installation is, as JSON for the platform's own software."""

from datetime import UTC, datetime

from flask import Flask

from loyalty.services import health
from tests.web.api.callers import Caller, make_platform_key

HEALTH = "/admin/loyalty/health"


def test_it_says_how_every_part_is(app: Flask) -> None:
    with app.app_context():
        platform = Caller(app, make_platform_key())
        health.note_run(name="sweep", at=datetime.now(UTC))
    answer = platform.get(HEALTH)
    assert answer.status_code == 200
    said = answer.json or {}
    found = {check["name"]: check for check in said["checks"]}
    assert (found["migrations"]["state"], found["sweep"]["state"]) == ("ok", "ok")
    assert (found["workers"]["state"], found["apple"]["state"]) == ("down", "unknown")
    assert said["checks"][0]["state"] == "down"
    assert said["problems"] == sum(check["state"] == "down" for check in said["checks"])
    assert found["workers"]["advice"] == "Start: flask --app wsgi worker"
    assert "%(" not in answer.text


def test_it_is_closed_to_keys_of_shops(manager: Caller, till: Caller, reader: Caller) -> None:
    assert {caller.get(HEALTH).status_code for caller in (manager, till, reader)} == {403}
