"""Ten times as many rows cost no statement more; and drawn shops, on which that is measured, have a right ledger."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from uuid import UUID

import psycopg
import pytest
import sqlalchemy as sa

from benchmarks import laid_aside
from benchmarks.history import Place
from benchmarks.seed import Work, open_shop, write_cards
from loyalty.database import db
from loyalty.domain.values import Actor, Role
from loyalty.models.cards import LoyaltyCard
from loyalty.models.customers import Customer
from loyalty.services import (
    card_lists,
    card_records,
    card_search,
    exports,
    stats,
    stats_customers,
    stats_periods,
    stats_revenue,
    stats_rollup,
    transaction_lists,
    transaction_table,
    verification,
)
from loyalty.services.transaction_lists import Filters

AT = datetime(2026, 11, 20, 20, tzinfo=UTC)


def period(actor: Actor) -> stats_periods.Period:
    return stats_periods.choose(actor=actor, at=AT)


ASKED: dict[str, Callable[[Actor], object]] = {
    "transactions of the office": lambda actor: transaction_table.find_page(actor=actor, filters=Filters()),
    "transactions of the API": lambda actor: transaction_lists.list_page(actor=actor, filters=Filters(), limit=100),
    "customers of the office": lambda actor: card_lists.list_cards(actor=actor),
    "cards of the API": lambda actor: card_records.list_page(actor=actor, limit=100),
    "overview": lambda actor: stats.overview(actor=actor, period=period(actor)),
    "stores": lambda actor: stats.by_store(actor=actor, period=period(actor)),
    "hours": lambda actor: stats.by_hour(actor=actor, period=period(actor)),
    "cohorts": lambda actor: stats_customers.cohorts(actor=actor, at=AT, months=12),
    "revenue": lambda actor: stats_revenue.by_month(actor=actor, at=AT),
}


# The same for what is typed.
SEARCHED: dict[str, Callable[[Actor, str], object]] = {
    "customers of the office": lambda actor, text: card_lists.list_cards(actor=actor, text=text),
    "cards at the till": lambda actor, text: card_search.look_up(actor=actor, text=text),
}


@pytest.fixture
def shops(context: None, owner_engine: sa.Engine) -> tuple[Place, Place]:
    """A shop with five cards of ten rows, and one with ten times as many of both."""
    small, large = open_shop(1, 5), open_shop(2, 50)
    url = owner_engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    # What was read so far is locked until the transaction ends.
    db.session.rollback()
    write_cards(Work(url, small, 0, [10] * 5))
    write_cards(Work(url, large, 5, [100] * 50))
    stats_rollup.roll_up(at=AT)
    return small, large


@contextmanager
def counted() -> Iterator[list[str]]:
    """Collect the statements of the block."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        sent.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", note)


def owner_of(place: Place) -> Actor:
    return Actor(UUID(place.vendor_id), Role.OWNER)


def test_it_draws_a_ledger_that_is_right(shops: tuple[Place, Place]) -> None:
    found = verification.verify()
    assert (found.cards, found.rows, found.findings) == (55, 5050, [])


def number_of(ask: Callable[..., object], *arguments: object) -> int:
    with counted() as statements:
        ask(*arguments)
    return len(statements)


@pytest.mark.parametrize("name", ASKED)
def test_it_asks_as_often_for_ten_times_as_many_rows(shops: tuple[Place, Place], name: str) -> None:
    small, large = (number_of(ASKED[name], owner_of(place)) for place in shops)
    assert large <= small <= 6


@pytest.mark.parametrize("column", ["name", "email"])
@pytest.mark.parametrize("name", SEARCHED)
def test_it_searches_as_often_among_ten_times_as_many(shops: tuple[Place, Place], name: str, column: str) -> None:
    numbers = []
    for place in shops:
        theirs = sa.select(Customer).where(Customer.vendor_id == UUID(place.vendor_id)).order_by(Customer.email)
        text = getattr(db.session.scalars(theirs.limit(1)).one(), column)
        numbers.append(number_of(SEARCHED[name], owner_of(place), text))
    assert numbers[1] <= numbers[0] <= 3


def test_it_reads_a_file_a_thousand_rows_at_a_time(shops: tuple[Place, Place]) -> None:
    with counted() as statements:
        lines = sum(1 for _ in exports.export_transactions(actor=owner_of(shops[1]), filters=Filters()))
    reads = [one for one in statements if "FROM loyalty_transactions" in one]
    assert (lines, len(reads)) == (5000, 6)


@pytest.mark.parametrize("typed", ["le", "c3@example.com", "+352621000005"])
def test_it_looks_for_people_among_those_of_the_shop(shops: tuple[Place, Place], typed: str) -> None:
    """Only a condition on the customer's own shop lets the indexes of names and addresses serve."""
    with counted() as statements:
        card_search.look_up(actor=owner_of(shops[1]), text=typed)
    searches = [one for one in statements if "JOIN customers" in one]
    assert searches
    assert all("customers.vendor_id = " in one for one in searches)


def test_it_puts_back_what_it_laid_aside(shops: tuple[Place, Place], owner_engine: sa.Engine) -> None:
    url = owner_engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    db.session.rollback()

    def described(connection: psycopg.Connection[tuple[str, ...]]) -> list[tuple[str, ...]]:
        constraints = "SELECT pg_get_constraintdef(oid), conname FROM pg_constraint WHERE conrelid = %s::regclass"
        indexes = "SELECT indexdef, indexname FROM pg_indexes WHERE tablename = %s"
        query = f"{constraints} UNION ALL {indexes} ORDER BY 2, 1"
        return connection.execute(query.encode(), ["loyalty_transactions"] * 2).fetchall()

    with psycopg.connect(url) as connection:
        before = described(connection)
        statements = laid_aside.lay_aside(connection, "loyalty_transactions")
        assert len(described(connection)) < len(before)
        laid_aside.put_back(connection, statements)
        assert described(connection) == before
        connection.rollback()
    assert db.session.scalar(sa.select(sa.func.count()).select_from(LoyaltyCard)) == 55
