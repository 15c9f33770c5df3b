"""Copies of mails to somebody who was erased: deleted as soon as the mail is not on its way any more."""

from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from loyalty.database import db, transaction
from loyalty.domain.mails import RenderedMail
from loyalty.jobs import deliver, handlers
from loyalty.models.mail import EmailLog
from loyalty.models.outbox import OutboxMessage
from loyalty.services import messages, outbox, privacy
from tests.factories import Card, Shop, make_card, make_key, make_shop
from tests.mails import let_time_pass, make_mail, only_mail

pytestmark = pytest.mark.usefixtures("context")


class Kept:
    """A mailer that says what it was told to forget."""

    def __init__(self) -> None:
        self.forgotten: list[str] = []

    def send(self, mail: RenderedMail, leaving: object) -> bool:
        raise AssertionError(mail.recipient)

    def forget(self, message_id: str) -> None:
        self.forgotten.append(message_id)


@pytest.fixture
def mailer(monkeypatch: pytest.MonkeyPatch) -> Kept:
    kept = Kept()
    monkeypatch.setattr(handlers, "_mailer", kept)
    return kept


def erase(shop: Shop, card: Card) -> None:
    privacy.erase(actor=shop.ada, customer_id=card.customer_id, key=make_key(shop.ada))


def row_of(kind: str) -> OutboxMessage:
    with transaction():
        db.session.expire_all()
        return db.session.execute(sa.select(OutboxMessage).where(OutboxMessage.kind == kind)).scalar_one()


def leave(message_id: UUID) -> tuple[outbox.Claim, UUID]:
    """Do what a worker does until a mail is on its way."""
    claim = outbox.claim(message_id=message_id)
    assert claim
    assert messages.start_sending(email_log_id=claim.subject_id)
    return claim, claim.subject_id


def test_it_waits_until_a_mail_has_left(mailer: Kept) -> None:
    shop = make_shop()
    card = make_card(shop, email="cleo@example.org")
    claim, mail_id = leave(make_mail(shop, card))
    erase(shop, card)
    deliver(str(row_of("privacy.mail").id))
    assert mailer.forgotten == []
    # The worker that sends it comes back with the server's words, and writes them down where it still can.
    messages.record_unknown(email_log_id=mail_id, error="451 <cleo@example.org> later")
    assert outbox.record_gave_up(claim=claim, error="451 <cleo@example.org> later") is False
    let_time_pass(timedelta(minutes=1))
    deliver(str(row_of("privacy.mail").id))
    assert mailer.forgotten == [only_mail().message_id]
    assert (only_mail().error, only_mail().recipient) == (None, "")
    assert row_of("mail.enrollment").last_error is None
    assert row_of("privacy.mail").delivered_at is not None


def test_it_does_not_wait_for_a_worker_that_died(mailer: Kept) -> None:
    shop = make_shop()
    card = make_card(shop, email="cleo@example.org")
    leave(make_mail(shop, card))
    erase(shop, card)
    with transaction():
        db.session.execute(sa.update(EmailLog).values(sending_at=EmailLog.sending_at - timedelta(minutes=3)))
    deliver(str(row_of("privacy.mail").id))
    assert mailer.forgotten == [only_mail().message_id]
    assert only_mail().state == "unknown"


def test_it_sends_nothing_that_was_waiting(mailer: Kept) -> None:
    shop = make_shop()
    card = make_card(shop, email="cleo@example.org")
    message_id = make_mail(shop, card)
    erase(shop, card)
    deliver(str(message_id))
    assert (only_mail().state, only_mail().recipient) == ("failed", "")
    assert mailer.forgotten == []
