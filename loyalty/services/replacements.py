"""Cards that were lost or copied: the card goes on under new codes, and what shows the old ones is refused.

The row, its ledger and its balance stay. The old codes, and the passes and phones that hold them, move to a row of
their own, which never was active: so an old pass shows an ended card with nothing on it, and reads no balance.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import insert, select, update

from loyalty.database import db, new_id
from loyalty.domain import reasons
from loyalty.domain.codes import make_card_number, make_scan_code
from loyalty.domain.values import Actor, CardRef, RequestKey
from loyalty.errors import CardInactive, ValidationError
from loyalty.models.cards import LoyaltyCard
from loyalty.models.passes import AppleDeviceRegistration
from loyalty.services import audit, card_mails, google_passes, passes
from loyalty.services.till import Approval, Ground, Scene, perform

# What an old pass lives by.
_OF_PASSES: Final = (
    "apple_serial_number",
    "apple_auth_token",
    "apple_change_seq",
    "apple_content_hash",
    "apple_changed_at",
    "google_object_id",
    "google_content_hash",
    "google_told_at",
    "google_saved_at",
    "google_checked_at",
)
_SHOWN: Final = ("apple_fetched_at", "apple_shown_seq", "google_shown_seq")
_MOVED: Final = ("card_number", "scan_code", "public_token", *_OF_PASSES)
_COPIED: Final = ("program_id", "customer_id", "vendor_id", "enrolled_at_store_id", "created_at")

_cards: Final = LoyaltyCard.__table__.c

Columns = dict[str, Any]  # values of all types by the names of columns


@dataclass(frozen=True, kw_only=True)
class ReplacementReceipt:
    """What replacing a card answers; `mailed` where its customer has an address that was sent the new one."""

    card_id: UUID
    card_number: str
    old_card_number: str
    mailed: bool
    store_id: UUID | None = None
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class OldCode:
    """A number that a card had, until when, and why not any more."""

    card_number: str
    replaced_at: datetime
    reason: str | None


def replace(
    *, actor: Actor, card: CardRef, reason: str, key: RequestKey, approval: Approval | None = None
) -> ReplacementReceipt:
    """Give a card a new number, code and address, once per key; its balance and history stay, the old ones end."""
    if fault := reasons.fault(reason):
        raise ValidationError({"reason": fault})

    def rule(scene: Scene) -> ReplacementReceipt:
        return _replace(scene, reason.strip())

    ground = Ground(active=False, manager=True)
    return perform(
        actor=actor, card=card, key=key, receipt=ReplacementReceipt, rule=rule, ground=ground, approval=approval
    )


def list_old(*, actor: Actor, card_id: UUID) -> list[OldCode]:
    """List the numbers that a card had before, newest first."""
    old = select(_cards.card_number, _cards.replaced_at, _cards.replaced_reason)
    mine = (_cards.replaced_by_id == card_id, _cards.vendor_id == actor.vendor_id)
    return [OldCode(*row) for row in db.session.execute(old.where(*mine).order_by(_cards.replaced_at.desc()))]


def _replace(scene: Scene, reason: str) -> ReplacementReceipt:
    if not scene.state.is_active:
        raise CardInactive
    card_id = scene.card.id
    row = db.session.execute(select(*_cards).where(_cards.id == card_id)).one()._mapping
    new = _new_codes(scene.actor.vendor_id)
    empty = dict.fromkeys((*_OF_PASSES, *_SHOWN))
    mine = update(LoyaltyCard).where(LoyaltyCard.id == card_id)
    db.session.execute(mine.values(**empty, **new, google_key=new_id(), updated_at=scene.now))
    old_id = _keep_old(scene, {name: row[name] for name in (*_MOVED, *_COPIED)}, row["google_key"], reason)
    _end_passes(scene, old_id, at_google=row["google_object_id"] is not None)
    details = {"from": row["card_number"], "to": new["card_number"]}
    audit.record(actor=scene.actor, action="card.replaced", subject_type="card", subject_id=card_id, details=details)
    # Whoever found the card does not have that mailbox.
    whose = {"card_id": card_id, "vendor_id": scene.actor.vendor_id}
    mail = card_mails.send(kind="card_replaced", event_key=str(old_id), at=scene.now, **whose)
    return ReplacementReceipt(
        card_id=card_id,
        card_number=new["card_number"],
        old_card_number=row["card_number"],
        mailed=mail is not None,
        store_id=scene.actor.store_id,
    )


def _new_codes(vendor_id: UUID) -> Columns:
    """Draw new codes; a number that is taken, or was once, is drawn again."""
    number = make_card_number()
    taken = select(LoyaltyCard.id).where(LoyaltyCard.vendor_id == vendor_id)
    while db.session.scalar(taken.where(LoyaltyCard.card_number == number)):
        number = make_card_number()
    return {"card_number": number, "scan_code": make_scan_code(), "public_token": secrets.token_urlsafe(16)}


def _keep_old(scene: Scene, old: Columns, google_key: UUID | None, reason: str) -> UUID:
    """Write down what the card had before, so that it is known and refused; the phones that hold it go along."""
    old_id, card_id = new_id(), scene.card.id
    kept: Columns = {
        **old,
        "id": old_id,
        "is_active": False,
        "google_key": google_key or card_id,
        "replaced_by_id": card_id,
        "replaced_at": scene.now,
        "replaced_reason": reason,
    }
    db.session.execute(insert(LoyaltyCard).values(kept))
    held = update(AppleDeviceRegistration).where(AppleDeviceRegistration.card_id == card_id)
    db.session.execute(held.values(card_id=old_id), execution_options={"synchronize_session": False})
    return old_id


def _end_passes(scene: Scene, old_id: UUID, *, at_google: bool) -> None:
    """Have every wallet show that the old card has ended; Google also where nobody has it saved, since it could be."""
    if scene.facts.on_phones:
        passes.changed(card_id=old_id, vendor_id=scene.actor.vendor_id)
    if at_google:
        google_passes.changed(card_id=old_id, vendor_id=scene.actor.vendor_id)
