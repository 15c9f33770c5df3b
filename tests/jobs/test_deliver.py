"""Delivering: claim, act, record, whatever the mail server and the other workers do."""

import threading
from datetime import timedelta
from uuid import UUID

import pytest
import redis
from flask import Flask

from config import Config
from loyalty.database import new_id, transaction
from loyalty.jobs import deliver, sweep
from loyalty.jobs.handlers import HANDLERS, Handler
from loyalty.services import messages, outbox
from tests.fakes import SmtpSink
from tests.mails import let_time_pass, make_mail, only_mail, only_row
from tests.processes import python

pytestmark = pytest.mark.usefixtures("context")


@pytest.mark.parametrize("kind", sorted(kind for kind in HANDLERS if kind.startswith("mail.")))
def test_it_delivers_every_kind_of_mail_once(kind: str, sink: SmtpSink) -> None:
    message_id = make_mail(kind=kind.removeprefix("mail."))
    deliver(str(message_id))
    deliver(str(message_id))
    assert [mail["Message-ID"] for mail in sink.mails] == [only_mail().message_id]
    assert only_mail().state == "sent"
    assert only_row().delivered_at is not None


def test_it_has_a_handler_for_every_kind_of_mail() -> None:
    assert {kind for kind in HANDLERS if kind.startswith("mail.")} == {f"mail.{kind}" for kind in messages.KINDS}


@pytest.mark.parametrize("mood", ["later", "later_mail"])
def test_it_tries_again_when_the_server_says_later(sink: SmtpSink, mood: str) -> None:
    message_id, sink.mood = make_mail(), mood
    deliver(str(message_id))
    assert (only_mail().state, only_row().attempts) == ("waiting", 1)
    assert only_mail().sending_at is None
    sink.mood = "accept"
    deliver(str(message_id))
    assert not sink.mails
    let_time_pass(timedelta(minutes=1))
    deliver(str(message_id))
    assert len(sink.mails) == 1
    assert only_mail().state == "sent"


@pytest.mark.parametrize("mood", ["refuse", "refuse_mail"])
def test_it_fails_at_once_when_the_server_refuses(sink: SmtpSink, mood: str) -> None:
    message_id, sink.mood = make_mail(), mood
    deliver(str(message_id))
    assert only_mail().state == "failed"
    assert "5.1.1" in str(only_row().last_error) or "5.7.1" in str(only_row().last_error)
    assert only_row().gave_up_at is not None


def test_it_never_repeats_a_mail_whose_answer_was_lost(sink: SmtpSink) -> None:
    message_id, sink.mood = make_mail(), "drop"
    deliver(str(message_id))
    assert only_mail().state == "unknown"
    sink.mood = "accept"
    let_time_pass(timedelta(days=1))
    deliver(str(message_id))
    assert len(sink.mails) == 1
    assert only_mail().state == "unknown"
    assert only_row().gave_up_at is not None


def test_it_shows_a_mail_as_failed_after_the_last_attempt(sink: SmtpSink) -> None:
    message_id, sink.mood = make_mail(), "later"
    for wait in (*outbox.MAIL_WAITS, timedelta()):
        deliver(str(message_id))
        let_time_pass(wait)
    assert only_row().attempts == 6
    assert only_row().gave_up_at is not None
    assert only_mail().state == "failed"


def test_it_leaves_a_mail_unknown_whose_worker_died_after_it_left(sink: SmtpSink) -> None:
    message_id = make_mail()
    claim = outbox.claim(message_id=message_id)
    assert claim is not None
    assert messages.start_sending(email_log_id=claim.subject_id)
    let_time_pass(outbox.LEASE)
    deliver(str(message_id))
    assert not sink.mails
    assert only_mail().state == "unknown"
    assert only_row().gave_up_at is not None


def test_it_sends_one_mail_when_many_workers_are_rung_for(app: Flask, sink: SmtpSink) -> None:
    message_id = make_mail()
    start = threading.Barrier(6)

    def work() -> None:
        with app.app_context():
            start.wait()
            deliver(str(message_id))

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(sink.mails) == 1


def test_it_sends_one_mail_when_a_slow_worker_wakes_after_its_lease(app: Flask, sink: SmtpSink) -> None:
    message_id, sink.mood = make_mail(), "stall"

    def work() -> None:
        with app.app_context():
            deliver(str(message_id))

    slow = threading.Thread(target=work)
    slow.start()
    assert sink.arrived.wait(60)
    let_time_pass(outbox.LEASE)
    sink.mood = "accept"
    deliver(str(message_id))
    sink.release()
    slow.join()
    assert len(sink.mails) == 1
    assert only_mail().state == "sent"
    assert only_row().delivered_at is not None


def test_it_tells_again_what_changed_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[UUID] = []
    subject = new_id()

    def tell(subject_id: UUID) -> None:
        told.append(subject_id)
        if len(told) == 1:
            with transaction():
                outbox.add(kind="test.pass", subject_id=subject, vendor_id=None)

    monkeypatch.setitem(HANDLERS, "test.pass", Handler(tell, lambda subject_id, error: None))
    with transaction():
        message_id = outbox.add(kind="test.pass", subject_id=subject, vendor_id=None)
    deliver(str(message_id))
    assert told == [subject, subject]
    assert only_row().delivered_at is not None


def test_it_ends_a_poisoned_row_visibly_and_lets_others_pass(monkeypatch: pytest.MonkeyPatch, sink: SmtpSink) -> None:
    ended: list[str] = []

    def explode(subject_id: UUID) -> None:
        raise ValueError("poison")

    poisoned = Handler(explode, lambda subject_id, error: ended.append(error))
    monkeypatch.setitem(HANDLERS, "test.poison", poisoned)
    with transaction():
        message_id = outbox.add(kind="test.poison", subject_id=new_id(), vendor_id=None)
    for wait in (*outbox.OTHER_WAITS, timedelta()):
        assert only_row().gave_up_at is None
        deliver(str(message_id))
        let_time_pass(wait)
    assert only_row().attempts == len(outbox.OTHER_WAITS) + 1 == 8
    assert only_row().gave_up_at is not None
    assert ended == ["ValueError: poison"]
    deliver(str(make_mail()))
    assert len(sink.mails) == 1


def test_it_gives_up_what_nobody_can_tell() -> None:
    with transaction():
        message_id = outbox.add(kind="test.unheard", subject_id=new_id(), vendor_id=None)
    deliver(str(message_id))
    assert only_row().last_error == "no handler"


def test_it_is_done_again_once_when_a_worker_is_killed(config: Config, sink: SmtpSink, valkey: "redis.Redis") -> None:
    message_id, sink.mood = make_mail(), "stall"
    program = f"with app.app_context(): __import__('loyalty.jobs').jobs.deliver('{message_id}')"
    with python(program, config=config, MAIL_URL=sink.url) as worker:
        assert sink.arrived.wait(60)
        worker.kill()
    assert only_row().leased_until is not None
    sink.mood = "accept"
    sink.release()
    let_time_pass(outbox.LEASE)
    valkey.flushdb()
    assert sweep.run(at=only_row().created_at).rung == 1
    assert valkey.llen("rq:queue:loyalty") == 1
    deliver(str(message_id))
    deliver(str(message_id))
    assert len(sink.mails) == 1
    assert only_mail().state == "sent"
    assert only_row().attempts == 2
