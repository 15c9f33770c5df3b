"""Customers who are one person: the office brought their cards together, and it stayed so."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import cast, exists, select
from sqlalchemy.orm import aliased
from sqlalchemy.types import Uuid

from loyalty.database import db
from loyalty.domain.values import TransactionType
from loyalty.models.audit import AuditEvent
from loyalty.models.cards import LoyaltyCard
from loyalty.models.customers import Customer
from loyalty.models.transactions import LoyaltyTransaction
from loyalty.services import replaced_codes


def find_all(*, vendor_id: UUID, customer_id: UUID) -> tuple[UUID, ...]:
    """Find the customers who are one person with this one, also by way of a third, and this one, sorted."""
    pairs, found, before = _pairs(vendor_id), {customer_id}, set[UUID]()
    while found != before:
        before = found
        found = before.union(*(pair for pair in pairs if not before.isdisjoint(pair)))
    return tuple(sorted(found))


def list_other_cards(*, vendor_id: UUID, customer_id: UUID) -> Sequence[str]:
    """List the numbers of the cards that the same person has as another customer."""
    others = [each for each in find_all(vendor_id=vendor_id, customer_id=customer_id) if each != customer_id]
    known = (Customer.id.in_(others), Customer.vendor_id == vendor_id, Customer.erased_at.is_(None))
    cards = select(LoyaltyCard.card_number).join(Customer, Customer.id == LoyaltyCard.customer_id)
    return db.session.scalars(cards.where(*known, replaced_codes.is_card()).order_by(LoyaltyCard.id)).all()


def _pairs(vendor_id: UUID) -> list[set[UUID]]:
    """Read who was brought together; who has the emptied card open again is somebody else after all."""
    kept, emptied, row = aliased(LoyaltyCard), aliased(LoyaltyCard), LoyaltyTransaction
    opened_again = exists().where(
        row.card_id == emptied.id,
        row.transaction_type == TransactionType.CARD_REACTIVATED,
        row.transaction_at > AuditEvent.created_at,
    )
    query = (
        select(kept.customer_id, emptied.customer_id)
        .select_from(AuditEvent)
        .join(kept, kept.id == cast(AuditEvent.subject_id, Uuid))
        .join(emptied, emptied.id == cast(AuditEvent.details["from"].astext, Uuid))
        .where(AuditEvent.vendor_id == vendor_id, AuditEvent.action == "card.merged", ~opened_again)
        .where(kept.vendor_id == vendor_id, emptied.vendor_id == vendor_id)
    )
    return [set(pair) for pair in db.session.execute(query)]
