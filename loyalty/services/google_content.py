"""What Google Wallet shows of programs and cards, as the database has it now, beside what Google was told last."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from babel.dates import format_date
from sqlalchemy import select

from loyalty.database import AnyRow, db
from loyalty.domain.formats import formats_of
from loyalty.domain.settings import LOCALES
from loyalty.domain.values import LoyaltyType, PassContent
from loyalty.models.cards import LoyaltyCard
from loyalty.models.customers import Customer
from loyalty.models.programs import LoyaltyProgram
from loyalty.models.vendors import Store, Vendor
from loyalty.services import card_views, images, links
from loyalty.services.card_views import Offer
from loyalty.wallets.google import Json, class_json, content_hash, object_json
from loyalty.wallets.google_facts import CardFacts, Link, Place, ProgramFacts, Texts, class_id, object_id
from loyalty.wallets.google_texts import texts

CALLBACK_PATH = "/api/v1/loyalty/google/callback"
LOGO_PATH = "/google/logo.png"


@dataclass(frozen=True, slots=True)
class ToTell:
    """A class or object as it should be. `known`: Google has it; `current`: Google has it exactly so.

    `ledger_seq` numbers the last transaction that a card's object shows.
    """

    resource_id: str
    program_id: UUID
    described: Json
    digest: str
    known: bool
    current: bool
    ledger_seq: int = 0


def find_class(*, program_id: UUID, issuer_id: str, public_url: str) -> ToTell | None:
    """Describe the class of a program."""
    row = db.session.execute(
        select(LoyaltyProgram, Vendor)
        .join(Vendor, Vendor.id == LoyaltyProgram.vendor_id)
        .where(LoyaltyProgram.id == program_id)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        return None
    program = row.LoyaltyProgram
    own_id = class_id(issuer_id=issuer_id, program_id=program.id)
    told = program.google_class_hash if program.google_class_id == own_id else None
    return _to_tell(own_id, program.id, class_json(_program_facts(row, own_id, public_url)), told)


def find_object(*, card_id: UUID, issuer_id: str) -> ToTell | None:
    """Describe the object of a card."""
    row = db.session.execute(
        select(LoyaltyCard, Customer.locale, LoyaltyProgram, Vendor)
        .join(Customer, Customer.id == LoyaltyCard.customer_id)
        .join(LoyaltyProgram, LoyaltyProgram.id == LoyaltyCard.program_id)
        .join(Vendor, Vendor.id == LoyaltyCard.vendor_id)
        .where(LoyaltyCard.id == card_id)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        return None
    card, program = row.LoyaltyCard, row.LoyaltyProgram
    # Whoever copied a card that was replaced has its old object; the card has another one since.
    own_id = object_id(issuer_id=issuer_id, card_id=card.google_key or card.id)
    on_offer = card_views.offers(card, program, locale=row.locale)
    content = card_views.pass_content(row.Vendor, program, card, on_offer)
    own_class_id = class_id(issuer_id=issuer_id, program_id=program.id)
    facts = _card_facts(row, content, card_views.find_goal(on_offer), own_id, own_class_id)
    told = card.google_content_hash if card.google_object_id == own_id else None
    return _to_tell(own_id, program.id, object_json(content, facts), told, ledger_seq=card.ledger_seq)


def _to_tell(resource_id: str, program_id: UUID, described: Json, told: str | None, *, ledger_seq: int = 0) -> ToTell:
    digest = content_hash(described)
    known, current = told is not None, told == digest
    return ToTell(resource_id, program_id, described, digest, known=known, current=current, ledger_seq=ledger_seq)


def _program_facts(row: AnyRow, own_id: str, public_url: str) -> ProgramFacts:
    program, vendor = row.LoyaltyProgram, row.Vendor
    terms = program.terms_text.strip()
    return ProgramFacts(
        class_id=own_id,
        locale=vendor.locale,
        vendor_name=vendor.name,
        card_name={vendor.locale: program.card_name or card_views.DEFAULT_CARD_NAME},
        color=program.card_color,
        # Google demands a logo and fetches it itself, by https alone.
        logo_url=_picture(program.logo_url, public_url) or f"{public_url}{LOGO_PATH}",
        holder_label=texts("member"),
        number_label=texts("card_number"),
        hero_image_url=_picture(program.hero_image_url, public_url),
        terms_label=texts("terms") if terms else None,
        terms_text=terms,
        links=_privacy_link(program),
        places=_places(vendor.id),
        callback_url=f"{public_url}{CALLBACK_PATH}",
    )


def _card_facts(row: AnyRow, content: PassContent, goal: Offer | None, own_id: str, own_class_id: str) -> CardFacts:
    """Nothing personal leaves: a phone knows whose it is, and Google need not."""
    card = row.LoyaltyCard
    label, reward = _reward(content, goal, row.Vendor.locale)
    page = Link(key="card", address=links.card(card.public_token), description=texts("card_page"))
    return CardFacts(
        object_id=own_id,
        class_id=own_class_id,
        locale=row.locale,
        stamps_label=texts("stamps"),
        points_label=texts("points"),
        reward_label=label,
        reward_text=reward,
        expiry_label=texts("points_good_until"),
        expiry_text=_day(content.points_good_until),
        closing_label=texts("closes_on"),
        closing_text=_day(content.closes_on),
        links=(page,),
    )


def _day(day: date | None) -> Texts | None:
    """Write a day in every language that passes speak."""
    return {locale: format_date(day, "long", locale=formats_of(locale)) for locale in LOCALES} if day else None


def _reward(content: PassContent, goal: Offer | None, locale: str) -> tuple[Texts, Texts | None]:
    """Say what the card is collecting for, or that it has it; a shop's own words are in its own language."""
    if content.loyalty_type != LoyaltyType.POINTS:
        ready = content.stamp_count >= content.stamps_target
        return texts("reward_ready" if ready else "next_reward"), {locale: content.stamps_reward}
    ready = content.points_goal is not None and content.points_balance >= content.points_goal
    reward = (goal.names or {locale: goal.name}) if goal else None
    return texts("reward_ready" if ready else "next_reward"), reward


def _privacy_link(program: LoyaltyProgram) -> tuple[Link, ...]:
    address = _https(program.privacy_url)
    return (Link(key="privacy", address=address, description=texts("privacy")),) if address else ()


def _places(vendor_id: UUID) -> tuple[Place, ...]:
    query = (
        select(Store.latitude, Store.longitude)
        .where(Store.vendor_id == vendor_id, Store.active, Store.latitude.is_not(None), Store.longitude.is_not(None))
        .order_by(Store.id)
    )
    return tuple(Place(latitude=row.latitude, longitude=row.longitude) for row in db.session.execute(query))


def _picture(address: str | None, public_url: str) -> str | None:
    """Return where Google fetches a picture. It keeps what it fetched; another picture has another address here."""
    return f"{public_url}{address}" if images.own(address) else _https(address)


def _https(address: str | None) -> str | None:
    return address if address and address.startswith("https://") else None
