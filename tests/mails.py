"""Mails that wait in the outbox of a test."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from loyalty.database import db, transaction
from loyalty.domain.mails import FACTS, RenderedMail
from loyalty.models.mail import EmailLog
from loyalty.models.outbox import OutboxMessage
from loyalty.services import mail_text, messages
from tests.factories import Card, Shop, make_card, make_shop

_SAID = {
    "points": 1200,
    "stamps": 2,
    "date": "2026-12-05",
    "address": "c***@example.net",
    "task": "expiry",
    "since": "2026-11-20T02:00:00+00:00",
    "kind": "enrollment",
    "subject": "Your card of {shop}",
    "body": "Welcome at {shop}!\n\nYour number: {card_number}",
    "warnings": {"locked_pins": 1, "failed_mails": 3, "paused_webhooks": 1, "certificate_days": 14},
}


def make_mail(
    shop: Shop | None = None,
    card: Card | None = None,
    *,
    kind: str = "enrollment",
    event_key: str = "",
    recipient: str = "cleo@example.org",
    locale: str = "en",
    **facts: object,
) -> UUID:
    """Queue a mail to Cleo; returns the id of its outbox row."""
    shop = shop or make_shop()
    card = card or make_card(shop)
    with transaction():
        mail_id = messages.queue_mail(
            kind=kind,
            event_key=event_key or str(card.card_id),
            vendor_id=shop.vendor_id,
            recipient=recipient,
            locale=locale,
            at=datetime.now(UTC),
            card_id=card.card_id,
            facts=said(kind) | facts,
        )
        found = db.session.execute(sa.select(OutboxMessage.id).where(OutboxMessage.subject_id == mail_id))
        return found.scalar_one()


def said(kind: str) -> dict[str, object]:
    """What a mail of this kind says that nothing else remembers."""
    return {name: _SAID[name] for name in FACTS[kind]}


def only_mail() -> EmailLog:
    """The one mail there is, as the database has it now."""
    with transaction():
        db.session.expire_all()
        return db.session.execute(sa.select(EmailLog)).scalar_one()


def only_row() -> OutboxMessage:
    """The one row of the outbox, as the database has it now."""
    with transaction():
        db.session.expire_all()
        return db.session.execute(sa.select(OutboxMessage)).scalar_one()


def let_time_pass(by: timedelta) -> None:
    """Make every open row as old as if this time had gone by."""
    with transaction():
        db.session.execute(
            sa.update(OutboxMessage).values(
                not_before=OutboxMessage.not_before - by, leased_until=OutboxMessage.leased_until - by
            )
        )


def render_mail(mail_id: UUID) -> RenderedMail:
    """Write a mail as things are now, whatever became of it."""
    with transaction():
        return mail_text.render(db.session.get_one(EmailLog, mail_id))
