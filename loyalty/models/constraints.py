"""Shapes of constraints that several tables share."""

from collections.abc import Iterable

from sqlalchemy import CheckConstraint, ForeignKeyConstraint


def between(column: str, bounds: tuple[int, int], *, name: str = "") -> CheckConstraint:
    """A CHECK that keeps a number within its bounds (null passes)."""
    return CheckConstraint(f"{column} BETWEEN {bounds[0]} AND {bounds[1]}", name=name or column)


def one_of(column: str, values: Iterable[str]) -> CheckConstraint:
    """A CHECK that keeps a word within a list."""
    words = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({words})", name=column)


def not_negative(*columns: str) -> list[CheckConstraint]:
    """A CHECK for each column that keeps it at zero or above."""
    return [CheckConstraint(f"{column} >= 0", name=f"{column}_not_negative") for column in columns]


def same_vendor(column: str, table: str) -> ForeignKeyConstraint:
    """A foreign key that carries the vendor along, so that a row can never point at another vendor's."""
    return ForeignKeyConstraint([column, "vendor_id"], [f"{table}.id", f"{table}.vendor_id"])
