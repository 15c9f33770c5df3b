"""Statistics of a bakery with two stores, reckoned by hand: what the owner sees of May and June."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from loyalty.database import db, transaction
from loyalty.domain import bounds
from loyalty.domain.values import Admin, Role
from loyalty.errors import Forbidden, NotFound
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
from loyalty.services.stats_figures import Figure, Totals
from tests.clocks import clock_at
from tests.factories import make_card, make_key, make_reward, make_shop
from tests.services.stats_bakery import AT, JUNE, Bakery, on, open_bakery
from tests.services.voiding import OPEN

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def bakery() -> Bakery:
    return open_bakery()


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


def test_it_adds_up_a_platform_of_which_one_shop_writes_the_largest_numbers_there_are(bakery: Bakery) -> None:
    """Nobody's settings may take the statistics of all away from whoever runs the platform."""
    most = bounds.REWARD["value_cents"][1]
    settings = {**OPEN, "loyalty_type": "points", "points_per_euro": bounds.PROGRAM["points_per_euro"][1]}
    loud = make_shop("mallory", vendor={"currency": "CHF"}, **settings)
    make_reward(loud, "Cake", 1, value_cents=most)
    with clock_at(on(6, 5)):
        card = make_card(loud)
        for _ in range(10):
            key = make_key(loud.ben)
            points.earn(actor=loud.ben, card=card.ref, purchase_amount_cents=bounds.PURCHASE, key=key)
    stats_rollup.roll_up(at=AT)
    seen = stats_platform.overview(admin=Admin(), **JUNE, at=AT)
    worth = {each.currency: each.points_value_cents for each in seen.money}
    assert worth["CHF"] == 10 * bounds.POINTS * most > 2**63
    assert worth["EUR"] == 181
