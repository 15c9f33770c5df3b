"""The waits of the outbox: how long after a failure, how often, and who may not be rung meanwhile."""

from datetime import timedelta

import pytest

from loyalty.database import new_id
from loyalty.services import outbox
from tests.services.outbox_kinds import KIND, add, age, claimed, row

pytestmark = pytest.mark.usefixtures("context")


def test_it_leaves_the_back_off_when_more_happens() -> None:
    subject = new_id()
    message_id = add(subject)
    outbox.record_failed(claim=claimed(message_id), error="away")
    waits_until = row(message_id).not_before
    add(subject)
    assert row(message_id).not_before == waits_until
    assert outbox.claim(message_id=message_id) is None


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


def test_it_blurs_the_waits_of_all_but_mails() -> None:
    for wait in outbox.OTHER_WAITS:
        blurred = [outbox._blurred(KIND, wait) for _ in range(100)]
        assert wait / 2 <= min(blurred) < max(blurred) <= wait
    assert {outbox._blurred("mail.card_link", wait) for wait in outbox.MAIL_WAITS} == set(outbox.MAIL_WAITS)
