"""The cards of a shop as its office lists them: searched, filtered, newest first."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, false, func, or_, select, tuple_

from loyalty.database import AnyRow, AnySelect, db, end_reading
from loyalty.domain.codes import read_code
from loyalty.domain.values import Actor, Role
from loyalty.models.cards import LoyaltyCard
from loyalty.models.customers import Customer
from loyalty.services import card_search, replaced_codes, roles, wallet_states
from loyalty.services.card_views import last_visit

PER_PAGE: Final = 50
# How many cards are read at once where all of them are wanted.
CHUNK: Final = 1000
FILTERS: Final = ("all", "active", "inactive", "behind")
_NEWEST_FIRST: Final = (LoyaltyCard.created_at.desc(), LoyaltyCard.id.desc())


@dataclass(frozen=True, slots=True)
class CardRow:
    """A card in the list; `is_behind` where a wallet shows something else than the card has."""

    card_id: UUID
    card_number: str
    name: str | None
    email: str | None
    phone: str | None
    stamp_count: int
    points_balance: int
    joined_at: datetime
    last_visit_at: datetime | None
    is_active: bool
    in_apple: bool
    in_google: bool
    is_behind: bool


@dataclass(frozen=True, slots=True)
class CardPage:
    """One page of the list, and how long the list is."""

    rows: list[CardRow]
    total: int
    number: int
    pages: int


def list_cards(*, actor: Actor, text: str = "", show: str = "all", page: int = 1) -> CardPage:
    """List the cards that fit what was typed and chosen; a page beyond the last one is the last one."""
    roles.require(actor=actor, role=Role.MANAGER)
    fits = _conditions(actor, text, show)
    found = select(LoyaltyCard.id).where(*fits)
    if text.strip():
        found = found.join(Customer, Customer.id == LoyaltyCard.customer_id)
    total = db.session.execute(select(func.count()).select_from(found.subquery())).scalar_one()
    pages = max(1, -(-total // PER_PAGE))
    number = min(max(1, page), pages)
    # Of the pages before this one no more is read than the index has.
    here = found.order_by(*_NEWEST_FIRST).limit(PER_PAGE).offset((number - 1) * PER_PAGE)
    rows = [_row(row) for row in db.session.execute(_cards([LoyaltyCard.id.in_(here)]))] if total else []
    return CardPage(rows, total, number, pages)


def stream(*, actor: Actor, text: str = "", show: str = "all") -> Iterator[CardRow]:
    """Read all cards that fit, newest first, a part at a time, so that no connection waits for a slow download."""
    roles.require(actor=actor, role=Role.MANAGER)
    return _parts(_conditions(actor, text, show))


def _parts(fits: list[ColumnElement[bool]]) -> Iterator[CardRow]:
    query = _cards(fits).limit(CHUNK)
    while rows := [_row(row) for row in db.session.execute(query)]:
        end_reading()
        yield from rows
        if len(rows) < CHUNK:
            return
        last = (rows[-1].joined_at, rows[-1].card_id)
        query = _cards([*fits, tuple_(LoyaltyCard.created_at, LoyaltyCard.id) < last]).limit(CHUNK)


def _cards(fits: list[ColumnElement[bool]]) -> AnySelect:
    return (
        select(
            LoyaltyCard,
            Customer.name,
            Customer.email,
            Customer.phone,
            wallet_states.on_phones().label("in_apple"),
            wallet_states.is_behind().label("is_behind"),
        )
        .join(Customer, Customer.id == LoyaltyCard.customer_id)
        .where(*fits)
        .order_by(*_NEWEST_FIRST)
        .execution_options(populate_existing=True)
    )


def _conditions(actor: Actor, text: str, show: str) -> list[ColumnElement[bool]]:
    fits: list[ColumnElement[bool]] = [LoyaltyCard.vendor_id == actor.vendor_id, replaced_codes.is_card()]
    if text.strip():
        found = card_search.find_condition(actor=actor, text=text)
        if found is not None and (code := read_code(text)):
            # The office also looks for what is printed on a card that was replaced.
            found = or_(found, replaced_codes.had_code(vendor_id=actor.vendor_id, card=code))
        fits.append(false() if found is None else found)
    if show in ("active", "inactive"):
        fits.append(LoyaltyCard.is_active.is_(show == "active"))
    elif show == "behind":
        fits.append(wallet_states.is_behind())
    return fits


def _row(row: AnyRow) -> CardRow:
    card = row.LoyaltyCard
    return CardRow(
        card_id=card.id,
        card_number=card.card_number,
        name=row.name,
        email=row.email,
        phone=row.phone,
        stamp_count=card.stamp_count,
        points_balance=card.points_balance,
        joined_at=card.created_at,
        last_visit_at=last_visit(card),
        is_active=card.is_active,
        in_apple=row.in_apple,
        in_google=card.google_saved_at is not None,
        is_behind=row.is_behind,
    )
