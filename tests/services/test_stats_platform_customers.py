"""Customers of all shops together: Cleo and Luc at the bakery, Mallory's one regular next door."""

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from loyalty.database import db, transaction
from loyalty.domain.values import Admin
from loyalty.errors import ValidationError
from loyalty.models.cards import LoyaltyCard
from loyalty.models.passes import AppleDevice, AppleDeviceRegistration
from loyalty.services import stats_customers, stats_platform_customers, stats_rollup
from loyalty.services.stats_customers import AtRisk, Cohort, Funnel
from loyalty.services.stats_platform_customers import Wallets
from tests.clocks import clock_at
from tests.factories import Shop, make_card, make_shop
from tests.outbox_rows import make_row
from tests.services.stats_bakery import AT, Bakery, on, open_bakery
from tests.services.voiding import OPEN, stamp

pytestmark = pytest.mark.usefixtures("context")

ROOT = Admin()


@pytest.fixture
def bakery() -> Bakery:
    return open_bakery()


@pytest.fixture
def meat(bakery: Bakery) -> Shop:
    """The shop next door: one customer since the 3rd of June, who came on the 10th and the 12th."""
    shop = make_shop("meat", vendor={"name": "Mallory's Meat"}, **OPEN)
    with clock_at(on(6, 3)):
        card = make_card(shop)
    for day in (10, 12):
        with clock_at(on(6, day)):
            stamp(shop, card)
    stats_rollup.roll_up(at=AT)
    return shop


def test_it_follows_the_cohorts_and_the_way_of_all_shops(bakery: Bakery, meat: Shop) -> None:
    june = {"first": date(2026, 6, 1), "last": date(2026, 6, 30)}
    seen = stats_platform_customers.look(admin=ROOT, months=3, at=AT, **june)
    assert seen.cohorts == [
        Cohort(date(2026, 4, 1), 0, (0, 0, 0)),
        Cohort(date(2026, 5, 1), 1, (1, 1)),
        Cohort(date(2026, 6, 1), 2, (2,)),
    ]
    assert seen.funnel == Funnel(2, 0, 1, 0)
    # What a shop sees of itself does not grow by another one.
    assert stats_customers.funnel(actor=bakery.shop.ada, period=bakery.june()) == Funnel(1, 0, 0, 0)


def test_it_counts_who_stays_away_and_names_nobody(bakery: Bakery, meat: Shop) -> None:
    def quiet(at: datetime) -> AtRisk:
        return stats_platform_customers.look(admin=ROOT, at=at).quiet

    # Next door twice the two days between the visits are over soon; at the bakery nobody is silent before August.
    assert quiet(on(6, 15)) == AtRisk(3, 0, 0, ())
    assert quiet(on(7, 31)) == AtRisk(3, 1, 0, ())
    assert quiet(on(8, 10)) == AtRisk(3, 2, 1, ())


def test_it_says_where_cards_are_and_whether_wallets_were_told(bakery: Bakery, meat: Shop) -> None:
    with transaction():
        card = sa.update(LoyaltyCard).where(LoyaltyCard.id == bakery.cleo.card_id)
        db.session.execute(card.values(google_saved_at=AT))
        # Two phones hold one pass.
        phones = [AppleDevice(device_library_identifier=name, push_token=name, token_seen_at=AT) for name in "ab"]
        db.session.add_all(phones)
        db.session.flush()
        held = {"card_id": bakery.late.card_id, "pass_type": "pass.bakery", "vendor_id": bakery.shop.vendor_id}
        db.session.add_all(AppleDeviceRegistration(device_id=phone.id, **held) for phone in phones)
    for kind, told in (("google.object", timedelta(hours=1)), ("apple.push", timedelta(hours=23))):
        make_row(kind=kind, delivered=AT - told)
    make_row(kind="google.object", delivered=AT - timedelta(hours=25))
    make_row(kind="mail", delivered=AT)
    make_row(kind="apple.push", error="no route", gave_up=True)
    make_row(kind="apple.push", error="no route")
    assert stats_platform_customers.look(admin=ROOT, at=AT).wallets == Wallets(3, 1, 1, 1, told=2, given_up=1)


def test_it_compares_the_shops_of_these_days(bakery: Bakery, meat: Shop) -> None:
    seen = stats_platform_customers.look(admin=ROOT, first=date(2026, 6, 10), last=date(2026, 6, 12), at=AT)
    found = [(shop.name, shop.visits, shop.cards_created, shop.redemptions) for shop in seen.shops]
    assert found == [("Mallory's Meat", 2, 0, 0), ("Bakery", 1, 1, 0)]
    assert seen.shops_in_all == 2
    nothing = stats_platform_customers.look(admin=ROOT, first=date(2026, 1, 1), last=date(2026, 1, 2), at=AT)
    assert (nothing.shops, nothing.shops_in_all) == ([], 0)


def test_it_refuses_months_that_no_page_shows(bakery: Bakery) -> None:
    with pytest.raises(ValidationError):
        stats_platform_customers.look(admin=ROOT, months=25, at=datetime(2026, 6, 30, tzinfo=UTC))
