"""What every `flask db` command does: connect as the owner, one at a time, and end with the application's rights."""

import getpass
from typing import Any

import click
import sqlalchemy as sa
from alembic import context
from alembic.script import ScriptDirectory
from flask import current_app

import loyalty.models  # noqa: F401 # the tables register themselves on the metadata
from config import Config
from loyalty.database import Base

# Two migrators at the same time would both see the old version.
ADVISORY_LOCK = 5_017_231_019
LEDGER = "loyalty_transactions"


def next_number(_context: Any, _revision: Any, directives: list[Any]) -> None:
    """Number new versions 0001, 0002, and so on."""
    heads = ScriptDirectory.from_config(context.config).get_heads()
    directives[0].rev_id = f"{max((int(head) for head in heads), default=0) + 1:04}"


def grant(connection: sa.Connection, application: str) -> None:
    """Give the application its rights on what exists now: everything but changing the ledger or the version."""
    owner = connection.execute(sa.text("SELECT current_user")).scalar_one()
    if application == owner:
        return  # one role for everything: `flask doctor` says why that is not enough
    role = connection.dialect.identifier_preparer.quote(application)
    rights = [
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
        f"GRANT USAGE ON SCHEMA public TO {role}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
        f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}",
    ]
    tables = sa.inspect(connection).get_table_names()
    if LEDGER in tables:
        rights.append(f"REVOKE UPDATE, DELETE, TRUNCATE ON {LEDGER} FROM {role}")
    if "alembic_version" in tables:
        rights.append(f"REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON alembic_version FROM {role}")
    for right in rights:
        connection.execute(sa.text(right))
    connection.commit()


def migrate(config: Config) -> None:
    """Run the asked-for migrations and renew the grants, while nobody else does."""
    if config.database_owner_url is None:
        raise click.ClickException("DATABASE_OWNER_URL is not set: `flask db` works as the owner of the tables.")
    engine = sa.create_engine(config.database_owner_url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.execute(sa.text("SELECT pg_advisory_lock(:key)"), {"key": ADVISORY_LOCK})
        # Waiting long for a table's lock would stop every till behind us: fail instead, and be run again.
        connection.execute(sa.text("SET lock_timeout = '3s'"))
        connection.commit()
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            compare_type=True,
            compare_server_default=True,
            transaction_per_migration=True,
            process_revision_directives=next_number,
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()
        grant(connection, sa.make_url(config.database_url).username or getpass.getuser())


if context.is_offline_mode():
    raise click.ClickException("Migrations run against a database; there is no --sql.")
migrate(current_app.config["CONFIG"])
