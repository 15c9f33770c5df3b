"""Lists in pages: a cursor names the last row that was seen, so that new rows move nothing."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from flask import current_app, request
from itsdangerous import BadSignature, URLSafeSerializer
from pydantic import Field

from loyalty.domain.values import Position
from loyalty.errors import N_, ValidationError
from loyalty.web.api.schemas import NO_NUL, Answer, Query

Item = TypeVar("Item", bound=Answer)
Row = TypeVar("Row")
Cursor = Annotated[
    str, Field(max_length=500, pattern=NO_NUL, description="`next_cursor` of the page before; without it the first.")
]


class Page(Answer, Generic[Item]):
    """A part of a list, and where the next part begins."""

    items: list[Item]
    next_cursor: str | None = Field(description="Send it as `cursor` for the next page; null on the last one.")


class PageQuery(Query):
    """Which part of a list; lists with filters add them."""

    limit: int = Field(default=50, ge=1, le=100, description="How many rows at most.")
    cursor: Cursor | None = None

    @property
    def after(self) -> Position | None:
        """The row after which this page begins, None for the first page."""
        if self.cursor is None:
            return None
        try:
            at, row_id = _serializer().loads(self.cursor)
            return Position(datetime.fromisoformat(at), UUID(row_id))
        except (BadSignature, ValueError, TypeError) as error:
            raise ValidationError({"cursor": N_("Send the cursor as the page before gave it.")}) from error

    @property
    def most(self) -> int:
        """How many rows to read: one more than are shown tells whether there is a next page."""
        return self.limit + 1


P = TypeVar("P", bound=Page[Any])  # of items of any kind


def fill_page(
    kind: type[P],
    query: PageQuery,
    rows: Sequence[Row],
    *,
    item: Callable[[Row], Answer],
    position: Callable[[Row], Position],
) -> P:
    """Make a page of the rows that a service read, `query.most` of them at most."""
    shown = rows[: query.limit]
    more = len(rows) > query.limit
    return kind(items=[item(row) for row in shown], next_cursor=_cursor(position(shown[-1])) if more else None)


def _cursor(position: Position) -> str:
    return str(_serializer().dumps([position.at.isoformat(), str(position.id)]))


def _serializer() -> URLSafeSerializer:
    """Sign cursors: nobody makes one up, and one list does not take another's."""
    return URLSafeSerializer(current_app.config["CONFIG"].secret_key, salt=f"cursor of {request.path}")
