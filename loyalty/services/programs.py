"""The program of a vendor: its settings, its look, and whether it runs."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select

from loyalty.database import AnyRow, clock, db, new_id
from loyalty.domain import closing, settings
from loyalty.domain.colours import fg
from loyalty.domain.limits import local_day
from loyalty.domain.values import Actor, LoyaltyType, PassContent, RequestKey, Role
from loyalty.errors import ProgramExists, ProgramNotFound
from loyalty.models.programs import LoyaltyProgram, Reward
from loyalty.models.vendors import Vendor
from loyalty.services import audit, card_views, expiry_rules, google_passes, idempotency, images, passes, roles

# What the preview shows: enough points that the bar is not empty.
_SAMPLE_CARD_NUMBER = "4812037756"
# Its last letter is wrong on purpose: whoever scans the preview finds nobody's card.
_SAMPLE_SCAN_CODE = "BCDEFGHJKNPRSTVX"


@dataclass(frozen=True, slots=True)
class Program:
    """All settings of a program; money in minor units of `currency`."""

    program_id: UUID
    vendor_name: str
    currency: str
    is_active: bool
    activated_at: datetime | None
    closes_on: date | None
    loyalty_type: str
    stamps_target: int
    stamps_reward_description: str
    stamps_reward_value_cents: int | None
    max_stamps_per_action: int
    welcome_stamps: int
    points_per_euro: int
    minimum_purchase_cents: int
    minimum_redemption_points: int
    welcome_bonus_points: int
    points_expiration_days: int | None
    cooldown_minutes: int
    max_daily_stamps: int
    require_staff_pin: bool
    card_name: str
    card_color: str
    card_secondary_color: str | None
    logo_url: str | None
    hero_image_url: str | None
    terms_text: str
    privacy_url: str | None

    @property
    def has_stamps(self) -> bool:
        """Whether the program gives stamps."""
        return self.loyalty_type != LoyaltyType.POINTS

    @property
    def has_points(self) -> bool:
        """Whether the program gives points."""
        return self.loyalty_type != LoyaltyType.STAMPS


@dataclass(frozen=True, slots=True)
class ProgramReceipt(Program):
    """The program after a command, and the names of the settings that it changed."""

    changed: tuple[str, ...] = ()
    replayed: bool = False


_WITH_VENDOR: Final = select(LoyaltyProgram, Vendor.name, Vendor.currency, Vendor.timezone).join(
    Vendor, Vendor.id == LoyaltyProgram.vendor_id
)


def get(*, actor: Actor) -> Program:
    """Get the program of the actor's vendor with all its settings."""
    roles.require(actor=actor, role=Role.MANAGER)
    row = db.session.execute(_WITH_VENDOR.where(LoyaltyProgram.vendor_id == actor.vendor_id)).one_or_none()
    if row is None:
        raise ProgramNotFound
    return Program(**_values(row))


def create(*, actor: Actor, details: Mapping[str, object], key: RequestKey) -> ProgramReceipt:
    """Make the vendor's program where it has none; it sleeps until it is activated."""
    roles.require(actor=actor, role=Role.MANAGER)
    cleaned = settings.clean(settings.PROGRAM, details)

    def work() -> ProgramReceipt:
        # Two who create at once: the second waits here, and then finds the program of the first.
        db.session.execute(select(Vendor.id).where(Vendor.id == actor.vendor_id).with_for_update(key_share=True))
        if db.session.scalar(select(LoyaltyProgram.id).where(LoyaltyProgram.vendor_id == actor.vendor_id)):
            raise ProgramExists
        # Values of many types, each named as the column that it fills.
        columns: dict[str, Any] = cleaned
        db.session.add(LoyaltyProgram(id=new_id(), vendor_id=actor.vendor_id, **columns))
        db.session.flush()
        return _done(actor, "program.created", _lock(actor), changed=tuple(sorted(cleaned)))

    return idempotency.run(key, ProgramReceipt, work, vendor_id=actor.vendor_id)


def change(*, actor: Actor, changes: Mapping[str, object], key: RequestKey) -> ProgramReceipt:
    """Change settings of the program, all of those given or none; cards and balances stay as they are."""
    roles.require(actor=actor, role=Role.MANAGER)
    cleaned = settings.clean(settings.PROGRAM, changes)

    def work() -> ProgramReceipt:
        row = _lock(actor)
        program = row.LoyaltyProgram
        changed = {name: value for name, value in cleaned.items() if getattr(program, name) != value}
        expired_after = expiry_rules.days_now(program)
        for name, value in changed.items():
            setattr(program, name, value)
        expiry_rules.note_ended(program=program, days=expired_after)
        if changed:
            google_passes.program_changed(vendor_id=actor.vendor_id)
            passes.program_changed(vendor_id=actor.vendor_id)
        return _done(actor, "program.changed", row, changed=tuple(sorted(changed)))

    return idempotency.run(key, ProgramReceipt, work, vendor_id=actor.vendor_id)


def activate(*, actor: Actor, key: RequestKey) -> ProgramReceipt:
    """Let the program run; when it first did is kept."""
    roles.require(actor=actor, role=Role.MANAGER)

    def work() -> ProgramReceipt:
        row = _lock(actor)
        program = row.LoyaltyProgram
        expired_after = expiry_rules.days_now(program)
        program.activated_at = program.activated_at or clock()
        program.is_active = True
        if closing.is_over(program.closes_on, local_day(clock(), row.timezone)):
            # Opened again after it had closed: what was announced is over.
            program.closes_on = program.closing_announced_at = None
        expiry_rules.note_ended(program=program, days=expired_after)
        google_passes.program_activated(program)
        passes.program_activated(program)
        return _done(actor, "program.activated", row)

    return idempotency.run(key, ProgramReceipt, work, vendor_id=actor.vendor_id)


def deactivate(*, actor: Actor, key: RequestKey) -> ProgramReceipt:
    """Pause the program: cards stay readable, nothing is stamped or redeemed."""
    roles.require(actor=actor, role=Role.MANAGER)

    def work() -> ProgramReceipt:
        row = _lock(actor)
        expired_after = expiry_rules.days_now(row.LoyaltyProgram)
        row.LoyaltyProgram.is_active = False
        expiry_rules.note_ended(program=row.LoyaltyProgram, days=expired_after)
        return _done(actor, "program.deactivated", row)

    return idempotency.run(key, ProgramReceipt, work, vendor_id=actor.vendor_id)


def preview(*, actor: Actor, changes: Mapping[str, object], share: float = 0.4) -> PassContent:
    """Draw a card as it would look with these changes, filled to a share of its goal; wrong ones are left out."""
    present = get(actor=actor)
    wrong = settings.find_problems(settings.PROGRAM, changes)
    right = settings.clean(settings.PROGRAM, {name: value for name, value in changes.items() if name not in wrong})
    look = {field.name: right.get(field.name, getattr(present, field.name)) for field in fields(Program)}
    goal = _cheapest_reward(actor)
    target, color, logo = int(str(look["stamps_target"])), str(look["card_color"]), str(look["logo_url"] or "")
    return PassContent(
        vendor_name=present.vendor_name,
        card_name=str(look["card_name"]) or card_views.DEFAULT_CARD_NAME,
        color=color,
        foreground=fg(color),
        loyalty_type=LoyaltyType(str(look["loyalty_type"])),
        stamp_count=round(target * share),
        stamps_target=target,
        stamps_reward=str(look["stamps_reward_description"]),
        points_balance=round((goal[1] if goal else 300) * share),
        points_goal=goal[1] if goal else None,
        points_reward=goal[0] if goal else None,
        card_number=_SAMPLE_CARD_NUMBER,
        scan_code=_SAMPLE_SCAN_CODE,
        logo_url=images.own(logo),
        logo_on_plate=images.needs_plate(logo, color),
        hero_url=images.own(str(look["hero_image_url"] or "")),
    )


def _cheapest_reward(actor: Actor) -> tuple[str, int] | None:
    row = db.session.execute(
        select(Reward.name, Reward.points_required)
        .where(Reward.vendor_id == actor.vendor_id, Reward.active)
        .order_by(Reward.points_required, Reward.sort_order)
        .limit(1)
    ).one_or_none()
    return (row.name, row.points_required) if row else None


def _lock(actor: Actor) -> AnyRow:
    row = db.session.execute(
        _WITH_VENDOR.where(LoyaltyProgram.vendor_id == actor.vendor_id)
        .with_for_update(of=LoyaltyProgram)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise ProgramNotFound
    return row


def _values(row: AnyRow) -> dict[str, Any]:
    """Return all settings of a program by name: values of many types."""
    program = row.LoyaltyProgram
    derived = {"program_id": program.id, "vendor_name": row.name, "currency": row.currency}
    return {
        **{each.name: getattr(program, each.name) for each in fields(Program) if each.name not in derived},
        **derived,
    }


def _done(actor: Actor, action: str, row: AnyRow, *, changed: tuple[str, ...] = ()) -> ProgramReceipt:
    details = {"changed": list(changed)} if action == "program.changed" else {}
    program_id = row.LoyaltyProgram.id
    audit.record(actor=actor, action=action, subject_type="program", subject_id=program_id, details=details)
    return ProgramReceipt(**_values(row), changed=changed)
