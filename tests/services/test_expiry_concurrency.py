"""The night's run beside others: tills, redemptions, a second machine, and a kill at every statement."""

from collections.abc import Sequence
from contextlib import nullcontext
from datetime import datetime, timedelta
from threading import Barrier
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from loyalty.database import AnyRow, db, transaction
from loyalty.domain.values import TransactionType
from loyalty.errors import InsufficientPoints
from loyalty.models.cards import LoyaltyCard
from loyalty.services import (
    adjustments,
    expiry,
    expiry_cards,
    expiry_restores,
    expiry_steps,
    points,
    verification,
)
from loyalty.services.expiry_cards import Night
from tests.clocks import clock_at
from tests.expiring import DAYS, balance, hand_over, mails, make_holder, make_points_shop, night_of, rows_of, run
from tests.factories import make_key, make_reward
from tests.kills import run_through_kills
from tests.tills import all_at_once

pytestmark = pytest.mark.usefixtures("context")


EXPIRED = TransactionType.POINTS_EXPIRED


WARNING = DAYS - 14


def test_it_lets_a_till_finish_and_comes_back(app: Flask) -> None:
    shop = make_points_shop()
    card, other = (make_holder(shop, email=None) for _ in range(2))
    run(night_of(WARNING))
    with db.engine.connect() as till:
        till.execute(sa.select(LoyaltyCard.id).where(LoyaltyCard.id == card.card_id).with_for_update())
        done = run(night_of(DAYS + 1))
        assert (done.shops, done.expired, done.held) == (0, 1, 1)
    assert (balance(card), balance(other)) == (100, 0)
    done = run(night_of(DAYS + 1, hours=1))
    assert (done.shops, done.expired, balance(card)) == (1, 1, 0)


def test_it_shares_the_cards_between_two_machines(app: Flask) -> None:
    shop = make_points_shop()
    held = [make_holder(shop, email=None) for _ in range(12)]
    run(night_of(WARNING))
    with clock_at(night_of(DAYS + 1)):
        done = all_at_once(app, [lambda: expiry.run(at=night_of(DAYS + 1))] * 4)
        expiry.run(at=night_of(DAYS + 1))
    assert sum(ran.expired for ran in done) <= 12
    assert [len(rows_of(card, EXPIRED)) for card in held] == [1] * 12
    assert verification.verify().findings == []


@pytest.mark.parametrize("locked", [True, False])
def test_it_takes_once_only_because_cards_are_locked(app: Flask, monkeypatch: pytest.MonkeyPatch, locked: bool) -> None:
    """Two machines that have both read the card: without the lock the second one's row is refused by the ledger."""
    shop = make_points_shop()
    card = make_holder(shop, email=None)
    run(night_of(WARNING))
    both, take = Barrier(2), expiry_steps.take

    def take_together(*, steps: expiry_steps.Steps, night: Night, now: datetime) -> None:
        both.wait(60)
        take(steps=steps, night=night, now=now)

    monkeypatch.setattr(expiry_steps, "take", take_together)
    if not locked:
        monkeypatch.setattr(expiry_cards, "lock", read_without_lock)
    with clock_at(night_of(DAYS + 1)):
        refused = pytest.raises(sa.exc.IntegrityError, match="card_id_seq") if not locked else nullcontext()
        with refused:
            all_at_once(app, [lambda: expiry.run(at=night_of(DAYS + 1))] * 2)
    assert len(rows_of(card, EXPIRED)) == 1


def test_it_survives_a_kill_at_every_statement(monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed at its first statement, then at its second, and so on until a run gets through."""
    shop = make_points_shop()
    held = [make_holder(shop) for _ in range(3)]
    monkeypatch.setattr(expiry, "BATCH", 1)
    kills = run_through_kills(lambda: run(night_of(WARNING)))
    assert (len(mails("points_expiring")), kills > 10) == (3, True)
    hand_over(night_of(WARNING))
    run_through_kills(lambda: run(night_of(DAYS + 1)))
    assert [len(rows_of(card, EXPIRED)) for card in held] == [1, 1, 1]
    assert len(mails("points_expired")) == 3
    assert verification.verify().findings == []


@pytest.mark.parametrize("attempt", range(8))
def test_it_is_before_or_after_a_redemption_and_never_both(app: Flask, attempt: int) -> None:
    shop = make_points_shop()
    card, reward = make_holder(shop, email=None), make_reward(shop, points_required=100)
    run(night_of(WARNING))

    def redeem() -> bool:
        try:
            points.redeem(actor=shop.ada, card=card.ref, reward_id=reward, key=make_key(shop.ada))
        except InsufficientPoints:
            return False
        return True

    def expire() -> bool:
        return expiry.run(at=night_of(DAYS + 1)).expired == 1

    with clock_at(night_of(DAYS + 1)):
        assert sorted(all_at_once(app, [redeem, expire])) == [False, True]
    assert balance(card) == 0
    assert verification.verify().findings == []


@pytest.mark.parametrize("attempt", range(4))
def test_it_leaves_points_that_are_given_back_while_others_run_out(app: Flask, attempt: int) -> None:
    """The shop gives points back in the very night in which points expire that the card got since."""
    shop = make_points_shop()
    card, night = make_holder(shop, email=None), night_of(DAYS + 2)
    run(night_of(WARNING))
    run(night_of(DAYS + 1))
    (expired,) = rows_of(card, EXPIRED)
    with clock_at(night_of(DAYS + 1, hours=1)):
        adjustments.adjust_points(actor=shop.ada, card=card.ref, delta=7, reason="a gift", key=make_key(shop.ada))
    with transaction():
        warned = {"points_good_until": night.date() - timedelta(days=3), "last_expiration_warning_at": night_of(DAYS)}
        db.session.execute(sa.update(LoyaltyCard).where(LoyaltyCard.id == card.card_id).values(**warned))

    def restore() -> int:
        given = expiry_restores.restore(
            actor=shop.ada, card=card.ref, transaction_id=expired.id, reason="was away", key=make_key(shop.ada)
        )
        return given.points_restored

    with clock_at(night):
        assert sorted(all_at_once(app, [restore, lambda: expiry.run(at=night).expired]))[-1] == 100
    run(night_of(DAYS + 3))
    assert balance(card) >= 100
    assert verification.verify().findings == []


def read_without_lock(*, vendor_id: UUID, card_ids: Sequence[UUID]) -> Sequence[AnyRow]:
    """Read cards as the run does, but let everybody else have them, too."""
    return expiry_cards._read(LoyaltyCard.vendor_id == vendor_id, LoyaltyCard.id.in_(card_ids))
