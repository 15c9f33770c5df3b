"""Vendors (the tenants), their stores, and what the platform's admin allows each of them."""

from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.database import Base, Changed, new_id
from loyalty.domain import bounds
from loyalty.models.constraints import between, one_of


class Vendor(Changed, Base):
    """A business; `code` is the word in its addresses."""

    __tablename__ = "vendors"
    __table_args__ = (
        CheckConstraint("code ~ '^[a-z0-9][a-z0-9-]{1,39}$'", name="code"),
        one_of("status", ("active", "suspended")),
        one_of("contact_field", ("email", "phone")),
        between("retention_months", bounds.VENDOR["retention_months"]),
        CheckConstraint("pin_length IN (4, 6)", name="pin_length"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    locale: Mapped[str] = mapped_column(default="en")
    timezone: Mapped[str] = mapped_column(default="Europe/Luxembourg")
    country: Mapped[str] = mapped_column(default="LU")
    currency: Mapped[str] = mapped_column(default="EUR")
    status: Mapped[str] = mapped_column(default="active")
    contact_field: Mapped[str] = mapped_column(default="email")
    confirm_address: Mapped[bool] = mapped_column(default=False)
    ask_name: Mapped[bool] = mapped_column(default=False)
    ask_birthday: Mapped[bool] = mapped_column(default=False)
    ask_marketing: Mapped[bool] = mapped_column(default=False)
    pin_salt: Mapped[bytes]
    pin_length: Mapped[int] = mapped_column(default=4)
    retention_months: Mapped[int] = mapped_column(default=24, server_default="24")
    privacy_contact: Mapped[str] = mapped_column(default="", server_default="")
    privacy_note: Mapped[str] = mapped_column(default="", server_default="")


class Store(Changed, Base):
    """One location of a vendor; cards work at all of them."""

    __tablename__ = "stores"
    __table_args__ = (UniqueConstraint("vendor_id", "code"), UniqueConstraint("id", "vendor_id"))

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendors.id"))
    code: Mapped[str]
    name: Mapped[str]
    address: Mapped[str] = mapped_column(default="")
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    active: Mapped[bool] = mapped_column(default=True)


class VendorPolicy(Changed, Base):
    """What the platform's admin decides for a vendor."""

    __tablename__ = "vendor_policies"
    __table_args__ = (
        one_of("staff_pin_policy", ("required", "optional", "disabled")),
        between("pin_lockout_attempts", bounds.POLICY["pin_lockout_attempts"]),
        between("pin_lockout_minutes", bounds.POLICY["pin_lockout_minutes"]),
    )

    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendors.id"), primary_key=True)
    staff_pin_policy: Mapped[str] = mapped_column(default="required")
    pin_lockout_attempts: Mapped[int] = mapped_column(default=5)
    pin_lockout_minutes: Mapped[int] = mapped_column(default=30)
    allow_self_enrollment: Mapped[bool] = mapped_column(default=True)
    allow_void_transactions: Mapped[bool] = mapped_column(default=True)
    allow_cross_store_redemption: Mapped[bool] = mapped_column(default=True)
    require_order_reference: Mapped[bool] = mapped_column(default=False)
    log_ip_addresses: Mapped[bool] = mapped_column(default=True)
