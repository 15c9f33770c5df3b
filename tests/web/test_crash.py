"""Kill -9 for the web server in the middle of requests: whoever asks again with the same key gets one effect."""

import random
import secrets
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from config import Config
from loyalty.database import db
from loyalty.models.cards import LoyaltyCard
from loyalty.models.transactions import LoyaltyTransaction
from loyalty.services import stamps, verification
from tests.crash_till import Till, open_till, title_of, web_server
from tests.factories import Card, Shop, make_card, make_key, make_shop, open_session

# Two of the fatal requests may meet in one worker, so there are a few more than workers that must have died.
OPERATIONS, KILLS, DEATHS, CUTS = 5_000, 14, 10, 100
UNKEYED, UNKEYED_KILLS = 400, 8
THREADS, CARDS = 8, 10
# From the lock of the card to the moment when the answer is ready.
POINTS = (2, 9)


@pytest.fixture
def bakery(app: Flask) -> Shop:
    with app.app_context():
        shop = make_shop(loyalty_type="hybrid", cooldown_minutes=0, max_daily_stamps=100, stamps_target=100)
        open_session(shop, shop.ben)
    return shop


@pytest.fixture
def server(config: Config, tmp_path: Path) -> Iterator[tuple[str, int]]:
    with web_server(config, tmp_path) as address:
        yield address


def rows_of(card: Card) -> list[str]:
    mine = sa.select(LoyaltyTransaction.transaction_type).where(LoyaltyTransaction.card_id == card.card_id)
    return list(db.session.execute(mine.order_by(LoyaltyTransaction.seq)).scalars())


def give(shop: Shop, card: Card) -> UUID:
    return stamps.add(actor=shop.ben, card=card.ref, quantity=1, key=make_key(shop.ben)).transaction_id


Prepared = tuple[str, dict[str, Any]]
CASES: dict[str, tuple[Callable[[Shop, Card], Prepared], list[str]]] = {
    "stamp": (
        lambda shop, card: (f"/terminal/cards/{card.card_id}/stamps", {"quantity": 1}),
        ["stamp_earned"],
    ),
    "earn": (
        lambda shop, card: (f"/terminal/cards/{card.card_id}/points", {"amount": "9,90"}),
        ["points_earned"],
    ),
    "redeem": (
        lambda shop, card: (f"/terminal/cards/{card.card_id}/redemptions", {}),
        ["stamp_redeemed"],
    ),
    "void": (
        lambda shop, card: (f"/terminal/transactions/{give(shop, card)}/void", {"reason": "undo"}),
        ["stamp_earned", "stamp_voided"],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_it_has_one_effect_wherever_the_worker_died(
    app: Flask, bakery: Shop, server: tuple[str, int], case: str
) -> None:
    till = open_till(server, bakery)
    prepare, expected = CASES[case]
    point, answer, left_behind = 0, None, []
    while answer is None:
        point += 1
        with app.app_context():
            card = make_card(bakery, stamps=100)
            path, fields = prepare(bakery, card)
        key = secrets.token_urlsafe(24)
        answer = till.post(path, key, crash_at=point, **fields)
        with app.app_context():
            left_behind.append(rows_of(card)[2:])
        first, again = (till.post_until_known(path, key, **fields) for _ in range(2))
        assert title_of(first) == title_of(again)
        with app.app_context():
            assert rows_of(card)[2:] == expected
    # All or nothing stood in the ledger at each death, and both were met; the last request had no such point any more.
    nothing = expected[:-1]
    assert all(rows in (nothing, expected) for rows in left_behind)
    assert left_behind[0] == nothing
    assert left_behind[-2] == expected
    with app.app_context():
        assert verification.verify().findings == []


def work(till: Till, cards: list[Card], number: int, dice: random.Random, keys: list[str], troubles: list[str]) -> None:
    """Stamp and earn in turn, each under a key of its own; some requests kill their worker or hang up."""
    for turn in range(number):
        card, key = cards[turn // 2 % len(cards)], secrets.token_urlsafe(24)
        fields: dict[str, Any] = {"amount": "1,00"} if turn % 2 else {"quantity": 1}
        path = f"/terminal/cards/{card.card_id}/{'points' if turn % 2 else 'stamps'}"
        keys.append(key)
        trouble = troubles[turn]
        if trouble == "kill":
            # A connection that another death has cut would never bring the request to a worker.
            till.connection.close()
            till.post(path, key, crash_at=dice.randrange(*POINTS), **fields)
        elif trouble == "cut":
            till.post(path, key, cut=True, **fields)
        till.post_until_known(path, key, **fields)


def chaos(app: Flask, shop: Shop, address: tuple[str, int], *, operations: int, kills: int, cuts: int) -> Counter[str]:
    """Let eight tills work while workers die; returns the keys with the number of their effects."""
    dice = random.Random(20_260_329)
    troubles = ["kill"] * kills + ["cut"] * cuts + [""] * (operations - kills - cuts)
    dice.shuffle(troubles)
    with app.app_context():
        decks = [[make_card(shop) for _ in range(CARDS)] for _ in range(THREADS)]
    each = operations // THREADS
    keys: list[list[str]] = [[] for _ in range(THREADS)]
    failures: list[BaseException] = []

    def run(place: int) -> None:
        mine = troubles[place * each : (place + 1) * each]
        try:
            work(open_till(address, shop, htmx=False), decks[place], each, random.Random(place), keys[place], mine)
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(place,)) for place in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    effects = Counter({key: 0 for mine in keys for key in mine})
    with app.app_context():
        given = LoyaltyTransaction.transaction_type.in_(("stamp_earned", "points_earned"))
        effects.update(
            map(str, db.session.execute(sa.select(LoyaltyTransaction.idempotency_key).where(given)).scalars())
        )
        assert verification.verify().findings == []
    return effects


def deaths(folder: Path) -> int:
    """Count the workers that gunicorn says were killed."""
    return (folder / "web.log").read_text().count("was sent SIGKILL")


def test_it_loses_and_doubles_nothing_while_workers_die(
    app: Flask, bakery: Shop, server: tuple[str, int], tmp_path: Path
) -> None:
    effects = chaos(app, bakery, server, operations=OPERATIONS, kills=KILLS, cuts=CUTS)
    assert len(effects) == OPERATIONS
    assert deaths(tmp_path) >= DEATHS
    assert {key: number for key, number in effects.items() if number != 1} == {}
    with app.app_context():
        totals = sa.select(sa.func.sum(LoyaltyCard.stamp_count), sa.func.sum(LoyaltyCard.points_balance))
        points_of_each = 10
        stamps_given, points_given = db.session.execute(totals).one()
        assert stamps_given + points_given // points_of_each == OPERATIONS


def test_it_would_double_without_keys(app: Flask, config: Config, bakery: Shop, tmp_path: Path) -> None:
    """The same tills at a server that remembers no answers: the check above finds what it is there to find."""
    with web_server(config, tmp_path, WITHOUT_KEYS="1") as address:
        effects = chaos(app, bakery, address, operations=UNKEYED, kills=UNKEYED_KILLS, cuts=UNKEYED // 4)
    assert max(effects.values()) > 1
