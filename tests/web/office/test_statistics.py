"""Statistics in the office: a bakery with two stores in May and June, reckoned by hand."""

from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from loyalty.services import points, stats_rollup
from tests.clocks import clock_at
from tests.factories import Shop, make_card, make_key, make_shop, make_store
from tests.services.voiding import OPEN, stamp
from tests.web.office.statistics_pages import AT, Bakery, bakery, enter, evening_of_june, on, read

__all__ = ["bakery", "evening_of_june"]


@pytest.fixture
def shop(app: Flask) -> Shop:
    with app.app_context():
        return make_shop(**OPEN, stamps_reward_value_cents=505)


def test_it_compares_the_last_thirty_days_with_those_before(app: Flask, client: FlaskClient, bakery: Bakery) -> None:
    enter(app, client, bakery.shop)
    page = read(client)
    assert "1 Jun 2026 to 30 Jun 2026 · All stores" in page
    assert "Visits 3 ▲ 200% more than the 1 in the days before" in page
    assert "New cards 1 As many as in the days before" in page
    assert "Rewards given 1 None in the days before" in page
    assert "Came in the last 30 days 2 66% of 3 members" in page
    assert "3 visits. ▲ 200% more than the 1 in the days before." in page
    assert "The best day was Wednesday, 3 Jun 2026, with 1 visit." in page
    assert "Today is counted as far as it has come." in page
    assert "The days before: 2 May 2026 to 31 May 2026" in page
    assert "10 Jun 2026 1 0 1 0 2" in page
    assert "Points given 100 0" in page
    assert "Stamps on all cards 4 What these stamps are worth €2.02" in page
    assert "Points on all cards 50 What these points are worth €1.81" in page
    assert "These are few visits." in page


def test_it_draws_the_days_as_lines_with_a_name_of_their_own(app: Flask, client: FlaskClient, bakery: Bakery) -> None:
    enter(app, client, bakery.shop)
    page = client.get("/office/statistics?first=2026-06-01&last=2026-06-05").text
    assert 'role="img" aria-labelledby="trend-title trend-finding"' in page
    assert '<path class="line" d="M0 200L250 200L500 150L750 200L1000 200"' in page
    assert '<path class="line before" d="M0 200L250 200L500 200L750 200L1000 200"' in page
    assert (
        '<path class="line" d="M0 150H1000"' in client.get("/office/statistics?first=2026-06-03&last=2026-06-03").text
    )


def test_it_draws_weeks_where_there_are_many_days(app: Flask, client: FlaskClient, bakery: Bakery) -> None:
    enter(app, client, bakery.shop)
    page = read(client, "?days=365")
    assert "Visits a day, averaged over weeks" in page
    assert "The best week was 17 Jun 2026 to 23 Jun 2026, with 0.1 visits a day." not in page
    assert "The best week was 6 May 2026 to 12 May 2026, with 0.1 visits a day." in page
    assert "1 Jul 2025 to 8 Jul 2025 0 0.0" in page
    assert "Counted over the last 91 days." in page


def test_it_says_when_people_come(app: Flask, client: FlaskClient, bakery: Bakery) -> None:
    enter(app, client, bakery.shop)
    page = read(client)
    # In Luxembourg it is two hours later; of equals the earlier in the week is named.
    assert "Most come on Wednesday from 08:00 to 09:00: 1 visit." in page
    assert "08:00 0 0 1 0 0 0 0 09:00 0 0 0 0 0 0 0 10:00" in page
    assert "12:00 0 0 1 0 0 1 0" in page
    assert "13:00" not in page


def test_it_compares_stores_and_shows_one_alone(app: Flask, client: FlaskClient, bakery: Bakery) -> None:
    enter(app, client, bakery.shop)
    page = read(client)
    assert "Most visits were at Station: 2 of 3." in page
    assert "Main Street 1 0 2 100 0 2 Station 2 1 1 0 1 1" in page
    page = read(client, "?store=station")
    assert "1 Jun 2026 to 30 Jun 2026 · Station" in page
    assert "Visits 2 None in the days before" in page
    assert "By store" not in page
    assert 'href="/office/statistics/customers?store=station"' in client.get("/office/statistics?store=station").text


@pytest.mark.parametrize(
    ("query", "sentence", "typed"),
    [
        ("first=yesterday", "Write the day as 2026-11-20.", 'value="yesterday"'),
        ("first=2026-02-30&last=2026-03-01", "Write the day as 2026-11-20.", 'value="2026-02-30"'),
        ("first=2026-06-05&last=2026-06-01", "The first day must not come after the last.", 'value="2026-06-05"'),
        ("first=2021-01-01", "Choose at most two years.", 'value="2021-01-01"'),
        ("last=1999-12-31", "Choose days from the year 2000 on.", 'value="1999-12-31"'),
        ("first=0001-01-01&last=0001-01-02", "Choose days from the year 2000 on.", 'value="0001-01-02"'),
    ],
    ids=["word", "no-such-day", "backwards", "too-long", "too-early", "first-year"],
)
@pytest.mark.parametrize("place", ["", "/customers"])
def test_it_says_beside_the_field_which_days_cannot_be_shown(
    app: Flask, client: FlaskClient, bakery: Bakery, place: str, query: str, sentence: str, typed: str
) -> None:
    enter(app, client, bakery.shop)
    answer = client.get(f"/office/statistics{place}?{query}")
    assert answer.status_code == 422
    assert "<title>Error:" in answer.text
    assert answer.text.count(sentence) == 2
    assert typed in answer.text
    assert "<svg viewBox" not in answer.text


@pytest.mark.parametrize(
    "query", ["days=31", "days=-7", "days=%C2%B2", "first=&last=&store=", "months=0", "months=x", "months=99999999"]
)
@pytest.mark.parametrize("place", ["", "/customers", "/revenue", "/staff"])
def test_it_shows_the_usual_days_for_nonsense(
    app: Flask, client: FlaskClient, bakery: Bakery, place: str, query: str
) -> None:
    enter(app, client, bakery.shop)
    page = client.get(f"/office/statistics{place}?{query}")
    assert page.status_code == 200
    if place in ("", "/customers"):
        assert 'id="first" name="first" type="date" value="2026-06-01"' in page.text
        assert 'id="last" name="last" type="date" value="2026-06-30"' in page.text


def test_it_knows_no_store_of_the_shop_next_door(app: Flask, client: FlaskClient, bakery: Bakery) -> None:
    with app.app_context():
        make_store(make_shop("meat"), "cellar")
    enter(app, client, bakery.shop)
    for place in ("", "/customers", "/revenue", "/staff"):
        assert client.get(f"/office/statistics{place}?store=cellar").status_code == 404


def test_it_counts_nothing_of_the_shop_next_door(app: Flask, client: FlaskClient, bakery: Bakery) -> None:
    with app.app_context():
        meat = make_shop("meat")
    enter(app, client, meat)
    for place in ("", "/customers"):
        page = read(client, place)
        assert "No figures yet. They begin with the first card." in page
        assert "Dora" not in page
    assert "No purchase was recorded in these months." in read(client, "/revenue")


def test_it_keeps_drawings_away_from_a_shop_without_cards(app: Flask, client: FlaskClient, shop: Shop) -> None:
    enter(app, client, shop)
    page = client.get("/office/statistics").text
    assert "No figures yet." in page
    assert 'class="plot"' not in page
    assert 'class="tiles"' not in page


def test_it_says_that_nothing_happened_in_these_days(app: Flask, client: FlaskClient, bakery: Bakery) -> None:
    enter(app, client, bakery.shop)
    page = read(client, "?first=2026-01-05&last=2026-01-10")
    assert "Nothing happened in these days, nor in as many days before." in page
    assert "Members 3" in page
    assert "The numbers of the chart" not in page
    page = read(client, "?first=2026-06-24&last=2026-06-28")
    assert "Nobody came in these days." in page
    assert "Visits 0 ▼ 100% fewer than the 1 in the days before" in page


def test_it_says_of_the_first_days_that_there_is_nothing_before(app: Flask, client: FlaskClient, shop: Shop) -> None:
    with app.app_context():
        with clock_at(on(6, 28)):
            stamp(shop, make_card(shop))
        stats_rollup.roll_up(at=AT)
    enter(app, client, shop)
    page = read(client)
    assert "There is nothing before to compare with yet. The first entry is of 28 Jun 2026." in page
    assert "With so few visits, one more or less changes much." in page


def test_it_adds_up_revenue_by_month_and_store(app: Flask, client: FlaskClient, bakery: Bakery) -> None:
    with app.app_context():
        who = bakery.station.ben
        with clock_at(on(6, 25)):
            points.earn(actor=who, card=bakery.cleo.ref, purchase_amount_cents=2550, key=make_key(who))
        stats_rollup.roll_up(at=AT)
    enter(app, client, bakery.shop)
    page = read(client, "/revenue")
    assert "€35.50 in all. The best month was Jun 2026 with €35.50." in page
    assert "Jun 2026 €35.50 2 May 2026 €0.00 0" in page
    assert "Jun 2026 Main Street €10.00 1 Jun 2026 Station €25.50 1" in page
    assert "Jul 2025" in page
    assert "Jun 2025" not in page
    assert "€25.50 in all." in read(client, "/revenue?store=station&months=6")


def test_it_shows_names_as_they_are_and_speaks_the_readers_language(
    app: Flask, client: FlaskClient, bakery: Bakery
) -> None:
    with app.app_context():
        raw = '<i>"Ünder" & 100%(x)s</i>'
        corner = replace(
            bakery.shop, ben=replace(bakery.shop.ben, store_id=make_store(bakery.shop, "corner", name=raw))
        )
        with clock_at(on(6, 24)):
            for _ in range(3):
                stamp(corner, make_card(corner, name=raw))
        stats_rollup.roll_up(at=AT)
    enter(app, client, bakery.shop)
    for place in ("?store=corner", "", "/revenue"):
        page = client.get(f"/office/statistics{place}").text
        assert "&lt;i&gt;&#34;Ünder&#34; &amp; 100%(x)s&lt;/i&gt;" in page
        assert "<i>" not in page
    for language in ("fr", "de", "lb"):
        for place in ("", "?days=365", "/customers", "/revenue", "/staff"):
            separator = "&" if "?" in place else "?"
            answer = client.get(f"/office/statistics{place}{separator}lang={language}")
            assert answer.status_code == 200
            assert "%(" not in answer.text.replace("100%(x)s", "")
        assert {"fr": "lu", "de": "Mo.", "lb": "Mé."}[language] in client.get(
            f"/office/statistics?lang={language}"
        ).text


def test_it_refuses_strangers(client: FlaskClient, bakery: Bakery) -> None:
    for place in ("", "/customers", "/revenue", "/staff"):
        answer = client.get(f"/office/statistics{place}")
        assert answer.headers["Location"].startswith("/office/sign-in")
