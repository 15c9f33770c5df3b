"""How each language writes its dates."""

from datetime import date

import pytest
from babel.dates import format_date

from loyalty.domain.formats import formats_of


@pytest.mark.parametrize(
    ("language", "written"),
    [("en", "28 November 2026"), ("fr", "28 novembre 2026"), ("de", "28. November 2026"), ("lb", "28. November 2026")],
)
def test_it_writes_a_day_as_the_readers_do(language: str, written: str) -> None:
    assert format_date(date(2026, 11, 28), "long", locale=formats_of(language)) == written
