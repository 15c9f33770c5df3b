"""The ledger: rows that are numbered, chained, timed after the lock, and closed to every change."""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from flask import Flask

from loyalty import database
from loyalty.database import db, transaction
from loyalty.domain.ledger import ENTRY_COLUMNS, GENESIS, entry_hash
from loyalty.errors import DailyStampLimit, StampCooldown
from loyalty.models.cards import LoyaltyCard
from loyalty.models.transactions import LoyaltyTransaction, TransactionDetail
from loyalty.models.vendors import Vendor
from loyalty.services import points, stamps, verification
from tests.clocks import clock_at, clock_moved
from tests.factories import Card, Shop, make_card, make_key, make_shop, make_store

STATEMENTS = {
    "UPDATE": "UPDATE loyalty_transactions SET stamps_delta = 9",
    "DELETE": "DELETE FROM loyalty_transactions",
    "TRUNCATE": "TRUNCATE loyalty_transactions CASCADE",
}
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)
LUXEMBOURG = ZoneInfo("Europe/Luxembourg")


def rows_of(card: Card) -> list[LoyaltyTransaction]:
    mine = sa.select(LoyaltyTransaction).where(LoyaltyTransaction.card_id == card.card_id)
    return list(db.session.execute(mine.order_by(LoyaltyTransaction.seq)).scalars())


def stamp(shop: Shop, card: Card) -> UUID:
    return stamps.add(actor=shop.ben, card=card.ref, quantity=1, key=make_key(shop.ben)).transaction_id


def move_zone(shop: Shop, zone: str) -> None:
    with transaction():
        db.session.get_one(Vendor, shop.vendor_id).timezone = zone


def test_it_chains_rows_as_the_specification_says(context: None) -> None:
    shop = make_shop(loyalty_type="hybrid")
    card = make_card(shop, stamps=3)
    points.earn(
        actor=shop.ben, card=card.ref, purchase_amount_cents=990, order_reference="Käse 1", key=make_key(shop.ben)
    )
    previous = GENESIS
    for number, row in enumerate(rows_of(card), start=1):
        values: list[object] = []
        for name in ENTRY_COLUMNS[1]:
            value = getattr(row, name)
            if isinstance(value, datetime):
                value = value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "Z"
            elif isinstance(value, date | UUID):
                value = str(value)
            values.append(value)
        text = json.dumps([1, previous, *values], ensure_ascii=False, separators=(",", ":"))
        assert row.entry_hash == hashlib.sha256(text.encode("utf-8")).hexdigest()
        assert row.seq == number
        previous = row.entry_hash
    assert db.session.get_one(LoyaltyCard, card.card_id).ledger_head == previous


def test_it_hashes_every_column_but_the_hash_and_its_version() -> None:
    columns = {column.name for column in LoyaltyTransaction.__table__.columns}
    assert columns - set(ENTRY_COLUMNS[1]) == {"entry_hash", "entry_version"}
    with pytest.raises(KeyError):
        entry_hash(99, GENESIS, {})


def test_it_keeps_words_and_addresses_out_of_the_row(context: None) -> None:
    shop = make_shop(loyalty_type="points")
    card = make_card(shop)
    answer = points.earn(
        actor=shop.ben, card=card.ref, purchase_amount_cents=990, notes="for Cleo's party", key=make_key(shop.ben)
    )
    assert answer.transaction_id
    assert db.session.get_one(TransactionDetail, answer.transaction_id).notes == "for Cleo's party"


@pytest.mark.parametrize("name", STATEMENTS)
def test_it_refuses_the_application_every_change(app: Flask, name: str) -> None:
    with app.app_context():
        shop = make_shop()
        make_card(shop)
        with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
            db.session.execute(sa.text(STATEMENTS[name]))
        db.session.rollback()


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE loyalty_transactions DISABLE TRIGGER ALL",
        "ALTER TABLE loyalty_transactions DISABLE TRIGGER refuse_row_change",
        "DROP TRIGGER refuse_row_change ON loyalty_transactions",
        "DROP TABLE loyalty_transactions CASCADE",
        "SET session_replication_role = replica",
        "CREATE OR REPLACE FUNCTION refuse_ledger_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    ],
)
def test_it_refuses_the_application_every_way_around(app: Flask, statement: str) -> None:
    with app.app_context():
        with pytest.raises(sa.exc.DBAPIError) as refusal:
            db.session.execute(sa.text(statement))
        assert getattr(refusal.value.orig, "sqlstate", None) == "42501"
        db.session.rollback()


@pytest.mark.parametrize("name", STATEMENTS)
def test_it_refuses_the_owner_too(context: None, owner_engine: sa.Engine, name: str) -> None:
    make_card(make_shop())
    db.session.rollback()
    with owner_engine.connect() as connection, pytest.raises(sa.exc.IntegrityError, match="append-only"):
        connection.execute(sa.text(STATEMENTS[name]))


def test_it_refuses_a_balance_below_zero_at_last(context: None, owner_engine: sa.Engine) -> None:
    make_card(make_shop())
    db.session.rollback()
    for column in ("stamp_count", "points_balance", "stamps_on_day"):
        with pytest.raises(sa.exc.IntegrityError), transaction():
            db.session.execute(sa.text(f"UPDATE loyalty_cards SET {column} = -1"))


def test_it_never_steps_back_in_time(context: None) -> None:
    shop = make_shop(cooldown_minutes=0)
    card = make_card(shop)
    with clock_moved(timedelta(hours=2)):
        stamp(shop, card)
    stamp(shop, card)
    times = [row.transaction_at for row in rows_of(card)]
    assert times == sorted(set(times))
    assert times[-1] - times[-2] == timedelta(microseconds=1)
    assert verification.verify().findings == []


def test_it_reads_the_clock_for_each_row_anew(context: None) -> None:
    shop = make_shop()
    first, second = make_card(shop), make_card(shop)
    assert rows_of(first)[0].transaction_at < rows_of(second)[0].transaction_at
    created = db.session.execute(sa.select(LoyaltyCard.created_at).order_by(LoyaltyCard.created_at)).scalars().all()
    assert created[0] < created[1]


@pytest.mark.parametrize(("day", "hours"), [(SPRING, 23), (AUTUMN, 25)])
def test_it_counts_the_shops_day_on_the_nights_that_change_the_clock(context: None, day: date, hours: int) -> None:
    shop = make_shop(cooldown_minutes=0, max_daily_stamps=2)
    midnight = datetime(day.year, day.month, day.day, tzinfo=LUXEMBOURG).astimezone(UTC)
    with clock_at(midnight - timedelta(hours=1)):
        card = make_card(shop)
    end = midnight + timedelta(hours=hours)
    moments = [midnight - timedelta(seconds=30), midnight, end - timedelta(seconds=30)]
    for moment in moments:
        with clock_at(moment):
            stamp(shop, card)
    with clock_at(end - timedelta(seconds=20)), pytest.raises(DailyStampLimit):
        stamp(shop, card)
    with clock_at(end):
        stamp(shop, card)
    one = timedelta(days=1)
    assert [row.local_day for row in rows_of(card)][1:] == [day - one, day, day, day + one]


@pytest.mark.parametrize("day", [SPRING, AUTUMN])
def test_it_measures_the_pause_in_real_minutes(context: None, day: date) -> None:
    shop = make_shop(cooldown_minutes=60, max_daily_stamps=50)
    # The clock on the wall jumps at 01:00 UTC, forwards in spring, back in autumn.
    jump = datetime(day.year, day.month, day.day, 1, tzinfo=UTC)
    with clock_at(jump - timedelta(minutes=10)):
        card = make_card(shop)
        stamp(shop, card)
    with clock_at(jump + timedelta(minutes=49)), pytest.raises(StampCooldown):
        stamp(shop, card)
    with clock_at(jump + timedelta(minutes=51)):
        stamp(shop, card)


def test_it_gives_no_day_twice_when_the_zone_changes_there_and_back(context: None) -> None:
    shop = make_shop(cooldown_minutes=0, max_daily_stamps=2)
    card = make_card(shop)
    with clock_at(datetime(2027, 1, 2, 12, tzinfo=UTC)):
        stamp(shop, card)
        stamp(shop, card)
        move_zone(shop, "Pacific/Kiritimati")
        stamp(shop, card)
        stamp(shop, card)
        for zone in ("Europe/Luxembourg", "Pacific/Kiritimati"):
            move_zone(shop, zone)
            with pytest.raises(DailyStampLimit) as refusal:
                stamp(shop, card)
            assert refusal.value.stamps_today == 2
    with clock_at(datetime(2027, 1, 3, 12, tzinfo=UTC)):
        stamp(shop, card)
    assert verification.verify().findings == []


def test_it_moves_with_the_configured_clock_alone(context: None) -> None:
    assert database.clock_offset() == timedelta()
    with clock_moved(timedelta(days=400)):
        assert database.clock() - datetime.now(UTC) > timedelta(days=399)
    assert abs(database.clock() - datetime.now(UTC)) < timedelta(minutes=1)


def test_it_names_the_store_where_it_happened(context: None) -> None:
    shop = make_shop()
    card = make_card(shop)
    station = make_store(shop)
    actor = replace(shop.ben, store_id=station)
    answer = stamps.add(actor=actor, card=card.ref, quantity=1, key=make_key(actor))
    assert answer.store_id == station
    assert rows_of(card)[-1].store_id == station
