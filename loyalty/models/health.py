"""What runs by the clock: when it last ran, and who runs it now."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from loyalty.database import Base


class Heartbeat(Base):
    """The last end of a recurring task, by its name."""

    __tablename__ = "heartbeats"

    name: Mapped[str] = mapped_column(primary_key=True)
    beat_at: Mapped[datetime]


class ClockTask(Base):
    """A task of the minute clock, by its name: whoever holds the lease runs it, everybody else lets it be.

    `last_error` is the name of what ended the last run early, `succeeded_at` the end of the last run that none ended;
    from `late_at` on it is late, and `told_late_at` is when admins were told so.
    """

    __tablename__ = "clock_tasks"

    name: Mapped[str] = mapped_column(primary_key=True)
    leased_until: Mapped[datetime | None]
    lease_token: Mapped[UUID | None]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    succeeded_at: Mapped[datetime | None]
    duration_ms: Mapped[int | None]
    last_error: Mapped[str | None]
    late_at: Mapped[datetime]
    told_late_at: Mapped[datetime | None]
