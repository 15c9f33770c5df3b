"""The minute clock: ring for what is overdue, forget old answers."""

from datetime import UTC, datetime, timedelta

import pytest
import redis
import sqlalchemy as sa

from loyalty.database import db, transaction
from loyalty.domain.mails import FACTS
from loyalty.domain.tasks import TASK_NAMES
from loyalty.jobs import sweep
from loyalty.models.health import ClockTask
from loyalty.models.idempotency import IdempotencyKey
from loyalty.models.pins import PinThrottle
from loyalty.models.users import User
from loyalty.services import throttles
from tests.factories import NO_PASSWORD
from tests.mails import let_time_pass, make_mail

pytestmark = pytest.mark.usefixtures("context")

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_it_rings_again_for_what_is_overdue(valkey: "redis.Redis") -> None:
    message_id = make_mail()
    valkey.flushdb()
    let_time_pass(timedelta(minutes=1))
    assert sweep.run(at=NOW).rung == 1
    assert sweep.run(at=NOW + timedelta(minutes=1)).rung == 1
    assert valkey.lrange("rq:queue:loyalty", 0, -1) == [str(message_id).encode()]


def test_it_forgets_answers_after_thirty_days() -> None:
    with transaction():
        for key, days in (("old", 31), ("young", 29)):
            db.session.add(
                IdempotencyKey(
                    caller="test",
                    key=key,
                    request_hash="",
                    status=200,
                    receipt={},
                    created_at=NOW - timedelta(days=days),
                )
            )
    assert sweep.run(at=NOW).answers_deleted == 1
    assert sweep.run(at=NOW + timedelta(minutes=1)).answers_deleted == 0
    with transaction():
        assert db.session.execute(sa.select(IdempotencyKey.key)).scalars().all() == ["young"]


def test_it_forgets_counted_attempts_after_a_day() -> None:
    with transaction():
        for source, hours, wait in (("old", 25, 2), ("waiting", 25, 26), ("young", 23, 2)):
            at, waits = NOW - timedelta(hours=hours), [timedelta(hours=wait)] * 2
            throttles.reserve_waiting(source=source, subject="*", waits=waits, memory=timedelta(days=1), at=at)
    sweep.run(at=NOW)
    with transaction():
        left = sa.select(PinThrottle.source).order_by(PinThrottle.source)
        assert db.session.scalars(left).all() == ["waiting", "young"]


def test_it_runs_every_task_although_nobody_can_be_told_of_a_late_one(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with transaction():
        db.session.add(User(email="root@example.org", password_hash=NO_PASSWORD, is_admin=True))
        db.session.add(ClockTask(name="google", late_at=NOW - timedelta(minutes=1)))
    monkeypatch.delitem(FACTS, "task_late")
    sweep.run(at=NOW)
    with transaction():
        ran = db.session.execute(sa.select(ClockTask.name).where(ClockTask.succeeded_at.is_not(None)))
        assert sorted(ran.scalars()) == sorted(TASK_NAMES)
    assert "The clock could not tell of what is late" in caplog.text


def test_it_has_words_for_every_task() -> None:
    assert sorted(task.name for task in sweep.TASKS) == sorted(TASK_NAMES)
