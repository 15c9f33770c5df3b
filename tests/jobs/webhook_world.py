"""A bakery that tells of its stamps, and how its messages travel."""

from contextlib import ExitStack
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from loyalty import jobs
from loyalty.adapters.webhook import WebhookSender
from loyalty.database import db, transaction
from loyalty.jobs import webhooks as webhook_jobs
from loyalty.models.webhooks import WebhookDelivery
from loyalty.services import outbox, stamps, webhooks
from tests.clocks import clock_moved
from tests.factories import Card, Shop, make_key
from tests.mails import let_time_pass
from tests.webhook_receiver import Receiver

# Longer than any wait with its jitter.
AGES = timedelta(hours=10)


def allow(*places: str, seconds: float = 5) -> None:
    webhooks.configure(allowed=places)
    webhook_jobs.configure(sender=WebhookSender(allowed=places, seconds=seconds))


def listen(shop: Shop, receiver: Receiver, events: tuple[str, ...] = ("transaction.created",)) -> tuple[UUID, str]:
    """Add the endpoint; returns its id and its secret."""
    details = {"url": receiver.url, "events": list(events)}
    made = webhooks.create(actor=shop.ada, details=details, key=make_key(shop.ada))
    assert made.secret is not None
    return made.endpoint_id, made.secret


def stamp(shop: Shop, card: Card) -> UUID:
    made = stamps.add(actor=shop.ben, card=card.ref, quantity=1, key=make_key(shop.ben))
    assert made.transaction_id is not None
    return made.transaction_id


def work() -> int:
    """Deliver all that is due, as a worker does; returns how many rows were due."""
    due = outbox.due(limit=100)
    for message_id in due:
        jobs.deliver(str(message_id))
    return len(due)


def deliveries() -> list[WebhookDelivery]:
    with transaction():
        db.session.expire_all()
        return list(db.session.scalars(sa.select(WebhookDelivery).order_by(WebhookDelivery.id)))


def rest(stack: ExitStack, by: timedelta = AGES) -> None:
    """Let the clock go on, for the endpoint and for the outbox."""
    stack.enter_context(clock_moved(by))
    let_time_pass(by)
