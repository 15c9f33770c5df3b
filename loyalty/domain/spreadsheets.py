"""Tables as text that a spreadsheet opens with a double click, and that cannot make it do anything."""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, time
from decimal import Decimal
from numbers import Number
from typing import Final, TypeAlias

Cell: TypeAlias = str | int | Decimal | date | time | None

# Excel takes a file without it for one in an old Windows encoding, and breaks every accent.
BOM: Final = "\ufeff"
# Where a comma stands in numbers, Excel expects another mark between cells.
_SEPARATORS: Final = {"en": ","}
_DAYS: Final = {"en": "%d/%m/%Y", "fr": "%d/%m/%Y"}
# What makes a spreadsheet calculate, in both widths that East Asian keyboards know.
_SIGNS: Final = "=+\\-@\uff1d\uff0b\uff0d\uff20"
_TRIGGERS: Final = re.compile(f"\\s*[{_SIGNS}]|[\\t\\r\\n]")
# A spreadsheet that expects another mark between cells than ours takes what follows one inside a text for a cell.
_INNER_TRIGGERS: Final = re.compile(f'([,;\\t\\r\\n](?:"|[^\\S\\t\\r\\n])*)(?=[{_SIGNS}])')
_ENOUGH: Final = 32_768


def write(rows: Iterable[Sequence[Cell]], *, locale: str) -> Iterator[str]:
    """Write rows as a spreadsheet of this language reads them, some thousand characters at a time."""
    buffer = io.StringIO()
    buffer.write(BOM)
    writer = csv.writer(buffer, delimiter=_SEPARATORS.get(locale, ";"), lineterminator="\r\n")
    for row in rows:
        writer.writerow([_text(cell, locale) for cell in row])
        if buffer.tell() > _ENOUGH:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def defuse(text: str) -> str:
    """Put an apostrophe before text that a spreadsheet would take for a formula; people wrote it, and some do harm."""
    harmless = _INNER_TRIGGERS.sub(r"\1'", text)
    return f"'{harmless}" if _TRIGGERS.match(text) else harmless


def plain(value: object) -> str:
    """Write what JSON has no form for, as it is kept: times and days as ISO says, ids as text."""
    return value.isoformat() if isinstance(value, date) else str(value)


def as_kept(value: object) -> str:
    """Write a column's value as text that no spreadsheet calculates; a JSON file beside it has it exactly."""
    if value is None:
        return ""
    if isinstance(value, Number):
        return str(value)
    return defuse(
        json.dumps(value, ensure_ascii=False, default=plain) if isinstance(value, dict | list) else plain(value)
    )


def _text(cell: Cell, locale: str) -> str:
    if isinstance(cell, str):
        return defuse(cell)
    if isinstance(cell, Decimal):
        return f"{cell:f}" if locale == "en" else f"{cell:f}".replace(".", ",")
    if isinstance(cell, date):
        return cell.strftime(_DAYS.get(locale, "%d.%m.%Y"))
    if isinstance(cell, time):
        return cell.strftime("%H:%M:%S")
    # Whole numbers are ours: a minus sign before them is no formula, and they can be added up.
    return "" if cell is None else str(cell)
