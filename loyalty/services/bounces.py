"""Addresses from which mails come back: nothing goes there that nobody asked for, until the address is corrected."""

from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select, update

from loyalty.database import db, transaction
from loyalty.domain.mails import UNASKED
from loyalty.models.customers import Customer
from loyalty.models.mail import EmailLog
from loyalty.services import messages

COMES_BACK: Final = "Mails to this address come back."


def mark(*, email_log_id: UUID) -> None:
    """Note that a server knows nobody under the address of this mail."""
    with transaction():
        query = select(EmailLog.vendor_id, EmailLog.recipient).where(EmailLog.id == email_log_id)
        mail = db.session.execute(query).one_or_none()
        if mail is not None and mail.vendor_id and mail.recipient:
            _mark(mail.recipient, mail.vendor_id)


def mark_address(*, address: str) -> int:
    """Note for all shops that mails to an address came back later; returns how many customers it was."""
    with transaction():
        return _mark(address.strip().lower())


def _mark(address: str, vendor_id: UUID | None = None) -> int:
    theirs = [Customer.email == address, Customer.email_bounced_at.is_(None)]
    waiting = [
        EmailLog.address_hash == messages.address_hash(address),
        EmailLog.state == "waiting",
        EmailLog.kind.in_(UNASKED),
    ]
    if vendor_id:
        theirs.append(Customer.vendor_id == vendor_id)
        waiting.append(EmailLog.vendor_id == vendor_id)
    marked = update(Customer).where(*theirs).values(email_bounced_at=datetime.now(UTC)).returning(Customer.id)
    count = len(db.session.execute(marked).all())
    db.session.execute(update(EmailLog).where(*waiting).values(state="failed", error=COMES_BACK))
    return count
