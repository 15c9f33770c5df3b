"""What is known about a customer, in one ZIP: all of it, and nothing about anybody else."""

import csv
import io
from datetime import UTC, datetime
from uuid import UUID

import pytest
import sqlalchemy as sa

from loyalty.database import db, transaction
from loyalty.domain.values import Actor, Admin, RequestKey
from loyalty.errors import Forbidden, NotFound
from loyalty.models.customers import Customer
from loyalty.services import passes, privacy, privacy_export
from loyalty.services.privacy_export import Export
from tests.factories import Shop, make_card, make_key, make_shop
from tests.jobs.apple_world import World, world
from tests.privacy_life import audited, found, live, open_export

pytestmark = pytest.mark.usefixtures("context")
__all__ = ["world"]

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def make_bakery(code: str = "bakery") -> Shop:
    asks = {"ask_name": True, "ask_birthday": True, "ask_marketing": True}
    return make_shop(code, vendor=asks, loyalty_type="hybrid", cooldown_minutes=0, max_stamps_per_action=5)


def export(actor: Actor | Admin, customer_id: UUID, key: RequestKey | None = None) -> Export:
    key = key or make_key()
    return privacy_export.export(actor=actor, customer_id=customer_id, key=key, say=str.upper, at=NOW)


def test_it_hands_out_all_that_is_known_and_nobody_elses() -> None:
    shop = make_bakery()
    cleo, dora = live(shop, "Cleozzz", "+352621987601"), live(shop, "Dorayyyy", "+352621987602")
    made = export(shop.ada, cleo.customer_id)
    said, files = open_export(made)
    assert made.file_name == "customer-2026-11-21.zip"
    tables = ["customers", "consents", "loyalty_cards", "loyalty_transactions", "transaction_details"]
    tables += ["email_logs", "audit_events"]
    assert sorted(files) == sorted(["data.json", *(f"{name}.csv" for name in tables)])
    assert found(cleo.words, files["data.json"]) == sorted(cleo.words)
    assert found(cleo.words, "".join(text for name, text in files.items() if name != "data.json")) == sorted(cleo.words)
    others = {name: word for name, word in dora.words.items() if word not in cleo.words.values()}
    assert found(others, "".join(files.values())) == []
    assert (said["shop"], said["made_at"]) == ("Bakery", "2026-11-21T12:00:00+00:00")
    assert said["purposes"]["customers"]["name"].startswith("TO GREET THE CUSTOMER")
    (customer,) = said["data"]["customers"]
    assert (customer["birth_date"], customer["locale"], customer["marketing_consent"]) == ("1987-03-07", "fr", True)
    agreed = sorted((row["kind"], row["given"], row["source"]) for row in said["data"]["consents"])
    assert agreed == [("marketing", True, "join"), ("terms", True, "join")]


def test_it_says_in_which_phones_the_card_is(world: World) -> None:
    phone, held = world.phone()
    said, files = open_export(export(world.shop.ada, world.card.customer_id))
    (device,) = said["data"]["apple_devices"]
    assert (device["device_library_identifier"], device["push_token"]) == (phone.device, phone.push_token)
    assert said["data"]["loyalty_cards"][0]["apple_serial_number"] == held.serial
    # That would open the pass to whoever finds the file.
    assert str(held.opened.says["authenticationToken"]) not in "".join(files.values())
    assert passes.find_pass_type()


def test_it_writes_nothing_that_a_spreadsheet_would_calculate() -> None:
    shop = make_bakery()
    card = make_card(shop, name='=HYPERLINK("http://evil.example")', phone="+352621987601")
    said, files = open_export(export(shop.ada, card.customer_id))
    (row,) = csv.DictReader(io.StringIO(files["customers.csv"].removeprefix("\ufeff")))
    assert (row["name"], row["phone"]) == ('\'=HYPERLINK("http://evil.example")', "'+352621987601")
    assert said["data"]["customers"][0]["phone"] == "+352621987601"


def test_it_is_in_the_audit_log_once_per_key() -> None:
    shop = make_bakery()
    cleo, key = live(shop, "Cleozzz", "+352621987601"), make_key(shop.ada)
    first, second = (export(shop.ada, cleo.customer_id, key) for _ in range(2))
    (event,) = audited("customer.exported")
    assert (event.user_id, event.vendor_id, event.subject_id) == (
        shop.ada.user_id,
        shop.vendor_id,
        str(cleo.customer_id),
    )
    assert first.file_name == second.file_name


def test_it_is_for_managers_and_finds_no_customer_of_next_door() -> None:
    shop, meat = make_bakery(), make_bakery("meat")
    cleo = live(shop, "Cleozzz", "+352621987601")
    with pytest.raises(Forbidden):
        export(shop.ben, cleo.customer_id)
    with pytest.raises(NotFound):
        export(meat.ada, cleo.customer_id)
    with pytest.raises(NotFound):
        privacy_export.export_own(
            vendor_id=meat.vendor_id, customer_id=cleo.customer_id, key=make_key(), say=str, at=NOW
        )
    assert audited("customer.exported") == []
    assert export(shop.mia, cleo.customer_id).content
    assert export(Admin(), cleo.customer_id).content
    own = privacy_export.export_own(
        vendor_id=shop.vendor_id, customer_id=cleo.customer_id, key=make_key(), say=str, at=NOW
    )
    assert own.content


def test_it_has_nothing_to_say_of_somebody_who_was_erased() -> None:
    shop = make_bakery()
    cleo = live(shop, "Cleozzz", "+352621987601")
    privacy.erase(actor=shop.ada, customer_id=cleo.customer_id, key=make_key(shop.ada))
    with pytest.raises(NotFound):
        export(shop.ada, cleo.customer_id)
    with transaction():
        assert db.session.scalar(sa.select(Customer.email)) is None
