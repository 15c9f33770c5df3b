"""Lists as files: streamed, named after the day, and written as the reader's spreadsheet expects them."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from flask import Response, stream_with_context

from loyalty.domain import spreadsheets
from loyalty.domain.codes import format_card_number
from loyalty.domain.spreadsheets import Cell
from loyalty.web.access import now
from loyalty.web.locale import language, zone


def csv_file(name: str, rows: Iterator[Sequence[Cell]]) -> Response:
    """Answer rows as a file, while they are being read."""
    today = now().astimezone(ZoneInfo(zone())).date()
    text = spreadsheets.write(rows, locale=language())
    response = Response(stream_with_context(text), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}-{today.isoformat()}.csv"'
    return response


def card_cell(number: str) -> str:
    """Write a card number with dashes: in groups between spaces, French spreadsheets take it for an amount."""
    return format_card_number(number).replace(" ", "-")


def local_parts(moment: datetime) -> tuple[date, time]:
    """Return the day and the time of a moment on the shop's clock."""
    local = moment.astimezone(ZoneInfo(zone()))
    return local.date(), local.time().replace(microsecond=0)
