"""What the database holds at one moment, kept to be put back: what takes seconds to furnish is furnished once."""

import psycopg
import sqlalchemy as sa

from loyalty.database import Base

# Past the ledger's triggers and the order of foreign keys. Deleting beats TRUNCATE by far where tables hold a few rows.
EMPTY = """
DO $$ DECLARE name text; filled boolean; BEGIN
  SET LOCAL session_replication_role = replica;
  FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
    EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I)', name) INTO filled;
    IF filled THEN EXECUTE format('DELETE FROM %I', name); END IF;
  END LOOP;
END $$
"""


def empty(engine: sa.Engine) -> None:
    """Take away every row."""
    with engine.begin() as connection:
        connection.execute(sa.text(EMPTY))


def take(engine: sa.Engine) -> dict[str, bytes]:
    """Return the rows of each table that has some, as PostgreSQL copies them."""
    kept = {}
    with engine.connect() as connection, _cursor(connection) as cursor:
        for table in Base.metadata.sorted_tables:
            if connection.execute(sa.select(sa.exists(sa.select(table)))).scalar_one():
                with cursor.copy(f"COPY {table.name} TO STDOUT (FORMAT binary)") as copy:
                    kept[table.name] = b"".join(copy)
    return kept


def put_back(engine: sa.Engine, kept: dict[str, bytes]) -> None:
    """Write the rows again into a database that is empty."""
    with engine.begin() as connection, _cursor(connection) as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        for name, rows in kept.items():
            with cursor.copy(f"COPY {name} FROM STDIN (FORMAT binary)") as copy:
                copy.write(rows)


def _cursor(connection: sa.Connection) -> "psycopg.Cursor[tuple[object, ...]]":
    raw = connection.connection.driver_connection
    assert isinstance(raw, psycopg.Connection)
    return raw.cursor()
