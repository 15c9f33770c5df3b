"""What customers do about their own data from the card page, once a mailed link has proven who they are."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import update

from loyalty.database import AnyRow, db
from loyalty.domain import joining
from loyalty.domain.joining import JoinForm, Questions
from loyalty.domain.limits import local_day
from loyalty.domain.settings import LOCALES
from loyalty.domain.values import Actor, RequestKey, Role
from loyalty.errors import N_, CardNotFound, ValidationError
from loyalty.models.customers import Customer
from loyalty.services import (
    audit,
    consents,
    erasures,
    idempotency,
    my_data_proofs,
    privacy,
    privacy_export,
    same_person,
    wallet_updates,
)
from loyalty.services.consents import GivenConsent
from loyalty.services.erasures import PlannedErasure
from loyalty.services.my_data_proofs import MyDataReceipt
from loyalty.services.privacy import ErasureReceipt
from loyalty.services.privacy_export import Export, Say


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
    return _own(token, my_data_proofs.get_holder(token=token))


def get_proven(*, token: str, confirmation_id: UUID | None, at: datetime) -> OwnData:
    """Read it for a reader who has proven the address, or raise ProofExpired."""
    return _own(token, my_data_proofs.get_proven(token=token, confirmation_id=confirmation_id, at=at))


def has_other_cards(*, own: OwnData) -> bool:
    """Whether the customer is one person with another, so that being forgotten ends another card, too."""
    return bool(same_person.list_other_cards(vendor_id=own.vendor_id, customer_id=own.customer_id))


def correct(
    *, token: str, confirmation_id: UUID | None, details: Corrections, key: RequestKey, at: datetime
) -> MyDataReceipt:
    """Correct name, birthday, language and the consents, once per key."""
    holder = my_data_proofs.get_proven(token=token, confirmation_id=confirmation_id, at=at)
    values = _checked(details, local_day(at, holder.timezone))

    def work() -> MyDataReceipt:
        changed = sorted(name for name, value in values.items() if getattr(holder, name) != value)
        _write(holder, values, at)
        if "locale" in changed:
            # The passes speak the new language.
            at_google = holder.google_object_id is not None
            wallet_updates.tell(card_id=holder.card_id, vendor_id=holder.vendor_id, at_google=at_google)
        changed += _consent(holder, details, at)
        _record(holder, "customer.corrected", changed)
        return MyDataReceipt(holder.customer_id, changed=tuple(changed))

    return idempotency.run(
        my_data_proofs.proven_by(key=key, confirmation_id=confirmation_id),
        MyDataReceipt,
        work,
        vendor_id=holder.vendor_id,
    )


def export(*, token: str, confirmation_id: UUID | None, key: RequestKey, say: Say, at: datetime) -> Export:
    """Hand a customer all that is known about them."""
    holder = my_data_proofs.get_proven(token=token, confirmation_id=confirmation_id, at=at)
    own = {"vendor_id": holder.vendor_id, "customer_id": holder.customer_id}
    return privacy_export.export_own(
        key=my_data_proofs.proven_by(key=key, confirmation_id=confirmation_id), say=say, at=at, **own
    )


def erase_later(*, token: str, confirmation_id: UUID | None, key: RequestKey, at: datetime) -> MyDataReceipt:
    """Have a customer erased in a week, once per key."""
    holder = my_data_proofs.get_proven(token=token, confirmation_id=confirmation_id, at=at)

    def work() -> MyDataReceipt:
        erasures.schedule(vendor_id=holder.vendor_id, customer_id=holder.customer_id, reason="asked", at=at)
        return MyDataReceipt(holder.customer_id)

    return idempotency.run(
        my_data_proofs.proven_by(key=key, confirmation_id=confirmation_id),
        MyDataReceipt,
        work,
        vendor_id=holder.vendor_id,
    )


def erase_now(*, token: str, confirmation_id: UUID | None, key: RequestKey, at: datetime) -> ErasureReceipt:
    """Erase a customer who does not want to wait; a second tap gets the same answer, though no card is left."""
    key = my_data_proofs.proven_by(key=key, confirmation_id=confirmation_id)
    if answered := idempotency.find(key, ErasureReceipt):
        return answered
    holder = my_data_proofs.get_proven(token=token, confirmation_id=confirmation_id, at=at)
    own = {"vendor_id": holder.vendor_id, "customer_id": holder.customer_id}
    return privacy.erase_own(key=key, **own)


def keep(*, token: str, key: RequestKey, at: datetime) -> MyDataReceipt:
    """Call a planned erasure off: whoever holds the card may, since it can be asked for again."""
    holder = my_data_proofs.get_holder(token=token)

    def work() -> MyDataReceipt:
        erasures.call_off(vendor_id=holder.vendor_id, customer_id=holder.customer_id, at=at)
        return MyDataReceipt(holder.customer_id)

    return idempotency.run(
        my_data_proofs.called(key=key, holder=holder), MyDataReceipt, work, vendor_id=holder.vendor_id
    )


def _own(token: str, row: AnyRow) -> OwnData:
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
