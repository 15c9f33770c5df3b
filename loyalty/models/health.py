"""When what runs by the clock last ran."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from loyalty.database import Base


class Heartbeat(Base):
    """The last end of a recurring task, by its name."""

    __tablename__ = "heartbeats"

    name: Mapped[str] = mapped_column(primary_key=True)
    beat_at: Mapped[datetime]
