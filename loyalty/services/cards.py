"""Cards: made, deactivated, reactivated."""

import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased

from loyalty.database import AnyRow, clock, db, new_id
from loyalty.domain import reasons
from loyalty.domain.codes import make_card_number, make_scan_code
from loyalty.domain.ledger import GENESIS
from loyalty.domain.values import Actor, CardRef, LoyaltyType, RequestKey, TransactionType
from loyalty.errors import AnotherCardActive, CustomerErased, ProgramClosing, ValidationError
from loyalty.models.cards import LoyaltyCard
from loyalty.models.customers import Customer
from loyalty.models.programs import LoyaltyProgram
from loyalty.models.vendors import Vendor, VendorPolicy
from loyalty.services import audit, card_mails, ledger, webhook_events
from loyalty.services.ledger import CardState, Entry, Origin
from loyalty.services.till import Approval, Ground, Scene, perform


@dataclass(frozen=True, slots=True)
class NewCard:
    """A card that was just made."""

    card_id: UUID
    card_number: str
    scan_code: str
    public_token: str
    welcome_stamps: int
    welcome_points: int


@dataclass(frozen=True, kw_only=True)
class CardStatusReceipt:
    """What deactivating or reactivating answers."""

    card_id: UUID
    card_number: str
    is_active: bool
    transaction_id: UUID | None
    store_id: UUID | None = None
    replayed: bool = False


def create(*, actor: Actor, customer_id: UUID, idempotency_key: str | None = None) -> NewCard:
    """Make a customer's card with the first rows of its ledger, inside the caller's transaction.

    Writes `card_created` and, where the program greets with something, one `welcome_bonus`.
    """
    facts = _facts(actor.vendor_id)
    if facts.closes_on is not None:
        raise ProgramClosing(closes_on=facts.closes_on.isoformat())
    state = _new_state()
    # One time for the card and its first row: nobody can have been here before they joined.
    at = clock()
    card = _insert(actor, customer_id, facts.program_id, state, at)
    origin = Origin(
        card_id=card.id,
        actor=actor,
        now=at,
        timezone=facts.timezone,
        idempotency_key=idempotency_key,
        log_ip_addresses=facts.log_ip_addresses,
    )
    stamps, points = _write_first_rows(origin, state, facts)
    ledger.save(card.id, actor.vendor_id, state)
    if facts.webhooks:
        webhook_events.ledger_written(origin=origin, card_number=card.card_number)
    return NewCard(card.id, card.card_number, card.scan_code, card.public_token, stamps, points)


def deactivate(
    *, actor: Actor, card: CardRef, reason: str, key: RequestKey, approval: Approval | None = None
) -> CardStatusReceipt:
    """Close a card, once per key; its balance stays."""
    return _set_active(actor, card, False, reason, key, approval)


def reactivate(
    *, actor: Actor, card: CardRef, reason: str, key: RequestKey, approval: Approval | None = None
) -> CardStatusReceipt:
    """Open a closed card again, once per key."""
    return _set_active(actor, card, True, reason, key, approval)


def switch(
    scene: Scene, *, active: bool, reason: str, details: Mapping[str, object] | None = None
) -> CardStatusReceipt:
    """Close or open the locked card; one that is so already stays as it is."""
    transaction_id = None
    if active and _is_erased(scene.card.id):
        raise CustomerErased
    if scene.state.is_active != active:
        if active and has_another(card_id=scene.card.id):
            raise AnotherCardActive
        kind = TransactionType.CARD_REACTIVATED if active else TransactionType.CARD_DEACTIVATED
        scene.state.is_active = active
        transaction_id = scene.append(Entry(kind, notes=reason))
        audit.record(
            actor=scene.actor, action=kind.value, subject_type="card", subject_id=scene.card.id, details=details
        )
    return CardStatusReceipt(
        card_id=scene.card.id,
        card_number=scene.card.card_number,
        is_active=active,
        transaction_id=transaction_id,
        store_id=scene.actor.store_id,
    )


def has_another(*, card_id: UUID) -> bool:
    """Tell whether the customer of a card has another one that is active."""
    other = aliased(LoyaltyCard)
    same = (other.customer_id == LoyaltyCard.customer_id, other.program_id == LoyaltyCard.program_id)
    taken = exists().where(*same, other.is_active.is_(True), other.id != LoyaltyCard.id)
    return bool(db.session.scalar(select(taken).where(LoyaltyCard.id == card_id)))


def _facts(vendor_id: UUID) -> AnyRow:
    query = (
        select(
            LoyaltyProgram.id.label("program_id"),
            LoyaltyProgram.loyalty_type,
            LoyaltyProgram.stamps_target,
            LoyaltyProgram.welcome_stamps,
            LoyaltyProgram.welcome_bonus_points,
            LoyaltyProgram.closes_on,
            Vendor.timezone,
            VendorPolicy.log_ip_addresses,
            webhook_events.wanted().label("webhooks"),
        )
        .join(Vendor, Vendor.id == LoyaltyProgram.vendor_id)
        .join(VendorPolicy, VendorPolicy.vendor_id == Vendor.id)
        .where(LoyaltyProgram.vendor_id == vendor_id)
    )
    return db.session.execute(query).one()


def _insert(actor: Actor, customer_id: UUID, program_id: UUID, state: CardState, at: datetime) -> AnyRow:
    """Insert the card; a number that is taken is drawn again (the scan code has 60 random bits)."""
    while True:
        query = (
            insert(LoyaltyCard)
            .values(
                id=new_id(),
                program_id=program_id,
                customer_id=customer_id,
                vendor_id=actor.vendor_id,
                enrolled_at_store_id=actor.store_id,
                card_number=make_card_number(),
                scan_code=make_scan_code(),
                public_token=secrets.token_urlsafe(16),
                created_at=at,
                **asdict(state),
            )
            .on_conflict_do_nothing(index_elements=["vendor_id", "card_number"])
            .returning(LoyaltyCard.id, LoyaltyCard.card_number, LoyaltyCard.scan_code, LoyaltyCard.public_token)
        )
        if card := db.session.execute(query).one_or_none():
            return card


def _write_first_rows(origin: Origin, state: CardState, facts: AnyRow) -> tuple[int, int]:
    """Write `card_created`, and one `welcome_bonus` that starts the expiry clock but no cooldown and no day count."""
    ledger.append(origin, state, Entry(TransactionType.CARD_CREATED))
    stamps = facts.welcome_stamps if facts.loyalty_type != LoyaltyType.POINTS else 0
    points = facts.welcome_bonus_points if facts.loyalty_type != LoyaltyType.STAMPS else 0
    if stamps or points:
        bonus = Entry(TransactionType.WELCOME_BONUS, stamps_delta=stamps, points_delta=points)
        ledger.append(origin, state, bonus)
        state.total_stamps_earned += stamps
        state.total_points_earned += points
        state.last_activity_at = origin.now
        if stamps:
            card_mails.tell_of_reward(origin=origin, state=state, target=facts.stamps_target, were_ready=0)
    return stamps, points


def _new_state() -> CardState:
    return CardState(
        stamp_count=0,
        total_stamps_earned=0,
        stamps_redeemed=0,
        points_balance=0,
        total_points_earned=0,
        points_redeemed=0,
        total_points_voided=0,
        last_stamp_at=None,
        last_points_at=None,
        last_redemption_at=None,
        last_activity_at=None,
        ledger_seq=0,
        ledger_head=GENESIS,
        ledger_at=None,
        stamps_day=None,
        stamps_on_day=0,
        is_active=True,
    )


def _set_active(
    actor: Actor, card: CardRef, active: bool, reason: str, key: RequestKey, approval: Approval | None
) -> CardStatusReceipt:
    if fault := reasons.fault(reason):
        raise ValidationError({"reason": fault})

    def rule(scene: Scene) -> CardStatusReceipt:
        return switch(scene, active=active, reason=reason.strip())

    ground = Ground(active=False, manager=True)
    return perform(
        actor=actor, card=card, key=key, receipt=CardStatusReceipt, rule=rule, ground=ground, approval=approval
    )


def _is_erased(card_id: UUID) -> bool:
    gone = select(Customer.erased_at.is_not(None)).join(LoyaltyCard, LoyaltyCard.customer_id == Customer.id)
    return bool(db.session.scalar(gone.where(LoyaltyCard.id == card_id)))
