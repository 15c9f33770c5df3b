"""Cards as other software reads them: whole, listed in pages, and found by what names them exactly."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, select, tuple_

from loyalty.database import AnySelect, db
from loyalty.domain.people import AddressError, normalise_email, normalise_phone
from loyalty.domain.values import Actor, CardRef, Position, Role
from loyalty.errors import N_, CardNotFound, ValidationError
from loyalty.models.cards import LoyaltyCard
from loyalty.models.customers import Customer
from loyalty.models.vendors import Vendor
from loyalty.services import card_search, google_passes, links, passes, replaced_codes, roles

_ELSEWHERE: Final = N_("Send e-mail addresses and phone numbers to cards/lookup: they do not belong in an address.")
_LENGTH: Final = 10  # of a card's number


@dataclass(frozen=True, slots=True)
class CardRecord:
    """All that is kept of a card and its holder; `public_token` opens the card's page."""

    card_id: UUID
    card_number: str
    scan_code: str
    public_token: str
    is_active: bool
    enrolled_at_store_id: UUID | None
    stamp_count: int
    total_stamps_earned: int
    stamps_redeemed: int
    points_balance: int
    total_points_earned: int
    points_redeemed: int
    total_points_voided: int
    last_stamp_at: datetime | None
    last_points_at: datetime | None
    last_redemption_at: datetime | None
    last_activity_at: datetime | None
    created_at: datetime
    customer_id: UUID
    name: str | None
    email: str | None
    phone: str | None
    birth_date: date | None
    locale: str
    marketing_consent: bool


@dataclass(frozen=True, slots=True)
class CardAddresses:
    """Where a card is seen and saved; None for a wallet that is not configured."""

    card_url: str
    apple_pass_url: str | None
    google_save_url: str | None


_OF_CARD: Final = (
    "card_number",
    "scan_code",
    "public_token",
    "is_active",
    "enrolled_at_store_id",
    "stamp_count",
    "total_stamps_earned",
    "stamps_redeemed",
    "points_balance",
    "total_points_earned",
    "points_redeemed",
    "total_points_voided",
    "last_stamp_at",
    "last_points_at",
    "last_redemption_at",
    "last_activity_at",
    "created_at",
    "customer_id",
)
_OF_HOLDER: Final = ("name", "email", "phone", "birth_date", "locale", "marketing_consent")
_CARDS: Final[AnySelect] = select(
    LoyaltyCard.id.label("card_id"),
    *(getattr(LoyaltyCard, name) for name in _OF_CARD),
    *(getattr(Customer, name) for name in _OF_HOLDER),
).join(Customer, Customer.id == LoyaltyCard.customer_id)


def get(*, actor: Actor, card_id: UUID) -> CardRecord:
    """Read a card of the vendor, or raise CardNotFound."""
    return _one(_mine(actor).where(LoyaltyCard.id == card_id))


def find(
    *, actor: Actor, card: CardRef | None = None, email: str | None = None, phone: str | None = None
) -> CardRecord:
    """Find a card by its code or number, else its holder's by their whole address: the active one, else the newest."""
    newest = _mine(actor).order_by(LoyaltyCard.is_active.desc(), LoyaltyCard.created_at.desc()).limit(1)
    if card is not None:
        replaced_codes.refuse(vendor_id=actor.vendor_id, card=card)
    return _one(newest.where(_is_meant(actor, card, email, phone)))


def list_page(
    *, actor: Actor, text: str = "", is_active: bool | None = None, after: Position | None = None, limit: int
) -> list[CardRecord]:
    """List the cards that fit a name or number, newest first, from behind a position on."""
    roles.require(actor=actor, role=Role.MANAGER)
    query = _mine(actor).order_by(LoyaltyCard.created_at.desc(), LoyaltyCard.id.desc()).limit(limit)
    if after is not None:
        query = query.where(tuple_(LoyaltyCard.created_at, LoyaltyCard.id) < (after.at, after.id))
    if is_active is not None:
        query = query.where(LoyaltyCard.is_active.is_(is_active))
    if text.strip():
        fits = _named(actor, text)
        if fits is None:
            return []
        query = query.where(fits)
    return [CardRecord(**row._mapping) for row in db.session.execute(query)]


def addresses(*, public_token: str, is_active: bool) -> CardAddresses:
    """Return where a card is seen, and where it is saved in a wallet while it is active."""
    return CardAddresses(
        card_url=links.card(public_token),
        apple_pass_url=passes.find_apple_link(public_token=public_token) if is_active else None,
        google_save_url=links.google_save(public_token) if is_active and google_passes.is_on() else None,
    )


def _mine(actor: Actor) -> AnySelect:
    return _CARDS.where(LoyaltyCard.vendor_id == actor.vendor_id, replaced_codes.is_card())


def _one(query: AnySelect) -> CardRecord:
    row = db.session.execute(query).one_or_none()
    if row is None:
        raise CardNotFound
    return CardRecord(**row._mapping)


def _is_meant(actor: Actor, card: CardRef | None, email: str | None, phone: str | None) -> ColumnElement[bool]:
    try:
        if email is not None:
            return and_(_is_known(actor), Customer.email == normalise_email(email))
        if phone is not None:
            return and_(_is_known(actor), Customer.phone == normalise_phone(phone, _country(actor)))
    except AddressError as refusal:
        raise ValidationError({"phone" if email is None else "email": refusal.sentence}) from refusal
    if card is not None and card.scan_code is not None:
        return LoyaltyCard.scan_code == card.scan_code
    return LoyaltyCard.card_number == (card.card_number if card else None)


def _is_known(actor: Actor) -> ColumnElement[bool]:
    # Said of the customer too: by it their indexes serve, where otherwise all cards of the shop would be read.
    return Customer.vendor_id == actor.vendor_id


def _country(actor: Actor) -> str:
    query: Select[str] = select(Vendor.country).where(Vendor.id == actor.vendor_id)
    return str(db.session.execute(query).scalar_one())


def _named(actor: Actor, text: str) -> ColumnElement[bool] | None:
    """Return what fits a name, a code, or the beginning of a number; not addresses of people, which logs would keep."""
    if "@" in text or text.strip().startswith("+"):
        raise ValidationError({"search": _ELSEWHERE})
    digits = "".join(text.split())
    if digits.isascii() and digits.isdigit():
        # Between two numbers, so that the index of numbers serves, whatever order the database sorts texts in.
        return LoyaltyCard.card_number.between(digits.ljust(_LENGTH, "0"), digits.ljust(_LENGTH, "9"))
    return card_search.find_condition(actor=actor, text=text)
