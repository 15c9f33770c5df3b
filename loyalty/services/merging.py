"""Two cards of one person: what one holds moves to the other through both ledgers, and the emptied one is closed."""

from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from sqlalchemy import select, update

from loyalty.database import AnyRow, clock, db
from loyalty.domain.expiry import Rules, last_day
from loyalty.domain.limits import local_day
from loyalty.domain.values import Actor, LoyaltyType, RequestKey, Role, TransactionType
from loyalty.errors import N_, CardInactive, CardNotFound, ValidationError, VendorSuspended
from loyalty.models.cards import LoyaltyCard
from loyalty.models.programs import LoyaltyProgram
from loyalty.models.vendors import Vendor, VendorPolicy
from loyalty.services import (
    audit,
    card_mails,
    expiry_rules,
    idempotency,
    ledger,
    replaced_codes,
    roles,
    wallet_updates,
    webhook_events,
)
from loyalty.services.ledger import CardState, Entry, Origin

_CARD: Final = select(
    LoyaltyCard.id,
    LoyaltyCard.card_number,
    LoyaltyCard.google_saved_at,
    LoyaltyCard.created_at,
    LoyaltyCard.points_kept_until,
    *ledger.CARD_COLUMNS,
)


@dataclass(frozen=True, slots=True)
class MergeReceipt:
    """Which card holds everything now, and what came from the other."""

    card_id: UUID
    emptied_card_id: UUID
    stamps: int
    points: int
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class _Open:
    """A locked card, as its rows are being written."""

    card: AnyRow
    state: CardState
    origin: Origin


def merge(*, actor: Actor, into_id: UUID, from_id: UUID, reason: str, key: RequestKey) -> MergeReceipt:
    """Move all stamps and points of one card to another of the same shop and close it, once per key."""
    roles.require(actor=actor, role=Role.MANAGER)
    if into_id == from_id:
        raise ValidationError({"card": N_("Choose two different cards.")})

    def work() -> MergeReceipt:
        opened = _lock(actor, (into_id, from_id), key)
        source, target = opened[from_id], opened[into_id]
        stamps, points = source.state.stamp_count, source.state.points_balance
        before = (stamps, target.state.stamp_count)
        _move(source, -stamps, -points, reason)
        source.state.is_active = False
        ledger.append(source.origin, source.state, Entry(TransactionType.CARD_DEACTIVATED, notes=reason))
        _move(target, stamps, points, reason)
        # One person was here: points live on from the last visit with either card.
        visits = (source.state.last_activity_at, target.state.last_activity_at)
        target.state.last_activity_at = max(filter(None, visits), default=None)
        for each in (source, target):
            _save(actor, each)
        if points:
            _keep_promise(source, target)
        _tell_of_reward(target, before)
        details = {"from": str(from_id), "stamps": stamps, "points": points}
        audit.record(actor=actor, action="card.merged", subject_type="card", subject_id=into_id, details=details)
        return MergeReceipt(into_id, from_id, stamps, points)

    return idempotency.run(key, MergeReceipt, work, vendor_id=actor.vendor_id)


def _lock(actor: Actor, card_ids: tuple[UUID, UUID], key: RequestKey) -> dict[UUID, _Open]:
    """Lock both cards in the order of their ids: two who merge the same two the other way round wait, and fail well."""
    mine = (LoyaltyCard.vendor_id == actor.vendor_id, replaced_codes.is_card())
    query = _CARD.where(LoyaltyCard.id.in_(card_ids), *mine).order_by(LoyaltyCard.id).with_for_update()
    cards = db.session.execute(query).all()
    if len(cards) != 2:
        raise CardNotFound
    if not all(card.is_active for card in cards):
        raise CardInactive
    facts = db.session.execute(
        select(Vendor.status, Vendor.timezone, VendorPolicy.log_ip_addresses)
        .join(VendorPolicy, VendorPolicy.vendor_id == Vendor.id)
        .where(Vendor.id == actor.vendor_id)
    ).one()
    if facts.status != "active":
        raise VendorSuspended
    opened = {}
    for card in cards:
        state = ledger.state_of(card)
        origin = Origin(
            card_id=card.id,
            actor=actor,
            now=ledger.moment(clock(), state),
            timezone=facts.timezone,
            idempotency_key=key.key,
            log_ip_addresses=facts.log_ip_addresses,
        )
        opened[card.id] = _Open(card, state, origin)
    return opened


def _move(opened: _Open, stamps: int, points: int, reason: str) -> None:
    if stamps:
        entry = Entry(TransactionType.STAMP_ADJUSTMENT, stamps_delta=stamps, notes=reason)
        ledger.append(opened.origin, opened.state, entry)
    if points:
        entry = Entry(TransactionType.POINTS_ADJUSTMENT, points_delta=points, notes=reason)
        ledger.append(opened.origin, opened.state, entry)


def _keep_promise(source: _Open, target: _Open) -> None:
    """Let points be good for as long as on the emptied card: an older rule or a restore may have promised more."""
    program = db.session.execute(select(LoyaltyProgram).where(LoyaltyProgram.vendor_id == source.origin.vendor_id))
    rules = expiry_rules.read(program.scalar_one())
    promised, own = _good_until(rules, source), _good_until(rules, target)
    if promised is not None and (own is None or own < promised):
        mine = (LoyaltyCard.id == target.card.id, LoyaltyCard.vendor_id == target.origin.vendor_id)
        db.session.execute(update(LoyaltyCard).where(*mine).values(points_kept_until=promised))


def _good_until(rules: Rules, opened: _Open) -> date | None:
    card, zone = opened.card, opened.origin.timezone
    joined_on, kept_until = local_day(card.created_at, zone), card.points_kept_until
    active_on = local_day(opened.state.last_activity_at or card.created_at, zone)
    # While nothing expires, what a restore has promised stands for the time in which it does again.
    return last_day(rules=rules, active_on=active_on, joined_on=joined_on, kept_until=kept_until) or kept_until


def _tell_of_reward(opened: _Open, before: tuple[int, int]) -> None:
    """Tell of a reward that neither card had reached alone, where it can be redeemed."""
    running = (LoyaltyProgram.is_active, LoyaltyProgram.loyalty_type != LoyaltyType.POINTS)
    mine = LoyaltyProgram.vendor_id == opened.origin.vendor_id
    target = db.session.scalar(select(LoyaltyProgram.stamps_target).where(mine, *running))
    if target is not None:
        were_ready = sum(count // target for count in before)
        card_mails.tell_of_reward(origin=opened.origin, state=opened.state, target=target, were_ready=were_ready)


def _save(actor: Actor, opened: _Open) -> None:
    card, vendor_id = opened.card, actor.vendor_id
    ledger.save(card.id, vendor_id, opened.state)
    wallet_updates.tell(card_id=card.id, vendor_id=vendor_id, at_google=card.google_saved_at is not None)
    webhook_events.ledger_written(origin=opened.origin, card_number=card.card_number)
