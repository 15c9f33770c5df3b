"""Consents: every yes and no to the terms and to news, with the words and the time."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from loyalty.database import AnyRow, db, new_id
from loyalty.domain.values import Actor, Role
from loyalty.models.consents import Consent, TermsVersion
from loyalty.models.customers import Customer
from loyalty.models.programs import LoyaltyProgram
from loyalty.services import roles
from loyalty.services.vendors import PublicVendor

# The words beside the box for news: a new version where their meaning changes.
NEWS_VERSION: Final = "2026-11"


@dataclass(frozen=True, slots=True)
class GivenConsent:
    """One yes or no; `is_current` where it is to the terms as they are now."""

    kind: str
    given: bool
    version: str
    source: str
    created_at: datetime
    is_current: bool


def note_joining(*, actor: Actor, vendor: PublicVendor, customer_id: UUID, news: bool, at: datetime) -> None:
    """In the caller's transaction, note what a new customer agreed to; a no to news only where the shop has asked.

    The customer's own row says it already: `customers.add` has just written it.
    """
    alone = actor.terminal_id is None and actor.user_id is None and actor.api_key_id is None
    source, vendor_id = "join" if alone else "counter", vendor.vendor_id
    _add(vendor_id, customer_id, "terms", True, _keep(vendor_id, vendor.terms_text, at), source, at)
    if news or (alone and vendor.ask_marketing):
        _add(vendor_id, customer_id, "marketing", news, NEWS_VERSION, source, at)


def accept_terms(*, vendor_id: UUID, customer_id: UUID, terms_text: str, source: str, at: datetime) -> None:
    """In the caller's transaction, note that a customer accepts the terms as they are now, and keep their words."""
    version = _keep(vendor_id, terms_text, at)
    _add(vendor_id, customer_id, "terms", True, version, source, at)
    theirs = update(Customer).where(Customer.id == customer_id, Customer.vendor_id == vendor_id)
    db.session.execute(theirs.values(terms_version=version, terms_accepted_at=at))


def decide_news(*, vendor_id: UUID, customer_id: UUID, given: bool, source: str, at: datetime) -> None:
    """In the caller's transaction, note a yes or a no to news of the shop."""
    _add(vendor_id, customer_id, "marketing", given, NEWS_VERSION, source, at)
    theirs = update(Customer).where(Customer.id == customer_id, Customer.vendor_id == vendor_id)
    db.session.execute(theirs.values(marketing_consent=given, marketing_consent_at=at))


def version_of(terms_text: str) -> str:
    """Return what stands for these words: a changed text is another version of the terms."""
    return hashlib.sha256(terms_text.encode()).hexdigest()[:16]


def list_all(*, actor: Actor, customer_id: UUID) -> list[GivenConsent]:
    """List what a customer of the actor's shop has agreed to, newest first."""
    roles.require(actor=actor, role=Role.MANAGER)
    return list_own(vendor_id=actor.vendor_id, customer_id=customer_id)


def list_own(*, vendor_id: UUID, customer_id: UUID) -> list[GivenConsent]:
    """List it for a customer who has proven the address."""
    terms = select(LoyaltyProgram.terms_text).where(LoyaltyProgram.vendor_id == vendor_id).scalar_subquery()
    query = (
        select(Consent.kind, Consent.given, Consent.version, Consent.source, Consent.created_at, terms.label("terms"))
        .where(Consent.customer_id == customer_id, Consent.vendor_id == vendor_id)
        .order_by(Consent.created_at.desc(), Consent.kind.desc(), Consent.id.desc())
    )
    return [_said(row) for row in db.session.execute(query)]


def _said(row: AnyRow) -> GivenConsent:
    is_current = row.version in (version_of(row.terms), NEWS_VERSION)
    return GivenConsent(row.kind, row.given, row.version, row.source, row.created_at, is_current)


def _keep(vendor_id: UUID, terms_text: str, at: datetime) -> str:
    """Keep the words of the terms; returns what stands for them."""
    version = version_of(terms_text)
    kept = upsert(TermsVersion).values(vendor_id=vendor_id, version=version, terms_text=terms_text, created_at=at)
    db.session.execute(kept.on_conflict_do_nothing())
    return version


def _add(vendor_id: UUID, customer_id: UUID, kind: str, given: bool, version: str, source: str, at: datetime) -> None:
    said = {"kind": kind, "given": given, "version": version, "source": source, "created_at": at}
    db.session.execute(insert(Consent).values(id=new_id(), vendor_id=vendor_id, customer_id=customer_id, **said))
