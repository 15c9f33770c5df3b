"""The frame of all operations: what is refused before a rule is asked, and how."""

from datetime import timedelta

import pytest
from flask import Flask

from loyalty.database import db, transaction
from loyalty.domain.values import Actor, Role, Scope
from loyalty.models.api import ApiKey
from loyalty.models.vendors import Vendor
from loyalty.services import api_keys
from loyalty.web.access import now
from tests import factories, world
from tests.factories import Card, Shop
from tests.web.api.callers import Caller, make_api_key, make_platform_key

STAMPS = "/vendor/loyalty/stamps"


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer nonsense", "Basic bHA6eA==", f"Bearer lp_abcd1234_{'x' * 43}", "Bearer lp_ÿ_x"],
    ids=["none", "empty", "nonsense", "basic", "of nobody", "no ASCII"],
)
def test_it_asks_for_a_key_that_works(app: Flask, card: Card, header: str) -> None:
    stranger = Caller(app, None, {"Authorization": header} if header else {})
    answer = stranger.post(STAMPS, {"card_id": str(card.card_id)})
    assert (answer.status_code, (answer.json or {})["code"]) == (401, "NOT_AUTHENTICATED")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_it_takes_no_key_from_an_address_or_a_cookie(app: Flask, card: Card, till: Caller) -> None:
    stranger = Caller(app, None)
    for name in ("key", "api_key", "token", "access_token"):
        answer = stranger.send("POST", STAMPS, {"card_id": str(card.card_id)}, query={name: till.api_key})
        assert answer.status_code == 401
    answer = stranger.send("POST", STAMPS, {}, headers={"Cookie": f"session={till.api_key}; terminal={till.api_key}"})
    assert answer.status_code == 401


def test_it_knows_no_browser(app: Flask) -> None:
    """Tablets and signed-in people have their own doors."""
    with app.app_context():
        business = world.make_business("meat")
    for door in world.doors(app, business).values():
        answer = door.client.post(f"/api/v1{STAMPS}", json={"card_id": business.ids["card_id"]})
        assert answer.status_code == 401


@pytest.mark.parametrize("ends", ["revoked", "expired"])
def test_it_ends_a_key_at_its_next_request(app: Flask, bakery: Shop, card: Card, ends: str) -> None:
    with app.app_context():
        expires_at = now() + timedelta(days=1)
        caller = Caller(app, make_api_key(bakery, expires_at=expires_at))
    assert caller.post(STAMPS, {"card_id": str(card.card_id)}).status_code == 200
    with app.app_context():
        (row,) = api_keys.list_all(actor=bakery.ada)
        if ends == "revoked":
            api_keys.revoke(actor=bakery.ada, api_key_id=row.api_key_id, key=factories.make_key(bakery.ada))
        else:
            _expire(row.api_key_id)
    assert caller.post(STAMPS, {"card_id": str(card.card_id)}).status_code == 401


def _expire(api_key_id: object) -> None:
    with transaction():
        db.session.get_one(ApiKey, api_key_id).expires_at = now() - timedelta(seconds=1)


def test_it_lets_a_key_that_reads_write_nothing(reader: Caller, card: Card) -> None:
    answer = reader.post(STAMPS, {"card_id": str(card.card_id)})
    assert (answer.status_code, (answer.json or {})["code"]) == (403, "FORBIDDEN")
    assert (answer.json or {})["scope"] == "till"


def test_it_lets_the_platform_do_nothing_for_a_shop(app: Flask, card: Card) -> None:
    with app.app_context():
        platform = Caller(app, make_platform_key())
    assert platform.post(STAMPS, {"card_id": str(card.card_id)}).status_code == 403


def test_it_refuses_a_suspended_shop(app: Flask, bakery: Shop, till: Caller, card: Card) -> None:
    with app.app_context(), transaction():
        db.session.get_one(Vendor, bakery.vendor_id).status = "suspended"
    answer = till.post(STAMPS, {"card_id": str(card.card_id)})
    assert (answer.status_code, (answer.json or {})["code"]) == (403, "VENDOR_SUSPENDED")


@pytest.mark.parametrize(
    ("content", "kind", "status", "code"),
    [
        ("{", "application/json", 400, "MALFORMED_REQUEST"),
        ("", "application/json", 400, "MALFORMED_REQUEST"),
        ("[" * 100_000, "application/json", 400, "MALFORMED_REQUEST"),
        ('{"card_id": "\\ud800"}', "application/json", 400, "MALFORMED_REQUEST"),
        ("null", "application/json", 422, "VALIDATION_ERROR"),
        ("[]", "application/json", 422, "VALIDATION_ERROR"),
        ("card_id=1", "application/x-www-form-urlencoded", 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("{}", "text/plain", 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("{}", "", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (f'{{"notes": "{"x" * 300_000}"}}', "application/json", 413, "TOO_LARGE"),
    ],
    ids=["half", "empty", "deep", "surrogate", "null", "list", "form", "text", "untyped", "huge"],
)
def test_it_says_what_is_wrong_with_a_body(
    app: Flask, till: Caller, content: str, kind: str, status: int, code: str
) -> None:
    headers = {"Authorization": f"Bearer {till.api_key}", "Idempotency-Key": "k" * 16}
    answer = app.test_client().post(f"/api/v1{STAMPS}", data=content, content_type=kind, headers=headers)
    assert (answer.status_code, (answer.json or {})["code"]) == (status, code)
    assert answer.content_type == "application/problem+json"


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({}, "card_id"),
        ({"card_id": None}, "card_id"),
        ({"card_id": "5"}, "card_id"),
        ({"scan_code": "BCDFGHJKNPRSTVXB", "card_number": "4812037756"}, "card_id"),
        ({"card_number": "4812037756", "quantity": "1"}, "quantity"),
        ({"card_number": "4812037756", "quantity": 1.5}, "quantity"),
        ({"card_number": "4812037756", "quantity": True}, "quantity"),
        ({"card_number": "4812037756", "quantity": 0}, "quantity"),
        ({"card_number": "4812037756", "quantity": 21}, "quantity"),
        ({"card_number": "4812037756", "notes": "a\x00b"}, "notes"),
        ({"card_number": "4812037756", "notes": "x" * 501}, "notes"),
        ({"card_number": "4812037756", "colour": "red"}, "colour"),
        ({"card_number": 4812037756}, "card_number"),
        ({"card_number": "4812037756", "store_code": "moon"}, "store_code"),
    ],
)
def test_it_names_every_field_that_is_wrong(till: Caller, sent: dict[str, object], field: str) -> None:
    answer = till.post(STAMPS, sent)
    assert (answer.status_code, (answer.json or {})["code"]) == (422, "VALIDATION_ERROR")
    assert list((answer.json or {})["errors"]) == [field]
    assert all("%(" not in sentence for sentence in (answer.json or {})["errors"].values())


def test_it_takes_no_question_that_it_does_not_know(till: Caller, card: Card) -> None:
    answer = till.send("POST", STAMPS, {"card_id": str(card.card_id)}, query={"lang": "fr"})
    assert (answer.status_code, list((answer.json or {})["errors"])) == (422, ["lang"])


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_it_says_which_methods_an_address_takes(app: Flask, method: str) -> None:
    answer = Caller(app, None).send(method, STAMPS)
    assert (answer.status_code, (answer.json or {})["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert answer.headers["Allow"] == "OPTIONS, POST"


@pytest.mark.parametrize("path", ["/", "/nowhere", "/vendor/loyalty/stamps/", "/vendor/loyalty/transactions/1/void"])
def test_it_answers_unknown_addresses_as_problems(app: Flask, path: str) -> None:
    answer = app.test_client().get(f"/api/v1{path}", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.content_type) == (404, "application/problem+json")
    assert (answer.json or {})["code"] == "NOT_FOUND"


def test_it_speaks_the_language_that_is_asked_for(till: Caller, card: Card) -> None:
    till.headers["Accept-Language"] = "fr-LU, fr;q=0.9"
    french = till.post(STAMPS, {"card_number": "4812037756"}).json or {}
    till.headers["Cookie"] = "lang=de"
    del till.headers["Accept-Language"]
    english = till.post(STAMPS, {"card_number": "4812037756"}).json or {}
    assert english["title"] == "This card is not a card of this shop."
    assert french["title"] != english["title"]


def test_it_answers_a_fault_of_its_own_as_a_problem(
    app: Flask, till: Caller, card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "testing", False)
    monkeypatch.setitem(app.config, "CONFIG", None)
    answer = app.test_client().post(f"/api/v1{STAMPS}", headers={"Authorization": f"Bearer {till.api_key}"})
    assert (answer.status_code, answer.content_type) == (500, "application/problem+json")
    assert (answer.json or {})["code"] == "INTERNAL_ERROR"


def test_it_says_who_acts_in_the_ledger(app: Flask, till: Caller, card: Card, bakery: Shop) -> None:
    answer = till.post(STAMPS, {"card_id": str(card.card_id), "notes": "Two coffees"})
    with app.app_context():
        row = db.session.execute(
            db.select(db.metadata.tables["loyalty_transactions"]).where(
                db.metadata.tables["loyalty_transactions"].c.id == (answer.json or {})["transaction_id"]
            )
        ).one()
        (listed,) = api_keys.list_all(actor=Actor(bakery.vendor_id, Role.OWNER))
        notes = db.session.execute(db.select(db.metadata.tables["transaction_details"].c.notes)).scalars().all()
    assert (row.api_key_id, row.terminal_id, row.user_id) == (listed.api_key_id, None, None)
    assert "Two coffees" in notes
    assert listed.last_used_at is not None


@pytest.mark.parametrize("scope", [Scope.READ, Scope.TILL, Scope.MANAGE])
def test_it_knows_the_order_of_scopes(scope: Scope) -> None:
    assert scope.allows(Scope.READ)
    assert not scope.allows(Scope.PLATFORM)
    assert not Scope.PLATFORM.allows(scope)
    assert scope.allows(Scope.MANAGE) is (scope is Scope.MANAGE)
