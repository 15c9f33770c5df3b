"""Two programs ask for the same thing at the same moment, through a real server: one effect, and the same bytes."""

import json
import secrets
import threading
from http.client import HTTPConnection
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from loyalty.database import db
from loyalty.domain.values import Scope
from loyalty.models.cards import LoyaltyCard
from loyalty.models.transactions import LoyaltyTransaction
from loyalty.services import verification
from tests import factories
from tests.factories import Card, Shop
from tests.web.api.callers import make_api_key

LOYALTY = "/api/v1/vendor/loyalty"
ROUNDS = 12
TWINS = 4
Answer = tuple[int, bytes, str | None]


def race(
    address: tuple[str, int], path: str, api_key: str | None, body: dict[str, Any], keys: list[str]
) -> list[Answer]:
    """Send the same body under these keys, each on a connection of its own, as nearly at once as can be."""
    start, answers = threading.Barrier(len(keys)), list[Answer]()

    def ask(key: str) -> None:
        connection = HTTPConnection(*address, timeout=60)
        connection.connect()
        headers = {"Idempotency-Key": key, "Content-Type": "application/json"}
        headers |= {"Authorization": f"Bearer {api_key}"} if api_key else {}
        start.wait()
        connection.request("POST", path, json.dumps(body), headers)
        answer = connection.getresponse()
        answers.append((answer.status, answer.read(), answer.headers["Idempotency-Replayed"]))
        connection.close()

    threads = [threading.Thread(target=ask, args=(key,)) for key in keys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def one_key() -> list[str]:
    return [secrets.token_hex(12)] * TWINS


def check_one_effect(answers: list[Answer], status: int = 200) -> bytes:
    """All said the same, and all but one that they repeat it; returns what they said."""
    assert [answer[0] for answer in answers] == [status] * TWINS, answers
    (said,) = {answer[1] for answer in answers}
    assert sorted(str(answer[2]) for answer in answers) == ["None", *["true"] * (TWINS - 1)]
    return said


@pytest.mark.parametrize(
    ("path", "body", "column"),
    [
        ("stamps", {"quantity": 1}, "stamp_count"),
        ("points/earn", {"purchase_amount_cents": 100}, "points_balance"),
        ("stamps/redeem", {}, "stamp_count"),
        ("points/adjust", {"points_delta": 7, "reason": "Paper card"}, "points_balance"),
    ],
    ids=["stamps", "earn", "redeem", "adjust"],
)
def test_it_has_one_effect_for_twins(
    app: Flask, bakery: Shop, server: tuple[str, int], path: str, body: dict[str, Any], column: str
) -> None:
    with app.app_context():
        card, api_key = factories.make_card(bakery, stamps=20), make_api_key(bakery, Scope.MANAGE)
    for _ in range(ROUNDS):
        keys = one_key()
        if path == "stamps/redeem":
            with app.app_context():
                card = factories.make_card(bakery, stamps=20)
        said = json.loads(
            check_one_effect(race(server, f"{LOYALTY}/{path}", api_key, {"card_id": str(card.card_id), **body}, keys))
        )
        with app.app_context():
            assert balance(card, column) == said[column]
            assert rows_under(keys[0]) == 1
    with app.app_context():
        assert verification.verify().findings == []


def test_it_has_an_effect_for_each_key(app: Flask, bakery: Shop, server: tuple[str, int]) -> None:
    """The control: the same race under keys of their own stamps each time."""
    with app.app_context():
        card, api_key = factories.make_card(bakery), make_api_key(bakery)
    keys = [secrets.token_hex(12) for _ in range(TWINS)]
    answers = race(server, f"{LOYALTY}/stamps", api_key, {"card_id": str(card.card_id)}, keys)
    assert {answer[0] for answer in answers} == {200}
    assert len({answer[1] for answer in answers}) == TWINS
    assert {answer[2] for answer in answers} == {None}
    with app.app_context():
        assert balance(card, "stamp_count") == TWINS


def test_it_makes_one_thing_for_twins_where_no_card_is_locked(
    app: Flask, bakery: Shop, server: tuple[str, int]
) -> None:
    with app.app_context():
        api_key = make_api_key(bakery, Scope.MANAGE)
    said = race(server, f"{LOYALTY}/stores", api_key, {"name": "Station", "code": "station"}, one_key())
    check_one_effect(said, 201)


def test_it_gives_one_card_to_twins_who_join(app: Flask, bakery: Shop, server: tuple[str, int]) -> None:
    for number in range(ROUNDS):
        body = {"email": f"cleo{number}@example.com", "accept_terms": True}
        check_one_effect(race(server, f"/api/v1/loyalty/programs/{bakery.code}/enroll", None, body, one_key()), 201)
    with app.app_context():
        assert db.session.scalar(sa.select(sa.func.count()).select_from(LoyaltyCard)) == ROUNDS
        assert verification.verify().findings == []


def balance(card: Card, column: str) -> int:
    mine = sa.select(LoyaltyCard.__table__.c[column]).where(LoyaltyCard.id == card.card_id)
    return int(db.session.execute(mine).scalar_one())


def rows_under(key: str) -> int:
    mine = sa.select(sa.func.count()).where(LoyaltyTransaction.idempotency_key == key)
    return int(db.session.execute(mine).scalar_one())
