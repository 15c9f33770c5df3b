"""Days of a shop: to which of them a purchase, an hour and a correction belong."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from loyalty import database
from loyalty.database import db, transaction
from loyalty.services import points, stats_rollup, voids
from tests.clocks import clock_at
from tests.factories import Card, Shop, make_card, make_key, make_shop
from tests.services.stats_life import Held, stamp_once
from tests.services.stats_recount import check
from tests.services.stats_sums import days_of, roll_up
from tests.services.voiding import OPEN, stamp, undo

NIGHTS = [date(2026, 3, 29), date(2026, 10, 25)]


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    yield
    database.configure(clock_offset=timedelta())


@pytest.fixture
def bakery(context: None) -> Shop:
    """Ada's bakery."""
    return make_shop(**OPEN)


def earn(shop: Shop, card: Card, cents: int) -> UUID:
    made = points.earn(actor=shop.ben, card=card.ref, purchase_amount_cents=cents, key=make_key(shop.ben))
    assert made.transaction_id is not None
    return made.transaction_id


def check_late(open_till: Held, shop: Shop) -> None:
    """Check after a till has committed what it wrote before."""
    open_till.commit()
    check([shop.vendor_id])


def test_it_counts_what_was_not_committed_yet_with_a_later_run(app: Flask, bakery: Shop) -> None:
    early, late = make_card(bakery), make_card(bakery)
    open_till = Held(app, early, lambda: stamp_once(bakery.ben, early))
    stamp(bakery, late)
    roll_up()
    with pytest.raises(AssertionError):
        check_late(open_till, bakery)
    # Nothing but time passes between the two: the row that came late has the earlier id.
    roll_up()
    check([bakery.vendor_id])


def test_it_loses_late_rows_where_it_does_not_look_back(
    app: Flask, bakery: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stats_rollup, "LOOK_BACK", timedelta())
    early, late = make_card(bakery), make_card(bakery)
    open_till = Held(app, early, lambda: stamp_once(bakery.ben, early))
    stamp(bakery, late)
    roll_up()
    roll_up()
    open_till.commit()
    roll_up()
    with pytest.raises(AssertionError):
        check([bakery.vendor_id])


def test_it_finds_a_lost_row_with_the_next_of_its_card(bakery: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    card = make_card(bakery)
    with transaction():
        db.session.execute(sa.text("DELETE FROM stats_progress"))
        db.session.execute(sa.text("INSERT INTO stats_progress VALUES (1, 'ffffffff-ffff-ffff-ffff-ffffffffffff')"))
    assert roll_up().cards == 0
    with transaction():
        db.session.execute(sa.text("UPDATE stats_progress SET searched_to = :id"), {"id": stamp(bakery, card)})
    stamp(bakery, card)
    assert roll_up().cards == 1
    check([bakery.vendor_id])


def test_it_takes_revenue_back_from_the_day_of_the_purchase(bakery: Shop) -> None:
    with clock_at(datetime(2026, 5, 4, 9, tzinfo=UTC)):
        card = make_card(bakery)
        whole, partly = earn(bakery, card, 1000), earn(bakery, card, 999)
    roll_up()
    assert days_of(bakery)[date(2026, 5, 4)].revenue_cents == 1999
    with clock_at(datetime(2026, 6, 20, 9, tzinfo=UTC)):
        undo(bakery.ada, whole)
        voids.void_points(
            actor=bakery.ada,
            card=card.ref,
            transaction_id=partly,
            points_to_void=33,
            reason="slip",
            key=make_key(bakery.ada),
        )
    roll_up()
    day = days_of(bakery)[date(2026, 5, 4)]
    # A third of 99 points went, and so a third of 999 cents.
    assert (day.revenue_cents, day.purchases, day.points_earned, day.visits) == (666, 1, 199, 1)
    check([bakery.vendor_id])


@pytest.mark.parametrize("day", NIGHTS)
def test_it_counts_every_hour_of_the_days_that_change_the_clock(bakery: Shop, day: date) -> None:
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=3)
    for hours in range(30):
        with clock_at(midnight + timedelta(hours=hours)):
            stamp(bakery, make_card(bakery))
    roll_up()
    plain = check([bakery.vendor_id])
    length = {date(2026, 3, 29): 23, date(2026, 10, 25): 25}[day]
    assert plain.daily[bakery.vendor_id, bakery.store_id, day]["visits"] == length
    assert days_of(bakery)[day].visits == length


def test_it_never_mixes_two_vendors(context: None) -> None:
    bakery, next_door = make_shop(**OPEN), make_shop("mallory", **OPEN)
    stamp(bakery, make_card(bakery), 3)
    roll_up()
    before = check([bakery.vendor_id]).daily
    stamp(next_door, make_card(next_door), 5)
    roll_up()
    assert check([bakery.vendor_id]).daily == before
    check([next_door.vendor_id])


def test_it_counts_history_that_was_written_later(bakery: Shop) -> None:
    roll_up()
    with clock_at(datetime(2025, 2, 3, 9, tzinfo=UTC)):
        card = make_card(bakery)
        stamp(bakery, card)
    roll_up()
    assert days_of(bakery)[date(2025, 2, 3)].stamps_earned == 1
    check([bakery.vendor_id])
