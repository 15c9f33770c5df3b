"""Proving to be a card's customer: a link mailed to the address on file opens the data for an hour."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select

from loyalty.database import AnyRow, db
from loyalty.domain.values import RequestKey
from loyalty.errors import CardNotFound, LinkExpired, ProofExpired
from loyalty.models.cards import LoyaltyCard
from loyalty.models.customers import Customer
from loyalty.models.mail import Confirmation
from loyalty.models.programs import LoyaltyProgram
from loyalty.models.vendors import Vendor
from loyalty.services import confirmations, customers, idempotency, messages

# Then another mail has to be asked for.
OPEN_FOR: Final = timedelta(hours=1)
PER_DAY: Final = 3


@dataclass(frozen=True, slots=True)
class MyDataReceipt:
    """Whose data it was about; `confirmation_id` is what a proven reader goes on with."""

    customer_id: UUID
    confirmation_id: UUID | None = None
    changed: tuple[str, ...] = ()
    replayed: bool = False


def ask(*, token: str, key: RequestKey, at: datetime) -> MyDataReceipt:
    """Mail a link that proves the address on file, at most three times a day; the answer is the same each time."""
    holder = get_holder(token=token)

    def work() -> MyDataReceipt:
        if holder.email:
            customers.lock_addresses(vendor_id=holder.vendor_id, addresses=[holder.email])
            # Read again: whoever was erased meanwhile gets no mail.
            _mail_link(get_holder(token=token), at)
        return MyDataReceipt(holder.customer_id)

    return idempotency.run(called(key=key, holder=holder), MyDataReceipt, work, vendor_id=holder.vendor_id)


def get_pending(*, token: str, proof: str, at: datetime) -> None:
    """Raise where a mailed link opens nothing any more; it stays unused."""
    pending = confirmations.get(token=proof, kind="my_data", at=at)
    _check_same(pending.form, pending.address, get_holder(token=token))


def prove(*, token: str, proof: str, key: RequestKey, at: datetime) -> MyDataReceipt:
    """Use a mailed link, once: whoever presses its button has proven the address."""
    holder, confirmation_id = get_holder(token=token), confirmations.get_id(token=proof, kind="my_data")

    def work() -> MyDataReceipt:
        pending = confirmations.use(confirmation_id=confirmation_id, at=at)
        _check_same(pending.form, pending.address, holder)
        return MyDataReceipt(holder.customer_id, confirmation_id)

    return idempotency.run(
        proven_by(key=key, confirmation_id=confirmation_id), MyDataReceipt, work, vendor_id=holder.vendor_id
    )


def is_proven(*, token: str, confirmation_id: UUID | None, at: datetime) -> bool:
    """Whether the holder of this card has proven the address within the last hour."""
    return _has_proven(get_holder(token=token), confirmation_id, at)


def get_holder(*, token: str) -> AnyRow:
    """Read whose card this is, or raise CardNotFound."""
    query = (
        select(
            LoyaltyCard.id.label("card_id"),
            LoyaltyCard.customer_id,
            LoyaltyCard.vendor_id,
            Customer.email,
            Customer.phone,
            Customer.name,
            Customer.birth_date,
            Customer.locale,
            Customer.marketing_consent,
            LoyaltyCard.google_object_id,
            Vendor.timezone,
            LoyaltyProgram.terms_text,
        )
        .join(Customer, Customer.id == LoyaltyCard.customer_id)
        .join(Vendor, Vendor.id == LoyaltyCard.vendor_id)
        .join(LoyaltyProgram, LoyaltyProgram.id == LoyaltyCard.program_id)
        .where(LoyaltyCard.public_token == token, Customer.erased_at.is_(None))
    )
    row = db.session.execute(query).one_or_none()
    if row is None:
        raise CardNotFound
    return row


def get_proven(*, token: str, confirmation_id: UUID | None, at: datetime) -> AnyRow:
    """Read whose card this is for a reader who has proven to be them, or raise ProofExpired."""
    holder = get_holder(token=token)
    if not _has_proven(holder, confirmation_id, at):
        raise ProofExpired
    return holder


def called(*, key: RequestKey, holder: AnyRow) -> RequestKey:
    """Return the key of what anybody with the card's address may ask."""
    return replace(key, caller=f"my_data:{holder.customer_id}")


def proven_by(*, key: RequestKey, confirmation_id: UUID | None) -> RequestKey:
    """Return the key of what only a proven reader may ask."""
    return replace(key, caller=f"confirm:{confirmation_id}")


def _mail_link(holder: AnyRow, at: datetime) -> None:
    to = {"vendor_id": holder.vendor_id, "recipient": holder.email, "at": at}
    if messages.count_recent(kinds=["confirm_my_data"], **to) >= PER_DAY:
        return
    asked = confirmations.add(
        vendor_id=holder.vendor_id,
        kind="my_data",
        address=holder.email,
        form={"customer_id": str(holder.customer_id)},
        locale=holder.locale,
        at=at,
    )
    own = {"event_key": str(asked), "card_id": holder.card_id, "confirmation_id": asked, "locale": holder.locale}
    messages.queue_mail(kind="confirm_my_data", **own, **to)


def _has_proven(holder: AnyRow, confirmation_id: UUID | None, at: datetime) -> bool:
    query = select(Confirmation.form, Confirmation.address).where(
        Confirmation.id == confirmation_id, Confirmation.kind == "my_data", Confirmation.used_at > at - OPEN_FOR
    )
    row = db.session.execute(query).one_or_none() if confirmation_id else None
    return row is not None and _is_same(row.form, row.address, holder)


def _check_same(form: object, address: str, holder: AnyRow) -> None:
    """Refuse a link that is another customer's, or went to an address that is no longer theirs."""
    if not _is_same(form, address, holder):
        raise LinkExpired


def _is_same(form: object, address: str, holder: AnyRow) -> bool:
    return form == {"customer_id": str(holder.customer_id)} and address == holder.email
