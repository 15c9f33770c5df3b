"""What the wallets show of a card, beside what the card has; and telling them once more."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select, text, true, update
from sqlalchemy.orm import InstrumentedAttribute

from loyalty.database import AnyRow, AnySelect, db
from loyalty.domain.values import Actor, RequestKey, Role, TransactionType
from loyalty.errors import N_, CardNotFound, ValidationError
from loyalty.models.cards import LoyaltyCard
from loyalty.models.outbox import OPEN, OutboxMessage
from loyalty.models.passes import AppleDevice, AppleDeviceRegistration
from loyalty.models.transactions import LoyaltyTransaction
from loyalty.services import audit, failures, google_passes, idempotency, passes, roles

APPLE: Final = "apple"
GOOGLE: Final = "google"
# What the outbox calls telling a wallet.
KINDS: Final = {APPLE: "apple.push", GOOGLE: "google.object"}
_SWITCHES: Final = (TransactionType.CARD_DEACTIVATED.value, TransactionType.CARD_REACTIVATED.value)

_entry: Final = LoyaltyTransaction.__table__.alias("shown")
_switch: Final = LoyaltyTransaction.__table__.alias("switch")


@dataclass(frozen=True, slots=True)
class Shown:
    """What somebody sees who opens the wallet."""

    stamps: int
    points: int
    is_active: bool


@dataclass(frozen=True, slots=True)
class Delivery:
    """What waits to be told, or was given up; `error` holds the provider's last words."""

    since: datetime
    attempts: int
    next_at: datetime
    gave_up: bool
    error: str


@dataclass(frozen=True, slots=True)
class WalletState:
    """One wallet: `holders` counts the phones (at Google, which counts none for us, it is 1 where the card is saved).

    `shown` is None where nobody knows; `at` is when a phone fetched it or Google was told. `is_off` where the platform
    has not set the wallet up.
    """

    wallet: str
    is_off: bool
    holders: int
    shown: Shown | None
    at: datetime | None
    is_current: bool
    delivery: Delivery | None


@dataclass(frozen=True, slots=True)
class ResendReceipt:
    """Which wallets are told once more."""

    card_id: UUID
    wallets: list[str]
    replayed: bool = False


def list_states(*, actor: Actor, card_id: UUID) -> list[WalletState]:
    """Say of each wallet what it shows of a card, or raise CardNotFound."""
    card = db.session.execute(_card(actor, card_id)).one_or_none()
    if card is None:
        raise CardNotFound
    shown = _read_shown(card)
    deliveries = _read_deliveries(card)
    apple = _state(APPLE, card.phones, shown.get(card.apple_shown_seq), card.apple_fetched_at, card, deliveries)
    saved = int(card.google_saved_at is not None)
    google = _state(GOOGLE, saved, shown.get(card.google_shown_seq), card.google_told_at, card, deliveries)
    return [apple, google]


def on_phones() -> ColumnElement[bool]:
    """The condition on cards that some phone holds the Apple pass."""
    return select(AppleDeviceRegistration.card_id).where(AppleDeviceRegistration.card_id == LoyaltyCard.id).exists()


def is_behind() -> ColumnElement[bool]:
    """The condition on cards that a wallet which holds one shows something else than the card has."""
    # What the row itself says comes first: most cards need no look into another table.
    apple = _is_older(LoyaltyCard.apple_shown_seq) & on_phones() & _differs(LoyaltyCard.apple_shown_seq)
    google = _is_older(LoyaltyCard.google_shown_seq) & LoyaltyCard.google_saved_at.is_not(None)
    return or_(apple, google & _differs(LoyaltyCard.google_shown_seq))


def resend(*, actor: Actor, card_id: UUID, key: RequestKey) -> ResendReceipt:
    """Have every wallet that holds a card told of its present state, also where it should know it; once per key."""
    roles.require(actor=actor, role=Role.MANAGER)

    def work() -> ResendReceipt:
        card = db.session.execute(_card(actor, card_id).with_for_update(of=LoyaltyCard)).one_or_none()
        if card is None:
            raise CardNotFound
        wallets = _reachable(card)
        _tell_anew(card, wallets)
        details = {"wallets": wallets}
        audit.record(actor=actor, action="card.resent", subject_type="card", subject_id=card_id, details=details)
        return ResendReceipt(card_id, wallets)

    return idempotency.run(key, ResendReceipt, work, vendor_id=actor.vendor_id)


def _card(actor: Actor, card_id: UUID) -> AnySelect:
    mine = AppleDeviceRegistration.card_id == LoyaltyCard.id
    newest = func.greatest(func.coalesce(LoyaltyCard.apple_change_seq, 0), AppleDeviceRegistration.reg_seq)
    untold = mine & (AppleDeviceRegistration.pushed_seq < newest)
    # One phone may call itself by several names, but all of them are pushed to under one token.
    phones = select(func.count(AppleDevice.push_token.distinct())).join_from(AppleDeviceRegistration, AppleDevice)
    phones = phones.where(mine)
    return (
        select(
            LoyaltyCard.id,
            LoyaltyCard.vendor_id,
            LoyaltyCard.stamp_count,
            LoyaltyCard.points_balance,
            LoyaltyCard.is_active,
            LoyaltyCard.apple_fetched_at,
            LoyaltyCard.apple_shown_seq,
            LoyaltyCard.google_saved_at,
            LoyaltyCard.google_told_at,
            LoyaltyCard.google_shown_seq,
            phones.correlate(LoyaltyCard).scalar_subquery().label("phones"),
            select(func.count()).where(untold).correlate(LoyaltyCard).scalar_subquery().label("untold"),
        )
        .where(LoyaltyCard.id == card_id, LoyaltyCard.vendor_id == actor.vendor_id)
        .execution_options(populate_existing=True)
    )


def _was_active() -> ColumnElement[bool]:
    """Whether the card was active after the entry `_entry`."""
    last = (
        select(_switch.c.transaction_type == TransactionType.CARD_REACTIVATED.value)
        .where(_switch.c.card_id == _entry.c.card_id, _switch.c.seq <= _entry.c.seq)
        .where(_switch.c.transaction_type.in_(_SWITCHES))
        .order_by(_switch.c.seq.desc())
        .limit(1)
        .correlate(_entry)
        .scalar_subquery()
    )
    return func.coalesce(last, true())


def _is_older(seq: InstrumentedAttribute[int | None]) -> ColumnElement[bool]:
    """Whether the card has entries after this one."""
    return seq < LoyaltyCard.ledger_seq


def _differs(seq: InstrumentedAttribute[int | None]) -> ColumnElement[bool]:
    """Whether the card has something else now than after this entry."""
    changed = or_(
        _entry.c.stamps_balance_after != LoyaltyCard.stamp_count,
        _entry.c.points_balance_after != LoyaltyCard.points_balance,
        _was_active() != LoyaltyCard.is_active,
    )
    found = select(_entry.c.id).where(_entry.c.card_id == LoyaltyCard.id, _entry.c.seq == seq, changed)
    return found.correlate(LoyaltyCard).exists()


def _read_shown(card: AnyRow) -> dict[int, Shown]:
    """Read what the card had after the entries that the wallets show, by number."""
    query = select(
        _entry.c.seq, _entry.c.stamps_balance_after, _entry.c.points_balance_after, _was_active().label("was_active")
    ).where(_entry.c.card_id == card.id, _entry.c.seq.in_([card.apple_shown_seq, card.google_shown_seq]))
    return {
        row.seq: Shown(row.stamps_balance_after, row.points_balance_after, row.was_active)
        for row in db.session.execute(query)
    }


def _read_deliveries(card: AnyRow) -> dict[str, Delivery]:
    """Read what is not told yet: of each kind the open row, else the newest that was given up and not made good."""
    query = (
        select(OutboxMessage)
        .where(OutboxMessage.subject_id == card.id, OutboxMessage.delivered_at.is_(None))
        .where(OutboxMessage.kind.in_(KINDS.values()))
        .order_by(OutboxMessage.gave_up_at.desc().nulls_first())
        .execution_options(populate_existing=True)
    )
    found: dict[str, Delivery] = {}
    for row in db.session.execute(query).scalars():
        if row.kind not in found and (row.gave_up_at is None or _still_fails(card, row)):
            found[row.kind] = Delivery(
                row.created_at,
                row.attempts,
                row.not_before,
                row.gave_up_at is not None,
                failures.without_people(row.last_error or ""),
            )
    return found


def _still_fails(card: AnyRow, row: OutboxMessage) -> bool:
    """Whether what was given up has not been told since in another way."""
    if row.kind == KINDS[APPLE]:
        return bool(card.untold)
    return card.google_told_at is None or bool(row.gave_up_at and row.gave_up_at > card.google_told_at)


def _state(
    wallet: str,
    holders: int,
    shown: Shown | None,
    at: datetime | None,
    card: AnyRow,
    deliveries: dict[str, Delivery],
) -> WalletState:
    present = Shown(card.stamp_count, card.points_balance, card.is_active)
    delivery = deliveries.get(KINDS[wallet]) if holders else None
    return WalletState(wallet, _is_off(wallet), holders, shown, at, shown == present, delivery)


def _is_off(wallet: str) -> bool:
    return passes.find_pass_type() is None if wallet == APPLE else not google_passes.is_on()


def _reachable(card: AnyRow) -> list[str]:
    """List the wallets that hold the card and can be told, or refuse."""
    held = [APPLE] * bool(card.phones) + [GOOGLE] * (card.google_saved_at is not None)
    if not held:
        raise ValidationError({"wallets": N_("No wallet holds this card, so there is nothing to send.")})
    reachable = [wallet for wallet in held if not _is_off(wallet)]
    if not reachable:
        raise ValidationError({"wallets": N_("The wallet that holds this card is switched off on this platform.")})
    return reachable


def _tell_anew(card: AnyRow, wallets: list[str]) -> None:
    """Put the card on the list of each wallet as if it were new there, and due at once."""
    # An empty digest fits nothing: Apple's pass gets a new number and Google a PATCH, also where nothing has changed.
    known = {APPLE: LoyaltyCard.apple_content_hash, GOOGLE: LoyaltyCard.google_content_hash}
    forgotten = {known[wallet].key: "" for wallet in wallets}
    forget = update(LoyaltyCard).where(LoyaltyCard.id == card.id)
    db.session.execute(forget.values(**forgotten, updated_at=LoyaltyCard.updated_at))
    now = func.clock_timestamp()
    for wallet in wallets:
        tell = passes.changed if wallet == APPLE else google_passes.changed
        tell(card_id=card.id, vendor_id=card.vendor_id)
        waiting = update(OutboxMessage).where(OutboxMessage.subject_id == card.id, text(OPEN))
        waiting = waiting.where(OutboxMessage.kind == KINDS[wallet], OutboxMessage.leased_until.is_(None))
        db.session.execute(waiting.values(not_before=now, attempts=0))
