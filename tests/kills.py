"""A process that is gone at its first statement, then at its second, and so on until it gets through."""

from collections.abc import Callable, Iterator
from itertools import count

import sqlalchemy as sa

from loyalty.database import db


class Killed(BaseException):
    """The process is gone."""


def run_through_kills(work: Callable[[], object]) -> int:
    """Do it again and again, killed one statement later each time, until it gets through; returns how often it died."""
    for statement in count(1):
        left = iter(range(statement))

        def kill(*_: object, left: Iterator[int] = left) -> None:
            if next(left, None) is None:
                raise Killed

        sa.event.listen(db.engine, "before_cursor_execute", kill)
        try:
            work()
        except Killed:
            continue
        finally:
            sa.event.remove(db.engine, "before_cursor_execute", kill)
        return statement - 1
    raise AssertionError
