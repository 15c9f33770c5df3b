"""The rewards that points buy: each keeps its public id for ever, and none is ever deleted."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, func, select

from loyalty.database import db, new_id
from loyalty.domain import settings
from loyalty.domain.values import Actor, RequestKey, Role
from loyalty.errors import NotFound, ProgramNotFound
from loyalty.models.programs import LoyaltyProgram, Reward
from loyalty.services import audit, google_passes, idempotency, passes, roles

# By language, the setting that says the name of a reward in it.
_NAMES = {locale: f"name_{locale}" for locale in settings.LOCALES}
_LETTERS = "abcdefghjkmnpqrstvwxyz23456789"


@dataclass(frozen=True, slots=True)
class RewardRow:
    """A reward as it is managed; `reward_id` is its public id, `names` what it is called in other languages."""

    reward_id: str
    name: str
    points_required: int
    value_cents: int | None
    description: str
    active: bool
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RewardReceipt(RewardRow):
    """The reward after a command."""

    replayed: bool = False


def list_all(*, actor: Actor) -> list[RewardRow]:
    """List the vendor's rewards in their order, those on offer first."""
    roles.require(actor=actor, role=Role.MANAGER)
    rows = db.session.scalars(
        select(Reward)
        .where(Reward.vendor_id == actor.vendor_id)
        .order_by(Reward.active.desc(), Reward.sort_order, Reward.created_at, Reward.id)
    )
    return [_row(reward) for reward in rows]


def get(*, actor: Actor, reward_id: str) -> RewardRow:
    """Get one reward of the vendor."""
    roles.require(actor=actor, role=Role.MANAGER)
    reward = db.session.scalar(_mine(actor, reward_id))
    if reward is None:
        raise NotFound
    return _row(reward)


def create(*, actor: Actor, details: Mapping[str, object], key: RequestKey) -> RewardReceipt:
    """Put a new reward on offer, as the last of the list."""
    roles.require(actor=actor, role=Role.MANAGER)
    cleaned = settings.clean(settings.REWARD, {"name": None, "points_required": None, **details})
    names = {name: cleaned.pop(name) for name in _NAMES.values() if name in cleaned}

    def work() -> RewardReceipt:
        # The program's row makes two new rewards take their places one after the other.
        program_id = db.session.scalar(
            select(LoyaltyProgram.id).where(LoyaltyProgram.vendor_id == actor.vendor_id).with_for_update()
        )
        if program_id is None:
            raise ProgramNotFound
        reward = Reward(
            id=new_id(),
            program_id=program_id,
            vendor_id=actor.vendor_id,
            public_id="rw-" + "".join(secrets.choice(_LETTERS) for _ in range(10)),
            sort_order=_next_place(actor),
            active=True,
            translations=_translated({}, names),
            **cleaned,
        )
        db.session.add(reward)
        db.session.flush()
        return _done(actor, "reward.created", reward)

    return idempotency.run(key, RewardReceipt, work, vendor_id=actor.vendor_id)


def change(*, actor: Actor, reward_id: str, details: Mapping[str, object], key: RequestKey) -> RewardReceipt:
    """Change a reward; what was redeemed before keeps the name and price it had then."""
    roles.require(actor=actor, role=Role.MANAGER)
    cleaned = settings.clean(settings.REWARD, details)
    names = {name: cleaned.pop(name) for name in _NAMES.values() if name in cleaned}

    def work() -> RewardReceipt:
        reward = _lock(actor, reward_id)
        reward.translations = _translated(reward.translations, names)
        for name, value in cleaned.items():
            setattr(reward, name, value)
        return _done(actor, "reward.changed", reward)

    return idempotency.run(key, RewardReceipt, work, vendor_id=actor.vendor_id)


def deactivate(*, actor: Actor, reward_id: str, key: RequestKey) -> RewardReceipt:
    """Take a reward off the offer; it stays in the history."""
    return _switch(actor, reward_id, key, on=False)


def reactivate(*, actor: Actor, reward_id: str, key: RequestKey) -> RewardReceipt:
    """Put a reward on offer again, under the same id."""
    return _switch(actor, reward_id, key, on=True)


def move(*, actor: Actor, reward_id: str, up: bool, key: RequestKey) -> RewardReceipt:
    """Move a reward one place up or down among those on offer."""
    roles.require(actor=actor, role=Role.MANAGER)

    def work() -> RewardReceipt:
        moved = _lock(actor, reward_id)
        order = _on_offer(actor)
        places = {reward.public_id: place for place, reward in enumerate(order)}
        place = places.get(reward_id)
        if place is not None:
            other = max(0, min(len(order) - 1, place + (-1 if up else 1)))
            order.insert(other, order.pop(place))
            for number, reward in enumerate(order):
                reward.sort_order = number
        return _done(actor, "reward.moved", moved)

    return idempotency.run(key, RewardReceipt, work, vendor_id=actor.vendor_id)


def _translated(before: Mapping[str, Any], names: Mapping[str, object]) -> dict[str, Any]:
    """Put names into the translations of a reward: {"fr": {"name": …}}; an empty one takes it out."""
    after = {locale: dict(said) for locale, said in before.items()}
    for locale, setting in _NAMES.items():
        if setting in names:
            said = {**after.pop(locale, {}), "name": names[setting]}
            if said["name"]:
                after[locale] = said
    return after


def _switch(actor: Actor, reward_id: str, key: RequestKey, *, on: bool) -> RewardReceipt:
    roles.require(actor=actor, role=Role.MANAGER)

    def work() -> RewardReceipt:
        reward = _lock(actor, reward_id)
        reward.active = on
        return _done(actor, "reward.reactivated" if on else "reward.deactivated", reward)

    return idempotency.run(key, RewardReceipt, work, vendor_id=actor.vendor_id)


def _lock(actor: Actor, reward_id: str) -> Reward:
    """Lock the vendor's program, then read the reward: rewards change one after the other."""
    db.session.execute(select(LoyaltyProgram.id).where(LoyaltyProgram.vendor_id == actor.vendor_id).with_for_update())
    reward = db.session.scalar(_mine(actor, reward_id).execution_options(populate_existing=True))
    if reward is None:
        raise NotFound
    return reward


def _mine(actor: Actor, reward_id: str) -> Select[Reward]:
    return select(Reward).where(Reward.vendor_id == actor.vendor_id, Reward.public_id == reward_id)


def _on_offer(actor: Actor) -> list[Reward]:
    return list(
        db.session.scalars(
            select(Reward)
            .where(Reward.vendor_id == actor.vendor_id, Reward.active)
            .order_by(Reward.sort_order, Reward.created_at, Reward.id)
        )
    )


def _next_place(actor: Actor) -> int:
    last = db.session.scalar(select(func.max(Reward.sort_order)).where(Reward.vendor_id == actor.vendor_id))
    return min((last if last is not None else -1) + 1, 10_000)


def _row(reward: Reward) -> RewardRow:
    return RewardRow(**_values(reward))


def _values(reward: Reward) -> dict[str, Any]:
    """Return what is told of a reward, by name: values of many types."""
    return {
        "reward_id": reward.public_id,
        "name": reward.name,
        "points_required": reward.points_required,
        "value_cents": reward.value_cents,
        "description": reward.description,
        "active": reward.active,
        "names": {locale: said["name"] for locale, said in reward.translations.items() if said.get("name")},
    }


def _done(actor: Actor, action: str, reward: Reward) -> RewardReceipt:
    google_passes.program_changed(vendor_id=actor.vendor_id)
    passes.program_changed(vendor_id=actor.vendor_id)
    details = {"name": reward.name, "points_required": reward.points_required}
    audit.record(actor=actor, action=action, subject_type="reward", subject_id=reward.public_id, details=details)
    return RewardReceipt(**_values(reward))
