"""A receiver that is away for long, thousands of cards to tell: mails go out, nothing piles up, all is told after."""

import threading
import tracemalloc
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from loyalty.database import db, new_id, transaction
from loyalty.jobs import deliver, handlers, patience, worker
from loyalty.jobs import google as google_jobs
from loyalty.jobs.handlers import HANDLERS, Handler
from loyalty.models.outbox import OPEN, OutboxMessage
from loyalty.services import outbox
from tests.factories import Card, Shop, make_card
from tests.fakes import SmtpSink
from tests.google_cards import make_api
from tests.google_fake import GoogleFake, Trouble
from tests.google_platform import save
from tests.jobs.google_shop import bakery, cleo, shown, stamp
from tests.mails import let_time_pass, make_mail

__all__ = ["bakery", "cleo"]

pytestmark = pytest.mark.usefixtures("context")

BACKLOG = 5_000


def pile_up(shop: Shop, count: int) -> list[UUID]:
    """Have many cards wait since yesterday. Google has none of them, so that telling them costs it no call."""
    subjects = [new_id() for _ in range(count)]
    with transaction():
        outbox.add_many(kind="google.object", subjects=[(subject_id, shop.vendor_id) for subject_id in subjects])
    let_time_pass(timedelta(hours=24))
    return subjects


def work() -> bool:
    """Do one round, as a worker does every two seconds."""
    return worker._handle_overdue(threading.Event())


def waiting(kind: str = "google.object") -> int:
    count = sa.select(sa.func.count()).where(sa.text(OPEN), OutboxMessage.kind == kind)
    with transaction():
        return db.session.execute(count).scalar_one()


def go_away(google: GoogleFake) -> None:
    google.trouble.extend(Trouble(503) for _ in range(100_000))


def come_back(google: GoogleFake) -> None:
    """Answer again; the worker's patience begins anew, as it does after its pause."""
    google.trouble.clear()
    google.calls.clear()
    google_jobs.configure(api=make_api(google), roots=None)


def test_it_leaves_thousands_of_rows_where_they_are_while_google_is_away(
    bakery: Shop, cleo: Card, google: GoogleFake, sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Longer than a busy machine takes for this test.
    monkeypatch.setattr(patience, "FIRST_PAUSE", 3600.0)
    monkeypatch.setattr(patience, "LONGEST_PAUSE", 3600.0)
    cards = [cleo, *(make_card(bakery) for _ in range(4))]
    for card in cards[1:]:
        save(card)
    for card in cards:
        stamp(bakery, card)
    # They have waited longest, so that Google's trouble is met first.
    let_time_pass(timedelta(hours=1))
    pile_up(bakery, BACKLOG)
    go_away(google)
    google.calls.clear()
    assert waiting() == BACKLOG + len(cards)
    work()
    assert len(google.calls) == 3
    assert handlers.quiet_kinds() == ["google.class", "google.object"]
    left, tries = waiting(), tried()
    for number in range(20):
        make_mail(bakery, cleo, event_key=str(number))
    let_time_pass(timedelta(seconds=5))
    tracemalloc.start()
    for _ in range(20):
        work()
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(sink.mails) == 20
    # Nothing of the mass was touched, neither in the table nor in memory.
    assert (waiting(), tried(), len(google.calls)) == (left, tries, 3)
    assert grown < 2_000_000
    come_back(google)
    move_up(cards)
    assert work()
    assert {shown(google, card) for card in cards} == {"1/50"}
    assert len(google.calls) == len(cards)
    assert waiting() < left


def test_it_drains_the_oldest_first_and_lets_mails_pass(
    bakery: Shop, sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[UUID] = []
    monkeypatch.setitem(HANDLERS, "google.object", Handler(told.append, lambda subject_id, error: None))
    pile_up(bakery, 300)
    with transaction():
        rows = db.session.execute(
            sa.select(OutboxMessage.subject_id).order_by(OutboxMessage.not_before, OutboxMessage.id)
        )
        expected = list(rows.scalars())
    work()
    make_mail(bakery)
    let_time_pass(timedelta(seconds=5))
    before = len(told)
    work()
    assert (len(sink.mails), len(told) - before) == (1, worker._ROUND_ROWS - 1)
    while work():
        pass
    assert told == expected
    assert waiting() == 0


def test_it_tells_a_fresh_stamp_while_a_whole_vendor_waits(bakery: Shop, cleo: Card, google: GoogleFake) -> None:
    subjects = [(subject_id, bakery.vendor_id) for subject_id in (*(new_id() for _ in range(BACKLOG)), cleo.card_id)]
    with transaction():
        outbox.add_many(kind="google.object", subjects=subjects)
    stamp(bakery, cleo)
    (fresh,) = [row for row in outbox.due(limit=BACKLOG) if subject_of(row) == cleo.card_id]
    assert len(outbox.due(limit=BACKLOG)) <= BACKLOG / 10
    deliver(str(fresh))
    assert shown(google, cleo) == "1/50"


def move_up(cards: list[Card]) -> None:
    """Let their time come, before that of all others."""
    ids = [card.card_id for card in cards]
    with transaction():
        mine = sa.update(OutboxMessage).where(OutboxMessage.subject_id.in_(ids), sa.text(OPEN))
        db.session.execute(mine.values(not_before=OutboxMessage.not_before - timedelta(days=3)))


def tried() -> int:
    with transaction():
        return db.session.execute(sa.select(sa.func.sum(OutboxMessage.attempts)).where(sa.text(OPEN))).scalar_one()


def subject_of(message_id: UUID) -> UUID:
    with transaction():
        return db.session.get_one(OutboxMessage, message_id).subject_id
