"""Rows of the ledger: listed, and taken back one by one, whatever they were."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, create_model
from pydantic_core import PydanticCustomError

from loyalty.domain.values import Actor, Position, RequestKey, Scope, TransactionType
from loyalty.errors import (
    N_,
    AlreadyVoided,
    CardInactive,
    CardNotFound,
    ProgramInactive,
    TransactionNotFound,
    VoidNotAllowed,
)
from loyalty.services import transaction_lists, voids
from loyalty.services.transaction_lists import Filters, LedgerRow
from loyalty.web.api.naming import WithPin
from loyalty.web.api.operations import operation
from loyalty.web.api.paging import Page, PageQuery, fill_page
from loyalty.web.api.schemas import NO_NUL, Answer, Code
from loyalty.web.api.till import Reason, Voided
from loyalty.web.sentences import gettext

_WHEN = N_("Send a day like 2026-11-20, or a time with its offset from UTC like 2026-11-20T14:35:00Z.")
_SENSIBLE = range(1970, 9000)


def _read(text: str) -> datetime | date:
    """Read a day, or a time with its offset; ValueError for anything else."""
    read = date.fromisoformat(text) if len(text) == len("2026-11-20") else datetime.fromisoformat(text)
    if read.year not in _SENSIBLE or (isinstance(read, datetime) and read.tzinfo is None):
        raise ValueError(text)
    return read


def _check(text: str) -> str:
    try:
        _read(text)
    except ValueError as error:
        raise PydanticCustomError("own", _WHEN) from error
    return text


When = Annotated[str, Field(max_length=40, pattern=NO_NUL, examples=["2026-11-20"]), AfterValidator(_check)]


class LedgerQuery(PageQuery):
    """Which rows."""

    type: TransactionType | None = None
    store_code: Code | None = Field(default=None, description="What happened at this store, an open or a closed one.")
    card_id: UUID | None = None

    @property
    def filters(self) -> Filters:
        """The filters as the service takes them."""
        return Filters(
            kind=self.type,
            store_code=self.store_code,
            card_id=self.card_id,
            since=self._time("from"),
            until=self._time("to"),
        )

    def _time(self, name: str) -> datetime | date | None:
        text = getattr(self, name)
        return _read(text) if text else None


def _bound(about: str) -> Any:  # what pydantic calls a field, of any type
    return (When | None, Field(default=None, description=about))


# Made by a call, for `from` is a word of Python's own.
TransactionsQuery = create_model(
    "TransactionsQuery",
    __base__=LedgerQuery,
    **{
        "from": _bound("From this time on, or from the beginning of this day of the shop's."),
        "to": _bound("Until before this time, or until the end of this day of the shop's."),
    },
)


class LedgerEntry(Answer):
    """A row of the ledger, which is never changed: what takes it back is another row."""

    transaction_id: UUID
    card_id: UUID
    card_number: str = Field(examples=["4812037753"])
    seq: int = Field(examples=[12], description="1, 2, 3 … on each card.")
    transaction_type: TransactionType = Field(examples=["stamp_earned"])
    transaction_at: datetime
    local_day: date = Field(description="The shop's day when it was written.")
    store_id: UUID | None
    store_code: str | None = Field(examples=["main"])
    stamps_delta: int = Field(examples=[1])
    points_delta: int = Field(examples=[0])
    stamps_balance_after: int = Field(examples=[7])
    points_balance_after: int = Field(examples=[640])
    purchase_amount_cents: int | None = Field(examples=[1250])
    order_reference: str | None = Field(examples=["R-2026-118"])
    reward_id: str | None = Field(examples=["rw-7kq2m4x9ad"])
    reward_description: str | None = Field(examples=["Croissant"])
    related_transaction_id: UUID | None = Field(description="What it takes back.")
    staff_pin_id: UUID | None = Field(description="Who did it: by PIN,")
    staff_name: str | None = Field(examples=["Ben"])
    terminal_id: UUID | None = Field(description="at a tablet,")
    user_id: UUID | None = Field(description="signed in to the office,")
    api_key_id: UUID | None = Field(description="or a program. All are null where customers join by themselves.")
    notes: str | None = Field(examples=["Two coffees"])
    voided: bool = Field(examples=[False], description="Whether other rows took all of it back.")


class Transactions(Page[LedgerEntry]):
    """Rows of the ledger, newest first."""


class VoidTransactionBody(WithPin):
    """Why a transaction is taken back."""

    reason: Reason


class TransactionVoided(Voided):
    """What was taken back or given back, and the balances after it."""

    voided_type: Literal["stamp_earned", "stamp_redeemed", "points_earned", "points_redeemed"]
    stamps_voided: int = Field(examples=[0])
    points_voided: int = Field(examples=[125])
    stamp_count: int = Field(examples=[7])
    points_balance: int = Field(examples=[365])


@operation(
    "GET",
    "/vendor/loyalty/transactions",
    scope=Scope.READ,
    query=TransactionsQuery,
    answers=Transactions,
    tag="Transactions",
)
def list_transactions(actor: Actor, query: LedgerQuery) -> Transactions:
    """List what happened, newest first. What comes while you turn pages is on the first page of the next time."""
    rows = transaction_lists.list_page(actor=actor, filters=query.filters, after=query.after, limit=query.most)
    return _page(query, rows)


@operation(
    "GET",
    "/vendor/loyalty/cards/{card_id}/transactions",
    scope=Scope.READ,
    query=PageQuery,
    answers=Transactions,
    errors=(CardNotFound,),
    tag="Transactions",
)
def list_transactions_of_card(actor: Actor, card_id: UUID, query: PageQuery) -> Transactions:
    """List what happened on a card, newest first."""
    rows = transaction_lists.list_of_card(actor=actor, card_id=card_id, after=query.after, limit=query.most)
    return _page(query, rows)


@operation(
    "POST",
    "/vendor/loyalty/transactions/{transaction_id}/void",
    scope=Scope.TILL,
    body=VoidTransactionBody,
    answers=TransactionVoided,
    errors=(TransactionNotFound, CardInactive, ProgramInactive, VoidNotAllowed, AlreadyVoided),
    limit_to=20,
    tag="Transactions",
)
def void_transaction(
    actor: Actor, transaction_id: UUID, body: VoidTransactionBody, key: RequestKey
) -> TransactionVoided:
    """Take one transaction back whole; of a redemption the stamps or points are given back, once."""
    receipt = voids.void(
        actor=actor, transaction_id=transaction_id, reason=body.reason, key=key, approval=body.approval
    )
    return TransactionVoided.of(receipt, message=gettext("Taken back."), voided_type=receipt.voided_type.value)


def _page(query: PageQuery, rows: list[LedgerRow]) -> Transactions:
    return fill_page(Transactions, query, rows, item=LedgerEntry.of, position=_position)


def _position(row: LedgerRow) -> Position:
    return Position(row.transaction_at, row.transaction_id)
