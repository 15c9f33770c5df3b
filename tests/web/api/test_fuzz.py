"""Every operation, filled with what no software would send: refused or taken, as documented, and never a fault."""

import json
import random
from typing import Any

import bcrypt
import pytest
from flask import Flask

from loyalty.database import db, transaction
from loyalty.domain.values import Scope
from loyalty.models.vendors import Vendor
from loyalty.web.api.operations import OPERATIONS, Operation
from tests.web import hostile
from tests.web.api.callers import Caller, check_documented
from tests.web.api.conftest import Stocked
from tests.web.api.test_matrix import address, filled

SEED = 20261121
ROUNDS = 25
ODD: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    1,
    1.5,
    1e308,
    2**31,
    2**63,
    10**400,
    [],
    [[]],
    {},
    {"$gt": ""},
    *(text for text in hostile.TEXTS if len(text) < 10_000),
)


@pytest.mark.parametrize("name", [made.name for made in OPERATIONS])
def test_it_survives_what_no_software_should_send(app: Flask, stocked: Stocked, name: str) -> None:
    made = next(made for made in OPERATIONS if made.name == name)
    business = stocked.business
    with app.app_context(), transaction():
        db.session.get_one(Vendor, business.shop.vendor_id).pin_salt = bcrypt.gensalt(4)
    caller = Caller(app, stocked.platform if made.scope is Scope.PLATFORM else stocked.manage)
    for number in range(ROUNDS):
        chance = random.Random(f"{SEED}-{name}-{number}")
        path = address(made, business)
        answer = send(caller, made, path, spoilt(made, filled(made, business), chance), chance)
        assert answer.status_code < 500, answer.text
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def spoilt(made: Operation, body: dict[str, Any] | None, chance: random.Random) -> Any:
    """Spoil some fields of a body, leave some out, add one that nobody knows, or send something else altogether."""
    if body is None or chance.random() < 0.1:
        return chance.choice(ODD)
    fields = list(made.body.model_fields) if made.body else []
    for name in chance.sample(fields, min(len(fields), chance.randint(1, 3))):
        body[name] = chance.choice(ODD)
    if body and chance.random() < 0.2:
        body.pop(chance.choice(list(body)))
    return body | ({chance.choice(hostile.TEXTS[:20]): 1} if chance.random() < 0.1 else {})


def send(caller: Caller, made: Operation, path: str, body: Any, chance: random.Random) -> Any:
    query = {}
    for name in made.query.model_fields:
        if chance.random() < 0.7:
            text = str(chance.choice(ODD))[:300]
            query[name] = text.encode("utf-8", "replace").decode()
    key = f"{chance.getrandbits(96):024x}"
    # As text with escapes: so half a surrogate pair travels, too.
    content = json.dumps(body)
    headers = {"Authorization": f"Bearer {caller.api_key}", "Idempotency-Key": key}
    client = caller.app.test_client()
    answer = client.open(
        f"/api/v1{path}",
        method=made.method,
        data=content if made.method != "GET" else None,
        content_type="application/json",
        headers=headers,
        query_string=query,
    )
    check_documented(caller.app, made.method, path, answer)
    return answer
