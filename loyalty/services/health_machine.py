"""Checks of our own parts: database, tables, clock, queue, workers, disk, backup."""

import json
import shutil
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import redis
from sqlalchemy import text

from loyalty import queue
from loyalty.database import db
from loyalty.errors import N_
from loyalty.services import clock_tasks
from loyalty.services.health import Check, Readiness, State, find_last_run

BACKUP_FILE: Final = "last_backup.json"
CLOCKS_APART: Final = timedelta(seconds=2)
BACKUP_AGE: Final = timedelta(hours=48)
SWEEP_AGE: Final = timedelta(minutes=5)
# Seconds that a delivery may be overdue before it is a warning, and before it is a fault.
QUEUE_SLOW: Final = 60
QUEUE_AGE: Final = 300
# Free space, in percent of the disk and in megabytes: below either it is a warning, or a fault.
DISK_LOW: Final = (10, 2000)
DISK_FULL: Final = (2, 200)
_MEGABYTE: Final = 1_000_000


def database() -> Check:
    """Whether the database answers, and how fast."""
    began = time.perf_counter_ns()
    version = db.session.execute(text("SHOW server_version")).scalar_one().split()[0]
    details = {"version": version, "milliseconds": max(1, (time.perf_counter_ns() - began) // 1_000_000)}
    return Check("database", State.OK, N_("PostgreSQL %(version)s answered in %(milliseconds)s ms."), details=details)


def migrations(state: Readiness) -> Check:
    """Whether the tables are those that this program knows."""
    if state.migrations:
        return Check("migrations", State.OK, N_("The tables fit the program."))
    advice = N_("Run: flask --app wsgi db upgrade")
    return Check("migrations", State.DOWN, N_("The tables are older than the program."), advice)


def deliveries(state: Readiness, *, at: datetime) -> Check:
    """How long the oldest message waits that should have left."""
    age = state.queue_age_seconds
    if age <= QUEUE_SLOW:
        return Check("queue", State.OK, N_("Everything that is due has left."))
    since = at - timedelta(seconds=age)
    level = State.DOWN if age > QUEUE_AGE else State.WARNING
    value = N_("The oldest message waits for %(minutes)s min.")
    return Check(
        "queue", level, value, N_("Look at the worker's log."), details={"minutes": max(1, age // 60)}, since=since
    )


def workers() -> Check:
    """Whether the bell hangs, and anybody listens for it."""
    try:
        count = queue.count_workers()
    except redis.RedisError as error:
        advice = N_("Start Redis, or set REDIS_URL to where it is. Until then everything only arrives later.")
        return Check("workers", State.DOWN, N_("Redis does not answer."), advice, words=str(error))
    if not count:
        advice = N_("Start: flask --app wsgi worker")
        return Check("workers", State.DOWN, N_("No worker runs, so no mail leaves and no pass is updated."), advice)
    return Check("workers", State.OK, N_("Workers at work: %(count)s."), details={"count": count})


def sweep(*, at: datetime) -> Check:
    """Whether the minute clock runs."""
    last = find_last_run(name="sweep")
    advice = N_("Let a minute clock run: flask --app wsgi sweep")
    if last is None:
        return Check("sweep", State.UNKNOWN, N_("It has never run here."), advice)
    if at - last > SWEEP_AGE:
        return Check("sweep", State.DOWN, N_("It has stopped."), advice, since=last)
    return Check("sweep", State.OK, N_("It last ran: %(last)s."), details={"last": last})


def tasks(*, at: datetime) -> Check:
    """Whether everything that the clock runs came to its end lately."""
    late = clock_tasks.late(at=at)
    if not late:
        return Check("tasks", State.OK, N_("No task of the clock is late."))
    details = {"names": ", ".join(task.name for task in late)}
    since = min(task.late_at for task in late)
    advice = N_("Look at the list of tasks and at the clock's log.")
    return Check("tasks", State.DOWN, N_("Late: %(names)s."), advice, details=details, since=since)


def disk(*, folder: Path) -> Check:
    """Whether pictures, mails kept as files and logs still find room."""
    usage = shutil.disk_usage(_existing(folder))
    percent, megabytes = usage.free * 100 // usage.total, usage.free // _MEGABYTE
    value = N_("Free: %(megabytes)s MB, %(percent)s %%.")
    details = {"megabytes": megabytes, "percent": percent}
    advice = N_("Make room on the disk that holds DATA_DIR.")
    for level, (least_percent, least_megabytes) in ((State.DOWN, DISK_FULL), (State.WARNING, DISK_LOW)):
        if percent < least_percent or megabytes < least_megabytes:
            return Check("disk", level, value, advice, details=details)
    return Check("disk", State.OK, value, details=details)


def backup(*, folder: Path, at: datetime) -> Check:
    """Whether a backup was made lately with this data folder."""
    last = find_last_backup(folder=folder)
    advice = N_("Run every night: flask --app wsgi backup FILE")
    if last is None:
        return Check("backup", State.WARNING, N_("No backup was made from here yet."), advice)
    value, details = N_("The last one is of %(made_at)s."), {"made_at": last}
    if at - last > BACKUP_AGE:
        return Check("backup", State.DOWN, value, advice, details=details, since=last + BACKUP_AGE)
    return Check("backup", State.OK, value, details=details)


def find_last_backup(*, folder: Path) -> datetime | None:
    """Return when a backup was last made with this data folder, None where never."""
    try:
        said = json.loads(folder.joinpath(BACKUP_FILE).read_text(encoding="utf-8"))
        return datetime.fromisoformat(said["made_at"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def clock() -> Check:
    """Whether this machine and the database agree about the time."""
    there: datetime = db.session.execute(text("SELECT clock_timestamp()")).scalar_one()
    apart = abs(datetime.now(UTC) - there)
    details = {"seconds": apart // timedelta(seconds=1)}
    if apart > CLOCKS_APART:
        value = N_("This machine and the database are %(seconds)s s apart.")
        return Check("clock", State.DOWN, value, N_("Let both run NTP."), details=details)
    return Check("clock", State.OK, N_("This machine and the database agree."))


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there already."""
    return folder if folder.exists() or folder == folder.parent else _existing(folder.parent)
