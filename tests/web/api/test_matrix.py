"""Every operation, every scope, the ids of the shop next door: not found, and nothing has changed.

The operations come from the registrations and the bodies from their fields, so a new one is in here by itself.
"""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from loyalty.database import db, transaction
from loyalty.domain.values import Scope
from loyalty.models.api import ApiKey
from loyalty.web.api.operations import OPERATIONS, Operation
from loyalty.web.api.spec import build
from tests import world
from tests.fingerprints import fingerprint
from tests.web.api.callers import Caller, make_api_key, make_platform_key
from tests.world import Business

# What is called otherwise than the shop's thing that it names.
NAMED = {"staff_id": "staff_pin_id", "store_code": "store"}
# Where a field of the same name means another kind of thing.
SPECIAL = {
    ("void_points", "transaction_id"): "related_transaction_id",
    ("restore_points", "transaction_id"): "expiry_id",
}
LEFT_OUT = {"staff_pin", "staff_id", "scan_code", "card_number"}


def filled(made: Operation, business: Business) -> dict[str, Any] | None:
    """Fill a body with the ids of a shop, and the rest as the documentation shows it."""
    if made.body is None:
        return None
    spec = build("")["paths"][made.path][made.method.lower()]
    example: dict[str, Any] = dict(spec["requestBody"]["content"]["application/json"]["example"])
    for name in made.body.model_fields:
        source = SPECIAL.get((made.name, name), NAMED.get(name, name))
        if source in business.ids:
            example[name] = business.ids[source]
    return {name: value for name, value in example.items() if name not in LEFT_OUT}


def address(made: Operation, business: Business) -> str:
    """Fill a path; what is no id of a shop's thing has to be taught to `world.make_business` first."""
    return made.path.format(**{name: business.ids[NAMED.get(name, name)] for name in made.hints})


def ask(caller: Caller, made: Operation, business: Business) -> Any:
    body = filled(made, business)
    return caller.send(made.method, address(made, business), body, key=secrets.token_hex(12))


@pytest.mark.parametrize("scope", [None, *Scope], ids=["no key", *Scope])
def test_it_opens_nothing_of_the_shop_next_door(app: Flask, owner_engine: sa.Engine, scope: Scope | None) -> None:
    with app.app_context():
        bakery, meat = world.make_business("bakery"), world.make_business("meat")
        text = (
            None
            if scope is None
            else make_platform_key()
            if scope is Scope.PLATFORM
            else make_api_key(meat.shop, scope)
        )
    wrong = []
    for made in OPERATIONS:
        if made.scope is None or (made.scope is Scope.PLATFORM and scope is Scope.PLATFORM):
            continue
        before = fingerprint(owner_engine, of=bakery.shop.vendor_id)
        answer = ask(Caller(app, text), made, bakery)
        case = f"{made.method} {made.path} -> {answer.status_code}"
        wrong += [f"{case} shows {word!r}" for word in bakery.words if word in answer.text]
        wrong += [f"{case} changed something"] * (before != fingerprint(owner_engine, of=bakery.shop.vendor_id))
        may = scope is not None and scope.allows(made.scope)
        wrong += [f"{case} let in"] * (not may and answer.status_code not in (401, 403))
        # Not by a store's code: both shops have a "station".
        names_something = made.hints or "card_id" in (filled(made, bakery) or {})
        wrong += [f"{case} found"] * bool(may and names_something and answer.status_code not in (404, 422))
    assert not wrong, "\n".join(wrong)


def test_it_finds_everything_of_its_own(app: Flask) -> None:
    """The control: the ids of the matrix are real."""
    with app.app_context():
        bakery = world.make_business("bakery")
        caller = Caller(app, make_api_key(bakery.shop, Scope.MANAGE))
    missing = []
    # What is ended is asked for no more.
    for made in sorted(OPERATIONS, key=lambda made: made.method == "DELETE"):
        if made.scope not in (None, Scope.PLATFORM):
            answer = ask(caller, made, bakery)
            missing += [f"{made.method} {made.path} -> {answer.text}"] * (answer.status_code == 404)
    assert missing == []


def test_it_takes_no_thing_of_the_shop_next_door_in_a_field(app: Flask, owner_engine: sa.Engine) -> None:
    with app.app_context():
        bakery, meat = world.make_business("bakery"), world.make_business("meat")
        caller = Caller(app, make_api_key(meat.shop, Scope.MANAGE))
    before, wrong = fingerprint(owner_engine, of=bakery.shop.vendor_id), []
    for made in OPERATIONS:
        own, foreign = filled(made, meat) or {}, filled(made, bakery) or {}
        # A store's code is none of these: both shops have a "station".
        for name in [name for name, value in own.items() if value != foreign[name]]:
            path, body = address(made, meat), own | {name: foreign[name]}
            answer = caller.send(made.method, path, body, key=secrets.token_hex(12))
            case = f"{made.method} {made.path} {name} -> {answer.status_code}"
            wrong += [f"{case} shows {word!r}" for word in bakery.words if word in answer.text]
            wrong += [f"{case} found"] * (answer.status_code not in (403, 404, 422))
    assert fingerprint(owner_engine, of=bakery.shop.vendor_id) == before
    assert not wrong, "\n".join(wrong)


def test_it_writes_nothing_where_only_reading_is_asked(app: Flask, owner_engine: sa.Engine) -> None:
    with app.app_context():
        bakery = world.make_business("bakery")
        caller = Caller(app, make_api_key(bakery.shop, Scope.READ))
    vendor_id: UUID = bakery.shop.vendor_id
    before = fingerprint(owner_engine, of=vendor_id)
    for made in OPERATIONS:
        if made.scope is not None:
            ask(caller, made, bakery)
    assert fingerprint(owner_engine, of=vendor_id) == before


@pytest.mark.parametrize("ends", ["revoked", "expired"])
@pytest.mark.parametrize("scope", [Scope.MANAGE, Scope.PLATFORM])
def test_it_opens_nothing_to_a_key_that_has_ended(app: Flask, owner_engine: sa.Engine, scope: Scope, ends: str) -> None:
    with app.app_context():
        bakery = world.make_business("bakery")
        text = make_platform_key() if scope is Scope.PLATFORM else make_api_key(bakery.shop, scope)
        with transaction():
            over = datetime.now(UTC) - timedelta(seconds=1)
            column = "revoked_at" if ends == "revoked" else "expires_at"
            db.session.execute(sa.update(ApiKey).where(ApiKey.scope == scope).values({column: over}))
    before = fingerprint(owner_engine)
    wrong = []
    for made in OPERATIONS:
        if made.scope is not None:
            answer = ask(Caller(app, text), made, bakery)
            wrong += [f"{made.method} {made.path} -> {answer.status_code}"] * (answer.status_code != 401)
    assert wrong == []
    assert fingerprint(owner_engine) == before
