"""The registry of personal data is whole: every column stands in exactly one of its lists."""

from collections import Counter

import pytest
import sqlalchemy as sa

from loyalty.database import Base, new_id
from loyalty.domain.privacy import REGISTRY, Erasing
from loyalty.services.privacy_rows import Person, conditions

TABLES = sorted(Base.metadata.tables)


def test_it_knows_every_table_and_no_other() -> None:
    assert sorted(REGISTRY) == TABLES


@pytest.mark.parametrize("name", TABLES)
def test_it_says_of_every_column_whose_it_is(name: str) -> None:
    described = REGISTRY[name]
    said = [*described.of_customers, *described.of_staff, *described.of_nobody]
    assert [column for column, times in Counter(said).items() if times > 1] == []
    assert sorted(said) == sorted(Base.metadata.tables[name].columns.keys())


@pytest.mark.parametrize("name", TABLES)
def test_it_can_do_what_it_says(name: str) -> None:
    table, columns = Base.metadata.tables[name], REGISTRY[name].of_customers
    for column, personal in columns.items():
        if personal.erasing is Erasing.NULL:
            assert table.c[column].nullable, column
        assert (personal.replacement is not None) == (personal.erasing is Erasing.REPLACE), column
    deleted = [personal.erasing is Erasing.DELETE_ROW for personal in columns.values()]
    assert all(deleted) or not any(deleted)


def test_it_keeps_what_was_written_for_ever_only_in_the_ledger_and_in_short_words() -> None:
    """What stays after erasing is a number, a time, a day, or one of these words."""
    words = {
        "customers.locale",
        "loyalty_cards.card_number",
        "loyalty_cards.google_object_id",
        "loyalty_transactions.transaction_type",
        "loyalty_transactions.order_reference",
        "loyalty_transactions.reward_description",
        "email_logs.kind",
        "email_logs.locale",
        "email_logs.state",
        "confirmations.kind",
        "confirmations.locale",
        "audit_events.action",
    }
    kept = {
        f"{name}.{column}"
        for name, described in REGISTRY.items()
        for column, personal in described.of_customers.items()
        if personal.erasing is Erasing.KEEP and isinstance(Base.metadata.tables[name].c[column].type, sa.Text | sa.JSON)
    }
    assert kept == words


@pytest.mark.usefixtures("context")
def test_it_finds_the_rows_of_a_customer_in_every_table_with_personal_data() -> None:
    nobody = Person(new_id(), new_id(), (), (), ())
    assert conditions(nobody).keys() == {name for name, described in REGISTRY.items() if described.of_customers}
