"""How the installation is: whether it can serve, and how far the outbox is behind."""

from dataclasses import dataclass

from sqlalchemy import text

from loyalty.database import db, end_reading

# Rows that are due now and that nobody holds: what a worker should have taken already.
_OLDEST = """
SELECT extract(epoch FROM clock_timestamp() - min(not_before)) FROM outbox
WHERE delivered_at IS NULL AND gave_up_at IS NULL AND not_before <= clock_timestamp()
  AND (leased_until IS NULL OR leased_until < clock_timestamp())
"""


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether requests may come: mail and passes may be late, so the queue's age is told but decides nothing."""

    migrations: bool
    queue_age_seconds: int

    @property
    def ready(self) -> bool:
        """Whether requests may come."""
        return self.migrations


def readiness(*, versions: tuple[str, ...]) -> Readiness:
    """Ask the database; `versions` are the migrations this code knows, newest first."""
    found = db.session.execute(text("SELECT to_regclass('alembic_version') IS NOT NULL")).scalar_one()
    at = db.session.execute(text("SELECT version_num FROM alembic_version")).scalar() if found else None
    # A version that this code does not know is newer: a release runs on the schema of the next one.
    migrations = at is not None and at not in versions[1:]
    age = db.session.execute(text(_OLDEST)).scalar() if migrations else None
    end_reading()
    return Readiness(migrations=migrations, queue_age_seconds=int(age or 0))
