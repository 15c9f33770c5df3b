"""Many tills at one card: real threads, a real connection each, and the same checks failing without the lock."""

import itertools
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from flask import Flask

from loyalty.database import AnyRow, db
from loyalty.domain.values import RequestKey
from loyalty.errors import IdempotencyInProgress, LoyaltyError
from loyalty.models.cards import LoyaltyCard
from loyalty.models.transactions import LoyaltyTransaction
from loyalty.services import points, stamps, till, verification, voids
from tests.clocks import clock_at
from tests.factories import Card, Shop, make_card, make_key, make_reward, make_shop
from tests.tills import all_at_once

THREADS = 16
NIGHTS = [date(2026, 3, 29), date(2026, 10, 25)]
ZONE = ZoneInfo("Europe/Luxembourg")
NUMBERED = "uq_loyalty_transactions_card_id_seq"
Call = Callable[[], str]


def outcome(call: Callable[[], object]) -> str:
    """What a till is told: `ok`, the code of a refusal, or the SQLSTATE of what the database refused.

    A till that waited for the lock in vain on a busy machine tries again, as it would at the counter.
    """
    try:
        call()
    except IdempotencyInProgress:
        db.session.rollback()
        return outcome(call)
    except LoyaltyError as refusal:
        return refusal.code
    except sa.exc.DBAPIError as error:
        return str(getattr(error.orig, "sqlstate", "unknown"))
    finally:
        db.session.rollback()
    return "ok"


def stamp(shop: Shop, card: Card) -> str:
    return outcome(lambda: stamps.add(actor=shop.ben, card=card.ref, quantity=1, key=make_key(shop.ben)))


def many(app: Flask, call: Call, times: int = THREADS) -> Counter[str]:
    return Counter(all_at_once(app, [call] * times))


def rows_of(card: Card, kind: str = "stamp_earned") -> Sequence[LoyaltyTransaction]:
    mine = sa.select(LoyaltyTransaction).where(
        LoyaltyTransaction.card_id == card.card_id, LoyaltyTransaction.transaction_type == kind
    )
    return db.session.execute(mine.order_by(LoyaltyTransaction.seq)).scalars().all()


def faults(app: Flask, cards: Sequence[Card], *, most: int, minutes: int) -> list[str]:
    """Everything that must never be seen on these cards, however many tills there were."""
    found: list[str] = []
    with app.app_context():
        for card in cards:
            rows = rows_of(card)
            days = Counter(row.local_day for row in rows)
            found += [f"{number} stamps on {day}" for day, number in days.items() if number > most]
            gaps = [later.transaction_at - row.transaction_at for row, later in itertools.pairwise(rows)]
            found += [f"a pause of {gap}" for gap in gaps if gap < timedelta(minutes=minutes)]
            count = db.session.get_one(LoyaltyCard, card.card_id).stamp_count
            if count != len(rows):
                found.append(f"{count} on the card, {len(rows)} in the ledger")
        found += [finding.problem for finding in verification.verify().findings]
    return found


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZONE).astimezone(UTC)


@pytest.mark.parametrize("day", NIGHTS)
def test_it_never_exceeds_the_day_on_the_nights_that_change_the_clock(app: Flask, day: date) -> None:
    with app.app_context(), clock_at(midnight(day) - timedelta(hours=3)):
        shop = make_shop(cooldown_minutes=0, max_daily_stamps=5)
        card = make_card(shop)
    ends = midnight(day + timedelta(days=1))
    assert ends - midnight(day) in (timedelta(hours=23), timedelta(hours=25))
    # Before midnight, after it, after the clock has changed, at the end of the long or short day, on the next.
    hour = timedelta(hours=1)
    moments = [midnight(day) - hour / 2, midnight(day), midnight(day) + 3 * hour, ends - hour / 2, ends]
    outcomes = []
    for moment in moments:
        with clock_at(moment):
            outcomes.append(many(app, partial(stamp, shop, card))["ok"])
    assert outcomes == [5, 5, 0, 0, 5]
    assert faults(app, [card], most=5, minutes=0) == []


@pytest.mark.parametrize("day", NIGHTS)
def test_it_never_shortens_the_pause_on_the_nights_that_change_the_clock(app: Flask, day: date) -> None:
    with app.app_context(), clock_at(midnight(day) - timedelta(hours=3)):
        shop = make_shop(cooldown_minutes=60, max_daily_stamps=50)
        card = make_card(shop)
    outcomes = []
    for half_hours in range(8):
        with clock_at(midnight(day) + timedelta(minutes=31 * half_hours)):
            outcomes.append(many(app, partial(stamp, shop, card))["ok"])
    assert outcomes == [1, 0] * 4
    assert faults(app, [card], most=50, minutes=60) == []


def test_it_keeps_balance_and_numbers_in_step(app: Flask) -> None:
    with app.app_context():
        shop = make_shop(loyalty_type="hybrid", cooldown_minutes=0, max_daily_stamps=100, stamps_target=5)
        card, cake = make_card(shop, stamps=20, points=500), make_reward(shop, "Cake", 50)
    asked: dict[str, Any] = {"actor": shop.mia, "card": card.ref}
    calls: list[Callable[[], object]] = [
        lambda: stamps.add(**asked, quantity=1, key=make_key(shop.mia)),
        lambda: stamps.redeem(**asked, key=make_key(shop.mia)),
        lambda: points.earn(**asked, purchase_amount_cents=900, key=make_key(shop.mia)),
        lambda: points.redeem(**asked, reward_id=cake, key=make_key(shop.mia)),
        lambda: voids.void_stamps(**asked, stamps_to_void=1, reason="slip", key=make_key(shop.mia)),
    ]
    for _ in range(6):
        outcomes = Counter(all_at_once(app, [partial(outcome, call) for call in calls * 3]))
        assert set(outcomes) <= {"ok", "INSUFFICIENT_STAMPS", "INSUFFICIENT_POINTS", "ALREADY_VOIDED"}
    with app.app_context():
        assert verification.verify().findings == []


def test_it_gives_a_full_card_its_reward_once_from_two_tills(app: Flask) -> None:
    with app.app_context():
        shop = make_shop(loyalty_type="hybrid")
        cake = make_reward(shop, "Cake", 100)
        made = [make_card(shop, stamps=10, points=100) for _ in range(20)]

    def redeem(card: Card) -> str:
        return outcome(lambda: stamps.redeem(actor=shop.ben, card=card.ref, key=make_key(shop.ben)))

    def buy(card: Card) -> str:
        return outcome(lambda: points.redeem(actor=shop.ben, card=card.ref, reward_id=cake, key=make_key(shop.ben)))

    for card in made:
        assert many(app, partial(redeem, card), 2) == {"ok": 1, "INSUFFICIENT_STAMPS": 1}
        assert many(app, partial(buy, card), 2) == {"ok": 1, "INSUFFICIENT_POINTS": 1}
    with app.app_context():
        assert verification.verify().findings == []


def test_it_takes_everything_back_once_when_all_is_voided_twice(app: Flask) -> None:
    with app.app_context():
        shop = make_shop(loyalty_type="hybrid", cooldown_minutes=0, max_daily_stamps=100)
        card = make_card(shop)
        ids: list[UUID] = []
        for _ in range(20):
            given = stamps.add(actor=shop.ben, card=card.ref, quantity=1, key=make_key(shop.ben))
            earned = points.earn(actor=shop.ben, card=card.ref, purchase_amount_cents=990, key=make_key(shop.ben))
            assert earned.transaction_id
            ids += [given.transaction_id, earned.transaction_id]

    def void(transaction_id: UUID) -> str:
        asked: dict[str, Any] = {"transaction_id": transaction_id, "reason": "slip", "key": make_key(shop.mia)}
        return outcome(lambda: voids.void(actor=shop.mia, **asked))

    told: Counter[str] = Counter()
    for first in range(0, len(ids), 8):
        told += Counter(all_at_once(app, [partial(void, found) for found in ids[first : first + 8] * 2]))
    assert told == {"ok": len(ids), "ALREADY_VOIDED": len(ids)}
    with app.app_context():
        found = db.session.get_one(LoyaltyCard, card.card_id)
        assert (found.stamp_count, found.points_balance) == (0, 0)
        assert verification.verify().findings == []


def race(app: Flask, rounds: int, *, most: int, minutes: int) -> list[str]:
    """Let eight tills stamp the same card at once, card after card, and return what went wrong."""
    with app.app_context():
        shop = make_shop(f"shop-{most}", cooldown_minutes=minutes, max_daily_stamps=most)
        made = [make_card(shop) for _ in range(rounds)]
    told: Counter[str] = Counter()
    for card in made:
        told += many(app, partial(stamp, shop, card), 8)
    expected = {"ok", "DAILY_STAMP_LIMIT", "STAMP_COOLDOWN"}
    return faults(app, made, most=most, minutes=minutes) + sorted(set(told) - expected)


@pytest.fixture
def unlocked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The till without FOR UPDATE; all eight have read the card before the first of them writes."""
    everybody, read_facts = threading.Barrier(8), till._facts

    def meet(card: AnyRow, key: RequestKey) -> AnyRow:
        everybody.wait(timeout=60)
        return read_facts(card, key)

    monkeypatch.setattr(sa.Select, "with_for_update", lambda query: query)
    monkeypatch.setattr(till, "_facts", meet)


@pytest.fixture
def unnumbered(app: Flask, owner_engine: sa.Engine) -> Iterator[None]:
    """A ledger that takes the same number twice; empty and whole again at the end."""
    with owner_engine.begin() as connection:
        connection.execute(sa.text(f"ALTER TABLE loyalty_transactions DROP CONSTRAINT {NUMBERED}"))
    yield
    with owner_engine.begin() as connection:
        connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
        connection.execute(sa.text("DELETE FROM loyalty_transactions"))
        connection.execute(sa.text(f"ALTER TABLE loyalty_transactions ADD CONSTRAINT {NUMBERED} UNIQUE (card_id, seq)"))


def test_it_wins_the_race_that_is_lost_without_the_lock(app: Flask) -> None:
    assert race(app, 10, most=3, minutes=0) == []
    assert race(app, 10, most=50, minutes=15) == []


def test_it_loses_the_race_without_the_lock(app: Flask, unlocked: None) -> None:
    """The numbers of the rows are the second line: what the lock does not prevent ends as an error (23505)."""
    assert race(app, 3, most=3, minutes=0) == ["23505"]
    assert race(app, 3, most=50, minutes=15) == ["23505"]


def test_it_would_see_every_fault_if_nothing_held(app: Flask, unlocked: None, unnumbered: None) -> None:
    found = race(app, 2, most=3, minutes=0)
    assert any(fault.startswith("8 stamps on") for fault in found)
    assert any(fault.startswith("1 on the card, 8 in the ledger") for fault in found)
    assert any(fault.startswith("a pause of") for fault in race(app, 2, most=50, minutes=15))
