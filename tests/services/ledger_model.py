"""A card as the product's rules describe it, without a database: what the ledger must do, step by step."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

VOIDABLE = ("stamps_earned", "points_earned", "stamps_redeemed", "points_redeemed")
UNDO = timedelta(minutes=10)


class Refused(Exception):
    """The model says no, with the code that the ledger must give."""


def refuse(condition: bool, code: str) -> None:
    if condition:
        raise Refused(code)


@dataclass(eq=False)
class Row:
    """Something that was given or redeemed; `left` is what was not taken back."""

    kind: str
    given: int
    at: datetime
    day: date
    who: str
    order: tuple[str | None, int]
    left: int
    id: UUID | None = None


@dataclass
class Model:
    """One card; `rules` are the settings of program and policy, `now` is the clock. Mia is the manager."""

    now: datetime
    zone: str
    rules: dict[str, Any]
    stamps: int = 0
    points: int = 0
    active: bool = True
    rows: list[Row] = field(default_factory=list)

    def open(self, *kinds: str) -> list[Row]:
        return [row for row in reversed(self.rows) if row.kind in kinds and row.left]

    def today(self) -> date:
        return self.now.astimezone(ZoneInfo(self.zone)).date()

    def stamps_today(self) -> int:
        return sum(row.left for row in self.open("stamps_earned") if row.day == self.today())

    def add(self, who: str, quantity: int) -> dict[str, Any]:
        self._ready("stamps")
        refuse(not 1 <= quantity <= self.rules["max_stamps_per_action"], "VALIDATION_ERROR")
        pause, last = timedelta(minutes=self.rules["cooldown_minutes"]), self.open("stamps_earned")[:1]
        refuse(any(self.now < row.at + pause for row in last), "STAMP_COOLDOWN")
        refuse(self.stamps_today() + quantity > self.rules["max_daily_stamps"], "DAILY_STAMP_LIMIT")
        full = self.rules["stamps_target"] - self.stamps % self.rules["stamps_target"]
        self._write("stamps_earned", quantity, who)
        return {"stamp_count": self.stamps, "stamps_today": self.stamps_today(), "reward_earned": quantity >= full}

    def redeem(self, who: str) -> dict[str, Any]:
        self._ready("stamps")
        refuse(self.stamps < self.rules["stamps_target"], "INSUFFICIENT_STAMPS")
        self._write("stamps_redeemed", -self.rules["stamps_target"], who)
        return {"stamp_count": self.stamps, "total_redemptions": len(self.open("stamps_redeemed"))}

    def earn(self, who: str, amount: int, order: str | None) -> dict[str, Any]:
        self._ready("points")
        refuse(order is None and self.rules["require_order_reference"], "ORDER_REFERENCE_REQUIRED")
        if order and (same := [row for row in self.open("points_earned") if row.order[0] == order]):
            refuse(same[-1].order[1] != amount, "VALIDATION_ERROR")
            return {"transaction_id": same[-1].id, "points_earned": same[-1].given}
        refuse(amount < self.rules["minimum_purchase_cents"], "VALIDATION_ERROR")
        if earned := amount * self.rules["points_per_euro"] // 100:
            self._write("points_earned", earned, who, (order, amount))
        return {"points_earned": earned, "points_balance": self.points}

    def buy(self, who: str, price: int | None) -> dict[str, Any]:
        self._ready("points")
        refuse(price is None, "INVALID_REWARD")
        refuse(self.points < max(price or 0, self.rules["minimum_redemption_points"]), "INSUFFICIENT_POINTS")
        self._write("points_redeemed", -(price or 0), who)
        return {"points_spent": price, "points_balance": self.points}

    def void(self, who: str, row: Row | None, part: int | None, only: str | None) -> dict[str, Any]:
        self._ready(only, "allow_void_transactions")
        refuse(row is None or bool(only and row.kind != f"{only}_earned"), "TRANSACTION_NOT_FOUND")
        assert row
        refuse(row.kind not in VOIDABLE, "VOID_NOT_ALLOWED")
        refuse(row.left == 0 or (part or 0) > row.left, "ALREADY_VOIDED")
        return self._take_back(who, [(row, part or row.left)])

    def void_newest(self, who: str, wanted: int) -> dict[str, Any]:
        self._ready("stamps", "allow_void_transactions")
        chosen: list[tuple[Row, int]] = []
        for row in self.open("stamps_earned"):
            part = min(wanted - sum(part for _, part in chosen), row.left)
            chosen += [(row, part)] if part else []
        refuse(not chosen, "ALREADY_VOIDED")
        refuse(sum(part for _, part in chosen) < wanted, "VALIDATION_ERROR")
        return self._take_back(who, chosen)

    def _take_back(self, who: str, chosen: list[tuple[Row, int]]) -> dict[str, Any]:
        own = len(chosen) == 1 and chosen[0][0] is self.open(*VOIDABLE)[0] and chosen[0][0].who == who
        refuse(who != "mia" and not (own and self.now - chosen[0][0].at < UNDO), "STAFF_PIN_REQUIRED")
        shortfall = 0
        for row, part in chosen:
            taken = min(part, getattr(self, row.kind[:6])) if row.kind.endswith("earned") else part
            row.left, shortfall = row.left - taken, shortfall + part - taken
            self._write(f"{row.kind[:6]}_voided", -taken if row.given > 0 else taken, who)
        return {"stamp_count": self.stamps, "points_balance": self.points, "shortfall": shortfall}

    def adjust(self, who: str, what: str, delta: int) -> dict[str, Any]:
        self._ready(what)
        refuse(who != "mia", "STAFF_PIN_REQUIRED")
        refuse(getattr(self, what) + delta < 0, f"INSUFFICIENT_{what}".upper())
        self._write(f"{what}_adjusted", delta, who)
        return {"delta": delta, "balance": getattr(self, what)}

    def switch(self, who: str, active: bool) -> dict[str, Any]:
        refuse(who != "mia", "STAFF_PIN_REQUIRED")
        self.active = active
        return {"is_active": active}

    def _ready(self, kind: str | None, allowed: str = "is_active") -> None:
        refuse(not self.active, "CARD_INACTIVE")
        refuse(not self.rules["is_active"], "PROGRAM_INACTIVE")
        refuse(bool(kind) and self.rules["loyalty_type"] not in (kind, "hybrid"), f"{kind}_NOT_ENABLED".upper())
        refuse(not self.rules[allowed], "VOID_NOT_ALLOWED")

    def _write(self, kind: str, delta: int, who: str, order: tuple[str | None, int] = (None, 0)) -> None:
        setattr(self, kind[:6], getattr(self, kind[:6]) + delta)
        self.rows.append(Row(kind, delta, self.now, self.today(), who, order, abs(delta)))
