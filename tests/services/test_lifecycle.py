"""Mails of a shop's own accord: to those who agreed, on the right day, once, and never two in a week."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from loyalty.database import db, transaction
from loyalty.domain.mails import MARKETING
from loyalty.models.cards import LoyaltyCard
from loyalty.models.customers import Customer
from loyalty.models.mail import EmailLog
from loyalty.models.stats import CardStats
from loyalty.models.transactions import LoyaltyTransaction
from loyalty.services import cards, closing, lifecycle, mail_settings, verification
from tests.factories import Card, Shop, make_card, make_key, make_shop

pytestmark = pytest.mark.usefixtures("context")

# Ten in the morning in Luxembourg.
NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
BORN = date(1990, 11, 20)


def make_bakery(**settings: object) -> Shop:
    shop = make_shop(loyalty_type="hybrid")
    switch(shop, **({"birthday": True, "miss_you": True} | settings))
    return shop


def switch(shop: Shop, **settings: object) -> None:
    mail_settings.change(actor=shop.ada, changes=settings, key=make_key(shop.ada))


def make_cleo(shop: Shop, **person: Any) -> Card:
    agreed = {"marketing_consent": True, "birth_date": BORN, "email": "cleo@example.org"}
    return make_card(shop, **{**agreed, **person})


def told() -> list[str]:
    with transaction():
        query = sa.select(EmailLog.kind).where(EmailLog.kind.in_(MARKETING)).order_by(EmailLog.created_at)
        return list(db.session.scalars(query))


def stay_away(card: Card, *, visits: int, first: int, last: int) -> None:
    """Let a card have been here some times, between these numbers of days ago."""
    today = NOW.date()
    with transaction():
        db.session.execute(sa.delete(CardStats).where(CardStats.card_id == card.card_id))
        vendor_id = db.session.get_one(LoyaltyCard, card.card_id).vendor_id
        days = {"first_visit_day": today - timedelta(days=first), "last_visit_day": today - timedelta(days=last)}
        db.session.add(
            CardStats(
                card_id=card.card_id,
                vendor_id=vendor_id,
                ledger_seq=1,
                is_active=True,
                joined_day=days["first_visit_day"],
                visits=visits,
                visited_months=[],
                **days,
            )
        )


def test_it_sends_nothing_until_a_shop_switches_it_on() -> None:
    make_cleo(make_shop())
    assert lifecycle.run(at=NOW) == 0
    make_cleo(make_shop("cafe"))
    assert told() == []


def test_it_congratulates_once_in_a_year() -> None:
    make_cleo(make_bakery())
    assert lifecycle.run(at=NOW) == 1
    assert lifecycle.run(at=NOW + timedelta(hours=1)) == 0
    assert lifecycle.run(at=NOW + timedelta(days=1)) == 0
    assert lifecycle.run(at=NOW.replace(year=2027)) == 1
    assert told() == ["birthday", "birthday"]


def test_it_gives_a_present_by_the_ledger_once_in_a_year() -> None:
    shop = make_bakery(birthday_points=50, birthday_stamps=2)
    cleo = make_cleo(shop)
    for _ in range(2):
        lifecycle.run(at=NOW)
    with transaction():
        entry = LoyaltyTransaction
        rows = db.session.execute(
            sa.select(entry.transaction_type, entry.stamps_delta, entry.points_delta)
            .where(entry.card_id == cleo.card_id)
            .order_by(entry.seq)
        ).all()
        mail = db.session.scalars(sa.select(EmailLog)).one()
        card = db.session.get_one(LoyaltyCard, cleo.card_id, populate_existing=True)
        balances = (card.stamp_count, card.points_balance)
        facts = mail.facts
    assert [tuple(row) for row in rows[1:]] == [("stamp_adjustment", 2, 0), ("points_adjustment", 0, 50)]
    assert balances == (2, 50)
    assert facts == {"points": 50, "stamps": 2}
    assert verification.verify().findings == []


def test_it_tells_of_a_reward_that_the_present_makes_ready() -> None:
    shop = make_bakery(birthday_stamps=2)
    cleo = make_cleo(shop, stamps=9)
    for _ in range(2):
        lifecycle.run(at=NOW)
    with transaction():
        keys = db.session.scalars(sa.select(EmailLog.event_key).where(EmailLog.kind == "reward_ready")).all()
    assert keys == [f"{cleo.card_id}:1"]


@pytest.mark.parametrize(
    ("at", "mails"),
    [
        (datetime(2026, 2, 28, 9, tzinfo=UTC), 1),
        (datetime(2026, 3, 1, 9, tzinfo=UTC), 0),
        (datetime(2028, 2, 28, 9, tzinfo=UTC), 0),
        (datetime(2028, 2, 29, 9, tzinfo=UTC), 1),
    ],
)
def test_it_knows_the_birthday_of_a_leap_day(at: datetime, mails: int) -> None:
    make_cleo(make_bakery(), birth_date=date(1992, 2, 29))
    assert lifecycle.run(at=at) == mails


@pytest.mark.parametrize(
    "person",
    [
        {"marketing_consent": False},
        {"email": None},
        {"email_bounced_at": NOW},
        {"birth_date": None},
        {"birth_date": date(1990, 11, 21)},
    ],
)
def test_it_writes_to_nobody_else(person: dict[str, object]) -> None:
    make_cleo(make_bakery(birthday_points=50), **person)
    assert lifecycle.run(at=NOW) == 0


def test_it_gives_and_sends_nothing_once_the_end_of_the_program_is_announced() -> None:
    shop = make_bakery(birthday_points=50)
    make_cleo(shop)
    last_day = NOW.date() + timedelta(days=30)
    closing.announce(actor=shop.ada, last_day=last_day, key=make_key(shop.ada), at=NOW)
    assert (lifecycle.run(at=NOW), told()) == (0, [])
    closing.call_off(actor=shop.ada, key=make_key(shop.ada))
    assert (lifecycle.run(at=NOW), told()) == (1, ["birthday"])


def test_it_writes_to_no_closed_card() -> None:
    shop = make_bakery()
    cleo = make_cleo(shop)
    cards.deactivate(actor=shop.ada, card=cleo.ref, reason="lost", key=make_key(shop.ada))
    assert lifecycle.run(at=NOW) == 0


@pytest.mark.parametrize("hour", [3, 6, 20, 23])
def test_it_writes_by_day(hour: int) -> None:
    make_cleo(make_bakery())
    assert lifecycle.run(at=NOW.replace(hour=hour)) == 0


@pytest.mark.parametrize(
    ("visits", "first", "last", "mails"),
    [
        (5, 60, 20, 0),
        (5, 62, 22, 1),
        (2, 40, 20, 0),
        (1, 90, 90, 0),
        (30, 35, 6, 0),
        (5, 400, 200, 0),
    ],
)
def test_it_misses_a_regular_after_twice_their_own_interval(visits: int, first: int, last: int, mails: int) -> None:
    cleo = make_cleo(make_bakery(), birth_date=None)
    stay_away(cleo, visits=visits, first=first, last=last)
    assert lifecycle.run(at=NOW) == mails


def test_it_misses_somebody_once_in_a_silence() -> None:
    cleo = make_cleo(make_bakery(), birth_date=None)
    stay_away(cleo, visits=5, first=62, last=22)
    assert [lifecycle.run(at=NOW + timedelta(days=days)) for days in (0, 1, 8, 30)] == [1, 0, 0, 0]
    stay_away(cleo, visits=6, first=62, last=0)
    assert lifecycle.run(at=NOW + timedelta(days=40)) == 1


def test_it_sends_no_second_mail_within_a_week() -> None:
    cleo = make_cleo(make_bakery())
    stay_away(cleo, visits=5, first=62, last=22)
    assert [lifecycle.run(at=NOW + timedelta(days=days)) for days in (0, 1, 6, 8)] == [1, 0, 0, 1]
    assert told() == ["birthday", "we_miss_you"]


def test_it_waits_for_a_birthday_that_is_near() -> None:
    cleo = make_cleo(make_bakery(), birth_date=date(1990, 11, 24))
    stay_away(cleo, visits=5, first=62, last=22)
    assert [lifecycle.run(at=NOW + timedelta(days=days)) for days in (0, 4, 5)] == [0, 1, 0]
    assert told() == ["birthday"]


def test_it_leaves_a_card_alone_that_a_till_holds() -> None:
    cleo = make_cleo(make_bakery(birthday_points=50))
    with db.engine.connect() as till:
        till.execute(sa.text("SELECT 1 FROM loyalty_cards WHERE id = :id FOR UPDATE"), {"id": cleo.card_id})
        assert lifecycle.run(at=NOW) == 0
    assert lifecycle.run(at=NOW + timedelta(hours=1)) == 1


def test_it_keeps_away_from_whom_a_shop_next_door_knows() -> None:
    make_bakery()
    make_cleo(make_shop("cafe"))
    assert lifecycle.run(at=NOW) == 0
    with transaction():
        assert db.session.scalar(sa.select(sa.func.count()).select_from(Customer)) == 1
