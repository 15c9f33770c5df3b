"""A spring of the bakery that statistics can be checked against by hand."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from uuid import UUID

from loyalty.services import (
    points,
    stats_periods,
    stats_rollup,
)
from loyalty.services.stats_periods import Period
from tests.clocks import clock_at
from tests.factories import Card, Shop, make_card, make_key, make_reward, make_shop, make_store
from tests.services.voiding import OPEN, stamp

AT = datetime(2026, 6, 30, 20, tzinfo=UTC)
JUNE = {"first": date(2026, 6, 1), "last": date(2026, 6, 30)}


@dataclass(frozen=True)
class Bakery:
    """The shop as it is in its first store and at the station, Cleo's card, and one made at the station."""

    shop: Shop
    station: Shop
    cleo: Card
    late: Card

    def june(self, store_id: UUID | None = None) -> Period:
        return stats_periods.choose(actor=self.shop.ada, **JUNE, store_id=store_id, at=AT)


def on(month: int, day: int, hour: int = 10) -> datetime:
    return datetime(2026, month, day, hour, 10, tzinfo=UTC)


def open_bakery() -> Bakery:
    """A spring of the bakery: two stores, stamps, points and rewards, all counted."""
    shop = make_shop(**OPEN, stamps_reward_value_cents=505)
    station = replace(shop, ben=replace(shop.ben, store_id=make_store(shop)))
    reward = make_reward(shop, "Croissant", 50, value_cents=181)
    make_reward(shop, "Cake", 20)
    make_reward(shop, "Bread", 60, value_cents=900)
    with clock_at(on(5, 10)):
        cleo = make_card(shop)
        stamp(shop, cleo)
    with clock_at(on(6, 3)):
        stamp(shop, cleo, 2)
        points.earn(actor=shop.ben, card=cleo.ref, purchase_amount_cents=1000, key=make_key(shop.ben))
    with clock_at(on(6, 10, 6)):
        late = make_card(station, name="Luc")
        stamp(station, late)
    with clock_at(on(6, 20)):
        points.redeem(actor=station.ben, card=cleo.ref, reward_id=reward, key=make_key(station.ben))
    stats_rollup.roll_up(at=AT)
    return Bakery(shop, station, cleo, late)
