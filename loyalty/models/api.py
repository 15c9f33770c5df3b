"""Keys with which other software acts for a vendor, or for the platform; only hashes of them are stored."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.database import Base, Changed, Created, new_id
from loyalty.domain import bounds
from loyalty.domain.values import Scope
from loyalty.models.constraints import between, one_of, same_vendor


class ApiKey(Changed, Base):
    """A program that may act: for a vendor, or without one for the platform."""

    __tablename__ = "api_keys"
    __table_args__ = (
        UniqueConstraint("id", "vendor_id"),
        one_of("scope", Scope),
        CheckConstraint("(scope = 'platform') = (vendor_id IS NULL)", name="platform"),
        between("requests_per_minute", bounds.REQUESTS_PER_MINUTE),
        Index("ix_api_keys_vendor_id", "vendor_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    vendor_id: Mapped[UUID | None] = mapped_column(ForeignKey("vendors.id"))
    name: Mapped[str]
    scope: Mapped[str]
    requests_per_minute: Mapped[int | None]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class ApiKeySecret(Created, Base):
    """One text that opens a key: `code` stands in it, of the whole only the SHA-256 is kept.

    While a key is being replaced, two of them live; the old one has an end.
    """

    __tablename__ = "api_key_secrets"
    __table_args__ = (Index("ix_api_key_secrets_api_key_id", "api_key_id"),)

    code: Mapped[str] = mapped_column(primary_key=True)
    api_key_id: Mapped[UUID] = mapped_column(ForeignKey("api_keys.id"))
    secret_hash: Mapped[str]
    ends_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]


class ApiKeyStore(Created, Base):
    """A store that a key is limited to; a key without any works at all of them."""

    __tablename__ = "api_key_stores"
    __table_args__ = (same_vendor("api_key_id", "api_keys"), same_vendor("store_id", "stores"))

    api_key_id: Mapped[UUID] = mapped_column(primary_key=True)
    store_id: Mapped[UUID] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID]
