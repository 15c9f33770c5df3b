"""Migrations: forward, back and forward again, without drift, and with the application's rights at the end."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_migrate import downgrade, upgrade

from config import ROOT, Config
from tests.applications import another_app

MIGRATIONS = str(ROOT / "migrations")


@pytest.fixture
def migrating(apart: Config, config: Config) -> Iterator[Flask]:
    with another_app(apart, config) as app, app.app_context():
        yield app


def tables(config: Config) -> set[str]:
    engine = sa.create_engine(config.database_owner_url or "", poolclass=sa.NullPool)
    return set(sa.inspect(engine).get_table_names())


def rights(config: Config, table: str) -> set[str]:
    engine = sa.create_engine(config.database_owner_url or "", poolclass=sa.NullPool)
    kinds = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE")
    asked = sa.text("SELECT has_table_privilege(:role, :table, :kind)")
    role = sa.make_url(config.database_url).username
    with engine.connect() as connection:
        return {k for k in kinds if connection.execute(asked, {"role": role, "table": table, "kind": k}).scalar()}


def test_it_goes_forward_back_and_forward_again(migrating: Flask, apart: Config) -> None:
    upgrade(directory=MIGRATIONS)
    first = tables(apart)
    assert "loyalty_transactions" in first
    downgrade(directory=MIGRATIONS, revision="base")
    assert tables(apart) == {"alembic_version"}
    upgrade(directory=MIGRATIONS)
    assert tables(apart) == first


def test_it_gives_the_application_no_right_to_change_the_ledger(migrating: Flask, apart: Config) -> None:
    upgrade(directory=MIGRATIONS)
    assert rights(apart, "loyalty_transactions") == {"SELECT", "INSERT"}
    assert rights(apart, "loyalty_cards") == {"SELECT", "INSERT", "UPDATE", "DELETE"}
    assert rights(apart, "alembic_version") == {"SELECT"}


def test_it_gives_the_rights_again_when_nothing_is_to_do(migrating: Flask, apart: Config) -> None:
    upgrade(directory=MIGRATIONS)
    engine = sa.create_engine(apart.database_owner_url or "", poolclass=sa.NullPool)
    role = sa.make_url(apart.database_url).username
    with engine.begin() as connection:
        connection.execute(sa.text(f"GRANT UPDATE ON loyalty_transactions TO {role}"))
        connection.execute(sa.text(f"REVOKE ALL ON loyalty_cards FROM {role}"))
    upgrade(directory=MIGRATIONS)
    assert rights(apart, "loyalty_transactions") == {"SELECT", "INSERT"}
    assert "UPDATE" in rights(apart, "loyalty_cards")


def test_it_finds_no_difference_between_models_and_migrations(migrating: Flask, apart: Config, tmp_path: Path) -> None:
    upgrade(directory=MIGRATIONS)
    env = {
        **os.environ,
        "SECRET_KEY": apart.secret_key,
        "PIN_PEPPER": apart.pin_pepper.decode(),
        "DATABASE_URL": apart.database_url,
        "DATABASE_OWNER_URL": apart.database_owner_url or "",
        "REDIS_URL": apart.redis_url,
        "DATA_DIR": str(tmp_path),
    }
    check = [sys.executable, "-m", "flask", "--app", "wsgi", "db", "check"]
    done = subprocess.run(check, cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
