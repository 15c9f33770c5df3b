"""The outbox: one row per receiver, told at least once, recorded once."""

import threading
from datetime import timedelta
from uuid import UUID

import pytest
import redis
import sqlalchemy as sa
from flask import Flask

from loyalty import queue
from loyalty.database import clock, db, new_id, transaction
from loyalty.models.outbox import OutboxMessage
from loyalty.services import outbox
from loyalty.services.outbox import Recorded
from tests.services.outbox_kinds import KIND, add, age, all_rows, claimed, row

pytestmark = pytest.mark.usefixtures("context")


def ids() -> list[UUID]:
    with transaction():
        return list(db.session.scalars(sa.select(OutboxMessage.id)))


def test_it_keeps_one_open_row_per_receiver_and_counts_what_happened() -> None:
    subject = new_id()
    first, second = add(subject), add(subject)
    assert first == second
    assert row(first).version == 2


def test_it_opens_a_new_row_after_delivery() -> None:
    subject = new_id()
    first = add(subject)
    assert outbox.record_delivered(claim=claimed(first)) is Recorded.DELIVERED
    assert add(subject) != first


def test_it_rings_after_the_commit_and_never_without_one(valkey: "redis.Redis") -> None:
    with pytest.raises(ZeroDivisionError):
        _add_and_fail()
    assert valkey.llen(f"rq:queue:{queue.NAME}") == 0
    message_id = add()
    assert valkey.lrange(f"rq:queue:{queue.NAME}", 0, -1) == [str(message_id).encode()]


def test_it_gives_a_row_to_one_of_many_workers(app: Flask) -> None:
    message_id = add()
    start, claims = threading.Barrier(8), []

    def work() -> None:
        with app.app_context():
            start.wait()
            claims.append(outbox.claim(message_id=message_id))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([claim for claim in claims if claim]) == 1


def test_it_refuses_the_record_of_a_worker_whose_lease_ran_out() -> None:
    message_id = add()
    stale = claimed(message_id)
    age(message_id, outbox.LEASE + timedelta(seconds=1))
    fresh = claimed(message_id)
    outbox.record_gave_up(claim=stale, error="I was asleep")
    assert row(message_id).gave_up_at is None
    assert outbox.record_delivered(claim=stale) is Recorded.LOST
    assert row(message_id).delivered_at is None
    assert outbox.record_delivered(claim=fresh) is Recorded.DELIVERED
    assert row(message_id).delivered_at is not None


def test_it_frees_a_row_that_changed_while_it_was_told() -> None:
    subject = new_id()
    message_id = add(subject)
    claim = claimed(message_id)
    add(subject)
    assert outbox.record_delivered(claim=claim) is Recorded.CHANGED
    again = claimed(message_id)
    assert again.version == 2
    assert outbox.record_delivered(claim=again) is Recorded.DELIVERED


def test_it_takes_back_a_row_whose_worker_died() -> None:
    message_id = add()
    claimed(message_id)
    assert outbox.due(limit=10) == []
    age(message_id, outbox.LEASE + timedelta(seconds=1))
    assert outbox.due(limit=10) == [message_id]


def _add_and_fail() -> None:
    with transaction():
        outbox.add(kind=KIND, subject_id=new_id(), vendor_id=None)
        raise ZeroDivisionError


def test_it_notes_many_subjects_at_once() -> None:
    first, second = new_id(), new_id()
    message_id = add(first)
    with transaction():
        outbox.add_many(kind=KIND, subjects=[])
        outbox.add_many(kind=KIND, subjects=[(first, None), (second, None)])
    assert row(message_id).version == 2
    assert len(outbox.due(limit=10)) == 2


def test_it_has_a_receiver_told_again_after_a_worker_was_late() -> None:
    message_id = add()
    stale = claimed(message_id)
    age(message_id, outbox.LEASE + timedelta(seconds=1))
    outbox.record_delivered(claim=claimed(message_id))
    outbox.tell_again(claim=stale)
    again = all_rows()[-1]
    assert (again.id != message_id, again.subject_id, again.version) == (True, stale.subject_id, 1)


def test_it_forgets_what_was_told_a_week_ago_and_given_up_a_quarter_ago() -> None:
    told, given_up, waiting = add(), add(), add()
    assert outbox.record_delivered(claim=claimed(told)) is Recorded.DELIVERED
    assert outbox.record_gave_up(claim=claimed(given_up), error="no")
    now = clock()
    for days, gone, left in ((6, 0, 3), (8, 1, 2), (89, 0, 2), (91, 1, 1)):
        assert outbox.delete_ended(at=now + timedelta(days=days)) == gone
        assert len(ids()) == left
    assert ids() == [waiting]


def test_it_forgets_more_than_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "_DELETED_AT_ONCE", 2)
    for _ in range(5):
        outbox.record_delivered(claim=claimed(add()))
    assert outbox.delete_ended(at=clock() + timedelta(days=8)) == 5


def test_it_keeps_a_young_row_that_was_told_long_ago_by_its_own_account() -> None:
    message_id = add()
    outbox.record_delivered(claim=claimed(message_id))
    with transaction():
        ended = OutboxMessage.delivered_at - timedelta(days=30)
        db.session.execute(sa.update(OutboxMessage).values(delivered_at=ended))
    assert outbox.delete_ended(at=clock()) == 0
    assert ids() == [message_id]


@pytest.mark.parametrize(
    ("kind", "waits"),
    [("apple.push", False), ("google.object", False), ("mail.code", True), ("webhook.delivery", True)],
)
def test_it_waits_for_the_disk_where_telling_twice_is_noticed(kind: str, waits: bool) -> None:
    message_id = add(kind=kind)
    with transaction():
        db.session.execute(sa.text("SET LOCAL synchronous_commit = on"))
        chosen = db.session.scalar(sa.select(outbox._told_again()).where(OutboxMessage.id == message_id))
        # For the rest of the transaction that writes it, and no longer.
        assert db.session.scalar(sa.text("SHOW synchronous_commit")) == chosen
    assert chosen == ("on" if waits else "off")
