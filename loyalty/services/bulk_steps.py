"""The steps of a mass of cards that a worker takes: each card alone, in a transaction of its own, once."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, select, update

from loyalty.database import db, transaction
from loyalty.domain.values import Actor, CardRef, RequestKey, Role, TransactionType
from loyalty.models.bulk import BulkCard, BulkDeactivation
from loyalty.models.transactions import LoyaltyTransaction
from loyalty.models.vendors import Vendor
from loyalty.services import cards, outbox
from loyalty.services.cards import CardStatusReceipt
from loyalty.services.till import Ground, Scene, perform

BATCH: Final = 50
_SWITCHES: Final = (TransactionType.CARD_DEACTIVATED.value, TransactionType.CARD_REACTIVATED.value)


@dataclass(frozen=True, slots=True)
class Batch:
    """What a worker does next: whether cards go off or on again, for whom and why, and which ones."""

    bulk_id: UUID
    is_undo: bool
    actor: Actor
    reason: str
    vendor_is_active: bool
    card_ids: tuple[UUID, ...]


def find_batch(*, bulk_id: UUID) -> Batch | None:
    """Find the next cards of a mass; None where it has ended, or was taken back by an older release."""
    found = select(BulkDeactivation, Vendor.status).join(Vendor, Vendor.id == BulkDeactivation.vendor_id)
    row = db.session.execute(found.where(BulkDeactivation.id == bulk_id)).one_or_none()
    if row is None or row[0].state not in ("running", "undoing"):
        return None
    bulk, status = row
    is_undo = bulk.state == "undoing"
    open_ = select(BulkCard.card_id).where(BulkCard.bulk_id == bulk_id, _is_open(is_undo))
    user_id = (bulk.undo_user_id or bulk.user_id) if is_undo else bulk.user_id
    actor = Actor(vendor_id=bulk.vendor_id, role=Role.ADMIN, user_id=user_id)
    ids = tuple(db.session.scalars(open_.order_by(BulkCard.card_id).limit(BATCH)))
    return Batch(bulk_id, is_undo, actor, bulk.reason, status == "active", ids)


def switch_off(*, batch: Batch, card_id: UUID) -> None:
    """Switch a card off as everybody does, once: after a kill the same key gives the same answer.

    A worker that was slower than its lease leaves the card to the undo that has begun meanwhile.
    """
    receipt = _switch(batch, card_id, "off", lambda scene: scene.state.is_active and not _is_running(batch))
    if not receipt.is_active:
        _note(batch, card_id, "off" if receipt.transaction_id else "skipped", receipt.transaction_id)


def switch_on(*, batch: Batch, card_id: UUID) -> None:
    """Switch a card on again where this mass has switched it off and nobody has switched it since."""
    own = _row_of(batch, card_id)
    if own is None:
        _note(batch, card_id, "left", None)
        return

    def is_on(scene: Scene) -> bool:
        return scene.state.is_active or (_newest_switch(card_id) == own and not cards.has_another(card_id=card_id))

    receipt = _switch(batch, card_id, "on", is_on)
    _note(batch, card_id, "on" if receipt.transaction_id else "kept", own)


def pass_over(*, batch: Batch, card_id: UUID) -> None:
    """Leave a card as it is: it may not be switched."""
    _note(batch, card_id, "kept" if batch.is_undo else "skipped", None)


def go_on(*, batch: Batch) -> bool:
    """Have the rest done by whoever comes next, or end the mass where there is none; False at its end."""
    bulk = BulkDeactivation
    with transaction():
        # Locked, so that no undo begins between the look and the end.
        state = db.session.scalar(select(bulk.state).where(bulk.id == batch.bulk_id).with_for_update())
        is_undo = state == "undoing"
        mine = select(BulkCard.card_id).where(BulkCard.bulk_id == batch.bulk_id, _is_open(is_undo))
        if db.session.scalar(mine.limit(1)) is not None:
            outbox.add(kind="cards.bulk", subject_id=batch.bulk_id, vendor_id=batch.actor.vendor_id)
            return True
        ended = update(bulk).where(bulk.id == batch.bulk_id, bulk.state.in_(("running", "undoing")))
        db.session.execute(ended.values(state="undone" if is_undo else "done", ended_at=datetime.now(UTC)))
        return False


def _is_open(is_undo: bool) -> ColumnElement[bool]:
    """Whether a card is still to be seen to. An undo sees to waiting ones, too: a killed worker noted nothing."""
    return BulkCard.state.in_(("waiting", "off") if is_undo else ("waiting",))


def _switch(batch: Batch, card_id: UUID, direction: str, is_on: Callable[[Scene], bool]) -> CardStatusReceipt:
    def rule(scene: Scene) -> CardStatusReceipt:
        details = {"bulk": str(batch.bulk_id)}
        return cards.switch(scene, active=is_on(scene), reason=batch.reason, details=details)

    return perform(
        actor=batch.actor,
        card=CardRef(card_id=card_id),
        key=_key(batch, card_id, direction),
        receipt=CardStatusReceipt,
        rule=rule,
        ground=Ground(active=False, manager=True),
        approval=None,
    )


def _is_running(batch: Batch) -> bool:
    """Whether the mass still goes off; shared until the card's commit, so that no undo begins in between."""
    state = select(BulkDeactivation.state).where(BulkDeactivation.id == batch.bulk_id).with_for_update(read=True)
    return db.session.scalar(state) == "running"


def _key(batch: Batch, card_id: UUID, direction: str) -> RequestKey:
    return RequestKey(f"bulk:{batch.bulk_id}", f"{card_id}:{direction}", direction)


def _row_of(batch: Batch, card_id: UUID) -> UUID | None:
    """Find the row of the ledger by which this mass has switched the card off, noted or not."""
    row = LoyaltyTransaction
    mine = select(row.id).where(
        row.card_id == card_id,
        row.transaction_type == TransactionType.CARD_DEACTIVATED.value,
        row.idempotency_key == _key(batch, card_id, "off").key,
    )
    noted = select(BulkCard.transaction_id).where(BulkCard.bulk_id == batch.bulk_id, BulkCard.card_id == card_id)
    return db.session.scalar(noted) or db.session.scalar(mine.order_by(row.seq.desc()).limit(1))


def _newest_switch(card_id: UUID) -> UUID | None:
    row = LoyaltyTransaction
    newest = select(row.id).where(row.card_id == card_id, row.transaction_type.in_(_SWITCHES))
    return db.session.scalar(newest.order_by(row.seq.desc()).limit(1))


def _note(batch: Batch, card_id: UUID, state: str, transaction_id: UUID | None) -> None:
    # What another worker has noted since, in the other direction, is newer.
    mine = (BulkCard.bulk_id == batch.bulk_id, BulkCard.card_id == card_id, _is_open(batch.is_undo))
    with transaction():
        db.session.execute(update(BulkCard).where(*mine).values(state=state, transaction_id=transaction_id))
