"""Ending a shop's news by the link in each of them, without signing in anywhere."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from loyalty.database import AnyRow, db, transaction
from loyalty.errors import NotFound
from loyalty.models.customers import Customer
from loyalty.models.vendors import Vendor
from loyalty.services import consents, links


@dataclass(frozen=True, slots=True)
class Subscription:
    """Whose news they are, and whether they are still wanted."""

    vendor_name: str
    locale: str
    is_on: bool


def get(*, token: str) -> Subscription:
    """Get what a link ends, and leave it as it is: mail scanners open links, too."""
    row = _find(token)
    return Subscription(row.name, row.locale, row.marketing_consent)


def end(*, token: str, at: datetime) -> None:
    """Note that a customer wants no more news; once more changes nothing."""
    with transaction():
        row = _find(token, lock=True)
        if row.marketing_consent:
            consents.decide_news(vendor_id=row.vendor_id, customer_id=row.id, given=False, source="mail", at=at)


def _find(token: str, *, lock: bool = False) -> AnyRow:
    query = (
        select(Customer.id, Customer.vendor_id, Customer.locale, Customer.marketing_consent, Vendor.name)
        .join(Vendor, Vendor.id == Customer.vendor_id)
        .where(Customer.id == links.read_confirmation(token, "news"), Customer.erased_at.is_(None))
    )
    row = db.session.execute(query.with_for_update(of=Customer) if lock else query).one_or_none()
    if row is None:
        raise NotFound
    return row
