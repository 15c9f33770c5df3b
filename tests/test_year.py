"""A simulated year: whatever dies and whatever mail servers do, nobody loses points unwarned and no mail comes twice.

`make year` lives it with ten thousand customers (CUSTOMERS and SEED choose others).
"""

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from config import Config
from loyalty.database import AnyRow
from loyalty.domain.limits import local_day
from loyalty.domain.values import TransactionType
from loyalty.models.cards import LoyaltyCard
from loyalty.models.customers import Customer
from loyalty.models.mail import EmailLog
from loyalty.models.transactions import LoyaltyTransaction
from loyalty.services import verification
from tests.simulated_clock import simulated_clock
from tests.simulated_year import CHANGED_ON, DAYS, KINDS, LONG, MOODS, SHORT, CountingSink, Year
from tests.year_worker import ZONE, year_worker

USED = (TransactionType.POINTS_EARNED, TransactionType.POINTS_REDEEMED, TransactionType.WELCOME_BONUS)


@dataclass
class Lived:
    """What a year left behind."""

    year: Year
    sink: CountingSink
    ledgers: dict[object, list[AnyRow]]
    mails: list[AnyRow]
    seconds: float


@pytest.fixture
def live_through(app: Flask, config: Config, owner_engine: sa.Engine) -> Iterator[Callable[..., Lived]]:
    """Let a year pass, with processes that may have forgotten a rule."""

    def live(
        customers: int,
        seed: int = 1,
        days: int = DAYS,
        forgets: str = "",
        moods: Sequence[str] = MOODS,
        **how: Any,  # of a Year
    ) -> Lived:
        began = time.monotonic()
        with ExitStack() as stack:
            stack.enter_context(simulated_clock(owner_engine))
            sink = CountingSink(seed, moods)
            sink.start()
            stack.callback(sink.stop)
            settings = {"MAIL_URL": sink.url, "FORGETS": forgets}
            workers = [stack.enter_context(year_worker(config, **settings)) for _ in range(2)]
            year = Year(customers, workers, owner_engine, seed, **how)
            year.live(days)
        return Lived(year, sink, read_ledgers(owner_engine), read_mails(owner_engine), time.monotonic() - began)

    with app.app_context():
        yield live


def test_it_lives_through_a_year(live_through: Callable[..., Lived]) -> None:
    customers, seed = int(os.environ.get("CUSTOMERS", "40")), int(os.environ.get("SEED", "1"))
    # A few deaths are enough for a small shop.
    thorough = "CUSTOMERS" in os.environ
    mortality = dict.fromkeys(KINDS, 0.1 if thorough else 0.04)
    lived = live_through(customers, seed, thorough=thorough, mortality=mortality)
    ledgers, mails, deaths = lived.ledgers, lived.mails, lived.year.deaths
    expired = check_losses(ledgers, mails)
    check_mails(lived.sink, mails)
    report = verification.verify()
    assert report.findings == []
    kinds = Counter(row.transaction_type for rows in ledgers.values() for row in rows)
    # Who was killed at the till came again with the same key: every visit is there, once.
    assert kinds[TransactionType.POINTS_EARNED] == lived.year.visited
    assert kinds[TransactionType.CARD_CREATED] == len(ledgers) == lived.year.customers
    # It was a year in which everything happened.
    states = Counter(f"{mail.kind} {mail.state}" for mail in mails)
    assert expired > 5
    assert all(deaths[what] for what in ("sweep", "deliver", "visit"))
    assert {"points_expiring sent", "points_expired sent", "points_expiring failed"} <= set(states)
    if lived.year.thorough:
        given_back = kinds[TransactionType.POINTS_ADJUSTMENT]
        print(f"{report.cards} cards, {report.rows} rows of the ledger, {lived.year.visited} visits,")
        print(f"{expired} expiries, {given_back} given back, {lived.year.rings} rings of the clock,")
        print(f"{deaths.total()} processes killed: {dict(sorted(deaths.items()))},")
        print(f"{lived.year.failures} times the database did not answer in time,")
        print(f"{lived.sink.taken.total()} mails at the server: {dict(sorted(states.items()))},")
        print(f"{lived.seconds:.0f} s, 0 findings")


def test_it_notices_a_mail_that_comes_twice(live_through: Callable[..., Lived]) -> None:
    """The control: where nobody notes that a mail leaves, it leaves again when its worker died before the answer."""
    lived = live_through(60, days=95, forgets="that mails left", mortality={"deliver": 0.9}, deadliest=40)
    with pytest.raises(AssertionError):
        check_mails(lived.sink, lived.mails)


def test_it_notices_points_that_are_lost_unwarned(live_through: Callable[..., Lived]) -> None:
    """The control: where a warning need not arrive, somebody loses points without one."""
    lived = live_through(60, days=150, forgets="that mails have to arrive", moods=("accept", "refuse"))
    with pytest.raises(AssertionError):
        check_losses(lived.ledgers, lived.mails)


def check_mails(sink: CountingSink, mails: list[AnyRow]) -> None:
    """Check that no mail came twice, no event was told twice, and what is said to be sent has come."""
    assert set(sink.taken.values()) == {1}
    assert {mail.message_id for mail in mails if mail.state == "sent"} <= set(sink.taken)
    assert set(Counter((mail.kind, mail.event_key) for mail in mails).values()) == {1}


def check_losses(ledgers: dict[object, list[AnyRow]], mails: list[AnyRow]) -> int:
    """Check every loss of every card; returns how many there were."""
    by_card: dict[object, list[AnyRow]] = {}
    for mail in mails:
        by_card.setdefault(mail.card_id, []).append(mail)
    return sum(check_losses_of(rows, by_card.get(card_id, [])) for card_id, rows in ledgers.items())


def check_losses_of(rows: list[AnyRow], mails: list[AnyRow]) -> int:
    """Check every expiry of a card: silent for long enough, warned for two weeks, by mail where there is an address."""
    found, used_at, kept_until = 0, rows[0].transaction_at, date.min
    for row in rows:
        kind = TransactionType(row.transaction_type)
        if kind in USED:
            used_at = row.transaction_at
        elif kind is TransactionType.POINTS_ADJUSTMENT:
            kept_until = row.local_day + timedelta(days=LONG if row.local_day < CHANGED_ON else SHORT)
        elif kind is TransactionType.POINTS_EXPIRED:
            found += 1
            used_on = local_day(used_at, ZONE)
            promised = used_on + timedelta(days=LONG if used_on < CHANGED_ON else SHORT)
            assert row.local_day > max(promised, kept_until)
            assert row.points_balance_after == 0
            assert row.email is None or was_warned(row, used_at, mails)
    return found


def was_warned(row: AnyRow, used_at: datetime, mails: list[AnyRow]) -> bool:
    """Whether a mail about just this loss was handed over two weeks before."""
    return any(
        mail.kind == "points_expiring"
        and mail.state == "sent"
        and mail.created_at > used_at
        and mail.sent_at <= row.transaction_at - timedelta(days=14)
        for mail in mails
    )


def read_ledgers(owner: sa.Engine) -> dict[object, list[AnyRow]]:
    """Read the ledger of every card, with its holder's address; as the owner, whose questions may take long."""
    row, found = LoyaltyTransaction.__table__.c, dict[object, list[AnyRow]]()
    query = (
        sa.select(
            row.card_id,
            row.transaction_type,
            row.transaction_at,
            row.local_day,
            row.points_balance_after,
            Customer.email,
        )
        .join(LoyaltyCard, LoyaltyCard.id == row.card_id)
        .join(Customer, Customer.id == LoyaltyCard.customer_id)
        .order_by(row.card_id, row.seq)
    )
    with owner.connect() as connection:
        for entry in connection.execute(query):
            found.setdefault(entry.card_id, []).append(entry)
    return found


def read_mails(owner: sa.Engine) -> list[AnyRow]:
    """Read all mails that were ever noted."""
    query = sa.select(*EmailLog.__table__.c).order_by(EmailLog.created_at, EmailLog.id)
    with owner.connect() as connection:
        return list(connection.execute(query))
