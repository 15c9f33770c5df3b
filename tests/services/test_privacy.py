"""Erasing a customer: nothing about the person is found anywhere, and everybody else is as before."""

import threading
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
import redis
import sqlalchemy as sa
from flask import Flask

from config import Config
from loyalty import jobs
from loyalty.database import db, new_id, transaction
from loyalty.domain.joining import JoinForm
from loyalty.domain.values import Admin
from loyalty.errors import CardInactive, CustomerErased, Forbidden, IdempotencyKeyReused, NotFound
from loyalty.models.customers import Customer
from loyalty.models.mail import EmailLog
from loyalty.models.users import User
from loyalty.models.webhooks import WebhookDelivery
from loyalty.services import cards, enrolment, outbox, privacy, privacy_export, stamps, verification, webhooks
from tests.factories import Shop, change_program, make_card, make_key, make_shop
from tests.privacy_life import Life, audited, dump, dump_files, dump_redis, found, live, open_export

pytestmark = pytest.mark.usefixtures("context")

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
CLEO = "+352621987601"
DORA = "+352621987602"


@pytest.fixture
def shop() -> Shop:
    return make_bakery()


def make_bakery(code: str = "bakery") -> Shop:
    asks = {"ask_name": True, "ask_birthday": True, "ask_marketing": True}
    return make_shop(code, vendor=asks, loyalty_type="hybrid", cooldown_minutes=0, max_stamps_per_action=5)


def deliver() -> None:
    for message_id in outbox.due(limit=100):
        jobs.deliver(str(message_id))


def erase(life: Life) -> privacy.ErasureReceipt:
    ada = life.shop.ada
    return privacy.erase(actor=ada, customer_id=life.customer_id, key=make_key(ada))


def export(life: Life) -> dict[str, Any]:
    """All that is known, but for who looked at it."""
    ada = life.shop.ada
    made = privacy_export.export(actor=ada, customer_id=life.customer_id, key=make_key(ada), say=str, at=NOW)
    known: dict[str, Any] = open_export(made)[0]["data"]
    return {name: rows for name, rows in known.items() if name != "audit_events"}


def test_it_leaves_no_word_about_the_person_anywhere(
    shop: Shop, config: Config, owner_engine: sa.Engine, valkey: "redis.Redis", capsys: pytest.CaptureFixture[str]
) -> None:
    cleo, dora = live(shop, "Cleozzz", CLEO), live(shop, "Dorayyyy", DORA)
    deliver()
    before = dump(owner_engine)
    assert found(cleo.words, before) == sorted(cleo.words)
    assert cleo.words["email"] in dump_files(config.data_dir / "mail")
    doras = export(dora)

    receipt = erase(cleo)
    deliver()

    for place in (dump(owner_engine), dump_redis(valkey), dump_files(config.data_dir), capsys.readouterr().err):
        assert found(cleo.words, place) == []
    assert (receipt.cards, receipt.notes, receipt.mails) == (1, 7, 3)
    assert found(dora.words, dump(owner_engine)) == sorted(dora.words)
    assert dora.words["email"] in dump_files(config.data_dir / "mail")
    assert export(dora) == doras


def test_it_keeps_the_ledger_and_closes_the_card(shop: Shop, owner_engine: sa.Engine) -> None:
    cleo = live(shop, "Cleozzz", CLEO)
    query = "SELECT seq, transaction_type, stamps_delta, points_delta FROM loyalty_transactions ORDER BY seq"
    with owner_engine.connect() as connection:
        before = connection.execute(sa.text(query)).all()
    receipt = erase(cleo)
    with owner_engine.connect() as connection:
        after = connection.execute(sa.text(query)).all()
    assert after[:-1] == before
    assert tuple(after[-1]) == (len(after), "card_deactivated", 0, 0)
    assert receipt.entries_kept == len(after)
    assert verification.verify().findings == []
    with pytest.raises(CardInactive):
        stamps.add(actor=shop.ben, card=cleo.ref, quantity=1, key=make_key(shop.ben))
    with pytest.raises(CustomerErased):
        cards.reactivate(actor=shop.ada, card=cleo.ref, reason="by mistake", key=make_key(shop.ada))


def test_it_lets_no_waiting_mail_leave(shop: Shop, config: Config) -> None:
    cleo = live(shop, "Cleowait", CLEO)
    erase(cleo)
    deliver()
    assert cleo.words["email"] not in dump_files(config.data_dir / "mail")
    with transaction():
        assert set(db.session.scalars(sa.select(EmailLog.state))) == {"failed"}


def test_it_empties_a_form_whose_address_was_never_proven(shop: Shop, owner_engine: sa.Engine) -> None:
    with transaction():
        db.session.execute(sa.text("UPDATE vendors SET confirm_address = true"))
    card = make_card(shop, name=None, email=None, phone=CLEO)
    form = JoinForm(email="unproven@example.org", name="Unproven Person")
    enrolment.join(vendor_code=shop.code, store_code=None, form=form, locale="en", key=make_key(asked=form), at=NOW)
    with transaction():
        db.session.execute(
            sa.update(Customer).where(Customer.id == card.customer_id).values(email="unproven@example.org")
        )
    receipt = privacy.erase(actor=shop.ada, customer_id=card.customer_id, key=make_key(shop.ada))
    assert (receipt.confirmations, receipt.mails) == (1, 1)
    assert found({"email": "unproven@", "name": "Unproven"}, dump(owner_engine)) == []


def test_it_answers_a_second_tap_like_the_first(shop: Shop) -> None:
    cleo, key = live(shop, "Cleozzz", CLEO), make_key(shop.ada)
    first = privacy.erase(actor=shop.ada, customer_id=cleo.customer_id, key=key)
    second = privacy.erase(actor=shop.ada, customer_id=cleo.customer_id, key=key)
    assert second.replayed
    assert second.erased_at == first.erased_at
    assert len(audited("customer.erased")) == 1
    again = erase(cleo)
    assert (again.erased_at, again.notes, again.cards) == (first.erased_at, 0, 1)


def test_it_writes_a_receipt_that_names_nobody(shop: Shop) -> None:
    cleo = live(shop, "Cleozzz", CLEO)
    receipt = erase(cleo)
    (event,) = audited("customer.erased")
    assert (event.user_id, event.subject_id) == (shop.ada.user_id, str(cleo.customer_id))
    assert event.details == {
        "erased_at": receipt.erased_at.isoformat(),
        "cards": 1,
        "entries_kept": receipt.entries_kept,
        "notes": 7,
        "mails": 3,
        "confirmations": 0,
        "answers": receipt.answers,
        "audit_events": receipt.audit_events,
    }
    assert receipt.answers == 8


def test_it_refuses_to_repeat_what_was_asked_under_a_key_of_before(shop: Shop) -> None:
    key, form = make_key(asked="join"), JoinForm(email="cleo@example.org")
    ask = partial(enrolment.join, vendor_code=shop.code, store_code=None, form=form, locale="en", key=key, at=NOW)
    joined = ask()
    with transaction():
        customer_id = db.session.scalar(sa.select(Customer.id))
    assert joined.card_id
    assert customer_id
    privacy.erase(actor=shop.ada, customer_id=customer_id, key=make_key(shop.ada))
    with pytest.raises(IdempotencyKeyReused):
        ask()


def test_it_lets_an_erased_customer_join_anew_with_the_same_address(shop: Shop) -> None:
    cleo = live(shop, "Cleozzz", CLEO)
    erase(cleo)
    again = live(shop, "Cleozzz", CLEO)
    assert again.customer_id != cleo.customer_id
    assert again.card_id != cleo.card_id
    assert verification.verify().findings == []


def test_it_is_for_owners_and_finds_no_customer_of_next_door(shop: Shop) -> None:
    cleo, meat = live(shop, "Cleozzz", CLEO), make_bakery("meat")
    for actor in (shop.ben, shop.mia):
        with pytest.raises(Forbidden):
            privacy.erase(actor=actor, customer_id=cleo.customer_id, key=make_key(actor))
    for customer_id in (cleo.customer_id, new_id()):
        with pytest.raises(NotFound):
            privacy.erase(actor=meat.ada, customer_id=customer_id, key=make_key(meat.ada))
        with pytest.raises(NotFound):
            privacy.erase_own(vendor_id=meat.vendor_id, customer_id=customer_id, key=make_key())
    assert audited("customer.erased") == []


def test_it_leaves_the_same_person_next_door_alone(shop: Shop, owner_engine: sa.Engine) -> None:
    cleo, meat = live(shop, "Cleozzz", CLEO), make_bakery("meat")
    theirs = live(meat, "Cleozzz", CLEO)
    erase(cleo)
    text = dump(owner_engine)
    assert found(theirs.words, text) == sorted(theirs.words)
    assert found({name: cleo.words[name] for name in ("scan code", "public token")}, text) == []


def test_it_is_done_by_the_platform_and_by_customers_themselves(shop: Shop) -> None:
    cleo, dora = live(shop, "Cleozzz", CLEO), live(shop, "Dorayyyy", DORA)
    with transaction():
        admin = User(id=new_id(), email="root@example.org", password_hash="none", is_admin=True)
        db.session.add(admin)
    who = Admin(user_id=admin.id)
    privacy.erase(actor=who, customer_id=cleo.customer_id, key=make_key())
    privacy.erase_own(vendor_id=shop.vendor_id, customer_id=dora.customer_id, key=make_key())
    by_admin, by_dora = audited("customer.erased")
    assert (by_admin.user_id, by_admin.vendor_id) == (admin.id, shop.vendor_id)
    assert (by_dora.user_id, by_dora.vendor_id) == (None, shop.vendor_id)
    assert verification.verify().findings == []


def test_it_tells_the_shops_own_software_with_ids_alone(shop: Shop) -> None:
    details = {"url": "https://hooks.example/in", "events": ["customer.erased", "transaction.created"]}
    webhooks.create(actor=shop.ada, details=details, key=make_key(shop.ada))
    cleo = live(shop, "Cleozzz", CLEO)
    erase(cleo)
    erase(cleo)
    with transaction():
        bodies = [row.body for row in db.session.scalars(sa.select(WebhookDelivery).order_by(WebhookDelivery.id))]
    assert [body["type"] for body in bodies][-2:] == ["transaction.created", "customer.erased"]
    assert bodies[-2]["data"]["transaction_type"] == "card_deactivated"
    assert bodies[-1]["data"]["customer_id"] == str(cleo.customer_id)
    assert [card["card_id"] for card in bodies[-1]["data"]["cards"]] == [str(cleo.card_id)]
    assert found(cleo.words, str(bodies)) == []


def test_it_lets_no_stamp_in_after_the_end(shop: Shop, app: Flask) -> None:
    cleo = live(shop, "Cleozzz", CLEO)
    change_program(shop, max_daily_stamps=100)
    start = threading.Barrier(5)

    def stamp() -> None:
        with app.app_context():
            start.wait()
            with suppress(CardInactive):
                for _ in range(5):
                    stamps.add(actor=shop.ben, card=cleo.ref, quantity=1, key=make_key(shop.ben))

    threads = [threading.Thread(target=stamp) for _ in range(4)]
    for thread in threads:
        thread.start()
    start.wait()
    erase(cleo)
    for thread in threads:
        thread.join()
    with transaction():
        types = db.session.execute(sa.text("SELECT transaction_type FROM loyalty_transactions ORDER BY seq")).scalars()
        assert list(types)[-1] == "card_deactivated"
    assert verification.verify().findings == []
