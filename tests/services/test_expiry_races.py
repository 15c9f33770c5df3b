"""Expiry and a till on the same card at the same moment: one is before the other, and never both.

`make year` lets them meet on a thousand cards (RACES chooses another number).
"""

import os
import random
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from loyalty.database import AnyRow, clock, db, transaction
from loyalty.domain.expiry import Decision, Step
from loyalty.domain.values import TransactionType
from loyalty.errors import InsufficientPoints
from loyalty.models.cards import LoyaltyCard
from loyalty.models.transactions import LoyaltyTransaction
from loyalty.services import expiry, expiry_cards, expiry_steps, points, stamps, verification
from loyalty.services.expiry_cards import Night
from tests.clocks import clock_at
from tests.expiring import DAYS, balance, make_holder, make_points_shop, night_of, run
from tests.factories import Card, Shop, make_key, make_reward
from tests.tills import all_at_once

pytestmark = pytest.mark.usefixtures("context")

RACES = int(os.environ.get("RACES", "24"))
NIGHT = night_of(DAYS + 1)
EXPIRED = TransactionType.POINTS_EXPIRED.value
VISITS = {
    TransactionType.STAMP_EARNED.value,
    TransactionType.POINTS_EARNED.value,
    TransactionType.POINTS_REDEEMED.value,
}


def test_it_is_before_or_after_a_visit_and_never_both(app: Flask) -> None:
    drawn, shop = random.Random(1), make_hybrid_shop()
    reward = make_reward(shop, points_required=100)
    visits = (stamp, earn, partial(redeem, reward))
    held = [make_holder(shop, email=None) for _ in range(RACES)]
    run(night_of(DAYS - 14))
    ended: Counter[str] = Counter()
    with clock_at(NIGHT):
        for number, card in enumerate(held):
            # The night asks for the rule before it asks for the card: so the till is late by some questions, too.
            visit = partial(come_late, drawn.randrange(16), visits[number % 3], shop, card)
            all_at_once(app, [partial(expire, shop, card), visit])
            ended[check(card)] += 1
    assert verification.verify().findings == []
    if RACES >= 1000:
        assert set(ended) == {"before", "never"}
        print(f"{RACES} races: points gone before the visit {ended['before']}, kept by it {ended['never']}")


def test_it_notices_points_that_go_after_a_visit(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: where the night does not decide anew under the lock, a visit that was faster does not count."""
    shop = make_hybrid_shop()
    card = make_holder(shop, email=None)
    run(night_of(DAYS - 14))
    monkeypatch.setattr(expiry, "_decision", lambda *_: Decision(Step.TAKE))
    with clock_at(NIGHT):
        earn(shop, card)
        expire(shop, card)
    with pytest.raises(AssertionError, match="after a visit"):
        check(card)


def test_it_is_refused_by_the_ledger_where_the_card_is_not_locked(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: the night has read the card without a lock, and a visit comes before it writes."""
    shop, take = make_hybrid_shop(), expiry_steps.take
    card = make_holder(shop, email=None)
    run(night_of(DAYS - 14))

    def take_after_a_visit(*, steps: expiry_steps.Steps, night: Night, now: datetime) -> None:
        all_at_once(app, [partial(earn, shop, card)])
        take(steps=steps, night=night, now=now)

    monkeypatch.setattr(expiry_steps, "take", take_after_a_visit)
    monkeypatch.setattr(expiry_cards, "lock", read_without_lock)
    with clock_at(NIGHT), pytest.raises(sa.exc.IntegrityError, match="card_id_seq"):
        expire(shop, card)
    assert check(card) == "never"


def make_hybrid_shop() -> Shop:
    """Make a shop whose customers collect stamps and points."""
    return make_points_shop(loyalty_type="hybrid")


def stamp(shop: Shop, card: Card) -> None:
    """Give a stamp."""
    stamps.add(actor=shop.ada, card=card.ref, quantity=1, key=make_key(shop.ada))


def earn(shop: Shop, card: Card) -> None:
    """Let the customer buy something."""
    points.earn(actor=shop.ada, card=card.ref, purchase_amount_cents=500, key=make_key(shop.ada))


def redeem(reward_id: str, shop: Shop, card: Card) -> None:
    """Let the customer take a reward, where the points are still there."""
    with suppress(InsufficientPoints):
        points.redeem(actor=shop.ada, card=card.ref, reward_id=reward_id, key=make_key(shop.ada))


def come_late(questions: int, visit: Callable[[Shop, Card], None], shop: Shop, card: Card) -> None:
    """Come as much later as so many questions to the database take."""
    for _ in range(questions):
        clock()
    db.session.rollback()
    visit(shop, card)


def expire(shop: Shop, card: Card) -> None:
    """Do what the night does with one card, from its lock to the commit."""
    [program] = expiry._open_programs()
    expiry._take_batch(program, expiry_cards.night(at=NIGHT, timezone=program.timezone), [card.card_id])


def check(card: Card) -> str:
    """Check that all points went before the visit, or none at all; returns `before` or `never`."""
    query = sa.select(*LoyaltyTransaction.__table__.c).where(LoyaltyTransaction.card_id == card.card_id)
    with transaction():
        rows = db.session.execute(query.order_by(LoyaltyTransaction.seq)).all()
    since = [row.transaction_type for row in rows[2:]]
    assert EXPIRED not in since[1:], "points expired after a visit, or twice"
    assert set(since) <= {EXPIRED, *VISITS}
    assert rows[-1].points_balance_after == balance(card) == sum(row.points_delta for row in rows) >= 0
    if since[0] != EXPIRED:
        return "never"
    assert rows[2].points_delta == -100
    return "before"


def read_without_lock(*, vendor_id: UUID, card_ids: Sequence[UUID]) -> Sequence[AnyRow]:
    """Read cards as the night does, but let everybody else have them, too."""
    return expiry_cards._read(LoyaltyCard.vendor_id == vendor_id, LoyaltyCard.id.in_(card_ids))
