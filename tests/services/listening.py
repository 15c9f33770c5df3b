"""An endpoint that listens, and what it would be told."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from loyalty.database import db, transaction
from loyalty.domain import webhooks as rules
from loyalty.models.outbox import OutboxMessage
from loyalty.models.webhooks import WebhookDelivery
from loyalty.services import stamps, webhooks
from tests.factories import Card, Shop, make_key

URL = "https://hooks.bakery.example/loyalty"


def listen(shop: Shop, *events: str, url: str = URL) -> UUID:
    details = {"url": url, "events": list(events or rules.EVENTS)}
    return webhooks.create(actor=shop.ada, details=details, key=make_key(shop.ada)).endpoint_id


def stamp(shop: Shop, card: Card, quantity: int = 1) -> UUID:
    made = stamps.add(actor=shop.ben, card=card.ref, quantity=quantity, key=make_key(shop.ben))
    assert made.transaction_id is not None
    return made.transaction_id


def told(event_type: str = "") -> list[dict[str, Any]]:
    """The bodies that were noted, in their order."""
    with transaction():
        query = sa.select(WebhookDelivery.body).order_by(WebhookDelivery.id)
        if event_type:
            query = query.where(WebhookDelivery.event_type == event_type)
        return list(db.session.scalars(query))


def data(event_type: str) -> list[dict[str, Any]]:
    return [body["data"] for body in told(event_type)]


def forget() -> None:
    with transaction():
        db.session.execute(sa.delete(WebhookDelivery))
        db.session.execute(sa.delete(OutboxMessage))


def queued() -> int:
    with transaction():
        mine = OutboxMessage.kind == "webhook.delivery"
        return db.session.execute(sa.select(sa.func.count()).where(mine)).scalar_one()
