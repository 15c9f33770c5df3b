"""A worker that stops or dies at a named point of a delivery, and how tests speak to it.

Points are before every statement, before and after every commit, and before and after every call to a wallet's server.
Each delivery has a process of its own, forked from one that has loaded the application.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx2
from flask import Flask
from google.auth.transport.requests import AuthorizedSession
from sqlalchemy import ColumnElement, event
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from config import Config
from loyalty import jobs
from loyalty.database import db, new_id
from loyalty.jobs import apple
from loyalty.models.outbox import OutboxMessage
from loyalty.services import outbox
from tests.processes import python

# The negative controls: workers that forget a rule, so that a test can show that it would notice.
FORGETFUL = {
    "whose the lease is": lambda: setattr(outbox, "_mine", _anybodys),
    "to tell again": lambda: setattr(outbox, "tell_again", lambda **_: None),
}


@dataclass
class CrashWorker:
    """The test's side: asks for deliveries, and hears how each ended."""

    process: "subprocess.Popen[bytes]"

    def deliver(self, message_id: UUID, *, die_at: int = 0, stop_before_call: int = 0) -> str:
        """Deliver; returns `done`, `killed`, or the number of the process that has stopped."""
        return self._ask(f"deliver {message_id} {die_at} {stop_before_call}")

    def race(self, message_id: UUID, workers: int) -> str:
        """Let several workers deliver the same row at the same moment."""
        return self._ask(f"race {message_id} {workers}")

    def go_on(self, pid: str) -> str:
        """Wake a process that has stopped, and wait for its end."""
        return self._ask(f"go_on {pid}")

    def _ask(self, line: str) -> str:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().decode().strip()


@contextmanager
def crash_worker(config: Config, **settings: str) -> Iterator[CrashWorker]:
    """Run the worker while the block lasts; `forgets` names the rule that it shall not know."""
    program = "from tests.crash_worker import serve; serve(app)"
    with python(program, config=config, talk=True, **settings) as process:
        yield CrashWorker(process)


def serve(app: Flask) -> None:
    """Do what the lines say, one after the other; end with the last."""
    if rule := os.environ.get("FORGETS"):
        FORGETFUL[rule]()
    # So few cards at a time that also a small shop takes several turns.
    apple._BATCH = int(os.environ.get("BATCH", apple._BATCH))
    with app.app_context():
        # Nothing is called so: what each delivery prepares first is prepared for all.
        jobs.deliver(str(new_id()))
        db.session.remove()
        db.engine.dispose()
    for line in sys.stdin:
        what, *rest = line.split()
        print(_COMMANDS[what](app, *rest), flush=True)


@dataclass
class _Points:
    """What is left until this process stops or dies; zero and below: nothing happens."""

    die: int = 0
    stop_before_call: int = 0

    def pass_one(self, *_: object) -> None:
        self.die -= 1
        if self.die == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def call(self) -> None:
        self.pass_one()
        self.stop_before_call -= 1
        if self.stop_before_call == 0:
            os.kill(os.getpid(), signal.SIGSTOP)


def _deliver(app: Flask, message_id: str, die_at: str, stop_before_call: str) -> str:
    return _end_of(_fork(app, message_id, _Points(int(die_at), int(stop_before_call))))


def _race(app: Flask, message_id: str, workers: str) -> str:
    start, go = os.pipe()
    pids = [_fork(app, message_id, _Points(), start, go) for _ in range(int(workers))]
    os.close(go)
    os.close(start)
    return " ".join(_end_of(pid) for pid in pids)


def _go_on(_app: Flask, pid: str) -> str:
    os.kill(int(pid), signal.SIGCONT)
    return _end_of(int(pid))


_COMMANDS: dict[str, Callable[..., str]] = {"deliver": _deliver, "race": _race, "go_on": _go_on}


def _fork(app: Flask, message_id: str, points: _Points, start: int = -1, go: int = -1) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        _hook(points)
        if start >= 0:
            # Ends for all at once, when the parent lets go.
            os.close(go)
            os.read(start, 1)
        with app.app_context():
            jobs.deliver(message_id)
        code = 0
    finally:
        os._exit(code)


def _end_of(pid: int) -> str:
    _, status = os.waitpid(pid, os.WUNTRACED)
    if os.WIFSTOPPED(status):
        return str(pid)
    return "done" if status == 0 else "killed" if os.WIFSIGNALED(status) else "failed"


def _hook(points: _Points) -> None:
    event.listen(Engine, "before_cursor_execute", points.pass_one)
    event.listen(Engine, "commit", points.pass_one)
    event.listen(Session, "after_commit", points.pass_one)
    for client, method in ((httpx2.Client, "post"), (AuthorizedSession, "request")):
        setattr(client, method, _watched(getattr(client, method), points))


def _watched(call: Callable[..., Any], points: _Points) -> Callable[..., Any]:  # any call and what it returns
    def watched(*args: Any, **kwargs: Any) -> Any:
        points.call()
        answer = call(*args, **kwargs)
        points.pass_one()
        return answer

    return watched


def _anybodys(claim: outbox.Claim) -> tuple[ColumnElement[bool], ...]:
    return (OutboxMessage.id == claim.message_id,)
