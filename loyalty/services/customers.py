"""Customers: who is known under an address, and how a new one is written down."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, or_, select, text

from loyalty.database import db, new_id
from loyalty.domain.joining import Applicant
from loyalty.models.cards import LoyaltyCard
from loyalty.models.customers import Customer
from loyalty.services import replaced_codes


@dataclass(frozen=True, slots=True)
class KnownCustomer:
    """A customer and their card: the active one, else the newest, else none."""

    customer_id: UUID
    email: str | None
    locale: str
    card_id: UUID | None
    public_token: str | None


def lock_addresses(*, vendor_id: UUID, addresses: Iterable[str | None]) -> None:
    """Let others who come with one of these addresses wait until this transaction ends.

    A row that does not exist yet cannot be locked, and two people at once may bring the same address: one makes the
    card, the other finds it. In sorted order, so that two who share both addresses cannot wait for each other.
    """
    for number in sorted({_lock_number(vendor_id, address) for address in addresses if address}):
        db.session.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": number})


def find_by_address(*, vendor_id: UUID, email: str | None = None, phone: str | None = None) -> KnownCustomer | None:
    """Find the vendor's customer with this e-mail address, or with this phone number."""
    if email is None and phone is None:
        return None
    is_them = Customer.email == email if email is not None else Customer.phone == phone
    row = db.session.execute(
        select(Customer.id, Customer.email, Customer.locale, LoyaltyCard.id.label("card_id"), LoyaltyCard.public_token)
        .outerjoin(LoyaltyCard, (LoyaltyCard.customer_id == Customer.id) & replaced_codes.is_card())
        .where(Customer.vendor_id == vendor_id, is_them, Customer.erased_at.is_(None))
        .order_by(LoyaltyCard.is_active.desc().nulls_last(), LoyaltyCard.created_at.desc())
        .limit(1)
    ).one_or_none()
    return KnownCustomer(*row) if row else None


def add(*, vendor_id: UUID, applicant: Applicant, locale: str, terms_version: str, at: datetime) -> KnownCustomer:
    """Write a new customer down, their addresses locked; an address that is somebody else's is left out."""
    customer_id = new_id()
    taken = _find_taken(vendor_id, [address for address in (applicant.email, applicant.phone) if address])
    email, phone = (None if address in taken else address for address in (applicant.email, applicant.phone))
    db.session.execute(
        insert(Customer).values(
            id=customer_id,
            vendor_id=vendor_id,
            email=email,
            phone=phone,
            name=applicant.name,
            birth_date=applicant.birth_date,
            locale=locale,
            terms_version=terms_version,
            terms_accepted_at=at,
            marketing_consent=applicant.marketing_consent,
            marketing_consent_at=at if applicant.marketing_consent else None,
        )
    )
    return KnownCustomer(customer_id, email, locale, None, None)


def _lock_number(vendor_id: UUID, address: str) -> int:
    digest = hashlib.sha256(f"address\0{vendor_id}\0{address}".encode()).digest()
    return int.from_bytes(digest[:8], signed=True)


def _find_taken(vendor_id: UUID, addresses: list[str]) -> set[str | None]:
    """Find which of these addresses somebody has."""
    theirs = or_(Customer.email.in_(addresses), Customer.phone.in_(addresses))
    query = select(Customer.email, Customer.phone).where(Customer.vendor_id == vendor_id, theirs)
    return {address for row in db.session.execute(query.where(Customer.erased_at.is_(None))) for address in row}
