"""What customers do about their own data from the card page, once a mailed link has proven who they are."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select, update

from loyalty.database import AnyRow, db
from loyalty.domain import joining
from loyalty.domain.joining import JoinForm, Questions
from loyalty.domain.limits import local_day
from loyalty.domain.settings import LOCALES
from loyalty.domain.values import Actor, RequestKey, Role
from loyalty.errors import N_, CardNotFound, LinkExpired, ValidationError
from loyalty.models.cards import LoyaltyCard
from loyalty.models.customers import Customer
from loyalty.models.mail import Confirmation
from loyalty.models.programs import LoyaltyProgram
from loyalty.models.vendors import Vendor
from loyalty.services import (
    audit,
    confirmations,
    consents,
    customers,
    erasures,
    idempotency,
    messages,
    privacy,
    privacy_export,
)
from loyalty.services.consents import GivenConsent
from loyalty.services.erasures import PlannedErasure
from loyalty.services.privacy import ErasureReceipt
from loyalty.services.privacy_export import Export, Say

# A proof opens the data for this long; then another mail has to be asked for.
OPEN_FOR: Final = timedelta(hours=1)
PER_DAY: Final = 3


@dataclass(frozen=True, slots=True)
class OwnData:
    """What the page of a customer's data shows: of an unproven reader's, only what is kept and nothing of it."""

    customer_id: UUID
    vendor_id: UUID
    public_token: str
    email: str | None
    phone: str | None
    name: str | None
    birth_date: date | None
    locale: str
    marketing_consent: bool
    terms_text: str
    consents: list[GivenConsent]
    planned: PlannedErasure | None

    @property
    def terms_changed(self) -> bool:
        """Whether the shop's terms are no longer those that were accepted."""
        return not any(said.kind == "terms" and said.is_current for said in self.consents)


@dataclass(frozen=True, slots=True)
class MyDataReceipt:
    """Whose data it was about; `confirmation_id` is what a proven reader goes on with."""

    customer_id: UUID
    confirmation_id: UUID | None = None
    changed: tuple[str, ...] = ()
    replayed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrections:
    """What a customer corrects, as it was typed."""

    name: str
    birth_date: date | None
    locale: str
    marketing_consent: bool
    accept_terms: bool = False


def get(*, token: str) -> OwnData:
    """Read what is kept of the holder of a card; only its page decides how much of it is shown to whom."""
    row = _holder(token)
    return OwnData(
        customer_id=row.customer_id,
        vendor_id=row.vendor_id,
        public_token=token,
        email=row.email,
        phone=row.phone,
        name=row.name,
        birth_date=row.birth_date,
        locale=row.locale,
        marketing_consent=row.marketing_consent,
        terms_text=row.terms_text,
        consents=consents.list_own(vendor_id=row.vendor_id, customer_id=row.customer_id),
        planned=erasures.find(vendor_id=row.vendor_id, customer_id=row.customer_id),
    )


def ask(*, token: str, key: RequestKey, at: datetime) -> MyDataReceipt:
    """Mail a link that proves the address on file, at most three times a day; the answer is the same each time."""
    holder = _holder(token)

    def work() -> MyDataReceipt:
        if holder.email:
            customers.lock_addresses(vendor_id=holder.vendor_id, addresses=[holder.email])
            # Read again: whoever was erased meanwhile gets no mail.
            _mail_link(_holder(token), at)
        return MyDataReceipt(holder.customer_id)

    return idempotency.run(_called(key, holder), MyDataReceipt, work, vendor_id=holder.vendor_id)


def get_pending(*, token: str, proof: str, at: datetime) -> None:
    """Raise where a mailed link opens nothing any more; it stays unused."""
    pending = confirmations.get(token=proof, kind="my_data", at=at)
    _check_same(pending.form, pending.address, _holder(token))


def prove(*, token: str, proof: str, key: RequestKey, at: datetime) -> MyDataReceipt:
    """Use a mailed link, once: whoever presses its button has proven the address."""
    holder, confirmation_id = _holder(token), confirmations.get_id(token=proof, kind="my_data")

    def work() -> MyDataReceipt:
        pending = confirmations.use(confirmation_id=confirmation_id, at=at)
        _check_same(pending.form, pending.address, holder)
        return MyDataReceipt(holder.customer_id, confirmation_id)

    return idempotency.run(_proven_by(key, confirmation_id), MyDataReceipt, work, vendor_id=holder.vendor_id)


def is_proven(*, token: str, confirmation_id: UUID | None, at: datetime) -> bool:
    """Whether the holder of this card has proven the address within the last hour."""
    query = select(Confirmation.form, Confirmation.address).where(
        Confirmation.id == confirmation_id, Confirmation.kind == "my_data", Confirmation.used_at > at - OPEN_FOR
    )
    row = db.session.execute(query).one_or_none() if confirmation_id else None
    holder = _holder(token)
    return row is not None and row.form.get("customer_id") == str(holder.customer_id) and row.address == holder.email


def correct(
    *, token: str, confirmation_id: UUID | None, details: Corrections, key: RequestKey, at: datetime
) -> MyDataReceipt:
    """Correct name, birthday, language and the consents, once per key."""
    holder = _proven(token, confirmation_id, at)
    values = _checked(details, local_day(at, holder.timezone))

    def work() -> MyDataReceipt:
        changed = sorted(name for name, value in values.items() if getattr(holder, name) != value)
        _write(holder, values, at)
        changed += _consent(holder, details, at)
        _record(holder, "customer.corrected", changed)
        return MyDataReceipt(holder.customer_id, changed=tuple(changed))

    return idempotency.run(_proven_by(key, confirmation_id), MyDataReceipt, work, vendor_id=holder.vendor_id)


def export(*, token: str, confirmation_id: UUID | None, key: RequestKey, say: Say, at: datetime) -> Export:
    """Hand a customer all that is known about them."""
    holder = _proven(token, confirmation_id, at)
    own = {"vendor_id": holder.vendor_id, "customer_id": holder.customer_id}
    return privacy_export.export_own(key=_proven_by(key, confirmation_id), say=say, at=at, **own)


def erase_later(*, token: str, confirmation_id: UUID | None, key: RequestKey, at: datetime) -> MyDataReceipt:
    """Have a customer erased in a week, once per key."""
    holder = _proven(token, confirmation_id, at)

    def work() -> MyDataReceipt:
        erasures.schedule(vendor_id=holder.vendor_id, customer_id=holder.customer_id, reason="asked", at=at)
        return MyDataReceipt(holder.customer_id)

    return idempotency.run(_proven_by(key, confirmation_id), MyDataReceipt, work, vendor_id=holder.vendor_id)


def erase_now(*, token: str, confirmation_id: UUID | None, key: RequestKey, at: datetime) -> ErasureReceipt:
    """Erase a customer who does not want to wait; a second tap gets the same answer, though no card is left."""
    key = _proven_by(key, confirmation_id)
    if answered := idempotency.find(key, ErasureReceipt):
        return answered
    holder = _proven(token, confirmation_id, at)
    own = {"vendor_id": holder.vendor_id, "customer_id": holder.customer_id}
    return privacy.erase_own(key=key, **own)


def keep(*, token: str, key: RequestKey, at: datetime) -> MyDataReceipt:
    """Call a planned erasure off: whoever holds the card may, since it can be asked for again."""
    holder = _holder(token)

    def work() -> MyDataReceipt:
        erasures.call_off(vendor_id=holder.vendor_id, customer_id=holder.customer_id, at=at)
        return MyDataReceipt(holder.customer_id)

    return idempotency.run(_called(key, holder), MyDataReceipt, work, vendor_id=holder.vendor_id)


def _holder(token: str) -> AnyRow:
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


def _proven(token: str, confirmation_id: UUID | None, at: datetime) -> AnyRow:
    if not is_proven(token=token, confirmation_id=confirmation_id, at=at):
        raise LinkExpired
    return _holder(token)


def _called(key: RequestKey, holder: AnyRow) -> RequestKey:
    return replace(key, caller=f"my_data:{holder.customer_id}")


def _proven_by(key: RequestKey, confirmation_id: UUID | None) -> RequestKey:
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


def _check_same(form: object, address: str, holder: AnyRow) -> None:
    """Refuse a link that is another customer's, or went to an address that is no longer theirs."""
    if form != {"customer_id": str(holder.customer_id)} or address != holder.email:
        raise LinkExpired


def _checked(details: Corrections, today: date) -> dict[str, object]:
    asked = Questions(contact_field="email", country="LU", ask_name=True, ask_birthday=True, contact_required=False)
    person = joining.check(JoinForm(name=details.name, birth_date=details.birth_date), asked, today)
    if details.locale not in LOCALES:
        raise ValidationError({"locale": N_("Choose one of the list.")})
    return {"name": person.name, "birth_date": person.birth_date, "locale": details.locale}


def _write(holder: AnyRow, values: dict[str, object], at: datetime) -> None:
    """Write it down, unless they were erased meanwhile; whoever corrects their data wants to be known here."""
    theirs = (Customer.id == holder.customer_id, Customer.vendor_id == holder.vendor_id, Customer.erased_at.is_(None))
    written = update(Customer).where(*theirs).values(**values, kept_at=at).returning(Customer.id)
    if db.session.execute(written).one_or_none() is None:
        raise CardNotFound


def _consent(holder: AnyRow, details: Corrections, at: datetime) -> list[str]:
    whose, changed = {"vendor_id": holder.vendor_id, "customer_id": holder.customer_id}, []
    if details.marketing_consent != holder.marketing_consent:
        consents.decide_news(given=details.marketing_consent, source="my_data", at=at, **whose)
        changed.append("marketing_consent")
    if details.accept_terms:
        consents.accept_terms(terms_text=holder.terms_text, source="my_data", at=at, **whose)
        changed.append("terms_version")
    return changed


def _record(holder: AnyRow, action: str, changed: list[str]) -> None:
    themselves, details = Actor(vendor_id=holder.vendor_id, role=Role.STAFF), {"changed": changed}
    subject = holder.customer_id
    audit.record(actor=themselves, action=action, subject_type="customer", subject_id=subject, details=details)
