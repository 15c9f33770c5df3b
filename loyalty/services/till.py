"""The frame of every use case of the till: the order of its checks, the lock, the key, the commit."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NoReturn, TypeVar
from uuid import UUID

from sqlalchemy import and_, bindparam, func, select
from sqlalchemy.exc import IntegrityError

from loyalty.database import AnyRow, clock_offset, db
from loyalty.domain import closing
from loyalty.domain.pins import is_needed as needs_pin
from loyalty.domain.values import Actor, CardRef, LoyaltyType, RequestKey, Role
from loyalty.errors import (
    AnotherCardActive,
    CardInactive,
    CardNotFound,
    Forbidden,
    PointsNotEnabled,
    ProgramClosing,
    ProgramInactive,
    StaffPinRequired,
    StampsNotEnabled,
    VendorSuspended,
)
from loyalty.models.cards import ONE_ACTIVE, LoyaltyCard
from loyalty.models.idempotency import IdempotencyKey
from loyalty.models.programs import LoyaltyProgram
from loyalty.models.vendors import Vendor, VendorPolicy
from loyalty.services import google_passes, idempotency, ledger, passes, pins, replaced_codes, webhook_events
from loyalty.services.ledger import CardState, Entry, Origin

R = TypeVar("R", bound=idempotency.Receipt)

# Put together once: these run in every request of the till.
_FACTS: Final = (
    select(
        *(column for column in LoyaltyProgram.__table__.columns if column.name not in ("id", "vendor_id")),
        Vendor.status,
        Vendor.timezone,
        Vendor.currency,
        VendorPolicy.staff_pin_policy,
        VendorPolicy.allow_void_transactions,
        VendorPolicy.allow_cross_store_redemption,
        VendorPolicy.require_order_reference,
        VendorPolicy.log_ip_addresses,
        IdempotencyKey.request_hash,
        IdempotencyKey.receipt,
        passes.on_phones(bindparam("card")).label("on_phones"),
        webhook_events.wanted().label("webhooks"),
        func.clock_timestamp().label("clock"),
    )
    .select_from(LoyaltyProgram)
    .join(Vendor, Vendor.id == LoyaltyProgram.vendor_id)
    .join(VendorPolicy, VendorPolicy.vendor_id == Vendor.id)
    .outerjoin(
        IdempotencyKey,
        and_(IdempotencyKey.caller == bindparam("key_caller"), IdempotencyKey.key == bindparam("key_key")),
    )
    .where(LoyaltyProgram.id == bindparam("program"))
)
_CARD: Final = select(
    LoyaltyCard.id,
    LoyaltyCard.program_id,
    LoyaltyCard.card_number,
    LoyaltyCard.enrolled_at_store_id,
    LoyaltyCard.google_saved_at,
    LoyaltyCard.replaced_by_id,
).add_columns(*ledger.CARD_COLUMNS)


@dataclass(frozen=True, slots=True)
class Approval:
    """A PIN that came with the request; without a name it is looked for among all of the vendor's."""

    pin: str
    staff_pin_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """What a use case finds once the card is locked.

    `card` is the locked row, `facts` holds the vendor's zone and currency, the program and the policy;
    `state` is what the use case changes and what is saved at its end.
    """

    actor: Actor
    card: AnyRow
    facts: AnyRow
    state: CardState
    origin: Origin
    approved: bool

    @property
    def now(self) -> datetime:
        """The time of the rows that are written here."""
        return self.origin.now

    def append(self, entry: Entry) -> UUID:
        """Write a row of the ledger."""
        return ledger.append(self.origin, self.state, entry)

    def requires_manager(self) -> None:
        """Refuse staff: ask for a manager's PIN, or say no to whoever just gave a right PIN of a lower role.

        Where the vendor uses no PINs there is none to ask for: managers work in the office then.
        """
        if self.actor.role >= Role.MANAGER:
            return
        if self.approved or self.facts.staff_pin_policy == "disabled":
            raise Forbidden
        raise StaffPinRequired(role="manager")


@dataclass(frozen=True, slots=True)
class Ground:
    """What a use case asks of its card: the kind of program, and whether card and program must be active.

    `collecting` for what adds to a balance, which ends once the program's end is announced;
    `manager` where only managers may, `by_managers` where the rule finds out whether one is needed.
    """

    loyalty: LoyaltyType | None = None
    active: bool = True
    collecting: bool = False
    manager: bool = False
    by_managers: bool = False


def perform(
    *,
    actor: Actor,
    card: CardRef,
    key: RequestKey,
    receipt: type[R],
    rule: Callable[[Scene], R],
    ground: Ground,
    approval: Approval | None,
) -> R:
    """Run one use case once per key: stored answer, PIN, lock, key, card, program, `rule`, save, store, commit."""
    if approval is not None:
        # Only before PIN work: without it the look under the lock is enough.
        if answered := idempotency.find(key, receipt):
            return answered
        at = datetime.now(UTC) + clock_offset()
        actor = pins.verify(actor=actor, pin=approval.pin, staff_pin_id=approval.staff_pin_id, at=at)
    asked = _asked(actor, ground)

    def locked() -> R:
        found = _lock(actor, card)
        if found is None:
            return idempotency.find(key, receipt) or _refuse(actor, card, asked)
        facts = _facts(found, key)
        if facts.request_hash is not None:
            return idempotency.read(facts, key, receipt)
        if asked and needs_pin(facts.staff_pin_policy, facts.require_staff_pin):
            raise StaffPinRequired(role=asked)
        scene = _scene(actor, found, facts, key, approved=approval is not None)
        _check(scene, ground)
        before = scene.state.ledger_seq
        answer = rule(scene)
        if scene.state.ledger_seq != before:
            _save(scene)
        idempotency.store(key, answer, vendor_id=actor.vendor_id)
        return answer

    return _once(key, receipt, locked)


def _once(key: RequestKey, receipt: type[R], work: Callable[[], R]) -> R:
    try:
        return idempotency.in_transaction(key, receipt, work)
    except IntegrityError as error:
        if idempotency.constraint_of(error) != ONE_ACTIVE:
            raise
        # Opened at the same moment as another card of this customer, which the look before could not see yet.
        raise AnotherCardActive from error


def _save(scene: Scene) -> None:
    """Save the card, and note who has to be told: phones, Google, other software."""
    card, vendor_id = scene.card, scene.actor.vendor_id
    ledger.save(card.id, vendor_id, scene.state)
    if scene.facts.on_phones:
        passes.changed(card_id=card.id, vendor_id=vendor_id)
    if card.google_saved_at:
        google_passes.changed(card_id=card.id, vendor_id=vendor_id)
    if scene.facts.webhooks:
        webhook_events.ledger_written(origin=scene.origin, card_number=card.card_number)


def _asked(actor: Actor, ground: Ground) -> str | None:
    """Return whose PIN is asked for where the shop wants one: None where somebody stands behind the request.

    That is an open staff session, a signed-in user, or for what managers do a program whose key has that scope.
    """
    if actor.staff_pin_id is not None or actor.user_id is not None:
        return None
    if actor.api_key_id and actor.role >= Role.MANAGER and (ground.manager or ground.by_managers):
        return None
    return "manager" if ground.manager else "staff"


def _lock(actor: Actor, card: CardRef) -> AnyRow | None:
    """Lock the card of this vendor; another vendor's is not found, nor one under a number that it had before."""
    query = _CARD.where(LoyaltyCard.vendor_id == actor.vendor_id).with_for_update()
    if card.card_id is not None:
        query = query.where(LoyaltyCard.id == card.card_id)
    elif card.scan_code is not None:
        query = query.where(LoyaltyCard.scan_code == card.scan_code)
    else:
        query = query.where(LoyaltyCard.card_number == card.card_number)
    row = db.session.execute(query).one_or_none()
    is_it = row is not None and row.replaced_by_id is None and card.card_number in (None, row.card_number)
    return row if is_it else None


def _refuse(actor: Actor, card: CardRef, asked: str | None) -> NoReturn:
    """Say why no card is found."""
    # Whoever has to enter a PIN learns nothing about cards before.
    if asked and pins.is_needed(actor=actor):
        raise StaffPinRequired(role=asked)
    # Asked anew: while this waited for the lock the card may have got another code.
    replaced_codes.refuse(vendor_id=actor.vendor_id, card=card)
    raise CardNotFound


def _facts(card: AnyRow, key: RequestKey) -> AnyRow:
    """Read all that decides, in the first statement after the lock: its snapshot sees what the lock waited for."""
    named = {"card": card.id, "program": card.program_id, "key_caller": key.caller, "key_key": key.key}
    return db.session.execute(_FACTS, named).one()


def _scene(actor: Actor, card: AnyRow, facts: AnyRow, key: RequestKey, *, approved: bool) -> Scene:
    state = ledger.state_of(card)
    origin = Origin(
        card_id=card.id,
        actor=actor,
        now=ledger.moment(facts.clock + clock_offset(), state),
        timezone=facts.timezone,
        idempotency_key=key.key,
        log_ip_addresses=facts.log_ip_addresses,
    )
    return Scene(actor=actor, card=card, facts=facts, state=state, origin=origin, approved=approved)


def _check(scene: Scene, ground: Ground) -> None:
    if scene.facts.status != "active":
        raise VendorSuspended
    if ground.active and not scene.state.is_active:
        raise CardInactive
    closes_on = scene.facts.closes_on
    if ground.active and (not scene.facts.is_active or closing.is_over(closes_on, scene.origin.today)):
        raise ProgramInactive
    if ground.collecting and closes_on is not None:
        raise ProgramClosing(closes_on=closes_on.isoformat())
    kind = scene.facts.loyalty_type
    if ground.loyalty == LoyaltyType.STAMPS and kind == LoyaltyType.POINTS:
        raise StampsNotEnabled
    if ground.loyalty == LoyaltyType.POINTS and kind == LoyaltyType.STAMPS:
        raise PointsNotEnabled
    if ground.manager:
        scene.requires_manager()


__all__ = ["Approval", "Ground", "Scene", "perform"]
