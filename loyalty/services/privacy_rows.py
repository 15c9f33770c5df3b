"""Which rows of the database are about a customer, and emptying them as the registry says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, cast
from uuid import UUID

from sqlalchemy import ColumnElement, CursorResult, Table, delete, false, func, or_, select, tuple_, update

from loyalty.database import Base, clock, db
from loyalty.domain.privacy import REGISTRY, Column, Erasing
from loyalty.domain.values import Actor, Admin, Role
from loyalty.models.audit import AuditEvent
from loyalty.models.cards import LoyaltyCard
from loyalty.models.consents import Consent
from loyalty.models.customers import Customer
from loyalty.models.idempotency import IdempotencyKey
from loyalty.models.mail import Confirmation, EmailLog
from loyalty.models.outbox import OutboxMessage
from loyalty.models.passes import AppleDevice, AppleDeviceRegistration
from loyalty.models.stats import CardStats
from loyalty.models.transactions import LoyaltyTransaction, TransactionDetail
from loyalty.services import messages

_CHANGED: Final = (Erasing.NULL, Erasing.REPLACE)
# Mails to an address that has no card yet, or had to be proven first.
PROOFS: Final = ("join", "my_data")
# Mails of which a copy may be kept.
_LEFT: Final = ("sending", "sent", "unknown")
# A sweep deletes them after 30 days.
_ANSWERS_LIVE: Final = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class Person:
    """A customer, and the rows about them that are found by more than their own id."""

    vendor_id: UUID
    customer_id: UUID
    card_ids: tuple[UUID, ...]
    mail_ids: tuple[UUID, ...]
    confirmation_ids: tuple[UUID, ...]


def find_person(*, vendor_id: UUID, customer_id: UUID, email: str | None) -> Person:
    """Find what is about a customer; while their addresses are still known, also the mails that came before a card."""
    cards = select(LoyaltyCard.id).where(LoyaltyCard.customer_id == customer_id, LoyaltyCard.vendor_id == vendor_id)
    card_ids = tuple(db.session.scalars(cards.order_by(LoyaltyCard.id)))
    proofs = select(Confirmation.id).where(Confirmation.kind.in_(PROOFS))
    to_them = _to_addresses_of_before(card_ids)
    if email:
        to_them |= EmailLog.address_hash == messages.address_hash(email)
    unnamed = EmailLog.card_id.is_(None) & EmailLog.confirmation_id.in_(proofs)
    mails = db.session.execute(
        select(EmailLog.id, EmailLog.confirmation_id)
        .where(EmailLog.vendor_id == vendor_id, or_(EmailLog.card_id.in_(card_ids), to_them & unnamed))
        .order_by(EmailLog.id)
    ).all()
    asked = tuple(mail.confirmation_id for mail in mails if mail.confirmation_id)
    return Person(vendor_id, customer_id, card_ids, tuple(mail.id for mail in mails), asked)


def _to_addresses_of_before(card_ids: Sequence[UUID]) -> ColumnElement[bool]:
    """Mails to where mails about these cards went, until the last of those: a corrected address may be a stranger's."""
    known = select(EmailLog.address_hash, func.max(EmailLog.created_at).label("until"))
    known = known.where(EmailLog.card_id.in_(card_ids), EmailLog.address_hash != "").group_by(EmailLog.address_hash)
    theirs = [
        (EmailLog.address_hash == row.address_hash) & (EmailLog.created_at <= row.until)
        for row in db.session.execute(known)
    ]
    return or_(false(), *theirs)


def conditions(person: Person) -> Mapping[str, ColumnElement[bool]]:
    """Say for each table of the registry with personal data which of its rows are about this customer."""
    cards = person.card_ids
    rows = select(LoyaltyTransaction.id).where(LoyaltyTransaction.card_id.in_(cards))
    phones = select(AppleDeviceRegistration.device_id).where(AppleDeviceRegistration.card_id.in_(cards))
    subjects = [str(subject) for subject in (person.customer_id, *cards)]
    return {
        "customers": (Customer.id == person.customer_id) & (Customer.vendor_id == person.vendor_id),
        "consents": (Consent.customer_id == person.customer_id) & (Consent.vendor_id == person.vendor_id),
        "loyalty_cards": LoyaltyCard.id.in_(cards),
        "loyalty_transactions": LoyaltyTransaction.card_id.in_(cards),
        "transaction_details": TransactionDetail.transaction_id.in_(rows),
        "email_logs": EmailLog.id.in_(person.mail_ids),
        "confirmations": Confirmation.id.in_(person.confirmation_ids),
        "outbox": _untold_mails(person),
        "idempotency_keys": _answers(person),
        "audit_events": (AuditEvent.vendor_id == person.vendor_id) & AuditEvent.subject_id.in_(subjects),
        "apple_devices": AppleDevice.id.in_(phones),
        "apple_device_registrations": AppleDeviceRegistration.card_id.in_(cards),
        "card_stats": CardStats.card_id.in_(cards),
    }


def wipe(person: Person) -> Mapping[str, int]:
    """In the caller's transaction, do to each table what the registry says; returns how many rows it was, by table."""
    theirs = conditions(person)
    personal = {name: table.of_customers for name, table in REGISTRY.items() if table.of_customers}
    return {name: _wipe(Base.metadata.tables[name], columns, theirs[name]) for name, columns in personal.items()}


def wipe_requests(*, confirmation_ids: Sequence[UUID], mail_ids: Sequence[UUID]) -> None:
    """In the caller's transaction, empty what was asked for from addresses that are nobody's, and its mails."""
    theirs = {
        "email_logs": EmailLog.id.in_(mail_ids),
        "confirmations": Confirmation.id.in_(confirmation_ids),
        "outbox": OutboxMessage.subject_id.in_(mail_ids) & OutboxMessage.kind.like("mail.%"),
    }
    for name, rows in theirs.items():
        _wipe(Base.metadata.tables[name], REGISTRY[name].of_customers, rows)


def end_mails(person: Person) -> list[UUID]:
    """In the caller's transaction, let no mail to the customer leave any more; returns those that left before."""
    mine = EmailLog.id.in_(person.mail_ids)
    db.session.execute(update(EmailLog).where(mine, EmailLog.state == "waiting").values(state="failed"))
    now = func.coalesce(OutboxMessage.gave_up_at, func.clock_timestamp())
    # Whoever holds one of them loses it and writes nothing down.
    ended = update(OutboxMessage).where(_untold_mails(person))
    db.session.execute(ended.values(gave_up_at=now, leased_until=None, lease_token=None))
    return list(db.session.scalars(select(EmailLog.id).where(mine, EmailLog.state.in_(_LEFT))))


def _wipe(table: Table, columns: Mapping[str, Column], theirs: ColumnElement[bool]) -> int:
    if any(column.erasing is Erasing.DELETE_ROW for column in columns.values()):
        return _count(db.session.execute(delete(table).where(theirs)))
    changed = {name: column for name, column in columns.items() if column.erasing in _CHANGED}
    if not changed:
        return 0
    keys = list(table.primary_key.columns)
    rows = db.session.execute(select(*keys).where(theirs)).all()
    for row in rows:
        # One by one: what is drawn anew is unique.
        own = [key == value for key, value in zip(keys, row, strict=True)]
        db.session.execute(update(table).where(*own).values(_afterwards(changed)))
    return len(rows)


def _afterwards(columns: Mapping[str, Column]) -> dict[str, object]:
    return {name: column.replacement() if column.replacement else None for name, column in columns.items()}


def _untold_mails(person: Person) -> ColumnElement[bool]:
    """Their rows of the outbox that may hold words about them: those of what was told are gone."""
    row = OutboxMessage
    return row.subject_id.in_(person.mail_ids) & row.delivered_at.is_(None) & row.kind.like("mail.%")


def _answers(person: Person) -> ColumnElement[bool]:
    """The stored answers to what wrote the customer's ledger: by its callers and keys, as the table is sorted."""
    row, answer = LoyaltyTransaction, IdempotencyKey
    wrote = select(row.terminal_id, row.api_key_id, row.user_id, row.idempotency_key)
    recent = row.transaction_at >= clock() - _ANSWERS_LIVE
    wrote = wrote.where(row.card_id.in_(person.card_ids), row.idempotency_key.is_not(None), recent)
    rows = db.session.execute(wrote.distinct()).all()
    pairs = {(caller, key) for *acted, key in rows for caller in _callers(person, *acted)}
    keys = {row.idempotency_key for row in rows}
    # A join form's caller ends with its digest, in hexadecimal.
    joined = answer.caller.between(f"join:{person.vendor_id}:", f"join:{person.vendor_id}:g") & answer.key.in_(keys)
    confirmed = answer.caller.in_([f"confirm:{confirmation_id}" for confirmation_id in person.confirmation_ids])
    asked = answer.caller == f"my_data:{person.customer_id}"
    return or_(tuple_(answer.caller, answer.key).in_(sorted(pairs)), joined, confirmed, asked)


def _callers(person: Person, terminal_id: UUID | None, api_key_id: UUID | None, user_id: UUID | None) -> set[str]:
    """Name whoever acted as the key of their request does, for a shop or for the platform."""
    who = Actor(person.vendor_id, Role.STAFF, terminal_id=terminal_id, api_key_id=api_key_id, user_id=user_id)
    return {who.caller, Admin(user_id=user_id).caller} if user_id else {who.caller}


def _count(done: Any) -> int:  # SQLAlchemy types the results of Core's DML as those of queries
    return int(cast(CursorResult[Any], done).rowcount)
