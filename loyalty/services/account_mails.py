"""The words of mails to people of the office: what their templates may say."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from babel.dates import format_date, format_time
from sqlalchemy import select

from loyalty.database import db
from loyalty.domain.formats import formats_of
from loyalty.domain.mails import OF_ACCOUNTS
from loyalty.domain.tasks import task_name
from loyalty.models.mail import Confirmation, EmailLog
from loyalty.models.users import UserSession
from loyalty.models.vendors import Vendor
from loyalty.services import links

# Kinds of mail of which this module knows the words.
KINDS: Final = tuple(OF_ACCOUNTS)
_COLOR: Final = "#1F2937"


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """What templates may say: `browser` and `network` are of the sign-in that the mail is about, `time` is in UTC.

    `task` is in English: the templates translate it."""

    link: str
    time: str
    vendor_name: str = ""
    role: str = ""
    browser: str = ""
    network: str = ""
    task: str = ""
    color: str = _COLOR
    unsubscribe_link: None = None


def facts(mail: EmailLog) -> AccountFacts:
    """Collect what a mail says from what the database says now."""
    if mail.kind == "invitation":
        return _invitation(mail)
    if mail.kind == "task_late":
        return _task(mail)
    if mail.kind == "new_sign_in":
        return _sign_in(mail)
    if mail.kind == "password_reset":
        return AccountFacts(links.new_password(mail.confirmation_id), _time(mail.created_at, mail.locale))
    return AccountFacts(links.office("password"), _time(mail.created_at, mail.locale))


def _invitation(mail: EmailLog) -> AccountFacts:
    row = db.session.execute(
        select(Vendor.name, Confirmation.form, Confirmation.expires_at)
        .outerjoin(Confirmation, Confirmation.id == mail.confirmation_id)
        .where(Vendor.id == mail.vendor_id)
    ).one()
    link, until = links.invitation(mail.confirmation_id), _time(row.expires_at or mail.created_at, mail.locale)
    return AccountFacts(link, until, vendor_name=row.name, role=(row.form or {}).get("role", ""))


def _task(mail: EmailLog) -> AccountFacts:
    since = mail.facts["since"]
    time = _time(datetime.fromisoformat(since), mail.locale) if since else "–"
    return AccountFacts(links.admin("health"), time, task=task_name(mail.facts["task"]))


def _sign_in(mail: EmailLog) -> AccountFacts:
    where = select(UserSession.browser, UserSession.network).where(UserSession.id == UUID(mail.event_key))
    row = db.session.execute(where).one_or_none()
    browser, network = (row.browser or "", row.network or "") if row else ("", "")
    return AccountFacts(links.office("account"), _time(mail.created_at, mail.locale), browser=browser, network=network)


def _time(at: datetime, locale: str) -> str:
    written = formats_of(locale)
    return f"{format_date(at, 'medium', locale=written)}, {format_time(at, 'HH:mm', locale=written)} UTC"
