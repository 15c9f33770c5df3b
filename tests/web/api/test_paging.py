"""Lists in pages: nothing twice, nothing left out, whatever arrives meanwhile."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask

from loyalty.database import new_id
from loyalty.domain.values import Position
from loyalty.errors import ValidationError
from loyalty.web.api.paging import Page, PageQuery, fill_page
from loyalty.web.api.schemas import Answer

BEGIN = datetime(2026, 11, 20, tzinfo=UTC)


class Thing(Answer):
    """A row of a list."""

    number: int


class Things(Page[Thing]):
    """A page of rows."""


Row = tuple[datetime, UUID, int]


def read(rows: list[Row], query: PageQuery) -> list[Row]:
    """Read as services do: newest first, after the last row that was seen."""
    after = query.after
    found = [row for row in sorted(rows, reverse=True) if after is None or row[:2] < (after.at, after.id)]
    return found[: query.most]


def page(rows: list[Row], limit: int, cursor: str | None) -> Things:
    query = PageQuery(limit=limit, cursor=cursor)
    return fill_page(
        Things,
        query,
        read(rows, query),
        item=lambda row: Thing(number=row[2]),
        position=lambda row: Position(row[0], row[1]),
    )


@pytest.mark.parametrize(("count", "limit"), [(0, 5), (4, 5), (5, 5), (6, 5), (11, 5), (7, 1)])
def test_it_shows_every_row_once_while_others_arrive(app: Flask, count: int, limit: int) -> None:
    # Some of the same moment: their ids tell them apart.
    rows = [(BEGIN + timedelta(seconds=number // 2), new_id(), number) for number in range(count)]
    expected = [row[2] for row in sorted(rows, reverse=True)]
    seen: list[int] = []
    with app.test_request_context("/api/v1/vendor/loyalty/things"):
        cursor = None
        while True:
            shown = page(rows, limit, cursor)
            seen += [thing.number for thing in shown.items]
            cursor = shown.next_cursor
            if cursor is None:
                break
            rows.append((BEGIN + timedelta(hours=1, seconds=len(rows)), new_id(), -1))
    assert seen == expected


@pytest.mark.parametrize("cursor", ["", "nonsense", "WyJ4IiwieSJd.x", "\ud800", "x" * 400])
def test_it_takes_no_cursor_that_it_did_not_give(app: Flask, cursor: str) -> None:
    with app.test_request_context("/api/v1/vendor/loyalty/things"), pytest.raises((ValidationError, ValueError)):
        _ = PageQuery(cursor=cursor).after


def test_it_takes_no_cursor_of_another_list(app: Flask) -> None:
    rows = [(BEGIN, new_id(), 1), (BEGIN, new_id(), 2)]
    with app.test_request_context("/api/v1/vendor/loyalty/things"):
        cursor = page(rows, 1, None).next_cursor
    with app.test_request_context("/api/v1/vendor/loyalty/others"), pytest.raises(ValidationError):
        _ = PageQuery(cursor=cursor).after
