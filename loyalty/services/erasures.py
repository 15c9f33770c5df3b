"""Erasures that wait: a week for those who asked, so that they may change their mind, a month for the inactive."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, select, update

from loyalty.database import db
from loyalty.domain.values import Actor, Role
from loyalty.models.cards import LoyaltyCard
from loyalty.models.customers import Customer
from loyalty.services import audit

SECOND_THOUGHTS: Final = timedelta(days=7)
NOTICE: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class PlannedErasure:
    """When a customer will be erased, and why: "asked" or "inactive"."""

    erase_at: datetime
    reason: str


def find(*, vendor_id: UUID, customer_id: UUID) -> PlannedErasure | None:
    """Find when a customer will be erased, None where nobody plans to."""
    return _find(Customer.id == customer_id, vendor_id)


def find_of_card(*, vendor_id: UUID, card_id: UUID) -> PlannedErasure | None:
    """Find when the holder of a card will be erased."""
    holder = select(LoyaltyCard.customer_id).where(LoyaltyCard.id == card_id)
    return _find(Customer.id == holder.scalar_subquery(), vendor_id)


def schedule(*, vendor_id: UUID, customer_id: UUID, reason: str, at: datetime) -> bool:
    """In the caller's transaction, have a customer erased later; False where they have asked for it before."""
    later = at + (SECOND_THOUGHTS if reason == "asked" else NOTICE)
    theirs = (*_theirs(vendor_id, customer_id), Customer.erase_reason.is_distinct_from("asked"))
    if not _change(theirs, erase_at=later, erase_reason=reason, erase_asked_at=at):
        return False
    _record(vendor_id, customer_id, "customer.erasure_scheduled", reason=reason, erase_at=later.isoformat())
    return True


def call_off(*, vendor_id: UUID, customer_id: UUID, at: datetime) -> bool:
    """In the caller's transaction, keep a customer who wants to stay; False where nothing was planned."""
    planned = (*_theirs(vendor_id, customer_id), Customer.erase_at.is_not(None))
    if not _change(planned, erase_at=None, erase_reason=None, erase_asked_at=None, kept_at=at):
        return False
    _record(vendor_id, customer_id, "customer.erasure_called_off")
    return True


def _find(is_them: ColumnElement[bool], vendor_id: UUID) -> PlannedErasure | None:
    query = select(Customer.erase_at, Customer.erase_reason)
    row = db.session.execute(query.where(is_them, Customer.vendor_id == vendor_id)).one_or_none()
    return PlannedErasure(row.erase_at, row.erase_reason or "") if row and row.erase_at else None


def _theirs(vendor_id: UUID, customer_id: UUID) -> tuple[Any, ...]:  # conditions of all types
    return Customer.id == customer_id, Customer.vendor_id == vendor_id, Customer.erased_at.is_(None)


def _change(theirs: tuple[Any, ...], **values: Any) -> bool:  # columns of all types
    changed = update(Customer).where(*theirs).values(**values).returning(Customer.id)
    return db.session.execute(changed).one_or_none() is not None


def _record(vendor_id: UUID, customer_id: UUID, action: str, **details: str) -> None:
    nobody = Actor(vendor_id=vendor_id, role=Role.STAFF)
    audit.record(actor=nobody, action=action, subject_type="customer", subject_id=customer_id, details=details)
