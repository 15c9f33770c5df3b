"""People who sign in with a password: owners, managers, the platform's admins; their sessions."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, true
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.database import Base, Changed, Created, new_id
from loyalty.models.constraints import one_of


class User(Changed, Base):
    """A person with a password; what they may do stands in `vendor_members` and `is_admin`.

    `totp_secret` is encrypted and set while a second factor is on; codes of `totp_step` and before open nothing.
    """

    __tablename__ = "users"
    __table_args__ = (CheckConstraint("email = lower(email)", name="email_lower"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    email: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]
    locale: Mapped[str] = mapped_column(default="en")
    is_admin: Mapped[bool] = mapped_column(default=False)
    last_login_at: Mapped[datetime | None]
    totp_secret: Mapped[str | None]
    totp_step: Mapped[int | None]


class RecoveryCode(Created, Base):
    """What opens an account once where the phone with the second factor is lost; stored as an HMAC."""

    __tablename__ = "recovery_codes"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
    code_hash: Mapped[str] = mapped_column(primary_key=True)
    used_at: Mapped[datetime | None]


class VendorMember(Created, Base):
    """Who may work in the office of which vendor."""

    __tablename__ = "vendor_members"
    __table_args__ = (one_of("role", ("owner", "manager")),)

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendors.id"), primary_key=True, index=True)
    role: Mapped[str]
    daily_digest: Mapped[bool] = mapped_column(default=True, server_default=true())


class UserSession(Created, Base):
    """A sign-in that can be ended; the cookie holds the token, the row its SHA-256.

    `browser` is a name such as "Firefox, Windows", `network` a part of an address, `device_hash` that of another
    cookie, by which a browser is known again. Until `acting_until` an admin of the platform acts for another vendor.
    """

    __tablename__ = "user_sessions"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    token_hash: Mapped[str] = mapped_column(unique=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), index=True)
    vendor_id: Mapped[UUID | None] = mapped_column(ForeignKey("vendors.id"))
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    browser: Mapped[str | None]
    network: Mapped[str | None]
    device_hash: Mapped[str | None]
    acting_vendor_id: Mapped[UUID | None] = mapped_column(ForeignKey("vendors.id"))
    acting_until: Mapped[datetime | None]
