"""A process that is gone at its first statement, then at its second, and so on until it gets through."""

from collections.abc import Callable, Iterator
from itertools import count

import sqlalchemy as sa

from loyalty.database import db, run_alone

BUSY = sa.text("SELECT pid FROM pg_stat_activity WHERE pid = :pid AND state <> 'idle'")


class Killed(BaseException):
    """The process is gone."""


def run_through_kills(work: Callable[[], object]) -> int:
    """Do it again and again, killed one statement later each time, until it gets through; returns how often it died."""
    for statement in count(1):
        left = iter(range(statement))
        dead: list[int] = []

        def kill(connection: sa.Connection, *_: object, left: Iterator[int] = left, dead: list[int] = dead) -> None:
            if next(left, None) is None:
                dead.append(connection.connection.dbapi_connection.info.backend_pid)  # type: ignore[union-attr] # psycopg's
                raise Killed

        sa.event.listen(db.engine, "before_cursor_execute", kill)
        try:
            work()
        except Killed:
            pass
        else:
            return statement - 1
        finally:
            sa.event.remove(db.engine, "before_cursor_execute", kill)
        _wait_for_end(dead[0])
    raise AssertionError


def _wait_for_end(pid: int) -> None:
    """Return once the database has noticed: the dead one's locks hold until then, and the clock passes over them."""
    while run_alone(BUSY, {"pid": pid}):
        pass
