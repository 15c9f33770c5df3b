"""Lists as they leave the house: written down, and no heavier for being long."""

from collections.abc import Iterator
from itertools import islice

import pytest
import sqlalchemy as sa

from loyalty.database import AnyRow, db
from loyalty.domain.values import TransactionType
from loyalty.errors import Forbidden
from loyalty.models.audit import AuditEvent
from loyalty.services import card_lists, exports
from loyalty.services.transaction_lists import Filters
from tests.factories import Card, Shop, make_card, make_shop
from tests.memory import resident

pytestmark = pytest.mark.usefixtures("context")

# Held all at once, they would be some fifty megabytes.
MANY = 40_000
LONG_HISTORY = """
INSERT INTO loyalty_transactions (id, card_id, vendor_id, store_id, seq, transaction_type, stamps_delta, points_delta,
  stamps_balance_after, points_balance_after, purchase_amount_cents, local_day, entry_version, entry_hash,
  transaction_at)
SELECT gen_random_uuid(), :card_id, :vendor_id, :store_id, 1 + n, 'points_earned', 0, 1, 0, n, 1250, '2026-01-01', 1,
  md5(n::text), timestamptz '2026-01-01 08:00:00Z' + (n / 3) * interval '1 second'
FROM generate_series(1, :many) n
"""


@pytest.fixture
def bakery(context: None) -> Shop:
    return make_shop(loyalty_type="hybrid")


@pytest.fixture
def cleo(bakery: Shop) -> Card:
    return make_card(bakery)


@pytest.fixture
def history(bakery: Shop, cleo: Card, owner_engine: sa.Engine) -> None:
    """A long life of one card; of three rows each, the times are the same."""
    ids = {"card_id": cleo.card_id, "vendor_id": bakery.vendor_id, "store_id": bakery.store_id}
    with owner_engine.begin() as connection:
        connection.execute(sa.text(LONG_HISTORY), {**ids, "many": MANY})


def events() -> list[AnyRow]:
    query = sa.select(AuditEvent.action, AuditEvent.user_id, AuditEvent.details).order_by(AuditEvent.created_at)
    return list(db.session.execute(query.where(AuditEvent.action.like("%.exported"))))


def test_it_writes_down_who_took_which_transactions(bakery: Shop, cleo: Card) -> None:
    filters = Filters(kind=TransactionType.CARD_CREATED, card_number=cleo.card_number)
    found = list(exports.export_transactions(actor=bakery.ada, filters=filters))
    assert [line.card_id for line in found] == [cleo.card_id]
    [event] = events()
    assert (event.action, event.user_id) == ("transactions.exported", bakery.ada.user_id)
    # Whose card it was does not stand in a log that outlives the person.
    assert event.details == {"kind": "card_created", "card_number": "one"}


def test_it_writes_it_down_before_the_first_row_is_read(bakery: Shop, cleo: Card) -> None:
    exports.export_transactions(actor=bakery.ada, filters=Filters())
    exports.export_customers(actor=bakery.ada, text="Cleo")
    assert [event.action for event in events()] == ["transactions.exported", "customers.exported"]
    assert events()[1].details == {"show": "all", "searched": True}


def test_it_refuses_staff_and_writes_nothing_down(bakery: Shop) -> None:
    with pytest.raises(Forbidden):
        exports.export_transactions(actor=bakery.ben, filters=Filters())
    with pytest.raises(Forbidden):
        exports.export_customers(actor=bakery.ben)
    assert events() == []


def test_it_takes_the_customers_that_the_list_shows(bakery: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(card_lists, "CHUNK", 2)
    for name in ("Cleo Martin", "Cleo Weber", "Dora Weber", "Cleo Klein", "Cleo Gross"):
        make_card(bakery, name=name)
    make_card(make_shop("meat"), name="Cleo Next-Door")
    shown = card_lists.list_cards(actor=bakery.ada, text="cleo").rows
    assert list(exports.export_customers(actor=bakery.ada, text="cleo")) == shown
    assert len(shown) == 4
    assert list(exports.export_customers(actor=bakery.ada, show="inactive")) == []


@pytest.mark.usefixtures("history")
def test_it_reads_a_long_history_in_flat_memory(bakery: Shop) -> None:
    reading = exports.export_transactions(actor=bakery.ada, filters=Filters())
    seen = {line.transaction_id.int for line in islice(reading, 5_000)}
    before, most = resident(), 0
    for place, line in enumerate(reading):
        seen.add(line.transaction_id.int)
        if place % 10_000 == 0:
            most = max(most, resident())
    assert len(seen) == MANY + 1
    # What is remembered here of the rows themselves weighs about five megabytes.
    assert most - before < 12 * 1024 * 1024


def open_transactions(engine: sa.Engine) -> Iterator[str]:
    with engine.connect() as connection:
        query = "SELECT state FROM pg_stat_activity WHERE datname = current_database() AND state IS NOT NULL"
        yield from connection.execute(sa.text(query)).scalars()


@pytest.mark.usefixtures("history")
def test_it_keeps_nothing_open_while_somebody_downloads_slowly(bakery: Shop, owner_engine: sa.Engine) -> None:
    reading = exports.export_transactions(actor=bakery.ada, filters=Filters())
    next(reading)
    assert "idle in transaction" not in set(open_transactions(owner_engine))
