"""What was asked for from an address that nobody proved: forgotten a month after the mailed link has ended.

No customer stands behind it whom somebody could erase.
"""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select

from loyalty.database import db, transaction
from loyalty.models.mail import Confirmation, EmailLog
from loyalty.services import outbox, privacy_rows

_KEPT: Final = timedelta(days=30)
_BATCH: Final = 200


def forget(*, at: datetime) -> int:
    """Empty the forms and their mails, whose copies a worker deletes; return how many forms it was."""
    total = 0
    while count := _forget_some(at - _KEPT):
        total += count
    return total


def _forget_some(before: datetime) -> int:
    unproven = Confirmation.kind.in_(privacy_rows.PROOFS) & Confirmation.used_at.is_(None)
    ended = select(Confirmation.id).where(unproven, Confirmation.expires_at < before, Confirmation.address != "")
    with transaction():
        # Whoever erases a person at the same time does the same to it.
        some = ended.order_by(Confirmation.id).limit(_BATCH).with_for_update(skip_locked=True)
        asked = db.session.scalars(some).all()
        sent = select(EmailLog.id, EmailLog.vendor_id).where(EmailLog.confirmation_id.in_(asked))
        mails = db.session.execute(sent.order_by(EmailLog.id)).all()
        for mail in mails:
            outbox.add(kind="privacy.mail", subject_id=mail.id, vendor_id=mail.vendor_id)
        privacy_rows.wipe_requests(confirmation_ids=asked, mail_ids=[mail.id for mail in mails])
        return len(asked)
