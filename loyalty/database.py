"""The database: the base of all tables, transactions, the clock of the ledger. The only module that commits."""

import os
import select
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar, TypeAlias
from uuid import UUID

from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session
from psycopg.pq import TransactionStatus
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    DateTime,
    Executable,
    MetaData,
    Row,
    Select,
    Text,
    Uuid,
    case,
    func,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}

# Every wait ends by itself: a lock held elsewhere after 3 s, a statement after 5 s, a transaction left open after 60 s.
CONNECT_OPTIONS = (
    "-c lock_timeout=3000 -c statement_timeout=5000 -c idle_in_transaction_session_timeout=60000 -c timezone=UTC"
)

# Rows and queries of Core whose columns are put together at run time.
AnyRow: TypeAlias = Row[*tuple[Any, ...]]
AnySelect: TypeAlias = Select[*tuple[Any, ...]]


class Base(DeclarativeBase):
    """The base of all tables: text, aware times, integers of 8 bytes, JSONB."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar = {
        str: Text,
        int: BigInteger,
        datetime: DateTime(timezone=True),
        date: Date,
        UUID: Uuid,
        dict[str, Any]: JSONB,
        list[str]: JSONB,
    }


class _Session(Session):
    """A session whose end is no failure: what a request did is committed, or was refused, before it comes to it."""

    def close(self) -> None:
        """Give the connection back, also one that the server has ended since the last question."""
        try:
            super().close()
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise


db = SQLAlchemy(metadata=Base.metadata, session_options={"class_": _Session})
_offset = timedelta()


class Created:
    """A row that knows when it was written."""

    created_at: Mapped[datetime] = mapped_column(default=lambda: datetime.now(UTC), sort_order=90)


class Changed(Created):
    """A row that also knows when it last changed."""

    updated_at: Mapped[datetime] = mapped_column(
        default=lambda: datetime.now(UTC), onupdate=lambda: datetime.now(UTC), sort_order=91
    )


def configure(*, clock_offset: timedelta) -> None:
    """Move the ledger's clock; zero but for tests and for the demo's history."""
    global _offset
    _offset = clock_offset


def clock_offset() -> timedelta:
    """How far the ledger's clock is moved."""
    return _offset


def clock() -> datetime:
    """Read the database's clock now. Inside a transaction that waited for a lock this is later than `now()`."""
    moment: datetime = db.session.execute(text("SELECT clock_timestamp()")).scalar_one()
    return moment + _offset


def new_id() -> UUID:
    """Make a UUIDv7: 48 bits of milliseconds, so that rows lie in order of time, and 74 random bits."""
    value = bytearray((time.time_ns() // 1_000_000).to_bytes(6) + os.urandom(10))
    value[6] = (value[6] & 0x0F) | 0x70
    value[8] = (value[8] & 0x3F) | 0x80
    return UUID(bytes=bytes(value))


def first_id(at: datetime) -> UUID:
    """Return what sorts before every identifier that is made from this moment on."""
    return UUID(int=(int(at.timestamp() * 1000) << 80))


@contextmanager
def transaction() -> Iterator[None]:
    """Commit at the end of the outermost block, roll back on any exception; an inner block joins the outer one."""
    session = db.session()
    if "on_commit" in session.info:
        yield
        return
    waiting: list[Callable[[], None]] = []
    session.info["on_commit"] = waiting
    try:
        yield
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        del session.info["on_commit"]
    for call in waiting:
        call()


def on_commit(call: Callable[[], None]) -> None:
    """Run `call` after the open transaction has committed, and never otherwise."""
    db.session().info["on_commit"].append(call)


def run_alone(statement: Executable, values: Mapping[str, object] | None = None) -> Sequence[AnyRow]:
    """Run one statement as a transaction of its own, beside any that is open; one round trip instead of three."""
    with db.engine.connect() as connection:
        # Said to psycopg itself: by SQLAlchemy's own way it takes as long as the question.
        driver: Any = connection.connection.driver_connection
        driver.autocommit = True
        try:
            result = connection.execute(statement, values)
            return result.all() if result.returns_rows else []
        finally:
            if driver.pgconn.transaction_status == TransactionStatus.IDLE:
                driver.autocommit = False
            else:
                # Broken off in the middle of an answer: nobody may get it as it is.
                connection.invalidate()


def unflushed(where: ColumnElement[bool] | None = None) -> ColumnElement[str]:
    """A column to return from what may be lost when the database's machine dies: its commit waits for no disk."""
    as_it_is = func.current_setting("synchronous_commit")
    wanted = case((true() if where is None else where, "off"), else_=as_it_is)
    return func.set_config("synchronous_commit", wanted, True)


def check_open(connection: Any, *_: object) -> None:  # psycopg's, which the pool is about to hand out
    """Have a connection replaced that the server has ended: what an idle one has to read is a farewell.

    A question would find the same for a round trip.
    """
    if connection.closed or _can_be_read(connection.fileno()):
        raise InvalidatePoolError


def _can_be_read(number: int) -> bool:
    poll = select.poll()
    poll.register(number, select.POLLIN)
    return bool(poll.poll(0))


def end_reading() -> None:
    """Give the connection back before slow work that needs no database (hashing, rendering)."""
    session = db.session()
    if "on_commit" not in session.info:
        session.rollback()
