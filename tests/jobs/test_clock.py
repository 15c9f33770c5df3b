"""The clock's tasks: leased, side by side, watched."""

import threading
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import uuid4

import pytest
import sqlalchemy as sa
from flask import Flask

from loyalty.database import db, transaction
from loyalty.domain.values import Admin
from loyalty.jobs import clock
from loyalty.jobs.clock import Task
from loyalty.models.health import ClockTask
from loyalty.models.mail import EmailLog
from loyalty.models.users import User
from loyalty.services import clock_tasks
from loyalty.services.clock_tasks import TaskState
from tests.factories import NO_PASSWORD
from tests.tills import all_at_once

pytestmark = pytest.mark.usefixtures("context")

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def work(_at: datetime) -> int:
    """Do something."""
    return 1


def fail(_at: datetime) -> int:
    """Try to."""
    raise LookupError("with a name in it")


def state_of(name: str, at: datetime = NOW) -> clock_tasks.Task:
    """Return what the page of health says of a task."""
    with transaction():
        [found] = [task for task in clock_tasks.list_tasks(admin=Admin(), at=at) if task.name == name]
        return found


def test_it_runs_a_task_once_in_a_minute(app: Flask) -> None:
    tasks = [Task("work", work)]
    assert clock.run(app=app, tasks=tasks, at=NOW) == {"work": 1}
    assert clock.run(app=app, tasks=tasks, at=NOW + timedelta(seconds=10)) == {}
    assert clock.run(app=app, tasks=tasks, at=NOW + MINUTE) == {"work": 1}
    assert state_of("work").state is TaskState.OK


def test_it_goes_on_after_a_clock_is_put_right(app: Flask) -> None:
    tasks = [Task("work", work)]
    clock.run(app=app, tasks=tasks, at=NOW + timedelta(days=300))
    assert clock.run(app=app, tasks=tasks, at=NOW) == {"work": 1}


@pytest.mark.parametrize("leased", [True, False])
def test_it_runs_a_task_on_one_machine_only_because_of_its_lease(
    app: Flask, monkeypatch: pytest.MonkeyPatch, leased: bool
) -> None:
    """Four machines ring at once; the control gives everybody a lease."""
    at_work, most, guard = [0], [0], threading.Lock()
    if not leased:
        monkeypatch.setattr(clock_tasks, "claim", lambda **_: uuid4())
    together = threading.Barrier(4)

    def count(_at: datetime) -> int:
        with guard:
            at_work[0] += 1
            most[0] = max(most[0], at_work[0])
        if not leased:
            together.wait(60)
        with guard:
            at_work[0] -= 1
        return 1

    tasks = [Task("count", count)]
    ran = all_at_once(app, [lambda: clock.run(app=app, tasks=tasks, at=NOW)] * 4)
    assert (sum(done.get("count", 0) for done in ran), most[0]) == ((1, 1) if leased else (4, 4))


def test_it_lets_no_task_hold_up_the_others(app: Flask) -> None:
    others_done = threading.Event()

    def long(_at: datetime) -> int:
        return int(others_done.wait(60))

    def last(_at: datetime) -> int:
        others_done.set()
        return 1

    tasks = [Task("long", long), *(Task(f"quick{number}", work) for number in range(8)), Task("last", last)]
    done = clock.run(app=app, tasks=tasks, at=NOW)
    assert (done["long"], done["last"], len(done)) == (1, 1, 10)


def test_it_goes_on_after_an_error(app: Flask) -> None:
    done = clock.run(app=app, tasks=[Task("fail", fail), Task("work", work)], at=NOW)
    assert done == {"work": 1}
    failed = state_of("fail")
    assert (failed.state, failed.error) == (TaskState.FAILING, "LookupError")
    assert failed.duration_ms is not None
    clock.run(app=app, tasks=[Task("fail", work)], at=NOW + MINUTE)
    assert (state_of("fail").state, state_of("fail").error) == (TaskState.OK, "")


def test_it_follows_a_machine_that_died(app: Flask) -> None:
    claim = partial(clock_tasks.claim, name="work", every=MINUTE, late_after=MINUTE)
    assert claim(at=NOW) is not None
    assert state_of("work").state is TaskState.RUNNING
    assert claim(at=NOW + 5 * MINUTE) is None
    with transaction():
        db.session.execute(sa.update(ClockTask).values(leased_until=NOW - MINUTE))
    assert claim(at=NOW + 5 * MINUTE) is not None


def test_it_notes_nothing_for_a_lease_that_was_lost(app: Flask) -> None:
    token = clock_tasks.claim(name="work", every=MINUTE, late_after=MINUTE, at=NOW)
    assert token is not None
    clock_tasks.renew(tokens=[token])
    finish = partial(clock_tasks.finish, late_after=MINUTE, at=NOW, duration_ms=1, error=None)
    assert finish(token=uuid4()) is False
    assert finish(token=token) is True


def test_it_tells_admins_once_that_a_task_is_late(app: Flask) -> None:
    with transaction():
        db.session.add(User(email="root@example.org", password_hash=NO_PASSWORD, is_admin=True))
        db.session.add(User(email="ada@bakery.example", password_hash=NO_PASSWORD))
    task = Task("fail", fail, late_after=timedelta(minutes=15))
    clock.run(app=app, tasks=[task], at=NOW)
    assert clock_tasks.tell_late(at=NOW + 14 * MINUTE) == 0
    assert clock_tasks.tell_late(at=NOW + 16 * MINUTE) == 1
    assert clock_tasks.tell_late(at=NOW + 17 * MINUTE) == 0
    assert state_of("fail", NOW + 16 * MINUTE).state is TaskState.LATE
    clock.run(app=app, tasks=[Task("fail", work)], at=NOW + 18 * MINUTE)
    clock_tasks.tell_late(at=NOW + 60 * MINUTE)
    with transaction():
        told = db.session.execute(sa.select(EmailLog.recipient, EmailLog.facts).order_by(EmailLog.created_at)).all()
    assert [row.recipient for row in told] == ["root@example.org"] * 2
    assert [row.facts["task"] for row in told] == ["fail", "fail"]
    assert [bool(row.facts["since"]) for row in told] == [False, True]


def test_it_forgets_tasks_of_old_releases(app: Flask) -> None:
    clock.run(app=app, tasks=[Task("old", work)], at=NOW)
    clock.run(app=app, tasks=[Task("new", work)], at=NOW + timedelta(hours=25))
    with transaction():
        assert [task.name for task in clock_tasks.list_tasks(admin=Admin(), at=NOW)] == ["new"]
