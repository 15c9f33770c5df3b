"""Statistics of customers: cohorts, the way to the first reward, and who is silent."""

from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa

from loyalty.database import db, transaction
from loyalty.models.cards import LoyaltyCard
from loyalty.services import (
    cards,
    stats,
    stats_customers,
    stats_periods,
    stats_rollup,
)
from loyalty.services.stats_customers import Cohort, Funnel
from tests.factories import make_key
from tests.services.stats_bakery import AT, Bakery, on, open_bakery

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def bakery() -> Bakery:
    return open_bakery()


def test_it_follows_cohorts(bakery: Bakery) -> None:
    seen = stats_customers.cohorts(actor=bakery.shop.ada, months=3, at=AT)
    assert seen == [
        Cohort(date(2026, 4, 1), 0, (0, 0, 0)),
        Cohort(date(2026, 5, 1), 1, (1, 1)),
        Cohort(date(2026, 6, 1), 1, (1,)),
    ]
    january = datetime(2027, 1, 2, 9, tzinfo=UTC)
    months = [cohort.month for cohort in stats_customers.cohorts(actor=bakery.shop.ada, at=january)]
    assert (months[0], months[-1], len(months)) == (date(2026, 8, 1), date(2027, 1, 1), 6)


def test_it_follows_customers_to_their_first_reward(bakery: Bakery) -> None:
    ada = bakery.shop.ada
    assert stats_customers.funnel(actor=ada, period=bakery.june()) == Funnel(1, 0, 0, 0)
    with transaction():
        card = sa.update(LoyaltyCard).where(LoyaltyCard.id == bakery.late.card_id)
        db.session.execute(card.values(google_saved_at=AT))
    since_may = stats_periods.choose(actor=ada, first=date(2026, 5, 1), last=date(2026, 6, 30), at=AT)
    assert stats_customers.funnel(actor=ada, period=since_may) == Funnel(2, 1, 1, 1)


@pytest.mark.parametrize(
    ("month", "day", "regulars", "newcomers"), [(7, 31, 0, 0), (8, 1, 1, 0), (8, 9, 1, 0), (8, 10, 1, 1)]
)
def test_it_finds_who_is_silent_for_too_long(
    bakery: Bakery, month: int, day: int, regulars: int, newcomers: int
) -> None:
    # Cleo came on three days within 41, so twice her interval of 20.5 days is 41; Luc came once.
    seen = stats_customers.at_risk(actor=bakery.shop.ada, at=on(month, day))
    assert (seen.members, seen.regulars, seen.newcomers) == (2, regulars, newcomers)
    listed = [(card.name, card.visits, card.every_days) for card in seen.cards]
    assert listed == [("Cleo Martin", 3, 20), ("Luc", 1, None)][: regulars + newcomers]
    assert seen.number == len(seen.cards)


def test_it_forgets_who_is_no_member_any_more(bakery: Bakery) -> None:
    cards.deactivate(actor=bakery.shop.ada, card=bakery.cleo.ref, reason="lost", key=make_key(bakery.shop.ada))
    stats_rollup.roll_up(at=AT)
    seen = stats_customers.at_risk(actor=bakery.shop.ada, most=1, at=on(8, 1))
    assert (seen.members, seen.number) == (1, 0)
    assert stats.overview(actor=bakery.shop.ada, period=bakery.june()).standing.members == 1
