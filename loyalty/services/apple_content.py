"""What the Apple pass of a card shows, as the database has it now, beside what was noted of it last."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from sqlalchemy import func, select

from loyalty.database import AnyRow, db
from loyalty.domain.values import PassContent
from loyalty.models.cards import LoyaltyCard
from loyalty.models.customers import Customer
from loyalty.models.programs import LoyaltyProgram
from loyalty.models.vendors import Store, Vendor
from loyalty.services import card_views, images, links
from loyalty.services.card_views import Offer
from loyalty.wallets.apple import ApplePasses, ApplePassFacts, Picture, StoreFacts, Translation


@dataclass(frozen=True, slots=True)
class ShownPass:
    """What a card's pass shows at the moment `read_at`, and what was noted of it last."""

    card_id: UUID
    vendor_id: UUID
    content: PassContent
    facts: ApplePassFacts
    digest: str
    noted: str | None
    changed_at: datetime | None
    change_seq: int
    read_at: datetime
    ledger_seq: int


def read(*, card_id: UUID, apple: ApplePasses) -> ShownPass:
    """Read what the pass shows. The time is that of the first statement: whatever it does not see comes later."""
    query = (
        select(LoyaltyCard, Customer.locale, LoyaltyProgram, Vendor, func.statement_timestamp().label("read_at"))
        .join(Customer, Customer.id == LoyaltyCard.customer_id)
        .join(LoyaltyProgram, LoyaltyProgram.id == LoyaltyCard.program_id)
        .join(Vendor, Vendor.id == LoyaltyCard.vendor_id)
        .where(LoyaltyCard.id == card_id)
        .execution_options(populate_existing=True)
    )
    row = db.session.execute(query).one()
    card = row.LoyaltyCard
    on_offer = card_views.offers(card, row.LoyaltyProgram, locale=row.locale)
    content = card_views.pass_content(row.Vendor, row.LoyaltyProgram, card, on_offer)
    facts = _facts(row, card_views.find_goal(on_offer))
    return ShownPass(
        card_id=card.id,
        vendor_id=card.vendor_id,
        content=content,
        facts=facts,
        digest=apple.digest(content, facts),
        noted=card.apple_content_hash,
        changed_at=card.apple_changed_at,
        change_seq=card.apple_change_seq or 0,
        read_at=row.read_at,
        ledger_seq=card.ledger_seq,
    )


def _facts(row: AnyRow, goal: Offer | None) -> ApplePassFacts:
    card, program = row.LoyaltyCard, row.LoyaltyProgram
    return ApplePassFacts(
        serial=card.apple_serial_number,
        auth_token=card.apple_auth_token,
        locale=row.locale,
        stores=_stores(card.vendor_id),
        terms=program.terms_text,
        privacy_url=program.privacy_url,
        card_page=links.card(card.public_token),
        logo=_picture(program.logo_url),
        hero=_picture(program.hero_image_url),
        translations=_translations(goal),
    )


def _translations(goal: Offer | None) -> tuple[Translation, ...]:
    """Say the reward on the pass in every language; a phone without an own text shows that of the pass itself."""
    if goal is None:
        return ()
    return tuple(Translation(locale, goal.name, name) for locale, name in goal.names.items() if name != goal.name)


def _picture(address: str | None) -> Picture | None:
    """Name a picture of a shop; one that is not in the data folder must not keep a customer from the card."""
    if address is None or images.shade(address) is None:
        return None
    name = address.rpartition("/")[2].removesuffix(".png")
    return Picture(name, partial(images.read, name=name))


def _stores(vendor_id: UUID) -> tuple[StoreFacts, ...]:
    query = (
        select(Store.name, Store.address, Store.latitude, Store.longitude)
        .where(Store.vendor_id == vendor_id, Store.active)
        .order_by(Store.id)
    )
    return tuple(
        StoreFacts(row.name, row.address or "", row.latitude, row.longitude) for row in db.session.execute(query)
    )
