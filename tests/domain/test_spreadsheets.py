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
        "\t=1",
        "\r=1",
        "\n=1",
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


@pytest.mark.parametrize("text", ["", "Café", "a=b", "1-2", "'quoted'"])
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
