"""Alive and ready."""

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient


def test_it_is_alive_without_asking_anybody(client: FlaskClient) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json) == (200, {"status": "alive"})


def test_it_is_ready_with_its_tables(client: FlaskClient) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json == {"status": "ready", "database": True, "migrations": True, "queue_age_seconds": 0}


@pytest.mark.parametrize(("version", "status"), [("0000", 200), ("9999", 200), (None, 503)])
def test_it_runs_on_tables_newer_than_itself_but_on_none_missing(
    client: FlaskClient, owner_engine: sa.Engine, version: str | None, status: int
) -> None:
    with owner_engine.begin() as connection:
        kept = connection.execute(sa.text("DELETE FROM alembic_version RETURNING version_num")).scalar_one()
        if version:
            connection.execute(sa.text("INSERT INTO alembic_version VALUES (:v)"), {"v": version})
    try:
        answer = client.get("/readyz")
    finally:
        with owner_engine.begin() as connection:
            connection.execute(sa.text("DELETE FROM alembic_version"))
            connection.execute(sa.text("INSERT INTO alembic_version VALUES (:v)"), {"v": kept})
    assert answer.status_code == status


def test_it_tells_how_long_the_oldest_message_waits(client: FlaskClient, owner_engine: sa.Engine) -> None:
    waiting = (
        "INSERT INTO outbox (id, kind, subject_id, version, attempts, not_before, created_at) VALUES"
        " (gen_random_uuid(), 'mail.enrollment', gen_random_uuid(), 1, 0, now() - interval '90 s', now())"
    )
    with owner_engine.begin() as connection:
        connection.execute(sa.text(waiting))
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json is not None
    assert 89 <= answer.json["queue_age_seconds"] <= 100
