"""Answers that never arrive: whoever asks again with the same key gets one effect, and the answer that was lost."""

import json
import secrets
from pathlib import Path
from random import Random
from typing import Any

import sqlalchemy as sa
from flask import Flask

from config import Config
from loyalty.database import db
from loyalty.domain.values import Scope
from loyalty.models.cards import LoyaltyCard
from loyalty.models.transactions import LoyaltyTransaction
from loyalty.services import verification
from tests import factories
from tests.crash_till import web_server
from tests.factories import Shop
from tests.web.api.callers import make_api_key
from tests.web.api.cutting import ask_until_known, draw_cuts, proxy

LOYALTY = "/api/v1/vendor/loyalty"
SEED = 20261121
ROUNDS = 15
WORK: tuple[tuple[str, dict[str, Any]], ...] = (
    ("stamps", {"quantity": 2}),
    ("points/earn", {"purchase_amount_cents": 250}),
    ("points/adjust", {"points_delta": 3, "reason": "Paper card"}),
    ("stamps/void", {"stamps_to_void": 1, "reason": "Wrong card"}),
    ("stamps/redeem", {}),
)


def test_it_does_everything_once_whatever_was_cut(app: Flask, server: tuple[str, int], bakery: Shop) -> None:
    dice, keys = Random(SEED), list[str]()
    with app.app_context():
        card, api_key = factories.make_card(bakery, stamps=1_000), make_api_key(bakery, Scope.MANAGE)
    with proxy(server) as between:
        for path, body in WORK * ROUNDS:
            keys.append(secrets.token_hex(12))
            between.cuts = draw_cuts(dice)
            known = ask_until_known(
                between.address, "POST", f"{LOYALTY}/{path}", {"card_id": str(card.card_id), **body}, keys[-1], api_key
            )
            assert (known.status, known.replayed) == (200, known.tries > 1)
        assert between.cut > ROUNDS
    with app.app_context():
        assert [rows_under(key) for key in keys] == [1] * len(keys)
        assert verification.verify().findings == []
        last = db.session.get_one(LoyaltyCard, card.card_id)
        assert last.stamp_count == 1_000 + ROUNDS * (2 - 1 - 10)
        assert last.points_balance == ROUNDS * (25 + 3)


def test_it_remembers_over_a_restart(app: Flask, config: Config, bakery: Shop, tmp_path: Path) -> None:
    with app.app_context():
        card, api_key = factories.make_card(bakery), make_api_key(bakery)
    key, body, answers = secrets.token_hex(12), {"card_id": str(card.card_id)}, []
    for _ in range(2):
        with web_server(config, tmp_path, served="wsgi:app") as address:
            answers.append(ask_until_known(address, "POST", f"{LOYALTY}/stamps", body, key, api_key))
    assert answers[0].content == answers[1].content
    assert [answer.replayed for answer in answers] == [False, True]
    with app.app_context():
        assert rows_under(key) == 1


def test_it_gives_one_card_to_whoever_joins(app: Flask, server: tuple[str, int], bakery: Shop) -> None:
    dice = Random(SEED)
    numbers = set()
    with proxy(server) as between:
        for number in range(ROUNDS):
            body = {"email": f"cleo{number}@example.com", "accept_terms": True}
            between.cuts = draw_cuts(dice)
            path = f"/api/v1/loyalty/programs/{bakery.code}/enroll"
            known = ask_until_known(between.address, "POST", path, body, secrets.token_hex(12))
            # With the same key it is the card itself, not the neutral answer that a stranger would get.
            assert known.status == 201
            numbers.add(json.loads(known.content)["card_number"])
        assert between.cut > 0
    with app.app_context():
        assert db.session.scalar(sa.select(sa.func.count()).select_from(LoyaltyCard)) == len(numbers) == ROUNDS


def rows_under(key: str) -> int:
    mine = sa.select(sa.func.count()).where(LoyaltyTransaction.idempotency_key == key)
    return int(db.session.execute(mine).scalar_one())
