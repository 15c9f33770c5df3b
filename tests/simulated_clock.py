"""A clock that a test sets, for the database and for whole processes: every wait and every lease runs out by it.

The database's own functions of time are hidden behind others of the same name, for connections that look there first.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from loyalty.database import db

_FUNCTIONS = "".join(
    f"CREATE FUNCTION simulated.{name}() RETURNS timestamptz LANGUAGE plpgsql AS"
    f" 'BEGIN RETURN pg_catalog.{name}() + (SELECT ahead FROM simulated.clock); END';"
    for name in ("clock_timestamp", "statement_timestamp", "now")
)
_SETUP = f"""
CREATE SCHEMA simulated;
CREATE TABLE simulated.clock (ahead interval NOT NULL);
INSERT INTO simulated.clock VALUES ('0');
{_FUNCTIONS}
GRANT USAGE ON SCHEMA simulated TO PUBLIC;
GRANT SELECT ON simulated.clock TO PUBLIC;
"""
_ahead = timedelta()


@contextmanager
def simulated_clock(owner: sa.Engine) -> Iterator[None]:
    """Give the database a clock that can be set; only those look at it who have called `obey`."""
    with owner.begin() as connection:
        connection.execute(sa.text(_SETUP))
    try:
        yield
    finally:
        with owner.begin() as connection:
            connection.execute(sa.text("DROP SCHEMA simulated CASCADE"))


def set_clock(owner: sa.Engine, moment: datetime) -> None:
    """Let it be this moment; the clock runs on from there."""
    with owner.begin() as connection:
        changed = "UPDATE simulated.clock SET ahead = :moment - pg_catalog.clock_timestamp()"
        connection.execute(sa.text(changed), {"moment": moment})


def obey() -> None:
    """Let everything in this process see the simulated clock from its next connection on."""
    sa.event.listen(Engine, "connect", _look_there_first)
    for name, module in list(sys.modules.items()):
        if name.startswith("loyalty.") and vars(module).get("datetime") is datetime:
            vars(module)["datetime"] = _Simulated


def read_clock() -> datetime:
    """Return the simulated time, and let this process's own clock show it from now on."""
    global _ahead
    moment: datetime = db.session.execute(sa.text("SELECT clock_timestamp()")).scalar_one()
    db.session.rollback()
    _ahead = moment - datetime.now(UTC)
    return moment


def now() -> datetime:
    """Return what this process's own clock shows."""
    return datetime.now(UTC) + _ahead


class _AlsoPlain(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, datetime)


class _Simulated(datetime, metaclass=_AlsoPlain):
    """Makes plain datetimes, and knows another present."""

    def __new__(cls, *args: Any, **kwargs: Any) -> datetime:  # type: ignore[misc] # whatever datetime takes
        return datetime(*args, **kwargs)  # noqa: DTZ001 - its caller names the zone

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override] # a plain one
        return datetime.now(tz) + _ahead


def _look_there_first(connection: Any, *_: object) -> None:  # psycopg's
    connection.execute("SET search_path TO simulated, pg_catalog, public")
    connection.commit()
