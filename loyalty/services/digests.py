"""The daily mail of warnings to owners: what waits for them, and nothing where nothing does."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import ScalarSelect, Text, cast, func, select

from loyalty.database import AnyRow, db, transaction
from loyalty.models.mail import EmailLog
from loyalty.models.pins import PinThrottle, StaffPin
from loyalty.models.users import User, VendorMember
from loyalty.models.vendors import Vendor
from loyalty.models.webhooks import WebhookEndpoint
from loyalty.services import messages, setup

# In the morning of the shop, before it gets busy.
_FROM_HOUR: Final = 7
_UNTIL_HOUR: Final = 10
# On how many days before its end a certificate is spoken of: said each morning, nobody reads it any more.
_SAID_AT: Final = (30, 14, 7, 3, 2, 1)


def run(*, at: datetime) -> int:
    """Write to the owners of every shop where something waits, once a day; returns how many mails were noted."""
    certificate_ends, count = setup.first_certificate_end(), 0
    for shop in _shops(at):
        local = at.astimezone(ZoneInfo(shop.timezone))
        warnings = {
            "locked_pins": shop.locked_pins,
            "failed_mails": shop.failed_mails,
            "paused_webhooks": shop.paused_webhooks,
            "certificate_days": _days_to_say(certificate_ends, local),
        }
        if _FROM_HOUR <= local.hour < _UNTIL_HOUR and any(warnings.values()):
            count += _tell(shop, warnings, local.date(), at)
    return count


def _days_to_say(ends: datetime | None, local: datetime) -> int:
    """Return in how many days of the shop's calendar Apple's certificates end; 0 on days on which it is not said."""
    days = (ends.astimezone(local.tzinfo).date() - local.date()).days if ends else 0
    return days if days in _SAID_AT else 0


def _shops(at: datetime) -> Sequence[AnyRow]:
    mails = select(func.count()).where(
        EmailLog.vendor_id == Vendor.id,
        EmailLog.state.in_(("failed", "unknown")),
        EmailLog.created_at > at - timedelta(days=1),
    )
    paused = select(func.count()).where(WebhookEndpoint.vendor_id == Vendor.id, WebhookEndpoint.state == "paused")
    owners = select(VendorMember.user_id).where(
        VendorMember.vendor_id == Vendor.id, VendorMember.role == "owner", VendorMember.daily_digest
    )
    with transaction():
        return db.session.execute(
            select(
                Vendor.id,
                Vendor.timezone,
                _locked(at).label("locked_pins"),
                mails.correlate(Vendor).scalar_subquery().label("failed_mails"),
                paused.correlate(Vendor).scalar_subquery().label("paused_webhooks"),
            )
            .where(Vendor.status == "active", owners.correlate(Vendor).exists())
            .order_by(Vendor.id)
        ).all()


def _locked(at: datetime) -> ScalarSelect[int]:
    locked = (
        select(func.count(StaffPin.id.distinct()))
        .join(PinThrottle, PinThrottle.subject == cast(StaffPin.id, Text))
        .where(StaffPin.vendor_id == Vendor.id, StaffPin.active, PinThrottle.locked_until > at)
    )
    return locked.correlate(Vendor).scalar_subquery()


def _tell(shop: AnyRow, warnings: dict[str, int], today: date, at: datetime) -> int:
    owners = (
        select(User.id, User.email, User.locale)
        .join(VendorMember, VendorMember.user_id == User.id)
        .where(VendorMember.vendor_id == shop.id, VendorMember.role == "owner", VendorMember.daily_digest)
        .order_by(User.id)
    )
    with transaction():
        noted = [
            messages.queue_mail(
                kind="daily_digest",
                event_key=f"{owner.id}:{today.isoformat()}",
                vendor_id=shop.id,
                recipient=owner.email,
                locale=owner.locale,
                at=at,
                facts={"warnings": warnings},
            )
            for owner in db.session.execute(owners).all()
        ]
    return sum(mail_id is not None for mail_id in noted)
