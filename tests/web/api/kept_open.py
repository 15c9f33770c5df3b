"""The application as gunicorn runs it for whoever asks everything: before each request its shop is open again.

What one request has closed (the shop, its program, a store, a reward, a card, an endpoint) the next would else find
closed, and which one that is would be luck.
"""

import os
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import UUID

import sqlalchemy as sa

from config import Config
from loyalty.app import create_app
from loyalty.database import db, run_alone, transaction
from loyalty.domain.values import Actor, CardRef, Role
from loyalty.errors import LoyaltyError
from loyalty.models.cards import LoyaltyCard
from loyalty.models.programs import LoyaltyProgram, Reward
from loyalty.models.vendors import Store, Vendor
from loyalty.models.webhooks import WebhookEndpoint
from loyalty.services import cards
from tests.factories import make_key

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

app = create_app(Config.from_env())
vendor_id, owner_id, card_id = (UUID(os.environ[name]) for name in ("FUZZED_SHOP", "FUZZED_OWNER", "FUZZED_CARD"))
owner = Actor(vendor_id=vendor_id, role=Role.OWNER, user_id=owner_id)
# What a request can close, and how it is when it is open.
OPEN = (
    (Vendor.id == vendor_id, Vendor.status, "active"),
    (LoyaltyProgram.vendor_id == vendor_id, LoyaltyProgram.is_active, True),
    (Store.vendor_id == vendor_id, Store.active, True),
    (Reward.vendor_id == vendor_id, Reward.active, True),
    (WebhookEndpoint.vendor_id == vendor_id, WebhookEndpoint.state, "active"),
)
# One look, as most requests close nothing.
CLOSED = sa.select(
    *(sa.exists().where(mine, column != value) for mine, column, value in OPEN),
    sa.exists().where(LoyaltyCard.id == card_id, LoyaltyCard.is_active.is_(False)).label("card"),
)


def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Open what is closed, and answer."""
    with app.app_context():
        open_again()
    return app(environ, start_response)


def open_again() -> None:
    """Open all of the shop; as its owner would, where a ledger notes it."""
    (closed,) = run_alone(CLOSED)
    if not any(closed):
        return
    for mine, column, value in OPEN:
        values = {column.key: value, **({"paused_reason": None} if column is WebhookEndpoint.state else {})}
        # One by one: who waits here must hold nothing that another request waits for.
        with suppress(sa.exc.DBAPIError), transaction():
            db.session.execute(sa.update(column.class_).where(mine, column != value).values(values))
    if closed.card:
        # It may be erased, or somebody has another card by now.
        with suppress(LoyaltyError, sa.exc.DBAPIError):
            cards.reactivate(actor=owner, card=CardRef(card_id=card_id), reason="again", key=make_key(owner))
