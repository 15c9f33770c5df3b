"""What the Apple pass of a card shows, as the database has it now, beside what was noted of it last."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

from sqlalchemy import bindparam, func, select, text
from sqlalchemy.dialects.postgresql import aggregate_order_by

from loyalty.database import AnyRow, db, run_alone
from loyalty.domain.values import PassContent
from loyalty.models.cards import LoyaltyCard
from loyalty.models.customers import Customer
from loyalty.models.programs import LoyaltyProgram
from loyalty.models.vendors import Store, Vendor
from loyalty.services import card_views, images, links
from loyalty.services.card_views import Offer
from loyalty.wallets.apple import ApplePasses, ApplePassFacts, Picture, StoreFacts, Translation

_STORE: Final = func.jsonb_build_array(Store.name, Store.address, Store.latitude, Store.longitude)
_STORES: Final = (
    select(func.coalesce(func.jsonb_agg(aggregate_order_by(_STORE, Store.id)), text("'[]'::jsonb")))
    .where(Store.vendor_id == LoyaltyCard.vendor_id, Store.active)
    .correlate(LoyaltyCard)
    .scalar_subquery()
    .label("stores")
)


# All that a pass shows as one statement, with one time for all of it.
_READING: Final = (
    select(
        LoyaltyCard.id,
        LoyaltyCard.vendor_id,
        LoyaltyCard.public_token,
        LoyaltyCard.stamp_count,
        LoyaltyCard.points_balance,
        LoyaltyCard.last_activity_at,
        LoyaltyCard.last_expiration_warning_at,
        LoyaltyCard.points_good_until,
        LoyaltyCard.card_number,
        LoyaltyCard.scan_code,
        LoyaltyCard.is_active,
        LoyaltyCard.ledger_seq,
        LoyaltyCard.apple_serial_number,
        LoyaltyCard.apple_auth_token,
        LoyaltyCard.apple_content_hash,
        LoyaltyCard.apple_changed_at,
        LoyaltyCard.apple_change_seq,
        LoyaltyCard.apple_fetched_at,
        LoyaltyCard.apple_shown_seq,
        LoyaltyProgram.card_name,
        LoyaltyProgram.card_color,
        LoyaltyProgram.loyalty_type,
        LoyaltyProgram.stamps_target,
        LoyaltyProgram.stamps_reward_description,
        LoyaltyProgram.minimum_redemption_points,
        LoyaltyProgram.points_expiration_days,
        LoyaltyProgram.logo_url,
        LoyaltyProgram.hero_image_url,
        LoyaltyProgram.terms_text,
        LoyaltyProgram.privacy_url,
        LoyaltyProgram.closes_on,
        Vendor.name,
        Customer.locale,
        card_views.OFFERS,
        _STORES,
        func.statement_timestamp().label("read_at"),
    )
    .join(Customer, Customer.id == LoyaltyCard.customer_id)
    .join(LoyaltyProgram, LoyaltyProgram.id == LoyaltyCard.program_id)
    .join(Vendor, Vendor.id == LoyaltyCard.vendor_id)
)
# Put together once: a phone's question is to cost little more than the signature.
_BY_SERIAL: Final = _READING.where(LoyaltyCard.apple_serial_number == bindparam("serial"))
_BY_ID: Final = _READING.where(LoyaltyCard.id == bindparam("card_id"))


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
    fetched_at: datetime | None
    fetched_seq: int | None

    @property
    def is_known(self) -> bool:
        """Whether it is noted already that somebody has fetched just this."""
        if self.fetched_at is None or self.changed_at is None or self.digest != self.noted:
            return False
        return self.fetched_seq == self.ledger_seq and self.fetched_at >= self.changed_at


def find(*, serial: str) -> AnyRow | None:
    """Read the card of a pass and all that it shows, in a statement of its own; whether it may be seen is not asked."""
    rows = run_alone(_BY_SERIAL, {"serial": serial})
    return rows[0] if rows else None


def read(*, card_id: UUID, apple: ApplePasses) -> ShownPass:
    """Read what the pass shows, in the caller's transaction."""
    return describe(db.session.connection().execute(_BY_ID, {"card_id": card_id}).one(), apple=apple)


def describe(row: Any, *, apple: ApplePasses) -> ShownPass:  # a row that stands for card, program and vendor alike
    """Say what the pass shows. The time is that of the statement: whatever it does not see comes later."""
    on_offer = card_views.priced(row, row, row.offers, row.locale)
    content = card_views.pass_content(row, row, row, on_offer)
    facts = _facts(row, card_views.find_goal(on_offer))
    return ShownPass(
        card_id=row.id,
        vendor_id=row.vendor_id,
        content=content,
        facts=facts,
        digest=apple.digest(content, facts),
        noted=row.apple_content_hash,
        changed_at=row.apple_changed_at,
        change_seq=row.apple_change_seq or 0,
        read_at=row.read_at,
        ledger_seq=row.ledger_seq,
        fetched_at=row.apple_fetched_at,
        fetched_seq=row.apple_shown_seq,
    )


def _facts(row: AnyRow, goal: Offer | None) -> ApplePassFacts:
    return ApplePassFacts(
        serial=row.apple_serial_number,
        auth_token=row.apple_auth_token,
        locale=row.locale,
        stores=tuple(StoreFacts(name, address or "", *place) for name, address, *place in row.stores),
        terms=row.terms_text,
        privacy_url=row.privacy_url,
        card_page=links.card(row.public_token),
        logo=_picture(row.logo_url),
        hero=_picture(row.hero_image_url),
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
