"""Runs the tasks of the clock side by side: a long one holds up no other, and an error of one ends only that one."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from flask import Flask

from loyalty.services import clock_tasks, health

# Two clocks, or two machines, may ring in the same minute: once is enough.
_MINUTE: Final = timedelta(seconds=50)
# Below the number of connections that a process keeps.
_AT_ONCE: Final = 6
_RENEW_SECONDS: Final = 20.0
_LOOK_SECONDS: Final = 60.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Task:
    """Something that is done by the clock: what, how often at most, and after how long without success it is late."""

    name: str
    run: Callable[[datetime], int | None]
    every: timedelta = _MINUTE
    late_after: timedelta = timedelta(minutes=15)


@dataclass(slots=True)
class _Round:
    """What one process has under way: threads and leases by the task's name, and the sum of what was done."""

    threads: dict[str, threading.Thread] = field(default_factory=dict)
    tokens: dict[str, UUID] = field(default_factory=dict)
    done: dict[str, int] = field(default_factory=dict)
    lanes: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(_AT_ONCE))


def run(*, app: Flask, tasks: Sequence[Task], at: datetime) -> dict[str, int]:
    """Run every task that is due and that nobody else runs; says of each that ran how much it did.

    While a task goes on for longer, this process is the clock for the others: a timer may not start a second one.
    """
    began, own = time.monotonic(), _Round()
    aside("forget old tasks", lambda: clock_tasks.forget_others(names=[task.name for task in tasks], at=at))
    while True:
        looked = time.monotonic()
        now = at + timedelta(seconds=looked - began)
        health.note_run(name="sweep", at=now)
        for task in tasks:
            _start(app, own, task, now)
        while _any_alive(own) and time.monotonic() - looked < _LOOK_SECONDS:
            _wait(app, own, until=looked + _LOOK_SECONDS)
        if not _any_alive(own):
            return own.done


def aside(what: str, call: Callable[[], object]) -> None:
    """Do what goes along with the tasks; whatever it raises is noted, and the tasks run all the same."""
    try:
        call()
    except Exception:
        # The next minute tries again.
        _log.exception("The clock could not %s", what)


def _start(app: Flask, own: _Round, task: Task, at: datetime) -> None:
    running = own.threads.get(task.name)
    if running is None or not running.is_alive():
        # A daemon: the process may end at any moment, and the lease runs out by itself.
        thread = threading.Thread(target=_run_one, args=(app, own, task, at), name=task.name, daemon=True)
        own.threads[task.name] = thread
        thread.start()


def _any_alive(own: _Round) -> bool:
    return any(thread.is_alive() for thread in own.threads.values())


def _wait(app: Flask, own: _Round, *, until: float) -> None:
    """Wait for the end of all tasks, but no longer than leases may go without being renewed."""
    wake = min(time.monotonic() + _RENEW_SECONDS, until)
    for thread in own.threads.values():
        thread.join(max(0.0, wake - time.monotonic()))
    if tokens := list(own.tokens.values()):
        with app.app_context():
            clock_tasks.renew(tokens=tokens)


def _run_one(app: Flask, own: _Round, task: Task, at: datetime) -> None:
    """Run one task with its lease; whatever it raises is noted, and the others go on."""
    with own.lanes, app.app_context():
        try:
            token = clock_tasks.claim(name=task.name, every=task.every, late_after=task.late_after, at=at)
            if token is None:
                return
            own.tokens[task.name] = token
            _work(own, task, token, at)
        except Exception:
            # The database may be away: the next minute tries again.
            _log.exception("The clock could not run %s", task.name)
        finally:
            own.tokens.pop(task.name, None)


def _work(own: _Round, task: Task, token: UUID, at: datetime) -> None:
    error, began = None, time.monotonic_ns()
    try:
        own.done[task.name] = own.done.get(task.name, 0) + (task.run(at) or 0)
    except Exception as failure:
        _log.exception("The task %s failed", task.name)
        # Its words could hold anything; the log has them.
        error = type(failure).__name__
    took = (time.monotonic_ns() - began) // 1_000_000
    ended = at + timedelta(milliseconds=took)
    clock_tasks.finish(token=token, late_after=task.late_after, at=ended, duration_ms=took, error=error)
