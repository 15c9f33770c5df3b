"""The worker process: RQ's SimpleWorker on one queue, and a thread that needs no bell."""

import logging
import os
import signal
import threading
import time
from datetime import UTC, datetime, timedelta
from types import FrameType

import redis
from flask import Flask
from redis.client import Pipeline
from rq import Queue, SimpleWorker
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.timeouts import JobTimeoutException
from rq.worker import WorkerStatus

from loyalty import jobs, queue
from loyalty.jobs import handlers
from loyalty.jobs.pace import Pace
from loyalty.services import clock_tasks, outbox

# After this many jobs the process ends and is started again, so that nothing can pile up in it.
_JOBS = 10_000
_ROUND_SECONDS = 2.0
_ROUND_ROWS = 50
# A round that takes longer ends, and the next looks first for mails that came meanwhile.
_LONGEST_ROUND = 2.0
_REST_SECONDS = 1.0
_FINISH_SECONDS = 30.0
_HEARTBEAT_SECONDS = 5.0
_TELL_SECONDS = 60.0
_ENDINGS = (signal.SIGTERM, signal.SIGINT)

_log = logging.getLogger(__name__)


def run(app: Flask) -> None:
    """Keep one worker process alive until this one is asked to stop."""
    supervisor = _Supervisor(app)
    signal.signal(signal.SIGTERM, supervisor.stop)
    signal.signal(signal.SIGINT, supervisor.stop)
    while not supervisor.stopping:
        supervisor.watch_one()


def work(app: Flask, parent: int | None = None) -> None:
    """Work until told to stop or until the share of jobs is done; `parent` gone means stop."""
    jobs.configure(pace=Pace())
    ended = threading.Event()
    thread = threading.Thread(target=_without_bell, args=(app, ended, parent), daemon=True)
    thread.start()
    try:
        _with_bell(app)
    finally:
        ended.set()
        # It may be in the middle of a mail, whose outcome nobody would know.
        thread.join(_FINISH_SECONDS)


class AppWorker(SimpleWorker):
    """RQ's worker in this process; each job has an application context, and so a database session, of its own."""

    app: Flask
    _noted_until = 0.0

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        """Say now and then that it lives; RQ says it four times for each job, and believes it for minutes."""
        if time.monotonic() >= self._noted_until:
            super().heartbeat(timeout, pipeline)
            self._noted_until = time.monotonic() + _HEARTBEAT_SECONDS

    def set_state(self, state: str, pipeline: Pipeline | None = None) -> None:
        """Keep to itself whether it is busy: nobody else asks."""
        self._state = state

    def check_for_suspension(self, burst: bool) -> None:
        """Ask nobody before each job whether to rest: the other thread would deliver all the same."""

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Run one job without RQ's books about it: the outbox keeps better ones, and they took longer than the job.

        The ring is taken down first, so that one which comes meanwhile is not taken for this one.
        """
        # Busy: a wish to stop waits for the end of the job.
        self.set_state(WorkerStatus.BUSY)
        with self.connection.pipeline() as pipeline:
            pipeline.lrem(queue.intermediate_queue_key, 1, job.id)
            pipeline.delete(job.key)
            pipeline.execute()
        try:
            with self.app.app_context(), self.death_penalty_class(job.timeout, JobTimeoutException, job_id=job.id):
                # RQ's own way of calling it first asks Redis to keep the job, which is gone by then.
                job.func(*job.args, **job.kwargs)
        except Exception:
            # The row waits for the end of its lease, and for whoever looks for what is overdue.
            _log.exception("Job %s failed", job.id)
        self.set_state(WorkerStatus.IDLE)


class _Supervisor:
    """The parent: it forks before anything is connected, waits, and forks again."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.child = 0
        self.stopping = False

    def stop(self, number: int, frame: FrameType | None) -> None:
        """Pass the wish to stop on; RQ finishes the job at hand."""
        self.stopping = True
        if self.child:
            os.kill(self.child, signal.SIGTERM)

    def watch_one(self) -> None:
        """Start a worker process and wait for its end."""
        parent, started = os.getpid(), time.monotonic()
        # A signal between the fork and the assignment would be lost: it waits until both know each other.
        signal.pthread_sigmask(signal.SIG_BLOCK, _ENDINGS)
        self.child = 0 if self.stopping else os.fork()
        if self.child == 0 and os.getpid() != parent:
            self._be_the_child(parent)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDINGS)
        if self.child == 0:
            return
        _, status = os.waitpid(self.child, 0)
        self.child = 0
        if status and not self.stopping:
            _log.warning("A worker ended with status %s and is started again", status)
        if time.monotonic() - started < _REST_SECONDS and not self.stopping:
            time.sleep(_REST_SECONDS)

    def _be_the_child(self, parent: int) -> None:
        code = 1
        try:
            signal.signal(signal.SIGTERM, signal.default_int_handler)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDINGS)
            work(self.app, parent)
            code = 0
        except KeyboardInterrupt:
            code = 0
        except Exception:
            _log.exception("The worker failed")
        finally:
            # Not sys.exit: the parent's exit handlers belong to the parent.
            os._exit(code)


def _with_bell(app: Flask) -> None:
    """Handle what is rung for. While Redis is away the other thread does the work and this one waits."""
    server = redis.from_url(app.config["CONFIG"].redis_url)
    while True:
        bell = Queue(queue.NAME, connection=server, serializer=JSONSerializer)
        try:
            worker = AppWorker([bell], connection=server, serializer=JSONSerializer)
            worker.app = app
            worker.log_job_description = False
            worker.work(max_jobs=_JOBS, logging_level="WARNING")
            return
        except redis.RedisError as error:
            _log.warning("Redis is away: %s", error)
            time.sleep(_REST_SECONDS)


def _without_bell(app: Flask, ended: threading.Event, parent: int | None) -> None:
    """Deliver what nobody rang for: a lost ring, a flushed or a dead Redis only delays."""
    pause, told = _ROUND_SECONDS, time.monotonic()
    while not ended.wait(pause):
        pause = _ROUND_SECONDS
        if parent is not None and os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGTERM)
            return
        try:
            with app.app_context():
                pause = 0.0 if _handle_overdue(ended) else _ROUND_SECONDS
                if time.monotonic() - told > _TELL_SECONDS:
                    # A clock that stands still cannot say so itself.
                    told = time.monotonic()
                    clock_tasks.tell_late(at=datetime.now(UTC))
        except Exception:
            # The database may be away, too: the next round tries again.
            _log.exception("A round over the outbox failed")


def _handle_overdue(ended: threading.Event) -> bool:
    """Deliver what waits; True when there may be more of it."""
    until = time.monotonic() + _LONGEST_ROUND
    without = handlers.quiet_kinds()
    waiting = outbox.due(limit=_ROUND_ROWS, overdue_by=timedelta(seconds=_ROUND_SECONDS), without=without)
    for message_id in waiting:
        if ended.is_set():
            return False
        if time.monotonic() > until:
            return True
        jobs.deliver(str(message_id))
    return len(waiting) == _ROUND_ROWS
