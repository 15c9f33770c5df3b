"""The record of processing knows each purpose of the registry, and no other."""

from loyalty.domain import processing
from loyalty.domain.privacy import REGISTRY


def test_it_says_something_about_every_purpose_and_about_no_other() -> None:
    purposes = {column.purpose for table in REGISTRY.values() for column in table.of_customers.values()}
    assert purposes == set(processing.ACTIVITIES)


def test_it_names_every_column_about_a_customer_once() -> None:
    named = [column for entry in processing.entries() for column in entry.columns]
    columns = [f"{name}.{column}" for name, table in REGISTRY.items() for column in table.of_customers]
    assert sorted(named) == sorted(columns)


def test_it_names_the_columns_about_staff() -> None:
    assert {"staff_pins.name", "users.email"} <= set(processing.staff_columns())
