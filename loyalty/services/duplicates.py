"""Customers who may be the same person: found by what they have in common, and told apart by the office.

Only a hint. What identifies a customer is their address, and two people may share a phone or a name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import bindparam, exists, func, literal_column, select, text, union_all
from sqlalchemy.dialects.postgresql import insert

from loyalty.database import AnyRow, AnySelect, db
from loyalty.domain.values import Actor, RequestKey, Role
from loyalty.errors import NotFound
from loyalty.models.cards import LoyaltyCard
from loyalty.models.customers import LAST_DIGITS, LETTERS, MAILBOX, Customer, CustomersApart
from loyalty.services import audit, idempotency, roles

PER_PAGE: Final = 20


def _same(expression: str, column: str) -> str:
    """Compare what an index holds of both customers."""
    mine, theirs = (expression.replace(column, f"{alias}.{column}") for alias in "ab")
    return f"{mine} = {theirs}"


# Each as the indexes of customers have it, so that the database looks up and does not compare everybody with everybody.
_REASONS: Final[Mapping[str, str]] = {
    "phone": _same(LAST_DIGITS, "phone"),
    "email": f"{_same(MAILBOX, 'email')} AND split_part(a.email, '@', 2) = split_part(b.email, '@', 2)",
    "birthday": f"{_same(LETTERS, 'name')} AND a.birth_date = b.birth_date",
    "name": (
        f"{_same(LETTERS, 'name')} AND a.name LIKE '% %'"
        " AND a.created_at BETWEEN b.created_at - interval '7 days' AND b.created_at + interval '7 days'"
    ),
}
_a, _b = (Customer.__table__.alias(name) for name in "ab")
_pairs: Final = union_all(
    *(
        select(_a.c.id.label("first_id"), _b.c.id.label("second_id"), literal_column(f"'{reason}'").label("reason"))
        .where(_a.c.vendor_id == bindparam("vendor_id"), _b.c.vendor_id == _a.c.vendor_id, _a.c.id < _b.c.id)
        .where(_a.c.erased_at.is_(None), _b.c.erased_at.is_(None), text(same))
        for reason, same in _REASONS.items()
    )
).subquery("pairs")
_pair_of: Final = (
    select(_pairs.c.first_id, _pairs.c.second_id, func.array_agg(_pairs.c.reason.distinct()).label("reasons"))
    .group_by(_pairs.c.first_id, _pairs.c.second_id)
    .subquery("pair")
)
_people: Final = {side: Customer.__table__.alias(side) for side in ("first", "second")}
_cards: Final = {side: LoyaltyCard.__table__.alias(f"{side}_card") for side in ("first", "second")}
_OF_PERSON: Final = ("name", "email", "phone")
_OF_CARD: Final = ("card_number", "stamp_count", "points_balance", "created_at")


def _question() -> AnySelect:
    """Put the question together: a pair is settled once one of them has no active card any more."""
    apart = CustomersApart.__table__.c
    joined = [_cards[side].c.created_at for side in _cards]
    query = select(_pair_of)
    for side, person in _people.items():
        card = _cards[side]
        query = query.join(person, person.c.id == _pair_of.c[f"{side}_id"])
        query = query.join(card, (card.c.customer_id == person.c.id) & card.c.is_active)
        columns = [card.c.id.label(f"{side}_card_id")]
        columns += [person.c[name].label(f"{side}_{name}") for name in _OF_PERSON]
        columns += [card.c[name].label(f"{side}_{name}") for name in _OF_CARD]
        query = query.add_columns(*columns)
    settled = exists().where(apart.first_id == _pair_of.c.first_id, apart.second_id == _pair_of.c.second_id)
    newest = func.greatest(*joined).desc()
    return query.where(~settled).order_by(newest, _pair_of.c.first_id, _pair_of.c.second_id)


_QUESTION: Final = _question()


@dataclass(frozen=True, slots=True)
class Candidate:
    """One of two customers, with the active card."""

    customer_id: UUID
    card_id: UUID
    card_number: str
    name: str | None
    email: str | None
    phone: str | None
    stamp_count: int
    points_balance: int
    joined_at: datetime


@dataclass(frozen=True, slots=True)
class Pair:
    """Two customers who may be one person, the longer known first; `reasons` of phone, email, birthday and name."""

    first: Candidate
    second: Candidate
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ApartReceipt:
    """Who was told apart."""

    first_id: UUID
    second_id: UUID
    replayed: bool = False


def list_pairs(*, actor: Actor, page: int = 1) -> tuple[list[Pair], bool]:
    """List a page of pairs that nobody has settled, newest first, and whether there are more behind it."""
    roles.require(actor=actor, role=Role.MANAGER)
    query = _QUESTION.limit(PER_PAGE + 1).offset((page - 1) * PER_PAGE)
    rows = db.session.execute(query, {"vendor_id": actor.vendor_id}).all()
    return [_pair(row) for row in rows[:PER_PAGE]], len(rows) > PER_PAGE


def tell_apart(*, actor: Actor, one_id: UUID, other_id: UUID, key: RequestKey) -> ApartReceipt:
    """Remember that two customers are two people, once per key: they are not shown as a pair again."""
    roles.require(actor=actor, role=Role.MANAGER)
    first_id, second_id = sorted((one_id, other_id))

    def work() -> ApartReceipt:
        mine = select(func.count()).where(Customer.id.in_((first_id, second_id)), Customer.vendor_id == actor.vendor_id)
        if db.session.execute(mine).scalar_one() != 2:
            raise NotFound
        pair = {"first_id": first_id, "second_id": second_id}
        row = insert(CustomersApart).values(**pair, vendor_id=actor.vendor_id, user_id=actor.user_id)
        db.session.execute(row.on_conflict_do_nothing())
        details = {"other": str(second_id)}
        audit.record(
            actor=actor, action="customer.told_apart", subject_type="customer", subject_id=first_id, details=details
        )
        return ApartReceipt(first_id, second_id)

    return idempotency.run(key, ApartReceipt, work, vendor_id=actor.vendor_id)


def _pair(row: AnyRow) -> Pair:
    first, second = (_candidate(row, side) for side in ("first", "second"))
    if second.joined_at < first.joined_at:
        first, second = second, first
    return Pair(first, second, tuple(reason for reason in _REASONS if reason in row.reasons))


def _candidate(row: AnyRow, side: str) -> Candidate:
    named = row._mapping
    values = {name: named[f"{side}_{name}"] for name in ("card_id", *_OF_PERSON, *_OF_CARD)}
    joined_at = values.pop("created_at")
    return Candidate(customer_id=named[f"{side}_id"], joined_at=joined_at, **values)
