"""Deliveries that fail: what is shown of them, and trying them again, once per tap."""

import threading
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from loyalty.database import db, new_id, transaction
from loyalty.domain.values import Admin
from loyalty.errors import IdempotencyKeyReused, NotFound
from loyalty.models.audit import AuditEvent
from loyalty.models.mail import EmailLog
from loyalty.models.outbox import OutboxMessage
from loyalty.models.users import User
from loyalty.services import failures, messages, outbox
from tests.factories import make_key, make_shop
from tests.outbox_rows import make_row


@pytest.fixture
def admin(context: None) -> Admin:
    """Somebody who runs the platform."""
    user_id = new_id()
    with transaction():
        db.session.add(User(id=user_id, email="root@platform.example", password_hash="none", is_admin=True))
    return Admin(user_id=user_id)


def row(message_id: UUID) -> OutboxMessage | None:
    db.session.expire_all()
    return db.session.get(OutboxMessage, message_id)


def retry(admin: Admin, message_id: UUID) -> int:
    return failures.retry(admin=admin, message_id=message_id, key=make_key()).retried


def test_it_lists_what_fails_newest_first_and_nothing_else(admin: Admin) -> None:
    shop = make_shop()
    given_up = make_row(vendor_id=shop.vendor_id, attempts=8, gave_up=True, error="403 Forbidden")
    make_row(error=None)
    make_row(error="", attempts=0)
    make_row(delivered=datetime.now(UTC))
    held = make_row(error="pushes pause", kind="apple.push")
    found = failures.list_failures(admin=admin).rows
    assert [failure.message_id for failure in found] == [held, given_up]
    first, last = found
    assert (first.vendor_name, first.next_try is None, first.words) == (None, False, "pushes pause")
    assert (last.vendor_name, last.next_try, last.attempts, last.words) == ("Bakery", None, 8, "403 Forbidden")


def test_it_lists_one_kind_and_pages(admin: Admin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failures, "PAGE", 2)
    ids = [make_row(error="no", kind="apple.push") for _ in range(3)]
    make_row(error="no", kind="google.object")
    page = failures.list_failures(admin=admin, kind="apple.push")
    assert [failure.message_id for failure in page.rows] == [ids[2], ids[1]]
    older = failures.list_failures(admin=admin, kind="apple.push", before=page.older)
    assert ([failure.message_id for failure in older.rows], older.older) == ([ids[0]], None)


def test_it_counts_what_fails_by_kind(admin: Admin) -> None:
    make_row(error="no", kind="apple.push")
    make_row(error="no", kind="google.object", gave_up=True)
    make_row(error="no", kind="google.object")
    found = [(count.kind, count.failing, count.gave_up) for count in failures.count_by_kind(admin=admin)]
    assert found == [("google.object", 2, 1), ("apple.push", 1, 0)]


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("550 5.1.1 <cleo.martin+x@example.org>: no such user", "550 5.1.1 <…@…>: no such user"),
        ("IntegrityError: duplicate\nDETAIL:  Key (name)=(Cleo Martin)", "IntegrityError: duplicate"),
        ("DataError: bad [SQL: INSERT …] [parameters: {'name': 'Cleo'}]", "DataError: bad"),
        ("no answer from +352 621 123 456", "no answer from …"),
        ("410 for " + "ab12" * 16, "410 for …"),
        ("403 The issuer is not approved.", "403 The issuer is not approved."),
        (f"404 Class 3388000000012345678.loyalty_{'0a' * 16}", f"404 Class 3388000000012345678.loyalty_{'0a' * 16}"),
        ("", ""),
    ],
    ids=["mail", "detail", "statement", "phone", "token", "plain", "class", "empty"],
)
def test_it_names_nobody(said: str, shown: str) -> None:
    assert failures.without_people(said) == shown


def test_it_brings_a_row_that_was_given_up_back_to_life(admin: Admin) -> None:
    message_id = make_row(attempts=8, gave_up=True, error="no")
    assert retry(admin, message_id) == 1
    revived = row(message_id)
    assert revived is not None
    assert (revived.gave_up_at, revived.attempts, revived.last_error) == (None, 0, None)
    assert outbox.claim(message_id=message_id) is not None
    assert failures.list_failures(admin=admin).rows == ()


def test_it_lets_a_row_that_waits_for_its_next_try_go_at_once(admin: Admin) -> None:
    message_id = make_row(attempts=5, error="no", due=datetime.now(UTC) + timedelta(hours=2))
    assert outbox.claim(message_id=message_id) is None
    assert retry(admin, message_id) == 1
    assert outbox.claim(message_id=message_id) is not None


def test_it_rings_for_the_row_that_tells_the_same_already(admin: Admin) -> None:
    subject = new_id()
    old = make_row(subject_id=subject, attempts=8, gave_up=True, error="no")
    newer = make_row(subject_id=subject, due=datetime.now(UTC) + timedelta(hours=2))
    assert retry(admin, old) == 1
    assert row(old) is None
    assert [claim is not None for claim in [outbox.claim(message_id=newer)]] == [True]


def test_it_revives_one_of_several_rows_of_the_same_subject(admin: Admin) -> None:
    subject = new_id()
    rows = [make_row(subject_id=subject, gave_up=True, error="no") for _ in range(3)]
    done = failures.retry_all(admin=admin, kind="google.object", key=make_key())
    assert done.retried == 1
    assert [row(message_id) is None for message_id in rows] == [True, True, False]


def test_it_does_it_once_per_key(admin: Admin) -> None:
    message_id = make_row(gave_up=True, error="no")
    key = make_key(asked=message_id)
    first = failures.retry(admin=admin, message_id=message_id, key=key)
    again = failures.retry(admin=admin, message_id=message_id, key=key)
    assert (first.retried, again.retried, again.replayed) == (1, 1, True)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(AuditEvent)) == 1
    with pytest.raises(IdempotencyKeyReused):
        failures.retry(admin=admin, message_id=message_id, key=make_key(asked="else", key=key.key))


def test_it_finds_no_row_that_does_not_fail(admin: Admin) -> None:
    for message_id in (new_id(), make_row(), make_row(delivered=datetime.now(UTC))):
        with pytest.raises(NotFound):
            retry(admin, message_id)


def test_it_retries_all_of_a_kind_and_no_other(admin: Admin) -> None:
    mine = [make_row(kind="apple.push", gave_up=True, error="no") for _ in range(3)]
    other = make_row(kind="google.object", gave_up=True, error="no")
    assert failures.retry_all(admin=admin, kind="apple.push", key=make_key()).retried == 3
    assert all(found is not None and found.gave_up_at is None for found in map(row, mine))
    left = row(other)
    assert left is not None
    assert left.gave_up_at is not None


def test_it_writes_down_who_tried_again(admin: Admin) -> None:
    shop = make_shop()
    message_id = make_row(vendor_id=shop.vendor_id, gave_up=True, error="no")
    retry(admin, message_id)
    failures.retry_all(admin=admin, kind="apple.push", key=make_key())
    make_row(kind="apple.push", error="no")
    failures.retry_all(admin=admin, kind="apple.push", key=make_key())
    events = db.session.execute(sa.select(AuditEvent).order_by(AuditEvent.created_at)).scalars().all()
    assert [(event.action, event.subject_id, event.vendor_id, event.user_id) for event in events] == [
        ("failure.retried", str(message_id), shop.vendor_id, admin.user_id),
        ("failures.retried", "apple.push", None, admin.user_id),
    ]


def make_mail(vendor_id: UUID, state: str) -> tuple[UUID, UUID]:
    """Make a mail in a state, with its row given up; returns the ids of both."""
    with transaction():
        mail_id = messages.queue_mail(
            kind="card_link",
            event_key=str(new_id()),
            vendor_id=vendor_id,
            recipient="cleo@example.org",
            locale="en",
            at=datetime.now(UTC),
        )
        assert mail_id is not None
        mine = OutboxMessage.subject_id == mail_id
        gone = sa.update(OutboxMessage).where(mine).values(gave_up_at=datetime.now(UTC), last_error="550")
        message_id = db.session.execute(gone.returning(OutboxMessage.id)).scalar_one()
        db.session.execute(sa.update(EmailLog).where(EmailLog.id == mail_id).values(state=state))
    return mail_id, message_id


def state_of(mail_id: UUID) -> str:
    return str(db.session.scalar(sa.select(EmailLog.state).where(EmailLog.id == mail_id)))


def test_it_lets_a_failed_mail_wait_again(admin: Admin) -> None:
    mail_id, message_id = make_mail(make_shop().vendor_id, "failed")
    assert retry(admin, message_id) == 1
    assert state_of(mail_id) == "waiting"
    assert outbox.claim(message_id=message_id) is not None


def test_it_repeats_a_mail_that_may_have_arrived_only_by_itself(admin: Admin) -> None:
    vendor_id = make_shop().vendor_id
    unknown, unknown_row = make_mail(vendor_id, "unknown")
    failed, _ = make_mail(vendor_id, "failed")
    assert failures.retry_all(admin=admin, kind="mail.card_link", key=make_key()).retried == 1
    assert (state_of(unknown), state_of(failed)) == ("unknown", "waiting")
    assert retry(admin, unknown_row) == 1
    assert state_of(unknown) == "waiting"


def test_it_never_repeats_a_mail_that_has_arrived(admin: Admin) -> None:
    mail_id, message_id = make_mail(make_shop().vendor_id, "sent")
    assert retry(admin, message_id) == 0
    assert state_of(mail_id) == "sent"


def test_it_counts_the_passes_that_wait_for_an_update(admin: Admin) -> None:
    bakery, butcher = make_shop("bakery").vendor_id, make_shop("butcher").vendor_id
    for kind in ("apple.program", "apple.push", "google.object", "mail.card_link"):
        make_row(vendor_id=bakery, kind=kind)
    make_row(vendor_id=bakery, kind="apple.push", delivered=datetime.now(UTC))
    make_row(vendor_id=bakery, kind="google.object", gave_up=True, error="no")
    make_row(vendor_id=butcher, kind="apple.push")
    assert [failures.waiting_updates(vendor_id=vendor_id) for vendor_id in (bakery, butcher)] == [3, 1]
    found = [(waiting.vendor_name, waiting.updates) for waiting in failures.list_waiting(admin=admin)]
    assert found == [("Bakery", 3), ("Butcher", 1)]


def test_it_meets_a_change_that_comes_in_between(app: Flask, admin: Admin) -> None:
    """A stamp puts the same card on the list while a retry revives its old row: one of both rows stays."""
    subject = new_id()
    old = make_row(subject_id=subject, gave_up=True, error="no")
    started, done = threading.Event(), threading.Event()

    def change() -> None:
        with app.app_context(), transaction():
            outbox.add(kind="google.object", subject_id=subject, vendor_id=None)
            started.set()
            # Held until the retry waits for this row, which it cannot see yet.
            done.wait(1)

    thread = threading.Thread(target=change)
    thread.start()
    started.wait(60)
    threading.Timer(0.3, done.set).start()
    assert retry(admin, old) == 1
    thread.join()
    open_rows = sa.select(OutboxMessage.id).where(OutboxMessage.subject_id == subject)
    assert len(db.session.execute(open_rows).all()) == 1
    assert row(old) is None
