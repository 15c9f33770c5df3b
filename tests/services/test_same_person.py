"""Customers who are one person since their cards were brought together: what is handed out, and what is erased."""

import pytest
import sqlalchemy as sa
from flask import Flask

from loyalty.database import db, transaction
from loyalty.errors import CardInactive
from loyalty.models.customers import Customer
from loyalty.services import cards, merging, privacy, privacy_export, retention, same_person, verification, webhooks
from loyalty.services.retention import Retained
from tests.factories import Card, Shop, make_card, make_key
from tests.privacy_life import Life, audited, dump, found, live, open_export
from tests.services.test_privacy import CLEO, DORA, deliver, make_bakery
from tests.services.test_retention import DAY, LONG_AGO, NOW, make_idle
from tests.tills import come_late

pytestmark = pytest.mark.usefixtures("context")

REASON = "Cleozzz has two"


@pytest.fixture
def shop() -> Shop:
    return make_bakery()


def bring_together(shop: Shop, into: Life | Card, source: Life | Card) -> None:
    key = make_key(shop.ada)
    merging.merge(actor=shop.ada, into_id=into.card_id, from_id=source.card_id, reason=REASON, key=key)


def erase(shop: Shop, one: Life | Card) -> privacy.ErasureReceipt:
    return privacy.erase(actor=shop.ada, customer_id=one.customer_id, key=make_key(shop.ada))


def find(shop: Shop, one: Life | Card) -> set[object]:
    return set(same_person.find_all(vendor_id=shop.vendor_id, customer_id=one.customer_id))


@pytest.mark.parametrize("by", ["kept", "emptied"])
def test_it_leaves_no_word_of_either_whichever_is_erased(shop: Shop, owner_engine: sa.Engine, by: str) -> None:
    cleo, again = live(shop, "Cleozzz", CLEO), live(shop, "Cleoagain", DORA)
    dan = live(shop, "Danny", "+352621987603")
    bring_together(shop, cleo, again)
    words = {**{f"again {name}": word for name, word in again.words.items()}, **cleo.words, "reason": REASON}
    assert found(words, dump(owner_engine)) == sorted(words)
    receipt = erase(shop, cleo if by == "kept" else again)
    deliver()
    assert found(words, dump(owner_engine)) == []
    assert found(dan.words, dump(owner_engine)) == sorted(dan.words)
    assert (receipt.cards, receipt.notes) == (2, sum(event.details["notes"] for event in audited("customer.erased")))
    assert verification.verify().findings == []


def test_it_tells_of_each_customer_once(shop: Shop) -> None:
    details = {"url": "https://hooks.example/in", "events": ["customer.erased"]}
    webhooks.create(actor=shop.ada, details=details, key=make_key(shop.ada))
    cleo, again = make_card(shop), make_card(shop)
    bring_together(shop, cleo, again)
    key = make_key(shop.ada)
    first, second = (privacy.erase(actor=shop.ada, customer_id=again.customer_id, key=key) for _ in range(2))
    assert (first.customer_id, first.replayed, second.replayed) == (again.customer_id, False, True)
    erase(shop, cleo)
    with transaction():
        told = db.session.scalars(sa.text("SELECT body->'data'->>'customer_id' FROM webhook_deliveries ORDER BY 1"))
        assert list(told) == sorted(str(each.customer_id) for each in (cleo, again))


def test_it_finds_them_by_way_of_a_third(shop: Shop) -> None:
    one, two, three, other = (make_card(shop) for _ in range(4))
    bring_together(shop, two, three)
    bring_together(shop, one, two)
    everybody = {each.customer_id for each in (one, two, three)}
    assert [find(shop, each) for each in (one, two, three)] == [everybody] * 3
    assert find(shop, other) == {other.customer_id}
    others = same_person.list_other_cards(vendor_id=shop.vendor_id, customer_id=two.customer_id)
    assert list(others) == [one.card_number, three.card_number]
    assert same_person.list_other_cards(vendor_id=shop.vendor_id, customer_id=other.customer_id) == []


def test_it_leaves_alone_whose_card_was_opened_again(shop: Shop, owner_engine: sa.Engine) -> None:
    """It was a mistake, and they are two people: one of them is no reason to erase the other."""
    cleo, dora = live(shop, "Cleozzz", CLEO), live(shop, "Dorayyyy", DORA)
    bring_together(shop, cleo, dora)
    cards.reactivate(actor=shop.ada, card=dora.ref, reason="Two people", key=make_key(shop.ada))
    cards.deactivate(actor=shop.ada, card=dora.ref, reason="Moved away", key=make_key(shop.ada))
    erase(shop, cleo)
    assert found(cleo.words, dump(owner_engine)) == []
    assert found(dora.words, dump(owner_engine)) == sorted(dora.words)


def test_it_hands_the_office_all_and_a_customer_what_their_address_proves(shop: Shop) -> None:
    cleo, again = live(shop, "Cleozzz", CLEO), live(shop, "Cleoagain", DORA)
    bring_together(shop, cleo, again)
    alone = privacy_export.export_own(
        vendor_id=shop.vendor_id, customer_id=again.customer_id, key=make_key(), say=str, at=NOW
    )
    assert [row["email"] for row in open_export(alone)[0]["data"]["customers"]] == [again.words["email"]]
    key = make_key(shop.ada)
    for _ in range(2):
        made = privacy_export.export(actor=shop.ada, customer_id=again.customer_id, key=key, say=str, at=NOW)
        emails = {row["email"] for row in open_export(made)[0]["data"]["customers"]}
        assert emails == {cleo.words["email"], again.words["email"]}
    subjects = sorted(event.subject_id for event in audited("customer.exported"))
    assert subjects == sorted(map(str, (again.customer_id, again.customer_id, cleo.customer_id)))


def test_it_forgets_a_silent_customer_alone_while_the_person_comes_with_another_card(shop: Shop) -> None:
    idle, cleo = make_idle(shop, email=None), make_card(shop, name="Cleo Martin")
    bring_together(shop, cleo, idle)
    with transaction():
        db.session.execute(
            sa.text("UPDATE loyalty_cards SET last_activity_at = :at WHERE id = :id"),
            {"at": LONG_AGO, "id": idle.card_id},
        )
    assert retention.run(at=NOW) == Retained(0, 1, 0)
    assert retention.run(at=NOW + 30 * DAY) == Retained(0, 0, 1)
    with transaction():
        left = db.session.scalars(sa.select(Customer.name).where(Customer.erased_at.is_(None)))
        assert list(left) == ["Cleo Martin"]


def test_it_erases_also_who_was_brought_together_while_it_waited(shop: Shop, app: Flask) -> None:
    cleo, again = make_card(shop, stamps=2), make_card(shop, stamps=3)
    with transaction():
        bring_together(shop, cleo, again)
        end = come_late(app, lambda: erase(shop, cleo))
    assert end() is None
    with transaction():
        assert db.session.scalars(sa.select(Customer.id).where(Customer.erased_at.is_(None))).all() == []
    assert verification.verify().findings == []


def test_it_brings_nobody_together_with_who_was_erased(shop: Shop) -> None:
    cleo, again = make_card(shop), make_card(shop)
    erase(shop, cleo)
    with pytest.raises(CardInactive):
        bring_together(shop, cleo, again)
    assert find(shop, again) == {again.customer_id}
