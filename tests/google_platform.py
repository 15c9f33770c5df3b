"""A platform that is connected to the server that plays Google, and Google's callbacks to it."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from loyalty.adapters.google_api import GoogleApi
from loyalty.adapters.google_keys import fetch_keys
from loyalty.database import db, transaction
from loyalty.jobs import deliver
from loyalty.jobs import google as google_jobs
from loyalty.models.cards import LoyaltyCard
from loyalty.models.outbox import OPEN, OutboxMessage
from loyalty.models.programs import LoyaltyProgram
from loyalty.services import google_passes
from loyalty.services.google_passes import GooglePasses
from loyalty.wallets import google_facts
from loyalty.wallets.google_account import load_account
from loyalty.wallets.google_keys import RootKeys
from tests import google_signer
from tests.factories import Card, Shop
from tests.google_cards import make_api
from tests.google_fake import GoogleFake, google_server

PUBLIC_URL = "https://cards.example"


@contextmanager
def connected(fake: GoogleFake, folder: Path, *, api: GoogleApi | None = None) -> Iterator[None]:
    """Let the platform speak to this server for as long as the block lasts."""
    account = load_account(fake.account_file(folder))
    google = GooglePasses(account=account, issuer_id=fake.issuer_id, public_url=PUBLIC_URL)
    google_passes.configure(google=google)
    google_jobs.configure(api=api or make_api(fake), roots=RootKeys(partial(fetch_keys, fake.keys_url)))
    try:
        yield
    finally:
        google_passes.configure(google=None)
        google_jobs.configure(api=None, roots=None)


@pytest.fixture
def google(app: Flask, tmp_path: Path) -> Iterator[GoogleFake]:
    """The server that plays Google; the application is connected to it."""
    with google_server() as fake, connected(fake, tmp_path):
        yield fake


def class_id(shop: Shop) -> str:
    """How Google calls the program of a shop."""
    return google_facts.class_id(issuer_id=google_signer.ISSUER, program_id=shop.program_id)


def object_id(card: Card) -> str:
    """How Google calls a card."""
    return google_facts.object_id(issuer_id=google_signer.ISSUER, card_id=card.card_id)


def told(shop: Shop, card: Card, *, event: str = "save", nonce: str | None = None, **more: Any) -> bytes:
    """Sign a callback about a card, as Google does it now."""
    at = datetime.now(UTC)
    ids = {"class_id": class_id(shop), "object_id": object_id(card)}
    message = google_signer.message(
        **{**ids, "expires_at": at + timedelta(hours=1), **more},
        event=event,
        nonce=nonce or secrets.token_hex(16),
    )
    key = google_signer.signed_key(expires_at=at + timedelta(days=7))
    return google_signer.callback(signed_message=message, key=key)


def open_rows(kind: str = "google.object") -> list[OutboxMessage]:
    """What waits in the outbox, as the database has it now."""
    with transaction():
        db.session.expire_all()
        waiting = sa.select(OutboxMessage).where(sa.text(OPEN), OutboxMessage.kind == kind)
        return list(db.session.execute(waiting.order_by(OutboxMessage.id)).scalars())


def deliver_all() -> None:
    """Do what workers do, once for every row that is due."""
    with transaction():
        waiting = sa.select(OutboxMessage.id).where(sa.text(OPEN), OutboxMessage.kind.like("google.%"))
        found = list(db.session.execute(waiting.order_by(OutboxMessage.kind, OutboxMessage.id)).scalars())
    for message_id in found:
        deliver(str(message_id))


def row_of(card_id: UUID) -> LoyaltyCard:
    """A card as the database has it now."""
    with transaction():
        db.session.expire_all()
        return db.session.get_one(LoyaltyCard, card_id)


def program_of(shop: Shop) -> LoyaltyProgram:
    """A program as the database has it now."""
    with transaction():
        db.session.expire_all()
        return db.session.get_one(LoyaltyProgram, shop.program_id)


def save(card: Card) -> None:
    """Write a card to Google and mark it as saved by its customer."""
    google_passes.offer_link(token=card.public_token, at=datetime.now(UTC))
    deliver_all()
    with transaction():
        mine = sa.update(LoyaltyCard).where(LoyaltyCard.id == card.card_id)
        db.session.execute(mine.values(google_saved_at=datetime.now(UTC)))
