"""Customers who may be one person: found, told apart, and their cards brought together."""

from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa

from loyalty.database import db, transaction
from loyalty.errors import CardInactive, CardNotFound, Forbidden, NotFound, ValidationError, VendorSuspended
from loyalty.models.cards import LoyaltyCard
from loyalty.models.transactions import LoyaltyTransaction
from loyalty.models.vendors import Vendor
from loyalty.services import cards, duplicates, merging, verification
from tests.factories import Card, Shop, make_card, make_key, make_shop

pytestmark = pytest.mark.usefixtures("context")

BORN = date(1990, 3, 24)


def reasons(shop: Shop) -> list[tuple[str, ...]]:
    pairs, more = duplicates.list_pairs(actor=shop.ada)
    assert more is False
    return [pair.reasons for pair in pairs]


def merge(shop: Shop, into: Card, source: Card) -> merging.MergeReceipt:
    return merging.merge(
        actor=shop.ada, into_id=into.card_id, from_id=source.card_id, reason="One person", key=make_key(shop.ada)
    )


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ({"phone": "+352621123456"}, {"phone": "+33621123456"}, ("phone",)),
        ({"email": "cleo.martin@example.org"}, {"email": "cleomartin+bakery@example.org"}, ("email",)),
        ({"name": "Cleo Martin", "birth_date": BORN}, {"name": "cleo-martin", "birth_date": BORN}, ("birthday",)),
        ({"name": "Cleo Martin"}, {"name": "CLEO  MARTIN"}, ("name",)),
    ],
    ids=["phone", "email", "birthday", "name"],
)
def test_it_finds_who_may_be_one_person(one: dict[str, Any], other: dict[str, Any], expected: tuple[str, ...]) -> None:
    shop = make_shop()
    for number, person in enumerate((one, other)):
        make_card(shop, **{"name": f"Person {'AB'[number]}", **person})
    found = reasons(shop)
    assert len(found) == 1
    assert set(expected) <= set(found[0])


def test_it_leaves_those_alone_who_have_nothing_in_common() -> None:
    shop, other = make_shop(), make_shop("butcher")
    make_card(shop, name="Cleo Martin", email="cleo@example.org", phone="+352621123456")
    make_card(shop, name="Dan Weber", email="cleo@example.com", phone="+352621999888")
    # First names alone are shared by many.
    make_card(shop, name="Marie")
    make_card(shop, name="Marie")
    # A customer of one shop is never a customer of another.
    make_card(other, name="Cleo Martin", email="cleo@example.org", phone="+352621123456")
    assert reasons(shop) == []


def test_it_does_not_ask_again_about_two_who_were_told_apart() -> None:
    shop = make_shop()
    one, two = make_card(shop, name="Cleo Martin"), make_card(shop, name="Cleo Martin")
    for _ in range(2):
        duplicates.tell_apart(actor=shop.ada, one_id=two.customer_id, other_id=one.customer_id, key=make_key(shop.ada))
    assert reasons(shop) == []
    make_card(shop, name="Cleo Martin")
    assert len(reasons(shop)) == 2


def test_it_tells_nobody_apart_next_door() -> None:
    shop, other = make_shop(), make_shop("butcher")
    one, two = make_card(shop), make_card(other)
    with pytest.raises(NotFound):
        duplicates.tell_apart(actor=shop.ada, one_id=one.customer_id, other_id=two.customer_id, key=make_key(shop.ada))


def test_it_reads_a_page_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicates, "PER_PAGE", 2)
    shop = make_shop()
    for _ in range(3):
        make_card(shop, name="Cleo Martin")
    first, more = duplicates.list_pairs(actor=shop.ada)
    second, end = duplicates.list_pairs(actor=shop.ada, page=2)
    assert (len(first), more, len(second), end) == (2, True, 1, False)


def test_it_moves_everything_to_one_card_through_both_ledgers() -> None:
    shop = make_shop(loyalty_type="hybrid")
    kept, emptied = (
        make_card(shop, name="Cleo Martin", stamps=2, points=50),
        make_card(shop, name="Cleo Martin", stamps=3, points=20),
    )
    done = merge(shop, kept, emptied)
    assert (done.stamps, done.points) == (3, 20)
    held = {
        card.id: (card.stamp_count, card.points_balance, card.is_active)
        for card in db.session.scalars(sa.select(LoyaltyCard).execution_options(populate_existing=True))
    }
    assert held == {kept.card_id: (5, 70, True), emptied.card_id: (0, 0, False)}
    rows = db.session.scalars(
        sa.select(LoyaltyTransaction.transaction_type)
        .where(LoyaltyTransaction.card_id == emptied.card_id)
        .order_by(LoyaltyTransaction.seq)
    )
    assert list(rows)[-3:] == ["stamp_adjustment", "points_adjustment", "card_deactivated"]
    assert verification.verify().findings == []
    assert reasons(shop) == []


def test_it_merges_only_two_active_cards_of_the_shop() -> None:
    shop, other = make_shop(), make_shop("butcher")
    one, two, theirs = make_card(shop), make_card(shop), make_card(other)
    with pytest.raises(ValidationError):
        merge(shop, one, one)
    with pytest.raises(CardNotFound):
        merge(shop, one, theirs)
    with pytest.raises(Forbidden):
        merging.merge(actor=shop.ben, into_id=one.card_id, from_id=two.card_id, reason="One", key=make_key(shop.ben))
    cards.deactivate(actor=shop.ada, card=two.ref, reason="Moved away", key=make_key(shop.ada))
    with pytest.raises(CardInactive):
        merge(shop, one, two)


def test_it_merges_nothing_while_the_shop_is_suspended() -> None:
    shop = make_shop()
    one, two = make_card(shop), make_card(shop)
    with transaction():
        db.session.execute(sa.update(Vendor).where(Vendor.id == shop.vendor_id).values(status="suspended"))
    with pytest.raises(VendorSuspended):
        merge(shop, one, two)
