"""Files for spreadsheets: read back as they were written, in the marks of each language, and harmless."""

import csv
import io
from datetime import date, time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.domain.spreadsheets import BOM, Cell, defuse, write

SEPARATORS = {"en": ",", "fr": ";", "de": ";", "lb": ";"}


def written(*row: Cell, locale: str) -> str:
    return "".join(write([row], locale=locale))


@pytest.mark.parametrize(
    ("locale", "line"),
    [
        ("en", "Café,-3,12.50,04/03/2026,07:05:09,"),
        ("fr", "Café;-3;12,50;04/03/2026;07:05:09;"),
        ("de", "Café;-3;12,50;04.03.2026;07:05:09;"),
        ("lb", "Café;-3;12,50;04.03.2026;07:05:09;"),
    ],
)
def test_it_writes_in_the_marks_of_the_language(locale: str, line: str) -> None:
    row = ("Café", -3, Decimal("12.50"), date(2026, 3, 4), time(7, 5, 9), None)
    assert written(*row, locale=locale) == f"{BOM}{line}\r\n"


def test_it_says_its_encoding_in_its_first_bytes() -> None:
    assert written("é", locale="fr").encode().startswith(b"\xef\xbb\xbf")


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+352621123456",
        "-2",
        "@SUM(A1)",
        "\t1",
        "\r1",
        "\n1",
        " =1",
        '=HYPERLINK("http://a.example";"b")',
        "\uff1d1",
        "\uff0b1",
        "\uff0d1",
        "\uff201",
    ],
    ids=range(13),
)
def test_it_defuses_formulas(text: str) -> None:
    assert defuse(text) == f"'{text}"


@pytest.mark.parametrize("locale", sorted(SEPARATORS))
@pytest.mark.parametrize(
    "text",
    ["Cleo;=1+1;x", "Cleo,=1+1,x", "Cleo; +1", 'Cleo;"=1+1;x', "Cleo\n=1+1", "Cleo\t@SUM(A1)", ";=1;=2", ",\uff1d1"],
    ids=range(8),
)
def test_it_is_harmless_also_where_another_mark_stands_between_cells(text: str, locale: str) -> None:
    """The office may be English and the computer French: its spreadsheet takes the file apart at other places."""
    kept = written("4812037756", text, locale=locale)
    cells = [cell for line in kept.splitlines() for mark in ",;\t" for cell in line.split(mark)]
    assert not any(cell.lstrip('" ').startswith(("=", "+", "-", "@", "\uff1d")) for cell in cells)


@pytest.mark.parametrize(
    "text", ["", "Café", "a=b", "1-2", "'quoted'", "Rue du Four, 5; 2-4", "me, cleo@example.org", "a, b; c = d"]
)
def test_it_leaves_words_alone(text: str) -> None:
    assert defuse(text) == text


@given(
    st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=2, max_size=4), max_size=5),
    st.sampled_from(sorted(SEPARATORS)),
)
def test_it_is_read_back_as_it_was(rows: list[list[str]], locale: str) -> None:
    text = "".join(write(rows, locale=locale)).removeprefix(BOM)
    read = list(csv.reader(io.StringIO(text, newline=""), delimiter=SEPARATORS[locale]))
    assert read == [[defuse(cell) for cell in row] for row in rows]
    assert not any(cell.lstrip().startswith(("=", "+", "-", "@")) for row in read for cell in row)


def test_it_writes_long_tables_in_parts() -> None:
    parts = list(write(([f"row {number}" * 10] for number in range(5_000)), locale="en"))
    assert len(parts) > 5
    assert max(len(part) for part in parts) < 40_000
