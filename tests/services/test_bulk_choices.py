"""Which cards are chosen: by store, by days, by a pasted list; and that only what was seen is switched off."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from loyalty.database import db, transaction
from loyalty.domain.values import Admin
from loyalty.errors import Forbidden, ValidationError, VendorSuspended
from loyalty.models.bulk import BulkCard
from loyalty.models.cards import LoyaltyCard
from loyalty.services import bulk_choices, cards
from loyalty.services.bulk_choices import CardChoice
from tests import bulk, factories
from tests.factories import Shop


def test_it_chooses_by_store_and_days(app: Flask, shop: Shop, root: Admin) -> None:
    with app.app_context():
        station = factories.make_store(shop, "station")
        old, young, used = (factories.make_card(shop) for _ in range(3))
        night = datetime(2026, 3, 9, 23, 30, tzinfo=UTC)  # 10 March at the bakery
        values: dict[UUID, dict[str, object]] = {
            old.card_id: {"created_at": night, "last_activity_at": None, "enrolled_at_store_id": station},
            young.card_id: {"created_at": night + timedelta(days=30), "last_activity_at": None},
            used.card_id: {"created_at": night, "last_activity_at": night + timedelta(days=60)},
        }
        with transaction():
            for card_id, columns in values.items():
                db.session.execute(sa.update(LoyaltyCard).where(LoyaltyCard.id == card_id).values(**columns))

        def chosen(choice: CardChoice) -> set[UUID]:
            which = bulk_choices.conditions(vendor_id=shop.vendor_id, choice=choice)
            return set(db.session.scalars(sa.select(LoyaltyCard.id).where(*which)))

        assert chosen(CardChoice(store_id=station)) == {old.card_id}
        assert chosen(CardChoice(joined_since=date(2026, 3, 11))) == {young.card_id}
        assert chosen(CardChoice(joined_until=date(2026, 3, 10))) == {old.card_id, used.card_id}
        assert chosen(CardChoice(joined_until=date(2026, 3, 9))) == set()
        assert chosen(CardChoice(silent_since=date(2026, 3, 11))) == {old.card_id}
        assert chosen(CardChoice(silent_since=date(2026, 4, 20), joined_until=date(2026, 3, 31))) == {old.card_id}
        assert chosen(CardChoice(joined_since=date.min, joined_until=date.max, silent_since=date.max)) == set(values)


def test_it_reads_a_pasted_list_and_names_what_is_none(app: Flask, shop: Shop, root: Admin) -> None:
    with app.app_context():
        mine, second, off = (factories.make_card(shop) for _ in range(3))
        cards.deactivate(actor=shop.ada, card=off.ref, reason="lost", key=factories.make_key(shop.ada))
        theirs = factories.make_card(factories.make_shop("butcher"))
        number = mine.card_number
        typed = f" {number[:4]} {number[4:7]} {number[7:]} \n{second.card_number}, {number};\n\n{off.card_number}\nmoon"
        choice = CardChoice(numbers=f"{typed}\t{theirs.card_number}")
        seen = bulk_choices.preview(admin=root, vendor_id=shop.vendor_id, choice=choice)
        assert (seen.cards, {card.card_number for card in seen.sample}) == (2, {number, second.card_number})
        assert seen.unknown == (off.card_number, "moon", theirs.card_number)


@pytest.mark.parametrize(
    ("choice", "field"),
    [
        (CardChoice(), "choice"),
        (CardChoice(numbers=" \n"), "choice"),
        (CardChoice(numbers="moon"), "choice"),
        (CardChoice(joined_since=date(2026, 2, 2), joined_until=date(2026, 2, 1)), "joined_until"),
        (CardChoice(numbers="\n".join(map(str, range(5001)))), "numbers"),
    ],
    ids=["nothing", "blank", "no card", "days", "too many"],
)
def test_it_refuses_choices_that_mean_nothing(
    app: Flask, shop: Shop, root: Admin, choice: CardChoice, field: str
) -> None:
    with app.app_context():
        factories.make_card(shop)
        with pytest.raises(ValidationError) as refused:
            bulk.begin(root, shop.vendor_id, 0, choice)
        assert list(refused.value.errors) == [field]


def test_it_switches_off_only_what_somebody_has_seen(app: Flask, shop: Shop, root: Admin) -> None:
    with app.app_context():
        choice = CardChoice(joined_until=date.max)
        factories.make_card(shop)
        seen = bulk_choices.preview(admin=root, vendor_id=shop.vendor_id, choice=choice)
        factories.make_card(shop)
        with pytest.raises(ValidationError) as refused:
            bulk.begin(root, shop.vendor_id, seen.cards, choice)
        assert "typed_count" in refused.value.errors
        with pytest.raises(ValidationError) as refused:
            bulk.begin(root, shop.vendor_id, 2, choice, reason="  ")
        assert "reason" in refused.value.errors
        bulk.set_status(shop, "suspended")
        with pytest.raises(VendorSuspended):
            bulk.begin(root, shop.vendor_id, 2, choice)
        with pytest.raises(Forbidden):
            bulk.begin(Admin(), shop.vendor_id, 2, choice)
        assert db.session.scalars(sa.select(BulkCard.card_id)).all() == []
