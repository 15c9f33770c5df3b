"""Choosing many cards of a vendor at once: by their store, their days, or their numbers."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, Date, SQLColumnExpression, cast, func, select

from loyalty.database import db
from loyalty.domain.codes import read_code
from loyalty.domain.values import Admin
from loyalty.errors import N_, NotFound, ValidationError
from loyalty.models.cards import LoyaltyCard
from loyalty.models.vendors import Store, Vendor

# As many as one statement writes in a second or two.
MOST: Final = 50_000
_MOST_NUMBERS: Final = 5_000
_SAMPLE: Final = 10
_BREAKS: Final = re.compile(r"[\n\r,;\t]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class CardChoice:
    """Which active cards: all that is set has to be true of them; days are those of the vendor's calendar.

    `numbers` is a list as somebody pasted it, a number a line, or with commas or semicolons between.
    """

    store_id: UUID | None = None
    joined_since: date | None = None
    joined_until: date | None = None
    silent_since: date | None = None
    numbers: str = ""

    @property
    def said(self) -> dict[str, object]:
        """What is kept of the choice: of a list only how long it was."""
        days = {name: getattr(self, name) for name in ("joined_since", "joined_until", "silent_since")}
        said: dict[str, object] = {name: day.isoformat() for name, day in days.items() if day}
        if self.store_id:
            said["store_id"] = str(self.store_id)
        if self.numbers.strip():
            said["numbers"] = len(_pieces(self.numbers))
        return said


@dataclass(frozen=True, slots=True)
class ChosenCard:
    """A card of the sample."""

    card_number: str
    store_name: str | None
    joined_at: datetime
    last_activity_at: datetime | None


@dataclass(frozen=True, slots=True)
class Preview:
    """How many cards a choice means, the newest of them, and which pasted pieces are no active card of the vendor."""

    cards: int
    sample: tuple[ChosenCard, ...]
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StoreName:
    """A store to choose by."""

    store_id: UUID
    name: str


def list_stores(*, admin: Admin, vendor_id: UUID) -> list[StoreName]:
    """List the stores of a vendor by name, closed ones too; `admin` is who asks for the platform."""
    rows = select(Store.id, Store.name).where(Store.vendor_id == vendor_id).order_by(Store.name, Store.id)
    return [StoreName(row.id, row.name) for row in db.session.execute(rows)]


def preview(*, admin: Admin, vendor_id: UUID, choice: CardChoice) -> Preview:
    """Count the cards of a choice and show some; `admin` is who asks for the platform."""
    which = conditions(vendor_id=vendor_id, choice=choice)
    newest = (
        select(LoyaltyCard.card_number, Store.name, LoyaltyCard.created_at, LoyaltyCard.last_activity_at)
        .outerjoin(Store, Store.id == LoyaltyCard.enrolled_at_store_id)
        .where(*which)
        .order_by(LoyaltyCard.created_at.desc(), LoyaltyCard.id.desc())
        .limit(_SAMPLE)
    )
    sample = [ChosenCard(*row) for row in db.session.execute(newest)]
    return Preview(count(which), tuple(sample), _unknown(vendor_id, choice))


def count(which: list[ColumnElement[bool]]) -> int:
    """Count the cards that fulfil conditions."""
    return db.session.execute(select(func.count()).select_from(LoyaltyCard).where(*which)).scalar_one()


def conditions(*, vendor_id: UUID, choice: CardChoice) -> list[ColumnElement[bool]]:
    """Return what is true of the cards of a choice, or refuse one that means all cards or none."""
    vendor = db.session.get(Vendor, vendor_id)
    if vendor is None:
        raise NotFound
    _check(choice)
    card, joined = LoyaltyCard, _local_day(LoyaltyCard.created_at, vendor.timezone)
    found: list[ColumnElement[bool]] = [card.vendor_id == vendor_id, card.is_active.is_(True)]
    if choice.store_id:
        found.append(card.enrolled_at_store_id == choice.store_id)
    if choice.joined_since:
        found.append(joined >= choice.joined_since)
    if choice.joined_until:
        found.append(joined <= choice.joined_until)
    if choice.silent_since:
        active_at = func.coalesce(card.last_activity_at, card.created_at)
        found.append(_local_day(active_at, vendor.timezone) < choice.silent_since)
    if choice.numbers.strip():
        found.append(card.card_number.in_(_numbers(choice)))
    return found


def _check(choice: CardChoice) -> None:
    if not choice.said:
        raise ValidationError({"choice": N_("Choose by at least one of these: all cards at once is not meant here.")})
    if choice.joined_since and choice.joined_until and choice.joined_since > choice.joined_until:
        raise ValidationError({"joined_until": N_("The last day is before the first one.")})
    if len(_pieces(choice.numbers)) > _MOST_NUMBERS:
        raise ValidationError({"numbers": N_("Paste 5,000 numbers at most at once.")})


def _unknown(vendor_id: UUID, choice: CardChoice) -> tuple[str, ...]:
    """Return the pasted pieces that are no number, or no active card's."""
    card = LoyaltyCard
    known = select(card.card_number).where(card.vendor_id == vendor_id, card.is_active)
    there = set(db.session.scalars(known.where(card.card_number.in_(_numbers(choice))))) if choice.numbers else set()
    return tuple(piece for piece in _pieces(choice.numbers) if _number(piece) not in there)


def _numbers(choice: CardChoice) -> list[str]:
    return [number for piece in _pieces(choice.numbers) if (number := _number(piece))]


def _pieces(pasted: str) -> list[str]:
    """Return what was pasted, each piece once; the groups of one number belong together."""
    return list(dict.fromkeys(piece.strip() for piece in _BREAKS.split(pasted) if piece.strip()))


def _number(piece: str) -> str | None:
    ref = read_code(piece)
    return ref.card_number if ref else None


def _local_day(moment: SQLColumnExpression[datetime], timezone: str) -> ColumnElement[date]:
    """The day of a moment by the vendor's calendar, which the database knows for all years there are."""
    return cast(func.timezone(timezone, moment), Date)
