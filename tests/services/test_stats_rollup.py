"""Sums that follow the ledger: equal to a plain recount, whatever happens while they are made."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from loyalty import database
from loyalty.database import Base, db, transaction
from loyalty.jobs import sweep
from loyalty.models.stats import DailyStats
from loyalty.services import stats_cards, stats_platform_days, stats_rollup
from tests.factories import Shop, make_card, make_shop
from tests.services.stats_life import Held, Killed, Life, dying, stamp_once
from tests.services.stats_recount import check
from tests.services.stats_sums import NOW, days_of, roll_up
from tests.services.voiding import OPEN, stamp
from tests.tills import all_at_once

STEPS = {
    "stamp": 8,
    "earn": 8,
    "redeem": 3,
    "buy": 3,
    "void": 6,
    "adjust": 2,
    "enrol": 1,
    "switch": 1,
    "wait": 5,
    "move": 1,
    "roll_up": 4,
    "interrupt": 3,
    "hold": 2,
    "release": 2,
}
KINDS = [name for name, weight in STEPS.items() for _ in range(weight)]


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    yield
    database.configure(clock_offset=timedelta())


def contents() -> dict[str, list[tuple[object, ...]]]:
    """All that was counted, without the numbers of rows."""
    names = (
        "daily_platform_stats",
        "daily_stats",
        "daily_visit_times",
        "daily_staff_stats",
        "stats_standing",
        "card_stats",
    )
    tables = {name: Base.metadata.tables[name] for name in names}
    columns = {name: [column for column in table.c if column.name != "id"] for name, table in tables.items()}
    with transaction():
        return {
            name: sorted((tuple(row) for row in db.session.execute(sa.select(*found))), key=repr)
            for name, found in columns.items()
        }


def test_it_equals_a_recount_whatever_happens(app: Flask, context: None) -> None:
    lives = 0

    @seed(8)
    @settings(max_examples=20, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(dice=st.integers(0, 2**32), steps=st.lists(st.sampled_from(KINDS), min_size=40, max_size=40))
    def live(dice: int, steps: list[str]) -> None:
        nonlocal lives
        lives += 1
        life = Life(app, dice, f"shop{lives}")
        try:
            for step in steps:
                life.step(step)
        finally:
            life.finish()
        roll_up()
        plain = check(life.vendor_ids)
        assert plain.daily
        before = contents()
        stats_rollup.start_over()
        roll_up()
        assert contents() == before

    live()
    assert roll_up() == stats_rollup.RolledUp(cards=0, days=0, left=0)


@pytest.fixture
def bakery(context: None) -> Shop:
    """Ada's bakery."""
    return make_shop(**OPEN)


def test_it_may_die_at_any_statement(app: Flask, context: None) -> None:
    survived = 0
    for number in range(1, 60):
        shop = make_shop(f"shop{number}", **OPEN)
        stamp(shop, make_card(shop))
        try:
            with dying(app, after=number):
                roll_up()
            survived += 1
        except Killed:
            db.session.rollback()
        roll_up()
        check([shop.vendor_id])
        if survived:
            break
    assert survived
    assert number > 15


def test_it_may_run_many_times_at_once(app: Flask, context: None) -> None:
    shops = [make_shop(code, **OPEN) for code in ("bakery", "cafe", "kiosk")]
    for shop in shops:
        for _ in range(4):
            stamp(shop, make_card(shop, points=5), 2)
    all_at_once(app, [roll_up] * 6)
    roll_up()
    check([shop.vendor_id for shop in shops])


def test_it_takes_no_lock_that_a_till_needs(app: Flask, bakery: Shop) -> None:
    card = make_card(bakery)
    roll_up()

    def count() -> None:
        stats_cards.recount(card_ids=[card.card_id])

    counting = Held(app, card, count)
    # It would be refused after three seconds of waiting.
    stamp(bakery, card)
    counting.commit()
    till = Held(app, card, lambda: stamp_once(bakery.ben, card))
    assert roll_up().cards == 1
    till.commit()
    assert roll_up().cards == 1
    check([bakery.vendor_id])


def test_it_goes_on_with_other_vendors_where_one_cannot_be_counted(app: Flask, context: None) -> None:
    bakery, cafe = make_shop(**OPEN), make_shop("cafe", **OPEN)
    cards = {shop.vendor_id: make_card(shop) for shop in (bakery, cafe)}
    roll_up()
    for shop in (bakery, cafe):
        stamp(shop, cards[shop.vendor_id])

    def block() -> None:
        mine = DailyStats.vendor_id == bakery.vendor_id
        db.session.execute(sa.select(DailyStats.id).where(mine).with_for_update())

    blocked = Held(app, cards[bakery.vendor_id], block)
    done = roll_up()
    assert (done.days, done.left) == (1, 1)
    check([cafe.vendor_id])
    blocked.commit()
    roll_up()
    check([bakery.vendor_id])


def test_it_leaves_to_the_next_run_what_takes_too_long(bakery: Shop) -> None:
    stamp(bakery, make_card(bakery))
    assert stats_rollup.roll_up(at=NOW, seconds=0) == stats_rollup.RolledUp(cards=1, days=0, left=1)
    assert roll_up() == stats_rollup.RolledUp(cards=0, days=1, left=0)


def test_it_counts_with_every_sweep(bakery: Shop) -> None:
    stamp(bakery, make_card(bakery))
    sweep.run(at=datetime.now(UTC))
    check([bakery.vendor_id])
    assert len(days_of(bakery)) == 1


def test_it_mends_sums_that_are_wrong(app: Flask, bakery: Shop) -> None:
    card = make_card(bakery)
    stamp(bakery, card)
    roll_up()
    right = contents()
    with transaction():
        db.session.execute(sa.text("UPDATE daily_stats SET visits = 70, local_day = local_day - 700"))
        db.session.execute(sa.text("UPDATE card_stats SET visits = 9"))
        db.session.execute(sa.text("DELETE FROM daily_visit_times"))
    done = app.test_cli_runner().invoke(args=["stats", "rebuild"])
    assert done.exit_code == 0, done.output
    assert done.output == "1 cards, 2 days counted, 0 days left.\n"
    assert contents() == right


def only_own_days() -> object:
    """Mark the days of a card's rows, but not those of what they take back, unless both are the same."""
    due, row = Base.metadata.tables["stats_due"], Base.metadata.tables["loyalty_transactions"]
    cards, seqs = sa.bindparam("cards", type_=sa.ARRAY(sa.Uuid)), sa.bindparam("seqs", type_=sa.ARRAY(sa.BigInteger))
    behind = sa.func.unnest(cards, seqs).table_valued("card_id", "seq", name="behind").render_derived()
    new = (row.c.card_id == behind.c.card_id) & (row.c.seq > behind.c.seq)
    days = sa.select(row.c.vendor_id, row.c.local_day).join(behind, new)
    return sa.insert(due).from_select(["vendor_id", "local_day"], days, include_defaults=False)


MUTANTS: dict[str, tuple[object, str, object]] = {
    "what is taken back leaves the day it was given on alone": (stats_cards, "_MARK", only_own_days()),
    "a sweep does not look back": (stats_rollup, "LOOK_BACK", timedelta()),
    "cards are taken to be counted": (stats_cards, "recount", lambda card_ids: None),
    "the latest days are enough": (stats_rollup, "_DAYS", 0),
    "the platform is told of no day": (stats_platform_days, "mark", lambda days: None),
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_it_notices_sums_that_are_wrong(
    mutant: str, app: Flask, context: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(*MUTANTS[mutant])
    assert any(fails(app, number) for number in range(30))


def fails(app: Flask, number: int) -> bool:
    """Live one life, and say whether its sums differ from the recount."""
    life, dice = Life(app, number, f"shop{number}"), random.Random(number)
    try:
        for step in dice.choices(KINDS, k=40):
            life.step(step)
    finally:
        life.finish()
    roll_up()
    try:
        check(life.vendor_ids)
    except AssertionError:
        return True
    finally:
        db.session.rollback()
    return False


def test_it_goes_by_cards_until_a_search_has_come_to_its_end(bakery: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Interrupted again and again, a first count ends, marks no day twice for a shop, and misses nothing."""
    monkeypatch.setattr(stats_rollup, "_CARDS", 2)
    cards = [make_card(bakery) for _ in range(5)]
    for card in cards[:3]:
        stamp(bakery, card)
    counted = [stats_rollup.roll_up(at=NOW, seconds=0).cards for _ in range(3)]
    assert counted == [2, 2, 1]
    # Only the next one sees that there are no more; the rows that came meanwhile are found by it, too.
    stamp(bakery, cards[4])
    assert stats_rollup.roll_up(at=NOW, seconds=20).cards == 1
    assert roll_up() == stats_rollup.RolledUp(cards=0, days=0, left=0)
    assert check([bakery.vendor_id]).daily
