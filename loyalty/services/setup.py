"""What a shop has set up, and what comes next: the checklist of the office."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, ScalarSelect, exists, func, select

from loyalty.database import Base, db
from loyalty.domain.values import Actor, LoyaltyType, Role
from loyalty.errors import ProgramNotFound
from loyalty.models.audit import AuditEvent
from loyalty.models.cards import LoyaltyCard
from loyalty.models.pins import StaffPin
from loyalty.models.programs import LoyaltyProgram, Reward
from loyalty.models.terminals import Terminal
from loyalty.models.vendors import Store, Vendor
from loyalty.services import passes, pins, roles

# The poster is for a program that runs: until then nobody can join by it.
STEPS: Final = ("program", "rewards", "stores", "pins", "terminals", "launch", "poster")
# How long before the end of Apple's certificates shops are told.
CERTIFICATE_WARNING: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Setup:
    """How far a shop is: counts, the steps that are done, and the first that is not."""

    vendor_code: str
    vendor_name: str
    program_active: bool
    launched: bool
    poster_placed: bool
    program_touched: bool
    gives_points: bool
    needs_pins: bool
    rewards: int
    stores: int
    pins: int
    terminals: int
    cards: int

    @property
    def steps(self) -> tuple[str, ...]:
        """The steps that this shop needs, in their order."""
        skipped = {"rewards": not self.gives_points, "pins": not self.needs_pins, "poster": not self.launched}
        return tuple(step for step in STEPS if not skipped.get(step))

    @property
    def done(self) -> frozenset[str]:
        """The steps that are finished."""
        finished = {
            "program": self.program_touched or self.program_active,
            "rewards": self.rewards > 0,
            "stores": self.stores > 0,
            "pins": self.pins > 0,
            "terminals": self.terminals > 0,
            "launch": self.program_active,
            "poster": self.poster_placed,
        }
        return frozenset(step for step in self.steps if finished[step])

    @property
    def missing(self) -> tuple[str, ...]:
        """The steps that are still open, in their order."""
        return tuple(step for step in self.steps if step not in self.done)

    @property
    def next_step(self) -> str | None:
        """The first step that is still open."""
        return next(iter(self.missing), None)


def get(*, actor: Actor) -> Setup:
    """Get how far the actor's shop is."""
    roles.require(actor=actor, role=Role.MANAGER)
    mine = actor.vendor_id
    row = db.session.execute(
        select(
            Vendor.code,
            Vendor.name,
            LoyaltyProgram.is_active,
            LoyaltyProgram.activated_at.is_not(None),
            LoyaltyProgram.poster_placed_at.is_not(None),
            LoyaltyProgram.loyalty_type,
            _changed(AuditEvent.vendor_id == mine, AuditEvent.action == "program.changed").label("touched"),
            _count(Reward, Reward.vendor_id == mine, Reward.active.is_(True)),
            _count(Store, Store.vendor_id == mine, Store.active.is_(True)),
            _count(StaffPin, StaffPin.vendor_id == mine, StaffPin.active.is_(True)),
            _count(
                Terminal, Terminal.vendor_id == mine, Terminal.token_hash.is_not(None), Terminal.revoked_at.is_(None)
            ),
            _count(LoyaltyCard, LoyaltyCard.vendor_id == mine),
        )
        .join(LoyaltyProgram, LoyaltyProgram.vendor_id == Vendor.id)
        .where(Vendor.id == mine)
    ).one_or_none()
    if row is None:
        raise ProgramNotFound
    code, name, active, launched, placed, loyalty_type, touched, *counts = row
    gives_points, needs_pins = loyalty_type != LoyaltyType.STAMPS, pins.is_needed(actor=actor)
    return Setup(code, name, active, launched, placed, touched, gives_points, needs_pins, *counts)


def find_certificate_end(*, at: datetime) -> datetime | None:
    """Return when the certificates of Apple's passes end, where that is soon; None where nobody has to worry."""
    soonest = first_certificate_end()
    return soonest if soonest and soonest - at <= CERTIFICATE_WARNING else None


def first_certificate_end() -> datetime | None:
    """Return when the first of the certificates of Apple's passes ends, however far away; None where there is none."""
    ends = passes.find_certificate_ends()
    return min(ends.leaf, ends.intermediate) if ends else None


def _count(table: type[Base], *conditions: ColumnElement[bool]) -> ScalarSelect[int]:
    return select(func.count()).select_from(table).where(*conditions).scalar_subquery()


def _changed(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(*conditions)
