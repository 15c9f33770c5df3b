"""Mails: noted once in the transaction of what they tell, written when a worker hands them over."""

import hashlib
import hmac
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parseaddr
from typing import Any
from uuid import UUID

from sqlalchemy import case, cast, func, select, update
from sqlalchemy.dialects.postgresql import Insert, insert

from loyalty.database import clock_offset, db, new_id, transaction
from loyalty.domain.mails import FACTS, UNASKED, RenderedMail
from loyalty.models.customers import Customer
from loyalty.models.mail import EmailLog
from loyalty.services import links, mail_text, outbox

# Kinds of mail, each a folder of templates/mail.
KINDS = tuple(FACTS)

# What a stranger can have sent to an address by typing it into the join page.
ASKED_FOR_BY_ANYBODY = ("enrollment", "card_link", "confirm_join")

_ERROR_LENGTH = 500
_secret = b""
_domain = "localhost"


def configure(*, public_url: str, mail_from: str, secret_key: str) -> None:
    """Receive where links lead, who writes (its domain ends the Message-IDs), and the key that signs and counts."""
    global _secret, _domain
    _secret = hmac.digest(secret_key.encode(), b"mail address", "sha256")
    _domain = parseaddr(mail_from)[1].rpartition("@")[2]
    links.configure(public_url=public_url, secret_key=secret_key)


def queue_mail(
    *,
    kind: str,
    event_key: str,
    vendor_id: UUID | None,
    recipient: str,
    locale: str,
    at: datetime,
    card_id: UUID | None = None,
    confirmation_id: UUID | None = None,
    facts: Mapping[str, Any] | None = None,  # JSON values
) -> UUID | None:
    """Note a mail in the caller's transaction, once per vendor, kind and event.

    None when it was noted before, or when nobody asked for it and mails to this customer come back. Without a vendor it
    is the platform's own. `facts` are those that `domain.mails` names for the kind.
    """
    mail_id = new_id()
    row = {
        "id": mail_id,
        "vendor_id": vendor_id,
        "kind": kind,
        "event_key": event_key,
        "locale": locale,
        "recipient": recipient,
        "address_hash": address_hash(recipient),
        "card_id": card_id,
        "confirmation_id": confirmation_id,
        "message_id": f"<{mail_id}@{_domain}>",
        "created_at": at,
        "facts": _checked(kind, facts or {}),
        "state": "waiting",
    }
    if db.session.execute(_noted(row).returning(EmailLog.id)).scalar_one_or_none() is None:
        return None
    outbox.add(kind=f"mail.{kind}", subject_id=mail_id, vendor_id=vendor_id)
    return mail_id


def count_recent(*, vendor_id: UUID | None, recipient: str, kinds: Sequence[str], at: datetime) -> int:
    """Count the mails of some kinds that an address was sent by a vendor in the last 24 hours."""
    counted = select(func.count()).where(
        EmailLog.vendor_id == vendor_id,
        EmailLog.address_hash == address_hash(recipient),
        EmailLog.kind.in_(kinds),
        EmailLog.created_at > at - timedelta(days=1),
    )
    return int(db.session.execute(counted).scalar_one())


def address_hash(address: str) -> str:
    """Return what stands for an address where it is only compared."""
    return hmac.new(_secret, address.lower().encode(), hashlib.sha256).hexdigest()


def find_mail_to_send(*, email_log_id: UUID) -> RenderedMail | None:
    """Write the mail as things are now; None when it left before or there is nobody to send it to."""
    with transaction():
        mail = db.session.execute(select(EmailLog).where(EmailLog.id == email_log_id)).scalar_one_or_none()
        return mail_text.render(mail) if mail and mail.state == "waiting" and mail.recipient else None


def start_sending(*, email_log_id: UUID) -> bool:
    """Commit that the mail leaves now; False when another worker was faster. Of all workers one gets True."""
    with transaction():
        return _move(email_log_id, "waiting", "sending", sending_at=_now())


def record_sent(*, email_log_id: UUID) -> None:
    """Note that the server has taken the mail, also when a late answer follows "unknown"."""
    with transaction():
        if not _move(email_log_id, "sending", "sent", sent_at=_now(), error=None):
            _move(email_log_id, "unknown", "sent", sent_at=_now(), error=None)


def record_held_back(*, email_log_id: UUID, error: str) -> None:
    """Note that the server refused for now: it has not got the mail, which waits again."""
    with transaction():
        _move(email_log_id, "sending", "waiting", sending_at=None, error=error)


def record_unknown(*, email_log_id: UUID, error: str) -> bool:
    """Note that the mail left and no answer came; False when it is not on its way."""
    with transaction():
        return _move(email_log_id, "sending", "unknown", error=error)


def wait_again(*, email_log_ids: Collection[UUID], unknown_too: bool) -> set[UUID]:
    """In the caller's transaction, let mails that failed wait once more; returns which of them will leave.

    `unknown_too` is for somebody who takes it that one may arrive twice.
    """
    states = ("failed", "unknown") if unknown_too else ("failed",)
    mine = EmailLog.id.in_(email_log_ids)
    failed = update(EmailLog).where(mine, EmailLog.state.in_(states))
    db.session.execute(failed.values(state="waiting", sending_at=None, error=None))
    return set(db.session.execute(select(EmailLog.id).where(mine, EmailLog.state == "waiting")).scalars())


def record_failed(*, email_log_id: UUID, error: str) -> None:
    """Note that nobody tries again; what left with an unknown outcome keeps saying so."""
    with transaction():
        if not _move(email_log_id, "waiting", "failed", error=error):
            _move(email_log_id, "sending", "failed", error=error)


def end_erased(*, email_log_id: UUID) -> str | None:
    """Take the last words about somebody who was erased off a mail; returns its Message-ID, None while it is leaving.

    Whoever sends it cannot write to the outbox any more; what has been leaving for long was left by its worker.
    """
    stuck = EmailLog.sending_at < _now() - 2 * outbox.LEASE
    ended = (EmailLog.state != "sending") | stuck
    state = case((EmailLog.state == "sending", "unknown"), else_=EmailLog.state)
    mine = update(EmailLog).where(EmailLog.id == email_log_id, ended).values(error=None, state=state)
    with transaction():
        return db.session.execute(mine.returning(EmailLog.message_id)).scalar_one_or_none()


def _now() -> datetime:
    """The product's time, by which points expire and customers are forgotten after what they were told."""
    return datetime.now(UTC) + clock_offset()


def _noted(row: dict[str, Any]) -> Insert:  # columns of all types
    """Note the mail, unless it was noted before or would come back."""
    if row["kind"] not in UNASKED:
        return insert(EmailLog).values(row).on_conflict_do_nothing()
    mine = Customer.vendor_id == row["vendor_id"], Customer.email == row["recipient"]
    comes_back = select(1).where(*mine, Customer.email_bounced_at.is_not(None)).exists()
    values = select(*[cast(value, EmailLog.__table__.c[name].type) for name, value in row.items()]).where(~comes_back)
    return insert(EmailLog).from_select(list(row), values, include_defaults=False).on_conflict_do_nothing()


def _checked(kind: str, facts: Mapping[str, Any]) -> dict[str, Any]:  # JSON values
    if set(facts) != set(FACTS[kind]):
        raise ValueError(f"{kind} says {FACTS[kind]}")
    return dict(facts)


def _move(email_log_id: UUID, state: str, to: str, **values: Any) -> bool:  # columns of all types
    """Change a mail's state where it still is what the caller thinks; one statement, so that nobody comes between."""
    if values.get("error"):
        values["error"] = values["error"][:_ERROR_LENGTH]
    moved = update(EmailLog).where(EmailLog.id == email_log_id, EmailLog.state == state).values(state=to, **values)
    return db.session.execute(moved.returning(EmailLog.id)).one_or_none() is not None
