"""Expired points given back by a shop's own software."""

from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from loyalty.database import clock, db, transaction
from loyalty.domain.values import Scope
from loyalty.models.audit import AuditEvent
from loyalty.services import verification
from tests import factories, world
from tests.clocks import clock_at
from tests.web.api.callers import Caller, make_api_key
from tests.world import Business

RESTORE = "/vendor/loyalty/points/restore"


@pytest.fixture
def bakery(app: Flask) -> Business:
    """A shop where points of the customer have expired today."""
    with app.app_context():
        return world.make_business("bakery")


@pytest.fixture
def manager(app: Flask, bakery: Business) -> Caller:
    with app.app_context():
        return Caller(app, make_api_key(bakery.shop, Scope.MANAGE))


def body_of(business: Business, **more: object) -> dict[str, object]:
    names = {"card_id": business.ids["card_id"], "transaction_id": business.ids["expiry_id"]}
    return {**names, "reason": "Was ill", **more}


def test_it_gives_back_what_expired_and_keeps_it_like_after_a_visit(bakery: Business, manager: Caller) -> None:
    with manager.app.app_context():
        factories.change_program(bakery.shop, points_expiration_days=30)
    rows = manager.get("/vendor/loyalty/transactions", type="points_expired").json or {}
    [expiry] = [row for row in rows["items"] if row["card_id"] == bakery.ids["card_id"]]
    assert expiry["transaction_id"] == bakery.ids["expiry_id"]
    key = "one-key-for-both-requests"
    first, again = (manager.post(RESTORE, body_of(bakery), key=key) for _ in range(2))
    said = first.json or {}
    assert (first.status_code, said["points_restored"]) == (200, -expiry["points_delta"])
    assert said["points_balance"] == 5000 - expiry["points_delta"]
    assert said["message"] == f"Points that are back on the card: {said['points_restored']:,}."
    assert (again.data, again.headers["Idempotency-Replayed"]) == (first.data, "true")
    page = manager.get("/vendor/loyalty/transactions", type="points_adjustment").json or {}
    [row] = [row for row in page["items"] if row["transaction_id"] == said["transaction_id"]]
    assert (row["related_transaction_id"], row["notes"]) == (bakery.ids["expiry_id"], "Was ill")
    assert row["api_key_id"]
    assert date.fromisoformat(said["kept_until"]) == date.fromisoformat(row["local_day"]) + timedelta(days=30)
    with manager.app.app_context():
        restored = AuditEvent.action == "card.points_restored"
        events = db.session.scalars(sa.select(AuditEvent.api_key_id).where(restored)).all()
        assert [str(api_key_id) for api_key_id in events] == [row["api_key_id"]]
        assert verification.verify().findings == []


def test_it_keeps_the_points_for_good_where_none_expire_any_more(bakery: Business, manager: Caller) -> None:
    assert (manager.post(RESTORE, body_of(bakery)).json or {})["kept_until"] is None


def test_it_gives_back_once_and_for_two_weeks(bakery: Business, manager: Caller) -> None:
    with manager.app.app_context():
        after = clock() + timedelta(days=15)
    with clock_at(after):
        late = manager.post(RESTORE, body_of(bakery))
    assert (late.status_code, list((late.json or {})["errors"])) == (422, ["reason"])
    assert "two weeks" in (late.json or {})["errors"]["reason"]
    assert manager.post(RESTORE, body_of(bakery)).status_code == 200
    twice = manager.post(RESTORE, body_of(bakery))
    assert (twice.status_code, "before" in (twice.json or {})["errors"]["reason"]) == (422, True)


@pytest.mark.parametrize("name", ["transaction_id", "next door"])
def test_it_knows_no_other_entry_as_an_expiry(bakery: Business, manager: Caller, name: str) -> None:
    with manager.app.app_context():
        meat = world.make_business("meat")
    other = {"transaction_id": bakery.ids["transaction_id"], "next door": meat.ids["expiry_id"]}[name]
    answer = manager.post(RESTORE, body_of(bakery, transaction_id=other))
    assert (answer.status_code, (answer.json or {})["code"]) == (404, "TRANSACTION_NOT_FOUND")


@pytest.mark.parametrize("reason", ["", "  ", None])
def test_it_asks_why(bakery: Business, manager: Caller, reason: str | None) -> None:
    answer = manager.post(RESTORE, body_of(bakery, reason=reason))
    assert (answer.status_code, list((answer.json or {})["errors"])) == (422, ["reason"])


def test_it_needs_a_manager(app: Flask, bakery: Business) -> None:
    with app.app_context():
        till, reader = (Caller(app, make_api_key(bakery.shop, scope)) for scope in (Scope.TILL, Scope.READ))
    refused = till.post(RESTORE, body_of(bakery))
    assert (refused.status_code, (refused.json or {})["code"]) == (422, "STAFF_PIN_REQUIRED")
    assert reader.post(RESTORE, body_of(bakery)).status_code == 403
    with app.app_context(), transaction():
        assert db.session.scalar(sa.select(sa.func.count()).where(AuditEvent.action == "card.points_restored")) == 0
