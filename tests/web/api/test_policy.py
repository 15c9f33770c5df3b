"""A shop's policy as JSON: read by the shop, changed by the platform."""

from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import select

from loyalty.database import db
from loyalty.models.audit import AuditEvent
from tests import factories
from tests.factories import Card, Shop
from tests.web.api.callers import Caller, make_platform_key

POLICY = "/vendor/loyalty/policy"
USUAL = {
    "staff_pin_policy": "required",
    "pin_lockout_attempts": 5,
    "pin_lockout_minutes": 30,
    "allow_self_enrollment": True,
    "allow_void_transactions": True,
    "allow_cross_store_redemption": True,
    "require_order_reference": False,
    "log_ip_addresses": True,
}


@pytest.fixture
def platform(app: Flask) -> Caller:
    """Software of the platform."""
    with app.app_context():
        return Caller(app, make_platform_key())


def path_of(shop: Shop) -> str:
    return f"/admin/loyalty/vendors/{shop.vendor_id}/policy"


def test_it_shows_the_policy_to_the_shop_and_the_platform(bakery: Shop, reader: Caller, platform: Caller) -> None:
    assert reader.get(POLICY).json == USUAL | {"staff_pin_policy": "disabled"}
    assert platform.get(path_of(bakery)).json == reader.get(POLICY).json


def test_it_counts_from_the_next_request_on(bakery: Shop, platform: Caller, till: Caller, card: Card) -> None:
    stamp = {"card_id": str(card.card_id)}
    stamped = till.post("/vendor/loyalty/stamps", stamp).json or {}
    changes = {"staff_pin_policy": "required", "allow_void_transactions": False}
    changed = platform.send("PATCH", path_of(bakery), changes)
    assert (changed.status_code, changed.json) == (200, USUAL | changes)
    assert (till.post("/vendor/loyalty/stamps", stamp).json or {})["code"] == "STAFF_PIN_REQUIRED"
    platform.send("PATCH", path_of(bakery), {"staff_pin_policy": "disabled"})
    void = {"transaction_id": stamped["transaction_id"], "reason": "Wrong card", **stamp}
    assert (till.post("/vendor/loyalty/stamps/void", void).json or {})["code"] == "VOID_NOT_ALLOWED"


def test_it_gives_the_same_bytes_again_and_notes_who_changed_what(app: Flask, bakery: Shop, platform: Caller) -> None:
    first = platform.send("PATCH", path_of(bakery), {"pin_lockout_attempts": 3}, key="one-key-for-both-requests")
    platform.send("PATCH", path_of(bakery), {"pin_lockout_attempts": 7})
    again = platform.send("PATCH", path_of(bakery), {"pin_lockout_attempts": 3}, key="one-key-for-both-requests")
    assert (again.data, again.headers["Idempotency-Replayed"]) == (first.data, "true")
    with app.app_context():
        changes = select(AuditEvent).where(AuditEvent.action == "policy.changed").order_by(AuditEvent.created_at)
        events = db.session.scalars(changes).all()
        assert [event.details["after"] for event in events] == [
            {"pin_lockout_attempts": 3},
            {"pin_lockout_attempts": 7},
        ]
        assert events[0].details["before"] == {"pin_lockout_attempts": 5}
        assert {(event.vendor_id, event.api_key_id is None) for event in events} == {(bakery.vendor_id, False)}


@pytest.mark.parametrize(
    "change",
    [
        {"staff_pin_policy": "never"},
        {"staff_pin_policy": None},
        {"pin_lockout_attempts": 2},
        {"pin_lockout_attempts": "5"},
        {"pin_lockout_minutes": 1441},
        {"allow_self_enrollment": 1},
        {"log_ip_addresses": None},
        {"pin_length": 6},
    ],
    ids=["word", "null", "too few", "text", "too long", "number", "no answer", "unknown"],
)
def test_it_says_which_field_is_wrong(bakery: Shop, platform: Caller, change: dict[str, Any]) -> None:
    answer = platform.send("PATCH", path_of(bakery), {"allow_void_transactions": False} | change)
    assert (answer.status_code, list((answer.json or {})["errors"])) == (422, list(change))
    assert platform.get(path_of(bakery)).json == USUAL | {"staff_pin_policy": "disabled"}


def test_it_leaves_the_shop_next_door_as_it_is(app: Flask, bakery: Shop, platform: Caller) -> None:
    with app.app_context():
        meat = factories.make_shop("meat")
    platform.send("PATCH", path_of(bakery), {"require_order_reference": True})
    assert platform.get(path_of(meat)).json == USUAL


def test_it_lets_no_shop_change_a_policy(bakery: Shop, manager: Caller, platform: Caller) -> None:
    assert manager.send("PATCH", path_of(bakery), {"staff_pin_policy": "optional"}).status_code == 403
    assert manager.get(path_of(bakery)).status_code == 403
    assert manager.send("PATCH", POLICY, {"staff_pin_policy": "optional"}).status_code == 405
    assert platform.get(POLICY).status_code == 403


def test_it_knows_no_vendor_by_a_made_up_id(platform: Caller) -> None:
    path = f"/admin/loyalty/vendors/{uuid4()}/policy"
    assert platform.get(path).status_code == 404
    assert platform.send("PATCH", path, {"staff_pin_policy": "optional"}).status_code == 404
