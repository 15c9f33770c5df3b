"""Transactions in the office: found by what stands in the address, and saved as exactly what is shown."""

import csv
import io
from dataclasses import dataclass
from datetime import UTC, datetime
from html import unescape

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from loyalty.database import db
from loyalty.domain.values import Role
from loyalty.models.audit import AuditEvent
from loyalty.services import accounts, points, voids
from tests.browsing import sign_in
from tests.clocks import clock_at
from tests.factories import Card, Shop, make_card, make_key, make_shop, make_store
from tests.office import PASSWORD, Office
from tests.services.voiding import OPEN, stamp

LIST, FILE = "/office/transactions", "/office/transactions.csv"


@dataclass(frozen=True)
class Bakery:
    """Ada's bakery; Cleo came twice, and one of her stamps was taken back."""

    app: Flask
    shop: Shop
    cleo: Card


def enter(app: Flask, client: FlaskClient, shop: Shop, role: Role) -> None:
    email = f"office@{shop.code}.example"
    with app.app_context():
        accounts.create_owner(vendor_id=shop.vendor_id, email=email, password=PASSWORD, role=role)
    sign_in(client, Office(shop.vendor_id, shop.store_id, shop.code, email, shop.ada))


@pytest.fixture
def bakery(app: Flask, client: FlaskClient) -> Bakery:
    with app.app_context():
        shop = make_shop(**OPEN)
        make_store(shop)
        cleo = make_card(shop, name="Cleo Martin")
        gone = stamp(shop, cleo, 2)
        voids.void(actor=shop.mia, transaction_id=gone, reason="a mistake", key=make_key(shop.mia))
        with clock_at(datetime(2027, 1, 14, 23, 30, 5, tzinfo=UTC)):
            points.earn(
                actor=shop.ben,
                card=cleo.ref,
                purchase_amount_cents=123_450,
                order_reference="=R-1",
                key=make_key(shop.ben),
            )
    enter(app, client, shop, Role.MANAGER)
    return Bakery(app, shop, cleo)


def table(text: str, mark: str = ",") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=mark))


def test_it_lists_the_newest_first_with_a_way_to_the_customer(client: FlaskClient, bakery: Bakery) -> None:
    page = client.get(LIST).text
    assert "4 of 4 transactions, newest first" in page
    assert page.count(f'<th scope="row"><a href="/office/customers/{bakery.cleo.card_id}">Cleo Martin</a>') == 4
    assert page.index("€1,234.50") < page.index("a mistake") < page.index("Card made</td>")
    assert 'aria-sort="descending"' in page


def test_it_strikes_what_was_taken_back_and_says_by_whom(client: FlaskClient, bakery: Bakery) -> None:
    page = client.get(f"{LIST}?type=stamp_earned").text
    assert '<tr class="voided">' in page
    assert "<s>Stamp</s>" in page
    assert "<s>+2 stamps</s>" in page
    assert "Taken back by Mia" in page


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", 4),
        ("type=points_earned", 1),
        ("store=main", 4),
        ("store=station", 0),
        ("since=2027-01-15", 1),
        ("until=2027-01-14", 3),
        ("since=2027-01-15&until=2027-01-15&type=stamp_earned", 0),
        ("store=&type=&staff=&card=&since=&until=", 4),
        ("newer=nonsense&older=", 4),
    ],
)
def test_it_saves_exactly_what_it_shows(client: FlaskClient, bakery: Bakery, query: str, shown: int) -> None:
    page = client.get(f"{LIST}?{query}").text
    assert page.count('<th scope="row">') == shown
    assert len(table(client.get(f"{FILE}?{query}").text)) == shown
    if shown:
        assert f"{shown} of {shown} transaction" in page
    else:
        assert "No transaction is like that." in page
        assert "Show all transactions" in page


def test_it_filters_by_staff_and_by_card(client: FlaskClient, bakery: Bakery) -> None:
    with bakery.app.app_context():
        make_card(bakery.shop, name="Dora Weber")
    number = bakery.cleo.card_number
    page = client.get(LIST, query_string={"card": f" {number[:4]} {number[4:7]}-{number[7:]}"}).text
    assert "4 of 4 transactions" in page
    assert "Dora Weber" not in page
    page = client.get(LIST, query_string={"staff": str(bakery.shop.mia.staff_pin_id)}).text
    assert "1 of 1 transaction" in page
    assert "a mistake" in page


def test_it_takes_filters_off_one_by_one(client: FlaskClient, bakery: Bakery) -> None:
    page = unescape(client.get(f"{LIST}?since=2027-01-15&type=points_earned&store=main").text)
    chips = page[page.index('aria-label="Filters that are on"') :]
    for words, left in (
        ("From 15 Jan 2027", "?type=points_earned&store=main"),
        ("Points", "?since=2027-01-15&store=main"),
        ("Main Street", "?since=2027-01-15&type=points_earned"),
        ("Remove all filters", ""),
    ):
        assert f'href="{LIST}{left}">{words}' in chips
    assert f'href="{FILE}?since=2027-01-15&type=points_earned&store=main"' in page
    assert '<option selected value="points_earned">' in page
    assert 'value="2027-01-15"' in page


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("since=yesterday", "Write the day as 2026-11-20."),
        ("since=0001-01-01", "Write the day as 2026-11-20."),
        ("until=9999-12-31", "Write the day as 2026-11-20."),
        ("since=2027-01-02&until=2027-01-01", "The last day is before the first one."),
        ("type=stamp_stolen", "Choose one of the list."),
        ("store=nowhere", "Choose one of the list."),
        ("staff=0199f1c2-7d1e-7cc3-98c4-dc0c0c07398f", "Choose one of the list."),
        ("card=1234567890", "Enter the 10 digits of a card number"),
        ("card=<b>", "Enter the 10 digits of a card number"),
    ],
    ids=range(9),
)
def test_it_says_what_is_wrong_with_a_filter(client: FlaskClient, bakery: Bakery, query: str, sentence: str) -> None:
    for address in (LIST, FILE):
        answer = client.get(f"{address}?{query}&older={bakery.cleo.card_id}")
        assert answer.status_code == 422
        assert answer.mimetype == "text/html"
        assert sentence in answer.text
        assert "<title>Error:" in answer.text
        assert "Cleo Martin" not in answer.text
    assert 'value="&lt;b&gt;"' in answer.text or "<b>" not in query


def test_it_says_where_nothing_has_happened(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        shop = make_shop()
    enter(app, client, shop, Role.OWNER)
    page = client.get(LIST).text
    assert "Nothing has happened yet." in page
    assert "<table" not in page
    assert FILE not in page


def test_it_turns_pages_of_fifty(client: FlaskClient, bakery: Bakery) -> None:
    with bakery.app.app_context():
        for _ in range(49):
            stamp(bakery.shop, bakery.cleo)
    first = unescape(client.get(f"{LIST}?store=main").text)
    assert "50 of 53 transactions, newest first" in first
    assert ">Newer</a>" not in first
    older = first.split('rel="next" href="')[1].split('"')[0]
    assert "store=main" in older
    second = unescape(client.get(older).text)
    assert "3 of 53 transactions" in second
    assert ">Older</a>" not in second
    newer = second.split('rel="prev" href="')[1].split('"')[0]
    assert unescape(client.get(newer).text).count('<th scope="row">') == 50


@pytest.mark.parametrize(
    ("language", "mark", "day", "amount"),
    [
        ("en", ",", "15/01/2027", "1234.50"),
        ("fr", ";", "15/01/2027", "1234,50"),
        ("de", ";", "15.01.2027", "1234,50"),
        ("lb", ";", "15.01.2027", "1234,50"),
    ],
)
def test_it_writes_a_file_for_the_readers_spreadsheet(
    client: FlaskClient, bakery: Bakery, language: str, mark: str, day: str, amount: str
) -> None:
    answer = client.get(f"{FILE}?type=points_earned&lang={language}")
    assert answer.is_streamed
    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="transactions-20')
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.data.startswith(b"\xef\xbb\xbf")
    _, line = csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"), newline=""), delimiter=mark)
    number = bakery.cleo.card_number
    # The shop's clock: it was half past midnight there.
    assert line[:4] == [day, "00:30:05", "Cleo Martin", f"{number[:4]}-{number[4:7]}-{number[7:]}"]
    assert line[5:13] == ["0", "12345", "0", "12345", amount, "'=R-1", "", "Ben"]


def test_it_writes_negative_numbers_as_numbers(client: FlaskClient, bakery: Bakery) -> None:
    [line] = table(client.get(f"{FILE}?type=stamp_voided").text)
    assert (line["Stamps"], line["Staff"], line["Reason"]) == ("-2", "Mia", "a mistake")
    [line] = table(client.get(f"{FILE}?type=stamp_earned").text)
    assert (line["Stamps"], line["Taken back"], line["Taken back by"]) == ("2", "Yes", "Mia")


@pytest.mark.parametrize(
    ("name", "kept"),
    [("=1+1", "'=1+1"), ("+1", "'+1"), ("-1", "'-1"), ("@SUM(A1)", "'@SUM(A1)"), ("\t=1", "'\t'=1")],
    ids=range(5),
)
def test_it_defuses_what_customers_call_themselves(client: FlaskClient, bakery: Bakery, name: str, kept: str) -> None:
    with bakery.app.app_context():
        make_card(bakery.shop, name=name, phone="+352621000111")
    for address in (f"{FILE}?type=card_created", "/office/customers.csv"):
        first, *_ = table(client.get(address).text)
        assert first["Customer"] == kept


def test_it_saves_the_customers_that_the_list_shows(client: FlaskClient, bakery: Bakery) -> None:
    with bakery.app.app_context():
        make_card(bakery.shop, name="Dora Weber", email="dora@example.org", stamps=4)
    page = client.get("/office/customers?q=dora&show=active").text
    assert 'href="/office/customers.csv?q=dora&amp;show=active"' in page
    [line] = table(client.get("/office/customers.csv?q=dora&show=active").text)
    assert (line["Customer"], line["E-mail"], line["Stamps"], line["State"]) == (
        "Dora Weber",
        "dora@example.org",
        "4",
        "Active",
    )
    assert table(client.get("/office/customers.csv?show=inactive").text) == []


def test_it_writes_down_who_saved_what(client: FlaskClient, bakery: Bakery) -> None:
    client.get(f"{FILE}?type=points_earned")
    client.get(f"{FILE}?type=nonsense")
    client.get("/office/customers.csv")
    with bakery.app.app_context():
        query = sa.select(AuditEvent.action).where(AuditEvent.action.like("%.exported")).order_by(AuditEvent.created_at)
        assert list(db.session.scalars(query)) == ["transactions.exported", "customers.exported"]


@pytest.mark.parametrize("path", [LIST, FILE, "/office/customers.csv"])
def test_it_shows_nothing_to_strangers_and_neighbours(app: Flask, bakery: Bakery, path: str) -> None:
    assert app.test_client().get(path).status_code == 303
    with app.app_context():
        meat = make_shop("meat")
    mallory = app.test_client()
    enter(app, mallory, meat, Role.OWNER)
    for query in ("", f"?card={bakery.cleo.card_number}"):
        assert "Cleo" not in mallory.get(path + query).text
