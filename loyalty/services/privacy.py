"""Erasing a customer: the person goes, in every table and both wallets; the ledger's amounts stay, without a person."""

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, update

from loyalty.database import AnyRow, clock, db
from loyalty.domain.values import Actor, Admin, RequestKey, Role
from loyalty.errors import NotFound
from loyalty.models.customers import Customer
from loyalty.models.mail import Confirmation
from loyalty.models.transactions import LoyaltyTransaction
from loyalty.services import audit, customers, idempotency, outbox, privacy_cards, privacy_rows, roles, webhook_events
from loyalty.services.privacy_rows import Person

_log = logging.getLogger(__name__)


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
    return idempotency.run(key, ErasureReceipt, lambda: _erase(actor, vendor_id, customer_id), vendor_id=vendor_id)


def erase_own(*, vendor_id: UUID, customer_id: UUID, key: RequestKey) -> ErasureReceipt:
    """Erase a customer who has proven the address and asks for it, once per key."""
    themselves = Actor(vendor_id=vendor_id, role=Role.STAFF)
    _vendor_of(customer_id, vendor_id)
    return idempotency.run(key, ErasureReceipt, lambda: _erase(themselves, vendor_id, customer_id), vendor_id=vendor_id)


def _vendor_of(customer_id: UUID, vendor_id: UUID | None) -> UUID:
    """Find whose customer it is; another vendor's is not found."""
    query = select(Customer.vendor_id).where(Customer.id == customer_id)
    found = db.session.execute(query).scalar_one_or_none()
    if found is None or vendor_id not in (None, found):
        raise NotFound
    return UUID(str(found))


def _erase(who: Actor | Admin, vendor_id: UUID, customer_id: UUID) -> ErasureReceipt:
    customer = _lock(vendor_id, customer_id)
    # The ledger names who did it and at which shop, and nothing of where from.
    actor = Actor(vendor_id=vendor_id, role=Role.ADMIN, user_id=who.user_id)
    privacy_cards.close_all(actor=actor, customer_id=customer_id)
    person = privacy_rows.find_person(vendor_id=vendor_id, customer_id=customer_id, email=customer.email)
    at = customer.erased_at or clock()
    if customer.erased_at is None:
        webhook_events.customer_erased(customer_id=customer_id, vendor_id=vendor_id, at=at)
    _end_what_waits(person)
    receipt = _receipt(person, privacy_rows.wipe(person), at)
    db.session.execute(update(Customer).where(Customer.id == customer_id).values(erased_at=at))
    _record(who, vendor_id, receipt)
    return receipt


def _lock(vendor_id: UUID, customer_id: UUID) -> AnyRow:
    """Lock the addresses first, as joining and mailing do: whoever comes with one of them finds all or nothing."""
    theirs = select(Customer.email, Customer.phone, Customer.erased_at).where(
        Customer.id == customer_id, Customer.vendor_id == vendor_id
    )
    known = db.session.execute(theirs).one()
    customers.lock_addresses(vendor_id=vendor_id, addresses=(known.email, known.phone))
    return db.session.execute(theirs.with_for_update()).one()


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
