"""Logs: one JSON object per line on stderr, with the id of the request and nothing about a person."""

import logging
import sys
import traceback
from typing import TextIO

import structlog
from structlog.contextvars import bind_contextvars, clear_contextvars
from structlog.types import EventDict, Processor, WrappedLogger

# What these say at INFO is said once by ourselves, without addresses and arguments.
QUIET = ("werkzeug", "rq.worker", "rq.job", "alembic", "flask_limiter", "flask-limiter", "httpx2")
# Database errors quote the row they are about.
QUOTING = ("sqlalchemy", "psycopg")


def configure() -> None:
    """Send everything that is logged through one format; calling it again changes nothing."""
    root = logging.getLogger()
    if any(isinstance(handler, _Handler) for handler in root.handlers):
        return
    root.addHandler(_Handler())
    root.setLevel(logging.INFO)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def begin(**ids: str) -> None:
    """Put these ids, and no earlier ones, on every line that this request or job writes."""
    clear_contextvars()
    bind_contextvars(**ids)


class _Handler(logging.StreamHandler[TextIO]):
    """Writes to the stderr of the moment, which tests replace."""

    def __init__(self) -> None:
        super().__init__(sys.stderr)
        shared: list[Processor] = [
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ExtraAdder(),
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _exception,
        ]
        self.setFormatter(
            structlog.stdlib.ProcessorFormatter(
                foreign_pre_chain=shared,
                processors=[
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
                ],
            )
        )

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        self.stream = sys.stderr
        super().emit(record)


def _exception(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Add where an exception came from, and its words only where they cannot quote a row."""
    found = event.pop("exc_info", None)
    error = sys.exc_info()[1] if found is True else found[1] if isinstance(found, tuple) else found
    if isinstance(error, BaseException):
        event["exception"] = _describe(error)
        event["stack"] = [
            f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)
        ]
        if error.__cause__ is not None:
            event["cause"] = _describe(error.__cause__)
    return event


def _describe(error: BaseException) -> str:
    kind = type(error)
    if kind.__module__.split(".")[0] not in QUOTING:
        return f"{kind.__name__}: {error}"
    original = getattr(error, "orig", error)
    state = getattr(original, "sqlstate", None)
    constraint = getattr(getattr(original, "diag", None), "constraint_name", None)
    return f"{kind.__name__} (state {state}, constraint {constraint})"
