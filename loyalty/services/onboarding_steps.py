"""The wizard of a new shop: every step is saved as it is done, so whoever leaves comes back to where they were.

Until its program opens for the first time, a shop's settings are its draft: nobody can join and no till works.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final
from uuid import UUID

from sqlalchemy import func, select, update

from loyalty.database import clock, db, transaction
from loyalty.domain.values import Actor, RequestKey, Role
from loyalty.errors import NotFound, ProgramExists, ProgramNotFound
from loyalty.models.programs import LoyaltyProgram
from loyalty.services import audit, idempotency, pins, programs, rewards, roles, stores
from loyalty.services.rewards import RewardRow
from loyalty.services.stores import StoreRow

STEPS: Final = ("kind", "rule", "look", "place", "launch")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the wizard is: the step that comes next, and whether the program has ever been open."""

    step: str
    is_launched: bool


@dataclass(frozen=True, slots=True)
class StepReceipt:
    """Which step was saved."""

    step: str
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class PlaceReceipt:
    """The store, and the PIN of whoever got one; an answer that is given again comes without the PIN."""

    store_id: UUID
    staff_name: str = ""
    pin: str | None = field(default=None, metadata={"secret": True})


@dataclass(frozen=True, slots=True)
class PosterReceipt:
    """The poster stands on the counter."""

    program_id: UUID
    replayed: bool = False


def get_progress(*, actor: Actor) -> Progress:
    """Get how far the actor's shop is with its wizard."""
    roles.require(actor=actor, role=Role.MANAGER)
    row = db.session.execute(
        select(LoyaltyProgram.setup_step, LoyaltyProgram.activated_at).where(
            LoyaltyProgram.vendor_id == actor.vendor_id
        )
    ).one_or_none()
    if row is None:
        raise ProgramNotFound
    return Progress(STEPS[row.setup_step - 1], row.activated_at is not None)


def is_waiting(*, vendor_id: UUID) -> bool:
    """Whether a shop has a program that was never open."""
    mine = (LoyaltyProgram.vendor_id == vendor_id, LoyaltyProgram.activated_at.is_(None))
    return db.session.scalar(select(LoyaltyProgram.id).where(*mine)) is not None


def save_program(*, actor: Actor, step: str, changes: Mapping[str, object], key: RequestKey) -> StepReceipt:
    """Save a step that is about the program alone; raises ProgramExists once it was open."""

    def work() -> StepReceipt:
        _lock_draft(actor)
        programs.change(actor=actor, changes=changes, key=_part(key, "program"))
        return _done(actor, step)

    return idempotency.run(key, StepReceipt, work, vendor_id=actor.vendor_id)


def save_rule(
    *, actor: Actor, changes: Mapping[str, object], reward: Mapping[str, object], key: RequestKey
) -> StepReceipt:
    """Save the rule, and what points buy: the first reward changes or is made, none where nothing was said."""

    def work() -> StepReceipt:
        _lock_draft(actor)
        programs.change(actor=actor, changes=changes, key=_part(key, "program"))
        first = find_first_reward(actor=actor)
        if reward and first:
            rewards.change(actor=actor, reward_id=first.reward_id, details=reward, key=_part(key, "reward"))
        elif reward:
            rewards.create(actor=actor, details=reward, key=_part(key, "reward"))
        return _done(actor, "rule")

    return idempotency.run(key, StepReceipt, work, vendor_id=actor.vendor_id)


def save_place(
    *,
    actor: Actor,
    store: Mapping[str, object],
    staff_name: str = "",
    staff_role: str = "manager",
    key: RequestKey,
) -> PlaceReceipt:
    """Save the first store, and give somebody a PIN where a name is said.

    Two commands, each once per key: a PIN is hashed outside of all transactions.
    """
    part = _part(key, "store")
    if not idempotency.is_answered(part):
        with transaction():
            _lock_draft(actor)
    first = find_first_store(actor=actor)
    if first:
        saved = stores.change(actor=actor, store_id=first.store_id, details=store, key=part)
    else:
        saved = stores.create(actor=actor, details=store, key=part)
    made = None
    if staff_name:
        # Of all stores: the first of the staff is whoever sets the shop up.
        pin_key = _part(key, "pin")
        made = pins.create(actor=actor, name=staff_name, role=staff_role, store_id=None, key=pin_key)
    with transaction():
        _done(actor, "place")
    return PlaceReceipt(saved.store_id, made.name if made else "", made.pin if made else None)


def launch(*, actor: Actor, key: RequestKey) -> StepReceipt:
    """Open the program for the first time; one that was paused since is opened again in the office, not here."""

    def work() -> StepReceipt:
        if not _is_open(actor):
            _lock_draft(actor)
            programs.activate(actor=actor, key=_part(key, "launch"))
        return StepReceipt("launch")

    return idempotency.run(key, StepReceipt, work, vendor_id=actor.vendor_id)


def place_poster(*, actor: Actor, key: RequestKey) -> PosterReceipt:
    """Note that the poster stands on the counter, so that nobody is reminded of it any more."""
    roles.require(actor=actor, role=Role.MANAGER)

    def work() -> PosterReceipt:
        mine = LoyaltyProgram.vendor_id == actor.vendor_id
        placed = update(LoyaltyProgram).where(mine).values(poster_placed_at=clock()).returning(LoyaltyProgram.id)
        program_id = db.session.execute(placed).scalar_one_or_none()
        if program_id is None:
            raise NotFound
        audit.record(actor=actor, action="poster.placed", subject_type="program", subject_id=program_id)
        return PosterReceipt(program_id)

    return idempotency.run(key, PosterReceipt, work, vendor_id=actor.vendor_id)


def find_first_reward(*, actor: Actor) -> RewardRow | None:
    """Return the first reward on offer."""
    return next((reward for reward in rewards.list_all(actor=actor) if reward.active), None)


def find_first_store(*, actor: Actor) -> StoreRow | None:
    """Return the first store that is open."""
    return next((store for store in stores.list_all(actor=actor) if store.active), None)


def _is_open(actor: Actor) -> bool:
    mine = (LoyaltyProgram.vendor_id == actor.vendor_id, LoyaltyProgram.is_active)
    return db.session.scalar(select(LoyaltyProgram.id).where(*mine).with_for_update()) is not None


def _lock_draft(actor: Actor) -> None:
    """Refuse to go on with a page of before the program was open, in another tab or by another owner."""
    roles.require(actor=actor, role=Role.MANAGER)
    mine = select(LoyaltyProgram.activated_at).where(LoyaltyProgram.vendor_id == actor.vendor_id)
    if db.session.scalar(mine.with_for_update()) is not None:
        raise ProgramExists


def _done(actor: Actor, step: str) -> StepReceipt:
    """Move on to the next step; whoever went back and saves once more stays where they were."""
    after = STEPS.index(step) + 2
    mine = LoyaltyProgram.vendor_id == actor.vendor_id
    moved = func.greatest(LoyaltyProgram.setup_step, after)
    db.session.execute(update(LoyaltyProgram).where(mine).values(setup_step=moved))
    return StepReceipt(step)


def _part(key: RequestKey, part: str) -> RequestKey:
    """Return the key of one of the commands of which a step is made."""
    return replace(key, key=hashlib.sha256(f"{key.key} {part}".encode()).hexdigest())
