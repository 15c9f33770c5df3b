"""The database: connections that the server has ended, statements of their own, and what may be lost."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from psycopg.pq import TransactionStatus

from loyalty.database import db, first_id, new_id, run_alone, transaction, unflushed

pytestmark = pytest.mark.usefixtures("context")

WHO = sa.text("SELECT pg_backend_pid()")


def test_it_replaces_connections_that_the_server_has_ended() -> None:
    with db.engine.connect() as first, db.engine.connect() as second:
        ended = {first.scalar(WHO), second.scalar(WHO)}
    with sa.create_engine(db.engine.url).connect() as stranger:
        for number in ended:
            assert stranger.scalar(sa.text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": number})
    for _ in range(3):
        with db.engine.connect() as connection:
            assert connection.scalar(WHO) not in ended


def test_it_ends_in_peace_where_the_server_has_gone(app: Flask) -> None:
    with app.app_context():
        number = db.session.scalar(WHO)
        with sa.create_engine(db.engine.url).connect() as stranger:
            assert stranger.scalar(sa.text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": number})
    with app.app_context():
        assert db.session.scalar(sa.text("SELECT 1")) == 1


def test_it_keeps_a_connection_that_is_well() -> None:
    db.engine.dispose()
    with db.engine.connect() as connection:
        before = connection.scalar(WHO)
    with db.engine.connect() as connection:
        assert connection.scalar(WHO) == before


def test_it_runs_a_statement_beside_an_open_transaction() -> None:
    row = {"name": "beside", "setup": "", "now": datetime.now(UTC)}
    written = "INSERT INTO wallet_setups (wallet, setup, created_at, updated_at) VALUES (:name, :setup, :now, :now)"
    with transaction():
        assert db.session.scalar(WHO) != run_alone(WHO)[0][0]
        assert run_alone(sa.text(written), row) == []
        # What is not committed yet is not seen beside it.
        db.session.execute(sa.text("UPDATE wallet_setups SET wallet = 'within'"))
        assert run_alone(sa.text("SELECT wallet FROM wallet_setups")) == [("beside",)]
    assert run_alone(sa.text("SELECT wallet FROM wallet_setups")) == [("within",)]


def test_it_gives_the_connection_back_as_it_was_after_a_statement_of_its_own() -> None:
    db.engine.dispose()
    before = run_alone(WHO)
    with pytest.raises(sa.exc.DataError):
        run_alone(sa.text("SELECT 1 / 0"))
    with db.engine.connect() as connection:
        assert connection.scalar(WHO) == before[0][0]
        # A question opens a transaction again.
        driver = connection.connection.driver_connection
        assert driver is not None
        assert driver.info.transaction_status == TransactionStatus.INTRANS


def test_it_gives_nobody_a_connection_that_is_in_the_middle_of_something() -> None:
    db.engine.dispose()
    before = run_alone(WHO)
    run_alone(sa.text("BEGIN"))
    assert run_alone(WHO) != before


def test_it_does_not_wait_for_the_disk_for_one_transaction_only() -> None:
    before = db.session.scalar(sa.text("SHOW synchronous_commit"))
    with transaction():
        db.session.execute(sa.text("SET LOCAL synchronous_commit = on"))
        assert db.session.scalar(sa.select(unflushed(sa.false()))) == "on"
        assert db.session.scalar(sa.select(unflushed())) == "off"
        assert db.session.scalar(sa.text("SHOW synchronous_commit")) == "off"
    assert db.session.scalar(sa.text("SHOW synchronous_commit")) == before


def test_it_knows_the_first_identifier_of_a_moment() -> None:
    now = datetime.now(UTC)
    assert first_id(now - timedelta(seconds=1)) < new_id() < first_id(now + timedelta(hours=1))
