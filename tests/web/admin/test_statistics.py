"""Statistics of the platform: two shops in June, added up by hand."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient

from config import Config
from loyalty.services import points, stats_rollup
from tests.browsing import sign_in
from tests.clocks import clock_at
from tests.factories import make_card, make_key, make_shop
from tests.office import make_bakery
from tests.services.voiding import OPEN, stamp
from tests.web.admin.conftest import Platform

PATH = "/admin/statistics"
AT = datetime(2026, 6, 30, 10, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _evening_of_june(app: Flask, config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "CONFIG", replace(config, clock_offset=AT - datetime.now(UTC)))


@pytest.fixture
def shops(app: Flask) -> None:
    """Two stamps at the bakery, one in May before it, and a purchase next door in francs."""
    with app.app_context():
        bakery = make_shop(**OPEN)
        meat = make_shop("meat", vendor={"currency": "CHF", "status": "active"}, **OPEN)
        with clock_at(datetime(2026, 5, 20, 10, tzinfo=UTC)):
            cleo = make_card(bakery)
            stamp(bakery, cleo)
        with clock_at(datetime(2026, 6, 10, 10, tzinfo=UTC)):
            stamp(bakery, cleo, 2)
            card, key = make_card(meat), make_key(meat.ben)
            points.earn(actor=meat.ben, card=card.ref, purchase_amount_cents=1000, key=key)
        stats_rollup.roll_up(at=AT)


def row(page: str, name: str) -> list[str]:
    """Return the cells of a row."""
    cells = page.split(f'<th scope="row">{name}</th>')[1].split("</tr>")[0]
    return [" ".join(cell.split()) for cell in re.findall(r"<td[^>]*>([^<]*)</td>", cells)]


def test_it_adds_up_the_shops_beside_the_days_before(platform: Platform, shops: None) -> None:
    page = platform.client.get(f"{PATH}?first=2026-06-01&last=2026-06-30").text
    assert row(page, "Stamps given") == ["2", "1"]
    now, before = row(page, "CHF")[:2]
    assert (now[-5:], before[-4:]) == ("10.00", "0.00")
    assert row(page, "EUR")[0].endswith("0.00")
    assert 'aria-current="page">30 days' in page
    assert "2 visits." in page
    assert "The best day was Wednesday, 10 Jun 2026, with 2 visits." in page
    day = row(page, "10 Jun 2026")
    assert day == ["2", "0", "1", "0", "3"], day


def test_it_shows_the_last_days_of_a_link(platform: Platform, shops: None) -> None:
    assert "Nothing happened in these days" in platform.client.get(f"{PATH}?days=7").text
    assert row(platform.client.get(f"{PATH}?days=90").text, "Stamps given") == ["3", "0"]


@pytest.mark.parametrize("page", ["", "/customers"])
@pytest.mark.parametrize("query", ["?first=x", "?first=2026-06-20&last=2026-06-10", "?last=1999-01-01"])
def test_it_says_which_days_it_cannot_show(platform: Platform, page: str, query: str) -> None:
    answer = platform.client.get(f"{PATH}{page}{query}")
    assert (answer.status_code, 'class="summary"' in answer.text) == (422, True)


def test_it_is_quiet_where_nothing_happens(platform: Platform) -> None:
    assert "Nothing happened in these days" in platform.client.get(PATH).text
    assert "<figure" not in platform.client.get("/admin").text


def test_it_draws_the_last_days_on_the_first_page(platform: Platform, shops: None) -> None:
    page = platform.client.get("/admin").text
    assert "The last 30 days" in page
    assert "The best day was Wednesday, 10 Jun 2026, with 2 visits." in page


def test_it_shows_who_comes_back_to_all_shops_and_compares_them(platform: Platform, shops: None) -> None:
    page = platform.client.get(f"{PATH}/customers?first=2026-06-01&last=2026-06-30&months=12").text
    assert "1 person joined in these days" in page
    assert row(page, "On the web alone")[0] == "2"
    assert "In the last 24 hours no wallet had to be told of anything." in page
    assert 'aria-current="page">12 months' in page
    assert len(re.findall(r'<tr><th scope="row">[^<]* 202[56]</th><td>', page)) == 12
    assert re.findall(r'<a href="/admin/vendors/[^"]+">([^<]+)</a>', page) == ["Meat", "Bakery"]
    # No name of a customer leaves the shops.
    assert "Cleo" not in page


def test_it_leads_to_the_same_days_on_the_other_page(platform: Platform, shops: None) -> None:
    page = platform.client.get(f"{PATH}?first=2026-06-01&last=2026-06-02").text
    assert 'href="/admin/statistics/customers?first=2026-06-01&amp;last=2026-06-02"' in page
    assert 'href="/admin/statistics?days=90"' in platform.client.get(f"{PATH}/customers?days=90").text


def test_it_says_where_figures_begin_before_the_first_card(platform: Platform) -> None:
    assert "They begin with the first card." in platform.client.get(f"{PATH}/customers").text


@pytest.mark.parametrize("page", ["", "/customers"])
def test_it_refuses_the_owner_of_a_shop(app: Flask, client: FlaskClient, page: str) -> None:
    with app.app_context():
        ada = make_bakery()
    sign_in(client, ada)
    assert client.get(f"{PATH}{page}").status_code == 403
