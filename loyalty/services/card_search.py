"""Finding a card by what was scanned or typed."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, Boolean, ColumnElement, Text, Uuid, and_, any_, func, literal_column, or_, select

from loyalty.database import AnySelect, db
from loyalty.domain.codes import find_card_token, read_code
from loyalty.domain.people import AddressError, masked_name, normalise_email, normalise_phone
from loyalty.domain.values import Actor
from loyalty.errors import CardReplaced
from loyalty.models.cards import LoyaltyCard
from loyalty.models.customers import FROM_SECOND, FROM_THIRD, LONG_NAME, Customer
from loyalty.models.transactions import LoyaltyTransaction
from loyalty.models.vendors import Vendor
from loyalty.services import replaced_codes
from loyalty.services.card_views import last_visit

MOST_MATCHES = 5
SHORTEST_NAME = 2
LONGEST_TEXT = 200
# In so many of the shop's newest entries those are looked for first who have a name that many have.
LATEST_ENTRIES = 1_000


@dataclass(frozen=True, slots=True)
class Match:
    """A card found by a search; the name is masked, of the phone the last three digits stand."""

    card_id: UUID
    card_number: str
    name: str | None
    phone_end: str | None
    last_visit_at: datetime | None


def look_up(*, actor: Actor, text: str) -> list[Match]:
    """Find cards of this vendor by what was scanned or typed: code, number, phone, e-mail or name; at most five."""
    fits = find_condition(actor=actor, text=text)
    if fits is None:
        return []
    query = _search(actor).where(fits, replaced_codes.is_card()).limit(MOST_MATCHES)
    found = _matches(query.where(*_came_lately(actor))) if _is_name(text.strip()) else []
    # Who came lately stands before everybody else; only where they are fewer, all have to be read and put in order.
    found = found if len(found) == MOST_MATCHES else _matches(query)
    if not found:
        _refuse_replaced(actor, fits)
    return found


def find_condition(*, actor: Actor, text: str) -> ColumnElement[bool] | None:
    """Return what cards and their customers must fulfil to fit what was typed; None where nothing can."""
    typed = text.strip()[:LONGEST_TEXT]
    if token := find_card_token(typed):
        return LoyaltyCard.public_token == token
    if code := read_code(typed):
        column = LoyaltyCard.scan_code if code.scan_code else LoyaltyCard.card_number
        return column == (code.scan_code or code.card_number)
    fits = _find_person(actor, typed)
    # Said of the customer too: by it their indexes serve, where otherwise all cards of the shop would be read.
    return None if fits is None else and_(Customer.vendor_id == actor.vendor_id, fits)


def _find_person(actor: Actor, typed: str) -> ColumnElement[bool] | None:
    if "@" in typed:
        return _by_email(typed)
    if _is_phone(typed):
        return _by_phone(actor, typed)
    if len(typed) >= SHORTEST_NAME:
        return _by_name(typed)
    return None


def _by_name(typed: str) -> ColumnElement[bool]:
    """Asked for a name, people say the first one, the last one or one between: each is found in an index of its own."""
    plain = " ".join(unicodedata.normalize("NFC", typed).split())
    starts = [start.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%" for start in _lowered(plain)]
    return or_(*map(_begins, starts))


def _lowered(name: str) -> list[str]:
    """Return a name in small letters in each way that databases write them: they differ in Σ at the end, and in İ."""
    return sorted({name.lower(), "".join(letter.lower()[0] for letter in name).replace("ς", "σ")})


def _begins(start: str) -> ColumnElement[bool]:
    name = func.lower(Customer.name)
    later = (literal_column(words.replace("name", "customers.name"), Text) for words in (FROM_SECOND, FROM_THIRD))
    is_long = literal_column(LONG_NAME.replace("name", "customers.name"), Boolean)
    return or_(name.like(start), *(words.like(start) for words in later), and_(is_long, name.like(f"% {start}")))


def _is_phone(typed: str) -> bool:
    return sum(letter.isdigit() for letter in typed) >= 5


def _is_name(typed: str) -> bool:
    return not (find_card_token(typed) or read_code(typed) or "@" in typed or _is_phone(typed))


def _came_lately(actor: Actor) -> tuple[ColumnElement[bool], ...]:
    row = LoyaltyTransaction
    newest = select(row.card_id).where(row.vendor_id == actor.vendor_id).order_by(row.transaction_at.desc())
    # An array, so that few cards are looked up, where for so many rows all cards of the shop would be read.
    cards = func.array(newest.limit(LATEST_ENTRIES).scalar_subquery(), type_=ARRAY(Uuid))
    return LoyaltyCard.is_active.is_(True), LoyaltyCard.id == any_(cards)


def _refuse_replaced(actor: Actor, fits: ColumnElement[bool]) -> None:
    """Say that what was scanned is an old code, where it is one; people are never found by their old cards alone."""
    old = select(LoyaltyCard.replaced_at).join(Customer, Customer.id == LoyaltyCard.customer_id)
    mine = (LoyaltyCard.vendor_id == actor.vendor_id, replaced_codes.is_replaced(), fits)
    if replaced_at := db.session.scalar(old.where(*mine).limit(1)):
        raise CardReplaced(replaced_at=replaced_at)


def _search(actor: Actor) -> AnySelect:
    return (
        select(LoyaltyCard, Customer.name, Customer.phone)
        .join(Customer, Customer.id == LoyaltyCard.customer_id)
        .where(LoyaltyCard.vendor_id == actor.vendor_id)
        .order_by(LoyaltyCard.is_active.desc(), LoyaltyCard.ledger_at.desc())
        .execution_options(populate_existing=True)
    )


def _matches(query: AnySelect) -> list[Match]:
    return [
        Match(
            card_id=row.LoyaltyCard.id,
            card_number=row.LoyaltyCard.card_number,
            name=masked_name(row.name) if row.name else None,
            phone_end=row.phone[-3:] if row.phone else None,
            last_visit_at=last_visit(row.LoyaltyCard),
        )
        for row in db.session.execute(query)
    ]


def _by_email(typed: str) -> ColumnElement[bool] | None:
    try:
        return Customer.email == normalise_email(typed)
    except AddressError:
        return None


def _by_phone(actor: Actor, typed: str) -> ColumnElement[bool] | None:
    country = db.session.execute(select(Vendor.country).where(Vendor.id == actor.vendor_id)).scalar_one()
    try:
        return Customer.phone == normalise_phone(typed, country)
    except AddressError:
        return None
