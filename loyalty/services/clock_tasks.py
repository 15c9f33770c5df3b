"""The tasks of the minute clock: each is leased, so that one machine runs it, and tells how its last run went."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import case, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from loyalty.database import db, transaction
from loyalty.domain.tasks import task_name
from loyalty.domain.values import Admin
from loyalty.models.health import ClockTask
from loyalty.models.users import User
from loyalty.services import messages

# A machine that died is followed by another after so long; whoever runs a task renews its lease well before.
LEASE: Final = timedelta(minutes=2)
# A task that no release knows any more is forgotten.
_FORGOTTEN_AFTER: Final = timedelta(days=1)


class TaskState(StrEnum):
    """How a task is: at work, well, ended by an error but not late yet, or late."""

    RUNNING = "running"
    OK = "ok"
    FAILING = "failing"
    LATE = "late"


@dataclass(frozen=True, slots=True)
class Task:
    """A task as the page of health shows it; `error` is the kind of error that ended the last run."""

    name: str
    state: TaskState
    started_at: datetime | None
    finished_at: datetime | None
    duration_ms: int | None
    error: str
    late_at: datetime

    @property
    def title(self) -> str:
        """What people call it, in English."""
        return task_name(self.name)


def claim(*, name: str, every: timedelta, late_after: timedelta, at: datetime) -> UUID | None:
    """Take the lease of a task that is due; None where somebody has it, or ran the task just now."""
    with transaction():
        known = insert(ClockTask).values(name=name, late_at=at + late_after).on_conflict_do_nothing()
        db.session.execute(known)
        now = func.clock_timestamp()
        free = or_(ClockTask.leased_until.is_(None), ClockTask.leased_until < now)
        # One that began in the future was begun by a clock that is put right since.
        rested = or_(ClockTask.started_at.is_(None), ClockTask.started_at <= at - every, ClockTask.started_at > at)
        token = uuid4()
        taken = update(ClockTask).where(ClockTask.name == name, free, rested)
        values = {"leased_until": now + LEASE, "lease_token": token, "started_at": at}
        return db.session.execute(taken.values(**values).returning(ClockTask.lease_token)).scalar_one_or_none()


def renew(*, tokens: Collection[UUID]) -> None:
    """Keep the leases of tasks that go on."""
    with transaction():
        mine = update(ClockTask).where(ClockTask.lease_token.in_(tokens))
        db.session.execute(mine.values(leased_until=func.clock_timestamp() + LEASE))


def finish(*, token: UUID, late_after: timedelta, at: datetime, duration_ms: int, error: str | None) -> bool:
    """Note how a run ended and give the lease back; False where it was lost meanwhile, and nothing is noted."""
    well = {"succeeded_at": at, "late_at": at + late_after, "told_late_at": None} if error is None else {}
    ended = update(ClockTask).where(ClockTask.lease_token == token)
    with transaction():
        values = {"finished_at": at, "duration_ms": duration_ms, "last_error": error, **well}
        noted = ended.values(leased_until=None, lease_token=None, **values).returning(ClockTask.name)
        return db.session.execute(noted).one_or_none() is not None


def forget_others(*, names: Collection[str], at: datetime) -> None:
    """Forget tasks that are no longer run by anybody."""
    old = ClockTask.name.not_in(names), ClockTask.started_at < at - _FORGOTTEN_AFTER
    with transaction():
        db.session.execute(delete(ClockTask).where(*old))


def list_tasks(*, admin: Admin, at: datetime) -> list[Task]:
    """List all tasks, what is late first."""
    return sorted(_read(at), key=lambda task: (task.state is not TaskState.LATE, task.name))


def late(*, at: datetime) -> list[Task]:
    """List the tasks that are late, by name."""
    return [task for task in _read(at) if task.state is TaskState.LATE]


def tell_late(*, at: datetime) -> int:
    """Have the platform's admins told of tasks that are late, once for each time; returns how many tasks there were.

    Whoever is first of the machines that look marks the row, and the others find the mark.
    """
    with transaction():
        marking = (
            update(ClockTask)
            .where(ClockTask.late_at < at, ClockTask.told_late_at.is_(None))
            .values(told_late_at=at)
            .returning(ClockTask.name, ClockTask.late_at, ClockTask.succeeded_at)
        )
        found = sorted(db.session.execute(marking).all())
        admins = db.session.execute(select(User.id, User.email, User.locale).where(User.is_admin).order_by(User.id))
        for to in admins.all() if found else []:
            for task in found:
                messages.queue_mail(
                    kind="task_late",
                    event_key=f"{to.id}:{task.name}:{task.late_at.isoformat()}",
                    vendor_id=None,
                    recipient=to.email,
                    locale=to.locale,
                    at=at,
                    facts={"task": task.name, "since": task.succeeded_at.isoformat() if task.succeeded_at else ""},
                )
    return len(found)


def _read(at: datetime) -> list[Task]:
    running = case((ClockTask.leased_until > func.clock_timestamp(), True), else_=False).label("running")
    rows = db.session.execute(select(*ClockTask.__table__.columns, running).order_by(ClockTask.name))
    return [
        Task(
            name=row.name,
            state=_state(late=row.late_at < at, running=row.running, error=row.last_error),
            started_at=row.started_at,
            finished_at=row.finished_at,
            duration_ms=row.duration_ms,
            error=row.last_error or "",
            late_at=row.late_at,
        )
        for row in rows
    ]


def _state(*, late: bool, running: bool, error: str | None) -> TaskState:
    if late:
        return TaskState.LATE
    if running:
        return TaskState.RUNNING
    return TaskState.FAILING if error else TaskState.OK
