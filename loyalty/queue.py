"""The bell of the workers (RQ): the only module that enqueues. A lost ring only delays, so none may cost time."""

import contextlib
import logging
import time
from uuid import UUID

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import Queue, Worker
from rq.exceptions import DuplicateJobError
from rq.serializers import JSONSerializer

NAME = "loyalty"
JOB = "loyalty.jobs.deliver"

# A ring may take 50 ms of a request at most, and a server that is away is left alone for a second.
_CONNECT_SECONDS = 0.02
_ANSWER_SECONDS = 0.03
_SILENCE_SECONDS = 1.0
_JOB_SECONDS = 120
_FAILED_SECONDS = 3600

_log = logging.getLogger(__name__)
_queue: Queue | None = None
_silent_until = 0.0


def configure(redis_url: str) -> None:
    """Say where the bell hangs; nothing is connected before the first ring."""
    global _queue, _silent_until
    server = redis.from_url(
        redis_url,
        socket_connect_timeout=_CONNECT_SECONDS,
        socket_timeout=_ANSWER_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
    _queue = Queue(NAME, connection=server, serializer=JSONSerializer)
    _silent_until = 0.0


def poke(message_id: UUID) -> None:
    """Ring for one row of the outbox; a server that does not answer costs a log line, never an error."""
    global _silent_until
    if _queue is None or time.monotonic() < _silent_until:
        return
    try:
        # One job per row is enough, however often it is rung for: the queue cannot outgrow the table.
        with contextlib.suppress(DuplicateJobError):
            _queue.enqueue_call(
                JOB,
                args=(str(message_id),),
                job_id=str(message_id),
                unique=True,
                timeout=_JOB_SECONDS,
                result_ttl=0,
                failure_ttl=_FAILED_SECONDS,
                description=f"deliver {message_id}",
            )
    except redis.RedisError as error:
        _silent_until = time.monotonic() + _SILENCE_SECONDS
        _log.warning("The bell did not ring for %s: %s", message_id, error)


def count_workers() -> int:
    """Ask Redis how many workers listen for the bell; a server that is away raises `redis.RedisError`."""
    return Worker.count(queue=_queue) if _queue is not None else 0
