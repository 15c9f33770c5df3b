"""How the installation is: whether it can serve, how far the outbox is behind, and what a check says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert

from loyalty.database import db, end_reading, transaction
from loyalty.models.health import Heartbeat

# Rows that are due now and that nobody holds: what a worker should have taken already.
_OLDEST = """
SELECT extract(epoch FROM clock_timestamp() - min(not_before)) FROM outbox
WHERE delivered_at IS NULL AND gave_up_at IS NULL AND not_before <= clock_timestamp()
  AND (leased_until IS NULL OR leased_until < clock_timestamp())
"""


class State(StrEnum):
    """What a check found; what was never seen at work is unknown, not well."""

    OK = "ok"
    WARNING = "warning"
    DOWN = "down"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: `value` says what is, `advice` what to do; both are sentences to be translated.

    `details` fills their placeholders; `words` is what a program or a provider said, as it came. `since` is when the
    state began, where that is known.
    """

    name: str
    state: State
    value: str
    advice: str = ""
    details: Mapping[str, object] = field(default_factory=dict)
    words: str = ""
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Installation:
    """What the configuration says: where files are, which migrations this code knows, and which partners it has."""

    data_dir: Path
    versions: tuple[str, ...]
    has_mail: bool
    has_apple: bool
    has_google: bool


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


def note_run(*, name: str, at: datetime) -> None:
    """Remember that a recurring task has run to its end."""
    noted = insert(Heartbeat).values(name=name, beat_at=at)
    later = func.greatest(Heartbeat.beat_at, noted.excluded.beat_at)
    with transaction():
        db.session.execute(noted.on_conflict_do_update(index_elements=[Heartbeat.name], set_={"beat_at": later}))


def find_last_run(*, name: str) -> datetime | None:
    """Return when a recurring task last ran, None where it never did."""
    return db.session.scalar(select(Heartbeat.beat_at).where(Heartbeat.name == name))
