"""The list of transactions: what filters let through, page by page in both directions, and all of it in parts."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from loyalty.domain.values import Role, TransactionType
from loyalty.errors import Forbidden, ValidationError
from loyalty.services import stamps, transaction_table, voids
from loyalty.services.transaction_lists import Filters
from loyalty.services.transaction_table import Line
from tests.clocks import NOON, clock_at
from tests.factories import Shop, make_card, make_key, make_shop, make_store
from tests.services.voiding import OPEN, stamp

pytestmark = pytest.mark.usefixtures("context")
ALL = Filters()


@pytest.fixture
def bakery(context: None) -> Shop:
    return make_shop(**OPEN)


def lines(shop: Shop, filters: Filters = ALL) -> list[Line]:
    return transaction_table.find_page(actor=shop.ada, filters=filters).lines


def kinds(shop: Shop, filters: Filters) -> list[str]:
    return [line.transaction_type.value for line in lines(shop, filters)]


def test_it_says_who_did_what_where_and_who_took_it_back(bakery: Shop) -> None:
    cleo = make_card(bakery, name="Cleo Martin")
    kept, gone = stamp(bakery, cleo), stamp(bakery, cleo, 2)
    voids.void(actor=bakery.mia, transaction_id=gone, reason="a mistake", key=make_key(bakery.mia))
    found = {line.transaction_id: line for line in lines(bakery)}
    assert (found[kept].customer_name, found[kept].who, found[kept].store_name) == ("Cleo Martin", "Ben", "Main Street")
    assert (found[kept].voided, found[kept].voided_by) == (False, None)
    assert (found[gone].voided, found[gone].voided_by, found[gone].stamps_delta) == (True, "Mia", 2)
    newest = lines(bakery)[0]
    assert (newest.transaction_type, newest.who, newest.notes) == (TransactionType.STAMP_VOIDED, "Mia", "a mistake")


def test_it_names_the_office_and_programs_too(bakery: Shop) -> None:
    make_card(bakery, stamps=3)
    assert lines(bakery)[0].who == "ada@bakery.example"


def test_it_filters(bakery: Shop) -> None:
    cleo, dora = make_card(bakery), make_card(bakery)
    station = replace(bakery.ben, store_id=make_store(bakery))
    stamp(bakery, cleo)
    stamp(bakery, dora, actor=bakery.mia)
    stamp(bakery, dora, actor=station)
    assert kinds(bakery, Filters(kind=TransactionType.STAMP_EARNED)) == ["stamp_earned"] * 3
    assert kinds(bakery, Filters(store_code="station")) == ["stamp_earned"]
    assert kinds(bakery, Filters(staff_pin_id=bakery.mia.staff_pin_id)) == ["stamp_earned"]
    assert kinds(bakery, Filters(card_number=cleo.card_number)) == ["stamp_earned", "card_created"]
    both = Filters(card_number=dora.card_number, kind=TransactionType.STAMP_EARNED, store_code="main")
    assert kinds(bakery, both) == ["stamp_earned"]
    assert kinds(bakery, replace(both, card_number="0000000000")) == []


def test_it_takes_the_days_of_the_shop(bakery: Shop) -> None:
    cleo = make_card(bakery)
    # Half past midnight in Luxembourg is still yesterday in Greenwich.
    for hour in (datetime(2027, 1, 14, 22, 30, tzinfo=UTC), datetime(2027, 1, 14, 23, 30, tzinfo=UTC)):
        with clock_at(hour):
            stamp(bakery, cleo)
    assert len(lines(bakery, Filters(since=date(2027, 1, 14), until=date(2027, 1, 14)))) == 1
    assert len(lines(bakery, Filters(since=date(2027, 1, 15), until=date(2027, 1, 15)))) == 1
    assert len(lines(bakery, Filters(since=date(2027, 1, 14)))) == 2


def test_it_turns_pages_to_and_fro(bakery: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transaction_table, "PER_PAGE", 3)
    cleo = make_card(bakery)
    numbers = [str(stamp(bakery, cleo)) for _ in range(7)][::-1]
    numbers.append(str(lines(bakery, Filters(kind=TransactionType.CARD_CREATED))[0].transaction_id))

    def page(older: UUID | None = None, newer: UUID | None = None) -> tuple[list[str], UUID | None, UUID | None]:
        found = transaction_table.find_page(actor=bakery.ada, filters=ALL, older_than=older, newer_than=newer)
        assert (found.total, found.is_longer) == (8, False)
        return [str(line.transaction_id) for line in found.lines], found.newer, found.older

    first, none, older = page()
    assert (first, none) == (numbers[:3], None)
    second, newer, older = page(older=older)
    assert second == numbers[3:6]
    third, newer_of_third, end = page(older=older)
    assert (third, end) == (numbers[6:], None)
    assert page(newer=newer_of_third)[0] == numbers[3:6]
    # Back at the top it is the first page, whole, with nothing newer.
    assert page(newer=newer)[:2] == (numbers[:3], None)
    assert page(newer=UUID(numbers[1]))[:2] == (numbers[:3], None)


def test_it_begins_at_the_top_beside_a_row_of_the_shop_next_door(bakery: Shop) -> None:
    meat = make_shop("meat", **OPEN)
    foreign = stamp(meat, make_card(meat))
    stamp(bakery, make_card(bakery))
    found = transaction_table.find_page(actor=bakery.ada, filters=ALL, older_than=foreign)
    assert (len(found.lines), found.newer) == (2, None)
    assert foreign not in {line.transaction_id for line in found.lines}


def test_it_shows_nothing_of_the_shop_next_door(bakery: Shop) -> None:
    meat = make_shop("meat", **OPEN)
    card = make_card(meat)
    stamp(meat, card)
    assert lines(bakery) == []
    assert lines(bakery, Filters(card_number=card.card_number)) == []
    assert lines(bakery, Filters(staff_pin_id=meat.ben.staff_pin_id)) == []
    assert list(transaction_table.stream(actor=bakery.ada, filters=ALL)) == []


def test_it_stops_counting_where_nobody_reads_on(bakery: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transaction_table, "COUNTED", 3)
    cleo = make_card(bakery)
    for _ in range(2):
        stamp(bakery, cleo)
    found = transaction_table.find_page(actor=bakery.ada, filters=ALL)
    assert (found.total, found.is_longer) == (3, False)
    stamp(bakery, cleo)
    found = transaction_table.find_page(actor=bakery.ada, filters=ALL)
    assert (found.total, found.is_longer, len(found.lines)) == (3, True, 4)


def test_it_reads_everything_once_however_it_falls_into_parts(bakery: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    cleo = make_card(bakery)
    with clock_at(NOON):
        for _ in range(9):
            stamp(bakery, cleo)
    whole = lines(bakery)
    for size in (1, 2, 5, 10, 11):
        monkeypatch.setattr(transaction_table, "CHUNK", size)
        assert list(transaction_table.stream(actor=bakery.ada, filters=ALL)) == whole


def test_it_reads_past_rows_that_come_while_it_reads(bakery: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transaction_table, "CHUNK", 2)
    cleo = make_card(bakery)
    for _ in range(4):
        stamp(bakery, cleo)
    before = lines(bakery)
    reading = transaction_table.stream(actor=bakery.ada, filters=ALL)
    found = [next(reading)]
    stamps.add(actor=bakery.ben, card=cleo.ref, quantity=1, key=make_key(bakery.ben))
    assert [*found, *reading] == before


def test_it_refuses_staff_and_unknown_stores_before_anything_is_read(bakery: Shop) -> None:
    with pytest.raises(Forbidden):
        transaction_table.find_page(actor=bakery.ben, filters=ALL)
    with pytest.raises(Forbidden):
        transaction_table.stream(actor=bakery.ben, filters=ALL)
    with pytest.raises(ValidationError):
        transaction_table.stream(actor=bakery.ada, filters=Filters(store_code="nowhere"))
    manager = replace(bakery.ada, role=Role.MANAGER)
    week = timedelta(days=7)
    later = datetime.now(UTC) + week
    assert transaction_table.find_page(actor=manager, filters=Filters(since=later)).lines == []
