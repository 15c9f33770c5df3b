"""Indexes and constraints of a table, taken away while very many rows are written, and put back after."""

from typing import Any

import psycopg

_CONSTRAINTS = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), contype FROM pg_constraint
    WHERE (conrelid = %(table)s::regclass AND contype IN ('p', 'u', 'f'))
       OR (confrelid = %(table)s::regclass AND contype = 'f')
    ORDER BY contype = 'f', conname
"""
_INDEXES = """
    SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
    WHERE indrelid = %(table)s::regclass
      AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND conrelid = indrelid)
    ORDER BY 1
"""


def lay_aside(connection: psycopg.Connection[Any], table: str) -> list[str]:
    """Drop the table's indexes and constraints; return the statements that make them again."""
    constraints = connection.execute(_CONSTRAINTS, {"table": table}).fetchall()
    indexes = connection.execute(_INDEXES, {"table": table}).fetchall()
    # Foreign keys go first and come last: they need what they point at.
    for owner, name, *_ in reversed(constraints):
        connection.execute(f"ALTER TABLE {owner} DROP CONSTRAINT {name}".encode())
    for name, _ in indexes:
        connection.execute(f"DROP INDEX {name}".encode())
    said = [(kind, f"ALTER TABLE {owner} ADD CONSTRAINT {name} {text}") for owner, name, text, kind in constraints]
    plain, foreign = [text for kind, text in said if kind != "f"], [text for kind, text in said if kind == "f"]
    return [*plain, *(text for _, text in indexes), *foreign]


def put_back(connection: psycopg.Connection[Any], statements: list[str]) -> None:
    """Make again what was dropped; the rows are checked by it."""
    connection.execute("SET maintenance_work_mem = '512MB'")
    for statement in statements:
        connection.execute(statement.encode())
