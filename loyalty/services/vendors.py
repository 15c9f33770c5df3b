"""Vendors: making one with everything it needs, its own settings, and what the public may know of it."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, Final
from uuid import UUID

from babel.core import get_global
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from loyalty.database import db, new_id, transaction
from loyalty.domain import settings
from loyalty.domain.colours import fg
from loyalty.domain.pins import make_salt
from loyalty.domain.values import Actor, Admin, LoyaltyType, PassContent, RequestKey, Role
from loyalty.errors import N_, NotFound, ProgramNotFound, ValidationError
from loyalty.models.programs import LoyaltyProgram, Reward
from loyalty.models.vendors import Store, Vendor, VendorPolicy
from loyalty.services import audit, google_passes, idempotency, images, passes, roles
from loyalty.services.stores import make_code

# What a new vendor is made of: its own settings, and its first store's.
_NEW: Final = {**settings.VENDOR, **{f"store_{name}": settings.STORE[name] for name in ("code", "name")}}


@dataclass(frozen=True, slots=True)
class NewVendor:
    """The ids of a new vendor, its first store and its program."""

    vendor_id: UUID
    store_id: UUID
    program_id: UUID
    code: str
    store_code: str


@dataclass(frozen=True, slots=True)
class VendorSettings:
    """What a vendor decides for itself, beside its program."""

    code: str
    name: str
    locale: str
    timezone: str
    country: str
    currency: str
    contact_field: str
    confirm_address: bool
    ask_name: bool
    ask_birthday: bool
    ask_marketing: bool
    pin_length: int
    retention_months: int
    privacy_contact: str
    privacy_note: str


@dataclass(frozen=True, slots=True)
class VendorReceipt:
    """What a change of a vendor's settings did."""

    vendor_id: UUID
    changed: tuple[str, ...] = ()
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class PublicReward:
    """A reward on offer, as customers see it."""

    reward_id: str
    name: str
    points_required: int


@dataclass(frozen=True, slots=True)
class VendorFacts:
    """Which shop it is, where it is, and what it asks of people who join."""

    vendor_id: UUID
    code: str
    name: str
    status: str
    locale: str
    timezone: str
    country: str
    currency: str
    contact_field: str
    confirm_address: bool
    ask_name: bool
    ask_birthday: bool
    ask_marketing: bool


@dataclass(frozen=True, slots=True)
class PublicVendor(VendorFacts):
    """What anybody may know of a shop and its program; `content` is an empty card."""

    retention_months: int
    privacy_contact: str
    privacy_note: str
    allow_self_enrollment: bool
    program_id: UUID
    program_active: bool
    closes_on: date | None
    loyalty_type: LoyaltyType
    card_name: str
    card_color: str
    card_secondary_color: str | None
    logo_url: str | None
    stamps_target: int
    stamps_reward_description: str
    welcome_stamps: int
    points_per_euro: int
    welcome_bonus_points: int
    minimum_purchase_cents: int
    points_expiration_days: int | None
    terms_text: str
    privacy_url: str | None
    rewards: tuple[PublicReward, ...]
    content: PassContent


def create(
    *,
    name: str,
    store_name: str,
    code: str | None = None,
    store_code: str = "main",
    locale: str = "en",
    timezone: str = "Europe/Luxembourg",
    country: str = "LU",
    currency: str = "EUR",
    pin_length: int = 4,
) -> NewVendor:
    """Create a vendor with its policy, a program that still sleeps, and its first store: all of them or nothing."""
    own = {"code": code or make_code(name), "name": name, "locale": locale, "timezone": timezone, "country": country}
    store = {"store_code": store_code, "store_name": store_name}
    cleaned = settings.clean(_NEW, {**own, **store, "pin_length": pin_length})
    store = {name: str(cleaned.pop(f"store_{name}")) for name in ("code", "name")}
    if currency not in get_global("all_currencies"):
        raise ValidationError({"currency": N_("Choose one of the list.")})
    with transaction():
        vendor_id, store_id, program_id = new_id(), new_id(), new_id()
        row = insert(Vendor).values(id=vendor_id, currency=currency, pin_salt=make_salt(), **cleaned)
        # Of two with the same code at once, the second waits here and then finds it taken.
        if not db.session.execute(row.on_conflict_do_nothing(index_elements=["code"]).returning(Vendor.id)).scalar():
            raise ValidationError({"code": N_("Another shop has this short name already.")})
        db.session.add(VendorPolicy(vendor_id=vendor_id))
        db.session.add(Store(id=store_id, vendor_id=vendor_id, **store))
        db.session.add(LoyaltyProgram(id=program_id, vendor_id=vendor_id))
        db.session.flush()
    return NewVendor(vendor_id, store_id, program_id, str(cleaned["code"]), store["code"])


def get_settings(*, actor: Actor) -> VendorSettings:
    """Get what the actor's vendor decides for itself."""
    roles.require(actor=actor, role=Role.MANAGER)
    vendor = db.session.get(Vendor, actor.vendor_id)
    if vendor is None:
        raise NotFound
    return VendorSettings(**{field.name: getattr(vendor, field.name) for field in fields(VendorSettings)})


def change_settings(*, actor: Actor, changes: Mapping[str, object], key: RequestKey) -> VendorReceipt:
    """Change what the vendor decides for itself, all of those given or none; its code and currency stay."""
    roles.require(actor=actor, role=Role.MANAGER)
    return write_settings(who=actor, vendor_id=actor.vendor_id, changes=changes, key=key)


def write_settings(
    *, who: Actor | Admin, vendor_id: UUID, changes: Mapping[str, object], key: RequestKey
) -> VendorReceipt:
    """Change a vendor's settings for somebody who was found to be allowed to."""
    if "code" in changes:
        raise ValidationError({"code": N_("The short name of a shop stays as it is.")})
    cleaned = settings.clean(settings.VENDOR, changes)

    def work() -> VendorReceipt:
        vendor = db.session.get(Vendor, vendor_id, with_for_update=True, populate_existing=True)
        if vendor is None:
            raise NotFound
        changed = sorted(name for name, value in cleaned.items() if getattr(vendor, name) != value)
        for name in changed:
            setattr(vendor, name, cleaned[name])
        if changed:
            google_passes.program_changed(vendor_id=vendor.id)
            passes.program_changed(vendor_id=vendor.id)
        audit.record(
            actor=who,
            action="vendor.changed",
            subject_type="vendor",
            subject_id=vendor.id,
            vendor_id=vendor.id,
            details={"changed": changed},
        )
        return VendorReceipt(vendor.id, tuple(changed))

    return idempotency.run(key, VendorReceipt, work, vendor_id=vendor_id)


def get_public(*, code: str) -> PublicVendor:
    """Get what anybody may know of the shop with this code and of its program."""
    row = db.session.execute(
        select(Vendor, VendorPolicy.allow_self_enrollment, LoyaltyProgram)
        .join(VendorPolicy, VendorPolicy.vendor_id == Vendor.id)
        .outerjoin(LoyaltyProgram, LoyaltyProgram.vendor_id == Vendor.id)
        .where(Vendor.code == code)
    ).one_or_none()
    if row is None:
        raise NotFound
    vendor, allow_self_enrollment, program = row
    if program is None:
        raise ProgramNotFound
    rewards = _offer(program)
    # Values of many types, each named as the field that it fills.
    derived: dict[str, Any] = {
        "vendor_id": vendor.id,
        "allow_self_enrollment": allow_self_enrollment,
        "program_id": program.id,
        "program_active": program.is_active,
        "loyalty_type": LoyaltyType(program.loyalty_type),
        "rewards": rewards,
        "content": _empty_card(vendor, program, rewards),
    }
    names = [field.name for field in fields(PublicVendor) if field.name not in derived]
    copied = {name: getattr(vendor if hasattr(vendor, name) else program, name) for name in names}
    return PublicVendor(**derived, **copied)


def _offer(program: LoyaltyProgram) -> tuple[PublicReward, ...]:
    rows = db.session.execute(
        select(Reward.public_id, Reward.name, Reward.points_required)
        .where(Reward.vendor_id == program.vendor_id, Reward.program_id == program.id, Reward.active)
        .order_by(Reward.points_required, Reward.sort_order)
    )
    return tuple(PublicReward(row.public_id, row.name, row.points_required) for row in rows)


def _empty_card(vendor: Vendor, program: LoyaltyProgram, rewards: tuple[PublicReward, ...]) -> PassContent:
    return PassContent(
        vendor_name=vendor.name,
        card_name=program.card_name,
        color=program.card_color,
        foreground=fg(program.card_color),
        loyalty_type=LoyaltyType(program.loyalty_type),
        stamp_count=0,
        stamps_target=program.stamps_target,
        stamps_reward=program.stamps_reward_description,
        points_balance=0,
        points_goal=rewards[0].points_required if rewards else None,
        points_reward=rewards[0].name if rewards else None,
        card_number="",
        scan_code="",
        logo_url=images.own(program.logo_url),
        logo_on_plate=images.needs_plate(program.logo_url, program.card_color),
        hero_url=images.own(program.hero_image_url),
    )
