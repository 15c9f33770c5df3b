"""The statistics, counted plainly: every row of the ledger is read and added up in Python."""

from collections import defaultdict
from collections.abc import Collection
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from loyalty.database import AnyRow, Base, db
from loyalty.services.stats_figures import TOTALS

KEPT = ("stamp_earned", "points_earned", "stamp_redeemed", "points_redeemed")
REWARDS = ("stamp_redeemed", "points_redeemed")
VOIDS = ("stamp_voided", "points_voided", "redemption_voided")
STAMPS = {
    "stamp_earned": ("stamps_earned", 1),
    "welcome_bonus": ("stamps_earned", 1),
    "stamp_redeemed": ("stamps_redeemed", -1),
    "redemption_voided": ("stamps_redeemed", -1),
    "stamp_voided": ("stamps_voided", -1),
    "stamp_adjustment": ("stamps_adjusted", 1),
}
POINTS = {
    "points_earned": ("points_earned", 1),
    "welcome_bonus": ("points_earned", 1),
    "points_redeemed": ("points_redeemed", -1),
    "redemption_voided": ("points_redeemed", -1),
    "points_voided": ("points_voided", -1),
    "points_adjustment": ("points_adjusted", 1),
    "points_expired": ("points_expired", -1),
}
MEMBERS = {"card_created": 1, "card_reactivated": 1, "card_deactivated": -1}
T = Base.metadata.tables
DAILY = [
    column.name for column in T["daily_stats"].c if column.name not in ("id", "vendor_id", "store_id", "local_day")
]
STAFF = ["transactions", "cards_created", "stamps_earned", "points_earned", "redemptions", "voids"]
STANDING = ["members", "stamps", "points"]
CARD = [column.name for column in T["card_stats"].c if column.name != "card_id"]
Sums = dict[tuple[Any, ...], dict[str, int]]


class Recount:
    """All sums of some vendors, from their ledgers."""

    def __init__(self, vendor_ids: Collection[UUID]) -> None:
        self.daily: Sums = defaultdict(lambda: dict.fromkeys(DAILY, 0))
        self.staff: Sums = defaultdict(lambda: dict.fromkeys(STAFF, 0))
        self.times: dict[tuple[Any, ...], int] = defaultdict(int)
        self.cards: dict[UUID, dict[str, Any]] = {}
        rows, home = _read(vendor_ids)
        self.left = _left(rows)
        for row in rows:
            self._add(row)
            if row.staff_pin_id:
                self._add_staff(row)
            self._change(row, home[row.card_id].enrolled_at_store_id)
        self._visit(rows)
        for card_id, card in home.items():
            self.cards[card_id] = self._card(card, [row for row in rows if row.card_id == card_id])

    def _add(self, row: AnyRow) -> None:
        kind, sums = row.transaction_type, self.daily[row.vendor_id, row.store_id, row.local_day]
        sums["transactions"] += 1
        sums["cards_created"] += kind == "card_created"
        for delta, table in ((row.stamps_delta, STAMPS), (row.points_delta, POINTS)):
            if kind in table:
                name, sign = table[kind]
                sums[name] += sign * delta
        if self.left[row.id]:
            sums["redemptions"] += kind in REWARDS
            if row.purchase_amount_cents:
                gone = row.points_delta - self.left[row.id]
                sums["purchases"] += 1
                sums["revenue_cents"] += (
                    row.purchase_amount_cents - row.purchase_amount_cents * gone // row.points_delta
                )

    def _add_staff(self, row: AnyRow) -> None:
        kind, sums = row.transaction_type, self.staff[row.vendor_id, row.store_id, row.local_day, row.staff_pin_id]
        sums["transactions"] += 1
        sums["cards_created"] += kind == "card_created"
        sums["stamps_earned"] += row.stamps_delta * (kind == "stamp_earned")
        sums["points_earned"] += row.points_delta * (kind == "points_earned")
        sums["redemptions"] += kind in REWARDS and self.left[row.id] > 0
        sums["voids"] += kind in VOIDS

    def _change(self, row: AnyRow, home: UUID | None) -> None:
        sums = self.daily[row.vendor_id, home, row.local_day]
        sums["members_change"] += MEMBERS.get(row.transaction_type, 0)
        sums["stamps_change"] += row.stamps_delta
        sums["points_change"] += row.points_delta

    def _visit(self, rows: list[AnyRow]) -> None:
        begun: dict[tuple[Any, ...], datetime] = {}
        for row in rows:
            if self.left[row.id]:
                visit = (row.vendor_id, row.store_id, row.local_day, row.card_id)
                begun[visit] = min(begun.get(visit, row.transaction_at), row.transaction_at)
        for (*place, _card), at in begun.items():
            at = at.astimezone(UTC)
            quarter = at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0)
            self.daily[tuple(place)]["visits"] += 1
            self.times[*place, quarter] += 1

    def _card(self, card: AnyRow, rows: list[AnyRow]) -> dict[str, Any]:
        days = sorted({row.local_day for row in rows if self.left[row.id]})
        rewards = sorted(row.local_day for row in rows if self.left[row.id] and row.transaction_type in REWARDS)
        switches = [row.transaction_type for row in rows if row.transaction_type in MEMBERS]
        return {
            "vendor_id": card.vendor_id,
            "store_id": card.enrolled_at_store_id,
            "ledger_seq": len(rows),
            "is_active": switches[-1] != "card_deactivated",
            "joined_day": rows[0].local_day,
            "visits": len(days),
            "first_visit_day": _nth(days, 0),
            "second_visit_day": _nth(days, 1),
            "last_visit_day": _nth(days, -1),
            "first_reward_day": _nth(rewards, 0),
            "visited_months": sorted({day.replace(day=1) for day in days}),
        }

    def standing(self) -> Sums:
        """Sum the changes of all days, by store."""
        found: Sums = defaultdict(lambda: dict.fromkeys(STANDING, 0))
        for (vendor_id, store_id, _day), sums in self.daily.items():
            for name in STANDING:
                found[vendor_id, store_id][name] += sums[f"{name}_change"]
        return dict(found)


def check(vendor_ids: Collection[UUID]) -> Recount:
    """Compare the tables of the statistics with a plain recount; staff only where and since it is switched on."""
    db.session.rollback()
    plain = Recount(vendor_ids)
    key = ["vendor_id", "store_id", "local_day"]
    assert _table("daily_stats", vendor_ids, key, DAILY) == dict(plain.daily)
    times = _table("daily_visit_times", vendor_ids, [*key, "quarter_at"], ["visits"])
    assert {place: row["visits"] for place, row in times.items()} == dict(plain.times)
    standing = _table("stats_standing", vendor_ids, ["vendor_id", "store_id"], STANDING)
    assert standing == plain.standing()
    cards = _table("card_stats", vendor_ids, ["card_id"], CARD)
    assert {card_id: row for (card_id,), row in cards.items()} == plain.cards
    staff = _table("daily_staff_stats", vendor_ids, [*key, "staff_pin_id"], STAFF)
    since = {row.vendor_id: row.since_day for row in db.session.execute(sa.select(T["staff_reports"]))}
    assert staff == {place: row for place, row in plain.staff.items() if place[2] >= since.get(place[0], date.max)}
    _check_platform()
    db.session.rollback()
    return plain


def _check_platform() -> None:
    """Compare the sums of all shops' days with the days themselves."""
    days, shops, kept = T["daily_stats"], T["vendors"], T["daily_platform_stats"]
    key = (days.c.local_day, shops.c.currency)
    sums = sa.select(*key, *(sa.cast(sa.func.sum(days.c[name]), sa.BigInteger) for name in TOTALS))
    plain = db.session.execute(sums.join(shops, shops.c.id == days.c.vendor_id).group_by(*key).order_by(*key))
    found = sa.select(*(kept.c[name] for name in ("local_day", "currency", *TOTALS)))
    assert db.session.execute(found.order_by(kept.c.local_day, kept.c.currency)).all() == plain.all()


def _table(name: str, vendor_ids: Collection[UUID], key: list[str], values: list[str]) -> dict[Any, dict[str, Any]]:
    table = T[name]
    rows = db.session.execute(sa.select(table).where(table.c.vendor_id.in_(vendor_ids))).mappings().all()
    found = {tuple(row[column] for column in key): {column: row[column] for column in values} for row in rows}
    assert len(found) == len(rows)
    return found


def _read(vendor_ids: Collection[UUID]) -> tuple[list[AnyRow], dict[UUID, AnyRow]]:
    row, card = T["loyalty_transactions"], T["loyalty_cards"]
    rows = db.session.execute(sa.select(row).where(row.c.vendor_id.in_(vendor_ids)).order_by(row.c.card_id, row.c.seq))
    cards = db.session.execute(sa.select(card).where(card.c.vendor_id.in_(vendor_ids)))
    return list(rows), {card.id: card for card in cards}


def _left(rows: list[AnyRow]) -> dict[UUID, int]:
    left = {
        row.id: abs(row.stamps_delta) + abs(row.points_delta) if row.transaction_type in KEPT else 0 for row in rows
    }
    for row in rows:
        if row.transaction_type in VOIDS:
            left[row.related_transaction_id] -= abs(row.stamps_delta) + abs(row.points_delta)
    return left


def _nth(days: list[date], place: int) -> date | None:
    return days[place] if len(days) > max(place, 0) else None
