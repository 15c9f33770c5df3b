"""The outbox: one row per receiver, told at least once, recorded once."""

import threading
from datetime import timedelta
from itertools import pairwise
from uuid import UUID

import pytest
import redis
import sqlalchemy as sa
from flask import Flask

from loyalty import queue
from loyalty.database import clock, db, new_id, transaction
from loyalty.models.outbox import OutboxMessage
from loyalty.services import outbox
from loyalty.services.outbox import Claim, Recorded
from tests.factories import make_shop

pytestmark = pytest.mark.usefixtures("context")

KIND = "test.thing"


def add(subject_id: UUID | None = None, kind: str = KIND) -> UUID:
    with transaction():
        return outbox.add(kind=kind, subject_id=subject_id or new_id(), vendor_id=None)


def row(message_id: UUID) -> OutboxMessage:
    with transaction():
        db.session.expire_all()
        return db.session.get_one(OutboxMessage, message_id)


def age(message_id: UUID, by: timedelta) -> None:
    """Let time pass for one row."""
    with transaction():
        db.session.execute(
            sa.update(OutboxMessage)
            .where(OutboxMessage.id == message_id)
            .values(not_before=OutboxMessage.not_before - by, leased_until=OutboxMessage.leased_until - by)
        )


def ids() -> list[UUID]:
    with transaction():
        return list(db.session.scalars(sa.select(OutboxMessage.id)))


def claimed(message_id: UUID) -> Claim:
    claim = outbox.claim(message_id=message_id)
    assert claim is not None
    return claim


def test_it_keeps_one_open_row_per_receiver_and_counts_what_happened() -> None:
    subject = new_id()
    first, second = add(subject), add(subject)
    assert first == second
    assert row(first).version == 2


def test_it_leaves_the_back_off_when_more_happens() -> None:
    subject = new_id()
    message_id = add(subject)
    outbox.record_failed(claim=claimed(message_id), error="away")
    waits_until = row(message_id).not_before
    add(subject)
    assert row(message_id).not_before == waits_until
    assert outbox.claim(message_id=message_id) is None


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


def test_it_tries_a_mail_six_times_over_fifteen_hours_and_gives_up() -> None:
    message_id = add(kind="mail.card_link")
    for wait in outbox.MAIL_WAITS:
        assert outbox.record_failed(claim=claimed(message_id), error="451 later")
        assert outbox.claim(message_id=message_id) is None
        age(message_id, wait)
    assert not outbox.record_failed(claim=claimed(message_id), error="451 later")
    ended = row(message_id)
    assert ended.gave_up_at is not None
    assert (ended.attempts, ended.last_error) == (6, "451 later")


def test_it_counts_attempts_that_end_their_worker() -> None:
    message_id = add()
    attempts = len(outbox.OTHER_WAITS) + 1
    for _ in range(attempts):
        assert not claimed(message_id).exhausted
        age(message_id, outbox.LEASE + timedelta(seconds=1))
    assert claimed(message_id).exhausted


def test_it_lists_what_is_overdue_and_free() -> None:
    waiting, leased, late, done = add(), add(), add(), add()
    outbox.record_failed(claim=claimed(waiting), error="away")
    claimed(leased)
    outbox.record_delivered(claim=claimed(done))
    age(late, timedelta(minutes=1))
    assert outbox.due(limit=10) == [late]
    fresh = add()
    assert outbox.due(limit=10, overdue_by=timedelta(seconds=30)) == [late]
    assert outbox.due(limit=10) == [late, fresh]
    assert outbox.due(limit=1) == [late]


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


def test_it_spends_no_attempt_on_what_was_held_back() -> None:
    message_id = add()
    outbox.record_held(claim=claimed(message_id), error="not so fast", wait=timedelta(seconds=90))
    held = row(message_id)
    assert (held.attempts, held.last_error, held.leased_until) == (0, "not so fast", None)
    assert outbox.claim(message_id=message_id) is None
    age(message_id, timedelta(seconds=90))
    assert claimed(message_id).attempts == 1


def test_it_waits_at_least_as_long_as_the_receiver_asks() -> None:
    message_id = add()
    outbox.record_failed(claim=claimed(message_id), error="busy", not_within=timedelta(hours=1))
    age(message_id, timedelta(minutes=59))
    assert outbox.claim(message_id=message_id) is None
    age(message_id, timedelta(minutes=1))
    assert claimed(message_id).attempts == 2


def test_it_notes_many_subjects_at_once() -> None:
    first, second = new_id(), new_id()
    message_id = add(first)
    with transaction():
        outbox.add_many(kind=KIND, subjects=[])
        outbox.add_many(kind=KIND, subjects=[(first, None), (second, None)])
    assert row(message_id).version == 2
    assert len(outbox.due(limit=10)) == 2


def test_it_lists_mails_before_all_others() -> None:
    others = [add() for _ in range(3)]
    mail = add(kind="mail.enrollment")
    assert outbox.due(limit=10) == [mail, *others]


def test_it_blurs_the_waits_of_all_but_mails() -> None:
    for wait in outbox.OTHER_WAITS:
        blurred = [outbox._blurred(KIND, wait) for _ in range(100)]
        assert wait / 2 <= min(blurred) < max(blurred) <= wait
    assert {outbox._blurred("mail.card_link", wait) for wait in outbox.MAIL_WAITS} == set(outbox.MAIL_WAITS)


def test_it_lists_nothing_of_kinds_that_have_to_wait() -> None:
    other, mail = add(kind="test.other"), add(kind="mail.enrollment")
    add()
    assert outbox.due(limit=10, without=[KIND]) == [mail, other]


def test_it_puts_the_cards_of_one_vendor_one_behind_the_other() -> None:
    vendor_id, neighbour_id = make_shop().vendor_id, make_shop("meat").vendor_id
    extra = 40
    for part in (outbox.MASS_AT_ONCE, extra):
        with transaction():
            outbox.add_many(kind=KIND, subjects=[(new_id(), vendor_id) for _ in range(part)])
    with transaction():
        outbox.add_many(kind=KIND, subjects=[(new_id(), neighbour_id)])
    rows = sorted((row for row in all_rows() if row.vendor_id == vendor_id), key=lambda row: row.not_before)
    neighbour = next(row for row in all_rows() if row.vendor_id == neighbour_id)
    at_once, behind = rows[: outbox.MASS_AT_ONCE], rows[outbox.MASS_AT_ONCE :]
    # A microsecond between any two keeps their order.
    apart = timedelta(microseconds=1)
    assert {later.not_before - row.not_before for row, later in pairwise(at_once)} == {apart}
    assert {later.not_before - row.not_before for row, later in pairwise(behind)} == {outbox.MASS_APART + apart}
    assert len(behind) == extra
    # All of these are due, however many of the others have become so meanwhile.
    assert {neighbour.id, *[row.id for row in at_once]} <= set(outbox.due(limit=100))


def test_it_tells_a_card_at_once_that_is_stamped_while_it_waits_in_a_mass() -> None:
    vendor_id = make_shop().vendor_id
    subjects = [(new_id(), vendor_id) for _ in range(outbox.MASS_AT_ONCE + 1000)]
    with transaction():
        outbox.add_many(kind=KIND, subjects=subjects)
    waiting = all_rows()[-1]
    assert outbox.claim(message_id=waiting.id) is None
    with transaction():
        outbox.add_many(kind=KIND, subjects=subjects[-1:])
    assert outbox.claim(message_id=waiting.id) is None
    with transaction():
        assert outbox.add(kind=KIND, subject_id=waiting.subject_id, vendor_id=vendor_id) == waiting.id
    assert claimed(waiting.id).version == 3


def test_it_has_a_receiver_told_again_after_a_worker_was_late() -> None:
    message_id = add()
    stale = claimed(message_id)
    age(message_id, outbox.LEASE + timedelta(seconds=1))
    outbox.record_delivered(claim=claimed(message_id))
    outbox.tell_again(claim=stale)
    again = all_rows()[-1]
    assert (again.id != message_id, again.subject_id, again.version) == (True, stale.subject_id, 1)


def all_rows() -> list[OutboxMessage]:
    with transaction():
        db.session.expire_all()
        return list(db.session.scalars(sa.select(OutboxMessage).order_by(OutboxMessage.not_before)))


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
