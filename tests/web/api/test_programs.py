"""The program as JSON: read, made, changed, opened and paused."""

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from loyalty.database import db, new_id, transaction
from loyalty.domain.pins import make_salt
from loyalty.domain.values import Actor, Role, Scope
from loyalty.models.audit import AuditEvent
from loyalty.models.programs import LoyaltyProgram
from loyalty.models.vendors import Vendor, VendorPolicy
from loyalty.services import api_keys
from tests import factories
from tests.factories import Shop
from tests.web.api.callers import Caller, make_api_key
from tests.web.test_queries import counted

PROGRAM = "/vendor/loyalty/program"
KEY = "5f0f6a6e-2f0e-4a87-9b5e-3f8f6d4d1c11"
MOST = 9


def change(caller: Caller, **settings: object) -> dict[str, Any]:
    return dict(caller.send("PATCH", PROGRAM, settings).json or {})


@pytest.fixture
def newcomer(app: Flask) -> Caller:
    """The software of a shop that has no program."""
    with app.app_context():
        vendor_id = new_id()
        with transaction():
            db.session.add(Vendor(id=vendor_id, code="kiosk", name="Kiosk", pin_salt=make_salt()))
            db.session.flush()
            db.session.add(VendorPolicy(vendor_id=vendor_id))
        owner = Actor(vendor_id=vendor_id, role=Role.OWNER)
        made = api_keys.create(actor=owner, name="Shop", scope=Scope.MANAGE, key=factories.make_key(owner))
        return Caller(app, made.api_key)


def test_it_shows_all_settings(reader: Caller, bakery: Shop) -> None:
    said = reader.get(PROGRAM).json or {}
    assert (said["program_id"], said["loyalty_type"], said["is_active"]) == (str(bakery.program_id), "hybrid", True)
    assert (said["stamps_target"], said["stamps_reward_description"], said["points_per_euro"]) == (10, "Free item", 10)
    assert (said["card_color"], said["logo_url"], said["points_expiration_days"]) == ("#4F46E5", None, None)
    assert (said["vendor_name"], said["currency"], said["require_staff_pin"]) == ("Bakery", "EUR", True)
    assert said["activated_at"].endswith("Z")


def test_it_changes_what_was_sent_and_nothing_else(app: Flask, manager: Caller, bakery: Shop) -> None:
    before = manager.get(PROGRAM).json or {}
    said = change(manager, stamps_target=8, points_expiration_days=365, card_color="#1f4fd1", loyalty_type="stamps")
    assert said.pop("changed") == ["card_color", "loyalty_type", "points_expiration_days", "stamps_target"]
    changed = {"stamps_target": 8, "points_expiration_days": 365, "card_color": "#1F4FD1", "loyalty_type": "stamps"}
    assert said == before | changed
    assert manager.get(PROGRAM).json == said
    again = change(manager, points_expiration_days=None, stamps_target=8)
    assert (again["points_expiration_days"], again["changed"]) == (None, ["points_expiration_days"])
    with app.app_context():
        (first, second) = db.session.scalars(
            sa.select(AuditEvent).where(AuditEvent.action == "program.changed").order_by(AuditEvent.created_at)
        )
    assert first.api_key_id is not None
    assert second.details == {"changed": ["points_expiration_days"]}


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"stamps_target": 0}, "stamps_target"),
        ({"stamps_target": None}, "stamps_target"),
        ({"stamps_target": "8"}, "stamps_target"),
        ({"stamps_target": 8.0}, "stamps_target"),
        ({"points_expiration_days": 1}, "points_expiration_days"),
        ({"stamps_reward_description": " "}, "stamps_reward_description"),
        ({"card_name": "x" * 101}, "card_name"),
        ({"card_color": "red"}, "card_color"),
        ({"logo_url": "https://example.org/logo.png"}, "logo_url"),
        ({"privacy_url": "javascript:alert(1)"}, "privacy_url"),
        ({"terms_text": "a\x00b"}, "terms_text"),
        ({"loyalty_type": "miles"}, "loyalty_type"),
        ({"require_staff_pin": 1}, "require_staff_pin"),
        ({"is_active": True}, "is_active"),
        ({"google_class_id": "1"}, "google_class_id"),
    ],
)
def test_it_refuses_what_no_program_can_be(manager: Caller, sent: dict[str, object], field: str) -> None:
    before = manager.get(PROGRAM).json
    refused = change(manager, max_daily_stamps=7, **sent)
    assert (refused["status"], list(refused["errors"])) == (422, [field])
    assert manager.get(PROGRAM).json == before


def test_it_opens_and_pauses(manager: Caller, bakery: Shop) -> None:
    first = (manager.get(PROGRAM).json or {})["activated_at"]
    paused = manager.post(f"{PROGRAM}/deactivate").json or {}
    assert (paused["is_active"], paused["activated_at"]) == (False, first)
    opened = manager.post(f"{PROGRAM}/activate", {}).json or {}
    assert (opened["is_active"], opened["activated_at"]) == (True, first)


def test_it_gives_the_same_bytes_again(manager: Caller) -> None:
    first = manager.send("PATCH", PROGRAM, {"stamps_target": 8}, key=KEY)
    change(manager, stamps_target=9)
    again = manager.send("PATCH", PROGRAM, {"stamps_target": 8}, key=KEY)
    assert (again.data, again.headers["Idempotency-Replayed"]) == (first.data, "true")
    assert (manager.get(PROGRAM).json or {})["stamps_target"] == 9
    other = manager.send("PATCH", PROGRAM, {"stamps_target": 8, "card_name": ""}, key=KEY)
    assert (other.json or {})["code"] == "IDEMPOTENCY_KEY_REUSED"


def test_it_makes_no_second_program(manager: Caller, bakery: Shop) -> None:
    answer = manager.post(PROGRAM, {"loyalty_type": "points"})
    assert (answer.status_code, (answer.json or {})["code"]) == (409, "PROGRAM_EXISTS")
    assert (manager.get(PROGRAM).json or {})["loyalty_type"] == "hybrid"


def test_it_makes_a_program_where_there_is_none(app: Flask, newcomer: Caller) -> None:
    for method, path in (("GET", PROGRAM), ("PATCH", PROGRAM), ("POST", f"{PROGRAM}/activate")):
        answer = newcomer.send(method, path, {} if method == "PATCH" else None)
        assert (answer.status_code, (answer.json or {})["code"]) == (404, "PROGRAM_NOT_FOUND")
    assert newcomer.post(PROGRAM, {"stamps_target": 0}).status_code == 422
    answer = newcomer.post(PROGRAM, {"loyalty_type": "points", "points_per_euro": 5})
    said = answer.json or {}
    assert (answer.status_code, said["is_active"], said["activated_at"]) == (201, False, None)
    assert (said["loyalty_type"], said["points_per_euro"], said["stamps_target"]) == ("points", 5, 10)
    assert (newcomer.post(f"{PROGRAM}/activate").json or {})["is_active"] is True
    with app.app_context():
        assert db.session.execute(sa.select(sa.func.count(LoyaltyProgram.id))).scalar_one() == 1


def test_it_lets_a_till_change_nothing(till: Caller, reader: Caller, bakery: Shop) -> None:
    for caller in (till, reader):
        assert caller.get(PROGRAM).status_code == 200
        assert change(caller, stamps_target=8)["code"] == "FORBIDDEN"
        for path in ("", "/activate", "/deactivate"):
            assert caller.post(f"{PROGRAM}{path}", {}).status_code == 403


def test_it_changes_no_program_next_door(app: Flask, manager: Caller) -> None:
    with app.app_context():
        meat = Caller(app, make_api_key(factories.make_shop("meat"), Scope.MANAGE))
    before = meat.get(PROGRAM).json
    change(manager, stamps_target=3)
    assert meat.get(PROGRAM).json == before


def test_it_asks_the_database_a_few_times(app: Flask, manager: Caller) -> None:
    manager.get(PROGRAM)
    with counted(app) as sent:
        change(manager, stamps_target=8)
    assert len(sent) <= MOST, "\n".join(sent)
    with counted(app) as sent:
        manager.get(PROGRAM)
    assert len(sent) <= 2, "\n".join(sent)
