"""Passes in people's phones: the phones, the passes that each of them holds, and what all passes have in common."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.database import Base, Changed, Created, new_id
from loyalty.models.constraints import same_vendor


class AppleDevice(Changed, Base):
    """A phone, as it calls itself to this site; it may call itself otherwise tomorrow. Pushes go to its token."""

    __tablename__ = "apple_devices"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    device_library_identifier: Mapped[str] = mapped_column(unique=True)
    push_token: Mapped[str] = mapped_column(index=True)
    token_seen_at: Mapped[datetime]


class AppleDeviceRegistration(Created, Base):
    """A pass in a phone. `reg_seq` numbers a change that came between download and registration (0: there was none);
    `pushed_seq` is the number of the newest change that the phone was told of.
    """

    __tablename__ = "apple_device_registrations"
    __table_args__ = (same_vendor("card_id", "loyalty_cards"),)

    device_id: Mapped[UUID] = mapped_column(ForeignKey("apple_devices.id"), primary_key=True)
    card_id: Mapped[UUID] = mapped_column(primary_key=True, index=True)
    pass_type: Mapped[str] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendors.id"))
    reg_seq: Mapped[int] = mapped_column(default=0)
    pushed_seq: Mapped[int] = mapped_column(default=0)


class WalletClock(Base):
    """The number of the newest change of all passes of a type: later changes have higher numbers."""

    __tablename__ = "wallet_clocks"

    pass_type: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int]


class WalletSetup(Changed, Base):
    """What all passes of a wallet were last made with, such as the address where they ask for updates."""

    __tablename__ = "wallet_setups"

    wallet: Mapped[str] = mapped_column(primary_key=True)
    setup: Mapped[str]
