"""What a shop decides about its mails: under which name it writes, and what it sends of its own accord."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.dialects.postgresql import insert

from loyalty.database import db
from loyalty.domain import settings
from loyalty.domain.values import Actor, RequestKey, Role
from loyalty.models.mail import MailSettings
from loyalty.models.users import VendorMember
from loyalty.services import audit, idempotency, roles

_OWN = "daily_digest"


@dataclass(frozen=True, kw_only=True)
class MailSettingsRow:
    """The settings; `daily_digest` is that of whoever asks, None where they get none anyway."""

    sender_name: str = ""
    birthday: bool = False
    birthday_points: int = 0
    birthday_stamps: int = 0
    miss_you: bool = False
    daily_digest: bool | None = None


@dataclass(frozen=True, kw_only=True)
class MailSettingsReceipt(MailSettingsRow):
    """The settings after a change."""

    replayed: bool = False


def get(*, actor: Actor) -> MailSettingsRow:
    """Get the shop's settings of mails; everything is off until somebody switches it on."""
    roles.require(actor=actor, role=Role.MANAGER)
    kept = db.session.get(MailSettings, actor.vendor_id, populate_existing=True)
    own = select(VendorMember.daily_digest).where(*_me(actor), VendorMember.role == "owner")
    digest = db.session.execute(own).scalar_one_or_none()
    if kept is None:
        return MailSettingsRow(daily_digest=digest)
    return MailSettingsRow(
        sender_name=kept.sender_name or "",
        birthday=kept.birthday,
        birthday_points=kept.birthday_points,
        birthday_stamps=kept.birthday_stamps,
        miss_you=kept.miss_you,
        daily_digest=digest,
    )


def change(*, actor: Actor, changes: Mapping[str, object], key: RequestKey) -> MailSettingsReceipt:
    """Change settings, all of those named or none."""
    roles.require(actor=actor, role=Role.MANAGER)
    shop = dict(settings.clean(settings.MAILS, changes))
    digest = shop.pop(_OWN, None)
    if "sender_name" in shop:
        shop["sender_name"] = shop["sender_name"] or None

    def work() -> MailSettingsReceipt:
        if digest is not None:
            db.session.execute(update(VendorMember).where(*_me(actor)).values(daily_digest=digest))
        first = insert(MailSettings).values(vendor_id=actor.vendor_id, **shop)
        kept = {**shop, "updated_at": first.excluded.updated_at}
        db.session.execute(first.on_conflict_do_update(index_elements=["vendor_id"], set_=kept))
        audit.record(
            actor=actor, action="mail_settings.changed", subject_type="mail", subject_id=actor.vendor_id, details=shop
        )
        return MailSettingsReceipt(**asdict(get(actor=actor)))

    return idempotency.run(key, MailSettingsReceipt, work, vendor_id=actor.vendor_id)


def _me(actor: Actor) -> tuple[ColumnElement[bool], ...]:
    return (VendorMember.user_id == actor.user_id, VendorMember.vendor_id == actor.vendor_id)
