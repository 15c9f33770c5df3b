"""A history of a card: each step is asked of the model and of the ledger, and the answers are compared.

Hypothesis draws the steps, and the seed of the dice that fill in their details.
"""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from loyalty import database
from loyalty.database import db, new_id, transaction
from loyalty.domain.values import RequestKey
from loyalty.errors import LoyaltyError
from loyalty.models.cards import LoyaltyCard
from loyalty.models.programs import LoyaltyProgram
from loyalty.models.vendors import Vendor, VendorPolicy
from loyalty.services import adjustments, cards, points, stamps, voids
from tests.factories import Shop, make_card, make_key, make_staff
from tests.services.ledger_model import Model, Refused, Row

STEPS = 50
OPENING = 0.3
# On the half minute: all jumps are whole minutes, so the moments a step really takes cross no boundary of the rules.
STARTS = [
    datetime(2026, 3, 28, 21, 40, 30, tzinfo=UTC),
    datetime(2026, 10, 24, 20, 20, 30, tzinfo=UTC),
    datetime(2026, 10, 25, 0, 50, 30, tzinfo=UTC),
    datetime(2027, 2, 28, 9, 0, 30, tzinfo=UTC),
]
JUMPS = [1, 3, 9, 10, 15, 16, 47, 60, 180, 600, 1440]
ZONES = ["Europe/Luxembourg", "America/New_York", "Asia/Kolkata", "Pacific/Kiritimati", "Etc/GMT+12"]
PRICES = [30, 200]
CHOICES: dict[str, list[Any]] = {
    "loyalty_type": ["hybrid", "hybrid", "hybrid", "stamps", "points"],
    "stamps_target": [2, 3, 7, 10],
    "max_stamps_per_action": [1, 2, 5],
    "cooldown_minutes": [0, 0, 0, 1, 15],
    "max_daily_stamps": [1, 3, 8, 50],
    "points_per_euro": [1, 33, 50],
    "minimum_purchase_cents": [0, 0, 600],
    "minimum_redemption_points": [0, 0, 100],
    "is_active": [True, True, False],
    "allow_void_transactions": [True, True, False],
    "require_order_reference": [False, False, True],
}
# What lets nothing through but a refusal is set back after a while.
OPEN = {"is_active": True, "allow_void_transactions": True, "require_order_reference": False}
POLICY = {"allow_void_transactions", "require_order_reference"}
WEIGHTS = {
    "add": 12,
    "redeem": 4,
    "earn": 8,
    "buy": 4,
    "void_one": 8,
    "void_newest": 3,
    "void_by_order": 2,
    "adjust": 3,
    "switch": 1,
    "retry": 3,
    "jump": 12,
    "change_rule": 3,
    "change_zone": 2,
}
KINDS = [name for name, weight in WEIGHTS.items() for _ in range(weight)]
Call = Callable[[RequestKey], Any]


class History:
    """One card, its model, and the dice."""

    def __init__(self, shop: Shop, rewards: list[str], seed: int) -> None:
        self.shop, self.seed, self.dice = shop, seed, random.Random(seed)
        self.rewards = dict(zip([*PRICES, None], [*rewards, "nothing"], strict=True))
        ana = replace(shop.ben, staff_pin_id=make_staff(shop.vendor_id, f"Ana {seed}"))
        self.people = {"ben": shop.ben, "ana": ana, "mia": shop.mia}
        rules = {name: self.dice.choice(values) for name, values in CHOICES.items()} | OPEN
        start = self.dice.choice(STARTS) + timedelta(minutes=self.dice.randrange(300))
        database.configure(clock_offset=start - datetime.now(UTC))
        self.model = Model(start, ZONES[0], rules)
        self.set_zone(ZONES[0])
        self.set_rules(rules)
        self.card = make_card(shop)
        self.done: list[tuple[Call, RequestKey, Any]] = []
        self.log: list[str] = []

    def run(self, steps: list[str]) -> None:
        try:
            for step in steps:
                if self.dice.random() < OPENING:
                    self.reopen()
                getattr(self, step)()
            self.compare()
        except BaseException:
            print(f"seed {self.seed}, card {self.card.card_number}:", *self.log, sep="\n  ")
            raise

    def reopen(self) -> None:
        if closed := {name: value for name, value in OPEN.items() if self.model.rules[name] != value}:
            self.log.append("all is allowed")
            self.model.rules |= closed
            self.set_rules(closed)
        if not self.model.active:
            self.switch("mia")

    def compare(self) -> None:
        model, card = self.model, db.session.get_one(LoyaltyCard, self.card.card_id)
        assert (card.stamp_count, card.points_balance, card.is_active) == (model.stamps, model.points, model.active)
        db.session.rollback()

    def tell(self, said: str, who: str, expect: Callable[[], dict[str, Any]], call: Call) -> None:
        """Ask the model, ask the ledger, and compare outcome, answer and rows."""
        key, before = make_key(self.people[who]), len(self.model.rows)
        self.log.append(f"{self.model.now:%d %H:%M} {who} {said}")
        try:
            wanted: dict[str, Any] | str = expect()
        except Refused as refusal:
            wanted = str(refusal)
        self.log[-1] += f" -> {wanted}"
        if isinstance(wanted, str):
            with pytest.raises(LoyaltyError, match=f"^{wanted}$"):
                call(key)
            return
        receipt = call(key)
        assert {name: getattr(receipt, name) for name in wanted} == wanted
        ids = getattr(receipt, "transaction_ids", [receipt.transaction_id])
        rows = [row for row in self.model.rows[before:] if row.given]
        for row, transaction_id in zip(rows, ids, strict=bool(rows)):
            row.id = transaction_id
        self.done.append((call, key, receipt))

    def who(self) -> str:
        return self.dice.choice(["ben", "ben", "ana", "mia", "mia", "mia"])

    def asked(self, who: str) -> dict[str, Any]:
        return {"actor": self.people[who], "card": self.card.ref}

    def add(self) -> None:
        who, quantity = self.who(), self.dice.choice([1, 1, 1, 2, 3, 5, 0])
        asked = {**self.asked(who), "quantity": quantity}
        self.tell(
            f"adds {quantity}", who, lambda: self.model.add(who, quantity), lambda key: stamps.add(key=key, **asked)
        )

    def redeem(self) -> None:
        who = self.who()
        asked = self.asked(who)
        self.tell("redeems", who, lambda: self.model.redeem(who), lambda key: stamps.redeem(key=key, **asked))

    def earn(self) -> None:
        who, order = self.who(), self.dice.choice([None, None, "A1", "A2"])
        amount = self.dice.choice([500, 700]) if order else self.dice.choice([29, 58, self.dice.randrange(1, 3000)])
        asked = {**self.asked(who), "purchase_amount_cents": amount, "order_reference": order}
        self.tell(
            f"earns {amount} {order}",
            who,
            lambda: self.model.earn(who, amount, order),
            lambda key: points.earn(key=key, **asked),
        )

    def buy(self) -> None:
        who, price = self.who(), self.dice.choice([*PRICES, *PRICES, None])
        asked = {**self.asked(who), "reward_id": self.rewards[price]}
        self.tell(f"buys {price}", who, lambda: self.model.buy(who, price), lambda key: points.redeem(key=key, **asked))

    def pick(self) -> Row | None:
        rows = [row for row in self.model.rows if row.id]
        newest = rows[-3:] if self.dice.random() < 0.7 else rows
        return self.dice.choice(newest) if newest else None

    def void_one(self) -> None:
        who, row, only = self.who(), self.pick(), self.dice.choice([None, "stamps", "points"])
        part = self.dice.choice([None, None, 1, 2, 30]) if only else None
        asked: dict[str, Any] = {
            "actor": self.people[who],
            "transaction_id": row.id if row else new_id(),
            "reason": "slip",
        }
        if only is None and row is None:
            return
        said = f"voids {part or 'all'} of {row.kind if row else 'nothing'} as {only}"
        expect = partial(self.model.void, who, row, part, only)
        if only is None:
            self.tell(said, who, expect, lambda key: voids.void(key=key, **asked))
        elif only == "stamps":
            asked |= {"card": self.card.ref, "stamps_to_void": part}
            self.tell(said, who, expect, lambda key: voids.void_stamps(key=key, **asked))
        else:
            asked |= {"card": self.card.ref, "points_to_void": part}
            self.tell(said, who, expect, lambda key: voids.void_points(key=key, **asked))

    def void_newest(self) -> None:
        who, number = self.who(), self.dice.choice([1, 1, 2, 4])
        asked = {**self.asked(who), "stamps_to_void": number, "reason": "slip"}
        self.tell(
            f"voids newest {number}",
            who,
            lambda: self.model.void_newest(who, number),
            lambda key: voids.void_stamps(key=key, **asked),
        )

    def void_by_order(self) -> None:
        who, order = self.who(), self.dice.choice(["A1", "A2", "A3"])
        same = [row for row in reversed(self.model.rows) if row.order[0] == order]
        row = next((row for row in same if row.left), same[0] if same else None)
        asked = {**self.asked(who), "order_reference": order, "reason": "slip"}
        self.tell(
            f"voids {order}",
            who,
            lambda: self.model.void(who, row, None, "points"),
            lambda key: voids.void_points(key=key, **asked),
        )

    def adjust(self) -> None:
        who, what = self.who(), self.dice.choice(["stamps", "points"])
        delta = self.dice.choice([-40, -3, -1, 1, 4, 60])
        adjust = adjustments.adjust_stamps if what == "stamps" else adjustments.adjust_points
        asked = {**self.asked(who), "delta": delta, "reason": "counted"}
        self.tell(
            f"adjusts {what} by {delta}",
            who,
            lambda: self.model.adjust(who, what, delta),
            lambda key: adjust(key=key, **asked),
        )

    def switch(self, who: str | None = None) -> None:
        who, active = who or self.who(), not self.model.active or self.dice.random() < 0.3
        change = cards.reactivate if active else cards.deactivate
        asked = {**self.asked(who), "reason": "lost or found"}
        self.tell(f"active={active}", who, lambda: self.model.switch(who, active), lambda key: change(key=key, **asked))

    def retry(self) -> None:
        if not self.done:
            return
        call, key, receipt = self.dice.choice(self.done)
        self.log.append(f"{self.model.now:%d %H:%M} retries {receipt}")
        assert call(key) == replace(receipt, replayed=True)
        with pytest.raises(LoyaltyError, match="IDEMPOTENCY_KEY_REUSED"):
            call(replace(key, request_hash="other"))

    def jump(self) -> None:
        by = timedelta(minutes=self.dice.choice(JUMPS))
        self.model.now += by
        database.configure(clock_offset=database.clock_offset() + by)

    def change_rule(self) -> None:
        name = self.dice.choice(list(CHOICES))
        value = self.dice.choice(CHOICES[name])
        self.log.append(f"{name} = {value}")
        self.model.rules[name] = value
        self.set_rules({name: value})

    def change_zone(self) -> None:
        self.model.zone = self.dice.choice(ZONES)
        self.log.append(self.model.zone)
        self.set_zone(self.model.zone)

    def set_rules(self, rules: dict[str, Any]) -> None:
        policy = {name: value for name, value in rules.items() if name in POLICY}
        program = {name: value for name, value in rules.items() if name not in POLICY}
        for table, columns in ((VendorPolicy, policy), (LoyaltyProgram, program)):
            if columns:
                self.set(sa.update(table).where(table.vendor_id == self.shop.vendor_id).values(**columns))

    def set_zone(self, zone: str) -> None:
        self.set(sa.update(Vendor).where(Vendor.id == self.shop.vendor_id).values(timezone=zone))

    def set(self, statement: sa.Update) -> None:
        with transaction():
            db.session.execute(statement)
