"""Whether anything in the database has changed: a checksum over the rows of each table."""

from dataclasses import dataclass, field
from functools import cache
from uuid import UUID

import sqlalchemy as sa

from loyalty.database import Base

# What changes by being looked at: when somebody was last there, and how often somebody tried.
VOLATILE = {
    "api_key_secrets": {"last_used_at"},
    "terminals": {"last_seen_at", "staff_seen_at", "updated_at"},
    "user_sessions": {"last_seen_at"},
    "pin_throttles": {"failed_attempts", "locked_until", "window_started_at", "updated_at", "source", "subject"},
}


@dataclass
class Watch:
    """What stands in the database, of one shop or of all, while it is asked what may change nothing of it."""

    engine: sa.Engine
    of: UUID | None
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.before = fingerprint(self.engine, of=self.of)

    def changes(self) -> list[str]:
        """Say which tables have changed, and what was asked meanwhile."""
        after = fingerprint(self.engine, of=self.of)
        return [f"{name} was changed by one of {self.asked}" for name in after if after[name] != self.before[name]]


def fingerprint(engine: sa.Engine, *, of: UUID | None = None) -> dict[str, str]:
    """Return a checksum over the rows of each table, of one shop or of all; attempts are not counted as change."""
    with engine.connect() as connection:
        return {row.name: row.rows for row in connection.execute(_question(of))}


@cache
def _question(of: UUID | None) -> sa.TextClause:
    parts = []
    for table in Base.metadata.sorted_tables:
        if table.name == "pin_throttles":
            continue
        columns = ", ".join(c.name for c in table.columns if c.name not in VOLATILE.get(table.name, set()))
        key = "vendor_id" if "vendor_id" in table.columns else "id" if table.name == "vendors" else None
        if of is not None and key is None:
            continue
        where = f"WHERE {key} = '{of}'" if of is not None else ""
        # Names of tables and columns are ours.
        parts.append(
            f"SELECT '{table.name}' AS name, count(*) || ':' || "
            f"md5(coalesce(string_agg(r::text, '|' ORDER BY r::text), '')) AS rows "
            f"FROM (SELECT {columns} FROM {table.name} {where}) r"
        )
    return sa.text(" UNION ALL ".join(parts))
