"""What a card shows: to staff at the counter and to its customer."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import aggregate_order_by

from loyalty.database import AnyRow, AnySelect, db
from loyalty.domain import limits
from loyalty.domain.colours import fg
from loyalty.domain.settings import LOCALES
from loyalty.domain.values import Actor, CardRef, LoyaltyType, PassContent
from loyalty.errors import CardNotFound, CardReplaced
from loyalty.models.cards import LoyaltyCard
from loyalty.models.customers import Customer
from loyalty.models.pins import StaffPin
from loyalty.models.programs import LoyaltyProgram, Reward
from loyalty.models.transactions import LoyaltyTransaction
from loyalty.models.vendors import Vendor, VendorPolicy
from loyalty.services import images, replaced_codes

DEFAULT_CARD_NAME = "Loyalty Card"

# Rewards and the last name come along with the card: one question instead of three.
_CHEAPEST_FIRST: Final = (Reward.points_required, Reward.sort_order, Reward.public_id)
_OFFER: Final = func.jsonb_build_array(Reward.public_id, Reward.name, Reward.points_required, Reward.translations)
OFFERS: Final = (
    select(func.coalesce(func.jsonb_agg(aggregate_order_by(_OFFER, *_CHEAPEST_FIRST)), text("'[]'::jsonb")))
    .where(Reward.program_id == LoyaltyProgram.id, Reward.active)
    .correlate(LoyaltyProgram)
    .scalar_subquery()
    .label("offers")
)
# Put together once. What the till wrote with plain statements is read anew, not taken from the session's memory.
_CARD: Final = (
    select(LoyaltyCard, Customer, LoyaltyProgram, Vendor, VendorPolicy.require_order_reference, OFFERS)
    .join(Customer, Customer.id == LoyaltyCard.customer_id)
    .join(LoyaltyProgram, LoyaltyProgram.id == LoyaltyCard.program_id)
    .join(Vendor, Vendor.id == LoyaltyCard.vendor_id)
    .join(VendorPolicy, VendorPolicy.vendor_id == LoyaltyCard.vendor_id)
    .execution_options(populate_existing=True)
)
_LAST_STAMP_BY: Final = (
    select(StaffPin.name)
    .join(LoyaltyTransaction, LoyaltyTransaction.staff_pin_id == StaffPin.id)
    .where(LoyaltyTransaction.card_id == LoyaltyCard.id, LoyaltyTransaction.transaction_at == LoyaltyCard.last_stamp_at)
    .limit(1)
    .correlate(LoyaltyCard)
    .scalar_subquery()
    .label("last_stamp_by")
)
_AT_COUNTER: Final = _CARD.add_columns(_LAST_STAMP_BY)


@dataclass(frozen=True, slots=True)
class Offer:
    """A reward that points buy, and whether this card's points reach.

    `names` says it in every language, where the shop has translated it at all.
    """

    reward_id: str
    name: str
    points_required: int
    affordable: bool
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CounterCard:
    """All that the terminal shows of a card; `cooldown_ends_at` is None once it has passed."""

    card_id: UUID
    card_number: str
    public_token: str
    name: str | None
    content: PassContent
    is_active: bool
    program_active: bool
    joined_at: datetime
    last_visit_at: datetime | None
    birthday_today: bool
    cooldown_ends_at: datetime | None
    last_stamp_at: datetime | None
    last_stamp_by: str | None
    stamps_today: int
    max_daily_stamps: int
    max_stamps_per_action: int
    day_ends_at: datetime
    rewards_available: int
    stamps_reward: str
    rewards: list[Offer]
    points_per_euro: int
    minimum_purchase_cents: int
    minimum_redemption_points: int
    currency: str
    require_order_reference: bool


@dataclass(frozen=True, slots=True)
class PublicCard:
    """All that the card page shows to whoever holds its address."""

    card_id: UUID
    public_token: str
    content: PassContent
    vendor_id: UUID
    vendor_code: str
    vendor_name: str
    locale: str
    timezone: str
    name: str | None
    is_active: bool
    program_active: bool
    stamps_until_reward: int
    rewards_available: int
    rewards: list[Offer]
    color: str
    secondary_color: str | None
    terms_text: str
    privacy_url: str | None


def get_at_counter(*, actor: Actor, card_id: UUID, at: datetime, number: str | None = None) -> CounterCard:
    """Read a card of this vendor for the terminal, or raise CardNotFound.

    With the number under which somebody saw it, raises CardReplaced where the card has got another since.
    """
    mine = (LoyaltyCard.vendor_id == actor.vendor_id, LoyaltyCard.id == card_id, replaced_codes.is_card())
    row = _one(_AT_COUNTER.where(*mine))
    card, customer, program, vendor = row.LoyaltyCard, row.Customer, row.LoyaltyProgram, row.Vendor
    _check_number(card, number)
    today = limits.local_day(at, vendor.timezone)
    ends = limits.cooldown_ends(card.last_stamp_at, program.cooldown_minutes)
    on_offer = priced(card, program, row.offers)
    return CounterCard(
        card_id=card.id,
        card_number=card.card_number,
        public_token=card.public_token,
        name=customer.name,
        content=pass_content(vendor, program, card, on_offer),
        is_active=card.is_active,
        program_active=program.is_active,
        joined_at=card.created_at,
        last_visit_at=last_visit(card),
        birthday_today=_is_birthday(customer.birth_date, today),
        cooldown_ends_at=ends if ends and ends > at else None,
        last_stamp_at=card.last_stamp_at,
        last_stamp_by=row.last_stamp_by,
        stamps_today=limits.stamps_today(card.stamps_day, card.stamps_on_day, today),
        max_daily_stamps=program.max_daily_stamps,
        max_stamps_per_action=program.max_stamps_per_action,
        day_ends_at=limits.next_midnight(at, vendor.timezone),
        rewards_available=card.stamp_count // program.stamps_target,
        stamps_reward=program.stamps_reward_description,
        rewards=on_offer,
        points_per_euro=program.points_per_euro,
        minimum_purchase_cents=program.minimum_purchase_cents,
        minimum_redemption_points=program.minimum_redemption_points,
        currency=vendor.currency,
        require_order_reference=row.require_order_reference,
    )


def get_public(*, token: str) -> PublicCard:
    """Read a card by the secret of its address, or raise CardNotFound, or CardReplaced where it has another one."""
    row = _one(_CARD.where(LoyaltyCard.public_token == token))
    if row.LoyaltyCard.replaced_by_id is not None:
        raise CardReplaced(replaced_at=row.LoyaltyCard.replaced_at)
    card, customer, program, vendor = row.LoyaltyCard, row.Customer, row.LoyaltyProgram, row.Vendor
    on_offer = priced(card, program, row.offers, customer.locale)
    return PublicCard(
        card_id=card.id,
        public_token=card.public_token,
        content=pass_content(vendor, program, card, on_offer),
        vendor_id=vendor.id,
        vendor_code=vendor.code,
        vendor_name=vendor.name,
        locale=customer.locale,
        timezone=vendor.timezone,
        name=customer.name,
        is_active=card.is_active,
        program_active=program.is_active,
        stamps_until_reward=max(0, program.stamps_target - card.stamp_count),
        rewards_available=card.stamp_count // program.stamps_target,
        rewards=on_offer,
        color=program.card_color,
        secondary_color=program.card_secondary_color,
        terms_text=program.terms_text,
        privacy_url=program.privacy_url,
    )


def pass_content(vendor: Vendor, program: LoyaltyProgram, card: LoyaltyCard, offers: list[Offer]) -> PassContent:
    """Put together what the pass shows, the same in every place."""
    goal = find_goal(offers)
    return PassContent(
        vendor_name=vendor.name,
        card_name=program.card_name or DEFAULT_CARD_NAME,
        color=program.card_color,
        foreground=fg(program.card_color),
        loyalty_type=LoyaltyType(program.loyalty_type),
        stamp_count=card.stamp_count,
        stamps_target=program.stamps_target,
        stamps_reward=program.stamps_reward_description,
        points_balance=card.points_balance,
        points_goal=goal.points_required if goal else None,
        points_reward=goal.name if goal else None,
        card_number=card.card_number,
        scan_code=card.scan_code,
        logo_url=images.own(program.logo_url),
        logo_on_plate=images.needs_plate(program.logo_url, program.card_color),
        hero_url=images.own(program.hero_image_url),
        is_active=card.is_active,
        points_good_until=_good_until(program, card),
        closes_on=program.closes_on,
    )


def _good_until(program: LoyaltyProgram, card: LoyaltyCard) -> date | None:
    """Return the last day of points that expire soon: once they are used, or nothing expires, the warning is void."""
    warned_at, used_at = card.last_expiration_warning_at, card.last_activity_at
    if program.points_expiration_days is None or program.closes_on or not card.points_balance or not warned_at:
        return None
    return None if used_at and used_at > warned_at else card.points_good_until


def find_goal(offers: list[Offer]) -> Offer | None:
    """Find what a card collects points for: the cheapest reward out of reach, else the dearest."""
    return next((offer for offer in offers if not offer.affordable), offers[-1] if offers else None)


def offers(card: LoyaltyCard, program: LoyaltyProgram, *, locale: str | None = None) -> list[Offer]:
    """Read the rewards on offer, cheapest first, named in this language where the shop has translated them."""
    query = (
        select(Reward.public_id, Reward.name, Reward.points_required, Reward.translations)
        .where(Reward.program_id == program.id, Reward.active)
        .order_by(Reward.points_required, Reward.sort_order, Reward.public_id)
    )
    return priced(card, program, db.session.execute(query).all(), locale)


def priced(
    card: LoyaltyCard,
    program: LoyaltyProgram,
    rewards: Iterable[Any],  # id, name, price, translations
    locale: str | None = None,
) -> list[Offer]:
    """Say of each reward, in this language where the shop has translated it, whether the card's points reach."""
    if program.loyalty_type == LoyaltyType.STAMPS:
        return []
    least = program.minimum_redemption_points
    found = []
    for public_id, name, price, translations in rewards:
        names = reward_names(name, translations)
        shown = names.get(locale or "", name)
        found.append(Offer(public_id, shown, price, card.points_balance >= max(price, least), names))
    return found


def reward_names(name: str, translations: Mapping[str, Any]) -> dict[str, str]:
    """Say a reward in every language, in the shop's own words where it is not translated; nothing if it never is."""
    own = {locale: said["name"] for locale, said in translations.items() if said.get("name")}
    return {locale: own.get(locale, name) for locale in LOCALES} if own else {}


def last_visit(card: LoyaltyCard) -> datetime | None:
    """Return when the card last earned or redeemed."""
    times = [card.last_stamp_at, card.last_points_at, card.last_redemption_at]
    return max((time for time in times if time), default=None)


def _one(query: AnySelect) -> AnyRow:
    row = db.session.execute(query).one_or_none()
    if row is None:
        raise CardNotFound
    return row


def _check_number(card: LoyaltyCard, number: str | None) -> None:
    if number not in (None, card.card_number):
        replaced_codes.refuse(vendor_id=card.vendor_id, card=CardRef(card_number=number))
        raise CardNotFound


def _is_birthday(birth_date: date | None, today: date) -> bool:
    return birth_date is not None and (birth_date.month, birth_date.day) == (today.month, today.day)
