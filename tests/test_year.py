"""A simulated year: whatever dies and whatever mail servers do, nobody loses points unwarned and no mail comes twice.

`make year` lives it with ten thousand customers (CUSTOMERS and SEED choose others).
"""

import os
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta

import pytest
import sqlalchemy as sa

from config import Config
from loyalty.adapters.mail import SmtpMailer, make_mailer
from loyalty.database import AnyRow, db, transaction
from loyalty.domain.limits import local_day
from loyalty.domain.values import TransactionType
from loyalty.jobs import handlers
from loyalty.models.cards import LoyaltyCard
from loyalty.models.customers import Customer
from loyalty.models.mail import EmailLog
from loyalty.models.transactions import LoyaltyTransaction
from loyalty.services import verification
from tests.fakes import SmtpSink, smtp_sink
from tests.simulated_year import CHANGED_ON, LONG, SHORT, Year

pytestmark = pytest.mark.usefixtures("context")

ZONE = "Europe/Luxembourg"
USED = (TransactionType.POINTS_EARNED, TransactionType.POINTS_REDEEMED, TransactionType.WELCOME_BONUS)


@pytest.fixture
def sink(config: Config) -> Iterator[SmtpSink]:
    with smtp_sink() as running:
        handlers.configure(mailer=SmtpMailer(running.url, config.mail_from))
        yield running
    handlers.configure(mailer=make_mailer(config.mail_url, config.mail_from, config.data_dir))


def test_it_lives_through_a_year(sink: SmtpSink, capsys: pytest.CaptureFixture[str]) -> None:
    year = Year(int(os.environ.get("CUSTOMERS", "40")), sink, int(os.environ.get("SEED", "1")))
    year.live()
    ledgers, mails = read_ledgers(), read_mails()
    by_card: dict[object, list[AnyRow]] = {}
    for mail in mails:
        by_card.setdefault(mail.card_id, []).append(mail)
    expired = sum(check_losses(rows, by_card.get(card_id, [])) for card_id, rows in ledgers.items())
    restored = sum(row.related_transaction_id is not None for rows in ledgers.values() for row in rows)
    report = verification.verify()
    assert report.findings == []
    handed_over = Counter(mail["Message-ID"] for mail in sink.mails)
    assert set(handed_over.values()) == {1}
    assert {mail.message_id for mail in mails if mail.state == "sent"} <= set(handed_over)
    per_event = Counter((mail.kind, mail.event_key) for mail in mails)
    assert set(per_event.values()) == {1}
    # It was a year in which everything happened.
    states = Counter(f"{mail.kind} {mail.state}" for mail in mails)
    assert expired > 5
    assert year.deaths > 5
    assert {"points_expiring sent", "points_expired sent", "points_expiring failed"} <= set(states)
    with capsys.disabled():
        if "CUSTOMERS" in os.environ:
            print(f"\n{report.cards} cards, {report.rows} rows of the ledger, {year.visited} visits,")
            print(f"{expired} expiries, {restored} given back, {year.deaths} deaths,")
            print(f"{len(sink.mails)} mails at the server: {dict(sorted(states.items()))}")


def check_losses(rows: list[AnyRow], mails: list[AnyRow]) -> int:
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


def read_ledgers() -> dict[object, list[AnyRow]]:
    """Read the ledger of every card, with its holder's address."""
    row, found = LoyaltyTransaction.__table__.c, dict[object, list[AnyRow]]()
    query = (
        sa.select(*row, Customer.email)
        .join(LoyaltyCard, LoyaltyCard.id == row.card_id)
        .join(Customer, Customer.id == LoyaltyCard.customer_id)
        .order_by(row.card_id, row.seq)
    )
    with transaction():
        for entry in db.session.execute(query):
            found.setdefault(entry.card_id, []).append(entry)
    return found


def read_mails() -> list[AnyRow]:
    """Read all mails that were ever noted."""
    with transaction():
        return list(db.session.execute(sa.select(*EmailLog.__table__.c).order_by(EmailLog.created_at, EmailLog.id)))
