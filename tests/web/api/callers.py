"""Programs with keys: they send JSON, and every answer is held against what is documented."""

import itertools
import secrets
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from flask import Flask
from werkzeug.test import TestResponse

from loyalty.domain.values import Admin, Scope
from loyalty.services import api_keys
from loyalty.web.api.operations import OPERATIONS, Operation, all_errors
from loyalty.web.api.problems import PROBLEM as PROBLEM_SCHEMA
from tests import factories

_numbers = itertools.count(1)
PROBLEM = "application/problem+json"


def make_api_key(shop: factories.Shop, scope: Scope = Scope.TILL, stores: tuple[UUID, ...] = (), **more: Any) -> str:
    """Make a key of a shop; needs an application context."""
    made = api_keys.create(
        actor=shop.ada, name="Till software", scope=scope, store_ids=stores, key=factories.make_key(shop.ada), **more
    )
    assert made.api_key is not None
    return made.api_key


def make_platform_key() -> str:
    """Make a key of the platform; needs an application context."""
    key = factories.make_key()
    made = api_keys.create(actor=Admin(), name="Operations", scope=Scope.PLATFORM, key=key)
    assert made.api_key is not None
    return made.api_key


@dataclass
class Caller:
    """A program: `post` draws a new idempotency key each time, unless one is given."""

    app: Flask
    api_key: str | None
    headers: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **query: Any) -> TestResponse:
        """Ask for something."""
        return self.send("GET", path, query=query)

    def post(self, path: str, body: object = None, *, key: str | None = None) -> TestResponse:
        """Do something, under a new key."""
        return self.send("POST", path, body, key=key)

    def send(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        key: str | None = None,
        query: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> TestResponse:
        """Send a request below /api/v1, and hold the answer against the documentation."""
        sent = dict(self.headers)
        if self.api_key:
            sent["Authorization"] = f"Bearer {self.api_key}"
        if method != "GET":
            sent["Idempotency-Key"] = key or f"test-{next(_numbers)}-{secrets.token_hex(8)}"
        sent |= headers or {}
        json = body if method != "GET" else None
        client = self.app.test_client()
        answer = client.open(f"/api/v1{path}", method=method, headers=sent, query_string=query, json=json)
        check_documented(self.app, method, path, answer)
        return answer


def check_documented(app: Flask, method: str, path: str, answer: TestResponse) -> None:
    """Fail where an operation answers what its documentation does not know."""
    assert "Set-Cookie" not in answer.headers
    if answer.status_code >= 400:
        assert answer.content_type == PROBLEM, answer.text
        assert answer.json is not None
        assert answer.json["status"] == answer.status_code
        assert answer.json.keys() <= PROBLEM_SCHEMA["properties"].keys(), answer.text
    made = find_operation(app, method, path)
    if made is None:
        return
    if answer.status_code < 400:
        kind = made.answers[answer.status_code]
        assert kind is None or set(answer.json or ()) == set(kind.model_fields), answer.text
    else:
        known = {(error.status, error.code) for error in all_errors(made)}
        assert (answer.status_code, (answer.json or {})["code"]) in known, (
            f"{made.name} does not document {answer.text}"
        )


def find_operation(app: Flask, method: str, path: str) -> Operation | None:
    """Find what an address below /api/v1 leads to, None where it leads nowhere."""
    try:
        endpoint, _ = app.url_map.bind("localhost").match(f"/api/v1{path}", method=method)
    except Exception:
        return None
    return next((made for made in OPERATIONS if f"api.{made.name}" == endpoint), None)


def walk(caller: Caller, path: str, **query: object) -> list[dict[str, Any]]:
    """Read all pages of a list."""
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = caller.get(path, **query, **({"cursor": cursor} if cursor else {})).json or {}
        found += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return found
