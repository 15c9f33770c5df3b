"""Erasing a customer: the person goes, in every table and both wallets; the ledger's amounts stay, without a person.

Whose cards were brought together are one person, and are erased together.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import func, select, update

from loyalty.database import AnyRow, clock, db
from loyalty.domain.values import Actor, Admin, RequestKey, Role
from loyalty.errors import NotFound
from loyalty.models.customers import Customer
from loyalty.models.mail import Confirmation
from loyalty.models.transactions import LoyaltyTransaction
from loyalty.services import (
    audit,
    customers,
    idempotency,
    outbox,
    privacy_cards,
    privacy_rows,
    roles,
    same_person,
    webhook_events,
)
from loyalty.services.privacy_rows import Person

_log = logging.getLogger(__name__)
_COUNTS: Final = ("cards", "entries_kept", "notes", "mails", "confirmations", "answers", "audit_events")


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureReceipt:
    """What was erased when, in numbers that name nobody; `entries_kept` are rows of the ledger."""

    customer_id: UUID
    erased_at: datetime
    cards: int
    entries_kept: int
    notes: int
    mails: int
    confirmations: int
    answers: int
    audit_events: int
    replayed: bool = False


def erase(*, actor: Actor | Admin, customer_id: UUID, key: RequestKey) -> ErasureReceipt:
    """Erase a customer for good, once per key: by the shop's owner or the platform's admin."""
    if isinstance(actor, Actor):
        roles.require(actor=actor, role=Role.OWNER)
    vendor_id = _vendor_of(customer_id, actor.vendor_id if isinstance(actor, Actor) else None)
    return _run(_Order(actor, vendor_id, customer_id), key)


def erase_own(*, vendor_id: UUID, customer_id: UUID, key: RequestKey) -> ErasureReceipt:
    """Erase a customer who has proven the address and asks for it, once per key."""
    return _run(_Order(_themselves(vendor_id), _vendor_of(customer_id, vendor_id), customer_id), key)


def erase_silent(*, vendor_id: UUID, customer_id: UUID, key: RequestKey) -> ErasureReceipt:
    """Erase a customer for being silent, once per key: alone, as the same person may come with another card."""
    order = _Order(_themselves(vendor_id), _vendor_of(customer_id, vendor_id), customer_id, is_whole=False)
    return _run(order, key)


@dataclass(frozen=True, slots=True)
class _Order:
    """Who has whom erased: the whole person, or this one customer."""

    who: Actor | Admin
    vendor_id: UUID
    customer_id: UUID
    is_whole: bool = True

    def find_all(self) -> tuple[UUID, ...]:
        if not self.is_whole:
            return (self.customer_id,)
        return same_person.find_all(vendor_id=self.vendor_id, customer_id=self.customer_id)


def _vendor_of(customer_id: UUID, vendor_id: UUID | None) -> UUID:
    """Find whose customer it is; another vendor's is not found."""
    query = select(Customer.vendor_id).where(Customer.id == customer_id)
    found = db.session.execute(query).scalar_one_or_none()
    if found is None or vendor_id not in (None, found):
        raise NotFound
    return UUID(str(found))


def _themselves(vendor_id: UUID) -> Actor:
    return Actor(vendor_id=vendor_id, role=Role.STAFF)


def _run(order: _Order, key: RequestKey) -> ErasureReceipt:
    return idempotency.run(key, ErasureReceipt, lambda: _erase(order), vendor_id=order.vendor_id)


def _erase(order: _Order) -> ErasureReceipt:
    # Whoever was erased before is not erased anew because of another, only when asked for.
    meant = [row for row in _lock_and_close(order) if row.erased_at is None or row.id == order.customer_id]
    receipts = [_forget(order, customer) for customer in meant]
    (own,) = (receipt for receipt in receipts if receipt.customer_id == order.customer_id)
    return replace(own, **{name: sum(getattr(each, name) for each in receipts) for name in _COUNTS})


def _lock_and_close(order: _Order) -> Sequence[AnyRow]:
    """Lock everybody who is meant and close their cards, again where two were brought together meanwhile.

    Closed cards are brought together with no other: those who were found then are all.
    """
    # The ledger names who did it and at which shop, and nothing of where from.
    actor = Actor(vendor_id=order.vendor_id, role=Role.ADMIN, user_id=order.who.user_id)
    while True:
        customer_ids = order.find_all()
        customers_locked = _lock(order.vendor_id, customer_ids)
        privacy_cards.close_all(actor=actor, customer_ids=customer_ids)
        if order.find_all() == customer_ids:
            return customers_locked


def _lock(vendor_id: UUID, customer_ids: Sequence[UUID]) -> Sequence[AnyRow]:
    """Lock the addresses first, as joining and mailing do: whoever comes with one of them finds all or nothing."""
    theirs = (
        select(Customer.id, Customer.email, Customer.phone, Customer.erased_at)
        .where(Customer.id.in_(customer_ids), Customer.vendor_id == vendor_id)
        .order_by(Customer.id)
    )
    known = db.session.execute(theirs).all()
    addresses = [address for row in known for address in (row.email, row.phone)]
    customers.lock_addresses(vendor_id=vendor_id, addresses=addresses)
    return db.session.execute(theirs.with_for_update()).all()


def _forget(order: _Order, customer: AnyRow) -> ErasureReceipt:
    vendor_id = order.vendor_id
    person = privacy_rows.find_person(vendor_id=vendor_id, customer_id=customer.id, email=customer.email)
    at = customer.erased_at or clock()
    if customer.erased_at is None:
        webhook_events.customer_erased(customer_id=customer.id, vendor_id=vendor_id, at=at)
    _end_what_waits(person)
    receipt = _receipt(person, privacy_rows.wipe(person), at)
    db.session.execute(update(Customer).where(Customer.id == customer.id).values(erased_at=at))
    _record(order.who, vendor_id, receipt)
    return receipt


def _end_what_waits(person: Person) -> None:
    """Let no mail leave and no mailed link work any more; copies of what left are deleted by a worker."""
    for mail_id in privacy_rows.end_mails(person):
        outbox.add(kind="privacy.mail", subject_id=mail_id, vendor_id=person.vendor_id)
    asked = update(Confirmation).where(Confirmation.id.in_(person.confirmation_ids))
    db.session.execute(asked.values(used_at=func.coalesce(Confirmation.used_at, func.clock_timestamp())))


def _receipt(person: Person, wiped: Mapping[str, int], at: datetime) -> ErasureReceipt:
    kept = select(func.count()).where(LoyaltyTransaction.card_id.in_(person.card_ids))
    return ErasureReceipt(
        customer_id=person.customer_id,
        erased_at=at,
        cards=len(person.card_ids),
        entries_kept=db.session.execute(kept).scalar_one(),
        notes=wiped["transaction_details"],
        mails=wiped["email_logs"],
        confirmations=wiped["confirmations"],
        answers=wiped["idempotency_keys"],
        audit_events=wiped["audit_events"],
    )


def _record(who: Actor | Admin, vendor_id: UUID, receipt: ErasureReceipt) -> None:
    details = {name: value for name, value in asdict(receipt).items() if isinstance(value, int) and name != "replayed"}
    audit.record(
        actor=who,
        action="customer.erased",
        subject_type="customer",
        subject_id=receipt.customer_id,
        details=details | {"erased_at": receipt.erased_at.isoformat()},
        vendor_id=vendor_id,
    )
    _log.info("customer erased", extra={"customer": receipt.customer_id, "cards": receipt.cards})
