"""Finding a card by what was scanned or typed."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, or_, select

from loyalty.database import AnySelect, db
from loyalty.domain.codes import find_card_token, read_code
from loyalty.domain.people import AddressError, masked_name, normalise_email, normalise_phone
from loyalty.domain.values import Actor
from loyalty.models.cards import LoyaltyCard
from loyalty.models.customers import Customer
from loyalty.models.vendors import Vendor
from loyalty.services.card_views import last_visit

MOST_MATCHES = 5
SHORTEST_NAME = 2
LONGEST_TEXT = 200


@dataclass(frozen=True, slots=True)
class Match:
    """A card found by a search; the name is masked, of the phone the last three digits stand."""

    card_id: UUID
    card_number: str
    name: str | None
    phone_end: str | None
    last_visit_at: datetime | None


def look_up(*, actor: Actor, text: str) -> list[Match]:
    """Find cards of this vendor by what was scanned or typed: code, number, phone, e-mail or name; at most five."""
    typed = text.strip()[:LONGEST_TEXT]
    query = _search(actor).limit(MOST_MATCHES)
    if token := find_card_token(typed):
        return _matches(query.where(LoyaltyCard.public_token == token))
    if code := read_code(typed):
        column = LoyaltyCard.scan_code if code.scan_code else LoyaltyCard.card_number
        return _matches(query.where(column == (code.scan_code or code.card_number)))
    if "@" in typed:
        return _by_email(query, typed)
    if sum(letter.isdigit() for letter in typed) >= 5:
        return _by_phone(query, actor, typed)
    if len(typed) >= SHORTEST_NAME:
        start = typed.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        # Asked for a name, people say the first one or the last one.
        name = func.lower(Customer.name)
        return _matches(query.where(or_(name.like(f"{start}%"), name.like(f"% {start}%"))))
    return []


def _search(actor: Actor) -> AnySelect:
    return (
        select(LoyaltyCard, Customer.name, Customer.phone)
        .join(Customer, Customer.id == LoyaltyCard.customer_id)
        .where(LoyaltyCard.vendor_id == actor.vendor_id)
        .order_by(LoyaltyCard.is_active.desc(), LoyaltyCard.ledger_at.desc())
        .execution_options(populate_existing=True)
    )


def _matches(query: AnySelect) -> list[Match]:
    return [
        Match(
            card_id=row.LoyaltyCard.id,
            card_number=row.LoyaltyCard.card_number,
            name=masked_name(row.name) if row.name else None,
            phone_end=row.phone[-3:] if row.phone else None,
            last_visit_at=last_visit(row.LoyaltyCard),
        )
        for row in db.session.execute(query)
    ]


def _by_email(query: AnySelect, typed: str) -> list[Match]:
    try:
        return _matches(query.where(Customer.email == normalise_email(typed)))
    except AddressError:
        return []


def _by_phone(query: AnySelect, actor: Actor, typed: str) -> list[Match]:
    country = db.session.execute(select(Vendor.country).where(Vendor.id == actor.vendor_id)).scalar_one()
    try:
        return _matches(query.where(Customer.phone == normalise_phone(typed, country)))
    except AddressError:
        return []
