"""Telling a database that cannot answer from a fault of ours."""

import psycopg
from sqlalchemy.exc import TimeoutError as PoolTimeout


def is_outage(error: Exception) -> bool:
    """Whether the database is away, overloaded or gave up waiting: the outcome of a write is unknown then."""
    cause = getattr(error, "orig", None) or error
    return isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError | PoolTimeout)
