"""The log of mails: what became of each, and sending one again because a person asks for it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, select

from loyalty.database import AnyRow, AnySelect, db
from loyalty.domain.people import masked_email
from loyalty.domain.values import Actor, Admin, RequestKey, Role
from loyalty.errors import N_, NotFound, ValidationError
from loyalty.models.mail import EmailLog
from loyalty.models.vendors import Vendor
from loyalty.services import audit, failures, idempotency, roles

PAGE: Final = 50
STATES: Final = ("waiting", "sending", "sent", "failed", "unknown")
# What may be sent again: not what has arrived, nor what is about to leave.
AGAIN: Final = ("failed", "unknown")


@dataclass(frozen=True, slots=True)
class LoggedMail:
    """A mail; the recipient of somebody who was erased is empty, `words` are the server's or ours."""

    mail_id: UUID
    kind: str
    recipient: str
    state: str
    created_at: datetime
    sent_at: datetime | None
    words: str
    card_id: UUID | None
    vendor_name: str | None = None

    @property
    def can_be_resent(self) -> bool:
        """Whether a person may have it sent again."""
        return self.state in AGAIN and bool(self.recipient)


@dataclass(frozen=True, slots=True)
class MailPage:
    """Mails, newest first; `older` continues them, None at the end."""

    rows: list[LoggedMail]
    older: UUID | None


@dataclass(frozen=True, kw_only=True)
class ResendReceipt:
    """Which mail leaves again; False where it is on its way or has arrived meanwhile."""

    mail_id: UUID
    leaves: bool
    replayed: bool = False


def list_page(*, actor: Actor, state: str = "", before: UUID | None = None) -> MailPage:
    """List a shop's mails, of one state where one is named."""
    roles.require(actor=actor, role=Role.MANAGER)
    return _page(EmailLog.vendor_id == actor.vendor_id, state=state, before=before, masked=False)


def list_platform_page(*, admin: Admin, state: str = "", before: UUID | None = None) -> MailPage:
    """List the mails of all shops and the platform's own, the addresses of people half hidden."""
    return _page(state=state, before=before, masked=True)


def get(*, actor: Actor, mail_id: UUID) -> LoggedMail:
    """Get one mail of the shop."""
    roles.require(actor=actor, role=Role.MANAGER)
    mine = EmailLog.id == mail_id, EmailLog.vendor_id == actor.vendor_id
    row = db.session.execute(_query().where(*mine)).one_or_none()
    if row is None:
        raise NotFound
    return _row(row, masked=False)


def resend(*, actor: Actor, mail_id: UUID, sure: bool, key: RequestKey) -> ResendReceipt:
    """Send a mail again that was not delivered; `sure` is for one that may arrive twice."""
    roles.require(actor=actor, role=Role.MANAGER)

    def work() -> ResendReceipt:
        mail = get(actor=actor, mail_id=mail_id)
        if not mail.recipient:
            raise NotFound
        if mail.state == "unknown" and not sure:
            raise ValidationError({"sure": N_("This mail may have arrived. Say that it may arrive twice.")})
        leaves = mail.state in AGAIN and failures.send_again(mail_id=mail_id, kind=f"mail.{mail.kind}", actor=actor)
        if leaves:
            details = {"kind": mail.kind}
            audit.record(actor=actor, action="mail.resent", subject_type="mail", subject_id=mail_id, details=details)
        return ResendReceipt(mail_id=mail_id, leaves=leaves)

    return idempotency.run(key, ResendReceipt, work, vendor_id=actor.vendor_id)


def _page(*mine: ColumnElement[bool], state: str, before: UUID | None, masked: bool) -> MailPage:
    query = _query().where(*mine).order_by(EmailLog.id.desc()).limit(PAGE + 1)
    if state in STATES:
        query = query.where(EmailLog.state == state)
    if before:
        query = query.where(EmailLog.id < before)
    rows = db.session.execute(query).all()
    shown = [_row(row, masked=masked) for row in rows[:PAGE]]
    return MailPage(shown, shown[-1].mail_id if len(rows) > PAGE else None)


def _query() -> AnySelect:
    columns = (
        EmailLog.id,
        EmailLog.kind,
        EmailLog.recipient,
        EmailLog.state,
        EmailLog.created_at,
        EmailLog.sent_at,
        EmailLog.error,
        EmailLog.card_id,
    )
    return select(*columns, Vendor.name.label("vendor_name")).outerjoin(Vendor, Vendor.id == EmailLog.vendor_id)


def _row(row: AnyRow, *, masked: bool) -> LoggedMail:
    return LoggedMail(
        mail_id=row.id,
        kind=row.kind,
        recipient=masked_email(row.recipient) if masked and row.recipient else row.recipient,
        state=row.state,
        created_at=row.created_at,
        sent_at=row.sent_at,
        words=failures.without_people(row.error or ""),
        card_id=row.card_id,
        vendor_name=row.vendor_name,
    )
