"""The program of a vendor: its settings, its look, and whether it runs."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from loyalty.database import clock, db
from loyalty.domain import settings
from loyalty.domain.colours import fg
from loyalty.domain.values import Actor, LoyaltyType, PassContent, RequestKey, Role
from loyalty.errors import ProgramNotFound
from loyalty.models.programs import LoyaltyProgram, Reward
from loyalty.models.vendors import Vendor
from loyalty.services import audit, card_views, google_passes, idempotency, images, passes, roles

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
class ProgramReceipt:
    """What a change of the program did: the names of the settings that differ now."""

    program_id: UUID
    is_active: bool
    changed: tuple[str, ...] = ()
    replayed: bool = False


def get(*, actor: Actor) -> Program:
    """Get the program of the actor's vendor with all its settings."""
    roles.require(actor=actor, role=Role.MANAGER)
    row = db.session.execute(
        select(LoyaltyProgram, Vendor.name, Vendor.currency)
        .join(Vendor, Vendor.id == LoyaltyProgram.vendor_id)
        .where(LoyaltyProgram.vendor_id == actor.vendor_id)
    ).one_or_none()
    if row is None:
        raise ProgramNotFound
    program, vendor_name, currency = row
    own = ("program_id", "vendor_name", "currency")
    values = {field.name: getattr(program, field.name) for field in fields(Program) if field.name not in own}
    return Program(program_id=program.id, vendor_name=vendor_name, currency=currency, **values)


def change(*, actor: Actor, changes: Mapping[str, object], key: RequestKey) -> ProgramReceipt:
    """Change settings of the program, all of those given or none; cards and balances stay as they are."""
    roles.require(actor=actor, role=Role.MANAGER)
    cleaned = settings.clean(settings.PROGRAM, changes)

    def work() -> ProgramReceipt:
        program = _lock(actor)
        changed = {name: value for name, value in cleaned.items() if getattr(program, name) != value}
        for name, value in changed.items():
            setattr(program, name, value)
        if changed:
            google_passes.program_changed(vendor_id=actor.vendor_id)
            passes.program_changed(vendor_id=actor.vendor_id)
        _note(actor, "program.changed", program, {"changed": sorted(changed)})
        return ProgramReceipt(program.id, program.is_active, tuple(sorted(changed)))

    return idempotency.run(key, ProgramReceipt, work, vendor_id=actor.vendor_id)


def activate(*, actor: Actor, key: RequestKey) -> ProgramReceipt:
    """Let the program run; when it first did is kept."""
    roles.require(actor=actor, role=Role.MANAGER)

    def work() -> ProgramReceipt:
        program = _lock(actor)
        program.activated_at = program.activated_at or clock()
        program.is_active = True
        google_passes.program_activated(program)
        passes.program_activated(program)
        _note(actor, "program.activated", program, {})
        return ProgramReceipt(program.id, True)

    return idempotency.run(key, ProgramReceipt, work, vendor_id=actor.vendor_id)


def deactivate(*, actor: Actor, key: RequestKey) -> ProgramReceipt:
    """Pause the program: cards stay readable, nothing is stamped or redeemed."""
    roles.require(actor=actor, role=Role.MANAGER)

    def work() -> ProgramReceipt:
        program = _lock(actor)
        program.is_active = False
        _note(actor, "program.deactivated", program, {})
        return ProgramReceipt(program.id, False)

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


def _lock(actor: Actor) -> LoyaltyProgram:
    program = db.session.scalar(
        select(LoyaltyProgram)
        .where(LoyaltyProgram.vendor_id == actor.vendor_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if program is None:
        raise ProgramNotFound
    return program


def _note(actor: Actor, action: str, program: LoyaltyProgram, details: Mapping[str, object]) -> None:
    audit.record(actor=actor, action=action, subject_type="program", subject_id=program.id, details=details)
