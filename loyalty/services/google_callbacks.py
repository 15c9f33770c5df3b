"""Callbacks of Google Wallet: verified, counted once, and taken as hints about who has a card saved."""

import logging
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import CursorResult

from loyalty.database import db, transaction
from loyalty.errors import NotFound
from loyalty.models.cards import LoyaltyCard
from loyalty.models.google import GoogleNonce
from loyalty.models.programs import LoyaltyProgram
from loyalty.services import google_passes, outbox, webhook_events
from loyalty.wallets.google_callback import CallbackEvent, GoogleCallback, verify
from loyalty.wallets.google_keys import RootKeys

# Clocks differ, and so does what Google calls expired.
_NONCES_KEPT = timedelta(days=1)

_roots: RootKeys | None = None
_log = logging.getLogger(__name__)


def configure(*, roots: RootKeys | None) -> None:
    """Receive the keys that callbacks are verified with."""
    global _roots
    _roots = roots


def receive(*, body: bytes, at: datetime) -> bool:
    """Verify and record a callback; True where it had an effect.

    Raises CallbackRefused for what Google did not send to us, KeysUnavailable while nobody can tell.
    """
    if _roots is None or not google_passes.is_on():
        raise NotFound
    return record(callback=verify(body=body, roots=_roots, issuer_id=google_passes.issuer_id(), at=at), at=at)


def record(*, callback: GoogleCallback, at: datetime) -> bool:
    """Note who saved or removed a card, once per nonce and in one transaction with it."""
    with transaction():
        nonce = insert(GoogleNonce).values(nonce=callback.nonce, expires_at=callback.expires_at + _NONCES_KEPT)
        # Whoever brings the same nonce at the same time waits here for the first one's commit.
        first = db.session.execute(nonce.on_conflict_do_nothing().returning(GoogleNonce.nonce)).one_or_none()
        return first is not None and _apply(callback, at)


def delete_expired(*, before: datetime) -> int:
    """Forget the nonces of callbacks that no longer verify."""
    with transaction():
        done = db.session.execute(delete(GoogleNonce).where(GoogleNonce.expires_at < before))
        return done.rowcount if isinstance(done, CursorResult) else 0


def _apply(callback: GoogleCallback, at: datetime) -> bool:
    """Write it to the card that the ids name; ids that are no card of ours have no effect."""
    saved = callback.event is CallbackEvent.SAVED
    ours = select(LoyaltyProgram.id).where(LoyaltyProgram.google_class_id == callback.class_id)
    named = select(LoyaltyCard.id, LoyaltyCard.vendor_id, LoyaltyCard.google_saved_at).where(
        LoyaltyCard.google_object_id == callback.object_id, LoyaltyCard.program_id.in_(ours)
    )
    card = db.session.execute(named.with_for_update()).one_or_none()
    if card is None:
        _log.warning("Google told of %s, which is no card here", callback.object_id)
        return False
    noted = update(LoyaltyCard).where(LoyaltyCard.id == card.id)
    now = {"google_saved_at": at if saved else None, "google_checked_at": at}
    db.session.execute(noted.values(**now, **google_passes.untouched()))
    if saved != (card.google_saved_at is not None):
        tell = webhook_events.card_installed if saved else webhook_events.card_removed
        tell(card_id=card.id, vendor_id=card.vendor_id, wallet="google", at=at)
    if saved:
        # What happened between the click and the saving was told to nobody.
        outbox.add(kind="google.object", subject_id=card.id, vendor_id=card.vendor_id)
    return True
