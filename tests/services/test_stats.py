"""Statistics of a bakery with two stores, reckoned by hand: what the owner sees of May and June."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from loyalty.database import db, transaction
from loyalty.domain.values import Admin, Role
from loyalty.errors import Forbidden, NotFound, ValidationError
from loyalty.models.cards import LoyaltyCard
from loyalty.models.vendors import Vendor
from loyalty.services import (
    cards,
    points,
    stats,
    stats_customers,
    stats_periods,
    stats_platform,
    stats_revenue,
    stats_rollup,
    stats_staff,
)
from loyalty.services.stats_customers import Cohort, Funnel
from loyalty.services.stats_figures import Figure, Totals
from loyalty.services.stats_periods import Period
from tests.clocks import clock_at
from tests.factories import Card, Shop, make_card, make_key, make_reward, make_shop, make_store
from tests.services.voiding import OPEN, stamp

pytestmark = pytest.mark.usefixtures("context")

AT = datetime(2026, 6, 30, 20, tzinfo=UTC)
JUNE = {"first": date(2026, 6, 1), "last": date(2026, 6, 30)}


@dataclass(frozen=True)
class Bakery:
    """The shop as it is in its first store and at the station, Cleo's card, and one made at the station."""

    shop: Shop
    station: Shop
    cleo: Card
    late: Card

    def june(self, store_id: UUID | None = None) -> Period:
        return stats_periods.choose(actor=self.shop.ada, **JUNE, store_id=store_id, at=AT)


def on(month: int, day: int, hour: int = 10) -> datetime:
    return datetime(2026, month, day, hour, 10, tzinfo=UTC)


@pytest.fixture
def bakery() -> Bakery:
    shop = make_shop(**OPEN, stamps_reward_value_cents=505)
    station = replace(shop, ben=replace(shop.ben, store_id=make_store(shop)))
    reward = make_reward(shop, "Croissant", 50, value_cents=181)
    make_reward(shop, "Cake", 20)
    make_reward(shop, "Bread", 60, value_cents=900)
    with clock_at(on(5, 10)):
        cleo = make_card(shop)
        stamp(shop, cleo)
    with clock_at(on(6, 3)):
        stamp(shop, cleo, 2)
        points.earn(actor=shop.ben, card=cleo.ref, purchase_amount_cents=1000, key=make_key(shop.ben))
    with clock_at(on(6, 10, 6)):
        late = make_card(station, name="Luc")
        stamp(station, late)
    with clock_at(on(6, 20)):
        points.redeem(actor=station.ben, card=cleo.ref, reward_id=reward, key=make_key(station.ben))
    stats_rollup.roll_up(at=AT)
    return Bakery(shop, station, cleo, late)


def test_it_compares_a_period_with_the_one_before(bakery: Bakery) -> None:
    seen = stats.overview(actor=bakery.shop.ada, period=bakery.june())
    assert seen.totals == Totals(
        transactions=5,
        visits=3,
        cards_created=1,
        stamps_earned=3,
        points_earned=100,
        points_redeemed=50,
        redemptions=1,
        purchases=1,
        revenue_cents=1000,
    )
    assert seen.before == Totals(transactions=2, visits=1, cards_created=1, stamps_earned=1)
    assert seen.figure("visits") == Figure(3, 1)
    assert seen.figure("visits").percent == 200
    assert seen.figure("revenue_cents").percent is None
    assert (len(seen.trend), len(seen.trend_before)) == (30, 30)
    assert seen.trend[date(2026, 6, 3)].points_earned == 100
    assert seen.trend[date(2026, 6, 4)] == Totals()
    assert seen.trend_before[date(2026, 5, 10)].visits == 1


def test_it_says_how_things_stand_today(bakery: Bakery) -> None:
    standing = stats.overview(actor=bakery.shop.ada, period=bakery.june()).standing
    assert (standing.members, standing.active_30_days, standing.new_this_month) == (2, 2, 1)
    assert (standing.outstanding_stamps, standing.outstanding_points) == (4, 50)
    # 4 of 10 stamps of a reward of 505 cents; 50 points where 50 buy 181 cents, the cake's worth being unknown.
    assert (standing.stamps_value_cents, standing.points_value_cents) == (202, 181)


def test_it_values_nothing_whose_worth_it_does_not_know() -> None:
    shop = make_shop(**OPEN)
    make_card(shop, stamps=5, points=70)
    stats_rollup.roll_up(at=AT)
    period = stats_periods.choose(actor=shop.ada, at=AT)
    standing = stats.overview(actor=shop.ada, period=period).standing
    assert (standing.outstanding_stamps, standing.stamps_value_cents, standing.points_value_cents) == (5, None, None)


def test_it_looks_at_one_store(bakery: Bakery) -> None:
    seen = stats.overview(actor=bakery.shop.ada, period=bakery.june(bakery.station.ben.store_id))
    assert (seen.totals.visits, seen.totals.points_redeemed, seen.before.visits) == (2, 50, 0)
    # What was made at the station and what its card holds; Cleo belongs to the first store wherever she goes.
    assert (seen.standing.members, seen.standing.outstanding_stamps, seen.standing.outstanding_points) == (1, 1, 0)
    assert seen.period.store_name == "Station"


def test_it_compares_stores(bakery: Bakery) -> None:
    main, station = stats.by_store(actor=bakery.shop.ada, period=bakery.june())
    assert (main.name, main.members, main.totals.visits, main.totals.revenue_cents) == ("Main Street", 1, 1, 1000)
    assert (station.name, station.members, station.totals.visits, station.totals.redemptions) == ("Station", 1, 2, 1)
    only = stats.by_store(actor=bakery.shop.ada, period=bakery.june(bakery.shop.store_id))
    assert [store.name for store in only] == ["Main Street"]


def test_it_names_what_no_store_was_part_of(bakery: Bakery) -> None:
    with clock_at(on(6, 25)):
        cards.deactivate(actor=bakery.shop.ada, card=bakery.late.ref, reason="lost", key=make_key(bakery.shop.ada))
    stats_rollup.roll_up(at=AT)
    stores = stats.by_store(actor=bakery.shop.ada, period=bakery.june())
    assert [(store.name, store.members) for store in stores] == [("Main Street", 1), ("Station", 0), (None, 0)]
    assert stores[-1].totals.transactions == 1


def test_it_shows_the_hours_in_the_zone_of_the_shop(bakery: Bakery) -> None:
    week = stats.by_hour(actor=bakery.shop.ada, period=bakery.june())
    # Wednesday at 12:10 and 8:10, Saturday at 12:10 in Luxembourg's summer.
    assert {(day, hour): number for day, hours in enumerate(week) for hour, number in enumerate(hours) if number} == {
        (2, 12): 1,
        (2, 8): 1,
        (5, 12): 1,
    }


def test_it_sums_up_revenue_by_month_and_store(bakery: Bakery) -> None:
    seen = stats_revenue.by_month(actor=bakery.shop.ada, months=2, at=AT)
    assert seen.currency == "EUR"
    assert [(month.month, month.revenue_cents) for month in seen.months] == [
        (date(2026, 5, 1), 0),
        (date(2026, 6, 1), 1000),
    ]
    assert [(store.name, store.purchases) for store in seen.months[1].stores] == [("Main Street", 1)]
    elsewhere = stats_revenue.by_month(actor=bakery.shop.ada, months=1, store_id=bakery.station.ben.store_id, at=AT)
    assert [month.revenue_cents for month in elsewhere.months] == [0]


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


def test_it_shows_thirty_days_up_to_today_unless_asked_otherwise(bakery: Bakery) -> None:
    late_evening = datetime(2026, 6, 30, 22, 30, tzinfo=UTC)
    period = stats_periods.choose(actor=bakery.shop.ada, at=late_evening)
    # In Luxembourg it is July already.
    assert (period.first, period.last, period.days) == (date(2026, 6, 2), date(2026, 7, 1), 30)
    assert period.before == (date(2026, 5, 3), date(2026, 6, 1))
    ahead = stats_periods.choose(actor=bakery.shop.ada, first=date(2026, 6, 30), last=date(2999, 1, 1), at=AT)
    assert ahead.last == date(2026, 6, 30)


@pytest.mark.parametrize(
    ("first", "last", "field"),
    [
        (date(2026, 6, 2), date(2026, 6, 1), "first"),
        (date(2026, 7, 1), None, "first"),
        (date(2023, 1, 1), date(2026, 1, 1), "first"),
        (date.min, None, "first"),
        (None, date.min, "last"),
    ],
)
def test_it_refuses_days_that_make_no_period(bakery: Bakery, first: date | None, last: date | None, field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        stats_periods.choose(actor=bakery.shop.ada, first=first, last=last, at=AT)
    assert list(refused.value.errors) == [field]


@pytest.mark.parametrize("months", [0, 25, -1])
def test_it_refuses_months_that_no_page_shows(bakery: Bakery, months: int) -> None:
    for ask in (stats_customers.cohorts, stats_revenue.by_month):
        with pytest.raises(ValidationError):
            ask(actor=bakery.shop.ada, months=months, at=AT)


def test_it_does_not_find_a_store_of_another_vendor(bakery: Bakery) -> None:
    next_door = make_shop("mallory")
    with pytest.raises(NotFound):
        stats_periods.choose(actor=next_door.ada, store_id=bakery.shop.store_id, at=AT)
    # Nor does a period of one vendor open the sums of another.
    seen = stats.overview(actor=next_door.ada, period=bakery.june(bakery.shop.store_id))
    assert (seen.totals, seen.standing.members) == (Totals(), 0)
    assert stats.by_store(actor=next_door.ada, period=bakery.june(bakery.shop.store_id)) == []


@contextmanager
def counted(app: Flask) -> Iterator[list[str]]:
    """Collect the statements of the block."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        sent.append(statement)

    engine: sa.Engine = app.extensions["sqlalchemy"].engine
    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)


def readers(bakery: Bakery) -> dict[str, tuple[int, Callable[..., Any]]]:
    """Each question, and how many statements it may send."""
    asked = {"period": bakery.june()}
    return {
        "choose": (1, lambda actor: stats_periods.choose(actor=actor, at=AT)),
        "overview": (2, lambda actor: stats.overview(actor=actor, **asked)),
        "by_store": (1, lambda actor: stats.by_store(actor=actor, **asked)),
        "by_hour": (1, lambda actor: stats.by_hour(actor=actor, **asked)),
        "by_staff": (1, lambda actor: stats_staff.by_staff(actor=actor, **asked)),
        "funnel": (1, lambda actor: stats_customers.funnel(actor=actor, **asked)),
        "cohorts": (3, lambda actor: stats_customers.cohorts(actor=actor, at=AT)),
        "at_risk": (3, lambda actor: stats_customers.at_risk(actor=actor, at=AT)),
        "by_month": (2, lambda actor: stats_revenue.by_month(actor=actor, at=AT)),
    }


def test_it_asks_few_questions_and_never_the_ledger(app: Flask, bakery: Bakery) -> None:
    for name, (most, ask) in readers(bakery).items():
        with counted(app) as sent:
            ask(bakery.shop.ada)
        assert len(sent) <= most, name
    with counted(app) as sent:
        for _, ask in readers(bakery).values():
            ask(bakery.shop.ada)
        stats_platform.overview(admin=Admin(), at=AT)
    assert [statement for statement in sent if "loyalty_transactions" in statement] == []


def test_it_shows_nothing_to_staff(bakery: Bakery) -> None:
    for _, ask in readers(bakery).values():
        with pytest.raises(Forbidden):
            ask(bakery.shop.ben)
        ask(replace(bakery.shop.ada, role=Role.MANAGER))


def test_it_adds_up_the_platform(app: Flask, bakery: Bakery) -> None:
    swiss = make_shop("mallory", vendor={"currency": "CHF"}, **OPEN)
    with clock_at(on(6, 5)):
        card = make_card(swiss)
        points.earn(actor=swiss.ben, card=card.ref, purchase_amount_cents=700, key=make_key(swiss.ben))
    with transaction():
        db.session.execute(sa.update(Vendor).where(Vendor.id == swiss.vendor_id).values(status="suspended"))
    stats_rollup.roll_up(at=AT)
    with counted(app) as sent:
        seen = stats_platform.overview(admin=Admin(), **JUNE, at=AT)
    assert len(sent) == 3
    assert (seen.vendors, seen.vendors_active, seen.members, seen.active_30_days) == (2, 1, 3, 3)
    assert (seen.outstanding_stamps, seen.outstanding_points) == (4, 120)
    assert (seen.figure("visits"), seen.figure("cards_created")) == (Figure(4, 1), Figure(2, 1))
    assert seen.totals.revenue_cents == 0
    money = [(each.currency, each.revenue_cents, each.stamps_value_cents) for each in seen.money]
    assert money == [("CHF", Figure(700, 0), 0), ("EUR", Figure(1000, 0), 202)]
    assert [each.points_value_cents for each in seen.money] == [0, 181]
    assert seen.trend[date(2026, 6, 5)].points_earned == 70


@pytest.mark.parametrize(
    ("value", "before", "percent"), [(3, 2, 50), (1, 3, -67), (2, 3, -33), (0, 9, -100), (5, 0, None), (4, 4, 0)]
)
def test_it_rounds_a_change_to_whole_per_cent(value: int, before: int, percent: int | None) -> None:
    assert Figure(value, before).percent == percent
