"""Callbacks of Google Wallet that were believed: each counts once."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from loyalty.database import Base, Created


class GoogleNonce(Created, Base):
    """The word that tells a callback from its repetition; until `expires_at` a copy of it would verify."""

    __tablename__ = "google_nonces"

    nonce: Mapped[str] = mapped_column(primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)
